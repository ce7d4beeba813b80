//! The search for the trace, and the pre-check of what it writes, on the models of the set-up script
//! (`HIGHWAY_MODELS_DIR`). What ONNX Runtime makes of the new files is tested with the engine.

use highway_offchain_worker::{
	precheck::{check, check_traced, signature, Limits, Refusal},
	trace::{add, MAX_NAME},
};
use highway_primitives::model::DType;
use std::path::PathBuf;

fn model_file(name: &str) -> Vec<u8> {
	let cache = || {
		let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache");
		let base = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
		base.join("ai-highway/models")
	};
	let folder = std::env::var_os("HIGHWAY_MODELS_DIR").map_or_else(cache, PathBuf::from);
	let path = folder.join(name);
	std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run scripts/setup first", path.display()))
}

#[test]
fn magikas_trace_should_be_what_goes_into_its_pooling() {
	let model = model_file("magika/model.onnx");
	let traced = add(&model, &Limits::default()).unwrap().unwrap();
	assert_eq!(
		traced.tensor,
		"jax2tf_get_logits_/pjit_get_logits_/MagikaV2/ApplyActivation_1/Mul_5:0"
	);
	assert_eq!(traced.dtype, DType::F32);
	assert!(traced.tensor.len() <= MAX_NAME);
	let signature = check_traced(&traced.file, &Limits::default(), Some(&traced.tensor)).unwrap();
	assert_eq!(signature.outputs, check(&model, &Limits::default()).unwrap().outputs);
	assert!(signature.trace.is_some());
}

#[test]
fn sileros_trace_should_come_out_of_both_branches() {
	let model = model_file("silero-vad/model.onnx");
	let traced = add(&model, &Limits::default()).unwrap().unwrap();
	assert_eq!((traced.tensor.as_str(), traced.dtype), ("highway_trace", DType::F32));
	let found = check_traced(&traced.file, &Limits::default(), Some("highway_trace")).unwrap();
	assert_eq!(found.outputs, signature(&model).unwrap().outputs);
	// Two more names on the `If` and its branches, and what describes them.
	assert!(traced.file.len() - model.len() < 1000);
}

#[test]
fn rewritten_files_should_be_checked_with_their_traces_name() {
	// Without it, the trace is an output like others, and a job can carry neither of the two.
	for name in ["magika/model.onnx", "silero-vad/model.onnx"] {
		let traced = add(&model_file(name), &Limits::default()).unwrap().unwrap();
		let refused = check(&traced.file, &Limits::default());
		assert!(
			matches!(refused, Err(Refusal::UnsupportedSignature { .. })),
			"{name}: {refused:?}"
		);
	}
}

#[test]
fn check_should_name_the_fault_when_the_trace_is_not_what_it_should_be() {
	let model = model_file("magika/model.onnx");
	assert_eq!(
		check_traced(&model, &Limits::default(), Some("nowhere")),
		Err(Refusal::NoTrace("nowhere".into()))
	);
	assert!(
		check_traced(&model, &Limits::default(), Some("target_label")).is_err(),
		"nothing is left to deliver"
	);
}
