//! `highway market split`: who was paid what, by role.

use crate::{
	amount::{decimal, with_unit},
	chart::bar,
	context::Context,
	error::CommandError,
	output::table,
};
use highway_primitives::{Balance, EpochIndex, Role};
use highway_runtime_api::types::{MarketInfo, SplitInfo};
use serde_json::{json, Value};
use sp_runtime::Perbill;

/// Cells of a bar.
const BAR_WIDTH: usize = 60;

/// `highway market split`
pub async fn split(context: &Context, text: &str, epoch: Option<EpochIndex>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let model = context.model(&client, text).await?.id;
	let market = client.market(model).await?;
	let Some(epoch) = epoch.or_else(|| settled_epochs(market.as_ref()).next()) else {
		return Err(CommandError::NotFound(format!(
			"no job of model {model} is settled yet: `highway bill JOB` foresees what one job pays to whom"
		)));
	};
	let split = client.split(model, epoch).await?.ok_or_else(|| {
		CommandError::NotFound(format!(
			"no job of model {model} at the prices of epoch {epoch} is settled, or it is too long ago: the chain keeps \
			the latest 32 epochs with prices; `highway market show {model}` names them"
		))
	})?;
	context.output.result(to_json(&split), || to_text(&split));
	Ok(())
}

/// Epochs with settled jobs, the latest first.
pub fn settled_epochs(market: Option<&MarketInfo>) -> impl Iterator<Item = EpochIndex> + '_ {
	let history = market.into_iter().flat_map(|market| &market.history);
	history.filter(|prices| prices.jobs > 0).map(|prices| prices.epoch)
}

/// What stands for the role in a bar.
fn letter(role: Role) -> char {
	match role {
		Role::Maker => 'M',
		Role::Parent => 'P',
		Role::Compute => 'C',
		Role::Storage => 'S',
		Role::Curator => 'K',
		Role::Weaver => 'W',
		Role::Auditor => 'A',
		Role::Protocol => 'T',
	}
}

/// Who is behind the role, in a few words.
fn meaning(role: Role) -> &'static str {
	match role {
		Role::Maker => "made the model",
		Role::Parent => "made a model that it derives from",
		Role::Compute => "ran it",
		Role::Storage => "stored and served it",
		Role::Curator => "chose it for the payer",
		Role::Weaver => "composed the workflow",
		Role::Auditor => "the pot that pays for audits",
		Role::Protocol => "half treasury, half burned",
	}
}

/// The bar of an epoch.
pub fn split_bar(split: &SplitInfo) -> String {
	let parts: Vec<_> = split
		.lines
		.iter()
		.map(|(role, amount)| (letter(*role), *amount))
		.collect();
	bar(&parts, BAR_WIDTH)
}

/// What the letters of these bars stand for.
pub fn legend(splits: &[SplitInfo]) -> String {
	let there = |role: &Role| {
		splits
			.iter()
			.any(|split| split.lines.iter().any(|(line, _)| line == role))
	};
	let names: Vec<_> = Role::ALL
		.into_iter()
		.filter(there)
		.map(|role| format!("{} {role:?}", letter(role)))
		.collect();
	names.join("  ")
}

/// A part of a whole in percent, to the hundredth, rounded down.
fn share(part: Balance, whole: Balance) -> String {
	let hundredths = Perbill::from_rational(part, whole).deconstruct() / 100_000;
	format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// For programs.
pub fn to_json(split: &SplitInfo) -> Value {
	json!({
		"model": split.model,
		"epoch": split.epoch,
		"jobs": split.jobs,
		"units": split.units,
		"total": decimal(split.total),
		"lines": split.lines.iter().map(|(role, amount)| json!({
			"role": format!("{role:?}"),
			"amount": decimal(*amount),
			"share": share(*amount, split.total),
		})).collect::<Vec<_>>(),
	})
}

fn to_text(split: &SplitInfo) -> String {
	let rows = split.lines.iter().map(|(role, amount)| {
		[
			letter(*role).to_string(),
			format!("{role:?}"),
			with_unit(*amount),
			share(*amount, split.total),
			meaning(*role).into(),
		]
	});
	format!(
		"model {}, market epoch {}: {} settled jobs of {} units paid {}\n{}\n{}\n\
		jobs at these prices that are not settled yet will be added; what the chain mints for work is not in it",
		split.model,
		split.epoch,
		split.jobs,
		split.units,
		with_unit(split.total),
		split_bar(split),
		table(["", "role", "amount", "share", "who"], rows)
	)
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::{market::MarketPhase, AIC};
	use highway_runtime_api::types::EpochPrices;

	fn example() -> SplitInfo {
		SplitInfo {
			model: 3,
			epoch: 11,
			jobs: 40,
			units: 41,
			lines: vec![
				(Role::Maker, 20 * AIC),
				(Role::Compute, 70 * AIC),
				(Role::Auditor, 5 * AIC),
				(Role::Protocol, 5 * AIC),
			],
			total: 100 * AIC,
		}
	}

	#[test]
	fn splits_should_be_drawn_named_and_summed() {
		let text = to_text(&example());
		assert!(
			text.contains("epoch 11: 40 settled jobs of 41 units paid 100 AIC"),
			"{text}"
		);
		assert!(
			text.contains("70.00%") && text.contains("70 AIC") && text.contains("ran it"),
			"{text}"
		);
		let bar = split_bar(&example());
		assert_eq!(bar.chars().count(), BAR_WIDTH);
		let starts: String = bar.chars().filter(char::is_ascii_alphabetic).collect();
		assert_eq!(starts, "MCAT");
		assert_eq!(legend(&[example()]), "M Maker  C Compute  A Auditor  T Protocol");
		assert_eq!(legend(&[]), "");
	}

	#[test]
	fn splits_should_be_exact_for_programs() {
		let json = to_json(&SplitInfo {
			lines: vec![(Role::Weaver, 1), (Role::Compute, 2)],
			total: 3,
			..example()
		});
		assert_eq!(json["total"], "0.000000000003");
		assert_eq!(
			json["lines"][0],
			json!({ "role": "Weaver", "amount": "0.000000000001", "share": "33.33%" })
		);
	}

	#[test]
	fn shares_should_hold_whatever_they_are_of() {
		assert_eq!(share(1, 1), "100.00%");
		assert_eq!(share(0, 5), "0.00%");
		assert_eq!(share(Balance::MAX, Balance::MAX), "100.00%");
		assert_eq!(share(1, Balance::MAX), "0.00%");
	}

	#[test]
	fn letters_should_differ() {
		let letters: std::collections::BTreeSet<_> = Role::ALL.into_iter().map(letter).collect();
		assert_eq!(letters.len(), Role::ALL.len());
	}

	#[test]
	fn settled_epochs_should_come_latest_first_without_the_idle_ones() {
		let prices = |epoch, jobs| EpochPrices {
			epoch,
			compute: 1,
			storage: None,
			jobs,
		};
		let market = MarketInfo {
			model: 3,
			epoch: 12,
			phase: MarketPhase::Commit,
			phase_until: 1,
			epoch_until: 1,
			demand: 0,
			roles: Vec::new(),
			history: vec![prices(12, 0), prices(11, 4), prices(9, 0), prices(7, 1)],
		};
		assert_eq!(settled_epochs(Some(&market)).collect::<Vec<_>>(), [11, 7]);
		assert_eq!(settled_epochs(None).count(), 0);
	}
}
