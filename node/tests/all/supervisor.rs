//! What becomes of a worker that panics or fails.

use highway_node::worker::supervisor::{
	except_in_worker_threads, keep_running, WorkerThreads, MAX_RESTARTS, WORKER_THREAD,
};
use highway_offchain_worker::error::{JournalError, WorkerError};
use std::{
	panic,
	sync::atomic::{AtomicU32, Ordering},
	thread,
	time::Duration,
};

const SOON: Duration = Duration::from_millis(1);

/// How often a worker is started that does this when it is started for the nth time.
async fn starts(worker: impl Fn(u32) -> Result<(), WorkerError> + Copy + Send + 'static) -> u32 {
	let threads = WorkerThreads::start().unwrap();
	let started = AtomicU32::new(0);
	let start = || {
		let number = started.fetch_add(1, Ordering::Relaxed) + 1;
		threads.spawn(async move { worker(number) })
	};
	tokio::time::timeout(Duration::from_secs(10), keep_running(start, SOON))
		.await
		.unwrap();
	started.into_inner()
}

fn full() -> WorkerError {
	JournalError::DiskFull("journal".into()).into()
}

#[tokio::test]
async fn worker_should_be_started_again_when_it_panics_or_fails() {
	let worker = |number| match number {
		1 => panic!("the machine panics in this test"),
		2 => Err(full()),
		_ => Ok(()),
	};
	assert_eq!(starts(worker).await, 3);
}

#[tokio::test]
async fn worker_should_be_left_alone_when_it_always_panics() {
	assert_eq!(starts(|_| panic!("always")).await, 1 + MAX_RESTARTS);
}

#[test]
fn process_should_go_on_when_a_thread_of_the_worker_panics() {
	// As the SDK's hook does.
	let hook = except_in_worker_threads(Box::new(|_| std::process::exit(1)));
	panic::set_hook(hook);
	for name in [WORKER_THREAD, "infer-1-1", "inference-stderr"] {
		let thread = thread::Builder::new()
			.name(name.into())
			.spawn(|| panic!("in this test"));
		assert!(thread.unwrap().join().is_err());
	}
	drop(panic::take_hook());
}
