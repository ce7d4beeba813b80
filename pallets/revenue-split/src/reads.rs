//! What the runtime APIs read. Nothing here changes anything.

use crate::{
	pallet::{
		Asks, AuditPot, Bonds, Clearings, Config, Earnings, Error, LastCleared, Obligations, Pallet, TotalEarnings,
	},
	types::{AskRole, Clearing, QuoteParts},
};
use alloc::vec::Vec;
use frame_support::traits::fungible::Inspect;
use highway_primitives::{market::BillLine, Balance, ModelId, NodeId};
use sp_runtime::{DispatchError, Perbill};

impl<T: Config> Pallet<T> {
	/// What [`highway_primitives::traits::Market::open`] would agree on in this block, for a version with this
	/// `detection`. Error if it would fail.
	pub fn quote(
		model: ModelId,
		input_size: u64,
		units: u32,
		detection: Perbill,
		curator: Option<&T::AccountId>,
	) -> Result<QuoteParts<T::AccountId>, DispatchError> {
		Self::quote_jobs(model, input_size, units, detection, curator, 1)
	}

	/// The same for so many `jobs` of one quorum, each line summed over them: what [`Market::open`] and, for all jobs but the
	/// first, [`Market::open_sibling`] would agree on.
	///
	/// [`Market::open`]: highway_primitives::traits::Market::open
	/// [`Market::open_sibling`]: highway_primitives::traits::Market::open_sibling
	pub fn quote_jobs(
		model: ModelId,
		input_size: u64,
		units: u32,
		detection: Perbill,
		curator: Option<&T::AccountId>,
		jobs: u8,
	) -> Result<QuoteParts<T::AccountId>, DispatchError> {
		let epoch = Self::current_epoch();
		let (clearing, _) = Self::clearing_now(model, epoch)?;
		// The price is the same whoever is drawn.
		let deal = Self::agree(model, epoch, &clearing, units, input_size, detection, curator, &[0; 32])?;
		let mut lines = Self::lines(model, &deal, &clearing.royalties, None, None).into_inner();
		let mut price = deal.price;
		let siblings = Balance::from(jobs.saturating_sub(1));
		if siblings > 0 {
			let sibling = Self::sibling_of(&deal)?;
			price = sibling
				.price
				.checked_mul(siblings)
				.and_then(|more| price.checked_add(more))
				.ok_or(Error::<T>::PriceOverflow)?;
			for line in Self::lines(model, &sibling, &clearing.royalties, None, None) {
				let amount = line.amount.saturating_mul(siblings);
				add(&mut lines, BillLine { amount, ..line });
			}
		}
		Ok(QuoteParts {
			epoch,
			valid_until: Self::last_block_of(epoch),
			lines,
			price,
			compute: deal.compute,
			audit_rate: deal.audit_rate,
			executors: clearing.executors.into_inner(),
		})
	}

	/// Who is likely to have the model's blobs: storage providers first, then executors, each once, of the latest epoch
	/// with a job; at most twice [`crate::types::MAX_ASKS`].
	pub fn providers(model: ModelId) -> Vec<NodeId> {
		let clearing = LastCleared::<T>::get(model).and_then(|epoch| Clearings::<T>::get(model, epoch));
		let Some(Clearing { executors, storage, .. }) = clearing else {
			return Vec::new();
		};
		let also = executors
			.into_iter()
			.filter(|node| !storage.contains(node))
			.collect::<Vec<_>>();
		storage.into_iter().chain(also).collect()
	}

	/// What the node asks in this epoch; if nothing, from the next on.
	pub fn ask_of(node: NodeId, model: ModelId, role: AskRole) -> Option<Balance> {
		let epoch = Self::current_epoch();
		Asks::<T>::get(model, role)
			.iter()
			.find(|ask| ask.node == node)
			.and_then(|ask| ask.effective(epoch).or_else(|| ask.upcoming()))
	}

	/// What the account may claim.
	pub fn claimable(account: &T::AccountId) -> Balance {
		Earnings::<T>::get(account)
	}

	/// What the pot owes: its own existential deposit, all earnings, the prices of all open jobs, what is there for
	/// audits, and the bonds of those who asked for one. `None` if that is beyond all money.
	pub fn pot_owes() -> Option<Balance> {
		T::Currency::minimum_balance()
			.checked_add(TotalEarnings::<T>::get())?
			.checked_add(Obligations::<T>::get())?
			.checked_add(AuditPot::<T>::get())?
			.checked_add(Bonds::<T>::get())
	}

	/// What the pot holds beyond what it owes: coins that somebody sent to it uninvited, else 0. `None` if it holds
	/// less than it owes, which must never be.
	pub fn pot_surplus() -> Option<Balance> {
		T::Currency::balance(&Self::pot_account()).checked_sub(Self::pot_owes()?)
	}
}

/// Adds a line to those that there are: to the one of the same payee in the same role, if there is one.
fn add<AccountId: PartialEq>(lines: &mut Vec<BillLine<AccountId>>, line: BillLine<AccountId>) {
	let same = lines
		.iter_mut()
		.find(|other| other.role == line.role && other.payee == line.payee);
	match same {
		Some(other) => other.amount = other.amount.saturating_add(line.amount),
		None => lines.push(line),
	}
}
