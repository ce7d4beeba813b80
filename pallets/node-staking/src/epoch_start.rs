//! Who was eligible when the market epoch began.
//!
//! The market clears a model's epoch at its first touch, whenever that is, and has to find then what was there at the
//! epoch's first block: else whoever touches it first would pick the moment. Nothing loops over nodes at an epoch's start.
//! Instead, a change that makes a node eligible, or no longer so, or for other models, writes down before for which models
//! it was, and after that when it first was so for less of them. A node of which nothing is written in this epoch is what it was at its first block, so its record
//! and standing answer; a heartbeat of a node that was heard in time, a job, or more of a sufficient bond write nothing.
//!
//! What time alone changes needs no writing. Heartbeats run out by sessions, and the session of the epoch's first block is
//! known: the first session that begins in an epoch after its first block writes down which one that was.
//!
//! *At the first block* means: in the session of that block, before everything else that happens in it. A node that
//! registers later is eligible for nothing, and neither is one that is gone.

use crate::{
	pallet::{Config, CurrentSession, EpochStarts, FirstSession, Pallet},
	types::{EpochStart, NodeRecordOf, Standing},
};
use frame_support::{
	traits::{Defensive, DefensiveTruncateFrom},
	BoundedVec,
};
use highway_primitives::{
	traits::{MarketClock, Nodes},
	BlockNumber, EpochIndex, ModelId, NodeId,
};
use sp_runtime::SaturatedConversion;

/// What decides for which models a node is eligible.
#[derive(Clone, Copy)]
pub(crate) struct Ability<'a> {
	/// Whether bond and operator let it work.
	pub active: bool,
	/// What heartbeats say.
	pub standing: &'a Standing,
	/// What it hosts.
	pub hosted: &'a [ModelId],
}

impl<'a> Ability<'a> {
	/// Of a node.
	pub fn of<T: Config>(record: &'a NodeRecordOf<T>, standing: &'a Standing) -> Self {
		Self {
			active: record.is_active(),
			standing,
			hosted: &record.hosted,
		}
	}

	/// The models for which it is eligible in `session`.
	pub fn models(self, session: u32) -> &'a [ModelId] {
		match self.active && self.standing.is_able(session) {
			true => self.hosted,
			false => &[],
		}
	}
}

impl<T: Config> Pallet<T> {
	/// The session of the first block of `epoch`, the present market epoch.
	fn first_session(epoch: EpochIndex) -> u32 {
		match FirstSession::<T>::get() {
			Some((of, session)) if of == epoch => session,
			_ => CurrentSession::<T>::get(),
		}
	}

	/// Another session is about to begin: keeps the present one, if it is that of the market epoch's first block.
	pub(crate) fn keep_first_session() {
		let (epoch, first) = T::Clock::epoch();
		let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
		let is_kept = FirstSession::<T>::get().is_some_and(|(of, _)| of == epoch);
		// One that begins in the epoch's first block is the epoch's own.
		if now > first && !is_kept {
			FirstSession::<T>::put((epoch, CurrentSession::<T>::get()));
		}
	}

	/// What decides about the node is about to change from `before` to `after`: keeps for which models it was eligible when
	/// the market epoch began, if that would no longer be seen, and for which of them it is no longer. At most one write per
	/// node and epoch, and one for each model more that it lets down.
	pub(crate) fn keep_start(node: NodeId, before: Ability<'_>, after: Ability<'_>) {
		if before.hosted.is_empty() && after.hosted.is_empty() {
			return;
		}
		let (epoch, _) = T::Clock::epoch();
		let session = Self::first_session(epoch);
		let (was, is) = (before.models(session), after.models(session));
		if was == is {
			return;
		}
		let kept = EpochStarts::<T>::get(node).filter(|start| start.epoch == epoch);
		let is_kept = kept.is_some();
		let mut start = kept.unwrap_or_else(|| EpochStart {
			epoch,
			models: BoundedVec::defensive_truncate_from(was.to_vec()),
			lapsed: BoundedVec::new(),
		});
		let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
		let known = start.lapsed.len();
		for model in start.models.iter().filter(|model| !is.contains(model)) {
			if start.lapsed.iter().all(|(lapsed, _)| lapsed != model) {
				// Each of `models` once: there is room.
				let _ = start.lapsed.try_push((*model, now)).defensive();
			}
		}
		if !is_kept || start.lapsed.len() > known {
			EpochStarts::<T>::insert(node, start);
		}
	}

	/// See [`Nodes::eligible_at_start`].
	pub(crate) fn was_eligible(node: NodeId, model: ModelId) -> bool {
		let (epoch, _) = T::Clock::epoch();
		if let Some(start) = EpochStarts::<T>::get(node).filter(|start| start.epoch == epoch) {
			return start.models.contains(&model);
		}
		let session = Self::first_session(epoch);
		Self::node(node)
			.is_some_and(|(record, standing)| Ability::of::<T>(&record, &standing).models(session).contains(&model))
	}

	/// See [`Nodes::lapsed`].
	pub(crate) fn first_lapse(node: NodeId, model: ModelId) -> Option<BlockNumber> {
		let (epoch, _) = T::Clock::epoch();
		let noted = EpochStarts::<T>::get(node)
			.filter(|start| start.epoch == epoch)
			.and_then(|start| start.lapsed.into_iter().find(|(lapsed, _)| *lapsed == model));
		match noted {
			Some((_, block)) => Some(block),
			// Time ends it without a word.
			None => (!<Self as Nodes<T::AccountId>>::eligible(node, model))
				.then(|| frame_system::Pallet::<T>::block_number().saturated_into()),
		}
	}
}
