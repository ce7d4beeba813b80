//! What is checked after every test is able to fail.

use crate::{mock::*, Answer, Answers, Measurement, Measurements, Pallet, Round, Rounds, Terms};
use highway_primitives::{BlobRef, ProbeTerms};

fn change(change: impl FnOnce(&mut Measurement)) {
	Measurements::<Test>::mutate(0, |known| change(known.as_mut().unwrap()));
}

fn change_answer(change: impl FnOnce(&mut Answer)) {
	Answers::<Test>::mutate(0, |answer| change(answer.as_mut().unwrap()));
}

/// What breaks something, and what is said of it.
type Fault = (fn(), &'static str);

const FAULTS: [Fault; 14] = [
	(
		|| Terms::<Test>::put(ProbeTerms { share: 0, ..terms() }),
		"rounds cannot come as the terms say",
	),
	(|| Terms::<Test>::kill(), "there is a round without terms"),
	(|| Rounds::<Test>::put(7), "the last round is not the last one"),
	(
		|| Round::<Test>::mutate(|round| round.as_mut().unwrap().opened = 1_000),
		"a round is still to come",
	),
	(
		|| {
			change_answer(|answer| {
				answer.output = BlobRef {
					size: 65,
					..answer.output
				}
			})
		},
		"an answer is not made of whole rows",
	),
	(
		|| Measurements::<Test>::remove(0),
		"an answer is by a node of which nothing is known",
	),
	(
		|| change(|known| known.round = 1),
		"an answer is to a round that counted already, or is to come",
	),
	(
		|| change_answer(|answer| answer.at = 1),
		"an answer was not given in time",
	),
	(
		|| {
			Answers::<Test>::remove(0);
			change(|known| known.round = 2)
		},
		"a round counted that is still to come",
	),
	(
		|| change(|known| known.missed = 3),
		"more misses are counted than count",
	),
	(|| change(|known| known.refuted = true), "something counts after a lie"),
	(
		|| {
			change(|known| {
				known.rows = Some(1);
				known.missed = 2
			})
		},
		"something counts after two misses",
	),
	(|| change(|known| known.missed = 1), "a miss left nothing that counts"),
	(
		|| {
			let key = Measurements::<Test>::hashed_key_for(0);
			frame_support::storage::unhashed::put_raw(&key, &[9]);
			Answers::<Test>::remove(0);
		},
		"a measurement does not decode",
	),
];

#[test]
fn every_fault_should_be_found() {
	for (fault, said) in FAULTS {
		in_a_round(1, || {
			accept(&answer(0, &computed(&round().seed, 0, 1)));
			check();
			let _ = frame_support::storage::with_transaction(|| {
				fault();
				let error = Pallet::<Test>::do_try_state().unwrap_err();
				assert_eq!(error, sp_runtime::TryRuntimeError::Other(said));
				sp_runtime::TransactionOutcome::Rollback(Ok::<_, sp_runtime::DispatchError>(()))
			});
		});
	}
}
