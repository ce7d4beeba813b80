//! `highway quote` and `highway infer`

mod quote;
mod run;
mod show;

pub use quote::{quote, QuoteArgs};

use super::{ensure_writable, file_error, node};
use crate::{
	args::parse_amount,
	blobs::{self, BlobOwner},
	client::{calls, Client},
	context::Context,
	error::{ensure_can_pay, CommandError},
	output::{plain, Output},
	recipes::{self, Prepared, Recipe},
};
use clap::Args;
use futures::future::join_all;
use highway_offchain_worker::tensors;
use highway_primitives::{Balance, BlobRef};
use highway_runtime_api::types::{ModelInfo, Quote};
use indicatif::MultiProgress;
use run::{Outcome, Run};
use sp_core::crypto::AccountId32;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Shown below the help of `infer`.
const INFER_EXAMPLES: &str = "\
Examples:
  highway infer //Alice/magika --file photo.png
  highway --json infer 0 --file a.bin b.bin c.bin --max-price 0.01
  highway infer 3 --input in.safetensors --output out.safetensors

The price is taken when the job is submitted and given back if no node does it.
Every output is checked against the hash on chain before anything of it is shown.
If the command is cut off, `highway job watch JOB` goes on; `highway job list` finds the job.";

/// Jobs to run.
#[derive(Args, Debug)]
#[command(after_help = INFER_EXAMPLES)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["file", "input"])))]
pub struct InferArgs {
	/// The model: its id, OWNER/NAME, or the name of one of your own.
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

/// `highway infer`
pub async fn infer(context: &Context, args: InferArgs) -> Result<(), CommandError> {
	if let Some(path) = &args.output {
		ensure_writable(path)?;
	}
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let curator = args
		.curator
		.as_deref()
		.map(|curator| context.account(&client, curator))
		.transpose()?;
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

	// What it costs, whether that can be paid and whether the chain would take it: before anything is sent.
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
		client.try_out(&signer, first).await?;
	}

	put_inputs(context.output, &client, &items).await?;

	// One after another, so that the nonces follow one another in the pool; then all are waited for side by side.
	let bars = MultiProgress::new();
	let spinner = context
		.output
		.spinner_among(&bars, format!("{} of model {}", plural(items.len(), "job"), model.id));
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
		model: &model,
		recipe: recipe.as_deref(),
		to: args.output.as_deref(),
		detach: args.detach,
		wait: context.wait(),
		bars,
		spinner,
	};
	let work = items.into_iter().zip(sent).map(|(item, sent)| {
		let run = &run;
		async move {
			let outcome = match (sent, item.prepared) {
				(Some(Ok(pending)), Prepared::Input(input)) => {
					run.finish(&item.path, BlobRef::of(&input), pending).await
				}
				(Some(Err(error)), _) => Err(error.into()),
				(_, Prepared::Answer(answer)) => Ok(Outcome::Answer(answer)),
				(None, Prepared::Input(_)) => unreachable!("every input has a call; qed"),
			};
			(item.path, outcome)
		}
	});
	let outcomes = join_all(work).await;
	run.spinner.finish_and_clear();
	show::show(context, outcomes)
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
		for path in &args.file {
			items.push(Item {
				path: path.clone(),
				prepared: recipe.prepare(path, &model.spec)?,
			});
		}
	}
	if let Some(path) = &args.input {
		let bytes = fs::read(path).map_err(|source| file_error(path, source))?;
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

/// The price for each size of input. Error if it is too dear, or nobody would take a job.
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
		let Quote { price, executors, .. } = client.quote(model.id, size, curator).await?;
		if let Some(max) = max.filter(|max| *max < price) {
			return Err(CommandError::TooDear { price, max });
		}
		if executors == 0 {
			return Err(CommandError::NobodyFree(model.id));
		}
		prices.insert(size, price);
	}
	Ok(prices)
}

async fn put_inputs(output: Output, client: &Client, items: &[Item]) -> Result<(), CommandError> {
	for item in items {
		if let Some(input) = item.input() {
			let bar = output.bytes_bar(item.path.display().to_string());
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
