//! `highway model add`

use super::{
	artifact::{Artifact, TraceChoice, DEFAULT_DETECTION},
	licence, read, recipe,
	registration::{is_refusal, Registration},
	show::{self, tensor, tensors_text},
	upload, AddArgs,
};
use crate::{
	amount::{percent, with_unit},
	client::{calls, Client},
	context::Context,
	error::CommandError,
};
use highway_primitives::{
	model::{DerivativeTerms, ModelName, VersionSpec},
	Balance, BlobRef, ModelId,
};
use highway_runtime_api::types::ModelInfo;
use serde_json::json;
use sp_core::crypto::AccountId32;

/// What is registered.
struct NewModel {
	name: ModelName,
	spec: VersionSpec,
	parent: Option<ModelId>,
	derivative_terms: Option<DerivativeTerms>,
	royalty: Balance,
}

impl NewModel {
	fn call(&self, salt: [u8; 32]) -> calls::Call {
		calls::register_model(
			self.name.to_vec(),
			self.spec.clone(),
			self.parent,
			self.derivative_terms,
			self.royalty,
			Some(salt),
		)
	}

	/// Whether `model` is this one, as it was registered.
	fn is(&self, model: &ModelInfo<AccountId32>) -> bool {
		model.version == 1
			&& model.spec == self.spec
			&& model.parent == self.parent
			&& model.derivative_terms == self.derivative_terms
			&& model.royalty == self.royalty
	}

	/// The model, if it was registered before: by this command, which was stopped too early to tell.
	async fn found(&self, client: &Client, owner: &AccountId32) -> Result<Option<ModelId>, CommandError> {
		let Ok(name) = std::str::from_utf8(&self.name) else {
			return Ok(None);
		};
		let known = client.model_by_name(owner, name).await?;
		Ok(known.filter(|model| self.is(model)).map(|model| model.id))
	}
}

/// Runs it.
pub async fn add(context: &Context, args: AddArgs) -> Result<(), CommandError> {
	let config = args.version.recipe_config.as_deref().map(read).transpose()?;
	let audit = &args.version.audit;
	let choice = audit.trace.clone().unwrap_or(TraceChoice::Auto);
	let artifact = Artifact::new(&args.file, read(&args.file)?, &choice)?;
	let (inputs, outputs) = artifact.tensors()?;
	let spec = VersionSpec {
		artifact: BlobRef::of(&artifact.bytes),
		licence: licence(args.version.licence)?,
		inputs,
		outputs,
		unit: args.version.unit.into(),
		unit_time_ms: args.version.unit_time_ms,
		policy: args.version.policy,
		trace: artifact.registered_trace(audit.trace_tolerance)?,
		detection: audit.detection.unwrap_or(DEFAULT_DETECTION),
		shares_runs: audit.share_runs.unwrap_or(false),
		recipe: match (args.version.recipe, &config) {
			(Some(name), Some(config)) => Some(recipe(name.into_bytes(), config)?),
			_ => None,
		},
	};
	let name = ModelName::try_from(args.name.into_bytes())
		.map_err(|_| CommandError::Usage("the name is too long: at most 64 bytes".into()))?;

	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let parent = match &args.parent {
		Some(parent) => Some(context.model(&client, parent).await?),
		None => None,
	};
	let model = NewModel {
		name,
		spec,
		parent: parent.as_ref().map(|parent| parent.id),
		derivative_terms: args.terms.0,
		royalty: args.royalty,
	};
	if let Some(id) = model.found(&client, &signer.account()).await? {
		// It may have been stopped before the node had all of the file.
		upload_all(context, &client, &artifact, config.as_deref()).await?;
		say(context, &artifact, &model.spec, id.into(), None);
		return Ok(());
	}

	let deposit = client.model_deposit(&model.name, &model.spec)?;
	let mut registration = Registration::new(context, &client, &signer, &model.spec.artifact.hash).await?;
	let call = [model.call(registration.salt)];
	// The chain itself says whether it would take the model, and the account can pay, before anything is sent.
	let first = registration.plan(&call, deposit).await?;
	if let Some(parent) = &parent {
		context.output.remark(terms_text(parent));
	}
	registration.commit(&first).await?;
	if let Some(parent) = &parent {
		ensure_unchanged(&client, parent).await?;
	}
	// Not before: whose node it is sees the file.
	upload_all(context, &client, &artifact, config.as_deref()).await?;

	let (id, block) = match registration.open(&call).await {
		Ok(included) => {
			let id = included.number("ModelRegistry", "model")?;
			(id, Some(included.block))
		}
		// One that was sent before this command was stopped came first.
		Err(error) if is_refusal(&error, "NameTaken") || is_refusal(&error, "ArtefactTaken") => {
			let found = model.found(&client, &signer.account()).await?;
			(found.ok_or(error)?.into(), None)
		}
		Err(error) => return Err(error),
	};
	say(context, &artifact, &model.spec, id, block);
	Ok(())
}

async fn upload_all(
	context: &Context,
	client: &Client,
	artifact: &Artifact,
	config: Option<&[u8]>,
) -> Result<(), CommandError> {
	upload(context, client, &artifact.bytes, "model").await?;
	if let Some(config) = config {
		upload(context, client, config, "recipe").await?;
	}
	Ok(())
}

/// What the parent asks, for good.
fn terms_text(parent: &ModelInfo<AccountId32>) -> String {
	let asked = parent.derivative_terms.map_or_else(
		|| "allows no derived models".into(),
		|terms| {
			format!(
				"gets {} of its royalty, at least {} per unit, for good",
				percent(terms.share),
				with_unit(terms.floor)
			)
		},
	);
	format!("it derives from model {}, whose owner {asked}", parent.id)
}

/// Error if the parent asks something else now than when the maker was told.
async fn ensure_unchanged(client: &Client, parent: &ModelInfo<AccountId32>) -> Result<(), CommandError> {
	let now = client.model(parent.id).await?;
	match now {
		Some(now) if now.derivative_terms != parent.derivative_terms => Err(CommandError::Usage(format!(
			"other terms since this command was started: {}; nothing is registered, run the command again if you agree",
			terms_text(&now)
		))),
		_ => Ok(()),
	}
}

fn say(context: &Context, artifact: &Artifact, spec: &VersionSpec, id: u128, block: Option<String>) {
	let was = if block.is_some() {
		"is registered"
	} else {
		"was registered before"
	};
	context.output.result(
		json!({
			"model": id,
			"artifact": { "hash": format!("{:?}", spec.artifact.hash), "size": spec.artifact.size },
			"inputs": spec.inputs.iter().map(tensor).collect::<Vec<_>>(),
			"outputs": spec.outputs.iter().map(tensor).collect::<Vec<_>>(),
			"trace": show::trace(spec),
			"detection": percent(spec.detection),
			"sharesRuns": spec.shares_runs,
			"block": block,
		}),
		|| {
			format!(
				"model {id} {was}\ninputs   {}\noutputs  {}\n{}\n\
				Operators serve it with: highway node host {id}, then highway bid {id} --compute AIC",
				tensors_text(&spec.inputs),
				tensors_text(&spec.outputs),
				artifact.remark()
			)
		},
	);
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::model::{Unit, VerificationPolicy, MIN_DETECTION};
	use sp_runtime::Perbill;

	fn terms(percent: u32) -> Option<DerivativeTerms> {
		Some(DerivativeTerms {
			share: Perbill::from_percent(percent),
			floor: 5,
		})
	}

	fn new_model() -> NewModel {
		NewModel {
			name: b"m".to_vec().try_into().unwrap(),
			spec: VersionSpec {
				artifact: BlobRef::of(b"onnx"),
				licence: b"MIT".to_vec().try_into().unwrap(),
				inputs: Default::default(),
				outputs: Default::default(),
				unit: Unit::Request,
				unit_time_ms: 200,
				policy: VerificationPolicy::Exact,
				trace: None,
				detection: MIN_DETECTION,
				shares_runs: false,
				recipe: None,
			},
			parent: None,
			derivative_terms: terms(20),
			royalty: 3,
		}
	}

	fn registered(model: &NewModel) -> ModelInfo<AccountId32> {
		ModelInfo {
			id: 4,
			owner: AccountId32::new([1; 32]),
			name: model.name.to_vec(),
			deprecated: false,
			version: 1,
			spec: model.spec.clone(),
			coming: None,
			parent: model.parent,
			derivative_terms: model.derivative_terms,
			royalty: model.royalty,
			pending_royalty: None,
			royalties: Vec::new(),
			open_jobs: 0,
			children: 0,
			deposit: 1,
		}
	}

	#[test]
	fn a_model_should_be_known_again_only_with_all_that_it_was_registered_with() {
		let model = new_model();
		let there = registered(&model);
		assert!(model.is(&there));
		let changes: [fn(&mut ModelInfo<AccountId32>); 5] = [
			|model| model.version = 2,
			|model| model.spec.unit_time_ms += 1,
			|model| model.parent = Some(1),
			|model| model.derivative_terms = None,
			|model| model.royalty += 1,
		];
		for change in changes {
			let mut other = there.clone();
			change(&mut other);
			assert!(!model.is(&other), "{other:?}");
		}
	}

	#[test]
	fn parents_terms_should_be_told_in_words() {
		let parent = registered(&new_model());
		let text = terms_text(&parent);
		assert!(
			text.contains("model 4") && text.contains("20%") && text.contains("for good"),
			"{text}"
		);
		let closed = ModelInfo {
			derivative_terms: None,
			..parent
		};
		assert!(terms_text(&closed).contains("allows no derived models"));
	}
}
