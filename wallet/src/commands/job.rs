//! `highway job` and `highway bill`

use super::{ensure_writable, fetch, file_error, patiently};
use crate::{
	amount::{decimal, with_unit},
	blobs::BlobOwner,
	client::{calls, Client},
	context::Context,
	error::CommandError,
	output::{facts, table},
};
use clap::Subcommand;
use futures::future::{select, Either};
use highway_primitives::{market::BillLine, JobId, JobPhase};
use highway_runtime_api::types::JobInfo;
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use std::{fs, path::PathBuf, time::Duration};

/// Blocks come every two seconds: to ask more often tells nothing new.
const POLL: Duration = Duration::from_secs(1);

/// Commands about jobs.
#[derive(Subcommand, Debug)]
pub enum JobCommand {
	/// Lists the latest jobs that an account paid for, newest first.
	List {
		/// The account; by default the one of the key.
		#[arg(long, value_name = "ACCOUNT")]
		payer: Option<String>,
		/// How many of the chain's latest jobs, whoever paid for them, are looked at.
		#[arg(long, default_value_t = 500, value_name = "JOBS")]
		last: u32,
	},
	/// Shows a job.
	Show {
		/// The job.
		job: JobId,
	},
	/// Follows a job until its output is there or it ends, and fetches the output.
	Watch {
		/// The job.
		job: JobId,
		/// Where to write the output, a safetensors file.
		#[arg(long, value_name = "FILE")]
		output: Option<PathBuf>,
	},
	/// Makes the chain act on a job whose deadline has passed, if it has not by itself.
	Poke {
		/// The job.
		job: JobId,
	},
}

/// Runs it.
pub async fn run(context: &Context, command: JobCommand) -> Result<(), CommandError> {
	match command {
		JobCommand::List { payer, last } => list(context, payer, last).await,
		JobCommand::Show { job } => {
			let client = context.connect().await?;
			let job = client.job(job).await?.ok_or_else(|| unknown(job))?;
			context.output.result(to_json(&job), || to_text(&job));
			Ok(())
		}
		JobCommand::Watch { job, output } => watch_one(context, job, output).await,
		JobCommand::Poke { job } => {
			super::submit_and_say(context, &[calls::poke(job)], &format!("job {job} went on")).await
		}
	}
}

async fn list(context: &Context, payer: Option<String>, last: u32) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let payer = match payer {
		Some(text) => context.account(&client, &text)?,
		None => context.own_account(&client)?,
	};
	let next = client.next_job().await?;
	let first = next.saturating_sub(last.into());
	let mut jobs = client.jobs(first..next).await?;
	jobs.retain(|job| job.payer == payer);
	context.output.result(jobs.iter().map(to_json).collect(), || {
		let address = payer.to_ss58check();
		if jobs.is_empty() {
			return format!(
				"{address} paid for none of the jobs from {first} on that are on record; look further back with --last"
			);
		}
		let rows = jobs.iter().map(|job| {
			[
				job.id.to_string(),
				job.model.to_string(),
				format!("{:?}", job.phase),
				with_unit(job.price),
				job.executor.map_or("nobody".into(), |node| format!("node {node}")),
				format!("block {}", job.submitted_at),
			]
		});
		let rows = table(["job", "model", "phase", "price", "executor", "submitted at"], rows);
		format!("{address}, of the jobs from {first} on that are on record:\n{rows}")
	});
	Ok(())
}

/// `highway bill`
pub async fn bill(context: &Context, job: JobId) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let bill = client.bill(job).await?.ok_or_else(|| unknown(job))?;
	let foreseen = !matches!(bill.phase, JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed);
	context.output.result(
		json!({
			"job": bill.job,
			"phase": format!("{:?}", bill.phase),
			"foreseen": foreseen,
			"epoch": bill.epoch,
			"price": decimal(bill.price),
			"refunded": decimal(bill.refunded),
			"lines": bill.lines.iter().map(line_json).collect::<Vec<_>>(),
		}),
		|| {
			let remark = if foreseen {
				"foreseen: nobody is paid before the job is settled"
			} else {
				"final"
			};
			format!(
				"job {} ({:?}, {remark})\n{}\npaid in {}, given back {}",
				bill.job,
				bill.phase,
				lines_table(&bill.lines, "burned"),
				with_unit(bill.price),
				with_unit(bill.refunded)
			)
		},
	);
	Ok(())
}

/// One line of a bill for programs.
pub fn line_json(line: &BillLine<AccountId32>) -> Value {
	json!({
		"role": format!("{:?}", line.role),
		"payee": line.payee.as_ref().map(Ss58Codec::to_ss58check),
		"amount": decimal(line.amount),
	})
}

/// A bill for people; `nobody` says what a line without payee means.
pub fn lines_table(lines: &[BillLine<AccountId32>], nobody: &str) -> String {
	table(
		["role", "amount", "to"],
		lines.iter().map(|line| {
			let payee = line
				.payee
				.as_ref()
				.map_or_else(|| nobody.to_owned(), Ss58Codec::to_ss58check);
			[format!("{:?}", line.role), with_unit(line.amount), payee]
		}),
	)
}

/// The error for a job that is not on record.
pub fn unknown(job: JobId) -> CommandError {
	CommandError::NotFound(format!(
		"there is no job {job}, or its record was pruned long after its end"
	))
}

/// Waits until the job has an output or has ended, and returns how it stands then. `changed` sees every change.
pub async fn until_output(
	client: &mut Client,
	id: JobId,
	mut changed: impl FnMut(&JobInfo<AccountId32>),
) -> Result<JobInfo<AccountId32>, CommandError> {
	// The subscription only wakes us up: what counts is the state itself.
	let mut news = client
		.subscribe("inference_watchJob", vec![json!(id)], "inference_unwatchJob")
		.await
		.ok();
	let mut last = None;
	loop {
		let job = patiently(client, async |client: &Client| Ok(client.job(id).await?))
			.await?
			.ok_or_else(|| unknown(id))?;
		let now = (job.phase, job.executor);
		if last != Some(now) {
			changed(&job);
			last = Some(now);
		}
		if job.phase != JobPhase::Assigned {
			return Ok(job);
		}
		let pause = tokio::time::sleep(POLL);
		match &mut news {
			Some(stream) => {
				let over = matches!(
					select(Box::pin(stream.next()), Box::pin(pause)).await,
					Either::Left((None, _))
				);
				if over {
					news = None;
				}
			}
			None => pause.await,
		}
	}
}

/// Why a job that ended without an output did.
pub fn ended(job: &JobInfo<AccountId32>) -> CommandError {
	let reason = match job.phase {
		JobPhase::Refunded => format!(
			"no node did it in time ({} tried); {} were given back",
			job.tried.len(),
			with_unit(job.price)
		),
		JobPhase::Failed => {
			"two nodes found it impossible: the input does not fit the model, or the model fails on it; \
			most of the price was given back, `highway bill` shows the rest"
				.into()
		}
		phase => format!("it is {phase:?} without an output"),
	};
	CommandError::JobEnded { job: job.id, reason }
}

async fn watch_one(context: &Context, id: JobId, path: Option<PathBuf>) -> Result<(), CommandError> {
	if let Some(path) = &path {
		ensure_writable(path)?;
	}
	let mut client = context.connect().await?;
	let spinner = context.output.spinner(format!("job {id}"));
	let result = until_output(&mut client, id, |job| {
		let executor = job.executor.map_or("nobody".into(), |node| format!("node {node}"));
		spinner.println(format!("job {id}: {:?}, {executor}", job.phase));
	})
	.await;
	spinner.finish_and_clear();
	let job = result?;
	let Some(output) = &job.output else {
		return Err(ended(&job));
	};
	if let Some(path) = &path {
		let bar = context.output.bytes_bar("output");
		let bytes = fetch(&mut client, output, BlobOwner::Job(id), &bar).await;
		bar.finish_and_clear();
		fs::write(path, bytes?).map_err(|source| file_error(path, source))?;
	}
	context.output.result(to_json(&job), || {
		let written = path.map_or(String::new(), |path| format!("output written to {}\n", path.display()));
		to_text(&job) + &written
	});
	Ok(())
}

fn to_json(job: &JobInfo<AccountId32>) -> Value {
	json!({
		"job": job.id,
		"payer": job.payer.to_ss58check(),
		"model": job.model,
		"version": job.version,
		"phase": format!("{:?}", job.phase),
		"price": decimal(job.price),
		"executor": job.executor,
		"tried": job.tried,
		"input": { "hash": format!("{:?}", job.input.hash), "size": job.input.size },
		"output": job.output.map(|blob| json!({ "hash": format!("{:?}", blob.hash), "size": blob.size })),
		"submittedAt": job.submitted_at,
		"attestedAt": job.attested_at,
		"due": job.due,
	})
}

fn to_text(job: &JobInfo<AccountId32>) -> String {
	let node = |node: Option<u32>| node.map_or("nobody".into(), |node| format!("node {node}"));
	let mut rows = vec![
		("job", job.id.to_string()),
		("phase", format!("{:?}", job.phase)),
		("model", format!("{} version {}", job.model, job.version)),
		("payer", job.payer.to_ss58check()),
		("price", with_unit(job.price)),
		("executor", node(job.executor)),
		("input", format!("{:?} ({} bytes)", job.input.hash, job.input.size)),
	];
	if let Some(output) = &job.output {
		rows.push(("output", format!("{:?} ({} bytes)", output.hash, output.size)));
	}
	if !job.tried.is_empty() {
		rows.push((
			"tried before",
			job.tried
				.iter()
				.map(|id| format!("node {id}"))
				.collect::<Vec<_>>()
				.join(", "),
		));
	}
	rows.push(("submitted at", format!("block {}", job.submitted_at)));
	if let Some(block) = job.attested_at {
		rows.push(("attested at", format!("block {block}")));
	}
	rows.push(("phase ends at", format!("block {}", job.due)));
	facts(rows)
}
