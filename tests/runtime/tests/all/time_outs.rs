//! What happens when nodes do not do their jobs.

use frame_support::assert_ok;
use highway_primitives::{Balance, FailureClass, JobId, JobPhase, NodeId, Role};
use highway_runtime::{AccountId, Block, NodeStaking, RevenueSplit, Runtime, RuntimeEvent};
use highway_runtime_api::runtime_decl_for_market_api::MarketApi;
use highway_runtime_tests::{
	invariants::{self, free},
	premium_of, treasury, worker_transaction, Chain, MILLI,
};
use pallet_inference_jobs::Event as JobsEvent;
use sp_keyring::Sr25519Keyring::{Dave, Eve};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};

fn job_events(chain: &Chain) -> Vec<JobsEvent<Runtime>> {
	chain
		.events()
		.into_iter()
		.filter_map(|event| match event {
			RuntimeEvent::InferenceJobs(event) => Some(event),
			_ => None,
		})
		.collect()
}

/// Job, node and amount of every fine.
fn fines(chain: &Chain) -> Vec<(JobId, NodeId, Balance)> {
	job_events(chain)
		.into_iter()
		.filter_map(|event| match event {
			JobsEvent::NodeFined { job, node, amount } => Some((job, node, amount)),
			_ => None,
		})
		.collect()
}

#[test]
fn a_payer_should_be_made_whole_when_three_nodes_let_the_time_pass() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let eve = Eve.to_account_id();
		let (funds, fees) = (free(&eve), chain.fees_of(&eve));
		let reliability = |node: NodeId| NodeStaking::node(node).expect("a node").1.reliability.score();
		let bond = |node: NodeId| NodeStaking::node(node).expect("a node").0.bond;
		let before = [0, 1, 2].map(|node| (reliability(node), bond(node)));
		let job = chain.submit(Eve, model);
		let mut had = Vec::new();
		for round in 0..3 {
			assert_eq!(chain.job(job).phase(), JobPhase::Assigned, "round {round}");
			had.push(chain.executor(job));
			chain.pass_due(job);
		}
		assert_eq!(chain.job(job).phase(), JobPhase::Refunded);
		had.sort_unstable();
		assert_eq!(had, vec![0, 1, 2], "each node had it once");
		assert_eq!(
			free(&eve),
			funds - (chain.fees_of(&eve) - fees),
			"only the transaction fee is gone"
		);
		for (node, (score, bonded)) in [0, 1, 2].into_iter().zip(before) {
			assert!(reliability(node) < score, "a timeout costs reliability");
			assert_eq!(bond(node), bonded - 10 * MILLI, "and the compute price");
		}
		// One half of what the three paid burned; nobody but the treasury earned anything.
		assert_eq!(RevenueSplit::claimable(&treasury()), 15 * MILLI);
		assert_eq!(pallet_revenue_split::Books::<Runtime>::get().earnings, 15 * MILLI);
		let events = job_events(chain);
		let count = |test: fn(&JobsEvent<Runtime>) -> bool| events.iter().filter(|event| test(event)).count();
		assert_eq!(count(|event| matches!(event, JobsEvent::JobTimedOut { .. })), 3);
		assert_eq!(count(|event| matches!(event, JobsEvent::NodeFined { .. })), 3);
		assert_eq!(count(|event| matches!(event, JobsEvent::JobReassigned { .. })), 2);
		assert_eq!(count(|event| matches!(event, JobsEvent::JobRefunded { .. })), 1);
	});
}

#[test]
fn the_next_node_should_be_paid_when_the_first_lets_the_time_pass() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let first = chain.executor(job);
		let late = worker_transaction(chain.worker(first), chain.attestation(first, &[job]));
		let deadline = chain.job(job).deadline().expect("assigned");
		chain.run_to(deadline - 1);
		assert!(
			chain.validate(late.clone()).is_ok(),
			"the deadline's block still counts"
		);
		chain.blocks(2);
		let second = chain.executor(job);
		assert_ne!(first, second);
		assert_eq!(
			chain.validate(late.clone()).map(|_| ()),
			Err(InvalidTransaction::Stale.into())
		);
		assert_eq!(chain.apply(late), Err(InvalidTransaction::Stale.into()));
		chain.attest(job);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		let computed = chain.events().into_iter().filter_map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Paid {
				role: Role::Compute,
				payee,
				amount,
				..
			}) => Some((payee, amount)),
			_ => None,
		});
		let second = chain.operator(second).to_account_id();
		assert_eq!(computed.collect::<Vec<_>>(), vec![(second, 10 * MILLI)]);
	});
}

#[test]
fn a_reporter_should_pay_the_compute_price_when_another_node_does_the_job() {
	Chain::local(|chain| {
		let compute = 10 * MILLI;
		let model = chain.served_model(0, compute);
		let funds = chain.funds(Eve);
		let bond = |node: NodeId| NodeStaking::node(node).expect("a node").0.bond;
		let before = [0, 1, 2].map(bond);
		let job = chain.submit(Eve, model);
		let reporter = chain.executor(job);
		let report = chain.failure_report(reporter, job, FailureClass::InputInvalid);
		assert_eq!(
			chain.apply(worker_transaction(chain.worker(reporter), report)),
			Ok(Ok(()))
		);
		let executor = chain.executor(job);
		assert_ne!(reporter, executor);
		chain.attest(job);
		chain.close();
		assert_eq!([0, 1, 2].map(bond), before, "the output may be found wrong");
		assert!(fines(chain).is_empty());

		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		assert_eq!(fines(chain), vec![(job, reporter, compute)]);
		for (node, bonded) in [0, 1, 2].into_iter().zip(before) {
			let fine = if node == reporter { compute } else { 0 };
			assert_eq!((bond(node), NodeStaking::slashed(node).fines), (bonded - fine, fine));
		}
		// Of the fine, as of the protocol's line, one half burned, and the other is the treasury's.
		let half = compute / 2 + compute / 40;
		let burned = chain.events().into_iter().filter_map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Burned { job: of, amount }) if of == job => {
				Some(amount)
			}
			_ => None,
		});
		assert_eq!(burned.sum::<Balance>(), half);
		assert_eq!(RevenueSplit::claimable(&treasury()), half);

		// The payer pays for a job as any other.
		let price = compute + compute / 20 + premium_of(compute);
		let bill = <Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("it is kept");
		assert_eq!((bill.price, bill.refunded), (price, 0));
		assert_eq!(bill.lines.iter().map(|line| line.amount).sum::<Balance>(), price);
		let computed = bill.lines.iter().filter(|line| line.role == Role::Compute);
		let payee = chain.operator(executor).to_account_id();
		assert_eq!(
			computed.map(|line| (&line.payee, line.amount)).collect::<Vec<_>>(),
			vec![(&Some(payee), compute)]
		);
		assert_eq!(chain.funds(Eve), funds - price);
		invariants::check();
	});
}

#[test]
fn an_attestation_should_count_when_it_comes_in_the_deadlines_block() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let deadline = chain.job(job).deadline().expect("assigned");
		chain.run_to(deadline - 1);
		chain.open();
		assert_eq!(chain.number(), deadline);
		chain.attest(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Attested);
	});
}

#[test]
fn anybody_should_move_a_due_job_on_when_it_is_poked_and_nobody_before() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let poke = pallet_inference_jobs::Call::<Runtime>::poke { job };
		let not_due = DispatchError::from(pallet_inference_jobs::Error::<Runtime>::NotDue);
		assert_eq!(chain.call(Dave, poke.clone()), Err(not_due));
		chain.attest(job);
		chain.finish(job);
		// The queue was there first: a second settlement there is none.
		assert_eq!(chain.call(Dave, poke), Err(not_due));
		let settled = job_events(chain)
			.iter()
			.filter(|event| matches!(event, JobsEvent::JobSettled { .. }))
			.count();
		assert_eq!(settled, 1);
	});
}

#[test]
fn every_job_should_be_refunded_when_many_expire_in_one_block() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let eve = Eve.to_account_id();
		let (funds, fees) = (free(&eve), chain.fees_of(&eve));
		let jobs = (0..60).map(|_| chain.submit(Eve, model)).collect::<Vec<_>>();
		let price: Balance = jobs.iter().map(|job| chain.job(*job).deal.price).sum();
		assert_eq!(pallet_revenue_split::Books::<Runtime>::get().obligations, price);
		// Three allowances and a few blocks for what the queue carries over.
		chain.blocks(3 * 7 + 10);
		for job in &jobs {
			assert_eq!(chain.job(*job).phase(), JobPhase::Refunded);
		}
		assert_eq!(free(&eve), funds - (chain.fees_of(&eve) - fees));
		assert_ok!(NodeStaking::do_try_state());
	});
}
