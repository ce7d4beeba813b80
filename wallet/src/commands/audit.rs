//! `highway audit`

use crate::{
	amount::{decimal, with_unit},
	client::Client,
	commands::bundle,
	context::Context,
	error::CommandError,
	output::{facts, plain, table},
};
use clap::{Args, Subcommand};
use highway_primitives::{
	audit::{AuditReason, Seat, Verdict, Vote},
	Balance, JobId, NodeId,
};
use highway_runtime_api::types::{AuditInfo, SeatInfo};
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use std::collections::BTreeMap;

/// Shown below the help of both commands.
const AUDIT_HELP: &str = "\
Jobs are drawn for an audit with the probability that `highway quote` names; who paid for a job can ask for one with
`highway job audit JOB`. An auditor runs the job again and commits to what it found before the executor shows what it
computed. If the two do not agree, three jurors judge both. Of a job of many inputs, one is drawn and judged for all.
  Upheld     the work is right, and paid
  Unaudited  no auditor did it: the work is paid, the premium goes back
  Rejected   the work is wrong: the payer gets all back, the executor is slashed
  Void       nobody knows for sure: the payer gets all back, nobody is slashed for the result";

/// Commands about audits.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
	/// Lists audits by the ids of their jobs, those that are over as long as their jobs are on record.
	#[command(after_help = AUDIT_HELP)]
	List(ListArgs),
	/// Shows an audit: who judged, who said what, how it ended, and what it cost whom.
	#[command(after_help = AUDIT_HELP)]
	Show {
		/// The job.
		job: JobId,
	},
}

/// Which audits to list.
#[derive(Args, Debug)]
pub struct ListArgs {
	/// Only jobs of this model: its id, OWNER/NAME, or the name of one of your own.
	#[arg(long)]
	pub model: Option<String>,
	/// Only jobs with ids from this one on.
	#[arg(long, default_value_t = 0, value_name = "JOB")]
	pub from: JobId,
	/// The most audits to show.
	#[arg(long, default_value_t = 50, value_name = "AUDITS", value_parser = clap::value_parser!(u32).range(1..))]
	pub limit: u32,
}

/// Runs it.
pub async fn run(context: &Context, command: AuditCommand) -> Result<(), CommandError> {
	match command {
		AuditCommand::List(args) => list(context, args).await,
		AuditCommand::Show { job } => show(context, job).await,
	}
}

async fn list(context: &Context, args: ListArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let model = match &args.model {
		Some(text) => Some(context.model(&client, text).await?.id),
		None => None,
	};
	let wanted = |audit: &AuditInfo| model.is_none_or(|model| audit.model == model);
	let (audits, next) = client.audits(args.from, args.limit as usize, wanted).await?;
	context.output.result(
		json!({ "audits": audits.iter().map(to_json).collect::<Vec<_>>(), "next": next }),
		|| list_text(&audits, args.from, next),
	);
	Ok(())
}

fn list_text(audits: &[AuditInfo], from: JobId, next: Option<JobId>) -> String {
	if audits.is_empty() {
		return format!("There are no such audits of jobs from {from} on.");
	}
	let heads = ["job", "model", "executor", "why", "waits for", "verdict", "slashed"];
	let more = next.map_or(String::new(), |next| {
		format!("\nThere may be more: go on with --from {next}")
	});
	table(heads, audits.iter().map(list_row)) + &more
}

fn list_row(audit: &AuditInfo) -> [String; 7] {
	let slashed = audit.slashes.iter().map(|(node, amount)| {
		let part = part_of(audit, *node);
		format!("node {node} ({part}): {}", with_unit(*amount))
	});
	[
		audit.job.to_string(),
		audit.model.to_string(),
		format!("node {}", audit.executor),
		format!("{:?}", audit.reason),
		phase(audit),
		verdict(audit),
		or_dash(slashed.collect::<Vec<_>>().join(", ")),
	]
}

async fn show(context: &Context, id: JobId) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let audit = client.audit(id).await?.ok_or_else(|| {
		CommandError::NotFound(format!(
			"job {id} has no audit, or none yet: one begins when the job's window is over; `highway job show {id}` says where it \
			stands"
		))
	})?;
	let operators = operators(&client, &audit).await?;
	let mut json = to_json(&audit);
	json["operators"] = operators
		.iter()
		.map(|(node, operator)| (node.to_string(), json!(operator.to_ss58check())))
		.collect::<serde_json::Map<_, _>>()
		.into();
	context.output.result(json, || to_text(&audit, &operators));
	Ok(())
}

/// Who operates the nodes that have to do with the audit, as far as they are still there.
async fn operators(client: &Client, audit: &AuditInfo) -> Result<BTreeMap<NodeId, AccountId32>, CommandError> {
	let mut operators = BTreeMap::new();
	let judges = audit.seats.iter().map(|seat| seat.node);
	for id in std::iter::once(audit.executor).chain(judges) {
		if let Some(node) = client.node(id).await? {
			operators.insert(id, node.operator);
		}
	}
	Ok(operators)
}

/// What the node is in the audit.
pub fn part_of(audit: &AuditInfo, node: NodeId) -> &'static str {
	let seat = audit.seats.iter().find(|seat| seat.node == node);
	seat.map_or("executor", |seat| seat_name(seat.seat))
}

fn seat_name(seat: Seat) -> &'static str {
	match seat {
		Seat::Auditor => "auditor",
		Seat::Juror => "juror",
	}
}

/// The verdict in a word.
pub fn verdict(audit: &AuditInfo) -> String {
	audit
		.verdict
		.map_or_else(|| "-".into(), |verdict| format!("{verdict:?}"))
}

/// What the audit waits for, and until when.
fn phase(audit: &AuditInfo) -> String {
	let until = audit
		.until
		.map_or(String::new(), |block| format!(", until block {block}"));
	plain(&audit.phase) + &until
}

fn reason_text(reason: AuditReason) -> &'static str {
	match reason {
		AuditReason::Drawn => "it was drawn",
		AuditReason::Forced => "its payer asked for it",
		AuditReason::Suspected => "another job of the node was found wrong, or it lost what secures its jobs",
		AuditReason::DrawLost => "the blocks that would have drawn it are forgotten",
	}
}

fn verdict_text(verdict: Verdict) -> &'static str {
	match verdict {
		Verdict::Upheld => "Upheld: the work is right, and paid",
		Verdict::Unaudited => "Unaudited: no auditor did it; the work is paid, the premium went back",
		Verdict::Rejected => {
			"Rejected: the work is wrong, or its executor was silent; the payer got all back, the executor was slashed"
		}
		Verdict::Void => "Void: nobody knows for sure; the payer got all back, nobody was slashed for the result",
	}
}

/// What an auditor or a juror has said so far.
fn said(seat: &SeatInfo) -> String {
	let Some(ballot) = &seat.ballot else {
		let so_far = match seat.committed {
			true => "committed, not revealed",
			false => "nothing",
		};
		return so_far.into();
	};
	let vote = match ballot.vote {
		Vote::Yes => "the output is right",
		Vote::No => "the output is wrong",
		Vote::Missing => "nobody serves the output",
		Vote::Abstain => "it could not judge",
	};
	let auditor = match ballot.auditor_right {
		true => "right",
		false => "wrong",
	};
	match (seat.seat, ballot.vote) {
		(Seat::Auditor, _) | (_, Vote::Abstain) => vote.into(),
		(Seat::Juror, _) => format!("{vote}; the auditor is {auditor}"),
	}
}

/// What the node lost in the audit.
pub fn slashed(audit: &AuditInfo, node: NodeId) -> Balance {
	let of_node = audit.slashes.iter().filter(|(slashed, _)| *slashed == node);
	of_node.fold(0, |sum: Balance, (_, amount)| sum.saturating_add(*amount))
}

fn or_dash(text: String) -> String {
	if text.is_empty() {
		return "-".into();
	}
	text
}

fn to_json(audit: &AuditInfo) -> Value {
	json!({
		"job": audit.job,
		"model": audit.model,
		"executor": audit.executor,
		"reason": format!("{:?}", audit.reason),
		"phase": plain(&audit.phase),
		"until": audit.until,
		"inputs": audit.inputs,
		"index": audit.index,
		"verdict": audit.verdict.map(|verdict| format!("{verdict:?}")),
		"sketch": audit.sketch,
		"seats": audit.seats.iter().map(|seat| json!({
			"node": seat.node,
			"seat": seat_name(seat.seat),
			"committed": seat.committed,
			"vote": seat.ballot.map(|ballot| format!("{:?}", ballot.vote)),
			"auditorRight": seat.ballot.map(|ballot| ballot.auditor_right),
			"sketch": seat.ballot.map(|ballot| ballot.sketch),
		})).collect::<Vec<_>>(),
		"slashes": audit.slashes.iter().map(|(node, amount)| json!({
			"node": node, "part": part_of(audit, *node), "amount": decimal(*amount),
		})).collect::<Vec<_>>(),
	})
}

fn to_text(audit: &AuditInfo, operators: &BTreeMap<NodeId, AccountId32>) -> String {
	let mut rows = vec![
		("job", audit.job.to_string()),
		("model", audit.model.to_string()),
		("audited because", reason_text(audit.reason).to_owned()),
	];
	if bundle::is_batch(audit.inputs) {
		rows.push(("judged is", bundle::place_text(audit.index, audit.inputs)));
	}
	match audit.verdict {
		Some(verdict) => rows.push(("verdict", verdict_text(verdict).into())),
		None => rows.push(("waits for", phase(audit))),
	}
	let people = table(
		["node", "part", "operator", "said", "slashed"],
		people(audit, operators),
	);
	format!("{}\n{people}", facts(rows))
}

/// The executor and those who judge it, with what they said and lost.
fn people(audit: &AuditInfo, operators: &BTreeMap<NodeId, AccountId32>) -> Vec<[String; 5]> {
	let opened = match audit.sketch {
		Some(_) => "showed what it computed",
		None => "nothing",
	};
	let executor = (audit.executor, "executor", opened.to_owned());
	let judges = audit
		.seats
		.iter()
		.map(|seat| (seat.node, seat_name(seat.seat), said(seat)));
	std::iter::once(executor)
		.chain(judges)
		.map(|(node, part, said)| {
			let operator = operators.get(&node).map_or("gone".into(), Ss58Codec::to_ss58check);
			let lost = match slashed(audit, node) {
				0 => "-".into(),
				amount => with_unit(amount),
			};
			[node.to_string(), part.into(), operator, said, lost]
		})
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::args::{Cli, Command};
	use clap::Parser;
	use highway_primitives::{
		audit::{Ballot, Sketch},
		AIC,
	};

	fn seat(node: NodeId, seat: Seat, ballot: Option<(Vote, bool)>) -> SeatInfo {
		SeatInfo {
			node,
			seat,
			committed: ballot.is_some(),
			ballot: ballot.map(|(vote, auditor_right)| Ballot {
				vote,
				auditor_right,
				sketch: Sketch::default(),
			}),
		}
	}

	fn rejected() -> AuditInfo {
		AuditInfo {
			job: 7,
			model: 3,
			executor: 1,
			reason: AuditReason::Drawn,
			phase: b"ended".to_vec(),
			until: None,
			inputs: 1,
			index: 0,
			sketch: Some(Sketch::default()),
			seats: vec![
				seat(2, Seat::Auditor, Some((Vote::No, true))),
				seat(3, Seat::Juror, Some((Vote::No, true))),
				seat(4, Seat::Juror, Some((Vote::Yes, false))),
				seat(5, Seat::Juror, None),
			],
			verdict: Some(Verdict::Rejected),
			slashes: vec![(1, 64 * AIC), (5, AIC / 2)],
		}
	}

	fn judging() -> AuditInfo {
		AuditInfo {
			phase: b"auditor judges".to_vec(),
			until: Some(99),
			sketch: None,
			seats: vec![seat(2, Seat::Auditor, None)],
			verdict: None,
			slashes: Vec::new(),
			..rejected()
		}
	}

	#[test]
	fn audits_should_say_who_said_what_and_what_it_cost_whom() {
		let operators = BTreeMap::from([(1, AccountId32::new([1; 32]))]);
		let rows = people(&rejected(), &operators);
		let address = AccountId32::new([1; 32]).to_ss58check();
		assert_eq!(
			rows[0],
			["1", "executor", address.as_str(), "showed what it computed", "64 AIC"]
		);
		assert_eq!(rows[1], ["2", "auditor", "gone", "the output is wrong", "-"]);
		assert_eq!(
			rows[3],
			["4", "juror", "gone", "the output is right; the auditor is wrong", "-"]
		);
		assert_eq!(rows[4], ["5", "juror", "gone", "nothing", "0.5 AIC"]);
		assert!(to_text(&rejected(), &operators).contains("Rejected: the work is wrong"));
		let text = to_text(&judging(), &operators);
		assert!(
			text.contains("auditor judges, until block 99") && !text.contains("verdict"),
			"{text}"
		);
	}

	#[test]
	fn audits_should_be_complete_for_programs() {
		let json = to_json(&rejected());
		assert_eq!(json["verdict"], "Rejected");
		assert_eq!(
			json["slashes"][0],
			json!({ "node": 1, "part": "executor", "amount": "64" })
		);
		assert_eq!(json["slashes"][1]["part"], "juror");
		assert_eq!(json["seats"][1]["vote"], "No");
		assert_eq!(json["seats"][3]["vote"], Value::Null);
		assert_eq!(json["sketch"]["sums"].as_array().map(Vec::len), Some(16));
		assert_eq!(to_json(&judging())["until"], 99);
	}

	#[test]
	fn audits_of_many_inputs_should_say_which_one_is_judged() {
		let single = to_text(&rejected(), &BTreeMap::new());
		assert!(!single.contains("judged is"), "{single}");
		let of_many = AuditInfo {
			inputs: 12,
			index: 3,
			..rejected()
		};
		let text = to_text(&of_many, &BTreeMap::new());
		assert!(text.contains("input 3 of 12"), "{text}");
		let json = to_json(&of_many);
		assert_eq!((&json["inputs"], &json["index"]), (&json!(12), &json!(3)));
	}

	#[test]
	fn list_should_tell_how_to_go_on() {
		let text = list_text(&[judging(), rejected()], 0, Some(8));
		assert!(
			text.contains("node 5 (juror): 0.5 AIC") && text.contains("--from 8"),
			"{text}"
		);
		assert!(!list_text(&[judging()], 0, None).contains("--from"));
		assert!(list_text(&[], 5, None).contains("from 5 on"));
	}

	#[test]
	fn list_rows_should_name_the_part_of_who_was_slashed() {
		let [job, _, executor, why, waits_for, verdict, slashed] = list_row(&rejected());
		assert_eq!([job, executor, why, verdict], ["7", "node 1", "Drawn", "Rejected"]);
		assert_eq!(waits_for, "ended");
		assert_eq!(slashed, "node 1 (executor): 64 AIC, node 5 (juror): 0.5 AIC");
		assert_eq!(list_row(&judging())[5..], ["-", "-"]);
	}

	#[test]
	fn jurors_should_speak_of_the_auditor_unless_they_abstain() {
		let juror = |vote, right| said(&seat(1, Seat::Juror, Some((vote, right))));
		assert_eq!(juror(Vote::Yes, true), "the output is right; the auditor is right");
		assert_eq!(juror(Vote::Abstain, false), "it could not judge");
		let auditor = seat(1, Seat::Auditor, Some((Vote::Missing, true)));
		assert_eq!(said(&auditor), "nobody serves the output");
	}

	#[test]
	fn list_should_understand_model_from_and_limit() {
		let parse = |words: &str| Cli::try_parse_from(format!("highway audit list {words}").split_whitespace());
		let Command::Audit(AuditCommand::List(args)) = parse("--model //Alice/m --from 9 --limit 3").unwrap().command
		else {
			panic!("another command")
		};
		assert_eq!(
			(args.model.as_deref(), args.from, args.limit),
			(Some("//Alice/m"), 9, 3)
		);
		assert!(parse("").is_ok());
		assert!(parse("--limit 0").is_err());
	}
}
