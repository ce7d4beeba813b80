//! Carries out what storage proofs need.

use super::*;
use crate::machine::{ChallengeKey, ChallengeOutcome};
use highway_primitives::node::Contact;
use highway_runtime_api::types::WorkList;

impl Driver {
	/// Keeps the files of hosted models in the store, whether they are fetched already or still wait for their turn: after a
	/// restart the store would make room for one of them by another one.
	pub(super) fn pin_hosted(&self, work: Option<&WorkList>) {
		for model in work.into_iter().flat_map(|work| &work.hosted) {
			self.blobs.pin(model.spec.artifact.hash);
		}
	}

	pub(super) fn fetch_artefact(&mut self, key: ChallengeKey, artefact: BlobRef, providers: Vec<Contact>) {
		if artefact.size > self.max_artifact {
			let (size, most) = (artefact.size, self.max_artifact);
			return self.answer(Event::ArtefactFailed(key, BlobError::TooLarge { size, most }));
		}
		let blobs = self.blobs.clone();
		let handle = self.spawn(Event::ArtefactFailed(key, panicked_blob()), async move {
			match blobs.fetch(artefact, &providers, Keep::Cache).await {
				Ok(()) => Event::ArtefactReady(key),
				Err(error) => Event::ArtefactFailed(key, error),
			}
		});
		self.transfers.insert(Transfer::Artefact(key), handle);
	}

	/// Shows the drawn chunk.
	pub(super) fn show_chunk(&mut self, key: ChallengeKey, artefact: BlobRef) {
		let (blobs, submitter, at) = (self.blobs.clone(), self.submitter.clone(), self.best);
		let submission = Submission::Storage(key);
		self.spawn(Event::SubmitFailed(submission.clone()), async move {
			let proof = match blobs.prove_chunk(artefact, key.chunk).await {
				Ok(proof) => proof,
				Err(error) => return Event::ChunkFailed(key, error),
			};
			let action = WorkerAction::ProveStorage {
				node: key.node,
				model: key.model,
				drawn_at: key.drawn_at,
				proof,
			};
			submitted(submission, submitter.submit(at, action).await)
		});
	}

	pub(super) fn challenge_ended(&self, key: ChallengeKey, outcome: ChallengeOutcome) {
		self.metrics.challenge_ended(outcome);
		let (model, drawn_at) = (key.model, key.drawn_at);
		match outcome {
			ChallengeOutcome::Answered => {
				log::debug!(target: LOG_TARGET, "the file of model {model} was shown, as block {drawn_at} asked for");
			}
			ChallengeOutcome::Missed => log::error!(
				target: LOG_TARGET,
				"the file of model {model} was not shown in time, as block {drawn_at} asked for: what the node earned by \
				 storing the model since it was shown the last time is lost, and the second time in a row costs of its bond. \
				 If the node cannot keep the file, withdraw its ask for storage"
			),
			ChallengeOutcome::Gone => {}
		}
	}

	/// What is told about it.
	pub(super) fn observe_storage(&mut self, event: &Event) {
		match event {
			Event::ArtefactReady(key) => self.transfer_ended("artefact", Transfer::Artefact(*key), None),
			Event::ArtefactFailed(key, error) => self.transfer_ended("artefact", Transfer::Artefact(*key), Some(error)),
			Event::ChunkFailed(key, error) => log::warn!(
				target: LOG_TARGET,
				"the file of model {}, which the node is paid for storing, cannot be read: {error}",
				key.model
			),
			_ => {}
		}
	}
}
