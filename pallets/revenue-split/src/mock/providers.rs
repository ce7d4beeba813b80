//! Models and nodes, as far as the pallet asks for them.

use super::*;
use codec::Decode;
use frame_support::{
	traits::{fungible::Mutate, tokens::Preservation},
	Twox64Concat,
};
use highway_primitives::{
	audit::{AuditTerms, DrawnJudge, SketchSeed},
	model::{ModelService, Royalties},
	traits::{MarketClock, Models, Nodes, StorageChallenges},
	worker::WorkerPair,
	BlockNumber, DeviceClass, EpochIndex, ModelVersion, WorkerId,
};
use sp_core::Pair;
use sp_runtime::{DispatchError, DispatchResult};

/// A node as the tests see it.
#[derive(Clone, Encode, Decode)]
pub struct TestNode {
	pub operator: AccountId,
	pub hosts: Vec<ModelId>,
	/// Whether it can take jobs.
	pub able: bool,
	/// The models for which it could when the asks for the epoch began to be opened.
	pub at_start: Vec<ModelId>,
	/// The latest epoch whose asks it has seen beginning to be opened, and the models for which it could take jobs then.
	pub pledge: (EpochIndex, Vec<ModelId>),
	/// The first block in which it let a model of those down since.
	pub lapsed: Option<BlockNumber>,
	/// Its own bond: lies as free balance on the operator's account, which does nothing else with it.
	pub bond: Balance,
	pub reserved: Balance,
	/// What an offence took of what was reserved.
	pub unsecured: Balance,
}

/// Nodes as the tests set them up. In storage: what is rolled back there is rolled back here too.
#[frame_support::storage_alias]
pub type TestNodes = StorageMap<Mock, Twox64Concat, NodeId, TestNode>;

impl TestNode {
	/// The models for which it can take jobs.
	fn serves(&self) -> Vec<ModelId> {
		match self.able {
			true => self.hosts.clone(),
			false => Vec::new(),
		}
	}
}

/// Changes a node.
pub fn with_node<R>(node: NodeId, change: impl FnOnce(&mut TestNode) -> R) -> R {
	TestNodes::mutate(node, |node| change(node.as_mut().expect("the node is registered")))
}

/// A market epoch begins.
pub fn note_epoch_start() {
	let epoch = Pallet::<Test>::current_epoch();
	TestNodes::translate_values(|node: TestNode| {
		let serves = node.serves();
		let (of, pledged) = &node.pledge;
		// Where a test goes right to the epoch, asks began to be opened in its first block.
		let at_start = match *of == epoch {
			true => pledged.clone(),
			false => serves.clone(),
		};
		let lost = at_start.iter().any(|model| !serves.contains(model));
		let lapsed = lost.then(System::block_number);
		Some(TestNode {
			at_start,
			lapsed,
			..node
		})
	});
}

/// The asks for this epoch begin to be opened.
pub fn note_opening(epoch: EpochIndex) {
	TestNodes::translate_values(|node: TestNode| {
		let pledge = (epoch, node.serves());
		Some(TestNode { pledge, ..node })
	});
}

/// Reserves a part of the node's own bond.
pub fn secure(node: NodeId, security: Balance) {
	<TestMarket as Nodes<AccountId>>::secure(node, security).unwrap();
}

pub fn operator_of(node: NodeId) -> AccountId {
	1000 + AccountId::from(node)
}

/// The node's worker key.
pub fn key(node: NodeId) -> WorkerPair {
	WorkerPair::from_seed(&sp_io::hashing::blake2_256(&node.encode()))
}

pub struct TestMarket;

impl Models<AccountId> for TestMarket {
	fn exists(model: ModelId) -> bool {
		model < 100 && !ModelIsGone::get()
	}
	fn service(model: ModelId) -> Result<ModelService, DispatchError> {
		if !Self::exists(model) {
			return Err(DispatchError::CannotLookup);
		}
		Ok(ModelService {
			version: 1,
			spec: Default::default(),
			unit: TestUnit::get(),
			unit_time_ms: 1,
			detection: DETECTION,
		})
	}
	fn royalties(_: ModelId) -> Royalties<AccountId> {
		TestRoyalties::get()
	}
	fn audit_terms(_: ModelId, _: ModelVersion) -> Option<AuditTerms<AccountId>> {
		None
	}
}

impl Nodes<AccountId> for TestMarket {
	fn operator(node: NodeId) -> Option<AccountId> {
		TestNodes::get(node).map(|node| node.operator)
	}
	fn node_of(operator: &AccountId) -> Option<NodeId> {
		let node = NodeId::try_from(operator.checked_sub(operator_of(0))?).ok()?;
		TestNodes::contains_key(node).then_some(node)
	}
	fn worker(node: NodeId) -> Option<WorkerId> {
		TestNodes::contains_key(node).then(|| key(node).public())
	}
	fn hosts(node: NodeId, model: ModelId) -> bool {
		TestNodes::get(node).is_some_and(|node| node.hosts.contains(&model))
	}
	fn eligible(node: NodeId, model: ModelId) -> bool {
		TestNodes::get(node).is_some_and(|node| node.able && node.hosts.contains(&model))
	}
	fn eligible_at_start(node: NodeId, model: ModelId) -> bool {
		TestNodes::get(node).is_some_and(|node| node.at_start.contains(&model))
	}
	fn pledged(node: NodeId, model: ModelId) -> bool {
		let coming = Pallet::<Test>::opening().map(|(coming, _)| coming);
		TestNodes::get(node).is_some_and(|node| {
			let (of, models) = node.pledge;
			Some(of) == coming && models.contains(&model)
		})
	}
	fn lapsed(node: NodeId, _: ModelId) -> Option<BlockNumber> {
		TestNodes::get(node)?.lapsed
	}
	fn own_bond(node: NodeId) -> Balance {
		TestNodes::get(node).map_or(0, |node| node.bond)
	}
	fn free_bond(node: NodeId) -> Balance {
		TestNodes::get(node).map_or(0, |node| node.bond - node.reserved)
	}
	fn draw_weight(node: NodeId, model: ModelId, _: Balance) -> u64 {
		Self::eligible(node, model).into()
	}
	fn reserve(_: NodeId, _: Balance) -> DispatchResult {
		unreachable!("the market takes no slots")
	}
	fn free_slot(_: NodeId) {}
	/// Of a node that can take jobs.
	fn secure(node: NodeId, security: Balance) -> DispatchResult {
		let mut record = TestNodes::get(node).ok_or(DispatchError::Other("unknown node"))?;
		if !record.able {
			return Err(DispatchError::Other("not eligible"));
		}
		let reserved = record.reserved.checked_add(security);
		record.reserved = reserved
			.filter(|reserved| *reserved <= record.bond)
			.ok_or(DispatchError::Other("the bond is reserved"))?;
		TestNodes::insert(node, record);
		Ok(())
	}
	/// First what is not there any more.
	fn release(node: NodeId, security: Balance) {
		with_node(node, |node| {
			let lost = security.min(node.unsecured);
			node.unsecured -= lost;
			let backed = node.reserved.checked_sub(security - lost);
			node.reserved = backed.expect("only what was reserved is released");
		})
	}
	fn slash(_: NodeId, _: Balance, _: &AccountId) -> Balance {
		unreachable!("the market slashes nobody")
	}
	/// Of what is not reserved.
	fn fine(node: NodeId, amount: Balance, to: &AccountId) -> Balance {
		let Some(mut record) = TestNodes::get(node) else {
			return 0;
		};
		let taken = amount.min(record.bond - record.reserved);
		record.bond -= taken;
		if taken > 0 {
			Balances::transfer(&record.operator, to, taken, Preservation::Preserve).unwrap();
		}
		TestNodes::insert(node, record);
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
	fn note_outcome(_: NodeId, _: bool, _: Perbill) {}
}

impl StorageChallenges for TestMarket {
	fn challenged(node: NodeId, model: ModelId) -> bool {
		Challenged::get().contains(&(node, model))
	}
	/// Those alone whom [`Shows`] names have something to show.
	fn ask(node: NodeId, model: ModelId) -> Result<bool, DispatchError> {
		let shows = Shows::get().contains(&(node, model));
		if shows {
			Challenged::mutate(|challenged| challenged.insert((node, model)));
		}
		Ok(shows)
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn model() -> ModelId {
		MODEL
	}
	fn operator_hosting(model: ModelId, index: u32) -> AccountId {
		crate::tests::host(index, model)
	}
	/// Without the key: the mock runs no benchmarks.
	fn bidder(_: WorkerId, models: u32) -> (NodeId, Vec<ModelId>) {
		let models: Vec<_> = (0..models).collect();
		models.iter().for_each(|model| {
			crate::tests::host(0, *model);
		});
		(0, models)
	}
	fn rivals(models: &[ModelId], count: u32) -> Vec<NodeId> {
		let rivals = 1..=count;
		for node in rivals.clone() {
			models.iter().for_each(|model| {
				crate::tests::host(node, *model);
			});
			secure(node, BOND);
		}
		rivals.collect()
	}
}
