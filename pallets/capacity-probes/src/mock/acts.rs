//! What tests do and look at.

use super::*;
use crate::{Answers, Event, Measurement, Measurements, Pallet};
use frame_support::traits::Hooks;
use highway_primitives::{
	probe,
	traits::{Allowed, Capacity},
	worker::WorkerPair,
	ProbeSeed, ProbeTask,
};

pub fn check() {
	Pallet::<Test>::do_try_state().unwrap();
}

pub fn now() -> BlockNumber {
	System::block_number()
}

pub fn go_to(block: BlockNumber) {
	while now() < block {
		System::set_block_number(now() + 1);
		CapacityProbes::on_initialize(now());
	}
}

pub fn go(blocks: BlockNumber) {
	go_to(now() + blocks);
}

/// Goes on until a further round opens.
pub fn next_round() {
	let rounds = crate::Rounds::<Test>::get();
	while crate::Rounds::<Test>::get() == rounds {
		go(1);
	}
}

/// Goes to the block after the last one in which the round counts.
pub fn end_round() {
	go_to(round().proofs_until() + 1);
}

pub fn round() -> crate::RoundRecord {
	crate::Round::<Test>::get().unwrap()
}

pub fn operator(node: NodeId) -> AccountId {
	100 + AccountId::from(node)
}

pub fn key(node: NodeId) -> WorkerPair {
	WorkerPair::from_seed(&[node as u8 + 1; 32])
}

/// A CPU's heartbeat.
pub fn beat(node: NodeId) -> Allowed {
	beat_as(node, DeviceClass::CpuX86)
}

pub fn beat_as(node: NodeId, device: DeviceClass) -> Allowed {
	<CapacityProbes as Capacity>::settle(node, device)
}

pub fn known(node: NodeId) -> Measurement {
	Measurements::<Test>::get(node).unwrap()
}

pub fn task(node: NodeId) -> Option<ProbeTask> {
	CapacityProbes::task_of(node)
}

pub fn paid_to(node: NodeId) -> Balance {
	Balances::free_balance(operator(node)) - ED
}

pub fn events() -> Vec<Event<Test>> {
	System::read_events_for_pallet::<Event<Test>>()
}

/// The first rows of the node's probe, as the model gives them.
pub fn computed(seed: &ProbeSeed, node: NodeId, rows: u32) -> Vec<u8> {
	let matrix = probe::matrix();
	(0..rows)
		.flat_map(|row| probe::run(&matrix, probe::first_row(seed, node, row)))
		.collect()
}

/// The node answers with this, waits for the draw, and proves.
pub fn say(node: NodeId, blob: &[u8]) {
	accept(&answer(node, blob));
	go(3);
	accept(&prove(node, blob));
}

/// The node computes so many rows, honestly.
pub fn compute(node: NodeId, rows: u32) {
	say(node, &computed(&round().seed, node, rows));
}

/// Answers that wait for their proof.
pub fn open_answers() -> usize {
	Answers::<Test>::iter().count()
}
