//! Finds a model's trace and makes it an output of the file.
//!
//! Outputs are public and small, so whoever copies one has computed nothing. The *trace* is the latest internal float
//! tensor that the outputs do not determine: every node that runs the model has it, and nobody else.
//!
//! # How it is found
//!
//! Backwards from the outputs. A tensor is *seen* if the outputs may determine it: it flows into a seen one through
//! operators that lose little, or it is computed from seen ones and from what costs nothing.
//!
//! ```text
//! input ─► Conv ─► Gelu ─► GlobalMaxPool ─► LayerNorm ─► MatMul ─► Softmax ─► output
//!                    ▲           └────────────── seen ──────────────────────────┘
//!                  trace
//! ```
//!
//! 1. Operators that lose values are walls: poolings, reductions, and selections of a part such as the first token. The
//!    trace is what comes into the last wall, if that is not seen around it (the mean of a layer normalisation is no
//!    wall: its input goes on beside it) and if at most [`MAX_HEAD`] layers follow: behind more, half the work could
//!    be done by another model unseen.
//! 2. Without such a wall, layers with weights are walls: the trace is what comes into the last one.
//! 3. If the wall is an `If` whose branches compute, the trace is sought within both of them and led out of both.
//!
//! Logits are seen, since activations, arg-max and top-k are no walls; neither is the mean of probabilities.
//!
//! # How it is added
//!
//! The file is written anew field by field. Nothing is decoded that is not changed: the graph gets one more output, an
//! `If` on the way one more as well, and everything else keeps its bytes and its order.

mod graph;
mod rewrite;
mod search;

use crate::precheck::{self, wire::fields, Limits, Refusal};
use highway_primitives::model::DType;

/// The most layers with weights between a pooling, reduction or selection and the outputs.
pub const MAX_HEAD: u32 = 3;

/// The longest name of a trace on chain, in bytes.
pub const MAX_NAME: usize = 128;

/// A model with its trace among the outputs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traced {
	/// The new ONNX file.
	pub file: Vec<u8>,
	/// Name of the output that is the trace.
	pub tensor: String,
	/// Its element type: `F32` or `F64`.
	pub dtype: DType,
}

/// Finds the trace of an ONNX file and makes it an output. `None`: there is no such tensor, because the model is too
/// small or holds what this search does not understand. The file is checked before and after.
pub fn add(model: &[u8], limits: &Limits) -> Result<Option<Traced>, Refusal> {
	precheck::check(model, limits)?;
	// The check has seen that there is exactly one.
	let mut graph = None;
	for field in fields(model) {
		let field = field?;
		if field.number == 7 {
			graph = Some(field.bytes()?);
		}
	}
	let graph = graph::Graph::read(graph.ok_or(Refusal::Malformed("there is no graph"))?)?;
	let facts = search::Facts::of(&graph, None);
	let Some(found) = search::find(&graph, &facts) else {
		return Ok(None);
	};
	let Some(traced) = rewrite::rewrite(model, &graph, &found)? else {
		return Ok(None);
	};
	let signature = precheck::check_traced(&traced.file, limits, Some(&traced.tensor))?;
	debug_assert_eq!(signature.trace.map(|trace| trace.dtype), Some(traced.dtype));
	Ok(Some(traced))
}

#[cfg(test)]
#[path = "tests/trace.rs"]
mod tests;
