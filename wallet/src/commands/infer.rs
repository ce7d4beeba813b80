//! `highway quote` and `highway infer`

mod quorum;
mod quote;
mod run;
mod show;

pub use quote::{quote, QuoteArgs};

use super::{bundle, ensure_writable, file_error, node};
use crate::{
	args::parse_amount,
	blobs::{self, BlobOwner},
	client::{calls, Client},
	context::Context,
	error::{ensure_can_pay, CommandError},
	output::{plain, Output},
	recipes::{self, Prepared, Recipe},
};
use clap::{builder::RangedI64ValueParser, Args};
use futures::{future::join_all, lock::Mutex};
use highway_offchain_worker::tensors;
use highway_primitives::{
	job::{MAX_QUORUM, MIN_QUORUM},
	Balance, BlobRef, ModelId, MAX_INPUTS, MIN_INPUTS,
};
use highway_runtime_api::types::{ModelInfo, Quote};
use indicatif::MultiProgress;
use quorum::Doubt;
use run::{Input, Outcome, Outcomes, Run};
use sp_core::crypto::AccountId32;
use std::{
	collections::BTreeMap,
	fs,
	io::{self, IsTerminal},
	path::{Path, PathBuf},
};

/// Shown below the help of `infer`.
const INFER_EXAMPLES: &str = "\
Examples:
  highway infer //Alice/magika --file photo.png
  highway --json infer 0 --file a.bin b.bin c.bin --max-price 0.01
  highway infer //Alice/magika --file *.bin --batch
  highway infer 3 --input in.safetensors --output out.safetensors
  highway infer 3 --input a.safetensors b.safetensors --batch --output FOLDER
  highway infer 3 --input in.safetensors --quorum 3 --audit-dissent

The price is taken when the job is submitted and given back if no node does it.
Every output is checked against the hash on chain before anything of it is shown.
With --batch, all files are one job: one node does all of them or none, in one transaction each way, for one price. An audit
looks at one of them, which nobody knows before. The outputs are written as 0.safetensors and so on, in the order of the files.
With --quorum, nodes of as many operators run each input, and the result is what more than half of them agree on, value by
value within the model's policy; without such a majority nothing is written (exit code 6). Royalties, storage and curator are
paid once, compute and audits for each.
If the command is cut off, `highway job watch JOB` goes on; `highway job list` finds the job.";

/// Jobs to run.
#[derive(Args, Debug)]
#[command(after_help = INFER_EXAMPLES)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["file", "input"])))]
pub struct InferArgs {
	/// The model: its id, OWNER/NAME, or the name of one of your own.
	pub model: String,
	/// Plain files, made into inputs by the model's recipe. Several are as many jobs, which run side by side.
	#[arg(long, value_name = "FILE", num_args = 1..)]
	pub file: Vec<PathBuf>,
	/// An input as a safetensors file, for models without a recipe. Several with --batch.
	#[arg(long, value_name = "FILE", num_args = 1..)]
	pub input: Vec<PathBuf>,
	/// Where to write the output, a safetensors file; with --batch a folder, which is made.
	#[arg(long, value_name = "PATH", requires = "input")]
	pub output: Option<PathBuf>,
	/// Makes one job of all files, 2 to 256 of them, with one price, one node and one audit at most.
	#[arg(long, conflicts_with = "quorum")]
	pub batch: bool,
	/// The most to pay per job, per batch or per quorum, in AIC; by default what the quote says.
	#[arg(long, value_parser = parse_amount, value_name = "AIC")]
	pub max_price: Option<Balance>,
	/// Who chose the model for you, and gets its posted fee.
	#[arg(long, value_name = "ACCOUNT")]
	pub curator: Option<String>,
	/// Only submits; `highway job watch` fetches the output later.
	#[arg(long)]
	pub detach: bool,
	/// Lets nodes of so many operators run each input, 2 to 7, and takes what more than half of them agree on.
	#[arg(long, value_name = "NODES", conflicts_with = "detach", value_parser = parse_quorum())]
	pub quorum: Option<u8>,
	/// Asks for the audit of each job whose output dissents: a bond of twice its compute line, which comes back unless the
	/// output was right.
	#[arg(long, requires = "quorum")]
	pub audit_dissent: bool,
	/// Puts down such bonds without asking.
	#[arg(long, requires = "audit_dissent")]
	pub yes: bool,
}

/// For clap: the size of a quorum.
fn parse_quorum() -> RangedI64ValueParser<u8> {
	clap::value_parser!(u8).range(i64::from(MIN_QUORUM)..=i64::from(MAX_QUORUM))
}

/// For clap: the number of inputs of a batch.
fn parse_inputs() -> RangedI64ValueParser<u16> {
	clap::value_parser!(u16).range(i64::from(MIN_INPUTS)..=i64::from(MAX_INPUTS))
}

/// A file, by its place on the command line.
type File = (usize, PathBuf);

/// What goes through together: a file, or those of a batch that need the model.
struct Item {
	/// In the order of the inputs.
	files: Vec<File>,
	prepared: Prepared,
}

impl Item {
	/// A file alone.
	fn alone(place: usize, path: &Path, prepared: Prepared) -> Self {
		Self {
			files: vec![(place, path.into())],
			prepared,
		}
	}

	/// What it is called on the screen.
	fn name(&self) -> String {
		match self.files.as_slice() {
			[(_, path)] => path.display().to_string(),
			files => plural(files.len(), "file"),
		}
	}

	/// How many inputs its job has.
	fn inputs(&self) -> u16 {
		u16::try_from(self.files.len()).unwrap_or(u16::MAX)
	}

	fn input(&self) -> Option<&[u8]> {
		match &self.prepared {
			Prepared::Input(bytes) => Some(bytes),
			Prepared::Answer(_) => None,
		}
	}
}

/// `highway infer`
pub async fn infer(context: &Context, args: InferArgs) -> Result<(), CommandError> {
	ensure_countable(&args)?;
	match &args.output {
		Some(folder) if args.batch => bundle::ensure_room_beside(folder, &args.input)?,
		Some(path) => ensure_writable(path)?,
		None => {}
	}
	let doubts = doubts(&args, io::stdin().is_terminal())?;
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let curator = curator(context, &client, args.curator.as_deref(), Some(&signer.account()))?;
	let model = context.model(&client, &args.model).await?;
	if model.deprecated {
		return Err(CommandError::NotFound(format!(
			"model {} is deprecated and takes no new jobs",
			model.id
		)));
	}
	let recipe = if args.file.is_empty() {
		None
	} else {
		Some(fetch_recipe(context, &client, &model).await?)
	};
	let mut items = prepare(&args, recipe.as_deref(), &model)?;
	if args.batch {
		items = in_a_batch(items)?;
	}

	// What it costs, whether that can be paid and whether the chain would take it: before anything is sent.
	let prices = prices(&client, &model, &items, curator.as_ref(), &args).await?;
	let gateway = node::connected(&client).await;
	let wanted: Vec<Option<[calls::Call; 1]>> = items
		.iter()
		.map(|item| {
			let input = BlobRef::of(item.input()?);
			let max = args.max_price.or_else(|| prices.get(&input.size).copied())?;
			Some([match args.quorum {
				Some(size) => calls::submit_quorum(size, model.id, input, max, gateway, curator.clone()),
				None if args.batch => {
					calls::submit_batch(model.id, input, item.inputs(), max, gateway, curator.clone())
				}
				None => calls::submit_job(model.id, input, max, gateway, curator.clone()),
			}])
		})
		.collect();
	if let Some(first) = wanted.iter().flatten().next() {
		let submissions = wanted.iter().flatten().count() as u128;
		let fees = client.fee(&signer, first).await?.saturating_mul(submissions);
		let total: Balance = items
			.iter()
			.filter_map(|item| prices.get(&(item.input()?.len() as u64)))
			.fold(fees, |sum, price| sum.saturating_add(*price));
		ensure_can_pay(&client, &signer.account(), total, true).await?;
		client.try_out(&signer, first).await?;
	}

	put_inputs(context.output, &client, &items).await?;

	// One after another, so that the nonces follow one another in the pool; then all are waited for side by side.
	let jobs = items.len() * usize::from(args.quorum.unwrap_or(1));
	let bars = MultiProgress::new();
	let spinner = context
		.output
		.spinner_among(&bars, format!("{} of model {}", plural(jobs, "job"), model.id));
	let mut nonce = client.next_nonce(&signer.account()).await?;
	let mut sent = Vec::new();
	for wanted in &wanted {
		sent.push(match wanted {
			None => None,
			Some(call) => {
				let result = client.send(&signer, call, nonce).await;
				if result.is_ok() {
					nonce += 1;
				}
				Some(result)
			}
		});
	}
	let run = Run {
		output: context.output,
		client: &client,
		payer: signer.account(),
		signer: &signer,
		model: &model,
		recipe: recipe.as_deref(),
		to: args.output.as_deref(),
		detach: args.detach,
		doubts,
		turn: Mutex::new(()),
		wait: context.wait(),
		bars,
		spinner,
	};
	let in_quorums = args.quorum.is_some();
	let work = items.into_iter().zip(sent).map(|(item, sent)| {
		let run = &run;
		async move {
			let (name, inputs) = (item.name(), item.inputs());
			let outcomes = match (sent, item.prepared) {
				(Some(Ok(pending)), Prepared::Input(input)) => {
					let blob = BlobRef::of(&input);
					let input = Input { blob, inputs };
					match in_quorums {
						true => {
							let outcome = run.finish_quorum(&name, input, pending).await;
							outcome.map(|outcome| vec![Ok(outcome)])
						}
						false => run.finish(&name, input, pending).await,
					}
				}
				(Some(Err(error)), _) => Err(error.into()),
				(_, Prepared::Answer(answer)) => Ok(vec![Ok(Outcome::Answer(answer))]),
				(None, Prepared::Input(_)) => unreachable!("every input has a call; qed"),
			};
			(item.files, outcomes)
		}
	});
	let outcomes = join_all(work).await;
	run.spinner.finish_and_clear();
	show::show(context, of_each_file(outcomes)?)
}

/// Error if the files are not as many as are wanted of a batch, or without one.
fn ensure_countable(args: &InferArgs) -> Result<(), CommandError> {
	match args.batch {
		true => bundle::ensure_count(args.file.len() + args.input.len()),
		false if args.input.len() > 1 => Err(CommandError::Usage(
			"several inputs are one job with --batch; without it say `highway infer` once for each".into(),
		)),
		false => Ok(()),
	}
}

/// One item of all files that need the model, behind those that need none. Error if that is one file alone, or too much for a
/// job.
fn in_a_batch(items: Vec<Item>) -> Result<Vec<Item>, CommandError> {
	let all = items.len();
	let (mut batched, mut files, mut inputs) = (Vec::new(), Vec::new(), Vec::new());
	for item in items {
		match item.prepared {
			Prepared::Input(input) => {
				files.extend(item.files);
				inputs.push(input);
			}
			Prepared::Answer(_) => batched.push(item),
		}
	}
	match inputs.len() {
		0 => {}
		1 => {
			return Err(CommandError::Usage(format!(
				"of the {all} files one alone needs the model, and a batch has at least {MIN_INPUTS} inputs: leave out --batch"
			)))
		}
		_ => batched.push(Item {
			files,
			prepared: Prepared::Input(bundle::put_together(&inputs)?),
		}),
	}
	Ok(batched)
}

/// What became of each file, in the order of the command line. Error if a batch came to nothing: there is nothing else to show.
fn of_each_file(
	outcomes: Vec<(Vec<File>, Result<Outcomes, CommandError>)>,
) -> Result<Vec<(PathBuf, Result<Outcome, CommandError>)>, CommandError> {
	let mut told = Vec::new();
	for (files, outcomes) in outcomes {
		match outcomes {
			Ok(outcomes) => told.extend(files.into_iter().zip(outcomes)),
			Err(error) => match <[File; 1]>::try_from(files) {
				Ok([file]) => told.push((file, Err(error))),
				Err(_) => return Err(error),
			},
		}
	}
	told.sort_by_key(|((place, _), _)| *place);
	Ok(told.into_iter().map(|((_, path), outcome)| (path, outcome)).collect())
}

/// What is to be done about outputs that dissent. Error if somebody would have to be asked, and nobody is there.
fn doubts(args: &InferArgs, somebody_is_there: bool) -> Result<Doubt, CommandError> {
	match (args.audit_dissent, args.yes) {
		(false, _) => Ok(Doubt::Name),
		(true, true) => Ok(Doubt::Audit),
		(true, false) if somebody_is_there => Ok(Doubt::Ask),
		(true, false) => Err(CommandError::Usage(
			"nobody is there to be asked before a bond is put down: add --yes to --audit-dissent".into(),
		)),
	}
}

/// Whom the payer names as its curator. Who names itself pays nothing for that: the chain leaves the line out of the bill,
/// and so does the quote.
fn curator(
	context: &Context,
	client: &Client,
	named: Option<&str>,
	payer: Option<&AccountId32>,
) -> Result<Option<AccountId32>, CommandError> {
	let named = named.map(|text| context.account(client, text)).transpose()?;
	if named.is_some() && named.as_ref() == payer {
		context
			.output
			.remark("you name yourself as the curator: nothing is paid for that");
		return Ok(None);
	}
	Ok(named)
}

/// The model's recipe with its file, checked against the chain.
async fn fetch_recipe(
	context: &Context,
	client: &Client,
	model: &ModelInfo<AccountId32>,
) -> Result<Box<dyn Recipe>, CommandError> {
	let Some(recipe) = &model.spec.recipe else {
		return Err(CommandError::Usage(format!(
			"model {} has no recipe for plain files: give its input as a safetensors file with --input",
			model.id
		)));
	};
	let name = std::str::from_utf8(&recipe.name).unwrap_or_default();
	if !recipes::KNOWN.contains(&name) {
		return Err(recipes::RecipeError::Unknown(plain(&recipe.name)).into());
	}
	let bar = context.output.bytes_bar("recipe");
	let config = super::fetch(&mut client.clone(), &recipe.config, BlobOwner::Model(model.id), &bar).await;
	bar.finish_and_clear();
	Ok(recipes::load(&recipe.name, &config?)?)
}

fn prepare(
	args: &InferArgs,
	recipe: Option<&dyn Recipe>,
	model: &ModelInfo<AccountId32>,
) -> Result<Vec<Item>, CommandError> {
	let mut items = Vec::new();
	if let Some(recipe) = recipe {
		for (place, path) in args.file.iter().enumerate() {
			items.push(Item::alone(place, path, recipe.prepare(path, &model.spec)?));
		}
	}
	for (place, path) in args.input.iter().enumerate() {
		let bytes = fs::read(path).map_err(|source| file_error(path, source))?;
		// Nodes would find it invalid too, but after it was paid.
		tensors::parse(&bytes)
			.and_then(|tensors| tensors::check_against(&tensors, &model.spec.inputs))
			.map_err(|source| CommandError::Tensors {
				what: path.display().to_string(),
				source,
			})?;
		items.push(Item::alone(place, path, Prepared::Input(bytes)));
	}
	Ok(items)
}

/// The price for each size of input. Error if it is too dear, or too few nodes would take a job.
async fn prices(
	client: &Client,
	model: &ModelInfo<AccountId32>,
	items: &[Item],
	curator: Option<&AccountId32>,
	args: &InferArgs,
) -> Result<BTreeMap<u64, Balance>, CommandError> {
	let mut prices = BTreeMap::new();
	for item in items {
		let Some(size) = item.input().map(|input| input.len() as u64) else {
			continue;
		};
		if prices.contains_key(&size) {
			continue;
		}
		let quote = quoted(client, model.id, size, item.inputs(), curator, args.quorum).await?;
		let Quote { price, executors, .. } = quote;
		if let Some(max) = args.max_price.filter(|max| *max < price) {
			return Err(CommandError::TooDear { price, max });
		}
		match args.quorum {
			None if executors == 0 => return Err(CommandError::NobodyFree(model.id)),
			Some(wanted) if executors < u32::from(wanted) => {
				return Err(CommandError::TooFewFree {
					model: model.id,
					free: executors,
					wanted,
				})
			}
			_ => {}
		}
		prices.insert(size, price);
	}
	Ok(prices)
}

/// What a job of so many inputs, or a quorum of this size, costs now.
async fn quoted(
	client: &Client,
	model: ModelId,
	input_size: u64,
	inputs: u16,
	curator: Option<&AccountId32>,
	quorum: Option<u8>,
) -> Result<Quote<AccountId32>, CommandError> {
	Ok(match quorum {
		Some(size) => client.quote_quorum(model, input_size, curator, size).await?,
		None => client.quote_batch(model, input_size, inputs, curator).await?,
	})
}

async fn put_inputs(output: Output, client: &Client, items: &[Item]) -> Result<(), CommandError> {
	for item in items {
		if let Some(input) = item.input() {
			let bar = output.bytes_bar(item.name());
			let put = blobs::put(client.rpc(), input, &bar).await;
			bar.finish_and_clear();
			put?;
		}
	}
	Ok(())
}

fn plural(count: usize, what: &str) -> String {
	format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		args::{Cli, Command},
		recipes::Answer,
	};
	use clap::Parser;

	fn parsed(words: &str) -> Result<InferArgs, clap::Error> {
		let line = format!("highway infer 1 --file a {words}");
		match Cli::try_parse_from(line.split_whitespace())?.command {
			Command::Infer(args) => Ok(args),
			_ => panic!("another command"),
		}
	}

	#[test]
	fn quorums_should_have_two_to_seven_nodes_and_somebody_who_waits() {
		for size in 2..=7 {
			let args = parsed(&format!("--quorum {size}")).unwrap();
			assert_eq!(args.quorum, Some(size));
		}
		for wrong in [
			"--quorum 1",
			"--quorum 8",
			"--quorum 300",
			"--quorum 3 --detach",
			"--audit-dissent",
			"--quorum 3 --yes",
		] {
			assert!(parsed(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn batches_should_have_two_to_256_files_and_no_quorum() {
		assert!(parsed("--batch --quorum 3").is_err());
		let refused = |args: &InferArgs| ensure_countable(args).unwrap_err().to_string();
		let files = |count: usize| parsed(&format!("{} --batch", "b ".repeat(count - 1))).unwrap();
		for count in [2, 256] {
			assert!(ensure_countable(&files(count)).is_ok(), "{count}");
		}
		assert!(refused(&files(1)).contains("leave out --batch"));
		assert!(refused(&files(257)).contains("several batches"));
		assert!(ensure_countable(&parsed("b c").unwrap()).is_ok(), "as many jobs");
	}

	#[test]
	fn several_inputs_should_be_one_job_or_be_refused() {
		let parse = |words: &str| {
			let line = format!("highway infer 1 --input a b {words}");
			match Cli::try_parse_from(line.split_whitespace()).unwrap().command {
				Command::Infer(args) => args,
				_ => panic!("another command"),
			}
		};
		assert!(ensure_countable(&parse("--batch --output folder")).is_ok());
		let refused = ensure_countable(&parse("--output file")).unwrap_err();
		assert!(matches!(&refused, CommandError::Usage(text) if text.contains("--batch")));
	}

	fn answer() -> Prepared {
		Prepared::Answer(Answer {
			label: "empty".into(),
			score: None,
			note: None,
			choices: Vec::new(),
		})
	}

	fn items(prepared: impl IntoIterator<Item = Prepared>) -> Vec<Item> {
		let of_each = prepared.into_iter().enumerate();
		of_each
			.map(|(place, prepared)| Item::alone(place, Path::new("f"), prepared))
			.collect()
	}

	#[test]
	fn a_batch_should_be_of_the_files_that_need_the_model() {
		let input = |byte| Prepared::Input(vec![byte; 3]);
		let batched = in_a_batch(items([input(1), answer(), input(2)])).unwrap();
		let bundle = bundle::put_together(&[[1u8; 3], [2; 3]]).unwrap();
		assert_eq!(batched.len(), 2);
		assert!(batched[0].input().is_none());
		assert_eq!((batched[1].input(), batched[1].inputs()), (Some(&bundle[..]), 2));
		assert_eq!(batched[1].name(), "2 files");
		let places: Vec<_> = batched[1].files.iter().map(|(place, _)| *place).collect();
		assert_eq!(places, [0, 2]);
		assert_eq!(in_a_batch(items([answer(), answer()])).unwrap().len(), 2);
		let Err(refused) = in_a_batch(items([answer(), input(1)])) else {
			panic!("one input is no batch")
		};
		assert!(matches!(&refused, CommandError::Usage(text) if text.contains("leave out --batch")));
	}

	#[test]
	fn what_became_of_files_should_be_told_in_their_order() {
		let file = |place: usize| (place, PathBuf::from(place.to_string()));
		let submitted = |index| {
			Ok(Outcome::Submitted {
				job: 7,
				index,
				inputs: 2,
				is_final: false,
			})
		};
		let batch = (vec![file(0), file(2)], Ok(vec![submitted(0), submitted(1)]));
		let alone = (vec![file(1)], Err(CommandError::NotFound("x".into())));
		let told = of_each_file(vec![alone, batch]).unwrap();
		let names: Vec<_> = told.iter().map(|(path, _)| path.display().to_string()).collect();
		assert_eq!(names, ["0", "1", "2"]);
		assert!(told[1].1.is_err() && matches!(told[2].1, Ok(Outcome::Submitted { index: 1, .. })));
		let lost = (vec![file(0), file(1)], Err(CommandError::NotFound("x".into())));
		assert!(matches!(of_each_file(vec![lost]), Err(CommandError::NotFound(_))));
	}

	#[test]
	fn bonds_should_be_put_down_only_by_who_says_so() {
		let told = |words: &str, there| doubts(&parsed(words).unwrap(), there);
		assert_eq!(told("--quorum 3", false).unwrap(), Doubt::Name);
		assert_eq!(told("--quorum 3 --audit-dissent", true).unwrap(), Doubt::Ask);
		assert_eq!(told("--quorum 3 --audit-dissent --yes", false).unwrap(), Doubt::Audit);
		let refused = told("--quorum 3 --audit-dissent", false).unwrap_err();
		assert!(matches!(&refused, CommandError::Usage(text) if text.contains("--yes")));
	}
}
