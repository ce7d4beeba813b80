//! The calls that this program sends, with the types of the pallets.
//!
//! A call is encoded from its own types and then held against the chain's metadata: same arguments in the same order,
//! and bytes that decode as the chain's types. A runtime that changed a call gets an error, never a wrong transaction.

mod market;

pub use market::{
	bid_for_promotion, claim, claim_for, claim_storage_pay, clear, commit_ask, reveal_ask, set_curator, CuratorProfile,
};

use codec::{Compact, Encode};
use highway_primitives::{
	model::{DerivativeTerms, ModelVersion, VersionSpec},
	node::{MaxAddresses, Multiaddress, PeerIdBytes, Region},
	Balance, BlobRef, DeviceClass, JobId, ModelId, NodeId, Tier, WorkerId, WorkerSignature,
};
use sp_core::{crypto::AccountId32, H256};
use sp_runtime::{BoundedVec, MultiAddress, Perbill};
use subxt::{ext::scale_value, Metadata};

/// Why a call does not fit the chain.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
	/// The chain has no such call.
	#[error("the chain's runtime has no call {0}: update `highway`")]
	Unknown(String),
	/// The chain's call has other arguments.
	#[error("the chain's runtime expects other arguments for {call} ({reason}): update `highway`")]
	Changed {
		/// The call.
		call: String,
		/// What differs.
		reason: String,
	},
}

/// Public keys for authoring and for finality, 32 bytes each.
pub type SessionKeys = [u8; 64];

/// What an operator tells about its node.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub struct NodeDescription {
	/// The key with which the node signs its work.
	pub worker: WorkerId,
	/// Its peer id.
	pub peer_id: PeerIdBytes,
	/// Its addresses.
	pub addresses: BoundedVec<Multiaddress, MaxAddresses>,
	/// What its inference really runs on.
	pub device: DeviceClass,
	/// Memory for inference in MiB.
	#[codec(compact)]
	pub memory_mib: u32,
	/// Region.
	pub region: Region,
}

/// A call with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
	pallet: &'static str,
	name: &'static str,
	arguments: Vec<(&'static str, Vec<u8>)>,
}

impl Call {
	fn new(pallet: &'static str, name: &'static str) -> Self {
		Self {
			pallet,
			name,
			arguments: Vec::new(),
		}
	}

	fn with(mut self, name: &'static str, value: impl Encode) -> Self {
		self.arguments.push((name, value.encode()));
		self
	}

	/// The call data for a chain with this metadata.
	pub fn encode(&self, metadata: &Metadata) -> Result<Vec<u8>, CallError> {
		let title = || format!("{}.{}", self.pallet, self.name);
		let changed = |reason: String| CallError::Changed { call: title(), reason };
		let pallet = metadata
			.pallet_by_name(self.pallet)
			.ok_or_else(|| CallError::Unknown(title()))?;
		let variant = pallet
			.call_variant_by_name(self.name)
			.ok_or_else(|| CallError::Unknown(title()))?;
		let theirs: Vec<_> = variant
			.fields
			.iter()
			.map(|field| field.name.as_deref().unwrap_or_default())
			.collect();
		let ours: Vec<_> = self.arguments.iter().map(|(name, _)| *name).collect();
		if theirs != ours {
			return Err(changed(format!(
				"it has {}, not {}",
				theirs.join(", "),
				ours.join(", ")
			)));
		}

		let mut data = vec![pallet.index(), variant.index];
		for (field, (name, bytes)) in variant.fields.iter().zip(&self.arguments) {
			let mut rest = bytes.as_slice();
			scale_value::scale::decode_as_type(&mut rest, field.ty.id, metadata.types())
				.map_err(|error| changed(format!("{name}: {error}")))?;
			if !rest.is_empty() {
				return Err(changed(format!("{name} is shorter there")));
			}
			data.extend(bytes);
		}
		Ok(data)
	}

	/// Call data of `Utility.batch_all`: all of `calls` or none.
	pub fn encode_batch(calls: &[Call], metadata: &Metadata) -> Result<Vec<u8>, CallError> {
		let pallet = metadata
			.pallet_by_name("Utility")
			.and_then(|pallet| Some([pallet.index(), pallet.call_variant_by_name("batch_all")?.index]))
			.ok_or_else(|| CallError::Unknown("Utility.batch_all".into()))?;
		let mut data = pallet.to_vec();
		Compact(calls.len() as u32).encode_to(&mut data);
		for call in calls {
			data.extend(call.encode(metadata)?);
		}
		Ok(data)
	}
}

/// `Balances.transfer_keep_alive`
pub fn transfer(to: AccountId32, amount: Balance) -> Call {
	Call::new("Balances", "transfer_keep_alive")
		.with("dest", MultiAddress::<AccountId32, ()>::Id(to))
		.with("value", Compact(amount))
}

/// `ModelRegistry.commit_model`: `hash` is [`highway_primitives::model::model_commitment`].
pub fn commit_model(hash: H256) -> Call {
	Call::new("ModelRegistry", "commit_model").with("hash", hash)
}

/// `ModelRegistry.drop_commitment`: takes a commitment of `owner` back.
pub fn drop_commitment(owner: AccountId32, hash: H256) -> Call {
	Call::new("ModelRegistry", "drop_commitment")
		.with("owner", owner)
		.with("hash", hash)
}

/// `ModelRegistry.register`: `salt` opens the commitment to the artefact.
pub fn register_model(
	name: Vec<u8>,
	spec: VersionSpec,
	parent: Option<ModelId>,
	derivative_terms: Option<DerivativeTerms>,
	royalty: Balance,
	salt: Option<[u8; 32]>,
) -> Call {
	Call::new("ModelRegistry", "register")
		.with("name", name)
		.with("spec", spec)
		.with("parent", parent)
		.with("derivative_terms", derivative_terms)
		.with("royalty", Compact(royalty))
		.with("salt", salt)
}

/// `ModelRegistry.add_version`: `salt` opens the commitment to the artefact, if that is new.
pub fn add_version(model: ModelId, spec: VersionSpec, salt: Option<[u8; 32]>) -> Call {
	Call::new("ModelRegistry", "add_version")
		.with("model", Compact(model))
		.with("spec", spec)
		.with("salt", salt)
}

/// `ModelRegistry.update_terms`
pub fn update_terms(
	model: ModelId,
	royalty: Option<Balance>,
	derivative_terms: Option<Option<DerivativeTerms>>,
) -> Call {
	Call::new("ModelRegistry", "update_terms")
		.with("model", Compact(model))
		.with("royalty", royalty)
		.with("derivative_terms", derivative_terms)
}

/// `ModelRegistry.deprecate`
pub fn deprecate_model(model: ModelId) -> Call {
	Call::new("ModelRegistry", "deprecate").with("model", Compact(model))
}

/// `ModelRegistry.reinstate`
pub fn reinstate_model(model: ModelId) -> Call {
	Call::new("ModelRegistry", "reinstate").with("model", Compact(model))
}

/// `ModelRegistry.offer_transfer`; without `to` `ModelRegistry.withdraw_offer`, which takes an offer back.
pub fn offer_model(model: ModelId, to: Option<AccountId32>) -> Call {
	match to {
		Some(to) => Call::new("ModelRegistry", "offer_transfer")
			.with("model", Compact(model))
			.with("to", to),
		None => Call::new("ModelRegistry", "withdraw_offer").with("model", Compact(model)),
	}
}

/// `ModelRegistry.accept_transfer`
pub fn accept_model(model: ModelId) -> Call {
	Call::new("ModelRegistry", "accept_transfer").with("model", Compact(model))
}

/// `ModelRegistry.remove`
pub fn remove_model(model: ModelId) -> Call {
	Call::new("ModelRegistry", "remove").with("model", Compact(model))
}

/// `NodeStaking.register`
pub fn register_node(description: NodeDescription, bond: Balance, proof: WorkerSignature) -> Call {
	Call::new("NodeStaking", "register")
		.with("description", description)
		.with("bond", Compact(bond))
		.with("proof", proof)
}

/// `NodeStaking.update_node`
pub fn update_node(description: NodeDescription, proof: Option<WorkerSignature>) -> Call {
	Call::new("NodeStaking", "update_node")
		.with("description", description)
		.with("proof", proof)
}

/// `NodeStaking.bond_extra`
pub fn bond_extra(amount: Balance) -> Call {
	Call::new("NodeStaking", "bond_extra").with("amount", Compact(amount))
}

/// `NodeStaking.unbond`
pub fn unbond(amount: Balance) -> Call {
	Call::new("NodeStaking", "unbond").with("amount", Compact(amount))
}

/// `NodeStaking.withdraw_unbonded`
pub fn withdraw_unbonded() -> Call {
	Call::new("NodeStaking", "withdraw_unbonded")
}

/// `NodeStaking.chill`
pub fn chill() -> Call {
	Call::new("NodeStaking", "chill")
}

/// `NodeStaking.resume`
pub fn resume() -> Call {
	Call::new("NodeStaking", "resume")
}

/// `NodeStaking.host`
pub fn host(model: ModelId) -> Call {
	Call::new("NodeStaking", "host").with("model", Compact(model))
}

/// `NodeStaking.unhost`
pub fn unhost(model: ModelId) -> Call {
	Call::new("NodeStaking", "unhost").with("model", Compact(model))
}

/// `NodeStaking.deregister`
pub fn deregister() -> Call {
	Call::new("NodeStaking", "deregister")
}

/// `NodeStaking.delegate`: refused if the operator takes, or announced to take, more than `max_commission`.
pub fn delegate(node: NodeId, amount: Balance, max_commission: Perbill) -> Call {
	Call::new("NodeStaking", "delegate")
		.with("node", Compact(node))
		.with("amount", Compact(amount))
		.with("max_commission", max_commission)
}

/// `NodeStaking.undelegate`: everything if it is worth no more than `amount`.
pub fn undelegate(node: NodeId, amount: Balance) -> Call {
	Call::new("NodeStaking", "undelegate")
		.with("node", Compact(node))
		.with("amount", Compact(amount))
}

/// `NodeStaking.withdraw_delegation`
pub fn withdraw_delegation(node: NodeId) -> Call {
	Call::new("NodeStaking", "withdraw_delegation").with("node", Compact(node))
}

/// `NodeStaking.claim_rewards`
pub fn claim_rewards(node: NodeId) -> Call {
	Call::new("NodeStaking", "claim_rewards").with("node", Compact(node))
}

/// `NodeStaking.set_commission`
pub fn set_commission(commission: Perbill) -> Call {
	Call::new("NodeStaking", "set_commission").with("commission", commission)
}

/// `InferenceJobs.submit_job` of one job.
pub fn submit_job(
	model: ModelId,
	input: BlobRef,
	max_price: Balance,
	gateway: Option<NodeId>,
	curator: Option<AccountId32>,
) -> Call {
	submission(Tier::Spot, model, input, max_price, gateway, curator)
}

/// `InferenceJobs.submit_job` of a quorum of `size` jobs, which together cost `max_price` at most.
pub fn submit_quorum(
	size: u8,
	model: ModelId,
	input: BlobRef,
	max_price: Balance,
	gateway: Option<NodeId>,
	curator: Option<AccountId32>,
) -> Call {
	submission(Tier::Quorum(size), model, input, max_price, gateway, curator)
}

fn submission(
	tier: Tier,
	model: ModelId,
	input: BlobRef,
	max_price: Balance,
	gateway: Option<NodeId>,
	curator: Option<AccountId32>,
) -> Call {
	Call::new("InferenceJobs", "submit_job")
		.with("model", Compact(model))
		.with("input", input)
		.with("tier", tier)
		.with("max_price", Compact(max_price))
		.with("gateway", gateway)
		.with("curator", curator)
}

/// `InferenceJobs.submit_batch`: one job whose input is the [bundle](highway_primitives::batch) of `inputs` files.
pub fn submit_batch(
	model: ModelId,
	input: BlobRef,
	inputs: u16,
	max_price: Balance,
	gateway: Option<NodeId>,
	curator: Option<AccountId32>,
) -> Call {
	Call::new("InferenceJobs", "submit_batch")
		.with("model", Compact(model))
		.with("input", input)
		.with("inputs", inputs)
		.with("max_price", Compact(max_price))
		.with("gateway", gateway)
		.with("curator", curator)
}

/// `Session.set_keys`: session keys as the node made them, and its proof that it has them for the signer.
pub fn set_session_keys(keys: SessionKeys, proof: Vec<u8>) -> Call {
	Call::new("Session", "set_keys").with("keys", keys).with("proof", proof)
}

/// `InferenceJobs.poke`
pub fn poke(job: JobId) -> Call {
	Call::new("InferenceJobs", "poke").with("job", Compact(job))
}

/// `ProofOfWorkDone.force_audit`
pub fn force_audit(job: JobId) -> Call {
	Call::new("ProofOfWorkDone", "force_audit").with("job", Compact(job))
}

/// `ProofOfWorkDone.confirm_calibration`
pub fn confirm_calibration(model: ModelId, version: ModelVersion) -> Call {
	Call::new("ProofOfWorkDone", "confirm_calibration")
		.with("model", Compact(model))
		.with("version", Compact(version))
}

/// One of each call, for a test that holds them against a runtime's metadata.
pub fn one_of_each() -> Vec<Call> {
	use highway_primitives::{
		market::AskRole,
		model::{Trace, Unit, VerificationPolicy},
	};
	let account = AccountId32::new([1; 32]);
	let blob = BlobRef {
		hash: Default::default(),
		size: 1,
	};
	let terms = DerivativeTerms {
		share: Perbill::from_percent(1),
		floor: 1,
	};
	let spec = VersionSpec {
		artifact: blob,
		licence: b"MIT".to_vec().try_into().expect("3 bytes fit; qed"),
		inputs: Default::default(),
		outputs: Default::default(),
		unit: Unit::Request,
		unit_time_ms: 1,
		policy: VerificationPolicy::Exact,
		trace: Some(Trace {
			tensor: Default::default(),
			tolerance: 1,
		}),
		detection: Perbill::from_percent(50),
		shares_runs: true,
		recipe: None,
	};
	let description = NodeDescription {
		worker: WorkerId::from(sp_core::sr25519::Public::from_raw([2; 32])),
		peer_id: Default::default(),
		addresses: Default::default(),
		device: DeviceClass::CpuX86,
		memory_mib: 1,
		region: Default::default(),
	};
	let proof = WorkerSignature::from(sp_core::sr25519::Signature::from_raw([0; 64]));
	let profile = CuratorProfile {
		name: b"c".to_vec().try_into().expect("1 byte fits; qed"),
		url: Default::default(),
	};
	vec![
		transfer(account.clone(), 1),
		commit_model(H256::repeat_byte(3)),
		drop_commitment(account.clone(), H256::repeat_byte(3)),
		register_model(b"m".to_vec(), spec.clone(), Some(1), Some(terms), 1, Some([4; 32])),
		add_version(1, spec, Some([4; 32])),
		update_terms(1, Some(1), Some(Some(terms))),
		deprecate_model(1),
		reinstate_model(1),
		offer_model(1, Some(account.clone())),
		offer_model(1, None),
		accept_model(1),
		remove_model(1),
		register_node(description.clone(), 1, proof.clone()),
		update_node(description, Some(proof)),
		bond_extra(1),
		unbond(1),
		withdraw_unbonded(),
		chill(),
		resume(),
		host(1),
		unhost(1),
		deregister(),
		delegate(1, 1, Perbill::from_percent(1)),
		undelegate(1, 1),
		withdraw_delegation(1),
		claim_rewards(1),
		set_commission(Perbill::from_percent(1)),
		commit_ask(1, AskRole::Compute, H256::repeat_byte(3)),
		reveal_ask(1, AskRole::Storage, Some(1), [4; 32]),
		clear(1),
		set_curator(1, profile),
		claim(),
		claim_for(account.clone()),
		claim_storage_pay(1),
		bid_for_promotion(1, 1),
		set_session_keys([0; 64], vec![1]),
		submit_job(1, blob, 1, Some(1), Some(account.clone())),
		submit_quorum(3, 1, blob, 1, Some(1), Some(account.clone())),
		submit_batch(1, blob, 2, 1, Some(1), Some(account)),
		poke(1),
		force_audit(1),
		confirm_calibration(1, 1),
	]
}
