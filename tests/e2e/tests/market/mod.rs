//! The market with real nodes: four operators with different asks, one of whose nodes bids by itself; prices, an ask that
//! follows the load, proofs of storage, a featured place, and who has every planck of what was paid.
//!
//! ```text
//! epoch   what is bid for the next one                            what is bought
//! 1       alice, bob and charlie: 0.08; dave's node by itself:
//!         0.04, killed between its commitment and its reveal
//! 2       alice 0.01, bob 0.02, charlie 0.03                      one job, at 0.08, what one of the three asks, who has no
//!                                                                 place: with that job it is the reserve
//! 3       alice withdraws                                         at 0.04, what dave, who has no place, asks
//! 4                                                               at the reserve, a step lower by then: nobody is without a
//!                                                                 place
//! ```
//!
//! Meanwhile bob's only copy of another model is deleted, and its pay with the next challenge; dave's node has a third model
//! from charlie's, the only one that stores it; and a fourth one, dave's alone, gets dearer with its first job.

mod accounts;
mod ledger;

use anyhow::{ensure, Context, Result};
use codec::{Decode, Encode};
use futures::future::try_join_all;
use highway_e2e_tests::{amount, identity_input, key, put_blob, Account};
use highway_primitives::{market::MarketPhase, AskRole, Balance, JobId, JobPhase, ModelId, Role, AIC};
use highway_runtime_api::types::{AskInfo, AskTask, Bill, MarketInfo, NodeInfo};
use highway_test_support::{
	hostile_models,
	market::{self, key_of},
	offer, until, Devnet, Node, Seller, Setup, Wallet,
};
use highway_wallet::{
	client::{calls, Wait},
	decimal,
};
use serde_json::{json, Value};
use sp_core::{crypto::AccountId32, Pair};
use std::{collections::BTreeMap, fs, time::Duration};

/// Operators, in the order of their nodes' ids, and what they ask for a unit.
const OPERATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];
const ASKS: [Balance; 4] = [AIC / 100, AIC / 50, AIC * 3 / 100, AIC / 25];

/// What three of them ask at first: the price of the first clearing, and so a reserve above all of it.
const FIRST_ASK: Balance = 2 * ASKS[3];

/// What charlie asks for storing a started MiB, half of what he asks at first.
const STORAGE_ASK: Balance = AIC / 500;

/// What dave's node asks by itself: just that, whatever it has to do; and for the model that it alone runs as [`BUSY_ASKS`]
/// says. It wants no slot busy with that one, so any job raises the ask, by all of itself: up to the ceiling, in however many
/// epochs the job is seen. Without one it has as much to do as it wants, and the ask stays.
const DAVES_BIDS: &str = r#"
[[bid]]
model = "*"
role = "compute"
floor = "0.04 AIC"
ceiling = "0.04 AIC"

[[bid]]
model = "//Guest/busy"
role = "compute"
floor = "0.02 AIC"
ceiling = "0.03 AIC"
target = 0.0
step = 1.0
"#;

/// Floor and ceiling of what dave's node asks for the model that it alone runs.
const BUSY_ASKS: [Balance; 2] = [AIC / 50, AIC * 3 / 100];

/// Royalty of the derived model; the share of it that its parent's terms ask for is below their floor.
const ROYALTY: &str = "0.05";
const TERMS: &str = "10%:0.02";

/// What the curator asks for each job.
const CURATOR_FEE: Balance = AIC / 200;

/// The most that a job may cost.
const MAX_PRICE: Balance = AIC;

/// Bytes of the comment in the model that is served: no other blob of this scene is nearly as large.
const LARGE: usize = 256 * 1024;

/// How long one block's change may take.
const SOON: Duration = Duration::from_secs(30);

/// How long it may be until something happens that comes once in a market epoch, or two.
const EPOCHS: Duration = Duration::from_secs(120);

/// How often a bidder is killed until it was in time.
const KILLS: usize = 3;

/// How long a job may take from its submission to its pay, an audit included.
const SETTLED_WITHIN: Duration = Duration::from_secs(240);

/// How long a challenge may let wait for it, and for its end: each model has one in an epoch, in the middle.
const CHALLENGED_WITHIN: Duration = Duration::from_secs(480);

#[tokio::test]
async fn prices_and_every_claim_should_be_what_asks_and_bills_say() -> Result<()> {
	// Every block's events are read in the end; by itself a node keeps the state of 256 blocks.
	let mut setup = Setup::of(&OPERATORS)
		.bidding("dave", DAVES_BIDS)
		.with(&["--state-pruning", "archive"]);
	for secret in [
		"//Maker",
		"//Deriver",
		"//Curator",
		"//Payer",
		"//Patron",
		"//Host",
		"//Guest",
	] {
		setup = setup.paying(secret);
	}
	Devnet::run_setup(setup, async |devnet| {
		let (models, ()) = {
			let devnet = &*devnet;
			tokio::try_join!(Models::register(devnet), a_curator_should_post_its_fee(devnet))?
		};
		asks_should_be_made_by_operators_and_by_a_node_that_is_killed(devnet, models).await?;
		let devnet = &*devnet;
		let (mut said, lost, busy) = tokio::try_join!(
			prices_should_follow_asks(devnet, models),
			a_lost_copy_should_lose_its_pay(devnet, models),
			daves_node_should_have_more_to_do(devnet, models),
		)?;
		said.extend(lost);
		said.extend(busy);
		proofs_should_be_paid(devnet).await?;
		accounts::should_reconcile(devnet, models, &said).await
	})
	.await
}

/// Models of this scene.
#[derive(Clone, Copy)]
struct Models {
	/// Everybody's, with a parent whose maker is another one.
	derived: ModelId,
	/// Bob's alone.
	lost: ModelId,
	/// Charlie's alone, until he serves it to another node.
	served: ModelId,
	/// Dave's alone.
	busy: ModelId,
}

impl Models {
	async fn register(devnet: &Devnet) -> Result<Self> {
		let large = "served".repeat(LARGE / "served".len());
		let (derived, lost, served, busy) = tokio::try_join!(
			async {
				let terms = ["--royalty", "0.1", "--terms", TERMS];
				add(devnet, "alice", "//Maker", "base", "base", &terms).await?;
				let parent = ["--royalty", ROYALTY, "--parent", "//Maker/base"];
				add(devnet, "alice", "//Deriver", "derived", "derived", &parent).await
			},
			// No other node has their files.
			add(devnet, "bob", "//Patron", "lost", "lost", &[]),
			add(devnet, "charlie", "//Host", "served", &large, &[]),
			add(devnet, "dave", "//Guest", "busy", "busy", &[]),
		)?;
		Ok(Self {
			derived,
			lost,
			served,
			busy,
		})
	}
}

/// What was said of jobs in the blocks of their submissions: their models and their bills.
type Said = BTreeMap<JobId, (ModelId, Bill<AccountId32>)>;

/// What is said of these jobs of a model in the block of their submission, in which nobody has done anything for them.
async fn said_in(node: &Node, block: &Value, model: ModelId, jobs: &[JobId]) -> Result<Said> {
	let mut said = Said::new();
	for job in jobs {
		let bill: Option<Bill<AccountId32>> = asked_in(node, block, "MarketApi_explain_split", job).await?;
		let bill = bill.context("the job has a bill")?;
		ensure!(bill.phase == JobPhase::Assigned, "nobody is paid yet: {bill:?}");
		said.insert(*job, (model, bill));
	}
	Ok(said)
}

/// The answer of a runtime API in the state of a block, however long ago that is.
async fn asked_in<Answer: Decode>(node: &Node, block: &Value, method: &str, argument: impl Encode) -> Result<Answer> {
	let argument = format!("0x{}", hex::encode(argument.encode()));
	let answer = node.rpc("state_call", json!([method, argument, block])).await?;
	let bytes = hex::decode(answer.as_str().context("an answer is hex")?.trim_start_matches("0x"))?;
	Ok(Answer::decode(&mut bytes.as_slice())?)
}

async fn add(devnet: &Devnet, node: &str, maker: &str, name: &str, comment: &str, more: &[&str]) -> Result<ModelId> {
	let file = devnet.scratch().join(format!("{name}.onnx"));
	fs::write(&file, hostile_models::commented(&hostile_models::identity(), comment))?;
	let file = file.to_str().context("UTF-8")?;
	let words = [
		"model",
		"add",
		file,
		"--name",
		name,
		"--licence",
		"MIT",
		"--unit-time-ms",
		"200",
	];
	let words: Vec<_> = words.iter().chain(more).map(|word| word.to_string()).collect();
	let maker = Wallet::new(devnet.node(node), maker);
	Ok(ModelId::try_from(market::add_model(&maker, &words).await?)?)
}

/// What the chain knows of the node of this operator.
async fn node_of(account: &Account, name: &str) -> Result<NodeInfo<AccountId32>> {
	let operator = key(&key_of(name))?.public().into();
	let node = account.client.node_of(&operator).await?;
	node.with_context(|| format!("{name} operates a node"))
}

async fn market_of(account: &Account, model: ModelId) -> Result<MarketInfo> {
	account.client.market(model).await?.context("the model has a market")
}

/// A wallet that keeps its bids among this test's files.
fn wallet(devnet: &Devnet, name: &str) -> Wallet {
	let keys = devnet.scratch().join("keys");
	Wallet::new(devnet.node(name), &key_of(name)).with("HIGHWAY_KEYSTORE", keys.display().to_string())
}

/// The first round.
async fn asks_should_be_made_by_operators_and_by_a_node_that_is_killed(
	devnet: &mut Devnet,
	models: Models,
) -> Result<()> {
	let Models {
		derived, lost, served, ..
	} = models;
	let watcher = Account::connect(devnet.node("alice"), "//Alice").await?;
	let seller = |name: &str| Seller::new(devnet.node(name), &key_of(name)).computing(derived, FIRST_ASK);
	let sellers = [
		seller("alice"),
		seller("bob").computing(lost, ASKS[1]).storing(lost, STORAGE_ASK),
		seller("charlie")
			.storing(derived, 2 * STORAGE_ASK)
			.computing(served, ASKS[2])
			.storing(served, STORAGE_ASK),
	];
	// What its node hosts by the end of an epoch it bids for in the first blocks of the next one. So, if it is killed then, it
	// has nearly all of that epoch to start anew.
	until("the end of a market epoch", EPOCHS, || async {
		let market = market_of(&watcher, derived).await?;
		Ok((market.phase == MarketPhase::Reveal).then_some(()))
	})
	.await?;
	tokio::try_join!(
		offer(&sellers),
		a_killed_bidder_should_reveal(devnet, &watcher, derived)
	)?;
	Ok(())
}

/// What the worker of a node may say of its compute of the model, as the watcher's node knows it.
async fn compute_task(watcher: &Account, node: &NodeInfo<AccountId32>, model: ModelId) -> Result<Option<AskTask>> {
	let tasks = watcher.client.ask_tasks(&node.worker).await?;
	let mut tasks = tasks.into_iter();
	Ok(tasks.find(|task| task.model == model && task.role == AskRole::Compute))
}

/// `kill -9` between commitment and reveal: what was committed to is revealed all the same.
async fn a_killed_bidder_should_reveal(devnet: &mut Devnet, watcher: &Account, model: ModelId) -> Result<()> {
	let operator = wallet(devnet, "dave");
	let id = model.to_string();
	operator.run(&["node", "host", &id]).await?;
	let node = node_of(watcher, "dave").await?;
	let asked = || async {
		let market = market_of(watcher, model).await?;
		let mut asks = market.roles.into_iter().flat_map(|role| role.asks);
		anyhow::Ok(asks.find(|ask| ask.node == node.id))
	};
	let mut killed = None;
	for _ in 0..KILLS {
		let committed = until("a commitment that a node makes by itself", EPOCHS, || async {
			let task = compute_task(watcher, &node, model).await?;
			let task = task.filter(|task| task.phase == MarketPhase::Commit);
			Ok(task.and_then(|task| match (task.committed, task.standing) {
				(Some(_), None) => Some(Some(task)),
				(None, None) => None,
				// That was an epoch ago, and it stands.
				(_, Some(_)) => Some(None),
			}))
		})
		.await?;
		if let Some(task) = committed {
			devnet.node_mut("dave").kill()?;
			// While nobody may reveal yet, nothing that does is on its way: if it is sealed now, it was the node that is started
			// anew that revealed it.
			let left = compute_task(watcher, &node, model).await?;
			let is_sealed =
				left.is_some_and(|left| left.phase == MarketPhase::Commit && left.committed == task.committed);
			devnet.node_mut("dave").resume().await?;
			if is_sealed {
				killed = Some(task);
				break;
			}
		}
		// Too late for this one. Without what stands it bids anew.
		until("an ask that was not to be revealed yet", EPOCHS, asked).await?;
		operator.run(&["bid", &id, "--withdraw=compute"]).await?;
	}
	let task = killed.context("a node is killed between its commitment and its reveal")?;
	let ask = until("what it has committed to before it was killed", EPOCHS, asked).await?;
	ensure!(
		ask.price == ASKS[3] && ask.from == task.epoch,
		"it asks what its file says, from the next epoch on: {ask:?}"
	);
	// The worker counts it as its epoch begins, when it is clear that it stands.
	until("a revealed bid among the metrics", EPOCHS, || async {
		let revealed = devnet
			.node("dave")
			.metric("highway_bids_total", &["outcome=\"revealed\""])
			.await?;
		Ok((revealed >= 1.0).then_some(()))
	})
	.await
}

/// What payers pay who name it.
async fn a_curator_should_post_its_fee(devnet: &Devnet) -> Result<()> {
	let fee = decimal(CURATOR_FEE);
	let profile = ["curator", "set", "--fee", &fee, "--name", "Good models"];
	let curator = Wallet::new(devnet.node("alice"), "//Curator");
	curator.run(&profile).await.map(drop)
}

/// The reserve one epoch of few jobs later, above all that anybody asks who has a place.
fn fallen(reserve: Balance) -> Balance {
	reserve - reserve / 512
}

/// Price and reserve of compute, as the wallet shows them.
async fn price_and_reserve(wallet: &Wallet, id: &str) -> Result<(Balance, Balance)> {
	let shown = wallet.run(&["market", "show", id]).await?;
	let compute = &shown["roles"][0];
	Ok((amount(&compute["price"])?, amount(&compute["reserve"])?))
}

/// Buys a job at what is asked at first, lets everybody ask what it costs, and buys twice more: before and after the cheapest
/// leaves. Returns what was said of the jobs.
async fn prices_should_follow_asks(devnet: &Devnet, models: Models) -> Result<Said> {
	let id = models.derived.to_string();
	let payer = Wallet::new(devnet.node("alice"), "//Payer");
	let (early, ()) = tokio::try_join!(
		a_first_job_should_make_a_reserve(devnet, models.derived),
		everybody_should_ask_what_it_costs(devnet, &id),
	)?;
	let quote = ["quote", &id, "--size", "100", "--curator", "//Curator"];
	let quoted = payer.run(&quote).await?;
	ensure!(
		line_of(&quoted, Role::Compute)? == ASKS[3] && quoted["executors"] == 3,
		"three have a place, and are paid what the fourth asks: {quoted}"
	);
	let (withdrawn, first) = tokio::try_join!(
		// At once: after the eighth block of the epoch it would have to wait for the next one.
		async { wallet(devnet, "alice").run(&["bid", &id, "--withdraw"]).await },
		async {
			let first = buy(devnet, models.derived, 8, 0.0).await?;
			let found = price_and_reserve(&payer, &id).await?;
			ensure!(
				found == (ASKS[3], FIRST_ASK),
				"the reserve falls no further than to what the dearest winner asked an epoch before: {found:?}"
			);
			a_model_should_be_featured(devnet, &id, &treasury(&first)?).await?;
			anyhow::Ok(first)
		},
	)?;

	let from = withdrawn["from"].as_u64().context("a bid holds from a block on")?;
	devnet.node("alice").wait_for_block(from).await?;
	let quoted = payer.run(&quote).await?;
	let reserve = fallen(FIRST_ASK);
	ensure!(
		line_of(&quoted, Role::Compute)? == reserve && quoted["executors"] == 3,
		"nobody is without a place, so the reserve is paid, which is a step lower now: {quoted}"
	);
	let second = buy(devnet, models.derived, 4, 100.0).await?;
	let own = named_by_itself(devnet, models.derived).await?;
	for jobs in [&early, &first, &second, &own] {
		settled(devnet, jobs).await?;
	}
	let account = Account::connect(devnet.node("alice"), "//Payer").await?;
	for (jobs, price, nodes) in [
		(&early, FIRST_ASK, 0..4),
		(&first, ASKS[3], 0..3),
		(&second, reserve, 1..4),
	] {
		for (job, (_, bill)) in jobs {
			let said: Balance = bill
				.lines
				.iter()
				.filter(|line| line.role == Role::Compute)
				.map(|line| line.amount)
				.sum();
			let info = account.client.job(*job).await?.context("the job is on record")?;
			let executor = info.executor.context("somebody did it")?;
			ensure!(
				said == price && nodes.contains(&executor),
				"each of these costs {price}, and is done by one of {nodes:?}: {bill:?}, {info:?}"
			);
		}
	}
	Ok([early, first, second, own].into_iter().flatten().collect())
}

/// A first clearing's price is what the first without a place asks; a job at that price makes it the reserve.
async fn a_first_job_should_make_a_reserve(devnet: &Devnet, model: ModelId) -> Result<Said> {
	let jobs = buy(devnet, model, 1, 250.0).await?;
	let payer = Wallet::new(devnet.node("alice"), "//Payer");
	let found = price_and_reserve(&payer, &model.to_string()).await?;
	ensure!(
		found == (FIRST_ASK, FIRST_ASK),
		"that is what one of them asks who has no place: {found:?}"
	);
	Ok(jobs)
}

/// Three of them by the wallet, which waits for the phases itself; dave's node asks what it asks.
async fn everybody_should_ask_what_it_costs(devnet: &Devnet, id: &str) -> Result<()> {
	let bids = try_join_all((0..3).map(|node| async move {
		let (price, storage) = (decimal(ASKS[node]), decimal(STORAGE_ASK));
		let mut words = vec!["bid", id, "--compute", price.as_str()];
		if OPERATORS[node] == "charlie" {
			words.extend(["--storage", storage.as_str()]);
		}
		wallet(devnet, OPERATORS[node]).run(&words).await
	}))
	.await?;
	let from = bids.iter().filter_map(|bid| bid["from"].as_u64()).max();
	let from = from.with_context(|| format!("bids hold from a block on: {bids:?}"))?;
	devnet.node("alice").wait_for_block(from).await?;
	let watcher = Wallet::new(devnet.node("alice"), "//Payer");
	let shown = watcher.run(&["market", "show", id]).await?;
	let asks = shown["roles"][0]["asks"].as_array().context("there are asks")?;
	for (node, price) in ASKS.iter().enumerate() {
		let mut own = asks.iter().filter(|ask| ask["node"] == node);
		let ask = own.next().with_context(|| format!("node {node} asks: {shown}"))?;
		ensure!(
			amount(&ask["price"])? == *price && own.next().is_none(),
			"everybody sees it now: {shown}"
		);
	}
	let text = watcher.text(&["market", "show", id]).await?;
	ensure!(text.contains("public asks") && text.contains("0.04 AIC"), "{text}");
	Ok(())
}

/// The amount of the only line of a quote with this role.
fn line_of(quote: &Value, role: Role) -> Result<Balance> {
	let lines = quote["lines"].as_array().context("a quote has lines")?;
	let line = lines.iter().find(|line| line["role"] == format!("{role:?}"));
	amount(&line.with_context(|| format!("there is a line for {role:?}: {quote}"))?["amount"])
}

/// So many jobs that name the curator, in one block. Returns what is said of them.
async fn buy(devnet: &Devnet, model: ModelId, count: u8, first: f32) -> Result<Said> {
	let node = devnet.node("alice");
	let payer = Account::connect(node, "//Payer").await?;
	let curator = Account::connect(node, "//Curator").await?.id();
	let mut wanted = Vec::new();
	for number in 0..count {
		let input = put_blob(node, &identity_input(first + f32::from(number), 1)?).await?;
		let curator = Some(curator.clone());
		wanted.push(calls::submit_job(model, input, MAX_PRICE, Some(0), curator));
	}
	let included = payer.client.submit(&payer.signer, &wanted, Wait::Finalized).await?;
	let mut jobs = Vec::new();
	for job in included.numbers("InferenceJobs", "job")? {
		jobs.push(JobId::try_from(job)?);
	}
	jobs.sort_unstable();
	jobs.dedup();
	ensure!(jobs.len() == usize::from(count), "{count} jobs: {jobs:?}");
	said_in(node, &json!(included.block), model, &jobs).await
}

/// A job of a payer that names itself as the curator: it has found nothing for anybody else, and pays no fee.
async fn named_by_itself(devnet: &Devnet, model: ModelId) -> Result<Said> {
	let node = devnet.node("alice");
	let curator = Account::connect(node, "//Curator").await?;
	let input = put_blob(node, &identity_input(200.0, 1)?).await?;
	let call = calls::submit_job(model, input, MAX_PRICE, Some(0), Some(curator.id()));
	let included = curator.client.submit(&curator.signer, &[call], Wait::Finalized).await?;
	let job = JobId::try_from(included.number("InferenceJobs", "job")?)?;
	let said = said_in(node, &json!(included.block), model, &[job]).await?;
	let mut lines = said.values().flat_map(|(_, bill)| &bill.lines);
	ensure!(
		!lines.any(|line| line.role == Role::Curator),
		"nobody pays itself a fee: {said:?}"
	);
	Ok(said)
}

/// Waits until all of these jobs are paid.
async fn settled(devnet: &Devnet, jobs: &Said) -> Result<()> {
	let account = Account::connect(devnet.node("alice"), "//Payer").await?;
	for job in jobs.keys() {
		let phase = until(&format!("the end of job {job}"), SETTLED_WITHIN, || async {
			let info = account.client.job(*job).await?.context("the job is on record")?;
			let open = matches!(info.phase, JobPhase::Assigned | JobPhase::Attested | JobPhase::Auditing);
			Ok((!open).then_some(info.phase))
		})
		.await?;
		ensure!(phase == JobPhase::Settled, "job {job} ended as {phase:?}");
	}
	Ok(())
}

/// The account that has the protocol's line of these jobs.
fn treasury(said: &Said) -> Result<AccountId32> {
	let lines = said.values().flat_map(|(_, bill)| &bill.lines);
	let mut payees = lines
		.filter(|line| line.role == Role::Protocol)
		.filter_map(|line| line.payee.clone());
	payees.next().context("the treasury has a part of each job")
}

/// The only bidder pays the least bid for an epoch's place; half of it goes to the treasury.
async fn a_model_should_be_featured(devnet: &Devnet, id: &str, treasury: &AccountId32) -> Result<()> {
	let maker = Wallet::new(devnet.node("alice"), "//Deriver");
	let watcher = Account::connect(devnet.node("alice"), "//Payer").await?;
	let before = watcher.client.balance(treasury).await?;
	maker.run(&["promote", id, "--bid", "3"]).await?;
	let shown = until("a featured model", EPOCHS, || async {
		let shown = maker.run(&["promote", "show"]).await?;
		Ok((shown["featured"] != json!([])).then_some(shown))
	})
	.await?;
	let place = &shown["featured"][0];
	ensure!(
		place["model"] == json!(id.parse::<u64>()?)
			&& amount(&place["bid"])? == 3 * AIC
			&& amount(&place["price"])? == AIC,
		"it has a place, for the least bid: {shown}"
	);
	let after = watcher.client.balance(treasury).await?;
	ensure!(
		after.free == before.free + AIC / 2,
		"the treasury has half of it: {before:?}, {after:?}"
	);
	let balance = maker.run(&["balance"]).await?;
	let model = maker.run(&["model", "show", id]).await?;
	ensure!(
		amount(&balance["held"])? == amount(&model["deposit"])?,
		"what it offered more is not held any more: {balance}"
	);
	Ok(())
}

/// One model that it runs alone, and one whose file it has to get from charlie's node. Returns what was said of a job.
async fn daves_node_should_have_more_to_do(devnet: &Devnet, models: Models) -> Result<Said> {
	// Before anything else is said by his account: two transactions at once would be one too many.
	let operator = wallet(devnet, "dave");
	operator.run(&["node", "host", &models.busy.to_string()]).await?;
	let (said, ()) = tokio::try_join!(
		an_ask_should_rise_with_the_load(devnet, models.busy),
		who_stores_a_model_should_serve_it(devnet, models.served),
	)?;
	Ok(said)
}

/// What dave's node asks for a model that it alone runs stays where it began while nobody buys, and is dearer after a job, as
/// far as its file says: above the reserve that the job made, so it is the last one. Nobody says anything in the node's name.
/// Returns what was said of the job.
async fn an_ask_should_rise_with_the_load(devnet: &Devnet, model: ModelId) -> Result<Said> {
	let node = devnet.node("dave");
	let guest = Account::connect(node, "//Guest").await?;
	let id = node_of(&guest, "dave").await?.id;
	let [floor, ceiling] = BUSY_ASKS;
	let asked = || async {
		let market = market_of(&guest, model).await?;
		let asks: Vec<AskInfo> = market.roles.into_iter().flat_map(|role| role.asks).collect();
		ensure!(
			asks.iter()
				.all(|ask| ask.node == id && (floor..=ceiling).contains(&ask.price)),
			"dave's node alone asks, and what its file says: {asks:?}"
		);
		anyhow::Ok((market.epoch, asks))
	};
	let first = until("what a node asks by itself", EPOCHS, || async {
		let (_, asks) = asked().await?;
		Ok(asks.first().map(|ask| ask.from))
	})
	.await?;
	// In the first epoch with the ask it has had nothing to do. By that it bids in the second one, and so for the third.
	let idle = until("an epoch that was bid for after an idle one", EPOCHS, || async {
		let (epoch, asks) = asked().await?;
		Ok((epoch >= first + 2).then_some(asks))
	})
	.await?;
	ensure!(
		idle.iter().all(|ask| ask.price == floor),
		"nothing to do is no reason to ask more: {idle:?}"
	);

	let input = put_blob(node, &identity_input(400.0, 1)?).await?;
	let bought = guest.submit_final_job(model.into(), input, Some(id)).await?;
	let said = said_in(node, &bought.block, model, &[bought.job]).await?;
	let mut lines = said.values().flat_map(|(_, bill)| &bill.lines);
	ensure!(
		lines.any(|line| line.role == Role::Compute && line.amount == floor),
		"it has the job for what it asks, since nobody else asks: {said:?}"
	);
	until("an ask that rose with the load", EPOCHS, || async {
		let (_, asks) = asked().await?;
		Ok(asks.iter().any(|ask| ask.price == ceiling).then_some(()))
	})
	.await?;
	settled(devnet, &said).await?;
	Ok(said)
}

/// Charlie has won the storage of a model that no other node has; dave's node is to host it, and has its file from charlie's.
async fn who_stores_a_model_should_serve_it(devnet: &Devnet, model: ModelId) -> Result<()> {
	let (storer, fetcher) = (devnet.node("charlie"), devnet.node("dave"));
	let operator = wallet(devnet, "dave");
	let watcher = Account::connect(fetcher, "//Host").await?;
	let charlie = node_of(&watcher, "charlie").await?.id;
	let id = model.to_string();
	operator.run(&["market", "clear", &id]).await?;
	until("a node that has won storage", SOON, || async {
		let market = market_of(&watcher, model).await?;
		let mut roles = market.roles.into_iter();
		let storage = roles.find(|role| role.role == AskRole::Storage);
		Ok(storage.filter(|storage| storage.winners == [charlie]))
	})
	.await?;

	let info = watcher.client.model(model).await?.context("the model is there")?;
	let artefact = info.spec.artifact;
	let has_it = |node: &Node| -> Result<bool> {
		let file = node.blob_file(&hex::encode(artefact.hash), artefact.size)?;
		Ok(file.exists())
	};
	for node in &devnet.nodes {
		ensure!(
			has_it(node)? == (node.name() == "charlie"),
			"charlie's node alone has the file, or {}'s is another one",
			node.name()
		);
	}
	let served = || storer.metric("highway_blobs_served_bytes_total", &[]);
	let before = served().await?;
	operator.run(&["node", "host", &id]).await?;
	until("the file at another node", EPOCHS, || async {
		Ok(has_it(fetcher)?.then_some(()))
	})
	.await?;
	let bytes = served().await? - before;
	ensure!(
		bytes >= artefact.size as f64,
		"dave's node has {} bytes of charlie's, whose metrics show {bytes}",
		artefact.size
	);
	Ok(())
}

/// Bob stores a model that nobody else has, and deletes it before its pay is proved. Returns what was said of the job that
/// paid for it.
async fn a_lost_copy_should_lose_its_pay(devnet: &Devnet, models: Models) -> Result<Said> {
	let node = devnet.node("bob");
	let patron = Account::connect(node, "//Patron").await?;
	let input = put_blob(node, &identity_input(300.0, 1)?).await?;
	let bought = patron.submit_final_job(models.lost.into(), input, Some(1)).await?;
	let job = bought.job;
	let said = said_in(node, &bought.block, models.lost, &[job]).await?;
	until("the output of the job", SETTLED_WITHIN, || async {
		let info = patron.client.job(job).await?.context("the job is on record")?;
		Ok((info.phase != JobPhase::Assigned).then_some(()))
	})
	.await?;
	let model = patron.client.model(models.lost).await?.context("the model is there")?;
	let artefact = model.spec.artifact;
	let file = node.blob_file(&hex::encode(artefact.hash), artefact.size)?;
	fs::remove_file(&file).with_context(|| file.display().to_string())?;

	settled(devnet, &said).await?;
	let operator = Account::connect(node, "//Bob").await?;
	until("the end of the pay that waits", CHALLENGED_WITHIN, || async {
		let earnings = operator.client.earnings(&operator.id()).await?;
		let waits = earnings.storage.iter().any(|(model, ..)| *model == models.lost);
		Ok((!waits).then_some(()))
	})
	.await?;
	until("a challenge that was missed among the metrics", SOON, || async {
		let missed = node
			.metric("highway_storage_challenges_total", &["outcome=\"missed\""])
			.await?;
		Ok((missed >= 1.0).then_some(()))
	})
	.await?;
	Ok(said)
}

/// Waits until charlie has answered a challenge, and has all that he earned by storing.
async fn proofs_should_be_paid(devnet: &Devnet) -> Result<()> {
	let node = devnet.node("charlie");
	let operator = Account::connect(node, "//Charlie").await?;
	until("a proof of storage", CHALLENGED_WITHIN, || async {
		let earnings = operator.client.earnings(&operator.id()).await?;
		Ok(earnings.storage.is_empty().then_some(()))
	})
	.await?;
	until("an answered challenge among the metrics", SOON, || async {
		let answered = node
			.metric("highway_storage_challenges_total", &["outcome=\"answered\""])
			.await?;
		Ok((answered >= 1.0).then_some(()))
	})
	.await
}
