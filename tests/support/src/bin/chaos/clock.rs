//! A clock that is wrong, for one process: a small library that is loaded before the C library's own clock. What the process's
//! clock says is seen in its log: each line begins with it, and the file system notes by the machine's clock when it was written.

use crate::network::run;
use anyhow::{Context, Result};
use std::{
	fs::{self, File},
	io::{Read, Seek, SeekFrom},
	path::{Path, PathBuf},
	time::{SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

/// Bytes of a log that hold its last lines.
const TAIL: u64 = 4_096;

/// Milliseconds of a minute. Clocks are compared within one: what time zone a log is in does not matter.
const MINUTE: i64 = 60_000;

/// How far a clock may seem to be from what it was set to, in milliseconds: half of the least that it is wrong by. A node writes
/// its log twenty times a second.
const CLOSE: u64 = 250;

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

/// Milliseconds of a minute at which a line of a log was made, as `2026-11-30 18:06:01.123` at its beginning says.
fn told(line: &str) -> Option<i64> {
	let time = line.split_whitespace().nth(1)?;
	let mut parts = time.splitn(3, ':');
	let (_, _, second) = (parts.next()?, parts.next()?, parts.next()?);
	let (seconds, milliseconds) = second.split_once('.')?;
	let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
	if !digits(seconds, 2) || !digits(milliseconds, 3) {
		return None;
	}
	let number = |text: &str| text.parse::<i64>().ok();
	Some(number(seconds)? * 1_000 + number(milliseconds)?)
}

/// By how much a moment of a minute is after another one, or before it, in milliseconds: less than half a minute.
fn difference(of: i64, from: i64) -> i64 {
	(of - from + MINUTE / 2).rem_euclid(MINUTE) - MINUTE / 2
}

/// By how much the clock of who writes this log is ahead of the machine's, in milliseconds, as its last line shows. What it
/// was late to write makes it less. `None`: that line tells no time, or another one came at this moment.
pub fn ahead(log: &Path) -> Result<Option<i64>> {
	let file = File::open(log)?;
	let (length, written) = state_of(&file)?;
	let (mut reader, mut tail) = (&file, Vec::new());
	reader.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
	reader.take(TAIL).read_to_end(&mut tail)?;
	if state_of(&file)? != (length, written) {
		return Ok(None);
	}
	let written = i64::try_from(written.duration_since(UNIX_EPOCH)?.as_millis())?;
	let tail = String::from_utf8_lossy(&tail);
	let last = tail.lines().next_back().and_then(told);
	Ok(last.map(|told| difference(told, written)))
}

/// How long a log is, and when it was written.
fn state_of(log: &File) -> Result<(u64, SystemTime)> {
	let metadata = log.metadata()?;
	Ok((metadata.len(), metadata.modified()?))
}

/// What is wrong if a clock was to be off by so much, and the most that its log was ever ahead by is `seen`.
pub fn trouble(skew_ms: i64, seen: Option<i64>) -> Option<String> {
	match seen {
		Some(seen) if seen.abs_diff(skew_ms) <= CLOSE => None,
		Some(seen) => Some(format!("its clock was set off {skew_ms:+} ms, and is {seen:+} ms")),
		None => Some("its log never showed its clock".into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::process::Command;

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

	#[test]
	fn time_of_a_line_should_be_read_where_it_has_milliseconds() {
		let line = "2026-11-30 18:06:01.123  INFO main substrate: Idle";
		assert_eq!(told(line), Some(1_123));
		assert_eq!(told("2026-11-30 18:06:59.007 DEBUG x"), Some(59_007));
		assert_eq!(told("2026-11-30 18:06:01 Idle"), None);
		assert_eq!(told("Thread 'main' panicked at 'x'"), None);
		assert_eq!(told(""), None);
	}

	#[test]
	fn difference_should_be_told_over_the_end_of_a_minute() {
		assert_eq!(difference(1_500, 1_000), 500);
		assert_eq!(difference(1_000, 1_500), -500);
		assert_eq!(difference(300, 59_800), 500);
		assert_eq!(difference(59_800, 300), -500);
	}

	#[test]
	fn log_should_show_how_far_its_clock_is_ahead() {
		let folder = tempfile::tempdir().unwrap();
		let log = folder.path().join("node.log");
		for skew in [-1_500, 0, 1_500] {
			let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
			let moment = (now + skew).rem_euclid(MINUTE);
			let (second, millisecond) = (moment / 1_000, moment % 1_000);
			let line = format!("2026-11-30 18:06:{second:02}.{millisecond:03}  INFO main substrate: Idle\n");
			fs::write(&log, format!("{}{line}", "an earlier line\n".repeat(1_000))).unwrap();
			let seen = ahead(&log).unwrap().unwrap();
			// What writing takes, on a machine with other things to do, and the coarse clock of the file system.
			let late = skew - seen;
			assert!((-20..10_000).contains(&late), "{skew} ms: {seen} ms");
		}
	}

	#[test]
	fn clock_should_be_in_trouble_when_it_is_not_where_it_was_set() {
		assert_eq!(trouble(500, Some(460)), None);
		assert_eq!(trouble(-500, Some(-560)), None);
		assert!(trouble(500, Some(-20)).is_some(), "it did not move");
		assert!(trouble(-500, Some(-20)).is_some(), "it did not move");
		assert!(trouble(1_000, None).is_some(), "nothing is known");
	}
}
