//! What makers, operators, payers and workers do.

use crate::{audits::SALT, Chain, DETECTION};
use frame_support::BoundedVec;
use highway_primitives::{
	model::{DType, DerivativeTerms, TensorSpec, Trace, Unit, VerificationPolicy, VersionSpec},
	work_tag,
	worker::{self, AttestItem, WorkerAction, WorkerId, WorkerSignature},
	Balance, BlobRef, DeviceClass, FailureClass, JobId, ModelId, NodeId, Tier, WorkId,
};
use highway_runtime::{AccountId, Block, InferenceJobs, NodeStaking, Runtime, RuntimeCall, UncheckedExtrinsic};
use highway_runtime_api::runtime_decl_for_worker_api::WorkerApi;
use pallet_inference_jobs::JobRecordOf;
use pallet_revenue_split::AskRole;
use sp_core::crypto::ByteArray;
use sp_keyring::Sr25519Keyring;
use sp_runtime::Perbill;

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

/// `ModelRegistry.register`
pub fn register_call(
	name: &str,
	spec: VersionSpec,
	parent: Option<ModelId>,
	derivative_terms: Option<DerivativeTerms>,
	royalty: Balance,
) -> RuntimeCall {
	let name = name.as_bytes().to_vec().try_into().expect("a short name");
	pallet_model_registry::Call::register {
		name,
		spec,
		parent,
		derivative_terms,
		royalty,
	}
	.into()
}

/// `InferenceJobs.submit_job` with a small input and no bound on the price.
pub fn submit_call(model: ModelId, curator: Option<AccountId>) -> RuntimeCall {
	submit_tier_call(model, curator, Tier::Spot)
}

/// The same of any tier.
pub fn submit_tier_call(model: ModelId, curator: Option<AccountId>, tier: Tier) -> RuntimeCall {
	pallet_inference_jobs::Call::submit_job {
		model,
		input: BlobRef::of(b"input"),
		tier,
		max_price: Balance::MAX,
		gateway: None,
		curator,
	}
	.into()
}

/// The output that tests attest for a job: another one for each.
pub fn output_of(job: JobId) -> BlobRef {
	BlobRef::of(&output_bytes(job))
}

/// The bytes of [`output_of`].
pub(crate) fn output_bytes(job: JobId) -> Vec<u8> {
	format!("output of job {job}").into_bytes()
}

/// The transaction of a worker key, by the runtime's own API: payload, signature, transaction.
pub fn worker_transaction(key: Sr25519Keyring, action: WorkerAction) -> UncheckedExtrinsic {
	let payload = <Runtime as WorkerApi<Block>>::worker_payload(action.clone());
	<Runtime as WorkerApi<Block>>::worker_transaction(action, key.sign(&payload).into())
}

/// The well-known pair of a worker key.
pub(crate) fn worker_of(worker: &WorkerId) -> Sr25519Keyring {
	let public = worker.as_slice().try_into().expect("a public key has 32 bytes");
	Sr25519Keyring::from_raw_public(public).expect("all worker keys are well-known")
}

impl Chain {
	/// Registers a root model of `owner` and returns its id.
	pub fn register_model(&mut self, owner: Sr25519Keyring, name: &str, royalty: Balance) -> ModelId {
		self.register(owner, register_call(name, spec(name), None, None, royalty))
	}

	/// Registers a model by a [`register_call`] and returns its id.
	pub fn register(&mut self, owner: Sr25519Keyring, call: RuntimeCall) -> ModelId {
		let model = pallet_model_registry::NextModelId::<Runtime>::get();
		self.ok(owner, call);
		model
	}

	/// Lets operators host the model and ask for its compute. The asks hold from the next market epoch on.
	pub fn serve(&mut self, model: ModelId, asks: &[(Sr25519Keyring, Balance)]) {
		for (operator, price) in asks {
			self.ok(*operator, pallet_node_staking::Call::host { model });
			self.ask(*operator, model, AskRole::Compute, *price);
		}
	}

	/// Posts an ask.
	pub fn ask(&mut self, operator: Sr25519Keyring, model: ModelId, role: AskRole, price: Balance) {
		self.ok(operator, pallet_revenue_split::Call::post_ask { model, role, price });
	}

	/// A root model of Dave, served by Alice, Bob and Charlie at the same price, ready for jobs.
	pub fn served_model(&mut self, royalty: Balance, ask: Balance) -> ModelId {
		let model = self.register_model(Sr25519Keyring::Dave, "magika", royalty);
		let operators = [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie];
		self.serve(model, &operators.map(|operator| (operator, ask)));
		self.next_market_epoch();
		model
	}

	/// Makes blocks until the next block belongs to another market epoch.
	pub fn next_market_epoch(&mut self) {
		self.close();
		let last = pallet_revenue_split::Pallet::<Runtime>::last_block_of(
			pallet_revenue_split::Pallet::<Runtime>::current_epoch(),
		);
		self.run_to(last + 1);
	}

	/// Submits a job without a curator and returns its id.
	pub fn submit(&mut self, payer: Sr25519Keyring, model: ModelId) -> JobId {
		let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
		self.ok(payer, submit_call(model, None));
		job
	}

	/// Submits a quorum without a curator and returns its jobs.
	pub fn submit_quorum(&mut self, payer: Sr25519Keyring, model: ModelId, size: u8) -> Vec<JobId> {
		let first = pallet_inference_jobs::NextJobId::<Runtime>::get();
		self.ok(payer, submit_tier_call(model, None, Tier::Quorum(size)));
		(first..first + u64::from(size)).collect()
	}

	/// The record of a job that is kept.
	pub fn job(&self, job: JobId) -> JobRecordOf<Runtime> {
		InferenceJobs::job(job).expect("the job's record is kept")
	}

	/// The node that has the job, or did it.
	pub fn executor(&self, job: JobId) -> NodeId {
		self.job(job).executor().expect("the job is with a node")
	}

	/// The pair of a node's worker key.
	pub fn worker(&self, node: NodeId) -> Sr25519Keyring {
		worker_of(&NodeStaking::node(node).expect("the node exists").0.worker)
	}

	/// Who operates a node.
	pub fn operator(&self, node: NodeId) -> Sr25519Keyring {
		let operator = NodeStaking::node(node).expect("the node exists").0.operator;
		Sr25519Keyring::from_account_id(&operator).expect("all operators are well-known")
	}

	/// What a job stands for; nothing if there is no such job.
	pub fn work(&self, job: JobId) -> WorkId {
		InferenceJobs::job(job).map_or_else(WorkId::default, |record| record.work)
	}

	/// `node`'s word that it cannot do a job.
	pub fn failure_report(&self, node: NodeId, job: JobId, class: FailureClass) -> WorkerAction {
		let work = work_tag(&self.work(job));
		WorkerAction::ReportFailure { node, job, work, class }
	}

	/// What `node` would say about these jobs.
	pub fn attestation(&self, node: NodeId, jobs: &[JobId]) -> WorkerAction {
		let items = jobs
			.iter()
			.map(|job| {
				let (work, output) = (self.work(*job), output_of(*job));
				AttestItem {
					job: *job,
					work: work_tag(&work),
					output,
					commitment: worker::commitment(&work, node, &output, &self.committed_sketch(*job), &SALT),
				}
			})
			.collect::<Vec<_>>();
		WorkerAction::Attest {
			node,
			items: items.try_into().expect("at most 256 jobs"),
		}
	}

	/// Lets the node that has the job attest it.
	pub fn attest(&mut self, job: JobId) {
		let node = self.executor(job);
		let transaction = worker_transaction(self.worker(node), self.attestation(node, &[job]));
		self.apply(transaction)
			.expect("an attestation by the assigned node is valid")
			.expect("it is taken");
	}

	/// Lets blocks pass until the job's present phase is over and the due queue has moved it on. For attested work there
	/// is [`Chain::finish`]: an audit of it may be drawn.
	pub fn pass_due(&mut self, job: JobId) {
		let due = self.job(job).due();
		self.run_to(due);
	}

	/// The signature of `key` that makes it the worker key of `operator`'s node.
	pub fn registration_proof(&self, operator: Sr25519Keyring, key: Sr25519Keyring) -> WorkerSignature {
		let genesis = frame_system::Pallet::<Runtime>::block_hash(0);
		let payload = worker::registration_payload(genesis, &codec::Encode::encode(&operator.to_account_id()));
		key.sign(&payload).into()
	}
	/// Registers a node of `operator`, which is heard in the next block: of the device class of the preset's nodes, with
	/// the operator's own key as its worker key. Returns its id.
	pub fn join(&mut self, operator: Sr25519Keyring, bond: Balance) -> NodeId {
		let description = pallet_node_staking::NodeDescription {
			worker: operator.public().into(),
			peer_id: Default::default(),
			addresses: Default::default(),
			device: DeviceClass::CpuX86,
			memory_mib: 1_024,
			region: Default::default(),
		};
		let proof = self.registration_proof(operator, operator);
		self.ok(
			operator,
			pallet_node_staking::Call::register {
				description,
				bond,
				proof,
			},
		);
		self.blocks(1);
		NodeStaking::node_of_worker(&operator.public().into()).expect("it was registered")
	}
}
