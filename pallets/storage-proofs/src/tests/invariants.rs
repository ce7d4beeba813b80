//! What is checked after every test is able to fail.

use crate::{
	mock::*,
	types::{MaxDraws, Memory, Miss},
	Challenge, Challenges, Due, Forgets, Missed, Pallet, Shown, StoodStill, MEMORY,
};
use frame_support::BoundedVec;
use highway_primitives::BlobRef;
use sp_core::H256;

fn change(change: impl FnOnce(&mut Challenge)) {
	Challenges::<Test>::mutate(0, 0, |challenge| change(challenge.as_mut().unwrap()));
}

/// What breaks something, and what is said of it.
type Fault = (fn(), &'static str);

const FAULTS: [Fault; 15] = [
	(
		|| {
			let key = Challenges::<Test>::hashed_key_for(0, 0);
			frame_support::storage::unhashed::put_raw(&key, &[9]);
		},
		"a challenge does not decode",
	),
	(
		|| change(|challenge| challenge.chunk = 5),
		"a challenge asks for a chunk that there is not",
	),
	(
		|| {
			change(|challenge| {
				challenge.artefact = BlobRef {
					size: 0,
					..challenge.artefact
				};
				challenge.chunk = 0;
			})
		},
		"a challenge asks for a chunk that there is not",
	),
	(
		|| change(|challenge| challenge.drawn_at = now() + 1),
		"a challenge is still to be drawn",
	),
	(
		|| change(|challenge| challenge.until = now() - 1),
		"a challenge is over",
	),
	(
		|| change(|challenge| challenge.until += 1),
		"a challenge does not end once",
	),
	(
		|| {
			let until = challenge(0, 0).until;
			Due::<Test>::mutate(until, |due| due.try_push((0, 0)).unwrap());
		},
		"a challenge does not end once",
	),
	(
		|| Due::<Test>::insert(now() - 1, due_pair()),
		"what was due is still there",
	),
	(
		|| Due::<Test>::insert(now() + 500, BoundedVec::default()),
		"nothing is due at a block",
	),
	(|| StoodStill::<Test>::put(now() + 1), "clocks will have stood still"),
	(
		|| Missed::<Test>::insert(0, 0, miss_of(now())),
		"a challenge is missed that can be answered",
	),
	(
		|| Missed::<Test>::insert(0, 0, miss_of(now() - 1)),
		"a miss is remembered for ever",
	),
	(
		|| Shown::<Test>::insert(H256::zero(), now()),
		"what was shown is remembered for ever",
	),
	(
		|| Forgets::<Test>::insert(now(), memory()),
		"what was to be forgotten is not",
	),
	(
		|| Forgets::<Test>::insert(now() + MEMORY, BoundedVec::default()),
		"nothing is to be forgotten at a block",
	),
];

fn due_pair() -> BoundedVec<(u32, u32), MaxDraws> {
	vec![(7, 7)].try_into().unwrap()
}

fn miss_of(until: u32) -> Miss {
	Miss { until, blamed: true }
}

fn memory() -> BoundedVec<Memory, MaxDraws> {
	vec![Memory::Missed(7, 7)].try_into().unwrap()
}

#[test]
fn every_fault_should_be_found() {
	for (fault, said) in FAULTS {
		with_providers(1, || {
			draw(0, 0);
			check();
			let _ = frame_support::storage::with_transaction(|| {
				fault();
				let error = Pallet::<Test>::do_try_state().unwrap_err();
				assert_eq!(error, sp_runtime::TryRuntimeError::Other(said));
				sp_runtime::TransactionOutcome::Rollback(Ok::<_, sp_runtime::DispatchError>(()))
			});
		});
	}
}
