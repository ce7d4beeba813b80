//! What payers, makers, curators and bidders do.

use super::{
	nodes::Crowd, AccountId, Balances, Chain, ModelRegistry, Promotion, RevenueSplit, RuntimeOrigin, Simulated,
	StorageProofs, System, MIB, MODEL, PAYER, SALT, SECURITY_FACTOR,
};
use codec::Encode;
use frame_support::{
	storage::{with_transaction_unchecked, TransactionOutcome},
	traits::fungible::Inspect,
	BoundedVec,
};
use frame_system::RawOrigin;
use highway_math::audit;
use highway_primitives::{
	market::{BillLines, Deal, Order},
	model::{
		model_commitment, DType, DerivativeTerms, TensorSpec, Trace, Unit, VerificationPolicy, VersionSpec,
		MIN_DETECTION,
	},
	traits::{Market, Models, Nodes},
	worker::ChunkProof,
	Balance, BlobRef, JobId, ModelId, NodeId, RoyaltyLine, WorkerSignature,
};
use pallet_model_registry::{NextModelId, MAX_UNIT_TIME_MS};
use pallet_promotion::Featured;
use pallet_revenue_split::CuratorProfile;
use sp_core::sr25519;
use sp_runtime::{DispatchError, DispatchResult, Perbill};
use std::ops::Range;

/// A job that a node has taken: one of its slots is in use, and as much of its bond as secures the job.
pub struct Taken {
	job: JobId,
	deal: Deal<AccountId>,
	executor: NodeId,
	security: Balance,
}

impl Chain {
	/// A job that is given to one of the winners that can take it, the cheapest instead of a drawn one. `None` if none of them
	/// weighs anything in the draw: then the submission fails, and leaves nothing behind.
	pub fn submit(&mut self, order: &Order<AccountId>) -> Option<Taken> {
		with_transaction_unchecked(|| {
			let deal = self.open(order).expect("somebody has a place");
			let security = security(&deal);
			let mut winners = RevenueSplit::executors(order.model, &deal).into_iter();
			let Some(executor) = winners.find(|node| Crowd::draw_weight(*node, order.model, security) > 0) else {
				return TransactionOutcome::Rollback(None);
			};
			RevenueSplit::escrow(order.payer, &deal).expect("the payer has the coins");
			Crowd::reserve(executor, security).expect("it weighs something");
			TransactionOutcome::Commit(Some(Taken {
				job: self.jobs,
				deal,
				executor,
				security,
			}))
		})
	}

	/// Whether anybody could take such a job now.
	pub fn could_submit(&mut self, order: &Order<AccountId>) -> bool {
		with_transaction_unchecked(|| TransactionOutcome::Rollback(self.submit(order).is_some()))
	}

	/// What part of such jobs goes to `nodes`, if each winner is drawn by what it weighs; 0 if none of them weighs anything.
	pub fn share(&mut self, order: &Order<AccountId>, nodes: Range<NodeId>) -> f64 {
		with_transaction_unchecked(|| {
			let deal = self.open(order).expect("somebody has a place");
			let security = security(&deal);
			let (mut part, mut all) = (0u64, 0u64);
			for node in RevenueSplit::executors(order.model, &deal) {
				let weight = Crowd::draw_weight(node, order.model, security);
				part += u64::from(nodes.contains(&node)) * weight;
				all += weight;
			}
			TransactionOutcome::Rollback(part as f64 / all.max(1) as f64)
		})
	}

	/// The job is done, and settled.
	pub fn finish(&mut self, order: &Order<AccountId>, taken: &Taken) {
		RevenueSplit::settle(taken.job, order.model, order.payer, &taken.deal, taken.executor, true);
		RevenueSplit::close(order.model, &taken.deal);
		Crowd::free_slot(taken.executor);
		Crowd::release(taken.executor, taken.security);
	}

	/// The node shows whatever chunks it is asked for, as if its worker's word had been checked.
	pub fn show(&mut self, node: NodeId) {
		for (model, challenge) in StorageProofs::tasks_of(node) {
			let proof = ChunkProof {
				bytes: Default::default(),
				siblings: Default::default(),
			};
			let signature = WorkerSignature::from(sr25519::Signature::default());
			let origin = RuntimeOrigin::from(RawOrigin::Authorized);
			StorageProofs::prove(origin, node, model, challenge.drawn_at, proof, signature).expect("it is asked");
		}
	}

	/// A job from its submission to its settlement, done by `executor` and audited.
	pub fn job(&mut self, order: &Order<AccountId>, executor: NodeId) -> (Deal<AccountId>, BillLines<AccountId>) {
		let deal = self.open(order).expect("somebody serves");
		RevenueSplit::escrow(order.payer, &deal).expect("the payer has the coins");
		let settled = RevenueSplit::settle(self.jobs, order.model, order.payer, &deal, executor, true);
		RevenueSplit::close(order.model, &deal);
		(deal, settled.bill)
	}

	/// A job that nobody does: the payer has everything back.
	pub fn refunded_job(&mut self, order: &Order<AccountId>) {
		let deal = self.open(order).expect("somebody serves");
		RevenueSplit::escrow(order.payer, &deal).expect("the payer has the coins");
		RevenueSplit::refund(self.jobs, order.payer, &deal);
		RevenueSplit::close(order.model, &deal);
	}

	/// A job that `reporters` say cannot be done: they have a fifth of its compute line, and the payer the rest.
	pub fn failed_job(&mut self, order: &Order<AccountId>, reporters: &[NodeId]) {
		let deal = self.open(order).expect("somebody serves");
		RevenueSplit::escrow(order.payer, &deal).expect("the payer has the coins");
		RevenueSplit::fail(self.jobs, order.payer, &deal, reporters);
		RevenueSplit::close(order.model, &deal);
	}

	/// Registers a model.
	pub fn register(
		&mut self,
		owner: AccountId,
		name: &str,
		parent: Option<ModelId>,
		derivative_terms: Option<DerivativeTerms>,
		royalty: Balance,
	) -> Result<ModelId, DispatchError> {
		let spec = spec(&format!("{name} of {owner}"));
		self.register_version(owner, name, spec, parent, derivative_terms, royalty)
	}

	/// Registers a free model that is paid per KiB, and may take as long for each as a model may at most.
	pub fn register_slow(&mut self, owner: AccountId, name: &str) -> Result<ModelId, DispatchError> {
		let spec = VersionSpec {
			unit: Unit::InputKib,
			unit_time_ms: MAX_UNIT_TIME_MS,
			..spec(&format!("{name} of {owner}"))
		};
		self.register_version(owner, name, spec, None, None, 0)
	}

	fn register_version(
		&mut self,
		owner: AccountId,
		name: &str,
		spec: VersionSpec,
		parent: Option<ModelId>,
		derivative_terms: Option<DerivativeTerms>,
		royalty: Balance,
	) -> Result<ModelId, DispatchError> {
		let hash = model_commitment(&owner.encode(), &spec.artifact.hash, &SALT);
		let origin = || RuntimeOrigin::signed(owner);
		// After everything that the parent's owner said, and a block before the file is shown.
		System::set_block_number(System::block_number() + 1);
		ModelRegistry::commit_model(origin(), hash)?;
		System::set_block_number(System::block_number() + 1);
		let model = NextModelId::<Simulated>::get();
		let name = BoundedVec::truncate_from(name.as_bytes().to_vec());
		ModelRegistry::register(origin(), name, spec, parent, derivative_terms, royalty, Some(SALT))?;
		Ok(model)
	}

	/// What everybody in the model's lineage earns per unit.
	pub fn royalties(&self, model: ModelId) -> Vec<RoyaltyLine<AccountId>> {
		ModelRegistry::royalties(model)
	}

	/// Sets the royalty of a model.
	pub fn set_royalty(&mut self, owner: AccountId, model: ModelId, royalty: Balance) -> DispatchResult {
		ModelRegistry::update_terms(RuntimeOrigin::signed(owner), model, Some(royalty), None)
	}

	/// The account asks a fee for being named.
	pub fn set_curator(&mut self, account: AccountId, fee: Balance) {
		let profile = CuratorProfile {
			name: BoundedVec::truncate_from(b"curator".to_vec()),
			url: Default::default(),
		};
		RevenueSplit::set_curator(RuntimeOrigin::signed(account), fee, profile).expect("the deposit is there");
	}

	/// Settled jobs that the curator's profile shows, and what it earned by them.
	pub fn curated(&self, account: AccountId) -> (u32, Balance) {
		RevenueSplit::curator(&account).map_or((0, 0), |record| (record.jobs, record.earned))
	}

	/// Ends commitments that were not revealed.
	pub fn prune(&mut self) {
		// Fails if there is nothing to end.
		let _ = RevenueSplit::prune(RuntimeOrigin::signed(PAYER), MODEL);
	}

	/// All coins that there are.
	pub fn issuance(&self) -> Balance {
		Balances::total_issuance()
	}

	/// What each featured place of this epoch cost, and who has them.
	pub fn featured(&self) -> (Balance, Vec<ModelId>) {
		Featured::<Simulated>::get().map_or((0, Vec::new()), |placement| {
			let models = placement.winners.iter().map(|bid| bid.model).collect();
			(placement.price, models)
		})
	}

	/// Offers for a featured place.
	pub fn bid(&mut self, bidder: AccountId, model: ModelId, price: Balance) -> DispatchResult {
		Promotion::bid(RuntimeOrigin::signed(bidder), model, price)
	}

	/// All that these accounts have: coins, earnings, and pay that waits for a proof.
	pub fn wealth(&self, accounts: &[AccountId]) -> Balance {
		let of = |account: &AccountId| -> Balance {
			let waits: Balance = RevenueSplit::pending_storage_pay(account)
				.into_iter()
				.map(|(_, amount, _)| amount)
				.sum();
			<Balances as Inspect<AccountId>>::total_balance(account) + RevenueSplit::claimable(account) + waits
		};
		accounts.iter().map(of).sum()
	}
}

/// What a job reserves of its executor's bond. As inference jobs has it: something, also if it costs nothing.
fn security(deal: &Deal<AccountId>) -> Balance {
	audit::security(deal.compute, SECURITY_FACTOR).max(1)
}

/// A job of `model` with an input of a MiB.
pub fn order<'a>(payer: &'a AccountId, curator: Option<&'a AccountId>, model: ModelId) -> Order<'a, AccountId> {
	Order {
		model,
		units: 1,
		input_size: MIB,
		detection: MIN_DETECTION,
		payer,
		curator,
		weaver: None,
		seed: [0; 32],
	}
}

/// A version whose file is named after `text`.
fn spec(text: &str) -> VersionSpec {
	let bytes = |text: &str| text.as_bytes().to_vec();
	let tensor = |name: &str, dtype| TensorSpec {
		name: BoundedVec::truncate_from(bytes(name)),
		dtype,
		shape: BoundedVec::truncate_from(vec![None, Some(8)]),
	};
	VersionSpec {
		artifact: BlobRef::of(text.as_bytes()),
		licence: BoundedVec::truncate_from(bytes("Apache-2.0")),
		inputs: BoundedVec::truncate_from(vec![tensor("input", DType::I32)]),
		outputs: BoundedVec::truncate_from(vec![tensor("output", DType::F32)]),
		unit: Unit::Request,
		unit_time_ms: 100,
		policy: VerificationPolicy::Tolerance {
			atol: 1_000,
			rtol: 1_000,
			outliers: Perbill::from_percent(1),
		},
		trace: Some(Trace {
			tensor: BoundedVec::truncate_from(bytes("inside")),
			tolerance: 1_000,
		}),
		detection: MIN_DETECTION,
		shares_runs: false,
		recipe: None,
	}
}
