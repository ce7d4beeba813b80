//! The machine's part in probes: rounds in which the chain asks many nodes at the same time how much they can compute.
//!
//! ```text
//! list: Compute ─► Computing ─batch by batch─► Storing ─blob store─► Stored ─► answer, again after 3 blocks
//!                      │ jobs and audits run between batches            ┊ the chain draws a chunk of the answer
//!                      └ 4 blocks before the end, whatever is done      ▼
//! list: Prove ──────────────────────────────────────────────────────► Proof ─► proof, again after 3 blocks
//! ```
//!
//! Nothing of it is in the journal: the list says what is open, and what is to be proved lies in the blob store. After a
//! restart rows are computed anew, as far as there is time.

use super::*;
use crate::probe;
use highway_primitives::{
	probe::{ProbeTask, PROVE_BLOCKS, WIDTH},
	BlobRef, ProbeSeed,
};
use std::mem;

/// What a batch of rows should take: so long a job waits for it at most.
const BATCH_TIME: Duration = Duration::from_millis(250);

/// Rows of the first batch: a tenth of a second where a device is slow.
const FIRST_BATCH: u32 = 64;

/// The most rows of a batch. They are 16 MiB as floats, and a run holds them several times.
const MAX_BATCH: u32 = 1 << 16;

/// How many times as many rows as before a batch may have: what takes next to no time says little about more of it.
const MAX_GROWTH: u32 = 4;

/// How many blocks before the end nothing more is computed: an answer has to be stored, and to reach an author.
const ANSWER_MARGIN: BlockNumber = 4;

/// What a round asks of this node.
#[derive(Debug)]
pub(super) enum Probe {
	/// To compute, and to say what came of it.
	Answer(Answer),
	/// To show a chunk of that.
	Proof(Proof),
}

#[derive(Debug)]
pub(super) struct Answer {
	node: NodeId,
	round: u32,
	/// On another fork the same round has another one.
	seed: ProbeSeed,
	/// Rows that count.
	wanted: u32,
	/// The last block in which the answer counts.
	until: BlockNumber,
	/// Whether the last list asked for it.
	listed: bool,
	state: AnswerState,
}

#[derive(Debug)]
enum AnswerState {
	Computing(Computing),
	/// Final rows that go into the blob store, not before this block; `None`: they are on their way there.
	Storing(Bytes, Option<BlockNumber>),
	Stored(BlobRef, Saying),
}

#[derive(Debug)]
struct Computing {
	/// Final rows so far, one after another.
	rows: Vec<u8>,
	/// Rows of the next batch.
	batch: u32,
	/// When it may run.
	at: BlockNumber,
	/// The batch that runs.
	running: Option<RunId>,
}

#[derive(Debug)]
pub(super) struct Proof {
	node: NodeId,
	round: u32,
	output: BlobRef,
	chunk: u64,
	saying: Saying,
}

impl Probe {
	fn new(node: NodeId, task: ProbeTask) -> Self {
		match task {
			ProbeTask::Compute {
				round,
				seed,
				rows,
				until,
			} => Self::Answer(Answer {
				node,
				round,
				seed,
				wanted: rows,
				until,
				listed: true,
				state: AnswerState::Computing(Computing {
					rows: Vec::new(),
					batch: FIRST_BATCH,
					at: 0,
					running: None,
				}),
			}),
			ProbeTask::Prove {
				round, output, chunk, ..
			} => Self::Proof(Proof {
				node,
				round,
				output,
				chunk,
				saying: Saying::NOW,
			}),
		}
	}

	/// Whether it is what `node` is asked for now. What is stored waits for the rest of its round: the chain asks for
	/// nothing until it has drawn a chunk, and a reorg may bring the question back.
	fn goes_on(&self, node: Option<NodeId>, task: Option<&ProbeTask>, block: BlockNumber) -> bool {
		match (self, task) {
			(Self::Answer(own), Some(ProbeTask::Compute { round, seed, .. })) => {
				Some(own.node) == node && (own.round, own.seed) == (*round, *seed)
			}
			(Self::Answer(own), None) => {
				let stored = matches!(own.state, AnswerState::Stored(..));
				Some(own.node) == node && stored && block <= own.until.saturating_add(PROVE_BLOCKS)
			}
			(
				Self::Proof(own),
				Some(ProbeTask::Prove {
					round, output, chunk, ..
				}),
			) => Some(own.node) == node && (own.round, own.output, own.chunk) == (*round, *output, *chunk),
			_ => false,
		}
	}

	/// Where this word stands.
	pub(super) fn saying(&mut self, round: u32, step: ProbeStep) -> Option<&mut Saying> {
		match (self, step) {
			(
				Self::Answer(Answer {
					round: own,
					state: AnswerState::Stored(_, saying),
					..
				}),
				ProbeStep::Answer,
			)
			| (Self::Proof(Proof { round: own, saying, .. }), ProbeStep::Prove) => (*own == round).then_some(saying),
			_ => None,
		}
	}
}

impl Answer {
	fn is_late(&self, block: BlockNumber) -> bool {
		block.saturating_add(ANSWER_MARGIN) >= self.until
	}
}

impl Machine {
	pub(super) fn reconcile_probe(&mut self, task: Option<ProbeTask>, actions: &mut Vec<Action>) {
		let (node, block) = (self.node, self.block);
		let over = self.probe.take_if(|probe| !probe.goes_on(node, task.as_ref(), block));
		if let Some(probe) = over {
			end(probe, task.as_ref(), actions);
		}
		let Some(probe) = &mut self.probe else {
			self.probe = task.zip(node).map(|(task, node)| Probe::new(node, task));
			return;
		};
		match (probe, task) {
			(Probe::Answer(answer), Some(ProbeTask::Compute { rows, until, .. })) => {
				(answer.wanted, answer.until, answer.listed) = (rows, until, true);
			}
			(Probe::Answer(answer), _) => answer.listed = false,
			(Probe::Proof(_), _) => {}
		}
	}

	/// Starts a batch of rows on the device, which is free. Returns whether there is one to run.
	pub(super) fn start_probe(&mut self, actions: &mut Vec<Action>) -> bool {
		let block = self.block;
		let Some(Probe::Answer(answer)) = &mut self.probe else {
			return false;
		};
		let late = answer.is_late(block);
		let AnswerState::Computing(computing) = &mut answer.state else {
			return false;
		};
		let done = computing.done();
		let left = answer.wanted.saturating_sub(done);
		if late || left == 0 || computing.at > block {
			return false;
		}
		let run = self.next_run;
		self.probes_turn = false;
		self.next_run = run.wrapping_add(1);
		computing.running = Some(run);
		// No job waits for it.
		self.running = Some(Run {
			id: run,
			model: probe::key(),
			tasks: Vec::new(),
			many: false,
			units: 0,
		});
		actions.push(Action::RunProbe {
			run,
			node: answer.node,
			seed: answer.seed,
			rows: done..done + left.min(computing.batch),
		});
		true
	}

	pub(super) fn probe_run(&mut self, run: RunId, result: Result<(Bytes, Duration), LoadFault>) {
		if self.running.take_if(|running| running.id == run).is_none() {
			return;
		}
		match &result {
			Ok(_) => self.engine.failures = 0,
			Err(LoadFault::Blob(error)) => self.note_blob_error(error),
			Err(LoadFault::Engine(EngineError::Unavailable(_))) => self.engine_down(),
			Err(LoadFault::Engine(_)) => {}
		}
		let next_block = self.block.saturating_add(1);
		let Some(Probe::Answer(Answer {
			state: AnswerState::Computing(computing),
			..
		})) = &mut self.probe
		else {
			return;
		};
		// Rows of a round that is over, or of another fork's, are of no use.
		if computing.running.take_if(|running| *running == run).is_none() {
			return;
		}
		match result {
			Ok((rows, elapsed)) => {
				computing.batch = next_batch(rows_in(&rows), elapsed);
				computing.rows.extend_from_slice(&rows);
			}
			// There may have been too many for the time or the memory of a run.
			Err(_) => {
				computing.batch = (computing.batch / MAX_GROWTH).max(1);
				computing.at = next_block;
			}
		}
	}

	/// Puts the rows into the blob store when they are all there, or the time is.
	pub(super) fn store_probe(&mut self, actions: &mut Vec<Action>) {
		let block = self.block;
		let Some(Probe::Answer(answer)) = &mut self.probe else {
			return;
		};
		let late = answer.is_late(block);
		if let AnswerState::Computing(computing) = &mut answer.state {
			let done = computing.done();
			if computing.running.is_none() && done > 0 && (late || done >= answer.wanted) {
				let rows = mem::take(&mut computing.rows);
				answer.state = AnswerState::Storing(rows.into(), Some(0));
				actions.push(Action::DropModel(probe::key()));
			}
		}
		if let AnswerState::Storing(rows, at) = &mut answer.state {
			if at.take_if(|at| *at <= block).is_some() {
				actions.push(Action::StoreProbe {
					seed: answer.seed,
					rows: rows.clone(),
				});
			}
		}
	}

	pub(super) fn probe_stored(&mut self, seed: ProbeSeed, result: Result<BlobRef, BlobError>) {
		if let Err(error) = &result {
			self.note_blob_error(error);
		}
		let next_block = self.block.saturating_add(1);
		let Some(Probe::Answer(answer)) = &mut self.probe else {
			return;
		};
		if answer.seed != seed {
			return;
		}
		let AnswerState::Storing(_, at @ None) = &mut answer.state else {
			return;
		};
		match result {
			Ok(output) => answer.state = AnswerState::Stored(output, Saying::NOW),
			Err(_) => *at = Some(next_block),
		}
	}

	/// Says what is due.
	pub(super) fn speak_of_probe(&mut self, actions: &mut Vec<Action>) {
		let block = self.block;
		match &mut self.probe {
			Some(Probe::Answer(Answer {
				node,
				round,
				seed,
				listed: true,
				state: AnswerState::Stored(output, saying),
				..
			})) if saying.is_due(block) => {
				saying.at = None;
				actions.push(Action::SubmitProbeAnswer {
					node: *node,
					round: *round,
					seed: *seed,
					output: *output,
				});
			}
			Some(Probe::Proof(Proof {
				node,
				round,
				output,
				chunk,
				saying,
			})) if saying.is_due(block) => {
				saying.at = None;
				actions.push(Action::SubmitProbeProof {
					node: *node,
					round: *round,
					output: *output,
					chunk: *chunk,
				});
			}
			_ => {}
		}
	}
}

impl Computing {
	fn done(&self) -> u32 {
		rows_in(&self.rows)
	}
}

fn rows_in(bytes: &[u8]) -> u32 {
	u32::try_from(bytes.len() / WIDTH).unwrap_or(u32::MAX)
}

/// Rows that take as long as a batch should, by what the last one took.
fn next_batch(rows: u32, elapsed: Duration) -> u32 {
	let wanted = u128::from(rows) * BATCH_TIME.as_micros() / elapsed.as_micros().max(1);
	let most = rows.saturating_mul(MAX_GROWTH).min(MAX_BATCH);
	u32::try_from(wanted).unwrap_or(u32::MAX).min(most).max(1)
}

/// Ends what the node is not asked for any more, and the round, unless the list still asks something in it.
fn end(probe: Probe, task: Option<&ProbeTask>, actions: &mut Vec<Action>) {
	let (round, proved) = match probe {
		Probe::Answer(answer) => {
			if matches!(answer.state, AnswerState::Computing(_)) {
				actions.push(Action::DropModel(probe::key()));
			}
			(answer.round, false)
		}
		Probe::Proof(proof) => (proof.round, proof.saying.said),
	};
	let asked = task.map(|task| match task {
		ProbeTask::Compute { round, .. } | ProbeTask::Prove { round, .. } => *round,
	});
	if asked != Some(round) {
		actions.push(Action::EndProbe { round, proved });
	}
}
