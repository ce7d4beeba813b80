use crate::{mock::*, Answers, Event, Measurement, Measurements};
use highway_primitives::traits::{Allowed, Capacity};

fn allowed(slots: u16, able: bool) -> Allowed {
	Allowed { slots, able }
}

/// Ends the round, and lets the node be heard.
fn pass(node: u32) -> Allowed {
	end_round();
	beat(node)
}

#[test]
fn node_should_sell_a_few_slots_when_it_was_never_measured() {
	execute_with(1, Some(terms()), || {
		assert_eq!(beat(0), allowed(2, true));
		assert_eq!(known(0), Measurement::new(0));
		next_round();
		assert_eq!(beat(0), allowed(2, true), "as long as its first round goes on");
	});
}

#[test]
fn node_should_sell_everything_when_probing_is_off() {
	execute_with(1, None, || {
		assert_eq!(beat(0), Allowed::UNBOUNDED);
		assert!(!Measurements::<Test>::contains_key(0), "and nothing is kept of it");
	});
}

#[test]
fn what_was_proved_should_count_from_the_next_heartbeat_on() {
	in_a_round(1, || {
		compute(0, 3 * SLOT + 1);
		assert_eq!(beat(0), allowed(3, true));
		assert_eq!(pass(0), allowed(3, true), "who proved has missed nothing");
	});
}

#[test]
fn miss_should_halve_and_two_in_a_row_should_leave_nothing() {
	in_a_round(1, || {
		compute(0, 8 * SLOT);
		next_round();
		assert_eq!(pass(0), allowed(4, true));
		assert_eq!(known(0).missed, 1);
		let (node, round, rows) = (0, 2, 4 * SLOT);
		assert_eq!(events().pop(), Some(Event::ProbeMissed { node, round, rows }));
		assert_eq!(beat(0), allowed(4, true), "once for each round");
		next_round();
		assert_eq!(pass(0), allowed(0, true));
		assert_eq!((known(0).rows, known(0).missed), (Some(0), 2));
		next_round();
		assert_eq!(pass(0), allowed(0, true));
		assert_eq!(known(0).missed, 2);
	});
}

#[test]
fn misses_should_not_add_up_when_a_proof_is_between_them() {
	in_a_round(1, || {
		compute(0, 8 * SLOT);
		next_round();
		assert_eq!(pass(0).slots, 4);
		next_round();
		compute(0, 8 * SLOT);
		assert_eq!((beat(0).slots, known(0).missed), (8, 0));
		next_round();
		assert_eq!(pass(0).slots, 4);
	});
}

#[test]
fn miss_should_count_when_an_answer_was_not_proved() {
	in_a_round(1, || {
		accept(&answer(0, &computed(&round().seed, 0, 4)));
		assert_eq!(pass(0), allowed(1, true), "half of what a newcomer sells");
		assert_eq!(known(0).missed, 1);
		assert!(!Answers::<Test>::contains_key(0));
	});
}

#[test]
fn miss_should_be_noticed_at_any_later_heartbeat_before_the_next_round() {
	in_a_round(2, || {
		end_round();
		assert_eq!(known(0).missed, 0, "nobody looked yet");
		go_to(round().opened + SESSION - 1);
		beat(0);
		assert_eq!(known(0).missed, 1);
		// Node 1 is heard when the next round goes on already: what it missed is forgotten, and the next is asked of it.
		next_round();
		beat(1);
		assert_eq!(known(1).missed, 0);
		assert!(task(1).is_some());
	});
}

#[test]
fn better_result_should_count_at_once_and_a_worse_one_half_of_the_way() {
	in_a_round(1, || {
		compute(0, 2 * SLOT);
		next_round();
		compute(0, 8 * SLOT);
		assert_eq!(beat(0).slots, 8);
		next_round();
		compute(0, 2 * SLOT);
		assert_eq!(known(0).rows, Some(5 * SLOT));
		next_round();
		compute(0, 2 * SLOT);
		assert_eq!(known(0).rows, Some(7 * SLOT / 2));
		next_round();
		compute(0, 7 * SLOT / 2);
		assert_eq!(known(0).rows, Some(7 * SLOT / 2), "the same is not worse");
	});
}

#[test]
fn proof_should_bring_a_liar_back_by_half() {
	in_a_round(1, || {
		compute(0, 8 * SLOT);
		next_round();
		say(0, &[0; 64 * 8]);
		assert_eq!(beat(0), allowed(0, false));
		next_round();
		compute(0, 8 * SLOT);
		assert_eq!(beat(0), allowed(4, true));
		next_round();
		compute(0, 8 * SLOT);
		assert_eq!(beat(0), allowed(8, true));
	});
}

#[test]
fn liar_should_stay_one_when_it_says_nothing_more() {
	in_a_round(1, || {
		say(0, &[0; 64]);
		for _ in 0..3 {
			next_round();
			assert_eq!(pass(0), allowed(0, false));
		}
	});
}

/// The rule that a proof after a lie counts half: with it, claiming all and hoping for the draw brings less than what was
/// computed honestly brings.
#[test]
fn hoping_for_the_draw_should_gain_less_than_honest_work() {
	// One of two chunks computed, over many rounds: passes every other time on average.
	let (mut sold, rounds) = (0u32, 400u32);
	let mut known = Measurement::new(0);
	let all = 100;
	for round in 1..=rounds {
		let passes = sp_io::hashing::twox_64(&round.to_le_bytes())[0] < 128;
		known = match passes {
			true => known.proved(round, all),
			false => known.refuted(round),
		};
		sold += known.rows.unwrap();
	}
	let honest = all / 2 * rounds;
	assert!(sold < honest * 95 / 100, "{sold} of {honest}");
}

#[test]
fn node_should_be_forgotten_when_it_leaves() {
	in_a_round(2, || {
		accept(&answer(0, &computed(&round().seed, 0, 4)));
		<CapacityProbes as Capacity>::forget(0);
		assert!(!Measurements::<Test>::contains_key(0) && !Answers::<Test>::contains_key(0));
		assert!(Measurements::<Test>::contains_key(1));
		<CapacityProbes as Capacity>::forget(7);
	});
}
