//! Nodes, models and the market: they live in storage, and keep books to the last unit.

use super::{key, Assigned, OpenJobs, Pallet, Test};
use codec::{Decode, Encode};
use frame_support::{ensure, pallet_prelude::*, storage_alias};
use highway_primitives::{
	audit::{AuditTerms, DrawnJudge, SketchSeed},
	market::{BillLines, Deal, Order, Settlement},
	model::{ModelService, Royalties},
	traits, Balance, BlockNumber, DeviceClass, JobId, ModelId, ModelVersion, NodeId, WorkerId,
};
use sp_core::Pair;
use sp_runtime::{DispatchError, Perbill};

use super::AccountId;

pub const MODEL: ModelId = 7;
pub const VERSION: ModelVersion = 3;
pub const OWNER: AccountId = 55;
pub const PAYER: AccountId = 1;
pub const REWARD: Balance = 1_001;
pub const SECURITY: Balance = 64 * REWARD;
pub const BOND: Balance = 1_000 * SECURITY;
/// How far honest sketches of the version lie apart.
pub const TOLERANCE: u64 = 5;

#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct MockNode {
	pub operator: AccountId,
	pub worker: WorkerId,
	pub bond: Balance,
	pub reserved: Balance,
	pub chilled: bool,
	pub device: DeviceClass,
}

#[storage_alias]
pub type Fleet = StorageMap<Mock, Twox64Concat, NodeId, MockNode>;
#[storage_alias]
pub type Notes = StorageValue<Mock, Vec<(NodeId, bool, Perbill)>, ValueQuery>;
#[storage_alias]
pub type Purses = StorageMap<Mock, Twox64Concat, AccountId, Balance, ValueQuery>;
#[storage_alias]
pub type Burned = StorageValue<Mock, Balance, ValueQuery>;
#[storage_alias]
pub type Treasury = StorageValue<Mock, Balance, ValueQuery>;
/// Bonds of payers in the pot.
#[storage_alias]
pub type Bonds = StorageValue<Mock, Balance, ValueQuery>;
/// What judges were paid from the audit pot: below zero it is a debt.
#[storage_alias]
pub type AuditPot = StorageValue<Mock, i128, ValueQuery>;
/// Slashed and not divided yet.
#[storage_alias]
pub type Undivided = StorageValue<Mock, Balance, ValueQuery>;
/// What judging a job earned, by whom.
#[storage_alias]
pub type Earned = StorageDoubleMap<Mock, Twox64Concat, JobId, Twox64Concat, AccountId, Balance>;

/// How many nodes are tried at each draw of a judge.
#[storage_alias]
pub type Tries = StorageValue<Mock, u32, ValueQuery>;
/// How many debts are paid whenever the audit pot pays or is filled.
#[storage_alias]
pub type DebtsAtOnce = StorageValue<Mock, u32, ValueQuery>;

/// The version has no trace and outputs with a tolerance: sketches say nothing.
#[storage_alias]
pub type NoTrace = StorageValue<Mock, bool, ValueQuery>;

pub fn operator(node: NodeId) -> AccountId {
	100 + AccountId::from(node)
}

/// A node with its own operator joins.
pub fn join(node: NodeId) {
	let mock = MockNode {
		operator: operator(node),
		worker: key(node as u8).public(),
		bond: BOND,
		reserved: 0,
		chilled: false,
		device: DeviceClass::CpuX86,
	};
	Fleet::insert(node, mock);
}

pub fn change(node: NodeId, change: impl FnOnce(&mut MockNode)) {
	Fleet::mutate(node, |mock| change(mock.as_mut().expect("the node is there")));
}

pub fn fleet(node: NodeId) -> MockNode {
	Fleet::get(node).expect("the node is there")
}

pub struct Models;
impl traits::Models<AccountId> for Models {
	fn exists(model: ModelId) -> bool {
		model == MODEL
	}
	fn service(_: ModelId) -> Result<ModelService, DispatchError> {
		Err("not asked".into())
	}
	fn royalties(_: ModelId) -> Royalties<AccountId> {
		vec![]
	}
	fn audit_terms(model: ModelId, version: ModelVersion) -> Option<AuditTerms<AccountId>> {
		(model == MODEL && version == VERSION).then_some(AuditTerms {
			owner: OWNER,
			tolerance: if NoTrace::get() { u64::MAX } else { TOLERANCE },
		})
	}
}

pub struct Nodes;
impl traits::Nodes<AccountId> for Nodes {
	fn operator(node: NodeId) -> Option<AccountId> {
		Some(Fleet::get(node)?.operator)
	}
	fn node_of(operator: &AccountId) -> Option<NodeId> {
		Fleet::iter()
			.find(|(_, mock)| mock.operator == *operator)
			.map(|(node, _)| node)
	}
	fn worker(node: NodeId) -> Option<WorkerId> {
		Some(Fleet::get(node)?.worker)
	}
	fn hosts(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn eligible(_: NodeId, _: ModelId) -> bool {
		false
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
		Err("not asked".into())
	}
	fn free_slot(_: NodeId) {}
	fn secure(node: NodeId, security: Balance) -> DispatchResult {
		let mut mock = Fleet::get(node).ok_or("no such node")?;
		ensure!(mock.reserved + security <= mock.bond, "the bond is used up");
		mock.reserved += security;
		Fleet::insert(node, mock);
		Ok(())
	}
	fn release(node: NodeId, security: Balance) {
		change(node, |mock| {
			mock.reserved = mock
				.reserved
				.checked_sub(security)
				.expect("released no more than reserved")
		});
	}
	fn slash(node: NodeId, amount: Balance, to: &AccountId) -> Balance {
		assert_eq!(*to, Market::POT);
		let Some(mut mock) = Fleet::get(node) else { return 0 };
		let taken = amount.min(mock.reserved).min(mock.bond);
		mock.bond -= taken;
		mock.reserved -= amount.min(mock.reserved);
		mock.chilled = true;
		Fleet::insert(node, mock);
		Undivided::mutate(|undivided| *undivided += taken);
		taken
	}
	fn fine(_: NodeId, _: Balance, _: &AccountId) -> Balance {
		panic!("audits fine nobody")
	}
	fn device(node: NodeId) -> Option<DeviceClass> {
		Some(Fleet::get(node)?.device)
	}
	fn declared_slots(_: NodeId) -> u16 {
		0
	}
	fn draw_judge(
		seed: &SketchSeed,
		security: Balance,
		parties: &[AccountId],
		class: Option<DeviceClass>,
	) -> DrawnJudge {
		let mut able: Vec<NodeId> = Fleet::iter()
			.filter(|(_, mock)| !mock.chilled && mock.reserved + security <= mock.bond)
			.filter(|(_, mock)| !parties.contains(&mock.operator))
			.filter(|(_, mock)| class.is_none_or(|class| mock.device == class))
			.map(|(node, _)| node)
			.collect();
		able.sort_unstable();
		let ticket = usize::from(seed[0]).checked_rem(able.len());
		DrawnJudge {
			node: ticket.and_then(|ticket| able.get(ticket).copied()),
			tried: Tries::get(),
		}
	}
	fn active_operators() -> u32 {
		Fleet::iter().filter(|(_, mock)| !mock.chilled).count() as u32
	}
	fn note_outcome(node: NodeId, success: bool, weight: Perbill) {
		Notes::append((node, success, weight));
	}
}

pub struct Market;
impl Market {
	pub const POT: AccountId = 999;

	fn earn(job: JobId, account: AccountId, amount: Balance) {
		assert!(!Earned::contains_key(job, account), "nobody is paid twice for one job");
		assert!(amount > 0, "nobody is paid nothing");
		Earned::insert(job, account, amount);
	}
}

impl traits::Market<AccountId> for Market {
	fn open(_: JobId, _: &Order<AccountId>) -> Result<Deal<AccountId>, DispatchError> {
		Err("not asked".into())
	}
	fn open_sibling(_: ModelId, _: &Deal<AccountId>) -> Result<Deal<AccountId>, DispatchError> {
		Err("not asked".into())
	}
	fn executors(_: ModelId, _: &Deal<AccountId>) -> Vec<NodeId> {
		vec![]
	}
	fn last_drawn(_: ModelId) -> Option<NodeId> {
		None
	}
	fn note_drawn(_: ModelId, _: NodeId) {}
	fn looks_at(_: ModelId) -> u32 {
		0
	}
	fn escrow(_: &AccountId, _: &Deal<AccountId>) -> DispatchResult {
		Err("not asked".into())
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
		Self::POT
	}
	fn split_slash(job: JobId, amount: Balance, shares: &[(AccountId, Balance)]) {
		Undivided::mutate(|undivided| {
			*undivided = undivided.checked_sub(amount).expect("only what was slashed is divided")
		});
		Burned::mutate(|burned| *burned += amount / 2);
		let mut rest = amount - amount / 2;
		for (account, share) in shares {
			rest = rest.checked_sub(*share).expect("nobody is promised what is not there");
			Self::earn(job, *account, *share);
		}
		Treasury::mutate(|treasury| *treasury += rest);
	}
	fn pay_judge(job: JobId, payee: &AccountId, amount: Balance) -> u32 {
		AuditPot::mutate(|pot| *pot -= amount as i128);
		Self::earn(job, *payee, amount);
		DebtsAtOnce::get()
	}
	fn escrow_bond(_: JobId, payer: &AccountId, bond: Balance) -> DispatchResult {
		let purse = Purses::get(payer).checked_sub(bond).ok_or("the payer is poor")?;
		Purses::insert(payer, purse);
		Bonds::mutate(|bonds| *bonds += bond);
		Ok(())
	}
	fn end_bond(_: JobId, payer: &AccountId, bond: Balance, right: bool) -> u32 {
		Bonds::mutate(|bonds| *bonds = bonds.checked_sub(bond).expect("a bond ends once"));
		if right {
			Purses::mutate(payer, |purse| *purse += bond);
			return 0;
		}
		AuditPot::mutate(|pot| *pot += bond as i128);
		DebtsAtOnce::get()
	}
	fn close(_: ModelId, _: &Deal<AccountId>) {}
	fn bill(_: ModelId, _: &Deal<AccountId>, _: NodeId) -> BillLines<AccountId> {
		Default::default()
	}
}

/// All coins, wherever they lie.
pub fn total() -> i128 {
	let bonds: Balance = Fleet::iter_values().map(|mock| mock.bond).sum();
	let purses: Balance = Purses::iter_values().sum();
	let earned: Balance = Earned::iter_values().sum();
	let rest = Burned::get() + Treasury::get() + Bonds::get() + Undivided::get();
	(bonds + purses + earned + rest) as i128 + AuditPot::get()
}

/// What is reserved of each node is what its open jobs and audits hold; what is slashed is divided; bonds lie with audits.
pub fn check_books() {
	assert_eq!(Undivided::get(), 0, "what is slashed is divided at once");
	let bonds: Balance = crate::Forced::<Test>::iter_values().map(|(_, bond)| bond).sum();
	assert_eq!(Bonds::get(), bonds, "a bond lies in the pot while its audit lasts");
	for (node, mock) in Fleet::iter() {
		let assigned = Assigned::iter_values().filter(|other| *other == node).count() as Balance;
		let open: Balance = OpenJobs::iter_values()
			.filter(|open| open.subject.executor == node)
			.map(|open| open.subject.security)
			.sum();
		let judging: Balance = OpenJobs::iter()
			.filter_map(|(job, open)| Some((open.subject.security, Pallet::<Test>::audit(job)?)))
			.map(|(security, record)| security * record.held().filter(|held| *held == node).count() as Balance)
			.sum();
		// Free jobs are told apart when they are attested only.
		let least = open + judging;
		assert!(
			mock.reserved >= least && mock.reserved <= least + SECURITY * assigned,
			"node {node} has {} reserved, and {least} is held beside {assigned} assignments",
			mock.reserved
		);
	}
}
