//! A clock that is wrong, for one process: a small library that is loaded before the C library's own clock.

use crate::network::run;
use anyhow::{Context, Result};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// The library's source.
const SOURCE: &str = include_str!("skewed_clock.c");

/// The compiled library.
pub struct SkewedClock {
	library: PathBuf,
	/// It lies there.
	_folder: TempDir,
}

impl SkewedClock {
	/// Compiles the library. The compiler is the one that Rust links with.
	pub fn build() -> Result<Self> {
		let folder = tempfile::tempdir()?;
		let (source, library) = (folder.path().join("clock.c"), folder.path().join("clock.so"));
		fs::write(&source, SOURCE)?;
		let (from, to) = (source.to_string_lossy(), library.to_string_lossy());
		run("cc", &["-shared", "-fPIC", "-O1", "-o", &to, &from]).context("a skewed clock takes a C compiler")?;
		Ok(Self {
			library,
			_folder: folder,
		})
	}

	/// The variables of a process whose clock is to be off by so many milliseconds.
	pub fn environment(&self, skew_ms: i64) -> Vec<(String, String)> {
		vec![
			("LD_PRELOAD".into(), self.library.to_string_lossy().into_owned()),
			("SKEWED_CLOCK_MS".into(), skew_ms.to_string()),
		]
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		process::Command,
		time::{SystemTime, UNIX_EPOCH},
	};

	#[test]
	fn clock_should_be_off_by_what_it_is_told() {
		let clock = SkewedClock::build().unwrap();
		for skew in [-1_500, 1_500, 86_400_000] {
			let output = Command::new("date")
				.arg("+%s%3N")
				.envs(clock.environment(skew))
				.output()
				.unwrap();
			let shown: i64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
			let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
			// What starting a program takes, on a machine with other things to do.
			let late = now + skew - shown;
			assert!((0..60_000).contains(&late), "{skew} ms: {late} ms late");
		}
	}
}
