//! Random sequences of everything that anybody can do keep every invariant and every coin.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
	Register(AccountId, u64, Balance),
	Update(AccountId, u64),
	BondExtra(AccountId, Balance),
	Unbond(AccountId, Balance),
	Withdraw(AccountId),
	Chill(AccountId),
	Resume(AccountId),
	Host(AccountId, u32),
	Unhost(AccountId, u32),
	Deregister(AccountId),
	Reap(NodeId),
	Heartbeat(NodeId, bool, u16),
	Reserve(NodeId, Balance),
	FreeSlot(usize),
	Release(usize),
	Secure(NodeId, Balance),
	Slash(usize),
	Fine(NodeId, Balance),
	Outcome(NodeId, bool, u32),
	Offence(Vec<AccountId>, Perbill, u32),
	Delegate(AccountId, NodeId, Balance, u32),
	Undelegate(AccountId, NodeId, Balance),
	WithdrawDelegation(AccountId, NodeId),
	Claim(AccountId, NodeId),
	Commission(AccountId, u32),
	Judge(u32, Balance, Vec<AccountId>),
	Author(AccountId, u32),
	Gift(AccountId, Balance),
	Session(u32),
}

fn step() -> impl Strategy<Value = Step> {
	let who = || 1..=4u64;
	let node = || 0..6u32;
	let amount = || prop_oneof![4 => 0..700u128, 1 => Just(Balance::MAX)];
	let share =
		prop_oneof![3 => 0u32..=1_000_000_000, 1 => 999_000_000u32..=1_000_000_000, 1 => Just(1_000_000_000u32)]
			.prop_map(Perbill::from_parts);
	// Operators delegate too.
	let delegator = || 3..=8u64;
	prop_oneof![
		3 => (who(), 1..=6u64, amount()).prop_map(|(a, b, c)| Step::Register(a, b, c)),
		1 => (who(), 1..=6u64).prop_map(|(a, b)| Step::Update(a, b)),
		2 => (who(), amount()).prop_map(|(a, b)| Step::BondExtra(a, b)),
		3 => (who(), amount()).prop_map(|(a, b)| Step::Unbond(a, b)),
		2 => who().prop_map(Step::Withdraw),
		1 => who().prop_map(Step::Chill),
		2 => who().prop_map(Step::Resume),
		1 => (who(), 0..12u32).prop_map(|(a, b)| Step::Host(a, b)),
		1 => (who(), 0..12u32).prop_map(|(a, b)| Step::Unhost(a, b)),
		2 => who().prop_map(Step::Deregister),
		1 => node().prop_map(Step::Reap),
		4 => (node(), any::<bool>(), 0..6u16).prop_map(|(a, b, c)| Step::Heartbeat(a, b, c)),
		5 => (node(), amount()).prop_map(|(a, b)| Step::Reserve(a, b)),
		3 => any::<usize>().prop_map(Step::FreeSlot),
		3 => any::<usize>().prop_map(Step::Release),
		1 => (node(), any::<bool>(), 0..=100u32).prop_map(|(a, b, c)| Step::Outcome(a, b, c)),
		2 => (node(), amount()).prop_map(|(a, b)| Step::Secure(a, b)),
		2 => any::<usize>().prop_map(Step::Slash),
		2 => (node(), amount()).prop_map(|(a, b)| Step::Fine(a, b)),
		2 => (prop::collection::vec(who(), 1..3), share, 0..4u32).prop_map(|(a, b, c)| Step::Offence(a, b, c)),
		8 => (delegator(), node(), amount(), 0..=30u32).prop_map(|(a, b, c, d)| Step::Delegate(a, b, c, d)),
		4 => (delegator(), node(), amount()).prop_map(|(a, b, c)| Step::Undelegate(a, b, c)),
		3 => (delegator(), node()).prop_map(|(a, b)| Step::WithdrawDelegation(a, b)),
		3 => (delegator(), node()).prop_map(|(a, b)| Step::Claim(a, b)),
		2 => (who(), 0..30u32).prop_map(|(a, b)| Step::Commission(a, b)),
		1 => (any::<u32>(), amount(), prop::collection::vec(who(), 0..3)).prop_map(|(a, b, c)| Step::Judge(a, b, c)),
		4 => (who(), 1..9u32).prop_map(|(a, b)| Step::Author(a, b)),
		1 => (delegator(), amount()).prop_map(|(a, b)| Step::Gift(a, b)),
		4 => (1..4u32).prop_map(Step::Session),
	]
}

/// A job as its pallet would keep it: the node, its slot while taken, its security while reserved.
struct Job {
	node: NodeId,
	slot: bool,
	security: Option<Balance>,
}

fn take(step: Step, jobs: &mut Vec<Job>) {
	use frame_support::traits::UnfilteredDispatchable;
	// As a block does it: what fails leaves nothing behind.
	let call = |call: Call<Test>, who| {
		let _ = call.dispatch_bypass_filter(signed(who));
	};
	match step {
		Step::Register(who, key, bond) => call(
			Call::register {
				description: description(key),
				bond,
				proof: proof(key, who),
			},
			who,
		),
		Step::Update(who, key) => call(
			Call::update_node {
				description: description(key),
				proof: Some(proof(key, who)),
			},
			who,
		),
		Step::BondExtra(who, amount) => call(Call::bond_extra { amount }, who),
		Step::Unbond(who, amount) => call(Call::unbond { amount }, who),
		Step::Withdraw(who) => call(Call::withdraw_unbonded {}, who),
		Step::Chill(who) => call(Call::chill {}, who),
		Step::Resume(who) => call(Call::resume {}, who),
		Step::Host(who, model) => call(Call::host { model }, who),
		Step::Unhost(who, model) => call(Call::unhost { model }, who),
		Step::Deregister(who) => call(Call::deregister {}, who),
		Step::Reap(node) => call(Call::reap { node }, 20),
		Step::Heartbeat(node, healthy, slots) => {
			let Some(worker) = NodeStaking::worker(node) else {
				return;
			};
			let Some(key) = (1..=6).find(|key| pair(*key).public() == worker) else {
				return;
			};
			use frame_support::traits::Authorize;
			let heartbeat = heartbeat_call(key, node, NodeStaking::current_session(), healthy, slots);
			let valid = heartbeat
				.authorize(sp_runtime::transaction_validity::TransactionSource::External)
				.unwrap();
			assert_eq!(valid.is_ok(), NodeStaking::heartbeat_due(node));
			if valid.is_ok() {
				heartbeat
					.dispatch_bypass_filter(frame_system::RawOrigin::Authorized.into())
					.unwrap();
			}
		}
		Step::Reserve(node, security) => {
			if NodeStaking::reserve(node, security).is_ok() {
				jobs.push(Job {
					node,
					slot: true,
					security: Some(security),
				});
			}
		}
		Step::FreeSlot(pick) => {
			if let Some(index) = pick.checked_rem(jobs.len()) {
				if core::mem::take(&mut jobs[index].slot) {
					NodeStaking::free_slot(jobs[index].node);
				}
			}
		}
		Step::Release(pick) => {
			if let Some(index) = pick.checked_rem(jobs.len()) {
				if let Some(security) = jobs[index].security.take() {
					NodeStaking::release(jobs[index].node, security);
				}
			}
		}
		Step::Outcome(node, success, percent) => {
			NodeStaking::note_outcome(node, success, Perbill::from_percent(percent))
		}
		Step::Secure(node, security) => {
			if NodeStaking::secure(node, security).is_ok() {
				jobs.push(Job {
					node,
					slot: false,
					security: Some(security),
				});
			}
		}
		Step::Slash(pick) => {
			if let Some(index) = pick.checked_rem(jobs.len()) {
				if let Some(security) = jobs[index].security.take() {
					let before = (free(MARKET), record(jobs[index].node).bond);
					let taken = NodeStaking::slash(jobs[index].node, security, &MARKET);
					assert!(taken <= security);
					assert_eq!(free(MARKET) - before.0, taken);
					assert_eq!(before.1 - record(jobs[index].node).bond, taken);
				}
			}
		}
		Step::Fine(node, amount) => {
			let before = free(MARKET);
			let taken = NodeStaking::fine(node, amount, &MARKET);
			assert!(taken <= amount && free(MARKET) - before == taken);
		}
		Step::Offence(offenders, fraction, age) => {
			let session = NodeStaking::current_session().saturating_sub(age);
			report(&offenders, fraction, session);
		}
		Step::Delegate(who, node, amount, most) => call(
			Call::delegate {
				node,
				amount,
				max_commission: percent(most),
			},
			who,
		),
		Step::Undelegate(who, node, amount) => call(Call::undelegate { node, amount }, who),
		Step::WithdrawDelegation(who, node) => call(Call::withdraw_delegation { node }, who),
		Step::Claim(who, node) => call(Call::claim_rewards { node }, who),
		Step::Commission(who, share) => call(
			Call::set_commission {
				commission: percent(share),
			},
			who,
		),
		Step::Judge(seed, security, parties) => {
			let seed = sp_io::hashing::blake2_256(&seed.to_le_bytes());
			if let Some(node) = NodeStaking::draw_judge(&seed, security, &parties, None).node {
				assert!(NodeStaking::is_eligible(node) && !parties.contains(&record(node).operator));
				assert!(record(node).bond - standing(node).reserved >= security);
			}
		}
		Step::Author(who, count) => author(who, count),
		Step::Gift(who, amount) => {
			let _ = Balances::transfer_allow_death(signed(who), 20, amount.min(500));
		}
		Step::Session(count) => pass_sessions(count),
	}
	jobs.retain(|job| job.slot || job.security.is_some());
}

/// Where slashes and fines go; it has coins from the start.
const MARKET: AccountId = 19;

/// What was burned so far.
fn burned() -> Balance {
	System::events()
		.into_iter()
		.map(|record| match record.event {
			RuntimeEvent::Balances(pallet_balances::Event::Burned { amount, .. }) => amount,
			_ => 0,
		})
		.sum()
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

	#[test]
	fn invariants_should_hold_when_anybody_does_anything(steps in prop::collection::vec(step(), 1..160)) {
		ExtBuilder::default().node(1, 500, 4).session_keys(1).build_and_execute(|| {
			let issued = issuance();
			let mut jobs = Vec::new();
			for step in steps {
				let shown = format!("{step:?}");
				let ids = NextNodeId::<Test>::get();
				take(step, &mut jobs);
				NodeStaking::do_try_state().unwrap_or_else(|error| panic!("{error:?} after {shown}"));
				assert_eq!(NodeStaking::pot_surplus(), Some(0), "after {shown}");
				assert_eq!(issuance() + burned(), issued + Minted::<Test>::get(), "after {shown}");
				assert!(NextNodeId::<Test>::get() >= ids);
				assert!(!Session::validators().is_empty());
				for node in NodeStaking::ids_from(0, MAX_PAGE).0 {
					let mine = || jobs.iter().filter(|job| job.node == node);
					let standing = standing(node);
					assert_eq!(standing.assigned as usize, mine().filter(|job| job.slot).count());
					let promised = mine().filter_map(|job| job.security).sum::<Balance>();
					assert_eq!(standing.reserved + standing.unsecured, promised);
					if NodeStaking::draw_weight(node, 1, 100) > 0 {
						assert!(NodeStaking::is_eligible(node) && !NodeStaking::is_jailed(node));
					}
				}
			}
		});
	}
}

/// What a delegator would have if every slash had looked at it alone.
#[derive(Clone, Default)]
struct Alone {
	active: f64,
	unbonding: f64,
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

	#[test]
	fn pools_should_be_worth_what_each_delegator_would_have_alone(
		steps in prop::collection::vec((2..=6u64, 0..3u8, 10..900u128, 0..900_000_000u32), 1..60),
	) {
		ExtBuilder::default().build_and_execute(|| {
			let node = register(1, 9_000);
			let mut alone = vec![Alone::default(); 7];
			for (count, (who, kind, amount, share)) in steps.into_iter().enumerate() {
				let one = &mut alone[who as usize];
				match kind {
					0 => {
						if NodeStaking::delegate(signed(who), node, amount, Perbill::one()).is_ok() {
							one.active += amount as f64;
						}
					}
					1 => {
						let before = worth(who);
						if NodeStaking::undelegate(signed(who), node, amount).is_ok() {
							let left = (before - worth(who)) as f64;
							one.active -= left;
							one.unbonding += left;
						}
					}
					_ => {
						// A session of its own, so that no two slashes are one; and never so much that it cannot resume.
						pass_sessions(1);
						let share = Perbill::from_parts(share / 8);
						report(&[1], share, NodeStaking::current_session());
						let _ = NodeStaking::resume(signed(1));
						let rest = 1.0 - f64::from(share.deconstruct()) / 1e9;
						for one in &mut alone {
							one.active *= rest;
							one.unbonding *= rest;
						}
					}
				}
				for who in 2..=6u64 {
					let unbonding = delegations(who)
						.first()
						.map_or(0, |view| view.unbonding.iter().map(|(worth, _)| worth).sum());
					let one = &alone[who as usize];
					// A unit for each rounding.
					let most = count as f64 + 3.0;
					assert!((worth(who) as f64 - one.active).abs() < most, "{} and {}", worth(who), one.active);
					assert!((unbonding as f64 - one.unbonding).abs() < most, "{unbonding} and {}", one.unbonding);
				}
			}
		});
	}
}
