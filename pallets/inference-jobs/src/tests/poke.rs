use crate::{mock::parties::*, mock::*, Error, Pallet};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{FailureClass, JobPhase};
use sp_runtime::DispatchError;

/// The queue gets no weight: only pokes move jobs.
fn without_queue() {
	TickLimit::set(Default::default());
}

#[test]
fn poke_should_be_refused_in_every_phase_before_its_end() {
	ExtBuilder(3).build_and_execute(|| {
		let (assigned, attested, failed) = (submit(), submit(), submit());
		attest(attested).unwrap();
		report(failed, FailureClass::RunFailed).unwrap();
		report(failed, FailureClass::RunFailed).unwrap();
		for job in [assigned, attested, failed] {
			assert_noop!(poke(job), Error::<Test>::NotDue);
		}
		go_to(1 + WINDOW);
		assert_eq!(record(attested).phase(), JobPhase::Settled);
		assert_noop!(poke(attested), Error::<Test>::NotDue);
	});
}

#[test]
fn poke_should_be_refused_in_the_last_block_before_the_end() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		without_queue();
		go_to(1 + ALLOWANCE);
		assert_noop!(poke(job), Error::<Test>::NotDue);
		go_to(2 + ALLOWANCE);
		assert_ok!(poke(job));
	});
}

#[test]
fn poke_should_lead_a_job_through_its_whole_life_without_the_queue() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		without_queue();
		let first = executor(job);
		go_to(50);
		assert_ok!(poke(job));
		assert_eq!(executor(job), 1 - first);
		assert_ok!(attest(job));
		go_to(50 + WINDOW);
		assert_ok!(poke(job));
		assert_eq!(record(job).phase(), JobPhase::Settled);
		assert_noop!(poke(job), Error::<Test>::NotDue);
		go_to(50 + WINDOW + RETENTION);
		assert_ok!(poke(job));
		assert!(Pallet::<Test>::job(job).is_none());
		assert_noop!(poke(job), Error::<Test>::UnknownJob);
	});
}

#[test]
fn poke_should_refund_when_nobody_else_is_able() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		without_queue();
		go_to(50);
		assert_ok!(poke(job));
		assert_eq!(Outcomes::get(job), Some(Outcome::Refunded));
	});
}

#[test]
fn poke_should_need_a_signature_and_a_job() {
	ExtBuilder(1).build_and_execute(|| {
		assert_noop!(poke(0), Error::<Test>::UnknownJob);
		assert_noop!(InferenceJobs::poke(RuntimeOrigin::none(), 0), DispatchError::BadOrigin);
		assert_noop!(InferenceJobs::poke(RuntimeOrigin::root(), 0), DispatchError::BadOrigin);
	});
}
