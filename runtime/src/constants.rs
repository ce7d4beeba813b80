//! The chain's numbers. Each carries its unit and its reason.

use frame_support::{
	dispatch::DispatchClass,
	parameter_types,
	weights::{
		constants::{BlockExecutionWeight, ExtrinsicBaseWeight, ParityDbWeight, WEIGHT_REF_TIME_PER_MILLIS},
		RuntimeDbWeight, Weight,
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use highway_primitives::{Balance, BlockNumber, AIC, BLOCK_SECONDS};
use sp_runtime::Perbill;

/// A thousandth of an AIC.
pub const MILLI_AIC: Balance = AIC / 1_000;
/// A millionth of an AIC.
pub const MICRO_AIC: Balance = AIC / 1_000_000;

/// The least that an account holds: below it, keeping the account costs more than it is worth.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_AIC;

/// Length of a slot in milliseconds: one block is aimed at in each.
pub const SLOT_DURATION: u64 = BLOCK_SECONDS as u64 * 1_000;

/// Blocks of one day.
pub const DAYS: BlockNumber = 24 * 60 * 60 / BLOCK_SECONDS;

/// What storing a new item and `bytes` of it costs as a deposit: it makes state growth dear and is given back.
pub const fn deposit(items: u32, bytes: u32) -> Balance {
	items as Balance * 100 * MILLI_AIC + bytes as Balance * 100 * MICRO_AIC
}

/// Part of a block that normal transactions may fill: attestations and heartbeats (operational) always find room.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);

/// Part of a block that hooks are reckoned with: no transaction may weigh so much that it does not fit beside them. Two fifths for
/// the due queue and a tenth for the rest of them leave half of a block; a normal transaction, which has three quarters less
/// this, weighs 45 % at most.
const INITIALIZE_RATIO: Perbill = Perbill::from_percent(30);

/// A block executes for at most half a second of its two-second slot: the rest is for propagation and for the import
/// by slower machines.
const MAX_BLOCK_WEIGHT: Weight = Weight::from_parts(500 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);

/// What operational transactions find even in a block that hooks have filled, as a session's first one may be: as much as a worker's
/// largest word weighs, [`highway_primitives::market::MaxAskItems`] asks revealed in full books.
const OPERATIONAL_RESERVE: Perbill = Perbill::from_percent(35);

/// The most that the due queue of jobs takes of one block: two fifths.
///
/// It ends windows, settles and removes, about half of what a job weighs from its submission on: with a fifth of the block it would
/// settle less than half of what the rest has room to take. Submissions have what is left. Hooks come first and count towards the
/// whole block, so beside a full queue that is 300 of the 375 ms that normal transactions may have, less what is attested. What is
/// reserved for operational ones comes on top of the block, whatever hooks took: attestations are never held up by
/// settlements. With more than this, the first block of a session, half of which the choice of validators may take, would last
/// longer than a block should.
pub const MAX_TICK_WEIGHT: Weight = Weight::from_parts(200 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);

parameter_types! {
	/// Costs of the database: ParityDB is the only one that the node is built with.
	pub const DbWeight: RuntimeDbWeight = ParityDbWeight::get();
	/// Bytes of a block: 5 MiB in all.
	pub RuntimeBlockLength: BlockLength =
		BlockLength::builder().max_length(5 * 1024 * 1024).modify_max_length_for_class(
			DispatchClass::Normal,
			|length| *length = NORMAL_RATIO * *length,
		).build();
	/// Execution time of a block.
	pub RuntimeBlockWeights: BlockWeights = BlockWeights::builder()
		.base_block(BlockExecutionWeight::get())
		.for_class(DispatchClass::all(), |weights| weights.base_extrinsic = ExtrinsicBaseWeight::get())
		.for_class(DispatchClass::Normal, |weights| weights.max_total = Some(NORMAL_RATIO * MAX_BLOCK_WEIGHT))
		.for_class(DispatchClass::Operational, |weights| {
			weights.max_total = Some(MAX_BLOCK_WEIGHT);
			weights.reserved = Some(OPERATIONAL_RESERVE * MAX_BLOCK_WEIGHT);
		})
		.avg_block_initialization(INITIALIZE_RATIO)
		.build_or_panic();
}
