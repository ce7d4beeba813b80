//! `highway quote`

use super::{curator, fetch_recipe, parse_inputs, parse_quorum, quoted, show::answer_json};
use crate::{
	amount::{decimal, percent, with_unit},
	commands::{bundle, file_error, job},
	context::Context,
	error::CommandError,
	output::plain,
	recipes::Prepared,
};
use clap::Args;
use serde_json::json;
use sp_runtime::Perbill;
use std::{fs, path::PathBuf};

/// Shown below the help.
const EXAMPLES: &str = "\
Examples:
  highway quote //Alice/magika --file photo.png
  highway quote //Alice/magika --file photo.png --inputs 100
  highway quote 3 --size 4096 --quorum 3";

/// What a job would cost.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct QuoteArgs {
	/// The model: its id, OWNER/NAME, or the name of one of your own.
	pub model: String,
	/// A plain file, made into an input by the model's recipe.
	#[arg(long, value_name = "FILE", group = "what")]
	pub file: Option<PathBuf>,
	/// An input as a safetensors file.
	#[arg(long, value_name = "FILE", group = "what")]
	pub input: Option<PathBuf>,
	/// Size of the input in bytes.
	#[arg(long, value_name = "BYTES", group = "what")]
	pub size: Option<u64>,
	/// What one job of so many inputs like this one costs, 2 to 256: `highway infer --batch` makes it.
	#[arg(long, value_name = "INPUTS", conflicts_with = "quorum", value_parser = parse_inputs())]
	pub inputs: Option<u16>,
	/// Who chose the model for you, and gets its posted fee.
	#[arg(long, value_name = "ACCOUNT")]
	pub curator: Option<String>,
	/// What a quorum costs: nodes of so many operators, 2 to 7, run the same input.
	#[arg(long, value_name = "NODES", value_parser = parse_quorum())]
	pub quorum: Option<u8>,
}

/// `highway quote`
pub async fn quote(context: &Context, args: QuoteArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	// A quote needs no key.
	let payer = context.own_account(&client).ok();
	let curator = curator(context, &client, args.curator.as_deref(), payer.as_ref())?;
	let model = context.model(&client, &args.model).await?;
	let size = match (args.size, &args.file, &args.input) {
		(Some(size), ..) => size,
		(_, Some(file), _) => {
			let recipe = fetch_recipe(context, &client, &model).await?;
			match recipe.prepare(file, &model.spec)? {
				Prepared::Input(bytes) => bytes.len() as u64,
				Prepared::Answer(answer) => {
					context
						.output
						.result(json!({ "price": "0", "answer": answer_json(&answer) }), || {
							format!("{}: {}", answer.label, answer.note.unwrap_or_default())
						});
					return Ok(());
				}
			}
		}
		(_, _, Some(input)) => fs::metadata(input).map_err(|source| file_error(input, source))?.len(),
		_ => 1024,
	};
	let size = args.inputs.map_or(size, |inputs| bundle::size_of(inputs, size));
	let inputs = args.inputs.unwrap_or(1);
	let quote = quoted(&client, model.id, size, inputs, curator.as_ref(), args.quorum).await?;
	let what = match (args.quorum, args.inputs) {
		(Some(jobs), _) => format!("A quorum of {jobs} jobs"),
		(None, Some(inputs)) => format!("One job of {inputs} inputs"),
		(None, None) => "One job".into(),
	};
	let each = if args.quorum.is_some() { "each " } else { "" };
	let audit_rate = percent(Perbill::from_parts(quote.audit_rate));
	context.output.result(
		json!({
			"model": model.id,
			"inputs": inputs,
			"inputSize": size,
			"quorum": args.quorum,
			"units": quote.units,
			"price": decimal(quote.price),
			"epoch": quote.epoch,
			"validUntil": quote.valid_until,
			"deadlineBlocks": quote.deadline,
			"executors": quote.executors,
			"auditRate": audit_rate,
			"lines": quote.lines.iter().map(job::line_json).collect::<Vec<_>>(),
		}),
		|| {
			format!(
				"{what} of model {} ({}) with {size} bytes of input: {}\n{}\n\
				holds until block {}; {} nodes can take it now, and have {} blocks for it\n\
				{each}audited with a probability of {audit_rate}: the Auditor line is the premium for that",
				model.id,
				plain(&model.name),
				with_unit(quote.price),
				job::lines_table(&quote.lines),
				quote.valid_until,
				quote.executors,
				quote.deadline
			)
		},
	);
	Ok(())
}

#[cfg(test)]
mod tests {
	use crate::args::{Cli, Command};
	use clap::Parser;

	#[test]
	fn quotes_should_be_of_a_batch_or_of_a_quorum_but_not_of_both() {
		let inputs = |words: &str| {
			let line = format!("highway quote 1 --size 9 {words}");
			match Cli::try_parse_from(line.split_whitespace()).ok()?.command {
				Command::Quote(args) => Some(args.inputs),
				_ => panic!("another command"),
			}
		};
		assert_eq!(inputs(""), Some(None));
		assert_eq!(inputs("--inputs 256"), Some(Some(256)));
		for wrong in ["--inputs 1", "--inputs 257", "--inputs 3 --quorum 3"] {
			assert_eq!(inputs(wrong), None, "{wrong}");
		}
	}
}
