//! Random lives of four nodes against a model of what they may sell. After every act the invariants are checked; at the end,
//! that no coin came into being or went.

use crate::{mock::*, Event};
use highway_primitives::{DeviceClass, ProbeTask, ProbeTerms};
use proptest::prelude::*;

const NODES: u32 = 4;

#[derive(Clone, Debug)]
enum Act {
	/// An answer of so many rows; those from the other number on are made up.
	Answer {
		node: u32,
		rows: u32,
		honest: u32,
	},
	/// The proof of what it answered last; by whichever key.
	Prove {
		node: u32,
		signer: u32,
	},
	/// A proof of any chunk of any blob.
	Junk {
		node: u32,
		bytes: Vec<u8>,
		round: u32,
	},
	Beat {
		node: u32,
		cuda: bool,
	},
	Declare {
		node: u32,
		slots: u16,
	},
	Forget {
		node: u32,
	},
	Terms {
		share: u32,
		on: bool,
	},
	Vrfs {
		on: bool,
	},
	Blocks {
		count: u32,
	},
}

fn act() -> impl Strategy<Value = Act> {
	let node = 0..NODES;
	prop_oneof![
		6 => (node.clone(), 1..20u32, 0..30u32).prop_map(|(node, rows, honest)| Act::Answer { node, rows, honest }),
		6 => (node.clone(), prop_oneof![9 => Just(0u32), 1 => Just(1u32)])
			.prop_map(|(node, other)| Act::Prove { node, signer: node + other }),
		1 => (node.clone(), prop::collection::vec(any::<u8>(), 0..200), 0..4u32)
			.prop_map(|(node, bytes, round)| Act::Junk { node, bytes, round }),
		4 => (node.clone(), any::<bool>()).prop_map(|(node, cuda)| Act::Beat { node, cuda }),
		1 => (node.clone(), prop_oneof![Just(0u16), 1..9u16, Just(1_024u16)])
			.prop_map(|(node, slots)| Act::Declare { node, slots }),
		1 => node.prop_map(|node| Act::Forget { node }),
		1 => (1..3u32, prop::bool::weighted(0.7)).prop_map(|(share, on)| Act::Terms { share, on }),
		1 => prop::bool::weighted(0.8).prop_map(|on| Act::Vrfs { on }),
		12 => (1..12u32).prop_map(|count| Act::Blocks { count }),
	]
}

/// What the node's last answer stands for.
fn blob(node: u32, rows: u32, honest: u32) -> Vec<u8> {
	let mut blob = computed(&round().seed, node, rows.min(honest));
	blob.resize(64 * rows as usize, 7);
	blob
}

struct Lives {
	/// The last blob of each node, and how many of its rows are true.
	blobs: [(Vec<u8>, u32); NODES as usize],
	/// The largest honest result of each node: what it may sell never exceeds it, but for a newcomer's slots.
	best: [u32; NODES as usize],
}

impl Lives {
	fn perform(&mut self, act: Act) {
		match act {
			Act::Answer { node, rows, honest } => {
				let Some(ProbeTask::Compute { rows: most, .. }) = task(node) else {
					return;
				};
				let blob = blob(node, rows, honest);
				let said = answer(node, &blob);
				// The task is for the next block, in which the round might not count any more.
				match validate(&said) {
					Ok(_) => {
						assert!(rows <= most);
						accept(&said);
						self.blobs[node as usize] = (blob, honest.min(rows));
					}
					Err(_) => assert!(apply(&said).is_err()),
				}
			}
			Act::Prove { node, signer } => self.prove(node, signer),
			Act::Junk { node, bytes, round } => {
				let proof = highway_primitives::worker::ChunkProof {
					bytes: bytes.try_into().unwrap(),
					siblings: Default::default(),
				};
				assert!(apply(&prove_by(&key(node), node, round, proof)).is_err());
			}
			Act::Beat { node, cuda } => {
				let device = if cuda { DeviceClass::Cuda } else { DeviceClass::CpuX86 };
				let allowed = beat_as(node, device);
				if let Some(terms) = crate::Terms::<Test>::get() {
					let most = self.best[node as usize].max(terms.rows(terms.unmeasured_slots));
					assert!(allowed.slots <= terms.slots(most), "{allowed:?}");
				}
			}
			Act::Declare { node, slots } => {
				Fleet::mutate(|fleet| fleet.insert(node, slots));
			}
			Act::Forget { node } => {
				<CapacityProbes as highway_primitives::traits::Capacity>::forget(node);
				self.best[node as usize] = 0;
			}
			Act::Terms { share, on } => {
				let terms = on.then(|| ProbeTerms { share, ..terms() });
				CapacityProbes::set_terms(RuntimeOrigin::root(), terms).unwrap();
			}
			Act::Vrfs { on } => HasVrf::set(on),
			Act::Blocks { count } => go(count),
		}
		check();
	}

	fn prove(&mut self, node: u32, signer: u32) {
		let Some(ProbeTask::Prove {
			round, output, chunk, ..
		}) = task(node)
		else {
			return;
		};
		let (blob, honest) = &self.blobs[node as usize];
		assert_eq!(output, highway_primitives::BlobRef::of(blob));
		let said = prove_by(&key(signer), node, round, proof_of(blob, chunk));
		let result = apply(&said);
		if signer != node {
			return assert!(result.is_err());
		}
		result.unwrap().unwrap();
		let rows = blob.len() as u32 / 64;
		let drawn = chunk as u32 * 16..(chunk as u32 * 16 + 16).min(rows);
		match events().pop() {
			Some(Event::Measured {
				proved, rows: counts, ..
			}) => {
				assert_eq!(proved, rows);
				assert!(*honest > drawn.start, "something of the chunk is true");
				self.best[node as usize] = self.best[node as usize].max(counts);
			}
			Some(Event::ProbeRefuted { .. }) => assert!(*honest < drawn.end, "something of the chunk is made up"),
			other => panic!("a proof ends with a measurement or with a lie: {other:?}"),
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

	#[test]
	fn lives_should_keep_every_invariant(acts in prop::collection::vec(act(), 1..60)) {
		in_a_round(NODES, || {
			let mut lives = Lives {
				blobs: [const { (Vec::new(), 0) }; NODES as usize],
				best: [0; NODES as usize],
			};
			for act in acts {
				lives.perform(act);
			}
		});
	}
}
