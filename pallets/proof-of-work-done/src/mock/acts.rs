//! What the tests do: a job's way into its audit, and what nodes say there.

use super::*;
use crate::{AuditRecord, Audits, Calibrations, Event};
use highway_primitives::{audit::AuditTask, Ballot, BlobRef, JobId, Sketch, Vote, WorkId, WorkTag};
use sp_runtime::Perbill;

/// What a job stands for here.
pub fn work_id(job: JobId) -> WorkId {
	let mut work = [1; 32];
	work[..8].copy_from_slice(&job.to_be_bytes());
	H256(work)
}

pub fn work(job: JobId) -> WorkTag {
	job.to_be_bytes()
}

/// The output of an honest executor: five chunks, the last one short.
pub fn blob(job: JobId) -> Vec<u8> {
	(0..4_500u32).map(|at| (at as u64 + job) as u8).collect()
}

pub fn output(job: JobId) -> BlobRef {
	BlobRef::of(&blob(job))
}

/// The sketch whose sums are all this.
pub fn sketch(sum: i64) -> Sketch {
	Sketch {
		sums: [sum; 16],
		..Default::default()
	}
}

/// What an honest run of the job is sketched as, under any seed.
pub fn honest(job: JobId) -> Sketch {
	sketch(1_000 + job as i64)
}

pub fn ballot(vote: Vote, auditor_right: bool, sketch: Sketch) -> Ballot {
	Ballot {
		vote,
		auditor_right,
		sketch,
	}
}

pub fn yes(job: JobId) -> Ballot {
	ballot(Vote::Yes, true, honest(job))
}

pub fn no(job: JobId) -> Ballot {
	ballot(Vote::No, true, honest(job))
}

pub fn abstain() -> Ballot {
	ballot(Vote::Abstain, true, Sketch::default())
}

pub fn missing(job: JobId) -> Ballot {
	ballot(Vote::Missing, true, honest(job))
}

pub fn record(job: JobId) -> AuditRecord {
	Audits::<Test>::get(job).expect("the job has an audit")
}

/// The executor of tests.
pub const EXECUTOR: NodeId = 0;

/// Node 0 has done job 1 with this sketch behind its output, and the job is audited: the window is over and an auditor
/// judges. Returns the auditor.
pub fn audited(job: JobId, committed: Sketch) -> NodeId {
	Rate::put(Perbill::one());
	assign(job, EXECUTOR);
	apply(&attest_with(EXECUTOR, job, committed)).unwrap().unwrap();
	go(WINDOW);
	auditor(job)
}

pub fn auditor(job: JobId) -> NodeId {
	record(job).auditor().expect("there is an auditor").node
}

pub fn jurors(job: JobId) -> [NodeId; 3] {
	let jurors: Vec<NodeId> = record(job).jurors().map(|seat| seat.node).collect();
	jurors.try_into().expect("there are three jurors")
}

pub fn tasks(node: NodeId) -> Vec<AuditTask> {
	ProofOfWorkDone::tasks_of(node)
		.into_iter()
		.map(|(_, task, _)| task)
		.collect()
}

/// What an honest run of each of so many inputs of the job is sketched as.
pub fn honest_batch(job: JobId, inputs: u16) -> Vec<Sketch> {
	(0..i64::from(inputs))
		.map(|input| sketch(1_000 + job as i64 + 100 * input))
		.collect()
}

/// [`audited`] for a job of many inputs, with a sketch of each.
pub fn audited_batch(job: JobId, committed: &[Sketch]) -> NodeId {
	Rate::put(Perbill::one());
	Inputs::insert(job, committed.len() as u16);
	assign(job, EXECUTOR);
	apply(&attest_batch(EXECUTOR, job, committed)).unwrap().unwrap();
	go(WINDOW);
	auditor(job)
}

/// Commits, as the pool and the block want it, and goes one block on.
pub fn say_commit(node: NodeId, job: JobId, ballot: Ballot) {
	accept(&commit(node, job, ballot));
	go(1);
}

pub fn say_reveal(node: NodeId, job: JobId, ballot: Ballot) {
	accept(&reveal(node, job, ballot));
	go(1);
}

pub fn say_open(job: JobId, sketch: Sketch) {
	accept(&open(record(job).executor, job, sketch));
	go(1);
}

/// The auditor judges so and opens its ballot.
pub fn auditor_reveals(job: JobId, ballot: Ballot) {
	let auditor = auditor(job);
	say_commit(auditor, job, ballot);
	say_reveal(auditor, job, ballot);
}

/// The executor shows the chunk that it is asked for.
pub fn executor_proves(job: JobId) {
	// The block that draws it has to be over.
	go(1);
	let executor = record(job).executor;
	let chunk = tasks(executor).into_iter().find_map(|task| match task {
		AuditTask::ProveChunk { chunk } => Some(chunk),
		_ => None,
	});
	accept(&prove(executor, job, chunk.expect("a chunk is asked for")));
	go(1);
}

/// The auditor judges so, and both open: from an audit that just began to its end, or to the draw of the jury.
pub fn auditor_says(job: JobId, ballot: Ballot, committed: Sketch) {
	auditor_reveals(job, ballot);
	say_open(job, committed);
}

/// Goes on until the jury sits.
pub fn jury_sits(job: JobId) {
	go_to(record(job).until);
	assert_eq!(record(job).phase, crate::AuditPhase::JuryJudging);
}

/// Each juror commits to its ballot and reveals it; `None` is silent from the start. Ends the audit.
pub fn jury_says(job: JobId, ballots: [Option<Ballot>; 3]) {
	let jury: Vec<_> = jurors(job).into_iter().zip(ballots).collect();
	for (node, ballot) in &jury {
		if let Some(ballot) = ballot {
			accept(&commit(*node, job, *ballot));
		}
	}
	go_to(OpenJobs::get(job).expect("the audit goes on").due);
	for (node, ballot) in &jury {
		if let Some(ballot) = ballot {
			accept(&reveal(*node, job, *ballot));
		}
	}
	go_to(OpenJobs::get(job).expect("the audit goes on").due);
	assert!(Ended::contains_key(job));
}

/// Two operators reproduced the version's calibration.
pub fn calibrate() {
	Calibrations::<Test>::mutate(MODEL, VERSION, |calibration| {
		calibration.reproduced_by = vec![771, 772].try_into().unwrap();
	});
}

/// What the operator of `node` earned by judging the job.
pub fn earned(job: JobId, node: NodeId) -> u128 {
	Earned::get(job, operator(node)).unwrap_or_default()
}

/// What the node's bond lost.
pub fn lost(node: NodeId) -> u128 {
	BOND - fleet(node).bond
}

/// Reliability of the node, outcome by outcome.
pub fn outcomes(node: NodeId) -> Vec<bool> {
	let notes = Notes::get();
	notes
		.into_iter()
		.filter(|(other, _, _)| *other == node)
		.map(|(_, success, _)| success)
		.collect()
}

pub fn events() -> Vec<Event<Test>> {
	System::read_events_for_pallet::<Event<Test>>()
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn assigned(worker: highway_primitives::WorkerId, jobs: u32, _: u32) -> (NodeId, Vec<(JobId, WorkId)>) {
		join(0);
		Purses::insert(PAYER, 1_000_000);
		change(0, |mock| mock.worker = worker);
		(0..u64::from(jobs)).for_each(|job| assign(job, 0));
		(0, (0..u64::from(jobs)).map(|job| (job, work_id(job))).collect())
	}
	fn of_most_inputs(job: JobId) {
		Inputs::insert(job, highway_primitives::MAX_INPUTS);
	}
	fn judges(count: u32) -> Vec<NodeId> {
		(1..=count).for_each(join);
		(1..=count).collect()
	}
	fn only_judges(count: u32) -> Vec<NodeId> {
		Self::judges(count)
	}
	fn end_phase(job: JobId) {
		let due = OpenJobs::get(job).expect("the job is attested").due;
		System::set_block_number(due.into());
		poke(job);
	}
	fn calibrator() -> (highway_primitives::ModelId, highway_primitives::ModelVersion, AccountId) {
		join(0);
		(MODEL, VERSION, operator(0))
	}
	fn authored() {}
}
