//! One file per theme; what they share is here.

mod asks;
mod auctions;
mod audits;
mod authorization;
mod claims;
mod clearings;
mod commitments;
mod conservation;
mod curators;
mod demand;
mod incentives;
mod pledges;
mod prices;
mod random_market;
mod settlements;
mod storage;
mod summaries;

use crate::{mock::*, AskRole, Event, Pallet};
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Hooks,
};
use highway_primitives::{
	market::{ask_commitment, AskCommitment, AskReveal, BillLine, Deal, Order},
	traits::Market,
	Balance, EpochIndex, JobId, ModelId, NodeId, RoyaltyLine,
};
use sp_runtime::DispatchResult;

pub(crate) type Split = Pallet<Test>;

pub(crate) const MIB: u64 = 1024 * 1024;

/// What every node bonds: enough to secure a job at any price.
pub(crate) const NODE_BOND: Balance = 1 << 80;

/// Registers a node that hosts `model` and can take jobs, from the next epoch's start on. Its operator is 1000 + its id.
pub(crate) fn host(node: NodeId, model: ModelId) -> AccountId {
	let operator = operator_of(node);
	let mut record = TestNodes::get(node).unwrap_or_else(|| {
		Balances::mint_into(&operator, ED + NODE_BOND).unwrap();
		TestNode {
			operator,
			hosts: Vec::new(),
			able: true,
			at_start: Vec::new(),
			pledge: Default::default(),
			lapsed: None,
			bond: NODE_BOND,
			reserved: 0,
			unsecured: 0,
		}
	});
	if !record.hosts.contains(&model) {
		record.hosts.push(model);
	}
	TestNodes::insert(node, record);
	operator
}

/// The node serves nothing any more.
pub(crate) fn unhost(node: NodeId) {
	with_node(node, |node| {
		node.hosts.clear();
		node.lapsed.get_or_insert(System::block_number());
	});
}

/// The node ends its asks and leaves for good.
pub(crate) fn leave(node: NodeId) {
	with_node(node, |node| node.hosts.clear());
	let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
	let record = TestNodes::take(node).unwrap();
	assert_eq!(
		record.reserved + record.unsecured,
		0,
		"a node goes only when nothing of it is reserved"
	);
}

/// The node cannot take jobs for now.
pub(crate) fn fall_silent(node: NodeId) {
	with_node(node, |node| {
		node.able = false;
		node.lapsed.get_or_insert(System::block_number());
	});
}

/// A node that hosts the model and asks from the next epoch on, as if it had committed and revealed.
pub(crate) fn ask(node: NodeId, role: AskRole, price: Balance) {
	host(node, MODEL);
	secure(node, BOND);
	Split::place_ask(node, MODEL, role, price, BOND);
}

/// As if the node had committed to withdraw its ask, and revealed that.
pub(crate) fn withdraw(node: NodeId, role: AskRole) {
	secure(node, BOND);
	Split::withdraw_ask(node, MODEL, role, BOND);
}

pub(crate) fn salt(node: NodeId) -> [u8; 32] {
	[node as u8; 32]
}

/// The node's commitment for the next epoch.
pub(crate) fn commitment(node: NodeId, role: AskRole, price: Option<Balance>) -> AskCommitment {
	let epoch = Split::current_epoch() + 1;
	AskCommitment {
		model: MODEL,
		role,
		hash: ask_commitment(node, epoch, MODEL, role, price, &salt(node)),
	}
}

/// What opens it.
pub(crate) fn opening(node: NodeId, role: AskRole, price: Option<Balance>) -> AskReveal {
	AskReveal {
		model: MODEL,
		role,
		price,
		salt: salt(node),
	}
}

/// The node's operator commits.
pub(crate) fn commit(node: NodeId, role: AskRole, price: Option<Balance>) -> DispatchResult {
	let AskCommitment { model, role, hash } = commitment(node, role, price);
	Split::commit_ask(RuntimeOrigin::signed(operator_of(node)), model, role, hash)
}

/// The node's operator reveals.
pub(crate) fn reveal(node: NodeId, role: AskRole, price: Option<Balance>) -> DispatchResult {
	Split::reveal_ask(RuntimeOrigin::signed(operator_of(node)), MODEL, role, price, salt(node))
}

pub(crate) fn royalty(model: ModelId, payee: AccountId, per_unit: Balance) -> RoyaltyLine<AccountId> {
	RoyaltyLine { model, payee, per_unit }
}

/// Goes to a block, not before this one, by way of the first block of its epoch, and of the first one in which asks are revealed.
pub(crate) fn go_to(block: u32) {
	let epoch = block / EPOCH;
	if epoch > Split::current_epoch() {
		System::set_block_number(epoch * EPOCH);
		note_epoch_start();
		Split::on_initialize(epoch * EPOCH);
	}
	let opening = epoch * EPOCH + FIRST_REVEAL;
	if (System::block_number() + 1..=block).contains(&opening) {
		note_opening(epoch + 1);
	}
	System::set_block_number(block);
}

pub(crate) fn go_to_epoch(epoch: EpochIndex) {
	go_to(epoch * EPOCH);
}

/// Goes to the first block of this epoch in which asks are revealed.
pub(crate) fn go_to_reveals() {
	go_to(Split::current_epoch() * EPOCH + FIRST_REVEAL);
}

/// Two executors at 5 and 10, so that the price is 10, storage at 3, a maker's royalty of 5 and a parent's of 2, in epoch 1.
pub(crate) fn market_with_all_roles() {
	TestRoyalties::set(vec![royalty(MODEL, 50, 5), royalty(3, 51, 2)]);
	ask(1, AskRole::Compute, 5);
	ask(2, AskRole::Compute, 10);
	ask(3, AskRole::Storage, 3);
	go_to_epoch(1);
}

/// A job of the payer, without curator.
pub(crate) fn order(units: u32, input_size: u64) -> Order<'static, AccountId> {
	Order {
		model: MODEL,
		units,
		input_size,
		detection: DETECTION,
		payer: &PAYER,
		curator: None,
		weaver: None,
		seed: [0; 32],
	}
}

pub(crate) fn open(job: JobId, units: u32, input_size: u64) -> Deal<AccountId> {
	let order = Order {
		seed: [job as u8; 32],
		..order(units, input_size)
	};
	Split::open(job, &order).unwrap()
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

/// What waits for the proof that the node has the model.
pub(crate) fn pending(node: NodeId) -> Balance {
	let pending = Split::pending_storage_pay(&operator_of(node));
	pending.into_iter().map(|(_, amount, _)| amount).sum()
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
