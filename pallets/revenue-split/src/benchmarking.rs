//! Benchmarks of every call, of what authorizes those without a fee, and of the hook, each at its worst.

use crate::{
	pallet::{
		Asks, Books, Call, Clearings, CommitmentPlaces, CommitmentQueues, Commitments, Config, Curators, Earnings,
		EpochLength, EpochSeed, LastCleared, Markets, Pallet, StoragePay, StoredAt, Summaries, SummarisedEpochs,
	},
	types::{
		Ask, AskRole, Clearing, Commitment, CommitmentQueue, CuratorProfile, EpochPlaces, PendingPay, RolePlaces,
		Summary, Winners, MAX_ASKS, MAX_STORED_ASKS, MAX_SUMMARIES,
	},
};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{
		fungible::{Inspect, Mutate},
		Authorize, Get,
	},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_math::audit;
use highway_primitives::{
	authorization::genesis_hash,
	market::{ask_commitment, AskCommitment, AskReveal, MaxAskItems},
	traits::Nodes,
	worker, Balance, BlockNumber, EpochIndex, ModelId, NodeId, Role, WorkerAction, WorkerId, WorkerSignature,
};
use sp_core::H256;
use sp_runtime::{traits::SaturatedConversion, RuntimeAppPublic};

/// A runtime that prepares the benchmarks: the pallet itself knows nodes through a trait that only reads.
pub trait BenchmarkSetup: Config {
	/// Registers a model, with as many ancestors as there may be.
	fn model() -> ModelId;
	/// Registers another node that hosts `model` and can take jobs, with coins for its operator. Returns the operator.
	fn operator_hosting(model: ModelId, index: u32) -> Self::AccountId;
	/// Registers so many models, and a node with this worker key that hosts them and can take jobs.
	fn bidder(worker: WorkerId, models: u32) -> (NodeId, Vec<ModelId>);
	/// So many other nodes that host all these models and can take jobs, each with the least bond of an ask reserved.
	fn rivals(models: &[ModelId], count: u32) -> Vec<NodeId>;
}

/// Gives the node an ask that holds from the next epoch on, as if it had committed to it and revealed it. For the benchmarks
/// of others, too.
pub fn put_ask<T: Config>(node: NodeId, model: ModelId, role: AskRole, price: Balance) -> Result<(), BenchmarkError> {
	let bond = T::MinAskBond::get();
	T::Nodes::secure(node, bond)?;
	Pallet::<T>::place_ask(node, model, role, price, bond);
	Ok(())
}

/// Goes to the first block of the next epoch.
pub fn next_epoch<T: Config>() -> EpochIndex {
	let epoch = Pallet::<T>::current_epoch().saturating_add(1);
	go_to::<T>(Pallet::<T>::first_block_of(epoch));
	Pallet::<T>::begin_epoch();
	epoch
}

fn go_to<T: Config>(block: BlockNumber) {
	frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::saturated_from(block));
}

/// Goes to the last block of the present epoch, which is for reveals.
fn go_to_reveals<T: Config>() {
	go_to::<T>(Pallet::<T>::last_block_of(Pallet::<T>::current_epoch()));
}

fn node_hosting<T: BenchmarkSetup>(model: ModelId, index: u32) -> Result<NodeId, BenchmarkError> {
	let operator = T::operator_hosting(model, index);
	T::Nodes::node_of(&operator).ok_or(BenchmarkError::Stop("no node was registered"))
}

/// A node with a worker key, and `n` models and roles that it may ask for.
struct Bidder {
	node: NodeId,
	key: WorkerId,
	items: Vec<(ModelId, AskRole)>,
}

const SALT: [u8; 32] = [7; 32];
const PRICE: Option<Balance> = Some(1);

impl Bidder {
	/// In the commit phase of the epoch behind those that [`put_summaries`] knows.
	fn new<T: BenchmarkSetup>(n: u32) -> Self {
		let key = WorkerId::generate_pair(None);
		let (node, models) = T::bidder(key.clone(), n.div_ceil(2));
		let roles = |model: &ModelId| AskRole::ALL.map(|role| (*model, role));
		let items = models.iter().flat_map(roles).take(n as usize).collect();
		for _ in 0..MAX_SUMMARIES {
			next_epoch::<T>();
		}
		Self { node, key, items }
	}

	fn commits<T: Config>(&self) -> BoundedVec<AskCommitment, MaxAskItems> {
		let epoch = Pallet::<T>::current_epoch().saturating_add(1);
		let items = self.items.iter().map(|(model, role)| AskCommitment {
			model: *model,
			role: *role,
			hash: ask_commitment(self.node, epoch, *model, *role, PRICE, &SALT),
		});
		BoundedVec::truncate_from(items.collect())
	}

	fn reveals(&self) -> BoundedVec<AskReveal, MaxAskItems> {
		let items = self.items.iter().map(|(model, role)| AskReveal {
			model: *model,
			role: *role,
			price: PRICE,
			salt: SALT,
		});
		BoundedVec::truncate_from(items.collect())
	}

	fn sign<T: Config>(&self, action: &WorkerAction) -> Result<WorkerSignature, BenchmarkError> {
		self.key
			.sign(&worker::payload(genesis_hash::<T>(), action))
			.ok_or(BenchmarkError::Stop("the keystore has the key"))
	}

	/// The call that commits to everything, and its signature.
	fn commit_call<T: Config>(&self) -> Result<Call<T>, BenchmarkError> {
		let (node, epoch) = (self.node, Pallet::<T>::current_epoch().saturating_add(1));
		let items = self.commits::<T>();
		let signature = self.sign::<T>(&WorkerAction::CommitAsks {
			node,
			epoch,
			items: items.clone(),
		})?;
		Ok(Call::commit_asks {
			node,
			epoch,
			items,
			signature,
		})
	}
}

/// A queue that begins with `holes` and goes on with one commitment of a node that nobody knows, for an epoch to come.
fn put_holes<T: Config>(model: ModelId, holes: u64) {
	let commitment = Commitment {
		node: NodeId::MAX,
		role: AskRole::Compute,
		epoch: EpochIndex::MAX,
		hash: H256::zero(),
		bond: 1,
		most: 0,
	};
	Commitments::<T>::insert(model, holes, commitment);
	CommitmentPlaces::<T>::insert(NodeId::MAX, (model, AskRole::Compute), holes);
	let queue = CommitmentQueue {
		first: 0,
		next: holes.saturating_add(1),
		compute: 1,
		storage: 0,
	};
	CommitmentQueues::<T>::insert(model, queue);
}

/// A record of the first epoch with as many winners as may be, and no jobs.
fn put_record<T: Config>(model: ModelId) {
	let winners: Winners = BoundedVec::truncate_from((0..MAX_ASKS).collect());
	let record = Clearing {
		compute_price: 1,
		executors: winners.clone(),
		storage_price: 1,
		storage: winners.clone(),
		dearest_executor: 1,
		dearest_storage: 1,
		royalties: Default::default(),
		jobs: 0,
	};
	Clearings::<T>::insert(model, 0, record);
	LastCleared::<T>::insert(model, 0);
	Pallet::<T>::note_stored(model, &winners);
}

/// As many summaries as are kept. In each of their epochs all lines but those of `free` paid more than anybody has.
fn put_summaries<T: Config>(model: ModelId, free: &[Role]) {
	let mut summary = Summary::default();
	for role in Role::ALL.iter().filter(|role| !free.contains(role)) {
		summary.add_line(*role, Balance::MAX);
	}
	for epoch in 0..MAX_SUMMARIES {
		Summaries::<T>::insert(model, epoch, &summary);
	}
	SummarisedEpochs::<T>::insert(model, BoundedVec::truncate_from((0..MAX_SUMMARIES).collect()));
}

/// A book of [`MAX_ASKS`] asks that end, and of as many by `nodes` that hold from the next epoch on.
fn put_full_book<T: Config>(model: ModelId, role: AskRole, nodes: &[NodeId]) {
	let ends = (0..MAX_ASKS).map(|index| Ask {
		current: Some(1),
		next: Some((EpochIndex::MAX, None)),
		..Ask::none(NodeId::MAX.saturating_sub(index))
	});
	let next = Pallet::<T>::current_epoch().saturating_add(1);
	let begins = nodes.iter().map(|node| Ask {
		next: Some((next, Some(T::MaxAsk::get()))),
		bond: T::MinAskBond::get(),
		..Ask::none(*node)
	});
	Asks::<T>::insert(model, role, BoundedVec::truncate_from(ends.chain(begins).collect()));
}

fn authorize<T: Config>(call: &Call<T>) -> Result<(), BenchmarkError> {
	call.authorize(TransactionSource::External)
		.ok_or(BenchmarkError::Stop("the call has an authorization"))?
		.map_err(|_| BenchmarkError::Stop("the call is authorized"))?;
	Ok(())
}

/// A signature that nobody looks at.
fn unread() -> WorkerSignature {
	WorkerSignature::from(sp_core::sr25519::Signature::from_raw([0; 64]))
}

#[benchmarks(where T: BenchmarkSetup)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn no_epoch() {
		let first = Pallet::<T>::first_block_of(1);
		go_to::<T>(first.saturating_add(1));
		let begins;
		#[block]
		{
			begins = Pallet::<T>::begin_epoch();
		}
		assert!(!begins);
	}

	#[benchmark]
	fn begin_epoch() {
		go_to::<T>(EpochLength::<T>::get());
		let begins;
		#[block]
		{
			begins = Pallet::<T>::begin_epoch();
		}
		assert!(begins && EpochSeed::<T>::exists());
	}

	/// Every queue begins with as many holes as a commitment looks at, and every book of compute is full of others' asks.
	#[benchmark]
	fn commit_asks(n: Linear<1, 24>) -> Result<(), BenchmarkError> {
		let bidder = Bidder::new::<T>(n);
		let others: Vec<NodeId> = (MAX_ASKS..MAX_STORED_ASKS)
			.map(|index| NodeId::MAX.saturating_sub(index))
			.collect();
		for (model, _) in &bidder.items {
			put_holes::<T>(*model, 8);
			put_summaries::<T>(*model, &Role::ALL);
			put_full_book::<T>(*model, AskRole::Compute, &others);
		}
		let epoch = Pallet::<T>::current_epoch().saturating_add(1);

		#[extrinsic_call]
		_(
			RawOrigin::Authorized,
			bidder.node,
			epoch,
			bidder.commits::<T>(),
			unread(),
		);

		assert_eq!(CommitmentPlaces::<T>::iter_prefix(bidder.node).count(), n as usize);
		Ok(())
	}

	/// Nothing but the last item can be committed to: the bonds of all others for storage are too dear, and beside those for compute
	/// too little is free for a job at the reserve, as a little is in use.
	#[benchmark]
	fn authorize_commit_asks(n: Linear<1, 24>) -> Result<(), BenchmarkError> {
		let bidder = Bidder::new::<T>(n);
		let (last, others) = bidder.items.split_last().ok_or(BenchmarkError::Stop("there is one"))?;
		let factor = T::SecurityFactor::get();
		T::Nodes::secure(bidder.node, audit::security(1, factor))?;
		let full: Vec<NodeId> = (MAX_ASKS..MAX_STORED_ASKS)
			.map(|index| NodeId::MAX.saturating_sub(index))
			.collect();
		for (model, _) in others {
			put_summaries::<T>(*model, &[AskRole::Compute.line()]);
			put_full_book::<T>(*model, AskRole::Compute, &full);
			let rest = T::Nodes::own_bond(bidder.node).saturating_sub(Pallet::<T>::ask_bond(*model, AskRole::Compute));
			Markets::<T>::mutate(model, |state| {
				state.compute_reserve = Some(audit::secured_by(rest, factor))
			});
		}
		put_summaries::<T>(last.0, &[last.1.line()]);
		assert!(others
			.iter()
			.all(|(model, role)| !Pallet::<T>::may_commit(bidder.node, *model, *role)));
		let call = bidder.commit_call::<T>()?;
		#[block]
		{
			authorize(&call)?;
		}
		assert!(Pallet::<T>::may_commit(bidder.node, last.0, last.1));
		Ok(())
	}

	/// In full books of nodes that still serve, each in one of them; the last comer asks less.
	#[benchmark]
	fn reveal_asks(n: Linear<1, 24>) -> Result<(), BenchmarkError> {
		let bidder = Bidder::new::<T>(n);
		Pallet::<T>::do_commit_asks(bidder.node, &bidder.commits::<T>());
		let mut models: Vec<ModelId> = bidder.items.iter().map(|(model, _)| *model).collect();
		models.dedup();
		let rivals = T::rivals(&models, n.saturating_mul(MAX_ASKS));
		for ((model, role), rivals) in bidder.items.iter().zip(rivals.chunks(MAX_ASKS as usize)) {
			put_full_book::<T>(*model, *role, rivals);
		}
		go_to_reveals::<T>();
		let epoch = Pallet::<T>::current_epoch().saturating_add(1);

		#[extrinsic_call]
		_(RawOrigin::Authorized, bidder.node, epoch, bidder.reveals(), unread());

		for (model, role) in &bidder.items {
			assert_eq!(Pallet::<T>::ask_of(bidder.node, *model, *role), PRICE);
		}
		Ok(())
	}

	#[benchmark]
	fn authorize_reveal_asks(n: Linear<1, 24>) -> Result<(), BenchmarkError> {
		let bidder = Bidder::new::<T>(n);
		Pallet::<T>::do_commit_asks(bidder.node, &bidder.commits::<T>());
		go_to_reveals::<T>();
		// The last of them alone opens something.
		let mut items = bidder.reveals();
		let all = items.len();
		items
			.iter_mut()
			.take(all.saturating_sub(1))
			.for_each(|item| item.salt = [8; 32]);
		let (node, epoch) = (bidder.node, Pallet::<T>::current_epoch().saturating_add(1));
		let signature = bidder.sign::<T>(&WorkerAction::RevealAsks {
			node,
			epoch,
			items: items.clone(),
		})?;
		let call = Call::<T>::reveal_asks {
			node,
			epoch,
			items,
			signature,
		};
		#[block]
		{
			authorize(&call)?;
		}
		assert_eq!(CommitmentPlaces::<T>::iter_prefix(node).count(), n as usize);
		Ok(())
	}

	#[benchmark]
	fn end_commitment() -> Result<(), BenchmarkError> {
		let bidder = Bidder::new::<T>(1);
		Pallet::<T>::endow_pot();
		Pallet::<T>::do_commit_asks(bidder.node, &bidder.commits::<T>());
		next_epoch::<T>();
		let model = bidder.items.first().map(|(model, _)| *model).unwrap_or_default();
		let ended;
		#[block]
		{
			ended = Pallet::<T>::end_broken(model, 1, 1);
		}
		assert_eq!(ended, 1);
		Ok(())
	}

	/// Both books are as full as may be, of different nodes, with a place lost for each that is taken; everything is written for
	/// the first time.
	#[benchmark]
	fn clear(a: Linear<2, 256>) -> Result<(), BenchmarkError> {
		let model = T::model();
		put_record::<T>(model);
		put_summaries::<T>(model, &Role::ALL);
		put_holes::<T>(model, 64);
		next_epoch::<T>();
		for (role, first) in AskRole::ALL.into_iter().zip([0, MAX_ASKS]) {
			let book = (0..a / 2)
				.map(|index| {
					let ends = index >= MAX_ASKS;
					Ok(Ask {
						// Of those beyond the places, what ended is left.
						node: if ends {
							NodeId::MAX.saturating_sub(index)
						} else {
							node_hosting::<T>(model, first.saturating_add(index))?
						},
						current: ends.then_some(1),
						next: Some((2, (!ends).then_some(1))),
						bond: (!ends).into(),
					})
				})
				.collect::<Result<Vec<_>, BenchmarkError>>()?;
			Asks::<T>::insert(model, role, BoundedVec::truncate_from(book));
		}
		Markets::<T>::mutate(model, |state| {
			let role = RolePlaces {
				winners: MAX_ASKS,
				dearest: 1,
			};
			state.latest = Some(EpochPlaces {
				epoch: 1,
				compute: role,
				storage: role,
				weighed: false,
			});
			state.demand.note(1);
			state.compute_reserve = Some(T::MaxAsk::get());
			state.storage_reserve = Some(T::MaxAsk::get());
		});
		// Nobody stored it before: it joins the list of what is stored.
		StoredAt::<T>::remove(model);
		let epoch = next_epoch::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(whitelisted_caller()), model);

		assert!(Clearings::<T>::contains_key(model, epoch) && StoredAt::<T>::contains_key(model));
		assert!(!Clearings::<T>::contains_key(model, 0));
		Ok(())
	}

	/// The first profile of an account.
	#[benchmark]
	fn set_curator() -> Result<(), BenchmarkError> {
		let curator: T::AccountId = whitelisted_caller();
		let coins = T::CuratorDeposit::get().saturating_add(T::Currency::minimum_balance().saturating_mul(10));
		T::Currency::mint_into(&curator, coins)?;
		let fee = T::MaxCuratorFee::get();
		let profile = CuratorProfile {
			name: BoundedVec::truncate_from(vec![b'n'; 32]),
			url: BoundedVec::truncate_from(vec![b'u'; 128]),
		};

		#[extrinsic_call]
		_(RawOrigin::Signed(curator.clone()), fee, profile);

		assert_eq!(Curators::<T>::get(&curator).map(|record| record.fee), Some(fee));
		Ok(())
	}

	/// Creates the account, which need not be that of whoever calls.
	#[benchmark]
	fn claim() -> Result<(), BenchmarkError> {
		let account: T::AccountId = account("earner", 0, 0);
		let amount: Balance = T::Currency::minimum_balance();
		Pallet::<T>::endow_pot();
		T::Currency::mint_into(&Pallet::<T>::pot_account(), amount)?;
		Earnings::<T>::insert(&account, amount);
		Books::<T>::mutate(|books| books.earnings = books.earnings.saturating_add(amount));

		#[extrinsic_call]
		_(RawOrigin::Signed(account.clone()));

		assert_eq!(T::Currency::balance(&account), amount);
		Ok(())
	}

	/// Of a model that is gone: nobody can be asked to show it.
	#[benchmark]
	fn claim_storage_pay() -> Result<(), BenchmarkError> {
		let gone = ModelId::MAX;
		let operator = T::operator_hosting(T::model(), 0);
		StoragePay::<T>::insert(&operator, gone, PendingPay { amount: 1, since: 0 });
		Books::<T>::mutate(|books| books.storage_pay = 1);
		go_to::<T>(T::StorageHold::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator.clone()), gone);

		assert_eq!(Pallet::<T>::claimable(&operator), 1);
		Ok(())
	}

	/// Of a model that is gone: as many as may be still have a place, each another node, and whatever is kept of the model is
	/// there.
	#[benchmark]
	fn prune(a: Linear<2, 256>) -> Result<(), BenchmarkError> {
		// Nobody registered it: it is gone.
		let gone = ModelId::MAX;
		let model = T::model();
		put_record::<T>(gone);
		put_summaries::<T>(gone, &Role::ALL);
		put_holes::<T>(gone, 64);
		Markets::<T>::insert(gone, crate::MarketState::default());
		for (role, first) in AskRole::ALL.into_iter().zip([0, MAX_ASKS]) {
			let mut book = Vec::new();
			for index in 0..(a / 2).min(MAX_STORED_ASKS) {
				let holds = index < MAX_ASKS;
				let bond = T::MinAskBond::get();
				let node = if holds {
					node_hosting::<T>(model, first.saturating_add(index))?
				} else {
					NodeId::MAX.saturating_sub(index)
				};
				if holds {
					T::Nodes::secure(node, bond)?;
				}
				book.push(Ask {
					node,
					current: (!holds).then_some(1),
					next: Some((1, holds.then_some(1))),
					bond: if holds { bond } else { 0 },
				});
			}
			Asks::<T>::insert(gone, role, BoundedVec::truncate_from(book));
		}
		go_to::<T>(Pallet::<T>::first_block_of(1));

		#[extrinsic_call]
		_(RawOrigin::Signed(whitelisted_caller()), gone);

		assert!(!Clearings::<T>::contains_key(gone, 0) && !Markets::<T>::contains_key(gone));
		assert!(!Asks::<T>::contains_key(gone, AskRole::Compute));
		Ok(())
	}
}
