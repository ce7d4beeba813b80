#![doc = include_str!("../README.md")]

mod amount;
pub mod args;
mod blobs;
mod chart;
pub mod client;
mod commands;
mod context;
mod error;
pub mod keystore;
mod output;
pub mod recipes;

pub use amount::{decimal, parse_amount, with_unit, ParseDecimalError};
pub use error::CommandError;

use args::Cli;
use context::Context;
use std::process::ExitCode;

/// Does what the command line asks for.
pub async fn run(cli: Cli) -> ExitCode {
	let context = Context::new(cli.global);
	match commands::run(&context, cli.command).await {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			context.output.failure(&error);
			ExitCode::from(error.exit_code())
		}
	}
}
