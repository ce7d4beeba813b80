use crate::{mock::parties::*, mock::*, Error, Event, Jobs, NextJobId, Pallet, MAX_INPUT_SIZE};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{Balance, BlobRef, JobPhase, Tier};
use sp_core::H256;
use std::collections::BTreeMap;

fn submit_input(size: u64) -> frame_support::dispatch::DispatchResultWithPostInfo {
	let input = BlobRef { size, ..input() };
	InferenceJobs::submit_job(
		RuntimeOrigin::signed(PAYER),
		MODEL,
		input,
		Tier::Spot,
		Balance::MAX,
		None,
		None,
	)
}

#[test]
fn submit_job_should_assign_and_escrow_when_a_node_is_able() {
	ExtBuilder(1).build_and_execute(|| {
		let job = submit();
		let record = record(job);
		assert_eq!(record.phase(), JobPhase::Assigned);
		assert_eq!((record.payer, record.model, record.version), (PAYER, MODEL, 3));
		assert_eq!((record.input, record.inputs), (input(), 1));
		assert_eq!(
			(record.executor(), record.deadline(), record.due()),
			(Some(0), Some(1 + ALLOWANCE), 2 + ALLOWANCE)
		);
		assert_eq!((record.output(), record.attested_at()), (None, None));
		assert_eq!(
			(Escrowed::get(), Reserved::get(0), Busy::get(0), OpenJobs::get()),
			(PRICE, SECURITY, 1, 1)
		);
		assert_eq!(Pallet::<Test>::assigned_to(0, 10), vec![job]);
		let expected = Event::JobSubmitted {
			job,
			payer: PAYER,
			model: MODEL,
			node: 0,
			price: PRICE,
			deadline: 1 + ALLOWANCE,
		};
		assert_eq!(events(), vec![expected]);
	});
}

#[test]
fn submit_job_should_never_reuse_an_id() {
	ExtBuilder(1).build_and_execute(|| {
		assert_eq!((submit(), submit()), (0, 1));
		attest(0).unwrap();
		go_to(1 + WINDOW + RETENTION);
		assert!(Jobs::<Test>::get(0).is_none());
		assert_eq!(submit(), 2);
	});
}

#[test]
fn submit_job_should_take_the_price_that_is_exactly_the_maximum() {
	ExtBuilder(1).build_and_execute(|| {
		assert_ok!(try_submit(PRICE));
	});
}

#[test]
fn submit_job_should_take_nothing_when_the_price_is_above_the_maximum() {
	ExtBuilder(1).build_and_execute(|| {
		assert_noop!(try_submit(PRICE - 1), Error::<Test>::PriceAboveMax);
	});
}

#[test]
fn submit_job_should_take_nothing_when_no_node_is_able() {
	ExtBuilder(3).build_and_execute(|| {
		Fleet::insert(
			0,
			MockNode {
				weight: 0,
				..Default::default()
			},
		);
		Fleet::insert(
			1,
			MockNode {
				slots: 0,
				..Default::default()
			},
		);
		Fleet::insert(
			2,
			MockNode {
				bond: SECURITY - 1,
				..Default::default()
			},
		);
		assert_noop!(try_submit(Balance::MAX), Error::<Test>::NoCapacity);
		assert_eq!((Opened::get(), NextJobId::<Test>::get()), (0, 0));
	});
}

#[test]
fn submit_job_should_take_nothing_when_there_is_no_node_at_all() {
	ExtBuilder(0).build_and_execute(|| {
		assert_noop!(try_submit(Balance::MAX), Error::<Test>::NoCapacity);
	});
}

#[test]
fn submit_job_should_take_nothing_when_the_payer_is_poor() {
	ExtBuilder(1).build_and_execute(|| {
		PayerIsPoor::put(true);
		assert!(try_submit(Balance::MAX).is_err());
		assert_eq!((Escrowed::get(), Busy::get(0), Opened::get()), (0, 0, 0));
	});
}

#[test]
fn submit_job_should_refuse_a_model_that_gives_no_service() {
	ExtBuilder(1).build_and_execute(|| {
		let result = InferenceJobs::submit_job(
			RuntimeOrigin::signed(PAYER),
			8,
			input(),
			Tier::Spot,
			Balance::MAX,
			None,
			None,
		);
		assert_eq!(result.unwrap_err().error, "no such model".into());
	});
}

#[test]
fn submit_job_should_take_nothing_while_slashing_of_the_version_is_suspended() {
	ExtBuilder(1).build_and_execute(|| {
		let before = submit();
		IsSuspended::put(true);
		assert_noop!(try_submit(Balance::MAX), Error::<Test>::VersionSuspended);
		assert_eq!((Opened::get(), NextJobId::<Test>::get()), (1, 1));
		// What was paid for before goes on.
		attest(before).unwrap();
		go_to(1 + WINDOW);
		assert_eq!(record(before).phase(), JobPhase::Settled);
		IsSuspended::put(false);
		assert_ok!(try_submit(Balance::MAX));
	});
}

#[test]
fn errors_should_keep_their_numbers() {
	use codec::Encode;
	assert_eq!(Error::<Test>::DeadlinePassed.encode(), [9]);
	assert_eq!(Error::<Test>::VersionSuspended.encode(), [10]);
	assert_eq!(Error::<Test>::QuorumSizeOutOfRange.encode(), [11]);
	assert_eq!(Error::<Test>::InputsOutOfRange.encode(), [12]);
}

#[test]
fn submit_job_should_refuse_empty_and_oversized_inputs() {
	ExtBuilder(1).build_and_execute(|| {
		UnitTime::put(1);
		assert_noop!(submit_input(0), Error::<Test>::InputSizeOutOfRange);
		assert_noop!(submit_input(MAX_INPUT_SIZE + 1), Error::<Test>::InputSizeOutOfRange);
		assert_noop!(submit_input(u64::MAX), Error::<Test>::InputSizeOutOfRange);
		assert_ok!(submit_input(MAX_INPUT_SIZE));
		assert_eq!(record(0).deal.units, 256 * 1024);
	});
}

#[test]
fn submit_job_should_refuse_a_deadline_that_no_payer_would_live_to_see() {
	ExtBuilder(1).build_and_execute(|| {
		UnitTime::put(u32::MAX);
		assert_noop!(submit_input(MAX_INPUT_SIZE), Error::<Test>::DeadlineTooLong);
	});
}

#[test]
fn submit_job_should_refuse_an_unknown_gateway() {
	ExtBuilder(1).build_and_execute(|| {
		let submit = |gateway| {
			InferenceJobs::submit_job(
				RuntimeOrigin::signed(PAYER),
				MODEL,
				input(),
				Tier::Spot,
				Balance::MAX,
				Some(gateway),
				Some(9),
			)
		};
		assert_noop!(submit(5), Error::<Test>::UnknownGateway);
		assert_ok!(submit(0));
		assert_eq!((record(0).gateway, record(0).deal.curator), (Some(0), Some((9, 10))));
	});
}

#[test]
fn draw_should_follow_the_weights() {
	ExtBuilder(3).build_and_execute(|| {
		Fleet::insert(
			0,
			MockNode {
				weight: 3,
				..Default::default()
			},
		);
		Fleet::insert(
			1,
			MockNode {
				weight: 0,
				..Default::default()
			},
		);
		let mut won = BTreeMap::<_, u32>::new();
		for _ in 0..400 {
			*won.entry(executor(submit())).or_default() += 1;
		}
		assert_eq!(won.get(&1), None);
		// 300 expected, standard deviation below 9.
		assert!((255..345).contains(&won[&0]), "{won:?}");
	});
}

#[test]
fn draw_should_change_with_the_randomness_and_do_without() {
	ExtBuilder(64).build_and_execute(|| {
		let mut drawn = Vec::new();
		for seed in [Some(H256::zero()), Some(H256::repeat_byte(1)), None] {
			Seed::set(seed);
			drawn.push((0..4).map(|_| executor(submit())).collect::<Vec<_>>());
		}
		assert!(
			drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2],
			"{drawn:?}"
		);
	});
}

#[test]
fn submit_job_should_weigh_what_it_looked_at_and_carry_what_it_leaves_to_the_queue() {
	ExtBuilder(2).build_and_execute(|| {
		use crate::WeightInfo;
		let now = <() as WeightInfo>::submit_job(2);
		let later = Pallet::<Test>::later_weight(2).ref_time();
		assert_eq!(submit_input(1).unwrap().actual_weight, Some(now.add_proof_size(later)));
		assert_eq!(record(0).executors, 2);
	});
}

#[test]
fn security_should_be_there_when_a_job_costs_nothing() {
	// With something reserved of its bond, a node cannot leave while the pay of its job waits.
	assert_eq!(Pallet::<Test>::security(0), 1);
	assert_eq!(Pallet::<Test>::security(COMPUTE), SECURITY);
	assert_eq!(Pallet::<Test>::security(Balance::MAX), Balance::MAX);
}
