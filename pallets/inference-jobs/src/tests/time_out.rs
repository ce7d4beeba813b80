use crate::{mock::parties::*, mock::*, Event, Pallet};
use highway_primitives::JobPhase;
use sp_runtime::Perbill;

#[test]
fn job_should_go_to_another_node_when_the_deadline_passes() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		go_to(2 + ALLOWANCE);
		let record = record(job);
		assert_eq!(record.executor(), Some(1 - first));
		assert_eq!(record.tried.to_vec(), vec![first]);
		// The new node has as long as the first one.
		assert_eq!(record.deadline(), Some(2 + 2 * ALLOWANCE));
		assert_eq!(
			(Busy::get(first), Reserved::get(first), Reserved::get(1 - first)),
			(0, 0, SECURITY)
		);
		assert_eq!(Notes::get(), vec![(first, false, Perbill::one())]);
		assert!(Pallet::<Test>::assigned_to(first, 10).is_empty());
		let deadline = 2 + 2 * ALLOWANCE;
		assert_eq!(
			events()[1..],
			[
				Event::JobTimedOut { job, node: first },
				Event::NodeFined {
					job,
					node: first,
					amount: COMPUTE
				},
				Event::JobReassigned {
					job,
					node: 1 - first,
					deadline
				}
			]
		);
	});
}

#[test]
fn timeout_should_cost_the_compute_line_or_what_there_is() {
	ExtBuilder(1).build_and_execute(|| {
		let rich = submit();
		go_to(2 + ALLOWANCE);
		assert_eq!(record(rich).phase(), JobPhase::Refunded);
		assert_eq!(Fines::get(), vec![(0, COMPUTE)]);
		// What secures another job is not taken for this one.
		let node = |bond| MockNode {
			bond,
			..Default::default()
		};
		Fleet::insert(0, node(2 * SECURITY + 1));
		let (done, late) = (submit(), submit());
		attest(done).unwrap();
		Fleet::insert(0, node(SECURITY + 3));
		go_to(System::block_number() as u32 + ALLOWANCE + 1);
		assert_eq!(record(late).phase(), JobPhase::Refunded);
		assert_eq!(Fines::get()[1..], [(0, 3)]);
		assert_eq!(Reserved::get(0), SECURITY);
	});
}

#[test]
fn timeout_should_cost_nothing_when_the_node_is_gone() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		Fleet::remove(executor(job));
		go_to(2 + ALLOWANCE);
		assert!(Fines::get().is_empty());
		assert!(!events().iter().any(|event| matches!(event, Event::NodeFined { .. })));
	});
}

#[test]
fn job_should_be_refunded_after_three_nodes() {
	ExtBuilder(8).build_and_execute(|| {
		let job = submit();
		go_to(1 + 3 * (ALLOWANCE + 1));
		let record = record(job);
		assert_eq!(record.phase(), JobPhase::Refunded);
		assert_eq!((record.tried.len(), record.executor()), (3, None));
		assert_eq!(Outcomes::get(job), Some(Outcome::Refunded));
		assert_eq!(
			events().last(),
			Some(&Event::JobRefunded {
				job,
				payer: PAYER,
				amount: PRICE
			})
		);
		go_to(1 + 3 * (ALLOWANCE + 1) + RETENTION);
		assert!(Pallet::<Test>::job(job).is_none());
	});
}

#[test]
fn job_should_be_refunded_at_once_when_no_other_node_is_able() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		Fleet::insert(
			1 - executor(job),
			MockNode {
				slots: 0,
				..Default::default()
			},
		);
		go_to(2 + ALLOWANCE);
		assert_eq!(record(job).phase(), JobPhase::Refunded);
	});
}

#[test]
fn job_should_be_refunded_when_its_node_and_all_others_vanished() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		Fleet::remove(0);
		Fleet::remove(1);
		go_to(2 + ALLOWANCE);
		assert_eq!(Outcomes::get(job), Some(Outcome::Refunded));
	});
}

#[test]
fn refused_reservation_should_leave_nothing_and_end_in_a_refund() {
	ExtBuilder(2).build_and_execute(|| {
		let job = submit();
		let other = 1 - executor(job);
		// Drawn by its weight, but the reservation fails half-way.
		RefusesReservations::put(other);
		go_to(2 + ALLOWANCE);
		assert_eq!(record(job).phase(), JobPhase::Refunded);
		assert_eq!((Busy::get(other), Reserved::get(other)), (0, 0));
	});
}

#[test]
fn timeout_should_weigh_by_the_average_reward() {
	ExtBuilder(1).build_and_execute(|| {
		AverageCompute::put(3 * COMPUTE);
		submit();
		go_to(2 + ALLOWANCE);
		assert_eq!(Notes::get(), vec![(0, false, Perbill::from_percent(25))]);
	});
}

#[test]
fn draws_should_never_give_a_job_to_a_node_twice() {
	ExtBuilder(3).build_and_execute(|| {
		let jobs: Vec<_> = (0..50).map(|_| submit()).collect();
		go_to(1 + 3 * (ALLOWANCE + 1));
		for job in jobs {
			let mut tried = record(job).tried.to_vec();
			tried.sort_unstable();
			assert_eq!(tried, vec![0, 1, 2]);
		}
	});
}
