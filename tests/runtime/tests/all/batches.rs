//! Jobs of many inputs: one record, one price, one attestation, and audits of one input that nobody chose.

use frame_support::dispatch::GetDispatchInfo;
use frame_system::RawOrigin;
use highway_primitives::{
	audit::{AuditTask, Seat},
	Balance, JobId, JobPhase, ModelId, NodeId, Role, Verdict, WorkerAction, AIC, MAX_INPUTS,
};
use highway_runtime::{
	constants::RuntimeBlockWeights, AccountId, Block, InferenceJobs, NodeStaking, RevenueSplit, Runtime, RuntimeEvent,
	UncheckedExtrinsic,
};
use highway_runtime_api::{
	runtime_decl_for_market_api::MarketApi,
	runtime_decl_for_worker_api::WorkerApi,
	types::{AuditInfo, AuditItem, Bill, Quote},
};
use highway_runtime_tests::{
	bundle_of, premium_of, signed, submit_batch_call, subsidy_of, worker_transaction, Chain, MILLI,
};
use pallet_inference_jobs::{Error, NextJobId};
use pallet_proof_of_work_done::Call as ProofCall;
use pallet_revenue_split::{Books, Event};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Dave, Eve, Ferdie};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};
use std::collections::BTreeSet;

/// What a unit of work costs, and the maker's part of it.
const UNIT: Balance = 10 * MILLI;
const ROYALTY: Balance = MILLI;

/// Inputs of the batches here, if nothing else is said.
const INPUTS: u16 = 12;

/// R: the compute line of a job of so many inputs.
fn reward(inputs: u16) -> Balance {
	Balance::from(inputs) * UNIT
}

/// What stands behind it.
fn security(inputs: u16) -> Balance {
	64 * reward(inputs)
}

/// Its lines but for the protocol's and the premium.
fn subtotal(inputs: u16) -> Balance {
	Balance::from(inputs) * (UNIT + ROYALTY)
}

fn price(inputs: u16) -> Balance {
	subtotal(inputs) + subtotal(inputs) / 20 + premium_of(reward(inputs))
}

/// Five operators, of whom Alice, Bob and Charlie serve a model of Dave's whose calibration two reproduced.
fn five_operators<R>(test: impl FnOnce(&mut Chain, ModelId) -> R) -> R {
	Chain::local(|chain| {
		for operator in [Dave, Eve] {
			chain.join(operator, 100_000 * AIC);
		}
		let model = chain.served_model(ROYALTY, UNIT);
		for operator in [Alice, Bob] {
			chain.ok(operator, ProofCall::confirm_calibration { model, version: 1 });
		}
		test(chain, model)
	})
}

fn quote(model: ModelId, inputs: u16) -> Result<Quote<AccountId>, DispatchError> {
	<Runtime as MarketApi<Block, AccountId>>::quote(model, bundle_of(inputs).size, inputs, None)
}

fn bill(job: JobId) -> Bill<AccountId> {
	<Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("the job is kept")
}

fn audit(job: JobId) -> AuditInfo {
	<Runtime as MarketApi<Block, AccountId>>::audit(job).expect("there is an audit")
}

fn seats(job: JobId, wanted: Seat) -> Vec<NodeId> {
	let seats = audit(job).seats.into_iter();
	seats.filter(|seat| seat.seat == wanted).map(|seat| seat.node).collect()
}

/// What audits want of a node.
fn wanted(chain: &Chain, node: NodeId) -> Vec<AuditItem> {
	let worker = chain.worker(node).public().into();
	let work = <Runtime as WorkerApi<Block>>::work_for(worker);
	work.expect("the key has a node").audits
}

/// Everything that anybody may claim, and what is there for audits.
fn earned() -> Balance {
	let earnings: Balance = RevenueSplit::earnings().iter().map(|(_, amount)| amount).sum();
	earnings + Books::<Runtime>::get().audit_pot
}

/// What burned of a job's price and of slashes for it, and what was minted for it.
fn burned_and_minted(chain: &Chain, job: JobId) -> (Balance, Balance) {
	let (mut burned, mut minted) = (0, 0);
	for event in chain.events() {
		match event {
			RuntimeEvent::RevenueSplit(Event::Burned { job: of, amount }) if of == job => burned += amount,
			RuntimeEvent::RevenueSplit(Event::Subsidised { job: of, amount, .. }) if of == job => minted += amount,
			_ => (),
		}
	}
	(burned, minted)
}

fn bond(node: NodeId) -> Balance {
	NodeStaking::node(node).expect("the node exists").0.bond
}

/// A batch of Ferdie's, of which these inputs are answered wrongly, attested and about to be judged, since he wants it
/// audited. `then` is told what he had before.
fn audited<R>(wrong: BTreeSet<u16>, then: impl FnOnce(&mut Chain, JobId, Balance) -> R) -> R {
	five_operators(|chain, model| {
		let funds = chain.funds(Ferdie);
		let job = chain.submit_batch(Ferdie, model, INPUTS);
		chain.wrong_inputs.extend(wrong.into_iter().map(|index| (job, index)));
		chain.attest(job);
		chain.ok(Ferdie, ProofCall::force_audit { job });
		chain.until_audited(job);
		then(chain, job, funds)
	})
}

/// The input that is drawn in [`audited`]: whatever is answered wrongly, the same.
fn drawn_input() -> u16 {
	audited(BTreeSet::new(), |_, job, _| audit(job).index)
}

#[test]
fn a_batch_should_cost_what_as_many_units_do_and_its_quote_say_so() {
	five_operators(|chain, model| {
		let one = quote(model, 1).expect("the model is served");
		assert_eq!((one.units, one.price), (1, price(1)));
		for inputs in [2, INPUTS, MAX_INPUTS] {
			let quoted = quote(model, inputs).expect("the model is served");
			assert_eq!((quoted.units, quoted.price), (u32::from(inputs), price(inputs)));
			// A second for each, and one that the bundle may need.
			assert_eq!(quoted.deadline, 5 + u32::from(inputs) / 2 + 1);
			assert_eq!(quoted.audit_rate, one.audit_rate);
			let line = |quote: &Quote<AccountId>, role: Role| -> Balance {
				let lines = quote.lines.iter().filter(|line| line.role == role);
				lines.map(|line| line.amount).sum()
			};
			for role in [Role::Compute, Role::Maker, Role::Protocol] {
				assert_eq!(
					line(&quoted, role),
					Balance::from(inputs) * line(&one, role),
					"{role:?}"
				);
			}
			// Rounded up once, not each time.
			let singles = Balance::from(inputs) * one.price;
			assert!(quoted.price <= singles && singles - quoted.price < Balance::from(inputs));

			let funds = chain.funds(Ferdie);
			let job = chain.submit_batch(Ferdie, model, inputs);
			assert_eq!(chain.funds(Ferdie), funds - quoted.price);
			let record = chain.job(job);
			assert_eq!((record.inputs, record.deal.units), (inputs, u32::from(inputs)));
			assert_eq!((record.deal.price, record.security), (quoted.price, security(inputs)));
		}
	});
}

#[test]
fn a_batch_should_take_nothing_when_it_has_too_few_or_too_many_inputs() {
	Chain::local(|chain| {
		let model = chain.served_model(ROYALTY, UNIT);
		let refused: DispatchError = Error::<Runtime>::InputsOutOfRange.into();
		for inputs in [0, 1, MAX_INPUTS + 1, u16::MAX] {
			let funds = chain.funds(Eve);
			assert_eq!(
				chain.call(Eve, submit_batch_call(model, inputs)),
				Err(refused),
				"{inputs}"
			);
			assert_eq!((chain.funds(Eve), NextJobId::<Runtime>::get()), (funds, 0));
			// A job of one input is a job.
			if inputs != 1 {
				assert_eq!(quote(model, inputs).map(|quote| quote.price), Err(refused), "{inputs}");
			}
		}
		chain.submit_batch(Eve, model, MAX_INPUTS);
	});
}

#[test]
fn a_batch_should_pay_everybody_to_the_last_unit_when_its_audit_finds_it_right() {
	five_operators(|chain, model| {
		let funds = chain.funds(Ferdie);
		assert_eq!(earned(), 0);
		let job = chain.submit_batch(Ferdie, model, INPUTS);
		chain.close();
		let node = chain.executor(job);

		// What its worker is told.
		let worker = chain.worker(node);
		let work = <Runtime as WorkerApi<Block>>::work_for(worker.public().into()).expect("the key has a node");
		let [item] = work.jobs.as_slice() else {
			panic!("one job: {:?}", work.jobs)
		};
		assert_eq!((item.job, item.work), (job, chain.work(job)));
		assert_eq!(
			(item.input, item.inputs, item.units),
			(bundle_of(INPUTS), INPUTS, INPUTS.into())
		);

		chain.attest(job);
		chain.ok(Ferdie, ProofCall::force_audit { job });
		let paid = price(INPUTS) + 2 * reward(INPUTS);
		assert_eq!(chain.funds(Ferdie), funds - paid);
		chain.until_audited(job);
		let auditor = seats(job, Seat::Auditor)[0];
		let told = wanted(chain, auditor);
		let [item] = told.as_slice() else {
			panic!("one task: {told:?}")
		};
		let (inputs, index) = (audit(job).inputs, audit(job).index);
		assert!(inputs == INPUTS && index < INPUTS);
		assert_eq!((item.job, item.inputs), (job, INPUTS));
		assert!(matches!(item.task, AuditTask::Judge { index: told, .. } if told == index));

		chain.finish(job);
		let info = <Runtime as MarketApi<Block, AccountId>>::job(job).expect("the job is kept");
		assert_eq!(
			(info.phase, info.inputs, info.quorum),
			(JobPhase::Settled, INPUTS, None)
		);
		assert_eq!(audit(job).verdict, Some(Verdict::Upheld));
		let sum: Balance = bill(job).lines.iter().map(|line| line.amount).sum();
		assert_eq!((sum, bill(job).refunded), (price(INPUTS), 0));

		// Whoever judged has R as of any job, though it ran one input.
		let claimable = |node| RevenueSplit::claimable(&chain.operator(node).to_account_id());
		assert_eq!(claimable(node), reward(INPUTS) + subsidy_of(subtotal(INPUTS)));
		let royalty = Balance::from(INPUTS) * ROYALTY;
		let dave_judged = chain.operator(auditor) == Dave;
		assert_eq!(
			RevenueSplit::claimable(&Dave.to_account_id()),
			royalty + if dave_judged { reward(INPUTS) } else { 0 }
		);
		if !dave_judged {
			assert_eq!(claimable(auditor), reward(INPUTS));
		}
		assert_eq!(
			Books::<Runtime>::get().audit_pot,
			premium_of(reward(INPUTS)) + 2 * reward(INPUTS) - reward(INPUTS)
		);
		// Nothing is left over, and nothing came from nowhere.
		let (burned, minted) = burned_and_minted(chain, job);
		assert_eq!(paid, earned() + burned - minted);
		assert_eq!(chain.funds(Ferdie), funds - paid);
	});
}

#[test]
fn a_batch_should_cost_its_node_everything_when_its_one_wrong_input_is_drawn() {
	let index = drawn_input();
	audited(BTreeSet::from([index]), |chain, job, funds| {
		let executor = chain.executor(job);
		let bonded = bond(executor);
		assert_eq!(audit(job).index, index);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Rejected);
		assert_eq!(audit(job).slashes, vec![(executor, security(INPUTS))]);
		assert_eq!(bond(executor), bonded - security(INPUTS));
		assert_eq!(seats(job, Seat::Juror).len(), 3);

		// The payer has all of it back, also what was done right, and its bond.
		assert_eq!(chain.funds(Ferdie), funds);
		assert_eq!((bill(job).refunded, bill(job).lines.len()), (price(INPUTS), 0));
		for juror in seats(job, Seat::Juror) {
			let juror = chain.operator(juror).to_account_id();
			assert_eq!(RevenueSplit::claimable(&juror), reward(INPUTS));
		}
		// The slash is divided, to the last unit.
		let (burned, minted) = burned_and_minted(chain, job);
		assert_eq!((burned, minted), (security(INPUTS) / 2, 0));
		assert_eq!(earned(), security(INPUTS) - burned);
	});
}

#[test]
fn a_batch_should_be_paid_when_every_input_but_the_drawn_one_is_wrong() {
	// That is what the rate of audits pays for: it would not have been so in eleven of twelve.
	let index = drawn_input();
	let wrong = (0..INPUTS).filter(|other| *other != index).collect();
	audited(wrong, |chain, job, funds| {
		assert_eq!(audit(job).index, index);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		assert!(seats(job, Seat::Juror).is_empty());
		assert_eq!(chain.funds(Ferdie), funds - price(INPUTS) - 2 * reward(INPUTS));
	});
}

/// Lets blocks pass until the executor is asked to open, which it does not do by itself.
fn until_it_is_to_open(chain: &mut Chain, job: JobId) {
	let executor = chain.executor(job);
	chain.silent.insert(executor);
	for _ in 0..60 {
		if matches!(wanted(chain, executor).as_slice(), [item] if matches!(item.task, AuditTask::Open { .. })) {
			return;
		}
		chain.blocks(1);
	}
	panic!("nobody asks for the opening: {:?}", audit(job));
}

#[test]
fn an_opening_should_be_refused_in_the_pool_and_in_a_block_when_it_is_of_another_input() {
	audited(BTreeSet::new(), |chain, job, _| {
		until_it_is_to_open(chain, job);
		let (executor, index) = (chain.executor(job), audit(job).index);
		let worker = chain.worker(executor);
		let say = |word| worker_transaction(worker, word);
		let wrong = InvalidTransaction::Custom(3);
		let refuse = |chain: &mut Chain, word: WorkerAction| {
			assert_eq!(
				chain.validate(say(word.clone())).map(|_| ()),
				Err(wrong.into()),
				"{word:?}"
			);
			assert_eq!(chain.apply_here(say(word)), Err(wrong.into()));
		};
		let other = chain.opening(executor, job, (index + 1) % INPUTS);
		refuse(chain, other);
		let mut shorter = chain.opening(executor, job, index);
		if let WorkerAction::OpenCommitment { opening, .. } = &mut shorter {
			assert!(opening.path.pop().is_some());
		}
		refuse(chain, shorter);
		let right = chain.opening(executor, job, index);
		assert_eq!(chain.apply(say(right)), Ok(Ok(())));
		chain.silent.clear();
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
	});
}

/// Time of a transaction in a block, its place in it included.
fn time_of(transaction: &UncheckedExtrinsic) -> u64 {
	let info = transaction.get_dispatch_info();
	let base = RuntimeBlockWeights::get().get(info.class).base_extrinsic;
	info.total_weight().saturating_add(base).ref_time()
}

#[test]
fn an_input_of_a_full_batch_should_weigh_half_of_a_transfer_at_most() {
	five_operators(|chain, model| {
		// The first job of an epoch clears its market.
		chain.submit(Ferdie, model);
		chain.open();
		let job = NextJobId::<Runtime>::get();
		let batch = signed(Ferdie, submit_batch_call(model, MAX_INPUTS));
		let declared = batch.get_dispatch_info();
		let charged = InferenceJobs::submit_batch(
			RawOrigin::Signed(Ferdie.to_account_id()).into(),
			model,
			bundle_of(MAX_INPUTS),
			MAX_INPUTS,
			Balance::MAX,
			None,
			None,
		);
		let charged = charged.expect("it can be had").actual_weight;
		let charged = charged.expect("a job is charged for what it looked at");
		// What it leaves to later blocks stands in the second dimension.
		let submission = time_of(&batch) - declared.call_weight.ref_time() + charged.ref_time() + charged.proof_size();
		let node = chain.executor(job);
		let attestation = time_of(&worker_transaction(chain.worker(node), chain.attestation(node, &[job])));
		let transfer = pallet_balances::Call::<Runtime>::transfer_keep_alive {
			dest: Eve.to_account_id().into(),
			value: AIC,
		};
		let transfer = time_of(&signed(Ferdie, transfer));
		let whole = submission + attestation;
		println!(
			"a job of many inputs: {} µs, a transfer: {} µs; half of it per input from {} inputs on",
			whole / 1_000_000,
			transfer / 1_000_000,
			(2 * whole).div_ceil(transfer)
		);
		assert!(
			2 * whole <= u64::from(MAX_INPUTS) * transfer,
			"{whole} for all, {transfer}"
		);
	});
}
