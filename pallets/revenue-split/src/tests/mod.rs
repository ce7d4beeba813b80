//! One file per theme; what they share is here.

mod asks;
mod audits;
mod claims;
mod clearings;
mod conservation;
mod curators;
mod prices;
mod settlements;

use crate::{mock::*, AskRole, Event, Pallet};
use frame_support::traits::fungible::{Inspect, Mutate};
use highway_primitives::{
	market::{BillLine, Deal},
	traits::Market,
	Balance, EpochIndex, JobId, ModelId, NodeId, RoyaltyLine,
};

pub(crate) type Split = Pallet<Test>;

pub(crate) const MIB: u64 = 1024 * 1024;

/// Registers a node that hosts `model` and can take jobs. Its operator is 1000 + its id and can pay for two asks.
pub(crate) fn host(node: NodeId, model: ModelId) -> AccountId {
	let mut nodes = TestNodes::get();
	let operator = operator_of(node);
	let entry = nodes.entry(node).or_insert(TestNode {
		operator,
		hosts: Default::default(),
		weight: 1,
	});
	entry.hosts.insert(model);
	TestNodes::set(nodes);
	if Balances::total_balance(&operator) == 0 {
		Balances::set_balance(&operator, ED + 2 * ASK_DEPOSIT);
	}
	operator
}

pub(crate) fn operator_of(node: NodeId) -> AccountId {
	1000 + AccountId::from(node)
}

/// The node leaves for good.
pub(crate) fn leave(node: NodeId) {
	TestNodes::mutate(|nodes| nodes.remove(&node));
}

/// The node cannot take jobs for now.
pub(crate) fn fall_silent(node: NodeId) {
	TestNodes::mutate(|nodes| nodes.get_mut(&node).unwrap().weight = 0);
}

/// A node that hosts the model and asks.
pub(crate) fn ask(node: NodeId, role: AskRole, price: Balance) {
	let operator = host(node, MODEL);
	Split::post_ask(RuntimeOrigin::signed(operator), MODEL, role, price).unwrap();
}

pub(crate) fn royalty(model: ModelId, payee: AccountId, per_unit: Balance) -> RoyaltyLine<AccountId> {
	RoyaltyLine { model, payee, per_unit }
}

pub(crate) fn go_to_epoch(epoch: EpochIndex) {
	System::set_block_number(epoch * EPOCH);
}

/// Two executors at 10 and 20, storage at 3, a maker's royalty of 5 and a parent's of 2, in epoch 1.
pub(crate) fn market_with_all_roles() {
	TestRoyalties::set(vec![royalty(MODEL, 50, 5), royalty(3, 51, 2)]);
	ask(1, AskRole::Compute, 10);
	ask(2, AskRole::Compute, 20);
	ask(3, AskRole::Storage, 3);
	go_to_epoch(1);
}

pub(crate) fn open(job: JobId, units: u32, input_size: u64) -> Deal<AccountId> {
	Split::open(job, MODEL, units, input_size, DETECTION, None, [job as u8; 32]).unwrap()
}

pub(crate) fn open_and_escrow(job: JobId, units: u32, input_size: u64) -> Deal<AccountId> {
	let deal = open(job, units, input_size);
	Split::escrow(&PAYER, &deal).unwrap();
	deal
}

/// What a slash or a fine moved into the pot.
pub(crate) fn slash_arrives(amount: Balance) {
	Balances::mint_into(&Split::slash_account(), amount).unwrap();
}

pub(crate) fn sum(lines: &[BillLine<AccountId>]) -> Balance {
	lines.iter().map(|line| line.amount).sum()
}

pub(crate) fn pot_balance() -> Balance {
	Balances::free_balance(Split::pot_account())
}

pub(crate) fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::RevenueSplit(event) => Some(event),
			_ => None,
		})
		.collect()
}
