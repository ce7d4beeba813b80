//! What is true of the jobs of the world.

use super::*;
use highway_primitives::{
	audit::{work_seed, Claims, SketchSeed},
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

/// How many inputs a job has: half of them have three.
pub(super) fn inputs_of(job: JobId) -> u16 {
	if (job / 8).is_multiple_of(2) {
		1
	} else {
		3
	}
}

/// Which of its inputs audits are about.
pub(super) fn index_of(job: JobId) -> u16 {
	(job % u64::from(inputs_of(job))) as u16
}

/// Another node's job, of model 1.
pub(super) fn others_item(job: JobId) -> WorkItem {
	of_many(item(job, 1, 0), inputs_of(job))
}

/// Where this node votes about it.
pub(super) fn others_key(job: JobId) -> BallotKey {
	BallotKey {
		work: WorkKey::of(NODE, &others_item(job)),
		seed: seed_of(job),
		index: index_of(job),
	}
}

/// Jurors are asked in half of the audits, with a seed of their own.
pub(super) fn seed_of(job: JobId) -> SketchSeed {
	if job.is_multiple_of(2) {
		work_seed(&others_item(job).work)
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
	let mut task = if job.is_multiple_of(2) {
		judge_input(&others_item(job), index_of(job))
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
	if let AuditTask::Judge { index, .. } = &mut task {
		*index = index_of(job);
	}
	audit_of(others_item(job), task, &output, until)
}

pub(super) fn model_of(job: JobId) -> ModelId {
	(job % 3) as ModelId
}

/// One of this node's own jobs.
pub(super) fn world_item(job: JobId, deadline: BlockNumber) -> WorkItem {
	of_many(item(job, model_of(job), deadline), inputs_of(job))
}

pub(super) fn world_key(job: JobId) -> WorkKey {
	WorkKey::of(NODE, &world_item(job, 0))
}
