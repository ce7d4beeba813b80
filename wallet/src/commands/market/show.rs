//! `highway market show`: what the market of a model is like now, and how it came there.

use super::split::{legend, settled_epochs, split_bar, to_json as split_json};
use crate::{
	amount::{decimal, percent, with_unit},
	chart::columns,
	commands::bid::role_name,
	context::Context,
	error::CommandError,
	output::{blocks, facts, plain, table},
};
use highway_primitives::{
	market::{AskRole, MarketPhase},
	Balance, BlockNumber, EpochIndex, NodeId,
};
use highway_runtime_api::types::{AskInfo, EpochPrices, MarketInfo, ModelInfo, RoleMarket, SplitInfo};
use serde_json::{json, Value};
use sp_core::crypto::AccountId32;
use sp_runtime::Perbill;

/// Epochs whose split is shown.
const SPLITS: usize = 5;

/// Rows of a chart.
const CHART_HEIGHT: usize = 5;

/// `highway market show`
pub async fn show(context: &Context, text: &str) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let model = context.model(&client, text).await?;
	let market = client
		.market(model.id)
		.await?
		.ok_or_else(|| CommandError::NotFound(format!("model {} has no market", model.id)))?;
	let best = client.best_block().await?;
	let mut splits = Vec::new();
	for epoch in settled_epochs(Some(&market)).take(SPLITS) {
		splits.extend(client.split(model.id, epoch).await?);
	}
	context.output.result(to_json(&market, best, &splits), || {
		to_text(&model, &market, best, &splits)
	});
	Ok(())
}

fn phase_name(phase: MarketPhase) -> &'static str {
	match phase {
		MarketPhase::Commit => "commit",
		MarketPhase::Reveal => "reveal",
	}
}

/// Blocks until the one behind `until`.
fn left(until: BlockNumber, best: BlockNumber) -> BlockNumber {
	until.saturating_sub(best).saturating_add(1)
}

/// Jobs per epoch, which are counted in thousandths.
fn demand(thousandths: u64) -> String {
	// `decimal` writes trillionths.
	decimal(Balance::from(thousandths) * 1_000_000_000)
}

/// For programs.
fn to_json(market: &MarketInfo, best: BlockNumber, splits: &[SplitInfo]) -> Value {
	json!({
		"model": market.model,
		"epoch": market.epoch,
		"epochUntil": market.epoch_until,
		"phase": phase_name(market.phase),
		"phaseUntil": market.phase_until,
		"block": best,
		"demand": demand(market.demand),
		"roles": market.roles.iter().map(role_json).collect::<Vec<_>>(),
		"history": market.history.iter().map(|prices| json!({
			"epoch": prices.epoch,
			"compute": decimal(prices.compute),
			"storage": prices.storage.map(decimal),
			"jobs": prices.jobs,
		})).collect::<Vec<_>>(),
		"splits": splits.iter().map(split_json).collect::<Vec<_>>(),
	})
}

fn role_json(role: &RoleMarket) -> Value {
	json!({
		"role": role_name(role.role),
		"price": role.price.map(decimal),
		"reserve": role.reserve.map(decimal),
		"places": role.places,
		"utilisation": percent(Perbill::from_parts(role.utilisation)),
		"winners": role.winners,
		"asks": role.asks.iter().map(|ask| json!({
			"node": ask.node, "price": decimal(ask.price), "from": ask.from, "won": ask.won,
		})).collect::<Vec<_>>(),
		"commitments": role.commitments,
	})
}

fn to_text(model: &ModelInfo<AccountId32>, market: &MarketInfo, best: BlockNumber, splits: &[SplitInfo]) -> String {
	let mut parts = vec![facts([
		("model", format!("{} ({})", model.id, plain(&model.name))),
		("epoch", epoch_text(market, best)),
		("asks", phase_text(market, best)),
		("demand", format!("{} jobs per epoch", demand(market.demand))),
	])];
	parts.extend(market.roles.iter().map(|role| role_text(role, market.epoch)));
	parts.extend(chart("compute, AIC per unit", &market.history, |prices| {
		Some(prices.compute)
	}));
	parts.extend(chart("storage, AIC per started MiB", &market.history, |prices| {
		prices.storage
	}));
	parts.extend(splits_text(splits));
	parts.join("\n")
}

fn epoch_text(market: &MarketInfo, best: BlockNumber) -> String {
	let next = market.epoch_until.saturating_add(1);
	format!(
		"{}; the next one begins with block {next}, in {}",
		market.epoch,
		blocks(left(market.epoch_until, best))
	)
}

/// What can be said now about the next epoch.
fn phase_text(market: &MarketInfo, best: BlockNumber) -> String {
	let next = market.epoch.saturating_add(1);
	let left = blocks(left(market.phase_until, best));
	match market.phase {
		MarketPhase::Commit => format!(
			"for epoch {next} are committed to until block {}, for {left}; then they are revealed",
			market.phase_until
		),
		MarketPhase::Reveal => format!(
			"for epoch {next} are revealed until block {}, for {left}; then nodes commit again",
			market.phase_until
		),
	}
}

fn role_title(role: AskRole) -> &'static str {
	match role {
		AskRole::Compute => "Compute, per unit",
		AskRole::Storage => "Storage, per started MiB of input",
	}
}

fn or_none(amount: Option<Balance>) -> String {
	amount.map_or_else(|| "none yet".into(), with_unit)
}

fn nodes(ids: &[NodeId]) -> String {
	if ids.is_empty() {
		return "nobody".into();
	}
	let names: Vec<_> = ids.iter().map(|id| format!("node {id}")).collect();
	names.join(", ")
}

fn role_text(role: &RoleMarket, now: EpochIndex) -> String {
	// Of parts per billion.
	let used = role.utilisation / 10_000_000;
	let known = facts([
		("price", or_none(role.price)),
		(
			"reserve",
			match role.reserve {
				Some(reserve) => format!("{}; asks above it lose", with_unit(reserve)),
				None => "none yet".into(),
			},
		),
		(
			"winners",
			format!("{} of at most {}, {used}% used", nodes(&role.winners), role.places),
		),
		(
			"sealed",
			format!("{} asks are committed to and not revealed", role.commitments),
		),
	]);
	let asks = match role.asks.is_empty() {
		true => "no public asks; `highway bid` makes one\n".into(),
		false => {
			let rows = role.asks.iter().map(|ask| {
				[
					format!("node {}", ask.node),
					with_unit(ask.price),
					since(ask, now),
					standing(ask, role.reserve).into(),
				]
			});
			table(["public asks", "price", "holds", "last clearing"], rows) + "\n"
		}
	};
	format!("{}\n{known}{asks}", role_title(role.role))
}

fn since(ask: &AskInfo, now: EpochIndex) -> String {
	match ask.from > now {
		true => format!("from epoch {} on", ask.from),
		false => format!("since epoch {}", ask.from),
	}
}

fn standing(ask: &AskInfo, reserve: Option<Balance>) -> &'static str {
	match (ask.won, reserve.is_some_and(|reserve| ask.price > reserve)) {
		(true, _) => "won",
		(false, true) => "above the reserve",
		(false, false) => "-",
	}
}

/// How prices moved. Nothing where there were none.
fn chart(title: &str, history: &[EpochPrices], price: impl Fn(&EpochPrices) -> Option<Balance>) -> Option<String> {
	// The oldest at the left.
	let prices: Vec<_> = history.iter().rev().map(price).collect();
	let drawn = columns(&prices, CHART_HEIGHT, decimal);
	let (first, last) = (history.last()?.epoch, history.first()?.epoch);
	let span = match first == last {
		true => format!("epoch {first}"),
		false => format!("epochs {first} to {last}, as far as they were cleared"),
	};
	(!drawn.is_empty()).then(|| format!("Price of {title}, {span}\n{drawn}"))
}

/// Who was paid what, the latest epoch first.
fn splits_text(splits: &[SplitInfo]) -> Option<String> {
	let latest = splits.first()?;
	let rows: Vec<(String, String)> = splits
		.iter()
		.map(|split| {
			let head = format!("epoch {}, {} jobs, {}", split.epoch, split.jobs, with_unit(split.total));
			(head, split_bar(split))
		})
		.collect();
	let rows = facts(rows.iter().map(|(head, bar)| (head.as_str(), bar.clone())));
	Some(format!(
		"Split of what settled jobs paid: {}\n{rows}`highway market split {} --epoch E` tells the amounts\n",
		legend(splits),
		latest.model
	))
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::{
		model::{Unit, VerificationPolicy, VersionSpec, MIN_DETECTION},
		BlobRef, Role, AIC,
	};

	fn model() -> ModelInfo<AccountId32> {
		ModelInfo {
			id: 3,
			owner: AccountId32::new([1; 32]),
			name: b"magika\x1b[2J".to_vec(),
			deprecated: false,
			version: 1,
			spec: VersionSpec {
				artifact: BlobRef::of(b"onnx"),
				licence: Default::default(),
				inputs: Default::default(),
				outputs: Default::default(),
				unit: Unit::Request,
				unit_time_ms: 1,
				policy: VerificationPolicy::Exact,
				trace: None,
				detection: MIN_DETECTION,
				shares_runs: false,
				recipe: None,
			},
			coming: None,
			parent: None,
			derivative_terms: None,
			royalty: 0,
			pending_royalty: None,
			royalties: Vec::new(),
			open_jobs: 0,
			children: 0,
			deposit: 0,
		}
	}

	fn ask(node: NodeId, price: Balance, from: EpochIndex, won: bool) -> AskInfo {
		AskInfo { node, price, from, won }
	}

	fn market() -> MarketInfo {
		MarketInfo {
			model: 3,
			epoch: 12,
			phase: MarketPhase::Commit,
			phase_until: 3799,
			epoch_until: 3899,
			demand: 41_250,
			roles: vec![
				RoleMarket {
					role: AskRole::Compute,
					reserve: Some(AIC / 50),
					price: Some(AIC / 100),
					places: 3,
					utilisation: 625_000_000,
					winners: vec![1, 5],
					asks: vec![
						ask(1, AIC / 200, 2, true),
						ask(7, AIC, 9, false),
						ask(5, AIC / 100, 13, true),
					],
					commitments: 2,
				},
				RoleMarket {
					role: AskRole::Storage,
					reserve: None,
					price: None,
					places: 3,
					utilisation: 0,
					winners: Vec::new(),
					asks: Vec::new(),
					commitments: 0,
				},
			],
			history: vec![
				EpochPrices {
					epoch: 12,
					compute: AIC / 100,
					storage: None,
					jobs: 0,
				},
				EpochPrices {
					epoch: 10,
					compute: AIC / 50,
					storage: None,
					jobs: 4,
				},
			],
		}
	}

	fn splits() -> Vec<SplitInfo> {
		vec![SplitInfo {
			model: 3,
			epoch: 10,
			jobs: 4,
			units: 4,
			lines: vec![(Role::Compute, 9 * AIC), (Role::Protocol, AIC)],
			total: 10 * AIC,
		}]
	}

	#[test]
	fn markets_should_say_where_they_stand_and_how_they_came_there() {
		let text = to_text(&model(), &market(), 3700, &splits());
		for words in [
			"3 (magika\u{fffd}[2J)",
			"12; the next one begins with block 3900, in 200 blocks, about 7 min",
			"for epoch 13 are committed to until block 3799, for 100 blocks",
			"41.25 jobs per epoch",
			"0.01 AIC",
			"0.02 AIC; asks above it lose",
			"node 1, node 5 of at most 3, 62% used",
			"2 asks are committed to and not revealed",
			"above the reserve",
			"from epoch 13 on",
			"since epoch 2",
			"nobody of at most 3",
			"no public asks",
			"Price of compute, AIC per unit, epochs 10 to 12",
			"0.02 │██",
			"0.01 │██▁▁",
			"C Compute  T Protocol",
			"epoch 10, 4 jobs, 10 AIC  C",
			"highway market split 3",
		] {
			assert!(text.contains(words), "{words} is missing:\n{text}");
		}
		assert!(!text.contains("Price of storage"), "nobody stored it:\n{text}");
	}

	#[test]
	fn markets_should_be_shown_before_anything_was_cleared() {
		let fresh = MarketInfo {
			roles: market().roles.split_off(1),
			history: Vec::new(),
			demand: 0,
			phase: MarketPhase::Reveal,
			phase_until: 3899,
			..market()
		};
		let text = to_text(&model(), &fresh, 3899, &[]);
		assert!(text.contains("none yet") && text.contains("0 jobs per epoch"), "{text}");
		assert!(text.contains("are revealed until block 3899, for 1 block,"), "{text}");
		assert!(!text.contains("Split") && !text.contains('│'), "{text}");
	}

	#[test]
	fn markets_should_be_complete_for_programs() {
		let json = to_json(&market(), 3700, &splits());
		assert_eq!((&json["phase"], &json["demand"]), (&json!("commit"), &json!("41.25")));
		assert_eq!((&json["phaseUntil"], &json["epochUntil"]), (&json!(3799), &json!(3899)));
		let compute = &json["roles"][0];
		assert_eq!(
			(&compute["role"], &compute["price"], &compute["utilisation"]),
			(&json!("compute"), &json!("0.01"), &json!("62.5%"))
		);
		assert_eq!(
			compute["asks"][1],
			json!({ "node": 7, "price": "1", "from": 9, "won": false })
		);
		assert_eq!(json["roles"][1]["reserve"], Value::Null);
		assert_eq!(
			json["history"][1],
			json!({ "epoch": 10, "compute": "0.02", "storage": null, "jobs": 4 })
		);
		assert_eq!(json["splits"][0]["lines"][0]["share"], "90.00%");
	}
}
