//! Chains of any size, written and not lived: what takes epochs, and many people, stands in the state as they would leave it.

use crate::{cost::and_roll_back, curator_call, genesis_of, least_ask_bond, spec, MILLI};
use codec::Encode;
use frame_support::{
	assert_ok,
	traits::{fungible::Mutate, Hooks, UnfilteredDispatchable},
	weights::Weight,
	BoundedVec,
};
use frame_system::RawOrigin;
use highway_primitives::{
	traits::Nodes, worker, AskRole, Balance, BlobRef, BlockNumber, DeviceClass, EpochIndex, JobId, ModelId, NodeId,
	Tier, WorkerSignature, AIC,
};
use highway_runtime::{
	constants::MAX_TICK_WEIGHT, AccountId, Balances, CapacityProbes, InferenceJobs, NodeStaking, Promotion,
	ProofOfWorkDone, RevenueSplit, Runtime, StorageProofs, System,
};
use pallet_inference_jobs::{Assignments, Due, JobRecordOf, JobState, Jobs, NextDue, NextJobId, WeightInfo as _};
use pallet_model_registry::{ModelRecord, Models, NextModelId, ParentTerms, RoyaltyState, Versions};
use pallet_node_staking::NodeDescription;
use pallet_revenue_split::{
	Ask, Asks, Clearing, Clearings, LastCleared, Markets, StoredAt, StoredCount, StoredModel, StoredModels, Summaries,
	SummarisedEpochs, Summary, Winners, MAX_ASKS, MAX_SUMMARIES,
};
use sp_core::{sr25519, Pair, H256};
use sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{Charlie, Dave, Eve};
use sp_runtime::Perbill;

/// What every node asks for a unit of work, and for a MiB that it stores.
const PRICE: Balance = 10 * MILLI;

/// Own bond of each node: enough for many jobs.
const BOND: Balance = 10_000 * AIC;

/// Jobs that a node takes at the same time.
const SLOTS: u16 = 16;

/// The version of every model.
const VERSION: u32 = 1;

/// The epoch in which all happens: the first one with as many summaries before it as are kept.
const EPOCH: EpochIndex = MAX_SUMMARIES + 1;

/// Blocks after which the first of the open jobs beside a market is due: later than anything that is looked at.
const FAR: BlockNumber = 10_000;

/// Blocks over which those jobs are due.
const SPREAD: u32 = 1_000;

/// What there is on a chain beside the market that is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Beside {
	/// Other models, each cleared in this epoch.
	pub models: u32,
	/// Nodes that ask for running each of them, and as many for storing it. All of them win.
	pub asks: u32,
	/// Other nodes, registered and heard.
	pub nodes: u32,
	/// Open jobs of the model that is looked at. Only their records are there: they take nobody's slots or bond.
	pub jobs: u32,
}

/// A model with so many ancestors, that `asks` nodes want to run and as many others to store, in the first block of an epoch
/// that nobody has touched yet.
pub fn market(asks: u32, ancestors: u32, beside: &Beside) -> (TestExternalities, ModelId) {
	let mut ext = genesis_of(LOCAL_TESTNET_RUNTIME_PRESET);
	let model = ext.execute_with(|| {
		System::set_block_number(1);
		let root = put_model(None);
		let model = (0..ancestors).fold(root, |parent, _| put_model(Some(parent)));
		let nodes: Vec<NodeId> = (0..2 * asks).map(|index| join(index, model)).collect();
		for (role, nodes) in AskRole::ALL.into_iter().zip(nodes.chunks(asks as usize)) {
			put_asks(model, role, nodes.iter().copied());
		}
		in_demand(model);
		put_clearing(model, EPOCH - 1, MAX_ASKS);
		let past = EPOCH - MAX_SUMMARIES..EPOCH;
		SummarisedEpochs::<Runtime>::insert(model, BoundedVec::truncate_from(past.clone().collect()));
		past.for_each(|epoch| Summaries::<Runtime>::insert(model, epoch, Summary::default()));
		(0..beside.models).for_each(|place| put_other_model(place, beside.asks));
		StoredCount::<Runtime>::put(beside.models);
		(0..beside.nodes).for_each(|index| {
			register(2 * asks + index);
		});
		assert_ok!(curator_call(MILLI).dispatch_bypass_filter(RawOrigin::Signed(Charlie.to_account_id()).into()));
		let first = RevenueSplit::first_block_of(EPOCH);
		System::set_block_number(first);
		RevenueSplit::on_initialize(first);
		put_jobs(model, beside.jobs);
		System::reset_events();
		model
	});
	ext.commit_all().expect("the state can be stored");
	(ext, model)
}

/// A job that was submitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Submitted {
	/// Its id.
	pub job: JobId,
	/// The weight that it is charged.
	pub charged: Weight,
}

/// Submits a job that names everybody who may be named.
pub fn submit(model: ModelId) -> Submitted {
	let job = NextJobId::<Runtime>::get();
	let input = BlobRef::of(b"input");
	let payer = RawOrigin::Signed(Eve.to_account_id());
	let curator = Some(Charlie.to_account_id());
	let submitted = InferenceJobs::submit_job(payer.into(), model, input, Tier::Spot, Balance::MAX, Some(0), curator);
	let charged = submitted.expect("it can be had").actual_weight;
	Submitted {
		job,
		charged: charged.expect("a job is charged for what it looked at"),
	}
}

/// Clears the model's epoch, as anybody may.
pub fn clear(model: ModelId) {
	let anybody = RawOrigin::Signed(Eve.to_account_id());
	assert_ok!(RevenueSplit::clear(anybody.into(), model));
}

/// More jobs than the due queue has room for in a block, if the time of their nodes is over in it: were there nobody left to draw, it
/// would have room for one less.
pub fn more_than_a_tick_takes() -> u32 {
	type Steps = <Runtime as pallet_inference_jobs::Config>::WeightInfo;
	let least = Steps::tick_look().saturating_add(Steps::tick_time_out(0));
	(MAX_TICK_WEIGHT.ref_time() / least.ref_time()) as u32 + 1
}

/// The next block is the first one of an epoch, and the time of the nodes of so many jobs is over in it. Returns the block, which has
/// begun, but for the hooks.
pub fn before_hooks(model: ModelId, due: u32) -> BlockNumber {
	let block = RevenueSplit::last_block_of(RevenueSplit::current_epoch()) + 1;
	for _ in 0..due {
		let job = submit(model).job;
		let mut record = InferenceJobs::job(job).expect("it was submitted");
		let JobState::Assigned { node, .. } = record.state else {
			panic!("a job is with a node when it is submitted")
		};
		Due::<Runtime>::remove(record.due(), job);
		record.state = JobState::Assigned {
			node,
			deadline: block - 1,
		};
		Due::<Runtime>::insert(record.due(), job, ());
		Jobs::<Runtime>::insert(job, record);
	}
	NextDue::<Runtime>::put(block);
	// What the parent's author drew: challenges are drawn from it.
	pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([7u8; 32]));
	System::set_block_number(block);
	System::reset_events();
	block
}

/// What the pallets of ours do in a block by themselves.
pub fn hooks(block: BlockNumber) {
	RevenueSplit::on_initialize(block);
	InferenceJobs::on_initialize(block);
	ProofOfWorkDone::on_initialize(block);
	CapacityProbes::on_initialize(block);
	StorageProofs::on_initialize(block);
	Promotion::on_initialize(block);
	ProofOfWorkDone::on_finalize(block);
}

/// What a new session adds to the hooks of its first block: validators are chosen.
pub fn choose_validators() {
	assert!(NodeStaking::choose_validators().is_some(), "the preset has validators");
}

/// Writes a model as its registration leaves it.
fn put_model(parent: Option<ModelId>) -> ModelId {
	let model = NextModelId::<Runtime>::get();
	let name = format!("model-{model}");
	let record = ModelRecord {
		owner: Dave.to_account_id(),
		name: BoundedVec::truncate_from(name.as_bytes().to_vec()),
		version: VERSION,
		coming: None,
		parent: parent.map(|model| ParentTerms {
			model,
			share: Perbill::from_percent(10),
			floor: 1,
		}),
		derivative_terms: None,
		terms_since: 0,
		royalty: RoyaltyState::new(MILLI),
		deprecated: false,
		children: 0,
		deposit: 0,
	};
	Models::<Runtime>::insert(model, record);
	Versions::<Runtime>::insert(model, VERSION, spec(&name));
	NextModelId::<Runtime>::put(model + 1);
	model
}

/// Registers a node that hosts the model, is heard, and has a bond behind an ask.
fn join(index: u32, model: ModelId) -> NodeId {
	let (operator, node) = register(index);
	assert_ok!(NodeStaking::host(RawOrigin::Signed(operator).into(), model));
	assert_ok!(<NodeStaking as Nodes<AccountId>>::secure(node, least_ask_bond()));
	node
}

/// Registers a node that is heard.
fn register(index: u32) -> (AccountId, NodeId) {
	let pair = sr25519::Pair::from_seed(&H256::from_low_u64_be(u64::from(index) + 1).0);
	let operator = AccountId::from(pair.public());
	assert_ok!(Balances::mint_into(&operator, 2 * BOND));
	let payload = worker::registration_payload(System::block_hash(0), &operator.encode());
	let proof = WorkerSignature::from(pair.sign(&payload));
	let description = NodeDescription {
		worker: pair.public().into(),
		peer_id: Default::default(),
		addresses: Default::default(),
		device: DeviceClass::CpuX86,
		memory_mib: 1_024,
		region: Default::default(),
	};
	let signed = RawOrigin::Signed(operator.clone());
	assert_ok!(NodeStaking::register(signed.into(), description, BOND, proof.clone()));
	let node = <NodeStaking as Nodes<AccountId>>::node_of(&operator).expect("it was registered");
	let authorized = RawOrigin::<AccountId>::Authorized;
	let session = NodeStaking::current_session();
	assert_ok!(NodeStaking::heartbeat(
		authorized.into(),
		node,
		session,
		true,
		SLOTS,
		proof
	));
	(operator, node)
}

/// Writes what nodes ask.
fn put_asks(model: ModelId, role: AskRole, nodes: impl Iterator<Item = NodeId>) {
	let asks = nodes.map(|node| Ask {
		current: Some(PRICE),
		bond: least_ask_bond(),
		..Ask::none(node)
	});
	Asks::<Runtime>::insert(model, role, BoundedVec::truncate_from(asks.collect()));
}

/// As if the model were in such demand that everybody who asks wins.
fn in_demand(model: ModelId) {
	Markets::<Runtime>::mutate(model, |state| state.demand.ema = u64::MAX);
}

/// The first so many nodes.
fn winners(count: u32) -> Winners {
	BoundedVec::truncate_from((0..count).collect())
}

/// Writes prices and winners, at which nothing is open.
fn put_clearing(model: ModelId, epoch: EpochIndex, count: u32) {
	let clearing = Clearing {
		compute_price: PRICE,
		executors: winners(count),
		storage_price: PRICE,
		storage: winners(count),
		dearest_executor: PRICE,
		dearest_storage: PRICE,
		royalties: Default::default(),
		jobs: 0,
	};
	Clearings::<Runtime>::insert(model, epoch, clearing);
	LastCleared::<Runtime>::insert(model, epoch);
}

/// Writes a model whose prices in this epoch are found.
fn put_other_model(place: u32, asks: u32) {
	let model = put_model(None);
	for role in AskRole::ALL {
		put_asks(model, role, 0..asks);
	}
	in_demand(model);
	put_clearing(model, EPOCH, asks);
	let winners = winners(asks);
	StoredModels::<Runtime>::insert(place, StoredModel { model, winners });
	StoredAt::<Runtime>::insert(model, place);
}

/// Writes open jobs, like one that is submitted now.
fn put_jobs(model: ModelId, count: u32) {
	if count == 0 {
		return;
	}
	let like: JobRecordOf<Runtime> =
		and_roll_back(|| InferenceJobs::job(submit(model).job)).expect("a job that is submitted has a record");
	let node = like.executor().expect("a job is with a node when it is submitted");
	let (first, now) = (NextJobId::<Runtime>::get(), System::block_number());
	for index in 0..count {
		let job = first + JobId::from(index);
		let mut record = like.clone();
		record.state = JobState::Assigned {
			node,
			deadline: now + FAR + index % SPREAD,
		};
		Due::<Runtime>::insert(record.due(), job, ());
		Assignments::<Runtime>::insert(node, job, ());
		Jobs::<Runtime>::insert(job, record);
	}
	NextJobId::<Runtime>::put(first + JobId::from(count));
}
