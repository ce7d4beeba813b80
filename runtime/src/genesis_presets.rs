//! How a development chain starts: well-known keys, short sessions, short market epochs, a short attestation window, and no
//! capacity probes: all its nodes share one machine, which is just what probes find.
//!
//! A billion AIC, to the last unit: a hundred million for each of six well-known accounts, of which a validator bonds one
//! million, and what is left, four hundred million, for the treasury.

use crate::{
	apis::BABE_GENESIS_EPOCH_CONFIG, constants::EXISTENTIAL_DEPOSIT, AccountId, BabeConfig, BalancesConfig,
	InferenceJobsConfig, NodeStaking, NodeStakingConfig, RevenueSplit, RevenueSplitConfig, RuntimeGenesisConfig,
	SessionConfig, SessionKeys, SudoConfig, Treasury,
};
use alloc::{string::ToString, vec, vec::Vec};
use frame_support::build_struct_json_patch;
use highway_primitives::{Balance, DeviceClass, AIC};
use pallet_node_staking::GenesisNode;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Babe's primary slots, which have a secondary author, too, so that two blocks race: one slot in 64 instead of one in four. A
/// development network has nobody to hide its next author from, and who looks at its best block sees less of it taken back.
/// Every block still carries a VRF.
const EPOCH_CONFIG: sp_consensus_babe::BabeEpochConfiguration = sp_consensus_babe::BabeEpochConfiguration {
	c: (1, 64),
	..BABE_GENESIS_EPOCH_CONFIG
};

/// Blocks of a session: long enough for Grandpa to follow, short enough to see several in a test.
const SESSION_LENGTH: u32 = 30;
/// Blocks of a market epoch. A revealed ask holds from the next one on, so a demonstration waits for it. Eight of them take
/// commitments and four what was committed to: a node that misses a block, or is started anew, still comes in time, and so
/// does a wallet.
const MARKET_EPOCH_LENGTH: u32 = 12;
/// Blocks from an attestation to its settlement.
const ATTESTATION_WINDOW: u32 = 10;
/// Blocks for which the record of a finished job stays.
const RETENTION: u32 = 1_800;
/// Own bond of each validator.
const BOND: Balance = 1_000_000 * AIC;
/// All coins there are.
const ISSUANCE: Balance = 1_000_000_000 * AIC;
/// What each of the well-known accounts has of them.
const SHARE: Balance = 100_000_000 * AIC;
/// Jobs that a development node takes at the same time.
const SLOTS: u16 = 256;

/// The well-known accounts that hold coins.
const WALLETS: [Sr25519Keyring; 6] = [
	Sr25519Keyring::Alice,
	Sr25519Keyring::Bob,
	Sr25519Keyring::Charlie,
	Sr25519Keyring::Dave,
	Sr25519Keyring::Eve,
	Sr25519Keyring::Ferdie,
];

/// The presets' names.
pub fn names() -> Vec<PresetId> {
	vec![
		PresetId::from(DEV_RUNTIME_PRESET),
		PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET),
	]
}

/// The preset of this name, as a JSON patch of the genesis configuration.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)]),
		LOCAL_TESTNET_RUNTIME_PRESET => development(&[
			(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
			(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
			(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
		]),
		_ => return None,
	};
	Some(patch.to_string().into_bytes())
}

fn development(validators: &[(Sr25519Keyring, Ed25519Keyring)]) -> Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig { balances: balances() },
		babe: BabeConfig {
			epoch_config: EPOCH_CONFIG
		},
		node_staking: NodeStakingConfig {
			session_length: SESSION_LENGTH,
			nodes: validators
				.iter()
				.map(|(operator, _)| node(operator.to_account_id(), *operator))
				.collect::<Vec<_>>(),
		},
		session: SessionConfig {
			keys: validators
				.iter()
				.map(|(babe, grandpa)| {
					let account = babe.to_account_id();
					let keys = SessionKeys {
						babe: babe.public().into(),
						grandpa: grandpa.public().into(),
					};
					(account.clone(), account, keys)
				})
				.collect::<Vec<_>>(),
		},
		revenue_split: RevenueSplitConfig {
			epoch_length: MARKET_EPOCH_LENGTH
		},
		inference_jobs: InferenceJobsConfig {
			attestation_window: ATTESTATION_WINDOW,
			retention: RETENTION
		},
		sudo: SudoConfig {
			key: Some(Sr25519Keyring::Alice.to_account_id())
		},
	})
}

/// Who has what. The pots have what genesis would otherwise mint for them on top.
fn balances() -> Vec<(AccountId, Balance)> {
	let pots = [NodeStaking::pot_account(), RevenueSplit::pot_account()];
	let mut balances: Vec<_> = WALLETS
		.iter()
		.map(|wallet| (wallet.to_account_id(), SHARE))
		.chain(pots.map(|pot| (pot, EXISTENTIAL_DEPOSIT)))
		.collect();
	let given: Balance = balances.iter().map(|(_, amount)| amount).sum();
	balances.push((Treasury::account_id(), ISSUANCE - given));
	balances
}

fn node(operator: AccountId, key: Sr25519Keyring) -> GenesisNode<AccountId> {
	GenesisNode {
		operator,
		// Started with `--alice`, a node puts the same seed's worker key into its keystore.
		worker: key.public().into(),
		peer_id: Vec::new(),
		addresses: Vec::new(),
		device: DeviceClass::CpuX86,
		memory_mib: 4_096,
		region: b"local".to_vec(),
		bond: BOND,
		slots: SLOTS,
	}
}
