//! In-memory stand-ins for the other pallets. They live in storage, so that a failed call leaves no trace in them either.

use super::{AccountId, Looked, Test, Work, MODEL, PAYER, SPEC};
use crate::Jobs;
use codec::{Decode, Encode};
use frame_support::{ensure, pallet_prelude::ValueQuery, storage_alias, Twox64Concat};
use frame_system::Pallet as System;
use highway_math::reliability::moving_average;
use highway_primitives::{
	audit::{AuditDue, AuditSubject, AuditTerms, DrawnJudge, SketchSeed, Step, WindowOver},
	market::{BillLine, BillLines, Deal, Order, Role, Settlement},
	model::{ModelService, Royalties},
	traits, Balance, BlockNumber, DeviceClass, JobId, ModelId, ModelVersion, NodeId, Unit, Verdict, WorkerId,
};
use sp_runtime::{DispatchError, DispatchResult, Perbill};

/// The version that jobs run on.
pub const VERSION: ModelVersion = 3;
pub const PRICE: Balance = 1_000;
pub const COMPUTE: Balance = 700;
/// Price of a job of a quorum but the first: the compute line, the protocol's part of it, and the premium.
pub const SIBLING_PRICE: Balance = COMPUTE + COMPUTE / 20 + PREMIUM;
pub const SECURITY: Balance = 64 * COMPUTE;
pub const PREMIUM: Balance = 44;
pub const RATE: Perbill = Perbill::from_percent(5);
pub const DETECTION: Perbill = Perbill::from_percent(50);
pub const SLASHES: AccountId = 77;

/// A node as the pallet under test sees it.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct MockNode {
	pub weight: u64,
	pub slots: u32,
	pub bond: Balance,
}

impl Default for MockNode {
	fn default() -> Self {
		Self {
			weight: 1,
			slots: 1_000_000,
			bond: Balance::MAX / 2,
		}
	}
}

/// How a job's money left the pot.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Outcome {
	Settled(NodeId),
	Unaudited(NodeId),
	Refunded,
	Failed(Vec<NodeId>),
}

/// What the mock of the attestations answers next time it is asked about a job: blocks count from then on.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Answer {
	Wait(BlockNumber),
	Audit(BlockNumber),
	End(Verdict),
	/// It moves the end of the phase itself, so many blocks on, before it answers with a wait.
	MoveAndWait(BlockNumber, BlockNumber),
}

/// Which question was asked.
#[derive(Clone, Copy, PartialEq, Debug, Encode, Decode)]
pub enum Question {
	WindowOver,
	AuditDue,
}

#[storage_alias]
pub type Fleet = StorageMap<Mock, Twox64Concat, NodeId, MockNode>;
#[storage_alias]
pub type Reserved = StorageMap<Mock, Twox64Concat, NodeId, Balance, ValueQuery>;
#[storage_alias]
pub type Busy = StorageMap<Mock, Twox64Concat, NodeId, u32, ValueQuery>;
#[storage_alias]
pub type Notes = StorageValue<Mock, Vec<(NodeId, bool, Perbill)>, ValueQuery>;
#[storage_alias]
pub type OpenJobs = StorageValue<Mock, u32, ValueQuery>;
#[storage_alias]
pub type Opened = StorageValue<Mock, u32, ValueQuery>;
#[storage_alias]
pub type Closed = StorageValue<Mock, u32, ValueQuery>;
/// Whom the latest submission was given to.
#[storage_alias]
pub type LastDrawn = StorageValue<Mock, NodeId>;
#[storage_alias]
pub type AverageCompute = StorageValue<Mock, Balance, ValueQuery>;
#[storage_alias]
pub type Escrowed = StorageValue<Mock, Balance, ValueQuery>;
/// Prices of the jobs whose money has left the pot.
#[storage_alias]
pub type Discharged = StorageValue<Mock, Balance, ValueQuery>;
/// How many ancestors the model has.
#[storage_alias]
pub type Ancestors = StorageValue<Mock, u32, ValueQuery>;
/// How many debts the premium of each settlement pays.
#[storage_alias]
pub type Debts = StorageValue<Mock, u32, ValueQuery>;
#[storage_alias]
pub type Outcomes = StorageMap<Mock, Twox64Concat, JobId, Outcome>;
#[storage_alias]
pub type Forgotten = StorageValue<Mock, Vec<JobId>, ValueQuery>;
/// How many blocks the draw of each audit looks at.
#[storage_alias]
pub type Walk = StorageValue<Mock, u32, ValueQuery>;
/// How many nodes are tried as an auditor when a window is over.
#[storage_alias]
pub type Tries = StorageValue<Mock, u32, ValueQuery>;
/// Jobs that came into audit.
#[storage_alias]
pub type Audited = StorageMap<Mock, Twox64Concat, JobId, ()>;
/// Answers to come, the next one first; without one, work is upheld.
#[storage_alias]
pub type Answers = StorageMap<Mock, Twox64Concat, JobId, Vec<Answer>, ValueQuery>;
#[storage_alias]
pub type Asked = StorageValue<Mock, Vec<(Question, AuditSubject<AccountId>)>, ValueQuery>;
/// Fines that were moved to the slash account, and what of it is not divided yet.
#[storage_alias]
pub type Fines = StorageValue<Mock, Vec<(NodeId, Balance)>, ValueQuery>;
#[storage_alias]
pub type SlashAccount = StorageValue<Mock, Balance, ValueQuery>;
/// Whether slashing of the model's version is suspended.
#[storage_alias]
pub type IsSuspended = StorageValue<Mock, bool, ValueQuery>;
/// What the model counts in; `InputKib` without it.
#[storage_alias]
pub type CountsIn = StorageValue<Mock, Unit>;
#[storage_alias]
pub type UnitTime = StorageValue<Mock, u32>;
#[storage_alias]
pub type RefusesReservations = StorageValue<Mock, NodeId>;
#[storage_alias]
pub type PayerIsPoor = StorageValue<Mock, bool, ValueQuery>;

pub struct Models;
impl traits::Models<AccountId> for Models {
	fn exists(model: ModelId) -> bool {
		model == MODEL
	}
	fn service(model: ModelId) -> Result<ModelService, DispatchError> {
		ensure!(model == MODEL, DispatchError::Other("no such model"));
		Ok(ModelService {
			version: VERSION,
			spec: SPEC,
			unit: CountsIn::get().unwrap_or(Unit::InputKib),
			unit_time_ms: UnitTime::get().unwrap_or(1_000),
			detection: DETECTION,
		})
	}
	fn royalties(_: ModelId) -> Royalties<AccountId> {
		vec![]
	}
	fn audit_terms(_: ModelId, _: ModelVersion) -> Option<AuditTerms<AccountId>> {
		None
	}
}

pub struct Nodes;
impl traits::Nodes<AccountId> for Nodes {
	fn operator(node: NodeId) -> Option<AccountId> {
		Fleet::contains_key(node).then(|| 100 + AccountId::from(node))
	}
	fn node_of(_: &AccountId) -> Option<NodeId> {
		None
	}
	fn worker(_: NodeId) -> Option<WorkerId> {
		None
	}
	fn hosts(_: NodeId, model: ModelId) -> bool {
		model == MODEL
	}
	fn eligible(node: NodeId, model: ModelId) -> bool {
		Self::draw_weight(node, model, 0) > 0
	}
	fn eligible_at_start(node: NodeId, model: ModelId) -> bool {
		Self::eligible(node, model)
	}
	fn pledged(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn lapsed(_: NodeId, _: ModelId) -> Option<BlockNumber> {
		None
	}
	fn own_bond(_: NodeId) -> Balance {
		0
	}
	fn free_bond(_: NodeId) -> Balance {
		0
	}
	fn draw_weight(node: NodeId, _: ModelId, security: Balance) -> u64 {
		Looked::mutate(|looked| looked.push(node));
		let Some(mock) = Fleet::get(node) else { return 0 };
		let able = Busy::get(node) < mock.slots && Reserved::get(node) + security <= mock.bond;
		if able {
			mock.weight
		} else {
			0
		}
	}
	fn reserve(node: NodeId, security: Balance) -> DispatchResult {
		// A slot is taken before the refusal, as a careless implementation might: the caller must undo it.
		Busy::mutate(node, |busy| *busy += 1);
		ensure!(RefusesReservations::get() != Some(node), "half-way");
		let mock = Fleet::get(node).ok_or("no such node")?;
		ensure!(Reserved::get(node) + security <= mock.bond, "the bond is used up");
		Reserved::mutate(node, |reserved| *reserved += security);
		Ok(())
	}
	fn free_slot(node: NodeId) {
		Busy::mutate(node, |busy| {
			*busy = busy.checked_sub(1).expect("freed no more often than taken")
		});
	}
	fn release(node: NodeId, security: Balance) {
		Reserved::mutate(node, |reserved| {
			*reserved = reserved.checked_sub(security).expect("released no more than reserved")
		});
	}
	fn secure(_: NodeId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn slash(_: NodeId, _: Balance, _: &AccountId) -> Balance {
		0
	}
	fn fine(node: NodeId, amount: Balance, to: &AccountId) -> Balance {
		assert_eq!(*to, SLASHES);
		let Some(mut mock) = Fleet::get(node) else { return 0 };
		let taken = amount.min(mock.bond - Reserved::get(node));
		mock.bond -= taken;
		Fleet::insert(node, mock);
		SlashAccount::mutate(|slashes| *slashes += taken);
		Fines::append((node, taken));
		taken
	}
	fn device(_: NodeId) -> Option<DeviceClass> {
		None
	}
	fn declared_slots(_: NodeId) -> u16 {
		0
	}
	fn draw_judge(_: &SketchSeed, _: Balance, _: &[AccountId], _: Option<DeviceClass>) -> DrawnJudge {
		DrawnJudge::default()
	}
	fn active_operators() -> u32 {
		0
	}
	fn note_outcome(node: NodeId, success: bool, weight: Perbill) {
		Notes::append((node, success, weight));
	}
}

pub struct Market;
impl Market {
	fn end(job: JobId, deal: &Deal<AccountId>, outcome: Outcome) {
		assert!(!Outcomes::contains_key(job), "the money of a job moves once");
		Discharged::mutate(|discharged| *discharged += deal.price);
		Outcomes::insert(job, outcome);
	}
}

/// A line for each of these nodes, whose operator has the node's id as its account.
pub fn bill_of(nodes: &[NodeId]) -> BillLines<AccountId> {
	let lines = nodes.iter().map(|node| BillLine {
		role: Role::Compute,
		payee: Some(AccountId::from(*node)),
		amount: 1,
	});
	BillLines::try_from(lines.collect::<Vec<_>>()).unwrap()
}

impl traits::Market<AccountId> for Market {
	fn open(_: JobId, order: &Order<AccountId>) -> Result<Deal<AccountId>, DispatchError> {
		assert_eq!((order.model, order.detection), (MODEL, DETECTION));
		assert_eq!((*order.payer, order.weaver), (PAYER, None));
		Opened::mutate(|opened| *opened += 1);
		OpenJobs::mutate(|open| *open += 1);
		let curator = order.curator.map(|account| (*account, 10));
		Ok(Deal {
			epoch: 0,
			units: order.units,
			price: PRICE,
			compute: COMPUTE,
			royalties: true,
			storage: None,
			curator,
			weaver: None,
			audit_rate: RATE,
			premium: PREMIUM,
		})
	}
	fn open_sibling(_: ModelId, first: &Deal<AccountId>) -> Result<Deal<AccountId>, DispatchError> {
		assert!(first.royalties, "it is opened after the first one");
		Opened::mutate(|opened| *opened += 1);
		OpenJobs::mutate(|open| *open += 1);
		Ok(Deal {
			price: SIBLING_PRICE,
			royalties: false,
			curator: None,
			..first.clone()
		})
	}
	fn executors(_: ModelId, _: &Deal<AccountId>) -> Vec<NodeId> {
		let mut nodes: Vec<NodeId> = Fleet::iter_keys().collect();
		nodes.sort_unstable();
		nodes
	}
	fn last_drawn(_: ModelId) -> Option<NodeId> {
		LastDrawn::get()
	}
	fn note_drawn(_: ModelId, node: NodeId) {
		LastDrawn::put(node);
	}
	/// It is cleared at its first touch.
	fn looks_at(_: ModelId) -> u32 {
		match Opened::get() {
			0 => Fleet::iter_keys().count() as u32,
			_ => 0,
		}
	}
	fn escrow(_: &AccountId, deal: &Deal<AccountId>) -> DispatchResult {
		Escrowed::mutate(|escrowed| *escrowed += deal.price);
		ensure!(!PayerIsPoor::get(), "the payer is poor");
		Ok(())
	}
	fn settle(
		job: JobId,
		_: ModelId,
		payer: &AccountId,
		deal: &Deal<AccountId>,
		executor: NodeId,
		audited: bool,
	) -> Settlement<AccountId> {
		assert_eq!(*payer, PAYER);
		match audited {
			true => Self::end(job, deal, Outcome::Settled(executor)),
			false => Self::end(job, deal, Outcome::Unaudited(executor)),
		}
		AverageCompute::mutate(|average| *average = moving_average(*average, deal.compute));
		let mut bill = bill_of(&[executor]);
		for ancestor in 0..Ancestors::get() {
			bill.try_push(BillLine {
				role: Role::Parent,
				payee: Some(AccountId::from(ancestor)),
				amount: 1,
			})
			.unwrap();
		}
		Settlement {
			bill,
			debts: Debts::get(),
		}
	}
	fn average_compute() -> Balance {
		AverageCompute::get()
	}
	fn refund(job: JobId, _: &AccountId, deal: &Deal<AccountId>) {
		Self::end(job, deal, Outcome::Refunded);
	}
	fn slash_account() -> AccountId {
		SLASHES
	}
	fn split_slash(_: JobId, amount: Balance, shares: &[(AccountId, Balance)]) {
		assert!(amount > 0 && shares.is_empty(), "a fine goes to nobody");
		SlashAccount::mutate(|slashes| *slashes -= amount);
	}
	fn pay_judge(_: JobId, _: &AccountId, _: Balance) -> u32 {
		0
	}
	fn escrow_bond(_: JobId, _: &AccountId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn end_bond(_: JobId, _: &AccountId, _: Balance, _: bool) -> u32 {
		0
	}
	fn fail(job: JobId, _: &AccountId, deal: &Deal<AccountId>, reporters: &[NodeId]) -> BillLines<AccountId> {
		Self::end(job, deal, Outcome::Failed(reporters.to_vec()));
		bill_of(reporters)
	}
	fn close(_: ModelId, _: &Deal<AccountId>) {
		Closed::mutate(|closed| *closed += 1);
		OpenJobs::mutate(|open| *open = open.checked_sub(1).expect("closed no more often than opened"));
	}
	fn bill(_: ModelId, _: &Deal<AccountId>, executor: NodeId) -> BillLines<AccountId> {
		bill_of(&[executor])
	}
}

pub struct Attestations;
impl Attestations {
	fn answer(question: Question, subject: &AuditSubject<AccountId>) -> Step {
		use traits::Jobs as _;
		Asked::append((question, subject));
		let mut answers = Answers::get(subject.job);
		if answers.is_empty() {
			return Step::End(Verdict::Upheld);
		}
		let answer = answers.remove(0);
		Answers::insert(subject.job, answers);
		let now = System::<Test>::block_number() as BlockNumber;
		match answer {
			Answer::Wait(blocks) => Step::Wait(now.saturating_add(blocks)),
			Answer::Audit(blocks) => {
				Audited::insert(subject.job, ());
				Step::Audit(now.saturating_add(blocks))
			}
			Answer::MoveAndWait(first, blocks) => {
				super::InferenceJobs::audit_until(subject.job, now.saturating_add(first));
				Step::Wait(now.saturating_add(blocks))
			}
			Answer::End(verdict) => {
				if verdict == Verdict::Rejected {
					// The slash takes the security, and with it the reservation.
					<Nodes as traits::Nodes<AccountId>>::release(subject.executor, subject.security);
				}
				Step::End(verdict)
			}
		}
	}
}

impl traits::Attestations<AccountId> for Attestations {
	fn window_over(subject: &AuditSubject<AccountId>) -> WindowOver {
		WindowOver {
			step: Self::answer(Question::WindowOver, subject),
			looked_at: Walk::get(),
			tried: Tries::get(),
		}
	}
	fn audit_due(subject: &AuditSubject<AccountId>) -> AuditDue {
		Self::answer(Question::AuditDue, subject).after(Work::get())
	}
	fn forget(job: JobId) -> bool {
		Forgotten::append(job);
		Audited::take(job).is_some()
	}
	fn suspended(model: ModelId, version: ModelVersion) -> bool {
		IsSuspended::get() && (model, version) == (MODEL, VERSION)
	}
}

/// Able nodes and a payer.
#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn market(executors: u32, ancestors: u32) -> crate::benchmarking::Dearest<AccountId> {
		Ancestors::put(ancestors);
		for node in 0..executors {
			Fleet::insert(node, MockNode::default());
		}
		crate::benchmarking::Dearest {
			model: MODEL,
			payer: PAYER,
			gateway: Some(0),
			curator: Some(9),
		}
	}

	fn signer() -> AccountId {
		PAYER
	}

	fn exhaust() {
		for node in Fleet::iter_keys().collect::<Vec<_>>() {
			Busy::insert(node, MockNode::default().slots);
		}
	}

	fn audited(job: JobId) {
		Audited::insert(job, ());
	}
}

/// Money in = money out + money in open jobs; slots and securities taken = those of open jobs.
pub fn check_books() {
	let records: Vec<_> = Jobs::<Test>::iter().collect();
	let open: Vec<_> = records.iter().filter(|(job, _)| !Outcomes::contains_key(job)).collect();
	let held: Balance = open.iter().map(|(_, record)| record.deal.price).sum();
	assert_eq!(
		Escrowed::get(),
		Discharged::get() + held,
		"every price paid in is settled, given back or open"
	);
	assert_eq!(
		OpenJobs::get() as usize,
		open.len(),
		"a clearing record stays until its jobs are over"
	);
	assert_eq!(
		Forgotten::get().len(),
		Opened::get() as usize - records.len(),
		"attestations go with the record"
	);
	assert_eq!(SlashAccount::get(), 0, "fines are divided at once");
	for node in Busy::iter_keys().chain(Reserved::iter_keys()) {
		let busy = records
			.iter()
			.filter(|(_, record)| record.assignee() == Some(node))
			.count();
		assert_eq!(Busy::get(node) as usize, busy, "a slot per assigned job");
		let secured = open
			.iter()
			.filter(|(_, record)| record.executor() == Some(node))
			.count();
		assert_eq!(
			Reserved::get(node),
			SECURITY * secured as Balance,
			"security behind each open job"
		);
	}
}
