//! The corpus and what is made of it, in a test.

use crate::{corpus, input, memory, Target};
use std::{
	env, thread,
	time::{Duration, Instant},
};

/// No input takes as long on any machine, however busy, unless time grows with something that its bytes only claim.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of an input that are shown when it fails.
const SHOWN: usize = 2048;

/// Checks the target on its corpus, and on as many rounds as it has. `HIGHWAY_FUZZ_ROUNDS` says how many rounds instead,
/// `HIGHWAY_FUZZ_ROUND` which one alone.
pub fn run(target: &Target) {
	let _alone = memory::alone();
	let started = Instant::now();
	let corpus = corpus::read(target);
	let mut taken = 0;
	for (name, input) in &corpus {
		taken += usize::from(examine(target, name, input));
	}
	assert!(
		0 < taken && taken < corpus.len(),
		"of the corpus of {} inputs {taken} are taken: a target tells good ones from others",
		corpus.len()
	);
	let rounds = match number("HIGHWAY_FUZZ_ROUND") {
		Some(round) => round..round.saturating_add(1),
		None => 0..number("HIGHWAY_FUZZ_ROUNDS").unwrap_or(target.rounds),
	};
	let made = rounds.end - rounds.start;
	let mut taken = 0;
	for round in rounds {
		let input = input::of_round(&corpus, round);
		taken += u64::from(examine(target, &format!("HIGHWAY_FUZZ_ROUND={round}"), &input));
	}
	println!(
		"{}: {} of the corpus, {made} made of it, {taken} of those taken, in {:?}",
		target.name,
		corpus.len(),
		started.elapsed()
	);
}

fn number(variable: &str) -> Option<u64> {
	let text = env::var(variable).ok()?;
	Some(
		text.parse()
			.unwrap_or_else(|_| panic!("{variable} is a number, not {text}")),
	)
}

/// Says which input it was if the check panics.
struct Named<'i> {
	target: &'static str,
	name: &'i str,
	input: &'i [u8],
}

impl Drop for Named<'_> {
	fn drop(&mut self) {
		if thread::panicking() {
			let shown = &self.input[..self.input.len().min(SHOWN)];
			eprintln!(
				"target {}, {}, {} bytes: {}",
				self.target,
				self.name,
				self.input.len(),
				shown.escape_ascii()
			);
		}
	}
}

fn examine(target: &Target, name: &str, input: &[u8]) -> bool {
	let _named = Named {
		target: target.name,
		name,
		input,
	};
	let started = Instant::now();
	let taken = (target.check)(input);
	let time = started.elapsed();
	assert!(time < PATIENCE, "it takes {time:?}");
	taken
}
