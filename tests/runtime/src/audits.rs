//! What nodes say in audits: what their workers would say, unless a test wants it otherwise.

use crate::{acts, Chain};
use codec::Encode;
use highway_primitives::{
	audit::{ballot_commitment, work_seed, AuditTask, SketchSeed, SKETCH_SUMS},
	worker::ChunkProof,
	Ballot, JobId, JobPhase, NodeId, Opening, Sketch, Vote, WorkId, WorkerAction,
};
use highway_runtime::{InferenceJobs, NodeStaking, ProofOfWorkDone, UncheckedExtrinsic};

/// Salt of every commitment. On a real network it is secret.
pub(crate) const SALT: [u8; 32] = [7; 32];

/// Blocks after which a test does not wait any longer: more than three auditors and a jury take with the models made here.
const PATIENCE: u32 = 250;

/// How a node that is not honest behaves in audits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
	/// It says nothing.
	Silent,
	/// It judges nothing: no input, or trouble of its own.
	Abstains,
	/// It has run the model, and says that nobody serves the output.
	Misses,
	/// It says no to everything, with a true sketch of its own.
	Accuses,
	/// It says yes to everything and has computed nothing.
	Copies,
}

/// The sketch of a true run of an input of this work: the same on every node.
fn sketch_of(work: &WorkId, index: u16, seed: &SketchSeed) -> Sketch {
	let hash = sp_io::hashing::blake2_256(&(work, index, seed).encode());
	let mut sums = [0; SKETCH_SUMS];
	for (sum, bytes) in sums.iter_mut().zip(hash.chunks(2)) {
		*sum = bytes
			.iter()
			.fold(1_000_000, |sum, byte| sum * 256 + i64::from(*byte) * 1_000);
	}
	Sketch {
		sums,
		..Sketch::default()
	}
}

impl Chain {
	/// The sketches that a job's executor commits to, input by input.
	pub(crate) fn committed_sketches(&self, job: JobId) -> Vec<Sketch> {
		let work = self.work(job);
		let inputs = InferenceJobs::job(job).map_or(1, |record| record.inputs);
		let sketch = |index| match self.is_wrong(job, index) {
			true => Sketch::default(),
			false => sketch_of(&work, index, &work_seed(&work)),
		};
		(0..inputs).map(sketch).collect()
	}

	/// Whether the job's executor has not really run this input.
	fn is_wrong(&self, job: JobId, index: u16) -> bool {
		self.cheats.contains(&job) || self.wrong_inputs.contains(&(job, index))
	}

	/// `node` opens this input of what the job's executor committed to; the first one, if there is no such input.
	pub fn opening(&self, node: NodeId, job: JobId, index: u16) -> WorkerAction {
		let sketches = self.committed_sketches(job);
		let opening = Opening::of(&sketches, index).or_else(|| Opening::of(&sketches, 0));
		WorkerAction::OpenCommitment {
			node,
			job,
			opening: opening.expect("a job has an input"),
			salt: SALT,
		}
	}

	/// What nodes have to say in the next block, as their workers see it in the last one.
	pub(crate) fn words_in_audits(&mut self) -> Vec<UncheckedExtrinsic> {
		let mut words = Vec::new();
		for node in NodeStaking::ids_from(0, u32::MAX).0 {
			if self.silent.contains(&node) || self.conduct.get(&node) == Some(&Conduct::Silent) {
				continue;
			}
			for (job, task, _) in ProofOfWorkDone::tasks_of(node) {
				let word = self.word(node, job, task);
				words.extend(word.map(|word| acts::worker_transaction(self.worker(node), word)));
			}
		}
		words
	}

	/// What the task asks for. `None`: to reveal a ballot that is not the node's own.
	fn word(&mut self, node: NodeId, job: JobId, task: AuditTask) -> Option<WorkerAction> {
		Some(match task {
			AuditTask::Open { index } => self.opening(node, job, index),
			AuditTask::Judge { index, seed, .. } => {
				let ballot = self.ballot(node, job, index, &seed);
				self.ballots.insert((node, job), ballot);
				WorkerAction::CommitBallot {
					node,
					job,
					seed,
					commitment: ballot_commitment(&self.work(job), node, &seed, &ballot, &SALT),
				}
			}
			// Nobody sits twice in an audit.
			AuditTask::Reveal { .. } => {
				let ballot = self.ballots.get(&(node, job)).copied();
				assert!(ballot.is_some() || self.impersonated, "it committed to one");
				WorkerAction::RevealBallot {
					node,
					job,
					ballot: ballot?,
					salt: SALT,
				}
			}
			// All outputs here have one chunk, which is its own proof.
			AuditTask::ProveChunk { .. } => WorkerAction::ProveChunk {
				node,
				job,
				proof: ChunkProof {
					bytes: acts::output_bytes(job).try_into().expect("less than a chunk"),
					siblings: Default::default(),
				},
			},
		})
	}

	/// What `node` says of this input of a job under the seed of its seat.
	fn ballot(&self, node: NodeId, job: JobId, index: u16, seed: &SketchSeed) -> Ballot {
		let computed = sketch_of(&self.work(job), index, seed);
		let truth = match self.is_wrong(job, index) {
			true => Vote::No,
			false => Vote::Yes,
		};
		let (vote, auditor_right, sketch) = match self.conduct.get(&node) {
			None | Some(Conduct::Silent) => (truth, self.auditor_is_right(job, index, truth), computed),
			Some(Conduct::Abstains) => (Vote::Abstain, true, Sketch::default()),
			Some(Conduct::Misses) => (Vote::Missing, true, computed),
			Some(Conduct::Accuses) => (Vote::No, true, computed),
			Some(Conduct::Copies) => (Vote::Yes, true, Sketch::default()),
		};
		Ballot {
			vote,
			auditor_right,
			sketch,
		}
	}

	/// Whether the auditor says the truth and has a true sketch. An auditor says so of itself: nobody spoke before.
	fn auditor_is_right(&self, job: JobId, index: u16, truth: Vote) -> bool {
		let claims = ProofOfWorkDone::audit(job).and_then(|audit| audit.claims());
		let work = self.work(job);
		claims.is_none_or(|claims| {
			let said = claims.vote == truth || claims.vote == Vote::Missing;
			said && claims.auditor == sketch_of(&work, index, &work_seed(&work))
		})
	}

	/// Lets blocks pass until the job is in audit. Its auditor has not spoken yet.
	pub fn until_audited(&mut self, job: JobId) {
		self.close();
		for _ in 0..PATIENCE {
			if self.job(job).phase() == JobPhase::Auditing {
				return;
			}
			self.blocks(1);
		}
		panic!("job {job} is not audited: {:?}", self.job(job));
	}

	/// Lets blocks pass until attested work is paid or given back. Also a job that nobody asked to audit may be drawn for
	/// it: whoever is asked then answers.
	pub fn finish(&mut self, job: JobId) {
		self.close();
		for _ in 0..PATIENCE {
			if !matches!(self.job(job).phase(), JobPhase::Attested | JobPhase::Auditing) {
				return;
			}
			self.blocks(1);
		}
		panic!("job {job} does not end: {:?}", ProofOfWorkDone::audit(job));
	}
}
