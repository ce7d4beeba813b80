//! The jobs: what the pallet of jobs does with the answers that it gets.

use super::{now, work_id, AccountId, Nodes, Pallet, Test, MODEL, PAYER, REWARD, SECURITY, VERSION};
use codec::{Decode, Encode};
use frame_support::{ensure, pallet_prelude::*, storage_alias};
use highway_primitives::{
	audit::{AuditDue, AuditSubject, AuditWork, Step},
	traits::{self, Attestations as _, Nodes as _},
	work_tag, Balance, BlobRef, BlockNumber, FailureClass, JobId, NodeId, Verdict, WorkTag,
};
use sp_core::H256;
use sp_runtime::Perbill;

pub const WINDOW: BlockNumber = 10;
pub const ALLOWANCE: BlockNumber = 6;

frame_support::parameter_types! {
	/// How often somebody asked for a job's state.
	pub static LookUps: u32 = 0;
	/// What the ends of audits' phases took, one after another.
	pub static Works: Vec<AuditWork> = vec![];
	/// At how many blocks the draw of the last audit that might have begun looked, and how many nodes were tried as its auditor.
	pub static WindowWork: (u32, u32) = (0, 0);
}

/// A job that was attested and has not ended.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Open {
	pub subject: AuditSubject<AccountId>,
	pub in_audit: bool,
	pub due: BlockNumber,
}

#[storage_alias]
pub type Assigned = StorageMap<Mock, Twox64Concat, JobId, NodeId>;
#[storage_alias]
pub type Done = StorageMap<Mock, Twox64Concat, JobId, (NodeId, BlobRef)>;
/// What was committed to with each attestation, for ever.
#[storage_alias]
pub type Committed = StorageMap<Mock, Twox64Concat, JobId, H256>;
#[storage_alias]
pub type Reported = StorageMap<Mock, Twox64Concat, JobId, (NodeId, FailureClass)>;
#[storage_alias]
pub type OpenJobs = StorageMap<Mock, Twox64Concat, JobId, Open>;
#[storage_alias]
pub type Ended = StorageMap<Mock, Twox64Concat, JobId, Verdict>;
/// Inputs of a job; one, if nothing is said.
#[storage_alias]
pub type Inputs = StorageMap<Mock, Twox64Concat, JobId, u16>;
/// Probability of an audit of jobs attested from now on.
#[storage_alias]
pub type Rate = StorageValue<Mock, Perbill, ValueQuery>;
/// Jobs attested from now on are worth nothing.
#[storage_alias]
pub type Free = StorageValue<Mock, bool, ValueQuery>;

/// What stands behind a job that is assigned from now on.
fn security() -> Balance {
	match Free::get() {
		true => 0,
		false => SECURITY,
	}
}

/// Gives a job to a node, with its security.
pub fn assign(job: JobId, node: NodeId) {
	if security() > 0 {
		Nodes::secure(node, security()).unwrap();
	}
	Assigned::insert(job, node);
}

pub struct Jobs;
impl traits::Jobs<AccountId> for Jobs {
	fn is_assigned(job: JobId, tag: WorkTag, node: NodeId) -> bool {
		LookUps::mutate(|count| *count += 1);
		Assigned::get(job) == Some(node) && work_tag(&work_id(job)) == tag
	}
	fn attested(job: JobId, tag: WorkTag, node: NodeId, output: BlobRef, commitment: H256) -> DispatchResult {
		ensure!(Self::is_assigned(job, tag, node), "not assigned");
		Assigned::remove(job);
		assert!(!Done::contains_key(job), "a job is attested once");
		Done::insert(job, (node, output));
		Committed::insert(job, commitment);
		let deadline = now() + ALLOWANCE;
		let subject = AuditSubject {
			job,
			work: work_id(job),
			payer: PAYER,
			model: MODEL,
			version: VERSION,
			executor: node,
			output,
			commitment,
			inputs: Inputs::get(job).unwrap_or(1),
			reward: if Free::get() { 0 } else { REWARD },
			security: security(),
			rate: Rate::get(),
			allowance: ALLOWANCE,
			deadline,
			attested_at: now(),
		};
		let due = (now() + WINDOW).max(deadline + highway_math::audit::DRAW_DELAY);
		let (in_audit, open) = (false, job);
		OpenJobs::insert(open, Open { subject, in_audit, due });
		Ok(())
	}
	fn failure_reported(job: JobId, tag: WorkTag, node: NodeId, class: FailureClass) -> DispatchResult {
		ensure!(Self::is_assigned(job, tag, node), "not assigned");
		Assigned::remove(job);
		if security() > 0 {
			Nodes::release(node, security());
		}
		Reported::insert(job, (node, class));
		Ok(())
	}
	fn audit_subject(job: JobId) -> Option<AuditSubject<AccountId>> {
		OpenJobs::get(job).map(|open| open.subject)
	}
	fn audit_until(job: JobId, until: BlockNumber) {
		OpenJobs::mutate(job, |open| {
			if let Some(open) = open.as_mut().filter(|open| open.in_audit) {
				open.due = until;
			}
		});
	}
}

/// Ends the present phase of a job, if it is over. Returns the answer.
pub fn poke(job: JobId) -> Option<Step> {
	let open = OpenJobs::get(job).filter(|open| open.due <= now())?;
	let step = match open.in_audit {
		true => {
			let AuditDue { step, work } = Pallet::<Test>::audit_due(&open.subject);
			Works::mutate(|works| works.push(work));
			step
		}
		false => {
			let over = Pallet::<Test>::window_over(&open.subject);
			WindowWork::set((over.looked_at, over.tried));
			over.step
		}
	};
	let mut open = OpenJobs::get(job).expect("only this file takes jobs");
	match step {
		Step::Wait(due) => {
			assert!(due > now(), "no answer makes the queue stand still");
			OpenJobs::insert(job, Open { due, ..open });
		}
		Step::Audit(due) => {
			assert!(due > now(), "no answer makes the queue stand still");
			open.in_audit = true;
			OpenJobs::insert(job, Open { due, ..open });
		}
		Step::End(verdict) => {
			assert!(!Ended::contains_key(job), "a job ends once");
			// The slash took it.
			if verdict != Verdict::Rejected && open.subject.security > 0 {
				Nodes::release(open.subject.executor, open.subject.security);
			}
			OpenJobs::remove(job);
			Ended::insert(job, verdict);
		}
	}
	Some(step)
}

/// The queue: every job whose phase is over, in order of ids.
pub fn run_due() {
	let mut due: Vec<JobId> = OpenJobs::iter()
		.filter(|(_, open)| open.due <= now())
		.map(|(job, _)| job)
		.collect();
	due.sort_unstable();
	for job in due {
		poke(job);
	}
}
