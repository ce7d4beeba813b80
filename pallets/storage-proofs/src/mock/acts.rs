//! What tests do and look at.

use super::*;
use crate::{Challenge, Challenges, Due, Event, Forgets, Pallet};
use frame_support::{traits::Hooks, weights::Weight};
use highway_primitives::{worker::WorkerPair, ModelId, NodeId};
use sp_core::Pair;

pub fn check() {
	Pallet::<Test>::do_try_state().unwrap();
	let books = Accounts::get();
	let waiting: Balance = books.pay.values().sum();
	let paid: Balance = books.paid.values().sum();
	assert_eq!(
		books.earned,
		waiting + paid + books.forfeited,
		"money came into being or went"
	);
	assert_eq!(books.pot, 0, "a fine is taken that nobody divided");
}

pub fn now() -> BlockNumber {
	System::block_number()
}

/// The next block. Returns what its beginning took.
pub fn step() -> Weight {
	System::set_block_number(now() + 1);
	StorageProofs::on_initialize(now())
}

pub fn go(blocks: BlockNumber) {
	for _ in 0..blocks {
		step();
	}
}

pub fn go_to(block: BlockNumber) {
	go(block - now());
}

/// Goes to that block through those alone in which something is to be forgotten; nothing is drawn or due meanwhile.
pub fn skip_to(block: BlockNumber) {
	assert!(Stored::get().is_empty() && Due::<Test>::iter().count() == 0);
	let mut stops: Vec<_> = Forgets::<Test>::iter_keys()
		.filter(|at| (now() + 1..block).contains(at))
		.collect();
	stops.sort_unstable();
	stops.push(block);
	for stop in stops {
		System::set_block_number(stop - 1);
		step();
	}
}

pub fn key(node: NodeId) -> WorkerPair {
	WorkerPair::from_seed(&[node as u8 + 1; 32])
}

pub fn challenge(node: NodeId, model: ModelId) -> Challenge {
	Challenges::<Test>::get(node, model).unwrap()
}

pub fn is_challenged(node: NodeId, model: ModelId) -> bool {
	Challenges::<Test>::contains_key(node, model)
}

/// Goes on until the node is challenged to show the model. Others answer meanwhile.
pub fn draw(node: NodeId, model: ModelId) -> Challenge {
	for _ in 0..1_000 {
		step();
		for (other, _) in Fleet::get() {
			for (stored, _) in StorageProofs::tasks_of(other) {
				if (other, stored) != (node, model) {
					accept(&prove(other, stored));
				}
			}
		}
		if is_challenged(node, model) {
			return challenge(node, model);
		}
	}
	panic!("node {node} is never challenged");
}

/// Goes on until the node's challenge is over; others answer theirs.
pub fn miss(node: NodeId, model: ModelId) {
	let until = draw(node, model).until;
	// No other pair is drawn while the time runs out.
	let stored = Stored::take();
	go_to(until + 1);
	Stored::set(stored);
	assert!(!is_challenged(node, model));
}

/// Somebody shows the model's present artefact: the node, when it is challenged the next time.
pub fn show(node: NodeId, model: ModelId) {
	draw(node, model);
	accept(&prove(node, model));
}

pub fn events() -> Vec<Event<Test>> {
	System::read_events_for_pallet::<Event<Test>>()
}

/// What became of the challenge that ended last.
pub fn last_end() -> Option<Event<Test>> {
	let ended = |event: &Event<Test>| !matches!(event, Event::Challenged { .. });
	events().into_iter().rev().find(ended)
}
