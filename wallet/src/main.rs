//! `highway`: see the library for what it does.

use clap::Parser;
use highway_offchain_worker::engine;
use highway_wallet::args::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
	// Calibration runs models in a child that is this program. Its sandbox covers only threads that start after it, so there
	// must be no other thread yet.
	if std::env::args_os()
		.nth(1)
		.is_some_and(|argument| argument == "inference-worker")
	{
		return engine::worker_main();
	}
	run()
}

#[tokio::main]
async fn run() -> ExitCode {
	highway_wallet::run(Cli::parse()).await
}
