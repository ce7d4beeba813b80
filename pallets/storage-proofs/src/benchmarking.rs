//! Benchmarks of the call, of its authorization, and of the steps of the hook.

use super::*;
use crate::types::{Memory, Miss};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{Authorize, Get},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_primitives::{
	authorization::genesis_hash,
	chunk_proof,
	worker::{self, ChunkProof},
	BlobHash, BlockNumber, ModelId, NodeId, WorkerAction, WorkerId, WorkerSignature,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::SaturatedConversion;

/// A runtime that fills the other pallets for benchmarks.
pub trait BenchmarkSetup: Config {
	/// A node with this worker key that alone stores a model, which is the first one in the list of stored models; it has
	/// earned something for that, asks for it, and its bond is larger than a fine and the ask's bond. All that is so in the
	/// present block, not in the first one.
	fn provider(worker: WorkerId) -> (NodeId, ModelId);
}

const SEED: [u8; 32] = [7; 32];

fn go_to<T: Config>(block: BlockNumber) {
	frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::saturated_from(block));
}

fn provider<T: BenchmarkSetup>() -> (NodeId, ModelId, WorkerId) {
	let key = WorkerId::generate_pair(None);
	let (node, model) = T::provider(key.clone());
	(node, model, key)
}

/// A node that has to show a chunk of the largest blob, drawn in the present block.
fn challenged<T: BenchmarkSetup>() -> Result<(NodeId, ModelId, WorkerId, ChunkProof), BenchmarkError> {
	let (node, model, key) = provider::<T>();
	let (artefact, proof) = chunk_proof::largest(0).ok_or(BenchmarkError::Stop("it has a first chunk"))?;
	let drawn_at = Pallet::<T>::now();
	let until = drawn_at.saturating_add(T::Window::get());
	let challenge = Challenge {
		artefact,
		chunk: 0,
		drawn_at,
		until,
		able: true,
	};
	Challenges::<T>::insert(node, model, challenge);
	Due::<T>::insert(until, BoundedVec::truncate_from(alloc::vec![(node, model)]));
	Ok((node, model, key, proof))
}

/// The answer to it, one block later.
fn proving<T: BenchmarkSetup>() -> Result<(NodeId, ModelId, BlockNumber, ChunkProof, WorkerSignature), BenchmarkError> {
	let (node, model, key, proof) = challenged::<T>()?;
	let drawn_at = Pallet::<T>::now();
	go_to::<T>(drawn_at.saturating_add(1));
	let action = WorkerAction::ProveStorage {
		node,
		model,
		drawn_at,
		proof: proof.clone(),
	};
	let signature = key
		.sign(&worker::payload(genesis_hash::<T>(), &action))
		.ok_or(BenchmarkError::Stop("the keystore has the key"))?;
	Ok((node, model, drawn_at, proof, signature))
}

#[benchmarks(where T: BenchmarkSetup)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn prove() -> Result<(), BenchmarkError> {
		let (node, model, drawn_at, proof, signature) = proving::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, model, drawn_at, proof, signature);
		assert!(!Challenges::<T>::contains_key(node, model));
		Ok(())
	}

	#[benchmark]
	fn authorize_prove() -> Result<(), BenchmarkError> {
		let (node, model, drawn_at, proof, signature) = proving::<T>()?;
		let call = Call::<T>::prove {
			node,
			model,
			drawn_at,
			proof,
			signature,
		};
		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or(BenchmarkError::Stop("the call has an authorization"))?
				.map_err(|_| BenchmarkError::Stop("the call is authorized"))?;
		}
		Ok(())
	}

	// Four were due and are answered. Whether a draw hits the one model that is stored is left to the seed: the challenge is
	// weighed once more then.
	#[benchmark]
	fn idle() {
		provider::<T>();
		let now = Pallet::<T>::now();
		let answered = (0..DRAWS).map(|node| (node.saturating_add(1_000), 0)).collect();
		Due::<T>::insert(now.saturating_sub(1), BoundedVec::truncate_from(answered));
		#[block]
		{
			Pallet::<T>::begin_block(now);
		}
		assert!(!Due::<T>::contains_key(now.saturating_sub(1)));
	}

	#[benchmark]
	fn challenge() {
		let (node, model, _) = provider::<T>();
		let now = Pallet::<T>::now();
		#[block]
		{
			Pallet::<T>::challenge(now, &SEED, 0, 0);
		}
		assert!(Challenges::<T>::contains_key(node, model));
	}

	// The second one in a row, of an artefact that others have shown.
	#[benchmark]
	fn miss() -> Result<(), BenchmarkError> {
		let (node, model, _, _) = challenged::<T>()?;
		let drawn = Pallet::<T>::now();
		let open = Challenges::<T>::get(node, model);
		if let Some(open) = &open {
			Shown::<T>::insert(open.artefact.hash, drawn);
		}
		let former = Miss {
			until: drawn,
			blamed: true,
		};
		Missed::<T>::insert(node, model, former);
		let after = drawn.saturating_add(T::Window::get()).saturating_add(1);
		go_to::<T>(after);
		#[block]
		{
			Pallet::<T>::end_challenges(after);
		}
		assert!(!Challenges::<T>::contains_key(node, model));
		assert!(!Missed::<T>::contains_key(node, model));
		Ok(())
	}

	#[benchmark]
	fn forget() {
		let hash = BlobHash::repeat_byte(1);
		let shown = Pallet::<T>::now();
		let now = shown.saturating_add(MEMORY);
		Shown::<T>::insert(hash, shown);
		Forgets::<T>::insert(now, BoundedVec::truncate_from(alloc::vec![Memory::Shown(hash)]));
		#[block]
		{
			Pallet::<T>::forget(now);
		}
		assert!(!Shown::<T>::contains_key(hash));
	}
}
