//! Random lives of four nodes that store three models. After every act the invariants are checked and the money is counted;
//! node 0, which answers whatever it is asked, never loses anything.

use crate::{mock::*, Event};
use highway_primitives::{worker::ChunkProof, BlobRef};
use proptest::prelude::*;

const NODES: u32 = 4;
const MODELS: u32 = 3;

#[derive(Clone, Debug)]
enum Act {
	Blocks {
		count: u32,
	},
	/// An answer to what the node is asked for the model, by whichever key, of whichever chunk.
	Prove {
		node: u32,
		model: u32,
		signer: u32,
		chunk: Option<u64>,
	},
	/// An answer of any bytes to any challenge.
	Junk {
		node: u32,
		model: u32,
		drawn_at: u32,
		bytes: Vec<u8>,
	},
	Earn {
		node: u32,
		model: u32,
		amount: u32,
	},
	Publish {
		model: u32,
	},
	Remove {
		model: u32,
	},
	/// The record of the model names these nodes, or none.
	Record {
		model: u32,
		nodes: Vec<u32>,
	},
	Unhost {
		node: u32,
	},
	Able {
		node: u32,
		able: bool,
	},
	Leave {
		node: u32,
	},
	StandStill {
		on: bool,
	},
	Vrfs {
		on: bool,
	},
}

fn act() -> impl Strategy<Value = Act> {
	let (node, model) = (0..NODES, 0..MODELS);
	prop_oneof![
		12 => (1..20u32).prop_map(|count| Act::Blocks { count }),
		8 => (node.clone(), model.clone(), prop_oneof![9 => Just(0u32), 1 => Just(1u32)], prop::option::weighted(0.2, 0..5u64))
			.prop_map(|(node, model, other, chunk)| Act::Prove { node, model, signer: node + other, chunk }),
		1 => (node.clone(), model.clone(), 0..200u32, prop::collection::vec(any::<u8>(), 0..200))
			.prop_map(|(node, model, drawn_at, bytes)| Act::Junk { node, model, drawn_at, bytes }),
		4 => (node.clone(), model.clone(), 0..1_000u32).prop_map(|(node, model, amount)| Act::Earn { node, model, amount }),
		1 => model.clone().prop_map(|model| Act::Publish { model }),
		1 => model.clone().prop_map(|model| Act::Remove { model }),
		3 => (model, prop::collection::vec(node.clone(), 0..4)).prop_map(|(model, nodes)| Act::Record { model, nodes }),
		1 => node.clone().prop_map(|node| Act::Unhost { node }),
		1 => (node.clone(), any::<bool>()).prop_map(|(node, able)| Act::Able { node, able }),
		1 => (1..NODES).prop_map(|node| Act::Leave { node }),
		1 => prop::bool::weighted(0.3).prop_map(|on| Act::StandStill { on }),
		1 => prop::bool::weighted(0.8).prop_map(|on| Act::Vrfs { on }),
	]
}

fn exists(node: u32) -> bool {
	Fleet::get().contains_key(&node)
}

fn answer(node: u32, model: u32, signer: u32, chunk: Option<u64>) {
	if !exists(node) || !is_challenged(node, model) {
		return;
	}
	let asked = challenge(node, model);
	let said = match chunk {
		Some(chunk) => prove_by(
			&key(signer),
			node,
			model,
			asked.drawn_at,
			proof_of(&file(model, 1), chunk),
		),
		None => prove_by(&key(signer), node, model, asked.drawn_at, right_proof(model, &asked)),
	};
	let is_right = asked.artefact == BlobRef::of(&file(model, 1)) && chunk == Some(asked.chunk);
	let (earned, paid) = (waiting(node, model), paid_to(node));
	let accepted = apply(&said).is_ok();
	assert_eq!(accepted, signer == node && (chunk.is_none() || is_right));
	assert_eq!(is_challenged(node, model), !accepted);
	if accepted {
		assert_eq!((waiting(node, model), paid_to(node)), (0, paid + earned));
	}
}

fn perform(act: Act) {
	match act {
		Act::Blocks { count } => {
			for _ in 0..count {
				step();
				// The honest one, while it is there: at once, so that no window is too short.
				for (model, _) in StorageProofs::tasks_of(0) {
					answer(0, model, 0, None);
				}
				check();
			}
		}
		Act::Prove {
			node,
			model,
			signer,
			chunk,
		} => answer(node, model, signer, chunk),
		Act::Junk {
			node,
			model,
			drawn_at,
			bytes,
		} => {
			let proof = ChunkProof {
				bytes: bytes.try_into().unwrap(),
				siblings: Default::default(),
			};
			assert!(apply(&prove_by(&key(node), node, model, drawn_at, proof)).is_err());
		}
		Act::Earn { node, model, amount } => earn(node, model, amount.into()),
		Act::Publish { model } => {
			// Enough versions for a life, and no more than the tests know the files of.
			if Versions::get().get(&model).is_some_and(|version| *version < 15) {
				publish(model);
			}
		}
		Act::Remove { model } => remove_model(model),
		Act::Record { model, nodes } => {
			let mut nodes = nodes;
			nodes.sort_unstable();
			nodes.dedup();
			store(model, &nodes);
		}
		Act::Unhost { node } => {
			if exists(node) {
				change_node(node, |node| node.hosts.clear());
			}
		}
		Act::Able { node, able } => {
			if exists(node) {
				change_node(node, |node| node.able = able);
			}
		}
		Act::Leave { node } => leave(node),
		Act::StandStill { on } => StandsStill::set(on),
		Act::Vrfs { on } => HasVrf::set(on),
	}
	check();
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

	#[test]
	fn lives_should_keep_every_invariant(acts in prop::collection::vec(act(), 1..50)) {
		execute(|| {
			(0..MODELS).for_each(|model| store(model, &[0, 1, 2]));
			acts.into_iter().for_each(perform);
			for event in events() {
				match event {
					Event::Missed { node, forfeited, fined, .. } => {
						assert!(node != 0, "a node that answers loses nothing");
						assert!(fined <= FINE && forfeited <= Accounts::get().forfeited);
					}
					Event::Lapsed { node, .. } => assert!(node != 0, "a node that answers has nothing open"),
					_ => {}
				}
			}
			if exists(0) {
				assert_eq!((bond(0), Fleet::get()[&0].failures), (BOND, 0));
			}
		});
	}
}
