//! Who has what in the end: what was said of jobs when they were bought, wallets, nodes and the chain's events say the same, to
//! the last planck.

use super::{
	asked_in,
	ledger::{Ledger, Line},
	treasury, Models, Said, CURATOR_FEE,
};
use anyhow::{ensure, Context, Result};
use codec::Decode;
use futures::future::try_join_all;
use highway_e2e_tests::{amount, key, Account};
use highway_primitives::{AskRole, Balance, EpochIndex, ModelId, NodeId, Role, Verdict};
use highway_runtime_api::types::Bill;
use highway_test_support::{market::key_of, Devnet, Node, Wallet};
use serde_json::{json, Value};
use sp_core::{
	crypto::{AccountId32, Ss58Codec},
	Pair,
};
use sp_crypto_hashing::{blake2_128, twox_128};
use std::collections::BTreeMap;

/// The id of bob's node.
const BOB: NodeId = 1;

/// Those who earn by bills alone: neither minted coins nor pay for judging comes to them.
const BY_BILLS_ALONE: [&str; 3] = ["//Maker", "//Deriver", "//Curator"];

/// Of a bill the protocol has one part in so many of all other lines but the premium, rounded up.
const PROTOCOL_PART: Balance = 20;

/// Bills of jobs that are over, with their models.
type Bills = Said;

/// Who claimed how much.
type Claims = BTreeMap<AccountId32, Balance>;

/// Everybody claims; then what was `said` of all jobs when they were bought, and what came of them as bills, splits, events and
/// claims, are held against one another.
pub async fn should_reconcile(devnet: &Devnet, models: Models, said: &Said) -> Result<()> {
	let node = devnet.node("alice");
	let account = Account::connect(node, "//Payer").await?;
	let treasury = treasury(said)?;
	let claims = everybody_claims(devnet, &treasury).await?;
	// All claims are final.
	let last = node.finalized_block().await?;
	let ledger = Ledger::read(node, last, &treasury).await?;

	let bills = bills_should_be_events(devnet, &ledger, said).await?;
	splits_should_be_sums_of_bills(devnet, models, &bills).await?;
	pay_should_be_lost_with_the_copy(&ledger, models, said)?;
	claims_should_be_what_was_said(devnet, &ledger, models, said, &claims)?;
	treasury_should_have_its_halves(node, &ledger, said, &treasury, last).await?;
	nothing_should_be_left_over(node, &ledger, last).await?;
	let of_curator = said.values().filter(|(model, _)| *model == models.derived).count();
	curator_should_be_known_by_its_jobs(node, of_curator).await?;
	nodes_should_count_their_jobs(devnet, &account, said).await
}

fn account_of(secret: &str) -> Result<AccountId32> {
	Ok(key(secret)?.public().into())
}

/// Who claimed how much. The treasury cannot sign: somebody else has it paid out.
async fn everybody_claims(devnet: &Devnet, treasury: &AccountId32) -> Result<Claims> {
	let node = devnet.node("alice");
	let operators = devnet.nodes.iter().map(|node| key_of(node.name()));
	let own = BY_BILLS_ALONE.iter().map(|secret| secret.to_string()).chain(operators);
	let claims = own.map(|secret| async move {
		let claimed = Wallet::new(node, &secret).run(&["--finalized", "claim"]).await?;
		anyhow::Ok((account_of(&secret)?, amount(&claimed["claimed"])?))
	});
	let address = treasury.to_ss58check();
	let words = ["--finalized", "claim", "--for", &address];
	let payer = Wallet::new(node, "//Payer");
	let (claims, for_treasury) = tokio::try_join!(try_join_all(claims), payer.run(&words))?;
	let mut claims: Claims = claims.into_iter().collect();
	claims.insert(treasury.clone(), amount(&for_treasury["claimed"])?);
	Ok(claims)
}

/// Every node and the wallet give the same bill, it is what was said, and what happened is what it says.
async fn bills_should_be_events(devnet: &Devnet, ledger: &Ledger, said: &Said) -> Result<Bills> {
	let wallet = Wallet::new(devnet.node("charlie"), "//Payer");
	let mut accounts = Vec::new();
	for node in &devnet.nodes {
		accounts.push(Account::connect(node, "//Payer").await?);
	}
	let mut bills = Bills::new();
	for (job, (model, foreseen)) in said {
		let views = try_join_all(accounts.iter().map(|account| account.client.bill(*job))).await?;
		let bill = views.first().cloned().flatten().context("the job has a bill")?;
		ensure!(
			views.iter().all(|view| view.as_ref() == Some(&bill)),
			"all nodes say the same: {views:?}"
		);
		let asked = accounts.first().context("there are nodes")?;
		let audit = asked.client.audit(*job).await?;
		let unaudited = audit.and_then(|audit| audit.verdict) == Some(Verdict::Unaudited);
		bill_should_be_what_was_said(&bill, foreseen, unaudited)?;
		let shown = wallet.run(&["bill", &job.to_string()]).await?;
		let wanted: Vec<_> = lines_of(&bill).map(in_words).collect();
		ensure!(
			shown["foreseen"] == false && lines_shown(&shown)? == wanted,
			"the wallet says it, too: {shown}, {bill:?}"
		);
		let paid: Balance = bill.lines.iter().map(|line| line.amount).sum();
		ensure!(
			paid + bill.refunded == bill.price,
			"what was paid in goes out: {bill:?}"
		);
		let mut lines: Vec<Line> = lines_of(&bill).collect();
		lines.sort();
		ensure!(
			ledger.lines.get(job) == Some(&lines),
			"it happened so: {bill:?}, {:?}",
			ledger.lines.get(job)
		);
		let burned = bill
			.lines
			.iter()
			.filter(|line| line.role == Role::Protocol && line.payee.is_none());
		let burned: Balance = burned.map(|line| line.amount).sum();
		let executor = bill.lines.iter().find(|line| line.role == Role::Compute);
		let executor = executor
			.and_then(|line| line.payee.clone())
			.context("somebody did it")?;
		ensure!(
			ledger.subsidies.get(job) == Some(&(executor, burned / 2)),
			"who did it has half of what it burned: {bill:?}, {:?}",
			ledger.subsidies.get(job)
		);
		bills.insert(*job, (*model, bill));
	}
	ensure!(
		ledger.lines.len() == bills.len(),
		"nobody else pays: {:?}",
		ledger.lines.keys()
	);
	Ok(bills)
}

/// But for the premium where nobody could be found to judge, which the payer has back.
fn bill_should_be_what_was_said(bill: &Bill<AccountId32>, said: &Bill<AccountId32>, unaudited: bool) -> Result<()> {
	let mut lines = said.lines.clone();
	lines.retain(|line| !unaudited || line.role != Role::Auditor);
	ensure!(
		(bill.price, bill.epoch, &bill.lines) == (said.price, said.epoch, &lines),
		"what was said when it was bought is paid: {said:?}, {bill:?}"
	);
	Ok(())
}

fn lines_of(bill: &Bill<AccountId32>) -> impl Iterator<Item = Line> + '_ {
	let lines = bill.lines.iter();
	lines.map(|line| (line.role, line.payee.clone(), line.amount))
}

fn in_words((role, payee, amount): Line) -> (String, Option<String>, Balance) {
	(format!("{role:?}"), payee.map(|payee| payee.to_ss58check()), amount)
}

/// The lines that the wallet shows.
fn lines_shown(bill: &Value) -> Result<Vec<(String, Option<String>, Balance)>> {
	let lines = bill["lines"].as_array().context("a bill has lines")?;
	let mut shown = Vec::new();
	for line in lines {
		let role = line["role"].as_str().context("a line has a role")?;
		let payee = line["payee"].as_str().map(str::to_owned);
		shown.push((role.to_owned(), payee, amount(&line["amount"])?));
	}
	Ok(shown)
}

/// Of each epoch, for all nodes and the wallet; and when the cheapest had left the split has moved.
async fn splits_should_be_sums_of_bills(devnet: &Devnet, models: Models, bills: &Bills) -> Result<()> {
	let mut epochs: BTreeMap<(ModelId, EpochIndex), Vec<&Bill<AccountId32>>> = BTreeMap::new();
	for (model, bill) in bills.values() {
		epochs.entry((*model, bill.epoch)).or_default().push(bill);
	}
	let wallet = Wallet::new(devnet.node("bob"), "//Payer");
	let mut shares = Vec::new();
	for ((model, epoch), bills) in epochs {
		let mut sums = BTreeMap::<Role, Balance>::new();
		for line in bills.iter().flat_map(|bill| &bill.lines) {
			*sums.entry(line.role).or_default() += line.amount;
		}
		let total: Balance = sums.values().sum();
		let lines: Vec<_> = sums.iter().map(|(role, amount)| (*role, *amount)).collect();
		for node in &devnet.nodes {
			let account = Account::connect(node, "//Payer").await?;
			let split = account.client.split(model, epoch).await?;
			let split = split.with_context(|| format!("jobs of epoch {epoch} are settled"))?;
			ensure!(
				split.lines == lines && split.total == total && split.jobs as usize == bills.len(),
				"{}: the split is the sum of the bills: {split:?}, {lines:?}",
				node.name()
			);
		}
		let words = ["market", "split", &model.to_string(), "--epoch", &epoch.to_string()];
		let shown = wallet.run(&words).await?;
		let mut said = Vec::new();
		for line in shown["lines"].as_array().context("a split has lines")? {
			said.push((
				line["role"].as_str().unwrap_or_default().to_owned(),
				amount(&line["amount"])?,
			));
		}
		let wanted: Vec<_> = lines
			.iter()
			.map(|(role, amount)| (format!("{role:?}"), *amount))
			.collect();
		ensure!(
			said == wanted && amount(&shown["total"])? == total,
			"the wallet says it, too: {shown}, {lines:?}"
		);
		if model == models.derived {
			shares.push((sums.get(&Role::Compute).copied().unwrap_or_default(), total));
		}
	}
	// The first epoch had one job, at what was asked before everybody asked what it costs.
	let [_, (before, of_before), (after, of_after), ..] = shares[..] else {
		anyhow::bail!("there were jobs in three epochs: {shares:?}")
	};
	ensure!(
		before * of_after < after * of_before,
		"compute has more of it when the cheapest has left: {shares:?}"
	);
	Ok(())
}

/// The line of the job went where lost pay goes, and no other did.
fn pay_should_be_lost_with_the_copy(ledger: &Ledger, models: Models, said: &Said) -> Result<()> {
	let bob = account_of(&key_of("bob"))?;
	let stored = stored_by(said, models.lost, &bob);
	ensure!(
		stored > 0 && ledger.forfeited == BTreeMap::from([((models.lost, BOB), stored)]),
		"{stored} were to be lost: {:?}",
		ledger.forfeited
	);
	// With a second challenge in a row that it misses, if there is time for one. Everybody else reveals what it has committed to.
	ensure!(
		ledger
			.lost_asks
			.iter()
			.all(|lost| *lost == (models.lost, AskRole::Storage, BOB)),
		"nobody else loses an ask: {:?}",
		ledger.lost_asks
	);
	Ok(())
}

/// What was said to be this account's, of all lines in roles that are `wanted`.
fn said_for(said: &Said, account: &AccountId32, wanted: impl Fn(Role) -> bool) -> Balance {
	let lines = said.values().flat_map(|(_, bill)| &bill.lines);
	let own = lines.filter(|line| line.payee.as_ref() == Some(account) && wanted(line.role));
	own.map(|line| line.amount).sum()
}

/// What was said to be this account's for storing one model.
fn stored_by(said: &Said, model: ModelId, account: &AccountId32) -> Balance {
	let bills = said.values().filter(|(of, _)| *of == model);
	let lines = bills.flat_map(|(_, bill)| &bill.lines);
	let own = lines.filter(|line| line.role == Role::Storage && line.payee.as_ref() == Some(account));
	own.map(|line| line.amount).sum()
}

/// Makers, parents, curator: their lines. Operators: theirs, what was minted and what judging paid, but for what was lost.
fn claims_should_be_what_was_said(
	devnet: &Devnet,
	ledger: &Ledger,
	models: Models,
	said: &Said,
	claims: &Claims,
) -> Result<()> {
	for (account, claimed) in claims {
		ensure!(
			ledger.claimed.get(account).copied().unwrap_or_default() == *claimed,
			"{account} has claimed {claimed}: {:?}",
			ledger.claimed
		);
	}
	let claimed_by = |account: &AccountId32| claims.get(account).copied().unwrap_or_default();
	for secret in BY_BILLS_ALONE {
		let account = account_of(secret)?;
		let (claimed, wanted) = (claimed_by(&account), said_for(said, &account, |_| true));
		ensure!(
			claimed > 0 && claimed == wanted,
			"{secret} claimed {claimed}, and was to have {wanted}"
		);
	}
	for (id, node) in (0..).zip(&devnet.nodes) {
		let account = account_of(&key_of(node.name()))?;
		let minted = ledger.subsidies.values().filter(|(payee, _)| *payee == account);
		let minted: Balance = minted.map(|(_, amount)| amount).sum();
		let judged = ledger.judged.get(&account).copied().unwrap_or_default();
		let worked = said_for(said, &account, |role| role != Role::Storage) + minted + judged;
		let stored = said_for(said, &account, |role| role == Role::Storage);
		let lost = ledger.forfeited.iter().filter(|((_, node), _)| *node == id);
		let lost: Balance = lost.map(|(_, amount)| amount).sum();
		let proved = ledger.proved.iter().filter(|((_, payee), _)| *payee == account);
		let proved: Balance = proved.map(|(_, amount)| amount).sum();
		let claimed = claimed_by(&account);
		ensure!(
			claimed == worked + proved && stored == proved + lost,
			"{} claimed {claimed}, and worked for {worked}, {minted} of it minted, {judged} for judging; of {stored} for \
			 storing {proved} were proved, and {lost} lost",
			node.name()
		);
	}
	// He alone stores the derived model, and nobody buys of the other one that he stores.
	let charlie = account_of(&key_of("charlie"))?;
	let stored = stored_by(said, models.derived, &charlie);
	ensure!(
		stored > 0 && ledger.proved == BTreeMap::from([((models.derived, charlie), stored)]),
		"{stored} were said to be charlie's for storing, and nobody else's: {:?}",
		ledger.proved
	);
	Ok(())
}

/// The treasury has more than at the start, claimed or not, by the larger half of the protocol's part of each job, as it was
/// said, and of what somebody lost or paid for a place; and by nothing else.
async fn treasury_should_have_its_halves(
	node: &Node,
	ledger: &Ledger,
	said: &Said,
	treasury: &AccountId32,
	last: u64,
) -> Result<()> {
	let mut wanted: Balance = 0;
	for (_, bill) in said.values() {
		let (mut others, mut fee, mut kept): (Balance, Balance, Balance) = (0, 0, 0);
		for line in &bill.lines {
			match line.role {
				Role::Protocol => fee += line.amount,
				// The premium is nobody's income: no fee is taken of it.
				Role::Auditor => {}
				_ => others += line.amount,
			}
			if line.payee.as_ref() == Some(treasury) {
				kept += line.amount;
			}
		}
		ensure!(
			fee == others.div_ceil(PROTOCOL_PART) && kept == fee - fee / 2,
			"of {others} the protocol has {fee}, and the treasury {kept} of that: {bill:?}"
		);
		wanted += kept;
	}
	for (amount, burned) in &ledger.halved {
		ensure!(*burned == amount / 2, "half of it is burned: {:?}", ledger.halved);
		wanted += amount - burned;
	}
	let (first, last) = (hash_of(node, 0).await?, hash_of(node, last).await?);
	let before = free_in(node, &first, treasury).await?;
	let after = free_in(node, &last, treasury).await?;
	let claimable: Balance = asked_in(node, &last, "MarketApi_claimable", treasury).await?;
	ensure!(
		after + claimable == before + wanted,
		"the treasury had {before}, has {after} and may claim {claimable}, and was to have {wanted} more: {:?}",
		ledger.halved
	);
	Ok(())
}

/// The hash of the block with this number.
async fn hash_of(node: &Node, block: u64) -> Result<Value> {
	node.rpc("chain_getBlockHash", json!([block])).await
}

/// What an account that exists could use in a block.
async fn free_in(node: &Node, block: &Value, account: &AccountId32) -> Result<Balance> {
	let mut key = [twox_128(b"System"), twox_128(b"Account")].concat();
	key.extend(blake2_128(account.as_ref()));
	key.extend::<&[u8]>(account.as_ref());
	let key = format!("0x{}", hex::encode(key));
	let stored = node.rpc("state_getStorage", json!([key, block])).await?;
	let stored = stored.as_str().context("the account exists")?;
	let bytes = hex::decode(stored.trim_start_matches("0x"))?;
	// Nonce and three reference counts, then what is free.
	let (_, free) = <((u32, u32, u32, u32), Balance)>::decode(&mut bytes.as_slice())?;
	Ok(free)
}

/// Whoever earned anything has claimed it, or may still, all at one block.
async fn nothing_should_be_left_over(node: &Node, ledger: &Ledger, last: u64) -> Result<()> {
	let block = hash_of(node, last).await?;
	for (account, earned) in &ledger.earned {
		let claimable: Balance = asked_in(node, &block, "MarketApi_claimable", account).await?;
		let claimed = ledger.claimed.get(account).copied().unwrap_or_default();
		ensure!(
			claimed + claimable == *earned,
			"{account} has earned {earned}, claimed {claimed} and may claim {claimable}"
		);
	}
	Ok(())
}

/// All jobs but the last one named it; that one it paid for itself.
async fn curator_should_be_known_by_its_jobs(node: &Node, jobs: usize) -> Result<()> {
	let named = jobs - 1;
	let earned = CURATOR_FEE * named as Balance;
	let wallet = Wallet::new(node, "//Payer");
	let shown = wallet.run(&["curator", "show", "//Curator"]).await?;
	ensure!(
		shown["jobs"] == named && amount(&shown["earned"])? == earned,
		"it is known by what it did: {shown}"
	);
	Ok(())
}

/// What each node has attested, by its own count, is what the chain says that it did.
async fn nodes_should_count_their_jobs(devnet: &Devnet, account: &Account, said: &Said) -> Result<()> {
	let mut done = BTreeMap::<NodeId, u32>::new();
	for job in said.keys() {
		let info = account.client.job(*job).await?.context("the job is on record")?;
		*done.entry(info.executor.context("somebody did it")?).or_default() += 1;
	}
	for (id, node) in (0..).zip(&devnet.nodes) {
		let counted = node.metric("highway_jobs_total", &["outcome=\"attested\""]).await?;
		let wanted = done.get(&id).copied().unwrap_or_default();
		ensure!(
			counted == f64::from(wanted),
			"{} counts {counted} jobs, the chain {wanted}",
			node.name()
		);
	}
	Ok(())
}
