//! How much memory something takes.

use crate::MEMORY;

/// Does it, and panics if it takes more than so many bytes on top of what there was. What other threads take counts, too.
pub(crate) fn within<R>(bytes: usize, work: impl FnOnce() -> R) -> R {
	MEMORY.reset_peak_usage();
	let before = MEMORY.current_usage();
	let result = work();
	let taken = MEMORY.peak_usage().saturating_sub(before);
	assert!(taken <= bytes, "it takes {taken} bytes of memory, more than {bytes}");
	result
}
