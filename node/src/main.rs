//! The node of AI Highway.

use std::process::ExitCode;

fn main() -> ExitCode {
	highway_node::run(|ports| ports)
}
