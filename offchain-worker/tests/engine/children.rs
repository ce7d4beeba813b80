//! What is counted of children: how many there are, and how they end.

use super::*;
use highway_offchain_worker::engine::ChildMetrics;
use std::{
	fs::{self, Permissions},
	os::unix::fs::PermissionsExt,
};
use substrate_prometheus_endpoint::{prometheus::TextEncoder, Registry};

/// How an engine is run whose children are counted, and where.
fn counted() -> (EngineConfig, Registry) {
	let registry = Registry::new();
	let metrics = ChildMetrics::register(Some(&registry)).unwrap();
	(EngineConfig { metrics, ..config() }, registry)
}

/// The value of a series.
fn figure(registry: &Registry, series: &str) -> u64 {
	let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
	text.lines()
		.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
		.unwrap_or_else(|| panic!("{series} has no whole number in\n{text}"))
}

/// Those that were asked to end, crashed, were killed for memory and for time, and broke the protocol.
fn exits(registry: &Registry) -> [u64; 5] {
	["asked", "crashed", "memory", "time", "protocol"].map(|reason| {
		figure(
			registry,
			&format!("highway_inference_children_exited_total{{reason=\"{reason}\"}}"),
		)
	})
}

pub async fn children_should_be_counted_by_how_they_end() {
	let (config, registry) = counted();
	let alive = || figure(&registry, "highway_inference_children");
	let started = || figure(&registry, "highway_inference_children_started_total");
	let memory = || figure(&registry, "highway_inference_children_resident_bytes");
	assert_eq!((alive(), started(), exits(&registry)), (0, 0, [0; 5]));
	let engine = OrtEngine::start(config).await.unwrap();
	// One looked whether the sandbox holds.
	assert_eq!((alive(), started(), exits(&registry)), (0, 1, [1, 0, 0, 0, 0]));

	engine.load(request(1, &hostile::counting_loop())).await.unwrap();
	assert_eq!((alive(), started()), (1, 2));
	assert!(memory() > 1 << 20, "{} bytes", memory());
	let results = run(&engine, &key(1), vec![count(i64::MAX)], SECOND).await;
	assert_eq!(results, [Err(EngineError::TimedOut)]);
	assert_eq!(
		(alive(), memory(), exits(&registry)),
		(0, 0, [1, 0, 0, 1, 0]),
		"it took too long"
	);

	// Started anew for the next run, killed, and started anew again.
	for turns in [1, 2] {
		let results = run(&engine, &key(1), vec![count(turns)], 10 * SECOND).await;
		assert!(results[0].is_ok(), "{results:?}");
		if turns == 1 {
			let pid = engine.child_pid(&key(1)).unwrap().to_string();
			Command::new("kill").args(["-9", &pid]).status().unwrap();
		}
	}
	assert_eq!(
		(alive(), started(), exits(&registry)),
		(1, 4, [1, 1, 0, 1, 0]),
		"somebody killed it"
	);

	engine.load(request(2, &hostile::zeros_of_shape())).await.unwrap();
	let large = file(&[i64s("s", &[2], &[20_000, 20_000])]);
	let results = run(&engine, &key(2), vec![large], 60 * SECOND).await;
	assert!(matches!(results[0], Err(EngineError::RunFailed(_))), "{results:?}");
	assert_eq!(exits(&registry), [1, 1, 1, 1, 0], "it took too much memory");

	engine.unload(&key(1));
	let deadline = Instant::now() + 10 * SECOND;
	while exits(&registry)[0] < 2 {
		assert!(Instant::now() < deadline, "the child outlived its model");
		tokio::time::sleep(SECOND / 50).await;
	}
	assert_eq!((alive(), started(), exits(&registry)), (0, 5, [2, 1, 1, 1, 0]));
}

pub async fn child_should_have_broken_the_protocol_when_it_answers_nonsense() {
	let folder = tempfile::tempdir().unwrap();
	let program = folder.path().join("nonsense");
	// Its standard input is the socket to the engine. It stays, so that the request finds somebody.
	fs::write(&program, "#!/bin/sh\nprintf nonsense >&0\nexec /bin/cat\n").unwrap();
	fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
	let (config, registry) = counted();
	let config = EngineConfig {
		worker_binary: program,
		..config
	};
	let started = OrtEngine::start(config).await.map(drop);
	assert_eq!(started, Err(EngineError::Unavailable("not a frame".into())));
	assert_eq!(exits(&registry), [0, 0, 0, 0, 1]);
}
