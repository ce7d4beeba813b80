//! How a pallet lets in what worker keys say: the check of the signature, and the transaction's place in a pool.
//!
//! Such a transaction pays no fee and has no nonce, so a pallet refuses it in `#[pallet::authorize]`, in the pool and in the
//! block: what nobody waits for as [`Stale`](InvalidTransaction::Stale), which is also how a replay ends; what comes before its
//! time as [`Future`](InvalidTransaction::Future); and for the rest it has codes of its own beside [`UNKNOWN_NODE`].
//!
//! ```text
//! cheap checks ──► check_signature ──► let_in ──► pool, block
//!      └─► Stale, Future, Custom  └─► BadProof
//! ```

use crate::worker::{self, WorkerAction, WorkerId, WorkerSignature};
use alloc::vec::Vec;
use frame_support::{
	pallet_prelude::{
		InvalidTransaction, TransactionLongevity, TransactionPriority, TransactionTag, TransactionValidityWithRefund,
		ValidTransaction,
	},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;

/// No node has the id.
pub const UNKNOWN_NODE: InvalidTransaction = InvalidTransaction::Custom(1);

/// Above everything that pays a fee: a pool full of junk must not delay paid work. Whoever uses it makes sure, by what it
/// refuses and by its tags, that such transactions cannot flood the pool themselves.
pub const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

/// Block 0's hash, which the system pallet keeps for ever.
pub fn genesis_hash<T: frame_system::Config<Hash = H256>>() -> H256 {
	frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::default())
}

/// Refuses as `BadProof` a signature that is not by the worker key, or not for this action on this chain.
pub fn check_signature<T: frame_system::Config<Hash = H256>>(
	worker: &WorkerId,
	action: &WorkerAction,
	signature: &WorkerSignature,
) -> Result<(), InvalidTransaction> {
	match worker::verify(worker, genesis_hash::<T>(), action, signature) {
		true => Ok(()),
		false => Err(InvalidTransaction::BadProof),
	}
}

/// Lets a transaction in that needs no other one. While it waits, nothing with one of its tags comes in beside it. The checks
/// have taken the weight that was foreseen for them: none is given back.
pub fn let_in(
	priority: TransactionPriority,
	provides: Vec<TransactionTag>,
	longevity: TransactionLongevity,
) -> TransactionValidityWithRefund {
	let valid = ValidTransaction {
		priority,
		requires: Vec::new(),
		provides,
		longevity,
		propagate: true,
	};
	Ok((valid, Weight::zero()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::worker::WorkerPair;
	use frame_support::derive_impl;
	use sp_core::Pair;
	use sp_runtime::BuildStorage;

	const GENESIS: H256 = H256::repeat_byte(7);
	const LATER: H256 = H256::repeat_byte(8);

	#[frame_support::runtime]
	mod runtime {
		#[runtime::runtime]
		#[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
		pub struct Test;

		#[runtime::pallet_index(0)]
		pub type System = frame_system::Pallet<Test>;
	}

	#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
	impl frame_system::Config for Test {
		type Block = frame_system::mocking::MockBlock<Test>;
	}

	/// In block 5 of a chain.
	fn execute(test: impl FnOnce()) {
		let genesis = RuntimeGenesisConfig::default().build_storage().unwrap();
		sp_io::TestExternalities::from(genesis).execute_with(|| {
			frame_system::BlockHash::<Test>::insert(0u64, GENESIS);
			frame_system::BlockHash::<Test>::insert(4u64, LATER);
			System::set_block_number(5);
			test();
		});
	}

	fn key(seed: u8) -> WorkerPair {
		WorkerPair::from_seed(&[seed; 32])
	}

	fn heartbeat(node: u32) -> WorkerAction {
		WorkerAction::Heartbeat {
			node,
			session: 3,
			healthy: true,
			slots: 2,
		}
	}

	fn sign(key: &WorkerPair, genesis: H256, action: &WorkerAction) -> WorkerSignature {
		key.sign(&worker::payload(genesis, action))
	}

	fn check(
		worker: &WorkerPair,
		action: &WorkerAction,
		signature: &WorkerSignature,
	) -> Result<(), InvalidTransaction> {
		check_signature::<Test>(&worker.public(), action, signature)
	}

	#[test]
	fn signature_should_be_taken_when_the_worker_key_signed_the_action_for_this_chain() {
		execute(|| {
			let action = heartbeat(4);
			assert_eq!(check(&key(1), &action, &sign(&key(1), GENESIS, &action)), Ok(()));
		});
	}

	#[test]
	fn signature_should_be_refused_when_key_action_or_chain_is_another_one() {
		execute(|| {
			let action = heartbeat(4);
			let refused = Err(InvalidTransaction::BadProof);
			assert_eq!(check(&key(1), &action, &sign(&key(2), GENESIS, &action)), refused);
			assert_eq!(check(&key(1), &action, &sign(&key(1), GENESIS, &heartbeat(5))), refused);
			assert_eq!(check(&key(1), &action, &sign(&key(1), LATER, &action)), refused);
			let unsigned = WorkerSignature::from(sp_core::sr25519::Signature::default());
			assert_eq!(check(&key(1), &action, &unsigned), refused);
		});
	}

	#[test]
	fn transaction_should_need_no_other_one_and_give_no_weight_back_when_it_is_let_in() {
		let tags = vec![vec![1], vec![2, 3]];
		let (valid, unspent) = let_in(PRIORITY + 9, tags.clone(), 16).unwrap();
		let expected = ValidTransaction {
			priority: PRIORITY + 9,
			requires: vec![],
			provides: tags,
			longevity: 16,
			propagate: true,
		};
		assert_eq!((valid, unspent), (expected, Weight::zero()));
	}
}
