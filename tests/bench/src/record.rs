//! What was observed: kept for the figures, and in a folder, as it came.

use crate::figures::Observations;
use anyhow::{Context, Error, Result};
use serde_json::{json, Value};
use std::{
	fs::{self, File},
	io::Write,
	path::{Path, PathBuf},
};

/// The file in the folder: one JSON object a line.
const FILE: &str = "observations.jsonl";

/// Everything that was observed.
pub struct Record {
	folder: PathBuf,
	file: File,
	round: u32,
	observations: Observations,
	failures: Vec<String>,
}

impl Record {
	/// An empty record that keeps what comes in `folder`.
	pub fn open(folder: PathBuf) -> Result<Self> {
		fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
		let path = folder.join(FILE);
		let file = File::create(&path).with_context(|| path.display().to_string())?;
		Ok(Self {
			folder,
			file,
			round: 0,
			observations: Observations::new(),
			failures: Vec::new(),
		})
	}

	/// Where it is kept.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// The present round.
	pub fn round(&self) -> u32 {
		self.round
	}

	/// What comes now is of this round.
	pub fn begin(&mut self, round: u32) {
		self.round = round;
	}

	/// Notes a value, which figures may be made of.
	pub fn note(&mut self, name: &'static str, value: f64) -> Result<()> {
		self.tell(name, json!(value))?;
		self.observations.entry(name).or_default().push(value);
		Ok(())
	}

	/// Keeps what explains a value, and is none itself.
	pub fn tell(&mut self, name: &str, what: Value) -> Result<()> {
		writeln!(
			self.file,
			"{}",
			json!({ "round": self.round, "name": name, "value": what })
		)?;
		Ok(())
	}

	/// Says on standard error that something could not be measured, and keeps it: what comes after it still is measured.
	pub fn fail(&mut self, what: &str, error: &Error) -> Result<()> {
		eprintln!("error: {what} could not be measured: {error:#}");
		self.tell("failure", json!({ "what": what, "why": format!("{error:#}") }))?;
		self.failures.push(what.to_owned());
		Ok(())
	}

	/// What could not be measured, in the order in which that was seen.
	pub fn failures(&self) -> &[String] {
		&self.failures
	}

	/// The values by name.
	pub fn observations(&self) -> &Observations {
		&self.observations
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use anyhow::anyhow;

	#[test]
	fn what_fails_should_be_kept_with_its_reason_and_be_no_observation() {
		let folder = tempfile::tempdir().unwrap();
		let mut record = Record::open(folder.path().to_path_buf()).unwrap();
		assert!(record.failures().is_empty());
		record.fail("Blobs", &anyhow!("no node").context("a fetch")).unwrap();
		record.note("rate", 2.5).unwrap();
		assert_eq!(record.failures(), ["Blobs"]);
		assert_eq!(record.observations().len(), 1);
		let text = fs::read_to_string(record.folder().join(FILE)).unwrap();
		let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
		assert_eq!(first["value"], json!({ "what": "Blobs", "why": "a fetch: no node" }));
	}

	#[test]
	fn what_is_noted_should_be_kept_with_its_round() {
		let folder = tempfile::tempdir().unwrap();
		let mut record = Record::open(folder.path().join("run")).unwrap();
		record.note("rate", 2.5).unwrap();
		record.begin(1);
		record.note("rate", 3.0).unwrap();
		record.tell("blocks", json!([1, 2])).unwrap();
		assert_eq!(record.observations()["rate"], [2.5, 3.0]);
		assert_eq!(record.observations().len(), 1);
		let text = fs::read_to_string(record.folder().join(FILE)).unwrap();
		let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
		assert_eq!(lines.len(), 3);
		assert_eq!((&lines[1]["round"], &lines[1]["value"]), (&json!(1), &json!(3.0)));
		assert_eq!(lines[2]["name"], "blocks");
	}
}
