//! ONNX files of makers whom nobody knows: the pre-check, which nodes and wallets run, and the search for a trace.

use crate::{memory::within, seed, Target};
use highway_offchain_worker::{
	precheck::{check, check_traced, Limits, ModelSignature},
	trace,
};
use highway_primitives::model::{DType, TensorSpec};
use highway_test_models as models;
use std::{collections::BTreeSet, str};

/// The target.
pub const TARGET: Target = Target {
	name: "onnx",
	check: read,
	seeds,
	rounds: 20_000,
};

/// Limits under which a file of any size is looked at in next to no memory.
const TIGHT: Limits = Limits {
	max_bytes: 1 << 20,
	max_nodes: 8,
	max_depth: 2,
	max_elements: 1 << 16,
	max_generated_elements: 1 << 12,
};

/// Eight nodes and as many constants with literals of 64 numbers each, 24 inputs and 16 outputs of 64 dimensions, and
/// tables for them that grow by doubling.
const TIGHT_MEMORY: usize = 96 << 10;

/// A byte of a file makes no more than this under the default limits: of a constant's literal eight, twice while it grows,
/// and three times that for the table that it stands in.
const MEMORY_PER_BYTE: usize = 64;

fn read(file: &[u8]) -> bool {
	let limits = Limits::default();
	let tight = within(TIGHT_MEMORY, || check(file, &TIGHT));
	let found = within((64 << 10) + MEMORY_PER_BYTE * file.len(), || check(file, &limits));
	if let Ok(tight) = &tight {
		assert!(file.len() as u64 <= TIGHT.max_bytes && tight.nodes <= TIGHT.max_nodes);
		assert_eq!(found.as_ref(), Ok(tight), "higher limits change nothing");
	}
	let Ok(signature) = found else { return false };
	assert!(file.len() as u64 <= limits.max_bytes && signature.nodes <= limits.max_nodes);
	holds_together(&signature);
	has_traces(file, &limits, &signature);
	true
}

/// What the check lets through can be registered.
fn holds_together(signature: &ModelSignature) {
	assert!(!signature.outputs.is_empty());
	assert!(signature.bounded_inputs().is_some() && signature.bounded_outputs().is_some());
	// Two tensors of one name are the registry's to refuse.
	let distinct = |tensors: &[TensorSpec]| {
		let names: BTreeSet<_> = tensors.iter().map(|tensor| tensor.name.to_vec()).collect();
		names.len() == tensors.len()
	};
	if distinct(&signature.inputs) && distinct(&signature.outputs) {
		assert_eq!(signature.admits(&signature.inputs, &signature.outputs), Ok(()));
	}
}

/// An output that is named as the trace is left out of the others, and one that is found is added to them.
fn has_traces(file: &[u8], limits: &Limits, signature: &ModelSignature) {
	for output in &signature.outputs {
		let name = str::from_utf8(&output.name).expect("the check lets no other names through");
		if let Ok(traced) = check_traced(file, limits, Some(name)) {
			let trace = traced.trace.expect("it was asked for");
			assert!(matches!(trace.dtype, DType::F32 | DType::F64));
			assert_eq!(traced.inputs, signature.inputs);
			assert_eq!(traced.outputs.len() + 1, signature.outputs.len());
		}
	}
	if let Ok(Some(traced)) = trace::add(file, limits) {
		let again =
			check_traced(&traced.file, limits, Some(&traced.tensor)).expect("it was checked after it was written");
		assert_eq!((&again.inputs, &again.outputs), (&signature.inputs, &signature.outputs));
	}
}

/// Good models and those that the pre-check must refuse, but for the large ones.
fn seeds() -> Vec<(String, Vec<u8>)> {
	let good = [
		seed("identity", models::identity()),
		seed("commented", models::commented(&models::identity(), "a comment")),
		seed("counting-loop", models::counting_loop()),
		seed("four-levels-of-if", models::nested_ifs(4)),
		seed(
			"literal-shape",
			models::literal_shape("ConstantOfShape", &[1024, 1024], false),
		),
		seed("literal-tile", models::literal_shape("Tile", &[4], true)),
		seed("row-mixing", models::row_mixing()),
		seed("ten-constants", models::many_constants(10)),
		seed("zeros-of-shape", models::zeros_of_shape()),
		seed("small-layers", small_layers()),
	];
	let refused = models::refused()
		.into_iter()
		.filter(|(_, model)| !model.is_empty() && model.len() < 1024)
		.map(|(what, model)| seed(&format!("refused-{}", file_name(what)), model));
	good.into_iter().chain(refused).collect()
}

/// Something with a trace inside, in a few hundred bytes: `y = softmax(relu(x·A)·B)` for `x` of f32\[N, 2\].
fn small_layers() -> Vec<u8> {
	use models::Message;
	let node = |operator: &str, inputs: &[&str], output: &str| {
		let node = inputs.iter().fold(Message::new(), |node, input| node.bytes(1, input));
		node.bytes(2, output).bytes(4, operator)
	};
	let weight = |name: &str| {
		let tensor = Message::new().int(1, 2).int(1, 2).int(2, 1);
		tensor.bytes(8, name).bytes(9, [0; 16])
	};
	let value = |name: &str| {
		let shape = Message::new().message(1, Message::new().bytes(2, "N"));
		let shape = shape.message(1, Message::new().int(1, 2));
		let tensor = Message::new().int(1, 1).message(2, shape);
		Message::new()
			.bytes(1, name)
			.message(2, Message::new().message(1, tensor))
	};
	let graph = Message::new()
		.message(1, node("MatMul", &["x", "a"], "xa"))
		.message(1, node("Relu", &["xa"], "h"))
		.message(1, node("MatMul", &["h", "b"], "logits"))
		.message(1, node("Softmax", &["logits"], "y"))
		.bytes(2, "graph")
		.message(5, weight("a"))
		.message(5, weight("b"))
		.message(11, value("x"))
		.message(12, value("y"));
	models::model(graph).finish()
}

/// What it is called in words, as a file name.
fn file_name(words: &str) -> String {
	let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
	words.chars().map(plain).collect::<String>().to_lowercase()
}
