//! One job from its model's registration to the last claim.

use highway_primitives::{
	market::BillLine, model::DerivativeTerms, AskRole, Balance, BlobRef, JobId, JobPhase, Role, Tier,
};
use highway_runtime::{
	constants::EXISTENTIAL_DEPOSIT, AccountId, Balances, Block, RevenueSplit, Runtime, RuntimeEvent,
};
use highway_runtime_api::{runtime_decl_for_market_api::MarketApi, runtime_decl_for_worker_api::WorkerApi};
use highway_runtime_tests::{
	curator_call, invariants::free, output_of, premium_of, register_call, spec, submit_call, subsidy_of,
	worker_transaction, Chain, MILLI,
};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::Perbill;
use std::collections::BTreeSet;

fn bill(job: JobId) -> highway_runtime_api::types::Bill<AccountId> {
	<Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("the job is kept")
}

fn sum(lines: &[BillLine<AccountId>]) -> Balance {
	lines.iter().map(|line| line.amount).sum()
}

/// What the events say was paid, put aside and burned of a job's price. Who judges a job is paid by all jobs together.
fn paid(chain: &Chain, job: JobId) -> Vec<BillLine<AccountId>> {
	chain
		.events()
		.into_iter()
		.filter_map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Paid {
				job: of,
				role,
				payee,
				amount,
			}) if of == job && role != Role::Auditor => Some(BillLine {
				role,
				payee: Some(payee),
				amount,
			}),
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::StoragePayHeld {
				job: of, payee, amount, ..
			}) if of == job => Some(BillLine {
				role: Role::Storage,
				payee: Some(payee),
				amount,
			}),
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::AuditPotFilled { job: of, amount })
				if of == job =>
			{
				Some(BillLine {
					role: Role::Auditor,
					payee: None,
					amount,
				})
			}
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Burned { job: of, amount }) if of == job => {
				Some(BillLine {
					role: Role::Protocol,
					payee: None,
					amount,
				})
			}
			_ => None,
		})
		.collect()
}

fn sorted(mut lines: Vec<BillLine<AccountId>>) -> Vec<BillLine<AccountId>> {
	lines.sort_by(|a, b| (a.role, &a.payee, a.amount).cmp(&(b.role, &b.payee, b.amount)));
	lines
}

/// All rewards of validators so far.
fn minted() -> Balance {
	pallet_node_staking::Minted::<Runtime>::get()
}

/// What was minted for the executors of settled jobs.
fn subsidies(chain: &Chain) -> Balance {
	let events = chain.events().into_iter();
	events
		.map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Subsidised { amount, .. }) => amount,
			_ => 0,
		})
		.sum()
}

/// Everybody with earnings and an account claims them; what is left in the pot is its deposit, the treasury's part, what is
/// there for audits, and what storage providers have still to prove.
fn claim_all(chain: &mut Chain) {
	for who in [Alice, Bob, Charlie, Dave, Eve, Ferdie] {
		if RevenueSplit::claimable(&who.to_account_id()) > 0 {
			chain.ok(who, pallet_revenue_split::Call::claim {});
			assert_eq!(RevenueSplit::claimable(&who.to_account_id()), 0);
		}
	}
	chain.close();
	let left = RevenueSplit::earnings();
	let rest: Balance = left.iter().map(|(_, amount)| amount).sum();
	assert!(left.len() <= 1, "only the treasury has unclaimed earnings: {left:?}");
	let books = pallet_revenue_split::Books::<Runtime>::get();
	let waiting = books.audit_pot + books.storage_pay;
	assert_eq!(free(&RevenueSplit::pot_account()), EXISTENTIAL_DEPOSIT + rest + waiting);
}

#[test]
fn a_job_should_pay_everybody_exactly_when_its_window_is_over() {
	Chain::local(|chain| {
		let model = chain.register_model(Dave, "magika", MILLI);
		chain.host(model, &[Alice, Bob, Charlie]);
		chain.ask(&[
			(Alice, (model, AskRole::Compute, Some(10 * MILLI))),
			(Bob, (model, AskRole::Compute, Some(12 * MILLI))),
			(Charlie, (model, AskRole::Storage, Some(2 * MILLI))),
		]);
		chain.next_market_epoch();

		let quote = <Runtime as MarketApi<Block, AccountId>>::quote(model, 5, 1, None).expect("the model is served");
		// The dearest ask that won, as none lost, the royalty, storage of one MiB, 5 % of them, and the premium.
		let subtotal = 12 * MILLI + MILLI + 2 * MILLI;
		assert_eq!(quote.price, subtotal + subtotal / 20 + premium_of(12 * MILLI));
		assert_eq!(sum(&quote.lines), quote.price);
		assert_eq!(quote.executors, 2);

		let (eve, issuance) = (Eve.to_account_id(), Balances::total_issuance() - minted());
		let (funds, fees) = (free(&eve), chain.fees_of(&eve));
		let job = chain.submit(Eve, model);
		let fee = chain.fees_of(&eve) - fees;
		assert!(fee > 0);
		assert_eq!(free(&eve), funds - quote.price - fee);
		assert_eq!(chain.job(job).deal.price, quote.price);
		chain.close();

		let node = chain.executor(job);
		assert!([0, 1].contains(&node), "Charlie does not ask for compute");
		let worker = chain.worker(node);
		let work = <Runtime as WorkerApi<Block>>::work_for(worker.public().into()).expect("the key has a node");
		assert_eq!(work.node, node);
		assert_eq!(
			work.jobs.iter().map(|item| (item.job, item.model)).collect::<Vec<_>>(),
			vec![(job, model)]
		);
		assert_eq!(work.hosted.len(), 1);

		let transaction = worker_transaction(worker, chain.attestation(node, &[job]));
		let valid = chain.validate(transaction.clone()).expect("the pool takes it");
		assert_eq!(valid.provides.len(), 1);
		let balances = [Alice, Bob, Charlie, Eve].map(|who| free(&who.to_account_id()));
		assert_eq!(chain.apply(transaction), Ok(Ok(())));
		chain.close();
		assert_eq!(
			[Alice, Bob, Charlie, Eve].map(|who| free(&who.to_account_id())),
			balances,
			"it costs nobody a fee"
		);

		let info = <Runtime as MarketApi<Block, AccountId>>::job(job).expect("the job is kept");
		assert_eq!(
			(info.phase, info.output, info.executor),
			(JobPhase::Attested, Some(output_of(job)), Some(node))
		);
		assert_eq!(sum(&bill(job).lines), quote.price);
		assert!(paid(chain, job).is_empty(), "pay waits for the window");
		assert!(<Runtime as WorkerApi<Block>>::work_for(worker.public().into())
			.expect("a node")
			.jobs
			.is_empty());

		chain.run_to(info.due - 1);
		assert_eq!(chain.job(job).phase(), JobPhase::Attested);
		chain.blocks(1);
		assert_ne!(chain.job(job).phase(), JobPhase::Attested);
		chain.finish(job);
		let settled = bill(job);
		assert_eq!(settled.phase, JobPhase::Settled);
		assert_eq!((sum(&settled.lines), settled.refunded), (quote.price, 0));
		assert_eq!(
			sorted(settled.lines.clone()),
			sorted(paid(chain, job)),
			"the bill is what the events say"
		);
		let roles = settled.lines.iter().map(|line| line.role).collect::<BTreeSet<_>>();
		assert_eq!(
			roles,
			BTreeSet::from([Role::Maker, Role::Compute, Role::Storage, Role::Auditor, Role::Protocol])
		);

		let burned: Balance = settled
			.lines
			.iter()
			.filter(|line| line.role == Role::Protocol && line.payee.is_none())
			.map(|line| line.amount)
			.sum();
		assert_eq!(burned, (subtotal / 20) / 2);
		let subsidy = subsidies(chain);
		assert_eq!(subsidy, burned / 2, "half of what burned comes back to who worked");
		assert_eq!(subsidy, subsidy_of(subtotal));
		let issuance = issuance - burned + subsidy;
		assert_eq!(Balances::total_issuance() - minted(), issuance);
		let executor = chain.operator(node).to_account_id();
		assert!(RevenueSplit::claimable(&executor) >= 12 * MILLI + subsidy);
		assert_eq!(RevenueSplit::claimable(&Dave.to_account_id()), MILLI);

		// The line for storage is Charlie's once he has shown that he has the model.
		chain.until_storage_is_settled(Charlie, model);
		let stored = RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::StoragePaid {
			model,
			payee: Charlie.to_account_id(),
			amount: 2 * MILLI,
		});
		assert!(chain.events().contains(&stored));

		let (dave, fees) = (free(&Dave.to_account_id()), chain.fees_of(&Dave.to_account_id()));
		claim_all(chain);
		let fee = chain.fees_of(&Dave.to_account_id()) - fees;
		assert_eq!(free(&Dave.to_account_id()), dave + MILLI - fee);
		assert_eq!(Balances::total_issuance() - minted(), issuance, "claims burn nothing");
	});
}

#[test]
fn royalties_should_reach_the_parents_and_the_curator_its_fee_when_a_derived_model_runs() {
	Chain::local(|chain| {
		let terms = |percent, floor| {
			Some(DerivativeTerms {
				share: Perbill::from_percent(percent),
				floor,
			})
		};
		let root = chain.register(
			Dave,
			register_call("root", spec("root"), None, terms(20, MILLI), 3 * MILLI),
		);
		let child = chain.register(
			Eve,
			register_call("child", spec("child"), Some(root), terms(50, 2 * MILLI), 5 * MILLI),
		);
		let grandchild = chain.register(
			Ferdie,
			register_call("grandchild", spec("grandchild"), Some(child), None, 10 * MILLI),
		);
		chain.serve(grandchild, &[(Alice, 7 * MILLI), (Bob, 7 * MILLI)]);
		chain.ok(Charlie, curator_call(3 * MILLI));
		chain.next_market_epoch();

		let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
		chain.ok(Eve, submit_call(grandchild, Some(Charlie.to_account_id())));
		let foreseen = bill(job).lines;
		chain.attest(job);
		// What happens to terms, fees and owners after the submission does not touch this job.
		chain.ok(
			Ferdie,
			pallet_model_registry::Call::update_terms {
				model: grandchild,
				royalty: Some(2 * MILLI),
				derivative_terms: None,
			},
		);
		chain.ok(Charlie, curator_call(0));
		chain.ok(
			Dave,
			pallet_model_registry::Call::offer_transfer {
				model: root,
				to: Bob.to_account_id(),
			},
		);
		chain.finish(job);

		let bill = bill(job);
		assert_eq!(bill.phase, JobPhase::Settled);
		assert_eq!(sorted(bill.lines.clone()), sorted(foreseen));
		assert_eq!(sorted(bill.lines.clone()), sorted(paid(chain, job)));
		assert_eq!(sum(&bill.lines), bill.price);
		let of = |role: Role, who: sp_keyring::Sr25519Keyring| -> Balance {
			let lines = bill
				.lines
				.iter()
				.filter(|line| line.role == role && line.payee == Some(who.to_account_id()));
			lines.map(|line| line.amount).sum()
		};
		// Of 10, half goes up to the child; of these 5 a fifth, at least 1, to the root.
		assert_eq!(of(Role::Maker, Ferdie), 5 * MILLI);
		assert_eq!(of(Role::Parent, Eve), 4 * MILLI);
		assert_eq!(of(Role::Parent, Dave), MILLI);
		assert_eq!(of(Role::Curator, Charlie), 3 * MILLI);
		assert_eq!(bill.price, 20 * MILLI + MILLI + premium_of(7 * MILLI));
		let curator =
			<Runtime as MarketApi<Block, AccountId>>::curator(Charlie.to_account_id()).expect("he has a profile");
		assert_eq!((curator.fee, curator.jobs, curator.earned), (0, 1, 3 * MILLI));
		claim_all(chain);
	});
}

#[test]
fn a_curator_should_earn_nothing_by_jobs_that_it_pays_for_or_that_are_not_done() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let curator = Charlie.to_account_id();
		chain.ok(Charlie, curator_call(3 * MILLI));
		let jobs = [Charlie, Eve].map(|payer| {
			let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
			chain.ok(payer, submit_call(model, Some(curator.clone())));
			job
		});
		let of_curator = |job| bill(job).lines.iter().any(|line| line.role == Role::Curator);
		assert_eq!(
			jobs.map(of_curator),
			[false, true],
			"who names itself has found nothing for others"
		);
		chain.attest(jobs[0]);
		chain.finish(jobs[0]);
		while chain.job(jobs[1]).phase() == JobPhase::Assigned {
			chain.pass_due(jobs[1]);
		}
		assert_eq!(chain.job(jobs[0]).phase(), JobPhase::Settled);
		assert_eq!(chain.job(jobs[1]).phase(), JobPhase::Refunded);
		let known = <Runtime as MarketApi<Block, AccountId>>::curator(curator).expect("he has a profile");
		assert_eq!((known.jobs, known.earned), (0, 0));
	});
}

#[test]
fn many_jobs_should_settle_in_one_batch_when_the_worker_attests_them_together() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let jobs = (0..30).map(|_| chain.submit(Eve, model)).collect::<Vec<_>>();
		for node in 0..3 {
			let own = jobs
				.iter()
				.copied()
				.filter(|job| chain.executor(*job) == node)
				.collect::<Vec<_>>();
			assert!(!own.is_empty(), "a draw among equals gives every node some of 30 jobs");
			let transaction = worker_transaction(chain.worker(node), chain.attestation(node, &own));
			assert_eq!(chain.apply(transaction), Ok(Ok(())));
		}
		for job in &jobs {
			chain.finish(*job);
			assert_eq!(chain.job(*job).phase(), JobPhase::Settled);
			assert_eq!(sorted(bill(*job).lines), sorted(paid(chain, *job)));
		}
		claim_all(chain);
	});
}

#[test]
fn two_equal_reports_should_fail_a_job_and_pay_the_reporters_when_it_cannot_be_done() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let eve = Eve.to_account_id();
		let (funds, fees) = (free(&eve), chain.fees_of(&eve));
		let job = chain.submit(Eve, model);
		let mut reporters = Vec::new();
		for _ in 0..2 {
			let node = chain.executor(job);
			reporters.push(node);
			let class = highway_primitives::FailureClass::InputInvalid;
			let report = worker_transaction(chain.worker(node), chain.failure_report(node, job, class));
			assert!(chain.validate(report.clone()).is_ok());
			assert_eq!(chain.apply(report), Ok(Ok(())));
		}
		chain.close();
		let bill = bill(job);
		assert_eq!(bill.phase, JobPhase::Failed);
		assert_eq!(
			bill.lines.iter().map(|line| line.amount).collect::<Vec<_>>(),
			vec![MILLI, MILLI]
		);
		assert_eq!(sum(&bill.lines) + bill.refunded, bill.price);
		assert_eq!(sorted(bill.lines.clone()), sorted(paid(chain, job)));
		for node in reporters {
			assert_eq!(RevenueSplit::claimable(&chain.operator(node).to_account_id()), MILLI);
		}
		assert_eq!(free(&eve), funds - (chain.fees_of(&eve) - fees) - 2 * MILLI);
	});
}

#[test]
fn records_should_go_when_their_retention_is_over() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		chain.attest(job);
		chain.finish(job);
		chain.pass_due(job);
		assert_eq!(<Runtime as MarketApi<Block, AccountId>>::job(job), None);
		assert_eq!(<Runtime as MarketApi<Block, AccountId>>::explain_split(job), None);
		// With no job left the maker can take its model away, and its deposit comes back.
		chain.ok(Dave, pallet_model_registry::Call::remove { model });
		assert_eq!(highway_runtime::System::account(Dave.to_account_id()).data.reserved, 0);
	});
}

#[test]
fn the_price_should_follow_the_input_when_the_unit_is_a_kib() {
	Chain::local(|chain| {
		let mut by_size = spec("reader");
		by_size.unit = highway_primitives::Unit::InputKib;
		let model = chain.register(Dave, register_call("reader", by_size, None, None, 1));
		chain.serve(model, &[(Alice, 100)]);
		chain.next_market_epoch();
		let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
		let input = BlobRef {
			size: 10 * 1024 + 1,
			..BlobRef::of(b"long")
		};
		let call = pallet_inference_jobs::Call::submit_job {
			model,
			input,
			tier: Tier::Spot,
			// Eleven started KiB at 101, 5 %, rounded up, and the premium on 1 100.
			max_price: 1_111 + 56 + 43,
			gateway: Some(2),
			curator: None,
		};
		chain.ok(Eve, call);
		let record = chain.job(job);
		assert_eq!((record.deal.units, record.deal.price), (11, 1_210));
		let node = chain.executor(job);
		let work = <Runtime as WorkerApi<Block>>::work_for(chain.worker(node).public().into()).expect("a node");
		assert_eq!(
			work.jobs[0]
				.providers
				.iter()
				.map(|contact| contact.node)
				.collect::<Vec<_>>(),
			vec![2]
		);
		chain.attest(job);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
	});
}
