//! What was observed: kept for the figures, and in a folder, as it came.

use crate::figures::Observations;
use anyhow::{Context, Result};
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

	/// The values by name.
	pub fn observations(&self) -> &Observations {
		&self.observations
	}
}

#[cfg(test)]
mod tests {
	use super::*;

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
