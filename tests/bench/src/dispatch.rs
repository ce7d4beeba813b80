//! As many jobs as the network takes, against bare ONNX Runtime.

use crate::{
	figures::{Figure, Goal, Summary},
	network::Scene,
	record::Record,
};
use anyhow::Result;

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("dispatch_magika", "of bare ONNX Runtime")
		.goal(Goal::AtLeast(0.5))
		.key("dispatch_over_bare.magika"),
	Figure::new("dispatch_large", "of bare ONNX Runtime")
		.goal(Goal::AtLeast(0.5))
		.key("dispatch_over_bare.large"),
	Figure::new("jobs_magika", "correct final jobs/s"),
	Figure::new("bare_magika", "runs/s, beside idle nodes"),
	Figure::new("bare_before_magika", "runs/s, before the nodes start"),
	Figure::new("jobs_large", "correct final jobs/s"),
	Figure::new("bare_large", "runs/s, beside idle nodes"),
	Figure::new("bare_before_large", "runs/s, before the nodes start"),
	Figure::new("run_large", "ms of bare ONNX Runtime").goal(Goal::AtLeast(20.0)),
	Figure::new("slowest_under_load", "blocks from inclusion to attestation").by(Summary::Quantile(1.0)),
	Figure::new("wrong_outputs", "jobs")
		.by(Summary::Sum)
		.goal(Goal::AtMost(0.0)),
	Figure::new("jobs_never_attested", "jobs")
		.by(Summary::Sum)
		.goal(Goal::AtMost(0.0)),
	Figure::new("submissions_refused", "transactions without a job")
		.by(Summary::Sum)
		.goal(Goal::AtMost(0.0)),
	Figure::new("bytes_attested_in_batch", "bytes on chain per job")
		.by(Summary::Mean)
		.goal(Goal::AtMost(250.0))
		.key("chain_bytes_per_job_batched"),
];

/// Names of what is observed of a model.
struct Names {
	ratio: &'static str,
	jobs: &'static str,
	bare: &'static str,
	before: &'static str,
}

/// Loads the network with Magika.
pub async fn magika(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	const NAMES: Names = Names {
		ratio: "dispatch_magika",
		jobs: "jobs_magika",
		bare: "bare_magika",
		before: "bare_before_magika",
	};
	round(scene, record, &NAMES).await?;
	let batched = scene.at_capacity().await?.batched_bytes;
	if batched.is_empty() {
		eprintln!("no six jobs were attested together: their bytes on chain are not measured");
	}
	batched
		.into_iter()
		.try_for_each(|bytes| record.note("bytes_attested_in_batch", bytes))
}

/// Loads the network with a model that takes more than 20 ms.
pub async fn large(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	const NAMES: Names = Names {
		ratio: "dispatch_large",
		jobs: "jobs_large",
		bare: "bare_large",
		before: "bare_before_large",
	};
	round(scene, record, &NAMES).await?;
	record.note("run_large", 1_000.0 / scene.bare_before)
}

async fn round(scene: &mut Scene<'_>, record: &mut Record, names: &Names) -> Result<()> {
	let load = scene.at_capacity().await?;
	// The faster of the two: what slows bare ONNX Runtime down must not flatter the network.
	record.note(names.ratio, load.rate / load.bare.max(scene.bare_before))?;
	record.note(names.jobs, load.rate)?;
	record.note(names.bare, load.bare)?;
	record.note(names.before, scene.bare_before)?;
	record.note("slowest_under_load", f64::from(load.slowest))?;
	record.note("wrong_outputs", load.wrong as f64)?;
	record.note("jobs_never_attested", load.lost as f64)?;
	record.note("submissions_refused", load.refused as f64)
}
