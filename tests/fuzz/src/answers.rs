//! What the engine reads of an inference child, which may be in the hands of the model that it runs.

use crate::{memory::within, seed, tensors, Target};
use highway_offchain_worker::engine::protocol::{
	framed, read_answer, read_run, write_frame, AnswerHead, Nonsense, Part, RunHead, Tag, MAX_BODY, MAX_TEXT,
};
use highway_primitives::{
	model::{DType, TensorSpec, Unit, VerificationPolicy, VersionSpec, MIN_DETECTION},
	BlobRef, Sketch,
};
use std::sync::LazyLock;

/// The target.
pub const TARGET: Target = Target {
	name: "answers",
	check: read,
	seeds,
	rounds: 20_000,
};

/// A step of a body, or the longest header of a file.
const MEMORY: usize = 24 << 20;

/// Why the engine stops reading.
enum Stop {
	/// The child says no more.
	End,
	/// What it says is no answer.
	Nonsense,
}

impl From<Nonsense> for Stop {
	fn from(_: Nonsense) -> Self {
		Self::Nonsense
	}
}

/// Taken are the answers to the run that was asked for.
fn read(wire: &[u8]) -> bool {
	let mut rest = wire;
	let receive = |to: &mut [u8]| -> Result<(), Stop> {
		let (head, tail) = rest.split_at_checked(to.len()).ok_or(Stop::End)?;
		to.copy_from_slice(head);
		rest = tail;
		Ok(())
	};
	let answer = within(MEMORY + 4 * wire.len(), || read_answer::<Stop>(receive));
	let body = match answer {
		Err(Stop::End | Stop::Nonsense) => return false,
		Ok(Err(words)) => {
			assert!(words.chars().count() <= MAX_TEXT && !words.chars().any(char::is_control));
			return false;
		}
		Ok(Ok(body)) => body,
	};
	assert!(body.len() <= MAX_BODY && wire.ends_with(&[body.as_slice(), rest].concat()));
	let found = within(MEMORY + 16 * body.len(), || read_run(&body, &asked(), &SPEC));
	let Ok((sketches, outputs)) = found else { return false };
	let seeds: Vec<_> = sketches.iter().map(Vec::len).collect();
	assert_eq!(seeds, [1, 2]);
	assert_eq!(outputs.len(), SPEC.outputs.len());
	tensors::holds_together(&outputs);
	true
}

/// A run of two inputs of a row each.
fn asked() -> RunHead {
	let part = |seeds: &[u8]| Part {
		rows: 1,
		seeds: seeds.iter().map(|seed| [*seed; 32]).collect(),
	};
	RunHead {
		rows: Some(2),
		parts: vec![part(&[1]), part(&[2, 3])],
	}
}

/// `scores` of f32\[N, 2\] and `best` of i64\[N\].
static SPEC: LazyLock<VersionSpec> = LazyLock::new(|| {
	let tensor = |name: &[u8], dtype, shape: &[Option<u32>]| TensorSpec {
		name: name.to_vec().try_into().expect("a short name"),
		dtype,
		shape: shape.to_vec().try_into().expect("two dimensions"),
	};
	VersionSpec {
		artifact: BlobRef::of(b"model"),
		licence: Default::default(),
		inputs: Default::default(),
		outputs: vec![
			tensor(b"scores", DType::F32, &[None, Some(2)]),
			tensor(b"best", DType::I64, &[None]),
		]
		.try_into()
		.expect("two outputs"),
		unit: Unit::Request,
		unit_time_ms: 1,
		policy: VerificationPolicy::Exact,
		trace: None,
		detection: MIN_DETECTION,
		shares_runs: true,
		recipe: None,
	}
});

fn seeds() -> Vec<(String, Vec<u8>)> {
	let sketches: AnswerHead = vec![vec![Sketch::default()], vec![Sketch::default(); 2]];
	let outputs = [
		tensors::counting("scores", DType::F32, &[2, 2]),
		tensors::counting("best", DType::I64, &[2]),
	];
	let file = highway_offchain_worker::tensors::serialize(&outputs);
	let head = framed(&sketches);
	vec![
		seed("run", frame(Tag::Done, &[&head, &file])),
		seed("loaded", frame(Tag::Done, &[])),
		seed("failed", frame(Tag::Failed, &[b"out of \x1b[31mmemory"])),
		seed(
			"refused-one-sketch",
			frame(Tag::Done, &[&framed(&sketches[..1].to_vec()), &file]),
		),
		seed("refused-request", frame(Tag::Run, &[&head, &file])),
		// It promises 256 MiB and sends nothing.
		seed("refused-promise", [Tag::Done as u8, 0, 0, 0, 0x10]),
	]
}

/// A frame with this body.
pub(crate) fn frame(tag: Tag, body: &[&[u8]]) -> Vec<u8> {
	let mut wire = Vec::new();
	write_frame(&mut wire, tag, body).expect("memory takes everything");
	wire
}
