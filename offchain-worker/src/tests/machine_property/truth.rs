//! What is true of the jobs of the world.

use super::*;
use highway_primitives::{
	audit::{Claims, SketchSeed},
	ModelId, Vote,
};

/// Other nodes' jobs have numbers from here on.
pub(super) const OTHERS: JobId = 1_000_000;

/// What is true of another node's job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Truth {
	Right,
	Wrong,
	/// Its output has another length than the right one.
	WrongLength,
	/// Its input does not fit the model.
	Unfit,
}

pub(super) fn truth_of(job: JobId) -> Truth {
	match job % 8 {
		1 => Truth::Wrong,
		2 => Truth::WrongLength,
		3 => Truth::Unfit,
		_ => Truth::Right,
	}
}

/// Jurors are asked in half of the audits, with a seed of their own.
pub(super) fn seed_of(job: JobId) -> SketchSeed {
	if job.is_multiple_of(2) {
		auditor_seed(job)
	} else {
		[job as u8; 32]
	}
}

pub(super) fn own_file(job: JobId) -> Vec<u8> {
	format!("result of {job}").into_bytes()
}

/// What another node attested, and what a juror is told about it by an honest auditor.
pub(super) fn others_audit(job: JobId, until: BlockNumber) -> AuditItem {
	let output = match truth_of(job) {
		Truth::WrongLength => b"short".to_vec(),
		_ => own_file(job),
	};
	let task = if seed_of(job) == auditor_seed(job) {
		judge(job)
	} else {
		let claims = Claims {
			// Far from what a run comes to, where the output is wrong: a juror that does not get it sees that.
			executor: if truth_of(job) == Truth::Wrong {
				sketch(50)
			} else {
				sketch(1)
			},
			vote: if truth_of(job) == Truth::Right {
				Vote::Yes
			} else {
				Vote::No
			},
			auditor: if truth_of(job) == Truth::Unfit {
				sketch(0)
			} else {
				sketch(1)
			},
		};
		judge_as_juror(seed_of(job), claims)
	};
	audit(job, task, &output, until)
}

pub(super) fn model_of(job: JobId) -> ModelId {
	(job % 3) as ModelId
}

pub(super) fn world_key(job: JobId) -> WorkKey {
	key(job, model_of(job))
}
