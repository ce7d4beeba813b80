//! What must hold between two blocks: each pallet's own invariants, and those that only the runtime can see.

use highway_primitives::{Balance, EpochIndex, JobPhase, ModelId, NodeId, Verdict};
use highway_runtime::{
	AccountId, Balances, CapacityProbes, InferenceJobs, ModelRegistry, NodeStaking, ProofOfWorkDone, RevenueSplit,
	Runtime, RuntimeEvent,
};
use pallet_inference_jobs::Jobs;
use std::collections::BTreeMap;

/// Checks everything; panics with the invariant's name.
pub fn check() {
	ModelRegistry::do_try_state().expect("model registry");
	NodeStaking::do_try_state().expect("node staking");
	RevenueSplit::do_try_state().expect("revenue split");
	InferenceJobs::do_try_state().expect("inference jobs");
	ProofOfWorkDone::do_try_state().expect("proof of work done");
	CapacityProbes::do_try_state().expect("capacity probes");
	check_obligations();
	check_reservations();
	check_audits();
	check_open_jobs();
	check_clearings();
	check_commitments();
	check_measurements();
	check_accounts();
}

/// The pot owes exactly the prices of the jobs that are not finished and the bonds of those who asked for an audit, and
/// neither pot holds anything that it does not owe.
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
	let bonds: Balance = pallet_proof_of_work_done::Forced::<Runtime>::iter_values()
		.map(|(_, bond)| bond)
		.sum();
	assert_eq!(
		pallet_revenue_split::Bonds::<Runtime>::get(),
		bonds,
		"bonds are those of the audits that were asked for"
	);
	assert_eq!(RevenueSplit::pot_surplus(), Some(0), "the pot holds what it owes");
	assert_eq!(NodeStaking::pot_surplus(), Some(0), "the stake pot holds what it owes");
}

/// What was promised of a node's bond, there or lost to an offence's slash, is the security of its unfinished jobs and of
/// the audits that hold it as a judge; and its taken slots are its assigned jobs.
fn check_reservations() {
	let mut expected = BTreeMap::<NodeId, (Balance, u32)>::new();
	for (job, record) in Jobs::<Runtime>::iter().filter(|(_, record)| is_open(record.phase())) {
		let executor = record.executor().expect("an unfinished job is with a node");
		let (promised, assigned) = expected.entry(executor).or_default();
		*promised += record.security;
		*assigned += u32::from(record.phase() == JobPhase::Assigned);
		if let Some(audit) = ProofOfWorkDone::audit(job) {
			for judge in audit.held() {
				expected.entry(judge).or_default().0 += record.security;
			}
		}
	}
	for (node, standing) in pallet_node_staking::Standings::<Runtime>::iter() {
		let (promised, assigned) = expected.remove(&node).unwrap_or_default();
		assert_eq!(
			standing.reserved + standing.unsecured,
			promised,
			"node {node} has promised the security of its unfinished jobs and audits"
		);
		assert_eq!(
			standing.assigned, assigned,
			"node {node} has as many slots taken as jobs assigned"
		);
	}
	assert!(
		expected.is_empty(),
		"jobs or audits are with nodes that are gone: {expected:?}"
	);
}

/// A job is in audit exactly while its audit goes on, and ends as its audit did.
fn check_audits() {
	for (job, record) in Jobs::<Runtime>::iter() {
		let audit = ProofOfWorkDone::audit(job).map(|audit| audit.verdict());
		let fits = match record.phase() {
			JobPhase::Assigned | JobPhase::Attested | JobPhase::Refunded | JobPhase::Failed => audit.is_none(),
			JobPhase::Auditing => audit == Some(None),
			JobPhase::Settled => matches!(audit, None | Some(Some(Verdict::Upheld | Verdict::Unaudited))),
			JobPhase::Rejected => audit == Some(Some(Verdict::Rejected)),
			JobPhase::Void => audit == Some(Some(Verdict::Void)),
		};
		assert!(fits, "job {job} is {:?}, its audit {audit:?}", record.phase());
	}
	let orphan =
		pallet_proof_of_work_done::Audits::<Runtime>::iter_keys().find(|job| !Jobs::<Runtime>::contains_key(job));
	assert_eq!(orphan, None, "an audit outlived its job");
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

/// What is known is known of nodes that are there.
fn check_measurements() {
	let orphan =
		pallet_capacity_probes::Measurements::<Runtime>::iter_keys().find(|node| NodeStaking::node(*node).is_none());
	assert_eq!(orphan, None, "a measurement outlived its node");
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

/// In a block the issuance rises by the rewards of a session, and falls by what the split burned, by what the stake pot
/// burned and by dropped dust, and by nothing else.
pub fn check_issuance(before: Balance, events: &[RuntimeEvent]) {
	let stake_pot = NodeStaking::pot_account();
	let (mut minted, mut lost, mut burned_stake, mut offences): (Balance, Balance, Balance, Balance) = (0, 0, 0, 0);
	for event in events {
		match event {
			RuntimeEvent::NodeStaking(pallet_node_staking::Event::SessionRewarded { minted: amount, .. }) => {
				minted += amount
			}
			RuntimeEvent::NodeStaking(pallet_node_staking::Event::OffenceSlashed { own, delegated, .. }) => {
				offences += (own + delegated).div_ceil(2)
			}
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Burned { amount, .. }) => lost += amount,
			RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => lost += amount,
			RuntimeEvent::Balances(pallet_balances::Event::Burned { who, amount }) if *who == stake_pot => {
				burned_stake += amount
			}
			_ => (),
		}
	}
	assert_eq!(
		Balances::total_issuance() + lost + burned_stake,
		before + minted,
		"the issuance changes by rewards and by what is burned only"
	);
	// Beyond it burns what roundings left in the pool of a node that went.
	assert!(
		burned_stake >= offences,
		"half of what offences cost burns: {burned_stake} of {offences}"
	);
}

/// What an account can spend.
pub fn free(who: &AccountId) -> Balance {
	frame_system::Account::<Runtime>::get(who).data.free
}

/// Whether the payer's money still waits in the pot.
pub fn is_open(phase: JobPhase) -> bool {
	match phase {
		JobPhase::Assigned | JobPhase::Attested | JobPhase::Auditing => true,
		JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed | JobPhase::Rejected | JobPhase::Void => false,
	}
}
