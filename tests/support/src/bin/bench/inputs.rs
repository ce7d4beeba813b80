//! Inputs of jobs: files of five types, no two of them alike, with the label that each must get.

use anyhow::{ensure, Context, Result};
use highway_test_support::{bare::BareMagika, binaries};
use std::{env, fs, path::PathBuf};

/// How much of either end of a file Magika looks at, at most.
const LOOKED_AT: usize = 4096;

/// One input.
#[derive(Clone, Debug)]
pub struct Input {
	/// A safetensors file.
	pub bytes: Vec<u8>,
	/// What Magika calls the file, in its own words.
	pub label: &'static str,
}

/// Makes inputs.
pub struct Inputs<'a> {
	magika: &'a BareMagika,
	samples: [(&'static str, Vec<u8>); 5],
	scratch: PathBuf,
	made: usize,
}

impl<'a> Inputs<'a> {
	/// Reads the sample files; `scratch` is a file of our own.
	pub fn new(magika: &'a BareMagika, scratch: PathBuf) -> Result<Self> {
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
			magika,
			samples,
			scratch,
			made: 0,
		})
	}

	/// The next input; none is like another one.
	pub fn next(&mut self) -> Result<Input> {
		let (label, sample) = &self.samples[self.made % self.samples.len()];
		fs::write(&self.scratch, variant(label, sample, self.made))?;
		self.made += 1;
		let bytes = self.magika.input(&self.scratch)?;
		Ok(Input { bytes, label })
	}

	/// The next `count` inputs.
	pub fn take(&mut self, count: usize) -> Result<Vec<Input>> {
		(0..count).map(|_| self.next()).collect()
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
