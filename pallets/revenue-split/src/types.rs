//! What the pallet stores and tells.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use highway_math::{auction::place_pay, demand::Demand};
pub use highway_primitives::market::{AskRole, MAX_DEBTS_AT_ONCE};
use highway_primitives::{
	market::{AskObstacle, BillLine, MarketPhase},
	model::MAX_LINEAGE,
	Balance, BlockNumber, EpochIndex, JobId, ModelId, NodeId, Role, RoyaltyLine,
};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::Perbill;

/// The most asks of a model's role that hold in one epoch, and so the most winners.
pub const MAX_ASKS: u32 = 64;

/// The most asks stored per model and role: those that end with this epoch and those that begin with the next.
pub const MAX_STORED_ASKS: u32 = MAX_ASKS * 2;

/// [`MAX_STORED_ASKS`] as a type.
pub type MaxStoredAsks = ConstU32<MAX_STORED_ASKS>;

/// The asks of one role of a model.
pub type AskBook = BoundedVec<Ask, MaxStoredAsks>;

/// The winners of one role in one epoch.
pub type Winners = BoundedVec<NodeId, ConstU32<MAX_ASKS>>;

/// The maker and its model's ancestors.
pub type MaxRoyalties = ConstU32<{ MAX_LINEAGE + 1 }>;

/// What one node asks: now, and from a coming epoch on.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Ask {
	/// The node.
	pub node: NodeId,
	/// The price that holds before the epoch of `next`; `None`: no ask.
	pub current: Option<Balance>,
	/// The epoch of the latest change, and the price from there on; `None` as its price: the ask ends.
	pub next: Option<(EpochIndex, Option<Balance>)>,
	/// What is reserved for it of the node's own bond. 0 exactly if it has lost its place, or given it up.
	pub bond: Balance,
}

impl Ask {
	/// No ask yet.
	pub const fn none(node: NodeId) -> Self {
		Self {
			node,
			current: None,
			next: None,
			bond: 0,
		}
	}

	/// The price that holds in `epoch`, as far as is known by now.
	pub fn effective(&self, epoch: EpochIndex) -> Option<Balance> {
		match self.next {
			Some((from, price)) if from <= epoch => price,
			_ => self.current,
		}
	}

	/// The price that holds once every change has come about.
	pub fn upcoming(&self) -> Option<Balance> {
		self.next.map_or(self.current, |(_, price)| price)
	}

	/// From the epoch after `now` the price is `price`; in `now` it stays what it is.
	pub fn change(&mut self, now: EpochIndex, price: Option<Balance>) {
		self.current = self.effective(now);
		self.next = Some((now.saturating_add(1), price));
	}
}

/// What a node has bound itself to ask, or to withdraw, and has not revealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Commitment {
	/// The node.
	pub node: NodeId,
	/// For what.
	pub role: AskRole,
	/// The epoch that the ask is for. From its first block on the commitment is broken.
	pub epoch: EpochIndex,
	/// [`ask_commitment`](highway_primitives::market::ask_commitment).
	pub hash: H256,
	/// What is reserved for it of the node's own bond: the ask takes it over, or it is lost.
	pub bond: Balance,
	/// The highest price that the node may ask: what its own bond secured a job at when it committed. What
	/// becomes of the bond later does not matter, else whoever has seen what others ask could choose whether its own ask holds.
	pub most: Balance,
}

/// Where the commitments of a model lie, oldest first, and how many there are.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct CommitmentQueue {
	/// The oldest one is at this place or behind it: who reveals leaves a hole.
	#[codec(compact)]
	pub first: u64,
	/// Place of the next one.
	#[codec(compact)]
	pub next: u64,
	/// Commitments to compute asks that are stored.
	#[codec(compact)]
	pub compute: u32,
	/// Commitments to storage asks that are stored.
	#[codec(compact)]
	pub storage: u32,
}

impl CommitmentQueue {
	/// How many there are of the role.
	pub fn count(&self, role: AskRole) -> u32 {
		match role {
			AskRole::Compute => self.compute,
			AskRole::Storage => self.storage,
		}
	}

	/// The same, to be changed.
	pub fn count_mut(&mut self, role: AskRole) -> &mut u32 {
		match role {
			AskRole::Compute => &mut self.compute,
			AskRole::Storage => &mut self.storage,
		}
	}
}

/// Prices and payees of a model in one epoch.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Clearing<AccountId> {
	/// Price per unit that every executor earns alike.
	pub compute_price: Balance,
	/// Who runs the model, cheapest ask first.
	pub executors: Winners,
	/// Price per started MiB of input that every storage provider earns alike; 0 if there are none.
	pub storage_price: Balance,
	/// Who pins and serves, cheapest ask first; may be empty.
	pub storage: Winners,
	/// What the last of `executors` asks: how far the reserve may fall after this epoch.
	pub dearest_executor: Balance,
	/// What the last of `storage` asks; 0 if there are none.
	pub dearest_storage: Balance,
	/// Who earns royalties: the maker first, then the ancestors, nearest first.
	pub royalties: BoundedVec<RoyaltyLine<AccountId>, MaxRoyalties>,
	/// Open jobs that refer to this record.
	pub jobs: u32,
}

impl<AccountId> Clearing<AccountId> {
	/// Price per started MiB of input; `None` if nobody is paid for storage.
	pub fn price_of_storage(&self) -> Option<Balance> {
		(!self.storage.is_empty()).then_some(self.storage_price)
	}

	/// The same with one more job that refers to it; `None` if that is more than can be counted.
	pub fn with_one_more_job(self) -> Option<Self> {
		let jobs = self.jobs.checked_add(1)?;
		Some(Self { jobs, ..self })
	}
}

/// The places of one role that were taken in an epoch.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RolePlaces {
	/// How many.
	#[codec(compact)]
	pub winners: u32,
	/// What the dearest of the winners asks: the reserve falls no further after this epoch.
	#[codec(compact)]
	pub dearest: Balance,
}

/// What an epoch with jobs moves the reserves by.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct EpochPlaces {
	/// The epoch.
	#[codec(compact)]
	pub epoch: EpochIndex,
	/// Compute.
	pub compute: RolePlaces,
	/// Storage.
	pub storage: RolePlaces,
	/// Whether it has moved the reserves already: each epoch does once, when the next one is cleared.
	pub weighed: bool,
}

impl EpochPlaces {
	/// The role's part.
	pub fn of(&self, role: AskRole) -> RolePlaces {
		match role {
			AskRole::Compute => self.compute,
			AskRole::Storage => self.storage,
		}
	}
}

/// What a model's market remembers from epoch to epoch.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct MarketState {
	/// How much the model is asked for.
	pub demand: Demand,
	/// The latest epoch with jobs, which may be the present one.
	pub latest: Option<EpochPlaces>,
	/// The most that a unit of compute may cost. `None` before the first job: each clearing until then is a first one.
	pub compute_reserve: Option<Balance>,
	/// The most that a started MiB of storage may cost, beside the bound that the compute price sets. `None` before the first
	/// job that paid for storage.
	pub storage_reserve: Option<Balance>,
	/// The latest epoch in which all compute asks were found to be above the reserve: nobody serves in it.
	pub starved: Option<EpochIndex>,
	/// Whom the latest submission was given to: the next draw weighs it against others.
	pub last_drawn: Option<NodeId>,
}

impl MarketState {
	/// The role's reserve.
	pub fn reserve(&self, role: AskRole) -> Option<Balance> {
		match role {
			AskRole::Compute => self.compute_reserve,
			AskRole::Storage => self.storage_reserve,
		}
	}

	/// The same, to be changed.
	pub fn reserve_mut(&mut self, role: AskRole) -> &mut Option<Balance> {
		match role {
			AskRole::Compute => &mut self.compute_reserve,
			AskRole::Storage => &mut self.storage_reserve,
		}
	}

	/// The last epoch with jobs, if it was over before `epoch` and has not moved the reserves yet. From now on it has.
	pub fn weigh_last_before(&mut self, epoch: EpochIndex) -> Option<EpochPlaces> {
		let latest = self.latest.as_mut()?;
		if latest.weighed || latest.epoch >= epoch {
			return None;
		}
		latest.weighed = true;
		Some(*latest)
	}
}

/// How many epochs of a model are summed up: half a day of epochs with jobs every twenty minutes.
pub const MAX_SUMMARIES: u32 = 32;

/// The latest epochs of a model that were cleared, oldest first.
pub type SummaryEpochs = BoundedVec<EpochIndex, ConstU32<MAX_SUMMARIES>>;

/// The latest epochs, over and cleared, by the better of which an ask is bonded. Two: jobs of the last one are settled while the
/// present one runs, and who commits early would have a cheaper bond than who commits late.
pub const BONDED_BY: usize = 2;

/// What came of one epoch of a model.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Summary {
	/// Price per unit.
	#[codec(compact)]
	pub compute_price: Balance,
	/// Price per started MiB; `None` if nobody was paid for storage.
	pub storage_price: Option<Balance>,
	/// Settled jobs at these prices.
	#[codec(compact)]
	pub jobs: u32,
	/// Their units together.
	#[codec(compact)]
	pub units: u64,
	/// Their lines, summed by role, in the order of [`Role::ALL`].
	pub lines: [Balance; Role::ALL.len()],
	/// Who ran the model: so many shared the compute lines.
	#[codec(compact)]
	pub executors: u32,
	/// Who stored it: so many shared the storage lines.
	#[codec(compact)]
	pub providers: u32,
}

impl Summary {
	/// Adds a line of a settled job.
	pub fn add_line(&mut self, role: Role, amount: Balance) {
		for (of, sum) in Role::ALL.iter().zip(self.lines.iter_mut()) {
			if *of == role {
				*sum = sum.saturating_add(amount);
			}
		}
	}

	/// What settled jobs have paid for a place so far.
	pub fn paid_a_place(&self, role: AskRole) -> Balance {
		let lines = Role::ALL.iter().zip(self.lines);
		let mut paid = lines.filter(|(of, _)| **of == role.line()).map(|(_, sum)| sum);
		let winners = match role {
			AskRole::Compute => self.executors,
			AskRole::Storage => self.providers,
		};
		place_pay(paid.next().unwrap_or_default(), winners)
	}
}

/// The storage winners of a model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct StoredModel {
	/// The model.
	pub model: ModelId,
	/// Who won storage when the model was last cleared; never empty.
	pub winners: Winners,
}

/// What an operator earned by storing a model and has not proved yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct PendingPay {
	/// How much. Never 0.
	#[codec(compact)]
	pub amount: Balance,
	/// The block in which the oldest of it was earned.
	#[codec(compact)]
	pub since: BlockNumber,
}

/// How a curator presents itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CuratorProfile {
	/// The name that it gives itself: UTF-8 without control characters.
	pub name: BoundedVec<u8, ConstU32<32>>,
	/// Where more of it is found: printable ASCII without blanks; may be empty.
	pub url: BoundedVec<u8, ConstU32<128>>,
}

impl CuratorProfile {
	/// Whether it can be printed as it is: control characters would write over a terminal, and what turns the direction of
	/// the text around would let it pass for another one.
	pub fn has_plain_text(&self) -> bool {
		let name = core::str::from_utf8(&self.name).is_ok_and(|name| !name.chars().any(is_unprintable));
		name && self.url.iter().all(u8::is_ascii_graphic)
	}
}

/// Control characters, and marks that change how the characters beside them are shown.
fn is_unprintable(letter: char) -> bool {
	letter.is_control()
		|| matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What a curator asks, what is held for keeping it in mind, and what it did.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CuratorRecord {
	/// Per job.
	#[codec(compact)]
	pub fee: Balance,
	/// Held from the account; given back in full, whatever the deposit is by then.
	#[codec(compact)]
	pub deposit: Balance,
	/// How it presents itself.
	pub profile: CuratorProfile,
	/// Settled jobs that named it.
	#[codec(compact)]
	pub jobs: u32,
	/// What it earned by them.
	#[codec(compact)]
	pub earned: Balance,
}

/// What of the pot's money is whose, as sums, which debts of its audit pot there are, and what a job pays on average. One value:
/// nearly every settlement changes most of it.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PotBooks {
	/// Sum of the prices of all open jobs.
	#[codec(compact)]
	pub obligations: Balance,
	/// Sum of what accounts may claim.
	#[codec(compact)]
	pub earnings: Balance,
	/// What of it is the treasury's, which has a part of every settlement.
	#[codec(compact)]
	pub treasury: Balance,
	/// Sum of what operators earned by storing models and have not proved yet.
	#[codec(compact)]
	pub storage_pay: Balance,
	/// The audit pot, the part that pays for audits: premiums of settled jobs and lost bonds.
	#[codec(compact)]
	pub audit_pot: Balance,
	/// Sum of the bonds of payers who asked for an audit that is not over yet.
	#[codec(compact)]
	pub bonds: Balance,
	/// Index of the oldest debt of the audit pot; `next_debt` if there is none.
	#[codec(compact)]
	pub first_debt: u64,
	/// Index that its next debt gets.
	#[codec(compact)]
	pub next_debt: u64,
	/// Moving average of the compute lines of settled jobs.
	#[codec(compact)]
	pub average_compute: Balance,
}

impl PotBooks {
	/// What all of it comes to. `None` if that is beyond all money.
	pub fn owed(&self) -> Option<Balance> {
		let Self {
			obligations,
			earnings,
			storage_pay,
			audit_pot,
			bonds,
			..
		} = *self;
		let sums = [earnings, storage_pay, audit_pot, bonds];
		sums.into_iter()
			.try_fold(obligations, |owed, sum| owed.checked_add(sum))
	}

	/// Whether the audit pot owes anything.
	pub fn has_debts(&self) -> bool {
		self.first_debt != self.next_debt
	}
}

/// What the audit pot owes for judging a job, because it had less.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Debt<AccountId> {
	/// The job.
	#[codec(compact)]
	pub job: JobId,
	/// Who judged it.
	pub payee: AccountId,
	/// What is not paid yet.
	#[codec(compact)]
	pub amount: Balance,
}

/// What a job, or all jobs of a quorum, cost now, and who could do them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuoteParts<AccountId> {
	/// The market epoch that the price is for.
	pub epoch: EpochIndex,
	/// The last block of that epoch.
	pub valid_until: BlockNumber,
	/// The lines without zeros; executor and storage provider are drawn at submission and not named, and the premium has
	/// no payee. They sum to `price`.
	pub lines: Vec<BillLine<AccountId>>,
	/// The price.
	pub price: Balance,
	/// The compute line of one job.
	pub compute: Balance,
	/// Probability of an audit of one job.
	pub audit_rate: Perbill,
	/// The compute winners of the epoch; at most [`MAX_ASKS`].
	pub executors: Vec<NodeId>,
}

/// The market of a model, as the runtime API tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketView {
	/// The present epoch.
	pub epoch: EpochIndex,
	/// What nodes may say in this block about the next epoch.
	pub phase: MarketPhase,
	/// The last block of the phase.
	pub phase_until: BlockNumber,
	/// The last block of the epoch.
	pub epoch_until: BlockNumber,
	/// Average of the jobs per epoch, in thousandths.
	pub demand: u64,
	/// Compute, then storage.
	pub roles: Vec<RoleView>,
}

/// The market of one role of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleView {
	/// For what.
	pub role: AskRole,
	/// Asks above it lose. `None`: no job has paid for the role yet, so no ask is too dear, and none of the prices found so
	/// far counts for the next epoch.
	pub reserve: Option<Balance>,
	/// The price of the latest clearing, if the role had one in it.
	pub price: Option<Balance>,
	/// How many could win if the role were cleared now.
	pub places: u32,
	/// Demand over what the latest winners are counted on to do.
	pub utilisation: Perbill,
	/// Who won the latest clearing, cheapest first.
	pub winners: Vec<NodeId>,
	/// Every revealed ask that holds now or from the next epoch on; at most [`MAX_STORED_ASKS`].
	pub asks: Vec<AskView>,
	/// Commitments for the next epoch, and broken ones that nobody has cleared away yet.
	pub commitments: u32,
}

/// What one node asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskView {
	/// The node.
	pub node: NodeId,
	/// Its price.
	pub price: Balance,
	/// The first epoch that it holds in, as far as it is known.
	pub from: EpochIndex,
	/// Whether the node won the latest clearing.
	pub won: bool,
}

/// What a worker may say in the next block about one model in one role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskTaskParts {
	/// The model.
	pub model: ModelId,
	/// For what.
	pub role: AskRole,
	/// The epoch that it is for.
	pub epoch: EpochIndex,
	/// Whether to commit or to reveal.
	pub phase: MarketPhase,
	/// The first block of the phase.
	pub from: BlockNumber,
	/// The last block of the phase.
	pub until: BlockNumber,
	/// What the node asks from the next epoch on, if it says nothing.
	pub standing: Option<Balance>,
	/// What it committed to for the next epoch and has not revealed.
	pub committed: Option<H256>,
	/// While it is time to commit, and it has not: why it could not now.
	pub obstacle: Option<AskObstacle>,
	/// The price that was found last.
	pub price: Option<Balance>,
	/// Whether the node won the latest clearing.
	pub won: bool,
}
