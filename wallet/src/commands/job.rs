//! `highway job` and `highway bill`

use super::{bundle, fetch, patiently};
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
use highway_primitives::{
	market::{BillLine, Role},
	Balance, BlobRef, JobId, JobPhase,
};
use highway_runtime_api::types::JobInfo;
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use std::{path::PathBuf, time::Duration};

/// Blocks come every two seconds: to ask more often tells nothing new.
const POLL: Duration = Duration::from_secs(1);

/// Shown below the help of `watch`.
const WATCH_HELP: &str = "\
The output is yours as soon as it is attested; only the pay waits, for a window and, where there is one, for an audit.
Of a batch, --output names a folder, in which 0.safetensors is the output of its first input.
  Assigned  a node has it           Auditing  others look whether the output is right
  Attested  the output is there     Settled   everybody is paid
Without an output you keep (exit code 6):
  Refunded  nobody did it           Rejected  an audit found the output wrong: all is given back
  Failed    it cannot be done       Void      an audit could not tell: all is given back";

/// Shown below the help of `audit`.
const AUDIT_HELP: &str = "\
Other nodes run the job again and compare; of a batch they run one input, which is drawn. What it takes:
  when     once, from the attestation until the pay (phase Attested)
  bond     2R, twice the compute line of the bill: `highway bill JOB` shows it
  back     when the audit ends, unless it finds the output right: then the bond pays for audits
  follow   `highway audit show JOB`; it begins when the job's window is over
If the output was wrong, the whole price comes back too, and the node that did it is slashed.";

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
	#[command(after_help = WATCH_HELP)]
	Watch {
		/// The job.
		job: JobId,
		/// Where to write the output, a safetensors file; of a batch a folder, which is made.
		#[arg(long, value_name = "PATH")]
		output: Option<PathBuf>,
		/// Goes on until the job is settled or given back, through its audit if there is one.
		#[arg(long)]
		settled: bool,
	},
	/// Asks for an audit of a job that you paid for, and puts down a bond for it.
	#[command(after_help = AUDIT_HELP)]
	Audit {
		/// The job.
		job: JobId,
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
		JobCommand::Watch { job, output, settled } => watch_one(context, job, output, settled).await,
		JobCommand::Audit { job } => audit(context, job).await,
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

async fn audit(context: &Context, id: JobId) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let bill = client.bill(id).await?.ok_or_else(|| unknown(id))?;
	let call = [calls::force_audit(id)];
	let included = super::submit(context, &client, &signer, &call, bond(&bill.lines)).await?;
	let bond = included.number("ProofOfWorkDone", "bond")?;
	context.output.result(
		json!({ "job": id, "bond": decimal(bond), "block": included.block }),
		|| {
			format!(
				"job {id} will be audited; {} are held, twice its compute line. They come back when the audit ends, unless it \
				finds the output right.\n`highway audit show {id}` follows it, once the job's window is over",
				with_unit(bond)
			)
		},
	);
	Ok(())
}

/// What a payer puts down that asks for an audit: twice the compute line.
pub fn bond(lines: &[BillLine<AccountId32>]) -> Balance {
	lines
		.iter()
		.filter(|line| line.role == Role::Compute)
		.fold(0, |sum: Balance, line| sum.saturating_add(line.amount))
		.saturating_mul(2)
}

/// Whether the job has an output, or has ended.
fn is_tried(phase: JobPhase) -> bool {
	phase != JobPhase::Assigned
}

/// Whether nothing more happens to the job.
fn is_over(phase: JobPhase) -> bool {
	match phase {
		JobPhase::Assigned | JobPhase::Attested | JobPhase::Auditing => false,
		JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed | JobPhase::Rejected | JobPhase::Void => true,
	}
}

/// The phase with what it means.
fn phase_text(phase: JobPhase) -> String {
	let meaning = match phase {
		JobPhase::Assigned => "a node has it to do",
		JobPhase::Attested => "the output is there; the pay waits for the window's end",
		JobPhase::Auditing => "others look whether the output is right; the pay waits for them",
		JobPhase::Settled => "everybody is paid",
		JobPhase::Refunded => "nobody did it; the price was given back",
		JobPhase::Failed => "two nodes found it impossible; most of the price was given back",
		JobPhase::Rejected => "an audit found the output wrong; the price was given back",
		JobPhase::Void => "an audit could not tell whether the output is right; the price was given back",
	};
	format!("{phase:?}: {meaning}")
}

/// `highway bill`
pub async fn bill(context: &Context, job: JobId) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let bill = client.bill(job).await?.ok_or_else(|| unknown(job))?;
	let foreseen = !is_over(bill.phase);
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
				"job {} ({:?}, {remark})\n{}\npaid in {}, given back {}{}",
				bill.job,
				bill.phase,
				lines_table(&bill.lines),
				with_unit(bill.price),
				with_unit(bill.refunded),
				storage_remark(&bill.lines)
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

/// A bill for people.
pub fn lines_table(lines: &[BillLine<AccountId32>]) -> String {
	table(
		["role", "amount", "to"],
		lines
			.iter()
			.map(|line| [format!("{:?}", line.role), with_unit(line.amount), payee(line)]),
	)
}

/// What has to happen before a line for storage is earned.
fn storage_remark(lines: &[BillLine<AccountId32>]) -> &'static str {
	match lines.iter().any(|line| line.role == Role::Storage) {
		true => {
			"\nthe Storage line is earned once its node proves that it has the model, or is not asked to: \
			`highway earnings` shows what waits"
		}
		false => "",
	}
}

/// Who gets a line, or what becomes of it.
fn payee(line: &BillLine<AccountId32>) -> String {
	match (&line.payee, line.role) {
		(Some(payee), _) => payee.to_ss58check(),
		(None, Role::Auditor) => "the pot that pays for audits".into(),
		(None, Role::Compute | Role::Storage) => "whoever it falls to".into(),
		(None, _) => "burned".into(),
	}
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
	changed: impl FnMut(&JobInfo<AccountId32>),
) -> Result<JobInfo<AccountId32>, CommandError> {
	follow(client, id, is_tried, changed).await
}

/// Waits until the job's phase is `enough`, and returns how it stands then. `changed` sees every change.
async fn follow(
	client: &mut Client,
	id: JobId,
	enough: impl Fn(JobPhase) -> bool,
	mut changed: impl FnMut(&JobInfo<AccountId32>),
) -> Result<JobInfo<AccountId32>, CommandError> {
	// The subscription only wakes us up: what counts is the state itself.
	let mut news = client
		.subscribe("inference_watchJob", vec![json!(id)], "inference_unwatchJob")
		.await
		.ok();
	let mut last = None;
	loop {
		let job = known(client, id).await?;
		let now = (job.phase, job.executor);
		if last != Some(now) {
			changed(&job);
			last = Some(now);
		}
		if enough(job.phase) {
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

/// The job as it stands now, asked for patiently.
async fn known(client: &mut Client, id: JobId) -> Result<JobInfo<AccountId32>, CommandError> {
	patiently(client, async |client: &Client| Ok(client.job(id).await?))
		.await?
		.ok_or_else(|| unknown(id))
}

/// The job's output. Error if there is none, or none that was paid for.
pub fn delivered(job: &JobInfo<AccountId32>) -> Result<&BlobRef, CommandError> {
	match &job.output {
		Some(output) if !matches!(job.phase, JobPhase::Rejected | JobPhase::Void) => Ok(output),
		_ => Err(ended(job)),
	}
}

/// Why a job that ended without an output that counts did.
fn ended(job: &JobInfo<AccountId32>) -> CommandError {
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
		JobPhase::Rejected => format!(
			"an audit found its output wrong; {} were given back, and the node that made it was slashed; `highway audit show {}` \
			tells how",
			with_unit(job.price),
			job.id
		),
		JobPhase::Void => format!(
			"an audit could not tell whether its output is right: do not rely on it; {} were given back; `highway audit show {}` \
			tells who said what",
			with_unit(job.price),
			job.id
		),
		phase => format!("it is {phase:?} without an output"),
	};
	CommandError::JobEnded { job: job.id, reason }
}

async fn follow_on_screen(
	context: &Context,
	client: &mut Client,
	id: JobId,
	enough: impl Fn(JobPhase) -> bool,
) -> Result<JobInfo<AccountId32>, CommandError> {
	let spinner = context.output.spinner(format!("job {id}"));
	let result = follow(client, id, enough, |job| {
		let executor = job.executor.map_or("nobody".into(), |node| format!("node {node}"));
		spinner.println(format!("job {id}: {:?}, {executor}", job.phase));
	})
	.await;
	spinner.finish_and_clear();
	result
}

async fn watch_one(context: &Context, id: JobId, path: Option<PathBuf>, settled: bool) -> Result<(), CommandError> {
	let mut client = context.connect().await?;
	if let Some(path) = &path {
		let job = known(&mut client, id).await?;
		bundle::ensure_room(path, job.inputs)?;
	}
	let mut job = follow_on_screen(context, &mut client, id, is_tried).await?;
	let output = delivered(&job)?;
	if let Some(path) = &path {
		let bar = context.output.bytes_bar("output");
		let bytes = fetch(&mut client, output, BlobOwner::Job(id), &bar).await;
		bar.finish_and_clear();
		bundle::write(path, &job, &bytes?)?;
	}
	if settled {
		// The output is here by now; how the job ends says whether it counts.
		job = follow_on_screen(context, &mut client, id, is_over).await?;
		delivered(&job)?;
	}
	context.output.result(to_json(&job), || {
		let written = path.map_or(String::new(), |path| {
			let what = match bundle::is_batch(job.inputs) {
				true => format!("{} outputs", job.inputs),
				false => "output".into(),
			};
			format!("{what} written to {}\n", path.display())
		});
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
		"quorum": job.quorum.map(|quorum| json!({ "first": quorum.first, "size": quorum.size })),
		"executor": job.executor,
		"tried": job.tried,
		"inputs": job.inputs,
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
		("phase", phase_text(job.phase)),
		("model", format!("{} version {}", job.model, job.version)),
		("payer", job.payer.to_ss58check()),
		("price", with_unit(job.price)),
		("executor", node(job.executor)),
		("input", format!("{:?} ({} bytes)", job.input.hash, job.input.size)),
	];
	if bundle::is_batch(job.inputs) {
		let inputs = format!("{}, together in one blob, as their outputs are", job.inputs);
		rows.push(("inputs", inputs));
	}
	if let Some(quorum) = job.quorum {
		let last = quorum.first.saturating_add(quorum.size.into()).saturating_sub(1);
		rows.push((
			"quorum",
			format!("jobs {} to {last}, each with a node of another operator", quorum.first),
		));
	}
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
	match is_over(job.phase) {
		true => rows.push(("record kept until", format!("block {}", job.due))),
		false => rows.push(("phase ends at", format!("block {}", job.due))),
	}
	if matches!(job.phase, JobPhase::Auditing | JobPhase::Rejected | JobPhase::Void) {
		rows.push((
			"audit",
			format!("`highway audit show {}` tells who judges and how", job.id),
		));
	}
	facts(rows)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::args::{Cli, Command};
	use crate::commands::fixtures::attested_job;
	use clap::Parser;
	use highway_primitives::{Quorum, AIC};

	fn job(phase: JobPhase) -> JobInfo<AccountId32> {
		JobInfo {
			price: 2 * AIC,
			phase,
			..attested_job()
		}
	}

	fn line(role: Role, payee: Option<u8>) -> BillLine<AccountId32> {
		BillLine {
			role,
			payee: payee.map(|byte| AccountId32::new([byte; 32])),
			amount: AIC,
		}
	}

	#[test]
	fn outputs_should_count_until_an_audit_ends_against_them() {
		for phase in [JobPhase::Attested, JobPhase::Auditing, JobPhase::Settled] {
			assert_eq!(delivered(&job(phase)).unwrap(), &BlobRef::of(b"output"));
		}
		for (phase, words) in [
			(JobPhase::Rejected, "found its output wrong; 2 AIC were given back"),
			(JobPhase::Void, "do not rely on it; 2 AIC were given back"),
		] {
			let error = delivered(&job(phase)).unwrap_err();
			assert_eq!((error.exit_code(), error.kind()), (6, "no_result"));
			let text = error.to_string();
			assert!(
				text.contains(words) && text.contains("`highway audit show 7`"),
				"{text}"
			);
		}
		let refunded = JobInfo {
			output: None,
			..job(JobPhase::Refunded)
		};
		assert_eq!(delivered(&refunded).unwrap_err().exit_code(), 6);
	}

	#[test]
	fn jobs_should_say_what_their_phase_means_and_where_their_audit_is() {
		let auditing = to_text(&job(JobPhase::Auditing));
		assert!(auditing.contains("the pay waits for them"), "{auditing}");
		assert!(auditing.contains("phase ends at") && auditing.contains("`highway audit show 7`"));
		let settled = to_text(&job(JobPhase::Settled));
		assert!(settled.contains("record kept until") && !settled.contains("highway audit"));
	}

	#[test]
	fn jobs_should_say_of_which_quorum_they_are() {
		let alone = job(JobPhase::Attested);
		assert_eq!(to_json(&alone)["quorum"], Value::Null);
		let quorum = Some(Quorum { first: 6, size: 3 });
		let third = JobInfo { quorum, ..alone };
		assert_eq!(to_json(&third)["quorum"], json!({ "first": 6, "size": 3 }));
		assert!(to_text(&third).contains("jobs 6 to 8"));
	}

	#[test]
	fn jobs_should_say_how_many_inputs_they_have_when_these_are_many() {
		let single = job(JobPhase::Attested);
		assert_eq!(to_json(&single)["inputs"], 1);
		assert!(!to_text(&single).contains("inputs"));
		let many = JobInfo { inputs: 12, ..single };
		assert_eq!(to_json(&many)["inputs"], 12);
		assert!(to_text(&many).contains("12, together in one blob"));
	}

	#[test]
	fn bond_should_be_twice_the_compute_line() {
		let lines = [
			line(Role::Maker, Some(1)),
			line(Role::Compute, Some(2)),
			line(Role::Auditor, None),
		];
		assert_eq!(bond(&lines), 2 * AIC);
		assert_eq!(bond(&lines[..1]), 0);
	}

	#[test]
	fn lines_without_a_payee_should_say_where_they_go() {
		assert_eq!(payee(&line(Role::Auditor, None)), "the pot that pays for audits");
		assert_eq!(payee(&line(Role::Compute, None)), "whoever it falls to");
		assert_eq!(payee(&line(Role::Storage, None)), "whoever it falls to");
		assert_eq!(payee(&line(Role::Protocol, None)), "burned");
		assert_eq!(
			payee(&line(Role::Compute, Some(1))),
			AccountId32::new([1; 32]).to_ss58check()
		);
	}

	#[test]
	fn bills_with_a_storage_line_should_say_when_it_is_earned() {
		assert!(
			storage_remark(&[line(Role::Maker, Some(1)), line(Role::Storage, Some(2))]).contains("highway earnings")
		);
		assert_eq!(storage_remark(&[line(Role::Weaver, Some(1))]), "");
	}

	#[test]
	fn watch_should_stop_at_the_output_unless_told_to_go_on() {
		let settled = |words: &str| {
			let cli = Cli::parse_from(format!("highway job watch 7 {words}").split_whitespace());
			match cli.command {
				Command::Job(JobCommand::Watch { settled, .. }) => settled,
				_ => panic!("another command"),
			}
		};
		assert!(!settled("") && settled("--settled --output out.safetensors"));
	}
}
