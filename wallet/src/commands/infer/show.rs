//! What people and programs see of `highway infer`.

use super::{
	quorum::{Agreement, Member, Stance},
	run::{Outcome, Reading},
};
use crate::{
	amount::{decimal, with_unit},
	commands::bundle,
	context::Context,
	error::CommandError,
	output::{plain, table},
	recipes::Answer,
};
use highway_offchain_worker::tensors::Tensor;
use highway_primitives::{Balance, JobId, NodeId};
use highway_runtime_api::types::JobInfo;
use serde_json::{json, Value};
use sp_core::crypto::AccountId32;
use std::path::{Path, PathBuf};

/// All that a command has to say.
struct Report {
	json: Value,
	text: String,
	/// Errors with their files' names, for people.
	remarks: Vec<String>,
	/// How the command ends.
	end: Result<(), CommandError>,
}

/// Shows what became of the files.
pub fn show(context: &Context, outcomes: Vec<(PathBuf, Result<Outcome, CommandError>)>) -> Result<(), CommandError> {
	let report = report(outcomes)?;
	for remark in &report.remarks {
		context.output.remark(remark);
	}
	context.output.result(report.json, || report.text);
	report.end
}

/// Error if there was one file, which failed: its error is the command's.
fn report(mut outcomes: Vec<(PathBuf, Result<Outcome, CommandError>)>) -> Result<Report, CommandError> {
	let all = outcomes.len();
	if all == 1 && outcomes[0].1.is_err() {
		return outcomes.remove(0).1.map(|_| unreachable!("it is an error; qed"));
	}
	let (mut results, mut texts, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
	let mut unaudited = None;
	for (file, outcome) in outcomes {
		let name = file.display().to_string();
		match outcome {
			Ok(outcome) => {
				let (value, text) = shown(&name, &outcome);
				results.push(value);
				texts.push(text);
				if let Outcome::Agreed { agreement, .. } = outcome {
					unaudited = unaudited.or(agreement.failed_audits().next());
				}
			}
			Err(error) => {
				results.push(json!({ "file": name, "error": error.to_json() }));
				remarks.push(format!("{name}: error: {error}"));
			}
		}
	}
	let mut json = json!({ "results": results });
	let end = match remarks.len() {
		0 => unaudited.map_or(Ok(()), Err),
		failed => Err(CommandError::SomeFailed { failed, all }),
	};
	if let Err(error) = &end {
		json["error"] = error.to_json();
	}
	Ok(Report {
		json,
		text: texts.join("\n"),
		remarks,
		end,
	})
}

fn shown(name: &str, outcome: &Outcome) -> (Value, String) {
	let (mut value, text) = match outcome {
		Outcome::Answer(answer) => (answer_json(answer), answer_text(name, answer, "nothing was paid")),
		Outcome::Submitted {
			job,
			index,
			inputs,
			is_final,
		} => (
			of_batch(json!({ "job": job, "final": is_final }), *index, *inputs),
			submitted_text(name, *job, (*index, *inputs), *is_final),
		),
		Outcome::Done { job, index, reading } => done(name, job, *index, job.price, reading),
		Outcome::Agreed {
			job,
			reading,
			agreement,
		} => {
			let (mut value, text) = done(name, job, 0, agreement.price, reading);
			value["quorum"] = agreement.members.iter().map(member_json).collect();
			(value, format!("{text}\n{}", members_text(agreement)))
		}
	};
	value["file"] = json!(name);
	(value, text)
}

/// The same for a file of a batch: with its place among the inputs.
fn of_batch(mut value: Value, index: u16, inputs: u16) -> Value {
	if bundle::is_batch(inputs) {
		value["index"] = json!(index);
		value["inputs"] = json!(inputs);
	}
	value
}

/// How to go on is said once, behind the last of a batch's files.
fn submitted_text(name: &str, job: JobId, (index, inputs): (u16, u16), is_final: bool) -> String {
	let (place, to) = match bundle::is_batch(inputs) {
		true => (format!(", {}", bundle::place_text(index, inputs)), "FOLDER"),
		false => (String::new(), "out.safetensors"),
	};
	if index.saturating_add(1) < inputs {
		return format!("{name}: job {job}{place}");
	}
	let doubt = match is_final {
		true => "",
		false => {
			"\nits block is not final yet, and on another branch of the chain the job may get another id: --finalized waits \
			 until that is ruled out"
		}
	};
	format!("{name}: job {job}{place}; follow it with: highway job watch {job} --output {to}{doubt}")
}

fn done(name: &str, job: &JobInfo<AccountId32>, index: u16, price: Balance, reading: &Reading) -> (Value, String) {
	let (executor, price_text) = (node_text(job.executor), with_unit(price));
	let source = match bundle::is_batch(job.inputs) {
		true => {
			let place = bundle::place_text(index, job.inputs);
			format!("job {} ({place}), by {executor}, for {price_text} together", job.id)
		}
		false => format!("job {}, by {executor}, for {price_text}", job.id),
	};
	let (mut value, text) = match reading {
		Reading::Answer(answer) => (answer_json(answer), answer_text(name, answer, &source)),
		Reading::Tensors { tensors, written } => (
			json!({ "tensors": tensors.iter().map(tensor_json).collect::<Vec<_>>() }),
			tensors_text(name, &source, tensors, written.as_deref()),
		),
	};
	value = of_batch(value, index, job.inputs);
	value["job"] = json!(job.id);
	value["price"] = json!(decimal(price));
	value["executor"] = json!(job.executor);
	value["output"] = job.output.map_or(
		Value::Null,
		|blob| json!({ "hash": format!("{:?}", blob.hash), "size": blob.size }),
	);
	(value, text)
}

fn node_text(node: Option<NodeId>) -> String {
	node.map_or_else(|| "nobody".into(), |node| format!("node {node}"))
}

/// One job of a quorum for programs.
fn member_json(member: &Member) -> Value {
	let mut value = json!({ "job": member.job, "executor": member.executor });
	let stance = match &member.stance {
		Stance::Agrees => "agrees",
		Stance::Dissents(audit) => {
			value["audit"] = match audit {
				None => Value::Null,
				Some(Ok(bond)) => json!({ "bond": decimal(*bond) }),
				Some(Err(error)) => json!({ "error": error.to_json() }),
			};
			"dissents"
		}
		Stance::Absent(error) => {
			value["error"] = error.to_json();
			"absent"
		}
	};
	value["stance"] = json!(stance);
	value
}

/// The jobs of a quorum for people.
fn members_text(agreement: &Agreement) -> String {
	let rows = agreement.members.iter().map(|member| {
		let stance = match &member.stance {
			Stance::Agrees => "agrees".into(),
			Stance::Dissents(None) => {
				format!("dissents; `highway job audit {}` has it audited", member.job)
			}
			Stance::Dissents(Some(Ok(bond))) => {
				format!("dissents; will be audited, for a bond of {}", with_unit(*bond))
			}
			Stance::Dissents(Some(Err(error))) => format!("dissents; its audit was not asked for: {error}"),
			Stance::Absent(error) => format!("no output: {error}"),
		};
		[member.job.to_string(), node_text(member.executor), stance]
	});
	table(["job", "by", "output"], rows)
}

fn tensor_json(tensor: &Tensor) -> Value {
	json!({ "name": tensor.name, "dtype": format!("{:?}", tensor.dtype), "shape": tensor.shape })
}

fn tensors_text(name: &str, source: &str, tensors: &[Tensor], written: Option<&Path>) -> String {
	let rows = table(
		["output", "type", "shape"],
		tensors.iter().map(|tensor| {
			[
				plain(tensor.name.as_bytes()),
				format!("{:?}", tensor.dtype),
				format!("{:?}", tensor.shape),
			]
		}),
	);
	let written = written.map_or_else(
		|| "not written: name a file with --output".into(),
		|path| format!("written to {}", path.display()),
	);
	format!("{name}: {source}\n{rows}\n{written}")
}

/// An answer for programs.
pub fn answer_json(answer: &Answer) -> Value {
	json!({
		"label": answer.label,
		"score": answer.score,
		"note": answer.note,
		"choices": answer.choices.iter().map(|(label, score)| json!({ "label": label, "score": score })).collect::<Vec<_>>(),
	})
}

fn answer_text(name: &str, answer: &Answer, source: &str) -> String {
	let score = answer
		.score
		.map_or(String::new(), |score| format!(" ({:.1} %)", score * 100.0));
	let note = answer.note.as_ref().map_or(String::new(), |note| format!("\n{note}"));
	let choices = if answer.choices.is_empty() {
		String::new()
	} else {
		let rows = answer
			.choices
			.iter()
			.map(|(label, score)| [plain(label.as_bytes()), format!("{:.3} %", score * 100.0)]);
		format!("\n{}", table(["choice", "score"], rows))
	};
	format!(
		"{name}: {}{score}\n{source}{note}{choices}\n",
		plain(answer.label.as_bytes())
	)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::blobs::BlobError;
	use crate::commands::fixtures::attested_job;
	use highway_primitives::AIC;

	fn answered(label: &str) -> Result<Outcome, CommandError> {
		Ok(Outcome::Answer(Answer {
			label: label.into(),
			score: None,
			note: None,
			choices: Vec::new(),
		}))
	}

	fn failed(job: JobId) -> Result<Outcome, CommandError> {
		Err(CommandError::Blob(BlobError::Mismatch("0x01".into())).after_payment(job))
	}

	#[test]
	fn report_should_keep_the_error_when_there_was_one_file() {
		assert!(matches!(
			report(vec![("a".into(), failed(7))]),
			Err(CommandError::AfterPayment { job: 7, .. })
		));
		let report = report(vec![("a".into(), answered("empty"))]).unwrap();
		assert!(report.end.is_ok() && report.json.get("error").is_none());
	}

	#[test]
	fn report_should_be_one_document_when_some_of_several_files_failed() {
		let outcomes = vec![
			("a".into(), answered("empty")),
			("b".into(), failed(7)),
			("c".into(), answered("txt")),
		];
		let report = report(outcomes).unwrap();
		assert!(matches!(
			report.end,
			Err(CommandError::SomeFailed { failed: 1, all: 3 })
		));
		assert_eq!(report.json["error"]["kind"], "no_result");
		let results = report.json["results"].as_array().unwrap();
		assert_eq!(
			[&results[0]["label"], &results[1]["error"]["job"], &results[2]["label"]],
			[&json!("empty"), &json!(7), &json!("txt")]
		);
		assert!(report.remarks[0].starts_with("b: error: job 7 is paid for"));
		assert!(report.text.contains("empty") && report.text.contains("txt"));
	}

	fn job(inputs: u16) -> JobInfo<AccountId32> {
		JobInfo {
			inputs,
			price: AIC,
			executor: Some(7),
			..attested_job()
		}
	}

	fn agreed(audit: Option<Result<Balance, CommandError>>) -> Result<Outcome, CommandError> {
		let member = |job, stance| Member {
			job,
			executor: Some(job as NodeId),
			stance,
		};
		let gone = CommandError::JobEnded {
			job: 9,
			reason: "no node did it".into(),
		};
		Ok(Outcome::Agreed {
			job: Box::new(job(1)),
			reading: Reading::Tensors {
				tensors: Vec::new(),
				written: None,
			},
			agreement: Agreement {
				members: vec![
					member(7, Stance::Agrees),
					member(8, Stance::Dissents(audit)),
					member(9, Stance::Absent(gone)),
					member(10, Stance::Agrees),
					member(11, Stance::Agrees),
				],
				price: 3 * AIC,
			},
		})
	}

	#[test]
	fn quorums_should_show_who_dissents_and_what_was_paid_for_all() {
		let report = report(vec![("a".into(), agreed(Some(Ok(AIC))))]).unwrap();
		assert!(report.end.is_ok());
		let result = &report.json["results"][0];
		assert_eq!((&result["job"], &result["price"]), (&json!(7), &json!("3")));
		let members = result["quorum"].as_array().unwrap();
		let stances: Vec<_> = members.iter().map(|member| &member["stance"]).collect();
		assert_eq!(stances, ["agrees", "dissents", "absent", "agrees", "agrees"]);
		assert_eq!(members[1]["audit"]["bond"], "1");
		assert!(report.text.contains("for 3 AIC") && report.text.contains("for a bond of 1 AIC"));
		let named = super::report(vec![("a".into(), agreed(None))]).unwrap();
		assert!(named.end.is_ok() && named.text.contains("highway job audit 8"));
	}

	#[test]
	fn an_audit_that_was_not_asked_for_should_be_no_success() {
		let failed = agreed(Some(Err(CommandError::NotFound("x".into()))));
		let report = report(vec![("a".into(), failed), ("b".into(), answered("empty"))]).unwrap();
		assert!(matches!(report.end, Err(CommandError::NotAudited { job: 8, .. })));
		assert_eq!(report.json["error"]["job"], 8);
		assert_eq!(
			report.json["results"][0]["quorum"][1]["audit"]["error"]["kind"],
			"failed"
		);
	}

	#[test]
	fn submissions_should_say_whether_their_block_is_final() {
		let shown = |is_final| {
			let submitted = Outcome::Submitted {
				job: 7,
				index: 0,
				inputs: 1,
				is_final,
			};
			shown("a", &submitted)
		};
		assert_eq!(shown(false).0, json!({ "job": 7, "final": false, "file": "a" }));
		assert!(shown(false).1.contains("--finalized"));
		assert!(shown(true).1.contains("job watch 7") && !shown(true).1.contains("--finalized"));
	}

	#[test]
	fn batches_should_show_each_input_and_how_to_go_on_once() {
		let submitted = |index| {
			let outcome = Outcome::Submitted {
				job: 7,
				index,
				inputs: 2,
				is_final: true,
			};
			shown("a", &outcome)
		};
		let (first, text) = submitted(0);
		assert_eq!(
			first,
			json!({ "job": 7, "final": true, "file": "a", "index": 0, "inputs": 2 })
		);
		assert!(text.contains("input 0 of 2") && !text.contains("job watch"), "{text}");
		assert!(submitted(1).1.contains("job watch 7 --output FOLDER"));

		let done = Outcome::Done {
			job: Box::new(job(2)),
			index: 1,
			reading: Reading::Tensors {
				tensors: Vec::new(),
				written: Some("outputs/1.safetensors".into()),
			},
		};
		let (value, text) = shown("b", &done);
		assert_eq!(
			[&value["job"], &value["index"], &value["inputs"], &value["price"]],
			[&json!(7), &json!(1), &json!(2), &json!("1")]
		);
		assert!(
			text.contains("input 1 of 2") && text.contains("1 AIC together") && text.contains("outputs/1.safetensors"),
			"{text}"
		);
	}

	#[test]
	fn answers_should_show_label_score_and_choices() {
		let answer = Answer {
			label: "png".into(),
			score: Some(0.987),
			note: None,
			choices: vec![("png".into(), 0.987), ("jpeg".into(), 0.01)],
		};
		let text = answer_text("a.bin", &answer, "job 7");
		assert!(
			text.starts_with("a.bin: png (98.7 %)\njob 7") && text.contains("jpeg"),
			"{text}"
		);
	}
}
