//! Every call of ours fits into a block, at its worst.

use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo, Pays},
	traits::{Get, GetCallName},
};
use highway_primitives::{
	market::MaxAskItems,
	model::{DerivativeTerms, VersionSpec},
	worker::{ChunkProof, WorkerAction},
	AskRole, Ballot, BlobRef, FailureClass, JobId, Opening, ProbeTerms, Sketch, Tier, Vote, MAX_INPUTS,
};
use highway_runtime::{
	constants::{RuntimeBlockWeights, MAX_TICK_WEIGHT},
	pallet_promotion, pallet_treasury, Runtime, RuntimeCall, TxExtension, UncheckedExtrinsic, MAX_VALIDATORS,
};
use highway_runtime_tests::{
	commit_asks, output_of, reveal_asks, signed, spec, treasury, worker_transaction, Ask, Chain, ASK_SALT, MODEL_SALT,
};
use pallet_revenue_split::{CuratorProfile, MAX_ASKS};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Eve};
use std::collections::BTreeSet;

fn called<C: GetCallName>(calls: &[C]) -> BTreeSet<&'static str> {
	calls.iter().map(|call| call.get_call_name()).collect()
}

fn complete<C: GetCallName>(calls: &[C]) {
	assert_eq!(
		called(calls),
		C::get_call_names().iter().copied().collect(),
		"every call of the pallet is listed here"
	);
}

fn model_calls() -> Vec<pallet_model_registry::Call<Runtime>> {
	use pallet_model_registry::Call;
	let spec: VersionSpec = spec("worst");
	let terms = Some(DerivativeTerms {
		share: Default::default(),
		floor: 0,
	});
	let calls = vec![
		Call::register {
			name: vec![b'a'; 64].try_into().expect("64 bytes"),
			spec: spec.clone(),
			parent: Some(0),
			derivative_terms: terms,
			royalty: 0,
			salt: Some(MODEL_SALT),
		},
		Call::add_version {
			model: 0,
			spec,
			salt: Some(MODEL_SALT),
		},
		Call::update_terms {
			model: 0,
			royalty: Some(1),
			derivative_terms: Some(terms),
		},
		Call::deprecate { model: 0 },
		Call::reinstate { model: 0 },
		Call::offer_transfer {
			model: 0,
			to: Eve.to_account_id(),
		},
		Call::withdraw_offer { model: 0 },
		Call::accept_transfer { model: 0 },
		Call::remove { model: 0 },
		Call::commit_model {
			hash: Default::default(),
		},
		Call::drop_commitment {
			owner: Eve.to_account_id(),
			hash: Default::default(),
		},
	];
	complete(&calls);
	calls
}

fn node_calls() -> Vec<pallet_node_staking::Call<Runtime>> {
	use pallet_node_staking::{Call, NodeDescription};
	let description = NodeDescription {
		worker: Eve.public().into(),
		peer_id: vec![1; 64].try_into().expect("64 bytes"),
		addresses: vec![vec![b'/'; 128].try_into().expect("128 bytes"); 4]
			.try_into()
			.expect("four"),
		device: highway_primitives::DeviceClass::CpuX86,
		memory_mib: 1,
		region: vec![b'a'; 32].try_into().expect("32 bytes"),
	};
	let proof: highway_primitives::WorkerSignature = Eve.sign(b"").into();
	let calls = vec![
		Call::register {
			description: description.clone(),
			bond: 1,
			proof: proof.clone(),
		},
		Call::update_node {
			description,
			proof: Some(proof.clone()),
		},
		Call::bond_extra { amount: 1 },
		Call::unbond { amount: 1 },
		Call::withdraw_unbonded {},
		Call::chill {},
		Call::resume {},
		Call::host { model: 0 },
		Call::unhost { model: 0 },
		Call::deregister {},
		Call::heartbeat {
			node: 0,
			session: 0,
			healthy: true,
			slots: 0,
			signature: proof,
		},
		Call::reap { node: 0 },
		Call::delegate {
			node: 0,
			amount: 1,
			max_commission: Default::default(),
		},
		Call::undelegate { node: 0, amount: 1 },
		Call::withdraw_delegation { node: 0 },
		Call::claim_rewards { node: 0 },
		Call::set_commission {
			commission: Default::default(),
		},
	];
	complete(&calls);
	calls
}

/// Those that an account signs.
fn market_calls() -> Vec<pallet_revenue_split::Call<Runtime>> {
	use pallet_revenue_split::Call;
	let (model, role) = (0, AskRole::Compute);
	vec![
		Call::commit_ask {
			model,
			role,
			hash: Default::default(),
		},
		Call::reveal_ask {
			model,
			role,
			price: Some(1),
			salt: ASK_SALT,
		},
		Call::clear { model },
		Call::set_curator {
			fee: 1,
			profile: CuratorProfile {
				name: vec![b'a'; 32].try_into().expect("32 bytes"),
				url: vec![b'a'; 128].try_into().expect("128 bytes"),
			},
		},
		Call::claim {},
		Call::claim_for {
			account: Eve.to_account_id(),
		},
		Call::claim_storage_pay { model },
		Call::prune { model },
	]
}

fn promotion_calls() -> Vec<pallet_promotion::Call<Runtime>> {
	let calls = vec![pallet_promotion::Call::bid { model: 0, price: 1 }];
	complete(&calls);
	calls
}

/// Those by which the treasury is spent.
fn treasury_calls() -> Vec<pallet_treasury::Call<Runtime>> {
	use pallet_treasury::Call;
	vec![
		Call::spend {
			asset_kind: Box::new(()),
			amount: 1,
			beneficiary: Box::new(treasury()),
			valid_from: Some(1),
		},
		Call::payout { index: 0 },
		Call::check_status { index: 0 },
		Call::void_spend { index: 0 },
	]
}

fn job_calls() -> Vec<pallet_inference_jobs::Call<Runtime>> {
	use pallet_inference_jobs::Call;
	let calls = vec![
		Call::submit_job {
			model: 0,
			input: BlobRef::of(b"input"),
			tier: Tier::Spot,
			max_price: 1,
			gateway: Some(0),
			curator: Some(Eve.to_account_id()),
		},
		Call::submit_job {
			model: 0,
			input: BlobRef::of(b"input"),
			tier: Tier::Quorum(7),
			max_price: 1,
			gateway: Some(0),
			curator: Some(Eve.to_account_id()),
		},
		Call::poke { job: 0 },
		Call::submit_batch {
			model: 0,
			input: BlobRef::of(b"input"),
			inputs: MAX_INPUTS,
			max_price: 1,
			gateway: Some(0),
			curator: Some(Eve.to_account_id()),
		},
	];
	complete(&calls);
	calls
}

/// Those that an account signs.
fn audit_calls() -> Vec<pallet_proof_of_work_done::Call<Runtime>> {
	use pallet_proof_of_work_done::Call;
	vec![
		Call::force_audit { job: 0 },
		Call::confirm_calibration { model: 0, version: 1 },
	]
}

/// What root calls.
fn terms_call() -> pallet_capacity_probes::Call<Runtime> {
	let floors = vec![(highway_primitives::DeviceClass::Cuda, 1); 8];
	pallet_capacity_probes::Call::set_terms {
		terms: Some(ProbeTerms {
			share: 1,
			spacing: u32::MAX,
			interval: 1,
			rows_per_slot: 1,
			unmeasured_slots: 1,
			reward: 1,
			floors: floors.try_into().expect("eight"),
		}),
	}
}

/// What an author adds.
fn note() -> pallet_proof_of_work_done::Call<Runtime> {
	pallet_proof_of_work_done::Call::note_finality { number: 0 }
}

/// The largest of everything that a worker key says but its heartbeat.
fn words() -> Vec<WorkerAction> {
	let (node, job, salt, sketch) = (0, 0, [0; 32], Sketch::default());
	let proof = ChunkProof {
		bytes: vec![0; 1024].try_into().expect("a chunk"),
		siblings: vec![[0; 32]; 24].try_into().expect("the deepest tree"),
	};
	let ballot = Ballot {
		vote: Vote::Yes,
		auditor_right: true,
		sketch,
	};
	let opening = Opening {
		sketch,
		root: Default::default(),
		path: vec![H256::zero(); 8].try_into().expect("the longest way"),
	};
	vec![
		largest_batch(),
		WorkerAction::ReportFailure {
			node,
			job,
			work: Default::default(),
			class: FailureClass::RunFailed,
		},
		WorkerAction::OpenCommitment {
			node,
			job,
			opening,
			salt,
		},
		WorkerAction::CommitBallot {
			node,
			job,
			seed: salt,
			commitment: Default::default(),
		},
		WorkerAction::RevealBallot {
			node,
			job,
			ballot,
			salt,
		},
		WorkerAction::ProveChunk {
			node,
			job,
			proof: proof.clone(),
		},
		WorkerAction::AnswerProbe {
			node,
			round: 1,
			seed: salt,
			output: output_of(job),
		},
		WorkerAction::ProveProbe {
			node,
			round: 1,
			proof: proof.clone(),
		},
		commit_asks(node, 1, &most_asks()),
		reveal_asks(node, 1, &most_asks(), ASK_SALT),
		WorkerAction::ProveStorage {
			node,
			model: 0,
			drawn_at: 1,
			proof,
		},
	]
}

/// As many asks as a message may say, in both roles.
fn most_asks() -> Vec<Ask> {
	let models =
		(0..<MaxAskItems as Get<u32>>::get() / 2).flat_map(|model| AskRole::ALL.map(|role| (model, role, Some(1))));
	models.collect()
}

/// The largest batch of attestations.
fn largest_batch() -> WorkerAction {
	attestations(256)
}

/// Attestations of so many jobs.
pub(crate) fn attestations(jobs: JobId) -> WorkerAction {
	let item = |job| highway_primitives::AttestItem {
		job,
		work: Default::default(),
		output: output_of(job),
		commitment: Default::default(),
	};
	let items = (0..jobs)
		.map(item)
		.collect::<Vec<_>>()
		.try_into()
		.expect("256 is the bound");
	WorkerAction::Attest { node: 0, items }
}

fn fits(transaction: &UncheckedExtrinsic) {
	let info = transaction.get_dispatch_info();
	let weights = RuntimeBlockWeights::get();
	let limit = weights.get(info.class).max_extrinsic.expect("every class is bounded");
	let total = info.total_weight();
	assert!(
		total.all_lte(limit),
		"{:?} weighs {total}, more than {limit}",
		transaction.function
	);
}

/// The largest of everything of ours that accounts, root and authors call.
pub(crate) fn largest_calls() -> Vec<RuntimeCall> {
	let calls = model_calls().into_iter().map(RuntimeCall::from);
	calls
		.chain(node_calls().into_iter().map(RuntimeCall::from))
		.chain(market_calls().into_iter().map(RuntimeCall::from))
		.chain(job_calls().into_iter().map(RuntimeCall::from))
		.chain(audit_calls().into_iter().map(RuntimeCall::from))
		.chain(promotion_calls().into_iter().map(RuntimeCall::from))
		.chain([terms_call().into(), note().into()])
		.collect()
}

/// The largest of everything that a worker key says.
pub(crate) fn largest_words() -> Vec<WorkerAction> {
	let heartbeat = WorkerAction::Heartbeat {
		node: 0,
		session: 0,
		healthy: true,
		slots: 1,
	};
	words().into_iter().chain([heartbeat]).collect()
}

#[test]
fn every_call_should_fit_into_a_block_when_at_its_worst() {
	Chain::local(|_| {
		let treasury = treasury_calls().into_iter().map(RuntimeCall::from);
		for call in largest_calls().into_iter().chain(treasury) {
			let (info, weights) = (call.get_dispatch_info(), RuntimeBlockWeights::get());
			assert!(info.call_weight.ref_time() > 0, "{call:?} weighs nothing");
			if info.class == DispatchClass::Mandatory {
				assert!(info.call_weight.ref_time() < weights.max_block.ref_time() / 100);
			} else {
				fits(&signed(Eve, call));
			}
		}
		assert_eq!(note().get_dispatch_info().class, DispatchClass::Mandatory);
		let words = words();
		let (mut proofs, mut probes) = (audit_calls(), vec![terms_call()]);
		let (mut markets, mut storage) = (market_calls(), Vec::new());
		proofs.push(note());
		for word in &words {
			match worker_transaction(Alice, word.clone()).function {
				RuntimeCall::ProofOfWorkDone(call) => proofs.push(call),
				RuntimeCall::CapacityProbes(call) => probes.push(call),
				RuntimeCall::RevenueSplit(call) => markets.push(call),
				RuntimeCall::StorageProofs(call) => storage.push(call),
				call => panic!("no worker says {call:?}"),
			}
		}
		complete(&proofs);
		complete(&probes);
		complete(&markets);
		complete(&storage);
		for action in largest_words() {
			let transaction = worker_transaction(Alice, action);
			let info = transaction.get_dispatch_info();
			assert_eq!((info.class, info.pays_fee), (DispatchClass::Operational, Pays::No));
			fits(&transaction);
			// In the first block of a session only what is reserved for the class is left.
			let reserved = RuntimeBlockWeights::get()
				.get(DispatchClass::Operational)
				.reserved
				.expect("some");
			let base = RuntimeBlockWeights::get()
				.get(DispatchClass::Operational)
				.base_extrinsic;
			assert!(
				info.total_weight().saturating_add(base).all_lte(reserved),
				"{}",
				info.total_weight()
			);
		}
	});
}

#[test]
fn the_largest_normal_transaction_should_fit_into_a_block_when_the_due_queue_and_challenges_take_all_of_their_shares() {
	let weights = RuntimeBlockWeights::get();
	let normal = weights.get(DispatchClass::Normal);
	let largest = normal.max_extrinsic.expect("the class is bounded");
	// Challenges take a tenth at most, which the integrity test of their pallet sees to.
	let hooks = MAX_TICK_WEIGHT.ref_time() + weights.max_block.ref_time() / 10;
	let transaction = largest.ref_time() + normal.base_extrinsic.ref_time();
	assert!(weights.base_block.ref_time() + hooks + transaction <= weights.max_block.ref_time());
	// Attestations have room of their own behind all that.
	let reserved = weights.get(DispatchClass::Operational).reserved.expect("some");
	assert!(reserved.ref_time() * 4 >= weights.max_block.ref_time());
}

#[test]
fn the_market_should_take_a_twentieth_of_a_block_at_most_when_it_is_cleared() {
	use pallet_revenue_split::WeightInfo;
	type Weights = <Runtime as pallet_revenue_split::Config>::WeightInfo;
	let block = RuntimeBlockWeights::get().max_block.ref_time();
	for roles in 1..=2 {
		let cleared = Weights::clear(roles * MAX_ASKS).ref_time();
		assert!(cleared * 20 <= block, "{cleared} for {roles} roles of a model");
	}
	let promoted = <<Runtime as pallet_promotion::Config>::WeightInfo as pallet_promotion::WeightInfo>::clear(64);
	assert!(promoted.ref_time() * 20 <= block, "{promoted}");
}

#[test]
fn a_change_of_session_should_take_half_of_its_block_at_most_when_the_list_is_as_long_as_is_looked_at() {
	use pallet_node_staking::{WeightInfo, MAX_OPERATORS_LOOKED_AT};
	type Weights = <Runtime as pallet_node_staking::Config>::WeightInfo;
	// The session pallet fills the block for it, whatever it does. The other half is for the keys and for the SDK's pallets.
	let weight = Weights::end_session(MAX_VALIDATORS)
		.saturating_add(Weights::start_session(MAX_VALIDATORS))
		.saturating_add(Weights::new_session(MAX_OPERATORS_LOOKED_AT as u32));
	assert!(
		weight.ref_time() * 2 <= RuntimeBlockWeights::get().max_block.ref_time(),
		"{weight}"
	);
}

#[test]
fn the_cost_of_authorization_should_be_counted_when_a_worker_transaction_is_weighed() {
	Chain::local(|_| {
		let transaction = worker_transaction(Alice, largest_batch());
		let signed_alike = signed(Alice, transaction.function.clone());
		// A signature check and 256 reads are at least 2 ms.
		assert!(transaction.get_dispatch_info().extension_weight.ref_time() > 2_000_000_000);
		assert_eq!(
			transaction.get_dispatch_info().call_weight,
			signed_alike.get_dispatch_info().call_weight
		);
	});
}

#[test]
fn a_transaction_should_be_refused_when_it_is_nested_too_deep() {
	Chain::local(|chain| {
		let mut call = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
		for _ in 0..300 {
			call = pallet_utility::Call::batch { calls: vec![call] }.into();
		}
		let transaction = signed(Eve, call);
		assert!(chain.validate(transaction.clone()).is_err());
		assert!(chain.apply_here(transaction).is_err());
		chain.close();
	});
}

// The tuple of extensions is what wallets sign: a change breaks them all.
#[test]
fn transaction_extensions_should_be_the_standard_ones_in_their_order() {
	use sp_runtime::traits::TransactionExtension;
	let names = <TxExtension as TransactionExtension<RuntimeCall>>::metadata()
		.into_iter()
		.map(|extension| extension.identifier)
		.collect::<Vec<_>>();
	assert_eq!(
		names,
		[
			"AuthorizeCall",
			"CheckNonZeroSender",
			"CheckSpecVersion",
			"CheckTxVersion",
			"CheckGenesis",
			"CheckMortality",
			"CheckNonce",
			"CheckWeight",
			"ChargeTransactionPayment",
			"CheckMetadataHash",
			"WeightReclaim",
		]
	);
}
