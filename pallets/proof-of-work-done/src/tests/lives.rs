//! Random lives of many jobs: whatever anybody does, every audit ends, every security comes back or is slashed once, nobody
//! is paid twice, and no coin comes into being.

use crate::{mock::*, AuditPhase, Audits, Pallet, Tasks};
use highway_primitives::{
	audit::{AuditTask, Verdict, Vote},
	traits::Attestations,
	Ballot, DeviceClass, JobId, NodeId, Sketch,
};
use proptest::prelude::*;
use sp_runtime::Perbill;

const NODES: NodeId = 8;

#[derive(Clone, Debug)]
enum Act {
	/// A node gets a job and attests it, with an honest sketch or not.
	Job {
		node: NodeId,
		honest: bool,
		rate: u32,
		free: bool,
	},
	/// A node does some of what audits want of it; says what it thinks is right, or not.
	Work {
		node: NodeId,
		honest: bool,
		vote: u8,
	},
	/// Everybody does everything, honestly, and a block passes.
	All,
	/// Somebody says something that nobody asked for.
	Noise {
		node: NodeId,
		job: JobId,
		kind: u8,
	},
	Force(JobId),
	Confirm(NodeId),
	Poke(JobId),
	Blocks(u32),
	/// Finality is at this many blocks before the present one.
	Hint(u32),
	Chill(NodeId, bool),
	Device(NodeId, bool),
	Leave(NodeId),
	Join(NodeId),
	/// Consensus takes part of a bond.
	Offence(NodeId),
	Authors(bool),
	/// Sketches say something, or nothing.
	Trace(bool),
	Forget,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
	let node = || 0..NODES;
	let job = || 0u64..25;
	let act = prop_oneof![
		10 => (node(), any::<bool>(), 0u32..3, 0u8..8).prop_map(|(node, honest, rate, free)| Act::Job { node, honest, rate, free: free == 0 }),
		20 => (node(), 0u8..4, 0u8..7).prop_map(|(node, honest, vote)| Act::Work { node, honest: honest > 0, vote }),
		40 => Just(Act::All),
		3 => (node(), job(), 0u8..4).prop_map(|(node, job, kind)| Act::Noise { node, job, kind }),
		2 => job().prop_map(Act::Force),
		4 => node().prop_map(Act::Confirm),
		3 => job().prop_map(Act::Poke),
		15 => (1u32..8).prop_map(Act::Blocks),
		1 => (0u32..80).prop_map(Act::Hint),
		2 => (node(), any::<bool>()).prop_map(|(node, chilled)| Act::Chill(node, chilled)),
		1 => (node(), any::<bool>()).prop_map(|(node, arm)| Act::Device(node, arm)),
		1 => node().prop_map(Act::Leave),
		2 => node().prop_map(Act::Join),
		1 => node().prop_map(Act::Offence),
		1 => any::<bool>().prop_map(Act::Authors),
		1 => any::<bool>().prop_map(Act::Trace),
		1 => Just(Act::Forget),
	];
	proptest::collection::vec(act, 1..160)
}

/// Every second job has many inputs.
fn inputs_of(job: JobId) -> u16 {
	[1, 2, 1, 5][job as usize % 4]
}

/// What the job's executor committed to, input by input.
fn committed(job: JobId) -> Vec<Sketch> {
	let inputs = inputs_of(job);
	match HonestJobs::get(job) {
		true => honest_batch(job, inputs),
		false => vec![sketch(-5); inputs.into()],
	}
}

/// What an honest run of the input that is audited is sketched as.
fn truth(job: JobId) -> Sketch {
	let inputs = inputs_of(job);
	honest_batch(job, inputs)[usize::from(record(job).input(inputs))]
}

#[frame_support::storage_alias]
type HonestJobs = StorageMap<Mock, frame_support::Twox64Concat, JobId, bool, frame_support::pallet_prelude::ValueQuery>;
#[frame_support::storage_alias]
type NextJob = StorageValue<Mock, JobId, frame_support::pallet_prelude::ValueQuery>;

/// The ballot of an honest node.
fn right(job: JobId, claims: Option<highway_primitives::audit::Claims>) -> Ballot {
	let vote = match HonestJobs::get(job) {
		true => Vote::Yes,
		false => Vote::No,
	};
	let auditor_right =
		claims.is_none_or(|claims| [vote, Vote::Missing].contains(&claims.vote) && claims.auditor == truth(job));
	ballot(vote, auditor_right, truth(job))
}

/// Other ballots, honest ones of a node that cannot run the job or does not get the output among them.
fn other(job: JobId, vote: u8) -> Ballot {
	match vote {
		0 => abstain(),
		1 => missing(job),
		6 => ballot(Vote::Missing, true, sketch(77)),
		2 => ballot(Vote::Yes, true, sketch(77)),
		3 => ballot(Vote::No, false, sketch(77)),
		4 => ballot(Vote::Yes, false, sketch(-3)),
		_ => ballot(Vote::No, true, Sketch::default()),
	}
}

/// Does one task. What was committed to is not kept here: a node reveals whichever of its possible ballots fits.
fn work_on(node: NodeId, job: JobId, task: AuditTask, honest_node: bool, vote: u8) {
	match task {
		AuditTask::Open { index } => drop(apply(&open_input(node, job, &committed(job), index))),
		AuditTask::Judge { claims, .. } => {
			let ballot = match honest_node {
				true => right(job, claims),
				false => other(job, vote),
			};
			apply(&commit(node, job, ballot)).unwrap().unwrap();
		}
		AuditTask::Reveal { .. } => {
			let claims = record(job).claims();
			let candidates = (0..7)
				.map(|vote| other(job, vote))
				.chain([right(job, claims), right(job, None)]);
			for ballot in candidates {
				if apply(&reveal(node, job, ballot)).is_ok() {
					return;
				}
			}
			panic!("a node can always open what it committed to");
		}
		AuditTask::ProveChunk { chunk } => {
			// A worker reads the list once a block is over, and speaks in the next one. This speaks within the block: too
			// early for a chunk that the block's own VRF draws.
			let drawn_now = matches!(record(job).phase, AuditPhase::Challenged { since, .. } if since == now());
			if !drawn_now {
				apply(&prove(node, job, chunk)).unwrap().unwrap();
			}
		}
	}
}

fn act(act: &Act) {
	match *act {
		Act::Job {
			node,
			honest,
			rate,
			free,
		} => {
			if !Fleet::contains_key(node) {
				return;
			}
			let job = NextJob::get();
			NextJob::put(job + 1);
			HonestJobs::insert(job, honest);
			Inputs::insert(job, inputs_of(job));
			Rate::put([Perbill::zero(), Perbill::from_percent(50), Perbill::one()][rate as usize]);
			Free::put(free);
			if free || fleet(node).reserved + SECURITY <= fleet(node).bond {
				assign(job, node);
				apply(&attest_batch(node, job, &committed(job))).unwrap().unwrap();
			}
			Free::put(false);
		}
		Act::Work { node, honest, vote } => {
			for (job, task, _) in Pallet::<Test>::tasks_of(node) {
				if Fleet::contains_key(node) {
					work_on(node, job, task, honest, vote);
				}
			}
		}
		Act::All => {
			for node in (0..NODES).filter(|node| Fleet::contains_key(node)) {
				for (job, task, _) in Pallet::<Test>::tasks_of(node) {
					work_on(node, job, task, true, 0);
				}
			}
			go(1);
		}
		Act::Noise { node, job, kind } => {
			let transaction = match kind {
				0 => open(node, job, sketch(1)),
				1 => reveal(node, job, yes(job)),
				2 => prove(node, job, 1),
				_ => attest_with(node, job, honest(job)),
			};
			let _ = apply(&transaction);
		}
		Act::Force(job) => drop(Pallet::<Test>::force_audit(RuntimeOrigin::signed(PAYER), job)),
		Act::Confirm(node) => {
			let origin = RuntimeOrigin::signed(operator(node));
			let _ = Pallet::<Test>::confirm_calibration(origin, MODEL, VERSION);
		}
		Act::Poke(job) => {
			poke(job);
		}
		Act::Blocks(blocks) => go(blocks),
		Act::Hint(lag) => {
			let _ = Pallet::<Test>::note_finality(RuntimeOrigin::none(), now().saturating_sub(lag));
		}
		Act::Chill(node, chilled) => Fleet::mutate(node, |mock| {
			if let Some(mock) = mock {
				mock.chilled = chilled;
			}
		}),
		Act::Device(node, arm) => Fleet::mutate(node, |mock| {
			if let Some(mock) = mock {
				mock.device = if arm { DeviceClass::CpuArm } else { DeviceClass::CpuX86 };
			}
		}),
		// Staking lets a node go when nothing of it is reserved; what it had is its operator's.
		Act::Leave(node) => {
			if let Some(mock) = Fleet::get(node).filter(|mock| mock.reserved == 0) {
				Fleet::remove(node);
				Purses::mutate(mock.operator, |purse| *purse += mock.bond);
			}
		}
		Act::Join(node) => {
			if !Fleet::contains_key(node) && Purses::get(operator(node)) >= BOND {
				Purses::mutate(operator(node), |purse| *purse -= BOND);
				join(node);
			}
		}
		// Of the bond that is not reserved: what is touched beyond is staking's matter.
		Act::Offence(node) => {
			if let Some(mock) = Fleet::get(node) {
				let part = (mock.bond - mock.reserved) / 2;
				change(node, |mock| mock.bond -= part);
				Burned::mutate(|burned| *burned += part);
			}
		}
		Act::Authors(away) => Absent::set(if away { NEUTRAL[1..].to_vec() } else { vec![] }),
		Act::Trace(has_trace) => NoTrace::put(!has_trace),
		Act::Forget => {
			for (job, _) in Ended::iter() {
				<Pallet<Test> as Attestations<AccountId>>::forget(job);
			}
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 250, ..Default::default() })]

	#[test]
	fn books_and_invariants_should_hold_in_every_life(acts in acts()) {
		execute_with(NODES, || {
			for one in &acts {
				act(one);
				check();
			}
			end();
		});
	}
}

/// Everything ends by itself: nobody says anything any more.
fn end() {
	go(500);
	assert_eq!(OpenJobs::iter().count(), 0, "every job ends");
	assert!(Audits::<Test>::iter_values().all(|record| matches!(record.phase, AuditPhase::Ended(_))));
	assert_eq!(Tasks::<Test>::iter().count(), 0);
	assert!(
		Fleet::iter_values().all(|mock| mock.reserved == 0),
		"every security came back or was slashed"
	);
	assert_eq!(Bonds::get(), 0);
	for (job, record) in Audits::<Test>::iter() {
		assert_eq!(Ended::get(job), record.verdict());
		let slashed: u128 = record.slashes.iter().map(|(_, amount)| amount).sum();
		let paid: u128 = Earned::iter_prefix_values(job).sum();
		assert!(slashed.is_multiple_of(SECURITY), "a slash takes the whole security");
		assert!(paid <= 5 * REWARD, "three jurors, and a finder twice");
		if record.verdict() == Some(Verdict::Unaudited) {
			assert_eq!(paid, 0);
		}
	}
}

/// Jobs of honest nodes and of a cheat, everybody at work in each block.
fn honest_life(jobs: &[(NodeId, bool, u32)], salt: u64) {
	const CHEAT: NodeId = 0;
	Salt::set(salt);
	execute_with(NODES, || {
		calibrate();
		Rate::put(Perbill::one());
		let mut cheated = vec![];
		for (job, (node, again, blocks)) in jobs.iter().enumerate() {
			let job = job as JobId;
			let node = if *again { CHEAT } else { *node };
			let is_honest = node != CHEAT;
			HonestJobs::insert(job, is_honest);
			Inputs::insert(job, inputs_of(job));
			assign(job, node);
			accept(&attest_batch(node, job, &committed(job)));
			if !is_honest {
				cheated.push(job);
			}
			(0..*blocks).for_each(|_| act(&Act::All));
		}
		(0..200).for_each(|_| act(&Act::All));
		for job in 0..jobs.len() as JobId {
			let rejected = cheated.contains(&job) && record(job).jurors().count() == 3;
			match (cheated.contains(&job), Ended::get(job).expect("every job ends")) {
				(false, verdict) => assert_eq!(verdict, Verdict::Upheld),
				(true, verdict) => {
					assert_eq!(verdict, Verdict::Rejected);
					assert!(rejected, "by a jury");
				}
			}
		}
		// The whole security of each job, no more and no less, and nobody else's.
		assert_eq!(lost(CHEAT), SECURITY * cheated.len() as u128);
		assert!((1..NODES).all(|node| lost(node) == 0 && !fleet(node).chilled));
		assert!((1..NODES).all(|node| outcomes(node).iter().all(|success| *success)));
		end();
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 60, ..Default::default() })]

	#[test]
	fn honest_nodes_should_lose_nothing_and_a_cheat_everything(
		jobs in proptest::collection::vec((1..NODES, any::<bool>(), 0u32..6), 1..10),
		salt in any::<u64>(),
	) {
		honest_life(&jobs, salt);
	}
}
