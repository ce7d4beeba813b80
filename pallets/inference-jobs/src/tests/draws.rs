//! Draws look at four nodes, find whoever can be found, and give each node its share.

use crate::{
	draw::{sampled, Drawn, SAMPLE},
	mock::{parties::*, *},
	Pallet, WeightInfo, MAX_DRAWN,
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};
use highway_math::draw::weighted;
use highway_primitives::{FailureClass, NodeId, Tier};
use proptest::prelude::*;
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
};

/// One of many seeds.
fn seed(tag: u64, number: u64) -> [u8; 32] {
	sp_io::hashing::blake2_256(&(tag, number).encode())
}

/// A draw among the nodes 0, 1, … with these weights, and whom it looked at.
fn watched(seed: [u8; 32], last: Option<NodeId>, weights: &[u64]) -> (Drawn, Vec<NodeId>) {
	let looks = RefCell::new(vec![]);
	let nodes = (0..weights.len() as NodeId).collect();
	let drawn = sampled(seed, last, nodes, |node| {
		looks.borrow_mut().push(node);
		weights[node as usize]
	});
	(drawn, looks.into_inner())
}

/// The probability with which each node is drawn after `last`, by going through all seeds that differ.
fn handed_over(last: NodeId, weights: &[u64]) -> Vec<f64> {
	let others = weights.len() as u32 - 1;
	let fresh = others.min(SAMPLE - 1);
	let mut shares = vec![0.0; weights.len()];
	// Each pick is one of as many as are left.
	let ways: u32 = (0..fresh).map(|taken| others - taken).product();
	for way in 0..ways {
		let mut seed = [0u8; 32];
		let mut rest = way;
		for taken in 0..fresh {
			let pick = rest % (others - taken);
			rest /= others - taken;
			let at = 16 + 4 * taken as usize;
			seed[at..at + 4].copy_from_slice(&pick.to_le_bytes());
		}
		let (_, looks) = watched(seed, Some(last), weights);
		assert_eq!(looks.len() as u32, fresh + 1);
		let tickets: u64 = looks.iter().map(|node| weights[*node as usize]).sum();
		for ticket in 0..tickets {
			seed[..16].copy_from_slice(&u128::from(ticket).to_le_bytes());
			let (drawn, again) = watched(seed, Some(last), weights);
			assert_eq!(again, looks, "whom it looks at does not depend on the ticket");
			shares[drawn.node.unwrap() as usize] += 1.0 / (f64::from(ways) * tickets as f64);
		}
	}
	shares
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

	/// In the long run shares are the weights', exactly: a chain in which as much goes from each node to each other one as
	/// comes back, and in which each can be reached from each, has one stationary distribution, and it is that.
	#[test]
	fn each_node_should_hand_over_as_much_as_it_gets_back(weights in prop::collection::vec(1u64..8, 1..8)) {
		let kernel: Vec<_> = (0..weights.len() as NodeId).map(|last| handed_over(last, &weights)).collect();
		let total: u64 = weights.iter().sum();
		for (i, row) in kernel.iter().enumerate() {
			prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9);
			for (j, there) in row.iter().enumerate() {
				let (there, back) = (weights[i] as f64 * there, weights[j] as f64 * kernel[j][i]);
				prop_assert!(there > 0.0 && (there - back).abs() < 1e-9, "{weights:?}: {i} to {j} {there}, back {back}");
			}
			// Up to four are all in the sample: then each single draw is exact.
			if weights.len() <= SAMPLE as usize {
				for (share, weight) in row.iter().zip(&weights) {
					prop_assert!((share - *weight as f64 / total as f64).abs() < 1e-9);
				}
			}
		}
	}
}

proptest! {
	#[test]
	fn an_able_node_should_always_be_found_and_nobody_be_looked_at_twice(
		number in any::<u64>(),
		last in prop::option::of(0..80u32),
		weights in prop::collection::vec(prop_oneof![3 => Just(0u64), 1 => any::<u64>()], 0..=64),
	) {
		let (drawn, looks) = watched(seed(0, number), last, &weights);
		prop_assert_eq!(drawn.looked_at as usize, looks.len());
		prop_assert_eq!(looks.iter().collect::<BTreeSet<_>>().len(), looks.len());
		prop_assert_eq!(drawn.further() as usize, looks.len().saturating_sub(SAMPLE as usize));
		if let Some(last) = last.filter(|last| (*last as usize) < weights.len()) {
			prop_assert_eq!(looks[0], last);
		}
		match drawn.node {
			Some(node) => {
				prop_assert!(weights[node as usize] > 0);
				// It went on for as long as nobody was able, and no longer.
				let before = (looks.len() - 1) / SAMPLE as usize * SAMPLE as usize;
				let (idle, sample) = looks.split_at(before);
				prop_assert!(idle.iter().all(|node| weights[*node as usize] == 0));
				prop_assert!(sample.contains(&node));
			}
			None => {
				prop_assert!(weights.iter().all(|weight| *weight == 0));
				prop_assert_eq!(looks.len(), weights.len());
			}
		}
	}
}

#[test]
fn each_of_equals_should_be_looked_at_as_often() {
	let mut looked = vec![0u32; 64];
	for number in 0..16_000 {
		watched(seed(3, number), None, &[1; 64])
			.1
			.iter()
			.for_each(|node| looked[*node as usize] += 1);
	}
	// 1000 expected, standard deviation 31.
	assert!(looked.iter().all(|looks| (850..1_150).contains(looks)), "{looked:?}");
}

/// Nodes of a market with slots from 1 to 64 and reliabilities from 0.3 to 1, which take jobs and give slots back.
struct Fleet64 {
	busy: [u64; 64],
	ends: BTreeMap<u64, Vec<usize>>,
}

impl Fleet64 {
	fn slots(node: usize) -> u64 {
		[1, 4, 16, 64][node % 4]
	}

	fn weights(&self) -> Vec<u64> {
		let weight = |node: usize| (300_000 + 11_000 * node as u64) * (Self::slots(node) - self.busy[node]);
		(0..64).map(weight).collect()
	}

	/// Jobs of each node out of 20 000 that keep so many of 100 slots busy. `draw` is told seed, weights and the last node.
	fn run(load: u64, draw: impl Fn([u8; 32], &[u64], Option<NodeId>) -> Option<NodeId>) -> Vec<u64> {
		let all: u64 = (0..64).map(Self::slots).sum();
		let mut fleet = Self {
			busy: [0; 64],
			ends: BTreeMap::new(),
		};
		let (mut jobs, mut last) = (vec![0; 64], None);
		for job in 0..20_000 {
			for node in fleet.ends.remove(&job).unwrap_or_default() {
				fleet.busy[node] -= 1;
			}
			let Some(drawn) = draw(seed(1, job), &fleet.weights(), last) else {
				continue;
			};
			last = Some(drawn);
			let node = drawn as usize;
			jobs[node] += 1;
			fleet.busy[node] += 1;
			let lasts = u64::from_le_bytes(seed(2, job)[..8].try_into().unwrap()) % (2 * all * load / 100);
			fleet.ends.entry(job + 1 + lasts).or_default().push(node);
		}
		jobs
	}
}

/// The part of all jobs that would have to go to other nodes for both to be the same.
fn apart(some: &[u64], others: &[u64]) -> f64 {
	let apart: u64 = some.iter().zip(others).map(|(a, b)| a.abs_diff(*b)).sum();
	apart as f64 / 2.0 / others.iter().sum::<u64>() as f64
}

#[test]
fn shares_should_follow_reliability_and_free_slots_in_a_market_of_64() {
	for load in [5, 25, 50, 80, 95] {
		let exact = Fleet64::run(load, |seed, weights, _| Some(weighted(&seed, weights)? as NodeId));
		let ours = Fleet64::run(load, |seed, weights, last| watched(seed, last, weights).0.node);
		let fresh = Fleet64::run(load, |seed, weights, _| watched(seed, None, weights).0.node);
		let (ours, fresh) = (apart(&ours, &exact), apart(&fresh, &exact));
		println!("{load} % busy: {ours:.4} with the last node in the sample, {fresh:.4} without");
		// Two exact draws by other seeds are 0.02 apart.
		assert!(ours < 0.04, "{load} % busy: {ours}");
		if load <= 50 {
			assert!(fresh > 0.1, "what the last node is good for: {fresh}");
		}
	}
}

#[test]
fn draws_without_the_last_node_should_favour_the_weak_by_a_fifth_at_twice_the_weight() {
	// The second job of a quorum whose first one stays with the last node; a job that is passed on by it.
	let mut weights = [1u64; 64];
	weights[7] = 2;
	let drawn = (0..200_000)
		.filter(|number| watched(seed(4, *number), None, &weights).0.node == Some(7))
		.count();
	// Expected are 4/64 · 2/5 = 2.5 % (standard deviation 70), instead of 2/65 = 3.1 %.
	assert!((4_650..5_350).contains(&drawn), "{drawn}");
}

#[test]
fn each_draw_should_look_at_four_of_64_and_know_the_last_one() {
	ExtBuilder(64).build_and_execute(|| {
		let mut last = None;
		for _ in 0..50 {
			Looked::set(vec![]);
			let job = submit();
			let looked = Looked::get();
			assert_eq!(looked.len(), 4);
			assert!(last.is_none() || Some(looked[0]) == last);
			let node = executor(job);
			assert!(looked.contains(&node));
			assert_eq!(LastDrawn::get(), Some(node));
			last = Some(node);
		}
	});
}

#[test]
fn the_one_able_node_of_64_should_be_found_and_the_search_be_paid() {
	for able in [0, 31, 63] {
		ExtBuilder(64).build_and_execute(|| {
			submit();
			(0..64).filter(|node| *node != able).for_each(full);
			Looked::set(vec![]);
			let done = submit_with(Tier::Spot).unwrap();
			let looked = Looked::get();
			assert_eq!(executor(1), able);
			assert_eq!(looked.iter().collect::<BTreeSet<_>>().len(), looked.len());
			let further = looked.len() as u32 - SAMPLE;
			let later = Pallet::<Test>::later_weight(64).ref_time();
			let search = match further {
				0 => Weight::zero(),
				nodes => <() as WeightInfo>::look_further(nodes),
			};
			let now = <() as WeightInfo>::submit_later() + search;
			assert_eq!(done, now.add_proof_size(later));
			full(able);
			Looked::set(vec![]);
			assert_noop!(try_submit(u128::MAX), crate::Error::<Test>::NoCapacity);
			assert_eq!(Looked::get().len(), 64);
		});
	}
}

#[test]
fn jobs_should_cost_the_same_however_many_have_won() {
	let cost = |winners| {
		let mut weight = Weight::zero();
		ExtBuilder(winners).build_and_execute(|| {
			// The first touch clears.
			submit();
			Looked::set(vec![]);
			weight = submit_with(Tier::Spot).unwrap();
			assert!(Looked::get().len() as u32 <= SAMPLE);
		});
		weight
	};
	let (one, many) = (cost(1), cost(64));
	assert_eq!(one.ref_time(), many.ref_time());
	// And what it leaves to the queue: one re-draw at most where there is one node, two with a full sample else.
	assert_eq!(cost(4), many);
}

#[test]
fn quorums_should_be_distinct_and_look_at_no_more_than_they_must() {
	ExtBuilder(64).build_and_execute(|| {
		submit();
		for size in 2..=7 {
			Looked::set(vec![]);
			let jobs = submit_quorum(size);
			let nodes: BTreeSet<_> = jobs.iter().map(|job| executor(*job)).collect();
			assert_eq!(nodes.len(), usize::from(size));
			assert_eq!(Looked::get().len(), 4 * usize::from(size));
			// The next draw knows the first one's.
			assert_eq!(LastDrawn::get(), Some(executor(jobs[0])));
		}
		// As many as are needed are found among all.
		(0..64).filter(|node| node % 9 != 0).for_each(full);
		let jobs = submit_quorum(7);
		let nodes: BTreeSet<_> = jobs.iter().map(|job| executor(*job)).collect();
		assert!(nodes.len() == 7 && nodes.iter().all(|node| node % 9 == 0), "{nodes:?}");
	});
}

#[test]
fn a_job_that_is_passed_on_should_find_the_one_that_is_able() {
	ExtBuilder(64).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		let able = (first + 1) % 64;
		(0..64).filter(|node| *node != able && *node != first).for_each(full);
		assert_ok!(report(job, FailureClass::InputMissing));
		assert_eq!(executor(job), able);
		// Whom it was passed on to is not the model's last draw: the chain is that of the first ones.
		assert_eq!(LastDrawn::get(), Some(first));
	});
}

#[test]
fn timeouts_should_be_charged_for_what_the_draw_looked_at() {
	ExtBuilder(64).build_and_execute(|| {
		let job = submit();
		let first = executor(job);
		let able = (first + 1) % 64;
		(0..64).filter(|node| *node != able && *node != first).for_each(full);
		go_to(1 + ALLOWANCE);
		Looked::set(vec![]);
		System::set_block_number(System::block_number() + 1);
		let worked = InferenceJobs::on_initialize(System::block_number());
		let looked = Looked::get().len() as u32;
		assert!(looked <= 63, "its last node is out");
		assert_eq!(executor(job), able);
		let idle = <() as WeightInfo>::tick_base() + <() as WeightInfo>::tick_look();
		let step = <() as WeightInfo>::tick_look() + <() as WeightInfo>::tick_time_out(looked);
		assert_eq!(worked, idle + step);
	});
}

#[test]
fn what_the_queue_does_for_a_job_unpaid_should_be_two_searches_at_most() {
	ExtBuilder(64).build_and_execute(|| {
		let job = submit();
		let paid = Pallet::<Test>::later_weight(64);
		let idle = <() as WeightInfo>::tick_base() + <() as WeightInfo>::tick_look();
		let mut worked = Weight::zero();
		for _ in 0..3 * (ALLOWANCE + 1) + RETENTION {
			// At each draw one node is able that has not had the job.
			let tried = Pallet::<Test>::job(job).map_or(vec![], |record| record.tried.to_vec());
			let with = Pallet::<Test>::job(job).and_then(|record| record.executor());
			let next = (0..64).find(|node| !tried.contains(node) && with != Some(*node));
			(0..64).filter(|node| Some(*node) != next).for_each(full);
			Fleet::insert(next.unwrap(), MockNode::default());
			System::set_block_number(System::block_number() + 1);
			worked += InferenceJobs::on_initialize(System::block_number()) - idle;
		}
		assert!(Pallet::<Test>::job(job).is_none(), "its record is gone");
		let searches = <() as WeightInfo>::look_further(MAX_DRAWN - SAMPLE) * 2u64;
		assert!(worked.all_lte(paid + searches), "{worked} of {paid}");
	});
}

#[test]
fn a_submission_that_fails_should_leave_the_last_draw_as_it_was() {
	ExtBuilder(3).build_and_execute(|| {
		submit();
		let before = LastDrawn::get();
		PayerIsPoor::put(true);
		assert_noop!(try_submit(u128::MAX), "the payer is poor");
		PayerIsPoor::put(false);
		assert_eq!(LastDrawn::get(), before);
	});
}

/// The node cannot take jobs for now.
fn full(node: NodeId) {
	let full = MockNode {
		slots: 0,
		..Default::default()
	};
	Fleet::insert(node, full);
}

/// Submits, and says what that weighed.
fn submit_with(tier: Tier) -> Result<Weight, sp_runtime::DispatchError> {
	let done = InferenceJobs::submit_job(
		RuntimeOrigin::signed(PAYER),
		MODEL,
		input(),
		tier,
		u128::MAX,
		None,
		None,
	);
	match done {
		Ok(info) => Ok(info.actual_weight.unwrap()),
		Err(error) => Err(error.error),
	}
}
