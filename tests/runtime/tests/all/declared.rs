//! What weighs most takes no longer than it declares. Natively, and on a state in memory: Wasm takes some times as long, and there
//! `scripts/weights --check` looks, so that no machine is too slow for this.

use frame_support::{
	assert_ok,
	dispatch::GetDispatchInfo,
	traits::{GetCallMetadata, Hooks, UnfilteredDispatchable},
	weights::{constants::WEIGHT_REF_TIME_PER_NANOS, Weight},
};
use frame_system::RawOrigin;
use highway_primitives::{model::MAX_LINEAGE, work_tag, AttestItem, JobId, ModelId, Tier, MAX_INPUTS};
use highway_runtime::{constants::MAX_TICK_WEIGHT, AccountId, InferenceJobs, Runtime};
use highway_runtime_tests::{
	cost::{and_roll_back, measure, measure_after, Cost},
	output_of,
	scale::{before_hooks, market, more_than_a_tick_takes, submit, Beside},
	submit_batch_call, submit_tier_call,
};
use pallet_revenue_split::MAX_ASKS;
use sp_keyring::Sr25519Keyring::{Alice, Charlie, Eve};
use std::time::Duration;

/// Jobs of one attestation: as many as a node has slots for on such a chain.
const ATTESTED: u32 = 16;

/// Prints what an act takes beside what it declares, and checks that it is no more.
fn compare(act: &str, cost: Cost, declared: Weight) {
	let took = cost.took;
	let bound = Duration::from_nanos(declared.ref_time() / WEIGHT_REF_TIME_PER_NANOS);
	println!("{act}: {took:.1?}, declared {bound:.2?}");
	assert!(
		!took.is_zero() && took <= bound,
		"{act} takes {took:?}, and declares {bound:?}"
	);
}

#[test]
fn a_submission_should_take_no_longer_than_it_declares_when_it_clears_a_market_of_64() {
	let (mut ext, model) = market(MAX_ASKS, MAX_LINEAGE, &Beside::default());
	let curator = Some(Charlie.to_account_id());
	let calls = [
		submit_tier_call(model, curator, Tier::Quorum(7)),
		submit_batch_call(model, MAX_INPUTS),
	];
	for call in calls {
		let declared = ext.execute_with(|| call.get_dispatch_info().call_weight);
		let cost = measure(&mut ext, || {
			let payer = RawOrigin::Signed(Eve.to_account_id());
			assert_ok!(call.clone().dispatch_bypass_filter(payer.into()));
		});
		compare(call.get_call_metadata().function_name, cost, declared);
	}
}

/// What the node says that has all of so many new jobs.
fn attestation(model: ModelId, jobs: u32) -> pallet_proof_of_work_done::Call<Runtime> {
	let jobs: Vec<JobId> = (0..jobs).map(|_| submit(model).job).collect();
	let records = jobs
		.iter()
		.map(|job| InferenceJobs::job(*job).expect("it was submitted"));
	let node = records.clone().find_map(|record| record.executor());
	let item = |(job, work)| AttestItem {
		job,
		work: work_tag(&work),
		output: output_of(job),
		commitment: Default::default(),
	};
	let works = records.map(|record| record.work);
	let items: Vec<AttestItem> = jobs.iter().copied().zip(works).map(item).collect();
	pallet_proof_of_work_done::Call::attest {
		node: node.expect("a job is with a node when it is submitted"),
		items: items.try_into().expect("no more than 256"),
		signature: Alice.sign(b"").into(),
	}
}

#[test]
fn an_attestation_should_take_no_longer_than_it_declares_when_a_node_has_done_all_that_it_had() {
	let (mut ext, model) = market(1, 0, &Beside::default());
	let weight = || attestation(model, ATTESTED).get_dispatch_info().call_weight;
	let declared = ext.execute_with(|| and_roll_back(weight));
	let attest = |call: pallet_proof_of_work_done::Call<Runtime>| {
		let node = RawOrigin::<AccountId>::Authorized;
		let attested = call.dispatch_bypass_filter(node.into()).expect("it is taken");
		assert_eq!(attested.actual_weight, Some(declared), "no job is skipped");
	};
	let cost = measure_after(&mut ext, || attestation(model, ATTESTED), attest);
	compare("an attestation of 16 jobs", cost, declared);
}

#[test]
fn the_due_queue_should_take_no_longer_than_it_weighs_when_more_is_due_than_it_has_room_for() {
	let (mut ext, model) = market(MAX_ASKS, MAX_LINEAGE, &Beside::default());
	let prepare = || before_hooks(model, more_than_a_tick_takes());
	let tick = || {
		let weighed = InferenceJobs::on_initialize(prepare());
		assert!(InferenceJobs::overdue() > 0, "something is left to the next block");
		weighed
	};
	let weighed = ext.execute_with(|| and_roll_back(tick));
	assert!(weighed.all_lte(MAX_TICK_WEIGHT), "{weighed} is more than its share");
	let cost = measure_after(&mut ext, prepare, InferenceJobs::on_initialize);
	compare("a full due queue", cost, weighed);
}
