//! `highway model`

use crate::{
	amount::{decimal, parse_decimal, parse_percent, percent, with_unit},
	args::parse_amount,
	blobs,
	client::calls,
	context::Context,
	error::CommandError,
	output::{facts, plain, table},
	recipes,
};
use clap::{Args, Subcommand, ValueEnum};
use highway_offchain_worker::precheck;
use highway_primitives::{
	model::{DerivativeTerms, Recipe, TensorSpec, Unit, VerificationPolicy, VersionSpec},
	Balance, BlobRef,
};
use highway_runtime_api::types::ModelInfo;
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use sp_runtime::Perbill;
use std::{
	fs,
	path::{Path, PathBuf},
};

/// Shown below the help of `add`.
const ADD_EXAMPLE: &str = "\
Example:
  highway model add model.onnx --name magika --licence Apache-2.0 --royalty 0.001 \\
    --unit request --unit-time-ms 200 --policy tolerance:0.001:0.001 \\
    --recipe magika --recipe-config config.min.json";

/// Commands about models.
#[derive(Subcommand, Debug)]
pub enum ModelCommand {
	/// Registers a model under your account: uploads the ONNX file and holds a deposit.
	#[command(after_help = ADD_EXAMPLE)]
	Add(AddArgs),
	/// Lists the models.
	List,
	/// Shows a model.
	Show {
		/// Its id or OWNER/NAME.
		model: String,
	},
	/// Changes royalty or terms, or adds a version.
	Update(UpdateArgs),
	/// Takes no new jobs.
	Deprecate {
		/// Its id or OWNER/NAME.
		model: String,
	},
	/// Takes jobs again.
	Reinstate {
		/// Its id or OWNER/NAME.
		model: String,
	},
	/// Offers the model to another account, which must accept it.
	Transfer {
		/// Its id or OWNER/NAME.
		model: String,
		/// To whom; leave it out to take an offer back.
		to: Option<String>,
	},
	/// Accepts a model that was offered to you; its deposit is then yours to hold.
	Accept {
		/// Its id or OWNER/NAME.
		model: String,
	},
	/// Removes a model without open jobs and children, and gives the deposit back.
	Remove {
		/// Its id or OWNER/NAME.
		model: String,
	},
}

/// What price and deadline are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum UnitArg {
	/// One job is one unit.
	Request,
	/// One unit per started KiB of the input.
	InputKib,
}

/// What a version is.
#[derive(Args, Debug)]
pub struct VersionArgs {
	/// What price and deadline are counted in.
	#[arg(long, value_enum, default_value = "request")]
	pub unit: UnitArg,
	/// Time that one unit may take on the slowest device, in milliseconds.
	#[arg(long, value_name = "MS")]
	pub unit_time_ms: u32,
	/// How two runs are compared: `exact` (integer outputs only), or `tolerance:ABSOLUTE:RELATIVE[:OUTLIERS%]`.
	#[arg(long, value_parser = parse_policy, default_value = "tolerance:0.001:0.001")]
	pub policy: VerificationPolicy,
	/// SPDX licence expression, such as Apache-2.0.
	#[arg(long)]
	pub licence: String,
	/// How wallets make inputs from plain files; known: magika.
	#[arg(long, requires = "recipe_config")]
	pub recipe: Option<String>,
	/// The recipe's own file.
	#[arg(long, value_name = "FILE", requires = "recipe")]
	pub recipe_config: Option<PathBuf>,
}

/// A new model.
#[derive(Args, Debug)]
pub struct AddArgs {
	/// The ONNX file, with all weights inside.
	pub file: PathBuf,
	/// Name among your models: lower-case letters, digits, `-`, `_`, `.`.
	#[arg(long)]
	pub name: String,
	/// What you earn per unit, in AIC.
	#[arg(long, value_parser = parse_amount, default_value = "0")]
	pub royalty: Balance,
	/// The model that this one derives from.
	#[arg(long, value_name = "MODEL")]
	pub parent: Option<String>,
	/// What you ask of models derived from this one: `SHARE%[:FLOOR]` of their royalty, or `none` to forbid them.
	#[arg(long, value_parser = parse_terms, default_value = "none")]
	pub terms: Terms,
	/// What it is and does.
	#[command(flatten)]
	pub version: VersionArgs,
}

/// Changes.
#[derive(Args, Debug)]
pub struct UpdateArgs {
	/// Its id or OWNER/NAME.
	pub model: String,
	/// New royalty per unit, in AIC. A rise takes effect after a notice.
	#[arg(long, value_parser = parse_amount)]
	pub royalty: Option<Balance>,
	/// New terms for models derived from now on: `SHARE%[:FLOOR]` or `none`.
	#[arg(long, value_parser = parse_terms)]
	pub terms: Option<Terms>,
	/// ONNX file of a new version; licence, unit, policy and recipe stay as they are.
	#[arg(long, value_name = "FILE")]
	pub file: Option<PathBuf>,
}

/// Derivative terms, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms(Option<DerivativeTerms>);

fn parse_terms(text: &str) -> Result<Terms, String> {
	if text == "none" {
		return Ok(Terms(None));
	}
	let (share, floor) = text.split_once(':').unwrap_or((text, "0"));
	let share = parse_percent(share).map_err(|error| error.to_string())?;
	let floor = parse_amount(floor)?;
	Ok(Terms(Some(DerivativeTerms { share, floor })))
}

fn parse_policy(text: &str) -> Result<VerificationPolicy, String> {
	let words: Vec<&str> = text.split(':').collect();
	let billionths = |text: &str| -> Result<u32, String> {
		let number = parse_decimal(text, 9).map_err(|error| error.to_string())?;
		u32::try_from(number).map_err(|_| format!("'{text}' is too large: at most 4.294967295"))
	};
	let (atol, rtol, outliers) = match words.as_slice() {
		["exact"] => return Ok(VerificationPolicy::Exact),
		["tolerance", atol, rtol] => (atol, rtol, Perbill::zero()),
		["tolerance", atol, rtol, outliers] => {
			(atol, rtol, parse_percent(outliers).map_err(|error| error.to_string())?)
		}
		_ => return Err("write `exact` or `tolerance:ABSOLUTE:RELATIVE[:OUTLIERS%]`".into()),
	};
	if outliers > Perbill::from_percent(1) {
		return Err("at most 1% of the values may be outliers".into());
	}
	Ok(VerificationPolicy::Tolerance {
		atol: billionths(atol)?,
		rtol: billionths(rtol)?,
		outliers,
	})
}

/// Runs it.
pub async fn run(context: &Context, command: ModelCommand) -> Result<(), CommandError> {
	match command {
		ModelCommand::Add(args) => add(context, args).await,
		ModelCommand::List => list(context).await,
		ModelCommand::Show { model } => {
			let client = context.connect().await?;
			let model = context.model(&client, &model).await?;
			context.output.result(to_json(&model), || to_text(&model));
			Ok(())
		}
		ModelCommand::Update(args) => update(context, args).await,
		ModelCommand::Deprecate { model } => {
			on_model(context, &model, "takes no new jobs", |model| {
				calls::deprecate_model(model.id)
			})
			.await
		}
		ModelCommand::Reinstate { model } => {
			on_model(context, &model, "takes jobs again", |model| {
				calls::reinstate_model(model.id)
			})
			.await
		}
		ModelCommand::Transfer { model, to } => {
			let to = to.map(|to| context.account(&to)).transpose()?;
			let said = if to.is_some() {
				"is offered"
			} else {
				"is no longer offered"
			};
			on_model(context, &model, said, |model| calls::offer_model(model.id, to)).await
		}
		ModelCommand::Accept { model } => {
			on_model(context, &model, "is yours", |model| calls::accept_model(model.id)).await
		}
		ModelCommand::Remove { model } => {
			on_model(context, &model, "is removed", |model| calls::remove_model(model.id)).await
		}
	}
}

async fn on_model(
	context: &Context,
	text: &str,
	said: &str,
	call: impl FnOnce(&ModelInfo<AccountId32>) -> calls::Call,
) -> Result<(), CommandError> {
	let signer = context.signer()?;
	let client = context.connect().await?;
	let model = context.model(&client, text).await?;
	let included = super::submit(context, &client, &signer, &[call(&model)]).await?;
	context.output.result(
		json!({ "model": model.id, "done": said, "block": included.block }),
		|| format!("model {} {said}", model.id),
	);
	Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
	fs::read(path).map_err(|source| CommandError::File {
		path: path.into(),
		source,
	})
}

/// Reads what the ONNX file takes and gives.
fn signature(path: &Path, bytes: &[u8]) -> Result<precheck::ModelSignature, CommandError> {
	precheck::signature(bytes).map_err(|source| CommandError::Model {
		path: path.into(),
		source,
	})
}

fn too_long(what: &str) -> CommandError {
	CommandError::Usage(format!("{what} is too long: at most 64 bytes"))
}

async fn add(context: &Context, args: AddArgs) -> Result<(), CommandError> {
	// Everything that can be wrong is checked before anything is uploaded.
	let bytes = read(&args.file)?;
	let signature = signature(&args.file, &bytes)?;
	let config = args.version.recipe_config.as_deref().map(read).transpose()?;
	let recipe = match (&args.version.recipe, &config) {
		(Some(name), Some(config)) => {
			recipes::load(name.as_bytes(), config)?;
			let name = name
				.as_bytes()
				.to_vec()
				.try_into()
				.map_err(|_| too_long("the recipe's name"))?;
			Some(Recipe {
				name,
				config: BlobRef::of(config),
			})
		}
		_ => None,
	};
	let tensors = || CommandError::Usage("the model has more inputs or outputs than the chain takes".into());
	let spec = VersionSpec {
		artifact: BlobRef::of(&bytes),
		licence: args
			.version
			.licence
			.into_bytes()
			.try_into()
			.map_err(|_| too_long("the licence"))?,
		inputs: signature.bounded_inputs().ok_or_else(tensors)?,
		outputs: signature.bounded_outputs().ok_or_else(tensors)?,
		unit: match args.version.unit {
			UnitArg::Request => Unit::Request,
			UnitArg::InputKib => Unit::InputKib,
		},
		unit_time_ms: args.version.unit_time_ms,
		policy: args.version.policy,
		recipe,
	};

	let signer = context.signer()?;
	let client = context.connect().await?;
	let parent = match &args.parent {
		Some(parent) => Some(context.model(&client, parent).await?.id),
		None => None,
	};
	let deposit = client.model_deposit(args.name.as_bytes(), &spec)?;
	let call = calls::register_model(args.name.into_bytes(), spec.clone(), parent, args.terms.0, args.royalty);
	// Also tells whether the chain understands the call, before the upload.
	super::ensure_affordable(&client, &signer, std::slice::from_ref(&call), deposit).await?;
	upload(context, &client, &bytes, "model").await?;
	if let Some(config) = &config {
		upload(context, &client, config, "recipe").await?;
	}

	let included = super::submit(context, &client, &signer, &[call]).await?;
	let id = included.number("ModelRegistry", "model")?;
	context.output.result(
		json!({
			"model": id,
			"artifact": { "hash": format!("{:?}", spec.artifact.hash), "size": spec.artifact.size },
			"inputs": spec.inputs.iter().map(tensor).collect::<Vec<_>>(),
			"outputs": spec.outputs.iter().map(tensor).collect::<Vec<_>>(),
			"block": included.block,
		}),
		|| {
			format!(
				"model {id} is registered\ninputs   {}\noutputs  {}\n\
				Operators serve it with: highway node host {id} --price AIC",
				tensors_text(&spec.inputs),
				tensors_text(&spec.outputs)
			)
		},
	);
	Ok(())
}

async fn upload(
	context: &Context,
	client: &crate::client::Client,
	bytes: &[u8],
	what: &str,
) -> Result<(), CommandError> {
	let bar = context.output.bytes_bar(what);
	let result = blobs::put(client, bytes, &bar).await;
	bar.finish_and_clear();
	let blob = result?;
	// Until operators host the model, this may be the only copy.
	if blobs::pin(client, &blob).await.is_err() {
		context.output.remark(format!(
			"the node does not keep the {what} for good, as it is not your own: until others host it, keep a node that has it"
		));
	}
	Ok(())
}

async fn update(context: &Context, args: UpdateArgs) -> Result<(), CommandError> {
	if args.royalty.is_none() && args.terms.is_none() && args.file.is_none() {
		return Err(CommandError::Usage(
			"say what to change: --royalty, --terms or --file".into(),
		));
	}
	let new = match &args.file {
		Some(path) => {
			let bytes = read(path)?;
			Some((signature(path, &bytes)?, bytes))
		}
		None => None,
	};
	let signer = context.signer()?;
	let client = context.connect().await?;
	let model = context.model(&client, &args.model).await?;
	let mut wanted = Vec::new();
	if args.royalty.is_some() || args.terms.is_some() {
		wanted.push(calls::update_terms(
			model.id,
			args.royalty,
			args.terms.map(|terms| terms.0),
		));
	}
	if let Some((signature, bytes)) = new {
		let tensors = || CommandError::Usage("the model has more inputs or outputs than the chain takes".into());
		let spec = VersionSpec {
			artifact: BlobRef::of(&bytes),
			inputs: signature.bounded_inputs().ok_or_else(tensors)?,
			outputs: signature.bounded_outputs().ok_or_else(tensors)?,
			..model.spec.clone()
		};
		upload(context, &client, &bytes, "model").await?;
		wanted.push(calls::add_version(model.id, spec));
	}
	let included = super::submit(context, &client, &signer, &wanted).await?;
	let said = format!(
		"model {} is changed; `highway model show {}` tells from when",
		model.id, model.id
	);
	context
		.output
		.result(json!({ "model": model.id, "block": included.block }), || said);
	Ok(())
}

async fn list(context: &Context) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let models = client.models().await?;
	context.output.result(models.iter().map(to_json).collect(), || {
		if models.is_empty() {
			return "There are no models yet. `highway model add` registers one.".into();
		}
		table(
			["id", "name", "owner", "licence", "royalty", "recipe", "state"],
			models.iter().map(|model| {
				[
					model.id.to_string(),
					plain(&model.name),
					model.owner.to_ss58check(),
					plain(&model.spec.licence),
					format!("{} per {}", with_unit(model.royalty), unit(model.spec.unit)),
					model
						.spec
						.recipe
						.as_ref()
						.map_or_else(|| "-".into(), |recipe| plain(&recipe.name)),
					state(model).into(),
				]
			}),
		)
	});
	Ok(())
}

fn state(model: &ModelInfo<AccountId32>) -> &'static str {
	if model.deprecated {
		"deprecated"
	} else {
		"active"
	}
}

fn unit(unit: Unit) -> &'static str {
	match unit {
		Unit::Request => "request",
		Unit::InputKib => "KiB of input",
	}
}

fn tensor(tensor: &TensorSpec) -> String {
	let dims: Vec<String> = tensor
		.shape
		.iter()
		.map(|dim| dim.map_or_else(|| "?".into(), |dim| dim.to_string()))
		.collect();
	format!("{} {:?}[{}]", plain(&tensor.name), tensor.dtype, dims.join(","))
}

fn tensors_text(tensors: &[TensorSpec]) -> String {
	tensors.iter().map(tensor).collect::<Vec<_>>().join(", ")
}

fn policy(policy: &VerificationPolicy) -> String {
	match policy {
		VerificationPolicy::Exact => "exact".into(),
		VerificationPolicy::Tolerance { atol, rtol, outliers } => {
			// Billionths are thousandfold trillionths, which `decimal` writes.
			let number = |billionths: u32| decimal(u128::from(billionths) * 1_000);
			format!("tolerance:{}:{}:{}", number(*atol), number(*rtol), percent(*outliers))
		}
	}
}

fn to_json(model: &ModelInfo<AccountId32>) -> Value {
	json!({
		"id": model.id,
		"owner": model.owner.to_ss58check(),
		"name": String::from_utf8_lossy(&model.name),
		"state": state(model),
		"version": model.version,
		"artifact": { "hash": format!("{:?}", model.spec.artifact.hash), "size": model.spec.artifact.size },
		"licence": String::from_utf8_lossy(&model.spec.licence),
		"inputs": model.spec.inputs.iter().map(tensor).collect::<Vec<_>>(),
		"outputs": model.spec.outputs.iter().map(tensor).collect::<Vec<_>>(),
		"unit": format!("{:?}", model.spec.unit),
		"unitTimeMs": model.spec.unit_time_ms,
		"policy": policy(&model.spec.policy),
		"recipe": model.spec.recipe.as_ref().map(|recipe| String::from_utf8_lossy(&recipe.name)),
		"parent": model.parent,
		"terms": model.derivative_terms.map(|terms| json!({
			"share": percent(terms.share), "floor": decimal(terms.floor),
		})),
		"royalty": decimal(model.royalty),
		"pendingRoyalty": model.pending_royalty.map(|(royalty, from)| json!({ "royalty": decimal(royalty), "from": from })),
		"royalties": model.royalties.iter().map(|line| json!({
			"model": line.model, "payee": line.payee.to_ss58check(), "perUnit": decimal(line.per_unit),
		})).collect::<Vec<_>>(),
		"openJobs": model.open_jobs,
		"children": model.children,
		"deposit": decimal(model.deposit),
	})
}

fn to_text(model: &ModelInfo<AccountId32>) -> String {
	let spec = &model.spec;
	let mut rows = vec![
		(
			"model",
			format!("{} ({}/{})", model.id, model.owner.to_ss58check(), plain(&model.name)),
		),
		(
			"state",
			format!(
				"{}, {} open jobs, {} children",
				state(model),
				model.open_jobs,
				model.children
			),
		),
		("version", model.version.to_string()),
		(
			"file",
			format!("{:?} ({} bytes)", spec.artifact.hash, spec.artifact.size),
		),
		("licence", plain(&spec.licence)),
		("inputs", tensors_text(&spec.inputs)),
		("outputs", tensors_text(&spec.outputs)),
		(
			"royalty",
			format!("{} per {}", with_unit(model.royalty), unit(spec.unit)),
		),
		("time", format!("{} ms per {}", spec.unit_time_ms, unit(spec.unit))),
		("compared by", policy(&spec.policy)),
		(
			"recipe",
			spec.recipe
				.as_ref()
				.map_or_else(|| "none".into(), |recipe| plain(&recipe.name)),
		),
		("deposit", with_unit(model.deposit)),
	];
	if let Some((royalty, from)) = model.pending_royalty {
		rows.push(("royalty soon", format!("{} from block {from}", with_unit(royalty))));
	}
	if let Some(parent) = model.parent {
		rows.push(("derived from", format!("model {parent}")));
	}
	rows.push((
		"derivatives",
		model.derivative_terms.map_or_else(
			|| "not allowed".into(),
			|terms| {
				format!(
					"{} of their royalty, at least {}",
					percent(terms.share),
					with_unit(terms.floor)
				)
			},
		),
	));
	let royalties = table(
		["royalty goes to", "for model", "per unit"],
		model.royalties.iter().map(|line| {
			[
				line.payee.to_ss58check(),
				line.model.to_string(),
				with_unit(line.per_unit),
			]
		}),
	);
	format!("{}\n{royalties}", facts(rows))
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::AIC;

	#[test]
	fn policy_should_read_back_when_written() {
		for text in ["exact", "tolerance:0.001:0.0001:0.5%", "tolerance:0:0.000000001:0%"] {
			assert_eq!(policy(&parse_policy(text).unwrap()), text);
		}
		assert_eq!(
			parse_policy("tolerance:0.001:0.001"),
			parse_policy("tolerance:0.001:0.001:0%")
		);
	}

	#[test]
	fn policy_should_be_refused_when_it_is_too_loose_or_no_policy() {
		for text in [
			"tolerance",
			"tolerance:1",
			"tolerance:5:0",
			"tolerance:0:0:2%",
			"close",
			"exact:1",
			"tolerance:-1:0",
		] {
			assert!(parse_policy(text).is_err(), "{text}");
		}
	}

	#[test]
	fn terms_should_hold_share_and_floor() {
		let terms = |share, floor| {
			Terms(Some(DerivativeTerms {
				share: Perbill::from_percent(share),
				floor,
			}))
		};
		assert_eq!(parse_terms("20%"), Ok(terms(20, 0)));
		assert_eq!(parse_terms("20%:0.5"), Ok(terms(20, AIC / 2)));
		assert_eq!(parse_terms("none"), Ok(Terms(None)));
		assert!(parse_terms("120%").is_err());
	}
}
