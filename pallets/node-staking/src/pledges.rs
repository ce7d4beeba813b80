//! Who is pledged for a market epoch, and so eligible in it, and who has lapsed in it.
//!
//! The market clears a model's epoch at its first touch, whenever that is, and has to find then what was there in one block
//! before: else whoever touches it first would pick the moment. Nor may whoever has looked at the asks of others take its own
//! out, for nothing, by not being able to serve in that block, or put it in by being able. So that block is the one in which the
//! asks for the epoch began to be opened, in the last third of the epoch before. Who was eligible there is **pledged**: it counts
//! in the epoch, and has **lapsed** from the first block of it on in which it could not serve. Who becomes able later waits for
//! the next epoch.
//!
//! ```text
//! epoch e                                      │ epoch e + 1
//! ├─ commit ────────────┼─ reveal ─────────────┼──────────────────────────────────
//!                       able here: pledged       serves; if not here, or later: lapsed
//!                       counts in e + 1
//!                       not here, but later: counts in e + 2
//! ```
//!
//! Nothing loops over nodes in either block. Instead, a change that makes a node able, or no longer so, or for other models,
//! writes down before for which models it is pledged, and from which block on it has lapsed for one of them: one record for the
//! present epoch, and one for the next. A node of which nothing is written is what it was, so its record and standing answer; a
//! heartbeat of a node that was heard in time, a job, or more of a sufficient bond write nothing. Before the first epoch nobody
//! opened asks: in it counts what could serve in its first block.
//!
//! What time alone changes needs no writing. Heartbeats run out by sessions, and the sessions of both blocks are known: the
//! first session that begins after one of them writes down which one that was. A pledge does not run out with time either:
//! where a session ends between the two blocks, a node could hold back its heartbeat of that session until it has looked.
//!
//! *In a block* means: in its session, before everything else that happens in it. A node that registers later is eligible for
//! nothing, and neither is one that is gone.

use crate::{
	pallet::{Config, CurrentSession, FirstSession, OpeningSessions, Pallet, Pledges},
	types::{NodeRecordOf, Pledge, Standing},
};
use frame_support::traits::Defensive;
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
	/// The session of the first block of `epoch`, the present market epoch; the present one, if it is to come.
	fn first_session(epoch: EpochIndex) -> u32 {
		match FirstSession::<T>::get() {
			Some((of, session)) if of == epoch => session,
			_ => CurrentSession::<T>::get(),
		}
	}

	/// The session of the block in which asks for `epoch`, the present market epoch or the next one, began to be opened.
	fn opening_session(epoch: EpochIndex) -> u32 {
		let kept = OpeningSessions::<T>::get().into_iter().find(|(of, _)| *of == epoch);
		// If none began since, or none before the epoch did.
		kept.map_or_else(|| Self::first_session(epoch), |(_, session)| session)
	}

	/// Another session is about to begin: keeps the present one, if it is that of the market epoch's first block, or of the block
	/// in which asks began to be opened.
	pub(crate) fn keep_sessions() {
		let (epoch, first) = T::Clock::epoch();
		let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
		let is_kept = FirstSession::<T>::get().is_some_and(|(of, _)| of == epoch);
		// One that begins in the epoch's first block is the epoch's own.
		if now > first && !is_kept {
			FirstSession::<T>::put((epoch, CurrentSession::<T>::get()));
		}
		// By then its asks have been opened: in the session before, unless an earlier one is kept.
		let opened = match T::Clock::opening() {
			Some((coming, from)) => (now > from).then_some(coming),
			// Those of the first one nobody opened.
			None => (now == first && epoch > 0).then_some(epoch),
		};
		if let Some(opened) = opened {
			Self::keep_opening_session(epoch, opened);
		}
	}

	/// The present session is that in which asks for the epoch `opened` began to be, if none is kept for it.
	fn keep_opening_session(present: EpochIndex, opened: EpochIndex) {
		let mut kept = OpeningSessions::<T>::get();
		if kept.iter().any(|(of, _)| *of == opened) {
			return;
		}
		kept.retain(|(of, _)| *of >= present);
		// The present epoch's and the next one's: there is room.
		let _ = kept.try_push((opened, CurrentSession::<T>::get())).defensive();
		OpeningSessions::<T>::put(kept);
	}

	/// What decides about the node is about to change from `before` to `after`: keeps for which models it was eligible when asks
	/// began to be opened, those for the present epoch and those for the next one, and for which of them it has lapsed, if any of
	/// that would no longer be seen. At most one write, and none if everything is kept already.
	pub(crate) fn keep_pledges(node: NodeId, before: Ability<'_>, after: Ability<'_>) {
		if before.hosted.is_empty() && after.hosted.is_empty() {
			return;
		}
		let (epoch, first) = T::Clock::epoch();
		let mut pledges = Pledges::<T>::get(node);
		pledges.retain(|pledge| pledge.epoch >= epoch);
		let mut is_new = false;
		let coming = T::Clock::opening().map(|(coming, _)| coming);
		for of in [Some(epoch), coming].into_iter().flatten() {
			if pledges.iter().any(|pledge| pledge.epoch == of) {
				continue;
			}
			let session = Self::opening_session(of);
			let was = before.models(session);
			is_new |= was != after.models(session);
			// The present epoch's and the next one's: there is room.
			let _ = pledges.try_push(Pledge::new(of, was)).defensive();
		}
		if let Some(present) = pledges.iter_mut().find(|pledge| pledge.epoch == epoch) {
			is_new |= Self::note_lapses(present, first, before, after);
		}
		if is_new {
			Pledges::<T>::insert(node, pledges);
		}
	}

	/// Notes which models of the pledge for the present epoch, whose first block is `first`, the node has let down by then or does
	/// so now. Returns whether there is one more.
	///
	/// `before` and `after` are judged in one session, that of the first block, so that `before` is what the change before it left.
	/// Had that, or an earlier one in the epoch, left out a model, it would be noted. So a model that `before` lacks, and of which
	/// nothing is noted, was not there when the epoch began. And what time alone has ended since then is no change: the next
	/// heartbeat brings it back.
	fn note_lapses(pledge: &mut Pledge<T>, first: BlockNumber, before: Ability<'_>, after: Ability<'_>) -> bool {
		let session = Self::first_session(pledge.epoch);
		let (was, is) = (before.models(session), after.models(session));
		let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
		let known = pledge.lapsed.len();
		for model in &pledge.models {
			let block = match (was.contains(model), is.contains(model)) {
				(true, true) => continue,
				(true, false) => now,
				(false, _) => first,
			};
			if pledge.lapse_of(*model).is_none() {
				// Each of `models` once: there is room.
				let _ = pledge.lapsed.try_push((*model, block)).defensive();
			}
		}
		pledge.lapsed.len() > known
	}

	/// See [`Nodes::eligible_at_start`].
	pub(crate) fn was_eligible(node: NodeId, model: ModelId) -> bool {
		let (epoch, _) = T::Clock::epoch();
		Self::is_pledged_for(epoch, node, model)
	}

	/// See [`Nodes::pledged`].
	pub(crate) fn is_pledged(node: NodeId, model: ModelId) -> bool {
		T::Clock::opening().is_some_and(|(coming, _)| Self::is_pledged_for(coming, node, model))
	}

	/// Whether the node was eligible when asks for `epoch`, the present market epoch or the next one, began to be opened.
	fn is_pledged_for(epoch: EpochIndex, node: NodeId, model: ModelId) -> bool {
		match Self::kept_pledge(epoch, node) {
			Some(pledge) => pledge.models.contains(&model),
			// Nothing but time has changed it since, and only another session is time.
			None => Self::serves_in(Self::opening_session(epoch), node, model),
		}
	}

	/// What is written down of the node's pledge for an epoch.
	fn kept_pledge(epoch: EpochIndex, node: NodeId) -> Option<Pledge<T>> {
		Pledges::<T>::get(node).into_iter().find(|pledge| pledge.epoch == epoch)
	}

	/// Whether the node, as it is now, serves the model in `session`.
	fn serves_in(session: u32, node: NodeId, model: ModelId) -> bool {
		Self::node(node)
			.is_some_and(|(record, standing)| Ability::of::<T>(&record, &standing).models(session).contains(&model))
	}

	/// See [`Nodes::lapsed`].
	pub(crate) fn first_lapse(node: NodeId, model: ModelId) -> Option<BlockNumber> {
		let (epoch, first) = T::Clock::epoch();
		let noted = Self::kept_pledge(epoch, node).and_then(|pledge| pledge.lapse_of(model));
		if noted.is_some() {
			return noted;
		}
		// A change in the epoch that took the model from it would be noted.
		if !Self::serves_in(Self::first_session(epoch), node, model) && Self::is_pledged_for(epoch, node, model) {
			return Some(first);
		}
		// Time ends it without a word.
		(!<Self as Nodes<T::AccountId>>::eligible(node, model))
			.then(|| frame_system::Pallet::<T>::block_number().saturated_into())
	}
}
