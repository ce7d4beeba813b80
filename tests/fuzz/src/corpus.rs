//! Inputs on disk, a folder for each target.

use crate::{memory, Target};
use std::{env, fs, path::PathBuf};

/// Set: [`keep_seeds`] writes what is missing.
const WRITE: &str = "HIGHWAY_FUZZ_WRITE_SEEDS";

/// The target's corpus, by file name.
pub(crate) fn read(target: &Target) -> Vec<(String, Vec<u8>)> {
	let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
		.join("corpus")
		.join(target.name);
	let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
	let mut corpus: Vec<_> = entries
		.map(|entry| {
			let path = entry.expect("a folder that opens can be listed").path();
			let name = path.file_name().expect("an entry has a name").to_string_lossy();
			let input = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
			(name.into_owned(), input)
		})
		.collect();
	corpus.sort();
	corpus
}

/// Panics if the corpus lacks a seed of the target. With `HIGHWAY_FUZZ_WRITE_SEEDS` it writes all of them into the checkout
/// instead, which `HIGHWAY_REPOSITORY` names.
pub fn keep_seeds(target: &Target) {
	let _alone = memory::alone();
	let seeds = (target.seeds)();
	if env::var_os(WRITE).is_some() {
		let checkout = env::var_os("HIGHWAY_REPOSITORY").expect("started by a script, which knows the checkout");
		let folder = PathBuf::from(checkout).join("tests/fuzz/corpus").join(target.name);
		fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
		for (name, input) in seeds {
			let path = folder.join(name);
			fs::write(&path, input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
		}
		return;
	}
	let corpus = read(target);
	for (name, input) in &seeds {
		let kept = corpus.iter().find(|(kept, _)| kept == name).map(|(_, input)| input);
		assert!(
			kept == Some(input),
			"corpus/{}/{name} is not what the code makes now: run scripts/fuzz --seeds",
			target.name
		);
	}
}
