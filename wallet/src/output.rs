//! What people and programs see: results on stdout, progress and remarks on stderr.

use comfy_table::{presets::UTF8_HORIZONTAL_ONLY, ContentArrangement, Table};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;
use std::{
	io::{self, Write},
	time::Duration,
};

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub struct Output {
	json: bool,
}

impl Output {
	/// JSON for programs, or text for people.
	pub fn new(json: bool) -> Self {
		Self { json }
	}

	/// Shows the one result of a command.
	pub fn result(&self, json: Value, text: impl FnOnce() -> String) {
		let shown = if self.json { json.to_string() } else { text() };
		// A reader that has gone away, such as `head`, is no reason to fail.
		let _ = writeln!(io::stdout(), "{}", shown.trim_end());
	}

	/// Says something on the way.
	pub fn remark(&self, text: impl AsRef<str>) {
		let _ = writeln!(io::stderr(), "{}", text.as_ref());
	}

	/// Asks a person; anything but yes is a no.
	pub fn confirms(&self, question: &str) -> bool {
		let _ = write!(io::stderr(), "{question} [y/N] ");
		let mut answer = String::new();
		io::stdin().read_line(&mut answer).is_ok() && is_yes(&answer)
	}

	/// Shows why a command failed.
	pub fn failure(&self, error: &crate::CommandError) {
		match error {
			// It stands in the results, which are the one document.
			crate::CommandError::SomeFailed { .. } | crate::CommandError::NotAudited { .. } if self.json => {}
			_ if self.json => {
				let _ = writeln!(io::stdout(), "{}", serde_json::json!({ "error": error.to_json() }));
			}
			_ => self.remark(format!("error: {error}")),
		}
	}

	/// A bar for bytes; hidden where stderr is no terminal.
	pub fn bytes_bar(&self, what: impl Into<String>) -> ProgressBar {
		let style = ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}")
			.expect("the template is well-formed; qed");
		ProgressBar::new(0).with_style(style).with_message(what.into())
	}

	/// A bar for blocks to wait for; hidden where stderr is no terminal.
	pub fn blocks_bar(&self, what: impl Into<String>, blocks: u64) -> ProgressBar {
		let style = ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {pos}/{len} blocks")
			.expect("the template is well-formed; qed");
		let bar = ProgressBar::new(blocks).with_style(style).with_message(what.into());
		bar.enable_steady_tick(Duration::from_millis(120));
		bar
	}

	/// A turning sign for what takes a while; hidden where stderr is no terminal.
	pub fn spinner(&self, what: impl Into<String>) -> ProgressBar {
		self.spinner_among(&MultiProgress::new(), what)
	}

	/// The same, above other bars.
	pub fn spinner_among(&self, bars: &MultiProgress, what: impl Into<String>) -> ProgressBar {
		let bar = bars.add(ProgressBar::new_spinner()).with_message(what.into());
		bar.enable_steady_tick(Duration::from_millis(120));
		bar
	}
}

fn is_yes(answer: &str) -> bool {
	matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// A table with these column heads.
pub fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
	let mut table = Table::new();
	table
		.load_preset(UTF8_HORIZONTAL_ONLY)
		.set_content_arrangement(ContentArrangement::Dynamic)
		.set_header(heads);
	for row in rows {
		table.add_row(row);
	}
	table.to_string()
}

/// Names and values below one another.
pub fn facts<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
	let rows: Vec<_> = rows.into_iter().collect();
	let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
	rows.into_iter()
		.map(|(name, value)| format!("{name:<width$}  {value}\n"))
		.collect()
}

/// Seconds between two blocks.
const BLOCK_SECONDS: u32 = 2;

/// So many blocks, and about how long they take.
pub fn blocks(count: u32) -> String {
	let seconds = count.saturating_mul(BLOCK_SECONDS);
	let (time, unit) = match seconds {
		0..=90 => (seconds, "s"),
		91..=5400 => (seconds.div_ceil(60), "min"),
		_ => (seconds.div_ceil(3600), "h"),
	};
	format!(
		"{count} block{}, about {time} {unit}",
		if count == 1 { "" } else { "s" }
	)
}

/// Text from the chain, which anybody may have written, without what would steer a terminal or turn what stands beside it
/// around.
pub fn plain(bytes: &[u8]) -> String {
	String::from_utf8_lossy(bytes)
		.chars()
		.map(|c| {
			if c.is_control() || is_invisible(c) {
				'\u{fffd}'
			} else {
				c
			}
		})
		.collect()
}

/// Whether the character has no width, or changes the direction of what follows.
fn is_invisible(c: char) -> bool {
	matches!(
		c,
		'\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
	)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn plain_should_take_away_what_steers_a_terminal() {
		assert_eq!(plain(b"eu-west"), "eu-west");
		assert_eq!(plain(b"\x1b[2Jx\n"), "\u{fffd}[2Jx\u{fffd}");
		assert_eq!(plain("a\u{202e}b\u{200b}ü漢".as_bytes()), "a\u{fffd}b\u{fffd}ü漢");
		assert_eq!(plain(b"\xff"), "\u{fffd}");
	}

	#[test]
	fn blocks_should_say_how_long_they_take() {
		assert_eq!(blocks(1), "1 block, about 2 s");
		assert_eq!(blocks(100), "100 blocks, about 4 min");
		assert_eq!(blocks(3600), "3600 blocks, about 2 h");
		assert!(blocks(u32::MAX).starts_with("4294967295 blocks"));
	}

	#[test]
	fn only_a_yes_should_be_one() {
		assert!(["y", "Y\n", " yes\r\n"].iter().all(|answer| is_yes(answer)));
		assert!(["", "\n", "n", "yep", "no yes"].iter().all(|answer| !is_yes(answer)));
	}

	#[test]
	fn facts_should_stand_in_columns() {
		assert_eq!(
			facts([("id", "1".into()), ("owner", "x".into())]),
			"id     1\nowner  x\n"
		);
	}
}
