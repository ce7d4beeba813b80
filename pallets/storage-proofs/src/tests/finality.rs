//! Finality lags: a node on the losing side of a fork must not be punished for its silence.

use crate::{mock::*, Challenges, Event, StoodStill};

#[test]
fn nothing_should_be_drawn_while_clocks_stand_still() {
	with_providers(2, || {
		StandsStill::set(true);
		go(100);
		assert_eq!(Challenges::<Test>::iter().count(), 0);
		assert_eq!(StoodStill::<Test>::get(), Some(now()));
		StandsStill::set(false);
		draw(0, 0);
	});
}

#[test]
fn challenge_should_lapse_when_clocks_stood_still_since_the_draw() {
	// At the end of the time, somewhere in it, and in its first block.
	for still_at in [WINDOW + 1, 12, 1] {
		with_providers(2, || {
			show(1, 0);
			miss(0, 0);
			earn(0, 0, 5);
			let asked = draw(0, 0);
			drop_records();
			go(still_at - 1);
			StandsStill::set(true);
			go(1);
			StandsStill::set(false);
			go_to(now().max(asked.until + 1));
			assert_eq!(last_end(), Some(Event::Lapsed { node: 0, model: 0 }), "{still_at}");
			assert_eq!((waiting(0, 0), bond(0)), (5, BOND));
		});
	}
}

#[test]
fn challenge_should_be_missed_when_clocks_stood_still_before_the_draw_only() {
	with_providers(2, || {
		show(1, 0);
		StandsStill::set(true);
		go(5);
		StandsStill::set(false);
		earn(0, 0, 5);
		miss(0, 0);
		assert_eq!(waiting(0, 0), 0);
	});
}

#[test]
fn answer_should_count_while_clocks_stand_still() {
	with_providers(1, || {
		earn(0, 0, 5);
		draw(0, 0);
		StandsStill::set(true);
		go(3);
		accept(&prove(0, 0));
		assert_eq!(paid_to(0), 5);
	});
}

#[test]
fn a_lapse_should_neither_be_a_miss_nor_an_answer() {
	with_providers(2, || {
		show(1, 0);
		miss(0, 0);
		draw(0, 0);
		StandsStill::set(true);
		go(WINDOW + 1);
		StandsStill::set(false);
		assert_eq!(bond(0), BOND);
		miss(0, 0);
		assert_eq!(bond(0), BOND - FINE, "the miss before it still counts");
	});
}
