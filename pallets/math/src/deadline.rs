//! How long an executor has.

/// Blocks that every job has, whatever its size: scheduling, one batch ahead of it, inclusion of the attestation.
pub const BASE_BLOCKS: u32 = 5;

/// Bytes per second at which the input is counted on to arrive. The artefact is not counted: hosts have it before a job comes.
pub const BYTES_PER_SECOND: u64 = 1024 * 1024;

/// `BASE_BLOCKS` + `bytes` at 1 MiB/s + `units` × `unit_time_ms`, in blocks of `block_seconds`, rounded up; saturating.
pub fn blocks(bytes: u64, units: u32, unit_time_ms: u32, block_seconds: u32) -> u32 {
	let transfer_ms = bytes.saturating_mul(1000).div_ceil(BYTES_PER_SECOND);
	let run_ms = u64::from(units).saturating_mul(u64::from(unit_time_ms));
	let block_ms = u64::from(block_seconds.max(1)).saturating_mul(1000);
	let blocks = transfer_ms.saturating_add(run_ms).div_ceil(block_ms);
	BASE_BLOCKS.saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn blocks_should_be_the_base_when_there_is_nothing_to_do() {
		assert_eq!(blocks(0, 0, 0, 2), BASE_BLOCKS);
	}

	#[test]
	fn blocks_should_count_transfer_and_run_together() {
		// 3 MiB take 3 s, 10 units of 150 ms take 1.5 s: 4.5 s are three blocks of 2 s.
		assert_eq!(blocks(3 * 1024 * 1024, 10, 150, 2), BASE_BLOCKS + 3);
		assert_eq!(blocks(1, 0, 0, 2), BASE_BLOCKS + 1);
	}

	#[test]
	fn blocks_should_saturate_when_the_job_is_endless() {
		assert_eq!(blocks(u64::MAX, u32::MAX, u32::MAX, 1), u32::MAX);
		assert_eq!(blocks(2_000, 1, 1, 0), blocks(2_000, 1, 1, 1));
	}

	proptest! {
		#[test]
		fn blocks_should_not_fall_when_there_is_more_to_do(
			bytes in any::<(u64, u64)>(),
			units in any::<(u32, u32)>(),
			unit_time in any::<(u32, u32)>(),
			block in 1u32..60,
		) {
			let less = blocks(bytes.0.min(bytes.1), units.0.min(units.1), unit_time.0.min(unit_time.1), block);
			let more = blocks(bytes.0.max(bytes.1), units.0.max(units.1), unit_time.0.max(unit_time.1), block);
			prop_assert!(less <= more);
		}

		#[test]
		fn blocks_should_not_rise_when_blocks_are_longer(bytes in any::<u64>(), units in any::<u32>(), ms in any::<u32>(), block in 0u32..60) {
			prop_assert!(blocks(bytes, units, ms, block + 1) <= blocks(bytes, units, ms, block));
		}

		#[test]
		fn blocks_should_suffice_for_the_run(units in 0u32..10_000, ms in 0u32..600_000, block in 1u32..60) {
			let granted = u64::from(blocks(0, units, ms, block) - BASE_BLOCKS) * u64::from(block) * 1_000;
			prop_assert!(granted >= u64::from(units) * u64::from(ms));
		}
	}
}
