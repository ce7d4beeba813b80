use super::{
	tests::{fakes::*, Node},
	*,
};
use crate::fixtures::*;
use highway_primitives::{
	audit::{ballot_commitment, AuditTask, Claims, SketchSeed},
	worker::commitment,
	BlockNumber, JobId, NodeId, Vote,
};
use tokio::sync::Notify;

const FRESH: SketchSeed = [9; 32];

impl Node {
	/// An audit of the job that another node did, whose output is this one.
	fn audit(&self, job: JobId, task: AuditTask, output: &[u8], until: BlockNumber) {
		self.chain.0.lock().audits.insert(job, audit(job, task, output, until));
	}

	fn said(&self) -> Vec<WorkerAction> {
		self.chain.0.lock().said.clone()
	}

	/// The commitments to ballots on a job under a seed, as often as they were sent.
	fn commitments(&self, of: JobId, under: SketchSeed) -> Vec<H256> {
		let commitments = self.said().into_iter().filter_map(|said| match said {
			WorkerAction::CommitBallot {
				job, seed, commitment, ..
			} if job == of && seed == under => Some(commitment),
			_ => None,
		});
		commitments.collect()
	}

	/// The revealed ballots on a job, with their commitments under a seed.
	fn reveals(&self, of: JobId, seed: SketchSeed) -> Vec<(Ballot, H256)> {
		let reveals = self.said().into_iter().filter_map(|said| match said {
			WorkerAction::RevealBallot {
				node,
				job,
				ballot,
				salt,
			} if job == of => {
				let commitment = ballot_commitment(&key(job, 1).work, node, &seed, &ballot, &salt);
				Some((ballot, commitment))
			}
			_ => None,
		});
		reveals.collect()
	}

	/// Lets the node judge, commit and reveal.
	async fn ballot(&self, job: JobId, task: AuditTask, output: &[u8], until: BlockNumber) -> Ballot {
		let AuditTask::Judge { seed, .. } = task else {
			panic!("not a judge's task")
		};
		self.audit(job, task, output, until);
		self.until("committed", |node| !node.chain.0.lock().audits.contains_key(&job))
			.await;
		self.audit(job, AuditTask::Reveal { seed }, output, until + 1000);
		self.until("revealed", |node| !node.chain.0.lock().audits.contains_key(&job))
			.await;
		let (committed, revealed) = (self.commitments(job, seed), self.reveals(job, seed));
		assert!(committed.iter().all(|commitment| *commitment == committed[0]));
		assert_eq!(
			revealed[0].1, committed[0],
			"the ballot is the one that was committed to"
		);
		revealed[0].0
	}
}

fn right(job: JobId) -> Vec<u8> {
	answer_to(&input_bytes(job))
}

fn wrong(job: JobId) -> Vec<u8> {
	let mut output = right(job);
	*output.last_mut().unwrap() ^= 1;
	output
}

#[tokio::test]
async fn auditor_should_say_what_it_found_when_outputs_are_right_wrong_or_missing() {
	let mut node = Node::new();
	node.blobs.publish(right(1));
	node.blobs.publish(wrong(2));
	node.start();
	for (job, output, until, vote) in [
		(1, right(1), 1000, Vote::Yes),
		(2, wrong(2), 1000, Vote::No),
		(3, b"another length".to_vec(), 1000, Vote::No),
	] {
		let ballot = node.ballot(job, judge(job), &output, until).await;
		assert_eq!((ballot.vote, ballot.auditor_right), (vote, true), "job {job}");
		assert_eq!(ballot.sketch, sketch_of(&input_bytes(job), &auditor_seed(job)));
	}
	let soon = node.chain.0.lock().number + 60;
	let ballot = node.ballot(4, judge(4), &right(4), soon).await;
	let own = sketch_of(&input_bytes(4), &auditor_seed(4));
	assert_eq!((ballot.vote, ballot.sketch), (Vote::Missing, own));
	node.blobs.network.lock().remove(&BlobRef::of(&input_bytes(5)).hash);
	let soon = node.chain.0.lock().number + 60;
	let ballot = node.ballot(5, judge(5), &right(5), soon).await;
	assert_eq!((ballot.vote, ballot.sketch), (Vote::Abstain, Sketch::default()));

	let metrics = node.metrics();
	for line in [
		"highway_audits_total{verdict=\"yes\"} 1",
		"highway_audits_total{verdict=\"no\"} 2",
		"highway_audits_total{verdict=\"missing\"} 1",
		"highway_audits_total{verdict=\"abstain\"} 1",
		"highway_blobs_fetched_total{kind=\"output\",result=\"ok\"} 2",
	] {
		assert!(metrics.contains(line), "{line} is not in\n{metrics}");
	}
	node.stop().await;
}

#[tokio::test]
async fn juror_should_judge_both_sides_with_a_sketch_of_its_own_seed() {
	let mut node = Node::new();
	(1..=2).for_each(|job| node.blobs.publish(right(job)));
	node.start();
	let honest = |job| sketch_of(&input_bytes(job), &auditor_seed(job));
	let lie = sketch(-1);
	for (job, executor, auditor, vote, auditor_right) in [
		(1, honest(1), lie, Vote::Yes, false),
		(2, lie, honest(2), Vote::No, true),
	] {
		let claims = Claims {
			executor,
			vote: Vote::Yes,
			auditor,
		};
		let ballot = node.ballot(job, judge_as_juror(FRESH, claims), &right(job), 1000).await;
		assert_eq!((ballot.vote, ballot.auditor_right), (vote, auditor_right), "job {job}");
		assert_eq!(ballot.sketch, sketch_of(&input_bytes(job), &FRESH));
	}
	node.stop().await;
}

#[tokio::test]
async fn output_should_not_be_looked_at_before_the_own_result_is_there() {
	let mut node = Node::new();
	let gate = Arc::new(Notify::new());
	*node.engine.gate.lock() = Some(gate.clone());
	node.blobs.publish(right(1));
	node.audit(1, judge(1), &right(1), 1000);
	node.start();
	node.until("running", |node| node.runs() == 1).await;
	node.blocks(5).await;
	let hash = BlobRef::of(&right(1)).hash;
	assert!(!node.blobs.here.lock().contains_key(&hash));
	gate.notify_one();
	node.until("committed", |node| node.chain.0.lock().audits.is_empty())
		.await;
	assert!(node.blobs.here.lock().contains_key(&hash));
	node.stop().await;
}

#[tokio::test]
async fn commitment_should_be_opened_when_an_audit_asks_for_it() {
	let mut node = Node::new();
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	// The salt outlives the worker.
	node.kill().await;
	node.start();
	let attested = node.chain.0.lock().attested[&1].clone();
	let opened = |output: BlobRef, node: NodeId, said: &WorkerAction| match said {
		WorkerAction::OpenCommitment { opening, salt, .. } if opening.is_of(0, 1) => {
			Some(commitment(&key(1, 1).work, node, &output, &opening.root, salt))
		}
		_ => None,
	};
	node.audit(1, AuditTask::Open { index: 0 }, &right(1), 1000);
	node.until("opened", |node| node.chain.0.lock().audits.is_empty()).await;
	let said = node.said();
	assert_eq!(opened(attested.output, NODE, &said[0]), Some(attested.commitment));
	node.stop().await;
}

#[tokio::test]
async fn operator_should_be_told_when_the_journal_is_lost() {
	let mut node = Node::new();
	node.audit(1, AuditTask::Open { index: 0 }, &right(1), 1000);
	node.start();
	node.blocks(6).await;
	assert_eq!(node.said(), []);
	let line = "highway_audits_unanswerable_total{step=\"open_commitment\"} 1";
	assert!(node.metrics().contains(line), "once");
	node.stop().await;
}

#[tokio::test]
async fn chunk_should_be_shown_when_somebody_misses_the_output() {
	let mut node = Node::new();
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	node.audit(1, AuditTask::ProveChunk { chunk: 0 }, &right(1), 1000);
	node.until("shown", |node| node.chain.0.lock().audits.is_empty()).await;
	let said = node.said();
	let Some(WorkerAction::ProveChunk { proof, .. }) = said.first() else {
		panic!("{said:?}")
	};
	assert_eq!(proof.bytes.to_vec(), right(1));
	node.stop().await;
}

#[tokio::test]
async fn what_is_said_in_an_audit_should_be_said_again_when_it_gets_lost() {
	let mut node = Node::new();
	node.chain.0.lock().lossy = true;
	node.blobs.publish(right(1));
	node.audit(1, judge(1), &right(1), 1000);
	node.start();
	node.until("sent three times", |node| {
		node.commitments(1, auditor_seed(1)).len() >= 3
	})
	.await;
	node.chain.0.lock().lossy = false;
	node.until("committed", |node| node.chain.0.lock().audits.is_empty())
		.await;
	let sent = node.commitments(1, auditor_seed(1));
	assert!(sent.iter().all(|commitment| *commitment == sent[0]));
	assert_eq!(node.runs(), 1);
	node.stop().await;
}

#[tokio::test]
async fn each_audit_should_have_one_ballot_when_the_worker_is_killed_again_and_again() {
	let mut node = Node::new();
	(1..=80).for_each(|job| node.blobs.publish(right(job)));
	let mut next = 1;
	for round in 0..20 {
		for job in next..next + 4 {
			node.audit(job, judge(job), &right(job), 10_000);
		}
		next += 4;
		node.chain.0.lock().lossy = round % 3 == 1;
		node.start();
		for _ in 0..round % 5 {
			node.chain.advance(&node.worker.as_ref().unwrap().0);
			tokio::time::sleep(Duration::from_micros(300 * round)).await;
		}
		node.kill().await;
	}
	node.chain.0.lock().lossy = false;
	node.start();
	node.until("all committed", |node| node.chain.0.lock().audits.is_empty())
		.await;
	for job in 1..=80 {
		node.audit(
			job,
			AuditTask::Reveal {
				seed: auditor_seed(job),
			},
			&right(job),
			10_000,
		);
	}
	node.until("all revealed", |node| node.chain.0.lock().audits.is_empty())
		.await;
	node.stop().await;

	for job in 1..=80 {
		let committed = node.commitments(job, auditor_seed(job));
		assert!(
			committed.iter().all(|commitment| *commitment == committed[0]),
			"job {job}"
		);
		let revealed = node.reveals(job, auditor_seed(job));
		assert!(
			revealed
				.iter()
				.all(|(ballot, made)| ballot.vote == Vote::Yes && *made == committed[0]),
			"job {job}"
		);
	}
}

#[tokio::test]
async fn work_should_be_kept_while_its_job_is_open_and_forgotten_after() {
	let mut node = Node::new();
	node.machine.forget_after = 5;
	node.blobs.publish(right(2));
	node.chain.0.lock().open = [1, 2].into();
	node.chain.assign(1, 1, 1000);
	node.audit(2, judge(2), &right(2), 1000);
	node.start();
	node.until("both said", |node| {
		node.attested() == 1 && node.chain.0.lock().audits.is_empty()
	})
	.await;
	node.blocks(40).await;
	node.stop().await;
	// One at a time: an open journal is locked.
	let kept = |node: &Node| {
		let journal = Journal::open(&node.config().journal, node.config().genesis).unwrap();
		(journal.entries().count(), journal.ballots().count())
	};
	assert_eq!(kept(&node), (1, 1));

	node.chain.0.lock().open.clear();
	node.start();
	node.blocks(40).await;
	node.stop().await;
	assert_eq!(kept(&node), (0, 0));
}
