//! Models that want to harm: the wallet refuses to register them; registered all the same, nodes refuse to run them and
//! go on authoring.

use anyhow::{ensure, Context, Result};
use codec::Decode;
use highway_e2e_tests::{amount, author_of, billed_in_all, identity_input, put_blob, Account};
use highway_offchain_worker::precheck;
use highway_primitives::{
	model::{Unit, VerificationPolicy, VersionSpec, MIN_DETECTION},
	BlobRef, FailureClass, JobId, ModelId, NodeId, AIC,
};
use highway_test_support::{hostile_models, market, offer, until, Devnet, Node, NodeOptions, Seller, Wallet};
use seccompiler::{apply_filter, BpfProgram, SeccompAction, SeccompFilter};
use serde_json::{json, Value};
use std::{collections::BTreeSet, fs, time::Duration};
use subxt::{utils::H256, OnlineClient, PolkadotConfig};

/// Those that go to the nodes: one of each kind.
const REGISTERED: [&str; 5] = [
	"external data at an absolute path",
	"ten thousand levels of If",
	"an unknown domain",
	"a truncated file",
	"a huge sparse tensor",
];

/// What the hostile models pretend to be.
fn disguise(artifact: &[u8]) -> Result<VersionSpec> {
	let honest = precheck::signature(&hostile_models::identity())?;
	Ok(VersionSpec {
		artifact: BlobRef::of(artifact),
		licence: b"MIT".to_vec().try_into().ok().context("3 bytes fit")?,
		inputs: honest.bounded_inputs().context("one input fits")?,
		outputs: honest.bounded_outputs().context("one output fits")?,
		unit: Unit::Request,
		unit_time_ms: 200,
		policy: VerificationPolicy::Tolerance {
			atol: 1_000_000,
			rtol: 1_000_000,
			outliers: Default::default(),
		},
		trace: None,
		detection: MIN_DETECTION,
		shares_runs: false,
		recipe: None,
	})
}

#[tokio::test]
async fn hostile_models_should_be_refused_by_wallet_and_nodes_while_the_chain_goes_on() -> Result<()> {
	Devnet::run(async |devnet| {
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let account = Account::connect(devnet.node("alice"), "//Dave").await?;
		let before = account.total().await?;
		for (index, (what, bytes)) in hostile_models::refused().into_iter().enumerate() {
			let file = devnet.scratch().join(format!("{index}.onnx"));
			fs::write(&file, bytes)?;
			let file = file.to_str().context("UTF-8")?;
			let name = format!("hostile-{index}");
			let failure = maker
				.fails(&[
					"model",
					"add",
					file,
					"--name",
					&name,
					"--licence",
					"MIT",
					"--unit-time-ms",
					"200",
				])
				.await
				.with_context(|| what.to_string())?;
			ensure!(
				failure.code == 1 && failure.message.contains("cannot be registered"),
				"{what}: {failure:?}"
			);
		}
		ensure!(account.total().await? == before, "refusals cost nothing");
		ensure!(account.client.models().await?.is_empty(), "no model was registered");

		// By another program than the wallet.
		let mut registrations = Vec::new();
		for (index, name) in REGISTERED.iter().enumerate() {
			let bytes = hostile_models::refused()
				.into_iter()
				.find_map(|(what, bytes)| (what == *name).then_some(bytes))
				.with_context(|| format!("there is no hostile model '{name}'"))?;
			put_blob(devnet.node("alice"), &bytes).await?;
			let name = format!("innocent-{index}").into_bytes();
			registrations.push((name, disguise(&bytes)?));
		}
		account.register_models(&registrations).await?;
		let models: Vec<_> = account.client.models().await?.iter().map(|model| model.id).collect();
		ensure!(
			models.len() == REGISTERED.len(),
			"the chain cannot see that they are hostile: {models:?}"
		);
		let sellers: Vec<_> = devnet
			.nodes
			.iter()
			.map(|node| {
				let seller = Seller::new(node, &market::key_of(node.name()));
				let offering =
					|seller: Seller, model: &ModelId| seller.computing(*model, AIC).storing(*model, AIC / 10);
				models.iter().fold(seller, offering)
			})
			.collect();
		offer(&sellers).await?;

		let payer = Wallet::new(devnet.node("bob"), "//Eve");
		let buyer = Account::connect(devnet.node("bob"), "//Eve").await?;
		let input = put_blob(devnet.node("bob"), &identity_input(3.0, 1)?).await?;
		let mut jobs = Vec::new();
		let first_job_block = devnet.node("alice").best_block().await?;
		for model in &models {
			market::wait_for_executors(&payer, u64::from(*model), 3).await?;
			jobs.push(buyer.submit_job(u64::from(*model), input, None).await?.job);
		}
		let first_block = devnet.node("alice").best_block().await?;
		for (job, what) in jobs.iter().zip(REGISTERED) {
			let failed = market::wait_for_phase(&payer, *job, "Failed")
				.await
				.with_context(|| what.to_string())?;
			ensure!(failed["output"].is_null(), "{what}: there is no output: {failed}");
			let bill = payer.run(&["bill", &job.to_string()]).await?;
			ensure!(billed_in_all(&bill)? == amount(&bill["price"])?, "{what}: {bill}");
			ensure!(
				amount(&bill["refunded"])? >= amount(&bill["price"])? / 2,
				"{what}: most goes back: {bill}"
			);
		}
		let last_block = devnet.node("alice").best_block().await?;
		all_should_author_and_finalize_after(devnet, first_block).await?;
		until("finality of the reports", Duration::from_secs(60), || async {
			Ok((devnet.node("alice").finalized_block().await? >= last_block).then_some(()))
		})
		.await?;
		let told = failures(devnet.node("alice"), first_job_block).await?;
		for (job, what) in jobs.iter().zip(REGISTERED) {
			let of_job: Vec<_> = told.iter().filter(|failure| failure.job == *job).collect();
			let by: BTreeSet<_> = of_job.iter().filter_map(|failure| failure.reporter).collect();
			let verdicts = of_job.iter().filter(|failure| failure.reporter.is_none()).count();
			ensure!(by.len() == 2 && verdicts == 1, "{what}: two nodes say why: {of_job:?}");
			ensure!(
				of_job.iter().all(|failure| failure.class == FailureClass::ModelRefused),
				"{what}: it is the model's fault: {of_job:?}"
			);
		}
		for node in &devnet.nodes {
			// All of them, also those whose job went to the two others.
			until(
				&format!("refusal of each model by {}", node.name()),
				Duration::from_secs(60),
				|| async {
					let refused = node.metric("highway_refused_models", &[]).await?;
					Ok((refused == REGISTERED.len() as f64).then_some(()))
				},
			)
			.await?;
			ensure!(
				node.metric("highway_healthy", &[]).await? == 1.0,
				"{} is healthy",
				node.name()
			);
		}
		Ok(())
	})
	.await
}

/// A failure that a node reported, or, without a reporter, why a job failed in the end.
#[derive(Debug)]
struct Failure {
	job: JobId,
	reporter: Option<NodeId>,
	class: FailureClass,
}

/// All failures in the blocks from `first` to the last final one.
async fn failures(node: &Node, first: u64) -> Result<Vec<Failure>> {
	let chain = OnlineClient::<PolkadotConfig>::from_insecure_url(node.url()).await?;
	let mut list = Vec::new();
	for block in first..=node.finalized_block().await? {
		let hash: Value = node.rpc("chain_getBlockHash", json!([block])).await?;
		let hash: H256 = serde_json::from_value(hash)?;
		for event in chain.events().at(hash).await?.iter() {
			let event = event?;
			let mut fields = event.field_bytes();
			match (event.pallet_name(), event.variant_name()) {
				("ProofOfWorkDone", "FailureReported") => {
					let (job, reporter, class) = Decode::decode(&mut fields)?;
					list.push(Failure {
						job,
						reporter: Some(reporter),
						class,
					});
				}
				("InferenceJobs", "JobFailed") => {
					let (job, class) = Decode::decode(&mut fields)?;
					list.push(Failure {
						job,
						reporter: None,
						class,
					});
				}
				_ => {}
			}
		}
	}
	Ok(list)
}

/// The system call without which there is no Landlock; its number is the same on all architectures.
const LANDLOCK_CREATE_RULESET: i64 = 444;
/// "No such system call", as an old kernel says.
const ENOSYS: u32 = 38;

/// Starts a development validator as if the kernel had no Landlock.
fn start_without_landlock(name: &str, extra: &[&str]) -> Result<Node> {
	let options = NodeOptions {
		name: name.into(),
		chain: "dev".into(),
		validator: Some("alice".into()),
		extra: extra.iter().map(|argument| argument.to_string()).collect(),
		..NodeOptions::default()
	};
	let folder = tempfile::tempdir()?;
	// A filter holds for one thread and for what it starts: for the node, and for nothing else here.
	let thread = std::thread::spawn(move || -> Result<Node> {
		let filter = SeccompFilter::new(
			[(LANDLOCK_CREATE_RULESET, vec![])].into_iter().collect(),
			SeccompAction::Allow,
			SeccompAction::Errno(ENOSYS),
			std::env::consts::ARCH.try_into()?,
		)?;
		apply_filter(&BpfProgram::try_from(filter)?)?;
		let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
		runtime.block_on(Node::start(folder.path(), options))
	});
	thread.join().ok().context("the thread panicked")?
}

#[test]
fn validator_should_not_start_when_the_kernel_offers_no_sandbox() -> Result<()> {
	let refusal = start_without_landlock("strict", &[])
		.err()
		.context("it started without a sandbox")?;
	let refusal = format!("{refusal:#}");
	ensure!(
		refusal.contains("this validator does not start") && refusal.contains("Landlock is not available"),
		"it says why: {refusal}"
	);
	start_without_landlock("insecure", &["--insecure-inference"])
		.context("for development it starts")
		.map(drop)
}

/// Every validator authors a block after `first`, and such blocks become final.
async fn all_should_author_and_finalize_after(devnet: &Devnet, first: u64) -> Result<()> {
	let node = devnet.node("alice");
	let mut authors = BTreeSet::new();
	let mut next = first + 1;
	let limit = Duration::from_secs(120);
	let start = std::time::Instant::now();
	while authors.len() < devnet.nodes.len() {
		ensure!(
			start.elapsed() < limit,
			"only {authors:?} authored blocks {first} to {next}"
		);
		node.wait_for_block(next).await?;
		authors.insert(author_of(node, next).await?);
		next += 1;
	}
	for node in &devnet.nodes {
		until(
			&format!("finality of block {next} on {}", node.name()),
			limit,
			|| async { Ok((node.finalized_block().await? > first).then_some(())) },
		)
		.await?;
	}
	Ok(())
}
