//! What the scenarios have in common: models to be audited, payers that ask for audits, and what the chain says.

use anyhow::{bail, ensure, Context, Result};
use codec::{Decode, Encode};
use futures::future::try_join_all;
use highway_e2e_tests::{floats, key, put_blob, Account};
use highway_offchain_worker::{
	precheck::{self, Limits},
	tensors::serialize,
	trace,
};
use highway_primitives::{
	audit::{AuditReason, Verdict},
	model::{ModelId, Trace, Unit, VerificationPolicy, VersionSpec},
	Balance, BlobRef, FailureClass, JobId, JobPhase, NodeId, Role,
};
use highway_runtime_api::types::{AuditInfo, JobInfo, NodeInfo};
use highway_test_support::{hostile_models, market::key_of, offer, until, Devnet, Node, Seller};
use highway_wallet::client::calls;
use serde_json::{json, Value};
use sp_core::{crypto::AccountId32, Pair};
use sp_runtime::Perbill;
use std::time::Duration;
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	dynamic,
	tx::{Payload, TxStatus},
	utils::H256,
	OnlineClient, PolkadotConfig,
};

/// S in multiples of R, as the runtime says.
pub const SECURITY_FACTOR: Balance = 64;

/// What each unit of compute costs: what all ask who host a model. 0.01 AIC.
pub const PRICE: Balance = 10_000_000_000;

/// How long a job may take from its submission to the end of its audit: deadline, window, draws, a jury.
pub const JUDGED_WITHIN: Duration = Duration::from_secs(240);

/// How long a job may take until it is attested, three nodes' deadlines included.
const ATTESTED_WITHIN: Duration = Duration::from_secs(90);

/// How long something may take that one block does.
pub const SOON: Duration = Duration::from_secs(30);

/// Blocks for which a transaction is good.
const MORTALITY: u64 = 64;

/// A model to register: its file, and what the chain is told.
pub struct Model {
	pub file: Vec<u8>,
	pub spec: VersionSpec,
}

/// A model with a trace. An audit sees at least this share of all cheats, says its maker.
pub fn traced(detection: Perbill) -> Result<Model> {
	let limits = Limits::default();
	let traced = trace::add(&hostile_models::layered(), &limits)?.context("three layers have a trace")?;
	let signature = precheck::check_traced(&traced.file, &limits, Some(&traced.tensor))?;
	let trace = Trace {
		tensor: traced.tensor.into_bytes().try_into().ok().context("the name fits")?,
		// 10⁻³: honest runs on one kind of machine differ by less than 10⁻⁵, an int8 copy by more than 10⁻².
		tolerance: 1_000,
	};
	let mut model = plain(traced.file, signature)?;
	model.spec.trace = Some(trace);
	model.spec.detection = detection;
	Ok(model)
}

/// A model without a trace that pretends to have the signature of another one.
pub fn plain(file: Vec<u8>, signature: precheck::ModelSignature) -> Result<Model> {
	let spec = VersionSpec {
		artifact: BlobRef::of(&file),
		licence: b"MIT".to_vec().try_into().ok().context("3 bytes fit")?,
		inputs: signature.bounded_inputs().context("the inputs fit")?,
		outputs: signature.bounded_outputs().context("the outputs fit")?,
		unit: Unit::Request,
		// Few, so that a node offers slots for many jobs; a run gets 250 ms at least.
		unit_time_ms: 15,
		policy: VerificationPolicy::Tolerance {
			atol: 100_000,
			rtol: 100_000,
			outliers: Perbill::zero(),
		},
		trace: None,
		detection: Perbill::one(),
		shares_runs: false,
		recipe: None,
	};
	Ok(Model { file, spec })
}

/// An input of [`traced`] that no other number gives.
pub fn input(first: f32) -> Result<Vec<u8>> {
	let width = hostile_models::LAYERED_WIDTH;
	let numbers: Vec<f32> = (0..3 * width).map(|index| (first + index as f32 * 0.7).sin()).collect();
	Ok(serialize(&[floats("x", &[3, width], &numbers)?]))
}

/// Registers models on a chain that has none: their ids are their places.
pub async fn register(devnet: &Devnet, maker: &str, models: &[Model]) -> Result<()> {
	let node = &devnet.nodes[0];
	let maker = Account::connect(node, maker).await?;
	let mut wanted = Vec::new();
	for (id, Model { file, spec }) in models.iter().enumerate() {
		let name = format!("model-{id}");
		// Some scenes have the same model twice.
		let artifact = put_blob(node, &hostile_models::commented(file, &name)).await?;
		let spec = VersionSpec {
			artifact,
			..spec.clone()
		};
		wanted.push((name.into_bytes(), spec));
	}
	maker.register_models(&wanted).await?;
	let known = until("the models", SOON, || async {
		let known = maker.client.models().await?;
		Ok((known.len() >= models.len()).then_some(known))
	})
	.await?;
	let ids: Vec<_> = known.iter().map(|model| model.id as usize).collect();
	ensure!(ids == (0..models.len()).collect::<Vec<_>>(), "the models are {ids:?}");
	Ok(())
}

/// Lets the operators offer models, and waits until all of them can be had.
pub async fn host(devnet: &Devnet, hosts: &[(&str, &[ModelId])]) -> Result<()> {
	let offering = |seller: Seller, model: &ModelId| seller.computing(*model, PRICE).storing(*model, PRICE / 10);
	let sellers: Vec<_> = hosts
		.iter()
		.map(|(name, models)| {
			let seller = Seller::new(devnet.node(name), &key_of(name));
			models.iter().fold(seller, offering)
		})
		.collect();
	offer(&sellers).await
}

/// Lets operators say that they reproduced the calibration of the models' first versions.
pub async fn confirm_calibrations(devnet: &Devnet, operators: [&str; 2], models: &[ModelId]) -> Result<()> {
	try_join_all(operators.iter().map(|name| async move {
		let node = devnet.node(name);
		let operator = Account::connect(node, &key_of(name)).await?;
		for model in models {
			let arguments = vec![u128::from(*model), 1];
			call_proof_of_work(node, &operator, "confirm_calibration", arguments).await?;
		}
		Ok(())
	}))
	.await
	.map(drop)
}

/// Calls `ProofOfWorkDone.name` by the chain's metadata, and returns the hash of its block.
pub async fn call_proof_of_work(node: &Node, account: &Account, name: &str, arguments: Vec<u128>) -> Result<Value> {
	let chain = OnlineClient::<PolkadotConfig>::from_insecure_url(node.url()).await?;
	let arguments: Vec<_> = arguments.into_iter().map(dynamic::Value::u128).collect();
	let call = dynamic::tx("ProofOfWorkDone", name, arguments);
	included(&chain, account, &call).await.with_context(|| name.to_string())
}

async fn included(chain: &OnlineClient<PolkadotConfig>, account: &Account, call: &impl Payload) -> Result<Value> {
	// The nonce of the best block: what the account sent before need not be final.
	let params = DefaultExtrinsicParamsBuilder::<PolkadotConfig>::new()
		.nonce(account.client.next_nonce(&account.id()).await?)
		.mortal(MORTALITY)
		.build();
	let mut progress = chain
		.tx()
		.sign_and_submit_then_watch(call, &account.signer, params)
		.await?;
	while let Some(status) = progress.next().await {
		match status? {
			TxStatus::InBestBlock(block) | TxStatus::InFinalizedBlock(block) => {
				block.wait_for_success().await?;
				return Ok(json!(format!("{:?}", block.block_hash())));
			}
			TxStatus::Error { message } | TxStatus::Invalid { message } | TxStatus::Dropped { message } => {
				bail!("it is in no block: {message}")
			}
			_ => {}
		}
	}
	bail!("the node says no more of it")
}

/// The account of an operator.
pub fn operator(name: &str) -> Result<AccountId32> {
	Ok(key(&key_of(name))?.public().into())
}

/// What the chain knows of a node.
pub async fn node_info(account: &Account, name: &str) -> Result<NodeInfo<AccountId32>> {
	account
		.client
		.node_of(&operator(name)?)
		.await?
		.with_context(|| format!("{name} operates a node"))
}

/// What is known of the audit of a job.
pub async fn audit(node: &Node, job: JobId) -> Result<Option<AuditInfo>> {
	let arguments = format!("0x{}", hex::encode(job.encode()));
	let answer = node.rpc("state_call", json!(["MarketApi_audit", arguments])).await?;
	let bytes = hex::decode(answer.as_str().context("an answer is hex")?.trim_start_matches("0x"))?;
	Ok(Option::decode(&mut bytes.as_slice())?)
}

/// The jobs that an account paid for, oldest first.
pub async fn jobs_of(payer: &Account) -> Result<Vec<JobId>> {
	let all = 0..payer.client.next_job().await?;
	let jobs = payer.client.jobs(all).await?.into_iter();
	let mut own: Vec<JobId> = jobs.filter(|job| job.payer == payer.id()).map(|job| job.id).collect();
	own.sort_unstable();
	Ok(own)
}

/// Whether a job is over.
pub fn is_over(phase: JobPhase) -> bool {
	!matches!(phase, JobPhase::Assigned | JobPhase::Attested | JobPhase::Auditing)
}

/// Waits until the job is attested, or further.
pub async fn attested(account: &Account, job: JobId) -> Result<JobInfo<AccountId32>> {
	until(&format!("the attestation of job {job}"), ATTESTED_WITHIN, || async {
		let info = account.client.job(job).await?.context("the job is on record")?;
		Ok((info.phase != JobPhase::Assigned).then_some(info))
	})
	.await
}

/// Waits until the job is over.
pub async fn ended(account: &Account, job: JobId) -> Result<JobInfo<AccountId32>> {
	until(&format!("the end of job {job}"), JUDGED_WITHIN, || async {
		let info = account.client.job(job).await?.context("the job is on record")?;
		Ok(is_over(info.phase).then_some(info))
	})
	.await
}

/// The compute line of a job that is not over: R.
pub async fn compute_line(account: &Account, job: JobId) -> Result<Balance> {
	let bill = account.client.bill(job).await?.context("the job has a bill")?;
	ensure!(!is_over(bill.phase), "the bill foresees what is paid: {bill:?}");
	let line = bill.lines.iter().find(|line| line.role == Role::Compute);
	Ok(line.context("a bill has a compute line")?.amount)
}

/// A job that was paid for and whose audit was forced.
pub struct Forced {
	pub payer: Account,
	pub job: JobId,
	/// The compute line.
	pub reward: Balance,
	/// What the payer had before, less the fees of both transactions.
	pub whole: Balance,
}

/// Lets an account of its own pay for a job, waits until it is attested, and forces its audit.
pub async fn forced(node: &Node, secret: &str, model: ModelId, input: &[u8]) -> Result<Forced> {
	let payer = Account::connect(node, secret).await?;
	let blob = put_blob(node, input).await?;
	let quote = payer.client.quote(model, blob.size, None).await?;
	ensure!(
		quote.audit_rate > 0,
		"the rate of audits is known before anybody pays: {quote:?}"
	);
	let before = payer.total().await?;
	let submitted = payer.submit_job(u64::from(model), blob, None).await?;
	let paid = payer.paid_in(&submitted.block).await?;
	let job = submitted.job;
	let info = attested(&payer, job).await?;
	ensure!(info.phase == JobPhase::Attested, "it waits for its pay: {info:?}");
	let reward = compute_line(&payer, job).await?;
	let block = call_proof_of_work(node, &payer, "force_audit", vec![job.into()]).await?;
	let with_bond = payer.paid_in(&block).await?;
	let fees = (paid + with_bond)
		.checked_sub(info.price + 2 * reward)
		.with_context(|| format!("{paid} for the job, {with_bond} for its audit: {info:?}"))?;
	Ok(Forced {
		payer,
		job,
		reward,
		whole: before - fees,
	})
}

/// What concerns audits in the blocks of a chain.
#[derive(Debug)]
pub enum Happened {
	Opened(JobId, AuditReason),
	Slashed(JobId, NodeId, Balance),
	Ended(JobId, Verdict),
	Attested(JobId),
	Settled(JobId),
	/// Job, node, payer and what it got back.
	Rejected(JobId, NodeId, AccountId32, Balance),
	/// A node let a job's deadline pass, or said that the job is impossible.
	Undone(JobId, NodeId),
	/// Two nodes said that the job is impossible, for this reason.
	Failed(JobId, FailureClass),
	/// A node paid for a job that it did not do, and should have done: no slash.
	Fined(JobId, NodeId, Balance),
}

/// Everything of it in the final blocks from `first` on, once the present best block is final.
pub async fn history(node: &Node, first: u64) -> Result<Vec<Happened>> {
	let best = node.best_block().await?;
	until(
		&format!("finality of block {best}"),
		Duration::from_secs(90),
		|| async { Ok((node.finalized_block().await? >= best).then_some(())) },
	)
	.await?;
	let chain = OnlineClient::<PolkadotConfig>::from_insecure_url(node.url()).await?;
	let mut list = Vec::new();
	for block in first..=best {
		let hash: H256 = serde_json::from_value(node.rpc("chain_getBlockHash", json!([block])).await?)?;
		for event in chain.events().at(hash).await?.iter() {
			let event = event?;
			let fields = &mut event.field_bytes();
			list.push(match (event.pallet_name(), event.variant_name()) {
				("ProofOfWorkDone", "AuditOpened") => {
					let (job, _, reason): (JobId, NodeId, AuditReason) = Decode::decode(fields)?;
					Happened::Opened(job, reason)
				}
				("ProofOfWorkDone", "Slashed") => {
					let (job, node, amount) = Decode::decode(fields)?;
					Happened::Slashed(job, node, amount)
				}
				("ProofOfWorkDone", "AuditEnded") => {
					let (job, verdict) = Decode::decode(fields)?;
					Happened::Ended(job, verdict)
				}
				("ProofOfWorkDone", "Attested") => Happened::Attested(Decode::decode(fields)?),
				("ProofOfWorkDone", "FailureReported") | ("InferenceJobs", "JobTimedOut") => {
					let (job, node) = Decode::decode(fields)?;
					Happened::Undone(job, node)
				}
				("InferenceJobs", "JobSettled") => Happened::Settled(Decode::decode(fields)?),
				("InferenceJobs", "JobRejected") => {
					let (job, node, payer, amount) = <(JobId, NodeId, [u8; 32], Balance)>::decode(fields)?;
					Happened::Rejected(job, node, payer.into(), amount)
				}
				("InferenceJobs", "JobFailed") => {
					let (job, class) = Decode::decode(fields)?;
					Happened::Failed(job, class)
				}
				("InferenceJobs", "NodeFined") => {
					let (job, node, amount) = Decode::decode(fields)?;
					Happened::Fined(job, node, amount)
				}
				_ => continue,
			});
		}
	}
	Ok(list)
}

/// What a node was fined, job by job.
pub fn fines(history: &[Happened], node: NodeId) -> Vec<(JobId, Balance)> {
	history
		.iter()
		.filter_map(|event| match event {
			Happened::Fined(job, of, amount) if *of == node => Some((*job, *amount)),
			_ => None,
		})
		.collect()
}

/// What a node was slashed, job by job.
pub fn slashes(history: &[Happened], node: NodeId) -> Vec<(JobId, Balance)> {
	history
		.iter()
		.filter_map(|event| match event {
			Happened::Slashed(job, of, amount) if *of == node => Some((*job, *amount)),
			_ => None,
		})
		.collect()
}

/// Error if one of these honest nodes, whose bonds are known from before, lost anything; but for the compute line, once, of
/// each of the `late` jobs that it had and did not do.
pub async fn ensure_unharmed(
	account: &Account,
	history: &[Happened],
	before: &[(&str, Balance)],
	late: &[JobId],
) -> Result<()> {
	for (name, bond) in before {
		let info = node_info(account, name).await?;
		let slashes = slashes(history, info.id);
		ensure!(slashes.is_empty(), "{name} is honest, and was slashed: {slashes:?}");
		let fines = fines(history, info.id);
		for (job, amount) in &fines {
			let had_it =
				|event: &Happened| matches!(event, Happened::Undone(of, node) if of == job && *node == info.id);
			let times = fines.iter().filter(|(of, _)| of == job).count();
			ensure!(
				late.contains(job) && history.iter().any(had_it) && *amount == PRICE && times == 1,
				"{name} is honest, and was fined: {fines:?}, where {late:?} may be late"
			);
		}
		let fined: Balance = fines.iter().map(|(_, amount)| amount).sum();
		ensure!(
			info.bond + fined == *bond && info.slashed == fined,
			"{name} had {bond}, was fined {fined}, and has: {info:?}"
		);
	}
	Ok(())
}

/// The bonds of these nodes.
pub async fn bonds<'a>(account: &Account, names: &[&'a str]) -> Result<Vec<(&'a str, Balance)>> {
	let mut bonds = Vec::new();
	for name in names {
		bonds.push((*name, node_info(account, name).await?.bond));
	}
	Ok(bonds)
}

/// Lets operators return as soon as a slash has taken their node out, as a cheat would: else there would be too few of
/// them for a jury that may slash.
pub async fn keep_active(devnet: &Devnet, names: &[&str]) -> Result<std::convert::Infallible> {
	let mut operators = Vec::new();
	for name in names {
		operators.push((*name, Account::connect(devnet.node(name), &key_of(name)).await?));
	}
	loop {
		for (name, operator) in &operators {
			if node_info(operator, name).await?.chilled {
				// A moment later another verdict may have taken it out again, or the best block be one without the first.
				if let Err(error) = operator.submit(&[calls::resume()]).await {
					eprintln!("{name} does not resume: {error:#}");
				}
			}
		}
		tokio::time::sleep(Duration::from_millis(500)).await;
	}
}
