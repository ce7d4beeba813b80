//! What a job, a clearing and a proof of storage cost. Times are natively on a state in memory, so that of them no more is
//! asserted than that they are within what is declared. How the costs of jobs compare is asserted of accesses and weights.

use frame_support::{
	assert_ok,
	pallet_prelude::TransactionSource,
	traits::{Authorize, Get, UnfilteredDispatchable},
	weights::{
		constants::{RocksDbWeight, WEIGHT_REF_TIME_PER_NANOS},
		RuntimeDbWeight, Weight,
	},
};
use frame_system::RawOrigin;
use highway_primitives::{chunk_proof, model::MAX_LINEAGE, traits::Nodes, ModelId, WorkerAction};
use highway_runtime::{
	constants::{DbWeight, RuntimeBlockWeights},
	pallet_storage_proofs::{self, Challenge, Challenges, WeightInfo as _},
	AccountId, NodeStaking, Runtime, RuntimeCall, System,
};
use highway_runtime_tests::{
	cost::{and_roll_back, measure, Accesses, Cost},
	scale::{clear, market, submit, Beside},
	worker_transaction, MILLI,
};
use pallet_revenue_split::{PendingPay, StoragePay, TotalStoragePay, WeightInfo as _, MAX_ASKS};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::Alice;
use std::time::Duration;

/// Models of a large market.
const MANY_MODELS: u32 = 10_000;

/// So many other models, each with a full market.
fn others(models: u32) -> Beside {
	Beside {
		models,
		asks: MAX_ASKS,
		..Beside::default()
	}
}

/// What a job costs, and the weight that it is charged.
type Job = (Cost, Weight);

fn job(ext: &mut TestExternalities, model: ModelId) -> Job {
	let cost = measure(ext, || submit(model));
	(cost, ext.execute_with(|| and_roll_back(|| submit(model).charged)))
}

/// What the first job of an epoch costs in such a market, which clears it, and what the next one costs.
fn jobs(asks: u32, models: u32) -> [Job; 2] {
	let (mut ext, model) = market(asks, 0, &others(models - 1));
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
			println!("| {job} | {asks} × {models} | {reads} | {writes} | {took:.1?} | {charged:.2?} |");
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
	assert!(
		small.accesses.reads > 0 && small.accesses.writes > 0,
		"accesses were seen"
	);
	assert!(
		10 * large.accesses.all() <= 13 * small.accesses.all(),
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
		"{act}: {reads} items read, {writes} written, {took:.1?}; declared {bound:.2?}; a twentieth of a block {twentieth:.0?}"
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
	let (mut ext, model) = market(MAX_ASKS, MAX_LINEAGE, &others(0));
	let cost = measure(&mut ext, || clear(model));
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
	let (mut ext, model) = market(1, 0, &others(0));
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
