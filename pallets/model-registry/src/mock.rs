//! A runtime with nothing but accounts, balances and the registry.

use crate as pallet_model_registry;
use crate::{Artefacts, Commitments, Error, Event, ModelRecordOf, Models, Pallet};
use codec::Encode;
use frame_support::{
	derive_impl, parameter_types, storage_alias, traits::fungible::InspectHold, BoundedVec, Twox64Concat,
};
use frame_system::RawOrigin;
use highway_primitives::{
	model::{
		model_commitment, DType, DerivativeTerms, ModelName, TensorSpec, Trace, Unit, VerificationPolicy, VersionSpec,
	},
	traits::OpenJobs,
	Balance, BlobHash, BlobRef, BlockNumber, ModelId,
};
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Perbill};

pub type AccountId = u64;
pub type Registry = Pallet<Test>;
pub type RegistryError = Error<Test>;
pub type Record = ModelRecordOf<Test>;

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
pub const CAROL: AccountId = 3;
/// Owns the existential deposit and no more.
pub const PAUPER: AccountId = 4;
pub const ENDOWMENT: Balance = 1_000_000_000;

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
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances::Pallet<Test>;
	#[runtime::pallet_index(2)]
	pub type ModelRegistry = pallet_model_registry::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = frame_support::traits::ConstU128<1>;
}

parameter_types! {
	pub const BaseDeposit: Balance = 1_000;
	pub const DepositPerByte: Balance = 10;
	pub const RoyaltyNotice: BlockNumber = 7;
	pub const RoyaltyRisePeriod: BlockNumber = 30;
	pub const VersionNotice: BlockNumber = 5;
	pub const CommitBlocks: BlockNumber = 3;
	pub const CommitLifetime: BlockNumber = 20;
	pub const MaxRoyalty: Balance = 1_000_000_000_000;
	pub const SmallestRise: Balance = 1_000;
	pub const MaxVersions: u32 = 4;
}

/// Models on which jobs are open.
#[storage_alias]
pub type Busy = StorageMap<Mock, Twox64Concat, ModelId, ()>;

pub struct Jobs;
impl OpenJobs for Jobs {
	fn has_open_jobs(model: ModelId) -> bool {
		Busy::contains_key(model)
	}
}

impl pallet_model_registry::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Jobs = Jobs;
	type BaseDeposit = BaseDeposit;
	type DepositPerByte = DepositPerByte;
	type RoyaltyNotice = RoyaltyNotice;
	type RoyaltyRisePeriod = RoyaltyRisePeriod;
	type VersionNotice = VersionNotice;
	type CommitBlocks = CommitBlocks;
	type CommitLifetime = CommitLifetime;
	type MaxRoyalty = MaxRoyalty;
	type SmallestRise = SmallestRise;
	type MaxVersions = MaxVersions;
	type WeightInfo = ();
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn cleared(_: ModelId) {}
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	let balances = vec![(ALICE, ENDOWMENT), (BOB, ENDOWMENT), (CAROL, ENDOWMENT), (PAUPER, 1)];
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances,
			..Default::default()
		},
		..Default::default()
	};
	let mut ext = sp_io::TestExternalities::from(genesis.build_storage().expect("the genesis is valid"));
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs a test in block 1 and checks the invariants after it.
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		Registry::do_try_state().expect("the invariants hold");
	});
}

pub fn bytes<S: sp_core::Get<u32>>(text: &str) -> BoundedVec<u8, S> {
	text.as_bytes().to_vec().try_into().expect("short enough")
}

pub fn name(text: &str) -> ModelName {
	bytes(text)
}

pub fn tensor(name: &str, dtype: DType) -> TensorSpec {
	TensorSpec {
		name: bytes(name),
		dtype,
		shape: BoundedVec::truncate_from(vec![None, Some(8)]),
	}
}

pub fn spec() -> VersionSpec {
	VersionSpec {
		artifact: BlobRef::of(b"a model"),
		licence: bytes("Apache-2.0"),
		inputs: BoundedVec::truncate_from(vec![tensor("x", DType::I32)]),
		outputs: BoundedVec::truncate_from(vec![tensor("y", DType::F32)]),
		unit: Unit::Request,
		unit_time_ms: 100,
		policy: VerificationPolicy::Tolerance {
			atol: 1_000,
			rtol: 1_000,
			outliers: Perbill::from_percent(1),
		},
		trace: Some(Trace {
			tensor: bytes("inside"),
			tolerance: 1_500,
		}),
		detection: Perbill::from_percent(60),
		shares_runs: false,
		recipe: None,
	}
}

pub fn terms(percent: u32, floor: Balance) -> Option<DerivativeTerms> {
	Some(DerivativeTerms {
		share: Perbill::from_percent(percent),
		floor,
	})
}

/// [`spec`] with an artefact that is named after the text.
pub fn spec_of(text: &str) -> VersionSpec {
	VersionSpec {
		artifact: BlobRef::of(text.as_bytes()),
		..spec()
	}
}

/// The salt of all commitments.
pub const SALT: [u8; 32] = [9; 32];

/// What `owner` commits to before it brings the artefact to the chain.
pub fn commitment(owner: AccountId, artefact: &BlobHash) -> H256 {
	model_commitment(&owner.encode(), artefact, &SALT)
}

/// Commits to an artefact, as if that had been long enough ago. Returns the salt.
pub fn committed(owner: AccountId, artefact: &BlobHash) -> Option<[u8; 32]> {
	let hash = commitment(owner, artefact);
	Registry::do_commit_model(owner, hash).expect("the owner can pay, and has not committed to it yet");
	Commitments::<Test>::mutate(owner, hash, |commitment| {
		commitment.as_mut().expect("it was just made").from = System::block_number();
	});
	Some(SALT)
}

/// Registers a model after its owner committed to its artefact. With a parent, a block after everything before.
pub fn register(
	owner: AccountId,
	text: &str,
	spec: VersionSpec,
	parent: Option<ModelId>,
	derivative_terms: Option<DerivativeTerms>,
	royalty: Balance,
) -> Result<ModelId, DispatchError> {
	if parent.is_some() {
		System::set_block_number(System::block_number() + 1);
	}
	let salt = committed(owner, &spec.artifact.hash);
	Registry::do_register(owner, name(text), spec, parent, derivative_terms, royalty, salt)
}

/// Registers a model without parent, children or royalty. Its artefact is [`spec_of`] `text`, or, if that is taken, one
/// of its owner's.
pub fn registered(owner: AccountId, text: &str) -> ModelId {
	let mut spec = spec_of(text);
	if Artefacts::<Test>::contains_key(spec.artifact.hash) {
		spec = spec_of(&format!("{text} of {owner}"));
	}
	register(owner, text, spec, None, None, 0).expect("the model is valid")
}

/// Sets a royalty through the dispatchable.
pub fn set_royalty(owner: AccountId, model: ModelId, royalty: Balance) -> DispatchResult {
	Registry::update_terms(RawOrigin::Signed(owner).into(), model, Some(royalty), None)
}

pub fn record(model: ModelId) -> Record {
	Models::<Test>::get(model).expect("the model is registered")
}

pub fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&crate::HoldReason::ModelDeposit.into(), &who)
}

/// What is held for commitments.
pub fn held_for_commitments(who: AccountId) -> Balance {
	Balances::balance_on_hold(&crate::HoldReason::CommitmentDeposit.into(), &who)
}

pub fn last_event() -> Event<Test> {
	match System::events().pop().expect("there are events").event {
		RuntimeEvent::ModelRegistry(event) => event,
		other => panic!("the last event is {other:?}"),
	}
}
