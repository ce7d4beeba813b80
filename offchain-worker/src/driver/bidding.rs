//! The driver's part in auctions: names, the journal, and what is counted.

use super::{random_salt, shared_journal::SharedJournal, Driver, RecordError};
use crate::{
	bids::{in_aic, role_name, ModelName},
	journal::Journal,
	machine::{AskKey, AskStep, BidOutcome, Event, SealedAsk, Submission},
	LOG_TARGET,
};
use highway_math::audit::SECURITY_FACTOR;
use highway_primitives::{AskCommitment, AskObstacle, AskReveal, AskRole, Balance, EpochIndex, NodeId, WorkerAction};

impl Driver {
	pub(super) fn name_models(&mut self, names: Vec<ModelName>) {
		let (chain, at) = (self.chain.clone(), self.best);
		self.spawn(Event::ModelsNamed(None), async move {
			match chain.models_named(at, names.clone()).await {
				Ok(found) => {
					for name in names.iter().filter(|name| !found.contains_key(*name)) {
						log::warn!(target: LOG_TARGET, "no model is called {name}: what is bid for it waits");
					}
					Event::ModelsNamed(Some(found))
				}
				Err(error) => {
					log::debug!(target: LOG_TARGET, "which models are bid for cannot be read: {error}");
					Event::ModelsNamed(None)
				}
			}
		});
	}

	pub(super) fn start_seal_asks(&mut self, asks: Vec<(AskKey, Option<Balance>)>) {
		let journal = self.journal.clone();
		self.write(Event::AsksSealed(None), async move {
			seal_asks(journal, asks).await.map_err(|error| {
				log::error!(target: LOG_TARGET, "asks cannot be saved, so none is made until they are: {error}");
				Event::AsksSealed(None)
			})
		});
	}

	pub(super) fn commit_asks(&mut self, node: NodeId, epoch: EpochIndex, items: Vec<AskCommitment>) {
		let submission = Submission::Asks(node, epoch, AskStep::Commit);
		match items.try_into() {
			Ok(items) => self.submit(WorkerAction::CommitAsks { node, epoch, items }, submission),
			Err(_) => self.answer(Event::SubmitFailed(submission)),
		}
	}

	pub(super) fn reveal_asks(&mut self, node: NodeId, epoch: EpochIndex, items: Vec<AskReveal>) {
		let submission = Submission::Asks(node, epoch, AskStep::Reveal);
		match items.try_into() {
			Ok(items) => self.submit(WorkerAction::RevealAsks { node, epoch, items }, submission),
			Err(_) => self.answer(Event::SubmitFailed(submission)),
		}
	}

	pub(super) fn forget_asks(&mut self, keys: Vec<AskKey>) {
		let journal = self.journal.clone();
		self.writes.spawn_blocking(move || {
			// What is not struck now comes back at the next start, and is struck then.
			if let Err(error) = journal.with(|journal| journal.forget_asks(&keys)) {
				log::warn!(target: LOG_TARGET, "{error}");
			}
		});
	}

	pub(super) fn count_bid(&self, key: AskKey, price: Option<Balance>, outcome: BidOutcome) {
		self.metrics.bid(outcome);
		let AskKey {
			node,
			epoch,
			model,
			role,
		} = key;
		let role = role_name(role);
		match (outcome, price) {
			(BidOutcome::Committed, _) => {
				log::debug!(target: LOG_TARGET, "what is asked for {role} of model {model} in epoch {epoch} is committed to")
			}
			(BidOutcome::Revealed, Some(price)) => log::info!(
				target: LOG_TARGET,
				"from epoch {epoch} on {} AIC are asked for {role} of model {model}",
				in_aic(price)
			),
			(BidOutcome::Revealed, None) => {
				log::info!(target: LOG_TARGET, "from epoch {epoch} on nothing is asked for {role} of model {model}")
			}
			(BidOutcome::NoPlace, _) => log::warn!(
				target: LOG_TARGET,
				"what was asked for {role} of model {model} from epoch {epoch} on does not stand, and its bond is free. For compute the \
				 node's own bond must cover {SECURITY_FACTOR} times the price of a unit, beside what else is reserved of it, when it \
				 commits: add to it with `highway node bond`, or ask less. If it did, all places are taken by nodes that ask no more: ask less"
			),
			(BidOutcome::Missed, _) => log::error!(
				target: LOG_TARGET,
				"what was asked for {role} of model {model} in epoch {epoch} was not revealed in time, and its bond is lost: \
				 was the node cut off, or was the model not hosted any more?"
			),
			(BidOutcome::Elsewhere, _) => log::warn!(
				target: LOG_TARGET,
				"the chain holds a commitment of node {node} about {role} of model {model} in epoch {epoch} that the journal \
				 does not know: whoever made it, the operator's account or another worker, has to reveal it, or its bond is lost"
			),
			// Counted with what is missing: see `tell_obstacle`.
			(BidOutcome::NotEligible | BidOutcome::NoBond, _) => {}
		}
	}

	pub(super) fn tell_obstacle(&self, key: AskKey, obstacle: AskObstacle) {
		self.metrics.bid(obstacle.into());
		let AskKey { epoch, model, role, .. } = key;
		let what = format!(
			"what is to be asked for {} of model {model} from epoch {epoch} on",
			role_name(role)
		);
		match (obstacle, role) {
			(AskObstacle::NotEligible, _) => log::info!(
				target: LOG_TARGET,
				"{what} waits: the node cannot take jobs now, `highway node status` says why. It is committed to as soon as the node can"
			),
			(AskObstacle::NoBond { missing }, AskRole::Compute) => log::warn!(
				target: LOG_TARGET,
				"{what} is not committed to: {} AIC more of the node's own bond would have to be free, for the bond of the ask and, if \
				 the node asks nothing for it yet, for {SECURITY_FACTOR} times the market's reserve. Add so much with `highway node bond`, \
				 or wait until open jobs and audits give theirs back: it is committed to as soon as that can be",
				in_aic(missing)
			),
			(AskObstacle::NoBond { missing }, AskRole::Storage) => log::warn!(
				target: LOG_TARGET,
				"{what} is not committed to: {} AIC more of the node's own bond would have to be free, for the bond of the ask. Add so \
				 much with `highway node bond`, or wait until open jobs and audits give theirs back: it is committed to as soon as that \
				 can be",
				in_aic(missing)
			),
		}
	}

	/// Brings the metrics in line with what stands.
	pub(super) fn show_asks(&mut self) {
		let asks = self.machine.asks();
		if asks != self.asks {
			self.metrics.asks(&self.asks, asks);
			self.asks = asks.to_vec();
		}
	}
}

/// Writes asks to the journal, or finds those that were planned before.
async fn seal_asks(journal: SharedJournal, asks: Vec<(AskKey, Option<Balance>)>) -> Result<Event, RecordError> {
	let write = move |journal: &mut Journal| -> Result<Event, RecordError> {
		let (mut sealed, mut new) = (Vec::with_capacity(asks.len()), Vec::new());
		for (key, price) in asks {
			match journal.ask(&key) {
				Some(before) => sealed.push(before.clone()),
				None => new.push(SealedAsk {
					key,
					price,
					salt: random_salt()?,
				}),
			}
		}
		if !new.is_empty() {
			journal.append_asks(new.clone())?;
		}
		sealed.extend(new);
		Ok(Event::AsksSealed(Some(sealed)))
	};
	tokio::task::spawn_blocking(move || journal.with(write))
		.await
		.map_err(|_| RecordError::Stopped)?
}
