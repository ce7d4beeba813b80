//! What the runtime APIs read. Nothing here changes anything.

use crate::{
	pallet::{
		Asks, Books, Clearings, CommitmentPlaces, CommitmentQueues, Config, Curators, Earnings, Error, LastCleared,
		Markets, Pallet, StoredAt, StoredModels,
	},
	types::{AskRole, AskTaskParts, AskView, Clearing, CuratorRecord, MarketState, MarketView, QuoteParts, RoleView},
};
use alloc::vec::Vec;
use frame_support::traits::{fungible::Inspect, Get};
use highway_math::demand;
use highway_primitives::{
	market::{BillLine, MarketPhase, Order},
	traits::{Models, OpenJobs},
	Balance, EpochIndex, ModelId, NodeId,
};
use sp_runtime::DispatchError;

/// The most curators of a page.
const MAX_CURATORS: u32 = 256;

impl<T: Config> Pallet<T> {
	/// What [`highway_primitives::traits::Market::open`] would agree on in this block. Error if it would fail. Who is drawn
	/// does not move the price, so the order's seed does not matter.
	pub fn quote(order: &Order<T::AccountId>) -> Result<QuoteParts<T::AccountId>, DispatchError> {
		Self::quote_jobs(order, 1)
	}

	/// The same for so many `jobs` of one quorum, each line summed over them: what [`Market::open`] and, for all jobs but the
	/// first, [`Market::open_sibling`] would agree on.
	///
	/// [`Market::open`]: highway_primitives::traits::Market::open
	/// [`Market::open_sibling`]: highway_primitives::traits::Market::open_sibling
	pub fn quote_jobs(order: &Order<T::AccountId>, jobs: u8) -> Result<QuoteParts<T::AccountId>, DispatchError> {
		let model = order.model;
		let epoch = Self::current_epoch();
		let clearing = Self::clearing_now(model, epoch)?;
		let deal = Self::agree(order, epoch, &clearing)?;
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

	/// Who is likely to have the model's blobs: storage providers first, then executors, each once, of the latest clearing,
	/// executors as long as a job needs its record; at most twice [`crate::types::MAX_ASKS`].
	pub fn providers(model: ModelId) -> Vec<NodeId> {
		let storage = Self::storage_winners(model);
		let executors = Self::last_record(model).map_or_else(Vec::new, |record| record.executors.into_inner());
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

	/// The market of the model, whether it was ever cleared or not. Its prices of past epochs are in [`Self::summaries`].
	pub fn market(model: ModelId) -> MarketView {
		let epoch = Self::current_epoch();
		let (phase, phase_until) = Self::phase();
		let state = Markets::<T>::get(model);
		let thousandths = u128::from(state.demand.at(epoch))
			.saturating_mul(1_000)
			.checked_div(demand::ONE.into())
			.unwrap_or_default();
		MarketView {
			epoch,
			phase,
			phase_until,
			epoch_until: Self::last_block_of(epoch),
			demand: u64::try_from(thousandths).unwrap_or(u64::MAX),
			roles: AskRole::ALL
				.iter()
				.map(|role| Self::role_view(model, *role, epoch, &state))
				.collect(),
		}
	}

	fn role_view(model: ModelId, role: AskRole, epoch: EpochIndex, state: &MarketState) -> RoleView {
		let winners = Self::last_winners(model, role);
		let mut asks = Vec::new();
		for ask in Asks::<T>::get(model, role) {
			let view = |price, from| AskView {
				node: ask.node,
				price,
				from,
				won: winners.contains(&ask.node),
			};
			match ask.next {
				Some((from, upcoming)) if from > epoch => {
					asks.extend(ask.current.map(|price| view(price, epoch)));
					asks.extend(upcoming.map(|price| view(price, from)));
				}
				Some((from, holds)) => asks.extend(holds.map(|price| view(price, from))),
				None => asks.extend(ask.current.map(|price| view(price, epoch))),
			}
		}
		RoleView {
			role,
			reserve: state.reserve(role),
			price: Self::last_price(model, role),
			places: Self::places(state, epoch),
			utilisation: demand::utilisation(state.demand.at(epoch), winners.len() as u32, T::JobsPerWinner::get()),
			winners,
			asks,
			commitments: CommitmentQueues::<T>::get(model).count(role),
		}
	}

	/// What the node's worker may say in the next block, which is the first one that what is sent now can be in: while it is
	/// time to commit, both roles of the models that the node hosts and that there are, each with what keeps the node from it as
	/// things stand; while it is time to reveal, whatever it committed to, hosted by now or not, since a withdrawal can be
	/// revealed all the same. As many as those models have roles, or as the node has bonds for at most.
	pub fn ask_tasks(node: NodeId, hosted: &[ModelId]) -> Vec<AskTaskParts> {
		let next = Self::now().saturating_add(1);
		let (phase, until) = Self::phase_at(next);
		let from = Self::phase_from(next);
		let epoch = Self::epoch_at(next).saturating_add(1);
		let both = |model: &ModelId| AskRole::ALL.map(|role| (*model, role));
		let there = hosted.iter().filter(|model| T::Models::exists(**model));
		let places: Vec<(ModelId, AskRole)> = match phase {
			MarketPhase::Commit => there.flat_map(both).collect(),
			MarketPhase::Reveal => {
				let mut committed: Vec<_> = CommitmentPlaces::<T>::iter_key_prefix(node).collect();
				committed.sort_unstable();
				committed
			}
		};
		let mut tasks = Vec::new();
		for (model, role) in places {
			let open = Self::commitment_of(node, model, role).filter(|(_, commitment)| commitment.epoch == epoch);
			let committed = open.map(|(_, commitment)| commitment.hash);
			if phase == MarketPhase::Reveal && committed.is_none() {
				continue;
			}
			let may_commit = phase == MarketPhase::Commit && committed.is_none();
			tasks.push(AskTaskParts {
				model,
				role,
				epoch,
				phase,
				from,
				until,
				standing: Self::standing(node, model, role),
				committed,
				obstacle: may_commit.then(|| Self::obstacle_to(node, model, role)).flatten(),
				price: Self::last_price(model, role),
				won: Self::last_winners(model, role).contains(&node),
			});
		}
		tasks
	}

	/// The price that was found last in this role.
	fn last_price(model: ModelId, role: AskRole) -> Option<Balance> {
		let (compute, storage) = Self::last_prices(model)?;
		match role {
			AskRole::Compute => Some(compute),
			AskRole::Storage => storage,
		}
	}

	/// Who won the latest clearing in this role, cheapest first; of compute, as long as its record is kept.
	fn last_winners(model: ModelId, role: AskRole) -> Vec<NodeId> {
		match role {
			AskRole::Compute => Self::last_record(model).map_or_else(Vec::new, |record| record.executors.into_inner()),
			AskRole::Storage => Self::storage_winners(model),
		}
	}

	/// Jobs on the model that are not over. For calls from outside: it reads the records of all epochs that have some.
	pub fn open_jobs(model: ModelId) -> u32 {
		Clearings::<T>::iter_prefix_values(model).fold(0, |sum: u32, clearing| sum.saturating_add(clearing.jobs))
	}

	fn last_record(model: ModelId) -> Option<Clearing<T::AccountId>> {
		Clearings::<T>::get(model, LastCleared::<T>::get(model)?)
	}

	fn storage_winners(model: ModelId) -> Vec<NodeId> {
		StoredAt::<T>::get(model)
			.and_then(StoredModels::<T>::get)
			.map_or_else(Vec::new, |stored| stored.winners.into_inner())
	}

	/// The account's profile as a curator.
	pub fn curator(account: &T::AccountId) -> Option<CuratorRecord> {
		Curators::<T>::get(account)
	}

	/// Curators in the order of their hashes, those behind `from`: at most `limit` and at most 256; and the last one, if there
	/// are more.
	pub fn curators(
		from: Option<&T::AccountId>,
		limit: u32,
	) -> (Vec<(T::AccountId, CuratorRecord)>, Option<T::AccountId>) {
		let limit = limit.min(MAX_CURATORS) as usize;
		let mut behind = match from {
			Some(from) => Curators::<T>::iter_from_key(from),
			None => Curators::<T>::iter(),
		};
		let page: Vec<_> = behind.by_ref().take(limit).collect();
		let last = page.last().map(|(account, _)| account.clone());
		let more = behind.next().is_some();
		(page, last.filter(|_| more))
	}

	/// What the account may claim.
	pub fn claimable(account: &T::AccountId) -> Balance {
		match *account == T::Treasury::get() {
			true => Books::<T>::get().treasury,
			false => Earnings::<T>::get(account),
		}
	}

	/// What everybody may claim. Reads all of it: for tests and try-runtime only.
	pub fn earnings() -> Vec<(T::AccountId, Balance)> {
		let treasury = (T::Treasury::get(), Books::<T>::get().treasury);
		let all = Earnings::<T>::iter().chain([treasury]);
		all.filter(|(_, amount)| *amount > 0).collect()
	}

	/// What the pot owes: its own existential deposit, all earnings, the prices of all open jobs, what is there for
	/// audits, the bonds of those who asked for one, and pay for storage that waits for its proof. `None` if that is beyond
	/// all money.
	pub fn pot_owes() -> Option<Balance> {
		T::Currency::minimum_balance().checked_add(Books::<T>::get().owed()?)
	}

	/// What the pot holds beyond what it owes: coins that somebody sent to it uninvited, else 0. `None` if it holds
	/// less than it owes, which must never be.
	pub fn pot_surplus() -> Option<Balance> {
		T::Currency::balance(&Self::pot_account()).checked_sub(Self::pot_owes()?)
	}
}

impl<T: Config> OpenJobs for Pallet<T> {
	/// Every record but the latest has open jobs: it reads two at most.
	fn has_open_jobs(model: ModelId) -> bool {
		Clearings::<T>::iter_prefix_values(model).any(|clearing| clearing.jobs > 0)
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
