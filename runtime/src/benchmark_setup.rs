//! What the pallets' benchmarks find: models, nodes and jobs, made by the same calls as on a living chain.

use crate::{
	AccountId, Balance, Balances, InferenceJobs, ModelRegistry, NodeStaking, RevenueSplit, Runtime, RuntimeOrigin,
	System,
};
use alloc::{format, vec::Vec};
use codec::Encode;
use frame_benchmarking::account;
use frame_support::{traits::fungible::Mutate, BoundedVec};
use frame_system::RawOrigin;
use highway_primitives::{
	job::MAX_QUORUM,
	model::{DerivativeTerms, VersionSpec, MAX_LINEAGE},
	traits::Nodes as _,
	work_tag,
	worker::{self, WorkerSignature},
	BlobRef, BlockNumber, DeviceClass, FailureClass, JobId, ModelId, ModelVersion, NodeId, Quorum, Tier, WorkTag,
	WorkerId, AIC,
};
use pallet_inference_jobs::{benchmarking::Dearest, Jobs, NextJobId};
use pallet_model_registry::NextModelId;
use pallet_node_staking::{NodeDescription, Standings, MAX_SLOTS};
use pallet_proof_of_work_done::{SealedBlock, Vrfs, RING};
use pallet_revenue_split::{AskRole, Clearing, Clearings, LastCleared, Winners, MAX_ASKS};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::Perbill;

/// A fortune: no benchmark spends as much.
const PLENTY: Balance = 1_000_000_000 * AIC;

/// What a node of the benchmarks asks for a unit of work and of storage.
const ASK: Balance = AIC;

/// The version of a model that was just registered.
const NEW_MODEL_VERSION: ModelVersion = 1;

/// Prepares the runtime for the benchmarks of every pallet.
pub struct BenchmarkSetup;

fn funded(name: &'static str, index: u32) -> AccountId {
	let who = account(name, index, 0);
	Balances::set_balance(&who, PLENTY);
	who
}

fn signed(who: &AccountId) -> RuntimeOrigin {
	RawOrigin::Signed(who.clone()).into()
}

/// The largest specification, with little time per unit, so that any input has a possible deadline.
fn spec() -> VersionSpec {
	VersionSpec {
		unit_time_ms: 1,
		..pallet_model_registry::benchmarking::largest_spec()
	}
}

/// Registers a model with as many ancestors as there may be, each of another maker: the longest bill.
fn model() -> ModelId {
	let terms = DerivativeTerms {
		share: Perbill::from_percent(10),
		floor: 1,
	};
	let mut parent = None;
	for depth in 0..=MAX_LINEAGE {
		let id = NextModelId::<Runtime>::get();
		let name = BoundedVec::truncate_from(format!("{id:0>64}").into_bytes());
		let maker = funded("maker", depth);
		ModelRegistry::register(signed(&maker), name, spec(), parent, Some(terms), AIC).expect("the maker can pay");
		parent = Some(id);
	}
	parent.unwrap_or_default()
}

fn genesis() -> sp_core::H256 {
	System::block_hash(0)
}

/// Registers a node that takes as many jobs as a node may.
fn node(operator: &AccountId, worker: WorkerId) -> NodeId {
	let payload = worker::registration_payload(genesis(), &operator.encode());
	let proof = worker.sign(&payload).expect("the keystore has the worker key");
	let address = BoundedVec::truncate_from([b'/'; 128].to_vec());
	let description = NodeDescription {
		worker,
		peer_id: BoundedVec::truncate_from([1; 64].to_vec()),
		addresses: BoundedVec::truncate_from([(); 4].map(|()| address.clone()).to_vec()),
		device: DeviceClass::Cuda,
		memory_mib: u32::MAX,
		region: BoundedVec::truncate_from([b'r'; 32].to_vec()),
	};
	NodeStaking::register(signed(operator), description, PLENTY / 2, proof).expect("the operator can pay the bond");
	let node = NodeStaking::node_of(operator).expect("it was registered");
	let session = NodeStaking::current_session();
	let unread = WorkerSignature::from(sp_core::sr25519::Signature::from_raw([0; 64]));
	NodeStaking::heartbeat(
		RawOrigin::<AccountId>::Authorized.into(),
		node,
		session,
		true,
		MAX_SLOTS,
		unread,
	)
	.expect("an authorized heartbeat is taken");
	node
}

/// [`node`] that hosts `model`.
fn node_hosting(operator: &AccountId, worker: WorkerId, model: ModelId) -> NodeId {
	let node = node(operator, worker);
	NodeStaking::host(signed(operator), model).expect("the model is registered");
	node
}

/// The operator of the `index`th node; registers the node the first time.
fn operator_hosting(model: ModelId, index: u32) -> AccountId {
	let operator = account("operator", index, 0);
	if NodeStaking::node_of(&operator).is_none() {
		node_hosting(&funded("operator", index), WorkerId::generate_pair(None), model);
	}
	operator
}

fn ask(operator: &AccountId, model: ModelId, role: AskRole) {
	RevenueSplit::post_ask(signed(operator), model, role, ASK).expect("there is a place in the book");
}

/// Prices of the model in the first market epoch, which no job refers to: the next first touch removes them.
fn former_clearing(model: ModelId) {
	let winners: Winners = BoundedVec::truncate_from((0..MAX_ASKS).collect());
	let record = Clearing {
		compute_price: ASK,
		executors: winners.clone(),
		storage_price: ASK,
		storage: winners,
		royalties: Default::default(),
		jobs: 0,
	};
	Clearings::<Runtime>::insert(model, 0, record);
	LastCleared::<Runtime>::insert(model, 0);
}

/// Goes to the first block of the next market epoch, in which the asks hold.
fn next_market_epoch() {
	let last = RevenueSplit::last_block_of(RevenueSplit::current_epoch());
	System::set_block_number(last.saturating_add(1));
}

fn submit(payer: &AccountId, model: ModelId) -> JobId {
	let job = NextJobId::<Runtime>::get();
	let input = BlobRef {
		hash: Default::default(),
		size: 4_096,
	};
	InferenceJobs::submit_job(signed(payer), model, input, Tier::Spot, Balance::MAX, None, None)
		.expect("the payer can pay and a node has a slot");
	job
}

/// As if the node had said that it cannot do the job.
fn reported(job: JobId, node: NodeId) {
	Jobs::<Runtime>::mutate(job, |record| {
		let record = record.as_mut().expect("the job was submitted");
		record.tried.try_push(node).expect("three nodes may have had it");
		record
			.failures
			.try_push((node, FailureClass::RunFailed))
			.expect("three nodes may have had it");
	});
}

/// As if the job were the first of the largest quorum: its reassignment reads all siblings.
fn in_quorum(job: JobId) {
	let quorum = Quorum {
		first: job,
		size: MAX_QUORUM,
	};
	let mut record = Jobs::<Runtime>::get(job).expect("the job was submitted");
	record.quorum = Some(quorum);
	quorum
		.jobs()
		.for_each(|member| Jobs::<Runtime>::insert(member, &record));
}

fn set_slots(node: NodeId, slots: u16) {
	Standings::<Runtime>::mutate(node, |standing| {
		if let Some(standing) = standing {
			standing.slots = slots;
		}
	});
}

impl pallet_revenue_split::benchmarking::BenchmarkSetup<AccountId> for BenchmarkSetup {
	fn model() -> ModelId {
		model()
	}

	fn operator_hosting(model: ModelId, index: u32) -> AccountId {
		operator_hosting(model, index)
	}
}

impl pallet_inference_jobs::benchmarking::BenchmarkSetup<AccountId> for BenchmarkSetup {
	fn market(executors: u32) -> Dearest<AccountId> {
		let model = model();
		for index in 0..executors {
			ask(&operator_hosting(model, index), model, AskRole::Compute);
			ask(
				&operator_hosting(model, index.saturating_add(MAX_ASKS)),
				model,
				AskRole::Storage,
			);
		}
		next_market_epoch();
		former_clearing(model);
		let curator = funded("curator", 0);
		RevenueSplit::post_curator_fee(signed(&curator), ASK).expect("the curator can pay the deposit");
		Dearest {
			model,
			payer: funded("payer", 0),
			gateway: NodeStaking::node_of(&operator_hosting(model, 0)),
			curator: Some(curator),
		}
	}
}

impl pallet_proof_of_work_done::benchmarking::BenchmarkSetup<AccountId> for BenchmarkSetup {
	fn assigned(worker: WorkerId, jobs: u32, reporters: u32) -> (NodeId, Vec<(JobId, WorkTag)>) {
		let model = model();
		let executor = funded("executor", 0);
		let executor_node = node_hosting(&executor, worker, model);
		ask(&executor, model, AskRole::Compute);
		let others = (1..MAX_ASKS)
			.map(|index| {
				let operator = operator_hosting(model, index);
				ask(&operator, model, AskRole::Compute);
				NodeStaking::node_of(&operator).expect("it was registered")
			})
			.collect::<Vec<_>>();
		next_market_epoch();
		// The others have no slot while the jobs are drawn, and many when one of them is passed on.
		others.iter().for_each(|node| set_slots(*node, 0));
		let payer = funded("payer", 0);
		let jobs = (0..jobs)
			.map(|_| {
				let job = submit(&payer, model);
				others
					.iter()
					.take(reporters as usize)
					.for_each(|node| reported(job, *node));
				let work = Jobs::<Runtime>::get(job).map(|record| work_tag(&record.work));
				(job, work.unwrap_or_default())
			})
			.collect::<Vec<_>>();
		if let [(job, _)] = jobs.as_slice() {
			in_quorum(*job);
		}
		others.iter().for_each(|node| set_slots(*node, MAX_SLOTS));
		(executor_node, jobs)
	}

	fn judges(count: u32) -> Vec<NodeId> {
		(0..count)
			.map(|index| node(&funded("judge", index), WorkerId::generate_pair(None)))
			.collect()
	}

	fn end_phase(job: JobId) {
		let record = Jobs::<Runtime>::get(job).expect("the job was submitted");
		System::set_block_number(record.due());
		InferenceJobs::poke(signed(&account("anybody", 0, 0)), job).expect("the phase is over");
	}

	fn calibrator() -> (ModelId, ModelVersion, AccountId) {
		let model = model();
		(model, NEW_MODEL_VERSION, operator_hosting(model, 0))
	}
}

impl pallet_capacity_probes::benchmarking::BenchmarkSetup for BenchmarkSetup {
	fn node(worker: WorkerId) -> NodeId {
		node(&funded("probed", 0), worker)
	}

	fn seal(block: BlockNumber) {
		let seal = Some((account("author", 0, 0), [9; 32]));
		Vrfs::<Runtime>::insert(block % RING, SealedBlock { block, seal });
	}
}
