//! What came of the latest epochs of a model: prices, and who was paid what for its settled jobs.

use crate::{
	pallet::{Config, Pallet, Summaries, SummarisedEpochs},
	types::{AskRole, Clearing, Summary, BONDED_BY, MAX_SUMMARIES},
};
use alloc::vec::Vec;
use frame_support::{defensive, traits::Get};
use highway_primitives::{
	market::{BillLines, Deal},
	Balance, EpochIndex, ModelId,
};

impl<T: Config> Pallet<T> {
	/// An epoch of the model was cleared: the oldest summary makes room for it.
	pub(crate) fn begin_summary(model: ModelId, epoch: EpochIndex, clearing: &Clearing<T::AccountId>) {
		let mut epochs = SummarisedEpochs::<T>::get(model);
		if epochs.len() >= MAX_SUMMARIES as usize {
			Summaries::<T>::remove(model, epochs.remove(0));
		}
		if epochs.try_push(epoch).is_err() {
			defensive!("the oldest summary made room");
			return;
		}
		SummarisedEpochs::<T>::insert(model, epochs);
		let summary = Summary {
			compute_price: clearing.compute_price,
			storage_price: clearing.price_of_storage(),
			executors: clearing.executors.len() as u32,
			providers: clearing.storage.len() as u32,
			..Default::default()
		};
		Summaries::<T>::insert(model, epoch, summary);
	}

	/// Adds a settled job to the summary of the epoch in which it was opened, unless that is forgotten already.
	pub(crate) fn note_settled(model: ModelId, deal: &Deal<T::AccountId>, lines: &BillLines<T::AccountId>) {
		Summaries::<T>::mutate(model, deal.epoch, |summary| {
			let Some(summary) = summary else {
				return;
			};
			summary.jobs = summary.jobs.saturating_add(1);
			summary.units = summary.units.saturating_add(deal.units.into());
			lines.iter().for_each(|line| summary.add_line(line.role, line.amount));
		});
	}

	/// What is reserved for a commitment made now: what a place was paid in the better of the model's two latest epochs that are over
	/// and were cleared, by those of its jobs that are settled by now. Jobs that fail, or whose payer has the price back, pay
	/// nothing: who opens and ends them at no cost of its own must not make asking dear for others.
	pub fn ask_bond(model: ModelId, role: AskRole) -> Balance {
		let now = Self::current_epoch();
		let epochs = SummarisedEpochs::<T>::get(model);
		let over = epochs.iter().rev().filter(|epoch| **epoch < now).take(BONDED_BY);
		over.filter_map(|epoch| Summaries::<T>::get(model, epoch))
			.map(|summary| summary.paid_a_place(role))
			.fold(T::MinAskBond::get(), Balance::max)
	}

	/// The summaries of the model's latest epochs that were cleared, oldest first; at most [`MAX_SUMMARIES`].
	pub fn summaries(model: ModelId) -> Vec<(EpochIndex, Summary)> {
		SummarisedEpochs::<T>::get(model)
			.into_iter()
			.filter_map(|epoch| Some((epoch, Summaries::<T>::get(model, epoch)?)))
			.collect()
	}

	/// The prices that were found last: per unit of compute, and per started MiB of storage.
	pub(crate) fn last_prices(model: ModelId) -> Option<(Balance, Option<Balance>)> {
		let last = *SummarisedEpochs::<T>::get(model).last()?;
		let summary = Summaries::<T>::get(model, last)?;
		Some((summary.compute_price, summary.storage_price))
	}

	/// The model is gone.
	pub(crate) fn forget_summaries(model: ModelId) {
		for epoch in SummarisedEpochs::<T>::take(model) {
			Summaries::<T>::remove(model, epoch);
		}
	}
}
