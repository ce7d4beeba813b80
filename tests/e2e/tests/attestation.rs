//! Nobody but the node that has a job attests it: what anybody else sends does not even enter a pool, and no block could hold
//! it.

use anyhow::{bail, ensure, Context, Result};
use codec::{Decode, Encode};
use highway_e2e_tests::{identity_input, key, Account};
use highway_primitives::{
	blob::BlobRef,
	work_tag,
	worker::{AttestItem, WorkerAction, WorkerSignature},
	JobId, NodeId, WorkTag, AIC,
};
use highway_runtime_api::types::WorkList;
use highway_test_support::{hostile_models, market, until, Devnet, Node, Wallet};
use serde_json::{json, Value};
use sp_core::{sr25519, Pair, H256};
use sp_runtime::{
	transaction_validity::{InvalidTransaction, TransactionValidityError},
	ApplyExtrinsicResult,
};
use std::time::Duration;

/// How long a pool may take to see a new block.
const SOON: Duration = Duration::from_secs(30);

/// How long an attestation's window of a few blocks may take on a busy machine.
const WINDOW_PASSED: Duration = Duration::from_secs(150);

/// What a pool and a block say when nothing waits for what was said.
const STALE: &str = "outdated";

/// What a pool says of the very transaction that it had before: until its block is final, behind that, and where it asks
/// the runtime anew.
const REPLAYED: [&str; 3] = ["Already Imported", "temporarily banned", STALE];

/// What a node's runtime answers.
async fn ask<R: Decode>(node: &Node, function: &str, arguments: Vec<u8>) -> Result<R> {
	let answer = node
		.rpc("state_call", json!([function, format!("0x{}", hex::encode(arguments))]))
		.await?;
	read(&answer)
}

/// A SCALE value as a node gives it.
fn read<R: Decode>(answer: &Value) -> Result<R> {
	let bytes = hex::decode(answer.as_str().context("an answer is hex")?.trim_start_matches("0x"))?;
	Ok(R::decode(&mut bytes.as_slice())?)
}

/// Says that `node` did `job`, which stands for `work`.
fn attest(node: NodeId, job: JobId, work: WorkTag, output: &[u8]) -> Result<WorkerAction> {
	let item = AttestItem {
		job,
		work,
		output: BlobRef::of(output),
		commitment: H256::repeat_byte(7),
	};
	let items = vec![item].try_into().ok().context("one item fits")?;
	Ok(WorkerAction::Attest { node, items })
}

/// What `job` stands for, as the node with this worker key is told.
async fn work(node: &Node, worker: &str, job: JobId) -> Result<WorkTag> {
	let worker = key(worker)?.public();
	let list: Option<WorkList> = ask(node, "WorkerApi_work_for", worker.encode()).await?;
	let jobs = list.context("it is a node's worker key")?.jobs;
	let item = jobs
		.iter()
		.find(|item| item.job == job)
		.context("the job waits for this node")?;
	Ok(work_tag(&item.work))
}

async fn signed(node: &Node, action: &WorkerAction, secret: &str) -> Result<WorkerSignature> {
	let payload: [u8; 32] = ask(node, "WorkerApi_worker_payload", action.encode()).await?;
	let signature: sr25519::Signature = key(secret)?.sign(&payload);
	Ok(signature.into())
}

/// The general transaction for `action`, as the node's runtime builds it.
async fn transaction(node: &Node, action: &WorkerAction, signature: &WorkerSignature) -> Result<Value> {
	let arguments = (action, signature).encode();
	node.rpc(
		"state_call",
		json!(["WorkerApi_worker_transaction", format!("0x{}", hex::encode(arguments))]),
	)
	.await
}

/// Gives it to the pool.
async fn submit(node: &Node, action: &WorkerAction, signature: &WorkerSignature) -> Result<Value> {
	let transaction = transaction(node, action, signature).await?;
	node.rpc("author_submitExtrinsic", json!([transaction])).await
}

/// What the node's runtime would say of it in a block, whatever pool or author it came from.
async fn in_block(node: &Node, action: &WorkerAction, signature: &WorkerSignature) -> Result<ApplyExtrinsicResult> {
	let transaction = transaction(node, action, signature).await?;
	read(&node.rpc("system_dryRun", json!([transaction])).await?)
}

/// What a pool says of it.
fn in_words(refusal: InvalidTransaction) -> String {
	match refusal {
		InvalidTransaction::Custom(code) => format!("Custom error: {code}"),
		other => <&str>::from(other).into(),
	}
}

/// Error unless the node's pool refuses the transaction for this reason, and a block would, too.
async fn ensure_refused(
	what: &str,
	reason: &str,
	node: &Node,
	action: &WorkerAction,
	by: &WorkerSignature,
) -> Result<()> {
	ensure_not_pooled(what, &[reason], node, action, by).await?;
	ensure_in_no_block(what, reason, node, action, by).await
}

/// Error unless the node's pool refuses the transaction for one of these reasons.
async fn ensure_not_pooled(
	what: &str,
	reasons: &[&str],
	node: &Node,
	action: &WorkerAction,
	by: &WorkerSignature,
) -> Result<()> {
	match submit(node, action, by).await {
		Ok(hash) => bail!("the pool took {what}: {hash}"),
		Err(error) => {
			let text = error.to_string();
			ensure!(
				reasons.iter().any(|reason| text.contains(reason)),
				"{what} should be refused for one of {reasons:?}, but: {text}"
			);
			Ok(())
		}
	}
}

/// Error unless a block would refuse the transaction for this reason.
async fn ensure_in_no_block(
	what: &str,
	reason: &str,
	node: &Node,
	action: &WorkerAction,
	by: &WorkerSignature,
) -> Result<()> {
	match in_block(node, action, by).await? {
		Err(TransactionValidityError::Invalid(refusal)) if in_words(refusal).contains(reason) => Ok(()),
		other => bail!("{what} should be refused in a block for '{reason}', but: {other:?}"),
	}
}

#[tokio::test]
async fn attestation_should_be_refused_by_pools_and_blocks_unless_it_is_the_assigned_nodes() -> Result<()> {
	Devnet::run(async |devnet| {
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let file = devnet.scratch().join("identity.onnx");
		std::fs::write(&file, hostile_models::identity())?;
		let arguments = [
			"model",
			"add",
			file.to_str().context("UTF-8")?,
			"--name",
			"identity",
			"--licence",
			"MIT",
		];
		// A long time per unit: the job must stay open while strangers try.
		let arguments: Vec<_> = arguments
			.iter()
			.chain(&["--unit-time-ms", "30000"])
			.map(|word| word.to_string())
			.collect();
		let model = market::add_model(&maker, &arguments).await?;
		market::host_everywhere(devnet, model, AIC / 100, AIC / 1_000).await?;

		// Nobody has this input, so no node attests by itself.
		let payer = Account::connect(devnet.node("bob"), "//Eve").await?;
		let missing = BlobRef::of(&identity_input(-77.0, 3)?);
		let job = payer.submit_final_job(model, missing, None).await?.job;
		let wallet = Wallet::new(devnet.node("bob"), "//Eve");
		let shown = market::show_job(&wallet, job).await?;
		ensure!(shown["phase"] == "Assigned", "the job waits for a node: {shown}");
		let executor = NodeId::try_from(shown["executor"].as_u64().context("the job has an executor")?)?;
		let owner = ["//Alice", "//Bob", "//Charlie"][executor as usize];
		let other = (executor + 1) % 3;
		let stranger = ["//Alice", "//Bob", "//Charlie"][other as usize];

		let output = identity_input(1.0, 1)?;
		let work = work(devnet.node("alice"), owner, job).await?;
		let true_claim = attest(executor, job, work, &output)?;
		for node in &devnet.nodes {
			let by_stranger = signed(node, &true_claim, "//Mallory").await?;
			ensure_refused(
				"a stranger's signature",
				"bad signature",
				node,
				&true_claim,
				&by_stranger,
			)
			.await?;
			let by_other_node = signed(node, &true_claim, stranger).await?;
			ensure_refused(
				"another node's signature",
				"bad signature",
				node,
				&true_claim,
				&by_other_node,
			)
			.await?;
			let stolen = attest(other, job, work, &output)?;
			let by_thief = signed(node, &stolen, stranger).await?;
			ensure_refused("another node's claim", STALE, node, &stolen, &by_thief).await?;
			let genuine = signed(node, &true_claim, owner).await?;
			let altered = attest(executor, job, work, &identity_input(2.0, 1)?)?;
			ensure_refused(
				"an output changed after it was signed",
				"bad signature",
				node,
				&altered,
				&genuine,
			)
			.await?;
			let nobody = attest(99, job, work, &output)?;
			let by_nobody = signed(node, &nobody, owner).await?;
			ensure_refused("a node that there is not", "Custom error: 1", node, &nobody, &by_nobody).await?;
			let elsewhere = attest(executor, job, WorkTag::default(), &output)?;
			let by_owner = signed(node, &elsewhere, owner).await?;
			ensure_refused("work of another fork", STALE, node, &elsewhere, &by_owner).await?;
		}
		let report = WorkerAction::ReportFailure {
			node: executor,
			job,
			work,
			class: highway_primitives::FailureClass::InputMissing,
		};
		let node = devnet.node("alice");
		let by_stranger = signed(node, &report, "//Mallory").await?;
		ensure_refused(
			"a stranger's failure report",
			"bad signature",
			node,
			&report,
			&by_stranger,
		)
		.await?;
		let shown = market::show_job(&wallet, job).await?;
		ensure!(shown["phase"] == "Assigned", "nothing of it moved the job: {shown}");

		// The same words by the right key: so it was the key, and nothing else, that was refused.
		let genuine = signed(node, &true_claim, owner).await?;
		let outcome = in_block(node, &true_claim, &genuine).await?;
		ensure!(outcome == Ok(Ok(())), "a block may hold it: {outcome:?}");
		submit(node, &true_claim, &genuine)
			.await
			.context("the assigned node's own attestation")?;
		let attested = market::wait_for_phase(&wallet, job, "Attested").await?;
		let hash = format!("{:?}", BlobRef::of(&output).hash);
		ensure!(
			attested["output"]["hash"] == json!(hash),
			"the output is the attested one: {attested}"
		);
		// Another node may have seen the block with it before this one.
		until("a replay to be refused", SOON, || async {
			ensure_not_pooled("a replay", &REPLAYED, node, &true_claim, &genuine).await?;
			ensure_in_no_block("a replay", STALE, node, &true_claim, &genuine)
				.await
				.map(Some)
		})
		.await?;
		let again = attest(executor, job, work, &identity_input(3.0, 1)?)?;
		let by_owner = signed(node, &again, owner).await?;
		// For a moment the first one may still be in the pool, and stands in the way of the second one there.
		until("a second attestation to be outdated", SOON, || async {
			ensure_refused("a second attestation", STALE, node, &again, &by_owner)
				.await
				.map(Some)
		})
		.await?;
		// One job in twenty is drawn for an audit, where nobody can confirm what was made up here.
		let after = until("the end of its window", WINDOW_PASSED, || async {
			let shown = market::show_job(&wallet, job).await?;
			Ok((shown["phase"] == "Settled" || shown["phase"] == "Auditing").then_some(shown))
		})
		.await?;
		ensure!(after["output"]["hash"] == json!(hash), "the first word counts: {after}");
		Ok(())
	})
	.await
}
