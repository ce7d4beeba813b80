//! Work lists for tests.

use crate::{
	engine::ModelKey,
	machine::{BallotKey, WorkKey},
};
use highway_primitives::{
	audit::{work_seed, AuditTask, Claims, Seat, SketchSeed},
	batch,
	model::{DType, TensorSpec, Trace, Unit, VerificationPolicy, VersionSpec},
	node::Contact,
	work_id, AskRole, BlobRef, BlockNumber, DeviceClass, EpochIndex, JobId, MarketPhase, ModelId, NodeId, Sketch,
};
use highway_runtime_api::types::{AskTask, AuditItem, HostedModel, StorageTask, WorkItem, WorkList};

pub const NODE: NodeId = 7;

/// Who did the jobs that [`NODE`] audits.
pub const EXECUTOR: NodeId = 5;

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
		outputs: vec![TensorSpec {
			name: b"y".to_vec().try_into().unwrap(),
			dtype: DType::U8,
			shape: vec![None].try_into().unwrap(),
		}]
		.try_into()
		.unwrap(),
		unit: Unit::Request,
		unit_time_ms: 100,
		policy: VerificationPolicy::Exact,
		trace: Some(Trace {
			tensor: b"trace".to_vec().try_into().unwrap(),
			tolerance: 10,
		}),
		detection: Default::default(),
		shares_runs: true,
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
		work: work_id(job, spec.digest(), &input, 1),
		model,
		version: 1,
		spec,
		input,
		inputs: 1,
		units: 1,
		deadline,
		providers: vec![contact(1)],
	}
}

/// The same job with so many inputs, as if its blob were a bundle of them.
pub fn of_many(item: WorkItem, inputs: u16) -> WorkItem {
	WorkItem {
		work: work_id(item.job, item.spec.digest(), &item.input, inputs),
		inputs,
		units: inputs.into(),
		..item
	}
}

/// A bundle of files.
pub fn bundle(files: &[Vec<u8>]) -> Vec<u8> {
	batch::bundle(files).unwrap()
}

/// A job that runs model 1 on all of these inputs.
pub fn batch_item(job: JobId, inputs: &[Vec<u8>], deadline: BlockNumber) -> WorkItem {
	let item = item_of(job, 1, spec(1), &bundle(inputs), deadline);
	of_many(item, inputs.len() as u16)
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
		audits: Vec::new(),
		probe: None,
		asks: Vec::new(),
		challenges: Vec::new(),
	}
}

/// A chunk of a model's file that the node has to show.
pub fn storage_task(model: ModelId, chunk: u64, drawn_at: BlockNumber, until: BlockNumber) -> StorageTask {
	StorageTask {
		model,
		artefact: spec(model).artifact,
		chunk,
		drawn_at,
		until,
	}
}

/// What the market wants to hear about compute of a model in the epoch after the present one, in a phase that began long ago.
pub fn ask_task(model: ModelId, epoch: EpochIndex, phase: MarketPhase, until: BlockNumber) -> AskTask {
	AskTask {
		model,
		role: AskRole::Compute,
		epoch,
		phase,
		from: 0,
		until,
		standing: None,
		committed: None,
		obstacle: None,
		price: None,
		won: false,
	}
}

/// A sketch with this first sum.
pub fn sketch(first: i64) -> Sketch {
	let mut sketch = Sketch::default();
	sketch.sums[0] = first;
	sketch
}

/// What an audit of a job of model 1 wants, about this output.
pub fn audit(job: JobId, task: AuditTask, output: &[u8], until: BlockNumber) -> AuditItem {
	audit_of(item(job, 1, 0), task, output, until)
}

/// What an audit of this job wants, about this output.
pub fn audit_of(item: WorkItem, task: AuditTask, output: &[u8], until: BlockNumber) -> AuditItem {
	let WorkItem {
		job,
		work,
		model,
		version,
		spec,
		input,
		inputs,
		units,
		providers,
		..
	} = item;
	AuditItem {
		job,
		work,
		model,
		version,
		spec,
		input,
		inputs,
		units,
		providers,
		output: BlobRef::of(output),
		executor: contact(EXECUTOR),
		task,
		until,
	}
}

/// The seed of an auditor's ballot on a job of model 1.
pub fn auditor_seed(job: JobId) -> SketchSeed {
	work_seed(&item(job, 1, 0).work)
}

/// An auditor's task.
pub fn judge(job: JobId) -> AuditTask {
	judge_input(&item(job, 1, 0), 0)
}

/// An auditor's task about one of a job's inputs.
pub fn judge_input(item: &WorkItem, index: u16) -> AuditTask {
	AuditTask::Judge {
		seat: Seat::Auditor,
		index,
		seed: work_seed(&item.work),
		claims: None,
	}
}

/// A juror's task.
pub fn judge_as_juror(seed: SketchSeed, claims: Claims) -> AuditTask {
	AuditTask::Judge {
		seat: Seat::Juror,
		index: 0,
		seed,
		claims: Some(claims),
	}
}

/// The key of this node's ballot on a job of model 1.
pub fn ballot_key(job: JobId, seed: SketchSeed) -> BallotKey {
	BallotKey {
		work: key(job, 1),
		seed,
		index: 0,
	}
}
