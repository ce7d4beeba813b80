//! Where sums matter, stakes are powers of two: what a point earns is then a whole number of 2⁻⁶⁴.

use super::*;
use frame_support::assert_noop;
use sp_runtime::TokenError;

fn claim(who: AccountId, node: NodeId) -> Balance {
	let before = free(who);
	assert_ok!(NodeStaking::claim_rewards(signed(who), node));
	free(who) - before
}

#[test]
fn session_should_mint_its_reward_and_divide_it_by_blocks() {
	ExtBuilder::default().build_and_execute(|| {
		for operator in 1..=3 {
			register(operator, 500);
		}
		author(1, 1);
		author(2, 2);
		let issued = issuance();
		pass_sessions(1);
		assert_eq!(
			issuance() - issued,
			999,
			"333 and 666: what rounding leaves is not minted"
		);
		assert_eq!(Minted::<Test>::get(), 999);
		System::assert_has_event(
			Event::Rewarded {
				node: 1,
				operator: 666,
				delegators: 0,
			}
			.into(),
		);
		System::assert_has_event(
			Event::SessionRewarded {
				session: 0,
				minted: 999,
				blocks: 3,
			}
			.into(),
		);
		assert_eq!((claim(1, 0), claim(2, 1)), (333, 666));
		assert_noop!(NodeStaking::claim_rewards(signed(3), 2), Error::<Test>::NothingToClaim);
		assert_eq!(pot(), ED);
	});
}

#[test]
fn session_should_mint_nothing_when_nobody_with_a_node_authored() {
	ExtBuilder::default().build_and_execute(|| {
		let issued = issuance();
		pass_sessions(1);
		author(9, 4);
		pass_sessions(1);
		assert_eq!((issuance(), Minted::<Test>::get()), (issued, 0));
		assert_eq!(Authored::<Test>::iter().count(), 0);
		// Half of the blocks: half of the reward.
		register(1, 500);
		author(1, 5);
		author(9, 5);
		pass_sessions(1);
		// Session 2: 1,000 · 1,998 / 2,000.
		assert_eq!(issuance() - issued, 499);
	});
}

#[test]
fn reward_should_be_the_operators_alone_when_nobody_delegated() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		assert_ok!(NodeStaking::set_commission(signed(1), Perbill::zero()));
		author(1, 1);
		pass_sessions(1);
		assert_eq!(NodeStaking::pool(node).operator_rewards, 1_000);
		assert_eq!(claim(1, node), 1_000);
	});
}

#[test]
fn reward_should_be_divided_by_stake_after_the_commission() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_024);
		assert_ok!(NodeStaking::set_commission(signed(1), percent(20)));
		delegate(2, node, 2_048);
		delegate(3, node, 1_024);
		author(1, 7);
		pass_sessions(1);
		// 200 of commission; of 800 a quarter is the operator's, 400 are 2's and 200 are 3's.
		assert_eq!((rewards(2), rewards(3)), (400, 200));
		assert_eq!((claim(1, node), claim(2, node), claim(3, node)), (400, 400, 200));
		assert_eq!(pot(), ED + 3_072);
		assert_noop!(
			NodeStaking::claim_rewards(signed(2), node),
			Error::<Test>::NothingToClaim
		);
		assert_noop!(
			NodeStaking::claim_rewards(signed(4), node),
			Error::<Test>::NothingToClaim
		);
		assert_noop!(NodeStaking::claim_rewards(signed(2), 77), Error::<Test>::NothingToClaim);
	});
}

#[test]
fn reward_should_be_those_who_were_there_when_it_came() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_024);
		assert_ok!(NodeStaking::set_commission(signed(1), Perbill::zero()));
		delegate(2, node, 1_024);
		author(1, 1);
		pass_sessions(1);
		delegate(3, node, 1_024);
		assert_eq!((rewards(2), rewards(3)), (500, 0));
		// What is on its way out earns nothing; what was earned stays.
		assert_ok!(NodeStaking::undelegate(signed(2), node, 1_024));
		author(1, 1);
		pass_sessions(1);
		assert_eq!((rewards(2), rewards(3)), (500, 499));
		assert_eq!(claim(2, node), 500);
		pass_sessions(3);
		assert_ok!(NodeStaking::withdraw_delegation(signed(2), node));
		assert!(delegations(2).is_empty());
	});
}

#[test]
fn tiny_rewards_should_not_be_lost_when_there_are_many_points() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 100);
		assert_ok!(NodeStaking::set_commission(signed(1), Perbill::zero()));
		for who in 2..=4 {
			delegate(who, node, 3_333);
		}
		// A unit at a time: less than a third of a unit for each.
		let all = 99;
		for session in 0..all {
			author(1, 1);
			author(9, 900);
			pass_sessions(1);
			assert!(NodeStaking::pool(node).unsettled <= session + 1);
		}
		let pool = NodeStaking::pool(node);
		assert_eq!(pool.operator_rewards + pool.unsettled, all as Balance);
		let each = rewards(2);
		assert!(each * 3 <= pool.unsettled && each * 3 + 3 > pool.unsettled, "{each}");
	});
}

#[test]
fn rewards_should_be_written_down_when_a_delegation_changes() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_024);
		assert_ok!(NodeStaking::set_commission(signed(1), Perbill::zero()));
		delegate(2, node, 1_024);
		author(1, 1);
		pass_sessions(1);
		delegate(2, node, 3_072);
		assert_eq!(rewards(2), 500);
		assert_eq!(
			(NodeStaking::pool(node).unclaimed, NodeStaking::pool(node).unsettled),
			(500, 0)
		);
		author(1, 1);
		pass_sessions(1);
		// Four fifths of 999.
		assert_eq!(rewards(2), 500 + 799);
		assert_ok!(NodeStaking::undelegate(signed(2), node, Balance::MAX));
		assert_eq!(rewards(2), 500 + 799);
		assert_eq!(claim(2, node), 1_299);
		assert_eq!(claim(1, node), 500 + 200);
	});
}

#[test]
fn operator_should_be_paid_when_its_node_goes_and_dust_burns_when_it_is_gone_itself() {
	ExtBuilder::default().build_and_execute(|| {
		register(1, 500);
		register(2, 500);
		author(1, 999);
		author(2, 1);
		pass_sessions(1);
		for operator in [1, 2] {
			assert_ok!(NodeStaking::unbond(signed(operator), 500));
		}
		pass_sessions(4);
		assert_ok!(NodeStaking::deregister(signed(1)));
		System::assert_has_event(
			Event::RewardsClaimed {
				node: 0,
				account: 1,
				amount: 999,
			}
			.into(),
		);
		assert_eq!(free(1), ISSUED + 999);
		// A unit for an account that could hold no less than two.
		assert_ok!(NodeStaking::withdraw_unbonded(signed(2)));
		assert_ok!(Balances::transfer_all(signed(2), 3, false));
		let issued = issuance();
		assert_noop!(NodeStaking::claim_rewards(signed(2), 1), TokenError::BelowMinimum);
		assert_ok!(NodeStaking::reap(signed(3), 1));
		assert_eq!((issued - issuance(), pot()), (1, ED));
	});
}

#[test]
fn offender_should_keep_what_it_earned() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 512);
		delegate(2, node, 512);
		author(1, 1);
		pass_sessions(1);
		report(&[1], percent(50), 0);
		assert_eq!((claim(1, node), claim(2, node)), (550, 450));
	});
}

#[test]
fn validators_should_earn_in_a_running_chain_with_falling_rewards() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.session_keys(1)
		.build_and_execute(|| {
			for height in 2..=40 {
				author(1, 1);
				run_to(height);
			}
			// Sessions 0 to 3: 1,000, 999.5, 999 and 998.5.
			assert_eq!(NodeStaking::current_session(), 4);
			assert_eq!(Minted::<Test>::get(), 1_000 + 999 + 999 + 998);
			assert_eq!(claim(1, 0), 3_996);
		});
}

#[test]
fn note_author_should_be_weighed() {
	ExtBuilder::default().build_and_execute(|| {
		let before = frame_system::Pallet::<Test>::block_weight().total();
		author(1, 1);
		let after = frame_system::Pallet::<Test>::block_weight().total();
		assert_eq!(after - before, <() as WeightInfo>::note_author());
	});
}
