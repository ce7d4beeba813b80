//! What must hold between two blocks: each pallet's own invariants, and those that only the runtime can see.

use highway_primitives::{Balance, EpochIndex, JobPhase, ModelId, NodeId};
use highway_runtime::{
	AccountId, Balances, InferenceJobs, ModelRegistry, NodeStaking, ProofOfWorkDone, RevenueSplit, Runtime,
	RuntimeEvent,
};
use pallet_inference_jobs::{JobState, Jobs};
use std::collections::BTreeMap;

/// Checks everything; panics with the invariant's name.
pub fn check() {
	ModelRegistry::do_try_state().expect("model registry");
	NodeStaking::do_try_state().expect("node staking");
	RevenueSplit::do_try_state().expect("revenue split");
	InferenceJobs::do_try_state().expect("inference jobs");
	ProofOfWorkDone::do_try_state().expect("proof of work done");
	check_obligations();
	check_reservations();
	check_open_jobs();
	check_clearings();
	check_commitments();
	check_accounts();
}

/// The pot owes exactly the prices of the jobs that are not finished, and holds nothing that it does not owe.
fn check_obligations() {
	let prices: Balance = Jobs::<Runtime>::iter_values()
		.filter(|record| is_open(record.phase()))
		.map(|record| record.deal.price)
		.sum();
	assert_eq!(
		pallet_revenue_split::Obligations::<Runtime>::get(),
		prices,
		"obligations are the prices of open jobs"
	);
	assert_eq!(RevenueSplit::pot_surplus(), Some(0), "the pot holds what it owes");
}

/// What is reserved of a node is the security of its unfinished jobs, and its taken slots are its assigned ones.
fn check_reservations() {
	let mut expected = BTreeMap::<NodeId, (Balance, u32)>::new();
	for record in Jobs::<Runtime>::iter_values() {
		match record.state {
			JobState::Assigned { node, .. } => {
				let (reserved, assigned) = expected.entry(node).or_default();
				*reserved += record.security;
				*assigned += 1;
			}
			JobState::Attested { node, .. } => expected.entry(node).or_default().0 += record.security,
			JobState::Settled { .. } | JobState::Refunded { .. } | JobState::Failed { .. } => (),
		}
	}
	for (node, standing) in pallet_node_staking::Standings::<Runtime>::iter() {
		let (reserved, assigned) = expected.remove(&node).unwrap_or_default();
		assert_eq!(
			standing.reserved, reserved,
			"node {node} has reserved the security of its unfinished jobs"
		);
		assert_eq!(
			standing.assigned, assigned,
			"node {node} has as many slots taken as jobs assigned"
		);
	}
	assert!(expected.is_empty(), "jobs are with nodes that are gone: {expected:?}");
}

/// A model counts its unfinished jobs.
fn check_open_jobs() {
	let mut open = BTreeMap::<ModelId, u32>::new();
	for record in Jobs::<Runtime>::iter_values().filter(|record| is_open(record.phase())) {
		*open.entry(record.model).or_default() += 1;
	}
	for (model, record) in pallet_model_registry::Models::<Runtime>::iter() {
		assert_eq!(
			record.open_jobs,
			open.remove(&model).unwrap_or_default(),
			"model {model} counts its open jobs"
		);
	}
	assert!(open.is_empty(), "jobs run on models that are gone: {open:?}");
}

/// A clearing record counts the jobs that are kept and refer to it.
fn check_clearings() {
	let mut jobs = BTreeMap::<(ModelId, EpochIndex), u32>::new();
	for record in Jobs::<Runtime>::iter_values() {
		*jobs.entry((record.model, record.deal.epoch)).or_default() += 1;
	}
	for (model, epoch, clearing) in pallet_revenue_split::Clearings::<Runtime>::iter() {
		let expected = jobs.remove(&(model, epoch)).unwrap_or_default();
		assert_eq!(
			clearing.jobs, expected,
			"the record of model {model}, epoch {epoch} counts its jobs"
		);
	}
	assert!(jobs.is_empty(), "jobs refer to records that are gone: {jobs:?}");
}

/// A commitment is kept for every job that was attested, and for no other.
fn check_commitments() {
	for (job, record) in Jobs::<Runtime>::iter() {
		assert_eq!(
			pallet_proof_of_work_done::Commitments::<Runtime>::contains_key(job),
			record.output().is_some(),
			"job {job} has a commitment exactly if it has an output"
		);
	}
	let orphan =
		pallet_proof_of_work_done::Commitments::<Runtime>::iter_keys().find(|job| !Jobs::<Runtime>::contains_key(job));
	assert_eq!(orphan, None, "a commitment outlived its job");
}

/// The issuance is what all accounts have.
fn check_accounts() {
	let sum: Balance = frame_system::Account::<Runtime>::iter_values()
		.map(|account| account.data.free + account.data.reserved)
		.sum();
	assert_eq!(
		Balances::total_issuance(),
		sum,
		"the issuance is what all accounts have"
	);
}

/// In a block the issuance falls by what the split burned and by dropped dust, and by nothing else.
pub fn check_issuance(before: Balance, events: &[RuntimeEvent]) {
	let lost: Balance = events
		.iter()
		.map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Burned { amount, .. }) => *amount,
			RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => *amount,
			_ => 0,
		})
		.sum();
	assert_eq!(
		Balances::total_issuance() + lost,
		before,
		"the issuance changes by what is burned only"
	);
}

/// What an account can spend.
pub fn free(who: &AccountId) -> Balance {
	frame_system::Account::<Runtime>::get(who).data.free
}

/// Whether the payer's money still waits in the pot.
pub fn is_open(phase: JobPhase) -> bool {
	match phase {
		JobPhase::Assigned | JobPhase::Attested => true,
		JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed => false,
	}
}
