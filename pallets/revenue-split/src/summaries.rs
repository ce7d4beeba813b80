//! What came of the latest epochs of a model: prices, and who was paid what for its settled jobs.

use crate::{
	pallet::{Config, Pallet, Summaries, SummarisedEpochs},
	types::{Summary, MAX_SUMMARIES},
};
use alloc::vec::Vec;
use frame_support::defensive;
use highway_primitives::{
	market::{BillLines, Deal},
	Balance, EpochIndex, ModelId, Role,
};

impl<T: Config> Pallet<T> {
	/// An epoch of the model was cleared: the oldest summary makes room for it.
	pub(crate) fn begin_summary(
		model: ModelId,
		epoch: EpochIndex,
		compute_price: Balance,
		storage_price: Option<Balance>,
	) {
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
			compute_price,
			storage_price,
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
			for line in lines {
				for (role, sum) in Role::ALL.iter().zip(summary.lines.iter_mut()) {
					if *role == line.role {
						*sum = sum.saturating_add(line.amount);
					}
				}
			}
		});
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
