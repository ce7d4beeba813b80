//! `highway quote` and `highway infer`

use super::{job, node};
use crate::{
	amount::{decimal, with_unit},
	args::parse_amount,
	blobs,
	client::{calls, Client, Included, Pending, Wait},
	context::Context,
	error::{ensure_can_pay, CommandError},
	output::{plain, table, Output},
	recipes::{self, Answer, Prepared, Recipe},
};
use clap::Args;
use futures::future::join_all;
use highway_offchain_worker::tensors;
use highway_primitives::{Balance, BlobRef, JobId};
use highway_runtime_api::types::{JobInfo, ModelInfo, Quote};
use indicatif::ProgressBar;
use serde_json::{json, Value};
use sp_core::crypto::AccountId32;
use std::{
	collections::BTreeMap,
	fs,
	path::{Path, PathBuf},
	time::Duration,
};

/// Shown below the help of `infer`.
const INFER_EXAMPLES: &str = "\
Examples:
  highway infer //Alice/magika --file photo.png
  highway --json infer 0 --file a.bin b.bin c.bin --max-price 0.01
  highway infer 3 --input in.safetensors --output out.safetensors

The price is taken when the job is submitted and given back if no node does it.
Every output is checked against the hash on chain before anything of it is shown.";

/// Attempts to fetch an output: the executor may need a moment to be found.
const FETCH_ATTEMPTS: u32 = 10;

/// Between two of them.
const FETCH_PAUSE: Duration = Duration::from_secs(2);

/// What a job would cost.
#[derive(Args, Debug)]
pub struct QuoteArgs {
	/// The model: its id or OWNER/NAME.
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
	/// Who chose the model for you, and gets its posted fee.
	#[arg(long, value_name = "ACCOUNT")]
	pub curator: Option<String>,
}

/// Jobs to run.
#[derive(Args, Debug)]
#[command(after_help = INFER_EXAMPLES)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["file", "input"])))]
pub struct InferArgs {
	/// The model: its id or OWNER/NAME.
	pub model: String,
	/// Plain files, made into inputs by the model's recipe. Several run side by side.
	#[arg(long, value_name = "FILE", num_args = 1..)]
	pub file: Vec<PathBuf>,
	/// An input as a safetensors file, for models without a recipe.
	#[arg(long, value_name = "FILE")]
	pub input: Option<PathBuf>,
	/// Where to write the output, a safetensors file.
	#[arg(long, value_name = "FILE", requires = "input")]
	pub output: Option<PathBuf>,
	/// The most to pay per job, in AIC; by default what the quote says.
	#[arg(long, value_parser = parse_amount, value_name = "AIC")]
	pub max_price: Option<Balance>,
	/// Who chose the model for you, and gets its posted fee.
	#[arg(long, value_name = "ACCOUNT")]
	pub curator: Option<String>,
	/// Only submits; `highway job watch` fetches the output later.
	#[arg(long)]
	pub detach: bool,
}

/// A file on its way through.
struct Item {
	path: PathBuf,
	prepared: Prepared,
}

impl Item {
	fn input(&self) -> Option<&[u8]> {
		match &self.prepared {
			Prepared::Input(bytes) => Some(bytes),
			Prepared::Answer(_) => None,
		}
	}
}

/// What became of a file.
enum Outcome {
	/// Answered here, without a job.
	Answer(Answer),
	/// Submitted, not waited for.
	Submitted(JobId),
	/// Done.
	Done {
		job: Box<JobInfo<AccountId32>>,
		output: Vec<u8>,
		answer: Option<Answer>,
	},
}

/// `highway quote`
pub async fn quote(context: &Context, args: QuoteArgs) -> Result<(), CommandError> {
	let curator = args
		.curator
		.as_deref()
		.map(|curator| context.account(curator))
		.transpose()?;
	let client = context.connect().await?;
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
		(_, _, Some(input)) => fs::metadata(input)
			.map_err(|source| CommandError::File {
				path: input.clone(),
				source,
			})?
			.len(),
		_ => 1024,
	};
	let quote = client.quote(model.id, size, curator.as_ref()).await?;
	context.output.result(
		json!({
			"model": model.id,
			"inputSize": size,
			"units": quote.units,
			"price": decimal(quote.price),
			"epoch": quote.epoch,
			"validUntil": quote.valid_until,
			"deadlineBlocks": quote.deadline,
			"executors": quote.executors,
			"lines": quote.lines.iter().map(job::line_json).collect::<Vec<_>>(),
		}),
		|| {
			format!(
				"One job of model {} ({}) with {size} bytes of input: {}\n{}\n\
				holds until block {}; {} nodes can take it now, and have {} blocks for it",
				model.id,
				plain(&model.name),
				with_unit(quote.price),
				job::lines_table(&quote.lines, "whoever it falls to"),
				quote.valid_until,
				quote.executors,
				quote.deadline
			)
		},
	);
	Ok(())
}

/// `highway infer`
pub async fn infer(context: &Context, args: InferArgs) -> Result<(), CommandError> {
	let signer = context.signer()?;
	let curator = args
		.curator
		.as_deref()
		.map(|curator| context.account(curator))
		.transpose()?;
	let client = context.connect().await?;
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
	let items = prepare(&args, recipe.as_deref(), &model)?;

	// What it costs and whether that can be paid: before anything is sent.
	let prices = prices(&client, &model, &items, curator.as_ref(), args.max_price).await?;
	let gateway = node::connected(&client).await;
	let wanted: Vec<Option<[calls::Call; 1]>> = items
		.iter()
		.map(|item| {
			let input = BlobRef::of(item.input()?);
			let max = args.max_price.or_else(|| prices.get(&input.size).copied())?;
			Some([calls::submit_job(model.id, input, max, gateway, curator.clone())])
		})
		.collect();
	if let Some(first) = wanted.iter().flatten().next() {
		let jobs = wanted.iter().flatten().count() as u128;
		let fees = client.fee(&signer, first).await?.saturating_mul(jobs);
		let total: Balance = items
			.iter()
			.filter_map(|item| prices.get(&(item.input()?.len() as u64)))
			.fold(fees, |sum, price| sum.saturating_add(*price));
		ensure_can_pay(&client, &signer.account(), total, true).await?;
	}

	put_inputs(context.output, &client, &items).await?;

	// One after another, so that the nonces follow one another in the pool; then all are waited for side by side.
	let spinner = context
		.output
		.spinner(format!("{} of model {}", plural(items.len(), "job"), model.id));
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
	let (detach, wait) = (args.detach, context.wait());
	let work = items.into_iter().zip(sent).map(|(item, sent)| {
		let (client, model, recipe, spinner) = (&client, &model, recipe.as_deref(), &spinner);
		async move {
			let outcome = match (sent, item.prepared) {
				(Some(Ok(pending)), Prepared::Input(input)) => {
					let input = BlobRef::of(&input);
					finish(client, model, recipe, input, pending, detach, wait, spinner).await
				}
				(Some(Err(error)), _) => Err(error.into()),
				(_, Prepared::Answer(answer)) => Ok(Outcome::Answer(answer)),
				(None, Prepared::Input(_)) => unreachable!("every input has a call; qed"),
			};
			(item.path, outcome)
		}
	});
	let outcomes = join_all(work).await;
	spinner.finish_and_clear();
	show(context, args.output.as_deref(), outcomes)
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
	let config = fetch(client, &recipe.config, None, &bar).await;
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
		for path in &args.file {
			items.push(Item {
				path: path.clone(),
				prepared: recipe.prepare(path, &model.spec)?,
			});
		}
	}
	if let Some(path) = &args.input {
		let bytes = fs::read(path).map_err(|source| CommandError::File {
			path: path.clone(),
			source,
		})?;
		// Nodes would find it invalid too, but after it was paid.
		tensors::parse(&bytes)
			.and_then(|tensors| tensors::check_against(&tensors, &model.spec.inputs))
			.map_err(|source| CommandError::Tensors {
				what: path.display().to_string(),
				source,
			})?;
		items.push(Item {
			path: path.clone(),
			prepared: Prepared::Input(bytes),
		});
	}
	Ok(items)
}

/// The price for each size of input.
async fn prices(
	client: &Client,
	model: &ModelInfo<AccountId32>,
	items: &[Item],
	curator: Option<&AccountId32>,
	max: Option<Balance>,
) -> Result<BTreeMap<u64, Balance>, CommandError> {
	let mut prices = BTreeMap::new();
	for input in items.iter().filter_map(Item::input) {
		let size = input.len() as u64;
		if prices.contains_key(&size) {
			continue;
		}
		let Quote { price, .. } = client.quote(model.id, size, curator).await?;
		if let Some(max) = max.filter(|max| *max < price) {
			return Err(CommandError::TooDear { price, max });
		}
		prices.insert(size, price);
	}
	Ok(prices)
}

async fn put_inputs(output: Output, client: &Client, items: &[Item]) -> Result<(), CommandError> {
	for item in items {
		if let Some(input) = item.input() {
			let bar = output.bytes_bar(item.path.display().to_string());
			let put = blobs::put(client, input, &bar).await;
			bar.finish_and_clear();
			put?;
		}
	}
	Ok(())
}

/// From the pool to the checked output.
async fn finish(
	client: &Client,
	model: &ModelInfo<AccountId32>,
	recipe: Option<&dyn Recipe>,
	input: BlobRef,
	mut pending: Pending,
	detach: bool,
	wait: Wait,
	spinner: &ProgressBar,
) -> Result<Outcome, CommandError> {
	let number = |included: Included| -> Result<JobId, CommandError> {
		let id = included.number("InferenceJobs", "job")?;
		Ok(JobId::try_from(id).unwrap_or(JobId::MAX))
	};
	let mut id = number(pending.next_included(wait).await?)?;
	if detach {
		return Ok(Outcome::Submitted(id));
	}
	let follow = |id: JobId| {
		job::until_output(client, id, move |job| {
			let executor = job
				.executor
				.map_or_else(|| "nobody".into(), |node| format!("node {node}"));
			spinner.set_message(format!("job {}: {:?}, {executor}", job.id, job.phase));
		})
	};
	let ours = |job: &JobInfo<AccountId32>| job.input == input && job.model == model.id;
	let mut job = follow(id).await;
	if wait == Wait::InBlock && !job.as_ref().is_ok_and(ours) {
		// A reorganisation gave the id to somebody else's job: what is final tells ours.
		id = number(pending.next_included(Wait::Finalized).await?)?;
		job = follow(id).await;
	}
	let job = job?;
	let Some(blob) = job.output else {
		return Err(job::ended(&job));
	};
	let output = fetch(client, &blob, Some(id), &ProgressBar::hidden()).await?;
	let answer = recipe.map(|recipe| recipe.answer(&output, &model.spec)).transpose()?;
	Ok(Outcome::Done {
		job: Box::new(job),
		output,
		answer,
	})
}

/// Fetches a blob, more than once if it is not there yet.
async fn fetch(
	client: &Client,
	blob: &BlobRef,
	job: Option<JobId>,
	bar: &ProgressBar,
) -> Result<Vec<u8>, blobs::BlobError> {
	let mut attempt = 1;
	loop {
		bar.set_position(0);
		match blobs::get(client, blob, job, bar).await {
			Err(blobs::BlobError::Missing { .. }) if attempt < FETCH_ATTEMPTS => {
				attempt += 1;
				tokio::time::sleep(FETCH_PAUSE).await;
			}
			done => return done,
		}
	}
}

fn plural(count: usize, what: &str) -> String {
	format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn answer_json(answer: &Answer) -> Value {
	json!({
		"label": answer.label,
		"score": answer.score,
		"note": answer.note,
		"choices": answer.choices.iter().map(|(label, score)| json!({ "label": label, "score": score })).collect::<Vec<_>>(),
	})
}

fn show(
	context: &Context,
	path: Option<&Path>,
	outcomes: Vec<(PathBuf, Result<Outcome, CommandError>)>,
) -> Result<(), CommandError> {
	let all = outcomes.len();
	let mut failed = Vec::new();
	let (mut json, mut text) = (Vec::new(), Vec::new());
	for (file, outcome) in outcomes {
		let name = file.display().to_string();
		match outcome {
			Ok(outcome) => {
				let (value, shown) = shown(&name, &outcome, path)?;
				json.push(value);
				text.push(shown);
			}
			Err(error) => {
				json.push(json!({ "file": name, "error": { "kind": error.kind(), "message": error.to_string() } }));
				if all > 1 {
					context.output.remark(format!("{name}: error: {error}"));
				}
				failed.push(error);
			}
		}
	}
	match (failed.pop(), all) {
		// The one error is the command's: it is shown and coded as such.
		(Some(error), 1) => Err(error),
		(last, _) => {
			context.output.result(json!({ "results": json }), || text.join("\n"));
			match last {
				Some(_) => Err(CommandError::SomeFailed {
					failed: failed.len() + 1,
					all,
				}),
				None => Ok(()),
			}
		}
	}
}

fn shown(name: &str, outcome: &Outcome, path: Option<&Path>) -> Result<(Value, String), CommandError> {
	let (mut value, text) = match outcome {
		Outcome::Answer(answer) => (answer_json(answer), answer_text(name, answer, "nothing was paid")),
		Outcome::Submitted(id) => (
			json!({ "job": id }),
			format!("{name}: job {id}; follow it with: highway job watch {id} --output out.safetensors"),
		),
		Outcome::Done { job, output, answer } => {
			let mut value = answer.as_ref().map_or_else(|| json!({}), answer_json);
			value["job"] = json!(job.id);
			value["price"] = json!(decimal(job.price));
			value["executor"] = json!(job.executor);
			value["output"] = job.output.map_or(
				Value::Null,
				|blob| json!({ "hash": format!("{:?}", blob.hash), "size": blob.size }),
			);
			let executor = job
				.executor
				.map_or_else(|| "nobody".into(), |node| format!("node {node}"));
			let source = format!("job {}, by {executor}, for {}", job.id, with_unit(job.price));
			let text = match answer {
				Some(answer) => answer_text(name, answer, &source),
				None => {
					let tensors = tensors::parse(output).map_err(|source| CommandError::Tensors {
						what: "the output".into(),
						source,
					})?;
					value["tensors"] = tensors
						.iter()
						.map(
							|tensor| json!({ "name": tensor.name, "dtype": format!("{:?}", tensor.dtype), "shape": tensor.shape }),
						)
						.collect();
					let rows = table(
						["output", "type", "shape"],
						tensors.iter().map(|tensor| {
							[
								plain(tensor.name.as_bytes()),
								format!("{:?}", tensor.dtype),
								format!("{:?}", tensor.shape),
							]
						}),
					);
					let written = match path {
						Some(path) => {
							fs::write(path, output).map_err(|source| CommandError::File {
								path: path.into(),
								source,
							})?;
							format!("\nwritten to {}", path.display())
						}
						None => "\nnot written: name a file with --output".into(),
					};
					format!("{name}: {source}\n{rows}{written}")
				}
			};
			(value, text)
		}
	};
	value["file"] = json!(name);
	Ok((value, text))
}

fn answer_text(name: &str, answer: &Answer, source: &str) -> String {
	let score = answer
		.score
		.map_or(String::new(), |score| format!(" ({:.1} %)", score * 100.0));
	let note = answer.note.as_ref().map_or(String::new(), |note| format!("\n{note}"));
	let choices = if answer.choices.is_empty() {
		String::new()
	} else {
		let rows = answer
			.choices
			.iter()
			.map(|(label, score)| [plain(label.as_bytes()), format!("{:.3} %", score * 100.0)]);
		format!("\n{}", table(["choice", "score"], rows))
	};
	format!(
		"{name}: {}{score}\n{source}{note}{choices}\n",
		plain(answer.label.as_bytes())
	)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{args::Cli, client::ClientError};
	use clap::Parser;

	fn answered(label: &str) -> Result<Outcome, CommandError> {
		Ok(Outcome::Answer(Answer {
			label: label.into(),
			score: None,
			note: None,
			choices: Vec::new(),
		}))
	}

	fn context() -> Context {
		Context::new(Cli::parse_from(["highway", "--json", "balance"]).global)
	}

	#[test]
	fn show_should_keep_the_error_when_there_was_one_file() {
		let outcome = Err(CommandError::Client(ClientError::Lost));
		assert!(matches!(
			show(&context(), None, vec![("a".into(), outcome)]),
			Err(CommandError::Client(_))
		));
		assert!(show(&context(), None, vec![("a".into(), answered("empty"))]).is_ok());
	}

	#[test]
	fn show_should_count_when_some_of_several_files_failed() {
		let outcomes = vec![
			("a".into(), answered("empty")),
			("b".into(), Err(CommandError::Client(ClientError::Lost))),
			("c".into(), answered("txt")),
		];
		assert!(matches!(
			show(&context(), None, outcomes),
			Err(CommandError::SomeFailed { failed: 1, all: 3 })
		));
	}

	#[test]
	fn answers_should_show_label_score_and_choices() {
		let answer = Answer {
			label: "png".into(),
			score: Some(0.987),
			note: None,
			choices: vec![("png".into(), 0.987), ("jpeg".into(), 0.01)],
		};
		let text = answer_text("a.bin", &answer, "job 7");
		assert!(
			text.starts_with("a.bin: png (98.7 %)\njob 7") && text.contains("jpeg"),
			"{text}"
		);
	}
}
