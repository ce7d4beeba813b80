use super::*;
use crate::{geometry, Keep, StoreError};
use bao_tree::io::{outboard::EmptyOutboard, sync::decode_ranges};
use proptest::prelude::*;
use std::{
	collections::HashMap,
	io::Read,
	time::{Duration, SystemTime},
};

fn later() -> Keep {
	Keep::Until(SystemTime::now() + Duration::from_secs(3600))
}

#[test]
fn put_should_store_once_when_called_twice() {
	let (_dir, store) = fresh(8 * MIB);
	let content = bytes(1, 2 * MIB + 7);
	let blob = store.put(&content, Keep::Cache).unwrap();
	assert_eq!(blob, BlobRef::of(&content));
	let used = store.usage().used;
	assert_eq!(store.put(&content, Keep::Pinned).unwrap(), blob);
	assert_eq!(
		(store.usage().used, store.usage().reserved, store.usage().blobs),
		(used, 0, 1)
	);
	assert!(store.status(blob.hash).unwrap().pinned);
	let mut read = Vec::new();
	store.file(blob.hash).unwrap().read_to_end(&mut read).unwrap();
	assert_eq!(read, content);
}

#[test]
fn read_should_answer_when_the_range_is_unusual() {
	let (_dir, store) = fresh(8 * MIB);
	let content = bytes(1, MIB + 1);
	let blob = store.put(&content, Keep::Cache).unwrap();
	assert_eq!(store.read(blob.hash, MIB as u64, u64::MAX).unwrap(), content[MIB..]);
	assert_eq!(store.read(blob.hash, blob.size, 1).unwrap(), b"");
	assert!(matches!(
		store.read(blob.hash, blob.size + 1, 1),
		Err(StoreError::OutOfRange { .. })
	));
	let empty = store.put(b"", Keep::Cache).unwrap();
	assert_eq!(store.read(empty.hash, 0, 10).unwrap(), b"");
	assert!(matches!(
		store.read(BlobRef::of(b"?").hash, 0, 1),
		Err(StoreError::Missing(_))
	));
}

#[test]
fn eviction_should_spare_what_is_kept_and_what_was_used_last() {
	let (_dir, store) = fresh(10 * MIB);
	let put = |seed, keep| store.put(&bytes(seed, 2 * MIB), keep).unwrap().hash;
	let (pinned, kept) = (put(1, Keep::Pinned), put(2, later()));
	let (old, used) = (put(3, Keep::Cache), put(4, Keep::Cache));
	store.read(old, 0, 1).unwrap();
	// `used` is now the least recently used.
	let new = put(5, Keep::Cache);
	assert!([pinned, kept, old, new].iter().all(|hash| store.has(*hash).is_some()));
	assert_eq!(store.has(used), None);
	assert_eq!(store.usage().evicted, 1);
}

#[test]
fn eviction_should_spare_what_is_held_until_it_is_released_or_the_store_is_closed() {
	let (dir, store) = fresh(5 * MIB);
	let held = BlobRef::of(&bytes(1, 2 * MIB)).hash;
	// Before it is here: nothing may come between its arrival and the hold.
	store.hold(held);
	let put = |store: &Store, seed| store.put(&bytes(seed, 2 * MIB), Keep::Cache).unwrap().hash;
	put(&store, 1);
	for seed in 2..5 {
		put(&store, seed);
		assert!(store.has(held).is_some());
	}
	let pinned = put(&store, 5);
	store.set_keep(pinned, Keep::Pinned).unwrap();
	store.hold(pinned);
	store.release(pinned);
	assert!(store.status(pinned).unwrap().pinned, "the operator's pin is another");
	assert!(matches!(
		store.put(&bytes(6, 2 * MIB), Keep::Cache),
		Err(StoreError::QuotaExceeded { .. })
	));
	store.release(held);
	put(&store, 6);
	assert_eq!(store.has(held), None);

	let last = BlobRef::of(&bytes(6, 2 * MIB)).hash;
	store.hold(last);
	drop(store);
	let store = open(&dir, 5 * MIB);
	put(&store, 7);
	assert_eq!(store.has(last), None, "a hold ends with the node");
	assert!(store.has(pinned).is_some());
}

#[test]
fn put_should_fail_and_lose_nothing_when_all_is_kept() {
	let (_dir, store) = fresh(5 * MIB);
	let pinned = store.put(&bytes(1, 2 * MIB), Keep::Pinned).unwrap();
	let kept = store.put(&bytes(2, 2 * MIB), later()).unwrap();
	assert!(matches!(
		store.put(&bytes(3, 2 * MIB), Keep::Cache),
		Err(StoreError::QuotaExceeded { .. })
	));
	assert!(matches!(
		store.put(&bytes(4, 6 * MIB), Keep::Cache),
		Err(StoreError::QuotaExceeded { .. })
	));
	assert!(store.has(pinned.hash).is_some() && store.has(kept.hash).is_some());
	assert_eq!(store.usage().reserved, 0);
	store
		.set_keep(kept.hash, Keep::Until(SystemTime::now() - Duration::from_secs(1)))
		.unwrap();
	store.put(&bytes(3, 2 * MIB), Keep::Cache).unwrap();
	assert_eq!(store.has(kept.hash), None);
}

#[test]
fn set_keep_should_fail_when_the_blob_is_missing() {
	let (_dir, store) = fresh(MIB);
	assert!(matches!(
		store.set_keep(BlobRef::of(b"?").hash, Keep::Pinned),
		Err(StoreError::Missing(_))
	));
	assert!(!store.remove(BlobRef::of(b"?").hash));
}

#[test]
fn longer_keep_should_win_when_two_are_given() {
	let (soon, late) = (Keep::Until(SystemTime::UNIX_EPOCH), later());
	assert_eq!(soon.or_longer(late), late);
	assert_eq!(late.or_longer(Keep::Cache), late);
	assert_eq!(Keep::Cache.or_longer(Keep::Pinned), Keep::Pinned);
	assert_eq!(Keep::Cache.or_longer(Keep::Cache), Keep::Cache);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(24))]

	#[test]
	fn slices_should_verify_against_the_root(size in 0..4 * MIB + 2, round in any::<bool>(), seed: u64) {
		let size = if round { size / MIB * MIB } else { size };
		let (_dir, store) = fresh(16 * MIB);
		let content = bytes(seed, size);
		let blob = store.put(&content, Keep::Cache).unwrap();
		prop_assert_eq!(blob, BlobRef::of(&content));
		let mut decoded = Vec::<u8>::new();
		for group in 0..geometry::groups(blob.size) {
			let encoded = store.slice(blob.hash, group, 1).unwrap();
			let ranges = geometry::chunk_ranges(group, 1);
			let outboard = EmptyOutboard { tree: geometry::tree(blob.size), root: geometry::root(&blob) };
			decode_ranges(encoded.as_slice(), &ranges, &mut decoded, outboard).unwrap();
			let range = geometry::group_bytes(blob.size, group);
			let plain = geometry::strip_proof(&encoded, blob.size, group, 1);
			prop_assert_eq!(&plain[..], &content[range.start as usize..range.end as usize]);
		}
		prop_assert_eq!(decoded, content);
		prop_assert!(store.slice(blob.hash, geometry::groups(blob.size), 1).is_err());
	}

	#[test]
	fn reads_should_return_what_was_put(size in 1..3 * MIB, from in 0.0..1.0, length in 0..3 * MIB, seed: u64) {
		let (_dir, store) = fresh(16 * MIB);
		let content = bytes(seed, size);
		let blob = store.put(&content, Keep::Cache).unwrap();
		let from = (from * size as f64) as usize;
		let read = store.read(blob.hash, from as u64, length as u64).unwrap();
		prop_assert_eq!(&read[..], &content[from..size.min(from + length)]);
	}

	#[test]
	fn quota_should_hold_and_kept_blobs_should_stay(
		steps in prop::collection::vec((0..12u64, 0..4u8, 0..3u8), 1..60),
	) {
		let dir = tempfile::tempdir().unwrap();
		let mut store = open(&dir, 256 * 1024);
		let mut pinned: HashMap<_, Vec<u8>> = HashMap::new();
		for (seed, action, keep) in steps {
			let content = bytes(seed, 1 + seed as usize * 5000);
			let hash = BlobRef::of(&content).hash;
			let keep = [Keep::Pinned, later(), Keep::Cache][keep as usize];
			match action {
				0 | 1 => if store.put(&content, keep).is_ok() && keep == Keep::Pinned {
					pinned.insert(hash, content);
				},
				2 => if store.set_keep(hash, keep).is_ok() {
					match keep {
						Keep::Pinned => pinned.insert(hash, content),
						_ => pinned.remove(&hash),
					};
				},
				_ => {
					drop(store);
					store = open(&dir, 256 * 1024);
				},
			}
			let usage = store.usage();
			prop_assert!(usage.used + usage.reserved <= usage.quota);
			for (hash, content) in &pinned {
				prop_assert_eq!(&store.read(*hash, 0, u64::MAX).unwrap(), content);
			}
		}
	}
}
