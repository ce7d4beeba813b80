//! Random lives of a small market. Every block is checked by the chain itself; here it only has to go on.

use highway_primitives::{model::DerivativeTerms, Balance, FailureClass, JobPhase, Tier, AIC};
use highway_runtime::{Balances, RevenueSplit, Runtime, RuntimeCall};
use highway_runtime_tests::{
	invariants::{free, is_open},
	register_call, spec, submit_tier_call, worker_transaction, Chain, Conduct, MILLI,
};
use pallet_inference_jobs::Jobs;
use pallet_revenue_split::AskRole;
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::Perbill;
use std::sync::atomic::{AtomicU32, Ordering};

const PEOPLE: [Sr25519Keyring; 6] = [Alice, Bob, Charlie, Dave, Eve, Ferdie];

/// Something that somebody does. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Act {
	Register {
		who: usize,
		parent: Option<u32>,
		royalty: Balance,
	},
	Deprecate {
		model: u32,
		back: bool,
	},
	Remove {
		model: u32,
	},
	Royalty {
		model: u32,
		royalty: Balance,
	},
	Host {
		who: usize,
		model: u32,
		stop: bool,
	},
	Ask {
		who: usize,
		model: u32,
		storage: bool,
		price: Option<Balance>,
	},
	CuratorFee {
		who: usize,
		fee: Balance,
	},
	Submit {
		who: usize,
		model: u32,
		curator: Option<usize>,
		tier: Tier,
	},
	Attest {
		nth: usize,
	},
	AttestAll {
		node: u32,
	},
	Cheat {
		nth: usize,
	},
	Force {
		nth: usize,
	},
	Behave {
		node: u32,
		conduct: Option<Conduct>,
	},
	Confirm {
		who: usize,
		model: u32,
	},
	Report {
		nth: usize,
		class: u8,
	},
	Poke {
		nth: usize,
	},
	Claim {
		who: usize,
	},
	Bond {
		who: usize,
		amount: Balance,
	},
	Unbond {
		who: usize,
		all: bool,
		amount: Balance,
	},
	Withdraw {
		who: usize,
		leave: bool,
	},
	Delegate {
		who: usize,
		node: u32,
		amount: Balance,
	},
	Undelegate {
		who: usize,
		node: u32,
		amount: Balance,
	},
	Collect {
		who: usize,
		node: u32,
	},
	Pause {
		who: usize,
		back: bool,
	},
	Join {
		who: usize,
		bond: Balance,
	},
	Silence {
		node: u32,
		speak: bool,
	},
	Blocks {
		count: u32,
	},
}

fn act() -> impl Strategy<Value = Act> {
	let who = 0..PEOPLE.len();
	let operator = 0..3usize;
	let model = 0..4u32;
	let price = prop_oneof![Just(0), Just(1), 1..50 * MILLI];
	prop_oneof![
		1 => (who.clone(), proptest::option::of(model.clone()), price.clone())
			.prop_map(|(who, parent, royalty)| Act::Register { who, parent, royalty }),
		1 => (model.clone(), any::<bool>()).prop_map(|(model, back)| Act::Deprecate { model, back }),
		1 => model.clone().prop_map(|model| Act::Remove { model }),
		1 => (model.clone(), price.clone()).prop_map(|(model, royalty)| Act::Royalty { model, royalty }),
		2 => (operator.clone(), model.clone(), any::<bool>()).prop_map(|(who, model, stop)| Act::Host { who, model, stop }),
		3 => (operator.clone(), model.clone(), any::<bool>(), proptest::option::weighted(0.8, price.clone()))
			.prop_map(|(who, model, storage, price)| Act::Ask { who, model, storage, price }),
		1 => (who.clone(), price).prop_map(|(who, fee)| Act::CuratorFee { who, fee }),
		12 => (who.clone(), 0..2u32, proptest::option::of(who.clone()), tier())
			.prop_map(|(who, model, curator, tier)| Act::Submit { who, model, curator, tier }),
		6 => any::<usize>().prop_map(|nth| Act::Attest { nth }),
		2 => (0..4u32).prop_map(|node| Act::AttestAll { node }),
		3 => any::<usize>().prop_map(|nth| Act::Cheat { nth }),
		4 => any::<usize>().prop_map(|nth| Act::Force { nth }),
		2 => (0..5u32, proptest::option::weighted(0.7, conduct())).prop_map(|(node, conduct)| Act::Behave { node, conduct }),
		1 => (who.clone(), model.clone()).prop_map(|(who, model)| Act::Confirm { who, model }),
		4 => (any::<usize>(), 0..2u8).prop_map(|(nth, class)| Act::Report { nth, class }),
		2 => any::<usize>().prop_map(|nth| Act::Poke { nth }),
		2 => who.clone().prop_map(|who| Act::Claim { who }),
		1 => (who.clone(), 1..1_000 * AIC).prop_map(|(who, amount)| Act::Bond { who, amount }),
		2 => (who.clone(), any::<bool>(), 1..1_000_000 * AIC)
			.prop_map(|(who, all, amount)| Act::Unbond { who, all, amount }),
		1 => (who.clone(), any::<bool>()).prop_map(|(who, leave)| Act::Withdraw { who, leave }),
		2 => (who.clone(), 0..4u32, 1..2_000 * AIC).prop_map(|(who, node, amount)| Act::Delegate { who, node, amount }),
		1 => (who.clone(), 0..4u32, 1..2_000 * AIC).prop_map(|(who, node, amount)| Act::Undelegate { who, node, amount }),
		1 => (who.clone(), 0..4u32).prop_map(|(who, node)| Act::Collect { who, node }),
		2 => (who.clone(), any::<bool>()).prop_map(|(who, back)| Act::Pause { who, back }),
		2 => (who, 1_000 * AIC..5_000 * AIC).prop_map(|(who, bond)| Act::Join { who, bond }),
		1 => (0..3u32, any::<bool>()).prop_map(|(node, speak)| Act::Silence { node, speak }),
		8 => (1..8u32).prop_map(|count| Act::Blocks { count }),
	]
}

/// With three nodes that serve, one of four jobs finds too few.
fn tier() -> impl Strategy<Value = Tier> {
	prop_oneof![3 => Just(Tier::Spot), 1 => (2..5u8).prop_map(Tier::Quorum)]
}

fn conduct() -> impl Strategy<Value = Conduct> {
	prop_oneof![
		Just(Conduct::Silent),
		Just(Conduct::Abstains),
		Just(Conduct::Misses),
		Just(Conduct::Accuses),
		Just(Conduct::Copies),
	]
}

/// The unfinished jobs, in the order of their ids.
fn open_jobs() -> Vec<u64> {
	let mut jobs = Jobs::<Runtime>::iter()
		.filter(|(_, record)| is_open(record.phase()))
		.map(|(job, _)| job)
		.collect::<Vec<_>>();
	jobs.sort_unstable();
	jobs
}

fn nth_open(nth: usize) -> Option<u64> {
	let jobs = open_jobs();
	jobs.get(nth % jobs.len().max(1)).copied()
}

/// The transaction's fate does not matter, only that nothing breaks.
fn try_call(chain: &mut Chain, who: Sr25519Keyring, call: impl Into<RuntimeCall>) {
	let _ = chain.call(who, call);
}

fn owner(model: u32) -> Option<Sr25519Keyring> {
	Sr25519Keyring::from_account_id(&pallet_model_registry::Models::<Runtime>::get(model)?.owner)
}

fn perform(chain: &mut Chain, act: Act) {
	use highway_runtime::{
		pallet_inference_jobs::Call as Job, pallet_model_registry::Call as Model, pallet_node_staking::Call as Node,
		pallet_proof_of_work_done::Call as Proof, pallet_revenue_split::Call as Split,
	};
	let by_owner = |chain: &mut Chain, model: u32, call: Model<Runtime>| {
		if let Some(owner) = owner(model) {
			try_call(chain, owner, call);
		}
	};
	match act {
		Act::Register { who, parent, royalty } => {
			let name = format!("m{}", pallet_model_registry::NextModelId::<Runtime>::get());
			let terms = Some(DerivativeTerms {
				share: Perbill::from_percent(30),
				floor: royalty / 2,
			});
			try_call(
				chain,
				PEOPLE[who],
				register_call(&name, spec(&name), parent, terms, royalty),
			);
		}
		Act::Deprecate { model, back: false } => by_owner(chain, model, Model::deprecate { model }),
		Act::Deprecate { model, back: true } => by_owner(chain, model, Model::reinstate { model }),
		Act::Remove { model } => by_owner(chain, model, Model::remove { model }),
		Act::Royalty { model, royalty } => {
			by_owner(
				chain,
				model,
				Model::update_terms {
					model,
					royalty: Some(royalty),
					derivative_terms: None,
				},
			);
		}
		Act::Host {
			who,
			model,
			stop: false,
		} => try_call(chain, PEOPLE[who], Node::host { model }),
		Act::Host { who, model, stop: true } => try_call(chain, PEOPLE[who], Node::unhost { model }),
		Act::Ask {
			who,
			model,
			storage,
			price,
		} => {
			let role = if storage { AskRole::Storage } else { AskRole::Compute };
			match price {
				Some(price) => try_call(chain, PEOPLE[who], Split::post_ask { model, role, price }),
				None => try_call(chain, PEOPLE[who], Split::withdraw_ask { model, role }),
			}
		}
		Act::CuratorFee { who, fee } => try_call(chain, PEOPLE[who], Split::post_curator_fee { fee }),
		Act::Submit {
			who,
			model,
			curator,
			tier,
		} => {
			let curator = curator.map(|curator| PEOPLE[curator].to_account_id());
			try_call(chain, PEOPLE[who], submit_tier_call(model, curator, tier));
		}
		Act::Attest { nth } => {
			// Assigned or not: a second attestation must be refused, not break anything.
			let Some(job) = nth_open(nth) else { return };
			let node = chain.executor(job);
			let _ = chain.apply(worker_transaction(chain.worker(node), chain.attestation(node, &[job])));
		}
		Act::Cheat { nth } => {
			let Some(job) = nth_open(nth) else { return };
			// Not after the attestation: what was committed to is what is opened.
			if chain.job(job).phase() == JobPhase::Assigned {
				chain.cheats.insert(job);
				let node = chain.executor(job);
				let _ = chain.apply(worker_transaction(chain.worker(node), chain.attestation(node, &[job])));
			}
		}
		Act::Force { nth } => {
			let Some(job) = nth_open(nth) else { return };
			let payer = Sr25519Keyring::from_account_id(&chain.job(job).payer).expect("all payers are well-known");
			try_call(chain, payer, Proof::force_audit { job });
		}
		Act::Behave { node, conduct } => {
			chain.conduct.remove(&node);
			chain.conduct.extend(conduct.map(|conduct| (node, conduct)));
		}
		Act::Confirm { who, model } => try_call(chain, PEOPLE[who], Proof::confirm_calibration { model, version: 1 }),
		Act::AttestAll { node } => {
			if highway_runtime::NodeStaking::node(node).is_some() {
				let jobs = open_jobs();
				let _ = chain.apply(worker_transaction(chain.worker(node), chain.attestation(node, &jobs)));
			}
		}
		Act::Report { nth, class } => {
			let Some(job) = nth_open(nth) else { return };
			let node = chain.executor(job);
			let class = if class == 0 {
				FailureClass::InputMissing
			} else {
				FailureClass::RunFailed
			};
			let report = chain.failure_report(node, job, class);
			let _ = chain.apply(worker_transaction(chain.worker(node), report));
		}
		Act::Poke { nth } => {
			if let Some(job) = nth_open(nth) {
				try_call(chain, Eve, Job::poke { job });
			}
		}
		Act::Claim { who } => try_call(chain, PEOPLE[who], Split::claim {}),
		Act::Bond { who, amount } => try_call(chain, PEOPLE[who], Node::bond_extra { amount }),
		Act::Unbond { who, all, amount } => {
			let node = highway_runtime::NodeStaking::node_of_worker(&PEOPLE[who].public().into());
			let bond = node
				.and_then(highway_runtime::NodeStaking::node)
				.map_or(0, |(record, _)| record.bond);
			try_call(
				chain,
				PEOPLE[who],
				Node::unbond {
					amount: if all { bond } else { amount },
				},
			);
		}
		Act::Withdraw { who, leave: false } => try_call(chain, PEOPLE[who], Node::withdraw_unbonded {}),
		Act::Withdraw { who, leave: true } => try_call(chain, PEOPLE[who], Node::deregister {}),
		Act::Delegate { who, node, amount } => {
			let max_commission = Perbill::from_percent(10);
			try_call(
				chain,
				PEOPLE[who],
				Node::delegate {
					node,
					amount,
					max_commission,
				},
			);
		}
		Act::Undelegate { who, node, amount } => try_call(chain, PEOPLE[who], Node::undelegate { node, amount }),
		Act::Collect { who, node } => try_call(chain, PEOPLE[who], Node::claim_rewards { node }),
		Act::Pause { who, back: false } => try_call(chain, PEOPLE[who], Node::chill {}),
		Act::Pause { who, back: true } => try_call(chain, PEOPLE[who], Node::resume {}),
		Act::Join { who, bond } => {
			let description = pallet_node_staking::NodeDescription {
				worker: PEOPLE[who].public().into(),
				peer_id: Default::default(),
				addresses: Default::default(),
				device: highway_primitives::DeviceClass::CpuArm,
				memory_mib: 1,
				region: Default::default(),
			};
			let proof = chain.registration_proof(PEOPLE[who], PEOPLE[who]);
			try_call(
				chain,
				PEOPLE[who],
				Node::register {
					description,
					bond,
					proof,
				},
			);
		}
		Act::Silence { node, speak: false } => {
			chain.silent.insert(node);
		}
		Act::Silence { node, speak: true } => {
			chain.silent.remove(&node);
		}
		Act::Blocks { count } => chain.blocks(count),
	}
}

/// How many jobs ended in which phase, over all lives.
static ENDS: [AtomicU32; 8] = [const { AtomicU32::new(0) }; 8];

/// Half a minute of lives; more if `PROPTEST_CASES` says so.
fn cases() -> u32 {
	std::env::var("PROPTEST_CASES")
		.ok()
		.and_then(|cases| cases.parse().ok())
		.unwrap_or(48)
}

proptest! {
	#![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

	fn lives_keep_the_market_sound(acts in proptest::collection::vec(act(), 1..120)) {
		Chain::local(|chain| {
			let minted = pallet_node_staking::Minted::<Runtime>::get;
			let issuance = Balances::total_issuance() - minted();
			chain.served_model(MILLI, 10 * MILLI);
			let second = chain.register_model(Eve, "second", 0);
			chain.serve(second, &[(Alice, 5 * MILLI), (Bob, 9 * MILLI)]);
			for act in acts {
				perform(chain, act);
			}
			// No state without an exit: with nobody doing anything any more, every job ends.
			for _ in 0..60 {
				if open_jobs().is_empty() {
					break;
				}
				chain.blocks(7);
			}
			assert!(open_jobs().is_empty(), "{:?}", open_jobs());
			for record in Jobs::<Runtime>::iter_values() {
				ENDS[record.phase() as usize].fetch_add(1, Ordering::Relaxed);
			}
			assert_eq!(pallet_revenue_split::Obligations::<Runtime>::get(), 0);
			assert_eq!(pallet_revenue_split::Bonds::<Runtime>::get(), 0);
			for (account, earned) in pallet_revenue_split::Earnings::<Runtime>::iter().collect::<Vec<_>>() {
				if let Some(who) = Sr25519Keyring::from_account_id(&account) {
					let before = free(&RevenueSplit::pot_account());
					chain.ok(who, pallet_revenue_split::Call::claim {});
					assert_eq!(free(&RevenueSplit::pot_account()), before - earned);
				}
			}
			chain.close();
			assert!(Balances::total_issuance() - minted() <= issuance);
		});
	}
}

#[test]
fn the_market_should_stay_sound_whatever_people_do() {
	lives_keep_the_market_sound();
	let ends = ENDS.each_ref().map(|count| count.load(Ordering::Relaxed));
	println!("jobs that ended assigned, attested, auditing, settled, refunded, failed, rejected, void: {ends:?}");
	// Lives in which nothing happens would prove nothing. Two equal reports are rare, and have a test of their own; so has a
	// rejection, which needs five operators.
	assert_eq!(ends[..3], [0, 0, 0]);
	let count = |phase: JobPhase| ends[phase as usize];
	let often = [JobPhase::Settled, JobPhase::Refunded, JobPhase::Void];
	assert!(often.into_iter().all(|phase| count(phase) > 0), "{ends:?}");
}
