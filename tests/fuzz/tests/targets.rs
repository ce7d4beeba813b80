//! Every reader with its corpus, and with what is made of it: the same inputs in every run.

use highway_fuzz_tests::{answers, blobs, bundles, keep_seeds, keys, onnx, proofs, requests, run, tensors, TARGETS};

#[test]
fn answers_of_a_child_should_be_refused_or_be_what_was_asked_for() {
	run(&answers::TARGET);
}

#[test]
fn blobs_should_be_served_within_bounds_and_fetched_as_they_are_or_not_at_all() {
	run(&blobs::TARGET);
}

#[test]
fn bundles_should_be_refused_or_be_the_only_one_of_their_files() {
	run(&bundles::TARGET);
}

#[test]
fn key_files_should_be_refused_or_open_to_the_key_of_their_address() {
	run(&keys::TARGET);
}

#[test]
fn onnx_files_should_be_refused_or_be_within_limits() {
	run(&onnx::TARGET);
}

#[test]
fn chunk_proofs_should_be_refused_when_they_are_not_the_chunks() {
	run(&proofs::TARGET);
}

#[test]
fn requests_of_an_engine_should_be_read_as_they_were_written() {
	run(&requests::TARGET);
}

#[test]
fn tensors_should_be_refused_or_be_the_same_when_written_again() {
	run(&tensors::TARGET);
}

#[test]
fn corpora_should_hold_what_the_code_makes() {
	TARGETS.iter().for_each(keep_seeds);
}
