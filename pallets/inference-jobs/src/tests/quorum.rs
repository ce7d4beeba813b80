//! Quorums: filed together, apart from there on, and never two of them with one node.

use crate::{mock::parties::*, mock::*, Error, Event, NextJobId, Pallet, WeightInfo, MAX_DRAWN, SAMPLE};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, traits::Hooks, weights::Weight};
use highway_primitives::{traits::Jobs as _, Balance, FailureClass, JobId, JobPhase, NodeId, Quorum, Tier, Verdict};
use std::collections::BTreeSet;

/// What a quorum of this size costs.
fn price_of(size: u8) -> Balance {
	PRICE + Balance::from(size - 1) * SIBLING_PRICE
}

fn phases(jobs: &[JobId]) -> Vec<JobPhase> {
	jobs.iter().map(|job| record(*job).phase()).collect()
}

/// The nodes of jobs that are with one or were done by one.
fn nodes(jobs: &[JobId]) -> Vec<NodeId> {
	jobs.iter()
		.filter_map(|job| Pallet::<Test>::job(*job)?.executor())
		.collect()
}

fn are_distinct(nodes: &[NodeId]) -> bool {
	nodes.iter().collect::<BTreeSet<_>>().len() == nodes.len()
}

/// The node cannot take jobs for now.
fn fill(node: NodeId) {
	let full = MockNode {
		slots: 0,
		..Default::default()
	};
	Fleet::insert(node, full);
}

#[test]
fn submit_job_should_file_each_job_of_a_quorum_with_a_node_of_its_own() {
	for size in 2..=7 {
		ExtBuilder(9).build_and_execute(|| {
			let spot = submit();
			events();
			let jobs = submit_quorum(size);
			assert_eq!(jobs, (1..=u64::from(size)).collect::<Vec<_>>());
			assert_eq!(NextJobId::<Test>::get(), u64::from(size) + 1);
			assert!(are_distinct(&nodes(&jobs)), "{:?}", nodes(&jobs));
			let works: BTreeSet<_> = jobs.iter().map(|job| record(*job).work).collect();
			assert_eq!(works.len(), usize::from(size), "each is work of its own");
			let mut expected = Vec::new();
			for job in &jobs {
				let record = record(*job);
				let is_first = *job == 1;
				let price = if is_first { PRICE } else { SIBLING_PRICE };
				assert_eq!(record.quorum, Some(Quorum { first: 1, size }));
				assert_eq!((record.deal.price, record.deal.royalties), (price, is_first));
				assert_eq!((record.security, record.deadline()), (SECURITY, Some(1 + ALLOWANCE)));
				let node = executor(*job);
				assert_eq!(Pallet::<Test>::assigned_to(node, 10).last(), Some(job));
				expected.push(Event::JobSubmitted {
					job: *job,
					payer: PAYER,
					model: MODEL,
					node,
					price,
					deadline: 1 + ALLOWANCE,
				});
			}
			assert_eq!(events(), expected);
			assert_eq!(Escrowed::get(), PRICE + price_of(size));
			assert_eq!(record(spot).quorum, None);
		});
	}
}

#[test]
fn submit_job_should_refuse_a_quorum_of_another_size() {
	ExtBuilder(9).build_and_execute(|| {
		for size in (0..=u8::MAX).filter(|size| !(2..=7).contains(size)) {
			assert_noop!(
				try_submit_tier(Tier::Quorum(size), Balance::MAX),
				Error::<Test>::QuorumSizeOutOfRange
			);
		}
		assert_eq!((Opened::get(), NextJobId::<Test>::get()), (0, 0));
	});
}

#[test]
fn max_price_should_bound_the_sum_over_all_jobs_of_a_quorum() {
	ExtBuilder(7).build_and_execute(|| {
		for size in 2..=7 {
			let quorum = Tier::Quorum(size);
			assert_noop!(
				try_submit_tier(quorum, price_of(size) - 1),
				Error::<Test>::PriceAboveMax
			);
			assert_ok!(try_submit_tier(quorum, price_of(size)));
		}
	});
}

#[test]
fn submit_job_should_take_nothing_when_a_quorum_has_too_few_able_nodes() {
	ExtBuilder(5).build_and_execute(|| {
		fill(1);
		Fleet::insert(
			3,
			MockNode {
				bond: SECURITY - 1,
				..Default::default()
			},
		);
		assert_noop!(
			try_submit_tier(Tier::Quorum(4), Balance::MAX),
			Error::<Test>::NoCapacity
		);
		assert_eq!(
			(
				Opened::get(),
				Escrowed::get(),
				OpenJobs::get(),
				NextJobId::<Test>::get()
			),
			(0, 0, 0, 0)
		);
		let jobs = submit_quorum(3);
		assert_eq!(nodes(&jobs).into_iter().collect::<BTreeSet<_>>(), [0, 2, 4].into());
	});
}

#[test]
fn submit_job_should_take_nothing_when_one_node_of_a_quorum_refuses() {
	ExtBuilder(3).build_and_execute(|| {
		for node in 0..3 {
			RefusesReservations::put(node);
			assert_noop!(try_submit_tier(Tier::Quorum(3), Balance::MAX), "half-way");
		}
		RefusesReservations::kill();
		PayerIsPoor::put(true);
		assert_noop!(try_submit_tier(Tier::Quorum(3), Balance::MAX), "the payer is poor");
		PayerIsPoor::put(false);
		submit_quorum(3);
	});
}

#[test]
fn draws_of_a_quorum_should_differ_with_its_id_and_follow_the_weights() {
	ExtBuilder(4).build_and_execute(|| {
		let heavy = MockNode {
			weight: 1_000_000,
			..Default::default()
		};
		Fleet::insert(2, heavy);
		let firsts: Vec<NodeId> = (0..40).map(|_| nodes(&submit_quorum(2))[0]).collect();
		assert!(firsts.iter().filter(|node| **node == 2).count() >= 39, "{firsts:?}");
		let seconds: BTreeSet<NodeId> = (0..40).map(|_| nodes(&submit_quorum(2))[1]).collect();
		assert_eq!(seconds, [0, 1, 3].into());
	});
}

#[test]
fn jobs_of_a_quorum_should_end_apart() {
	ExtBuilder(3).build_and_execute(|| {
		let jobs = submit_quorum(3);
		for job in &jobs {
			assert_ok!(attest(*job));
		}
		Answers::insert(jobs[0], vec![Answer::End(Verdict::Rejected)]);
		Answers::insert(jobs[1], vec![Answer::Audit(3), Answer::End(Verdict::Upheld)]);
		Answers::insert(jobs[2], vec![Answer::End(Verdict::Void)]);
		let done_by = nodes(&jobs);
		go_to(1 + WINDOW);
		assert_eq!(phases(&jobs), [JobPhase::Rejected, JobPhase::Auditing, JobPhase::Void]);
		assert_eq!(
			done_by.iter().map(|node| Reserved::get(*node)).collect::<Vec<_>>(),
			[0, SECURITY, 0]
		);
		go_to(4 + WINDOW);
		assert_eq!(record(jobs[1]).phase(), JobPhase::Settled);
		let refunds: BTreeSet<_> = events()
			.into_iter()
			.filter_map(|event| match event {
				Event::JobRejected { job, amount, .. } | Event::JobVoided { job, amount, .. } => Some((job, amount)),
				_ => None,
			})
			.collect();
		assert_eq!(refunds, [(jobs[0], PRICE), (jobs[2], SIBLING_PRICE)].into());
	});
}

#[test]
fn a_node_that_passed_a_sibling_on_should_be_drawn_and_one_that_has_it_should_not() {
	ExtBuilder(3).build_and_execute(|| {
		let jobs = submit_quorum(2);
		let (a, b) = (executor(jobs[0]), executor(jobs[1]));
		let c = 3 - a - b;
		assert_ok!(report(jobs[0], FailureClass::InputMissing));
		assert_eq!(executor(jobs[0]), c, "b has the sibling");
		assert_ok!(report(jobs[1], FailureClass::InputMissing));
		assert_eq!(executor(jobs[1]), a, "c has the sibling, and a has it no more");
		// Only b is left for the first one, which b passed on itself as the second.
		assert_ok!(report(jobs[0], FailureClass::RunFailed));
		assert_eq!(executor(jobs[0]), b);
	});
}

#[test]
fn a_node_whose_time_for_a_sibling_passed_should_be_drawn() {
	ExtBuilder(3).build_and_execute(|| {
		let jobs = submit_quorum(2);
		let (a, b) = (executor(jobs[0]), executor(jobs[1]));
		assert_ok!(attest(jobs[1]));
		go_to(2 + ALLOWANCE);
		let c = executor(jobs[0]);
		assert!(c != a && c != b);
		// In one block both may be due: the one that is moved on first sees the other where it was.
		let jobs = submit_quorum(2);
		let before = nodes(&jobs);
		go_to(System::block_number() as u32 + ALLOWANCE + 1);
		let after = nodes(&jobs);
		assert!(are_distinct(&after));
		assert!(jobs
			.iter()
			.zip(&before)
			.all(|(job, node)| record(*job).tried.to_vec() == [*node]));
		assert!(after.iter().any(|node| !before.contains(node)), "{before:?} {after:?}");
	});
}

#[test]
fn a_node_that_did_a_sibling_should_not_be_drawn_whatever_came_of_it() {
	for verdict in [Verdict::Upheld, Verdict::Unaudited, Verdict::Rejected, Verdict::Void] {
		ExtBuilder(3).build_and_execute(|| {
			let jobs = submit_quorum(2);
			assert_ok!(attest(jobs[0]));
			Answers::insert(jobs[0], vec![Answer::End(verdict)]);
			// The second node is late, the third has the sibling while the first one's job ends.
			go_to(1 + WINDOW);
			assert_ne!(phases(&jobs)[0], JobPhase::Attested);
			assert_eq!(record(jobs[1]).tried.len(), 1);
			assert_ok!(report(jobs[1], FailureClass::RunFailed));
			assert_eq!(record(jobs[1]).phase(), JobPhase::Refunded, "{verdict:?}");
			assert_eq!(record(jobs[1]).tried.len(), 2);
		});
	}
}

#[test]
fn a_node_should_be_free_for_a_sibling_of_what_was_refunded_or_failed() {
	ExtBuilder(4).build_and_execute(|| {
		let jobs = submit_quorum(2);
		let other = executor(jobs[1]);
		assert_ok!(report(jobs[0], FailureClass::InputInvalid));
		let second = executor(jobs[0]);
		assert_ok!(report(jobs[0], FailureClass::InputInvalid));
		assert_eq!(record(jobs[0]).phase(), JobPhase::Failed);
		(0..4).filter(|node| *node != second).for_each(fill);
		assert_ok!(report(jobs[1], FailureClass::RunFailed));
		assert_eq!(executor(jobs[1]), second);
		assert_ne!(second, other);
	});
}

/// What may happen to one job of a quorum, or to all.
#[derive(Clone, Copy, Debug)]
enum Act {
	Attest(usize),
	Report(usize),
	/// Everybody's time passes.
	Late,
}

fn perform(jobs: &[JobId], act: Act) {
	let (Act::Attest(place) | Act::Report(place)) = act else {
		return go_to(System::block_number() as u32 + ALLOWANCE + 1);
	};
	let job = jobs[place];
	let Some(record) = Pallet::<Test>::job(job) else { return };
	let Some(node) = record.assignee() else { return };
	// Another reason each time, so that the job goes on as long as it can.
	let reasons = [
		FailureClass::InputMissing,
		FailureClass::ModelMissing,
		FailureClass::RunFailed,
	];
	assert_ok!(match act {
		Act::Attest(_) => InferenceJobs::attested(job, work(job), node, output(), commitment()),
		_ => InferenceJobs::failure_reported(job, work(job), node, reasons[record.failures.len()]),
	});
}

/// All sequences of `length` acts on a quorum of `size` jobs.
fn sequences(size: usize, length: usize) -> Vec<Vec<Act>> {
	let acts: Vec<Act> = (0..size)
		.flat_map(|place| [Act::Attest(place), Act::Report(place)])
		.chain([Act::Late])
		.collect();
	let mut sequences = vec![vec![]];
	for _ in 0..length {
		sequences = sequences
			.iter()
			.flat_map(|sequence: &Vec<Act>| acts.iter().map(|act| [sequence.as_slice(), &[*act]].concat()))
			.collect();
	}
	sequences
}

#[test]
fn no_node_should_have_two_jobs_of_a_quorum_in_any_order_of_events() {
	for (size, able, length) in [(2, 2, 4), (2, 3, 4), (3, 3, 3), (3, 4, 4)] {
		for sequence in sequences(size, length) {
			ExtBuilder(able).build_and_execute(|| {
				let jobs = submit_quorum(size as u8);
				let mut did = vec![None; size];
				for act in &sequence {
					perform(&jobs, *act);
					check();
					assert!(are_distinct(&nodes(&jobs)), "{sequence:?}");
					for (did, job) in did.iter_mut().zip(&jobs) {
						let record = Pallet::<Test>::job(*job).filter(|record| record.output().is_some());
						*did = record.map_or(*did, |record| record.executor());
					}
				}
				let done: Vec<NodeId> = did.into_iter().flatten().collect();
				assert!(are_distinct(&done), "{sequence:?}");
			});
		}
	}
}

#[test]
fn a_job_should_be_passed_on_while_a_distinct_node_is_able() {
	// As many nodes as jobs: whoever passes its job on while the others keep theirs leaves nobody.
	ExtBuilder(3).build_and_execute(|| {
		let jobs = submit_quorum(3);
		assert_ok!(report(jobs[1], FailureClass::InputMissing));
		assert_eq!(
			phases(&jobs),
			[JobPhase::Assigned, JobPhase::Refunded, JobPhase::Assigned]
		);
		assert_eq!(Outcomes::get(jobs[1]), Some(Outcome::Refunded));
	});
	// One more: it goes there.
	ExtBuilder(4).build_and_execute(|| {
		let jobs = submit_quorum(3);
		let spare = (0..4).find(|node| !nodes(&jobs).contains(node)).unwrap();
		assert_ok!(report(jobs[1], FailureClass::InputMissing));
		assert_eq!(executor(jobs[1]), spare);
	});
}

#[test]
fn a_submission_should_weigh_by_the_jobs_that_it_files() {
	ExtBuilder(3).build_and_execute(|| {
		let submission = |size| crate::Call::<Test>::submit_job {
			model: MODEL,
			input: input(),
			tier: Tier::Quorum(size),
			max_price: Balance::MAX,
			gateway: None,
			curator: None,
		};
		let call = |size| {
			InferenceJobs::submit_job(
				RuntimeOrigin::signed(PAYER),
				MODEL,
				input(),
				Tier::Quorum(size),
				Balance::MAX,
				None,
				None,
			)
		};
		let later = Pallet::<Test>::later_weight(3).ref_time();
		// The market is cleared once, and each is found in the first sample.
		let now = <() as WeightInfo>::submit_job(3) + <() as WeightInfo>::submit_later() * 2u64;
		let actual = call(3).unwrap().actual_weight.unwrap();
		assert_eq!(actual, now.add_proof_size(3 * later));
		let declared = |size| RuntimeCall::from(submission(size)).get_dispatch_info().call_weight;
		assert!(actual.all_lte(declared(3)));
		for size in 3..=7 {
			let further = declared(size) - declared(size - 1);
			let search = |jobs: u8| <() as WeightInfo>::look_further(u32::from(jobs) * (MAX_DRAWN - SAMPLE));
			let worst = <() as WeightInfo>::submit_later() + search(size) - search(size - 1);
			let later = Pallet::<Test>::later_weight(MAX_DRAWN).ref_time();
			assert_eq!(further, worst.add_proof_size(later));
		}
		// What is refused at once declares no more than one job, however many it names.
		let one = Pallet::<Test>::heaviest_submission(Tier::Spot);
		assert_eq!([0, 1, 8, 255].map(declared), [one; 4]);
	});
}

#[test]
fn a_submission_should_pay_for_everything_that_the_queue_does_for_a_quorum() {
	ExtBuilder(9).build_and_execute(|| {
		let jobs = submit_quorum(7);
		let paid = Pallet::<Test>::later_weight(9) * 7u64;
		let idle = <() as WeightInfo>::tick_base() + <() as WeightInfo>::tick_look();
		let mut worked = Weight::zero();
		for _ in 0..3 * (ALLOWANCE + 1) + WINDOW + RETENTION {
			System::set_block_number(System::block_number() + 1);
			worked += InferenceJobs::on_initialize(System::block_number()) - idle;
		}
		assert!(jobs.iter().all(|job| Pallet::<Test>::job(*job).is_none()));
		assert!(worked.all_lte(paid), "{worked} of {paid}");
	});
}
