//! The target `blobs`, guided by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
	(highway_fuzz_tests::blobs::TARGET.check)(input);
});
