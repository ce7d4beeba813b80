//! The market's own pallets, model registry, revenue split and promotion, on a chain of accounts and numbers.
//!
//! Blocks are skipped and transactions are calls: there is nothing but what the market does. Nodes are simulated ([`nodes`]),
//! everything that they ask, earn and lose is not. What the runtime's configuration sets is set here as it is there.

mod acts;
pub mod nodes;

pub use acts::{order, Taken};

use codec::Encode;
use frame_support::{
	derive_impl, parameter_types,
	storage::{with_transaction_unchecked, TransactionOutcome},
	traits::{fungible::Mutate, ConstBool, ConstU128, ConstU32, Hooks, Randomness},
	PalletId,
};
use highway_math::demand::{self, Demand};
use highway_primitives::{
	market::{ask_commitment, AskRole, Deal, Order},
	traits::Market,
	Balance, BlobRef, BlockNumber, JobId, ModelId, NodeId, Role, AIC,
};
use nodes::{operator_of, SimulatedNode};
use pallet_revenue_split::{Clearing, Clearings, Markets, Summaries};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Perbill};

/// Accounts are numbers.
pub type AccountId = u64;

/// Pays for jobs.
pub const PAYER: AccountId = 1;
/// Owns the model.
pub const MAKER: AccountId = 2;
/// Is named as a curator.
pub const CURATOR: AccountId = 3;
/// Has what the protocol keeps.
pub const TREASURY: AccountId = 999;
/// The first of the accounts that bid for promotion.
pub const BIDDERS: AccountId = 100;
/// Who has coins from the start, beside operators: all accounts below.
const ACCOUNTS: AccountId = 200;
/// What each of them has: as much as anything here costs.
const COINS: Balance = 1_000_000_000_000 * AIC;

/// The model whose market it is.
pub const MODEL: ModelId = 0;

/// Blocks of an epoch: two to commit in, one to reveal in. As short as can be: most of the runtime's 300 would be empty.
const EPOCH: BlockNumber = 3;

/// Epochs of a day in the runtime: ten minutes each.
pub const DAY: u32 = 144;

/// Epochs of a month.
pub const MONTH: u32 = 30 * DAY;

/// Jobs that a winner is counted on to do in an epoch: the runtime's, one a block.
pub const JOBS_PER_WINNER: u32 = 300;

/// The runtime's lowest reserve.
pub const MIN_RESERVE: Balance = 1_000;

/// The runtime's highest ask.
pub const MAX_ASK: Balance = 1_000_000 * AIC;

/// The runtime's smallest rise of a royalty.
pub const SMALLEST_RISE: Balance = AIC / 1_000_000;

/// The runtime's lowest bond of an ask.
pub const MIN_ASK_BOND: Balance = AIC;

/// The runtime's factor from a job's compute line to its security.
pub const SECURITY_FACTOR: u32 = 64;

/// The runtime's fine for the second challenge in a row that a storage provider could have answered.
const STORAGE_FINE: Balance = 10 * AIC;

/// Blocks in which a challenge can be answered: less than an epoch, as in the runtime.
const STORAGE_WINDOW: BlockNumber = 2;

/// The runtime's lowest bid for a featured place.
pub const MIN_BID: Balance = AIC;

/// A MiB, of which storage is paid for each that is started.
pub const MIB: u64 = 1024 * 1024;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeTask,
		RuntimeHoldReason,
		RuntimeFreezeReason
	)]
	pub struct Simulated;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type ModelRegistry = pallet_model_registry;
	#[runtime::pallet_index(3)]
	pub type RevenueSplit = pallet_revenue_split;
	#[runtime::pallet_index(4)]
	pub type Promotion = pallet_promotion;
	#[runtime::pallet_index(5)]
	pub type StorageProofs = pallet_storage_proofs;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Simulated {
	type Block = frame_system::mocking::MockBlockU32<Simulated>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Simulated {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
}

parameter_types! {
	pub const PotId: PalletId = PalletId(*b"hw/potac");
	pub const TreasuryAccount: AccountId = TREASURY;
	pub const WorkSubsidy: Perbill = Perbill::from_percent(50);
}

impl pallet_model_registry::Config for Simulated {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Jobs = RevenueSplit;
	type BaseDeposit = ConstU128<1>;
	type DepositPerByte = ConstU128<1>;
	// A rise within an epoch is played here; months of them in `royalties`, with the pallet's own rule.
	type RoyaltyNotice = ConstU32<1>;
	type RoyaltyRisePeriod = ConstU32<1>;
	type VersionNotice = ConstU32<1>;
	type CommitBlocks = ConstU32<1>;
	type CommitLifetime = ConstU32<10>;
	type MaxRoyalty = ConstU128<MAX_ASK>;
	type SmallestRise = ConstU128<SMALLEST_RISE>;
	type MaxVersions = ConstU32<4>;
	type WeightInfo = ();
}

/// As good as any: another draw in each block.
pub struct Dice;
impl Randomness<Option<H256>, BlockNumber> for Dice {
	fn random(subject: &[u8]) -> (Option<H256>, BlockNumber) {
		let block = System::block_number();
		let drawn = sp_io::hashing::blake2_256(&(block, subject).encode());
		(Some(H256(drawn)), block)
	}
}

impl pallet_revenue_split::Config for Simulated {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = ModelRegistry;
	type Nodes = nodes::Crowd;
	type Treasury = TreasuryAccount;
	type PalletId = PotId;
	type MaxAsk = ConstU128<MAX_ASK>;
	type MaxCuratorFee = ConstU128<MAX_ASK>;
	type SecurityFactor = ConstU32<SECURITY_FACTOR>;
	type CuratorDeposit = ConstU128<1>;
	type MinAskBond = ConstU128<MIN_ASK_BOND>;
	type MinReserve = ConstU128<MIN_RESERVE>;
	type JobsPerWinner = ConstU32<JOBS_PER_WINNER>;
	type MinWinners = ConstU32<3>;
	type StorageHold = ConstU32<1>;
	type WorkSubsidy = WorkSubsidy;
	type Randomness = Dice;
	type StorageChallenges = ();
	type WeightInfo = ();
}

impl pallet_promotion::Config for Simulated {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = ModelRegistry;
	type Clock = RevenueSplit;
	type Treasury = TreasuryAccount;
	type MinBid = ConstU128<MIN_BID>;
	type WeightInfo = ();
}

/// The file of the present version.
pub struct Artefacts;
impl pallet_storage_proofs::Artefacts for Artefacts {
	fn artefact(model: ModelId) -> Option<BlobRef> {
		ModelRegistry::model(model).map(|(_, spec)| spec.artifact)
	}
}

impl pallet_storage_proofs::Config for Simulated {
	type Artefacts = Artefacts;
	type Nodes = nodes::Crowd;
	type Market = RevenueSplit;
	type Randomness = Dice;
	type ClocksStandStill = ConstBool<false>;
	type Window = ConstU32<STORAGE_WINDOW>;
	type Interval = ConstU32<EPOCH>;
	type StorageFine = ConstU128<STORAGE_FINE>;
	type WeightInfo = ();
}

/// Every commitment's salt: nobody guesses here.
const SALT: [u8; 32] = [7; 32];

/// What was found of an epoch.
pub type Record = Clearing<AccountId>;

/// A chain inside the externalities of its simulation.
pub struct Chain {
	jobs: JobId,
}

impl Chain {
	/// Runs `play` on a chain with one model that asks no royalty, in the first block of an epoch, and checks every invariant
	/// of every pallet after it.
	pub fn run<R>(play: impl FnOnce(&mut Self) -> R) -> R {
		Self::with_royalty(0, play)
	}

	/// The same with a royalty per unit.
	pub fn with_royalty<R>(royalty: Balance, play: impl FnOnce(&mut Self) -> R) -> R {
		nodes::look_at_start(true);
		nodes::bind_by_pledges(true);
		let mut genesis = RuntimeGenesisConfig::default();
		genesis.balances.balances = (0..ACCOUNTS).map(|account| (account, COINS)).collect();
		genesis.revenue_split.epoch_length = EPOCH;
		let storage = genesis.build_storage().expect("the genesis is valid");
		sp_io::TestExternalities::from(storage).execute_with(|| {
			System::set_block_number(1);
			let mut chain = Self { jobs: 0 };
			let model = chain
				.register(MAKER, "model", None, None, royalty)
				.expect("the model is valid");
			assert_eq!(model, MODEL, "ids are counted up from 0");
			chain.next_epoch();
			let result = play(&mut chain);
			RevenueSplit::do_try_state().expect("the market is sound");
			ModelRegistry::do_try_state().expect("the registry is sound");
			Promotion::do_try_state().expect("promotion is sound");
			StorageProofs::do_try_state().expect("challenges are sound");
			result
		})
	}

	/// The market epoch.
	pub fn epoch(&self) -> u32 {
		RevenueSplit::current_epoch()
	}

	/// Begins the next epoch.
	pub fn next_epoch(&mut self) {
		let first = RevenueSplit::last_block_of(self.epoch()) + 1;
		// Nobody reads them, and a month has many.
		System::reset_events();
		System::set_block_number(first);
		RevenueSplit::on_initialize(first);
		Promotion::on_initialize(first);
	}

	/// Begins the next block, in which challenges of storage end and are drawn. Nobody is challenged in other blocks.
	pub fn next_block(&mut self) {
		let block = System::block_number() + 1;
		match block > RevenueSplit::last_block_of(self.epoch()) {
			true => self.next_epoch(),
			false => System::set_block_number(block),
		}
		StorageProofs::on_initialize(block);
	}

	/// Goes to block `offset` of this epoch, counted from 0.
	pub fn go_to_block(&mut self, offset: BlockNumber) {
		System::set_block_number(RevenueSplit::first_block_of(self.epoch()) + offset);
	}

	/// How many blocks an epoch has.
	pub fn blocks(&self) -> BlockNumber {
		EPOCH
	}

	/// Nodes 0 to `count - 1` join, each with an operator of its own and a bond that is enough for anything here.
	pub fn join(&mut self, count: u32) {
		for node in 0..count {
			nodes::join(node);
			let bond = SimulatedNode::BOND;
			Balances::mint_into(&operator_of(node), bond + 1).expect("there is room in the issuance");
		}
	}

	/// The node commits to an ask for the next epoch; `None` withdraws the one that it has.
	pub fn commit(&mut self, node: NodeId, role: AskRole, price: Option<Balance>) -> DispatchResult {
		self.commit_for(MODEL, node, role, price)
	}

	fn commit_for(&mut self, model: ModelId, node: NodeId, role: AskRole, price: Option<Balance>) -> DispatchResult {
		let hash = ask_commitment(node, self.epoch() + 1, model, role, price, &SALT);
		RevenueSplit::commit_ask(RuntimeOrigin::signed(operator_of(node)), model, role, hash)
	}

	/// The node reveals what it committed to.
	pub fn reveal(&mut self, node: NodeId, role: AskRole, price: Option<Balance>) -> DispatchResult {
		self.reveal_for(MODEL, node, role, price)
	}

	fn reveal_for(&mut self, model: ModelId, node: NodeId, role: AskRole, price: Option<Balance>) -> DispatchResult {
		RevenueSplit::reveal_ask(RuntimeOrigin::signed(operator_of(node)), model, role, price, SALT)
	}

	/// Goes to the block in which asks are revealed.
	pub fn go_to_reveals(&mut self) {
		self.go_to_block(EPOCH - 1);
	}

	/// The nodes commit and reveal. Then this epoch is nearly over.
	pub fn ask(&mut self, role: AskRole, asks: &[(NodeId, Option<Balance>)]) {
		self.ask_for(MODEL, role, asks);
	}

	/// The same for any model.
	pub fn ask_for(&mut self, model: ModelId, role: AskRole, asks: &[(NodeId, Option<Balance>)]) {
		self.go_to_block(0);
		for (node, price) in asks {
			self.commit_for(model, *node, role, *price)
				.expect("a node with a bond may commit once an epoch");
		}
		self.go_to_reveals();
		for (node, price) in asks {
			self.reveal_for(model, *node, role, *price)
				.expect("that is what it committed to");
		}
	}

	/// Asks of compute for the next epoch, which begins.
	pub fn open_market(&mut self, asks: &[(NodeId, Balance)]) {
		let asks: Vec<_> = asks.iter().map(|(node, price)| (*node, Some(*price))).collect();
		self.ask(AskRole::Compute, &asks);
		self.next_epoch();
	}

	/// Clears this epoch, if nobody did. `None` if nobody serves in it.
	pub fn clear(&mut self) -> Option<Record> {
		// Fails if it is cleared, or if nobody asks: the record tells.
		let _ = RevenueSplit::clear(RuntimeOrigin::signed(PAYER), MODEL);
		Clearings::<Simulated>::get(MODEL, self.epoch())
	}

	/// What [`Self::clear`] would find in this block, without clearing.
	pub fn would_clear(&mut self) -> Option<Record> {
		self.imagine(Self::clear)
	}

	/// What would come of it if this was played, without playing it.
	pub fn imagine<R>(&mut self, play: impl FnOnce(&mut Self) -> R) -> R {
		with_transaction_unchecked(|| TransactionOutcome::Rollback(play(self)))
	}

	/// Makes the market one that has had `jobs` per epoch for long, at least one, with this reserve.
	pub fn set_market(&mut self, reserve: Balance, jobs: u32) {
		let epoch = self.epoch();
		Markets::<Simulated>::mutate(MODEL, |state| {
			state.compute_reserve = Some(reserve);
			state.demand = Demand {
				ema: u64::from(jobs) * demand::ONE,
				epoch,
				jobs,
			};
		});
	}

	/// The reserve of compute; 0 before the first job.
	pub fn reserve(&self) -> Balance {
		Markets::<Simulated>::get(MODEL).compute_reserve.unwrap_or_default()
	}

	/// `count` jobs with an input of a MiB come in this epoch: the first is opened, the others are only counted, as its like. All
	/// are summed up as settled, and no coins move. Returns what was agreed for each.
	pub fn count_jobs(&mut self, count: u32) -> Deal<AccountId> {
		let deal = self.open(&order(&PAYER, None, MODEL)).expect("somebody serves");
		RevenueSplit::close(MODEL, &deal);
		let epoch = self.epoch();
		let others = count.saturating_sub(1);
		Markets::<Simulated>::mutate(MODEL, |state| (0..others).for_each(|_| state.demand.note(epoch)));
		Summaries::<Simulated>::mutate(MODEL, epoch, |summary| {
			let summary = summary.as_mut().expect("the epoch is cleared");
			let (count, stored) = (Balance::from(count), deal.storage.map_or(0, |(_, fee)| fee));
			summary.add_line(Role::Compute, deal.compute * count);
			summary.add_line(Role::Storage, stored * count);
		});
		deal
	}

	fn open(&mut self, order: &Order<AccountId>) -> Result<Deal<AccountId>, DispatchError> {
		self.jobs += 1;
		RevenueSplit::open(self.jobs, order)
	}
}
