use crate::{mock::*, Event, Round, Rounds};
use frame_support::{traits::Hooks, weights::Weight};
use highway_primitives::{
	probe::{ANSWER_BLOCKS, PROVE_BLOCKS},
	ProbeTask, ProbeTerms,
};
use std::collections::BTreeSet;

#[test]
fn round_should_open_in_the_first_block_that_may_have_one_when_every_block_does() {
	execute_with(1, Some(terms()), || {
		go_to(3);
		assert_eq!(Round::<Test>::get(), None, "three blocks make a seed");
		go_to(4);
		let first = round();
		assert_eq!((first.index, first.opened, Rounds::<Test>::get()), (1, 4, 1));
		assert_eq!(
			events(),
			vec![Event::RoundOpened {
				round: 1,
				seed: first.seed
			}]
		);
		go_to(4 + SESSION - 1);
		assert_eq!(round(), first, "rounds are spaced");
		go(1);
		assert_eq!((round().index, round().opened), (2, 4 + SESSION));
		assert_ne!(round().seed, first.seed);
	});
}

#[test]
fn round_should_not_open_while_the_last_one_goes_on() {
	// No session is so short; the rule does not depend on it.
	let close = ProbeTerms { spacing: 1, ..terms() };
	execute_with(1, Some(terms()), || {
		crate::Terms::<Test>::put(close);
		go_to(4);
		go_to(4 + ANSWER_BLOCKS + PROVE_BLOCKS);
		assert_eq!(round().index, 1);
		go(1);
		assert_eq!(round().index, 2);
		crate::Terms::<Test>::put(terms());
	});
}

#[test]
fn rounds_should_come_at_times_that_nobody_knows_when_blocks_draw_them() {
	let mut waits = BTreeSet::new();
	for salt in 0..8 {
		let rare = ProbeTerms {
			interval: 20,
			..terms()
		};
		execute_with(1, Some(rare), || {
			Salt::set(salt);
			next_round();
			waits.insert(now());
		});
	}
	assert!(waits.len() > 4, "{waits:?}");
}

#[test]
fn round_should_not_open_when_probing_is_off_or_blocks_have_no_vrf() {
	execute_with(1, None, || {
		go(100);
		assert_eq!((Round::<Test>::get(), Rounds::<Test>::get()), (None, 0));
	});
	execute_with(1, Some(terms()), || {
		HasVrf::set(false);
		go(100);
		assert_eq!(Round::<Test>::get(), None);
		HasVrf::set(true);
		go(1);
		assert_eq!(round().index, 1);
	});
}

#[test]
fn hook_should_weigh_more_when_it_opens_a_round() {
	execute_with(0, Some(terms()), || {
		let weigh = |block| -> Weight {
			System::set_block_number(block);
			CapacityProbes::on_initialize(block)
		};
		let (idle, opening) = (weigh(2), weigh(4));
		assert!(opening.ref_time() > idle.ref_time() && idle.ref_time() > 0);
		assert_eq!(weigh(5), idle);
	});
}

#[test]
fn round_should_ask_every_node_that_was_heard_before_it() {
	in_a_round(3, || {
		let current = round();
		for node in 0..3 {
			assert_eq!(
				task(node),
				Some(ProbeTask::Compute {
					round: 1,
					seed: current.seed,
					rows: u32::from(DECLARED) * SLOT,
					until: current.opened + ANSWER_BLOCKS
				})
			);
		}
		assert_eq!(task(3), None, "there is no such node");
	});
}

#[test]
fn round_should_not_ask_a_node_that_came_after_its_opening() {
	in_a_round(1, || {
		Fleet::mutate(|fleet| fleet.insert(1, DECLARED));
		assert_eq!(task(1), None, "it was never heard");
		beat(1);
		assert_eq!(task(1), None);
		end_round();
		beat(1);
		assert_eq!(known(1).missed, 0, "nor did it miss anything");
		next_round();
		assert!(task(1).is_some());
	});
}

#[test]
fn round_should_ask_one_node_in_so_many_when_the_terms_say_so() {
	let some = ProbeTerms { share: 4, ..terms() };
	execute_with(200, Some(some), || {
		(0..200).for_each(|node| {
			beat(node);
		});
		next_round();
		let asked: BTreeSet<u32> = (0..200).filter(|node| task(*node).is_some()).collect();
		assert!((25..80).contains(&asked.len()), "{} of 50 expected", asked.len());
		next_round();
		let others: BTreeSet<u32> = (0..200).filter(|node| task(*node).is_some()).collect();
		assert_ne!(asked, others);
	});
}

#[test]
fn node_should_be_asked_for_nothing_when_it_declares_no_slots() {
	in_a_round(1, || {
		Fleet::mutate(|fleet| fleet.insert(0, 0));
		assert_eq!(task(0), None);
		// It has missed the round all the same: else one would declare nothing whenever a round comes.
		end_round();
		beat(0);
		assert_eq!(known(0).missed, 1);
	});
}
