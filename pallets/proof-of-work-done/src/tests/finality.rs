//! Clocks stop while finality lags.

use crate::{mock::*, AuditPhase, Call, Error, FinalityHints, Pallet, INHERENT_IDENTIFIER};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
	inherent::{InherentData, ProvideInherent},
};
use highway_primitives::audit::Verdict;

fn hint(number: u32) -> sp_runtime::DispatchResult {
	Pallet::<Test>::note_finality(RuntimeOrigin::none(), number)
}

/// Runs the blocks up to `block`; each author says that this many blocks before its own is final.
fn go_lagging(block: u32, lag: u32) {
	while now() < block {
		go(1);
		hint(now().saturating_sub(lag)).unwrap();
	}
}

#[test]
fn finalized_should_be_the_middle_of_the_last_hints() {
	execute_with(1, || {
		assert_eq!(Pallet::<Test>::finalized(), None);
		assert_ok!(hint(0));
		assert_eq!(Pallet::<Test>::finalized(), Some(0));
		go_lagging(60, 2);
		// Hints 38..=58.
		assert_eq!(FinalityHints::<Test>::get().hints.len(), 21);
		assert_eq!(Pallet::<Test>::finalized(), Some(48));
		// Ten authors that lie move it by as many places.
		for _ in 0..10 {
			go(1);
			assert_ok!(hint(0));
		}
		assert_eq!(Pallet::<Test>::finalized(), Some(48));
		assert!(!Pallet::<Test>::clocks_stand_still());
	});
}

#[test]
fn hint_should_be_refused_for_the_future_twice_in_a_block_and_from_accounts() {
	execute_with(1, || {
		go_to(10);
		assert_noop!(hint(11), Error::<Test>::FinalityInFuture);
		assert_ok!(hint(10));
		assert_noop!(hint(10), Error::<Test>::FinalityAlreadyNoted);
		go(1);
		assert_ok!(hint(3));
		for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root()] {
			let result = Pallet::<Test>::note_finality(origin, 3);
			assert_eq!(result, Err(sp_runtime::DispatchError::BadOrigin));
		}
	});
}

#[test]
fn inherent_should_carry_what_the_author_knows() {
	execute_with(1, || {
		go_to(10);
		let with = |number: u32| {
			let mut data = InherentData::new();
			data.put_data(INHERENT_IDENTIFIER, &number).unwrap();
			Pallet::<Test>::create_inherent(&data)
		};
		assert_eq!(with(7), Some(Call::note_finality { number: 7 }));
		// Its own check would refuse the block.
		assert_eq!(with(99), Some(Call::note_finality { number: 10 }));
		assert_eq!(Pallet::<Test>::create_inherent(&InherentData::new()), None);
		let call = Call::<Test>::note_finality { number: 7 };
		assert!(Pallet::<Test>::is_inherent(&call));
		assert!(!Pallet::<Test>::is_inherent(&Call::force_audit { job: 1 }));
		assert_eq!(call.get_dispatch_info().class, DispatchClass::Mandatory);
	});
}

#[test]
fn nobody_should_be_late_while_finality_lags() {
	execute_with(7, || {
		go_to(101);
		let auditor = audited(1, honest(1));
		assert_eq!(record(1).until, 122);
		go_to(115);
		go_lagging(140, 60);
		assert_eq!(crate::mock::auditor(1), auditor, "nobody was replaced");
		assert_eq!((record(1).phase, lost(auditor)), (AuditPhase::Judging, 0));
		assert!(record(1).until > now(), "and the seat is open");
		assert_eq!(tasks(auditor).len(), 1);
		// Once it does not lag, the clock runs to the end of the prolonged phase.
		FinalityHints::<Test>::kill();
		let until = record(1).until;
		go_to(until - 1);
		accept(&commit(auditor, 1, yes(1)));
		go(1);
		assert!(matches!(record(1).phase, AuditPhase::Revealing { .. }));
		say_reveal(auditor, 1, yes(1));
		say_open(1, honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
	});
}

#[test]
fn silence_should_count_again_once_finality_is_back() {
	execute_with(7, || {
		go_to(101);
		let first = audited(1, honest(1));
		go_lagging(150, 60);
		assert_eq!(auditor(1), first);
		FinalityHints::<Test>::kill();
		go_to(record(1).until);
		assert_ne!(auditor(1), first);
		assert_eq!(lost(first), SECURITY);
	});
}

#[test]
fn jury_s_fixed_block_should_stay_ahead_of_those_who_have_yet_to_speak() {
	execute_with(7, || {
		go_to(101);
		let auditor = audited(1, sketch(3));
		say_commit(auditor, 1, no(1));
		go_lagging(140, 60);
		let AuditPhase::Revealing { fixed } = record(1).phase else {
			panic!()
		};
		assert_eq!(fixed, record(1).until + 6);
		FinalityHints::<Test>::kill();
		say_reveal(auditor, 1, no(1));
		assert_eq!(
			(record(1).phase, record(1).until),
			(AuditPhase::Opening { fixed }, fixed)
		);
		go_lagging(180, 60);
		let AuditPhase::Opening { fixed } = record(1).phase else {
			panic!()
		};
		assert_eq!(fixed, record(1).until);
		FinalityHints::<Test>::kill();
		say_open(1, sketch(3));
		assert_eq!(record(1).phase, AuditPhase::JuryDraw { fixed });
		go_to(400);
	});
}

#[test]
fn jury_s_fixed_block_should_stay_ahead_of_an_executor_that_has_to_prove_its_output() {
	execute_with(7, || {
		go_to(101);
		audited(1, sketch(3));
		auditor_reveals(1, missing(1));
		go_lagging(140, 60);
		let AuditPhase::Challenged { fixed, .. } = record(1).phase else {
			panic!()
		};
		assert_eq!(fixed, record(1).until + 6);
		FinalityHints::<Test>::kill();
		executor_proves(1);
		assert_eq!(
			(record(1).phase, record(1).until),
			(AuditPhase::Opening { fixed }, fixed)
		);
		say_open(1, sketch(3));
		assert_eq!(record(1).phase, AuditPhase::JuryDraw { fixed });
		go_to(400);
	});
}

#[test]
fn clocks_should_run_when_hints_are_near_or_old_or_none() {
	execute_with(7, || {
		// The middle hint is ten blocks old: 22 + 10 is the most.
		go_lagging(60, 22);
		assert!(!Pallet::<Test>::clocks_stand_still());
		go_lagging(61, 22);
		assert_eq!(now() - Pallet::<Test>::finalized().unwrap(), 32);
		go_lagging(100, 23);
		assert!(Pallet::<Test>::clocks_stand_still());
		// Nobody gives hints any more: they say nothing after a while, or audits would stand still for ever.
		go_to(100 + 64);
		assert!(Pallet::<Test>::clocks_stand_still());
		go(1);
		assert!(!Pallet::<Test>::clocks_stand_still());
	});
}
