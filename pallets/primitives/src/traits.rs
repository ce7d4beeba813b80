//! The seams between the pallets.

use crate::{
	audit::{AuditDue, AuditSubject, AuditTerms, DrawnJudge, SketchSeed, WindowOver},
	job::FailureClass,
	market::{BillLines, Deal, EpochIndex, Order, Settlement},
	model::{ModelService, Royalties},
	Balance, BlobRef, BlockNumber, DeviceClass, JobId, ModelId, ModelVersion, NodeId, WorkTag, WorkerId,
};
use alloc::vec::Vec;
use frame_support::dispatch::DispatchResult;
use sp_core::H256;
use sp_runtime::{DispatchError, Perbill};

/// Provided by the model registry.
pub trait Models<AccountId> {
	/// Whether the model is registered, deprecated ones included.
	fn exists(model: ModelId) -> bool;
	/// What new jobs run on. Error if the model is unknown or deprecated.
	fn service(model: ModelId) -> Result<ModelService, DispatchError>;
	/// Who earns royalties per unit now: the maker first, then its ancestors, nearest first.
	fn royalties(model: ModelId) -> Royalties<AccountId>;
	/// What a version says about its audits. `None` if there is no such version.
	fn audit_terms(model: ModelId, version: ModelVersion) -> Option<AuditTerms<AccountId>>;
}

/// Provided by node staking.
pub trait Nodes<AccountId> {
	/// Who operates the node and earns for it. `None` if there is no such node.
	fn operator(node: NodeId) -> Option<AccountId>;
	/// The operator's node.
	fn node_of(operator: &AccountId) -> Option<NodeId>;
	/// The node's worker key.
	fn worker(node: NodeId) -> Option<WorkerId>;
	/// Whether the node says that it hosts the model.
	fn hosts(node: NodeId, model: ModelId) -> bool;
	/// Whether the node is able to serve the model, however busy it is: bonded, not chilled, not jailed, heard of,
	/// healthy, with slots to sell, hosting.
	fn eligible(node: NodeId, model: ModelId) -> bool;
	/// As [`Nodes::eligible`], but as of the block in which the asks for the current market epoch ([`MarketClock`]) began to be
	/// opened; in the first epoch, whose asks nobody opened, as of its first block. So whoever touches the epoch first cannot pick
	/// the moment, and whoever has looked at others' asks can neither take its own out nor put it in. Constant time.
	fn eligible_at_start(node: NodeId, model: ModelId) -> bool;
	/// Whether asks are being opened ([`MarketClock::opening`]) and the node was eligible when that began: these nodes, and no
	/// others, are [eligible at the start](Nodes::eligible_at_start) of the coming epoch, whatever they do. Constant time.
	fn pledged(node: NodeId, model: ModelId) -> bool;
	/// The first block of the current market epoch in which a node that was [eligible at its start](Nodes::eligible_at_start)
	/// could not serve, whether it can again or not: the epoch's first, if it was not there by then; the present block, if only
	/// time has ended that. `None`: it could serve all along.
	fn lapsed(node: NodeId, model: ModelId) -> Option<BlockNumber>;
	/// The operator's own bond, reserved or not; 0 if there is no such node.
	fn own_bond(node: NodeId) -> Balance;
	/// What of it is not reserved.
	fn free_bond(node: NodeId) -> Balance;
	/// Weight of the node in a draw: reliability × free capacity, 0 if it cannot take a job of this model now: not
	/// bonded, chilled, jailed, missing heartbeats, unhealthy, not hosting, no free slot, or less than `security`
	/// of its own bond free.
	fn draw_weight(node: NodeId, model: ModelId, security: Balance) -> u64;
	/// Takes one slot and reserves `security` of the operator's own bond.
	fn reserve(node: NodeId, security: Balance) -> DispatchResult;
	/// Gives the slot back; the security stays reserved.
	fn free_slot(node: NodeId);
	/// Reserves `security` of the operator's own bond for an audit, without a slot.
	fn secure(node: NodeId, security: Balance) -> DispatchResult;
	/// Gives reserved security back. What an offence's slash took meanwhile is gone.
	fn release(node: NodeId, security: Balance);
	/// Takes up to `amount` of what is reserved of the operator's own bond, moves it to `to` as free balance and lets the
	/// reservation of `amount` go, whether so much was there or not: it is not released again. The node is chilled.
	/// Returns what was moved.
	fn slash(node: NodeId, amount: Balance, to: &AccountId) -> Balance;
	/// Takes up to `amount` of what the operator has unbonding and of its own bond that is not reserved, moves it to `to`
	/// as free balance and returns what was moved.
	fn fine(node: NodeId, amount: Balance, to: &AccountId) -> Balance;
	/// What the node says that it runs on.
	fn device(node: NodeId) -> Option<DeviceClass>;
	/// The slots that the node's last heartbeat declared, whether or not it is allowed to sell them; 0 if there is no such
	/// node.
	fn declared_slots(node: NodeId) -> u16;
	/// A node drawn by own bond among those that could judge now: live, healthy, not chilled, with `security` of its own
	/// bond free, of an operator that is not among `parties`, and of this class if one is asked for. Bounded, whatever
	/// the number of nodes.
	fn draw_judge(
		seed: &SketchSeed,
		security: Balance,
		parties: &[AccountId],
		class: Option<DeviceClass>,
	) -> DrawnJudge;
	/// How many operators have a bond and are not chilled.
	fn active_operators() -> u32;
	/// Moves the node's reliability by one outcome. `weight` says how much the job counts.
	fn note_outcome(node: NodeId, success: bool, weight: Perbill);
}

/// Told by node staking. The runtime wires it to proof of work done.
pub trait SecurityTouched {
	/// An offence against consensus took part of what secures the node's open jobs: they are to be audited.
	fn touched(node: NodeId);
}

impl SecurityTouched for () {
	fn touched(_: NodeId) {}
}

/// Provided by the revenue split: the only one that moves a payer's money.
pub trait Market<AccountId> {
	/// Agrees on the price of a job in the current epoch, and clears the model's epoch if this is its first touch. Counts
	/// the job into the model's demand. The clearing record stays until [`Market::close`]. Takes no money yet; error if
	/// nobody serves the model.
	fn open(job: JobId, order: &Order<AccountId>) -> Result<Deal<AccountId>, DispatchError>;
	/// Agrees on one more job of a quorum, whose first one was [opened](Market::open) in this block: at the same prices, but
	/// what is paid once is paid for the first one alone, so that the price is the compute line, the protocol's part of that,
	/// and a premium. The clearing record stays until [`Market::close`] for this job, too. Takes no money yet.
	fn open_sibling(model: ModelId, first: &Deal<AccountId>) -> Result<Deal<AccountId>, DispatchError>;
	/// The compute winners of the deal's clearing record; at most 64.
	fn executors(model: ModelId, deal: &Deal<AccountId>) -> Vec<NodeId>;
	/// The node that the model's latest submission was given to, as [`Market::note_drawn`] said.
	fn last_drawn(model: ModelId) -> Option<NodeId>;
	/// The model's latest submission is given to `node`; a quorum's first job is.
	fn note_drawn(model: ModelId, node: NodeId);
	/// How many nodes [`Market::open`] will look at in this block at most: right before it, for its weight. Only the first touch
	/// of an epoch looks at all who ask, whoever made it.
	fn looks_at(model: ModelId) -> u32;
	/// Moves the deal's price from the payer into the pot.
	fn escrow(payer: &AccountId, deal: &Deal<AccountId>) -> DispatchResult;
	/// Pays every role its line: one event each. The line for storage waits for a proof ([`StorageMarket`]). The premium goes
	/// into the audit pot, which pays debts of it; if the job was drawn and nobody `audited` it, the premium goes back to the
	/// payer. Counts the compute line into [`Market::average_compute`]. Returns what it did, for its weight.
	fn settle(
		job: JobId,
		model: ModelId,
		payer: &AccountId,
		deal: &Deal<AccountId>,
		executor: NodeId,
		audited: bool,
	) -> Settlement<AccountId>;
	/// Moving average of the compute lines of settled jobs.
	fn average_compute() -> Balance;
	/// Gives the payer everything back.
	fn refund(job: JobId, payer: &AccountId, deal: &Deal<AccountId>);
	/// Pays each of `reporters` an equal part of 20 % of the compute line, and the payer the rest. Returns the lines
	/// of the reporters.
	fn fail(job: JobId, payer: &AccountId, deal: &Deal<AccountId>, reporters: &[NodeId]) -> BillLines<AccountId>;
	/// The account into which slashes and fines are moved before [`Market::split_slash`] divides them.
	fn slash_account() -> AccountId;
	/// Divides `amount`, moved into [`Market::slash_account`] before: half is burned; of the rest each of `shares` gets
	/// its part as earnings as far as it lasts, in order; the remainder is the treasury's. One event each.
	fn split_slash(job: JobId, amount: Balance, shares: &[(AccountId, Balance)]);
	/// Pays `payee` for judging a job, from the audit pot. What the pot lacks is a debt, which later premiums pay first. Returns
	/// how many older debts were paid before; at most [`MAX_DEBTS_AT_ONCE`](crate::market::MAX_DEBTS_AT_ONCE).
	fn pay_judge(job: JobId, payee: &AccountId, amount: Balance) -> u32;
	/// Takes the bond of a payer that asks for an audit into the pot.
	fn escrow_bond(job: JobId, payer: &AccountId, bond: Balance) -> DispatchResult;
	/// Gives it back, if the payer was right to ask, or else puts it into the audit pot. Returns how many debts that paid; at
	/// most [`MAX_DEBTS_AT_ONCE`](crate::market::MAX_DEBTS_AT_ONCE).
	fn end_bond(job: JobId, payer: &AccountId, bond: Balance, right: bool) -> u32;
	/// The job is over: lets go of the clearing record.
	fn close(model: ModelId, deal: &Deal<AccountId>);
	/// Who will be paid what if `executor` does the job. The lines sum to `deal.price`.
	fn bill(model: ModelId, deal: &Deal<AccountId>, executor: NodeId) -> BillLines<AccountId>;
}

/// Provided by the revenue split, asked by the model registry.
pub trait OpenJobs {
	/// Whether a job on the model is not over yet: then the model stays. Constant time.
	fn has_open_jobs(model: ModelId) -> bool;
}

/// Provided by the revenue split, for storage proofs.
///
/// A settled job's line for storage is not earned yet: it lies in the pot until the node shows that it still has the
/// model.
pub trait StorageMarket {
	/// How many models have storage providers now: those whose latest clearing record names some.
	fn stored_models() -> u32;
	/// The model at this place of that list, and the storage winners of its latest record; at most 64. `None` if the list
	/// is shorter.
	fn stored_model(index: u32) -> Option<(ModelId, Vec<NodeId>)>;
	/// Pays out what the node earned by storing the model since its last answer. Returns it.
	fn release_storage_pay(node: NodeId, model: ModelId) -> Balance;
	/// Takes it away: half burned, half treasury. Returns it.
	fn forfeit_storage_pay(node: NodeId, model: ModelId) -> Balance;
	/// The node's ask for storing the model, if it has one, ends with the epoch, and what is bonded behind it is lost: half
	/// burned, half treasury.
	fn forfeit_storage_ask(node: NodeId, model: ModelId);
	/// A fine that was moved into [`Market::slash_account`]: half burned, half treasury.
	fn take_storage_fine(node: NodeId, amount: Balance);
}

/// Provided by storage proofs, asked by the revenue split when pay that nothing proved is claimed.
pub trait StorageChallenges {
	/// Whether the node is challenged to show that it has the model, or will be in the next block, and has neither answered
	/// nor missed it yet.
	fn challenged(node: NodeId, model: ModelId) -> bool;
	/// The node will be challenged in the next block, whether it still stores or hosts the model or not. Returns whether there
	/// is anything to show; error if as many are asked already as a block has draws.
	fn ask(node: NodeId, model: ModelId) -> Result<bool, DispatchError>;
}

/// Nobody challenges.
impl StorageChallenges for () {
	fn challenged(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn ask(_: NodeId, _: ModelId) -> Result<bool, DispatchError> {
		Ok(false)
	}
}

/// Provided by the revenue split, asked by node staking and by promotion.
pub trait MarketClock {
	/// The market epoch of this block and its first block.
	fn epoch() -> (EpochIndex, BlockNumber);
	/// The epoch whose asks are opened in this block, which is the next one, and the first block in which they are. `None`
	/// while they are committed to.
	fn opening() -> Option<(EpochIndex, BlockNumber)>;
}

/// Provided by inference jobs.
///
/// `work` is what the job stood for on the fork on which the node saw it.
pub trait Jobs<AccountId> {
	/// Whether the job stands for this work and waits for this very node.
	fn is_assigned(job: JobId, work: WorkTag, node: NodeId) -> bool;
	/// The node did the job, and is bound by `commitment` to its inside. Error, and nothing changed, if this work is not
	/// assigned to it.
	fn attested(job: JobId, work: WorkTag, node: NodeId, output: BlobRef, commitment: H256) -> DispatchResult;
	/// The node cannot do the job. Error, and nothing changed, if this work is not assigned to it.
	fn failure_reported(job: JobId, work: WorkTag, node: NodeId, class: FailureClass) -> DispatchResult;
	/// The job as its audit sees it, while it is attested or in audit.
	fn audit_subject(job: JobId) -> Option<AuditSubject<AccountId>>;
	/// The present phase of the job's audit now ends at `until`: [`Attestations::audit_due`] is asked then. Does nothing
	/// to a job that is not in audit.
	fn audit_until(job: JobId, until: BlockNumber);
}

/// Provided by proof of work done.
pub trait Attestations<AccountId> {
	/// The job's window is over, and the blocks that draw its audit are there or not: settle it, or audit it, or wait.
	fn window_over(subject: &AuditSubject<AccountId>) -> WindowOver;
	/// The present phase of the job's audit is over.
	fn audit_due(subject: &AuditSubject<AccountId>) -> AuditDue;
	/// The job's record is going: forget what is kept about it. Returns whether an audit is among that.
	fn forget(job: JobId) -> bool;
	/// Whether slashing of work on the version is suspended, because too many of its audits were disputed: it takes no new
	/// jobs. A version that merely is not calibrated yet is not suspended.
	fn suspended(model: ModelId, version: ModelVersion) -> bool;
}

/// Provided by proof of work done.
pub trait BlockSeeds {
	/// What the VRF of this block's author drew. `None`: the block is still to come or not over, is forgotten, or has no
	/// VRF.
	fn seed(block: BlockNumber) -> Option<[u8; 32]>;
}

/// What a node may sell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed {
	/// The most jobs at the same time.
	pub slots: u16,
	/// Whether it may take jobs and judge at all.
	pub able: bool,
}

impl Allowed {
	/// Nothing is known against the node.
	pub const UNBOUNDED: Self = Self {
		slots: u16::MAX,
		able: true,
	};
}

/// Provided by capacity probes. The other way round it would be asked at every draw; so it is asked at every heartbeat.
pub trait Capacity {
	/// What a node of this class may sell from now on. Notes a round that it missed. Constant time.
	fn settle(node: NodeId, device: DeviceClass) -> Allowed;
	/// The node is gone: forget what is kept of it.
	fn forget(node: NodeId);
}

/// Nobody measures.
impl Capacity for () {
	fn settle(_: NodeId, _: DeviceClass) -> Allowed {
		Allowed::UNBOUNDED
	}

	fn forget(_: NodeId) {}
}
