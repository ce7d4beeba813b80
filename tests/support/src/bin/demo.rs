//! The main job, end to end: see `scripts/demo`.

use anyhow::{ensure, Context, Result};
use highway_primitives::AIC;
use highway_test_support::{
	bare::{BareMagika, TOLERANCE},
	binaries, market, unless_interrupted, until, Devnet, Wallet,
};
use highway_wallet::recipes::Answer;
use serde_json::{json, Value};
use std::{
	cell::Cell,
	env,
	path::{Path, PathBuf},
	time::Duration,
};

/// What the files are, in Magika's own words.
const EXPECTED: [&str; 5] = ["python", "elf", "png", "pdf", "json"];

/// How long a job may take to settle: the attestation window, an audit if one is drawn, and some blocks.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);

fn files() -> Result<Vec<PathBuf>> {
	let samples = binaries::tests_folder("files")?;
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
	let as_json = env::args().any(|argument| argument == "--json");
	let files = files()?;
	let expected = bare(&files)?;
	eprintln!("starting three validators with workers …");
	// Stops the nodes as well, and fails if one of them panicked or did not end well.
	let jobs = unless_interrupted(Devnet::run(async |devnet| demonstrate(devnet, &files, &expected).await)).await?;
	if as_json {
		let bare: Vec<_> = files
			.iter()
			.zip(&expected)
			.map(|(file, answer)| json!({ "file": file, "label": answer.label, "score": answer.score }))
			.collect();
		println!("{}", json!({ "jobs": jobs, "bare_onnx_runtime": bare }));
	} else {
		print!("{}", table(&jobs, &expected));
	}
	Ok(())
}

/// What ONNX Runtime says of the files in this process, without a network.
fn bare(files: &[PathBuf]) -> Result<Vec<Answer>> {
	let mut magika = BareMagika::load()?;
	files
		.iter()
		.map(|file| {
			let output = magika.run(&magika.input(file)?)?;
			magika.answer(&output)
		})
		.collect()
}

async fn demonstrate(devnet: &Devnet, files: &[PathBuf], expected: &[Answer]) -> Result<Vec<Value>> {
	for node in &devnet.nodes {
		eprintln!("  {:8} {}", node.name(), node.url());
	}

	let (maker, payer) = (
		Wallet::new(devnet.node("alice"), "//Dave"),
		Wallet::new(devnet.node("bob"), "//Eve"),
	);
	eprintln!("Dave registers Magika …");
	let model = market::add_model(&maker, &market::magika_arguments()?).await?;
	eprintln!(
		"Alice, Bob and Charlie host model {model}; they commit to what they ask, and reveal it, epoch by epoch …"
	);
	market::host_everywhere(devnet, model, AIC / 100, AIC / 1_000).await?;

	eprintln!("Eve pays for {} inferences …", files.len());
	let mut arguments = vec!["infer".to_string(), model.to_string(), "--file".into()];
	arguments.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
	let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
	let answer = payer.run(&arguments).await?;
	let results = answer["results"].as_array().context("`infer` gives results")?;
	let labels: Vec<_> = results
		.iter()
		.map(|result| result["label"].as_str().unwrap_or_default())
		.collect();
	ensure!(
		labels == EXPECTED,
		"the labels are {labels:?}, but the files are {EXPECTED:?}"
	);
	for (result, bare) in results.iter().zip(expected) {
		same_as_bare(result, bare)?;
	}

	eprintln!("waiting until the attestation window is over and everybody is paid …");
	let mut jobs = Vec::new();
	for (file, result) in files.iter().zip(results) {
		jobs.push(job(&payer, file, result).await?);
	}
	eprintln!("stopping the nodes …");
	Ok(jobs)
}

/// Error if the network says something else than bare ONNX Runtime.
fn same_as_bare(result: &Value, bare: &Answer) -> Result<()> {
	let (ours, theirs) = (result["score"].as_f64(), bare.score);
	let near = ours
		.zip(theirs)
		.is_some_and(|(ours, theirs)| (ours - theirs).abs() <= f64::from(TOLERANCE));
	ensure!(
		result["label"] == bare.label && near,
		"bare ONNX Runtime says {} ({theirs:?}), the network: {result}",
		bare.label
	);
	Ok(())
}

/// Everything about one job, once it is settled.
async fn job(payer: &Wallet, file: &Path, result: &Value) -> Result<Value> {
	let id = result["job"]
		.as_u64()
		.with_context(|| format!("{} has no job: {result}", file.display()))?
		.to_string();
	let said = Cell::new(false);
	let settled = until(&format!("the settlement of job {id}"), SETTLED_WITHIN, || async {
		let job = payer.run(&["job", "show", &id]).await?;
		if job["phase"] == "Auditing" && !said.replace(true) {
			eprintln!("job {id} is being audited …");
		}
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

/// Who gets a line of a bill, or what becomes of it: in the words of `highway bill`.
fn payee(line: &Value) -> &str {
	match (line["payee"].as_str(), line["role"].as_str()) {
		(Some(payee), _) => payee,
		(None, Some("Auditor")) => "the pot that pays for audits",
		(None, Some("Compute" | "Storage")) => "whoever it falls to",
		(None, _) => "burned",
	}
}

fn table(jobs: &[Value], bare: &[Answer]) -> String {
	let mut text = format!(
		"\n{:32} {:8} {:>7}  {:>7}  {:>4}  {:>6}\n",
		"file", "label", "score", "bare", "node", "blocks"
	);
	for (job, bare) in jobs.iter().zip(bare) {
		let file = job["file"]
			.as_str()
			.and_then(|file| Path::new(file).file_name()?.to_str())
			.unwrap_or_default();
		text += &format!(
			"{file:32} {:8} {:>6.1}%  {:>6.1}%  {:>4}  {:>6}\n",
			job["label"].as_str().unwrap_or_default(),
			job["score"].as_f64().unwrap_or_default() * 100.0,
			bare.score.unwrap_or_default() * 100.0,
			// As text: a JSON value takes no notice of a width.
			job["node"].to_string(),
			job["blocks"].to_string(),
		);
		for line in job["bill"].as_array().into_iter().flatten() {
			text += &format!(
				"    {:10} {:>16} AIC  {}\n",
				line["role"].as_str().unwrap_or_default(),
				line["amount"].as_str().unwrap_or_default(),
				payee(line),
			);
		}
	}
	text += &format!(
		"\nThe labels are those of bare ONNX Runtime on the same bytes; the scores differ from its own (bare) by {TOLERANCE:e} at most.\n"
	);
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn table_should_tell_what_becomes_of_every_line_of_a_bill() {
		let line = |role: &str, amount: &str, payee: Value| json!({ "role": role, "amount": amount, "payee": payee });
		let job = json!({
			"file": "/somewhere/road.png",
			"label": "png",
			"score": 0.9994,
			"node": 2,
			"blocks": 1,
			"bill": [
				line("Maker", "0.0005", json!("5Dave")),
				line("Compute", "0.01", json!("5Alice")),
				line("Auditor", "0.0002", Value::Null),
				line("Protocol", "0.0001", json!("5Treasury")),
				line("Protocol", "0.0001", Value::Null),
			],
		});
		let bare = Answer {
			label: "png".into(),
			score: Some(0.9991),
			note: None,
			choices: Vec::new(),
		};
		let text = table(&[job], &[bare]);
		let lines: Vec<_> = text.lines().collect();
		let expected = [
			"",
			"file                             label      score     bare  node  blocks",
			"road.png                         png        99.9%    99.9%     2       1",
			"    Maker                0.0005 AIC  5Dave",
			"    Compute                0.01 AIC  5Alice",
			"    Auditor              0.0002 AIC  the pot that pays for audits",
			"    Protocol             0.0001 AIC  5Treasury",
			"    Protocol             0.0001 AIC  burned",
			"",
		];
		assert_eq!(lines[..expected.len()], expected);
	}
}
