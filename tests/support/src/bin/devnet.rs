//! Three validators with workers, until Ctrl-C or `kill`. See `scripts/devnet`.

use anyhow::Result;
use highway_test_support::{unless_interrupted, Devnet};
use std::future::pending;

#[tokio::main]
async fn main() -> Result<()> {
	eprintln!("starting three validators …");
	let mut devnet = unless_interrupted(Devnet::start()).await?;
	for node in &devnet.nodes {
		println!("{:8} {}  log {}", node.name(), node.url(), node.log().display());
	}
	println!(
		"another node joins with --bootnodes {}",
		devnet.nodes[0].multiaddress().await?
	);
	eprintln!("running; Ctrl-C ends it and deletes its data");
	// The only way out is an interruption, which is the regular end here.
	let _ = unless_interrupted(pending::<Result<()>>()).await;
	devnet.stop().await
}
