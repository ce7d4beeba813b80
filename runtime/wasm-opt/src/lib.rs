//! What the Wasm builder asks of Binaryen, without Binaryen: that the runtime has no debug information, and no instruction that is
//! not in the first version of WebAssembly.
//!
//! The builder links `wasm-opt`, all of Binaryen in C++, which was a sixth of the work of a first build. It has it optimize nothing
//! (level 0): it takes sections of debug information out, and lowers instructions that extend signs. The first is done here; and of the
//! second there is nothing to do, as the compiler emits no such instructions for `wasm32v1-none`, the target that
//! `scripts/setup` installs. A runtime that has one, or any other of a later version, is refused.
//!
//! In the root's `Cargo.toml` this crate stands in for the one of that name, so its names and shapes are those that the builder calls.

use parity_wasm::elements::{self, Error, Section};
use std::path::Path;

/// What the builder has done to a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
	/// Debug information goes.
	StripDwarf,
	/// Instructions that extend signs go: there are none, else [`OptimizationOptions::run`] fails.
	SignextLowering,
}

/// What is to be done.
#[derive(Debug, Clone, Default)]
pub struct OptimizationOptions {
	passes: Vec<Pass>,
}

impl OptimizationOptions {
	/// Nothing is optimized.
	pub fn new_opt_level_0() -> Self {
		Self::default()
	}

	/// Only the first version of WebAssembly is let through: no other is in any case.
	pub fn mvp_features_only(&mut self) -> &mut Self {
		self
	}

	/// The names of functions stay: they do in any case.
	pub fn debug_info(&mut self, _keep: bool) -> &mut Self {
		self
	}

	/// Does this, too.
	pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
		self.passes.push(pass);
		self
	}

	/// Reads a module from a file, and writes it to another one, or the same. Fails if it is none of the first version of
	/// WebAssembly.
	pub fn run(&self, input: impl AsRef<Path>, output: impl AsRef<Path>) -> Result<(), Error> {
		let mut module = elements::deserialize_file(input)?;
		if self.passes.contains(&Pass::StripDwarf) {
			module.sections_mut().retain(|section| !is_debug_information(section));
		}
		elements::serialize_to_file(output, module)
	}
}

/// Whether a section is one of DWARF's.
fn is_debug_information(section: &Section) -> bool {
	matches!(section, Section::Custom(custom) if custom.name().starts_with(".debug_"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use parity_wasm::elements::{CustomSection, Instruction, Module};

	/// What becomes of a file.
	fn run(bytes: &[u8], passes: &[Pass]) -> Result<Vec<u8>, Error> {
		let file = tempfile::NamedTempFile::new().expect("there is room for a file");
		std::fs::write(file.path(), bytes).expect("it is just made");
		let mut options = OptimizationOptions::new_opt_level_0();
		for pass in passes {
			options.add_pass(*pass);
		}
		options.run(file.path(), file.path())?;
		Ok(std::fs::read(file.path()).expect("it is there"))
	}

	/// A module of one function that returns a number, with custom sections of these names.
	fn module(names: &[&str]) -> Vec<u8> {
		let mut module: Module = parity_wasm::builder::module()
			.function()
			.signature()
			.with_result(elements::ValueType::I32)
			.build()
			.body()
			.with_instructions(elements::Instructions::new(vec![
				Instruction::I32Const(7),
				Instruction::End,
			]))
			.build()
			.build()
			.build();
		for name in names {
			let section = CustomSection::new((*name).into(), vec![1, 2, 3]);
			module.sections_mut().push(Section::Custom(section));
		}
		elements::serialize(module).expect("it is a module")
	}

	#[test]
	fn run_should_take_debug_information_and_nothing_else() {
		let whole = module(&[".debug_info", "runtime_version", ".debug_str", "name"]);
		let kept = module(&["runtime_version", "name"]);
		assert_eq!(run(&whole, &[Pass::StripDwarf, Pass::SignextLowering]).unwrap(), kept);
		assert_eq!(run(&whole, &[Pass::SignextLowering]).unwrap(), whole);
	}

	#[test]
	fn run_should_refuse_instructions_of_later_versions_and_what_is_no_module() {
		let mut bytes = module(&[]);
		// Behind the number it extends the sign of its lowest byte.
		let at = bytes
			.windows(3)
			.position(|code| code == [0x41, 7, 0x0b])
			.expect("it returns 7");
		assert_eq!(run(&bytes, &[Pass::SignextLowering]).unwrap(), bytes);
		bytes.insert(at + 2, 0xc0);
		// The function and its section are a byte longer.
		bytes[at - 2] += 1;
		bytes[at - 4] += 1;
		assert!(matches!(
			run(&bytes, &[Pass::SignextLowering]),
			Err(Error::UnknownOpcode(0xc0))
		));
		assert!(run(b"no module", &[]).is_err());
	}
}
