//! What people and programs see of `highway infer`.

use super::run::{Outcome, Reading};
use crate::{
	amount::{decimal, with_unit},
	context::Context,
	error::CommandError,
	output::{plain, table},
	recipes::Answer,
};
use highway_offchain_worker::tensors::Tensor;
use highway_primitives::JobId;
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
	for (file, outcome) in outcomes {
		let name = file.display().to_string();
		match outcome {
			Ok(outcome) => {
				let (value, text) = shown(&name, &outcome);
				results.push(value);
				texts.push(text);
			}
			Err(error) => {
				results.push(json!({ "file": name, "error": error.to_json() }));
				remarks.push(format!("{name}: error: {error}"));
			}
		}
	}
	let mut json = json!({ "results": results });
	let end = match remarks.len() {
		0 => Ok(()),
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
		Outcome::Submitted { job, is_final } => (
			json!({ "job": job, "final": is_final }),
			submitted_text(name, *job, *is_final),
		),
		Outcome::Done { job, reading } => done(name, job, reading),
	};
	value["file"] = json!(name);
	(value, text)
}

fn submitted_text(name: &str, job: JobId, is_final: bool) -> String {
	let doubt = match is_final {
		true => "",
		false => {
			"\nits block is not final yet, and on another branch of the chain the job may get another id: --finalized waits \
			 until that is ruled out"
		}
	};
	format!("{name}: job {job}; follow it with: highway job watch {job} --output out.safetensors{doubt}")
}

fn done(name: &str, job: &JobInfo<AccountId32>, reading: &Reading) -> (Value, String) {
	let executor = job
		.executor
		.map_or_else(|| "nobody".into(), |node| format!("node {node}"));
	let source = format!("job {}, by {executor}, for {}", job.id, with_unit(job.price));
	let (mut value, text) = match reading {
		Reading::Answer(answer) => (answer_json(answer), answer_text(name, answer, &source)),
		Reading::Tensors { tensors, written } => (
			json!({ "tensors": tensors.iter().map(tensor_json).collect::<Vec<_>>() }),
			tensors_text(name, &source, tensors, written.as_deref()),
		),
	};
	value["job"] = json!(job.id);
	value["price"] = json!(decimal(job.price));
	value["executor"] = json!(job.executor);
	value["output"] = job.output.map_or(
		Value::Null,
		|blob| json!({ "hash": format!("{:?}", blob.hash), "size": blob.size }),
	);
	(value, text)
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

	#[test]
	fn submissions_should_say_whether_their_block_is_final() {
		let shown = |is_final| shown("a", &Outcome::Submitted { job: 7, is_final });
		assert_eq!(shown(false).0, json!({ "job": 7, "final": false, "file": "a" }));
		assert!(shown(false).1.contains("--finalized"));
		assert!(shown(true).1.contains("job watch 7") && !shown(true).1.contains("--finalized"));
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
