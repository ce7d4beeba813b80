//! Who is eligible in the market epoch, and who could serve when it began.
//!
//! The market clears a model's epoch at its first touch, whenever that is, and has to find then what was there in one block
//! before: else whoever touches it first would pick the moment. Nor may whoever has looked at the asks of others take its own out,
//! for nothing, by not being able to serve in that block, or put it in by being able. So that block is the one in which the asks
//! for the epoch began to be opened, in the last third of the epoch before. Who was eligible there is **pledged**: it counts in the
//! epoch, and if it could not serve in the epoch's first block it has lapsed from there on. Who becomes able later waits for the
//! next epoch.
//!
//! ```text
//! epoch e                                      │ epoch e + 1
//! ├─ commit ────────────┼─ reveal ─────────────┼──────────────────────────────────
//!                       able here: Pledges       and here: EpochStarts
//!                       counts in e + 1          serves; if not, though pledged: lapsed
//!                       not here, but later: counts in e + 2
//! ```
//!
//! Nothing loops over nodes in either block. Instead, a change that makes a node able, or no longer so, or for other models, writes
//! down before for which models it was, in each of them; and after that when it first was so for less of those that it could serve
//! at the epoch's start. A node of which nothing is written is what it was, so its record and standing answer; a heartbeat of a node
//! that was heard in time, a job, or more of a sufficient bond write nothing. Before the first epoch nobody opened asks: in it
//! counts what could serve in its first block.
//!
//! What time alone changes needs no writing. Heartbeats run out by sessions, and the sessions of both blocks are known: the
//! first session that begins after one of them writes down which one that was. A pledge does not run out with time either:
//! where a session ends between the two blocks, a node could hold back its heartbeat of that session until it has looked.
//!
//! *In a block* means: in its session, before everything else that happens in it. A node that registers later is eligible for
//! nothing, and neither is one that is gone.

use crate::{
	pallet::{Config, CurrentSession, EpochStarts, FirstSession, OpeningSessions, Pallet, Pledges},
	types::{EpochStart, NodeRecordOf, Pledge, Standing},
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

	/// What decides about the node is about to change from `before` to `after`: keeps for which models it could serve when
	/// the market epoch began, if that would no longer be seen, and for which of them it can no longer. At most one write per
	/// node and epoch, and one for each model more that it lets down; and at most two for its pledges.
	pub(crate) fn keep_start(node: NodeId, before: Ability<'_>, after: Ability<'_>) {
		if before.hosted.is_empty() && after.hosted.is_empty() {
			return;
		}
		let (epoch, _) = T::Clock::epoch();
		let session = Self::first_session(epoch);
		Self::keep_pledges(node, epoch, session, before, after);
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

	/// The same for when asks began to be opened: those for the next epoch, if they are opened now; and those for the present
	/// one, if another session had begun by its first block, whose session is `first`. Without one a pledge that was not written
	/// before says what [`EpochStarts`] says.
	fn keep_pledges(node: NodeId, epoch: EpochIndex, first: u32, before: Ability<'_>, after: Ability<'_>) {
		let present = Some((epoch, Self::opening_session(epoch))).filter(|(_, session)| *session != first);
		let coming = T::Clock::opening().map(|(coming, _)| (coming, Self::opening_session(coming)));
		for (of, session) in [present, coming].into_iter().flatten() {
			let was = before.models(session);
			if was != after.models(session) {
				Self::keep_pledge(node, epoch, of, was);
			}
		}
	}

	/// The first change since asks for the epoch `of` began to be opened writes down for which models the node was eligible.
	fn keep_pledge(node: NodeId, present: EpochIndex, of: EpochIndex, models: &[ModelId]) {
		let mut pledges = Pledges::<T>::get(node);
		if pledges.iter().any(|pledge| pledge.epoch == of) {
			return;
		}
		pledges.retain(|pledge| pledge.epoch >= present);
		let models = BoundedVec::defensive_truncate_from(models.to_vec());
		// The present epoch's and the next one's: there is room.
		let _ = pledges.try_push(Pledge { epoch: of, models }).defensive();
		Pledges::<T>::insert(node, pledges);
	}

	/// See [`Nodes::eligible_at_start`].
	pub(crate) fn was_eligible(node: NodeId, model: ModelId) -> bool {
		let (epoch, _) = T::Clock::epoch();
		Self::noted_pledge(epoch, node, model).unwrap_or_else(|| {
			// Nothing but time had changed it by the epoch's first block, and only another session is time.
			let session = Self::opening_session(epoch);
			match session == Self::first_session(epoch) {
				true => Self::was_able(node, model),
				false => Self::serves_in(session, node, model),
			}
		})
	}

	/// Whether the node could serve the model in the present epoch's first block.
	fn was_able(node: NodeId, model: ModelId) -> bool {
		let (epoch, _) = T::Clock::epoch();
		if let Some(start) = EpochStarts::<T>::get(node).filter(|start| start.epoch == epoch) {
			return start.models.contains(&model);
		}
		Self::serves_in(Self::first_session(epoch), node, model)
	}

	/// See [`Nodes::pledged`].
	pub(crate) fn is_pledged(node: NodeId, model: ModelId) -> bool {
		let Some((coming, _)) = T::Clock::opening() else {
			return false;
		};
		Self::noted_pledge(coming, node, model)
			.unwrap_or_else(|| Self::serves_in(Self::opening_session(coming), node, model))
	}

	/// What is written down of the node's pledge for an epoch.
	fn noted_pledge(epoch: EpochIndex, node: NodeId, model: ModelId) -> Option<bool> {
		let pledges = Pledges::<T>::get(node);
		let pledge = pledges.iter().find(|pledge| pledge.epoch == epoch)?;
		Some(pledge.models.contains(&model))
	}

	/// Whether the node, as it is now, serves the model in `session`.
	fn serves_in(session: u32, node: NodeId, model: ModelId) -> bool {
		Self::node(node)
			.is_some_and(|(record, standing)| Ability::of::<T>(&record, &standing).models(session).contains(&model))
	}

	/// See [`Nodes::lapsed`].
	pub(crate) fn first_lapse(node: NodeId, model: ModelId) -> Option<BlockNumber> {
		let (epoch, first) = T::Clock::epoch();
		if !Self::was_able(node, model) && Self::was_eligible(node, model) {
			return Some(first);
		}
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
