use crate::{mock::*, Challenges, Due, Event, WeightInfo, DRAWS};
use highway_primitives::{traits::StorageChallenges, BlobRef};
use std::collections::BTreeSet;

/// How many challenges were drawn so far.
fn drawn() -> usize {
	let is_drawn = |event: &Event<Test>| matches!(event, Event::Challenged { .. });
	events().into_iter().filter(is_drawn).count()
}

/// Ends every open challenge as an answer does.
fn end_all() {
	let pairs: Vec<_> = Challenges::<Test>::iter_keys().collect();
	for (node, model) in pairs {
		Challenges::<Test>::remove(node, model);
	}
}

#[test]
fn challenge_should_ask_for_a_chunk_of_the_present_artefact_when_it_is_drawn() {
	with_providers(1, || {
		let asked = draw(0, 0);
		assert_eq!(asked.artefact, BlobRef::of(&file(0, 1)));
		assert!(asked.chunk < 5, "the file has five chunks");
		assert_eq!((asked.drawn_at, asked.until), (now(), now() + WINDOW));
		assert!(asked.able);
		let expected = Event::Challenged {
			node: 0,
			model: 0,
			chunk: asked.chunk,
			until: asked.until,
		};
		assert_eq!(events().pop(), Some(expected));
		assert!(StorageProofs::challenged(0, 0));
		assert!(!StorageProofs::challenged(1, 0) && !StorageProofs::challenged(0, 1));
		assert_eq!(StorageProofs::tasks_of(0), [(0, asked)]);
		assert_eq!(StorageProofs::tasks_of(1), []);
	});
}

#[test]
fn nothing_should_be_drawn_when_nobody_stores_anything() {
	execute(|| {
		go(100);
		assert_eq!(drawn(), 0);
		store(0, &[]);
		go(100);
		assert_eq!(drawn(), 0, "a record without providers");
	});
}

#[test]
fn nothing_should_be_drawn_when_the_parent_block_has_no_vrf() {
	with_providers(1, || {
		HasVrf::set(false);
		go(100);
		assert_eq!(drawn(), 0);
		HasVrf::set(true);
		draw(0, 0);
	});
}

#[test]
fn no_more_than_four_should_be_drawn_in_a_block_however_many_models_are_stored() {
	execute(|| {
		(0..40).for_each(|model| store(model, &[0, 1, 2]));
		let mut most = 0;
		for _ in 0..60 {
			let before = drawn();
			step();
			most = most.max(drawn() - before);
			assert!(Due::<Test>::get(now() + WINDOW).len() <= DRAWS as usize);
		}
		assert_eq!(most, DRAWS as usize);
		assert!(Challenges::<Test>::iter().count() <= (DRAWS * (WINDOW + 1)) as usize);
	});
}

#[test]
fn a_model_should_be_challenged_once_in_an_interval_when_few_are_stored() {
	for models in [1, 3] {
		execute(|| {
			Interval::set(50);
			(0..models).for_each(|model| store(model, &[0, 1]));
			for _ in 0..10_000 {
				step();
				end_all();
			}
			let expected = 200 * models as usize;
			let drawn = drawn();
			assert!(
				(expected * 7 / 10..=expected * 13 / 10).contains(&drawn),
				"{drawn} of {expected}"
			);
		});
	}
}

#[test]
fn every_model_provider_and_chunk_should_be_drawn_some_time() {
	execute(|| {
		(0..3).for_each(|model| store(model, &[0, 1, 2]));
		let mut seen = BTreeSet::new();
		for _ in 0..2_000 {
			step();
			seen.extend(Challenges::<Test>::iter().map(|(node, model, asked)| (node, model, asked.chunk)));
			end_all();
		}
		assert_eq!(seen.len(), 3 * 3 * 5);
	});
}

#[test]
fn nobody_should_know_a_draw_without_the_vrf() {
	let mut seen = BTreeSet::new();
	for salt in 0..8 {
		with_providers(2, || {
			Salt::set(salt);
			go(10);
			let drawn = Challenges::<Test>::iter().map(|(node, _, asked)| (node, asked.chunk, asked.drawn_at));
			seen.insert(drawn.collect::<Vec<_>>());
		});
	}
	assert!(seen.len() > 6, "{seen:?}");
}

#[test]
fn a_node_should_not_be_asked_twice_at_once_for_the_same_model() {
	with_providers(1, || {
		let asked = draw(0, 0);
		go_to(asked.until);
		assert_eq!((drawn(), challenge(0, 0)), (1, asked));
		store(1, &[0]);
		let other = draw(0, 1);
		assert_eq!(
			other.artefact,
			BlobRef::of(&file(1, 1)),
			"another model is another matter"
		);
	});
}

#[test]
fn a_provider_should_not_be_drawn_when_it_has_nothing_to_show() {
	with_providers(2, || {
		// One stopped hosting and one left, and the record of an idle model still names both.
		change_node(0, |node| node.hosts.clear());
		leave(1);
		go(100);
		assert_eq!(drawn(), 0);
	});
	with_providers(1, || {
		remove_model(0);
		go(100);
		assert_eq!(drawn(), 0);
	});
}

#[test]
fn a_provider_should_be_drawn_when_it_is_not_able_to_serve() {
	with_providers(1, || {
		change_node(0, |node| node.able = false);
		assert!(!draw(0, 0).able, "it is still paid for what it keeps");
	});
}

#[test]
fn a_challenge_should_be_of_the_version_that_is_current_at_the_draw() {
	with_providers(1, || {
		publish(0);
		assert_eq!(draw(0, 0).artefact, BlobRef::of(&file(0, 2)));
	});
}

#[test]
fn a_block_should_take_no_longer_when_more_models_are_stored() {
	let most = || {
		let mut most = 0;
		for _ in 0..20 {
			most = step().ref_time().max(most);
		}
		most
	};
	let bound = <() as WeightInfo>::idle().ref_time() + u64::from(DRAWS) * <() as WeightInfo>::challenge().ref_time();
	for models in [1, 300] {
		execute(|| {
			(0..models).for_each(|model| store(model, &[0]));
			assert!(most() <= bound, "{models} models");
		});
	}
}

#[test]
fn a_block_should_be_charged_for_what_it_does() {
	with_providers(1, || {
		Interval::set(1_000_000);
		assert_eq!(step(), <() as WeightInfo>::idle());
		Interval::set(1);
		let until = draw(0, 0).until;
		drop_records();
		go_to(until);
		let ended = <() as WeightInfo>::idle().saturating_add(<() as WeightInfo>::miss());
		assert_eq!(step(), ended);
	});
}
