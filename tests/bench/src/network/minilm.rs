//! MiniLM: sentences so long that one takes more than 20 ms. Words are drawn, and mean nothing.

use super::{Input, Subject};
use anyhow::Result;
use highway_offchain_worker::tensors::{self, Tensor};
use highway_primitives::model::DType;
use highway_test_support::{bare::BareModel, binaries, market};
use sp_crypto_hashing::twox_64;
use std::fs;

/// Tokens of a sentence, its ends included: some 60 ms on a core with AVX-512.
const TOKENS: usize = 256;

/// The tokens that stand at the ends of each sentence.
const ENDS: [i64; 2] = [101, 102];

/// The vocabulary's words.
const WORDS: std::ops::Range<i64> = 1_000..30_000;

/// The model, and sentences for it.
pub struct MiniLm {
	bare: BareModel,
	made: u64,
}

impl MiniLm {
	/// Loads the model.
	pub fn load() -> Result<Self> {
		Ok(Self {
			bare: BareModel::load(&fs::read(binaries::model("minilm/model.onnx")?)?)?,
			made: 0,
		})
	}
}

impl Subject for MiniLm {
	fn name(&self) -> &'static str {
		"MiniLM"
	}

	fn arguments(&self) -> Result<Vec<String>> {
		market::minilm_arguments()
	}

	fn next_input(&mut self) -> Result<Input> {
		let words = (0..TOKENS - ENDS.len()).map(|place| word(self.made, place as u64));
		let ids = [ENDS[0]].into_iter().chain(words).chain([ENDS[1]]);
		let sentence = [
			numbers("attention_mask", [1; TOKENS].into_iter())?,
			numbers("input_ids", ids)?,
			numbers("token_type_ids", [0; TOKENS].into_iter())?,
		];
		self.made += 1;
		Ok(Input {
			bytes: tensors::serialize(&sentence),
			label: None,
		})
	}

	fn run(&mut self, input: &[u8]) -> Result<Vec<u8>> {
		Ok(tensors::serialize(&self.bare.run(&tensors::parse(input)?)?))
	}

	fn label(&self, _: &[u8]) -> Result<Option<String>> {
		Ok(None)
	}
}

/// The word at a place of a sentence.
fn word(sentence: u64, place: u64) -> i64 {
	let hash = u64::from_le_bytes(twox_64(&[sentence.to_le_bytes(), place.to_le_bytes()].concat()));
	let words = (WORDS.end - WORDS.start) as u64;
	WORDS.start + (hash % words) as i64
}

/// One row of them.
fn numbers(name: &str, values: impl Iterator<Item = i64>) -> Result<Tensor> {
	let data = values.flat_map(i64::to_le_bytes).collect();
	Ok(Tensor::new(name, DType::I64, vec![1, TOKENS], data)?)
}
