//! A pallet's `weights.rs`: written from what was measured, and read back from what was written, and from nothing else.

use crate::line::Line;
use sp_crypto_hashing::blake2_256;
use std::{fmt::Write, str::FromStr};

/// What a pallet's file says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeightFile {
	/// The pallet's crate: `pallet_promotion`.
	pub pallet: String,
	/// How it came about.
	pub measured: Measured,
	/// What each benchmark costs, in the order in which they are written.
	pub weights: Vec<Measurement>,
}

/// When and where weights were measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measured {
	/// The day: `2026-11-30`.
	pub date: String,
	/// Sizes of each component.
	pub steps: u32,
	/// Runs of each size.
	pub repeats: u32,
	/// What it ran on.
	pub machine: String,
}

/// What one benchmark costs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measurement {
	/// Its name, which is a call's in most cases.
	pub name: String,
	/// What it grows with, in the order of its arguments. Each line has a slope for each.
	pub components: Vec<Component>,
	/// Picoseconds.
	pub time: Line,
	/// Items that are read.
	pub reads: Line,
	/// Items that are written.
	pub writes: Line,
	/// What is accessed at the highest of all components, one line each. For readers only.
	pub storage: Vec<String>,
}

/// What a benchmark grows with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Component {
	/// A letter.
	pub name: String,
	/// The least.
	pub low: u32,
	/// The most.
	pub high: u32,
}

/// Why a text is no file of measured weights.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
	/// It does not say how it was measured, or for which pallet.
	#[error("the head does not say what was measured, and how: run scripts/weights")]
	Head,
	/// Something in it was written by hand.
	#[error("line {line}, {text:?}, is not as scripts/weights writes it: run it again")]
	Line {
		/// Counted from 1.
		line: usize,
		/// What it says.
		text: String,
	},
	/// It breaks off.
	#[error("the weights of the runtime's own database do not end: run scripts/weights")]
	End,
	/// It is not as it was written, to the last letter.
	#[error("its last line is not the hash of what stands above it: it was changed by hand, so run scripts/weights")]
	Seal,
}

const TITLE: &str = "//! Weights of `";
const MEASURED: &str = "//! Measured on ";
const OWN: &str = "impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {";
const STORAGE: &str = "/// Storage: ";
/// Begins the last line, which has the hash of all above it.
const SEAL: &str = "// Written by scripts/weights as it is: blake2-256 ";

impl WeightFile {
	/// The text of `weights.rs`.
	pub fn render(&self) -> String {
		let text = self.unsealed();
		format!("{text}{SEAL}{}\n", digest(&text))
	}

	/// Error if a text is not what [`Self::render`] has written, to the last letter.
	pub fn check_seal(text: &str) -> Result<(), ReadError> {
		let (above, seal) = text.rsplit_once(SEAL).ok_or(ReadError::Seal)?;
		match seal.strip_suffix('\n') == Some(digest(above).as_str()) {
			true => Ok(()),
			false => Err(ReadError::Seal),
		}
	}

	/// All but the last line.
	fn unsealed(&self) -> String {
		let Measured {
			date,
			steps,
			repeats,
			machine,
		} = &self.measured;
		let (trait_, own, tests) = (
			self.functions(|weight| format!("\t{};\n", weight.signature())),
			self.functions(|weight| weight.render("T::DbWeight", true)),
			self.functions(|weight| weight.render("RocksDbWeight", false)),
		);
		format!(
			"{TITLE}{pallet}`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.\n\
			//!\n\
			{MEASURED}{date} in {steps} steps of {repeats} runs, by `{machine}`.\n\
			//!\n\
			//! Each is a line that no size lies above: times by the median of a size's runs, accesses by all of them. Proofs have no\n\
			//! size on a chain of its own: the second dimension counts what is left to later blocks, and is 0 here.\n\
			\n\
			#![cfg_attr(rustfmt, rustfmt_skip)]\n\
			#![allow(missing_docs)]\n\
			\n\
			use core::marker::PhantomData;\n\
			use frame_support::{{traits::Get, weights::{{constants::RocksDbWeight, Weight}}}};\n\
			\n\
			/// Weights of what `benchmarking.rs` measures, each at its worst.\n\
			pub trait WeightInfo {{\n{trait_}}}\n\
			\n\
			/// Weights with what the runtime's own database costs.\n\
			pub struct SubstrateWeight<T>(PhantomData<T>);\n\
			\n\
			{OWN}\n{own}}}\n\
			\n\
			/// For tests.\n\
			impl WeightInfo for () {{\n{tests}}}\n",
			pallet = self.pallet,
		)
	}

	fn functions(&self, render: impl Fn(&Measurement) -> String) -> String {
		self.weights.iter().map(render).collect()
	}

	/// Reads what [`Self::render`] has written.
	pub fn read(text: &str) -> Result<Self, ReadError> {
		let pallet = text
			.lines()
			.find_map(|line| Some(line.strip_prefix(TITLE)?.split_once('`')?.0.to_string()))
			.ok_or(ReadError::Head)?;
		let measured = text
			.lines()
			.find_map(|line| line.strip_prefix(MEASURED)?.parse().ok())
			.ok_or(ReadError::Head)?;
		let mut lines = text.lines().enumerate().skip_while(|(_, line)| *line != OWN).skip(1);
		let mut weights = Vec::new();
		let mut open = Measurement::default();
		loop {
			let (index, text) = lines.next().ok_or(ReadError::End)?;
			match text.trim() {
				// Of the implementation.
				"}" if !text.starts_with('\t') => break,
				// Of a function.
				"}" => weights.push(std::mem::take(&mut open)),
				line => open.read_line(line).ok_or_else(|| ReadError::Line {
					line: index + 1,
					text: text.to_string(),
				})?,
			}
		}
		Ok(Self {
			pallet,
			measured,
			weights,
		})
	}
}

impl FromStr for Measured {
	type Err = ReadError;

	fn from_str(text: &str) -> Result<Self, ReadError> {
		let read = || {
			let (date, rest) = text.split_once(" in ")?;
			let (steps, rest) = rest.split_once(" steps of ")?;
			let (repeats, rest) = rest.split_once(" runs, by `")?;
			Some(Self {
				date: date.to_string(),
				steps: steps.parse().ok()?,
				repeats: repeats.parse().ok()?,
				machine: rest.strip_suffix("`.")?.to_string(),
			})
		};
		read().ok_or(ReadError::Head)
	}
}

impl Measurement {
	/// Whether it grows with each of its components.
	pub fn grows(&self) -> bool {
		(0..self.components.len()).all(|component| self.grows_with(component))
	}

	fn grows_with(&self, component: usize) -> bool {
		let mut lines = [&self.time, &self.reads, &self.writes].into_iter();
		lines.any(|line| line.slopes.get(component).is_some_and(|slope| *slope > 0))
	}

	fn signature(&self) -> String {
		let argument = |(index, component): (usize, &Component)| match self.grows_with(index) {
			true => format!("{}: u32", component.name),
			false => format!("_{}: u32", component.name),
		};
		let arguments: Vec<String> = self.components.iter().enumerate().map(argument).collect();
		format!("fn {}({}) -> Weight", self.name, arguments.join(", "))
	}

	fn render(&self, database: &str, documented: bool) -> String {
		let mut text = String::new();
		let mut line = |tabs: usize, content: &str| {
			// Writing into a string does not fail.
			let _ = writeln!(text, "{}{content}", "\t".repeat(tabs));
		};
		if documented {
			self.storage
				.iter()
				.for_each(|item| line(1, &format!("{STORAGE}{item}")));
			for Component { name, low, high } in &self.components {
				line(1, &format!("/// `{name}` is from {low} to {high}."));
			}
		}
		line(1, &format!("{} {{", self.signature()));
		line(2, &format!("Weight::from_parts({}, 0)", grouped(self.time.base)));
		for (name, slope) in self.slopes(&self.time) {
			let slope = grouped(slope);
			line(
				3,
				&format!(".saturating_add(Weight::from_parts({slope}, 0).saturating_mul({name}.into()))"),
			);
		}
		for (access, counted) in [("reads", &self.reads), ("writes", &self.writes)] {
			let base = counted.base;
			if base > 0 {
				line(3, &format!(".saturating_add({database}::get().{access}({base}_u64))"));
			}
			for (name, slope) in self.slopes(counted) {
				line(
					3,
					&format!(".saturating_add({database}::get().{access}({slope}_u64.saturating_mul({name}.into())))"),
				);
			}
		}
		line(1, "}");
		text
	}

	/// Names of components, and how steep the line rises in each, where it does.
	fn slopes<'a>(&'a self, line: &'a Line) -> impl Iterator<Item = (&'a str, u64)> {
		let named = self.components.iter().zip(&line.slopes);
		named
			.filter(|(_, slope)| **slope > 0)
			.map(|(component, slope)| (component.name.as_str(), *slope))
	}

	/// Takes a line of [`Self::render`], without the space around it. `None` if it is none.
	fn read_line(&mut self, line: &str) -> Option<()> {
		if let Some(item) = line.strip_prefix(STORAGE) {
			self.storage.push(item.to_string());
		} else if let Some(rest) = line.strip_prefix("/// `") {
			let (name, rest) = rest.split_once("` is from ")?;
			let (low, high) = rest.strip_suffix('.')?.split_once(" to ")?;
			self.components.push(Component {
				name: name.to_string(),
				low: low.parse().ok()?,
				high: high.parse().ok()?,
			});
			for line in [&mut self.time, &mut self.reads, &mut self.writes] {
				line.slopes.push(0);
			}
		} else if let Some(rest) = line.strip_prefix("fn ") {
			let (name, rest) = rest.split_once('(')?;
			let arguments = rest.strip_suffix(") -> Weight {")?.split(", ");
			// Of what grows with nothing it is not used.
			let arguments: Vec<&str> = arguments.map(|argument| argument.trim_start_matches('_')).collect();
			let components = self.components.iter();
			let components: Vec<String> = components.map(|component| format!("{}: u32", component.name)).collect();
			(arguments.join(", ") == components.join(", ")).then_some(())?;
			self.name = name.to_string();
		} else if let Some(base) = line.strip_prefix("Weight::from_parts(") {
			self.time.base = number(base.strip_suffix(", 0)")?)?;
		} else {
			let term = line.strip_prefix(".saturating_add(")?.strip_suffix(')')?;
			self.read_term(term)?;
		}
		Some(())
	}

	fn read_term(&mut self, term: &str) -> Option<()> {
		if let Some(rest) = term.strip_prefix("Weight::from_parts(") {
			let (slope, factor) = rest.split_once(", 0).saturating_mul(")?;
			let component = self.factor(factor.strip_suffix(')')?)?;
			*self.time.slopes.get_mut(component)? = number(slope)?;
			return Some(());
		}
		let (access, count) = term
			.strip_prefix("T::DbWeight::get().")?
			.strip_suffix(')')?
			.split_once('(')?;
		let product = count
			.strip_suffix(')')
			.and_then(|product| product.split_once("_u64.saturating_mul("));
		let slope = match product {
			Some((slope, factor)) => Some((number(slope)?, self.factor(factor)?)),
			None => None,
		};
		let line = match access {
			"reads" => &mut self.reads,
			"writes" => &mut self.writes,
			_ => return None,
		};
		match slope {
			Some((slope, component)) => *line.slopes.get_mut(component)? = slope,
			None => line.base = number(count.strip_suffix("_u64")?)?,
		}
		Some(())
	}

	/// Which component a slope is of.
	fn factor(&self, factor: &str) -> Option<usize> {
		let name = factor.strip_suffix(".into()")?;
		self.components.iter().position(|component| component.name == name)
	}
}

/// The hash of a text, as hex.
fn digest(text: &str) -> String {
	let mut hex = String::new();
	for byte in blake2_256(text.as_bytes()) {
		// Writing into a string does not fail.
		let _ = write!(hex, "{byte:02x}");
	}
	hex
}

/// With underscores between thousands.
fn grouped(number: u64) -> String {
	let digits = number.to_string();
	let mut text = String::new();
	for (index, digit) in digits.chars().enumerate() {
		if index > 0 && (digits.len() - index).is_multiple_of(3) {
			text.push('_');
		}
		text.push(digit);
	}
	text
}

fn number(text: &str) -> Option<u64> {
	text.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests;
