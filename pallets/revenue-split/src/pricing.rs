//! What a job costs, and which line of it goes where. Pure but for the reads of who is still there.

use crate::{
	pallet::{Config, Curators, Error, Pallet},
	types::Clearing,
};
use alloc::vec;
use frame_support::defensive;
use highway_math::{audit, draw, split};
use highway_primitives::{
	market::{BillLine, BillLines, Deal, Order},
	traits::Nodes,
	Balance, EpochIndex, ModelId, NodeId, Role, RoyaltyLine,
};
use sp_runtime::{traits::Get, Perbill};

/// What a storage ask is counted in: a started MiB of input.
pub(crate) const STORAGE_UNIT: u64 = 1024 * 1024;

/// What the storage of an input of so many bytes is paid for.
fn stored_mib(input_size: u64) -> u64 {
	input_size.div_ceil(STORAGE_UNIT).max(1)
}

/// Storage winners looked at for one job.
pub(crate) const STORAGE_TRIES: usize = 4;

/// The reporters' part of the compute line of a job that two of them found impossible.
const REPORTERS_SHARE: Perbill = Perbill::from_percent(20);

impl<T: Config> Pallet<T> {
	/// Agrees on a job's price at the prices of `clearing`. The order's seed does not move the price.
	pub(crate) fn agree(
		order: &Order<T::AccountId>,
		epoch: EpochIndex,
		clearing: &Clearing<T::AccountId>,
	) -> Result<Deal<T::AccountId>, Error<T>> {
		let units = Balance::from(order.units);
		let compute = times::<T>(clearing.compute_price, units)?;
		let storage = match Self::draw_storage(order.model, &clearing.storage, &order.seed) {
			Some(node) => {
				let stored = Balance::from(stored_mib(order.input_size));
				Some((node, times::<T>(clearing.storage_price, stored)?))
			}
			None => None,
		};
		// Whoever names itself has found nothing for anybody else.
		let curator = order
			.curator
			.filter(|account| *account != order.payer)
			.and_then(|account| Some((account.clone(), Curators::<T>::get(account)?.fee)));
		let weaver = order.weaver.map(|(account, fee)| (account.clone(), fee));

		let mut subtotal = compute;
		for royalty in &clearing.royalties {
			subtotal = plus::<T>(subtotal, times::<T>(royalty.per_unit, units)?)?;
		}
		let storage_fee = storage.as_ref().map(|(_, fee)| *fee);
		let posted = [&curator, &weaver].into_iter().flatten().map(|(_, fee)| *fee);
		for amount in storage_fee.into_iter().chain(posted) {
			subtotal = plus::<T>(subtotal, amount)?;
		}
		let security = audit::security(compute, T::SecurityFactor::get());
		let audit_rate = audit::rate(compute, security, order.detection);
		let premium = audit::premium(audit_rate, compute).ok_or(Error::<T>::PriceOverflow)?;
		// The fee is not on the premium: it is no income of anybody.
		let price = plus::<T>(plus::<T>(subtotal, split::protocol_fee(subtotal))?, premium)?;
		Ok(Deal {
			epoch,
			units: order.units,
			price,
			compute,
			royalties: true,
			storage,
			curator,
			weaver,
			audit_rate,
			premium,
		})
	}

	/// The deal of one more job of the quorum whose first job has the deal `first`: what is paid once is paid there.
	pub(crate) fn sibling_of(first: &Deal<T::AccountId>) -> Result<Deal<T::AccountId>, Error<T>> {
		let subtotal = first.compute;
		let price = plus::<T>(plus::<T>(subtotal, split::protocol_fee(subtotal))?, first.premium)?;
		Ok(Deal {
			price,
			royalties: false,
			storage: None,
			curator: None,
			weaver: None,
			..first.clone()
		})
	}

	/// One of `winners` that still hosts the model: the drawn one, else one of the next after it. `None` if none of
	/// [`STORAGE_TRIES`] is there: a job needs no storage provider, and must not cost more for having many.
	pub(crate) fn draw_storage(model: ModelId, winners: &[NodeId], seed: &[u8; 32]) -> Option<NodeId> {
		// The executor may be drawn by the same seed: without another hash the two draws would go together.
		let seed = sp_io::hashing::blake2_256(&[b"storage".as_slice(), seed.as_slice()].concat());
		let first = draw::weighted(&seed, &vec![1; winners.len()])?;
		let (before, from) = winners.split_at_checked(first)?;
		from.iter()
			.chain(before)
			.copied()
			.take(STORAGE_TRIES)
			.find(|node| Self::is_hosting(*node, model))
	}

	/// The lines of a deal without zeros. They sum to its price, whatever `royalties` say: the protocol's line is what
	/// the others leave, and none exceeds what is left. `None` as a payee: not known yet, or nobody's.
	pub(crate) fn lines(
		model: ModelId,
		deal: &Deal<T::AccountId>,
		royalties: &[RoyaltyLine<T::AccountId>],
		executor: Option<T::AccountId>,
		storage: Option<T::AccountId>,
	) -> BillLines<T::AccountId> {
		let mut lines = Lines {
			left: deal.price,
			lines: BillLines::default(),
		};
		for royalty in royalties.iter().filter(|_| deal.royalties) {
			let role = if royalty.model == model {
				Role::Maker
			} else {
				Role::Parent
			};
			let amount = royalty.per_unit.saturating_mul(deal.units.into());
			lines.add(role, Some(royalty.payee.clone()), amount);
		}
		lines.add(Role::Compute, executor, deal.compute);
		if let Some((_, amount)) = deal.storage {
			lines.add(Role::Storage, storage, amount);
		}
		if let Some((curator, amount)) = &deal.curator {
			lines.add(Role::Curator, Some(curator.clone()), *amount);
		}
		if let Some((weaver, amount)) = &deal.weaver {
			lines.add(Role::Weaver, Some(weaver.clone()), *amount);
		}
		lines.add(Role::Auditor, None, deal.premium);
		let (burned, kept) = split::burn_half(lines.left);
		lines.add(Role::Protocol, Some(T::Treasury::get()), kept);
		lines.add(Role::Protocol, None, burned);
		lines.lines
	}

	/// The lines of a job that `reporters` found impossible: an equal part of 20 % of the compute line each, rounded
	/// down. The payer gets the rest of the price.
	pub(crate) fn failure_bill(deal: &Deal<T::AccountId>, reporters: &[NodeId]) -> BillLines<T::AccountId> {
		let part = REPORTERS_SHARE
			.mul_floor(deal.compute)
			.checked_div(reporters.len() as Balance)
			.unwrap_or_default();
		let mut lines = Lines {
			left: deal.price,
			lines: BillLines::default(),
		};
		for node in reporters {
			lines.add(Role::Compute, Some(Self::operator_or_treasury(*node)), part);
		}
		lines.lines
	}

	/// Who earns for the node.
	pub(crate) fn operator_or_treasury(node: NodeId) -> T::AccountId {
		T::Nodes::operator(node).unwrap_or_else(T::Treasury::get)
	}
}

/// Lines that never sum to more than was paid.
struct Lines<AccountId> {
	left: Balance,
	lines: BillLines<AccountId>,
}

impl<AccountId> Lines<AccountId> {
	fn add(&mut self, role: Role, payee: Option<AccountId>, amount: Balance) {
		let amount = amount.min(self.left);
		if amount == 0 {
			return;
		}
		match self.lines.try_push(BillLine { role, payee, amount }) {
			Ok(()) => self.left = self.left.saturating_sub(amount),
			// What has no line stays in `left`, and goes where the rest goes.
			Err(_) => {
				defensive!("no bill has more lines than roles");
			}
		}
	}
}

fn times<T: Config>(price: Balance, count: Balance) -> Result<Balance, Error<T>> {
	price.checked_mul(count).ok_or(Error::PriceOverflow)
}

fn plus<T: Config>(sum: Balance, line: Balance) -> Result<Balance, Error<T>> {
	sum.checked_add(line).ok_or(Error::PriceOverflow)
}
