//! How models are shown.

use crate::{
	amount::{decimal, percent, with_unit},
	output::{facts, plain, table},
};
use highway_primitives::model::{TensorSpec, Unit, VerificationPolicy, VersionSpec};
use highway_runtime_api::types::{CalibrationInfo, ComingVersion, ModelInfo};
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};

/// Whether it takes jobs.
pub fn state(model: &ModelInfo<AccountId32>) -> &'static str {
	if model.deprecated {
		"deprecated"
	} else {
		"active"
	}
}

/// What is counted.
pub fn unit(unit: Unit) -> &'static str {
	match unit {
		Unit::Request => "request",
		Unit::InputKib => "KiB of input",
	}
}

/// Name, type and shape of a tensor; `?` is a dimension that may be any.
pub fn tensor(tensor: &TensorSpec) -> String {
	let dims: Vec<String> = tensor
		.shape
		.iter()
		.map(|dim| dim.map_or_else(|| "?".into(), |dim| dim.to_string()))
		.collect();
	format!("{} {:?}[{}]", plain(&tensor.name), tensor.dtype, dims.join(","))
}

/// All of them in one line.
pub fn tensors_text(tensors: &[TensorSpec]) -> String {
	tensors.iter().map(tensor).collect::<Vec<_>>().join(", ")
}

/// As it is written on the command line.
pub fn policy(policy: &VerificationPolicy) -> String {
	match policy {
		VerificationPolicy::Exact => "exact".into(),
		VerificationPolicy::Tolerance { atol, rtol, outliers } => {
			// Billionths are thousandfold trillionths, which `decimal` writes.
			let number = |billionths: u32| decimal(u128::from(billionths) * 1_000);
			format!("tolerance:{}:{}:{}", number(*atol), number(*rtol), percent(*outliers))
		}
	}
}

/// The trace for programs: its name and how far sketches may lie apart.
pub fn trace(spec: &VersionSpec) -> Value {
	json!(spec.trace.as_ref().map(|trace| json!({
		"tensor": String::from_utf8_lossy(&trace.tensor), "tolerance": millionths(trace.tolerance),
	})))
}

/// A number that is counted in millionths.
pub fn millionths(number: u64) -> String {
	// `decimal` writes trillionths.
	decimal(u128::from(number) * 1_000_000)
}

/// The model for programs, with how far its calibration is reproduced.
pub fn with_calibration(mut model: Value, calibration: &CalibrationInfo<AccountId32>) -> Value {
	let by: Vec<_> = calibration.reproduced_by.iter().map(Ss58Codec::to_ss58check).collect();
	model["calibration"] = json!({
		"reproducedBy": by,
		"audits": calibration.audits,
		"disputes": calibration.disputes,
		"slashes": calibration.slashes,
	});
	model
}

/// How far a calibration is reproduced, for people.
fn calibration_text(calibration: &CalibrationInfo<AccountId32>) -> String {
	let by: Vec<_> = calibration.reproduced_by.iter().map(Ss58Codec::to_ss58check).collect();
	let by = if by.is_empty() { "nobody".into() } else { by.join(", ") };
	format!(
		"reproduced by {by}; {} audits, {} disputed; juries {}",
		calibration.audits,
		calibration.disputes,
		if calibration.slashes {
			"may slash"
		} else {
			"do not slash now"
		}
	)
}

/// The model for programs.
pub fn to_json(model: &ModelInfo<AccountId32>) -> Value {
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
		"trace": trace(&model.spec),
		"detection": percent(model.spec.detection),
		"sharesRuns": model.spec.shares_runs,
		"recipe": model.spec.recipe.as_ref().map(|recipe| String::from_utf8_lossy(&recipe.name)),
		"parent": model.parent,
		"terms": model.derivative_terms.map(|terms| json!({
			"share": percent(terms.share), "floor": decimal(terms.floor),
		})),
		"royalty": decimal(model.royalty),
		"comingVersion": model.coming.as_ref().map(|coming| json!({
			"version": coming.version,
			"from": coming.from,
			"artifact": { "hash": format!("{:?}", coming.spec.artifact.hash), "size": coming.spec.artifact.size },
			"unitTimeMs": coming.spec.unit_time_ms,
		})),
		"pendingRoyalty": model.pending_royalty.map(|(royalty, from)| json!({ "royalty": decimal(royalty), "from": from })),
		"royalties": model.royalties.iter().map(|line| json!({
			"model": line.model, "payee": line.payee.to_ss58check(), "perUnit": decimal(line.per_unit),
		})).collect::<Vec<_>>(),
		"openJobs": model.open_jobs,
		"children": model.children,
		"deposit": decimal(model.deposit),
	})
}

/// The model for people.
pub fn to_text(model: &ModelInfo<AccountId32>, calibration: &CalibrationInfo<AccountId32>) -> String {
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
			"trace",
			spec.trace.as_ref().map_or_else(
				|| "none".into(),
				|trace| {
					format!(
						"{}, sketches within {}",
						plain(&trace.tensor),
						millionths(trace.tolerance)
					)
				},
			),
		),
		("detection", format!("{} of cheats per audit", percent(spec.detection))),
		("shared runs", if spec.shares_runs { "yes" } else { "no" }.into()),
		("calibration", calibration_text(calibration)),
		(
			"recipe",
			spec.recipe
				.as_ref()
				.map_or_else(|| "none".into(), |recipe| plain(&recipe.name)),
		),
		("deposit", with_unit(model.deposit)),
	];
	if let Some(coming) = &model.coming {
		let ComingVersion { version, from, spec } = coming;
		rows.push((
			"version soon",
			format!(
				"{version} from block {from}: {:?} ({} bytes), {} ms per {}",
				spec.artifact.hash,
				spec.artifact.size,
				spec.unit_time_ms,
				unit(spec.unit)
			),
		));
	}
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
