//! What a job, a clearing and a proof of storage cost: accesses to the storage, as the state machine traces them, and time.
//! Natively and on a state in memory, so that of times no more is asserted than that they are within what is declared. How the
//! costs of jobs compare is asserted of accesses and weights.

use codec::Encode;
use frame_support::{
	assert_ok,
	pallet_prelude::TransactionSource,
	traits::{fungible::Mutate, Authorize, Get, Hooks, UnfilteredDispatchable, WhitelistedStorageKeys},
	weights::{
		constants::{RocksDbWeight, WEIGHT_REF_TIME_PER_NANOS},
		RuntimeDbWeight, Weight,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use highway_primitives::{
	chunk_proof, model::MAX_LINEAGE, traits::Nodes, worker, AskRole, Balance, BlobRef, DeviceClass, EpochIndex,
	ModelId, NodeId, Tier, WorkerAction, WorkerSignature, AIC,
};
use highway_runtime::{
	constants::{DbWeight, RuntimeBlockWeights},
	pallet_storage_proofs::{self, Challenge, Challenges, WeightInfo as _},
	AccountId, AllPalletsWithSystem, Balances, InferenceJobs, NodeStaking, RevenueSplit, Runtime, RuntimeCall, System,
};
use highway_runtime_tests::{curator_call, genesis_of, least_ask_bond, spec, worker_transaction, MILLI};
use pallet_model_registry::{ModelRecord, Models, NextModelId, ParentTerms, RoyaltyState, Versions};
use pallet_node_staking::NodeDescription;
use pallet_revenue_split::{
	Ask, Asks, Clearing, Clearings, LastCleared, Markets, PendingPay, StoragePay, StoredAt, StoredCount, StoredModel,
	StoredModels, Summaries, SummarisedEpochs, Summary, TotalStoragePay, WeightInfo as _, Winners, MAX_ASKS,
	MAX_SUMMARIES,
};
use sp_core::{hexdisplay::HexDisplay, sr25519, Pair, H256};
use sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{Alice, Charlie, Dave, Eve};
use sp_runtime::Perbill;
use std::{
	cell::RefCell,
	collections::BTreeSet,
	sync::Once,
	time::{Duration, Instant},
};
use tracing::{
	field::{Field, Visit},
	span, Event, Metadata, Subscriber,
};

/// What every node asks for a unit of work, and for a MiB that it stores.
const PRICE: Balance = 10 * MILLI;

/// Own bond of each node: enough for many jobs.
const BOND: Balance = 10_000 * AIC;

/// Jobs that a node takes at the same time.
const SLOTS: u16 = 16;

/// Models of a large market.
const MANY_MODELS: u32 = 10_000;

/// The version of every model.
const VERSION: u32 = 1;

/// The epoch in which all happens: the first one with as many summaries before it as are kept.
const EPOCH: EpochIndex = MAX_SUMMARIES + 1;

/// Runs of which the fastest counts: it is the one that nothing else on the machine held up.
const TIMED_RUNS: usize = 25;

/// Accesses to the storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Accesses {
	reads: u64,
	writes: u64,
}

/// What an act costs.
#[derive(Clone, Copy, Debug)]
struct Cost {
	/// Every access.
	accesses: Accesses,
	/// What weights count: items, each once, but for those that every block has in memory.
	items: Accesses,
	/// Without anybody counting.
	took: Duration,
}

/// One access, as the state machine traces it.
#[derive(Default)]
struct Access {
	writes: Option<bool>,
	key: String,
}

impl Visit for Access {
	fn record_str(&mut self, field: &Field, method: &str) {
		if field.name() == "method" {
			self.writes = Some(matches!(method, "Put" | "Append"));
		}
	}

	fn record_debug(&mut self, field: &Field, value: &dyn core::fmt::Debug) {
		if field.name() == "key" {
			self.key = format!("{value:?}");
		}
	}
}

/// All of them.
#[derive(Default)]
struct Tally {
	accesses: Accesses,
	read: BTreeSet<String>,
	written: BTreeSet<String>,
}

impl Tally {
	fn note(&mut self, access: Access) {
		match access.writes {
			Some(true) => {
				self.accesses.writes += 1;
				self.written.insert(access.key);
			}
			Some(false) => {
				self.accesses.reads += 1;
				// What was written before is in memory.
				if !self.written.contains(&access.key) {
					self.read.insert(access.key);
				}
			}
			None => (),
		}
	}
}

thread_local! {
	/// What this thread counts, while it does.
	static COUNTED: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// Hears all threads of this program. What heard one alone would be heard by chance: whether a place in the code is worth
/// asking is remembered from the first thread that comes by.
struct Counting;

impl Subscriber for Counting {
	fn enabled(&self, metadata: &Metadata<'_>) -> bool {
		metadata.target() == "state"
	}
	fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
		span::Id::from_u64(1)
	}
	fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
	fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
	fn event(&self, event: &Event<'_>) {
		COUNTED.with_borrow_mut(|counted| {
			if let Some(tally) = counted {
				let mut access = Access::default();
				event.record(&mut access);
				tally.note(access);
			}
		});
	}
	fn enter(&self, _: &span::Id) {}
	fn exit(&self, _: &span::Id) {}
}

/// What `act` accesses.
fn count(act: impl FnOnce()) -> Tally {
	static HEARD: Once = Once::new();
	HEARD.call_once(|| tracing::subscriber::set_global_default(Counting).expect("nobody else listens"));
	COUNTED.set(Some(Tally::default()));
	act();
	COUNTED.take().unwrap_or_default()
}

/// The keys of what every block has in memory: benchmarks do not count it either.
fn in_memory() -> BTreeSet<String> {
	let items = AllPalletsWithSystem::whitelisted_storage_keys();
	items
		.iter()
		.map(|item| HexDisplay::from(&item.key).to_string())
		.collect()
}

/// What `act` costs. It leaves nothing behind.
fn measure<Answer>(ext: &mut TestExternalities, act: impl Fn() -> Answer) -> Cost {
	let tally = count(|| {
		ext.execute_with(|| and_roll_back(&act));
	});
	let time = |_| {
		let started = Instant::now();
		ext.execute_with(|| and_roll_back(&act));
		started.elapsed()
	};
	let took = (0..TIMED_RUNS).map(time).min().unwrap_or_default();
	let known = in_memory();
	eprintln!("WRITTEN {:#?}", tally.written.difference(&known).collect::<Vec<_>>());
	let items = |keys: &BTreeSet<String>| keys.difference(&known).count() as u64;
	Cost {
		accesses: tally.accesses,
		items: Accesses {
			reads: items(&tally.read),
			writes: items(&tally.written),
		},
		took,
	}
}

fn and_roll_back<Answer>(act: &impl Fn() -> Answer) -> Answer {
	sp_io::storage::start_transaction();
	let answer = act();
	sp_io::storage::rollback_transaction();
	answer
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
		open_jobs: 0,
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
	let signed = || RawOrigin::Signed(operator.clone());
	assert_ok!(NodeStaking::register(signed().into(), description, BOND, proof.clone()));
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
	assert_ok!(NodeStaking::host(signed().into(), model));
	assert_ok!(<NodeStaking as Nodes<AccountId>>::secure(node, least_ask_bond()));
	node
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

/// Writes prices and as many winners as may be, at which nothing is open.
fn put_clearing(model: ModelId, epoch: EpochIndex) {
	let winners: Winners = BoundedVec::truncate_from((0..MAX_ASKS).collect());
	let clearing = Clearing {
		compute_price: PRICE,
		executors: winners.clone(),
		storage_price: PRICE,
		storage: winners,
		dearest_executor: PRICE,
		dearest_storage: PRICE,
		royalties: Default::default(),
		jobs: 0,
	};
	Clearings::<Runtime>::insert(model, epoch, clearing);
	LastCleared::<Runtime>::insert(model, epoch);
}

/// Writes a model with a full market, whose prices in this epoch are found.
fn put_other_model(place: u32) {
	let model = put_model(None);
	for role in AskRole::ALL {
		put_asks(model, role, 0..MAX_ASKS);
	}
	in_demand(model);
	put_clearing(model, EPOCH);
	let winners: Winners = BoundedVec::truncate_from((0..MAX_ASKS).collect());
	StoredModels::<Runtime>::insert(place, StoredModel { model, winners });
	StoredAt::<Runtime>::insert(model, place);
}

/// A model with so many ancestors, that `asks` nodes want to run and as many others to store, among `others` whose markets are
/// full, in the first block of an epoch that nobody has touched yet. What takes epochs on a living chain is written as they
/// would leave it.
fn market(asks: u32, ancestors: u32, others: u32) -> (TestExternalities, ModelId) {
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
		put_clearing(model, EPOCH - 1);
		let past = EPOCH - MAX_SUMMARIES..EPOCH;
		SummarisedEpochs::<Runtime>::insert(model, BoundedVec::truncate_from(past.clone().collect()));
		past.for_each(|epoch| Summaries::<Runtime>::insert(model, epoch, Summary::default()));
		(0..others).for_each(put_other_model);
		StoredCount::<Runtime>::put(others);
		assert_ok!(curator_call(MILLI).dispatch_bypass_filter(RawOrigin::Signed(Charlie.to_account_id()).into()));
		let first = RevenueSplit::first_block_of(EPOCH);
		System::set_block_number(first);
		RevenueSplit::on_initialize(first);
		System::reset_events();
		model
	});
	ext.commit_all().expect("the state can be stored");
	(ext, model)
}

/// Submits a job that names everybody who may be named. Returns the weight that it is charged.
fn submit(model: ModelId) -> Weight {
	let input = BlobRef::of(b"input");
	let payer = RawOrigin::Signed(Eve.to_account_id());
	let curator = Some(Charlie.to_account_id());
	let submitted = InferenceJobs::submit_job(payer.into(), model, input, Tier::Spot, Balance::MAX, Some(0), curator);
	let charged = submitted.expect("it can be had").actual_weight;
	charged.expect("a job is charged for what it looked at")
}

/// What a job costs, and the weight that it is charged.
type Job = (Cost, Weight);

fn job(ext: &mut TestExternalities, model: ModelId) -> Job {
	let cost = measure(ext, || submit(model));
	(cost, ext.execute_with(|| and_roll_back(&|| submit(model))))
}

/// What the first job of an epoch costs in such a market, which clears it, and what the next one costs.
fn jobs(asks: u32, models: u32) -> [Job; 2] {
	let (mut ext, model) = market(asks, 0, models - 1);
	let first = job(&mut ext, model);
	ext.execute_with(|| {
		submit(model);
		System::reset_events();
	});
	ext.commit_all().expect("the state can be stored");
	[first, job(&mut ext, model)]
}

#[test]
fn a_job_should_cost_the_same_when_64_nodes_ask_and_there_are_10_000_models() {
	let markets = [(1, 1), (MAX_ASKS, 1), (MAX_ASKS, MANY_MODELS)];
	let costs = markets.map(|(asks, models)| jobs(asks, models));
	for (which, job) in ["first", "later"].into_iter().enumerate() {
		for ((asks, models), costs) in markets.iter().zip(&costs) {
			// The table of the README of inference-jobs, in its order.
			let (Cost { accesses, took, .. }, charged) = costs[which];
			let Accesses { reads, writes } = accesses;
			let charged = time_of(charged);
			println!("| {job} | {asks} × {models} | {reads} | {writes} | {took:.0?} | {charged:.0?} |");
			assert!(
				took <= charged,
				"a {job} job takes {took:?}, and is charged for {charged:?}"
			);
		}
	}
	let [[_, small], alone, among] = costs;
	for ((alone, alone_charged), (among, among_charged)) in alone.iter().zip(&among) {
		assert_eq!(
			(alone.accesses, alone_charged),
			(among.accesses, among_charged),
			"other models cost a job nothing"
		);
	}
	let [_, large] = among;
	let ((small, small_charged), (large, large_charged)) = (small, large);
	let all = |cost: Cost| cost.accesses.reads + cost.accesses.writes;
	assert!(
		small.accesses.reads > 0 && small.accesses.writes > 0,
		"accesses were seen"
	);
	assert!(
		10 * all(large) <= 13 * all(small),
		"{:?}, and {:?} in the small market",
		large.accesses,
		small.accesses
	);
	// Not of the weight's second dimension: that is what a job leaves to the due queue, such as another draw after a time-out,
	// for which a market of one has nobody.
	let (large, small) = (time_of(large_charged), time_of(small_charged));
	assert!(
		!small.is_zero() && large * 10 <= small * 13,
		"{large:?} are charged, and {small:?} in the small market"
	);
}

/// The time that a weight stands for.
fn time_of(weight: Weight) -> Duration {
	Duration::from_nanos(weight.ref_time() / WEIGHT_REF_TIME_PER_NANOS)
}

/// Prints what was measured beside what is declared, and checks that it takes no longer than that, nor than a twentieth of a
/// block, and that no more items are accessed. `slower` is the same weight on a slower database: the two differ by what they
/// declare of accesses, and by nothing else.
fn compare(act: &str, cost: Cost, declared: Weight, slower: Weight) {
	let Accesses { reads, writes } = cost.items;
	let (took, bound) = (cost.took, time_of(declared));
	let twentieth = time_of(RuntimeBlockWeights::get().max_block) / 20;
	println!(
		"{act}: {reads} items read, {writes} written, {took:.0?}; declared {bound:.0?}; a twentieth of a block {twentieth:.0?}"
	);
	assert!(reads > 0 && writes > 0, "{act} was not seen");
	assert!(
		took <= bound && bound <= twentieth,
		"{act} takes {took:?}, with {bound:?} declared, of the {twentieth:?} that are a twentieth of a block"
	);
	let counted = |database: RuntimeDbWeight| database.reads_writes(reads, writes);
	let counted = counted(RocksDbWeight::get()).saturating_sub(counted(DbWeight::get()));
	let accesses = slower.saturating_sub(declared);
	assert!(
		counted.ref_time() <= accesses.ref_time(),
		"{act} reads {reads} items and writes {writes}, more than is declared"
	);
}

#[test]
fn a_clearing_should_access_no_more_than_is_declared_when_64_nodes_ask_in_each_role() {
	type Weights = <Runtime as pallet_revenue_split::Config>::WeightInfo;
	let (mut ext, model) = market(MAX_ASKS, MAX_LINEAGE, 0);
	let cost = measure(&mut ext, || {
		let anybody = RawOrigin::Signed(Eve.to_account_id());
		assert_ok!(RevenueSplit::clear(anybody.into(), model));
	});
	let asks = 2 * MAX_ASKS;
	let slower = <() as pallet_revenue_split::WeightInfo>::clear(asks);
	compare("clearing 64 asks in each role", cost, Weights::clear(asks), slower);
}

/// Challenges Alice's node, which has earned something, and returns its answer.
fn proof_of_storage(model: ModelId) -> pallet_storage_proofs::Call<Runtime> {
	let node = NodeStaking::node_of_worker(&Alice.public().into()).expect("Alice's node is of the preset");
	let operator = <NodeStaking as Nodes<AccountId>>::operator(node).expect("it is registered");
	let now = System::block_number();
	StoragePay::<Runtime>::insert(
		operator,
		model,
		PendingPay {
			amount: MILLI,
			since: now,
		},
	);
	TotalStoragePay::<Runtime>::put(MILLI);
	let (artefact, proof) = chunk_proof::largest(0).expect("it has a first chunk");
	let challenge = Challenge {
		artefact,
		chunk: 0,
		drawn_at: now,
		until: now + 1,
		able: true,
	};
	Challenges::<Runtime>::insert(node, model, challenge);
	let answer = WorkerAction::ProveStorage {
		node,
		model,
		drawn_at: now,
		proof,
	};
	match worker_transaction(Alice, answer).function {
		RuntimeCall::StorageProofs(call) => call,
		call => panic!("{call:?} proves nothing"),
	}
}

#[test]
fn a_proof_of_storage_should_access_no_more_than_is_declared_when_the_blob_is_the_largest() {
	type Weights = <Runtime as pallet_storage_proofs::Config>::WeightInfo;
	let (mut ext, model) = market(1, 0, 0);
	let call = ext.execute_with(|| proof_of_storage(model));
	ext.commit_all().expect("the state can be stored");
	let cost = measure(&mut ext, || {
		let authorized = call.authorize(TransactionSource::External);
		assert_ok!(authorized.expect("it is a worker's call"));
		let origin = RawOrigin::<AccountId>::Authorized;
		assert_ok!(call.clone().dispatch_bypass_filter(origin.into()));
	});
	let declared = Weights::prove().saturating_add(Weights::authorize_prove());
	let slower = <() as pallet_storage_proofs::WeightInfo>::prove()
		.saturating_add(<() as pallet_storage_proofs::WeightInfo>::authorize_prove());
	compare("a proof of the largest blob", cost, declared, slower);
}
