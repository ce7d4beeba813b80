//! The node of AI Highway: the only place where runtime, network, blob store and offchain worker are put together.
//!
//! `main` calls [`run`] and nothing else. A binary that is built elsewhere may call it with a function that puts
//! something of its own before the worker's [`Ports`]: another engine, say, or a submitter that watches what the worker
//! key signs. What else is public is so for the tests in `tests/all`.

// The SDK's error is that large, and its closures' signatures are given.
#![allow(clippy::result_large_err)]

mod chain_spec;
pub mod cli;
mod command;
mod finality_inherent;
pub mod metrics;
pub mod rpc;
mod service;
pub mod worker;

use highway_offchain_worker::{engine, ports::Ports};
use std::process::ExitCode;

/// Is given the worker's ports each time before the worker starts, and gives back those that it works with.
pub(crate) type WrapPorts = Box<dyn Fn(Ports) -> Ports + Send + Sync>;

/// Does what the command line says. To be called first thing in `main`: the sandbox of an inference child covers only
/// threads that start after it. `wrap` is called where the worker runs, and again when it is started anew after trouble.
pub fn run(wrap: impl Fn(Ports) -> Ports + Send + Sync + 'static) -> ExitCode {
	if std::env::args_os()
		.nth(1)
		.is_some_and(|argument| argument == "inference-worker")
	{
		return engine::worker_main();
	}
	match command::run(Box::new(wrap)) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		}
	}
}
