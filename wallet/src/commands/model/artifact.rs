//! The file that is registered: the maker's ONNX file with its trace among the outputs.

use super::Tensors;
use crate::error::CommandError;
use highway_offchain_worker::{
	precheck::{self, Limits, ModelSignature, Refusal},
	trace,
};
use highway_primitives::model::{Trace, MIN_DETECTION};
use sp_runtime::Perbill;
use std::{convert::Infallible, path::Path, str::FromStr};

/// How far the sums of two sketches may lie apart where nobody has calibrated it, in units of 10⁻⁶: wide, as an honest
/// node must not pay for it.
pub const DEFAULT_TRACE_TOLERANCE: u64 = 1_000_000;

/// The detection where nobody has calibrated it: the least that the chain takes, so that audits are frequent.
pub const DEFAULT_DETECTION: Perbill = MIN_DETECTION;

/// Which trace a version shall have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TraceChoice {
	/// The one that is found.
	Auto,
	/// None: sketches are made of the outputs.
	None,
	/// This output of the file, which is then not delivered.
	Named(String),
}

impl FromStr for TraceChoice {
	type Err = Infallible;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		Ok(match text {
			"auto" => Self::Auto,
			"none" => Self::None,
			name => Self::Named(name.into()),
		})
	}
}

/// A file that can be registered.
pub struct Artifact {
	/// Its bytes.
	pub bytes: Vec<u8>,
	/// Name of the output that is the trace.
	pub trace: Option<String>,
	/// What it takes and, without the trace, gives.
	pub signature: ModelSignature,
}

impl Artifact {
	/// The ONNX file at `path`, with the trace that was chosen.
	pub fn new(path: &Path, onnx: Vec<u8>, choice: &TraceChoice) -> Result<Self, CommandError> {
		let refused = |source| CommandError::Model {
			path: path.into(),
			source,
		};
		Self::with_trace(onnx, choice).map_err(refused)
	}

	fn with_trace(onnx: Vec<u8>, choice: &TraceChoice) -> Result<Self, Refusal> {
		let limits = Limits::default();
		let found = match choice {
			TraceChoice::Auto => trace::add(&onnx, &limits)?,
			TraceChoice::None => None,
			TraceChoice::Named(name) => {
				return Ok(Self {
					signature: precheck::check_traced(&onnx, &limits, Some(name))?,
					bytes: onnx,
					trace: Some(name.clone()),
				})
			}
		};
		match found {
			Some(found) => Ok(Self {
				signature: precheck::check_traced(&found.file, &limits, Some(&found.tensor))?,
				bytes: found.file,
				trace: Some(found.tensor),
			}),
			None => Ok(Self {
				signature: precheck::check(&onnx, &limits)?,
				bytes: onnx,
				trace: None,
			}),
		}
	}

	/// Inputs and outputs for the chain.
	pub fn tensors(&self) -> Result<(Tensors, Tensors), CommandError> {
		let both = self.signature.bounded_inputs().zip(self.signature.bounded_outputs());
		both.ok_or_else(|| CommandError::Usage("the model has more inputs or outputs than the chain takes".into()))
	}

	/// The trace for the chain.
	pub fn registered_trace(&self, tolerance: Option<u64>) -> Result<Option<Trace>, CommandError> {
		match (&self.trace, tolerance) {
			(None, None) => Ok(None),
			(None, Some(_)) => Err(CommandError::Usage(
				"--trace-tolerance says how far traces may differ, and this file has none".into(),
			)),
			(Some(name), tolerance) => Ok(Some(Trace {
				tensor: name.clone().into_bytes().try_into().map_err(|_| {
					CommandError::Usage(format!(
						"the trace's name is too long: at most {} bytes",
						trace::MAX_NAME
					))
				})?,
				tolerance: tolerance.unwrap_or(DEFAULT_TRACE_TOLERANCE),
			})),
		}
	}

	/// What was found, for people.
	pub fn remark(&self) -> String {
		match &self.trace {
			Some(name) => format!(
				"trace    {} (never delivered; by it audits tell who really ran the model)",
				crate::output::plain(name.as_bytes())
			),
			None => "trace    none: audits compare outputs only, which whoever copies them passes".into(),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// `y = Identity(x)` for one number.
	const IDENTITY: &[u8] = &[
		0x08, 0x08, 0x42, 0x04, 0x0a, 0x00, 0x10, 0x0d, 0x3a, 0x3a, 0x0a, 0x10, 0x0a, 0x01, b'x', 0x12, 0x01, b'y',
		0x22, 0x08, b'I', b'd', b'e', b'n', b't', b'i', b't', b'y', 0x12, 0x04, b'w', b'a', b'r', b'm', 0x5a, 0x0f,
		0x0a, 0x01, b'x', 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01, 0x62, 0x0f, 0x0a,
		0x01, b'y', 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01,
	];

	fn artifact(choice: &str) -> Result<Artifact, CommandError> {
		let Ok(choice) = choice.parse();
		Artifact::new(Path::new("m.onnx"), IDENTITY.to_vec(), &choice)
	}

	#[test]
	fn file_should_stay_as_it_is_when_it_has_no_trace() {
		for choice in ["auto", "none"] {
			let artifact = artifact(choice).unwrap();
			assert_eq!((artifact.bytes.as_slice(), &artifact.trace), (IDENTITY, &None));
			assert_eq!(artifact.registered_trace(None).unwrap(), None);
			assert!(artifact.registered_trace(Some(1)).is_err());
			assert!(artifact.remark().contains("none"));
		}
	}

	#[test]
	fn trace_should_be_refused_when_the_file_has_no_such_output() {
		let Err(error) = artifact("inside") else {
			panic!("accepted")
		};
		assert!(error.to_string().contains("`inside`"), "{error}");
	}

	#[test]
	fn trace_should_have_the_default_tolerance_when_none_is_given() {
		let traced = Artifact {
			trace: Some("inside".into()),
			..artifact("none").unwrap()
		};
		let tolerance = |given| traced.registered_trace(given).unwrap().unwrap().tolerance;
		assert_eq!((tolerance(None), tolerance(Some(7))), (DEFAULT_TRACE_TOLERANCE, 7));
	}
}
