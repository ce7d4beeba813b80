//! Tests of the crate through its surface.

mod crash;
mod fetch;
mod network;
mod proof;
mod serve;
mod store;
mod upload;

use crate::Store;
use highway_primitives::BlobRef;
use std::{
	fs,
	path::{Path, PathBuf},
	sync::Arc,
};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// `length` bytes that differ with the seed and do not repeat.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
	let mut bytes = vec![0; length];
	blake3::Hasher::new()
		.update(&seed.to_le_bytes())
		.finalize_xof()
		.fill(&mut bytes);
	bytes
}

fn open(dir: &TempDir, quota: usize) -> Arc<Store> {
	Store::open(dir.path(), quota as u64).unwrap()
}

fn fresh(quota: usize) -> (TempDir, Arc<Store>) {
	let dir = tempfile::tempdir().unwrap();
	let store = open(&dir, quota);
	(dir, store)
}

/// The file of a complete blob.
fn file_of(dir: &TempDir, blob: &BlobRef) -> PathBuf {
	let name = format!("{}.{}", hex::encode(blob.hash), blob.size);
	dir.path().join("blobs").join(&name[..2]).join(name)
}

fn flip(path: &Path, at: usize) {
	let mut content = fs::read(path).unwrap();
	content[at] ^= 1;
	fs::write(path, content).unwrap();
}
