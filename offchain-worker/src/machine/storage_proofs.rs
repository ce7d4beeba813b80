//! The machine's part in storage proofs: the chain asks the node for a chunk of a model that it is paid for storing.
//!
//! ```text
//! listed ─► Here ─chunk and its way to the root─► said, again after 3 blocks ─► not listed any more
//!             │ the file is not in the store   ▲
//!             └─► Wanted ─fetch─► Fetching ────┘
//! ```
//!
//! Nothing of it is in the journal: the list says what is open, and what is to be shown lies in the blob store. As long as
//! it is asked for, its file is not evicted, whether the node hosts the model or not: the version that was drawn may be an
//! old one by now.

use super::*;
use highway_primitives::{BlobHash, BlobRef, ModelId};
use highway_runtime_api::types::StorageTask;

/// The most chunks that are read at the same time: each reads and hashes 1 MiB of its file, and jobs use the disk, too.
const MAX_READS: usize = 2;

/// The most files that are fetched for it at the same time.
const MAX_FETCHES: usize = 2;

/// What identifies a challenge. On another fork the same block may have drawn something else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChallengeKey {
	/// The node.
	pub node: NodeId,
	/// The model.
	pub model: ModelId,
	/// The block that drew it.
	pub drawn_at: BlockNumber,
	/// The file.
	pub artefact: BlobHash,
	/// The chunk of 1 KiB, counted from 0.
	pub chunk: u64,
}

impl ChallengeKey {
	/// The key of `task` as one of `node`.
	pub fn of(node: NodeId, task: &StorageTask) -> Self {
		Self {
			node,
			model: task.model,
			drawn_at: task.drawn_at,
			artefact: task.artefact.hash,
			chunk: task.chunk,
		}
	}
}

/// What became of a challenge that left the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChallengeOutcome {
	/// It was answered in time.
	Answered,
	/// Its time ran out.
	Missed,
	/// It went before it was answered: it never was on this fork.
	Gone,
}

impl ChallengeOutcome {
	/// Its name in metrics.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Answered => "answered",
			Self::Missed => "missed",
			Self::Gone => "gone",
		}
	}
}

/// What the node has to show.
#[derive(Debug)]
pub(super) struct Challenge {
	artefact: BlobRef,
	/// The last block in which the answer counts.
	until: BlockNumber,
	file: File,
	pub saying: Saying,
}

/// Where the artefact is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum File {
	/// In the blob store, as far as is known.
	Here,
	/// Not there, and wanted, not before this block.
	Wanted(BlockNumber),
	Fetching,
}

impl Challenge {
	fn outcome(&self, block: BlockNumber) -> ChallengeOutcome {
		// What is sent in the last block comes too late, so it is not listed there any more.
		if block >= self.until {
			ChallengeOutcome::Missed
		} else if self.saying.said {
			ChallengeOutcome::Answered
		} else {
			ChallengeOutcome::Gone
		}
	}
}

impl Machine {
	/// Comes before the models: what they let go of must not be asked for here.
	pub(super) fn reconcile_challenges(&mut self, tasks: Vec<StorageTask>, actions: &mut Vec<Action>) {
		let node = self.node;
		let listed: BTreeMap<ChallengeKey, StorageTask> = tasks
			.into_iter()
			.filter_map(|task| Some((ChallengeKey::of(node?, &task), task)))
			.collect();
		let gone: Vec<ChallengeKey> = self
			.challenges
			.keys()
			.filter(|key| !listed.contains_key(key))
			.copied()
			.collect();
		for key in gone {
			self.end_challenge(key, actions);
		}
		for (key, task) in listed {
			self.challenges.entry(key).or_insert_with(|| {
				actions.push(Action::KeepArtefact(task.artefact));
				Challenge {
					artefact: task.artefact,
					until: task.until,
					file: File::Here,
					saying: Saying::NOW,
				}
			});
		}
	}

	fn end_challenge(&mut self, key: ChallengeKey, actions: &mut Vec<Action>) {
		let Some(challenge) = self.challenges.remove(&key) else {
			return;
		};
		if challenge.file == File::Fetching {
			actions.push(Action::StopFetch(Transfer::Artefact(key)));
		}
		let outcome = challenge.outcome(self.block);
		actions.push(Action::EndChallenge { key, outcome });
		self.release_artefact(challenge.artefact, actions);
	}

	/// Lets an artefact be evicted that neither a model nor a challenge needs any more.
	pub(super) fn release_artefact(&self, artefact: BlobRef, actions: &mut Vec<Action>) {
		let models = self.models.values().map(|model| model.spec.artifact.hash);
		let challenges = self.challenges.values().map(|challenge| challenge.artefact.hash);
		if !models.chain(challenges).any(|needed| needed == artefact.hash) {
			actions.push(Action::ReleaseModel(artefact));
		}
	}

	/// Fetches what was to be shown and is not here, what is due first goes first.
	pub(super) fn fetch_artefacts(&mut self, actions: &mut Vec<Action>) {
		let (block, models) = (self.block, &self.models);
		let fetching = self
			.challenges
			.values()
			.filter(|challenge| challenge.file == File::Fetching);
		let free = MAX_FETCHES.saturating_sub(fetching.count());
		let mut wanted: Vec<(&ChallengeKey, &mut Challenge)> = self
			.challenges
			.iter_mut()
			.filter(|(_, challenge)| matches!(challenge.file, File::Wanted(at) if at <= block))
			.collect();
		wanted.sort_by_key(|(_, challenge)| challenge.until);
		for (key, challenge) in wanted.into_iter().take(free) {
			challenge.file = File::Fetching;
			// Whoever has one version is likely to have the others.
			let model = models.iter().find(|(model, _)| model.model == key.model);
			actions.push(Action::FetchArtefact {
				key: *key,
				artefact: challenge.artefact,
				providers: model.map(|(_, model)| model.providers.clone()).unwrap_or_default(),
			});
		}
	}

	/// Shows what is due, what is due first goes first.
	pub(super) fn show_chunks(&mut self, actions: &mut Vec<Action>) {
		let block = self.block;
		let reading = self
			.challenges
			.values()
			.filter(|challenge| challenge.saying.at.is_none());
		let free = MAX_READS.saturating_sub(reading.count());
		let mut due: Vec<(&ChallengeKey, &mut Challenge)> = self
			.challenges
			.iter_mut()
			.filter(|(_, challenge)| challenge.file == File::Here && challenge.saying.is_due(block))
			.collect();
		due.sort_by_key(|(_, challenge)| challenge.until);
		for (key, challenge) in due.into_iter().take(free) {
			challenge.saying.at = None;
			actions.push(Action::SubmitStorageProof {
				key: *key,
				artefact: challenge.artefact,
			});
		}
	}

	/// The chunk could not be read. Says nothing about the disk: a maker may have registered a file with another size than
	/// it has, of which there is no such chunk.
	pub(super) fn chunk_failed(&mut self, key: ChallengeKey, error: &BlobError) {
		let next_block = self.block.saturating_add(1);
		if let Some(challenge) = self.challenges.get_mut(&key).filter(|it| it.saying.at.is_none()) {
			challenge.saying.at = Some(next_block);
			if matches!(error, BlobError::Missing) {
				challenge.file = File::Wanted(0);
				self.note_artefact(key.artefact, false);
			}
		}
	}

	/// What was found out about a file that a model is made of, too.
	fn note_artefact(&mut self, artefact: BlobHash, here: bool) {
		let models = self.models.values_mut();
		for model in models.filter(|model| model.spec.artifact.hash == artefact) {
			model.here = here;
			// What is loaded goes on without it.
			if !here && matches!(model.state, ModelState::OnDisk(_)) {
				model.state = ModelState::Absent(0);
			}
		}
	}

	pub(super) fn artefact_arrived(&mut self, key: ChallengeKey, result: Result<(), BlobError>) {
		let next_block = self.block.saturating_add(1);
		if let Some(challenge) = self.challenges.get_mut(&key).filter(|it| it.file == File::Fetching) {
			match &result {
				Ok(()) => {
					challenge.file = File::Here;
					challenge.saying.at = Some(0);
				}
				Err(_) => challenge.file = File::Wanted(next_block),
			}
			if result.is_ok() {
				self.note_artefact(key.artefact, true);
			}
		}
		// One file that finds no room is no trouble with the disk.
		if let Err(error) = result {
			if !matches!(error, BlobError::NoRoom(_)) {
				self.note_blob_error(&error);
			}
		}
	}
}
