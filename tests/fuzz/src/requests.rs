//! What an inference child reads of its engine. It trusts the engine, and must not fall over all the same.

use crate::{answers::frame, memory::within, seed, tensors, Target};
use highway_offchain_worker::engine::protocol::{framed, read_frame, split_head, Part, RunHead, Tag, MAX_BODY};
use highway_primitives::model::DType;

/// The target.
pub const TARGET: Target = Target {
	name: "requests",
	check: read,
	seeds,
	rounds: 20_000,
};

/// A step of a body, or the longest header of a file.
const MEMORY: usize = 24 << 20;

/// Taken is what consists of whole frames.
fn read(wire: &[u8]) -> bool {
	let mut rest = wire;
	loop {
		let before = rest;
		let (tag, body) = match within(MEMORY + 4 * wire.len(), || read_frame(&mut rest)) {
			Ok(Some(frame)) => frame,
			// The engine has hung up, in a header at the latest.
			Ok(None) => return before.is_empty() && !wire.is_empty(),
			Err(_) => return false,
		};
		assert!(body.len() <= MAX_BODY);
		let read = &before[..before.len() - rest.len()];
		assert_eq!(frame(tag, &[&body]), read, "what is read is what was written");
		if tag == Tag::Run {
			run(&body);
		}
	}
}

/// The head and the inputs of a run.
fn run(body: &[u8]) {
	let Some((head, file)) = split_head::<RunHead>(body) else {
		return;
	};
	assert_eq!([framed(&head).as_slice(), file].concat(), body);
	if let Ok(inputs) = within(MEMORY + 4 * file.len(), || {
		highway_offchain_worker::tensors::parse(file)
	}) {
		tensors::holds_together(&inputs);
	}
}

fn seeds() -> Vec<(String, Vec<u8>)> {
	let head = RunHead {
		rows: Some(3),
		parts: vec![
			Part {
				rows: 1,
				seeds: vec![[1; 32]],
			},
			Part {
				rows: 2,
				seeds: vec![[2; 32], [3; 32]],
			},
		],
	};
	let inputs = [tensors::counting("bytes", DType::I32, &[3, 2])];
	let file = highway_offchain_worker::tensors::serialize(&inputs);
	let run = frame(Tag::Run, &[&framed(&head), &file]);
	let load = frame(Tag::Load, &[&1234u64.to_le_bytes()]);
	let mut cut = run.clone();
	cut.pop();
	vec![
		seed("run", run.clone()),
		seed("load-run-and-test", [load, run, frame(Tag::SelfTest, &[])].concat()),
		seed("refused-cut", cut),
		seed("refused-tag", [7u8, 0, 0, 0, 0]),
	]
}
