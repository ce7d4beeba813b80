//! The target `bundles`, guided by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
	(highway_fuzz_tests::bundles::TARGET.check)(input);
});
