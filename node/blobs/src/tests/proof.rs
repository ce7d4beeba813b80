use super::*;
use crate::{proof::CHUNK_SIZE, Keep, StoreError};
use blake3::{
	hazmat::{merge_subtrees_non_root, merge_subtrees_root, HasherExt, Mode},
	Hasher,
};
use highway_primitives::worker::ChunkProof;
use proptest::prelude::*;

/// What the runtime does, in its own order: chunks counted, the way found from the root, joined from the chunk up.
fn verify(blob: &BlobRef, index: u64, proof: &ChunkProof) -> bool {
	let (mut count, mut place, mut way) = (blob.size.div_ceil(CHUNK_SIZE).max(1), index, Vec::new());
	while count > 1 {
		let left = count.div_ceil(2).next_power_of_two();
		way.push(place < left);
		(place, count) = match place < left {
			true => (place, left),
			false => (place - left, count - left),
		};
	}
	if way.len() != proof.siblings.len() {
		return false;
	}
	let root = &blob.hash.0;
	if way.is_empty() {
		return blake3::hash(&proof.bytes).as_bytes() == root;
	}
	let mut hasher = Hasher::new();
	hasher.set_input_offset(index * CHUNK_SIZE);
	let mut value = hasher.update(&proof.bytes).finalize_non_root();
	let last = way.len() - 1;
	for (level, (sibling, is_left)) in proof.siblings.iter().zip(way.iter().rev()).enumerate() {
		let (left, right) = match is_left {
			true => (value, *sibling),
			false => (*sibling, value),
		};
		if level == last {
			return merge_subtrees_root(&left, &right, Mode::Hash).as_bytes() == root;
		}
		value = merge_subtrees_non_root(&left, &right, Mode::Hash);
	}
	false
}

#[test]
fn every_chunk_should_be_proved_when_blobs_have_unusual_sizes() {
	let (_dir, store) = fresh(64 * MIB);
	for size in [
		1,
		63,
		1023,
		1024,
		1025,
		2048,
		2049,
		3072,
		3073,
		7 * 1024,
		16 * 1024 + 5,
		100_000,
	] {
		let content = bytes(size as u64, size);
		let blob = store.put(&content, Keep::Cache).unwrap();
		for index in 0..blob.size.div_ceil(CHUNK_SIZE) {
			let proof = store.prove_chunk(blob.hash, index).unwrap();
			let start = (index * CHUNK_SIZE) as usize;
			assert_eq!(proof.bytes.as_slice(), &content[start..size.min(start + 1024)]);
			assert!(verify(&blob, index, &proof), "chunk {index} of {size} bytes");
			let other = (index + 1) % blob.size.div_ceil(CHUNK_SIZE);
			assert!(
				other == index || !verify(&blob, other, &proof),
				"{index} of {size} passes for {other}"
			);
		}
	}
}

#[test]
fn chunks_should_be_proved_when_the_blob_has_several_groups() {
	let (_dir, store) = fresh(64 * MIB);
	let blob = store.put(&bytes(5, 5 * MIB + 1234), Keep::Cache).unwrap();
	let last = blob.size.div_ceil(CHUNK_SIZE) - 1;
	for index in [0, 1, 1023, 1024, 3 * 1024 + 7, 4096, last - 1, last] {
		let proof = store.prove_chunk(blob.hash, index).unwrap();
		assert_eq!(
			proof.bytes.len() as u64,
			(blob.size - index * CHUNK_SIZE).min(CHUNK_SIZE)
		);
		assert!(verify(&blob, index, &proof), "chunk {index}");
	}
}

#[test]
fn proof_should_be_refused_when_there_is_no_such_chunk_or_blob() {
	let (_dir, store) = fresh(MIB);
	let blob = store.put(&bytes(1, 2048), Keep::Cache).unwrap();
	for index in [2, 3, u64::MAX] {
		assert!(matches!(
			store.prove_chunk(blob.hash, index),
			Err(StoreError::OutOfRange { .. })
		));
	}
	let empty = store.put(&[], Keep::Cache).unwrap();
	assert!(matches!(
		store.prove_chunk(empty.hash, 0),
		Err(StoreError::OutOfRange { .. })
	));
	let missing = BlobRef::of(b"elsewhere");
	assert!(matches!(
		store.prove_chunk(missing.hash, 0),
		Err(StoreError::Missing(_))
	));
}

#[test]
fn proof_should_be_refused_when_any_byte_is_damaged() {
	for at in [0, 1500, 4999] {
		let (dir, store) = fresh(MIB);
		let blob = store.put(&bytes(1, 5000), Keep::Cache).unwrap();
		flip(&file_of(&dir, &blob), at);
		assert!(
			matches!(store.prove_chunk(blob.hash, 0), Err(StoreError::Corrupt(_))),
			"byte {at}"
		);
		assert_eq!(store.has(blob.hash), None);
	}
}

/// What is above the chunk's group comes from the kept tree.
#[test]
fn only_the_group_and_the_tree_should_be_read_when_the_blob_is_large() {
	let whole = |damage: &dyn Fn(&Path)| {
		let (dir, store) = fresh(64 * MIB);
		let blob = store.put(&bytes(5, 5 * MIB + 1234), Keep::Cache).unwrap();
		damage(&file_of(&dir, &blob));
		let proof = store.prove_chunk(blob.hash, 2 * 1024 + 7);
		proof.map(|proof| verify(&blob, 2 * 1024 + 7, &proof))
	};
	let tree = |path: &Path| path.with_extension(format!("{}.tree", 5 * MIB + 1234));
	for at in [0, 2 * MIB - 1, 3 * MIB, 5 * MIB] {
		assert!(whole(&|path| flip(path, at)).unwrap(), "byte {at}");
	}
	for at in [2 * MIB, 3 * MIB - 1] {
		assert!(
			matches!(whole(&|path| flip(path, at)), Err(StoreError::Corrupt(_))),
			"byte {at}"
		);
	}
	// The right half of the root.
	let damaged = whole(&|path| flip(&tree(path), 40));
	assert!(matches!(damaged, Err(StoreError::Corrupt(_))));
	let cut = whole(&|path| fs::write(tree(path), [0u8; 60]).unwrap());
	assert!(matches!(cut, Err(StoreError::Corrupt(_))));
	let gone = whole(&|path| fs::remove_file(tree(path)).unwrap());
	assert!(matches!(gone, Err(StoreError::Corrupt(_))));
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn chunk_should_be_proved_when_size_and_place_are_any(
		seed: u64,
		size in 1usize..200_000,
		index in any::<prop::sample::Index>(),
	) {
		let (_dir, store) = fresh(MIB);
		let blob = store.put(&bytes(seed, size), Keep::Cache).unwrap();
		let index = index.index(blob.size.div_ceil(CHUNK_SIZE) as usize) as u64;
		prop_assert!(verify(&blob, index, &store.prove_chunk(blob.hash, index).unwrap()));
	}
}
