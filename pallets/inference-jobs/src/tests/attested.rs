use crate::{mock::parties::*, mock::*, Error, Event, JobState, Pallet};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{traits::Jobs as _, work_id, work_tag, FailureClass, JobPhase};
use sp_core::H256;
use sp_runtime::Perbill;

#[test]
fn attested_should_free_the_slot_and_keep_the_security() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		go_to(3);
		assert!(InferenceJobs::is_assigned(job, work(job), 0));
		assert_ok!(attest(job));
		assert!(!InferenceJobs::is_assigned(job, work(job), 0));
		assert_eq!((Busy::get(0), Reserved::get(0)), (0, SECURITY));
		assert!(Pallet::<Test>::assigned_to(0, 10).is_empty());
		let record = record(job);
		assert_eq!(
			record.state,
			JobState::Attested {
				node: 0,
				output: output(),
				commitment: commitment(),
				at: 3,
				deadline: 1 + ALLOWANCE,
				settle_at: 3 + WINDOW
			}
		);
		assert_eq!(
			(record.output(), record.attested_at(), record.executor()),
			(Some(output()), Some(3), Some(0))
		);
		assert!(Outcomes::get(job).is_none());
	});
}

#[test]
fn job_should_settle_at_the_window_s_end_and_not_before() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		assert_ok!(attest(job));
		go_to(WINDOW);
		assert_eq!(record(job).phase(), JobPhase::Attested);
		go_to(1 + WINDOW);
		assert_eq!(record(job).phase(), JobPhase::Settled);
		assert_eq!(
			(record(job).output(), record(job).attested_at()),
			(Some(output()), Some(1))
		);
		assert_eq!(Outcomes::get(job), Some(Outcome::Settled(0)));
		assert_eq!((Reserved::get(0), OpenJobs::get()), (0, 0));
		assert_eq!(Notes::get(), vec![(0, true, Perbill::one())]);
		assert_eq!(record(job).bill, bill_of(&[0]));
		assert_eq!(AverageCompute::get(), COMPUTE / 8);
		assert_eq!(events().last(), Some(&Event::JobSettled { job, node: 0 }));
	});
}

#[test]
fn attested_should_refuse_every_node_but_the_assigned_one() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		let other = 1 - executor(job);
		assert!(!InferenceJobs::is_assigned(job, work(job), other));
		assert_noop!(
			InferenceJobs::attested(job, work(job), other, output(), commitment()),
			Error::<Test>::NotAssigned
		);
		assert_noop!(
			InferenceJobs::attested(job, work(job), 99, output(), commitment()),
			Error::<Test>::NotAssigned
		);
		assert_noop!(
			InferenceJobs::attested(job + 1, work(job), other, output(), commitment()),
			Error::<Test>::UnknownJob
		);
	});
}

#[test]
fn node_should_not_be_heard_when_it_speaks_of_other_work_with_the_same_job_id() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		// What the id stood for on another fork: another input, another number of them, or another version.
		let mut other_input = input();
		other_input.size += 1;
		let elsewhere = [
			work_id(job, SPEC, &other_input, 1),
			work_id(job, SPEC, &input(), 2),
			work_id(job, H256::zero(), &input(), 1),
			work_id(job + 1, SPEC, &input(), 1),
		];
		for work in elsewhere.iter().map(work_tag) {
			assert!(!InferenceJobs::is_assigned(job, work, 0));
			assert_noop!(
				InferenceJobs::attested(job, work, 0, output(), commitment()),
				Error::<Test>::OtherWork
			);
			assert_noop!(
				InferenceJobs::failure_reported(job, work, 0, FailureClass::RunFailed),
				Error::<Test>::OtherWork
			);
		}
		assert_eq!(work(job), work_tag(&work_id(job, SPEC, &input(), 1)));
		assert_ok!(attest(job));
	});
}

#[test]
fn attested_should_be_refused_the_second_time() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		assert_ok!(attest(job));
		assert_noop!(attest(job), Error::<Test>::NotAssigned);
		go_to(1 + WINDOW);
		assert_noop!(attest(job), Error::<Test>::NotAssigned);
	});
}

#[test]
fn attested_should_count_in_the_deadline_block_itself() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		go_to(record(job).deadline().unwrap());
		assert_ok!(attest(job));
	});
}

#[test]
fn attested_should_be_refused_after_the_deadline_even_if_the_queue_is_behind() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		let deadline = record(job).deadline().unwrap();
		TickLimit::set(Default::default());
		go_to(deadline + 1);
		assert_eq!(record(job).phase(), JobPhase::Assigned);
		assert!(!InferenceJobs::is_assigned(job, work(job), 0));
		assert_noop!(attest(job), Error::<Test>::DeadlinePassed);
		assert_noop!(report(job, FailureClass::RunFailed), Error::<Test>::DeadlinePassed);
	});
}

#[test]
fn job_should_finish_when_its_node_leaves_after_the_assignment() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		Fleet::remove(0);
		assert_ok!(attest(job));
		go_to(1 + WINDOW);
		assert_eq!(Outcomes::get(job), Some(Outcome::Settled(0)));
	});
}

#[test]
fn record_should_go_after_the_retention() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		assert_ok!(attest(job));
		go_to(WINDOW + RETENTION);
		assert_eq!(record(job).phase(), JobPhase::Settled);
		assert_eq!((Closed::get(), Forgotten::get()), (1, vec![]));
		go_to(1 + WINDOW + RETENTION);
		assert!(Pallet::<Test>::job(job).is_none());
		assert_eq!((Closed::get(), Forgotten::get()), (1, vec![job]));
		assert_eq!(events().last(), Some(&Event::JobPruned { job }));
	});
}

#[test]
fn security_should_be_given_back_as_it_was_taken_when_an_upgrade_changes_the_factor() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		// The record, not the factor of the day, says what to give back.
		assert_eq!(record(job).security, SECURITY);
		crate::Jobs::<Test>::mutate(job, |record| record.as_mut().unwrap().security -= 1);
		Reserved::mutate(0, |reserved| *reserved -= 1);
		assert_ok!(attest(job));
		go_to(1 + WINDOW);
		assert_eq!(Reserved::get(0), 0);
	});
}

#[test]
fn assigned_to_should_list_the_oldest_first_and_keep_to_its_limit() {
	ExtBuilder(1).build_and_execute(|| {
		for _ in 0..20 {
			submit();
		}
		assert_eq!(Pallet::<Test>::assigned_to(0, 5), vec![0, 1, 2, 3, 4]);
		assert_eq!(Pallet::<Test>::assigned_to(0, 100).len(), 20);
		assert!(Pallet::<Test>::assigned_to(1, 100).is_empty());
	});
}
