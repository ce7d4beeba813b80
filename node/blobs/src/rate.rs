//! A token bucket.

use std::time::Instant;

/// Lets through `per_second` tokens a second on average and `capacity` at once.
#[derive(Debug, Clone)]
pub struct TokenBucket {
	capacity: f64,
	per_second: f64,
	level: f64,
	filled: Instant,
}

impl TokenBucket {
	/// A full bucket.
	pub fn new(capacity: u64, per_second: f64, now: Instant) -> Self {
		Self {
			capacity: capacity as f64,
			per_second,
			level: capacity as f64,
			filled: now,
		}
	}

	/// Takes `tokens` if they are there.
	pub fn take(&mut self, tokens: u64, now: Instant) -> bool {
		self.fill(now);
		let enough = self.level >= tokens as f64;
		if enough {
			self.level -= tokens as f64;
		}
		enough
	}

	/// Whether nothing was taken that has not flowed back.
	pub fn is_full(&mut self, now: Instant) -> bool {
		self.fill(now);
		self.level >= self.capacity
	}

	fn fill(&mut self, now: Instant) {
		let passed = now.saturating_duration_since(self.filled).as_secs_f64();
		self.level = (self.level + passed * self.per_second).min(self.capacity);
		self.filled = self.filled.max(now);
	}
}
