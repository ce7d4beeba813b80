//! The other pallets, as far as this one sees them.

use super::*;
use crate::Artefacts;
use frame_support::parameter_types;
use highway_primitives::{
	audit::{DrawnJudge, SketchSeed},
	market::{BillLines, Deal, Order, Settlement},
	traits::{Market, Nodes, StorageMarket},
	BlobRef, DeviceClass, JobId, ModelId, NodeId, WorkerId,
};
use sp_core::Pair;
use sp_runtime::{DispatchError, DispatchResult, Perbill};
use std::collections::{BTreeMap, BTreeSet};

/// Own bond of every node at the start.
pub const BOND: Balance = 1_000;
pub const POT: AccountId = 777;

#[derive(Clone)]
pub struct MockNode {
	pub worker: WorkerId,
	pub hosts: BTreeSet<ModelId>,
	pub able: bool,
	/// Own bond that is not reserved.
	pub bond: Balance,
	/// Failures that were noted.
	pub failures: u32,
}

/// Where the money of the market is.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Books {
	/// All that was ever to be earned by storing.
	pub earned: Balance,
	/// Of it, what waits for a proof.
	pub pay: BTreeMap<(NodeId, ModelId), Balance>,
	pub paid: BTreeMap<NodeId, Balance>,
	pub forfeited: Balance,
	/// Taken of bonds, and not divided yet.
	pub pot: Balance,
	pub fines: Balance,
}

parameter_types! {
	/// Who is not in it does not exist.
	pub static Fleet: BTreeMap<NodeId, MockNode> = BTreeMap::new();
	/// The version of each model; which is not in it does not exist.
	pub static Versions: BTreeMap<ModelId, u32> = BTreeMap::new();
	/// The stored models, and who stores them.
	pub static Stored: Vec<(ModelId, Vec<NodeId>)> = Vec::new();
	pub static Accounts: Books = Books::default();
	/// Whose asks for what ended by misses, in order.
	pub static LostAsks: Vec<(NodeId, ModelId)> = Vec::new();
}

pub fn reset_parties() {
	Fleet::set(BTreeMap::new());
	Versions::set(BTreeMap::new());
	Stored::set(Vec::new());
	Accounts::set(Books::default());
	LostAsks::set(Vec::new());
}

/// The file of a version: five chunks, the last one short.
pub fn file(model: ModelId, version: u32) -> Vec<u8> {
	(0..4_500u32)
		.map(|at| (at / 7 + model * 31 + version * 101) as u8)
		.collect()
}

pub fn artefact(model: ModelId) -> Option<BlobRef> {
	let version = *Versions::get().get(&model)?;
	Some(BlobRef::of(&file(model, version)))
}

/// The model is registered, and these nodes, which may be new, host it and are paid for storing it.
pub fn store(model: ModelId, nodes: &[NodeId]) {
	Versions::mutate(|versions| versions.entry(model).or_insert(1).to_owned());
	for node in nodes {
		Fleet::mutate(|fleet| {
			let node = fleet.entry(*node).or_insert_with(|| MockNode {
				worker: key(*node).public(),
				hosts: BTreeSet::new(),
				able: true,
				bond: BOND,
				failures: 0,
			});
			node.hosts.insert(model);
		});
	}
	Stored::mutate(|stored| {
		stored.retain(|(other, _)| *other != model);
		stored.push((model, nodes.to_vec()));
	});
}

/// Nobody is paid for storing anything any more.
pub fn drop_records() {
	Stored::set(Vec::new());
}

pub fn publish(model: ModelId) {
	Versions::mutate(|versions| *versions.get_mut(&model).unwrap() += 1);
}

pub fn remove_model(model: ModelId) {
	Versions::mutate(|versions| versions.remove(&model));
}

pub fn change_node(node: NodeId, change: impl FnOnce(&mut MockNode)) {
	Fleet::mutate(|fleet| change(fleet.get_mut(&node).unwrap()));
}

pub fn leave(node: NodeId) {
	Fleet::mutate(|fleet| fleet.remove(&node));
}

/// A job is settled, and its line for storage waits for a proof.
pub fn earn(node: NodeId, model: ModelId, amount: Balance) {
	Accounts::mutate(|books| {
		books.earned += amount;
		*books.pay.entry((node, model)).or_default() += amount;
	});
}

pub fn waiting(node: NodeId, model: ModelId) -> Balance {
	Accounts::get().pay.get(&(node, model)).copied().unwrap_or_default()
}

pub fn paid_to(node: NodeId) -> Balance {
	Accounts::get().paid.get(&node).copied().unwrap_or_default()
}

pub fn bond(node: NodeId) -> Balance {
	Fleet::get()[&node].bond
}

pub struct Registry;
impl Artefacts for Registry {
	fn artefact(model: ModelId) -> Option<BlobRef> {
		artefact(model)
	}
}

pub struct TestNodes;
impl Nodes<AccountId> for TestNodes {
	fn operator(node: NodeId) -> Option<AccountId> {
		Fleet::get().contains_key(&node).then(|| 100 + AccountId::from(node))
	}
	fn node_of(_: &AccountId) -> Option<NodeId> {
		None
	}
	fn worker(node: NodeId) -> Option<WorkerId> {
		Some(Fleet::get().get(&node)?.worker.clone())
	}
	fn hosts(node: NodeId, model: ModelId) -> bool {
		Fleet::get().get(&node).is_some_and(|node| node.hosts.contains(&model))
	}
	fn eligible(node: NodeId, model: ModelId) -> bool {
		Self::hosts(node, model) && Fleet::get()[&node].able
	}
	fn eligible_at_start(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn pledged(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn lapsed(_: NodeId, _: ModelId) -> Option<BlockNumber> {
		None
	}
	fn own_bond(_: NodeId) -> Balance {
		0
	}
	fn free_bond(_: NodeId) -> Balance {
		0
	}
	fn draw_weight(_: NodeId, _: ModelId, _: Balance) -> u64 {
		0
	}
	fn reserve(_: NodeId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn free_slot(_: NodeId) {}
	fn secure(_: NodeId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn release(_: NodeId, _: Balance) {}
	fn slash(_: NodeId, _: Balance, _: &AccountId) -> Balance {
		0
	}
	fn fine(node: NodeId, amount: Balance, to: &AccountId) -> Balance {
		assert_eq!(*to, POT);
		let taken = Fleet::mutate(|fleet| {
			let Some(node) = fleet.get_mut(&node) else { return 0 };
			let taken = amount.min(node.bond);
			node.bond -= taken;
			taken
		});
		Accounts::mutate(|books| books.pot += taken);
		taken
	}
	fn device(_: NodeId) -> Option<DeviceClass> {
		None
	}
	fn declared_slots(_: NodeId) -> u16 {
		0
	}
	fn draw_judge(_: &SketchSeed, _: Balance, _: &[AccountId], _: Option<DeviceClass>) -> DrawnJudge {
		DrawnJudge::default()
	}
	fn active_operators() -> u32 {
		0
	}
	fn note_outcome(node: NodeId, success: bool, weight: Perbill) {
		assert!(!success && !weight.is_zero());
		Fleet::mutate(|fleet| {
			if let Some(node) = fleet.get_mut(&node) {
				node.failures += 1;
			}
		});
	}
}

pub struct TestMarket;

impl StorageMarket for TestMarket {
	fn stored_models() -> u32 {
		Stored::get().len() as u32
	}
	fn stored_model(index: u32) -> Option<(ModelId, Vec<NodeId>)> {
		Stored::get().get(index as usize).cloned()
	}
	fn release_storage_pay(node: NodeId, model: ModelId) -> Balance {
		Accounts::mutate(|books| {
			let pay = books.pay.remove(&(node, model)).unwrap_or_default();
			*books.paid.entry(node).or_default() += pay;
			pay
		})
	}
	fn forfeit_storage_pay(node: NodeId, model: ModelId) -> Balance {
		Accounts::mutate(|books| {
			let pay = books.pay.remove(&(node, model)).unwrap_or_default();
			books.forfeited += pay;
			pay
		})
	}
	fn forfeit_storage_ask(node: NodeId, model: ModelId) {
		LostAsks::mutate(|lost| lost.push((node, model)));
	}
	fn take_storage_fine(_: NodeId, amount: Balance) {
		Accounts::mutate(|books| {
			books.pot -= amount;
			books.fines += amount;
		});
	}
}

/// No jobs are opened or settled here.
impl Market<AccountId> for TestMarket {
	fn open(_: JobId, _: &Order<AccountId>) -> Result<Deal<AccountId>, DispatchError> {
		Err(DispatchError::Unavailable)
	}
	fn open_sibling(_: ModelId, _: &Deal<AccountId>) -> Result<Deal<AccountId>, DispatchError> {
		Err(DispatchError::Unavailable)
	}
	fn executors(_: ModelId, _: &Deal<AccountId>) -> Vec<NodeId> {
		Vec::new()
	}
	fn last_drawn(_: ModelId) -> Option<NodeId> {
		None
	}
	fn note_drawn(_: ModelId, _: NodeId) {}
	fn looks_at(_: ModelId) -> u32 {
		0
	}
	fn escrow(_: &AccountId, _: &Deal<AccountId>) -> DispatchResult {
		Ok(())
	}
	fn settle(_: JobId, _: ModelId, _: &AccountId, _: &Deal<AccountId>, _: NodeId, _: bool) -> Settlement<AccountId> {
		Default::default()
	}
	fn average_compute() -> Balance {
		0
	}
	fn refund(_: JobId, _: &AccountId, _: &Deal<AccountId>) {}
	fn fail(_: JobId, _: &AccountId, _: &Deal<AccountId>, _: &[NodeId]) -> BillLines<AccountId> {
		Default::default()
	}
	fn slash_account() -> AccountId {
		POT
	}
	fn split_slash(_: JobId, _: Balance, _: &[(AccountId, Balance)]) {}
	fn pay_judge(_: JobId, _: &AccountId, _: Balance) -> u32 {
		0
	}
	fn escrow_bond(_: JobId, _: &AccountId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn end_bond(_: JobId, _: &AccountId, _: Balance, _: bool) -> u32 {
		0
	}
	fn close(_: ModelId, _: &Deal<AccountId>) {}
	fn bill(_: ModelId, _: &Deal<AccountId>, _: NodeId) -> BillLines<AccountId> {
		Default::default()
	}
}
