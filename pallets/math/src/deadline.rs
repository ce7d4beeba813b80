//! How long an executor has.

/// Blocks that every job has, whatever its size: scheduling, one batch ahead of it, inclusion of the attestation.
pub const BASE_BLOCKS: u32 = 5;

/// Bytes per second at which input and artefact are counted on to arrive.
pub const BYTES_PER_SECOND: u64 = 1024 * 1024;

/// `BASE_BLOCKS` + `bytes` at 1 MiB/s + `units` × `unit_time_ms`, in blocks of `block_seconds`, rounded up; saturating.
pub fn blocks(bytes: u64, units: u32, unit_time_ms: u32, block_seconds: u32) -> u32 {
	let transfer_ms = bytes.saturating_mul(1000).div_ceil(BYTES_PER_SECOND);
	let run_ms = u64::from(units).saturating_mul(u64::from(unit_time_ms));
	let block_ms = u64::from(block_seconds.max(1)).saturating_mul(1000);
	let blocks = transfer_ms.saturating_add(run_ms).div_ceil(block_ms);
	BASE_BLOCKS.saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX))
}
