//! What is said of values that chance has a part in.

/// Mean and standard error.
#[derive(Clone, Copy, Default, Debug)]
pub struct Mean {
	count: f64,
	sum: f64,
	squares: f64,
}

impl Mean {
	/// Takes a value in.
	pub fn add(&mut self, value: f64) {
		self.count += 1.0;
		self.sum += value;
		self.squares += value * value;
	}

	/// The mean of the values so far.
	pub fn mean(&self) -> f64 {
		self.sum / self.count
	}

	/// The standard error of the mean.
	pub fn error(&self) -> f64 {
		let variance = (self.squares / self.count - self.mean().powi(2)).max(0.0);
		(variance / self.count).sqrt()
	}
}
