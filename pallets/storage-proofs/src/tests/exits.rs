//! What becomes of a challenge when something around it goes: nothing stays for ever, and nobody honest pays.

use crate::{mock::*, Asked, Challenges, Due, Error, Event, Forgets, Missed, Shown, DRAWS, MEMORY};
use highway_primitives::traits::StorageChallenges;

/// Nothing is left but what is remembered, and that is forgotten.
fn assert_all_ends() {
	drop_records();
	go(WINDOW + 2);
	assert_eq!(Challenges::<Test>::iter().count(), 0);
	assert_eq!(Due::<Test>::iter().count(), 0);
	check();
	let last = Forgets::<Test>::iter_keys().max();
	last.into_iter().for_each(skip_to);
	assert_eq!(Missed::<Test>::iter().count(), 0);
	assert_eq!(Shown::<Test>::iter().count(), 0);
	assert_eq!(Forgets::<Test>::iter().count(), 0);
}

#[test]
fn everything_should_end_when_nothing_is_stored_any_more() {
	execute(|| {
		(0..8).for_each(|model| store(model, &[0, 1, 2]));
		for _ in 0..40 {
			step();
			for (model, _) in StorageProofs::tasks_of(0) {
				accept(&prove(0, model));
			}
		}
		assert!(Challenges::<Test>::iter().count() > 0 && Missed::<Test>::iter().count() > 0);
		assert_all_ends();
		assert!(now() > MEMORY);
	});
}

#[test]
fn challenge_should_lapse_when_the_model_is_removed() {
	with_providers(1, || {
		earn(0, 0, 6);
		show(0, 0);
		earn(0, 0, 3);
		let until = draw(0, 0).until;
		remove_model(0);
		go_to(until + 1);
		assert_eq!(last_end(), Some(Event::Lapsed { node: 0, model: 0 }));
		assert!(!StorageProofs::challenged(0, 0), "it can claim what it earned");
		assert_eq!((paid_to(0), waiting(0, 0), bond(0)), (6, 3, BOND));
		assert_all_ends();
	});
}

#[test]
fn challenge_should_lapse_when_the_node_has_left() {
	with_providers(2, || {
		show(1, 0);
		miss(0, 0);
		earn(0, 0, 3);
		let until = draw(0, 0).until;
		leave(0);
		drop_records();
		go_to(until + 1);
		assert_eq!(last_end(), Some(Event::Lapsed { node: 0, model: 0 }));
		assert_eq!(waiting(0, 0), 3, "what becomes of its pay is not decided here");
		assert!(!StorageProofs::challenged(0, 0));
		assert_all_ends();
	});
}

#[test]
fn challenge_should_stay_answerable_when_the_record_is_dropped() {
	with_providers(1, || {
		earn(0, 0, 3);
		draw(0, 0);
		drop_records();
		go(WINDOW - 1);
		assert_eq!(StorageProofs::tasks_of(0).len(), 1);
		accept(&prove(0, 0));
		assert_eq!(paid_to(0), 3);
		assert_all_ends();
	});
}

#[test]
fn challenge_should_end_when_the_node_stopped_hosting() {
	with_providers(2, || {
		show(1, 0);
		let until = draw(0, 0).until;
		change_node(0, |node| node.hosts.clear());
		drop_records();
		go_to(until - 1);
		assert_eq!(StorageProofs::tasks_of(0).len(), 1, "it is asked all the same");
		go_to(until + 1);
		assert!(matches!(last_end(), Some(Event::Missed { .. })));
		store(0, &[0]);
		change_node(0, |node| node.hosts.clear());
		go(50);
		assert!(!is_challenged(0, 0), "and not again, although the record names it");
		assert_all_ends();
	});
}

#[test]
fn whoever_claims_should_be_asked_for_a_chunk_of_the_next_block_wherever_it_has_gone() {
	with_providers(1, || {
		earn(0, 0, 3);
		change_node(0, |node| node.hosts.clear());
		drop_records();
		go(50);
		assert!(!is_challenged(0, 0), "nobody asks of himself");
		assert_eq!(StorageProofs::ask(0, 0), Ok(true));
		assert!(StorageProofs::challenged(0, 0) && !is_challenged(0, 0));
		check();
		// Once is enough.
		assert_eq!(StorageProofs::ask(0, 0), Ok(true));
		assert_eq!(Asked::<Test>::get().len(), 1);
		step();
		assert_eq!(Asked::<Test>::get().len(), 0);
		assert_eq!(challenge(0, 0).drawn_at, now());
		go_to(challenge(0, 0).until + 1);
		assert_eq!(waiting(0, 0), 0, "it kept no file");
		earn(0, 0, 4);
		assert_eq!(StorageProofs::ask(0, 0), Ok(true));
		step();
		accept(&prove(0, 0));
		assert_eq!((waiting(0, 0), paid_to(0)), (0, 4));
		assert_all_ends();
	});
}

#[test]
fn asking_should_take_no_more_draws_than_a_block_has() {
	with_providers(1, || {
		drop_records();
		(0..=DRAWS).for_each(|model| store(model, &[0]));
		drop_records();
		for model in 0..DRAWS {
			assert_eq!(StorageProofs::ask(0, model), Ok(true));
		}
		assert_eq!(StorageProofs::ask(0, DRAWS), Err(Error::<Test>::TooManyAsked.into()));
		// Where there is nothing to show, nobody is asked.
		remove_model(0);
		assert_eq!(StorageProofs::ask(0, 0), Ok(false));
		step();
		assert_eq!(Challenges::<Test>::iter().count(), DRAWS as usize - 1);
		assert_eq!(StorageProofs::ask(0, DRAWS), Ok(true));
		assert_all_ends();
	});
}
