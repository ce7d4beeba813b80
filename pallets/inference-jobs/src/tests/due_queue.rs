use crate::{mock::parties::*, mock::*, Due, NextDue, Pallet, WeightInfo};
use frame_support::{traits::Hooks, weights::Weight};
use highway_math::audit::{DRAW_WALK, JUDGE_TRIES};
use highway_primitives::{audit::AuditWork, FailureClass, JobPhase};

/// Room for the cursor and `steps` timeouts of jobs that one node serves.
fn room_for(steps: u64) -> Weight {
	let step = <() as WeightInfo>::tick_look() + <() as WeightInfo>::tick_time_out(1);
	<() as WeightInfo>::tick_base() + step * steps
}

/// What the queue used of the next block beyond what it uses without work.
fn worked() -> Weight {
	System::set_block_number(System::block_number() + 1);
	let idle = <() as WeightInfo>::tick_base() + <() as WeightInfo>::tick_look();
	InferenceJobs::on_initialize(System::block_number()) - idle
}

#[test]
fn queue_should_charge_a_timeout_for_the_nodes_that_it_looks_at() {
	ExtBuilder(5).build_and_execute(|| {
		let step = |executors| <() as WeightInfo>::tick_look() + <() as WeightInfo>::tick_time_out(executors);
		submit();
		// Each is able, and those that had it are out. After the third node there is no other draw.
		for looked_at in [4, 3, 0] {
			go_to(System::block_number() as u32 + ALLOWANCE);
			assert_eq!(worked(), step(looked_at));
		}
	});
}

#[test]
fn submission_should_pay_for_everything_that_the_queue_does_for_it() {
	for (nodes, done_by) in [
		(1, None),
		(2, None),
		(3, None),
		(9, None),
		(1, Some(0)),
		(3, Some(2)),
		(9, Some(1)),
	] {
		ExtBuilder(nodes).build_and_execute(|| {
			let job = submit();
			let paid = Pallet::<Test>::later_weight(nodes);
			let mut worked_in_all = Weight::zero();
			for _ in 0..3 * (ALLOWANCE + 1) + WINDOW + RETENTION {
				worked_in_all += worked();
				let tried = Pallet::<Test>::job(job).map(|record| record.tried.len());
				if tried.is_some() && tried == done_by {
					let _ = attest(job);
				}
			}
			assert!(Pallet::<Test>::job(job).is_none(), "its record is gone");
			assert!(
				worked_in_all.all_lte(paid),
				"{nodes} {done_by:?}: {worked_in_all} of {paid}"
			);
		});
	}
}

#[test]
fn submissions_should_pay_for_the_audit_of_one_in_twenty_at_its_worst_whatever_it_is_charged() {
	let worked_for = |answers: Vec<Answer>, work| {
		let mut all = Weight::zero();
		ExtBuilder(1).build_and_execute(|| {
			Work::set(work);
			Walk::put(DRAW_WALK);
			Tries::put(u32::from(JUDGE_TRIES));
			let job = submit();
			attest(job).unwrap();
			Answers::insert(job, answers);
			(0..WINDOW + RETENTION + 5).for_each(|_| all += worked());
			assert!(Pallet::<Test>::job(job).is_none(), "its record is gone");
		});
		all
	};
	let added = |work| worked_for(vec![Answer::Audit(1); 3], work) - worked_for(vec![], work);
	// 4.93 % of them are audited.
	let share = Pallet::<Test>::audit_share();
	let worst = added(AuditWork::Seated);
	assert!(worst.all_lte(share * 21u64), "{worst} of {share}");
	assert!((share * 15u64).all_lte(worst), "{worst} of {share}");
	for work in AuditWork::MOST {
		assert!(added(work).all_lte(worst), "{work:?}");
	}
}

#[test]
fn removal_should_be_charged_for_what_goes_with_the_record() {
	let removal = |answers: Vec<Answer>| {
		let mut weight = Weight::zero();
		ExtBuilder(1).build_and_execute(|| {
			let job = submit();
			attest(job).unwrap();
			Answers::insert(job, answers);
			while record(job).phase() != JobPhase::Settled {
				go_to(System::block_number() as u32 + 1);
			}
			go_to(record(job).due() - 1);
			weight = worked();
			assert!(Pallet::<Test>::job(job).is_none(), "its record is gone");
		});
		weight - <() as WeightInfo>::tick_look()
	};
	let weight = <() as WeightInfo>::tick_prune;
	assert_eq!(removal(vec![]), weight(0));
	assert_eq!(removal(vec![Answer::Audit(1)]), weight(1));
	assert!(weight(0).all_lte(weight(1)) && weight(0) != weight(1));
}

#[test]
fn queue_should_cost_the_same_in_every_block_without_work() {
	ExtBuilder(1).build_and_execute(|| {
		go_to(10);
		System::set_block_number(11);
		let weight = InferenceJobs::on_initialize(11);
		assert_eq!(
			weight,
			<() as WeightInfo>::tick_base() + <() as WeightInfo>::tick_look()
		);
		assert_eq!(NextDue::<Test>::get(), 12);
		assert_eq!(Pallet::<Test>::overdue(), 0);
	});
}

#[test]
fn queue_should_not_be_behind_before_the_first_block() {
	ExtBuilder(1).build_and_execute(|| {
		System::set_block_number(0);
		NextDue::<Test>::kill();
		assert_eq!(Pallet::<Test>::overdue(), 0);
		System::set_block_number(3);
		assert_eq!(Pallet::<Test>::overdue(), 3);
	});
}

#[test]
fn queue_should_carry_over_what_does_not_fit_and_lose_nothing() {
	ExtBuilder(1).build_and_execute(|| {
		let jobs: Vec<_> = (0..100).map(|_| submit()).collect();
		TickLimit::set(room_for(7));
		let due = 2 + ALLOWANCE;
		let mut blocks = 0;
		loop {
			go_to(due + blocks);
			check();
			let refunded = jobs
				.iter()
				.filter(|job| record(**job).phase() == JobPhase::Refunded)
				.count();
			assert_eq!(refunded, (7 * (blocks as usize + 1)).min(100));
			// The cursor stays at the block that is not empty yet.
			assert_eq!(NextDue::<Test>::get() > due, refunded == 100);
			let behind = if refunded == 100 { 0 } else { blocks + 1 };
			assert_eq!(Pallet::<Test>::overdue(), behind);
			if refunded == 100 {
				break;
			}
			blocks += 1;
		}
		assert_eq!(blocks, 100 / 7);
	});
}

#[test]
fn queue_should_never_weigh_more_than_its_share() {
	ExtBuilder(1).build_and_execute(|| {
		for _ in 0..50 {
			submit();
		}
		go_to(1 + ALLOWANCE);
		for steps in [0, 1, 3, 1000] {
			TickLimit::set(room_for(steps));
			System::set_block_number(System::block_number() + 1);
			let weight = InferenceJobs::on_initialize(System::block_number());
			assert!(weight.all_lte(TickLimit::get()));
		}
		assert_eq!(OpenJobs::get(), 0);
		TickLimit::set(Weight::from_parts(1, 1));
		System::set_block_number(System::block_number() + 1);
		assert_eq!(InferenceJobs::on_initialize(System::block_number()), Weight::zero());
	});
}

#[test]
fn queue_should_catch_up_over_many_empty_blocks_within_its_share() {
	ExtBuilder(2).build_and_execute(|| {
		TickLimit::set(Weight::zero());
		go_to(10_000);
		TickLimit::set(room_for(1));
		let cursor = NextDue::<Test>::get();
		go_to(10_001);
		let step = NextDue::<Test>::get() - cursor;
		assert!(step > 1 && step < 10_000, "bounded by weight: {step}");
		TickLimit::set(room_for(1_000));
		go_to(10_100);
		assert_eq!(NextDue::<Test>::get(), 10_101);
	});
}

#[test]
fn ten_thousand_jobs_that_end_in_one_block_should_all_end() {
	ExtBuilder(1).build_and_execute(|| {
		for _ in 0..10_000 {
			submit();
		}
		go_to(2 + ALLOWANCE);
		let left = OpenJobs::get();
		assert!(left > 0 && left < 10_000, "the share is used: {left}");
		while OpenJobs::get() > 0 {
			go_to(System::block_number() as u32 + 1);
		}
		assert_eq!(Outcomes::iter().count(), 10_000);
	});
}

#[test]
fn jobs_in_all_phases_should_end_in_one_block() {
	ExtBuilder(1).build_and_execute(|| {
		// Refunded in block 2, so pruned in block 22; settled in block 22; timed out in block 22.
		let pruned = submit();
		go_to(2);
		report(pruned, FailureClass::RunFailed).unwrap();
		go_to(2 + RETENTION - WINDOW);
		let settled = submit();
		attest(settled).unwrap();
		go_to(2 + RETENTION - ALLOWANCE - 1);
		let refunded = submit();
		go_to(2 + RETENTION - 1);
		assert_eq!(Due::<Test>::iter_key_prefix(2 + RETENTION).count(), 3);
		go_to(2 + RETENTION);
		assert!(Pallet::<Test>::job(pruned).is_none());
		assert_eq!(Outcomes::get(settled), Some(Outcome::Settled(0)));
		assert_eq!(Outcomes::get(refunded), Some(Outcome::Refunded));
	});
}

#[test]
fn poked_jobs_should_not_be_taken_again_by_the_queue() {
	ExtBuilder(1).build_and_execute(|| {
		let jobs: Vec<_> = (0..20).map(|_| submit()).collect();
		TickLimit::set(room_for(3));
		go_to(2 + ALLOWANCE);
		for job in &jobs {
			let _ = poke(*job);
		}
		// The books would tell a second refund.
		go_to(10 + ALLOWANCE);
		assert_eq!(Outcomes::iter().count(), 20);
	});
}

#[test]
fn integrity_test_should_pass_for_a_share_with_room_and_not_for_one_without() {
	ExtBuilder(1).build_and_execute(|| {
		InferenceJobs::integrity_test();
		TickLimit::set(room_for(0));
		assert!(std::panic::catch_unwind(InferenceJobs::integrity_test).is_err());
	});
}
