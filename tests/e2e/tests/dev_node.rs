//! `highway-node --dev`, alone and told to take a GPU that need not be there, and the subcommands around its data.

use anyhow::{ensure, Context, Result};
use highway_e2e_tests::identity_input;
use highway_offchain_worker::tensors::parse;
use highway_primitives::{DeviceClass, AIC};
use highway_test_support::{binaries, hostile_models, market, offer, until, Node, NodeOptions, Seller, Wallet};
use serde_json::{json, Value};
use std::{fs, path::Path, process::Command, time::Duration};

/// What a node says that was told to take the first GPU, and cannot.
const FALLBACK: &str = "CUDA device 0 cannot be used, inference runs and is advertised on the CPU instead: ";

/// Runs `highway-node` with these arguments for the development chain in `data` and returns what it prints.
fn run(arguments: &[&str], data: &Path) -> Result<String> {
	let output = Command::new(binaries::node()?)
		.args(arguments)
		.args(["--chain", "dev", "--base-path"])
		.arg(data)
		.output()?;
	let (printed, said) = (
		String::from_utf8_lossy(&output.stdout).into_owned(),
		String::from_utf8_lossy(&output.stderr).into_owned(),
	);
	ensure!(
		output.status.success(),
		"{arguments:?}: {}\n{printed}\n{said}",
		output.status
	);
	Ok(printed)
}

/// A node that was told to take the first GPU says what inference really runs on: in its log, and to those who ask.
async fn device_should_be_the_cpu_unless_there_is_a_gpu(node: &Node) -> Result<()> {
	let fell_back = fs::read_to_string(node.log())?.contains(FALLBACK);
	ensure!(
		fell_back || Path::new("/dev/nvidia0").exists(),
		"without a GPU the log says that it is not used:\n{}",
		node.log_tail()
	);
	let device = match fell_back {
		true if cfg!(target_arch = "aarch64") => DeviceClass::CpuArm,
		true => DeviceClass::CpuX86,
		false => DeviceClass::Cuda,
	};
	let report = node.rpc("inference_nodeInfo", json!([])).await?;
	ensure!(
		report["provider"] == "cuda:0" && report["device"] == json!(device),
		"it was told cuda:0, and runs on {device:?}: {report}"
	);
	Ok(())
}

/// Dave's model, Alice's node, Eve's job: all on the one node.
async fn job_should_be_done(node: &Node, folder: &Path) -> Result<()> {
	let file = folder.join("identity.onnx");
	fs::write(&file, hostile_models::identity())?;
	let words = [
		"model",
		"add",
		file.to_str().context("UTF-8")?,
		"--name",
		"identity",
		"--licence",
		"MIT",
		"--unit-time-ms",
		"200",
	];
	let model = market::add_model(&Wallet::new(node, "//Dave"), &words.map(str::to_owned)).await?;
	let seller = Seller::new(node, "//Alice");
	offer(&[seller.computing(model, AIC / 100).storing(model, AIC / 1_000)]).await?;
	let payer = Wallet::new(node, "//Eve");
	market::wait_for_executors(&payer, model, 1).await?;
	let (input, output) = (folder.join("in.safetensors"), folder.join("out.safetensors"));
	fs::write(&input, identity_input(15.0, 2)?)?;
	let model = model.to_string();
	let answer = payer
		.run(&[
			"infer",
			&model,
			"--input",
			input.to_str().context("UTF-8")?,
			"--output",
			output.to_str().context("UTF-8")?,
		])
		.await?;
	let (given, got) = (fs::read(&input)?, fs::read(&output)?);
	ensure!(
		parse(&given)?[0].data == parse(&got)?[0].data,
		"it is the identity: {answer}"
	);
	Ok(())
}

#[tokio::test]
async fn dev_node_should_finalize_and_do_a_job_when_alone() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let options = NodeOptions {
		name: "dev".into(),
		chain: "dev".into(),
		extra: ["--dev", "--inference-provider", "cuda:0"].map(str::to_owned).to_vec(),
		..NodeOptions::default()
	};
	let mut node = Node::start(folder.path(), options).await?;
	device_should_be_the_cpu_unless_there_is_a_gpu(&node).await?;
	node.wait_for_block(3).await?;
	until("a finalized block", Duration::from_secs(30), || async {
		Ok((node.finalized_block().await? >= 1).then_some(()))
	})
	.await?;
	until("a healthy engine", Duration::from_secs(30), || async {
		Ok((node.metric("highway_healthy", &[]).await? == 1.0).then_some(()))
	})
	.await?;
	// The metrics follow every few seconds.
	until("a best block of 3 in the metrics", Duration::from_secs(30), || async {
		let height = node.metric("substrate_block_height", &["status=\"best\""]).await?;
		Ok((height >= 3.0).then_some(()))
	})
	.await?;
	job_should_be_done(&node, folder.path()).await?;
	node.stop().await?;

	let data = node.folder().join("data");
	let info = run(&["chain-info"], &data)?;
	let info: Value = serde_json::from_str(&info)?;
	ensure!(
		info["best_number"].as_u64() >= Some(3),
		"chain-info tells of the chain: {info}"
	);
	let chain = node.chain_folder()?;
	let database = chain.join("paritydb");
	ensure!(database.is_dir(), "there is a database at {}", database.display());
	run(&["purge-chain", "-y"], &data)?;
	ensure!(!database.exists(), "the database is gone");
	ensure!(chain.join("keystore").is_dir(), "the keys are not");
	// It starts anew on what is left.
	node.resume().await?;
	node.wait_for_block(1).await?;
	node.stop().await
}
