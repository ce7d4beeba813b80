//! A runtime with this pallet and, behind its traits, parties that keep books.

pub mod acts;
pub mod parties;

pub use acts::*;

use crate as pallet_inference_jobs;
use crate::Pallet;
use frame_support::{
	derive_impl, parameter_types,
	traits::{Hooks, Randomness},
	weights::Weight,
};
use highway_primitives::{audit::AuditWork, BlockNumber, NodeId};
use parties::{Attestations, Fleet, Market, MockNode, Models, Nodes};
use sp_core::H256;
use sp_runtime::BuildStorage;

pub type AccountId = u64;
pub const PAYER: AccountId = 1;
pub const POKER: AccountId = 2;
pub const MODEL: u32 = 7;
/// Digest of the version that jobs run on.
pub const SPEC: H256 = H256::repeat_byte(4);
pub const WINDOW: BlockNumber = 10;
pub const RETENTION: BlockNumber = 20;
/// Blocks that an executor has for [`input`]: 5, and one for the transfer and the unit's second.
pub const ALLOWANCE: BlockNumber = 6;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type InferenceJobs = pallet_inference_jobs::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
}

parameter_types! {
	pub static TickLimit: Weight = Weight::from_parts(1_000_000_000_000, u64::MAX);
	pub static Seed: Option<H256> = Some(H256::zero());
	/// Nodes whose weight was asked for, in order.
	pub static Looked: Vec<NodeId> = vec![];
	/// What the end of an audit's phase takes.
	pub static Work: AuditWork = AuditWork::Seated;
}

pub struct MockRandomness;
impl Randomness<Option<H256>, u64> for MockRandomness {
	fn random(_subject: &[u8]) -> (Option<H256>, u64) {
		(Seed::get(), 0)
	}
}

impl crate::Config for Test {
	type Models = Models;
	type Nodes = Nodes;
	type Market = Market;
	type Attestations = Attestations;
	type Randomness = MockRandomness;
	type SecurityFactor = frame_support::traits::ConstU32<64>;
	type MaxTickWeight = TickLimit;
	type WeightInfo = ();
	type AuditWeights = ();
}

/// Starts at block 1 with this many able nodes, ids from 0.
pub struct ExtBuilder(pub u32);

impl ExtBuilder {
	pub fn build(self) -> sp_io::TestExternalities {
		let jobs = crate::GenesisConfig {
			attestation_window: WINDOW,
			retention: RETENTION,
			..Default::default()
		};
		let genesis = RuntimeGenesisConfig {
			inference_jobs: jobs,
			..Default::default()
		};
		let mut ext = sp_io::TestExternalities::from(genesis.build_storage().unwrap());
		ext.execute_with(|| {
			(0..self.0).for_each(|node| Fleet::insert(node, MockNode::default()));
			go_to(1);
		});
		ext
	}

	pub fn build_and_execute(self, test: impl FnOnce()) {
		TickLimit::set(Weight::from_parts(1_000_000_000_000, u64::MAX));
		Seed::set(Some(H256::zero()));
		Looked::set(vec![]);
		Work::set(AuditWork::Seated);
		self.build().execute_with(|| {
			test();
			check();
		});
	}
}

/// This pallet's invariants, and that the parties' books agree with its records.
pub fn check() {
	Pallet::<Test>::do_try_state().unwrap();
	parties::check_books();
}

/// Runs the blocks up to `block`.
pub fn go_to(block: BlockNumber) {
	while System::block_number() < u64::from(block) {
		System::set_block_number(System::block_number() + 1);
		InferenceJobs::on_initialize(System::block_number());
	}
}
