//! The engine with real child processes, real models and the real sandbox.
//!
//! This file has its own `main`, because the test program is also the program that the engine starts as its child.
//! Needs ONNX Runtime (`ORT_DYLIB_PATH`) and the models of the set-up script (`HIGHWAY_MODELS_DIR`).

use bytes::Bytes;
use highway_offchain_worker::{
	engine::{
		worker_main, Engine, EngineConfig, EngineError, LoadRequest, ModelKey, OrtEngine, Provider, RunInput,
		RunOutput, TimeLimit,
	},
	precheck,
	tensors::{parse, serialize, Tensor},
};
use highway_primitives::{
	audit::SketchSeed,
	model::{DType, VerificationPolicy, VersionSpec},
	BlobRef, DeviceClass, Unit,
};
use highway_test_support::hostile_models::{self as hostile, Message};
use sp_core::H256;
use std::{
	fs::File,
	future::Future,
	io::Write,
	path::PathBuf,
	pin::Pin,
	process::{Command, ExitCode},
	sync::{Arc, OnceLock},
	time::{Duration, Instant},
};

#[path = "engine/children.rs"]
mod children;
use children::*;
#[path = "engine/limits.rs"]
mod limits;
use limits::*;
#[path = "engine/probes.rs"]
mod probes;
use probes::*;
#[path = "engine/sandbox.rs"]
mod sandbox;
use sandbox::*;
#[path = "engine/sketches.rs"]
mod sketches;
use sketches::*;

type Test = (&'static str, fn() -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! tests {
	($($name:ident),* $(,)?) => {
		const TESTS: &[Test] = &[$((stringify!($name), || Box::pin($name()))),*];
	};
}

tests![
	magika_should_name_file_types_and_equal_bare_onnx_runtime_when_run,
	silero_should_return_both_outputs_and_keep_its_state_when_run_twice,
	good_inputs_should_succeed_when_a_bad_one_is_among_them,
	batches_should_be_given_up_when_rows_change_one_another,
	runs_should_not_be_shared_when_calibration_does_not_allow_it,
	sketches_should_be_those_of_bare_onnx_runtimes_trace_when_magika_runs,
	sketches_should_be_made_inside_both_branches_when_silero_runs,
	sketch_should_be_of_the_own_rows_when_a_run_is_padded_or_shared,
	sketch_should_be_of_the_whole_trace_when_it_does_not_go_by_rows,
	sketch_should_be_of_the_outputs_when_there_is_no_trace,
	traces_should_be_near_when_optimisation_threads_and_width_differ,
	model_should_be_refused_when_its_trace_is_not_there_or_not_of_floats,
	reference_model_should_give_the_bytes_of_the_integer_code_however_it_is_run,
	reference_model_should_be_exact_where_its_sums_are_extreme,
	sandbox_should_deny_everything_when_the_child_tries,
	engine_should_not_start_when_the_kernel_offers_no_sandbox,
	child_should_be_replaced_when_it_is_killed_in_mid_run,
	run_should_time_out_and_recover_when_it_takes_too_long,
	run_should_end_in_time_when_every_input_is_slow,
	shared_run_should_find_the_bad_input_when_it_fails,
	half_floats_should_cross_bit_by_bit_when_a_model_takes_them,
	empty_outputs_should_be_given_when_there_is_nothing_to_tell,
	run_should_fail_and_recover_when_it_takes_too_much_memory,
	hostile_models_should_be_refused_when_loaded,
	artifact_should_be_refused_when_its_bytes_were_swapped,
	least_recently_used_model_should_go_when_the_limit_is_reached,
	unloaded_model_should_be_gone_with_its_child,
	cuda_should_run_where_it_is_and_fall_back_to_the_cpu_where_it_is_not,
	start_should_explain_itself_when_onnx_runtime_is_missing,
	threads_should_work_in_the_sandbox_when_there_are_several,
	children_should_be_gone_when_the_engine_is_dropped,
	children_should_be_counted_by_how_they_end,
	child_should_have_broken_the_protocol_when_it_answers_nonsense,
];

fn main() -> ExitCode {
	let arguments: Vec<String> = std::env::args().skip(1).collect();
	if arguments.first().is_some_and(|first| first == "inference-worker") {
		return worker_main();
	}
	let flag = |name: &str| arguments.iter().any(|argument| argument == name);
	let filter = arguments
		.iter()
		.find(|argument| !argument.starts_with('-') && *argument != "terse");
	let chosen = TESTS.iter().filter(|(name, _)| {
		filter.is_none_or(|filter| {
			if flag("--exact") {
				name == filter
			} else {
				name.contains(filter.as_str())
			}
		})
	});
	if flag("--list") {
		if !flag("--ignored") {
			chosen.for_each(|(name, _)| println!("{name}: test"));
		}
		return ExitCode::SUCCESS;
	}
	let runtime = tokio::runtime::Builder::new_multi_thread()
		.worker_threads(2)
		.enable_all()
		.build()
		.unwrap();
	let (mut passed, mut failed) = (0, 0);
	for (name, test) in chosen {
		let started = Instant::now();
		let result = std::panic::catch_unwind(|| runtime.block_on(test()));
		let word = if result.is_ok() { "ok" } else { "FAILED" };
		println!("test {name} ... {word} ({:.1?})", started.elapsed());
		failed += usize::from(result.is_err());
		passed += usize::from(result.is_ok());
	}
	// In the words of the standard test runner, so that whoever counts finds them.
	let word = if failed == 0 { "ok" } else { "FAILED" };
	println!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out");
	match failed {
		0 => ExitCode::SUCCESS,
		_ => ExitCode::FAILURE,
	}
}

fn cache() -> PathBuf {
	let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache");
	std::env::var_os("XDG_CACHE_HOME")
		.map_or_else(home, PathBuf::from)
		.join("ai-highway")
}

fn onnxruntime() -> PathBuf {
	let default = || cache().join("onnxruntime/libonnxruntime.so");
	std::env::var_os("ORT_DYLIB_PATH").map_or_else(default, PathBuf::from)
}

fn model_file(name: &str) -> Vec<u8> {
	let folder = std::env::var_os("HIGHWAY_MODELS_DIR").map_or_else(|| cache().join("models"), PathBuf::from);
	let path = folder.join(name);
	std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run scripts/setup first", path.display()))
}

fn config() -> EngineConfig {
	let mut config = EngineConfig::new(onnxruntime(), std::env::current_exe().unwrap());
	config.provider = Provider::Cpu;
	config
}

async fn engine() -> OrtEngine {
	OrtEngine::start(config()).await.unwrap()
}

/// Version 1 of a model.
fn key(model: u32) -> ModelKey {
	ModelKey {
		model,
		version: 1,
		spec: H256::zero(),
	}
}

fn request(model: u32, bytes: &[u8]) -> LoadRequest {
	let mut file = tempfile::tempfile().unwrap();
	file.write_all(bytes).unwrap();
	request_with(model, bytes, file)
}

fn request_with(model: u32, bytes: &[u8], file: File) -> LoadRequest {
	let signature = precheck::signature(bytes).ok();
	let artifact = BlobRef::of(bytes);
	let spec = VersionSpec {
		artifact,
		licence: b"Apache-2.0".to_vec().try_into().unwrap(),
		inputs: signature
			.as_ref()
			.and_then(|found| found.bounded_inputs())
			.unwrap_or_default(),
		outputs: signature
			.as_ref()
			.and_then(|found| found.bounded_outputs())
			.unwrap_or_default(),
		unit: Unit::Request,
		unit_time_ms: 1000,
		policy: VerificationPolicy::Tolerance {
			atol: 1_000_000,
			rtol: 1_000_000,
			outliers: Default::default(),
		},
		trace: None,
		detection: Default::default(),
		shares_runs: true,
		recipe: None,
	};
	LoadRequest {
		model: key(model),
		artifact,
		file,
		spec,
	}
}

fn floats(tensor: &Tensor) -> Vec<f32> {
	tensor
		.data
		.as_chunks::<4>()
		.0
		.iter()
		.map(|bytes| f32::from_le_bytes(*bytes))
		.collect()
}

fn f32s(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
	Tensor::new(
		name,
		DType::F32,
		shape.to_vec(),
		values.iter().flat_map(|x| x.to_le_bytes()).collect(),
	)
	.unwrap()
}

fn i64s(name: &str, shape: &[usize], values: &[i64]) -> Tensor {
	Tensor::new(
		name,
		DType::I64,
		shape.to_vec(),
		values.iter().flat_map(|x| x.to_le_bytes()).collect(),
	)
	.unwrap()
}

fn file(tensors: &[Tensor]) -> Bytes {
	serialize(tensors).into()
}

fn count(n: i64) -> Bytes {
	file(&[i64s("n", &[], &[n]), f32s("x", &[4], &[0.0; 4])])
}

const SECOND: Duration = Duration::from_secs(1);

/// What the engine gives for these inputs, without sketches.
async fn run(
	engine: &OrtEngine,
	model: &ModelKey,
	files: Vec<Bytes>,
	limit: Duration,
) -> Vec<Result<Bytes, EngineError>> {
	let outputs = sketched(engine, model, files, vec![], limit).await;
	outputs
		.into_iter()
		.map(|output| output.map(|output| output.file))
		.collect()
}

/// What the engine gives for these inputs, with sketches under these seeds.
async fn sketched(
	engine: &OrtEngine,
	model: &ModelKey,
	files: Vec<Bytes>,
	seeds: Vec<SketchSeed>,
	limit: Duration,
) -> Vec<Result<RunOutput, EngineError>> {
	let limit = TimeLimit::alike(limit, files.len());
	let inputs = files
		.into_iter()
		.map(|file| RunInput {
			file,
			seeds: seeds.clone(),
		})
		.collect();
	engine.run(model, inputs, limit).await
}

/// Magika's features: the first and the last 1024 bytes without the white space around the content.
fn magika_features(content: &[u8]) -> Vec<i32> {
	let head = &content[..content.len().min(4096)];
	let head = &head[head
		.iter()
		.position(|byte| !byte.is_ascii_whitespace())
		.unwrap_or(head.len())..];
	let tail = &content[content.len().saturating_sub(4096)..];
	let tail = &tail[..tail
		.iter()
		.rposition(|byte| !byte.is_ascii_whitespace())
		.map_or(0, |last| last + 1)];
	let mut features = vec![256; 2048];
	let length = head.len().min(1024);
	(0..length).for_each(|index| features[index] = i32::from(head[index]));
	let length = tail.len().min(1024);
	(0..length).for_each(|index| features[2048 - length + index] = i32::from(tail[tail.len() - length + index]));
	features
}

fn magika_input(content: &[u8]) -> Bytes {
	let data = magika_features(content)
		.iter()
		.flat_map(|value| value.to_le_bytes())
		.collect();
	file(&[Tensor::new("bytes", DType::I32, vec![1, 2048], data).unwrap()])
}

fn magika_samples() -> Vec<(&'static str, Vec<u8>)> {
	let rust = include_str!("../src/tensors.rs").as_bytes().to_vec();
	let python =
		"import os\nimport sys\n\n\ndef main(args):\n    for name in args:\n        print(os.path.join('a', name))\n\n\
		if __name__ == '__main__':\n    main(sys.argv[1:])\n";
	let toml = include_str!("../Cargo.toml").as_bytes().to_vec();
	let elf = std::fs::read(std::env::current_exe().unwrap()).unwrap();
	vec![
		("rust", rust),
		("python", python.repeat(4).into_bytes()),
		("toml", toml),
		("elf", elf),
	]
}

/// ONNX Runtime in this process: there is one of it.
fn environment() -> &'static ort::environment::Environment {
	static ENVIRONMENT: OnceLock<ort::environment::Environment> = OnceLock::new();
	ENVIRONMENT.get_or_init(|| {
		ort::init_from(onnxruntime())
			.unwrap()
			.with_telemetry(false)
			.build()
			.unwrap()
	})
}

async fn magika_should_name_file_types_and_equal_bare_onnx_runtime_when_run() {
	let labels: serde_json::Value = serde_json::from_slice(&model_file("magika/config.min.json")).unwrap();
	let labels = labels["target_labels_space"].as_array().unwrap();
	let model = model_file("magika/model.onnx");
	let engine = engine().await;
	engine.load(request(1, &model)).await.unwrap();
	let elsewhere = ModelKey {
		spec: H256::repeat_byte(1),
		..key(1)
	};
	assert!(engine.is_loaded(&key(1)) && !engine.is_loaded(&elsewhere));

	let mut bare = ort::session::Session::builder(environment())
		.unwrap()
		.with_intra_threads(1)
		.unwrap()
		.with_deterministic_compute(true)
		.unwrap()
		.commit_from_memory(&model)
		.unwrap();

	for (label, content) in magika_samples() {
		let output = run(&engine, &key(1), vec![magika_input(&content)], SECOND)
			.await
			.remove(0)
			.unwrap();
		let tensors = parse(&output).unwrap();
		assert_eq!(serialize(&tensors), output, "the output is canonical");
		assert_eq!(tensors[0].shape, [1, 214]);
		let scores = floats(&tensors[0]);
		let best = (0..scores.len())
			.max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
			.unwrap();
		assert_eq!(labels[best].as_str(), Some(label));

		let two_rows = [magika_features(&content), magika_features(&content)].concat();
		let input = ort::value::Tensor::from_array((vec![2usize, 2048], two_rows)).unwrap();
		let result = bare.run(ort::inputs!["bytes" => input]).unwrap();
		let (_, expected) = result[0].try_extract_tensor::<f32>().unwrap();
		let equal = scores
			.iter()
			.zip(expected)
			.all(|(ours, theirs)| ours.to_bits() == theirs.to_bits());
		assert!(equal, "{label}: the sandbox must not change a bit");
	}
}

async fn silero_should_return_both_outputs_and_keep_its_state_when_run_twice() {
	let engine = engine().await;
	let load = request(2, &model_file("silero-vad/model.onnx"));
	let names: Vec<_> = load
		.spec
		.outputs
		.iter()
		.map(|output| String::from_utf8(output.name.to_vec()).unwrap())
		.collect();
	engine.load(load).await.unwrap();
	let input = |state: &[f32]| {
		let sound: Vec<f32> = (0..576).map(|i| (i as f32 * 0.3).sin() * 0.5).collect();
		file(&[
			f32s("input", &[1, 576], &sound),
			f32s("state", &[2, 1, 128], state),
			i64s("sr", &[], &[16_000]),
		])
	};
	let first = run(&engine, &key(2), vec![input(&[0.0; 256])], SECOND)
		.await
		.remove(0)
		.unwrap();
	let first = parse(&first).unwrap();
	let mut sorted = names.clone();
	sorted.sort();
	assert_eq!(
		first.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>(),
		sorted
	);
	let state = first.iter().find(|tensor| tensor.shape == [2, 1, 128]).unwrap();
	assert!(floats(state).iter().any(|x| *x != 0.0));
	let again = run(
		&engine,
		&key(2),
		vec![input(&floats(state)), input(&[0.0; 256])],
		SECOND,
	)
	.await;
	let outputs: Vec<_> = again
		.into_iter()
		.map(|output| parse(&output.unwrap()).unwrap())
		.collect();
	assert_eq!(outputs[1], first, "the model keeps nothing between runs");
	assert_ne!(outputs[0], first, "the state that is handed over matters");
}

async fn good_inputs_should_succeed_when_a_bad_one_is_among_them() {
	let engine = engine().await;
	engine.load(request(3, &hostile::identity())).await.unwrap();
	let good = |x: f32| file(&[f32s("x", &[1, 4], &[x; 4])]);
	let three = file(&[f32s("x", &[3, 4], &[9.0; 12])]);
	let inputs = vec![
		good(1.0),
		Bytes::from_static(b"junk"),
		good(2.0),
		file(&[f32s("x", &[1, 5], &[0.0; 5])]),
		file(&[f32s("other", &[1, 4], &[0.0; 4])]),
		three.clone(),
	];
	// The first batch is tried both ways, the second is shared: the results must be the same.
	for _ in 0..2 {
		let results = run(&engine, &key(3), inputs.clone(), SECOND).await;
		let value = |index: usize| parse(results[index].as_ref().unwrap()).unwrap().remove(0);
		assert_eq!((value(0).shape, floats(&value(0))), (vec![1, 4], vec![1.0; 4]));
		assert_eq!(floats(&value(2)), vec![2.0; 4]);
		assert_eq!((value(5).shape, floats(&value(5))), (vec![3, 4], vec![9.0; 12]));
		for bad in [1, 3, 4] {
			assert!(
				matches!(results[bad], Err(EngineError::InputInvalid(_))),
				"{:?}",
				results[bad]
			);
		}
	}
	assert!(matches!(
		run(&engine, &key(9), vec![good(1.0)], SECOND).await[0],
		Err(EngineError::Unavailable(_))
	));
}

async fn batches_should_be_given_up_when_rows_change_one_another() {
	let engine = engine().await;
	engine.load(request(4, &hostile::row_mixing())).await.unwrap();
	let inputs: Vec<_> = (1..4).map(|x| file(&[f32s("x", &[1, 4], &[x as f32; 4])])).collect();
	for _ in 0..2 {
		for result in run(&engine, &key(4), inputs.clone(), SECOND).await {
			assert_eq!(floats(&parse(&result.unwrap()).unwrap()[0]), vec![0.0; 4]);
		}
	}
}

async fn child_should_be_replaced_when_it_is_killed_in_mid_run() {
	let engine = Arc::new(engine().await);
	engine.load(request(5, &hostile::counting_loop())).await.unwrap();
	let first = engine.child_pid(&key(5)).unwrap();
	let running = tokio::spawn({
		let engine = engine.clone();
		async move { run(&engine, &key(5), vec![count(1_000_000)], 60 * SECOND).await }
	});
	tokio::time::sleep(SECOND / 5).await;
	assert!(!running.is_finished(), "the run was too short to be interrupted");
	Command::new("kill").args(["-9", &first.to_string()]).status().unwrap();
	let result = running.await.unwrap().remove(0).unwrap();
	assert_eq!(floats(&parse(&result).unwrap()[0]), vec![1_000_000.0; 4]);
	assert_ne!(engine.child_pid(&key(5)), Some(first));
	assert!(engine.health().await);
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Message {
	let node = inputs.iter().fold(Message::new(), |node, input| node.bytes(1, input));
	node.bytes(2, output).bytes(4, operator)
}

/// A named value of one of ONNX's element types; `None` is a dynamic dimension.
fn value(name: &str, kind: i64, shape: &[Option<i64>]) -> Message {
	let dims = shape.iter().fold(Message::new(), |dims, dim| {
		let dim = dim.map_or(Message::new().bytes(2, "N"), |dim| Message::new().int(1, dim));
		dims.message(1, dim)
	});
	let tensor = Message::new().int(1, kind).message(2, dims);
	Message::new()
		.bytes(1, name)
		.message(2, Message::new().message(1, tensor))
}

async fn half_floats_should_cross_bit_by_bit_when_a_model_takes_them() {
	let engine = engine().await;
	// Not numbers, infinite, subnormal, negative zero: whatever the bits are.
	let bits: [u16; 4] = [0x3c01, 0x8000, 0x7c00, 0x0001];
	let data: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
	for (model, kind, dtype) in [(11, 10, DType::F16), (12, 16, DType::BF16)] {
		let graph = Message::new()
			.message(1, node("Identity", &["x"], "y"))
			.bytes(2, "graph")
			.message(11, value("x", kind, &[None, Some(4)]))
			.message(12, value("y", kind, &[None, Some(4)]));
		engine
			.load(request(model, &hostile::model(graph).finish()))
			.await
			.unwrap();
		let input = file(&[Tensor::new("x", dtype, vec![1, 4], data.clone()).unwrap()]);
		let output = run(&engine, &key(model), vec![input], SECOND).await.remove(0).unwrap();
		assert_eq!(
			parse(&output).unwrap(),
			[Tensor::new("y", dtype, vec![1, 4], data.clone()).unwrap()]
		);
	}
}

async fn empty_outputs_should_be_given_when_there_is_nothing_to_tell() {
	let engine = engine().await;
	let graph = Message::new()
		.message(1, node("NonZero", &["x"], "y"))
		.bytes(2, "graph")
		.message(11, value("x", 1, &[None]))
		.message(12, value("y", 7, &[Some(1), None]));
	engine.load(request(13, &hostile::model(graph).finish())).await.unwrap();
	for (x, found) in [([0.0, 0.0], &[][..]), ([0.0, 5.0], &[1])] {
		let input = file(&[f32s("x", &[2], &x)]);
		let output = run(&engine, &key(13), vec![input], SECOND).await.remove(0).unwrap();
		assert_eq!(parse(&output).unwrap(), [i64s("y", &[1, found.len()], found)]);
	}
}

async fn hostile_models_should_be_refused_when_loaded() {
	let engine = engine().await;
	for (what, model) in hostile::refused() {
		let result = engine.load(request(8, &model)).await;
		assert!(
			matches!(result, Err(EngineError::ModelRefused(_))),
			"{what}: {result:?}"
		);
	}
	// Passes the pre-check, but ONNX Runtime finds a name that nothing defines.
	let result = engine.load(request(8, &hostile::nested_ifs(3))).await;
	assert!(matches!(result, Err(EngineError::ModelRefused(_))), "{result:?}");
	assert!(!engine.is_loaded(&key(8)));
}

async fn artifact_should_be_refused_when_its_bytes_were_swapped() {
	let engine = engine().await;
	let mut file = tempfile::tempfile().unwrap();
	let mut swapped = hostile::identity();
	let last = swapped.len() - 1;
	swapped[last] ^= 1;
	file.write_all(&swapped).unwrap();
	let result = engine.load(request_with(9, &hostile::identity(), file)).await;
	assert!(matches!(result, Err(EngineError::Unavailable(_))), "{result:?}");
	// A version that says something else than the file.
	let mut lying = request(9, &hostile::identity());
	lying.spec.inputs[0].dtype = DType::I64;
	assert!(matches!(engine.load(lying).await, Err(EngineError::ModelRefused(_))));
}

async fn least_recently_used_model_should_go_when_the_limit_is_reached() {
	let model = hostile::identity();
	let mut config = config();
	// Each counts its file and what its process may take on top.
	let weight = model.len() as u64 + (250 << 20);
	config.max_loaded_bytes = weight * 2;
	let engine = OrtEngine::start(config).await.unwrap();
	engine.load(request(1, &model)).await.unwrap();
	engine.load(request(2, &model)).await.unwrap();
	run(&engine, &key(1), vec![], SECOND).await;
	engine.load(request(3, &model)).await.unwrap();
	assert!(engine.is_loaded(&key(1)) && !engine.is_loaded(&key(2)) && engine.is_loaded(&key(3)));
	assert_eq!(engine.loaded_bytes(), weight * 2);

	let few = EngineConfig {
		max_loaded_models: 1,
		..self::config()
	};
	let engine = OrtEngine::start(few).await.unwrap();
	engine.load(request(1, &model)).await.unwrap();
	engine.load(request(2, &model)).await.unwrap();
	assert!(!engine.is_loaded(&key(1)) && engine.is_loaded(&key(2)));

	// It is the model that does not fit, not the engine that does not work.
	let small = EngineConfig {
		max_loaded_bytes: 250 << 20,
		..self::config()
	};
	let engine = OrtEngine::start(small).await.unwrap();
	let too_large = engine.load(request(4, &model)).await;
	assert!(matches!(too_large, Err(EngineError::ModelRefused(_))), "{too_large:?}");
}

async fn unloaded_model_should_be_gone_with_its_child() {
	let engine = engine().await;
	engine.load(request(1, &hostile::identity())).await.unwrap();
	let pid = engine.child_pid(&key(1)).unwrap();
	engine.unload(&key(1));
	engine.unload(&key(2));
	assert!(!engine.is_loaded(&key(1)));
	assert_eq!(engine.loaded_bytes(), 0);
	assert!(is_gone(pid), "the child outlived its model");
}

async fn cuda_should_run_where_it_is_and_fall_back_to_the_cpu_where_it_is_not() {
	let provider_library = onnxruntime().with_file_name("libonnxruntime_providers_cuda.so");
	let gpu = provider_library.is_file() && std::path::Path::new("/dev/nvidia0").exists();
	for provider in [Provider::Auto, Provider::Cuda(0)] {
		let engine = OrtEngine::start(EngineConfig { provider, ..config() }).await.unwrap();
		let device = if gpu {
			DeviceClass::Cuda
		} else if cfg!(target_arch = "aarch64") {
			DeviceClass::CpuArm
		} else {
			DeviceClass::CpuX86
		};
		assert_eq!(engine.device(), device);
		engine.load(request(1, &hostile::identity())).await.unwrap();
		assert!(run(&engine, &key(1), vec![file(&[f32s("x", &[1, 4], &[1.0; 4])])], SECOND).await[0].is_ok());
	}
}

async fn start_should_explain_itself_when_onnx_runtime_is_missing() {
	let mut missing = config();
	missing.onnxruntime = "/nonexistent/libonnxruntime.so".into();
	let error = OrtEngine::start(missing).await.err().unwrap();
	assert!(
		matches!(&error, EngineError::Unavailable(why) if why.contains("/nonexistent")),
		"{error}"
	);
	let mut wrong = config();
	wrong.onnxruntime = std::env::current_exe().unwrap();
	let error = OrtEngine::start(wrong).await.err().unwrap();
	assert!(matches!(&error, EngineError::Unavailable(_)), "{error}");
	let mut no_worker = config();
	no_worker.worker_binary = "/nonexistent/highway-node".into();
	let error = OrtEngine::start(no_worker).await.err().unwrap();
	assert!(
		matches!(&error, EngineError::Unavailable(why) if why.contains("highway-node")),
		"{error}"
	);
}

async fn children_should_be_gone_when_the_engine_is_dropped() {
	let engine = engine().await;
	engine.load(request(1, &hostile::identity())).await.unwrap();
	let pid = engine.child_pid(&key(1)).unwrap();
	assert!(engine.child_resident(&key(1)).unwrap() > 0);
	drop(engine);
	assert!(is_gone(pid), "the child outlived its engine");
}

/// Whether the process ends soon.
fn is_gone(pid: u32) -> bool {
	(0..100).any(|_| {
		std::thread::sleep(Duration::from_millis(20));
		!std::path::Path::new(&format!("/proc/{pid}")).exists()
	})
}
