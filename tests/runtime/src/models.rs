//! Models, and how they come to the chain: committed to, and some blocks later shown.

use crate::{Chain, DETECTION};
use codec::Encode;
use frame_support::BoundedVec;
use highway_primitives::{
	model::{model_commitment, DType, DerivativeTerms, TensorSpec, Trace, Unit, VerificationPolicy, VersionSpec},
	AskRole, Balance, BlobRef, BlockNumber, ModelId,
};
use highway_runtime::{Runtime, RuntimeCall};
use pallet_model_registry::{Call as Model, NextModelId};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::Perbill;

/// Salt of every commitment to an artefact. On a real network it is secret until the artefact is registered.
pub const MODEL_SALT: [u8; 32] = [13; 32];

/// A model that classifies files: its artefact is named after `name`, a unit is a request of a second.
pub fn spec(name: &str) -> VersionSpec {
	let tensor = |name: &[u8], dtype, width| TensorSpec {
		name: name.to_vec().try_into().expect("a short name"),
		dtype,
		shape: vec![None, Some(width)].try_into().expect("two dimensions"),
	};
	VersionSpec {
		artifact: BlobRef::of(name.as_bytes()),
		licence: b"Apache-2.0".to_vec().try_into().expect("a short licence"),
		inputs: BoundedVec::truncate_from(vec![tensor(b"bytes", DType::I32, 2_048)]),
		outputs: BoundedVec::truncate_from(vec![tensor(b"target_label", DType::F32, 214)]),
		unit: Unit::Request,
		unit_time_ms: 1_000,
		policy: VerificationPolicy::Tolerance {
			atol: 1_000,
			rtol: 1_000,
			outliers: Perbill::from_percent(1),
		},
		trace: Some(Trace {
			tensor: b"features".to_vec().try_into().expect("a short name"),
			tolerance: 1_000,
		}),
		detection: DETECTION,
		shares_runs: true,
		recipe: None,
	}
}

/// `ModelRegistry.commit_model` by `owner` to this artefact.
pub fn commit_call(owner: Sr25519Keyring, artefact: &BlobRef) -> RuntimeCall {
	let hash = model_commitment(&owner.to_account_id().encode(), &artefact.hash, &MODEL_SALT);
	Model::commit_model { hash }.into()
}

/// `ModelRegistry.register`, by whoever has committed to the artefact.
pub fn register_call(
	name: &str,
	spec: VersionSpec,
	parent: Option<ModelId>,
	derivative_terms: Option<DerivativeTerms>,
	royalty: Balance,
) -> RuntimeCall {
	let name = name.as_bytes().to_vec().try_into().expect("a short name");
	Model::register {
		name,
		spec,
		parent,
		derivative_terms,
		royalty,
		salt: Some(MODEL_SALT),
	}
	.into()
}

impl Chain {
	/// Registers a root model of `owner` and returns its id.
	pub fn register_model(&mut self, owner: Sr25519Keyring, name: &str, royalty: Balance) -> ModelId {
		self.register(owner, register_call(name, spec(name), None, None, royalty))
	}

	/// Registers a model by a [`register_call`], after a commitment of its owner, and returns its id.
	pub fn register(&mut self, owner: Sr25519Keyring, call: RuntimeCall) -> ModelId {
		let RuntimeCall::ModelRegistry(Model::register { name, spec, .. }) = &call else {
			panic!("no registration: {call:?}")
		};
		let artefact = spec.artifact;
		if BlobRef::of(name) == artefact {
			self.files.insert(artefact.hash, name.to_vec());
		}
		self.commit_to(owner, &artefact);
		let model = NextModelId::<Runtime>::get();
		self.ok(owner, call);
		model
	}

	/// Commits to an artefact and makes blocks until the commitment counts in the next one.
	pub fn commit_to(&mut self, owner: Sr25519Keyring, artefact: &BlobRef) {
		// The terms of a parent must be older than the commitment to its child.
		self.close();
		self.ok(owner, commit_call(owner, artefact));
		let blocks: BlockNumber = <Runtime as pallet_model_registry::Config>::CommitBlocks::get();
		self.run_to(self.number() + blocks - 1);
	}

	/// Lets operators host the model.
	pub fn host(&mut self, model: ModelId, operators: &[Sr25519Keyring]) {
		for operator in operators {
			self.ok(*operator, pallet_node_staking::Call::host { model });
		}
	}

	/// Lets operators host the model and ask for its compute. The asks hold from the next market epoch on. All of them win
	/// in it, if there are three at most; then the price is the highest of them, and stays so: see [`Chain::open_market`].
	pub fn serve(&mut self, model: ModelId, asks: &[(Sr25519Keyring, Balance)]) {
		self.host(model, &asks.iter().map(|(operator, _)| *operator).collect::<Vec<_>>());
		let asks = asks
			.iter()
			.map(|(operator, price)| (*operator, (model, AskRole::Compute, Some(*price))));
		self.ask(&asks.collect::<Vec<_>>());
	}

	/// A root model of Dave, served by Alice, Bob and Charlie, ready for jobs: a unit costs `price`, in all later epochs, too.
	pub fn served_model(&mut self, royalty: Balance, price: Balance) -> ModelId {
		let model = self.register_model(Dave, "magika", royalty);
		let operators = [Alice, Bob, Charlie];
		self.host(model, &operators);
		self.open_market(model, &operators.map(|operator| (operator, AskRole::Compute, price)));
		model
	}

	/// Lets hosts of a model, three at most in each role, ask so much, and makes blocks until the model is ready for jobs.
	/// Nobody who asks loses then, so the highest ask of a role is its price; with the first job it is the reserve, which
	/// falls no further than to the dearest ask that won. So that is what each job costs, however few there are, as long as
	/// whoever asks as much serves.
	pub fn open_market(&mut self, model: ModelId, asks: &[(Sr25519Keyring, AskRole, Balance)]) {
		let asks = asks
			.iter()
			.map(|(operator, role, price)| (*operator, (model, *role, Some(*price))));
		self.ask(&asks.collect::<Vec<_>>());
		self.next_market_epoch();
	}
}
