//! Work lists for tests.

use crate::machine::WorkKey;
use highway_primitives::{
	model::{Unit, VerificationPolicy, VersionSpec},
	node::Contact,
	BlobRef, BlockNumber, JobId, ModelId, NodeId,
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
	WorkItem {
		job,
		model,
		version: 1,
		spec: spec(model),
		input: BlobRef::of(&input_bytes(job)),
		units: 1,
		deadline,
		providers: vec![contact(1)],
	}
}

pub fn key(job: JobId, model: ModelId) -> WorkKey {
	WorkKey::of(NODE, &item(job, model, 0))
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
		hosted: Vec::new(),
		jobs,
	}
}
