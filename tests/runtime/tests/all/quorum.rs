//! Quorums: several jobs on one input, each with a node of another operator, each with an end of its own.

use highway_primitives::{AskRole, Balance, BlobRef, JobId, JobPhase, ModelId, NodeId, Quorum, Role, Tier, AIC};
use highway_runtime::{AccountId, Block, NodeStaking, RevenueSplit, Runtime};
use highway_runtime_api::{
	runtime_decl_for_market_api::MarketApi,
	runtime_decl_for_worker_api::WorkerApi,
	types::{Bill, JobInfo, Quote},
};
use highway_runtime_tests::{curator_call, invariants::free, premium_of, submit_tier_call, Chain, MILLI};
use pallet_inference_jobs::{Error, NextJobId};
use pallet_proof_of_work_done::Call as ProofCall;
use pallet_revenue_split::Clearings;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::DispatchError;
use std::collections::{BTreeMap, BTreeSet};

/// R: the compute line of every job here.
const REWARD: Balance = 10 * MILLI;

/// What one more job of a quorum costs.
fn sibling_price() -> Balance {
	REWARD + REWARD / 20 + premium_of(REWARD)
}

fn quote(model: ModelId, curator: Option<AccountId>, size: u8) -> Result<Quote<AccountId>, DispatchError> {
	<Runtime as MarketApi<Block, AccountId>>::quote_quorum(model, 5, curator, size)
}

fn bill(job: JobId) -> Bill<AccountId> {
	<Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("the job is kept")
}

fn info(job: JobId) -> JobInfo<AccountId> {
	<Runtime as MarketApi<Block, AccountId>>::job(job).expect("the job is kept")
}

/// The sums of these bills' lines by role.
fn by_role(bills: &[Bill<AccountId>]) -> BTreeMap<Role, Balance> {
	let mut sums = BTreeMap::new();
	for line in bills.iter().flat_map(|bill| &bill.lines) {
		*sums.entry(line.role).or_default() += line.amount;
	}
	sums
}

fn executors(chain: &Chain, jobs: &[JobId]) -> BTreeSet<NodeId> {
	jobs.iter().map(|job| chain.executor(*job)).collect()
}

#[test]
fn a_quorum_should_cost_what_its_quote_says_and_pay_once_what_is_there_once() {
	Chain::local(|chain| {
		let model = chain.register_model(Dave, "magika", MILLI);
		chain.serve(model, &[Alice, Bob, Charlie].map(|operator| (operator, REWARD)));
		chain.ask(&[(Charlie, (model, AskRole::Storage, Some(2 * MILLI)))]);
		chain.ok(Ferdie, curator_call(3 * MILLI));
		chain.next_market_epoch();
		let curator = Some(Ferdie.to_account_id());
		let quoted = quote(model, curator.clone(), 3).expect("the model is served");
		// Royalty, storage and curator once, 5 % of all that, and a premium for each job.
		let first = REWARD + MILLI + 2 * MILLI + 3 * MILLI;
		let price = first + first / 20 + premium_of(REWARD) + 2 * sibling_price();
		assert_eq!((quoted.price, quoted.executors), (price, 3));

		let funds = chain.funds(Eve);
		let start = NextJobId::<Runtime>::get();
		chain.ok(Eve, submit_tier_call(model, curator, Tier::Quorum(3)));
		let jobs: Vec<JobId> = (start..NextJobId::<Runtime>::get()).collect();
		assert_eq!(jobs.len(), 3);
		assert_eq!(chain.funds(Eve), funds - price);
		assert_eq!(executors(chain, &jobs), [0, 1, 2].into());
		let foreseen: Vec<_> = jobs.iter().map(|job| bill(*job)).collect();
		let quoted_lines = Bill {
			lines: quoted.lines,
			..foreseen[0].clone()
		};
		assert_eq!(by_role(&foreseen), by_role(&[quoted_lines]));
		for (place, bill) in foreseen.iter().enumerate() {
			let sum: Balance = bill.lines.iter().map(|line| line.amount).sum();
			assert_eq!(sum, bill.price, "the lines of each job sum to its price");
			let has = |role| bill.lines.iter().any(|line| line.role == role);
			for role in [Role::Maker, Role::Storage, Role::Curator] {
				assert_eq!(has(role), place == 0, "{role:?} of job {place}");
			}
			let quorum = Quorum {
				first: jobs[0],
				size: 3,
			};
			assert_eq!(info(jobs[place]).quorum, Some(quorum));
		}

		// Everybody who has to do it is told who stores its input.
		for job in &jobs {
			let node = chain.executor(*job);
			let work = <Runtime as WorkerApi<Block>>::work_for(chain.worker(node).public().into()).expect("a node");
			let providers: Vec<NodeId> = work.jobs[0].providers.iter().map(|contact| contact.node).collect();
			let expected = if node == 2 { vec![] } else { vec![2] };
			assert_eq!((work.jobs[0].job, providers), (*job, expected));
		}
		for job in &jobs {
			chain.attest(*job);
		}
		for (job, foreseen) in jobs.iter().zip(&foreseen) {
			chain.finish(*job);
			assert_eq!(chain.job(*job).phase(), JobPhase::Settled);
			assert_eq!((bill(*job).lines, bill(*job).refunded), (foreseen.lines.clone(), 0));
		}
		assert_eq!(RevenueSplit::claimable(&Dave.to_account_id()), MILLI);
		assert_eq!(RevenueSplit::claimable(&Ferdie.to_account_id()), 3 * MILLI);
		assert_eq!(chain.funds(Eve), funds - price);
	});
}

/// Five operators, of whom Alice, Bob and Charlie do the three jobs of a quorum, one of them badly.
fn one_dissents(place: usize) {
	Chain::local(|chain| {
		for operator in [Dave, Eve] {
			chain.join(operator, 100_000 * AIC);
		}
		let model = chain.served_model(MILLI, REWARD);
		for operator in [Alice, Bob] {
			chain.ok(operator, ProofCall::confirm_calibration { model, version: 1 });
		}
		let funds = chain.funds(Ferdie);
		let jobs = chain.submit_quorum(Ferdie, model, 3);
		let prices: Vec<Balance> = jobs.iter().map(|job| chain.job(*job).deal.price).collect();
		assert_eq!(prices[1..], [sibling_price(); 2]);
		chain.cheats.insert(jobs[place]);
		for job in &jobs {
			chain.attest(*job);
		}
		let dissenter = chain.executor(jobs[place]);
		chain.ok(Ferdie, ProofCall::force_audit { job: jobs[place] });
		for job in &jobs {
			chain.finish(*job);
		}
		for (other, job) in jobs.iter().enumerate() {
			let (phase, refunded) = match other == place {
				true => (JobPhase::Rejected, prices[other]),
				false => (JobPhase::Settled, 0),
			};
			assert_eq!((chain.job(*job).phase(), bill(*job).refunded), (phase, refunded));
		}
		let paid = prices.iter().sum::<Balance>() - prices[place];
		assert_eq!(chain.funds(Ferdie), funds - paid, "its bond is back, too");
		for node in NodeStaking::ids_from(0, u32::MAX).0 {
			let lost = if node == dissenter { 64 * REWARD } else { 0 };
			assert_eq!(NodeStaking::slashed(node).own(), lost, "node {node}");
		}
		// What is there once is paid with the first job.
		let lines = bill(jobs[0]).lines;
		assert_eq!(lines.iter().any(|line| line.role == Role::Maker), place != 0);
	});
}

#[test]
fn a_dissenter_should_lose_what_stands_behind_its_job_and_the_payer_get_that_jobs_price_back() {
	(0..3).for_each(one_dissents);
}

#[test]
fn a_late_job_should_go_to_a_node_that_has_no_other_job_of_the_quorum() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, REWARD);
		let funds = chain.funds(Eve);
		let jobs = chain.submit_quorum(Eve, model, 2);
		let (late, done) = (chain.executor(jobs[0]), chain.executor(jobs[1]));
		chain.attest(jobs[1]);
		chain.pass_due(jobs[0]);
		let next = chain.executor(jobs[0]);
		assert_eq!(
			[late, done, next].into_iter().collect::<BTreeSet<_>>(),
			[0, 1, 2].into()
		);
		// Nobody is left but the one that did the other job.
		chain.pass_due(jobs[0]);
		assert_eq!(chain.job(jobs[0]).phase(), JobPhase::Refunded);
		chain.finish(jobs[1]);
		assert_eq!(chain.job(jobs[1]).phase(), JobPhase::Settled);
		assert_eq!(chain.funds(Eve), funds - sibling_price(), "only what was done is paid");
		assert_eq!(RevenueSplit::claimable(&Dave.to_account_id()), 0);
	});
}

#[test]
fn a_quorum_should_take_nothing_when_it_cannot_be() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, REWARD);
		let price = quote(model, None, 3).expect("the model is served").price;
		let call = |size, max_price| pallet_inference_jobs::Call::<Runtime>::submit_job {
			model,
			input: BlobRef::of(b"input"),
			tier: Tier::Quorum(size),
			max_price,
			gateway: None,
			curator: None,
		};
		for (size, max_price, error) in [
			(0, AIC, Error::<Runtime>::QuorumSizeOutOfRange),
			(1, AIC, Error::QuorumSizeOutOfRange),
			(8, AIC, Error::QuorumSizeOutOfRange),
			(255, AIC, Error::QuorumSizeOutOfRange),
			(4, AIC, Error::NoCapacity),
			(7, AIC, Error::NoCapacity),
			(3, price - 1, Error::PriceAboveMax),
		] {
			let (funds, pot) = (chain.funds(Eve), free(&RevenueSplit::pot_account()));
			let clearings = Clearings::<Runtime>::iter().collect::<Vec<_>>();
			assert_eq!(chain.call(Eve, call(size, max_price)), Err(error.into()), "{size}");
			assert_eq!((chain.funds(Eve), free(&RevenueSplit::pot_account())), (funds, pot));
			assert_eq!(NextJobId::<Runtime>::get(), 0);
			assert_eq!(Clearings::<Runtime>::iter().collect::<Vec<_>>(), clearings);
		}
		for size in [0, 1, 8, 255] {
			assert_eq!(
				quote(model, None, size),
				Err(Error::<Runtime>::QuorumSizeOutOfRange.into())
			);
		}
		chain.ok(Eve, call(3, price));
		assert_eq!(NextJobId::<Runtime>::get(), 3);
	});
}

#[test]
fn the_fee_of_a_quorum_should_be_about_that_of_as_many_jobs() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, REWARD);
		// The first submission of an epoch clears the market.
		chain.submit(Eve, model);
		let eve = Eve.to_account_id();
		let fee = |chain: &mut Chain, tier| {
			let before = chain.fees_of(&eve);
			chain.ok(Eve, submit_tier_call(model, None, tier));
			chain.fees_of(&eve) - before
		};
		let (one, three) = (fee(chain, Tier::Spot), fee(chain, Tier::Quorum(3)));
		assert!(three > 2 * one && three < 3 * one, "{one} for one, {three} for three");
	});
}
