//! Magika: files of five types, no two of them alike, with the label that each must get.

use super::{Input, Subject};
use anyhow::{ensure, Context, Result};
use highway_test_support::{bare::BareMagika, binaries, market};
use std::{env, fs};
use tempfile::NamedTempFile;

/// How much of either end of a file Magika looks at, at most.
const LOOKED_AT: usize = 4096;

/// The model, and files for it.
pub struct Magika {
	bare: BareMagika,
	/// What Magika calls each, in its own words, and its bytes.
	samples: [(&'static str, Vec<u8>); 5],
	/// The file that is looked at.
	scratch: NamedTempFile,
	made: usize,
}

impl Magika {
	/// Loads the model and reads the sample files.
	pub fn load() -> Result<Self> {
		let folder = binaries::tests_folder("files")?;
		let sample = |name: &str| fs::read(folder.join(name)).with_context(|| format!("the sample {name}"));
		let mut own = fs::read(env::current_exe()?)?;
		ensure!(own.len() > 2 * LOOKED_AT, "this program is too small to be a sample");
		own.drain(LOOKED_AT..own.len() - LOOKED_AT);
		let samples = [
			("python", sample("fibonacci.py")?),
			("png", sample("road.png")?),
			("pdf", sample("page.pdf")?),
			("json", sample("order.json")?),
			("elf", own),
		];
		Ok(Self {
			bare: BareMagika::load()?,
			samples,
			scratch: NamedTempFile::new()?,
			made: 0,
		})
	}
}

impl Subject for Magika {
	fn name(&self) -> &'static str {
		"magika"
	}

	fn arguments(&self) -> Result<Vec<String>> {
		market::magika_arguments()
	}

	fn next_input(&mut self) -> Result<Input> {
		let (label, sample) = &self.samples[self.made % self.samples.len()];
		fs::write(self.scratch.path(), variant(label, sample, self.made))?;
		self.made += 1;
		Ok(Input {
			bytes: self.bare.input(self.scratch.path())?,
			label: Some(*label),
		})
	}

	fn run(&mut self, input: &[u8]) -> Result<Vec<u8>> {
		self.bare.run(input)
	}

	fn label(&self, output: &[u8]) -> Result<Option<String>> {
		Ok(Some(self.bare.answer(output)?.label))
	}
}

/// A file of the same type that only number `index` has.
fn variant(label: &str, sample: &[u8], index: usize) -> Vec<u8> {
	let mut file = sample.to_vec();
	match label {
		"python" => file.extend(format!("# job {index}\n").bytes()),
		"pdf" => file.extend(format!("\n% job {index}\n").bytes()),
		"json" => {
			// One order alone is so short that Magika takes some variants for plain text.
			let order = String::from_utf8_lossy(sample).replace("0x9f2c", &format!("0x{index:04x}"));
			file = format!("[{order},{order},{order},{order}]\n").into_bytes();
		}
		_ => file.extend((index as u64).to_be_bytes()),
	}
	file
}
