use crate::{mock::*, Event};
use frame_support::{
	assert_ok,
	traits::{fungible::Mutate, tokens::Preservation},
};
use highway_primitives::{Balance, ProbeTerms};

fn treasury() -> Balance {
	Balances::free_balance(TREASURY)
}

/// Leaves this much in the treasury.
fn drain_to(left: Balance) {
	let all = treasury();
	assert_ok!(Balances::transfer(
		&TREASURY,
		&777,
		all - left,
		Preservation::Expendable
	));
}

fn last_paid() -> Balance {
	match events().pop() {
		Some(Event::Measured { paid, .. }) => paid,
		other => panic!("nothing was measured: {other:?}"),
	}
}

#[test]
fn treasury_should_pay_for_what_was_proved() {
	in_a_round(1, || {
		compute(0, 3 * SLOT);
		assert_eq!((last_paid(), paid_to(0)), (3 * REWARD, 3 * REWARD));
		assert_eq!(treasury(), TREASURE - 3 * REWARD);
	});
}

#[test]
fn parts_of_a_slot_should_be_paid_in_part_rounded_down() {
	in_a_round(1, || {
		compute(0, 1);
		assert_eq!(last_paid(), REWARD / u128::from(SLOT));
	});
}

#[test]
fn proof_should_count_unpaid_when_the_treasury_would_die_by_it() {
	in_a_round(1, || {
		drain_to(REWARD + ED - 1);
		compute(0, SLOT);
		assert_eq!((last_paid(), paid_to(0)), (0, 0));
		assert_eq!(known(0).rows, Some(SLOT));
		assert_eq!(treasury(), REWARD + ED - 1);
		next_round();
		drain_to(REWARD + ED - 2);
		assert_ok!(Balances::transfer(&777, &TREASURY, 2, Preservation::Expendable));
		compute(0, SLOT);
		assert_eq!(
			(last_paid(), treasury()),
			(REWARD, ED),
			"to the last coin that it can spare"
		);
		next_round();
		compute(0, SLOT);
		assert_eq!((last_paid(), treasury()), (0, ED));
	});
}

#[test]
fn proof_should_count_unpaid_when_there_is_no_treasury() {
	in_a_round(1, || {
		drain_to(0);
		compute(0, SLOT);
		assert_eq!((last_paid(), known(0).rows), (0, Some(SLOT)));
	});
}

#[test]
fn proof_should_count_unpaid_when_the_operator_s_account_cannot_take_it() {
	let little = ProbeTerms {
		reward: ED - 1,
		..terms()
	};
	execute_with(1, Some(little), || {
		beat(0);
		next_round();
		assert_ok!(Balances::transfer(&operator(0), &777, ED, Preservation::Expendable));
		compute(0, SLOT);
		assert_eq!((last_paid(), Balances::free_balance(operator(0))), (0, 0));
	});
}

#[test]
fn nothing_should_be_paid_when_the_terms_pay_nothing_or_more_than_there_is() {
	for reward in [0, Balance::MAX] {
		execute_with(1, Some(ProbeTerms { reward, ..terms() }), || {
			beat(0);
			next_round();
			compute(0, 8);
			assert_eq!((last_paid(), treasury()), (0, TREASURE));
		});
	}
}

#[test]
fn proof_after_a_lie_should_be_paid_for_what_counts() {
	in_a_round(1, || {
		say(0, &[0; 64]);
		next_round();
		compute(0, 8 * SLOT);
		assert_eq!(last_paid(), 4 * REWARD);
	});
}

#[test]
fn proof_should_be_paid_for_no_more_than_itself_when_more_counts() {
	in_a_round(1, || {
		compute(0, 8 * SLOT);
		next_round();
		compute(0, 2 * SLOT);
		assert_eq!(known(0).rows, Some(5 * SLOT));
		assert_eq!(last_paid(), 2 * REWARD);
	});
}
