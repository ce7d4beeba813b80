//! Keeps the worker alive, and its trouble away from the node: threads in which a panic ends a task and not the process,
//! and a few restarts.

use super::other;
use highway_offchain_worker::error::WorkerError;
use sc_service::error::Error as ServiceError;
use std::{
	future::Future,
	panic::{self, PanicHookInfo},
	thread,
	time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinHandle};

/// Names of the threads that handle what strangers send begin so: the worker's own, and its engine's.
const WORKER_THREADS: [&str; 3] = [WORKER_THREAD, "infer-", "inference-"];
/// Name of the worker's own threads.
pub const WORKER_THREAD: &str = "highway-worker";

/// How often the worker is started again before it is left alone.
pub const MAX_RESTARTS: u32 = 5;
/// The pause before the first restart; each further one is longer by as much.
pub const RESTART_PAUSE: Duration = Duration::from_secs(10);
/// How long the worker's threads may take to end with the node.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// After so long without trouble earlier restarts do not count.
const STEADY: Duration = Duration::from_secs(3600);

/// The worker's own threads. The SDK ends the process when a thread panics; in these, which handle what strangers send, a
/// panic unwinds and ends a task.
pub struct WorkerThreads(Option<Runtime>);

impl WorkerThreads {
	/// Starts them, and has the process's panic hook leave them out. An error if the system gives no threads.
	pub fn start() -> Result<Self, ServiceError> {
		panic::set_hook(except_in_worker_threads(panic::take_hook()));
		let runtime = tokio::runtime::Builder::new_multi_thread()
			.worker_threads(2)
			.thread_name(WORKER_THREAD)
			.enable_all()
			.build()
			.map_err(|error| other("the worker's threads do not start", error))?;
		Ok(Self(Some(runtime)))
	}

	/// Runs `task` in them.
	pub fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
		self.0.as_ref().expect("it is taken only when dropped; qed").spawn(task)
	}
}

impl Drop for WorkerThreads {
	fn drop(&mut self) {
		if let Some(runtime) = self.0.take() {
			// They hold the database, and may be writing the journal. In a thread of another runtime nobody may wait for them.
			let _ = thread::spawn(move || runtime.shutdown_timeout(SHUTDOWN)).join();
		}
	}
}

/// What the process does when a thread panics.
pub type PanicHook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Does what `hook` does, but in the worker's threads only says what happened.
pub fn except_in_worker_threads(hook: PanicHook) -> PanicHook {
	Box::new(move |info| {
		let thread = thread::current();
		let name = thread.name().unwrap_or_default();
		if WORKER_THREADS.iter().any(|prefix| name.starts_with(prefix)) {
			log::error!(target: "worker", "{name}: {info}. This is a bug: please report it");
		} else {
			hook(info);
		}
	})
}

/// Runs the worker until the node stops, and starts it again a few times if it cannot go on. Returns as well when that did
/// not help.
pub async fn keep_running(start: impl Fn() -> JoinHandle<Result<(), WorkerError>>, pause: Duration) {
	let mut restarts = 0;
	loop {
		let since = Instant::now();
		let why = match start().await {
			Ok(Ok(())) => return,
			Ok(Err(error)) => error.to_string(),
			Err(error) if error.is_panic() => "it panicked".into(),
			Err(_) => return,
		};
		if since.elapsed() > STEADY {
			restarts = 0;
		}
		if restarts == MAX_RESTARTS {
			log::error!(
				target: "worker",
				"the offchain worker stopped: {why}. It is left alone now; restart the node to have inference again",
			);
			return;
		}
		restarts += 1;
		log::error!(target: "worker", "the offchain worker stopped: {why}. It is started again");
		tokio::time::sleep(pause * restarts).await;
	}
}
