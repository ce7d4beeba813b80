//! What options of the command line come to.

use clap::Parser;
use highway_node::{
	cli::Cli,
	worker::{addresses, max_artifact},
};
use sc_network::Multiaddr;

const MIB: u64 = 1024 * 1024;

#[test]
fn max_artifact_should_be_what_memory_and_disk_allow() {
	let args = |loaded: u64, quota: u64| {
		let arguments = [
			"node",
			"--loaded-models",
			&loaded.to_string(),
			"--blob-quota",
			&quota.to_string(),
		];
		Cli::parse_from(arguments).inference
	};
	assert_eq!(max_artifact(&args(4096, 20 * 1024)), 2048 * MIB);
	assert_eq!(max_artifact(&args(1024, 20 * 1024)), (1024 - 250) * MIB);
	assert_eq!(max_artifact(&args(4096, 1024)), 256 * MIB);
	assert_eq!(max_artifact(&args(100, 1024)), 0);
}

#[test]
fn addresses_should_be_the_public_ones_unless_others_are_advertised() {
	let public: Vec<Multiaddr> = vec!["/ip4/192.0.2.1/tcp/30333".parse().unwrap()];
	assert_eq!(addresses(&[], &public), ["/ip4/192.0.2.1/tcp/30333"]);
	assert_eq!(addresses(&["/dns/a/tcp/1".into()], &public), ["/dns/a/tcp/1"]);
	assert!(addresses(&[], &[]).is_empty());
}
