//! Jobs of many inputs: one record each, with the units of all of them.

use crate::{
	mock::parties::*, mock::*, Call, Error, Event, JobState, NextJobId, Pallet, WeightInfo, MAX_DRAWN, MAX_INPUT_SIZE,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo},
};
use highway_primitives::{
	traits::Jobs as _, work_id, Balance, BlobRef, BlockNumber, FailureClass, JobPhase, NodeId, Unit, Verdict,
	MAX_INPUTS, MIN_INPUTS,
};
use sp_runtime::traits::Dispatchable;

/// Bytes of the bundles here, if nothing else is said: a KiB, a started one.
const SIZE: u64 = 1_000;

fn call(inputs: u16, max_price: Balance) -> Call<Test> {
	Call::submit_batch {
		model: MODEL,
		input: input(),
		inputs,
		max_price,
		gateway: None,
		curator: None,
	}
}

/// In a storage layer, as in a block.
fn dispatch(call: Call<Test>) -> DispatchResultWithPostInfo {
	RuntimeCall::from(call).dispatch(RuntimeOrigin::signed(PAYER))
}

/// Two inputs, with everybody who may be named.
fn named(gateway: NodeId) -> Call<Test> {
	Call::submit_batch {
		model: MODEL,
		input: input(),
		inputs: 2,
		max_price: PRICE,
		gateway: Some(gateway),
		curator: Some(9),
	}
}

/// Blocks that an executor has for so many units of a second, and for a bundle that arrives within the second of one.
fn allowance(units: u32) -> BlockNumber {
	5 + units / 2 + 1
}

#[test]
fn submit_batch_should_make_one_job_of_all_its_inputs() {
	ExtBuilder(1).build_and_execute(|| {
		CountsIn::put(Unit::Request);
		let job = try_submit_batch(SIZE, 10).unwrap();
		assert_eq!((job, NextJobId::<Test>::get()), (0, 1));
		let record = record(job);
		assert_eq!(
			(record.inputs, record.quorum, record.phase()),
			(10, None, JobPhase::Assigned)
		);
		assert_eq!(record.work, work_id(job, SPEC, &input(), 10));
		assert_eq!((record.deal.units, record.allowance), (10, allowance(10)));
		// The market says what so many units cost: here it is always the same.
		assert_eq!(
			(Escrowed::get(), Reserved::get(0), Busy::get(0), OpenJobs::get()),
			(PRICE, SECURITY, 1, 1)
		);
		let expected = Event::JobSubmitted {
			job,
			payer: PAYER,
			model: MODEL,
			node: 0,
			price: PRICE,
			deadline: 1 + allowance(10),
		};
		assert_eq!(events(), vec![expected]);
	});
}

#[test]
fn submit_batch_should_take_two_to_256_inputs_and_no_other_number() {
	ExtBuilder(1).build_and_execute(|| {
		for inputs in [0, 1, MAX_INPUTS + 1, u16::MAX] {
			assert_noop!(try_submit_batch(SIZE, inputs), Error::<Test>::InputsOutOfRange);
		}
		for inputs in [MIN_INPUTS, 3, MAX_INPUTS] {
			let job = try_submit_batch(SIZE, inputs).unwrap();
			assert_eq!(record(job).inputs, inputs);
		}
		assert_eq!((MIN_INPUTS, MAX_INPUTS), (2, 256));
	});
}

#[test]
fn submit_batch_should_count_units_by_inputs_or_by_kib_and_give_time_for_all_of_them() {
	for (counts_in, size, inputs, units) in [
		(Unit::Request, SIZE, 2, 2),
		(Unit::Request, SIZE, 256, 256),
		// Bytes do not count.
		(Unit::Request, 500_000, 7, 7),
		(Unit::InputKib, SIZE, 2, 2),
		(Unit::InputKib, 10 * 1_024, 7, 10),
		(Unit::InputKib, 10 * 1_024 + 1, 7, 11),
		(Unit::InputKib, 10 * 1_024, 256, 256),
	] {
		ExtBuilder(1).build_and_execute(|| {
			CountsIn::put(counts_in);
			let job = try_submit_batch(size, inputs).unwrap();
			let record = record(job);
			assert_eq!(record.deal.units, units, "{counts_in:?}, {size} bytes, {inputs} inputs");
			assert_eq!(record.allowance, allowance(units));
			assert_eq!(record.deadline(), Some(1 + allowance(units)));
		});
	}
}

#[test]
fn submit_batch_should_refuse_what_submit_job_refuses() {
	ExtBuilder(1).build_and_execute(|| {
		UnitTime::put(1);
		for size in [0, MAX_INPUT_SIZE + 1, u64::MAX] {
			assert_noop!(try_submit_batch(size, 2), Error::<Test>::InputSizeOutOfRange);
		}
		assert_noop!(dispatch(call(2, PRICE - 1)), Error::<Test>::PriceAboveMax);
		assert_noop!(dispatch(named(5)), Error::<Test>::UnknownGateway);
		IsSuspended::put(true);
		assert_noop!(dispatch(call(2, PRICE)), Error::<Test>::VersionSuspended);
		IsSuspended::put(false);
		assert_ok!(dispatch(named(0)));
		assert_eq!((record(0).gateway, record(0).deal.curator), (Some(0), Some((9, 10))));
		// What one input may take, all of them may not: 256 of 71 s are more than five hours.
		UnitTime::put(71_000);
		CountsIn::put(Unit::Request);
		assert_noop!(try_submit_batch(SIZE, 256), Error::<Test>::DeadlineTooLong);
	});
}

#[test]
fn submit_batch_should_take_nothing_when_no_node_is_able() {
	ExtBuilder(0).build_and_execute(|| {
		assert_noop!(try_submit_batch(SIZE, 2), Error::<Test>::NoCapacity);
		assert_eq!((Opened::get(), NextJobId::<Test>::get()), (0, 0));
	});
}

#[test]
fn submit_batch_should_weigh_the_same_whatever_the_number_of_inputs() {
	ExtBuilder(2).build_and_execute(|| {
		let later = Pallet::<Test>::later_weight(2).ref_time();
		let first = dispatch(call(2, PRICE)).unwrap().actual_weight;
		let now = <() as WeightInfo>::submit_batch(2);
		assert_eq!(first, Some(now.add_proof_size(later)));
		// The market is cleared by now.
		let second = dispatch(call(256, PRICE)).unwrap().actual_weight.unwrap();
		assert_eq!(second, <() as WeightInfo>::submit_later().add_proof_size(later));
		let declared = [2, 256].map(|inputs| RuntimeCall::from(call(inputs, PRICE)).get_dispatch_info().call_weight);
		assert_eq!(declared, [Pallet::<Test>::heaviest_batch(); 2]);
		assert!(second.all_lte(declared[0]));
		assert!(Pallet::<Test>::later_weight(MAX_DRAWN).ref_time() <= declared[0].proof_size());
	});
}

#[test]
fn audit_of_a_batch_should_know_how_many_inputs_there_are() {
	ExtBuilder(1).build_and_execute(|| {
		let job = try_submit_batch(SIZE, 256).unwrap();
		attest(job).unwrap();
		assert_eq!(
			InferenceJobs::audit_subject(job).map(|subject| subject.inputs),
			Some(256)
		);
	});
}

#[test]
fn payer_should_have_everything_back_when_one_input_of_a_batch_is_found_wrong() {
	ExtBuilder(1).build_and_execute(|| {
		let job = try_submit_batch(SIZE, 100).unwrap();
		attest(job).unwrap();
		Answers::insert(job, vec![Answer::Audit(2), Answer::End(Verdict::Rejected)]);
		events();
		go_to(record(job).due());
		go_to(record(job).due());
		assert_eq!(record(job).phase(), JobPhase::Rejected);
		assert_eq!(Outcomes::get(job), Some(Outcome::Refunded));
		assert_eq!((Escrowed::get(), Discharged::get()), (PRICE, PRICE));
		let expected = Event::JobRejected {
			job,
			node: 0,
			payer: PAYER,
			amount: PRICE,
		};
		assert_eq!(events(), vec![expected]);
	});
}

#[test]
fn batch_should_go_to_another_node_as_a_whole_and_end_when_two_find_it_impossible() {
	ExtBuilder(3).build_and_execute(|| {
		let job = try_submit_batch(SIZE, 4).unwrap();
		let first = executor(job);
		go_to(record(job).due());
		assert_ne!(executor(job), first);
		// With as much time as the first one had.
		let deadline = record(job).deadline().unwrap();
		assert_eq!(deadline, 1 + allowance(4) + 1 + allowance(4));
		assert_ok!(report(job, FailureClass::InputInvalid));
		assert_ok!(report(job, FailureClass::InputInvalid));
		assert_eq!(record(job).phase(), JobPhase::Failed);
		assert!(matches!(
			record(job).state,
			JobState::Failed {
				class: FailureClass::InputInvalid,
				..
			}
		));
		assert_eq!(record(job).inputs, 4);
	});
}

#[test]
fn invariants_should_name_a_job_whose_inputs_and_units_do_not_fit() {
	ExtBuilder(1).build_and_execute(|| {
		let job = try_submit_batch(SIZE, 3).unwrap();
		let sound = record(job);
		for (inputs, size) in [(0, SIZE), (257, SIZE), (4, SIZE), (3, 5_000)] {
			let mut broken = sound.clone();
			broken.inputs = inputs;
			broken.input = BlobRef { size, ..input() };
			crate::Jobs::<Test>::insert(job, broken);
			assert!(
				Pallet::<Test>::do_try_state().is_err(),
				"{inputs} inputs in {size} bytes"
			);
		}
		crate::Jobs::<Test>::insert(job, sound);
	});
}
