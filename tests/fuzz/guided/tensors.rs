//! The target `tensors`, guided by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
	(highway_fuzz_tests::tensors::TARGET.check)(input);
});
