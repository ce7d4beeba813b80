//! How much memory something takes.

use crate::MEMORY;
use parking_lot::{Mutex, MutexGuard};

/// Held by whoever takes memory: it is counted for the whole process.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
	static ONE: Mutex<()> = Mutex::new(());
	ONE.lock()
}

/// Does it, and panics if it takes more than so many bytes on top of what there was. What other threads take counts, too: a
/// test's program takes some KiB now and then.
pub(crate) fn within<R>(bytes: usize, work: impl FnOnce() -> R) -> R {
	MEMORY.reset_peak_usage();
	let before = MEMORY.current_usage();
	let result = work();
	let taken = MEMORY.peak_usage().saturating_sub(before);
	assert!(taken <= bytes, "it takes {taken} bytes of memory, more than {bytes}");
	result
}
