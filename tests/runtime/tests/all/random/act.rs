//! What somebody may do, and how often.

use highway_primitives::{AskRole, Balance, Tier, AIC};
use highway_runtime_tests::{Conduct, MILLI};
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

/// Who does it. The first three operate nodes from the start.
pub const PEOPLE: [Sr25519Keyring; 6] = [Alice, Bob, Charlie, Dave, Eve, Ferdie];

/// Something that somebody does. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub enum Act {
	Register {
		who: usize,
		parent: Option<u32>,
		royalty: Balance,
	},
	CommitFile {
		who: usize,
	},
	DropFile {
		who: usize,
		of: usize,
	},
	Deprecate {
		model: u32,
		back: bool,
	},
	Remove {
		model: u32,
	},
	Royalty {
		model: u32,
		royalty: Balance,
	},
	Host {
		who: usize,
		model: u32,
		stop: bool,
	},
	Commit {
		who: usize,
		model: u32,
		role: AskRole,
		price: Option<Balance>,
		by_wallet: bool,
	},
	Reveal {
		waits: bool,
		by_wallet: bool,
	},
	Clear {
		who: usize,
		model: u32,
	},
	Prune {
		who: usize,
		model: u32,
	},
	Curate {
		who: usize,
		fee: Option<Balance>,
	},
	Promote {
		who: usize,
		model: u32,
		price: Balance,
	},
	Submit {
		who: usize,
		model: u32,
		curator: Option<usize>,
		tier: Tier,
	},
	SubmitBatch {
		who: usize,
		model: u32,
		inputs: u16,
	},
	Attest {
		nth: usize,
	},
	AttestAll {
		node: u32,
	},
	Cheat {
		nth: usize,
	},
	Force {
		nth: usize,
	},
	Behave {
		node: u32,
		conduct: Option<Conduct>,
	},
	Confirm {
		who: usize,
		model: u32,
	},
	Report {
		nth: usize,
		class: u8,
	},
	Poke {
		nth: usize,
	},
	Claim {
		who: usize,
	},
	ClaimFor {
		who: usize,
		of: usize,
	},
	ClaimStorage {
		who: usize,
		model: u32,
	},
	Spend {
		to: usize,
		amount: Balance,
	},
	PayOut {
		who: usize,
		index: u32,
	},
	Bond {
		who: usize,
		amount: Balance,
	},
	Unbond {
		who: usize,
		all: bool,
		amount: Balance,
	},
	Withdraw {
		who: usize,
		leave: bool,
	},
	Delegate {
		who: usize,
		node: u32,
		amount: Balance,
	},
	Undelegate {
		who: usize,
		node: u32,
		amount: Balance,
	},
	Collect {
		who: usize,
		node: u32,
	},
	Pause {
		who: usize,
		back: bool,
	},
	Join {
		who: usize,
		bond: Balance,
	},
	Silence {
		node: u32,
		speak: bool,
	},
	Lose {
		node: u32,
		find: bool,
	},
	Blocks {
		count: u32,
	},
}

pub fn act() -> impl Strategy<Value = Act> {
	let who = 0..PEOPLE.len();
	let operator = 0..3usize;
	let model = 0..4u32;
	prop_oneof![
		1 => (who.clone(), proptest::option::of(model.clone()), price())
			.prop_map(|(who, parent, royalty)| Act::Register { who, parent, royalty }),
		1 => who.clone().prop_map(|who| Act::CommitFile { who }),
		1 => (who.clone(), who.clone()).prop_map(|(who, of)| Act::DropFile { who, of }),
		1 => (model.clone(), any::<bool>()).prop_map(|(model, back)| Act::Deprecate { model, back }),
		1 => model.clone().prop_map(|model| Act::Remove { model }),
		1 => (model.clone(), price()).prop_map(|(model, royalty)| Act::Royalty { model, royalty }),
		2 => (operator.clone(), model.clone(), any::<bool>()).prop_map(|(who, model, stop)| Act::Host { who, model, stop }),
		6 => (operator, model.clone(), role(), proptest::option::weighted(0.8, price()), any::<bool>())
			.prop_map(|(who, model, role, price, by_wallet)| Act::Commit { who, model, role, price, by_wallet }),
		5 => (any::<bool>(), any::<bool>()).prop_map(|(waits, by_wallet)| Act::Reveal { waits, by_wallet }),
		2 => (who.clone(), model.clone()).prop_map(|(who, model)| Act::Clear { who, model }),
		1 => (who.clone(), model.clone()).prop_map(|(who, model)| Act::Prune { who, model }),
		1 => (who.clone(), proptest::option::weighted(0.8, price())).prop_map(|(who, fee)| Act::Curate { who, fee }),
		2 => (who.clone(), 0..3u32, AIC / 2..5 * AIC)
			.prop_map(|(who, model, price)| Act::Promote { who, model, price }),
		12 => (who.clone(), 0..2u32, proptest::option::of(who.clone()), tier())
			.prop_map(|(who, model, curator, tier)| Act::Submit { who, model, curator, tier }),
		4 => (who.clone(), 0..2u32, 2..9u16).prop_map(|(who, model, inputs)| Act::SubmitBatch { who, model, inputs }),
		6 => any::<usize>().prop_map(|nth| Act::Attest { nth }),
		2 => (0..4u32).prop_map(|node| Act::AttestAll { node }),
		3 => any::<usize>().prop_map(|nth| Act::Cheat { nth }),
		4 => any::<usize>().prop_map(|nth| Act::Force { nth }),
		2 => (0..5u32, proptest::option::weighted(0.7, conduct())).prop_map(|(node, conduct)| Act::Behave { node, conduct }),
		1 => (who.clone(), model.clone()).prop_map(|(who, model)| Act::Confirm { who, model }),
		4 => (any::<usize>(), 0..2u8).prop_map(|(nth, class)| Act::Report { nth, class }),
		2 => any::<usize>().prop_map(|nth| Act::Poke { nth }),
		2 => who.clone().prop_map(|who| Act::Claim { who }),
		1 => (who.clone(), 0..=PEOPLE.len()).prop_map(|(who, of)| Act::ClaimFor { who, of }),
		1 => (who.clone(), model).prop_map(|(who, model)| Act::ClaimStorage { who, model }),
		1 => (who.clone(), 1..1_000 * AIC).prop_map(|(to, amount)| Act::Spend { to, amount }),
		1 => (who.clone(), 0..3u32).prop_map(|(who, index)| Act::PayOut { who, index }),
		1 => (who.clone(), 1..1_000 * AIC).prop_map(|(who, amount)| Act::Bond { who, amount }),
		2 => (who.clone(), any::<bool>(), 1..1_000_000 * AIC)
			.prop_map(|(who, all, amount)| Act::Unbond { who, all, amount }),
		1 => (who.clone(), any::<bool>()).prop_map(|(who, leave)| Act::Withdraw { who, leave }),
		2 => (who.clone(), 0..4u32, 1..2_000 * AIC).prop_map(|(who, node, amount)| Act::Delegate { who, node, amount }),
		1 => (who.clone(), 0..4u32, 1..2_000 * AIC).prop_map(|(who, node, amount)| Act::Undelegate { who, node, amount }),
		1 => (who.clone(), 0..4u32).prop_map(|(who, node)| Act::Collect { who, node }),
		2 => (who.clone(), any::<bool>()).prop_map(|(who, back)| Act::Pause { who, back }),
		2 => (who, 1_000 * AIC..5_000 * AIC).prop_map(|(who, bond)| Act::Join { who, bond }),
		1 => (0..3u32, any::<bool>()).prop_map(|(node, speak)| Act::Silence { node, speak }),
		2 => (0..3u32, any::<bool>()).prop_map(|(node, find)| Act::Lose { node, find }),
		8 => (1..8u32).prop_map(|count| Act::Blocks { count }),
	]
}

fn price() -> impl Strategy<Value = Balance> {
	prop_oneof![Just(0), Just(1), 1..50 * MILLI]
}

fn role() -> impl Strategy<Value = AskRole> {
	prop_oneof![Just(AskRole::Compute), Just(AskRole::Storage)]
}

/// With three nodes that serve, one of four jobs finds too few.
fn tier() -> impl Strategy<Value = Tier> {
	prop_oneof![3 => Just(Tier::Spot), 1 => (2..5u8).prop_map(Tier::Quorum)]
}

fn conduct() -> impl Strategy<Value = Conduct> {
	prop_oneof![
		Just(Conduct::Silent),
		Just(Conduct::Abstains),
		Just(Conduct::Misses),
		Just(Conduct::Accuses),
		Just(Conduct::Copies),
	]
}
