//! What cheats gain under the audits: see `scripts/simulate-audits`.

use clap::Parser;
use highway_simulations::{
	audits::{Bound, Row, Simulation},
	columns::aligned,
};
use serde_json::json;
use std::process::ExitCode;

/// Plays strategies against the audits and says what each gains per job, compared with honest work.
///
/// No node is started. Rates, securities and shares come from highway-math, the jury's finding and what may be slashed from
/// the pallet of audits; actors and chance are simulated. The same seed gives the same table on every machine.
///
/// gain    expected, per job, in R, the compute price; ± the standard error. Below 0: honest work pays better
/// harm    what an honest executor loses per job, where somebody wants to hurt it
/// may     what the gain may be, with three standard errors to spare:
///           ≤ 0        the strategy must not pay
///           ≤ 0.036    it pays, and the design says so: this is the stated bound of its size
///           > 0        a rule that was rejected: the simulation must find the gain, or it would find none anywhere
///
/// S = 64 R stands behind each job, a cheat saves s = 0.8 R, and d = 0.5, the least that may be registered, if nothing else
/// is said. tests/simulations/README.md lists what is assumed. Ends with code 1 if a line fails.
#[derive(Parser, Debug)]
#[command(name = "simulate-audits", verbatim_doc_comment)]
struct Args {
	/// Prints one JSON object instead of a table.
	#[arg(long)]
	json: bool,
	/// Games per line; the error falls with the root.
	#[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
	samples: u32,
	/// Seed of all chance.
	#[arg(long, value_name = "SEED", default_value_t = 1)]
	seed: u64,
}

fn bound(row: &Row) -> String {
	match row.bound {
		Bound::Nothing => "≤ 0".into(),
		Bound::Stated(most) => format!("≤ {most:.4}"),
		Bound::RejectedRule => "> 0".into(),
	}
}

fn as_json(row: &Row) -> serde_json::Value {
	let (kind, most) = match row.bound {
		Bound::Nothing => ("must_not_gain", Some(0.0)),
		Bound::Stated(most) => ("stated", Some(most)),
		Bound::RejectedRule => ("rejected_rule", None),
	};
	json!({
		"strategy": row.strategy,
		"parameters": row.parameters,
		"gain": row.gain,
		"error": row.error,
		"harm": row.harm,
		"bound": { "kind": kind, "at_most": most },
		"passes": row.passes(),
		"note": row.note,
	})
}

fn table(rows: &[Row]) -> String {
	let header = ["strategy", "parameters", "gain", "harm", "may", "", "note"];
	let lines: Vec<Vec<String>> = std::iter::once(header.map(String::from).to_vec())
		.chain(rows.iter().map(|row| {
			vec![
				row.strategy.into(),
				row.parameters.clone(),
				format!("{:+.4} ± {:.4}", row.gain, row.error),
				row.harm.map(|harm| format!("{harm:.4}")).unwrap_or_default(),
				bound(row),
				if row.passes() { "ok" } else { "FAILED" }.into(),
				row.note.clone(),
			]
		}))
		.collect();
	aligned(&lines)
}

fn main() -> ExitCode {
	let Args { json, samples, seed } = Args::parse();
	let mut simulation = Simulation {
		samples,
		seed,
		rows: Vec::new(),
	};
	simulation.run();
	let rows = &simulation.rows;
	let failed = rows.iter().filter(|row| !row.passes()).count();
	let passed = rows.len() - failed;
	if json {
		let lines: Vec<_> = rows.iter().map(as_json).collect();
		println!(
			"{}",
			json!({ "samples": samples, "seed": seed, "strategies": lines, "passed": passed, "failed": failed })
		);
	} else {
		print!("{}", table(rows));
		println!("\n{passed} passed, {failed} failed");
	}
	ExitCode::from(u8::from(failed > 0))
}
