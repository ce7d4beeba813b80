//! Blocks of the real runtime.

use crate::{genesis, invariants, tally, CallName, Conduct, Tally};
use codec::{Decode, Encode};
use frame_metadata_hash_extension::CheckMetadataHash;
use frame_support::storage::{with_transaction_unchecked, TransactionOutcome};
use highway_primitives::{worker, Balance, Ballot, BlobHash, BlockNumber, JobId, NodeId};
use highway_runtime::{
	constants::SLOT_DURATION, AccountId, Address, Babe, Balances, Executive, Header, NodeStaking, Nonce, Runtime,
	RuntimeCall, RuntimeEvent, Signature, System, TxExtension, UncheckedExtrinsic,
};
use parking_lot::RwLock;
use sp_consensus_babe::{
	digests::{PreDigest, SecondaryVRFPreDigest},
	make_vrf_sign_data, Slot, BABE_ENGINE_ID,
};
use sp_core::{
	crypto::VrfSecret,
	offchain::{
		testing::{PoolState, TestTransactionPoolExt},
		TransactionPoolExt,
	},
	H256,
};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::{Era, SignedPayload},
	traits::Header as _,
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidity},
	ApplyExtrinsicResult, Digest, DigestItem, DispatchResult,
};
use sp_transaction_pool::runtime_api::runtime_decl_for_tagged_transaction_queue::TaggedTransactionQueue;
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
};

/// The slot before the first block's. Any will do.
const GENESIS_SLOT: u64 = 1_000;

/// Blocks by which finality lags on a network that is well.
const USUAL_LAG: BlockNumber = 2;

/// A chain inside the externalities of its test.
pub struct Chain {
	head: Header,
	slot: u64,
	is_open: bool,
	issuance: Balance,
	history: Vec<RuntimeEvent>,
	pool: Arc<RwLock<PoolState>>,
	/// Nodes that say nothing of their own accord. All others send heartbeats as soon as one is due, say in audits what they
	/// are asked, and show what they store.
	pub silent: BTreeSet<NodeId>,
	/// Nodes that show nothing of what they are paid for storing.
	pub forgetful: BTreeSet<NodeId>,
	/// The files that all others have. Those of [`crate::spec`] are among them once they are registered.
	pub files: BTreeMap<BlobHash, Vec<u8>>,
	/// What nodes do in audits that are not honest.
	pub conduct: BTreeMap<NodeId, Conduct>,
	/// Jobs that are not really done: whoever attests one of them has a wrong output and a made-up sketch. To be set before
	/// the attestation.
	pub cheats: BTreeSet<JobId>,
	/// The same of single inputs of jobs of many.
	pub wrong_inputs: BTreeSet<(JobId, u16)>,
	/// By how many blocks finality lags, as every author says. `None`: nobody says anything.
	pub lag: Option<BlockNumber>,
	/// Whether tests say things in the name of nodes: what a node says of its own accord may then be refused.
	pub impersonated: bool,
	/// What became of each call so far.
	pub calls: BTreeMap<CallName, Tally>,
	/// What nodes committed themselves to in audits: as a worker keeps it until it opens it.
	pub(crate) ballots: BTreeMap<(NodeId, JobId), Ballot>,
}

impl Chain {
	/// Runs `test` on a chain of the preset `local_testnet`: Alice, Bob and Charlie validate, as nodes 0, 1 and 2.
	pub fn local<R>(test: impl FnOnce(&mut Chain) -> R) -> R {
		Self::of_preset(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET, test)
	}

	/// Runs `test` on a chain of this preset, at block 1. The last block is closed and checked after it.
	pub fn of_preset<R>(name: &str, test: impl FnOnce(&mut Chain) -> R) -> R {
		Self::of_genesis(genesis::genesis_of(name), test)
	}

	/// Runs `test` on a chain with this genesis state, at block 1. The last block is closed and checked after it.
	pub fn of_genesis<R>(mut externalities: TestExternalities, test: impl FnOnce(&mut Chain) -> R) -> R {
		let (pool, submitted) = TestTransactionPoolExt::new();
		externalities.register_extension(TransactionPoolExt::new(pool));
		externalities.execute_with(|| {
			let root = H256::from_slice(&sp_io::storage::root(sp_runtime::StateVersion::V1));
			let mut chain = Chain {
				head: Header::new(0, H256::zero(), root, H256::zero(), Digest::default()),
				slot: GENESIS_SLOT,
				is_open: false,
				issuance: 0,
				history: Vec::new(),
				pool: submitted,
				silent: BTreeSet::new(),
				forgetful: BTreeSet::new(),
				files: BTreeMap::new(),
				conduct: BTreeMap::new(),
				cheats: BTreeSet::new(),
				wrong_inputs: BTreeSet::new(),
				lag: Some(USUAL_LAG),
				impersonated: false,
				calls: BTreeMap::new(),
				ballots: BTreeMap::new(),
			};
			invariants::check();
			chain.blocks(1);
			let result = test(&mut chain);
			chain.close();
			result
		})
	}

	/// Number of the open block, or of the last one.
	pub fn number(&self) -> BlockNumber {
		System::block_number()
	}

	/// Hash of the last closed block.
	pub fn head_hash(&self) -> H256 {
		self.head.hash()
	}

	/// Opens a block, if none is open: hooks, the inherents, the heartbeats that are due, and what audits and challenges want
	/// to hear.
	pub fn open(&mut self) {
		if self.is_open {
			return;
		}
		let mut words = self.words_in_audits();
		words.extend(self.words_on_storage());
		self.slot += 1;
		let pre_digest = DigestItem::PreRuntime(BABE_ENGINE_ID, self.pre_digest().encode());
		let number = *self.head.number() + 1;
		let digest = Digest { logs: vec![pre_digest] };
		let header = Header::new(number, H256::zero(), H256::zero(), self.head.hash(), digest);
		self.issuance = Balances::total_issuance();
		Executive::initialize_block(&header);
		self.is_open = true;
		self.inherent(pallet_timestamp::Call::set {
			now: self.slot * SLOT_DURATION,
		});
		if let Some(lag) = self.lag {
			self.inherent(pallet_proof_of_work_done::Call::note_finality {
				number: number.saturating_sub(lag),
			});
		}
		self.send_heartbeats();
		for word in words {
			// Operational, as a heartbeat.
			let outcome = self.execute(word.clone());
			assert!(
				self.impersonated || outcome == Ok(Ok(())),
				"what an audit or a challenge waits for is taken: {outcome:?} of {word:?}"
			);
		}
	}

	/// Closes the open block, if there is one, and checks every invariant.
	pub fn close(&mut self) {
		if !self.is_open {
			return;
		}
		self.head = Executive::finalize_block();
		self.is_open = false;
		let events = block_events();
		invariants::check();
		invariants::check_issuance(self.issuance, &events);
		self.history.extend(events);
	}

	/// Closes the open block and makes `count` more.
	pub fn blocks(&mut self, count: u32) {
		self.close();
		for _ in 0..count {
			self.open();
			self.close();
		}
	}

	/// Makes blocks until `number` is closed.
	pub fn run_to(&mut self, number: BlockNumber) {
		self.close();
		self.blocks(number.saturating_sub(self.number()));
	}

	/// Lets `slots` pass without a block.
	pub fn skip_slots(&mut self, slots: u64) {
		self.close();
		self.slot += slots;
	}

	/// Puts a transaction into the open block; into a later one if there is no room, as an author would.
	pub fn apply(&mut self, transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
		// The next one may be the first of a session, which has no room for everything either.
		for _ in 0..2 {
			match self.apply_here(transaction.clone()) {
				Err(refusal) if refusal == InvalidTransaction::ExhaustsResources.into() => self.close(),
				result => return result,
			}
		}
		self.apply_here(transaction)
	}

	/// Puts a transaction into the open block and nowhere else. One that is refused leaves no trace, as an author leaves
	/// it out.
	pub fn apply_here(&mut self, transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
		self.open();
		self.execute(transaction)
	}

	/// Runs a transaction in the open block, and notes what became of it.
	fn execute(&mut self, transaction: UncheckedExtrinsic) -> ApplyExtrinsicResult {
		let call = transaction.function.clone();
		let result = with_transaction_unchecked(|| match Executive::apply_extrinsic(transaction) {
			Ok(outcome) => TransactionOutcome::Commit(Ok(outcome)),
			Err(refusal) => TransactionOutcome::Rollback(Err(refusal)),
		});
		let tally = self.calls.entry(tally::name_of(&call)).or_default();
		match tally::outcome_of(&call, &result) {
			Ok(true) => tally.succeeded += 1,
			Ok(false) => tally.failed += 1,
			Err(()) => tally.refused += 1,
		}
		result
	}

	fn inherent(&mut self, call: impl Into<RuntimeCall>) {
		self.execute(UncheckedExtrinsic::new_bare(call.into()))
			.expect("an inherent is valid")
			.expect("it succeeds");
	}

	/// What the transaction pool says to a transaction on top of the last block. Changes nothing.
	pub fn validate(&mut self, transaction: UncheckedExtrinsic) -> TransactionValidity {
		self.close();
		let head = self.head.hash();
		with_transaction_unchecked(|| {
			TransactionOutcome::Rollback(Runtime::validate_transaction(
				TransactionSource::External,
				transaction,
				head,
			))
		})
	}

	/// Takes the transactions that the runtime itself gave to its node's pool.
	pub fn take_submitted(&mut self) -> Vec<UncheckedExtrinsic> {
		let transactions = std::mem::take(&mut self.pool.write().transactions);
		transactions
			.iter()
			.map(|bytes| UncheckedExtrinsic::decode(&mut &bytes[..]).expect("the runtime makes whole transactions"))
			.collect()
	}

	/// Signs `call` by `who` and puts it into a block. Panics if it is not a valid transaction.
	pub fn call(&mut self, who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> DispatchResult {
		self.open();
		let call = call.into();
		self.apply(signed(who, call.clone()))
			.unwrap_or_else(|refusal| panic!("{call:?} by {who:?}: {refusal:?}"))
	}

	/// [`Self::call`] that must succeed.
	pub fn ok(&mut self, who: Sr25519Keyring, call: impl Into<RuntimeCall>) {
		let call = call.into();
		if let Err(error) = self.call(who, call.clone()) {
			panic!("{call:?} by {who:?}: {error:?}");
		}
	}

	/// All events so far, the open block's included.
	pub fn events(&self) -> Vec<RuntimeEvent> {
		let open = if self.is_open { block_events() } else { Vec::new() };
		self.history.iter().cloned().chain(open).collect()
	}

	/// The transaction fees that an account paid so far.
	pub fn fees_of(&self, who: &AccountId) -> Balance {
		self.events()
			.iter()
			.map(|event| match event {
				RuntimeEvent::TransactionPayment(pallet_transaction_payment::Event::TransactionFeePaid {
					who: payer,
					actual_fee,
					..
				}) if payer == who => *actual_fee,
				_ => 0,
			})
			.sum()
	}

	/// What an account could spend if it had paid no transaction fees.
	pub fn funds(&self, who: Sr25519Keyring) -> Balance {
		let account = who.to_account_id();
		invariants::free(&account) + self.fees_of(&account)
	}

	/// A pre-digest as the secondary author of this slot makes it, with its VRF.
	fn pre_digest(&self) -> PreDigest {
		let slot = Slot::from(self.slot);
		let (current, next) = (Babe::current_epoch(), Babe::next_epoch());
		let is_first = *self.head.number() == 0;
		let epoch = if !is_first && slot >= next.start_slot {
			next
		} else {
			current
		};
		// As the runtime does when whole epochs were skipped: the next one's randomness, under the index of this slot.
		let index = match is_first {
			true => epoch.epoch_index,
			false => epoch.epoch_index + (*slot).saturating_sub(*epoch.start_slot) / epoch.duration,
		};
		let authority_index = (self.slot % epoch.authorities.len() as u64) as usize;
		let public = epoch.authorities[authority_index].0.clone().into_inner();
		let author = Sr25519Keyring::from_public(&public).expect("all authorities are well-known");
		PreDigest::SecondaryVRF(SecondaryVRFPreDigest {
			authority_index: authority_index as u32,
			slot,
			vrf_signature: author
				.pair()
				.vrf_sign(&make_vrf_sign_data(&epoch.randomness, slot, index)),
		})
	}

	fn send_heartbeats(&mut self) {
		for node in NodeStaking::ids_from(0, u32::MAX).0 {
			let (record, standing) = NodeStaking::node(node).expect("a listed node exists");
			if self.silent.contains(&node) || !NodeStaking::heartbeat_due(node) {
				continue;
			}
			let action = worker::WorkerAction::Heartbeat {
				node,
				session: NodeStaking::current_session(),
				healthy: true,
				slots: standing.declared.max(16),
			};
			let key = crate::acts::worker_of(&record.worker);
			// Operational: there is room for it in a session's first block too.
			self.execute(crate::worker_transaction(key, action))
				.expect("a heartbeat that is due is valid")
				.expect("it is taken");
		}
	}
}

fn block_events() -> Vec<RuntimeEvent> {
	System::events().into_iter().map(|record| record.event).collect()
}

/// `call` signed by `who` as its next transaction: mortal, no tip, all transaction extensions.
pub fn signed(who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
	signed_with(who, call, CheckMetadataHash::new(false))
}

/// The same, with or without a hash of the metadata in what is signed.
pub fn signed_with(
	who: Sr25519Keyring,
	call: impl Into<RuntimeCall>,
	metadata_hash: CheckMetadataHash<Runtime>,
) -> UncheckedExtrinsic {
	let account = who.to_account_id();
	let nonce: Nonce = System::account_nonce(&account);
	// Of the parent, the latest block with a known hash.
	let era = Era::mortal(64, System::block_number().saturating_sub(1).into());
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(era),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		metadata_hash,
		frame_system::WeightReclaim::new(),
	);
	let payload = SignedPayload::new(call.into(), extension).expect("what is signed beside the call is known");
	let signature = payload.using_encoded(|bytes| who.sign(bytes));
	let (call, extension, _) = payload.deconstruct();
	UncheckedExtrinsic::new_signed(call, Address::Id(account), Signature::Sr25519(signature), extension)
}
