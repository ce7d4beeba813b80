//! Work lists for tests.

use crate::{engine::ModelKey, machine::WorkKey};
use highway_primitives::{
	model::{Unit, VerificationPolicy, VersionSpec},
	node::Contact,
	work_id, BlobRef, BlockNumber, DeviceClass, JobId, ModelId, NodeId,
};
use highway_runtime_api::types::{HostedModel, WorkItem, WorkList};

pub const NODE: NodeId = 7;

/// The bytes of a model's file.
pub fn artifact_bytes(model: ModelId) -> Vec<u8> {
	format!("artifact of {model}").into_bytes()
}

/// The bytes of a job's input.
pub fn input_bytes(job: JobId) -> Vec<u8> {
	format!("input of {job}").into_bytes()
}

pub fn spec(model: ModelId) -> VersionSpec {
	VersionSpec {
		artifact: BlobRef::of(&artifact_bytes(model)),
		licence: Default::default(),
		inputs: Default::default(),
		outputs: Default::default(),
		unit: Unit::Request,
		unit_time_ms: 100,
		policy: VerificationPolicy::Exact,
		recipe: None,
	}
}

pub fn contact(node: NodeId) -> Contact {
	Contact {
		node,
		peer_id: vec![1],
		addresses: Vec::new(),
	}
}

pub fn item(job: JobId, model: ModelId, deadline: BlockNumber) -> WorkItem {
	item_of(job, model, spec(model), &input_bytes(job), deadline)
}

/// A job that runs this version on this input.
pub fn item_of(job: JobId, model: ModelId, spec: VersionSpec, input: &[u8], deadline: BlockNumber) -> WorkItem {
	let input = BlobRef::of(input);
	WorkItem {
		job,
		work: work_id(job, spec.digest(), &input),
		model,
		version: 1,
		spec,
		input,
		units: 1,
		deadline,
		providers: vec![contact(1)],
	}
}

pub fn key(job: JobId, model: ModelId) -> WorkKey {
	WorkKey::of(NODE, &item(job, model, 0))
}

pub fn model_key(model: ModelId) -> ModelKey {
	ModelKey::of(model, 1, &spec(model))
}

pub fn hosted(model: ModelId) -> HostedModel {
	HostedModel {
		model,
		version: 1,
		spec: spec(model),
		providers: vec![contact(2)],
	}
}

pub fn work(jobs: Vec<WorkItem>) -> WorkList {
	WorkList {
		node: NODE,
		session: 1,
		heartbeat_due: false,
		slots: 0,
		device: DeviceClass::CpuX86,
		hosted: Vec::new(),
		jobs,
	}
}
