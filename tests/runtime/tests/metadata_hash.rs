//! A built Wasm runtime on the hash of its own metadata, which a wallet signs whose device shows what it signs.
//! `scripts/check-metadata-hash` builds one and runs this.

use codec::{Decode, Encode};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use frame_metadata_hash_extension::CheckMetadataHash;
use frame_support::traits::Get;
use highway_runtime::{Runtime, System, VERSION};
use highway_runtime_tests::{genesis_of, signed_with};
use merkleized_metadata::{generate_metadata_digest, ExtraInfo};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::Eve;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidity};

/// A Wasm runtime, as a chain runs it.
struct Built {
	code: Vec<u8>,
	executor: WasmExecutor<sp_io::SubstrateHostFunctions>,
}

impl Built {
	fn ask<Answer: Decode>(&self, state: &mut TestExternalities, method: &str, argument: &[u8]) -> Answer {
		let fetcher = WrappedRuntimeCode(self.code.as_slice().into());
		let code = RuntimeCode {
			code_fetcher: &fetcher,
			heap_pages: None,
			hash: sp_io::hashing::blake2_256(&self.code).to_vec(),
		};
		let (answer, _) = self
			.executor
			.call(&mut state.ext(), &code, method, argument, CallContext::Offchain);
		let answer = answer.unwrap_or_else(|error| panic!("{method}: {error}"));
		Answer::decode(&mut &answer[..]).unwrap_or_else(|error| panic!("{method} answers something else: {error}"))
	}

	/// What wallets get: version 15, which the hash is of.
	fn metadata(&self) -> RuntimeMetadata {
		let state = &mut TestExternalities::default();
		let bytes: Option<Vec<u8>> = self.ask(state, "Metadata_metadata_at_version", &15u32.encode());
		RuntimeMetadataPrefixed::decode(&mut &bytes.expect("version 15 is there")[..])
			.expect("it is metadata")
			.1
	}

	/// What it says to Eve's signature over this hash.
	fn validate(&self, metadata_hash: CheckMetadataHash<Runtime>) -> TransactionValidity {
		let mut state = genesis_of(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET);
		let (transaction, parent) = state.execute_with(|| {
			let remark = frame_system::Call::<Runtime>::remark { remark: vec![7] };
			(signed_with(Eve, remark, metadata_hash), System::block_hash(0))
		});
		let argument = (TransactionSource::External, transaction, parent).encode();
		self.ask(&mut state, "TaggedTransactionQueue_validate_transaction", &argument)
	}
}

#[test]
fn a_built_runtime_should_take_a_signature_over_its_own_metadata_hash_and_over_no_other() {
	let path =
		std::env::var("HIGHWAY_RUNTIME").expect("HIGHWAY_RUNTIME names a runtime: run scripts/check-metadata-hash");
	let built = Built {
		code: std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")),
		executor: WasmExecutor::builder().build(),
	};
	// Units as a chain's specification names them, which is where a wallet has them from.
	let extra = ExtraInfo {
		spec_version: VERSION.spec_version,
		spec_name: VERSION.spec_name.to_string(),
		base58_prefix: <<Runtime as frame_system::Config>::SS58Prefix as Get<u16>>::get(),
		decimals: 12,
		token_symbol: "AIC".into(),
	};
	let own = generate_metadata_digest(&built.metadata(), extra)
		.expect("there is a digest of it")
		.hash();
	let other = sp_io::hashing::blake2_256(&own);
	assert!(built.validate(CheckMetadataHash::new_with_custom_hash(own)).is_ok());
	assert_eq!(
		built.validate(CheckMetadataHash::new_with_custom_hash(other)),
		Err(InvalidTransaction::BadProof.into())
	);
	// A wallet that says nothing of metadata.
	assert!(built.validate(CheckMetadataHash::new(false)).is_ok());
}
