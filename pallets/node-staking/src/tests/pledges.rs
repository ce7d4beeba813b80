//! Who could serve when asks began to be opened counts in the next market epoch, whatever it does, and has lapsed if it is not
//! there when that begins. Nobody else counts in it.

use super::*;
use highway_primitives::{BlockNumber, EpochIndex, ModelId};

/// Goes to this block of a market epoch of ten, of which the last three are for opening asks.
fn go_to(epoch: EpochIndex, block: BlockNumber) {
	System::set_block_number(epoch * MarketEpoch::get() + block);
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
			assert!(!Pledges::<Test>::contains_key(node), "{act}");
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
fn slash_should_leave_a_pledge_as_a_nodes_own_will_does() {
	let slashes: [fn(); 3] = [
		|| {
			assert_ok!(NodeStaking::secure(0, 450));
			assert_eq!(NodeStaking::slash(0, 450, &20), 450);
		},
		|| assert_eq!(NodeStaking::fine(0, 450, &20), 450),
		|| report(&[1], percent(90), NodeStaking::current_session()),
	];
	for slash in slashes {
		ExtBuilder::default().build_and_execute(|| {
			let node = live(1, 500, 4);
			go_to(1, 9);
			slash();
			go_to(2, 0);
			assert_eq!((counts(node), lapsed(node)), (vec![1], Some(20)));
		});
	}
}

#[test]
fn node_should_not_be_pledged_for_anything_when_it_is_gone() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		go_to(1, 9);
		assert_ok!(NodeStaking::unbond(signed(1), 500));
		pass_sessions(4);
		assert_eq!(pledged(node), [1]);
		assert_ok!(NodeStaking::deregister(signed(1)));
		assert_eq!(pledged(node), Vec::<ModelId>::new());
		assert!(!Pledges::<Test>::contains_key(node));
		go_to(2, 0);
		assert_eq!(counts(node), Vec::<ModelId>::new());
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
