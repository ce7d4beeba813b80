//! Random sequences of everything that anybody can do keep every invariant and every coin.

use super::*;
use frame_support::traits::fungible::Inspect;
use proptest::prelude::*;
use sp_runtime::Perbill;

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
	Outcome(NodeId, bool, u32),
	Offence(AccountId),
	Session(u32),
}

fn step() -> impl Strategy<Value = Step> {
	let who = || 1..=4u64;
	let node = || 0..6u32;
	let amount = || prop_oneof![0..700u128, Just(Balance::MAX)];
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
		1 => who().prop_map(Step::Offence),
		3 => (1..4u32).prop_map(Step::Session),
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
		Step::Offence(who) => {
			use sp_staking::offence::{OffenceDetails, OnOffenceHandler};
			let details = OffenceDetails {
				offender: (who, ()),
				reporters: Vec::<AccountId>::new(),
			};
			NodeStaking::on_offence(&[details], &[Perbill::one()], NodeStaking::current_session());
		}
		Step::Session(count) => pass_sessions(count),
	}
	jobs.retain(|job| job.slot || job.security.is_some());
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

	#[test]
	fn invariants_should_hold_when_anybody_does_anything(steps in prop::collection::vec(step(), 1..120)) {
		ExtBuilder::default().node(1, 500, 4).session_keys(1).build_and_execute(|| {
			let issued = <Balances as Inspect<AccountId>>::total_issuance();
			let mut jobs = Vec::new();
			for step in steps {
				let shown = format!("{step:?}");
				let ids = NextNodeId::<Test>::get();
				take(step, &mut jobs);
				NodeStaking::do_try_state().unwrap_or_else(|error| panic!("{error:?} after {shown}"));
				assert_eq!(<Balances as Inspect<AccountId>>::total_issuance(), issued);
				assert!(NextNodeId::<Test>::get() >= ids);
				assert!(!Session::validators().is_empty());
				for node in NodeStaking::ids_from(0, MAX_PAGE).0 {
					let mine = || jobs.iter().filter(|job| job.node == node);
					let standing = standing(node);
					assert_eq!(standing.assigned as usize, mine().filter(|job| job.slot).count());
					assert_eq!(standing.reserved, mine().filter_map(|job| job.security).sum::<Balance>());
					if NodeStaking::draw_weight(node, 1, 100) > 0 {
						assert!(NodeStaking::is_eligible(node) && !NodeStaking::is_jailed(node));
					}
				}
			}
		});
	}
}
