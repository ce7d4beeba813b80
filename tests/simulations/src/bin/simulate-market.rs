//! What bidders, payers and makers gain against the market's rules: see `scripts/simulate-market`.

use clap::Parser;
use highway_simulations::{
	columns::aligned,
	market::{self, Bound, Row, Size, Table},
};
use serde_json::json;
use std::process::ExitCode;

/// Plays attacks against the market and says what each gains.
///
/// No node is started. Prices, reserves, places, bonds, bills, subsidies and royalties come from highway-math and the real
/// pallets; bidders and chance are simulated. The same seed gives the same tables on every machine.
///
/// is        what came of it; ± the standard error, where chance has a part in it
/// must be   with three standard errors to spare:
///             ≤ 0          a gain that there must not be
///             4 to 11 *    a gain, or a harm, that is left over: docs/MARKET-ATTACKS.md says why it is tolerable. Less would
///                          mean that the docs are too modest
///             99 to 100    something that the rules promise
///             > 0          a rule that was rejected: the simulation must see the gain, or it would see none anywhere
///
/// Each table ends with its verdict. Ends with code 1 if a line is not what it must be.
#[derive(Parser, Debug)]
#[command(name = "simulate-market", verbatim_doc_comment)]
struct Args {
	/// Prints one JSON object instead of tables.
	#[arg(long)]
	json: bool,
	/// Random markets per line; the error falls with the root.
	#[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(3_000..=1_000_000))]
	markets: u32,
	/// Random jobs whose coins are counted, to the planck.
	#[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000_000..))]
	jobs: u32,
	/// Seed of all chance.
	#[arg(long, value_name = "SEED", default_value_t = 1)]
	seed: u64,
}

/// With so many digits as say something.
fn number(value: f64) -> String {
	match value.abs() {
		size if size == 0.0 || !size.is_finite() => format!("{value:.0}"),
		size if size < 0.005 => format!("{value:.0e}"),
		size if size < 100.0 => format!("{value:.2}"),
		_ => format!("{value:.0}"),
	}
}

fn bound(row: &Row) -> String {
	match row.bound {
		Bound::Nothing => "≤ 0".into(),
		Bound::LeftOver { least, most } => format!("{} to {} *", number(least), number(most)),
		Bound::Promised { least, most } if least == most => number(least),
		Bound::Promised { least, most } => format!("{} to {}", number(least), number(most)),
		Bound::RejectedRule => "> 0".into(),
	}
}

fn figure(row: &Row) -> String {
	match row.error > 0.0 {
		true => format!("{} ± {}", number(row.figure), number(row.error)),
		false => number(row.figure),
	}
}

fn print(table: &Table) {
	println!("{}: {}\n", table.name, table.question);
	let header = ["", "is", "", "must be", "", ""].map(String::from).to_vec();
	let rows = table.rows.iter().map(|row| {
		vec![
			row.case.clone(),
			figure(row),
			row.unit.into(),
			bound(row),
			if row.passes() { "ok" } else { "FAILED" }.into(),
			row.note.clone(),
		]
	});
	let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
	println!("{}\nverdict: {}\n", aligned(&lines).trim_end(), table.verdict());
}

fn as_json(table: &Table) -> serde_json::Value {
	let row = |row: &Row| {
		let (kind, least, most) = match row.bound {
			Bound::Nothing => ("must_not_gain", None, Some(0.0)),
			Bound::LeftOver { least, most } => ("left_over", Some(least), Some(most)),
			Bound::Promised { least, most } => ("promised", Some(least), Some(most)),
			Bound::RejectedRule => ("rejected_rule", Some(0.0), None),
		};
		json!({
			"case": row.case,
			"figure": row.figure,
			"error": row.error,
			"unit": row.unit,
			"bound": { "kind": kind, "at_least": least, "at_most": most },
			"passes": row.passes(),
			"note": row.note,
		})
	};
	let rows: Vec<_> = table.rows.iter().map(row).collect();
	json!({ "name": table.name, "question": table.question, "verdict": table.verdict(), "lines": rows })
}

fn main() -> ExitCode {
	let Args {
		json,
		markets,
		jobs,
		seed,
	} = Args::parse();
	let tables = market::run(Size { markets, jobs, seed });
	let failed: usize = tables.iter().map(Table::failed).sum();
	let passed = tables.iter().map(|table| table.rows.len()).sum::<usize>() - failed;
	if json {
		let simulations: Vec<_> = tables.iter().map(as_json).collect();
		println!(
			"{}",
			json!({ "markets": markets, "jobs": jobs, "seed": seed, "simulations": simulations, "passed": passed, "failed": failed })
		);
	} else {
		tables.iter().for_each(print);
		println!("{passed} passed, {failed} failed");
	}
	ExitCode::from(u8::from(failed > 0))
}
