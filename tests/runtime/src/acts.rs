//! What operators, payers and workers do.

use crate::{audits::SALT, Chain};
use highway_primitives::{
	batch::{bundle, sketch_root},
	traits::Nodes,
	work_tag,
	worker::{self, AttestItem, WorkerAction, WorkerId, WorkerSignature},
	Balance, BlobRef, DeviceClass, FailureClass, JobId, ModelId, NodeId, Tier, WorkId,
};
use highway_runtime::{AccountId, Block, InferenceJobs, NodeStaking, Runtime, RuntimeCall, UncheckedExtrinsic};
use highway_runtime_api::runtime_decl_for_worker_api::WorkerApi;
use pallet_inference_jobs::JobRecordOf;
use pallet_revenue_split::CuratorProfile;
use sp_core::crypto::ByteArray;
use sp_keyring::Sr25519Keyring;

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

/// `InferenceJobs.submit_batch` of so many small inputs, with no bound on the price.
pub fn submit_batch_call(model: ModelId, inputs: u16) -> RuntimeCall {
	pallet_inference_jobs::Call::submit_batch {
		model,
		input: bundle_of(inputs),
		inputs,
		max_price: Balance::MAX,
		gateway: None,
		curator: None,
	}
	.into()
}

/// The bundle of so many small inputs.
pub fn bundle_of(inputs: u16) -> BlobRef {
	BlobRef::of(&bundle(&vec![b"input"; inputs.into()]).expect("a few files"))
}

/// `RevenueSplit.set_curator` under a name.
pub fn curator_call(fee: Balance) -> RuntimeCall {
	let profile = CuratorProfile {
		name: b"curator".to_vec().try_into().expect("a short name"),
		url: Default::default(),
	};
	pallet_revenue_split::Call::set_curator { fee, profile }.into()
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

	/// Submits a job of so many inputs and returns its id.
	pub fn submit_batch(&mut self, payer: Sr25519Keyring, model: ModelId, inputs: u16) -> JobId {
		let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
		self.ok(payer, submit_batch_call(model, inputs));
		job
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

	/// The node of an operator.
	pub fn node_of(&self, operator: Sr25519Keyring) -> NodeId {
		<NodeStaking as Nodes<AccountId>>::node_of(&operator.to_account_id()).expect("it operates a node")
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
				let root = sketch_root(&self.committed_sketches(*job));
				AttestItem {
					job: *job,
					work: work_tag(&work),
					output,
					commitment: worker::commitment(&work, node, &output, &root, &SALT),
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
