//! Traces and sketches, with real models in real child processes.

use super::*;
use highway_offchain_worker::{
	engine::{Optimization, MAX_SEEDS},
	sketch::sketch,
	trace,
};
use highway_primitives::{model::Trace, Sketch};

/// A model that passes the first batch's proof and mixes rows all the same: whoever shares a run with a row above 100
/// gets the excess added.
fn mixing_above_100() -> Vec<u8> {
	let axes = Message::new().bytes(1, "axes").int(8, 0).int(20, 7);
	let graph = Graph::new()
		.with(node("ReduceMax", &["x"], &["most"]).message(5, axes))
		.constant("limit", 100.0)
		.with(node("Sub", &["most", "limit"], &["above"]))
		.with(node("Relu", &["above"], &["excess"]))
		.with(node("Add", &["x", "excess"], &["y"]));
	graph.model("x", &[("y", 2)])
}

/// A graph being written.
struct Graph(Message);

impl Graph {
	fn new() -> Self {
		Self(Message::new())
	}

	fn with(self, node: Message) -> Self {
		Self(self.0.message(1, node))
	}

	/// A float of rank 0.
	fn constant(self, name: &str, value: f32) -> Self {
		let tensor = Message::new().int(2, 1).bytes(8, name).bytes(9, value.to_le_bytes());
		Self(self.0.message(5, tensor))
	}

	/// The model that takes `input` of f32\[N, 4\] and gives floats of these ranks.
	fn model(self, input: &str, outputs: &[(&str, usize)]) -> Vec<u8> {
		let dim = |dim: Option<i64>| match dim {
			Some(dim) => Message::new().int(1, dim),
			None => Message::new().bytes(2, "N"),
		};
		let value = |name: &str, dims: Vec<Option<i64>>| {
			let shape = dims
				.into_iter()
				.fold(Message::new(), |shape, d| shape.message(1, dim(d)));
			let tensor = Message::new().int(1, 1).message(2, shape);
			Message::new()
				.bytes(1, name)
				.message(2, Message::new().message(1, tensor))
		};
		let graph = self.0.message(11, value(input, vec![None, Some(4)]));
		let graph = outputs.iter().fold(graph, |graph, (name, rank)| {
			graph.message(12, value(name, vec![None; *rank]))
		});
		hostile::model(graph).finish()
	}
}

fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> Message {
	let node = inputs.iter().fold(Message::new(), |node, input| node.bytes(1, input));
	let node = outputs.iter().fold(node, |node, output| node.bytes(2, output));
	node.bytes(4, operator)
}

pub async fn runs_should_not_be_shared_when_calibration_does_not_allow_it() {
	let row = |x: f32| file(&[f32s("x", &[1, 4], &[x; 4])]);
	for shares_runs in [true, false] {
		let engine = engine().await;
		let mut load = request(1, &mixing_above_100());
		load.spec.shares_runs = shares_runs;
		engine.load(load).await.unwrap();
		run(&engine, &key(1), vec![row(1.0), row(2.0)], SECOND).await;
		let results = run(&engine, &key(1), vec![row(1.0), row(150.0)], SECOND).await;
		let first = floats(&parse(results[0].as_ref().unwrap()).unwrap()[0]);
		// The first batch is no proof: that is why calibration has the last word.
		assert_eq!(first, vec![if shares_runs { 51.0 } else { 1.0 }; 4]);
	}
}

/// The request to load `model` with its trace, as the search finds it.
fn traced_request(number: u32, model: &[u8]) -> LoadRequest {
	let traced = trace::add(model, &Default::default())
		.unwrap()
		.expect("there is a trace");
	let mut load = request(number, &traced.file);
	// The signature of the file without the trace: it is not delivered.
	load.spec.inputs = precheck::signature(model).unwrap().bounded_inputs().unwrap();
	load.spec.outputs = precheck::signature(model).unwrap().bounded_outputs().unwrap();
	load.spec.trace = Some(Trace {
		tensor: traced.tensor.into_bytes().try_into().unwrap(),
		tolerance: 100_000,
	});
	load
}

const SEEDS: [SketchSeed; 2] = [[1; 32], [2; 32]];

pub async fn sketches_should_be_those_of_bare_onnx_runtimes_trace_when_magika_runs() {
	let load = traced_request(1, &model_file("magika/model.onnx"));
	let name = String::from_utf8(load.spec.trace.as_ref().unwrap().tensor.to_vec()).unwrap();
	let file = trace::add(&model_file("magika/model.onnx"), &Default::default())
		.unwrap()
		.unwrap()
		.file;
	let engine = engine().await;
	engine.load(load).await.unwrap();
	let mut bare = ort::session::Session::builder(environment())
		.unwrap()
		.with_intra_threads(1)
		.unwrap()
		.with_deterministic_compute(true)
		.unwrap()
		.commit_from_memory(&file)
		.unwrap();

	let samples = magika_samples();
	let mut alone = Vec::new();
	for (label, content) in &samples {
		let output = sketched(&engine, &key(1), vec![magika_input(content)], SEEDS.to_vec(), SECOND).await;
		let output = output.into_iter().next().unwrap().unwrap();
		assert_eq!(
			parse(&output.file).unwrap().len(),
			1,
			"{label}: the trace is not delivered"
		);
		let two_rows = [magika_features(content), magika_features(content)].concat();
		let input = ort::value::Tensor::from_array((vec![2usize, 2048], two_rows)).unwrap();
		let results = bare.run(ort::inputs!["bytes" => input]).unwrap();
		let (shape, values) = results[name.as_str()].try_extract_tensor::<f32>().unwrap();
		assert_eq!(shape.to_vec(), [2, 512, 508], "what goes into the pooling");
		let row = &values[..values.len() / 2];
		assert_eq!(output.sketches, SEEDS.map(|seed| sketch(&seed, row)), "{label}");
		alone.push(output);
	}
	// The first batch is the proof, the second is shared.
	for _ in 0..2 {
		let files = samples.iter().map(|(_, content)| magika_input(content)).collect();
		let together = sketched(&engine, &key(1), files, SEEDS.to_vec(), SECOND).await;
		for (together, alone) in together.into_iter().zip(&alone) {
			let together = together.unwrap();
			for (a, b) in together.sketches.iter().zip(&alone.sketches) {
				assert!(a.agrees_with(b, 10_000), "{a:?} {b:?}");
			}
		}
	}
	// Another file's trace is far away.
	let far = alone[0].sketches[0];
	assert!(alone[1..]
		.iter()
		.all(|other| !other.sketches[0].agrees_with(&far, 10_000_000)));
}

pub async fn sketches_should_be_made_inside_both_branches_when_silero_runs() {
	let engine = engine().await;
	let load = traced_request(2, &model_file("silero-vad/model.onnx"));
	let outputs = load.spec.outputs.len();
	engine.load(load).await.unwrap();
	let input = |rate: i64, length: usize| {
		let sound: Vec<f32> = (0..length).map(|i| (i as f32 * 0.3).sin() * 0.5).collect();
		file(&[
			f32s("input", &[1, length], &sound),
			f32s("state", &[2, 1, 128], &[0.0; 256]),
			i64s("sr", &[], &[rate]),
		])
	};
	let files = vec![input(16_000, 576), input(8_000, 288), input(16_000, 576)];
	let results = sketched(&engine, &key(2), files, SEEDS.to_vec(), SECOND).await;
	let results: Vec<RunOutput> = results.into_iter().map(Result::unwrap).collect();
	assert!(results
		.iter()
		.all(|result| parse(&result.file).unwrap().len() == outputs));
	assert!(results
		.iter()
		.all(|result| result.sketches.iter().all(|sketch| *sketch != Sketch::default())));
	assert_eq!(results[0], results[2]);
	assert_ne!(results[0].sketches, results[1].sketches);
}

/// `t = 2·x`, `y = the mean of each row of t`.
fn doubling() -> Vec<u8> {
	let axes = Message::new().bytes(1, "axes").int(8, 1).int(20, 7);
	let graph = Graph::new()
		.with(node("Add", &["x", "x"], &["t"]))
		.with(node("ReduceMean", &["t"], &["y"]).message(5, axes));
	graph.model("x", &[("y", 2), ("t", 2)])
}

/// A request to load it with `t` for a trace.
fn with_trace(number: u32, model: &[u8], tensor: &str) -> LoadRequest {
	let mut load = request(number, model);
	load.spec
		.outputs
		.retain(|output| output.name.as_slice() != tensor.as_bytes());
	load.spec.trace = Some(Trace {
		tensor: tensor.as_bytes().to_vec().try_into().unwrap(),
		tolerance: 0,
	});
	load
}

pub async fn sketch_should_be_of_the_own_rows_when_a_run_is_padded_or_shared() {
	let engine = engine().await;
	engine.load(with_trace(1, &doubling(), "t")).await.unwrap();
	let rows = |from: f32, count: usize| -> Vec<f32> { (0..count * 4).map(|i| from + i as f32).collect() };
	let input = |values: &[f32]| file(&[f32s("x", &[values.len() / 4, 4], values)]);
	let inputs = [rows(1.0, 1), rows(50.0, 3), rows(-7.0, 2)];
	let expected = inputs.clone().map(|values| {
		let doubled: Vec<f32> = values.iter().map(|x| 2.0 * x).collect();
		SEEDS.map(|seed| sketch(&seed, &doubled)).to_vec()
	});
	for (values, expected) in inputs.iter().zip(&expected) {
		let alone = sketched(&engine, &key(1), vec![input(values)], SEEDS.to_vec(), SECOND).await;
		assert_eq!(alone[0].as_ref().unwrap().sketches, *expected);
	}
	for _ in 0..2 {
		let files = inputs.iter().map(|values| input(values)).collect();
		let together = sketched(&engine, &key(1), files, SEEDS.to_vec(), SECOND).await;
		let sketches: Vec<_> = together.into_iter().map(|output| output.unwrap().sketches).collect();
		assert_eq!(sketches, expected);
	}
	// One input may want none, another several; too many are nobody's.
	let wanted = vec![
		RunInput {
			file: input(&inputs[0]),
			seeds: vec![],
		},
		RunInput {
			file: input(&inputs[1]),
			seeds: vec![SEEDS[1]],
		},
		RunInput {
			file: input(&inputs[2]),
			seeds: vec![SEEDS[0]; MAX_SEEDS + 1],
		},
	];
	let limit = TimeLimit::alike(SECOND, wanted.len());
	let results = engine.run(&key(1), wanted, limit).await;
	assert!(results[0].as_ref().unwrap().sketches.is_empty());
	assert_eq!(results[1].as_ref().unwrap().sketches, expected[1][1..]);
	assert!(matches!(results[2], Err(EngineError::Unavailable(_))));
}

pub async fn sketch_should_be_of_the_whole_trace_when_it_does_not_go_by_rows() {
	let perm = Message::new().bytes(1, "perm").int(8, 1).int(8, 0).int(20, 7);
	let model = Graph::new()
		.with(node("Transpose", &["x"], &["t"]).message(5, perm))
		.with(node("Identity", &["x"], &["y"]))
		.model("x", &[("y", 2), ("t", 2)]);
	let engine = engine().await;
	engine.load(with_trace(1, &model, "t")).await.unwrap();
	let input = |x: f32| file(&[f32s("x", &[1, 4], &[x, x + 1.0, x + 2.0, x + 3.0])]);
	let whole = |x: f32| {
		let column = |x: f32| [x, x];
		let values = [column(x), column(x + 1.0), column(x + 2.0), column(x + 3.0)].concat();
		vec![sketch(&SEEDS[0], &values)]
	};
	for _ in 0..3 {
		let results = sketched(&engine, &key(1), vec![input(1.0), input(10.0)], vec![SEEDS[0]], SECOND).await;
		let sketches: Vec<_> = results.into_iter().map(|output| output.unwrap().sketches).collect();
		assert_eq!(sketches, [whole(1.0), whole(10.0)], "each ran alone, padded");
	}
}

pub async fn sketch_should_be_of_the_outputs_when_there_is_no_trace() {
	let engine = engine().await;
	engine.load(request(1, &doubling())).await.unwrap();
	let input = file(&[f32s("x", &[1, 4], &[1.0, 2.0, 3.0, 4.0])]);
	let results = sketched(&engine, &key(1), vec![input], vec![SEEDS[0]], SECOND).await;
	// In the order of the specification.
	let values = [5.0, 2.0, 4.0, 6.0, 8.0f32];
	assert_eq!(results[0].as_ref().unwrap().sketches, [sketch(&SEEDS[0], &values)]);
}

pub async fn traces_should_be_near_when_optimisation_threads_and_width_differ() {
	let mut all: Vec<Vec<Sketch>> = Vec::new();
	for (optimization, threads) in [
		(Optimization::None, 1),
		(Optimization::Basic, 2),
		(Optimization::Extended, 1),
		(Optimization::All, 2),
	] {
		let config = EngineConfig {
			optimization,
			threads,
			..config()
		};
		let engine = OrtEngine::start(config).await.unwrap();
		engine
			.load(traced_request(1, &model_file("magika/model.onnx")))
			.await
			.unwrap();
		for width in [1, 4] {
			let files: Vec<_> = magika_samples()
				.iter()
				.map(|(_, content)| magika_input(content))
				.collect();
			let mut sketches = Vec::new();
			for files in files.chunks(width) {
				let results = sketched(&engine, &key(1), files.to_vec(), vec![SEEDS[0]], 5 * SECOND).await;
				sketches.extend(results.into_iter().map(|output| output.unwrap().sketches[0]));
			}
			all.push(sketches);
		}
	}
	let furthest = |a: &Sketch, b: &Sketch| a.sums.iter().zip(&b.sums).map(|(a, b)| a.abs_diff(*b)).max();
	let most = all[1..]
		.iter()
		.flat_map(|other| other.iter().zip(&all[0]).filter_map(|(a, b)| furthest(a, b)))
		.max();
	println!("honest traces of Magika lie at most {most:?} millionths apart");
	assert!(most < Some(10_000), "{most:?}");
}

pub async fn model_should_be_refused_when_its_trace_is_not_there_or_not_of_floats() {
	let engine = engine().await;
	let refused = |result: Result<(), EngineError>| matches!(result, Err(EngineError::ModelRefused(_)));
	let mut absent = request(1, &doubling());
	absent.spec.trace = with_trace(1, &doubling(), "other").spec.trace;
	assert!(refused(engine.load(absent).await));
	assert!(
		refused(engine.load(with_trace(1, &hostile::counting_loop(), "n")).await),
		"an input"
	);
	let mut delivered = with_trace(1, &doubling(), "t");
	delivered.spec.outputs = request(1, &doubling()).spec.outputs;
	assert!(
		refused(engine.load(delivered).await),
		"a trace that is delivered as well"
	);
	// Floats by what the file says, integers by what the operator gives: ONNX Runtime finds it.
	let lying = Graph::new()
		.with(node("Identity", &["x"], &["y"]))
		.with(node("Shape", &["x"], &["t"]))
		.model("x", &[("y", 2), ("t", 1)]);
	assert!(refused(engine.load(with_trace(1, &lying, "t")).await));
	assert!(!engine.is_loaded(&key(1)));
}
