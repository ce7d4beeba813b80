//! Chains that the node knows by name. Their genesis lies in the runtime's presets.

use highway_runtime::WASM_BINARY;
use sc_service::{ChainType, Properties};
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};

/// A chain's specification.
pub type ChainSpec = sc_service::GenericChainSpec;

/// One validator, Alice.
pub fn development() -> Result<ChainSpec, String> {
	preset(
		"AI Highway Development",
		"highway_dev",
		ChainType::Development,
		DEV_RUNTIME_PRESET,
	)
}

/// Three validators: Alice, Bob and Charlie.
pub fn local() -> Result<ChainSpec, String> {
	preset(
		"AI Highway Local",
		"highway_local",
		ChainType::Local,
		LOCAL_TESTNET_RUNTIME_PRESET,
	)
}

fn preset(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let wasm = WASM_BINARY.ok_or("this node was built without its Wasm runtime: build it without SKIP_WASM_BUILD")?;
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "AIC".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 42.into());
	Ok(ChainSpec::builder(wasm, None)
		.with_name(name)
		.with_id(id)
		.with_chain_type(chain_type)
		.with_protocol_id("highway")
		.with_properties(properties)
		.with_genesis_config_preset_name(preset)
		.build())
}
