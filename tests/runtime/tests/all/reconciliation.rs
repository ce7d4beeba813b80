//! A whole epoch's money, to the last unit: what payers paid is what the split says, what everybody can claim, what waits
//! for audits, and what burned, less what was minted for it.

use highway_primitives::{
	market::BillLine, model::DerivativeTerms, AskRole, Balance, JobId, JobPhase, ModelId, Role, Tier, AIC,
};
use highway_runtime::{
	constants::EXISTENTIAL_DEPOSIT, AccountId, Balances, Block, RevenueSplit, Runtime, RuntimeEvent,
};
use highway_runtime_api::{runtime_decl_for_market_api::MarketApi, types::SplitInfo};
use highway_runtime_tests::{
	curator_call, invariants::free, register_call, spec, submit_tier_call, treasury, Chain, MILLI,
};
use pallet_inference_jobs::NextJobId;
use pallet_revenue_split::{Books, Call as Split, Event};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie, One};
use sp_runtime::Perbill;
use std::collections::BTreeMap;

/// Payees and their sums.
type Sums = BTreeMap<AccountId, Balance>;

fn add(sums: &mut Sums, who: AccountId, amount: Balance) {
	*sums.entry(who).or_default() += amount;
}

/// A model of Ferdie's that derives from one of Dave's. All three operators run it, two store it, and One has chosen it.
fn derived_model(chain: &mut Chain) -> ModelId {
	let endow = pallet_balances::Call::<Runtime>::transfer_keep_alive {
		dest: One.to_account_id().into(),
		value: 100 * AIC,
	};
	chain.ok(Dave, endow);
	chain.ok(One, curator_call(3 * MILLI + 1));
	let terms = Some(DerivativeTerms {
		share: Perbill::from_percent(33),
		floor: 1,
	});
	let root = chain.register(Dave, register_call("root", spec("root"), None, terms, MILLI));
	let model = chain.register(
		Ferdie,
		register_call("derived", spec("derived"), Some(root), None, 2 * MILLI + 7),
	);
	let operators = [Alice, Bob, Charlie];
	chain.host(model, &operators);
	// Odd amounts: every division leaves something over.
	let compute = operators.map(|operator| (operator, AskRole::Compute, 10 * MILLI + 13));
	let storage = [Alice, Bob].map(|operator| (operator, AskRole::Storage, MILLI + 3));
	chain.open_market(model, &[&compute[..], &storage[..]].concat());
	model
}

fn bills(jobs: &[JobId]) -> Vec<BillLine<AccountId>> {
	let bill = |job: &JobId| <Runtime as MarketApi<Block, AccountId>>::explain_split(*job).expect("it is kept");
	jobs.iter().flat_map(|job| bill(job).lines).collect()
}

/// The lines by role, as `MarketApi::split` gives them.
fn by_role(lines: &[BillLine<AccountId>]) -> Vec<(Role, Balance)> {
	let of = |role: Role| -> Balance {
		let lines = lines.iter().filter(|line| line.role == role);
		lines.map(|line| line.amount).sum()
	};
	let sums = Role::ALL.map(|role| (role, of(role))).into_iter();
	sums.filter(|(_, sum)| *sum > 0).collect()
}

/// What the events since the `from`th say: burned; minted for executors, by payee; paid for judging, by payee.
fn happened(chain: &Chain, from: usize) -> (Balance, Sums, Sums) {
	let (mut burned, mut subsidies, mut judges) = (0, Sums::new(), Sums::new());
	for event in chain.events().into_iter().skip(from) {
		match event {
			RuntimeEvent::RevenueSplit(Event::Burned { amount, .. }) => burned += amount,
			RuntimeEvent::RevenueSplit(Event::Subsidised { payee, amount, .. }) => add(&mut subsidies, payee, amount),
			RuntimeEvent::RevenueSplit(Event::Paid {
				role: Role::Auditor,
				payee,
				amount,
				..
			}) => add(&mut judges, payee, amount),
			_ => (),
		}
	}
	(burned, subsidies, judges)
}

/// Jobs of one epoch: alone and in quorums, with and without a curator, of two payers.
fn jobs_of_an_epoch(chain: &mut Chain, model: ModelId) -> Vec<JobId> {
	let curator = || Some(One.to_account_id());
	let start = NextJobId::<Runtime>::get();
	for (payer, curator, tier) in [
		(Eve, None, Tier::Spot),
		(Eve, curator(), Tier::Spot),
		(Dave, curator(), Tier::Quorum(3)),
		(Eve, None, Tier::Quorum(2)),
		// Who names itself pays no curator.
		(One, curator(), Tier::Spot),
		(Dave, curator(), Tier::Spot),
	] {
		chain.ok(payer, submit_tier_call(model, curator, tier));
	}
	let jobs = (start..NextJobId::<Runtime>::get()).collect::<Vec<_>>();
	for job in &jobs {
		chain.attest(*job);
	}
	jobs
}

#[test]
fn an_epochs_bills_should_be_its_split_and_all_that_is_claimed_burned_or_put_aside() {
	Chain::local(|chain| {
		let model = derived_model(chain);
		let epoch = RevenueSplit::current_epoch();
		let minted = pallet_node_staking::Minted::<Runtime>::get;
		let (issuance, rewards, from) = (Balances::total_issuance(), minted(), chain.events().len());
		assert_eq!(
			(RevenueSplit::earnings().len(), Books::<Runtime>::get().audit_pot),
			(0, 0)
		);
		let payers = [Eve, Dave, One];
		let funds = payers.map(|payer| chain.funds(payer)).iter().sum::<Balance>();

		let jobs = jobs_of_an_epoch(chain, model);
		assert_eq!(jobs.len(), 9);
		assert!(jobs.iter().all(|job| chain.job(*job).deal.epoch == epoch));
		for job in &jobs {
			chain.finish(*job);
			assert_eq!(chain.job(*job).phase(), JobPhase::Settled);
		}
		for operator in [Alice, Bob] {
			chain.until_storage_is_settled(operator, model);
		}
		assert_eq!(Books::<Runtime>::get().storage_pay, 0);

		// Payers, bills and the split agree.
		let lines = bills(&jobs);
		let split: SplitInfo = <Runtime as MarketApi<Block, AccountId>>::split(model, epoch).expect("jobs are settled");
		let total: Balance = lines.iter().map(|line| line.amount).sum();
		assert_eq!((split.jobs, split.units, split.total), (9, 9, total));
		assert_eq!(split.lines, by_role(&lines));
		let left = payers.map(|payer| chain.funds(payer)).iter().sum::<Balance>();
		assert_eq!(funds - left, total, "what was paid and not given back");

		// So do all who are paid.
		let (burned, subsidies, judges) = happened(chain, from);
		let mut payees = Sums::new();
		for BillLine { payee, amount, .. } in &lines {
			if let Some(payee) = payee {
				add(&mut payees, payee.clone(), *amount);
			}
		}
		for (payee, amount) in subsidies.iter().chain(&judges) {
			add(&mut payees, payee.clone(), *amount);
		}
		assert_eq!(RevenueSplit::earnings().into_iter().collect::<Sums>(), payees);
		for who in [Alice, Bob, Dave, Ferdie, One]
			.map(|who| who.to_account_id())
			.into_iter()
			.chain([treasury()])
		{
			let claimable = <Runtime as MarketApi<Block, AccountId>>::earnings(who.clone()).claimable;
			assert!(claimable > 0 && Some(&claimable) == payees.get(&who), "{who}");
		}

		// Nothing is left over, and nothing came from nowhere.
		let sum = |sums: &Sums| sums.values().sum::<Balance>();
		let (claimable, subsidy, put_aside) = (sum(&payees), sum(&subsidies), Books::<Runtime>::get().audit_pot);
		assert_eq!(total, claimable + put_aside + burned - subsidy);
		assert_eq!(
			Balances::total_issuance(),
			issuance + (minted() - rewards) + subsidy - burned
		);
		assert!(subsidy > 0 && subsidy <= burned / 2 && subsidy + jobs.len() as Balance > burned / 2);
		let premiums = lines.iter().filter(|line| line.role == Role::Auditor);
		assert_eq!(
			put_aside + sum(&judges),
			premiums.map(|line| line.amount).sum::<Balance>()
		);

		pay_out(chain, &payees);
		assert_eq!(free(&RevenueSplit::pot_account()), EXISTENTIAL_DEPOSIT + put_aside);
	});
}

/// Everybody claims; the treasury cannot, so somebody does it for it. Accounts say less than the pot: authors get fees.
fn pay_out(chain: &mut Chain, payees: &Sums) {
	let pot = || free(&RevenueSplit::pot_account());
	// What a block does by itself is done before the first claim.
	chain.open();
	for (account, amount) in payees {
		let before = pot();
		let account = account.clone();
		match Sr25519Keyring::from_account_id(&account) {
			Some(who) => chain.ok(who, Split::claim {}),
			None => {
				assert_eq!(account, treasury());
				let account = account.clone();
				chain.ok(Eve, Split::claim_for { account });
			}
		}
		assert_eq!(pot(), before - amount);
		let claimed = RuntimeEvent::RevenueSplit(Event::Claimed {
			account,
			amount: *amount,
		});
		assert!(chain.events().contains(&claimed), "{claimed:?}");
	}
	chain.close();
	assert!(RevenueSplit::earnings().is_empty());
}

#[test]
fn a_job_that_is_not_done_should_be_in_no_split() {
	Chain::local(|chain| {
		let model = derived_model(chain);
		let epoch = RevenueSplit::current_epoch();
		let funds = chain.funds(Eve);
		let (done, undone) = (chain.submit(Eve, model), chain.submit(Eve, model));
		chain.attest(done);
		while chain.job(undone).phase() == JobPhase::Assigned {
			chain.pass_due(undone);
		}
		chain.finish(done);
		assert_eq!(chain.job(undone).phase(), JobPhase::Refunded);
		let lines = bills(&[done]);
		let split = <Runtime as MarketApi<Block, AccountId>>::split(model, epoch).expect("one is settled");
		assert_eq!((split.jobs, split.lines), (1, by_role(&lines)));
		assert!(bills(&[undone]).is_empty());
		assert_eq!(chain.funds(Eve), funds - split.total);
	});
}
