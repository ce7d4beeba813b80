//! Three validators with workers, until Ctrl-C. See `scripts/devnet`.

use anyhow::Result;
use highway_test_support::Devnet;

#[tokio::main]
async fn main() -> Result<()> {
	eprintln!("starting three validators …");
	let devnet = Devnet::start().await?;
	for node in &devnet.nodes {
		println!("{:8} {}  log {}", node.name(), node.url(), node.log().display());
	}
	eprintln!("running; Ctrl-C ends it and deletes its data");
	tokio::signal::ctrl_c().await?;
	devnet.stop().await
}
