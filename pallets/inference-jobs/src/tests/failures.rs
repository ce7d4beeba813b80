use crate::{mock::parties::*, mock::*, Error, Event, JobState};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{traits::Jobs as _, FailureClass::*, JobPhase, Verdict};
use sp_runtime::Perbill;

#[test]
fn report_should_pass_the_job_on_for_half_of_a_timeout() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		assert_ok!(report(job, InputMissing));
		assert_eq!(executor(job), 1 - first);
		assert_eq!(record(job).failures.to_vec(), vec![(first, InputMissing)]);
		assert_eq!(Notes::get(), vec![(first, false, Perbill::from_percent(50))]);
		assert_eq!((Busy::get(first), Reserved::get(first)), (0, 0));
	});
}

#[test]
fn job_should_fail_when_two_nodes_report_the_same_class() {
	ExtBuilder(3).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		assert_ok!(report(job, ModelRefused));
		let second = executor(job);
		assert_ok!(report(job, ModelRefused));
		let reporters = [first, second];
		assert_eq!(
			record(job).state,
			JobState::Failed {
				class: ModelRefused,
				reporters,
				prune_at: 1 + RETENTION
			}
		);
		assert_eq!(record(job).bill, bill_of(&reporters));
		assert_eq!(Outcomes::get(job), Some(Outcome::Failed(reporters.to_vec())));
		assert_eq!(
			events().last(),
			Some(&Event::JobFailed {
				job,
				class: ModelRefused,
				reporters
			})
		);
		go_to(1 + RETENTION);
		assert_eq!(Closed::get(), 1);
	});
}

#[test]
fn job_should_fail_when_a_timeout_lies_between_the_two_reports() {
	ExtBuilder(3).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		assert_ok!(report(job, RunFailed));
		go_to(2 + ALLOWANCE);
		let third = executor(job);
		assert_ok!(report(job, RunFailed));
		assert_eq!(Outcomes::get(job), Some(Outcome::Failed(vec![first, third])));
	});
}

#[test]
fn job_should_be_refunded_when_three_nodes_report_different_classes() {
	ExtBuilder(5).build_and_execute(|| {
		let job = submit();
		for class in [InputMissing, InputInvalid, RunFailed] {
			assert_ok!(report(job, class));
		}
		assert_eq!(record(job).phase(), JobPhase::Refunded);
		assert_eq!(record(job).failures.len(), 3);
	});
}

#[test]
fn job_should_be_refunded_when_the_only_node_reports() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		assert_ok!(report(job, InputMissing));
		assert_eq!(Outcomes::get(job), Some(Outcome::Refunded));
	});
}

#[test]
fn one_node_alone_should_not_be_able_to_fail_a_job() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		assert_ok!(report(job, InputMissing));
		assert_noop!(
			InferenceJobs::failure_reported(job, work(job), first, InputMissing),
			Error::<Test>::NotAssigned
		);
	});
}

#[test]
fn contradicted_reporter_should_pay_as_for_a_timeout() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		assert_ok!(report(job, InputMissing));
		assert_ok!(attest(job));
		// Nothing yet: the result may be found wrong.
		assert_eq!(Notes::get(), vec![(first, false, Perbill::from_percent(50))]);
		assert!(Fines::get().is_empty());
		go_to(1 + WINDOW);
		assert_eq!(
			Notes::get()[1..],
			[
				(1 - first, true, Perbill::one()),
				(first, false, Perbill::from_percent(50))
			]
		);
		assert_eq!(Fines::get(), vec![(first, COMPUTE)]);
		let (node, amount) = (first, COMPUTE);
		assert!(events().contains(&Event::NodeFined { job, node, amount }));
	});
}

#[test]
fn both_reporters_should_pay_when_the_third_node_does_the_job() {
	ExtBuilder(3).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		assert_ok!(report(job, InputMissing));
		let second = executor(job);
		assert_ok!(report(job, RunFailed));
		assert_ok!(attest(job));
		Answers::insert(job, vec![Answer::Audit(5), Answer::End(Verdict::Unaudited)]);
		go_to(1 + WINDOW + 5);
		assert_eq!(Fines::get(), vec![(first, COMPUTE), (second, COMPUTE)]);
	});
}

#[test]
fn reporter_should_pay_nothing_when_the_result_is_not_upheld() {
	for verdict in [Verdict::Rejected, Verdict::Void] {
		ExtBuilder(2).build_and_execute(|| {
			let job = submit();
			let first = executor(job);
			assert_ok!(report(job, InputMissing));
			assert_ok!(attest(job));
			Answers::insert(job, vec![Answer::Audit(5), Answer::End(verdict)]);
			go_to(1 + WINDOW + 5);
			assert!(Fines::get().is_empty());
			assert!(!Notes::get()[1..].iter().any(|(node, ..)| *node == first));
		});
	}
}

#[test]
fn report_should_cost_no_money() {
	ExtBuilder(3).build_and_execute(|| {
		let job = submit();
		assert_ok!(report(job, InputMissing));
		assert_ok!(report(job, InputMissing));
		assert_eq!(record(job).phase(), JobPhase::Failed);
		assert!(Fines::get().is_empty());
	});
}

#[test]
fn report_should_be_refused_once_the_job_is_done() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		assert_ok!(attest(job));
		assert_noop!(report(job, InputMissing), Error::<Test>::NotAssigned);
	});
}
