//! What the pallets' benchmarks find: models, nodes and jobs, made by the same calls as on a living chain, but for what
//! takes epochs there: asks, and demand.

use crate::{
	configs::MAX_VALIDATORS, constants::EXISTENTIAL_DEPOSIT, AccountId, Balance, Balances, InferenceJobs, NodeStaking,
	RevenueSplit, Runtime, RuntimeOrigin, SessionKeys, System,
};
use alloc::{format, vec::Vec};
use codec::{Decode, Encode};
use frame_benchmarking::{account, whitelisted_caller};
use frame_support::{traits::fungible::Mutate, BoundedVec};
use frame_system::RawOrigin;
use highway_math::demand::Demand;
use highway_primitives::{
	audit::{AuditReason, Seat, Verdict},
	job::MAX_QUORUM,
	model::{DerivativeTerms, VersionSpec, MAX_LINEAGE},
	traits::Nodes as _,
	worker::{self, WorkerSignature},
	BlobRef, BlockNumber, DeviceClass, EpochIndex, FailureClass, JobId, ModelId, ModelVersion, NodeId, ProbeTerms,
	Quorum, Tier, WorkId, WorkerId, AIC, MAX_INPUTS,
};
use pallet_capacity_probes::{Answer, Answers, Measurement, Measurements, Round, RoundRecord, Rounds, Terms};
use pallet_inference_jobs::{benchmarking::Dearest, Jobs, NextJobId};
use pallet_model_registry::{
	benchmarking::{largest_spec, register_model},
	NextModelId,
};
use pallet_node_staking::{NextNodeId, NodeDescription, Nodes, Standings, MAX_SLOTS};
use pallet_proof_of_work_done::{
	AuditPhase, AuditRecord, Audits, SealedBlock, SeatRecord, Vrfs, JURORS, MAX_AUDITORS, RING,
};
use pallet_revenue_split::{
	benchmarking::{next_epoch, put_ask},
	Ask, AskRole, Asks, Books, Clearing, Clearings, CuratorProfile, LastCleared, Markets, PendingPay, StoragePay,
	Summaries, SummarisedEpochs, Summary, Winners, MAX_ASKS, MAX_STORED_ASKS, MAX_SUMMARIES,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_consensus_babe::{
	digests::{PreDigest, SecondaryPlainPreDigest},
	BABE_ENGINE_ID,
};
use sp_runtime::{traits::TrailingZeroInput, DigestItem, Perbill};

/// A fortune: no benchmark spends as much.
const PLENTY: Balance = 1_000_000_000 * AIC;

/// Own bond of every node: one unit above the bound of a bag, so that whatever is taken of it moves the node to another bag
/// of the list of candidates. What stands behind the dearest ask fits into it.
const BOND: Balance = 262_144_000 * AIC + 1;

/// Ids so far apart, and so large, that the tree of bonds has all of its levels, and nodes share items on few of them.
const FIRST_ID: NodeId = 1 << 31;
const ID_STEP: NodeId = 1 << 23;

/// What a node of the benchmarks asks for a unit of work and of storage.
const ASK: Balance = AIC;

/// The version of a model that was just registered.
const NEW_MODEL_VERSION: ModelVersion = 1;

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
		..largest_spec()
	}
}

/// Registers a model with as many ancestors as there may be: the longest bill.
fn model() -> ModelId {
	model_of(MAX_LINEAGE)
}

/// Registers a model with so many ancestors, each of another maker.
fn model_of(ancestors: u32) -> ModelId {
	let terms = DerivativeTerms {
		share: Perbill::from_percent(10),
		floor: 1,
	};
	let mut parent = None;
	for depth in 0..=ancestors {
		let id = NextModelId::<Runtime>::get();
		let name = BoundedVec::truncate_from(format!("{id:0>64}").into_bytes());
		let maker = funded("maker", depth);
		register_model::<Runtime>(maker, name, spec(), parent, Some(terms), AIC).expect("the maker can pay");
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
	NextNodeId::<Runtime>::mutate(|next| *next = (*next).max(FIRST_ID).next_multiple_of(ID_STEP));
	NodeStaking::register(signed(operator), description, BOND, proof).expect("the operator can pay the bond");
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
	let node = NodeStaking::node_of(operator).expect("it was registered");
	put_ask::<Runtime>(node, model, role, ASK).expect("the operator has a large bond");
}

/// As if the model were in such demand that everybody who asks wins.
fn in_demand(model: ModelId) {
	Markets::<Runtime>::mutate(model, |state| {
		state.demand = Demand {
			ema: u64::MAX,
			epoch: 0,
			jobs: 0,
		};
	});
}

/// Prices and payees at which nothing is open.
fn clearing() -> Clearing<AccountId> {
	let winners: Winners = BoundedVec::truncate_from((0..MAX_ASKS).collect());
	Clearing {
		compute_price: ASK,
		executors: winners.clone(),
		storage_price: ASK,
		storage: winners,
		dearest_executor: ASK,
		dearest_storage: ASK,
		royalties: Default::default(),
		jobs: 0,
	}
}

/// Prices of the model in the first market epoch, which no job refers to, and as many summaries as are kept: the next first
/// touch removes the one and the oldest of the others.
fn former_clearing(model: ModelId) {
	Clearings::<Runtime>::insert(model, 0, clearing());
	LastCleared::<Runtime>::insert(model, 0);
	let oldest = EpochIndex::MAX;
	let epochs = (0..MAX_SUMMARIES).map(|index| oldest.saturating_sub(index)).collect();
	SummarisedEpochs::<Runtime>::insert(model, BoundedVec::truncate_from(epochs));
	Summaries::<Runtime>::insert(model, oldest, Summary::default());
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

fn longest_profile() -> CuratorProfile {
	CuratorProfile {
		name: BoundedVec::truncate_from([b'c'; 32].to_vec()),
		url: BoundedVec::truncate_from([b'u'; 128].to_vec()),
	}
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

/// So many of all the slots that a node may have are taken.
fn take_slots(node: NodeId, taken: u16) {
	Standings::<Runtime>::mutate(node, |standing| {
		if let Some(standing) = standing {
			standing.slots = MAX_SLOTS;
			standing.assigned = taken.into();
		}
	});
}

impl pallet_model_registry::benchmarking::BenchmarkSetup for Runtime {
	fn cleared(model: ModelId) {
		former_clearing(model);
	}
}

impl pallet_revenue_split::benchmarking::BenchmarkSetup for Runtime {
	fn model() -> ModelId {
		model()
	}

	fn operator_hosting(model: ModelId, index: u32) -> AccountId {
		operator_hosting(model, index)
	}

	fn bidder(worker: WorkerId, models: u32) -> (NodeId, Vec<ModelId>) {
		let operator = funded("bidder", 0);
		let node = node(&operator, worker);
		let models: Vec<_> = (0..models).map(|_| model()).collect();
		for model in &models {
			NodeStaking::host(signed(&operator), *model).expect("the node may host as many models");
		}
		(node, models)
	}

	/// One is registered, and the others are as it is.
	fn rivals(models: &[ModelId], count: u32) -> Vec<NodeId> {
		let operator = funded("rival", 0);
		let first = node(&operator, WorkerId::generate_pair(None));
		for model in models {
			NodeStaking::host(signed(&operator), *model).expect("the bidder hosts as many models");
		}
		let bond = <Runtime as pallet_revenue_split::Config>::MinAskBond::get();
		NodeStaking::secure(first, bond).expect("the node can take jobs");
		let (record, standing) = NodeStaking::node(first).expect("it was registered");
		let rivals = first..first.saturating_add(count);
		for node in rivals.clone() {
			Nodes::<Runtime>::insert(node, record.clone());
			Standings::<Runtime>::insert(node, standing);
		}
		rivals.collect()
	}
}

impl pallet_inference_jobs::benchmarking::BenchmarkSetup for Runtime {
	fn market(executors: u32, ancestors: u32) -> Dearest<AccountId> {
		let model = model_of(ancestors);
		for index in 0..executors {
			ask(&operator_hosting(model, index), model, AskRole::Compute);
			ask(
				&operator_hosting(model, index.saturating_add(MAX_ASKS)),
				model,
				AskRole::Storage,
			);
		}
		in_demand(model);
		next_epoch::<Runtime>();
		former_clearing(model);
		let curator = funded("curator", 0);
		RevenueSplit::set_curator(signed(&curator), ASK, longest_profile()).expect("the curator can pay the deposit");
		Dearest {
			model,
			payer: funded("payer", 0),
			gateway: NodeStaking::node_of(&operator_hosting(model, 0)),
			curator: Some(curator),
		}
	}

	fn signer() -> AccountId {
		let signer = whitelisted_caller();
		Balances::set_balance(&signer, PLENTY);
		signer
	}

	fn exhaust() {
		let nodes: Vec<NodeId> = Standings::<Runtime>::iter_keys().collect();
		nodes.into_iter().for_each(|node| take_slots(node, MAX_SLOTS));
	}

	fn audited(job: JobId) {
		let seat = |seat| SeatRecord {
			node: NodeId::MAX,
			seat,
			seed: Default::default(),
			same_device: true,
			commitment: Some(Default::default()),
			ballot: None,
		};
		let auditors = (0..MAX_AUDITORS).map(|_| seat(Seat::Auditor));
		let seats = auditors.chain((0..JURORS).map(|_| seat(Seat::Juror)));
		let record = AuditRecord {
			reason: AuditReason::Drawn,
			executor: NodeId::MAX,
			device: None,
			draw: Default::default(),
			phase: AuditPhase::Ended(Verdict::Upheld),
			until: 0,
			opening: None,
			seats: BoundedVec::truncate_from(seats.collect()),
			slashes: Default::default(),
		};
		Audits::<Runtime>::insert(job, record);
	}
}

/// As many validators as there may be, none of whom operates a node.
fn many_validators() -> Vec<AccountId> {
	let validators: Vec<_> = (0..MAX_VALIDATORS)
		.map(|index| account("validator", index, 0))
		.collect();
	pallet_session::Validators::<Runtime>::put(&validators);
	validators
}

/// The VRF output of this block's author, and of the last block's while there is no other.
fn draw_vrf() {
	pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([9; 32]));
}

impl pallet_proof_of_work_done::benchmarking::BenchmarkSetup for Runtime {
	fn assigned(worker: WorkerId, jobs: u32, reporters: u32) -> (NodeId, Vec<(JobId, WorkId)>) {
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
		in_demand(model);
		next_epoch::<Runtime>();
		others.iter().for_each(|node| take_slots(*node, MAX_SLOTS));
		many_validators();
		let payer = funded("payer", 0);
		let jobs = (0..jobs)
			.map(|_| {
				let job = submit(&payer, model);
				others
					.iter()
					.take(reporters as usize)
					.for_each(|node| reported(job, *node));
				let work = Jobs::<Runtime>::get(job).map(|record| record.work);
				(job, work.unwrap_or_default())
			})
			.collect::<Vec<_>>();
		if let [(job, _)] = jobs.as_slice() {
			in_quorum(*job);
		}
		(executor_node, jobs)
	}

	fn of_most_inputs(job: JobId) {
		Jobs::<Runtime>::mutate(job, |record| {
			record.as_mut().expect("the job was submitted").inputs = MAX_INPUTS;
		});
	}

	fn judges(count: u32) -> Vec<NodeId> {
		(0..count)
			.map(|index| node(&funded("judge", index), WorkerId::generate_pair(None)))
			.collect()
	}

	fn only_judges(count: u32) -> Vec<NodeId> {
		let executor = account::<AccountId>("executor", 0, 0);
		let others: Vec<AccountId> = Nodes::<Runtime>::iter_values()
			.filter(|record| !record.chilled && record.operator != executor)
			.map(|record| record.operator)
			.collect();
		for operator in others {
			NodeStaking::chill(signed(&operator)).expect("it is not chilled");
		}
		Self::judges(count)
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

	fn authored() {
		let last = many_validators().len().saturating_sub(1);
		let authored = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
			authority_index: u32::try_from(last).unwrap_or_default(),
			slot: 0.into(),
		});
		System::deposit_log(DigestItem::PreRuntime(BABE_ENGINE_ID, authored.encode()));
		draw_vrf();
	}
}

impl pallet_node_staking::benchmarking::BenchmarkSetup for Runtime {
	fn set_session_keys(who: &AccountId) {
		let keys = SessionKeys::decode(&mut TrailingZeroInput::zeroes()).expect("any bytes are keys");
		pallet_session::NextKeys::<Runtime>::insert(who, keys);
	}

	fn miss_probe(node: NodeId) {
		Terms::<Runtime>::put(ProbeTerms {
			share: 1,
			spacing: BlockNumber::MAX,
			interval: 1,
			rows_per_slot: 1,
			unmeasured_slots: u16::MAX,
			reward: AIC,
			floors: BoundedVec::truncate_from([(DeviceClass::CpuArm, 1); 8].to_vec()),
		});
		Rounds::<Runtime>::put(1);
		let round = RoundRecord {
			index: 1,
			seed: [7; 32],
			opened: 0,
		};
		Round::<Runtime>::put(round);
		Measurements::<Runtime>::insert(node, Measurement::new(0));
		// Said, and not proved.
		let output = BlobRef {
			hash: Default::default(),
			size: 64,
		};
		Answers::<Runtime>::insert(
			node,
			Answer {
				round: 1,
				output,
				at: 0,
			},
		);
		System::set_block_number(round.proofs_until().saturating_add(1));
	}

	fn open_asks() {
		System::set_block_number(RevenueSplit::last_block_of(RevenueSplit::current_epoch()));
	}
}

impl pallet_capacity_probes::benchmarking::BenchmarkSetup for Runtime {
	fn node(worker: WorkerId) -> NodeId {
		node(&funded("probed", 0), worker)
	}

	fn seal(block: BlockNumber) {
		let seal = Some((account("author", 0, 0), [9; 32]));
		Vrfs::<Runtime>::insert(block % RING, SealedBlock { block, seal });
	}
}

impl pallet_storage_proofs::benchmarking::BenchmarkSetup for Runtime {
	fn provider(worker: WorkerId) -> (NodeId, ModelId) {
		let model = model();
		let operator = funded("provider", 0);
		let node = node_hosting(&operator, worker, model);
		AskRole::ALL.into_iter().for_each(|role| ask(&operator, model, role));
		next_epoch::<Runtime>();
		RevenueSplit::clear(signed(&account("anybody", 0, 0)), model).expect("a node serves the model");
		// The book is as long as may be.
		Asks::<Runtime>::mutate(model, AskRole::Storage, |book| {
			let others = (1..MAX_STORED_ASKS).map(|index| Ask {
				current: Some(ASK),
				..Ask::none(NodeId::MAX.saturating_sub(index))
			});
			let all = book.iter().cloned().chain(others);
			*book = BoundedVec::truncate_from(all.collect());
		});
		draw_vrf();
		// The pot keeps what an account must hold.
		let pot = AIC.saturating_add(EXISTENTIAL_DEPOSIT);
		Balances::mint_into(&RevenueSplit::pot_account(), pot).expect("the issuance has room");
		let pay = PendingPay { amount: AIC, since: 0 };
		StoragePay::<Runtime>::insert(&operator, model, pay);
		Books::<Runtime>::mutate(|books| books.storage_pay = books.storage_pay.saturating_add(AIC));
		(node, model)
	}
}

impl pallet_promotion::benchmarking::BenchmarkSetup for Runtime {
	fn model() -> ModelId {
		model()
	}
}

impl pallet_treasury::ArgumentsFactory<(), AccountId> for Runtime {
	fn create_asset_kind(_: u32) {}

	fn create_beneficiary(seed: [u8; 32]) -> AccountId {
		seed.into()
	}
}
