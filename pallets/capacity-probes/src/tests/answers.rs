use crate::{mock::*, Answer, Answers, Error, Event};
use frame_support::assert_noop;
use highway_primitives::{probe::ANSWER_BLOCKS, BlobRef};
use sp_core::H256;
use sp_runtime::transaction_validity::InvalidTransaction;

/// An output that nobody computed.
fn made_up(size: u64) -> BlobRef {
	BlobRef {
		hash: H256::repeat_byte(7),
		size,
	}
}

fn sized(node: u32, size: u64) -> UncheckedExtrinsic {
	answer_by(&key(node), node, round().index, round().seed, made_up(size))
}

#[test]
fn answer_should_be_noted_when_it_is_in_time() {
	in_a_round(1, || {
		go(2);
		accept(&sized(0, 64 * 5));
		let (round, at) = (1, now());
		let answer = Answer {
			round,
			output: made_up(320),
			at,
		};
		assert_eq!(Answers::<Test>::get(0), Some(answer));
		assert_eq!(answer.rows(), 5);
		assert_eq!(
			events().pop(),
			Some(Event::Answered {
				node: 0,
				round,
				rows: 5
			})
		);
	});
}

#[test]
fn answer_should_count_until_its_last_block_and_not_after() {
	in_a_round(2, || {
		go(ANSWER_BLOCKS);
		accept(&sized(0, 64));
		go(1);
		assert_refused(&sized(1, 64), InvalidTransaction::Stale);
		end_round();
		assert_refused(&sized(1, 64), InvalidTransaction::Stale);
	});
}

#[test]
fn answer_should_be_stale_when_there_is_no_round() {
	execute_with(1, Some(terms()), || {
		beat(0);
		let transaction = answer_by(&key(0), 0, 1, [0; 32], made_up(64));
		assert_refused(&transaction, InvalidTransaction::Stale);
	});
}

#[test]
fn answer_should_be_stale_when_it_is_to_another_round_or_fork() {
	in_a_round(1, || {
		let current = round();
		for (index, seed) in [(0, current.seed), (2, current.seed), (1, [9; 32])] {
			let transaction = answer_by(&key(0), 0, index, seed, made_up(64));
			assert_refused(&transaction, InvalidTransaction::Stale);
		}
		let old = sized(0, 64);
		next_round();
		assert_refused(&old, InvalidTransaction::Stale);
	});
}

#[test]
fn answer_should_be_stale_when_it_is_said_twice() {
	in_a_round(1, || {
		let first = sized(0, 64);
		accept(&first);
		assert_refused(&first, InvalidTransaction::Stale);
		assert_refused(&sized(0, 128), InvalidTransaction::Stale);
		// Nor another one after the proof.
		go(3);
		end_round();
		assert_refused(&first, InvalidTransaction::Stale);
	});
}

#[test]
fn answer_should_not_count_again_when_it_was_proved() {
	in_a_round(1, || {
		compute(0, 3);
		assert_refused(&sized(0, 64), InvalidTransaction::Stale);
		assert_eq!(open_answers(), 0);
	});
}

#[test]
fn answer_should_be_refused_when_its_size_is_not_of_whole_rows_or_too_many() {
	in_a_round(1, || {
		let most = 64 * u64::from(DECLARED) * u64::from(SLOT);
		let none = [0, 1, 63, 65, most - 1, most + 1, most + 64, u64::MAX, u64::MAX - 63];
		for size in none {
			assert_refused(&sized(0, size), InvalidTransaction::Custom(2));
		}
		accept(&sized(0, most));
	});
}

#[test]
fn answer_should_be_stale_when_the_node_is_not_asked() {
	let rare = highway_primitives::ProbeTerms {
		share: u32::MAX,
		..terms()
	};
	execute_with(1, Some(rare), || {
		beat(0);
		next_round();
		assert_eq!(task(0), None);
		assert_refused(&sized(0, 64), InvalidTransaction::Stale);
		end_round();
		beat(0);
		assert_eq!(known(0).missed, 0, "who is not asked misses nothing");
	});
}

#[test]
fn answer_should_change_nothing_when_it_is_dispatched_without_being_due() {
	in_a_round(1, || {
		let origin = || -> RuntimeOrigin { frame_system::RawOrigin::Authorized.into() };
		let signature = || {
			sign(
				&key(0),
				&highway_primitives::WorkerAction::ProveProbe {
					node: 0,
					round: 0,
					proof: no_proof(),
				},
			)
		};
		assert_noop!(
			CapacityProbes::answer(origin(), 0, 2, round().seed, made_up(64), signature()),
			Error::<Test>::NotDue
		);
		assert_noop!(
			CapacityProbes::prove(origin(), 0, 1, no_proof(), signature()),
			Error::<Test>::NotDue
		);
	});
}
