//! Benchmarks of the calls, of their authorization, and of the hook.

use super::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{fungible::Mutate, Authorize, Get},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_primitives::{
	authorization::genesis_hash,
	chunk_proof, probe,
	traits::BlockSeeds,
	worker::{self, ChunkProof},
	Balance, BlobRef, BlockNumber, DeviceClass, MaxBlobSize, NodeId, ProbeSeed, ProbeTerms, WorkerAction, WorkerId,
	WorkerSignature, AIC,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::H256;
use sp_runtime::SaturatedConversion;

/// A runtime that fills the other pallets for benchmarks.
pub trait BenchmarkSetup: Config {
	/// A node with this worker key that declares as many slots as a node may.
	fn node(worker: WorkerId) -> NodeId;
	/// Lets a block have drawn something.
	fn seal(block: BlockNumber);
}

/// What the treasury has: more than any proof is paid.
const PLENTY: Balance = 1_000_000 * AIC;

const SEED: ProbeSeed = [7; 32];

/// The block that opened the round; enough are before it.
const OPENED: BlockNumber = 10;

/// Four chunks.
const ROWS: u32 = 64;

fn go_to<T: Config>(block: BlockNumber) {
	frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::saturated_from(block));
}

/// A round in each block, for every node.
fn terms<T: Config>() -> ProbeTerms {
	ProbeTerms {
		share: 1,
		spacing: T::SessionLength::get(),
		interval: 1,
		// So that a node with all slots may answer with the largest blob.
		rows_per_slot: 1 << 17,
		unmeasured_slots: 1,
		reward: AIC,
		floors: BoundedVec::truncate_from([(DeviceClass::Cuda, 1); 8].to_vec()),
	}
}

/// A node that a round asks, and its worker key.
fn asked<T: BenchmarkSetup>() -> (NodeId, WorkerId) {
	let key = WorkerId::generate_pair(None);
	let node = T::node(key.clone());
	go_to::<T>(OPENED);
	Terms::<T>::put(terms::<T>());
	Rounds::<T>::put(1);
	Round::<T>::put(RoundRecord {
		index: 1,
		seed: SEED,
		opened: OPENED,
	});
	Measurements::<T>::insert(node, Measurement::new(0));
	(node, key)
}

fn sign<T: Config>(key: &WorkerId, action: &WorkerAction) -> Result<WorkerSignature, BenchmarkError> {
	key.sign(&worker::payload(genesis_hash::<T>(), action))
		.ok_or(BenchmarkError::Stop("the keystore has the key"))
}

/// What an honest node computes.
fn blob(node: NodeId) -> Vec<u8> {
	let matrix = probe::matrix();
	(0..ROWS)
		.flat_map(|row| probe::run(&matrix, probe::first_row(&SEED, node, row)))
		.collect()
}

fn output(blob: &[u8]) -> BlobRef {
	BlobRef {
		hash: H256(*blake3::hash(blob).as_bytes()),
		size: blob.len().saturated_into(),
	}
}

fn answering<T: BenchmarkSetup>() -> Result<(NodeId, BlobRef, WorkerSignature), BenchmarkError> {
	let (node, key) = asked::<T>();
	let output = output(&blob(node));
	let action = WorkerAction::AnswerProbe {
		node,
		round: 1,
		seed: SEED,
		output,
	};
	Ok((node, output, sign::<T>(&key, &action)?))
}

fn proof<T: BenchmarkSetup>() -> Result<(NodeId, ChunkProof, WorkerSignature), BenchmarkError> {
	let (node, key) = asked::<T>();
	T::Currency::set_balance(&T::Treasury::get(), PLENTY);
	let blob = blob(node);
	Pallet::<T>::do_answer(node, 1, SEED, output(&blob))?;
	for block in [1, 2] {
		T::seal(OPENED.saturating_add(block));
	}
	go_to::<T>(OPENED.saturating_add(3));
	let (_, challenge) =
		Pallet::<T>::due_proof(node, 1).map_err(|_| BenchmarkError::Stop("the blocks behind are sealed"))?;
	let proof = chunk_proof::prove(&blob, challenge.chunk).ok_or(BenchmarkError::Stop("the blob has the chunk"))?;
	let action = WorkerAction::ProveProbe {
		node,
		round: 1,
		proof: proof.clone(),
	};
	Ok((node, proof, sign::<T>(&key, &action)?))
}

/// Of the largest blob that there may be: of its chunks nobody has computed a row.
fn deepest_proof<T: BenchmarkSetup>() -> Result<(NodeId, ChunkProof, WorkerSignature), BenchmarkError> {
	let (node, key) = asked::<T>();
	for block in [1, 2] {
		T::seal(OPENED.saturating_add(block));
	}
	let behind = |block| T::Seeds::seed(OPENED.saturating_add(block)).ok_or(BenchmarkError::Stop("it is sealed"));
	let drawn = draw::challenge(&SEED, node, [behind(1)?, behind(2)?]);
	let chunk = draw::chunk(&drawn, chunk_proof::chunks(MaxBlobSize::get()));
	let (output, proof) = chunk_proof::largest(chunk).ok_or(BenchmarkError::Stop("it has the chunk"))?;
	Pallet::<T>::do_answer(node, 1, SEED, output)?;
	go_to::<T>(OPENED.saturating_add(3));
	let action = WorkerAction::ProveProbe {
		node,
		round: 1,
		proof: proof.clone(),
	};
	Ok((node, proof, sign::<T>(&key, &action)?))
}

fn authorize<T: Config>(call: &Call<T>) -> Result<(), BenchmarkError> {
	call.authorize(TransactionSource::External)
		.ok_or(BenchmarkError::Stop("the call has an authorization"))?
		.map_err(|_| BenchmarkError::Stop("the call is authorized"))?;
	Ok(())
}

/// The last blocks drew something, and the last round was long ago.
fn ready<T: BenchmarkSetup>() -> BlockNumber {
	asked::<T>();
	let now = OPENED.saturating_add(1_000).saturating_add(T::SessionLength::get());
	for back in 1..=3 {
		T::seal(now.saturating_sub(back));
	}
	go_to::<T>(now);
	now
}

#[benchmarks(where T: BenchmarkSetup)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_terms() {
		asked::<T>();
		let terms = Some(terms::<T>());
		#[extrinsic_call]
		_(RawOrigin::Root, terms);
		assert!(Round::<T>::get().is_none());
	}

	#[benchmark]
	fn answer() -> Result<(), BenchmarkError> {
		let (node, output, signature) = answering::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, 1, SEED, output, signature);
		assert!(Answers::<T>::contains_key(node));
		Ok(())
	}

	#[benchmark]
	fn authorize_answer() -> Result<(), BenchmarkError> {
		let (node, output, signature) = answering::<T>()?;
		let call = Call::<T>::answer {
			node,
			round: 1,
			seed: SEED,
			output,
			signature,
		};
		#[block]
		{
			authorize(&call)?;
		}
		Ok(())
	}

	#[benchmark]
	fn prove() -> Result<(), BenchmarkError> {
		let (node, proof, signature) = proof::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, 1, proof, signature);
		assert_eq!(Measurements::<T>::get(node).and_then(|known| known.rows), Some(ROWS));
		Ok(())
	}

	#[benchmark]
	fn authorize_prove() -> Result<(), BenchmarkError> {
		let (node, proof, signature) = deepest_proof::<T>()?;
		let call = Call::<T>::prove {
			node,
			round: 1,
			proof,
			signature,
		};
		#[block]
		{
			authorize(&call)?;
		}
		Ok(())
	}

	#[benchmark]
	fn no_round() {
		let now = ready::<T>();
		Terms::<T>::put(ProbeTerms {
			// One in so many blocks: not this one.
			interval: u32::MAX,
			..terms::<T>()
		});
		let opened;
		#[block]
		{
			opened = Pallet::<T>::open_round(now);
		}
		assert!(opened.is_none());
	}

	#[benchmark]
	fn open_round() {
		let now = ready::<T>();
		let opened;
		#[block]
		{
			opened = Pallet::<T>::open_round(now);
		}
		assert!(opened.is_some());
	}
}
