//! Which cheats, with which models.

use anyhow::{bail, Context, Result};
use highway_primitives::model::ModelId;
use std::env;

/// The variable that says it.
const VARIABLE: &str = "HIGHWAY_CHEATS";

/// A way to be paid for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cheat {
	/// Numbers of the right shape.
	Garbage,
	/// The output of the job before.
	Previous,
	/// A smaller copy of the model.
	Int8,
	/// Nothing to say in audits of own jobs.
	Silent,
	/// As a judge, copying what is public.
	Lazy,
	/// Rows of a probe that nobody computed.
	FakeRows,
	/// A CPU that calls itself a GPU.
	AsGpu,
}

/// All that a node does, each with the one model that it is for, or with every model.
#[derive(Clone, Debug)]
pub struct Cheats(Vec<(Cheat, Option<ModelId>)>);

impl Cheats {
	/// Those that the environment names; none without it, as in the children that the engine starts.
	pub fn from_environment() -> Result<Self> {
		let Some(text) = env::var_os(VARIABLE) else {
			return Ok(Self(Vec::new()));
		};
		let text = text.to_str().with_context(|| format!("{VARIABLE} is no text"))?;
		let word = |word: &str| -> Result<_> {
			let (name, model) = match word.split_once(':') {
				Some((name, model)) => (name, Some(model.parse().with_context(|| word.to_string())?)),
				None => (word, None),
			};
			let cheat = match name {
				"garbage" => Cheat::Garbage,
				"previous" => Cheat::Previous,
				"int8" => Cheat::Int8,
				"silent" => Cheat::Silent,
				"lazy" => Cheat::Lazy,
				"fake-rows" => Cheat::FakeRows,
				"as-gpu" => Cheat::AsGpu,
				other => bail!("{VARIABLE}: `{other}` is no cheat"),
			};
			Ok((cheat, model))
		};
		Ok(Self(text.split(',').map(word).collect::<Result<_>>()?))
	}

	/// Whether the node cheats so, with whatever model.
	pub fn include(&self, cheat: Cheat) -> bool {
		self.0.iter().any(|(own, _)| *own == cheat)
	}

	/// Whether the node cheats so with this model.
	pub fn does(&self, cheat: Cheat, model: ModelId) -> bool {
		self.0
			.iter()
			.any(|(own, only)| *own == cheat && only.is_none_or(|only| only == model))
	}
}
