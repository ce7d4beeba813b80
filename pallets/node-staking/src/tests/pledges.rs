//! Who could serve when asks began to be opened counts in the next market epoch, whatever it does, and has lapsed if it is not
//! there when that begins, or later. Nobody else counts in it. That stays known until the epoch is over, whatever happens
//! meanwhile. Where a test goes right to an epoch's first block nothing happened since asks for it began to be opened.

use super::*;
use highway_primitives::{BlockNumber, EpochIndex, ModelId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Goes to this block of a market epoch of ten, of which the last three are for opening asks, in the present session.
fn go_to(epoch: EpochIndex, block: BlockNumber) {
	System::set_block_number(epoch * MarketEpoch::get() + block);
}

/// The next block, before which so many sessions ended.
fn next_block(sessions: u32) {
	System::set_block_number(System::block_number() + 1);
	pass_sessions(sessions);
}

/// The block in which asks begin to be opened.
const OPENING: BlockNumber = 7;

/// For which of models 1 to 3 the node counts in this epoch.
fn counts(node: NodeId) -> Vec<ModelId> {
	(1..=3)
		.filter(|model| NodeStaking::eligible_at_start(node, *model))
		.collect()
}

/// For which of them it will in the next one, whatever it does.
fn pledged(node: NodeId) -> Vec<ModelId> {
	(1..=3).filter(|model| NodeStaking::pledged(node, *model)).collect()
}

fn lapsed(node: NodeId) -> Option<BlockNumber> {
	NodeStaking::lapsed(node, 1)
}

/// Whether the node counts in this epoch for model 1, and whether it is eligible for it now.
fn was_and_is(node: NodeId) -> (bool, bool) {
	(NodeStaking::eligible_at_start(node, 1), NodeStaking::eligible(node, 1))
}

/// For which models the node is said to count in this epoch, if that is kept.
fn kept(node: NodeId) -> Option<Vec<ModelId>> {
	let (epoch, _) = <Epochs as highway_primitives::traits::MarketClock>::epoch();
	let pledge = Pledges::<Test>::get(node)
		.into_iter()
		.find(|pledge| pledge.epoch == epoch)?;
	Some(pledge.models.into_inner())
}

/// A heartbeat in a new session by which the node is well or not.
fn beat_anew(healthy: bool) {
	pass_sessions(1);
	assert_ok!(NodeStaking::do_heartbeat(0, NodeStaking::current_session(), healthy, 4));
}

/// How node 0, of operator 1, is out of model 1, and how it is back.
type Act = (&'static str, fn(), fn());

const ACTS: [Act; 6] = [
	(
		"unhost",
		|| {
			assert_ok!(NodeStaking::unhost(signed(1), 1));
		},
		|| {
			assert_ok!(NodeStaking::host(signed(1), 1));
		},
	),
	(
		"chill",
		|| {
			assert_ok!(NodeStaking::chill(signed(1)));
		},
		|| {
			assert_ok!(NodeStaking::resume(signed(1)));
		},
	),
	(
		"unbond",
		|| {
			assert_ok!(NodeStaking::unbond(signed(1), 500));
		},
		|| {
			assert_ok!(NodeStaking::bond_extra(signed(1), 500));
		},
	),
	("bad health", || beat_anew(false), || beat_anew(true)),
	(
		"no slots",
		|| {
			pass_sessions(1);
			beat(0, 0);
		},
		|| beat_anew(true),
	),
	// Its heartbeat waited for the look, and then did not come.
	("silence", || pass_sessions(2), || beat(0, 4)),
];

/// What ends that node 0, of operator 1, is eligible for model 1.
type End = (&'static str, fn());

const OTHER_ENDS: [End; 5] = [
	("slash", || {
		assert_ok!(NodeStaking::secure(0, 450));
		assert_eq!(NodeStaking::slash(0, 450, &20), 450);
	}),
	("fine", || assert_eq!(NodeStaking::fine(0, 450, &20), 450)),
	("offence", || report(&[1], percent(90), NodeStaking::current_session())),
	("nothing it may sell", || {
		pass_sessions(1);
		May::set((0, false));
		beat(0, 1);
	}),
	("jail and its end", || {
		pass_sessions(6);
		assert_ok!(NodeStaking::resume(signed(1)));
	}),
];

fn ends() -> impl Iterator<Item = End> {
	ACTS.into_iter().map(|(act, go, _)| (act, go)).chain(OTHER_ENDS)
}

#[test]
fn node_should_count_and_have_lapsed_when_it_goes_after_a_look() {
	for (act, go, come_back) in ACTS {
		ExtBuilder::default().build_and_execute(|| {
			let node = live(1, 500, 4);
			go_to(1, 9);
			assert_eq!(pledged(node), [1], "{act}");
			go();
			assert_eq!(
				(pledged(node), NodeStaking::eligible(node, 1)),
				(vec![1], false),
				"{act}"
			);
			go_to(2, 0);
			assert_eq!((counts(node), lapsed(node)), (vec![1], Some(20)), "{act}");
			go_to(2, 1);
			come_back();
			assert!(NodeStaking::eligible(node, 1), "{act}");
			assert_eq!((counts(node), lapsed(node)), (vec![1], Some(20)), "{act}");
			// Somebody clears as late as can be, when it is pledged for the next one, and has gone again.
			go_to(2, 9);
			assert_eq!((pledged(node), counts(node)), (vec![1], vec![1]), "{act}");
			go();
			assert_eq!((pledged(node), counts(node)), (vec![1], vec![1]), "{act}");
			assert_eq!(lapsed(node), Some(20), "{act}");
			NodeStaking::do_try_state().unwrap();
			go_to(3, 0);
			assert_eq!((counts(node), lapsed(node)), (vec![1], Some(30)), "{act}");
			// It is over when the next asks are opened.
			go_to(3, OPENING);
			assert_eq!(pledged(node), Vec::<ModelId>::new(), "{act}");
			go_to(4, 0);
			assert_eq!(counts(node), Vec::<ModelId>::new(), "{act}");
		});
	}
}

#[test]
fn node_should_not_count_when_it_goes_before_asks_are_opened() {
	for (act, go, come_back) in ACTS {
		ExtBuilder::default().build_and_execute(|| {
			let node = live(1, 500, 4);
			go_to(1, OPENING - 1);
			assert_eq!(pledged(node), Vec::<ModelId>::new(), "{act}: nothing is opened");
			go();
			go_to(1, OPENING);
			assert_eq!(pledged(node), Vec::<ModelId>::new(), "{act}");
			go_to(2, 0);
			assert_eq!(counts(node), Vec::<ModelId>::new(), "{act}");
			go_to(2, 1);
			come_back();
			assert_eq!(counts(node), Vec::<ModelId>::new(), "{act}");
			let pledges = Pledges::<Test>::get(node).into_inner();
			assert_eq!(
				pledges,
				[Pledge::<Test>::new(2, &[])],
				"{act}: what is left is of nothing"
			);
		});
	}
}

#[test]
fn node_should_wait_for_the_epoch_after_when_it_comes_while_asks_are_opened() {
	for (act, go, come_back) in ACTS {
		ExtBuilder::default().build_and_execute(|| {
			let node = live(1, 500, 4);
			go_to(1, 1);
			go();
			go_to(1, 8);
			come_back();
			assert_eq!(pledged(node), Vec::<ModelId>::new(), "{act}");
			go_to(2, 0);
			assert!(NodeStaking::eligible(node, 1), "{act}");
			assert_eq!((counts(node), lapsed(node)), (Vec::new(), None), "{act}");
			// Whatever it does, and whenever somebody clears.
			go_to(2, OPENING);
			assert_eq!((pledged(node), counts(node)), (vec![1], Vec::new()), "{act}");
			go_to(3, 0);
			assert_eq!((counts(node), lapsed(node)), (vec![1], None), "{act}");
		});
	}
}

#[test]
fn node_should_not_count_when_its_first_heartbeat_after_silence_comes_in_the_session_of_the_epochs_start() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		pass_sessions(2);
		go_to(1, OPENING);
		assert_eq!(pledged(node), Vec::<ModelId>::new());
		go_to(1, 9);
		pass_sessions(1);
		beat(node, 4);
		go_to(2, 0);
		assert!(NodeStaking::eligible(node, 1));
		assert_eq!(counts(node), Vec::<ModelId>::new());
		go_to(2, 1);
		pass_sessions(1);
		beat(node, 4);
		assert_eq!(counts(node), Vec::<ModelId>::new());
	});
}

#[test]
fn asks_of_the_first_epoch_should_be_opened_by_nobody() {
	ExtBuilder::default().build_and_execute(|| {
		System::set_block_number(0);
		pass_sessions(1);
		assert!(OpeningSessions::<Test>::get().is_empty());
	});
}

#[test]
fn node_should_not_be_pledged_for_what_it_came_for_and_left_while_asks_are_opened() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		go_to(1, OPENING);
		assert_ok!(NodeStaking::host(signed(1), 2));
		assert_ok!(NodeStaking::unhost(signed(1), 2));
		assert_ok!(NodeStaking::unhost(signed(1), 1));
		assert_ok!(NodeStaking::host(signed(1), 3));
		assert_eq!(pledged(node), [1]);
		go_to(2, 0);
		assert_eq!(counts(node), [1]);
		assert_eq!((lapsed(node), NodeStaking::lapsed(node, 3)), (Some(20), None));
	});
}

#[test]
fn node_should_have_lost_nothing_of_the_epoch_when_it_is_back_before() {
	for (act, go, come_back) in ACTS {
		ExtBuilder::default().build_and_execute(|| {
			let node = live(1, 500, 4);
			go_to(1, 8);
			go();
			come_back();
			assert_eq!(pledged(node), [1], "{act}");
			go_to(2, 0);
			assert_eq!((counts(node), lapsed(node)), (vec![1], None), "{act}");
		});
	}
}

#[test]
fn pledge_should_stay_whatever_ends_that_the_node_can_serve() {
	for (end, act) in ends() {
		ExtBuilder::default().build_and_execute(|| {
			let node = live(1, 500, 4);
			go_to(1, 9);
			act();
			go_to(2, 0);
			assert_eq!((counts(node), lapsed(node)), (vec![1], Some(20)), "{end}");
		});
	}
}

#[test]
fn node_should_count_for_nothing_when_it_is_gone() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		go_to(1, 9);
		assert_ok!(NodeStaking::unbond(signed(1), 500));
		pass_sessions(4);
		assert_eq!((counts(node), pledged(node)), (vec![1], vec![1]));
		assert_ok!(NodeStaking::deregister(signed(1)));
		assert_eq!((counts(node), pledged(node)), (Vec::new(), Vec::new()));
		assert!(!Pledges::<Test>::contains_key(node));
		go_to(2, 0);
		assert_eq!(counts(node), Vec::<ModelId>::new());
		assert!(!NodeStaking::eligible_at_start(99, 1), "nor one that never was");
	});
}

#[test]
fn sessions_in_which_asks_began_to_be_opened_should_be_kept_for_two_epochs() {
	ExtBuilder::default().build_and_execute(|| {
		let kept = || OpeningSessions::<Test>::get().into_inner();
		live(1, 500, 4);
		// One that begins with the phase is its own.
		go_to(1, OPENING);
		pass_sessions(1);
		assert!(kept().iter().all(|(of, _)| *of < 2));
		go_to(1, OPENING + 1);
		pass_sessions(2);
		assert_eq!(kept(), [(2, 1)]);
		go_to(2, 5);
		pass_sessions(1);
		assert_eq!(kept(), [(2, 1)]);
		go_to(2, 9);
		pass_sessions(1);
		assert_eq!(kept(), [(2, 1), (3, 4)]);
		// Asks were opened in the one before that which begins with the epoch.
		go_to(4, 0);
		pass_sessions(1);
		assert_eq!(kept(), [(4, 5)]);
	});
}

#[test]
fn node_should_count_as_it_was_when_the_epoch_began_whatever_ends_it() {
	for (end, act) in ends() {
		ExtBuilder::default().build_and_execute(|| {
			let node = live(1, 500, 4);
			go_to(1, 0);
			assert_eq!(was_and_is(node), (true, true), "{end}");
			next_block(0);
			act();
			assert_eq!(was_and_is(node), (true, false), "{end}");
			assert!(!NodeStaking::eligible_at_start(node, 2), "{end}");
			assert_eq!(NodeStaking::lapsed(node, 1), Some(11), "{end}");
			go_to(2, 0);
			assert_eq!(was_and_is(node), (false, false), "{end}");
		});
	}
}

#[test]
fn a_lapse_should_be_known_until_the_epoch_ends_whatever_comes_after() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		assert_ok!(NodeStaking::host(signed(1), 2));
		go_to(1, 0);
		let lapses = || [1, 2, 3].map(|model| NodeStaking::lapsed(node, model));
		assert_eq!(lapses()[..2], [None; 2]);
		// Another model is no lapse of those that it was there for.
		assert_ok!(NodeStaking::host(signed(1), 3));
		assert_eq!(lapses(), [None; 3]);
		next_block(0);
		assert_ok!(NodeStaking::unhost(signed(1), 2));
		assert_ok!(NodeStaking::host(signed(1), 2));
		assert_eq!(lapses(), [None, Some(11), None]);
		next_block(0);
		assert_ok!(NodeStaking::chill(signed(1)));
		next_block(0);
		assert_ok!(NodeStaking::resume(signed(1)));
		// Of model 3 it was not eligible when the epoch began.
		assert_eq!(lapses(), [Some(12), Some(11), None]);
		assert_eq!(kept(node), Some(vec![1, 2]));
		go_to(2, 0);
		assert_eq!(lapses(), [None; 3]);
	});
}

#[test]
fn node_should_count_for_nothing_when_it_came_after_the_epoch_began() {
	ExtBuilder::default().build_and_execute(|| {
		go_to(1, 0);
		next_block(0);
		let node = live(1, 500, 4);
		assert_eq!(was_and_is(node), (false, true));
		assert_eq!(kept(node), Some(vec![]));
		go_to(2, 0);
		assert_eq!(was_and_is(node), (true, true));
		// In the very first block it is too late already.
		let late = live(2, 500, 4);
		assert_eq!(was_and_is(late), (false, true));
	});
}

#[test]
fn what_begins_after_the_epoch_should_count_in_the_next_one() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		assert_ok!(NodeStaking::chill(signed(1)));
		go_to(1, 0);
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_eq!(was_and_is(node), (false, true));
		// Again and again.
		for _ in 0..3 {
			next_block(0);
			assert_ok!(NodeStaking::chill(signed(1)));
			assert_eq!(was_and_is(node), (false, false));
			assert_ok!(NodeStaking::resume(signed(1)));
			assert_eq!(was_and_is(node), (false, true));
		}
		assert_ok!(NodeStaking::host(signed(1), 2));
		assert!(!NodeStaking::eligible_at_start(node, 2) && NodeStaking::eligible(node, 2));
		go_to(2, 0);
		assert!(NodeStaking::eligible_at_start(node, 1) && NodeStaking::eligible_at_start(node, 2));
		// Not what the node has hosted since.
		assert_ok!(NodeStaking::host(signed(1), 3));
		assert!(!NodeStaking::eligible_at_start(node, 3));
		assert_eq!(kept(node), Some(vec![1, 2]));
	});
}

#[test]
fn bond_should_count_from_the_next_epoch_when_it_makes_the_least_one_full() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 150, 4);
		assert_eq!(NodeStaking::fine(node, 60, &20), 60);
		go_to(1, 0);
		assert_ok!(NodeStaking::bond_extra(signed(1), 100));
		assert_eq!(was_and_is(node), (false, true));
	});
}

#[test]
fn heartbeats_should_run_out_by_the_session_of_the_epochs_first_block() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		pass_sessions(1);
		go_to(1, 0);
		// One is missed: the next may still come. It does not, while the epoch lasts.
		assert_eq!(was_and_is(node), (true, true));
		next_block(1);
		assert_eq!(was_and_is(node), (true, false));
		assert_eq!(kept(node), None, "time writes nothing");
		next_block(3);
		assert_eq!(was_and_is(node), (true, false));
		// It is back, but was not when this epoch began.
		go_to(2, 0);
		assert_eq!(was_and_is(node), (false, false));
		next_block(0);
		beat(node, 4);
		assert_eq!(was_and_is(node), (false, true));
		next_block(1);
		assert_eq!(was_and_is(node), (false, true));
	});
}

#[test]
fn silence_should_leave_no_lapse_when_a_heartbeat_ends_it_before_the_epoch_is_over() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		go_to(1, 0);
		next_block(2);
		assert_eq!(lapsed(node), Some(11));
		next_block(0);
		assert_eq!(lapsed(node), Some(12), "it is silent still");
		// What has to do with another model says nothing of it.
		assert_ok!(NodeStaking::host(signed(1), 2));
		assert_eq!(lapsed(node), Some(12));
		next_block(0);
		beat(node, 4);
		assert_eq!((counts(node), lapsed(node)), (vec![1], None));
	});
}

#[test]
fn session_that_begins_with_the_epoch_should_be_the_epochs_own() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		pass_sessions(1);
		System::set_block_number(MarketEpoch::get() - 1);
		next_block(1);
		// Two are missed in the first block: its pledge has it count.
		assert_eq!(was_and_is(node), (true, false));
		assert_eq!(NodeStaking::lapsed(node, 1), Some(MarketEpoch::get()));
		next_block(1);
		assert_eq!(FirstSession::<Test>::get(), Some((1, 2)));
		next_block(1);
		assert_eq!(FirstSession::<Test>::get(), Some((1, 2)), "kept once an epoch");
		go_to(5, 0);
		next_block(1);
		assert_eq!(FirstSession::<Test>::get(), Some((5, 4)));
	});
}

#[test]
fn nothing_should_be_written_when_nothing_that_decides_changes() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		let written = Pledges::<Test>::get(node);
		for epoch in 1..4 {
			go_to(epoch, 0);
			for _ in 0..2 {
				next_block(1);
				beat(node, 3);
			}
			assert_ok!(NodeStaking::reserve(node, 10));
			NodeStaking::free_slot(node);
			NodeStaking::release(node, 10);
			NodeStaking::note_outcome(node, false, Perbill::one());
			assert_ok!(NodeStaking::bond_extra(signed(1), 100));
			assert_ok!(NodeStaking::unbond(signed(1), 100));
			assert_eq!(NodeStaking::fine(node, 10, &20), 10);
			assert_ok!(NodeStaking::update_node(signed(1), description(1), None));
			assert_eq!((kept(node), Pledges::<Test>::get(node)), (None, written.clone()));
			assert!(NodeStaking::eligible_at_start(node, 1));
		}
	});
}

#[test]
fn first_change_should_be_written_once_and_no_other_one() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		go_to(1, 0);
		next_block(0);
		assert_ok!(NodeStaking::unhost(signed(1), 1));
		assert_eq!(kept(node), Some(vec![1]));
		assert_ok!(NodeStaking::host(signed(1), 3));
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_eq!(kept(node), Some(vec![1]));
		go_to(2, 0);
		assert_eq!(kept(node), None, "what is left of the epoch before says nothing");
		assert!(!NodeStaking::eligible_at_start(node, 1), "it is chilled");
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_eq!(kept(node), Some(vec![]));
	});
}

/// What may change for which models a node is eligible, and what does not.
#[derive(Clone, Debug)]
enum Step {
	/// Another block, before which so many sessions ended.
	Block(u32),
	Register(AccountId, Balance),
	Leave(AccountId),
	Heartbeat(NodeId, bool, bool),
	Chill(AccountId),
	Resume(AccountId),
	Host(AccountId, ModelId),
	Unhost(AccountId, ModelId),
	BondExtra(AccountId, Balance),
	Unbond(AccountId, Balance),
	Slash(NodeId, Balance),
	Fine(NodeId, Balance),
	Offence(AccountId, u32),
}

/// Models that the steps are about.
const FEW: ModelId = 4;

fn step() -> impl Strategy<Value = Step> {
	let who = || 1..=3u64;
	let node = || 0..4u32;
	let amount = || 0..400u128;
	prop_oneof![
		12 => prop_oneof![6 => Just(0u32), 4 => Just(1), 1 => Just(2), 1 => 3..7u32].prop_map(Step::Block),
		2 => (who(), 100..900u128).prop_map(|(a, b)| Step::Register(a, b)),
		1 => who().prop_map(Step::Leave),
		6 => (node(), prop::bool::weighted(0.8), prop::bool::weighted(0.9)).prop_map(|(a, b, c)| Step::Heartbeat(a, b, c)),
		2 => who().prop_map(Step::Chill),
		3 => who().prop_map(Step::Resume),
		4 => (who(), 0..FEW).prop_map(|(a, b)| Step::Host(a, b)),
		2 => (who(), 0..FEW).prop_map(|(a, b)| Step::Unhost(a, b)),
		3 => (who(), amount()).prop_map(|(a, b)| Step::BondExtra(a, b)),
		2 => (who(), amount()).prop_map(|(a, b)| Step::Unbond(a, b)),
		1 => (node(), amount()).prop_map(|(a, b)| Step::Slash(a, b)),
		2 => (node(), amount()).prop_map(|(a, b)| Step::Fine(a, b)),
		1 => (who(), 0..=100u32).prop_map(|(a, b)| Step::Offence(a, b)),
	]
}

/// Where slashes and fines go; it has coins from the start.
const MARKET: AccountId = 19;

fn take(step: Step) {
	use frame_support::traits::UnfilteredDispatchable;
	// As a block does it: what fails leaves nothing behind.
	let call = |who, call: Call<Test>| {
		let _ = call.dispatch_bypass_filter(signed(who));
	};
	match step {
		Step::Block(sessions) => next_block(sessions),
		Step::Register(who, bond) => call(
			who,
			Call::register {
				description: description(who),
				bond,
				proof: proof(who, who),
			},
		),
		Step::Leave(who) => {
			if let Some(node) = NodeStaking::node_of(&who) {
				call(
					who,
					Call::unbond {
						amount: record(node).bond,
					},
				);
				call(who, Call::withdraw_unbonded {});
				call(who, Call::deregister {});
			}
		}
		Step::Heartbeat(node, healthy, able) => {
			// What the pool and the block let in.
			if NodeStaking::heartbeat_due(node) {
				May::set((u16::MAX, able));
				let session = NodeStaking::current_session();
				assert_ok!(NodeStaking::do_heartbeat(node, session, healthy, 4));
			}
		}
		Step::Chill(who) => call(who, Call::chill {}),
		Step::Resume(who) => call(who, Call::resume {}),
		Step::Host(who, model) => call(who, Call::host { model }),
		Step::Unhost(who, model) => call(who, Call::unhost { model }),
		Step::BondExtra(who, amount) => call(who, Call::bond_extra { amount }),
		Step::Unbond(who, amount) => call(who, Call::unbond { amount }),
		Step::Slash(node, amount) => {
			if NodeStaking::secure(node, amount).is_ok() {
				NodeStaking::slash(node, amount, &MARKET);
			}
		}
		Step::Fine(node, amount) => {
			NodeStaking::fine(node, amount, &MARKET);
		}
		Step::Offence(who, share) => report(&[who], percent(share), NodeStaking::current_session()),
	}
}

/// Every node and model for which it is eligible now.
fn eligible_now() -> BTreeSet<(NodeId, ModelId)> {
	(0..NextNodeId::<Test>::get())
		.flat_map(|node| (0..FEW).map(move |model| (node, model)))
		.filter(|(node, model)| NodeStaking::eligible(*node, *model))
		.collect()
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

	#[test]
	fn start_should_be_what_was_there_when_asks_began_to_be_opened(
		length in 3..9u32,
		steps in prop::collection::vec(step(), 1..150),
	) {
		ExtBuilder::default().node(1, 500, 4).node(2, 500, 4).build_and_execute(|| {
			MarketEpoch::set(length);
			// Genesis nodes host nothing in block 0.
			let mut at_start = BTreeSet::new();
			let mut pledged = BTreeMap::<EpochIndex, BTreeSet<(NodeId, ModelId)>>::new();
			let mut written = BTreeMap::<NodeId, Vec<Pledge<Test>>>::new();
			for step in steps {
				let shown = format!("{step:?}");
				let begins = matches!(step, Step::Block(_));
				take(step);
				let (epoch, block) = (System::block_number() / length, System::block_number() % length);
				let opens = length - length / 3;
				if begins && block == 0 {
					at_start = eligible_now();
				}
				if begins && block == opens {
					pledged.insert(epoch + 1, eligible_now());
				}
				let had_pledged = |of: EpochIndex, key: &(NodeId, ModelId)| {
					pledged.get(&of).is_some_and(|pledged| pledged.contains(key))
				};
				for node in 0..NextNodeId::<Test>::get() + 1 {
					let is_there = Nodes::<Test>::contains_key(node);
					for model in 0..FEW {
						let key = &(node, model);
						let (was, had_to_be) = (at_start.contains(key), had_pledged(epoch, key));
						assert_eq!(
							NodeStaking::eligible_at_start(node, model),
							is_there && had_to_be,
							"node {node}, model {model} after {shown}"
						);
						assert_eq!(
							NodeStaking::pledged(node, model),
							is_there && block >= opens && had_pledged(epoch + 1, key),
							"node {node}, model {model} after {shown}"
						);
						let (serves, lapsed) = (NodeStaking::eligible(node, model), NodeStaking::lapsed(node, model));
						assert!(serves || lapsed.is_some());
						if is_there && had_to_be && !was {
							assert_eq!(lapsed, Some(epoch * length));
						}
					}
					// Written once, and kept until the epoch is over; lapses are added.
					let now = Pledges::<Test>::get(node).into_inner();
					for before in written.insert(node, now.clone()).unwrap_or_default() {
						let after = now.iter().find(|pledge| pledge.epoch == before.epoch);
						let is_kept = after.is_some_and(|after| {
							after.models == before.models && after.lapsed.starts_with(&before.lapsed)
						});
						let is_over = before.epoch < epoch || !is_there;
						assert!(is_kept || is_over, "{before:?} became {now:?} after {shown}");
					}
				}
				NodeStaking::do_try_state().unwrap_or_else(|error| panic!("{error:?} after {shown}"));
			}
		});
	}
}
