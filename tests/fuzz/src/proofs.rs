//! Chunks of blobs that nodes show on chain: of outputs that an auditor misses, of models that they are paid for storing, of
//! the rows that they computed.

use crate::{memory::within, seed, Target};
use codec::{DecodeAll, Encode};
use highway_primitives::{
	chunk_proof::{chunks, prove, verify, CHUNK},
	worker::ChunkProof,
	BlobRef,
};

/// The target.
pub const TARGET: Target = Target {
	name: "proofs",
	check: read,
	seeds,
	rounds: 20_000,
};

/// Bytes of the blob: five chunks, the last one shorter.
const SIZE: usize = 4 * 1024 + 100;

/// No two chunks are alike.
fn blob() -> Vec<u8> {
	(0..SIZE).map(|at| (at % 251) as u8).collect()
}

/// The first byte says which chunk it shall be, the second by how much the size is wrong, and the rest is the proof. Taken
/// is a proof of the blob as it is.
fn read(input: &[u8]) -> bool {
	let Some(([index, wrong], encoded)) = input.split_first_chunk::<2>() else {
		return false;
	};
	let (index, size) = (u64::from(*index), SIZE as u64 + u64::from(*wrong));
	let Ok(proof) = within(4 * encoded.len() + (64 << 10), || {
		ChunkProof::decode_all(&mut &*encoded)
	}) else {
		return false;
	};
	let blob = blob();
	let verified = verify(&BlobRef::of(&blob).hash, size, index, &proof.bytes, &proof.siblings);
	if *wrong == 0 {
		let honest = (index < chunks(size)).then(|| prove(&blob, index).expect("the blob has the chunk"));
		assert_eq!(verified, honest == Some(proof), "one proof, and no other one");
	} else if verified {
		// The size shapes the tree, and a wrong one may give a chunk the same way to the root: the chunk is the blob's.
		let start = (index * CHUNK) as usize;
		assert_eq!(blob.get(start..start + proof.bytes.len()), Some(proof.bytes.as_slice()));
	}
	verified && *wrong == 0
}

fn seeds() -> Vec<(String, Vec<u8>)> {
	let proof = |index: u64| prove(&blob(), index).expect("the blob has the chunk").encode();
	let input = |index: u8, wrong: u8, proof: Vec<u8>| [vec![index, wrong], proof].concat();
	vec![
		seed("first", input(0, 0, proof(0))),
		seed("third", input(2, 0, proof(2))),
		seed("last", input(4, 0, proof(4))),
		seed("refused-place", input(1, 0, proof(0))),
		seed("refused-size", input(4, 200, proof(4))),
		seed("refused-behind", input(5, 0, proof(4))),
	]
}
