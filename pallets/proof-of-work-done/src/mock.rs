//! A runtime with this pallet, `AuthorizeCall` as its transaction extension, and parties behind its traits that keep books.

pub mod acts;
pub mod jobs;
pub mod parties;
pub mod transactions;

pub use acts::*;
pub use jobs::*;
pub use parties::*;
pub use transactions::*;

use crate as pallet_proof_of_work_done;
use crate::Pallet;
use codec::Encode;
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU32, FindAuthor, Get, Hooks},
	ConsensusEngineId,
};
use highway_primitives::{BlockNumber, NodeId};
use sp_core::H256;
use sp_runtime::{traits::BlakeTwo256, BuildStorage};

pub type AccountId = u64;
pub type Header = sp_runtime::generic::Header<u64, BlakeTwo256>;
pub type Block = sp_runtime::generic::Block<Header, UncheckedExtrinsic>;
pub type UncheckedExtrinsic = highway_mocks::Transaction<RuntimeCall, Test>;

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

impl highway_mocks::MockRuntime for Test {}

/// Validators that have no node and no job: they take turns.
pub const NEUTRAL: [AccountId; 4] = [901, 902, 903, 904];

parameter_types! {
	/// Who validates; the author of block n is the n-th, over and over.
	pub static Validators: Vec<AccountId> = NEUTRAL.to_vec();
	/// Validators that skip their slots: the first one takes them.
	pub static Absent: Vec<AccountId> = vec![];
	/// Whether blocks have a VRF.
	pub static HasVrf: bool = true;
	/// Makes other VRFs.
	pub static Salt: u64 = 0;
}

pub struct Turns;
impl FindAuthor<AccountId> for Turns {
	fn find_author<'a, I: IntoIterator<Item = (ConsensusEngineId, &'a [u8])>>(_: I) -> Option<AccountId> {
		let validators = Validators::get();
		let turn = System::block_number().checked_rem(validators.len() as u64)?;
		let author = validators.get(turn as usize).copied();
		author
			.filter(|author| !Absent::get().contains(author))
			.or(validators.first().copied())
	}
}

pub struct BlockVrf;
impl Get<Option<[u8; 32]>> for BlockVrf {
	fn get() -> Option<[u8; 32]> {
		HasVrf::get().then(|| sp_io::hashing::blake2_256(&(Salt::get(), System::block_number()).encode()))
	}
}

impl crate::Config for Test {
	type Models = Models;
	type Nodes = Nodes;
	type Market = Market;
	type Jobs = Jobs;
	type BlockVrf = BlockVrf;
	type FindAuthor = Turns;
	type Validators = Validators;
	type RevealBlocks = ConstU32<6>;
	type WeightInfo = ();
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	Validators::set(NEUTRAL.to_vec());
	Absent::set(vec![]);
	HasVrf::set(true);
	Works::set(vec![]);
	let genesis = RuntimeGenesisConfig::default().build_storage().unwrap();
	let mut ext = sp_io::TestExternalities::from(genesis);
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// So many nodes, ids from 0, each with an operator of its own.
pub fn execute_with(nodes: NodeId, test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		(0..nodes).for_each(join);
		Purses::insert(PAYER, 1_000_000);
		let all = total();
		test();
		check();
		assert_eq!(total(), all, "no coin came into being or went");
	});
	Salt::set(0);
}

/// Nodes 0 and 1; jobs 0..300 wait for node 0, jobs 1000..1010 for node 1.
pub fn execute(test: impl FnOnce()) {
	execute_with(2, || {
		(0..300).for_each(|job| assign(job, 0));
		(1_000..1_010).for_each(|job| assign(job, 1));
		test();
	});
}

/// This pallet's invariants, and that the parties' books agree with its records.
pub fn check() {
	Pallet::<Test>::do_try_state().unwrap();
	check_books();
}

/// Runs the blocks up to `block`; what follows happens in it.
pub fn go_to(block: BlockNumber) {
	while now() < block {
		ProofOfWorkDone::on_finalize(System::block_number());
		System::set_block_number(System::block_number() + 1);
		System::set_parent_hash(H256::from_low_u64_be(System::block_number()));
		ProofOfWorkDone::on_initialize(System::block_number());
		run_due();
	}
}

pub fn go(blocks: BlockNumber) {
	go_to(now() + blocks);
}

pub fn now() -> BlockNumber {
	System::block_number() as BlockNumber
}
