use crate::{mock::*, Event, Missed, Shown, MEMORY};

/// The amounts of the miss that came last: forfeited and fined.
fn last_miss() -> (u128, u128) {
	match last_end() {
		Some(Event::Missed { forfeited, fined, .. }) => (forfeited, fined),
		other => panic!("not a miss: {other:?}"),
	}
}

fn has_missed(node: u32, model: u32) -> bool {
	Missed::<Test>::contains_key(node, model)
}

#[test]
fn miss_should_forfeit_what_was_earned_since_the_last_answer() {
	with_providers(2, || {
		earn(0, 0, 40);
		show(0, 0);
		earn(0, 0, 2);
		earn(1, 0, 5);
		let node_1 = waiting(1, 0) + paid_to(1);
		miss(0, 0);
		assert_eq!(
			last_end(),
			Some(Event::Missed {
				node: 0,
				model: 0,
				forfeited: 2,
				fined: 0
			})
		);
		assert_eq!((paid_to(0), waiting(0, 0), Accounts::get().forfeited), (40, 0, 2));
		assert_eq!(waiting(1, 0) + paid_to(1), node_1, "others lose nothing");
		assert_eq!((bond(0), Fleet::get()[&0].failures), (BOND, 0));
	});
}

#[test]
fn second_miss_in_a_row_should_be_fined_and_noted() {
	with_providers(2, || {
		show(1, 0);
		miss(0, 0);
		assert_eq!((last_miss(), has_missed(0, 0)), ((0, 0), true));
		assert!(LostAsks::get().is_empty());
		earn(0, 0, 8);
		miss(0, 0);
		assert_eq!(last_miss(), (8, FINE));
		assert_eq!(LostAsks::get(), [(0, 0)], "who shows nothing keeps no place");
		assert_eq!((bond(0), Accounts::get().fines), (BOND - FINE, FINE));
		assert_eq!(Fleet::get()[&0].failures, 1);
		assert!(!has_missed(0, 0), "the next one is a first one again");
		miss(0, 0);
		assert_eq!(last_miss(), (0, 0));
		miss(0, 0);
		assert_eq!(last_miss(), (0, FINE));
	});
}

#[test]
fn misses_should_not_be_in_a_row_when_an_answer_lies_between() {
	with_providers(2, || {
		show(1, 0);
		miss(0, 0);
		show(0, 0);
		assert!(!has_missed(0, 0));
		miss(0, 0);
		assert_eq!((last_miss(), bond(0)), ((0, 0), BOND));
		assert!(LostAsks::get().is_empty());
	});
}

#[test]
fn misses_of_other_models_and_nodes_should_not_count_together() {
	execute(|| {
		store(0, &[0, 1, 2]);
		store(1, &[0, 1, 2]);
		show(2, 0);
		show(2, 1);
		miss(0, 0);
		miss(1, 0);
		miss(0, 1);
		assert_eq!((bond(0), bond(1)), (BOND, BOND));
		assert!(LostAsks::get().is_empty());
		miss(0, 1);
		assert_eq!((bond(0), bond(1)), (BOND - FINE, BOND));
		assert_eq!(LostAsks::get(), [(0, 1)]);
	});
}

#[test]
fn nobody_should_be_fined_for_an_artefact_that_nobody_showed() {
	with_providers(1, || {
		// A maker names a file that there is not: no provider can have it.
		for _ in 0..3 {
			earn(0, 0, 3);
			miss(0, 0);
			assert_eq!(last_miss(), (3, 0), "what cannot be shown is not earned");
		}
		store(0, &[1]);
		show(1, 0);
		store(0, &[0]);
		miss(0, 0);
		assert_eq!(last_miss(), (0, 0), "only one of the two can be blamed on it");
		miss(0, 0);
		publish(0);
		miss(0, 0);
		assert_eq!(
			(last_miss(), bond(0)),
			((0, 0), BOND),
			"the new version was not shown yet"
		);
	});
}

#[test]
fn second_miss_in_a_row_should_end_the_ask_although_nobody_showed_the_artefact() {
	// All who are paid for it do without the file.
	with_providers(3, || {
		let lost_after_miss_of = |node: u32| {
			// Nobody else is asked, so nobody shows the file.
			store(0, &[node]);
			miss(node, 0);
			LostAsks::get()
		};
		assert!(lost_after_miss_of(0).is_empty());
		assert!(lost_after_miss_of(1).is_empty());
		assert_eq!(lost_after_miss_of(0), [(0, 0)]);
		assert_eq!(lost_after_miss_of(1), [(0, 0), (1, 0)]);
		assert_eq!(lost_after_miss_of(0).len(), 2, "the next one is a first one again");
		assert_eq!(lost_after_miss_of(0).len(), 3);
		assert_eq!((bond(0), Accounts::get().fines), (BOND, 0), "and nobody is fined");
	});
}

#[test]
fn nobody_should_be_fined_who_was_out_already_at_the_draw() {
	with_providers(2, || {
		show(1, 0);
		change_node(0, |node| node.able = false);
		for _ in 0..3 {
			earn(0, 0, 4);
			miss(0, 0);
			assert_eq!(last_miss(), (4, 0), "what it does not keep is not earned");
		}
		assert_eq!(LostAsks::get(), [(0, 0)], "its place is for who can serve");
		change_node(0, |node| node.able = true);
		miss(0, 0);
		assert_eq!((last_miss(), bond(0)), ((0, 0), BOND));
		assert_eq!(LostAsks::get().len(), 2);
	});
}

#[test]
fn a_node_should_be_fined_that_goes_out_after_the_draw() {
	with_providers(2, || {
		show(1, 0);
		miss(0, 0);
		let until = draw(0, 0).until;
		change_node(0, |node| node.able = false);
		drop_records();
		go_to(until + 1);
		assert_eq!(
			last_miss(),
			(0, FINE),
			"else everybody would pause while it is challenged"
		);
	});
}

#[test]
fn fine_should_take_what_there_is() {
	with_providers(2, || {
		show(1, 0);
		change_node(0, |node| node.bond = 30);
		miss(0, 0);
		miss(0, 0);
		assert_eq!((last_miss(), bond(0), Accounts::get().fines), ((0, 30), 0, 30));
		miss(0, 0);
		miss(0, 0);
		assert_eq!((last_miss(), Accounts::get().fines), ((0, 0), 30));
		assert_eq!(Fleet::get()[&0].failures, 2, "it is noted all the same");
	});
}

#[test]
fn a_miss_should_be_forgotten_after_a_day() {
	with_providers(2, || {
		show(1, 0);
		miss(0, 0);
		let ended = now() - 1;
		let stored = Stored::take();
		go(WINDOW + 1);
		skip_to(ended + MEMORY - 1);
		assert!(has_missed(0, 0));
		step();
		assert!(!has_missed(0, 0));
		Stored::set(stored);
		show(1, 0);
		miss(0, 0);
		assert_eq!((last_miss(), bond(0)), ((0, 0), BOND));
		assert!(LostAsks::get().is_empty());
	});
}

#[test]
fn a_shown_artefact_should_be_forgotten_after_a_day_unless_it_is_shown_again() {
	with_providers(1, || {
		let hash = artefact(0).unwrap().hash;
		show(0, 0);
		let first = Shown::<Test>::get(hash).unwrap();
		let mut last = first;
		while last == first {
			show(0, 0);
			last = Shown::<Test>::get(hash).unwrap();
		}
		drop_records();
		go_to(last + 1);
		skip_to(first + MEMORY);
		assert_eq!(Shown::<Test>::get(hash), Some(last), "it was shown again since");
		skip_to(last + MEMORY - 1);
		assert!(Shown::<Test>::contains_key(hash));
		step();
		assert!(!Shown::<Test>::contains_key(hash));
	});
}

/// Answers may come in another order than the challenges did.
#[test]
fn a_shown_artefact_should_be_remembered_by_its_latest_challenge() {
	with_providers(2, || {
		let first = draw(0, 0);
		while !is_challenged(1, 0) {
			step();
		}
		let second = challenge(1, 0);
		assert!(second.until > first.until);
		accept(&prove(1, 0));
		accept(&prove(0, 0));
		assert_eq!(Shown::<Test>::get(first.artefact.hash), Some(second.until));
	});
}
