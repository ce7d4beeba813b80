//! `highway`: see the library for what it does.

use clap::Parser;
use highway_wallet::args::Cli;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
	highway_wallet::run(Cli::parse()).await
}
