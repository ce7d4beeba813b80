//! Where the binaries, the models and the files of the tests lie.

use anyhow::{ensure, Context, Result};
use std::{env, path::PathBuf};

/// A binary of this workspace: named by the environment variable `variable`, or beside the running test.
fn binary(variable: &str, name: &str) -> Result<PathBuf> {
	if let Some(path) = env::var_os(variable) {
		return Ok(path.into());
	}
	let own = env::current_exe().context("the running program has no path")?;
	let path = own
		.ancestors()
		.skip(1)
		.take(3)
		.map(|folder| folder.join(name))
		.find(|path| path.is_file())
		.with_context(|| format!("{name} is not built: run `cargo build`, or name it in {variable}"))?;
	Ok(path)
}

/// `highway-node`.
pub fn node() -> Result<PathBuf> {
	binary("HIGHWAY_NODE", "highway-node")
}

/// `highway`.
pub fn wallet() -> Result<PathBuf> {
	binary("HIGHWAY_WALLET", "highway")
}

/// `demo`, the program behind `scripts/demo`.
pub fn demo() -> Result<PathBuf> {
	binary("HIGHWAY_DEMO", "demo")
}

/// `chaos`, the program behind `scripts/chaos`.
pub fn chaos() -> Result<PathBuf> {
	binary("HIGHWAY_CHAOS", "chaos")
}

fn cache() -> PathBuf {
	let base = env::var_os("XDG_CACHE_HOME")
		.map(PathBuf::from)
		.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
		.unwrap_or_default();
	env::var_os("HIGHWAY_CACHE").map_or_else(|| base.join("ai-highway"), PathBuf::from)
}

/// A file that `scripts/setup` fetched, such as `magika/model.onnx`.
pub fn model(file: &str) -> Result<PathBuf> {
	let folder = env::var_os("HIGHWAY_MODELS_DIR").map_or_else(|| cache().join("models"), PathBuf::from);
	let path = folder.join(file);
	ensure!(path.is_file(), "{} is missing: run scripts/setup", path.display());
	Ok(path)
}

/// ONNX Runtime's library.
pub fn onnxruntime() -> Result<PathBuf> {
	let path =
		env::var_os("ORT_DYLIB_PATH").map_or_else(|| cache().join("onnxruntime/libonnxruntime.so"), PathBuf::from);
	ensure!(path.is_file(), "{} is missing: run scripts/setup", path.display());
	Ok(path)
}

/// A folder of this checkout's `tests/`. Found at run time: clones share the build folder, and with it what was compiled.
pub fn tests_folder(name: &str) -> Result<PathBuf> {
	let tests = env::var_os("HIGHWAY_REPOSITORY")
		.map(|repository| PathBuf::from(repository).join("tests"))
		.or_else(|| env::var_os("CARGO_MANIFEST_DIR").and_then(|own| Some(PathBuf::from(own).parent()?.into())))
		.context("HIGHWAY_REPOSITORY does not say where the checkout is: start this through its script")?;
	let folder = tests.join(name);
	folder
		.canonicalize()
		.with_context(|| format!("{} is missing", folder.display()))
}
