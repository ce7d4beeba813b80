use crate::{mock::*, Error, Event, Round, Terms};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{probe::ANSWER_BLOCKS, traits::Allowed, ProbeTask, ProbeTerms};
use sp_runtime::{transaction_validity::InvalidTransaction, BuildStorage, DispatchError};

fn set(terms: Option<ProbeTerms>) {
	assert_ok!(CapacityProbes::set_terms(RuntimeOrigin::root(), terms));
}

#[test]
fn terms_should_be_set_by_root_alone() {
	execute_with(1, None, || {
		for origin in [
			RuntimeOrigin::signed(1),
			RuntimeOrigin::none(),
			frame_system::RawOrigin::Authorized.into(),
		] {
			assert_noop!(
				CapacityProbes::set_terms(origin, Some(terms())),
				DispatchError::BadOrigin
			);
		}
		set(Some(terms()));
		assert_eq!(Terms::<Test>::get(), Some(terms()));
		assert_eq!(events(), vec![Event::TermsSet { terms: Some(terms()) }]);
	});
}

#[test]
fn terms_should_be_refused_when_rounds_could_not_come_so() {
	execute_with(1, Some(terms()), || {
		let refused = |terms, error: Error<Test>| {
			assert_noop!(CapacityProbes::set_terms(RuntimeOrigin::root(), Some(terms)), error);
		};
		refused(ProbeTerms { share: 0, ..terms() }, Error::ZeroTerm);
		refused(ProbeTerms { interval: 0, ..terms() }, Error::ZeroTerm);
		refused(
			ProbeTerms {
				rows_per_slot: 0,
				..terms()
			},
			Error::ZeroTerm,
		);
		refused(
			ProbeTerms {
				spacing: SESSION - 1,
				..terms()
			},
			Error::SpacingTooShort,
		);
		// The largest of everything is allowed.
		let most = u32::MAX;
		set(Some(ProbeTerms {
			share: most,
			spacing: most,
			interval: most,
			rows_per_slot: most,
			unmeasured_slots: u16::MAX,
			reward: u128::MAX,
			..terms()
		}));
		go(100);
		assert_eq!(Round::<Test>::get(), None);
	});
}

#[test]
#[should_panic(expected = "the spacing of rounds at least a session")]
fn genesis_should_panic_when_rounds_could_not_come_so() {
	let genesis = RuntimeGenesisConfig {
		capacity_probes: crate::GenesisConfig {
			terms: Some(ProbeTerms { spacing: 0, ..terms() }),
			..Default::default()
		},
		..Default::default()
	};
	let _ = genesis.build_storage();
}

#[test]
fn round_should_end_without_a_trace_when_probing_is_switched_off() {
	in_a_round(2, || {
		compute(0, 4 * SLOT);
		let late = answer(1, &computed(&round().seed, 1, 4));
		set(None);
		assert_eq!((task(1), Round::<Test>::get()), (None, None));
		assert_refused(&late, InvalidTransaction::Stale);
		assert_eq!(beat(0), Allowed::UNBOUNDED);
		go(100);
		assert_eq!((beat(1), known(1).missed), (Allowed::UNBOUNDED, 0));

		// What was proved bounds again, and rounds are counted on.
		set(Some(terms()));
		assert_eq!((beat(0).slots, beat(1).slots), (4, 2));
		next_round();
		assert_eq!(round().index, 2);
		assert!(matches!(task(0), Some(ProbeTask::Compute { round: 2, .. })));
	});
}

#[test]
fn nobody_should_miss_a_round_when_other_terms_ended_it() {
	in_a_round(2, || {
		accept(&answer(0, &computed(&round().seed, 0, 4)));
		go(3);
		let proof = prove(0, &computed(&round().seed, 0, 4));
		set(Some(ProbeTerms {
			share: 2,
			rows_per_slot: 1,
			..terms()
		}));
		assert_refused(&proof, InvalidTransaction::Stale);
		// The next round may come at once. It has an index of its own, so that the old answer is none to it.
		next_round();
		assert_eq!((round().index, round().opened), (2, now()));
		assert_refused(&proof, InvalidTransaction::Stale);
		let missed = |node| known(node).missed;
		assert_eq!((missed(0), missed(1)), (0, 0));
	});
}

#[test]
fn slots_should_follow_the_terms_when_these_change() {
	in_a_round(1, || {
		compute(0, 8 * SLOT);
		set(Some(ProbeTerms {
			rows_per_slot: 2 * SLOT,
			..terms()
		}));
		assert_eq!(beat(0).slots, 4);
	});
}

#[test]
fn more_should_be_asked_of_a_node_that_declares_more() {
	in_a_round(1, || {
		Fleet::mutate(|fleet| fleet.insert(0, 1_024));
		let Some(ProbeTask::Compute { rows, until, .. }) = task(0) else {
			panic!("it is asked")
		};
		assert_eq!((rows, until), (1_024 * SLOT, round().opened + ANSWER_BLOCKS));
	});
}
