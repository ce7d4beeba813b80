//! Everything in one block in all orders, and random lives of many jobs.

use crate::{mock::parties::*, mock::*, Event, Jobs, NextJobId};
use frame_support::traits::Hooks;
use highway_primitives::{traits::Jobs as _, Balance, FailureClass, JobPhase, Tier, Verdict};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
	Attest,
	Report,
	Poke,
	Queue,
}

/// All orders of the four acts.
fn orders() -> Vec<Vec<Act>> {
	let acts = [Act::Attest, Act::Report, Act::Poke, Act::Queue];
	let mut orders = vec![vec![]];
	for _ in 0..acts.len() {
		orders = orders
			.iter()
			.flat_map(|order: &Vec<Act>| {
				acts.iter()
					.filter(|act| !order.contains(act))
					.map(|act| [order.as_slice(), &[*act]].concat())
			})
			.collect();
	}
	orders
}

fn act(act: Act, job: u64) {
	let Some(record) = Jobs::<Test>::get(job) else { return };
	let node = record.executor().unwrap_or_default();
	let _ = match act {
		Act::Attest => InferenceJobs::attested(job, work(job), node, output(), commitment()),
		Act::Report => InferenceJobs::failure_reported(job, work(job), node, FailureClass::RunFailed),
		Act::Poke => poke(job),
		Act::Queue => {
			InferenceJobs::on_initialize(System::block_number());
			Ok(())
		}
	};
}

#[test]
fn attest_report_poke_and_queue_in_one_block_should_move_money_once_in_every_order() {
	for nodes in [1, 4] {
		for at_due in [0, 1] {
			for order in orders() {
				ExtBuilder(nodes).build_and_execute(|| {
					let job = submit();
					go_to(ALLOWANCE);
					System::set_block_number(u64::from(1 + ALLOWANCE + at_due));
					for step in &order {
						act(*step, job);
						check();
					}
					// Whatever happened, it comes to an end.
					go_to(200);
					assert!(Jobs::<Test>::get(job).is_none(), "{order:?}");
					assert!(Outcomes::contains_key(job));
				});
			}
		}
	}
}

#[test]
fn settlement_should_happen_once_when_queue_and_poke_meet() {
	for order in [[Act::Poke, Act::Queue], [Act::Queue, Act::Poke], [Act::Poke, Act::Poke]] {
		ExtBuilder(1).build_and_execute(|| {
			let job = submit();
			attest(job).unwrap();
			go_to(WINDOW);
			System::set_block_number(u64::from(1 + WINDOW));
			for step in order {
				act(step, job);
			}
			assert_eq!(record(job).phase(), JobPhase::Settled);
		});
	}
}

/// What happens around the end of a window or of an audit's phase, in one block.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meeting {
	Poke,
	Queue,
	Shorten,
	Lengthen,
}

fn meet(meeting: Meeting, job: u64) {
	let now = System::block_number() as u32;
	match meeting {
		Meeting::Poke => drop(poke(job)),
		Meeting::Queue => drop(InferenceJobs::on_initialize(now.into())),
		Meeting::Shorten => InferenceJobs::audit_until(job, now + 1),
		Meeting::Lengthen => InferenceJobs::audit_until(job, now + 3),
	}
}

#[test]
fn audit_should_end_once_whoever_comes_first() {
	use Meeting::*;
	let verdicts = [Verdict::Upheld, Verdict::Unaudited, Verdict::Rejected, Verdict::Void];
	let all = [Poke, Queue, Shorten, Lengthen];
	let mut orders = vec![];
	for a in all {
		for b in all {
			for c in all {
				orders.push([a, b, c]);
			}
		}
	}
	for verdict in verdicts {
		for before in [
			vec![],
			vec![Answer::Audit(0)],
			vec![Answer::Wait(0), Answer::Audit(2), Answer::Wait(1)],
		] {
			for order in &orders {
				ExtBuilder(1).build_and_execute(|| {
					let job = submit();
					attest(job).unwrap();
					Answers::insert(job, [before.as_slice(), &[Answer::End(verdict)]].concat());
					go_to(WINDOW);
					// The queue runs only where the order says so.
					TickLimit::set(Default::default());
					for block in 1..6 {
						System::set_block_number(u64::from(WINDOW + block));
						for meeting in order {
							TickLimit::set(frame_support::weights::Weight::from_parts(1_000_000_000_000, u64::MAX));
							meet(*meeting, job);
							check();
						}
						TickLimit::set(Default::default());
					}
					// Nobody came by: the queue does.
					TickLimit::set(frame_support::weights::Weight::from_parts(1_000_000_000_000, u64::MAX));
					go_to(WINDOW + 12);
					let expected = match verdict {
						Verdict::Upheld | Verdict::Unaudited => JobPhase::Settled,
						Verdict::Rejected => JobPhase::Rejected,
						Verdict::Void => JobPhase::Void,
					};
					assert_eq!(record(job).phase(), expected, "{order:?}");
					// The parties' books refuse a second end; here, that it was asked for one only once.
					assert_eq!(Asked::get().len(), before.len() + 1);
					assert_eq!(events().iter().filter(|event| is_end(event)).count(), 1);
				});
			}
		}
	}
}

fn is_end(event: &Event<Test>) -> bool {
	matches!(
		event,
		Event::JobSettled { .. }
			| Event::JobRejected { .. }
			| Event::JobVoided { .. }
			| Event::JobRefunded { .. }
			| Event::JobFailed { .. }
	)
}

/// One step of a random life.
#[derive(Clone, Debug)]
enum Step {
	Answers(u64, Vec<Answer>),
	Until(u64, u32),
	Submit,
	SubmitQuorum(u8),
	SubmitBatch(u16),
	Attest(u64, u32),
	Report(u64, u32, u8),
	Poke(u64),
	Blocks(u32),
	Share(u64),
	Node(u32, u64, u32),
	Leave(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let verdict = prop_oneof![
		Just(Verdict::Upheld),
		Just(Verdict::Unaudited),
		Just(Verdict::Rejected),
		Just(Verdict::Void)
	];
	let answer = prop_oneof![
		2 => (0u32..6).prop_map(Answer::Wait),
		2 => (0u32..6).prop_map(Answer::Audit),
		1 => (0u32..6, 0u32..6).prop_map(|(first, blocks)| Answer::MoveAndWait(first, blocks)),
		2 => verdict.prop_map(Answer::End),
	];
	let step = prop_oneof![
		4 => (0u64..30, proptest::collection::vec(answer, 1..6)).prop_map(|(job, answers)| Step::Answers(job, answers)),
		2 => (0u64..30, 0u32..400).prop_map(|(job, until)| Step::Until(job, until)),
		6 => Just(Step::Submit),
		2 => (1u8..9).prop_map(Step::SubmitQuorum),
		2 => (0u16..20).prop_map(Step::SubmitBatch),
		5 => (0u64..30, 0u32..6).prop_map(|(job, node)| Step::Attest(job, node)),
		3 => (0u64..30, 0u32..6, 0u8..5).prop_map(|(job, node, class)| Step::Report(job, node, class)),
		3 => (0u64..30).prop_map(Step::Poke),
		5 => (1u32..9).prop_map(Step::Blocks),
		1 => (0u64..40).prop_map(Step::Share),
		1 => (0u32..6, 0u64..3, 0u32..4).prop_map(|(node, weight, slots)| Step::Node(node, weight, slots)),
		1 => (0u32..6).prop_map(Step::Leave),
	];
	proptest::collection::vec(step, 1..120)
}

fn run(step: &Step) {
	let classes = [
		FailureClass::InputMissing,
		FailureClass::ModelMissing,
		FailureClass::InputInvalid,
		FailureClass::ModelRefused,
		FailureClass::RunFailed,
	];
	match *step {
		Step::Answers(job, ref answers) => Answers::insert(job, answers.clone()),
		Step::Until(job, until) => InferenceJobs::audit_until(job, until),
		Step::Submit => drop(try_submit(PRICE)),
		Step::SubmitQuorum(size) => drop(try_submit_tier(Tier::Quorum(size), Balance::MAX)),
		Step::SubmitBatch(inputs) => drop(try_submit_batch(1_000, inputs)),
		// Half of them by the right node, the others by whoever.
		Step::Attest(job, node) => {
			let right = Jobs::<Test>::get(job).and_then(|record| record.executor());
			let node = if node < 3 { right.unwrap_or(node) } else { node };
			let _ = InferenceJobs::attested(job, work(job), node, output(), commitment());
		}
		Step::Report(job, node, class) => {
			let right = Jobs::<Test>::get(job).and_then(|record| record.executor());
			let node = if node < 3 { right.unwrap_or(node) } else { node };
			let _ = InferenceJobs::failure_reported(job, work(job), node, classes[usize::from(class)]);
		}
		Step::Poke(job) => drop(poke(job)),
		Step::Blocks(blocks) => go_to(System::block_number() as u32 + blocks),
		Step::Share(share) => TickLimit::set(frame_support::weights::Weight::from_parts(
			share * 500_000_000,
			u64::MAX,
		)),
		Step::Node(node, weight, slots) => Fleet::insert(
			node,
			MockNode {
				weight,
				slots,
				..Default::default()
			},
		),
		Step::Leave(node) => Fleet::remove(node),
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 300, ..Default::default() })]

	#[test]
	fn books_and_invariants_should_hold_in_every_life(steps in steps()) {
		ExtBuilder(6).build_and_execute(|| {
			let mut ended = 0;
			for step in &steps {
				run(step);
				check();
				ended += events().iter().filter(|event| is_end(event)).count();
			}
			// No state without an exit: with a share that moves at all, everything ends and every record goes.
			TickLimit::set(frame_support::weights::Weight::from_parts(100_000_000_000, u64::MAX));
			go_to(System::block_number() as u32 + 500);
			check();
			ended += events().iter().filter(|event| is_end(event)).count();
			// Each job has exactly one end, and none is left without.
			assert_eq!((ended as u64, Outcomes::iter().count() as u64), (NextJobId::<Test>::get(), NextJobId::<Test>::get()));
			assert_eq!(Jobs::<Test>::iter().count(), 0);
			assert_eq!((OpenJobs::get(), Opened::get()), (0, Closed::get()));
		});
	}
}
