//! Answers put together from several pallets, for the runtime APIs.

use crate::{market, AccountId, Balance, Runtime, Session};
use alloc::vec::Vec;
use frame_support::ensure;
use highway_primitives::{
	audit::AuditTask,
	market::Order,
	node::Contact,
	traits::{Market, Models, Nodes},
	BlockNumber, DeviceClass, JobId, JobPhase, ModelId, ModelVersion, NodeId, Tier, WorkerId, MAX_INPUTS,
};
use highway_runtime_api::types::{
	AuditInfo, AuditItem, Bill, CalibrationInfo, ComingVersion, DelegationInfo, HostedModel, JobInfo, MeasuredInfo,
	ModelInfo, NodeInfo, Quote, SeatInfo, WorkItem, WorkList,
};
use pallet_inference_jobs::NextJobId;
use pallet_revenue_split::AskRole;
use sp_runtime::DispatchError;

type Registry = pallet_model_registry::Pallet<Runtime>;
type Staking = pallet_node_staking::Pallet<Runtime>;
type Split = pallet_revenue_split::Pallet<Runtime>;
type Jobs = pallet_inference_jobs::Pallet<Runtime>;
type JobError = pallet_inference_jobs::Error<Runtime>;
type Proofs = pallet_proof_of_work_done::Pallet<Runtime>;
type Probes = pallet_capacity_probes::Pallet<Runtime>;

/// The most jobs that a worker is told of at once: as many as a node may have.
const MAX_WORK_ITEMS: u32 = pallet_node_staking::MAX_SLOTS as u32;
/// The most tasks in audits that a worker is told of at once.
const MAX_AUDIT_ITEMS: usize = 256;
/// The most entries of a page.
pub(crate) const MAX_PAGE: u32 = 64;
/// The most providers named for one blob.
const MAX_PROVIDERS: usize = 8;

/// See `WorkerApi::work_for`.
pub fn work_for(worker: &WorkerId) -> Option<WorkList> {
	let node = Staking::node_of_worker(worker)?;
	let (record, standing) = Staking::node(node)?;
	let hosted = record.hosted.iter().flat_map(|model| hosted(*model, node)).collect();
	let jobs = Jobs::assigned_to(node, MAX_WORK_ITEMS)
		.into_iter()
		.filter_map(|id| work_item(id, node))
		.collect();
	Some(WorkList {
		node,
		session: Staking::current_session(),
		heartbeat_due: Staking::heartbeat_due(node),
		slots: standing.slots,
		device: record.device,
		hosted,
		jobs,
		audits: audits_for(node),
		probe: Probes::task_of(node),
		asks: market::ask_tasks(node, &record.hosted),
		challenges: market::storage_tasks(node),
	})
}

/// What audits want of `node` now.
fn audits_for(node: NodeId) -> Vec<AuditItem> {
	Proofs::tasks_of(node)
		.into_iter()
		.filter_map(|(job, task, until)| audit_item(node, job, task, until))
		.take(MAX_AUDIT_ITEMS)
		.collect()
}

fn audit_item(node: NodeId, id: JobId, task: AuditTask, until: BlockNumber) -> Option<AuditItem> {
	let job = Jobs::job(id)?;
	let spec = Registry::spec(job.model, job.version)?;
	let executor = Staking::contact(job.executor()?)?;
	let providers = input_providers(&job)
		.chain(core::iter::once(executor.clone()))
		.filter(|contact| contact.node != node)
		.collect();
	Some(AuditItem {
		job: id,
		work: job.work,
		model: job.model,
		version: job.version,
		spec,
		input: job.input,
		inputs: job.inputs,
		units: job.deal.units,
		providers,
		output: job.output()?,
		executor,
		task,
		until,
	})
}

/// The versions of a model that `node` hosts which it needs now or soon.
fn hosted(model: ModelId, node: NodeId) -> Vec<HostedModel> {
	let Some((record, spec)) = Registry::model(model) else {
		return Vec::new();
	};
	let current = (record.version, spec);
	let coming = coming(model, record.coming).map(|coming| (coming.version, coming.spec));
	core::iter::once(current)
		.chain(coming)
		.map(|(version, spec)| HostedModel {
			model,
			version,
			spec,
			providers: hosts(model, node),
		})
		.collect()
}

fn coming(model: ModelId, coming: Option<(ModelVersion, BlockNumber)>) -> Option<ComingVersion> {
	let (version, from) = coming?;
	let spec = Registry::spec(model, version)?;
	Some(ComingVersion { version, from, spec })
}

fn work_item(id: JobId, node: NodeId) -> Option<WorkItem> {
	let job = Jobs::job(id)?;
	let spec = Registry::spec(job.model, job.version)?;
	let providers = input_providers(&job).filter(|contact| contact.node != node).collect();
	Some(WorkItem {
		job: id,
		work: job.work,
		model: job.model,
		version: job.version,
		spec,
		input: job.input,
		inputs: job.inputs,
		units: job.deal.units,
		deadline: job.deadline()?,
		providers,
	})
}

/// Who is likely to have a job's input: the payer's node, then storage, which for all jobs of a quorum is the first one's.
fn input_providers(job: &pallet_inference_jobs::JobRecord<AccountId>) -> impl Iterator<Item = Contact> {
	let storage = match job.quorum {
		Some(quorum) => Jobs::job(quorum.first).and_then(|first| first.deal.storage),
		None => job.deal.storage,
	};
	let storage = storage.map(|(provider, _)| provider);
	job.gateway.into_iter().chain(storage).filter_map(Staking::contact)
}

/// Nodes that serve the model at its last clearing, as far as they are not `except`.
fn hosts(model: ModelId, except: NodeId) -> Vec<Contact> {
	Split::providers(model)
		.into_iter()
		.filter(|node| *node != except)
		.take(MAX_PROVIDERS)
		.filter_map(Staking::contact)
		.collect()
}

/// See `MarketApi::quote` and `MarketApi::quote_quorum`.
pub fn quote(
	model: ModelId,
	input_size: u64,
	inputs: u16,
	curator: Option<AccountId>,
	tier: Tier,
) -> Result<Quote<AccountId>, DispatchError> {
	let jobs = tier.jobs().ok_or(JobError::QuorumSizeOutOfRange)?;
	ensure!((1..=MAX_INPUTS).contains(&inputs), JobError::InputsOutOfRange);
	let service = Registry::service(model)?;
	let (units, deadline) = Jobs::terms(&service, input_size, inputs)?;
	// Nobody has said who pays: somebody who is no curator. What is drawn moves no price.
	let nobody = Split::pot_account();
	let order = Order {
		model,
		units,
		input_size,
		detection: service.detection,
		payer: &nobody,
		curator: curator.as_ref(),
		weaver: None,
		seed: [0; 32],
	};
	let parts = Split::quote_jobs(&order, jobs)?;
	let security = Jobs::security(parts.compute);
	let able = parts
		.executors
		.iter()
		.filter(|node| <Staking as Nodes<AccountId>>::draw_weight(**node, model, security) > 0)
		.count();
	Ok(Quote {
		epoch: parts.epoch,
		valid_until: parts.valid_until,
		units,
		deadline,
		executors: able as u32,
		lines: parts.lines,
		price: parts.price,
		audit_rate: parts.audit_rate.deconstruct(),
	})
}

/// See `MarketApi::job`.
pub fn job(id: JobId) -> Option<JobInfo<AccountId>> {
	let job = Jobs::job(id)?;
	Some(JobInfo {
		id,
		phase: job.phase(),
		executor: job.executor(),
		executor_contact: job.executor().and_then(Staking::contact),
		output: job.output(),
		attested_at: job.attested_at(),
		due: job.due(),
		payer: job.payer,
		model: job.model,
		version: job.version,
		input: job.input,
		inputs: job.inputs,
		price: job.deal.price,
		quorum: job.quorum,
		tried: job.tried.into_inner(),
		submitted_at: job.submitted_at,
	})
}

/// See `MarketApi::explain_split`.
pub fn bill(id: JobId) -> Option<Bill<AccountId>> {
	let job = Jobs::job(id)?;
	let price = job.deal.price;
	let lines = match job.phase() {
		JobPhase::Assigned | JobPhase::Attested | JobPhase::Auditing => {
			Split::bill(job.model, &job.deal, job.executor()?)
		}
		JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed | JobPhase::Rejected | JobPhase::Void => {
			job.bill.clone()
		}
	};
	let paid = lines
		.iter()
		.fold(0, |sum: Balance, line| sum.saturating_add(line.amount));
	Some(Bill {
		job: id,
		phase: job.phase(),
		epoch: job.deal.epoch,
		price,
		refunded: price.saturating_sub(paid),
		lines: lines.into_inner(),
	})
}

/// See `MarketApi::models`.
pub fn models(from: ModelId, limit: u32) -> (Vec<ModelInfo<AccountId>>, Option<ModelId>) {
	let (ids, next) = Registry::ids_from(from, limit.min(MAX_PAGE));
	(ids.into_iter().filter_map(model).collect(), next)
}

/// See `MarketApi::model_by_name`.
pub fn model_by_name(owner: AccountId, name: Vec<u8>) -> Option<ModelInfo<AccountId>> {
	model(Registry::id_of(&owner, name.try_into().ok()?)?)
}

fn model(id: ModelId) -> Option<ModelInfo<AccountId>> {
	let (record, spec) = Registry::model(id)?;
	Some(ModelInfo {
		id,
		royalty: Registry::royalty_now(id)?,
		pending_royalty: record.royalty.pending,
		royalties: <Registry as Models<AccountId>>::royalties(id),
		owner: record.owner,
		name: record.name.into_inner(),
		deprecated: record.deprecated,
		version: record.version,
		spec,
		coming: coming(id, record.coming),
		parent: record.parent.map(|parent| parent.model),
		derivative_terms: record.derivative_terms,
		open_jobs: Split::open_jobs(id),
		children: record.children,
		deposit: record.deposit,
	})
}

/// See `MarketApi::nodes`.
pub fn nodes(from: NodeId, limit: u32) -> (Vec<NodeInfo<AccountId>>, Option<NodeId>) {
	let (ids, next) = Staking::ids_from(from, limit.min(MAX_PAGE));
	(ids.into_iter().filter_map(node).collect(), next)
}

/// See `MarketApi::node_of`.
pub fn node_of(operator: &AccountId) -> Option<NodeInfo<AccountId>> {
	node(<Staking as Nodes<AccountId>>::node_of(operator)?)
}

fn node(id: NodeId) -> Option<NodeInfo<AccountId>> {
	let (record, standing) = Staking::node(id)?;
	let hosted = record
		.hosted
		.iter()
		.map(|model| {
			let ask = |role| Split::ask_of(id, *model, role);
			(*model, ask(AskRole::Compute), ask(AskRole::Storage))
		})
		.collect();
	let pool = Staking::pool(id);
	let measured = measured(id, record.device);
	Some(NodeInfo {
		id,
		contact: Staking::contact(id)?,
		eligible: Staking::is_eligible(id),
		jailed: Staking::is_jailed(id),
		validator: Session::validators().contains(&record.operator),
		operator: record.operator,
		worker: record.worker,
		device: record.device,
		memory_mib: record.memory_mib,
		region: record.region.into_inner(),
		bond: record.bond,
		reserved: standing.reserved,
		delegated: pool.active.stake,
		commission: Staking::commission(id).deconstruct(),
		rewards: pool.operator_rewards,
		slashed: Staking::slashed(id).own(),
		unbonding: record
			.unbonding
			.iter()
			.map(|chunk| (chunk.amount, chunk.session))
			.collect(),
		chilled: record.chilled,
		last_heartbeat: standing.last_heartbeat,
		healthy: standing.healthy,
		slots: standing.slots,
		assigned: standing.assigned,
		reliability: standing.reliability.score().deconstruct(),
		hosted,
		declared: standing.declared,
		measured,
	})
}

/// What rounds of probes found of a node.
fn measured(node: NodeId, device: DeviceClass) -> Option<MeasuredInfo> {
	let (known, allowed) = Probes::measurement(node, device)?;
	Some(MeasuredInfo {
		rows: known.rows?,
		slots: if allowed.able { allowed.slots } else { 0 },
		round: known.round,
		missed: known.missed,
		refuted: known.refuted,
	})
}

/// See `MarketApi::audit`.
pub fn audit(id: JobId) -> Option<AuditInfo> {
	let record = Proofs::audit(id)?;
	let job = Jobs::job(id)?;
	let verdict = record.verdict();
	Some(AuditInfo {
		job: id,
		model: job.model,
		inputs: job.inputs,
		index: record.input(job.inputs),
		executor: record.executor,
		reason: record.reason,
		phase: record.phase.description().into(),
		until: verdict.is_none().then_some(record.until),
		sketch: record.opening,
		seats: record
			.seats
			.into_iter()
			.map(|seat| SeatInfo {
				node: seat.node,
				seat: seat.seat,
				committed: seat.commitment.is_some(),
				ballot: seat.ballot,
			})
			.collect(),
		verdict,
		slashes: record.slashes.into_inner(),
	})
}

/// See `MarketApi::audits`.
pub fn audits(from: JobId, limit: u32) -> (Vec<AuditInfo>, Option<JobId>) {
	let (jobs, next) = Proofs::audits_from(from, NextJobId::<Runtime>::get(), limit.min(MAX_PAGE));
	(jobs.into_iter().filter_map(audit).collect(), next)
}

/// See `MarketApi::calibration`.
pub fn calibration(model: ModelId, version: ModelVersion) -> CalibrationInfo<AccountId> {
	let (calibration, slashes) = Proofs::calibration(model, version);
	CalibrationInfo {
		reproduced_by: calibration.reproduced_by.into_inner(),
		audits: calibration.audits,
		disputes: calibration.disputes,
		slashes,
	}
}

/// See `MarketApi::delegations`.
pub fn delegations(delegator: &AccountId, from: NodeId, limit: u32) -> (Vec<DelegationInfo>, Option<NodeId>) {
	let (delegations, next) = Staking::delegations_from(delegator, from, limit.min(MAX_PAGE));
	let delegations = delegations
		.into_iter()
		.map(|delegation| DelegationInfo {
			node: delegation.node,
			amount: delegation.amount,
			rewards: delegation.rewards,
			unbonding: delegation.unbonding,
		})
		.collect();
	(delegations, next)
}
