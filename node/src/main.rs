//! The node of AI Highway.

// The SDK's error is that large, and its closures' signatures are given.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
	// Before anything else starts a thread: the sandbox of an inference child covers only what comes after it.
	if std::env::args_os()
		.nth(1)
		.is_some_and(|argument| argument == "inference-worker")
	{
		return highway_offchain_worker::engine::worker_main();
	}
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		}
	}
}
