//! Random batches and reports against a model of what they should do.

use crate::{mock::*, Pallet};
use highway_primitives::{AttestItem, FailureClass, JobId, MaxBlobSize, NodeId};
use proptest::prelude::*;
use sp_core::{Get, H256};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};
use std::collections::{BTreeMap, BTreeSet};

/// Jobs 290..310 are open for node 0 up to 299; 995..1015 for node 1 from 1000 to 1009.
fn job() -> impl Strategy<Value = JobId> {
	prop_oneof![4 => 290..310u64, 2 => 995..1_015u64, 1 => any::<u64>()]
}

#[derive(Clone, Debug)]
struct Draft {
	job: JobId,
	other_work: bool,
	size: u64,
	mark: u8,
}

fn draft() -> impl Strategy<Value = Draft> {
	let most = <MaxBlobSize as Get<u64>>::get();
	let size = prop_oneof![6 => 1..=most, 1 => Just(0), 1 => Just(most), 1 => Just(most + 1), 1 => Just(u64::MAX)];
	(job(), prop::bool::weighted(0.1), size, any::<u8>()).prop_map(|(job, other_work, size, mark)| Draft {
		job,
		other_work,
		size,
		mark,
	})
}

#[derive(Clone, Debug)]
enum Say {
	Attest(Vec<Draft>),
	Report(JobId),
	Forget(JobId),
}

fn say() -> impl Strategy<Value = Say> {
	prop_oneof![
		8 => prop::collection::vec(draft(), 0..40).prop_map(Say::Attest),
		2 => job().prop_map(Say::Report),
		1 => job().prop_map(Say::Forget),
	]
}

fn attest_item(draft: &Draft) -> AttestItem {
	let mut item = item(draft.job);
	item.output.size = draft.size;
	item.commitment = H256::repeat_byte(draft.mark);
	if draft.other_work {
		item.work = work(draft.job ^ 1);
	}
	item
}

/// What should be: who has which job to do, and the commitments that are kept.
#[derive(Default)]
struct Expected {
	open: BTreeMap<JobId, NodeId>,
	commitments: BTreeMap<JobId, H256>,
}

impl Expected {
	fn counts(&self, node: NodeId, item: &AttestItem) -> bool {
		(1..=<MaxBlobSize as Get<u64>>::get()).contains(&item.output.size)
			&& item.work == work(item.job)
			&& self.open.get(&item.job) == Some(&node)
	}

	/// Runs one transaction as pool and block do, and compares.
	fn run(&mut self, node: NodeId, signer: NodeId, say: &Say) {
		let refusal = |reason| Err(TransactionValidityError::Invalid(reason));
		let signed = match signer == node {
			true => Ok(()),
			false => refusal(InvalidTransaction::BadProof),
		};
		let pair = key(signer as u8);
		match say {
			Say::Attest(drafts) => {
				let batch: Vec<AttestItem> = drafts.iter().map(attest_item).collect();
				let open: BTreeSet<JobId> = batch
					.iter()
					.filter(|item| self.counts(node, item))
					.map(|item| item.job)
					.collect();
				let probed = batch.iter().take(8).any(|item| self.counts(node, item));
				let expected = match (batch.is_empty(), open.is_empty()) {
					(true, _) => refusal(InvalidTransaction::Custom(2)),
					_ if !probed && batch.len() <= 8 => refusal(InvalidTransaction::Stale),
					(_, true) => signed.and(refusal(InvalidTransaction::Stale)),
					_ => signed,
				};
				let transaction = attest(&pair, node, batch.clone().try_into().unwrap());
				let valid = validate(&transaction);
				assert_eq!(valid.as_ref().map(|_| ()).map_err(|error| *error), expected);
				assert_eq!(apply(&transaction).map(|done| done.map(|_| ()).unwrap()), expected);
				if let Ok(valid) = valid {
					assert_eq!(valid.provides.len(), open.len(), "one tag for each open job");
					for item in batch {
						// The first of several counts.
						if self.counts(node, &item) {
							self.open.remove(&item.job);
							self.commitments.insert(item.job, item.commitment);
						}
					}
				}
			}
			Say::Report(job) => {
				let expected = match self.open.get(job) == Some(&node) {
					true => signed,
					false => refusal(InvalidTransaction::Stale),
				};
				let transaction = report(&pair, node, *job, FailureClass::RunFailed);
				assert_eq!(validate(&transaction).map(|_| ()), expected);
				assert_eq!(apply(&transaction).map(|done| done.map(|_| ()).unwrap()), expected);
				if expected.is_ok() {
					self.open.remove(job);
				}
			}
			Say::Forget(job) => {
				use highway_primitives::traits::Attestations;
				<Pallet<Test> as Attestations<AccountId>>::forget(*job);
			}
		}
		let kept: BTreeMap<JobId, H256> = Committed::iter().collect();
		assert_eq!(kept, self.commitments);
		assert_eq!(Assigned::iter().collect::<BTreeMap<_, _>>(), self.open);
		Pallet::<Test>::do_try_state().unwrap();
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

	#[test]
	fn batches_should_count_exactly_what_is_open(
		says in prop::collection::vec((0..2u32, prop::bool::weighted(0.9), say()), 1..12),
	) {
		execute(|| {
			let mut expected = Expected {
				open: Assigned::iter().collect(),
				..Default::default()
			};
			for (node, honest, say) in &says {
				expected.run(*node, if *honest { *node } else { 7 }, say);
			}
		});
	}
}
