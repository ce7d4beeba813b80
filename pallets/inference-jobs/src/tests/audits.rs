//! From attested work to its end, through the answers of whoever audits.

use crate::{mock::parties::*, mock::*, AuditWeights, Due, Error, Event, JobState, Pallet, WeightInfo, MAX_DRAWN};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, traits::Hooks, weights::Weight};
use highway_math::audit::{DRAW_DELAY, DRAW_WALK, JUDGE_TRIES};
use highway_primitives::{
	audit::{AuditSubject, AuditWork},
	market::MAX_DEBTS_AT_ONCE,
	model::MAX_LINEAGE,
	traits::Jobs as _,
	Balance, BlockNumber, FailureClass, JobId, JobPhase, Tier, Verdict,
};
use sp_runtime::{traits::Dispatchable, Perbill};

const VERDICTS: [Verdict; 4] = [Verdict::Upheld, Verdict::Unaudited, Verdict::Rejected, Verdict::Void];

/// A job attested in block 1, whose window ends in block 1 + WINDOW.
fn attested(answers: &[Answer]) -> JobId {
	let job = submit();
	attest(job).unwrap();
	Answers::insert(job, answers.to_vec());
	job
}

fn questions() -> Vec<Question> {
	Asked::get().into_iter().map(|(question, _)| question).collect()
}

fn phase(job: JobId) -> JobPhase {
	record(job).phase()
}

fn now() -> BlockNumber {
	System::block_number() as BlockNumber
}

#[test]
fn job_should_wait_for_the_blocks_that_draw_its_audit() {
	ExtBuilder(1).build_and_execute(|| {
		// A minute of work: 31 blocks and the base.
		UnitTime::put(60_000);
		let job = submit();
		let deadline = record(job).deadline().unwrap();
		assert!(deadline > 1 + WINDOW);
		assert_ok!(attest(job));
		assert_eq!(record(job).due(), deadline + DRAW_DELAY);
		go_to(deadline + DRAW_DELAY - 1);
		assert!(Asked::get().is_empty());
		go_to(deadline + DRAW_DELAY);
		assert_eq!(phase(job), JobPhase::Settled);
	});
}

#[test]
fn the_question_should_tell_all_that_an_audit_needs() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		assert_eq!(InferenceJobs::audit_subject(job), None);
		go_to(2);
		assert_ok!(attest(job));
		let subject = AuditSubject {
			job,
			work: record(job).work,
			payer: PAYER,
			model: MODEL,
			version: 3,
			executor: 0,
			output: output(),
			commitment: commitment(),
			inputs: 1,
			reward: COMPUTE,
			security: SECURITY,
			rate: RATE,
			allowance: ALLOWANCE,
			deadline: 1 + ALLOWANCE,
			attested_at: 2,
		};
		assert_eq!(InferenceJobs::audit_subject(job).as_ref(), Some(&subject));
		Answers::insert(job, vec![Answer::Audit(3), Answer::Wait(3)]);
		go_to(2 + WINDOW);
		assert_eq!(InferenceJobs::audit_subject(job).as_ref(), Some(&subject));
		go_to(2 + WINDOW + 6);
		let asked = vec![
			(Question::WindowOver, subject.clone()),
			(Question::AuditDue, subject.clone()),
			(Question::AuditDue, subject),
		];
		assert_eq!(Asked::get(), asked);
		assert_eq!(InferenceJobs::audit_subject(job), None);
		assert_eq!(InferenceJobs::audit_subject(job + 1), None);
	});
}

#[test]
fn job_should_stay_attested_as_long_as_the_draw_is_not_there() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[Answer::Wait(2), Answer::Wait(7)]);
		go_to(1 + WINDOW);
		assert_eq!((phase(job), record(job).due()), (JobPhase::Attested, 3 + WINDOW));
		go_to(3 + WINDOW);
		assert_eq!((phase(job), record(job).due()), (JobPhase::Attested, 10 + WINDOW));
		assert_eq!(record(job).deadline(), None);
		go_to(10 + WINDOW);
		assert_eq!(phase(job), JobPhase::Settled);
		assert_eq!(questions(), vec![Question::WindowOver; 3]);
	});
}

#[test]
fn job_should_be_in_audit_until_the_answer_is_an_end() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[
			Answer::Audit(5),
			Answer::Wait(3),
			Answer::Audit(4),
			Answer::End(Verdict::Upheld),
		]);
		go_to(1 + WINDOW);
		for until in [6, 9, 13] {
			let state = JobState::Auditing {
				node: 0,
				output: output(),
				commitment: commitment(),
				at: 1,
				deadline: 1 + ALLOWANCE,
				until: until + WINDOW,
			};
			assert_eq!(record(job).state, state);
			assert_eq!(
				(record(job).output(), record(job).attested_at(), record(job).executor()),
				(Some(output()), Some(1), Some(0))
			);
			assert_eq!((Reserved::get(0), Busy::get(0), OpenJobs::get()), (SECURITY, 0, 1));
			assert!(record(job).bill.is_empty() && Outcomes::get(job).is_none());
			go_to(until + WINDOW - 1);
			assert_eq!(record(job).state, state);
			go_to(until + WINDOW);
		}
		assert_eq!(phase(job), JobPhase::Settled);
		let mut asked = vec![Question::AuditDue; 4];
		asked[0] = Question::WindowOver;
		assert_eq!(questions(), asked);
	});
}

/// What a verdict leads to, whether the work was audited before or not.
fn ends(verdict: Verdict, before: &[Answer], at: BlockNumber) {
	ExtBuilder(1).build_and_execute(|| {
		let answers: Vec<_> = before.iter().cloned().chain([Answer::End(verdict)]).collect();
		let job = attested(&answers);
		System::reset_events();
		go_to(at);
		let (node, payer, amount) = (0, PAYER, PRICE);
		let prune_at = at + RETENTION;
		let attested_at = 1;
		let output = output();
		let (state, outcome, event, notes) = match verdict {
			Verdict::Upheld | Verdict::Unaudited => (
				JobState::Settled {
					node,
					output,
					attested_at,
					prune_at,
				},
				match verdict {
					Verdict::Upheld => Outcome::Settled(0),
					_ => Outcome::Unaudited(0),
				},
				Event::JobSettled { job, node },
				vec![(0, true, Perbill::one())],
			),
			Verdict::Rejected => (
				JobState::Rejected {
					node,
					output,
					attested_at,
					prune_at,
				},
				Outcome::Refunded,
				Event::JobRejected {
					job,
					node,
					payer,
					amount,
				},
				vec![(0, false, Perbill::one())],
			),
			Verdict::Void => (
				JobState::Void {
					node,
					output,
					attested_at,
					prune_at,
				},
				Outcome::Refunded,
				Event::JobVoided {
					job,
					node,
					payer,
					amount,
				},
				vec![],
			),
		};
		let paid = matches!(state, JobState::Settled { .. });
		assert_eq!(record(job).state, state);
		assert_eq!(
			(record(job).output(), record(job).attested_at(), record(job).executor()),
			(Some(output), Some(1), Some(0))
		);
		assert_eq!(Outcomes::get(job), Some(outcome));
		assert_eq!(events(), vec![event]);
		assert_eq!(Notes::get(), notes);
		assert_eq!(record(job).bill.is_empty(), !paid);
		assert_eq!(AverageCompute::get() > 0, paid);
		assert_eq!((Reserved::get(0), OpenJobs::get()), (0, 0));
		assert_noop!(poke(job), Error::<Test>::NotDue);
		go_to(prune_at);
		assert!(Pallet::<Test>::job(job).is_none());
		assert_eq!((Closed::get(), Forgotten::get()), (1, vec![job]));
	});
}

#[test]
fn every_verdict_should_end_the_job_when_the_window_is_over() {
	for verdict in VERDICTS {
		ends(verdict, &[], 1 + WINDOW);
	}
}

#[test]
fn every_verdict_should_end_the_job_when_it_is_in_audit() {
	for verdict in VERDICTS {
		ends(verdict, &[Answer::Audit(5)], 6 + WINDOW);
		ends(
			verdict,
			&[Answer::Wait(2), Answer::Audit(5), Answer::Wait(8)],
			16 + WINDOW,
		);
	}
}

#[test]
fn audit_until_should_move_the_end_of_an_audit_s_phase_both_ways() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[Answer::Audit(20)]);
		go_to(1 + WINDOW);
		InferenceJobs::audit_until(job, 50);
		assert_eq!(record(job).due(), 50);
		check();
		// Everybody has spoken.
		InferenceJobs::audit_until(job, now() + 1);
		assert_eq!(Due::<Test>::iter().count(), 1);
		check();
		go_to(2 + WINDOW);
		assert_eq!(phase(job), JobPhase::Settled);
	});
}

#[test]
fn audit_until_should_not_lie_where_the_queue_has_been() {
	ExtBuilder(1).build_and_execute(|| {
		for until in [0, 1 + WINDOW] {
			let job = submit();
			attest(job).unwrap();
			Answers::insert(job, vec![Answer::Audit(20)]);
			let at = record(job).due();
			go_to(at);
			InferenceJobs::audit_until(job, until.min(at));
			assert_eq!(record(job).due(), at + 1);
			check();
			go_to(at + 1);
			assert_eq!(phase(job), JobPhase::Settled);
		}
	});
}

#[test]
fn audit_until_should_do_nothing_to_a_job_that_is_not_in_audit() {
	ExtBuilder(2).build_and_execute(|| {
		let (assigned, done, failed) = (submit(), attested(&[]), submit());
		assert_ok!(report(failed, FailureClass::RunFailed));
		assert_ok!(report(failed, FailureClass::RunFailed));
		for job in [assigned, done, failed, 99] {
			let before = Pallet::<Test>::job(job);
			InferenceJobs::audit_until(job, 3);
			assert_eq!(Pallet::<Test>::job(job), before);
		}
		go_to(1 + WINDOW);
		let before = record(done);
		InferenceJobs::audit_until(done, 3);
		assert_eq!(record(done), before);
	});
}

#[test]
fn an_end_moved_on_the_way_to_the_answer_should_leave_one_entry_in_the_queue() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[Answer::Audit(2), Answer::MoveAndWait(9, 4), Answer::MoveAndWait(0, 5)]);
		go_to(3 + WINDOW);
		assert_eq!(record(job).due(), 7 + WINDOW);
		check();
		go_to(7 + WINDOW);
		assert_eq!(record(job).due(), 12 + WINDOW);
		check();
		go_to(12 + WINDOW);
		assert_eq!(phase(job), JobPhase::Settled);
	});
}

#[test]
fn an_answer_for_a_block_that_is_over_should_mean_the_next_one() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[Answer::Wait(0), Answer::Audit(0), Answer::Wait(0)]);
		for (block, expected) in [
			(1, JobPhase::Attested),
			(2, JobPhase::Auditing),
			(3, JobPhase::Auditing),
		] {
			go_to(block + WINDOW);
			assert_eq!((phase(job), record(job).due()), (expected, block + WINDOW + 1));
		}
		go_to(4 + WINDOW);
		assert_eq!(phase(job), JobPhase::Settled);
	});
}

#[test]
fn poke_should_lead_an_audit_to_its_end_without_the_queue() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[
			Answer::Wait(2),
			Answer::Audit(3),
			Answer::Audit(4),
			Answer::End(Verdict::Void),
		]);
		TickLimit::set(Weight::zero());
		for (block, expected) in [
			(1, JobPhase::Attested),
			(3, JobPhase::Auditing),
			(6, JobPhase::Auditing),
			(10, JobPhase::Void),
		] {
			go_to(block + WINDOW - 1);
			assert_noop!(poke(job), Error::<Test>::NotDue);
			go_to(block + WINDOW);
			assert_ok!(poke(job));
			assert_eq!(phase(job), expected);
			assert_noop!(poke(job), Error::<Test>::NotDue);
		}
		assert_eq!(Outcomes::get(job), Some(Outcome::Refunded));
	});
}

#[test]
fn audit_should_outlive_its_node() {
	for verdict in [Verdict::Upheld, Verdict::Unaudited, Verdict::Void] {
		ExtBuilder(1).build_and_execute(|| {
			let job = attested(&[Answer::Audit(3), Answer::End(verdict)]);
			go_to(2 + WINDOW);
			Fleet::remove(0);
			go_to(4 + WINDOW);
			assert!(Outcomes::contains_key(job));
			assert_eq!(Reserved::get(0), 0);
		});
	}
}

/// What one block's queue weighs with one due job.
fn weight_of(answers: &[Answer], at: BlockNumber) -> Weight {
	weight_of_work(answers, at, AuditWork::Seated)
}

/// The same where the end of an audit's phase takes so much.
fn weight_of_work(answers: &[Answer], at: BlockNumber, work: AuditWork) -> Weight {
	let mut weight = Weight::zero();
	ExtBuilder(1).build_and_execute(|| {
		Work::set(work);
		attested(answers);
		go_to(at - 1);
		System::set_block_number(at.into());
		weight = InferenceJobs::on_initialize(at.into());
	});
	// The cursor, and a look at the job and at nothing behind it.
	weight - <() as WeightInfo>::tick_base() - <() as WeightInfo>::tick_look() * 2u64
}

#[test]
fn steps_should_be_charged_as_they_were() {
	let (window, opened, due) = (
		<() as AuditWeights>::window_over(0),
		<() as AuditWeights>::audit_opened(0, 0),
		<() as AuditWeights>::audit_due(AuditWork::Seated),
	);
	let (settle, wait) = (
		<() as WeightInfo>::tick_settle(0, 0, 0),
		<() as WeightInfo>::tick_wait(),
	);
	let end = Answer::End;
	assert_eq!(weight_of(&[], 1 + WINDOW), window + settle);
	assert_eq!(weight_of(&[Answer::Wait(2)], 1 + WINDOW), window + wait);
	assert_eq!(weight_of(&[Answer::Audit(2)], 1 + WINDOW), opened + wait);
	// The premium that goes back counts as a debt.
	assert_eq!(
		weight_of(&[end(Verdict::Unaudited)], 1 + WINDOW),
		opened + <() as WeightInfo>::tick_settle(0, 0, 1)
	);
	assert_eq!(weight_of(&[end(Verdict::Rejected)], 1 + WINDOW), opened + settle);
	assert_eq!(weight_of(&[Answer::Audit(2), Answer::Wait(2)], 3 + WINDOW), due + wait);
	assert_eq!(weight_of(&[Answer::Audit(2), Answer::Audit(2)], 3 + WINDOW), due + wait);
	assert_eq!(
		weight_of(&[Answer::Audit(2), end(Verdict::Void)], 3 + WINDOW),
		due + settle
	);
}

#[test]
fn the_end_of_an_audit_s_phase_should_be_charged_for_what_it_did_and_for_no_more_than_there_was_room_for() {
	let (settle, wait) = (
		<() as WeightInfo>::tick_settle(0, 0, 0),
		<() as WeightInfo>::tick_wait(),
	);
	let mut room = Weight::zero();
	ExtBuilder(1).build_and_execute(|| room = Pallet::<Test>::heaviest_poke());
	let works = (0..=DRAW_WALK)
		.map(|looked_at| AuditWork::Undrawn { looked_at })
		.chain((0..=2 * MAX_DEBTS_AT_ONCE).map(|debts| AuditWork::Agreed { debts }))
		.chain((0..=u32::from(JUDGE_TRIES)).map(|tried| AuditWork::Replaced { tried }))
		.chain([AuditWork::PassedOn, AuditWork::Seated, AuditWork::Judged]);
	let mut charged = Vec::new();
	for work in works {
		let asked = <() as AuditWeights>::audit_due(work);
		for (answer, then) in [
			(Answer::Wait(2), wait),
			(Answer::Audit(2), wait),
			(Answer::End(Verdict::Upheld), settle),
			(Answer::End(Verdict::Void), settle),
		] {
			let weight = weight_of_work(&[Answer::Audit(2), answer], 3 + WINDOW, work);
			assert_eq!(weight, asked + then, "{work:?}");
			assert!((<() as WeightInfo>::tick_look() + weight).all_lte(room), "{work:?}");
		}
		charged.push(asked);
	}
	// What is said to be the most is.
	for asked in charged {
		assert!(AuditWork::MOST
			.into_iter()
			.any(|most| asked.all_lte(<() as AuditWeights>::audit_due(most))));
	}
}

#[test]
fn an_audit_that_is_opened_should_be_charged_for_the_blocks_and_nodes_that_were_looked_at() {
	let opened = |looked_at: u32, tried: u32, answer: Answer| {
		let mut weight = Weight::zero();
		ExtBuilder(1).build_and_execute(|| {
			Walk::put(looked_at);
			Tries::put(tried);
			attested(&[answer]);
			go_to(WINDOW);
			System::set_block_number((1 + WINDOW).into());
			weight = InferenceJobs::on_initialize((1 + WINDOW).into());
		});
		weight - <() as WeightInfo>::tick_base() - <() as WeightInfo>::tick_look() * 2u64
	};
	let wait = <() as WeightInfo>::tick_wait();
	// The premium that goes back counts as a debt.
	let unaudited = <() as WeightInfo>::tick_settle(0, 0, 1);
	for (looked_at, tried) in [(3, 1), (3, 2), (4, 1), (DRAW_WALK, JUDGE_TRIES.into())] {
		let asked = <() as AuditWeights>::audit_opened(looked_at, tried);
		assert_eq!(opened(looked_at, tried, Answer::Audit(2)), asked + wait);
		let end = Answer::End(Verdict::Unaudited);
		assert_eq!(opened(looked_at, tried, end), asked + unaudited);
	}
}

/// What the queue is charged for settling a job of a model with so many ancestors, whose premium pays so many debts.
fn settlement_weight(ancestors: u32, curator: Option<AccountId>, debts: u32, reports: &[FailureClass]) -> Weight {
	let mut weight = Weight::zero();
	ExtBuilder(3).build_and_execute(|| {
		Ancestors::put(ancestors);
		Debts::put(debts);
		let submission = crate::Call::submit_job {
			model: MODEL,
			input: input(),
			tier: Tier::Spot,
			max_price: Balance::MAX,
			gateway: None,
			curator,
		};
		RuntimeCall::from(submission)
			.dispatch(RuntimeOrigin::signed(PAYER))
			.unwrap();
		for class in reports {
			report(0, *class).unwrap();
		}
		attest(0).unwrap();
		let due = record(0).due();
		go_to(due - 1);
		System::set_block_number(due.into());
		weight = InferenceJobs::on_initialize(due.into());
		assert_eq!(phase(0), JobPhase::Settled);
	});
	let idle = <() as WeightInfo>::tick_base() + <() as WeightInfo>::tick_look() * 2u64;
	weight - idle - <() as AuditWeights>::window_over(0)
}

/// What a settlement weighs that pays and fines as many as may be.
fn heaviest_settlement() -> Weight {
	<() as WeightInfo>::tick_settle(MAX_LINEAGE, 1, MAX_DEBTS_AT_ONCE) + <() as WeightInfo>::tick_contradict(2)
}

#[test]
fn settlement_should_be_charged_for_whom_it_paid_and_fined() {
	let weight = <() as WeightInfo>::tick_settle;
	assert_eq!(settlement_weight(0, None, 0, &[]), weight(0, 0, 0));
	assert_eq!(settlement_weight(3, None, 0, &[]), weight(3, 0, 0));
	assert_eq!(settlement_weight(0, Some(9), 0, &[]), weight(0, 1, 0));
	assert_eq!(settlement_weight(0, None, 2, &[]), weight(0, 0, 2));
	let reports = [FailureClass::InputMissing, FailureClass::RunFailed];
	let worst = heaviest_settlement();
	assert_eq!(
		settlement_weight(MAX_LINEAGE, Some(9), MAX_DEBTS_AT_ONCE, &reports),
		worst
	);
	// Each of them adds something.
	for less in [
		settlement_weight(MAX_LINEAGE - 1, Some(9), MAX_DEBTS_AT_ONCE, &reports),
		settlement_weight(MAX_LINEAGE, None, MAX_DEBTS_AT_ONCE, &reports),
		settlement_weight(MAX_LINEAGE, Some(9), MAX_DEBTS_AT_ONCE - 1, &reports),
		settlement_weight(MAX_LINEAGE, Some(9), MAX_DEBTS_AT_ONCE, &reports[..1]),
	] {
		assert!(less.ref_time() < worst.ref_time());
	}
}

#[test]
fn poke_should_be_charged_as_it_was_and_declare_its_worst() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[]);
		Walk::put(3);
		TickLimit::set(Weight::zero());
		go_to(1 + WINDOW);
		let done = InferenceJobs::poke(RuntimeOrigin::signed(POKER), job).unwrap();
		let look = <() as WeightInfo>::tick_look();
		let expected = look + <() as AuditWeights>::window_over(3) + <() as WeightInfo>::tick_settle(0, 0, 0);
		assert_eq!(done.actual_weight, Some(expected));
		let declared = RuntimeCall::from(crate::Call::poke { job })
			.get_dispatch_info()
			.call_weight;
		for step in [
			<() as WeightInfo>::tick_time_out(MAX_DRAWN),
			<() as WeightInfo>::tick_prune(1),
			<() as AuditWeights>::window_over(DRAW_WALK) + heaviest_settlement(),
			<() as AuditWeights>::audit_opened(DRAW_WALK, JUDGE_TRIES.into()) + heaviest_settlement(),
			<() as AuditWeights>::audit_due(AuditWork::Seated) + heaviest_settlement(),
		] {
			assert!((look + step).all_lte(declared));
		}
	});
}

#[test]
fn queue_should_start_no_step_that_might_not_fit() {
	ExtBuilder(1).build_and_execute(|| {
		let jobs: Vec<_> = (0..30).map(|_| attested(&[Answer::Audit(1)])).collect();
		let worst = (<() as AuditWeights>::audit_due(AuditWork::Seated) + heaviest_settlement())
			.max(<() as WeightInfo>::tick_time_out(MAX_DRAWN));
		let share = <() as WeightInfo>::tick_base() + <() as WeightInfo>::tick_look() + worst;
		go_to(WINDOW);
		TickLimit::set(share);
		InferenceJobs::integrity_test();
		let mut blocks = 0;
		while OpenJobs::get() > 0 {
			blocks += 1;
			assert!(blocks < 100);
			System::set_block_number(System::block_number() + 1);
			let weight = InferenceJobs::on_initialize(System::block_number());
			assert!(weight.all_lte(share));
			check();
		}
		assert!(blocks > 30, "an audit takes most of such a share");
		// The first records may be gone by then.
		assert!(jobs.iter().all(|job| Outcomes::get(job) == Some(Outcome::Settled(0))));
	});
}

#[test]
fn price_should_be_given_back_in_full_when_the_work_is_rejected() {
	ExtBuilder(1).build_and_execute(|| {
		let job = attested(&[Answer::End(Verdict::Rejected)]);
		go_to(1 + WINDOW);
		let refunded: Balance = events()
			.iter()
			.map(|event| match event {
				Event::JobRejected { amount, .. } => *amount,
				_ => 0,
			})
			.sum();
		assert_eq!(refunded, record(job).deal.price);
	});
}
