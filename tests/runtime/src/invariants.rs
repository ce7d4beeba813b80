//! What must hold between two blocks: each pallet's own invariants, and those that only the runtime can see.

use highway_primitives::{traits::OpenJobs as _, Balance, EpochIndex, JobId, JobPhase, ModelId, NodeId, Role, Verdict};
use highway_runtime::{
	pallet_promotion, AccountId, Balances, CapacityProbes, InferenceJobs, ModelRegistry, NodeStaking, Promotion,
	ProofOfWorkDone, RevenueSplit, Runtime, RuntimeEvent, StorageProofs,
};
use pallet_inference_jobs::Jobs;
use std::collections::BTreeMap;

/// Checks everything; panics with the invariant's name.
pub fn check() {
	check_pallets();
	check_obligations();
	check_reservations();
	check_audits();
	check_open_jobs();
	check_clearings();
	check_summaries();
	check_measurements();
	check_accounts();
}

/// Each pallet's own invariants. They hold in the middle of a block, too, after whatever was done in it.
pub fn check_pallets() {
	ModelRegistry::do_try_state().expect("model registry");
	NodeStaking::do_try_state().expect("node staking");
	RevenueSplit::do_try_state().expect("revenue split");
	InferenceJobs::do_try_state().expect("inference jobs");
	ProofOfWorkDone::do_try_state().expect("proof of work done");
	CapacityProbes::do_try_state().expect("capacity probes");
	StorageProofs::do_try_state().expect("storage proofs");
	Promotion::do_try_state().expect("promotion");
}

/// The pot owes exactly the prices of the jobs that are not finished and the bonds of those who asked for an audit, and
/// neither pot holds anything that it does not owe.
fn check_obligations() {
	let prices: Balance = Jobs::<Runtime>::iter_values()
		.filter(|record| is_open(record.phase()))
		.map(|record| record.deal.price)
		.sum();
	assert_eq!(
		pallet_revenue_split::Books::<Runtime>::get().obligations,
		prices,
		"obligations are the prices of open jobs"
	);
	let bonds: Balance = pallet_proof_of_work_done::Forced::<Runtime>::iter_values()
		.map(|(_, bond)| bond)
		.sum();
	assert_eq!(
		pallet_revenue_split::Books::<Runtime>::get().bonds,
		bonds,
		"bonds are those of the audits that were asked for"
	);
	assert_eq!(RevenueSplit::pot_surplus(), Some(0), "the pot holds what it owes");
	assert_eq!(NodeStaking::pot_surplus(), Some(0), "the stake pot holds what it owes");
}

/// What was promised of a node's bond, there or lost to an offence's slash, is what stands behind its asks, the security of
/// its unfinished jobs, and that of the audits that hold it as a judge; and its taken slots are its assigned jobs.
fn check_reservations() {
	let mut expected = BTreeMap::<NodeId, (Balance, u32)>::new();
	for (node, bond) in RevenueSplit::ask_bonds() {
		expected.entry(node).or_default().0 += bond;
	}
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
			"node {node} has promised what stands behind its asks, unfinished jobs and audits"
		);
		assert_eq!(
			standing.assigned, assigned,
			"node {node} has as many slots taken as jobs assigned"
		);
	}
	assert!(
		expected.is_empty(),
		"asks, jobs or audits are of nodes that are gone: {expected:?}"
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

/// Unfinished jobs of a model are counted, and keep it.
fn check_open_jobs() {
	let mut open = BTreeMap::<ModelId, u32>::new();
	for record in Jobs::<Runtime>::iter_values().filter(|record| is_open(record.phase())) {
		*open.entry(record.model).or_default() += 1;
	}
	for model in pallet_model_registry::Models::<Runtime>::iter_keys() {
		let jobs = open.remove(&model).unwrap_or_default();
		assert_eq!(
			(RevenueSplit::open_jobs(model), RevenueSplit::has_open_jobs(model)),
			(jobs, jobs > 0),
			"model {model} has its open jobs"
		);
	}
	assert!(open.is_empty(), "jobs run on models that are gone: {open:?}");
}

/// A clearing record counts the unfinished jobs that refer to it.
fn check_clearings() {
	let mut jobs = BTreeMap::<(ModelId, EpochIndex), u32>::new();
	for record in Jobs::<Runtime>::iter_values().filter(|record| is_open(record.phase())) {
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

/// What is summed up of an epoch is what its settled jobs paid: exactly, as long as the records of all of them are kept.
fn check_summaries() {
	let mut settled = BTreeMap::<(ModelId, EpochIndex), (u32, u64, [Balance; Role::ALL.len()])>::new();
	for record in Jobs::<Runtime>::iter_values().filter(|record| record.phase() == JobPhase::Settled) {
		let (jobs, units, lines) = settled.entry((record.model, record.deal.epoch)).or_default();
		*jobs += 1;
		*units += u64::from(record.deal.units);
		for line in &record.bill {
			lines[line.role as usize] += line.amount;
		}
	}
	for (model, epoch, summary) in pallet_revenue_split::Summaries::<Runtime>::iter() {
		let (jobs, units, lines) = settled.remove(&(model, epoch)).unwrap_or_default();
		assert!(
			summary.jobs >= jobs,
			"model {model}, epoch {epoch} has more settled jobs than are summed up"
		);
		if summary.jobs == jobs {
			assert_eq!(
				(summary.units, summary.lines),
				(units, lines),
				"model {model}, epoch {epoch} is summed up by its jobs' bills"
			);
		}
	}
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

/// In a block the issuance rises by the rewards of a session and by the subsidies of its settled jobs, and falls by what
/// the split burned of prices, slashes, fines and broken commitments, by what the stake pot burned, by half of what
/// promotion cost, and by dropped dust, and by nothing else.
pub fn check_issuance(before: Balance, events: &[RuntimeEvent]) {
	use pallet_node_staking::Event as Node;
	use pallet_revenue_split::Event as Split;
	let stake_pot = NodeStaking::pot_account();
	let (mut minted, mut lost, mut burned_stake, mut offences): (Balance, Balance, Balance, Balance) = (0, 0, 0, 0);
	for event in events {
		match event {
			RuntimeEvent::NodeStaking(Node::SessionRewarded { minted: amount, .. })
			| RuntimeEvent::RevenueSplit(Split::Subsidised { amount, .. }) => minted += amount,
			RuntimeEvent::NodeStaking(Node::OffenceSlashed { own, delegated, .. }) => {
				offences += (own + delegated).div_ceil(2)
			}
			RuntimeEvent::RevenueSplit(
				Split::Burned { amount: burned, .. }
				| Split::AskForfeited { burned, .. }
				| Split::StoragePayForfeited { burned, .. }
				| Split::StorageFined { burned, .. },
			)
			| RuntimeEvent::Promotion(pallet_promotion::Event::Promoted { burned, .. }) => lost += burned,
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
		"the issuance changes by rewards, by subsidies and by what is burned only"
	);
	// Beyond it burns what roundings left in the pool of a node that went.
	assert!(
		burned_stake >= offences,
		"half of what offences cost burns: {burned_stake} of {offences}"
	);
	check_subsidies(events);
}

/// A job's subsidy is no more than half of what it burned itself.
fn check_subsidies(events: &[RuntimeEvent]) {
	use pallet_revenue_split::Event as Split;
	let mut burned = BTreeMap::<JobId, Balance>::new();
	for event in events {
		match event {
			RuntimeEvent::RevenueSplit(Split::Burned { job, amount }) => *burned.entry(*job).or_default() += amount,
			RuntimeEvent::RevenueSplit(Split::Subsidised { job, amount, .. }) => {
				let burned = burned.get(job).copied().unwrap_or_default();
				assert!(*amount <= burned / 2, "job {job} burned {burned} and got {amount}");
			}
			_ => (),
		}
	}
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
