//! Recipes: how a plain file becomes a model's input, and its output an answer that people read.
//!
//! A version of a model names its recipe and the recipe's own file, a blob. The file is checked against the hash on
//! chain before it comes here. Models without a recipe take safetensors files as they are.

mod magika;

use highway_primitives::model::VersionSpec;
use std::{io, path::Path};

/// Why a recipe does not work.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
	/// Not one of ours.
	#[error("this program does not know the recipe '{0}': give the input as a safetensors file with --input, or update `highway`")]
	Unknown(String),
	/// The recipe's file is not what it should be.
	#[error("the recipe's file cannot be used: {0}; tell the model's maker")]
	Config(String),
	/// The model is not the recipe's.
	#[error("the model does not fit its recipe: {0}; tell the model's maker")]
	Model(String),
	/// The file to be worked on.
	#[error("{path}: {source}")]
	File {
		/// The file.
		path: String,
		/// Why it cannot be read.
		source: io::Error,
	},
	/// The output is not what the recipe expects.
	#[error("the output does not fit the recipe: {0}")]
	Output(String),
}

/// An answer for people.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
	/// What it is.
	pub label: String,
	/// How sure the model is of it, from 0 to 1; `None` if the model was not asked.
	pub score: Option<f64>,
	/// Why the label is not the model's own first choice, or was found without it.
	pub note: Option<String>,
	/// The model's first choices with their scores, best first.
	pub choices: Vec<(String, f64)>,
}

/// What becomes of a file.
#[derive(Clone, PartialEq, Debug)]
pub enum Prepared {
	/// The input of a job, a safetensors file.
	Input(Vec<u8>),
	/// The answer is clear without the model: nothing to pay.
	Answer(Answer),
}

/// A recipe with its file.
pub trait Recipe: Send + Sync {
	/// Makes the input for `file`.
	fn prepare(&self, file: &Path, spec: &VersionSpec) -> Result<Prepared, RecipeError>;
	/// Reads the output, a safetensors file.
	fn answer(&self, output: &[u8], spec: &VersionSpec) -> Result<Answer, RecipeError>;
}

/// Names of all recipes.
pub const KNOWN: [&str; 1] = [magika::NAME];

/// The recipe `name` with its file.
pub fn load(name: &[u8], config: &[u8]) -> Result<Box<dyn Recipe>, RecipeError> {
	match std::str::from_utf8(name) {
		Ok(magika::NAME) => Ok(Box::new(magika::Magika::new(config)?)),
		_ => Err(RecipeError::Unknown(String::from_utf8_lossy(name).into_owned())),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn load_should_name_the_recipe_when_it_is_unknown() {
		let Err(error) = load(b"chess", b"{}") else {
			panic!("loaded")
		};
		assert!(error.to_string().contains("'chess'"));
	}
}
