//! A runtime with this pallet, `AuthorizeCall` as its transaction extension, and jobs that are assigned by hand.

pub mod parties;
pub mod transactions;

pub use parties::*;
pub use transactions::*;

use crate as pallet_proof_of_work_done;
use crate::Pallet;
use frame_support::derive_impl;
use sp_core::Pair;
use sp_runtime::{testing::UintAuthorityId, traits::BlakeTwo256, BuildStorage};

pub type AccountId = u64;
pub type Header = sp_runtime::generic::Header<u64, BlakeTwo256>;
pub type Block = sp_runtime::generic::Block<Header, UncheckedExtrinsic>;
pub type TxExtension = (frame_system::AuthorizeCall<Test>,);
pub type UncheckedExtrinsic =
	sp_runtime::generic::UncheckedExtrinsic<AccountId, RuntimeCall, UintAuthorityId, TxExtension>;

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
	pub type ProofOfWorkDone = pallet_proof_of_work_done::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

impl crate::Config for Test {
	type Nodes = Nodes;
	type Jobs = Jobs;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = Setup;
}

/// Nodes 0 and 1; jobs 0..300 wait for node 0, jobs 1000..1010 for node 1.
pub fn execute(test: impl FnOnce()) {
	let genesis = RuntimeGenesisConfig::default().build_storage().unwrap();
	sp_io::TestExternalities::from(genesis).execute_with(|| {
		System::set_block_number(1);
		Workers::insert(0, key(0).public());
		Workers::insert(1, key(1).public());
		(0..300).for_each(|job| Assigned::insert(job, 0));
		(1_000..1_010).for_each(|job| Assigned::insert(job, 1));
		test();
		Pallet::<Test>::do_try_state().unwrap();
	});
}
