//! What the driver counts and tells of what happens.

use super::Driver;
use crate::{
	error::BlobError,
	machine::{Event, SealedBallot, Transfer},
	LOG_TARGET,
};
use highway_primitives::{probe::rows_of, Vote};
use highway_runtime_api::types::WorkList;

impl Driver {
	/// The device on chain is the operator's word, which only his account changes: he is told once a session while it is
	/// untrue.
	pub(super) fn compare_device(&mut self, work: Option<&WorkList>) {
		let untrue = work.filter(|work| work.device != self.device);
		let told = self.untrue_device;
		self.untrue_device = untrue.map(|work| (work.device, work.session));
		let Some(work) = untrue.filter(|_| self.untrue_device != told) else {
			return;
		};
		log::error!(
			target: LOG_TARGET,
			"node {} is registered with {:?}, but inference runs on {:?}: it says that it is not healthy, and gets no jobs. \
			 Mend the device and restart, or run `highway node update` against this node",
			work.node,
			work.device,
			self.device,
		);
	}

	pub(super) fn observe(&mut self, event: &Event) {
		match event {
			Event::ModelFetched(model) => {
				self.model_fetches.remove(model);
				self.metrics.blob_fetched("model", true);
			}
			Event::ModelFetchFailed(model, error) => {
				self.model_fetches.remove(model);
				self.metrics.blob_fetched("model", false);
				log::warn!(target: LOG_TARGET, "{model} is not fetched: {error}");
			}
			Event::ModelReady(model) => {
				log::info!(target: LOG_TARGET, "{model} is loaded")
			}
			Event::ModelFailed(model, fault) => {
				log::warn!(target: LOG_TARGET, "{model} is not loaded: {fault}")
			}
			Event::InputReady(task) => self.transfer_ended("input", Transfer::Input(*task), None),
			Event::InputFailed(task, error) => self.transfer_ended("input", Transfer::Input(*task), Some(error)),
			Event::OutputReady(key) => self.transfer_ended("output", Transfer::Output(*key), None),
			Event::OutputFailed(key, error) => self.transfer_ended("output", Transfer::Output(*key), Some(error)),
			Event::BallotRecorded(SealedBallot { key, ballot, .. }) => {
				self.metrics.voted(ballot.vote);
				let job = key.work.job;
				match ballot.vote {
					Vote::Yes if ballot.auditor_right => log::debug!(target: LOG_TARGET, "job {job} is found right"),
					Vote::Yes => log::warn!(target: LOG_TARGET, "job {job} is found right, its auditor wrong"),
					vote => log::warn!(target: LOG_TARGET, "vote on job {job}: {vote:?}"),
				}
			}
			Event::RunDone { elapsed, results, .. } => {
				let ok = results.iter().filter(|(_, result)| result.is_ok()).count();
				self.metrics.run_ended(*elapsed, ok, results.len().saturating_sub(ok));
				for (task, result) in results {
					if let Err(fault) = result {
						log::warn!(target: LOG_TARGET, "job {}: {fault}", task.job());
					}
				}
			}
			Event::ProbeRun { result: Err(fault), .. } => {
				log::warn!(target: LOG_TARGET, "rows of a probe are not computed: {fault}");
			}
			Event::ProbeStored { result: Ok(output), .. } => {
				let rows = rows_of(output).unwrap_or_default();
				self.metrics.probe_answered(rows);
				log::info!(target: LOG_TARGET, "a probe is answered with {rows} rows");
			}
			Event::ProbeStored { result: Err(error), .. } => {
				log::error!(target: LOG_TARGET, "the rows of a probe cannot be saved: {error}");
			}
			Event::ChunkFailed(..) | Event::ArtefactReady(_) | Event::ArtefactFailed(..) => self.observe_storage(event),
			Event::Submitted(submission) => self.metrics.submitted(submission.name(), true),
			Event::SubmitFailed(submission) => self.metrics.submitted(submission.name(), false),
			_ => {}
		}
	}

	pub(super) fn transfer_ended(&mut self, kind: &str, transfer: Transfer, error: Option<&BlobError>) {
		self.transfers.remove(&transfer);
		self.metrics.blob_fetched(kind, error.is_none());
		if let Some(error) = error {
			let of = match transfer {
				Transfer::Input(task) => format!("job {}", task.job()),
				Transfer::Output(key) => format!("job {}", key.work.job),
				Transfer::Artefact(key) => format!("model {}", key.model),
			};
			log::debug!(target: LOG_TARGET, "the {kind} of {of} is not fetched: {error}");
		}
	}
}
