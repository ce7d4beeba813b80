//! `highway model`

mod add;
mod artifact;
mod calibrate;
mod registration;
mod salt;
mod show;

use crate::{
	amount::{parse_decimal, parse_percent, with_unit},
	args::parse_amount,
	blobs,
	client::{calls, Client},
	context::Context,
	error::CommandError,
	output::{plain, table},
	recipes,
};
use artifact::{Artifact, TraceChoice, DEFAULT_DETECTION};
use calibrate::{CalibrateArgs, ConfirmArgs};
use clap::{Args, Subcommand, ValueEnum};
use highway_primitives::{
	model::{
		DerivativeTerms, Licence, MaxTensors, Recipe, TensorSpec, Unit, VerificationPolicy, VersionSpec, MIN_DETECTION,
	},
	Balance, BlobRef, ModelId,
};
use registration::Registration;
use serde_json::json;
use show::{state, to_json, to_text, unit};
use sp_core::crypto::Ss58Codec;
use sp_runtime::{BoundedVec, Perbill};
use std::{
	fs,
	path::{Path, PathBuf},
};

/// Shown below the help of `add`.
const ADD_EXAMPLE: &str = "\
Example:
  highway model add model.onnx --name magika --licence Apache-2.0 --royalty 0.001 \\
    --unit request --unit-time-ms 200 --policy tolerance:0.001:0.001 \\
    --recipe magika --recipe-config config.min.json

It commits to the file, waits until that counts, and shows the file only then, so that nobody who sees it can
be there before you. If it is stopped on the way, run it again: it goes on from there. A file belongs to one
model.

Before it, measure how audits shall compare runs of it; the command prints the options to give here:
  highway model calibrate model.onnx --inputs samples --recipe magika --recipe-config config.min.json";

/// Commands about models.
#[derive(Subcommand, Debug)]
pub enum ModelCommand {
	/// Registers a model under your account: finds its trace, commits to the ONNX file, uploads it and holds a deposit.
	#[command(after_help = ADD_EXAMPLE)]
	Add(AddArgs),
	/// Lists the models.
	List,
	/// Shows a model.
	Show {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Changes royalty or terms, or adds a version.
	Update(UpdateArgs),
	/// Takes no new jobs.
	Deprecate {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Takes jobs again.
	Reinstate {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Offers the model to another account, which must accept it.
	Transfer {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
		/// To whom; leave it out to take an offer back.
		to: Option<String>,
	},
	/// Accepts a model that was offered to you; its deposit is then yours to hold.
	Accept {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Measures how far honest runs of a model differ and how many cheats an audit sees, and proposes what to register.
	#[command(after_help = calibrate::EXAMPLE)]
	Calibrate(CalibrateArgs),
	/// For operators: measures a registered model on your own machine and, if its terms hold, says so on chain. Nobody is
	/// slashed by a jury before two operators other than the maker did.
	ConfirmCalibration(ConfirmArgs),
	/// Removes a model without open jobs and children, and gives the deposit back.
	Remove {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Shows the files that you committed to and did not register yet.
	Commitments {
		/// Drops them all: their deposits come back.
		#[arg(long)]
		drop: bool,
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

/// How audits tell honest work from other. A new file takes defaults that spare honest nodes wherever nothing is given;
/// `highway model calibrate` measures better ones.
#[derive(Args, Debug, Default)]
pub struct AuditArgs {
	/// The internal tensor by which audits tell who ran the model: `auto` finds it and adds it to the file, `none`, or the
	/// name of an output of the file, which is then never delivered. [default: auto]
	#[arg(long, value_name = "auto|none|NAME")]
	pub trace: Option<TraceChoice>,
	/// How far two sketches of the trace may lie apart. [default: 1]
	#[arg(long, value_name = "NUMBER", value_parser = parse_trace_tolerance)]
	pub trace_tolerance: Option<u64>,
	/// Share of cheats that an audit sees: the fewer, the more audits. [default: 50%]
	#[arg(long, value_name = "SHARE%", value_parser = parse_detection)]
	pub detection: Option<Perbill>,
	/// Jobs may share a run: only where calibration found that their rows do not change one another. [default: no]
	#[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
	pub share_runs: Option<bool>,
}

/// What a first version is.
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
	/// How audits work.
	#[command(flatten)]
	pub audit: AuditArgs,
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
	/// Its id, OWNER/NAME, or the name of one of your own.
	pub model: String,
	/// New royalty per unit, in AIC. A rise takes effect after a notice.
	#[arg(long, value_parser = parse_amount)]
	pub royalty: Option<Balance>,
	/// New terms for models derived from now on: `SHARE%[:FLOOR]` or `none`.
	#[arg(long, value_parser = parse_terms)]
	pub terms: Option<Terms>,
	/// What a new version has otherwise than the newest one.
	#[command(flatten)]
	pub version: NewVersionArgs,
}

/// What a new version has otherwise than the newest one. Any of them makes a new version, which new jobs run on after a
/// notice.
#[derive(Args, Debug)]
pub struct NewVersionArgs {
	/// Its ONNX file.
	#[arg(long, value_name = "FILE")]
	pub file: Option<PathBuf>,
	/// Time that one unit may take on the slowest device, in milliseconds.
	#[arg(long, value_name = "MS")]
	pub unit_time_ms: Option<u32>,
	/// How two runs are compared, as at `model add`.
	#[arg(long, value_parser = parse_policy)]
	pub policy: Option<VerificationPolicy>,
	/// How audits work. Without a new file, what is not given stays as it is.
	#[command(flatten)]
	pub audit: AuditArgs,
	/// SPDX licence expression.
	#[arg(long)]
	pub licence: Option<String>,
	/// How wallets make inputs from plain files; `none` for a version that takes none.
	#[arg(long)]
	pub recipe: Option<String>,
	/// The recipe's own file, such as one with other labels.
	#[arg(long, value_name = "FILE")]
	pub recipe_config: Option<PathBuf>,
}

impl NewVersionArgs {
	fn is_empty(&self) -> bool {
		let Self {
			file,
			unit_time_ms,
			policy,
			audit: AuditArgs {
				trace,
				trace_tolerance,
				detection,
				share_runs,
			},
			licence,
			recipe,
			recipe_config,
		} = self;
		file.is_none()
			&& unit_time_ms.is_none()
			&& policy.is_none()
			&& trace.is_none()
			&& trace_tolerance.is_none()
			&& detection.is_none()
			&& share_runs.is_none()
			&& licence.is_none()
			&& recipe.is_none()
			&& recipe_config.is_none()
	}

	/// `spec` with these changes; `artifact` is the new file, `config` are the bytes of the recipe's.
	fn change(
		self,
		spec: &VersionSpec,
		artifact: Option<&Artifact>,
		config: Option<&[u8]>,
	) -> Result<VersionSpec, CommandError> {
		let mut spec = spec.clone();
		match artifact {
			Some(artifact) => {
				(spec.inputs, spec.outputs) = artifact.tensors()?;
				spec.artifact = BlobRef::of(&artifact.bytes);
				spec.trace = artifact.registered_trace(self.audit.trace_tolerance)?;
				// Nobody calibrated the new file.
				spec.detection = self.audit.detection.unwrap_or(DEFAULT_DETECTION);
				spec.shares_runs = self.audit.share_runs.unwrap_or(false);
			}
			None => {
				match self.audit.trace {
					Some(TraceChoice::None) => spec.trace = None,
					Some(_) => {
						return Err(CommandError::Usage(
							"the trace is a part of the file: give the file with --file".into(),
						))
					}
					None => {}
				}
				match (&mut spec.trace, self.audit.trace_tolerance) {
					(Some(trace), Some(tolerance)) => trace.tolerance = tolerance,
					(None, Some(_)) => {
						return Err(CommandError::Usage(
							"--trace-tolerance says how far traces may differ, and this version has none".into(),
						))
					}
					(_, None) => {}
				}
				spec.detection = self.audit.detection.unwrap_or(spec.detection);
				spec.shares_runs = self.audit.share_runs.unwrap_or(spec.shares_runs);
			}
		}
		spec.unit_time_ms = self.unit_time_ms.unwrap_or(spec.unit_time_ms);
		spec.policy = self.policy.unwrap_or(spec.policy);
		if let Some(text) = self.licence {
			spec.licence = licence(text)?;
		}
		spec.recipe = match (self.recipe, config, spec.recipe) {
			(Some(name), None, _) if name == NO_RECIPE => None,
			(Some(name), Some(config), _) => Some(recipe(name.into_bytes(), config)?),
			(None, Some(config), Some(before)) => Some(recipe(before.name.into_inner(), config)?),
			(Some(_), None, _) => {
				return Err(CommandError::Usage(
					"a recipe needs its file: add --recipe-config FILE".into(),
				))
			}
			(None, Some(_), None) => {
				return Err(CommandError::Usage(
					"the model has no recipe yet: name it with --recipe".into(),
				))
			}
			(None, None, before) => before,
		};
		Ok(spec)
	}
}

/// Instead of a recipe's name.
const NO_RECIPE: &str = "none";

/// The inputs or the outputs of a model.
type Tensors = BoundedVec<TensorSpec, MaxTensors>;

impl From<UnitArg> for Unit {
	fn from(unit: UnitArg) -> Self {
		match unit {
			UnitArg::Request => Self::Request,
			UnitArg::InputKib => Self::InputKib,
		}
	}
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

/// A number of at most six digits after the point, in units of 10⁻⁶.
fn parse_trace_tolerance(text: &str) -> Result<u64, String> {
	let number = parse_decimal(text, 6).map_err(|error| error.to_string())?;
	match u64::try_from(number) {
		Ok(0) => Err("two honest machines never agree to the last digit: it must be above 0".into()),
		Ok(number) => Ok(number),
		Err(_) => Err(format!("'{text}' is too large")),
	}
}

fn parse_detection(text: &str) -> Result<Perbill, String> {
	let share = parse_percent(text).map_err(|error| error.to_string())?;
	if share < MIN_DETECTION {
		return Err("the chain refuses a model of which audits see less than half of all cheats".into());
	}
	Ok(share)
}

/// Runs it.
pub async fn run(context: &Context, command: ModelCommand) -> Result<(), CommandError> {
	match command {
		ModelCommand::Add(args) => add::add(context, args).await,
		ModelCommand::List => list(context).await,
		ModelCommand::Show { model } => {
			let client = context.connect().await?;
			let model = context.model(&client, &model).await?;
			let calibration = client.calibration(model.id, model.version).await?;
			context
				.output
				.result(show::with_calibration(to_json(&model), &calibration), || {
					to_text(&model, &calibration)
				});
			Ok(())
		}
		ModelCommand::Update(args) => update(context, args).await,
		ModelCommand::Deprecate { model } => {
			let client = context.connect().await?;
			on_model(context, &client, &model, "takes no new jobs", calls::deprecate_model).await
		}
		ModelCommand::Reinstate { model } => {
			let client = context.connect().await?;
			on_model(context, &client, &model, "takes jobs again", calls::reinstate_model).await
		}
		ModelCommand::Transfer { model, to } => {
			let client = context.connect().await?;
			let to = to.map(|to| context.account(&client, &to)).transpose()?;
			let said = if to.is_some() {
				"is offered"
			} else {
				"is no longer offered"
			};
			on_model(context, &client, &model, said, |id| calls::offer_model(id, to)).await
		}
		ModelCommand::Accept { model } => accept(context, &model).await,
		ModelCommand::Calibrate(args) => calibrate::calibrate(context, args).await,
		ModelCommand::ConfirmCalibration(args) => calibrate::confirm(context, args).await,
		ModelCommand::Remove { model } => {
			let client = context.connect().await?;
			on_model(context, &client, &model, "is removed", calls::remove_model).await
		}
		ModelCommand::Commitments { drop } => registration::show_commitments(context, drop).await,
	}
}

/// Sends a call about a model that costs nothing but the fee.
async fn on_model(
	context: &Context,
	client: &Client,
	text: &str,
	said: &str,
	call: impl FnOnce(ModelId) -> calls::Call,
) -> Result<(), CommandError> {
	let model = context.model(client, text).await?;
	send(context, client, model.id, said, call(model.id), 0).await
}

/// The new owner holds the deposit from now on.
async fn accept(context: &Context, text: &str) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let model = context.model(&client, text).await?;
	let call = calls::accept_model(model.id);
	send(context, &client, model.id, "is yours", call, model.deposit).await
}

async fn send(
	context: &Context,
	client: &Client,
	model: ModelId,
	said: &str,
	call: calls::Call,
	amount: Balance,
) -> Result<(), CommandError> {
	let signer = context.signer(client)?;
	let included = super::submit(context, client, &signer, &[call], amount).await?;
	context
		.output
		.result(json!({ "model": model, "done": said, "block": included.block }), || {
			format!("model {model} {said}")
		});
	Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
	fs::read(path).map_err(|source| CommandError::File {
		path: path.into(),
		source,
	})
}

/// A recipe that this program knows, with a file that it can use.
fn recipe(name: Vec<u8>, config: &[u8]) -> Result<Recipe, CommandError> {
	recipes::load(&name, config)?;
	Ok(Recipe {
		name: name
			.try_into()
			.map_err(|_| CommandError::Usage("the recipe's name is too long: at most 32 bytes".into()))?,
		config: BlobRef::of(config),
	})
}

fn licence(text: String) -> Result<Licence, CommandError> {
	let bytes = text.into_bytes();
	bytes
		.try_into()
		.map_err(|_| CommandError::Usage("the licence is too long: at most 64 bytes".into()))
}

async fn upload(context: &Context, client: &Client, bytes: &[u8], what: &str) -> Result<(), CommandError> {
	let bar = context.output.bytes_bar(what);
	let result = blobs::put(client.rpc(), bytes, &bar).await;
	bar.finish_and_clear();
	let blob = result?;
	// Until operators host the model, this may be the only copy.
	if blobs::pin(client.rpc(), &blob).await.is_err() {
		context.output.remark(format!(
			"the node does not keep the {what} for good, as it is not your own: until others host it, keep a node that has it"
		));
	}
	Ok(())
}

async fn update(context: &Context, args: UpdateArgs) -> Result<(), CommandError> {
	let (royalty, terms, changes) = (args.royalty, args.terms.map(|terms| terms.0), args.version);
	if royalty.is_none() && terms.is_none() && changes.is_empty() {
		return Err(CommandError::Usage(
			"say what to change: --royalty, --terms, or anything of a new version, such as --file".into(),
		));
	}
	let choice = changes.audit.trace.clone().unwrap_or(TraceChoice::Auto);
	let artifact = match &changes.file {
		Some(path) => Some(Artifact::new(path, read(path)?, &choice)?),
		None => None,
	};
	let config = changes.recipe_config.as_deref().map(read).transpose()?;
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let model = context.model(&client, &args.model).await?;
	let (mut wanted, mut deposit, mut registration) = (Vec::new(), 0, None);
	if royalty.is_some() || terms.is_some() {
		wanted.push(calls::update_terms(model.id, royalty, terms));
	}
	if !changes.is_empty() {
		let newest = model.coming.as_ref().map_or(&model.spec, |coming| &coming.spec);
		let spec = changes.change(newest, artifact.as_ref(), config.as_deref())?;
		deposit = client.version_deposit(&spec)?;
		// A file that the model has had before needs no commitment, and one of another model is refused by the chain.
		if registration::holder(&client, &spec.artifact.hash).await?.is_none() {
			registration = Some(Registration::new(context, &client, &signer, &spec.artifact.hash).await?);
			// Held for the commitment, which costs no more than a model without a version.
			deposit = deposit.max(client.model_deposit(&[], &spec)?.saturating_sub(deposit));
		}
		let salt = registration.as_ref().map(|registration| registration.salt);
		wanted.push(calls::add_version(model.id, spec, salt));
	}
	match &mut registration {
		Some(registration) => {
			let first = registration.plan(&wanted, deposit).await?;
			registration.commit(&first).await?;
		}
		None => super::ensure_possible(&client, &signer, &wanted, deposit).await?,
	}
	let file = artifact.as_ref().map(|artifact| &artifact.bytes);
	for (bytes, what) in [(file, "model"), (config.as_ref(), "recipe")] {
		if let Some(bytes) = bytes {
			upload(context, &client, bytes, what).await?;
		}
	}
	let included = match &mut registration {
		Some(registration) => registration.open(&wanted).await?,
		None => super::send(context, &client, &signer, &wanted).await?,
	};
	let mut said = format!(
		"model {} is changed; `highway model show {}` tells from when",
		model.id, model.id
	);
	if let Some(artifact) = &artifact {
		said = format!("{said}\n{}", artifact.remark());
	}
	let trace = artifact.as_ref().and_then(|artifact| artifact.trace.as_ref());
	context.output.result(
		json!({ "model": model.id, "trace": trace, "block": included.block }),
		|| said,
	);
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

#[cfg(test)]
mod tests;
