//! What programs outside find in the runtime's metadata.

use codec::{Decode, DecodeAll};
use highway_runtime::{Runtime, RuntimeCall};
use highway_wallet::client::calls::{one_of_each, Call};
use subxt::Metadata;

/// Metadata of version 16, read as the wallet reads it.
pub(crate) fn metadata() -> Metadata {
	sp_io::TestExternalities::default().execute_with(|| {
		let versions = Runtime::metadata_versions();
		assert!(versions.contains(&16), "{versions:?}");
		let opaque = Runtime::metadata_at_version(16).expect("version 16 is there");
		Metadata::decode(&mut &opaque[..]).expect("subxt reads it")
	})
}

#[test]
fn runtime_apis_should_be_in_the_metadata_when_programs_look_for_them() {
	let metadata = metadata();
	for (api, methods) in [
		("WorkerApi", vec!["work_for", "worker_payload", "worker_transaction"]),
		(
			"MarketApi",
			vec![
				"quote",
				"quote_quorum",
				"job",
				"explain_split",
				"models",
				"model_by_name",
				"nodes",
				"node_of",
				"claimable",
				"market",
				"split",
				"featured",
				"curator",
				"curators",
				"earnings",
				"audit",
				"audits",
				"calibration",
				"delegations",
				"overdue",
			],
		),
	] {
		let found = metadata
			.runtime_api_trait_by_name(api)
			.unwrap_or_else(|| panic!("{api} is missing"));
		let names = found
			.methods()
			.map(|method| method.name().to_string())
			.collect::<Vec<_>>();
		for method in methods {
			assert!(
				names.iter().any(|name| name == method),
				"{api} has no {method}: {names:?}"
			);
		}
	}
	for api in [
		"Core",
		"Metadata",
		"BlockBuilder",
		"TaggedTransactionQueue",
		"BabeApi",
		"GrandpaApi",
		"SessionKeys",
		"AccountNonceApi",
		"TransactionPaymentApi",
		"GenesisBuilder",
	] {
		assert!(metadata.runtime_api_trait_by_name(api).is_some(), "{api} is missing");
	}
}

#[test]
fn calls_should_be_in_the_metadata_under_the_names_that_the_wallet_uses() {
	let metadata = metadata();
	for (pallet, calls) in [
		(
			"ModelRegistry",
			vec![
				"register",
				"add_version",
				"update_terms",
				"deprecate",
				"reinstate",
				"offer_transfer",
				"withdraw_offer",
				"accept_transfer",
				"remove",
				"commit_model",
				"drop_commitment",
			],
		),
		(
			"NodeStaking",
			vec![
				"register",
				"update_node",
				"bond_extra",
				"unbond",
				"withdraw_unbonded",
				"chill",
				"resume",
				"host",
				"unhost",
				"deregister",
				"heartbeat",
				"delegate",
				"undelegate",
				"withdraw_delegation",
				"claim_rewards",
				"set_commission",
			],
		),
		(
			"RevenueSplit",
			vec![
				"commit_asks",
				"reveal_asks",
				"commit_ask",
				"reveal_ask",
				"clear",
				"set_curator",
				"claim",
				"claim_for",
				"claim_storage_pay",
				"prune",
			],
		),
		("InferenceJobs", vec!["submit_job", "poke", "submit_batch"]),
		(
			"ProofOfWorkDone",
			vec![
				"attest",
				"report_failure",
				"open_commitment",
				"commit_ballot",
				"reveal_ballot",
				"prove_chunk",
				"force_audit",
				"confirm_calibration",
			],
		),
		("CapacityProbes", vec!["set_terms", "answer", "prove"]),
		("StorageProofs", vec!["prove"]),
		("Promotion", vec!["bid"]),
		("Treasury", vec!["spend", "payout", "check_status", "void_spend"]),
		("Balances", vec!["transfer_keep_alive"]),
		("Utility", vec!["batch_all"]),
		("Session", vec!["set_keys"]),
		("Sudo", vec!["sudo"]),
	] {
		let found = metadata
			.pallet_by_name(pallet)
			.unwrap_or_else(|| panic!("pallet {pallet} is missing"));
		for call in calls {
			assert!(
				found.call_variant_by_name(call).is_some(),
				"{pallet} has no call {call}"
			);
		}
	}
}

#[test]
fn the_runtime_should_read_every_call_of_the_wallet_when_encoded_by_its_metadata() {
	let metadata = metadata();
	let calls = one_of_each();
	for call in &calls {
		let bytes = call.encode(&metadata).unwrap_or_else(|error| panic!("{error}"));
		RuntimeCall::decode_all(&mut bytes.as_slice()).unwrap_or_else(|error| panic!("{call:?}: {error}"));
	}
	let batch = Call::encode_batch(&calls, &metadata).expect("a batch of them all");
	let decoded = RuntimeCall::decode_all(&mut batch.as_slice()).expect("the runtime reads the batch");
	assert!(matches!(
		decoded,
		RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: inner }) if inner.len() == calls.len()
	));
}

#[test]
fn errors_and_events_should_be_documented_when_a_wallet_prints_them() {
	let metadata = metadata();
	for pallet in [
		"ModelRegistry",
		"NodeStaking",
		"RevenueSplit",
		"InferenceJobs",
		"ProofOfWorkDone",
		"StorageProofs",
		"Promotion",
		"CapacityProbes",
	] {
		let found = metadata.pallet_by_name(pallet).expect("the pallet is there");
		let errors = found.error_variants().expect("the pallet has errors");
		let events = found.event_variants().expect("the pallet has events");
		for variant in errors.iter().chain(events) {
			assert!(!variant.docs.is_empty(), "{pallet}.{} says nothing", variant.name);
		}
	}
}
