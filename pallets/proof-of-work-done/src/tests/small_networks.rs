//! Networks of one to four nodes: every job ends, and nobody is slashed for anything.

use crate::{mock::*, AuditPhase};
use highway_primitives::{
	audit::{Verdict, Vote},
	Ballot,
};

/// What the auditors of an audit do.
#[derive(Clone, Copy, Debug)]
enum Auditors {
	Silent,
	Say(Ballot),
	CommitOnly,
}

/// Lets job 1 live to its end: executor and auditors act so, jurors vote `No`.
fn live(auditors: Auditors, executor_opens: bool) {
	calibrate();
	Rate::put(sp_runtime::Perbill::one());
	assign(1, EXECUTOR);
	accept(&attest_with(EXECUTOR, 1, honest(1)));
	while !Ended::contains_key(1) {
		go(1);
		assert!(now() < 200, "it ends");
		let Some(record) = crate::Audits::<Test>::get(1) else {
			continue;
		};
		let Some(auditor) = record.auditor().map(|seat| seat.node) else {
			continue;
		};
		match (record.phase, auditors) {
			(AuditPhase::Judging, Auditors::Say(ballot)) => accept(&commit(auditor, 1, ballot)),
			(AuditPhase::Judging, Auditors::CommitOnly) if record.until == now() + 1 => {
				accept(&commit(auditor, 1, yes(1)))
			}
			(AuditPhase::Revealing { .. }, Auditors::Say(ballot)) => accept(&reveal(auditor, 1, ballot)),
			(AuditPhase::Opening { .. }, _) if executor_opens => accept(&open(EXECUTOR, 1, honest(1))),
			(AuditPhase::Challenged { .. }, _) if executor_opens => {
				executor_proves(1);
				assert!(Ended::contains_key(1) || matches!(crate::mock::record(1).phase, AuditPhase::Opening { .. }));
			}
			_ => (),
		}
	}
}

#[test]
fn every_job_should_end_without_a_slash() {
	let behaviours = [
		Auditors::Silent,
		Auditors::CommitOnly,
		Auditors::Say(yes(1)),
		Auditors::Say(no(1)),
		Auditors::Say(abstain()),
		Auditors::Say(missing(1)),
		Auditors::Say(ballot(Vote::Missing, true, sketch(0))),
		Auditors::Say(ballot(Vote::Yes, true, sketch(0))),
	];
	for nodes in 1..=4 {
		for auditors in behaviours {
			for executor_opens in [true, false] {
				execute_with(nodes, || {
					live(auditors, executor_opens);
					let verdict = Ended::get(1).unwrap();
					let expected = match auditors {
						_ if nodes == 1 => Verdict::Unaudited,
						Auditors::Silent | Auditors::CommitOnly => Verdict::Unaudited,
						Auditors::Say(said) if said.vote == Vote::Abstain => Verdict::Unaudited,
						Auditors::Say(said) if [yes(1), missing(1)].contains(&said) && executor_opens => {
							Verdict::Upheld
						}
						_ => Verdict::Void,
					};
					assert_eq!(verdict, expected, "{nodes} {auditors:?} {executor_opens}");
					for node in 0..nodes {
						assert_eq!((lost(node), fleet(node).reserved, fleet(node).chilled), (0, 0, false));
					}
					assert_eq!((Burned::get(), Treasury::get()), (0, 0));
				});
			}
		}
	}
}

#[test]
fn slash_should_need_five_active_operators() {
	for chilled in [false, true] {
		execute_with(5, || {
			let auditor = audited(1, honest(1));
			say_commit(auditor, 1, yes(1));
			say_reveal(auditor, 1, yes(1));
			let idle = (1..5).find(|node| *node != auditor).unwrap();
			change(idle, |mock| mock.chilled = chilled);
			go_to(record(1).until);
			let (verdict, loss) = match chilled {
				true => (Verdict::Void, 0),
				false => (Verdict::Rejected, SECURITY),
			};
			assert_eq!((Ended::get(1), lost(EXECUTOR)), (Some(verdict), loss));
		});
	}
}
