//! Royalties move down at once and up slowly.

use crate::{mock::*, Event, RisePolicy, RoyaltyState};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{traits::Models as _, Balance, BlockNumber, ModelId};
use proptest::prelude::*;

fn with_royalty(royalty: Balance) -> ModelId {
	register(ALICE, "m", spec(), None, None, royalty).expect("the model is valid")
}

fn royalty_in(block: BlockNumber, model: ModelId) -> Balance {
	System::set_block_number(block);
	Registry::royalty_now(model).expect("the model is registered")
}

// Far above the smallest step of 1 000.
const START: Balance = 1_000_000;

#[test]
fn update_terms_should_lower_a_royalty_at_once() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_ok!(set_royalty(ALICE, model, 10));
		assert_eq!(royalty_in(1, model), 10);
		assert_eq!(
			last_event(),
			Event::RoyaltySet {
				model,
				royalty: 10,
				from: 1
			}
		);
	});
}

#[test]
fn update_terms_should_raise_a_royalty_after_the_notice() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_ok!(set_royalty(ALICE, model, 1_250_000));
		assert_eq!(
			last_event(),
			Event::RoyaltySet {
				model,
				royalty: 1_250_000,
				from: 8
			}
		);
		assert_eq!(royalty_in(7, model), START);
		assert_eq!(
			Registry::model(model).map(|(record, _)| record.royalty.pending),
			Some(Some((1_250_000, 8)))
		);
		assert_eq!(royalty_in(8, model), 1_250_000);
		let (record, _) = Registry::model(model).expect("the model is registered");
		assert_eq!((record.royalty.current, record.royalty.pending), (1_250_000, None));
		assert_eq!(Registry::royalties(model)[0].per_unit, 1_250_000);
	});
}

#[test]
fn update_terms_should_fail_when_the_rise_is_more_than_a_quarter() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_noop!(set_royalty(ALICE, model, 1_250_001), RegistryError::RoyaltyRiseTooSteep);
	});
}

#[test]
fn update_terms_should_allow_a_small_step_when_the_royalty_is_zero() {
	build_and_execute(|| {
		let model = with_royalty(0);
		assert_noop!(set_royalty(ALICE, model, 1_001), RegistryError::RoyaltyRiseTooSteep);
		assert_ok!(set_royalty(ALICE, model, 1_000));
		assert_eq!(royalty_in(8, model), 1_000);
	});
}

#[test]
fn rises_within_a_period_should_stay_within_a_quarter_together() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_ok!(set_royalty(ALICE, model, 1_100_000));
		System::set_block_number(20);
		assert_noop!(set_royalty(ALICE, model, 1_250_001), RegistryError::RoyaltyRiseTooSteep);
		assert_ok!(set_royalty(ALICE, model, 1_250_000));
		// The second rise took effect in 27: one that takes effect before 57 is still measured against the start.
		System::set_block_number(49);
		assert_noop!(set_royalty(ALICE, model, 1_250_001), RegistryError::RoyaltyRiseTooSteep);
		System::set_block_number(50);
		assert_ok!(set_royalty(ALICE, model, 1_562_500));
		assert_eq!(royalty_in(57, model), 1_562_500);
	});
}

#[test]
fn a_rise_after_a_cut_should_be_measured_against_the_cut() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_ok!(set_royalty(ALICE, model, 100_000));
		assert_noop!(set_royalty(ALICE, model, START), RegistryError::RoyaltyRiseTooSteep);
		assert_ok!(set_royalty(ALICE, model, 125_000));
	});
}

#[test]
fn a_royalty_at_or_below_the_current_one_should_take_a_pending_rise_back() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_ok!(set_royalty(ALICE, model, 1_200_000));
		assert_ok!(set_royalty(ALICE, model, START));
		assert_eq!(royalty_in(100, model), START);
	});
}

#[test]
fn a_second_rise_should_take_the_place_of_a_pending_one_and_start_the_notice_anew() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_ok!(set_royalty(ALICE, model, 1_200_000));
		System::set_block_number(5);
		assert_ok!(set_royalty(ALICE, model, 1_100_000));
		assert_eq!(royalty_in(11, model), START);
		assert_eq!(royalty_in(12, model), 1_100_000);
	});
}

#[test]
fn update_terms_should_fail_when_the_royalty_is_out_of_range() {
	build_and_execute(|| {
		let most = MaxRoyalty::get();
		let root = register(ALICE, "root", spec_of("root"), None, terms(1, 50), most).expect("valid");
		assert_noop!(set_royalty(ALICE, root, most + 1), RegistryError::RoyaltyAboveMax);
		let child = register(BOB, "child", spec_of("child"), Some(root), None, 60).expect("valid");
		assert_noop!(set_royalty(BOB, child, 49), RegistryError::RoyaltyBelowFloor);
		assert_ok!(set_royalty(BOB, child, 50));
	});
}

#[test]
fn update_terms_should_set_terms_for_future_children() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_ok!(Registry::do_update_terms(ALICE, model, None, Some(terms(30, 7))));
		assert_eq!(record(model).derivative_terms, terms(30, 7));
		assert_eq!(record(model).terms_since, 1);
		assert_eq!(
			last_event(),
			Event::DerivativeTermsSet {
				model,
				terms: terms(30, 7)
			}
		);
		System::set_block_number(2);
		assert_ok!(set_royalty(ALICE, model, 6));
		assert_eq!(record(model).terms_since, 1, "a royalty is no term");
		assert_ok!(Registry::do_update_terms(ALICE, model, Some(5), Some(None)));
		assert_eq!(record(model).terms_since, 2);
		assert_eq!(
			(record(model).derivative_terms, record(model).royalty.current),
			(None, 5)
		);
	});
}

#[test]
fn update_terms_should_fail_when_nothing_changes_or_another_asks() {
	build_and_execute(|| {
		let model = with_royalty(START);
		assert_noop!(
			Registry::do_update_terms(ALICE, model, None, None),
			RegistryError::NothingToChange
		);
		assert_noop!(set_royalty(BOB, model, 5), RegistryError::NotOwner);
		assert_noop!(set_royalty(ALICE, model + 1, 5), RegistryError::UnknownModel);
	});
}

proptest! {
	/// Whatever an owner does, the royalty of no block is more than a quarter, or a smallest step, above that of any
	/// block of the period before it.
	#[test]
	fn no_stretch_of_a_period_should_see_more_than_a_quarter(
		start in 0u128..100_000,
		moves in prop::collection::vec((0u32..40, 0u32..2_000), 1..40),
	) {
		let policy = RisePolicy { notice: 7, period: 30, smallest_step: 10 };
		let mut state = RoyaltyState::new(start);
		let mut now = 0;
		let mut blocks = Vec::new();
		for (wait, permille) in moves {
			for block in now..now + wait {
				blocks.push(state.at(block, policy.period).current);
			}
			now += wait;
			let wish = state.at(now, policy.period).current * u128::from(permille) / 1_000 + 1;
			if let Some((next, _)) = state.set(wish, now, &policy) {
				state = next;
			}
		}
		for block in now..now + 60 {
			blocks.push(state.at(block, policy.period).current);
		}
		for (block, royalty) in blocks.iter().enumerate() {
			let least = blocks[block.saturating_sub(29)..=block].iter().min().expect("not empty");
			prop_assert!(*royalty <= least + (least / 4).max(policy.smallest_step), "block {}: {} from {}", block, royalty, least);
		}
	}

	/// Storing a state that was brought up to date changes nothing later.
	#[test]
	fn a_state_should_not_depend_on_when_it_is_written(start in 0u128..100_000, rise in 0u128..30_000, first in 0u32..60, later in 0u32..60) {
		let policy = RisePolicy { notice: 7, period: 30, smallest_step: 10 };
		let state = RoyaltyState::new(start).set(start + rise, 3, &policy).map_or(RoyaltyState::new(start), |(state, _)| state);
		let direct = state.at(first + later, policy.period);
		prop_assert_eq!(state.at(first, policy.period).at(first + later, policy.period), direct);
	}
}
