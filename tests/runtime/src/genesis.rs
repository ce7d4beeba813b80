//! Genesis states from the runtime's presets, as a node builds them.

use highway_runtime::{Block, Runtime};
use serde_json::Value;
use sp_genesis_builder::runtime_decl_for_genesis_builder::GenesisBuilder;
use sp_io::TestExternalities;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};

/// The patch of the preset `name`, as the runtime API answers. `None` if there is no such preset.
pub fn patch_of_preset(name: &str) -> Option<Vec<u8>> {
	<Runtime as GenesisBuilder<Block>>::get_preset(&Some(name.into()))
}

/// The names that the runtime API tells.
pub fn names_of_presets() -> Vec<String> {
	<Runtime as GenesisBuilder<Block>>::preset_names()
		.iter()
		.map(ToString::to_string)
		.collect()
}

/// The full genesis configuration of the preset `name`: the default one with the preset's patch.
pub fn config_of_preset(name: &str) -> Vec<u8> {
	config_with(name, Value::Object(Default::default()))
}

/// The same with a further patch.
fn config_with(name: &str, further: Value) -> Vec<u8> {
	let default = <Runtime as GenesisBuilder<Block>>::get_preset(&None).expect("there is a default configuration");
	let patch = patch_of_preset(name).expect("the preset exists");
	let mut config: Value = serde_json::from_slice(&default).expect("the default configuration is JSON");
	merge(&mut config, serde_json::from_slice(&patch).expect("a preset is JSON"));
	merge(&mut config, further);
	serde_json::to_vec(&config).expect("JSON can be written")
}

/// The state of block 0 of the preset `name`, with an empty keystore beside it.
pub fn genesis_of(name: &str) -> TestExternalities {
	genesis_with(name, Value::Object(Default::default()))
}

/// The same with a patch of the genesis configuration.
pub fn genesis_with(name: &str, patch: Value) -> TestExternalities {
	let mut ext = TestExternalities::new(Default::default());
	ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
	ext.execute_with(|| {
		<Runtime as GenesisBuilder<Block>>::build_state(config_with(name, patch)).expect("the preset builds")
	});
	ext.commit_all().expect("the genesis state can be stored");
	ext
}

/// Puts `patch` over `value`, object by object, as a chain specification does.
fn merge(value: &mut Value, patch: Value) {
	match (value, patch) {
		(Value::Object(fields), Value::Object(patch)) => {
			for (name, field) in patch {
				merge(fields.entry(name).or_insert(Value::Null), field);
			}
		}
		(value, patch) => *value = patch,
	}
}
