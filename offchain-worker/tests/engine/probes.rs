//! The reference model of capacity probes: ONNX Runtime and the chain's integers agree on every byte.

use super::*;
use highway_offchain_worker::{engine::Optimization, probe};
use highway_primitives::probe::{first_row, matrix, run as integers, Row, WIDTH};
use std::ops::Range;

/// An engine with the reference model.
async fn probing(config: EngineConfig) -> OrtEngine {
	let engine = OrtEngine::start(config).await.unwrap();
	let mut file = tempfile::tempfile().unwrap();
	file.write_all(&probe::file()).unwrap();
	let request = LoadRequest {
		model: probe::key(),
		artifact: probe::spec().artifact,
		file,
		spec: probe::spec(),
	};
	engine.load(request).await.unwrap();
	engine
}

/// What the engine makes of an input of so many rows.
async fn computed(engine: &OrtEngine, input: Bytes, count: usize) -> Vec<u8> {
	let output = run(engine, &probe::key(), vec![input], 30 * SECOND)
		.await
		.remove(0)
		.unwrap();
	probe::final_rows(&output, count).expect("bytes, as many as the rows have")
}

/// Every way to run that honest nodes may choose, the GPU included where there is one.
fn ways() -> Vec<EngineConfig> {
	let optimizations = [
		Optimization::None,
		Optimization::Basic,
		Optimization::Extended,
		Optimization::All,
	];
	let optimized = optimizations.map(|optimization| EngineConfig {
		optimization,
		..config()
	});
	let others = [
		EngineConfig { threads: 2, ..config() },
		EngineConfig {
			provider: Provider::Auto,
			..config()
		},
	];
	optimized.into_iter().chain(others).collect()
}

pub async fn reference_model_should_give_the_bytes_of_the_integer_code_however_it_is_run() {
	let matrix = matrix();
	let seed: [u8; 32] = rand::random();
	// A lone row, which the engine doubles, widths that fill no vector lane, and a probe's later rows.
	let batches: [(u32, Range<u32>); 4] = [(0, 0..1), (1, 0..3), (u32::MAX, 1_000_000..1_000_067), (7, 5..45)];
	let expected = batches.clone().map(|(node, rows)| -> Vec<u8> {
		rows.flat_map(|row| integers(&matrix, first_row(&seed, node, row)))
			.collect()
	});
	for way in ways() {
		let told = format!("seed {seed:?}, {way:?}");
		let engine = probing(way).await;
		for ((node, rows), expected) in batches.iter().zip(&expected) {
			let input = probe::input(&seed, *node, rows.clone());
			let got = computed(&engine, input, rows.len()).await;
			assert!(got == *expected, "rows {rows:?} of node {node}, {told}");
		}
	}
}

pub async fn reference_model_should_be_exact_where_its_sums_are_extreme() {
	let matrix = matrix();
	// Nothing, all, and the rows with the largest and the smallest sum of a column.
	let mut rows: Vec<Row> = vec![[0; WIDTH], [255; WIDTH]];
	for column in 0..8 {
		let largest: Row = std::array::from_fn(|index| if matrix[index][column] > 0 { 255 } else { 0 });
		rows.extend([largest, largest.map(|value| 255 - value)]);
	}
	let engine = probing(config()).await;
	let data: Vec<f32> = rows.iter().flatten().map(|value| f32::from(*value)).collect();
	let input = file(&[f32s("x", &[rows.len(), WIDTH], &data)]);
	let expected: Vec<u8> = rows.iter().flat_map(|row| integers(&matrix, *row)).collect();
	assert!(computed(&engine, input, rows.len()).await == expected);
}
