//! Readers of what strangers send, on inputs that no honest program makes.
//!
//! A [`Target`] reads an input and asserts what must hold whatever it is: no panic, no more memory than its bytes are worth,
//! and whoever takes it gets what it says. [`run`] gives it its corpus and inputs that are made of it, the same ones in
//! every test; the programs in `guided/` let libFuzzer look for inputs that make something else run.
//!
//! ```text
//! seeds of the code ──► corpus/TARGET/ ──► run: as they are, then changed, by round     scripts/test unit
//!                             └──────────► guided/TARGET: libFuzzer, by coverage        scripts/fuzz TARGET
//! ```

pub mod answers;
pub mod blobs;
pub mod bundles;
mod corpus;
mod input;
pub mod keys;
mod memory;
pub mod onnx;
pub mod proofs;
pub mod requests;
mod rounds;
pub mod tensors;

pub use corpus::keep_seeds;
pub use rounds::run;

use peak_alloc::PeakAlloc;

/// Counts the memory of every program that has a target in it.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A reader, and what must hold of it.
pub struct Target {
	/// Its name, and that of its corpus.
	pub name: &'static str,
	/// Reads an input, and panics if something does not hold. Says whether the input was taken.
	pub check: fn(&[u8]) -> bool,
	/// What the code itself makes, by file name: good ones, and some that must be refused.
	pub seeds: fn() -> Vec<(String, Vec<u8>)>,
	/// Inputs that a test makes of the corpus: as many as take a second or two.
	pub rounds: u64,
}

/// Every target.
pub const TARGETS: [Target; 8] = [
	answers::TARGET,
	blobs::TARGET,
	bundles::TARGET,
	keys::TARGET,
	onnx::TARGET,
	proofs::TARGET,
	requests::TARGET,
	tensors::TARGET,
];

/// A seed under a name.
fn seed(name: &str, bytes: impl Into<Vec<u8>>) -> (String, Vec<u8>) {
	(name.into(), bytes.into())
}
