//! One file per theme; here what they share.

mod bond;
mod bond_tree;
mod capacity;
mod commission;
mod cost;
mod delegation;
mod description;
mod election;
mod genesis;
mod heartbeat;
mod invariants;
mod jobs;
mod judges;
mod leave;
mod liveness;
mod offences;
mod pledges;
mod random;
mod reads;
mod register;
mod rewards;
mod slashes;

use crate::{mock::*, *};
use frame_support::{
	assert_ok,
	traits::{
		fungible::{Inspect, InspectHold},
		Hooks,
	},
};
use highway_primitives::{
	traits::Nodes as _,
	worker::{self, WorkerPair},
	Balance, DeviceClass, NodeId, WorkerAction, WorkerSignature,
};
use sp_core::{crypto::Pair, H256};
use sp_runtime::{BuildStorage, Perbill};

/// Accounts 1 to 20 own [`ISSUED`] each.
const ACCOUNTS: core::ops::RangeInclusive<u64> = 1..=20;

#[derive(Default)]
struct ExtBuilder {
	nodes: Vec<GenesisNode<AccountId>>,
	keys: Vec<AccountId>,
}

impl ExtBuilder {
	/// A node from the start: operator, bond, slots.
	fn node(mut self, operator: AccountId, bond: Balance, slots: u16) -> Self {
		self.nodes.push(genesis_node(operator, bond, slots));
		self
	}

	/// Session keys from the start.
	fn session_keys(mut self, operator: AccountId) -> Self {
		self.keys.push(operator);
		self
	}

	fn build(self) -> sp_io::TestExternalities {
		May::set((u16::MAX, true));
		Settled::set(vec![]);
		Forgotten::set(vec![]);
		MarketEpoch::set(10);
		let keys = self
			.keys
			.iter()
			.map(|who| (*who, *who, MockKeys { dummy: (*who).into() }))
			.collect();
		let storage = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig {
				balances: ACCOUNTS.map(|who| (who, ISSUED)).collect(),
				..Default::default()
			},
			node_staking: GenesisConfig {
				nodes: self.nodes,
				..Default::default()
			},
			session: pallet_session::GenesisConfig {
				keys,
				..Default::default()
			},
			..Default::default()
		}
		.build_storage()
		.unwrap();
		let mut ext = sp_io::TestExternalities::from(storage);
		ext.execute_with(|| System::set_block_number(1));
		ext
	}

	fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			NodeStaking::do_try_state().unwrap();
			assert_eq!(NodeStaking::pot_surplus(), Some(0), "no coin in the pot is nobody's");
		});
	}
}

/// An empty chain with a keystore for worker keys.
#[cfg(feature = "runtime-benchmarks")]
pub(crate) fn for_benchmarks() -> sp_io::TestExternalities {
	let mut ext = ExtBuilder::default().build();
	let keystore = sp_keystore::testing::MemoryKeystore::new();
	ext.register_extension(sp_keystore::KeystoreExt::new(keystore));
	ext
}

fn genesis_node(operator: AccountId, bond: Balance, slots: u16) -> GenesisNode<AccountId> {
	GenesisNode {
		operator,
		worker: pair(operator).public(),
		peer_id: vec![],
		addresses: vec![b"/ip4/192.0.2.1/tcp/30333".to_vec()],
		device: DeviceClass::CpuX86,
		memory_mib: 4096,
		region: b"eu-west".to_vec(),
		bond,
		slots,
	}
}

/// The worker key pair that `seed` stands for.
fn pair(seed: u64) -> WorkerPair {
	let mut bytes = [0; 32];
	bytes[..8].copy_from_slice(&seed.to_le_bytes());
	WorkerPair::from_seed(&bytes)
}

fn genesis_hash() -> H256 {
	System::block_hash(0)
}

fn description(key: u64) -> NodeDescription {
	NodeDescription {
		worker: pair(key).public(),
		peer_id: vec![7; 38].try_into().unwrap(),
		addresses: vec![b"/dns4/node.example/tcp/30333".to_vec().try_into().unwrap()]
			.try_into()
			.unwrap(),
		device: DeviceClass::Cuda,
		memory_mib: 8192,
		region: b"eu-west".to_vec().try_into().unwrap(),
	}
}

/// `key`'s proof that it is `operator`'s.
fn proof(key: u64, operator: AccountId) -> WorkerSignature {
	let payload = worker::registration_payload(genesis_hash(), &codec::Encode::encode(&operator));
	pair(key).sign(&payload)
}

/// Registers a node whose worker key is named like its operator.
fn register(operator: AccountId, bond: Balance) -> NodeId {
	let origin = RuntimeOrigin::signed(operator);
	NodeStaking::register(origin, description(operator), bond, proof(operator, operator)).unwrap();
	NodeStaking::node_of(&operator).unwrap()
}

/// A heartbeat with a good signature by `key`.
fn heartbeat_call(key: u64, node: NodeId, session: u32, healthy: bool, slots: u16) -> RuntimeCall {
	let action = WorkerAction::Heartbeat {
		node,
		session,
		healthy,
		slots,
	};
	let signature = pair(key).sign(&worker::payload(genesis_hash(), &action));
	RuntimeCall::NodeStaking(Call::heartbeat {
		node,
		session,
		healthy,
		slots,
		signature,
	})
}

/// Lets the node be heard now, without the pool.
fn beat(node: NodeId, slots: u16) {
	let session = NodeStaking::current_session();
	NodeStaking::heartbeat(
		frame_system::RawOrigin::Authorized.into(),
		node,
		session,
		true,
		slots,
		WorkerSignature::from(sp_core::sr25519::Signature::default()),
	)
	.unwrap();
}

/// A live node with `bond` and `slots` that hosts model 1.
fn live(operator: AccountId, bond: Balance, slots: u16) -> NodeId {
	let node = register(operator, bond);
	assert_ok!(NodeStaking::host(signed(operator), 1));
	beat(node, slots);
	node
}

fn delegate(who: AccountId, node: NodeId, amount: Balance) {
	assert_ok!(NodeStaking::delegate(signed(who), node, amount, Perbill::one()));
}

/// What `who` has put behind nodes, as its wallet sees it.
fn delegations(who: AccountId) -> Vec<DelegationView> {
	NodeStaking::delegations_from(&who, 0, u32::MAX).0
}

/// What `who`'s stake behind its first node is worth.
fn worth(who: AccountId) -> Balance {
	delegations(who).first().map_or(0, |view| view.amount)
}

/// The rewards that `who` could claim from its first node.
fn rewards(who: AccountId) -> Balance {
	delegations(who).first().map_or(0, |view| view.rewards)
}

/// Notes that `who` authored `count` blocks.
fn author(who: AccountId, count: u32) {
	for _ in 0..count {
		<NodeStaking as pallet_authorship::EventHandler<_, _>>::note_author(who);
	}
}

/// Reports offences of `offenders` in `session`, each worth `fraction`.
fn report(offenders: &[AccountId], fraction: Perbill, session: u32) {
	use sp_staking::offence::{OffenceDetails, OnOffenceHandler};
	let details = offenders
		.iter()
		.map(|who| OffenceDetails {
			offender: (*who, ()),
			reporters: Vec::<AccountId>::new(),
		})
		.collect::<Vec<_>>();
	NodeStaking::on_offence(&details, &vec![fraction; offenders.len()], session);
}

fn percent(percent: u32) -> Perbill {
	Perbill::from_percent(percent)
}

fn free(who: AccountId) -> Balance {
	Balances::free_balance(who)
}

fn pot() -> Balance {
	free(NodeStaking::pot_account())
}

fn issuance() -> Balance {
	<Balances as Inspect<AccountId>>::total_issuance()
}

/// Ends `count` sessions.
fn pass_sessions(count: u32) {
	for _ in 0..count {
		Session::rotate_session();
	}
}

/// Runs blocks up to `height` with their hooks.
fn run_to(height: u32) {
	while System::block_number() < height {
		System::set_block_number(System::block_number() + 1);
		Session::on_initialize(System::block_number());
	}
}

fn set_session_keys(who: AccountId) {
	pallet_session::NextKeys::<Test>::insert(who, MockKeys { dummy: who.into() });
}

fn record(node: NodeId) -> NodeRecord<Test> {
	NodeStaking::node(node).unwrap().0
}

fn standing(node: NodeId) -> Standing {
	NodeStaking::node(node).unwrap().1
}

fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Bond.into(), &who)
}

fn signed(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

fn last_event() -> RuntimeEvent {
	System::events().pop().unwrap().event
}

/// The candidates in the order of the list.
fn listed() -> Vec<AccountId> {
	<VoterList as frame_election_provider_support::SortedListProvider<_>>::iter().collect()
}
