//! Passes the version to `--version`; with the commit, where whoever builds a release gives it in
//! `SUBSTRATE_CLI_GIT_COMMIT_HASH`. Asked of git, each commit would build the node anew.

use std::env;

const COMMIT: &str = "SUBSTRATE_CLI_GIT_COMMIT_HASH";

fn main() {
	println!("cargo:rerun-if-env-changed={COMMIT}");
	let commit = env::var(COMMIT).map_or_else(|_| String::new(), |commit| format!("-{}", commit.trim()));
	let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
	println!("cargo:rustc-env=SUBSTRATE_CLI_IMPL_VERSION={version}{commit}");
}
