//! The presets build the chain that they promise.

use frame_support::traits::{Get, IntegrityTest};
use highway_primitives::{MarketPhase, AIC};
use highway_runtime::{
	constants::EXISTENTIAL_DEPOSIT, AllPalletsWithSystem, Balances, NodeStaking, RevenueSplit, Runtime, Session, System,
};
use highway_runtime_tests::{
	config_of_preset, genesis_of, invariants, names_of_presets, patch_of_preset, treasury, Chain,
};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

/// Who has coins from the start, beside the treasury and the pots.
const WALLETS: [Sr25519Keyring; 6] = [Alice, Bob, Charlie, Dave, Eve, Ferdie];

const DEV: &str = sp_genesis_builder::DEV_RUNTIME_PRESET;
const LOCAL: &str = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;

fn root_of(preset: &str) -> Vec<u8> {
	genesis_of(preset).execute_with(|| sp_io::storage::root(sp_runtime::StateVersion::V1))
}

#[test]
fn presets_should_be_stable_and_build_sound_states_when_named() {
	assert_eq!(names_of_presets(), vec![DEV.to_string(), LOCAL.to_string()]);
	for (preset, operators) in [(DEV, vec![Alice]), (LOCAL, vec![Alice, Bob, Charlie])] {
		assert_eq!(patch_of_preset(preset), patch_of_preset(preset));
		assert_eq!(config_of_preset(preset), config_of_preset(preset));
		assert_eq!(root_of(preset), root_of(preset));
		genesis_of(preset).execute_with(|| {
			invariants::check();
			let accounts = operators.iter().map(|who| who.to_account_id()).collect::<Vec<_>>();
			let mut validators = Session::validators();
			validators.sort();
			let mut expected = accounts.clone();
			expected.sort();
			assert_eq!(validators, expected);
			for (node, operator) in (0..).zip(&accounts) {
				assert_eq!(
					NodeStaking::node(node).expect("a node of genesis").0.operator,
					*operator
				);
				assert!(NodeStaking::is_eligible(node));
			}
			for pot in [RevenueSplit::pot_account(), NodeStaking::pot_account()] {
				assert_eq!(invariants::free(&pot), EXISTENTIAL_DEPOSIT);
			}
			assert_eq!(Balances::total_issuance(), 1_000_000_000 * AIC, "to the last unit");
			let wallets = WALLETS.map(|who| System::account(who.to_account_id()).data);
			assert!(wallets
				.iter()
				.all(|data| data.free + data.reserved == 100_000_000 * AIC));
			let rest = 400_000_000 * AIC - 2 * EXISTENTIAL_DEPOSIT;
			assert_eq!(invariants::free(&treasury()), rest);
			assert_eq!(<highway_runtime::EpochDuration as Get<u64>>::get(), 30);
		});
	}
	assert_ne!(root_of(DEV), root_of(LOCAL));
}

#[test]
fn a_preset_should_be_none_when_it_is_unknown() {
	assert_eq!(patch_of_preset("mainnet"), None);
	assert_eq!(patch_of_preset(""), None);
}

#[test]
fn a_lone_validator_should_make_blocks_and_sessions_when_the_preset_is_for_development() {
	Chain::of_preset(DEV, |chain| {
		chain.blocks(65);
		assert_eq!(NodeStaking::current_session(), 2);
		assert_eq!(System::block_number(), 66);
	});
}

#[test]
fn every_pallet_should_pass_its_integrity_test_when_configured_as_here() {
	genesis_of(LOCAL).execute_with(<AllPalletsWithSystem as IntegrityTest>::integrity_test);
}

#[test]
fn a_market_epoch_should_have_blocks_for_commitments_and_for_reveals_when_the_preset_is_for_development() {
	for preset in [DEV, LOCAL] {
		Chain::of_preset(preset, |chain| {
			chain.next_market_epoch();
			let first = chain.number();
			let phases = (0..12).map(|_| {
				let (phase, until) = RevenueSplit::phase();
				chain.blocks(1);
				(phase, until - first)
			});
			let expected = [(MarketPhase::Commit, 7); 8]
				.into_iter()
				.chain([(MarketPhase::Reveal, 11); 4]);
			assert!(phases.eq(expected));
			assert_eq!(RevenueSplit::first_block_of(2), chain.number());
		});
	}
}

#[test]
fn constants_should_fit_together() {
	use highway_runtime::constants::{RuntimeBlockWeights, MAX_TICK_WEIGHT, SLOT_DURATION};
	let weights = RuntimeBlockWeights::get();
	assert!(
		weights.max_block.ref_time() < SLOT_DURATION * 1_000_000_000 / 2,
		"half of a slot is for propagation"
	);
	assert!(MAX_TICK_WEIGHT.ref_time() <= weights.max_block.ref_time() / 5 * 2);
	let period: u64 = <Runtime as pallet_timestamp::Config>::MinimumPeriod::get();
	assert_eq!(period, SLOT_DURATION / 2);
	// 64 asks of the highest price, for as many units as there can be, must not overflow a balance.
	let most: u128 = <Runtime as pallet_revenue_split::Config>::MaxAsk::get();
	assert!(most
		.checked_mul(u128::from(u32::MAX))
		.and_then(|line| line.checked_mul(64))
		.is_some());
	// A commitment to a file is made within a market epoch of a development chain, and counts long before it lapses.
	genesis_of(LOCAL).execute_with(|| {
		let blocks: u32 = <Runtime as pallet_model_registry::Config>::CommitBlocks::get();
		let lifetime: u32 = <Runtime as pallet_model_registry::Config>::CommitLifetime::get();
		assert!(blocks < pallet_revenue_split::EpochLength::<Runtime>::get() && blocks < lifetime / 100);
	});
}
