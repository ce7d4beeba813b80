//! The main job, end to end: see `scripts/demo`.

use anyhow::{ensure, Context, Result};
use highway_test_support::{market, unless_interrupted, until, Devnet, Wallet};
use serde_json::{json, Value};
use std::{
	env,
	path::{Path, PathBuf},
	time::Duration,
};

/// What the files are, in Magika's own words.
const EXPECTED: [&str; 5] = ["python", "elf", "png", "pdf", "json"];

/// How long a job may take to settle: the attestation window and some blocks.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

fn files() -> Result<Vec<PathBuf>> {
	let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../files").canonicalize()?;
	// The ELF binary is this very program.
	let own = env::current_exe()?;
	Ok(vec![
		samples.join("fibonacci.py"),
		own,
		samples.join("road.png"),
		samples.join("page.pdf"),
		samples.join("order.json"),
	])
}

#[tokio::main]
async fn main() -> Result<()> {
	unless_interrupted(demonstrate(env::args().any(|argument| argument == "--json"))).await
}

async fn demonstrate(as_json: bool) -> Result<()> {
	eprintln!("starting three validators with workers …");
	let devnet = Devnet::start().await?;
	for node in &devnet.nodes {
		eprintln!("  {:8} {}", node.name(), node.url());
	}

	let (maker, payer) = (
		Wallet::new(devnet.node("alice"), "//Dave"),
		Wallet::new(devnet.node("bob"), "//Eve"),
	);
	eprintln!("Dave registers Magika …");
	let model = market::add_model(&maker, &market::magika_arguments()?).await?;
	eprintln!("Alice, Bob and Charlie host model {model}; their asks hold from the next market epoch on …");
	market::host_everywhere(&devnet, model, "0.01", "0.001").await?;

	let files = files()?;
	eprintln!("Eve pays for {} inferences …", files.len());
	let mut arguments = vec!["infer".to_string(), model.to_string(), "--file".into()];
	arguments.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
	let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
	let answer = payer.run(&arguments).await?;
	let results = answer["results"].as_array().context("`infer` gives results")?;

	eprintln!("waiting until the attestation window is over and everybody is paid …");
	let mut jobs = Vec::new();
	for (file, result) in files.iter().zip(results) {
		jobs.push(job(&payer, file, result).await?);
	}
	let labels: Vec<_> = jobs
		.iter()
		.map(|job| job["label"].as_str().unwrap_or_default())
		.collect();
	ensure!(
		labels == EXPECTED,
		"the labels are {labels:?}, but the files are {EXPECTED:?}"
	);

	eprintln!("stopping the nodes …");
	devnet.stop().await?;
	if as_json {
		println!("{}", json!({ "jobs": jobs }));
	} else {
		print!("{}", table(&jobs));
	}
	Ok(())
}

/// Everything about one job, once it is settled.
async fn job(payer: &Wallet, file: &Path, result: &Value) -> Result<Value> {
	let id = result["job"]
		.as_u64()
		.with_context(|| format!("{} has no job: {result}", file.display()))?
		.to_string();
	let settled = until(&format!("the settlement of job {id}"), SETTLED_WITHIN, || async {
		let job = payer.run(&["job", "show", &id]).await?;
		Ok((job["phase"] == "Settled").then_some(job))
	})
	.await?;
	let bill = payer.run(&["bill", &id]).await?;
	let block = |name: &str| {
		settled[name]
			.as_u64()
			.with_context(|| format!("a settled job has {name}: {settled}"))
	};
	Ok(json!({
		"file": file,
		"label": result["label"],
		"score": result["score"],
		"node": settled["executor"],
		"blocks": block("attestedAt")? - block("submittedAt")?,
		"bill": bill["lines"],
	}))
}

fn table(jobs: &[Value]) -> String {
	let mut text = format!(
		"\n{:32} {:8} {:>7}  {:>4}  {:>6}\n",
		"file", "label", "score", "node", "blocks"
	);
	for job in jobs {
		let file = job["file"]
			.as_str()
			.and_then(|file| Path::new(file).file_name()?.to_str())
			.unwrap_or_default();
		text += &format!(
			"{file:32} {:8} {:>6.1}%  {:>4}  {:>6}\n",
			job["label"].as_str().unwrap_or_default(),
			job["score"].as_f64().unwrap_or_default() * 100.0,
			job["node"],
			job["blocks"],
		);
		for line in job["bill"].as_array().into_iter().flatten() {
			text += &format!(
				"    {:10} {:>16} AIC  {}\n",
				line["role"].as_str().unwrap_or_default(),
				line["amount"].as_str().unwrap_or_default(),
				line["payee"].as_str().unwrap_or("burned"),
			);
		}
	}
	text
}
