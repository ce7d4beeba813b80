//! The journal among the tasks that write to it.

use crate::{journal::Journal, metrics::Metrics};
use parking_lot::Mutex;
use std::sync::Arc;

/// One journal for several tasks. What happens to its file is in the metrics when a task is done with it.
#[derive(Clone)]
pub(super) struct SharedJournal {
	journal: Arc<Mutex<Journal>>,
	metrics: Metrics,
}

impl SharedJournal {
	pub fn new(journal: Journal, metrics: Metrics) -> Self {
		let shared = Self {
			journal: Arc::new(Mutex::new(journal)),
			metrics,
		};
		// What was found when it was opened.
		shared.with(|_| ());
		shared
	}

	/// Does something with the journal that no other task interrupts. Blocks, for as long as the disk takes.
	pub fn with<T>(&self, task: impl FnOnce(&mut Journal) -> T) -> T {
		let mut journal = self.journal.lock();
		let result = task(&mut journal);
		self.metrics.journal(journal.file_len(), journal.take_tally());
		result
	}
}
