//! Runs that take too long or too much, and what becomes of those beside them.

use super::*;

pub async fn run_should_time_out_and_recover_when_it_takes_too_long() {
	let engine = engine().await;
	engine.load(request(6, &hostile::counting_loop())).await.unwrap();
	let started = Instant::now();
	let results = run(&engine, &key(6), vec![count(2), count(i64::MAX), count(3)], SECOND).await;
	assert_eq!(floats(&parse(results[0].as_ref().unwrap()).unwrap()[0]), vec![2.0; 4]);
	assert_eq!(results[1], Err(EngineError::TimedOut));
	assert_eq!(
		results[2],
		Err(EngineError::NotRun),
		"it shall not wait for more of this kind"
	);
	assert!(started.elapsed() < 5 * SECOND);
	let results = run(&engine, &key(6), vec![count(3)], SECOND).await;
	assert_eq!(floats(&parse(results[0].as_ref().unwrap()).unwrap()[0]), vec![3.0; 4]);
	assert!(started.elapsed() < 10 * SECOND);
}

pub async fn run_should_end_in_time_when_every_input_is_slow() {
	let engine = engine().await;
	engine.load(request(6, &hostile::counting_loop())).await.unwrap();
	// What takes half of the limit by itself: a busy machine may take twice as long.
	let limit = 2 * SECOND;
	let mut turns = 100_000;
	loop {
		let started = Instant::now();
		assert!(run(&engine, &key(6), vec![count(turns)], 60 * SECOND).await[0].is_ok());
		let (taken, wanted) = (started.elapsed(), limit.mul_f64(0.5));
		if taken > SECOND / 4 {
			turns = (turns as f64 * wanted.as_secs_f64() / taken.as_secs_f64()) as i64;
			break;
		}
		turns *= 4;
	}
	let started = Instant::now();
	let results = run(&engine, &key(6), vec![count(turns); 12], limit).await;
	// Together they have twelve fourths of the limit, and the last one may begin just before that is over.
	assert!(started.elapsed() < 8 * SECOND, "{:?}", started.elapsed());
	assert!(results[0].is_ok(), "{:?}", results[0]);
	assert_eq!(results[11], Err(EngineError::NotRun));
}

/// An input for [`lone_loop`], which adds 1 to `x` `n` times.
fn rows(n: i64, x: f32) -> Bytes {
	file(&[i64s("n", &[1], &[n]), f32s("x", &[1], &[x])])
}

/// Adds 1 to each element of `x`, f32[N], as often as the largest of `n`, i64[N], says.
fn lone_loop() -> Vec<u8> {
	let one = Message::new()
		.int(1, 1)
		.int(2, 1)
		.bytes(8, "one")
		.bytes(9, 1f32.to_le_bytes());
	let body = Message::new()
		.message(1, node("Identity", &["c"], "c_out"))
		.message(1, node("Add", &["v", "one"], "v_out"))
		.bytes(2, "body")
		.message(5, one)
		.message(11, value("i", 7, &[]))
		.message(11, value("c", 9, &[]))
		.message(11, value("v", 1, &[None]))
		.message(12, value("c_out", 9, &[]))
		.message(12, value("v_out", 1, &[None]));
	let keep = Message::new().bytes(1, "keepdims").int(3, 0).int(20, 2);
	let body = Message::new().bytes(1, "body").message(6, body).int(20, 5);
	let graph = Message::new()
		.message(1, node("ReduceMax", &["n"], "most").message(5, keep))
		.message(1, node("Loop", &["most", "", "x"], "y").message(5, body))
		.bytes(2, "graph")
		.message(11, value("n", 7, &[None]))
		.message(11, value("x", 1, &[None]))
		.message(12, value("y", 1, &[None]));
	hostile::model(graph).finish()
}

pub async fn shared_run_should_find_the_bad_input_when_it_fails() {
	let engine = engine().await;
	engine.load(request(10, &lone_loop())).await.unwrap();
	let good = |x: f32| rows(1, x);
	// The same number of turns everywhere: rows do not change one another, and later runs are shared.
	let results = run(&engine, &key(10), vec![good(1.0), good(2.0)], SECOND).await;
	assert!(results.iter().all(Result::is_ok), "{results:?}");

	let started = Instant::now();
	let inputs = vec![good(1.0), rows(i64::MAX, 0.0), good(3.0)];
	let results = run(&engine, &key(10), inputs, SECOND).await;
	assert_eq!(floats(&parse(results[0].as_ref().unwrap()).unwrap()[0]), [2.0]);
	assert_eq!(results[1..], [Err(EngineError::TimedOut), Err(EngineError::NotRun)]);
	assert!(started.elapsed() < 6 * SECOND, "{:?}", started.elapsed());
	let results = run(&engine, &key(10), vec![good(1.0), good(2.0)], SECOND).await;
	assert!(results.iter().all(Result::is_ok), "{results:?}");
}

pub async fn run_should_fail_and_recover_when_it_takes_too_much_memory() {
	let engine = engine().await;
	engine.load(request(7, &hostile::zeros_of_shape())).await.unwrap();
	let shape = |rows: i64| file(&[i64s("s", &[2], &[rows, 20_000])]);
	let results = run(&engine, &key(7), vec![shape(20_000), shape(1)], 60 * SECOND).await;
	assert!(
		matches!(&results[0], Err(EngineError::RunFailed(why)) if why.contains("memory")),
		"{:?}",
		results[0]
	);
	assert_eq!(results[1], Err(EngineError::NotRun));
	let results = run(&engine, &key(7), vec![shape(1)], 60 * SECOND).await;
	assert!(results[0].is_ok(), "{:?}", results[0]);
}
