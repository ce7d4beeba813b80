use super::*;
use crate::{Keep, StoreError, StoreLimits};
use std::time::Duration;

#[test]
fn upload_should_become_a_blob_when_all_chunks_arrived() {
	let (_dir, store) = fresh(16 * MIB);
	let content = bytes(1, 3 * MIB + 3);
	let blob = BlobRef::of(&content);
	assert_eq!(store.upload_start(blob).unwrap(), 0);
	let mut at = 0;
	for chunk in content.chunks(700_000) {
		at = store.upload_chunk(blob.hash, at, chunk).unwrap();
	}
	assert_eq!(store.status(blob.hash).unwrap().received, blob.size);
	assert_eq!(store.upload_finish(blob.hash, Keep::Pinned).unwrap(), blob);
	assert_eq!(store.read(blob.hash, 0, u64::MAX).unwrap(), content);
	assert!(store.slice(blob.hash, 3, 1).is_ok());
	assert_eq!(store.usage().reserved, 0);
	// Asking again is harmless.
	assert_eq!(store.upload_start(blob).unwrap(), blob.size);
	assert_eq!(store.upload_finish(blob.hash, Keep::Cache).unwrap(), blob);
	assert!(store.status(blob.hash).unwrap().pinned);
}

#[test]
fn upload_should_go_on_where_it_was_after_a_restart() {
	let (dir, store) = fresh(16 * MIB);
	let content = bytes(1, 2 * MIB);
	let blob = BlobRef::of(&content);
	store.upload_start(blob).unwrap();
	store.upload_chunk(blob.hash, 0, &content[..MIB]).unwrap();
	drop(store);
	let store = open(&dir, 16 * MIB);
	assert_eq!(store.upload_start(blob).unwrap(), MIB as u64);
	store.upload_chunk(blob.hash, MIB as u64, &content[MIB..]).unwrap();
	store.upload_finish(blob.hash, Keep::Cache).unwrap();
	assert_eq!(store.file(blob.hash).unwrap().metadata().unwrap().len(), blob.size);
}

#[test]
fn chunk_should_be_refused_when_it_does_not_continue_the_upload() {
	let (_dir, store) = fresh(16 * MIB);
	let blob = BlobRef::of(b"0123456789");
	assert!(matches!(
		store.upload_chunk(blob.hash, 0, b"0"),
		Err(StoreError::NoUpload(_))
	));
	store.upload_start(blob).unwrap();
	store.upload_chunk(blob.hash, 0, b"0123").unwrap();
	for offset in [0, 3, 5, 10, u64::MAX] {
		let refused = store.upload_chunk(blob.hash, offset, b"45");
		assert!(
			matches!(refused, Err(StoreError::WrongOffset { expected: 4, .. })),
			"{offset}"
		);
	}
	assert!(matches!(
		store.upload_chunk(blob.hash, 4, b"4567890"),
		Err(StoreError::BeyondSize { .. })
	));
	assert!(matches!(
		store.upload_finish(blob.hash, Keep::Cache),
		Err(StoreError::Incomplete { received: 4, size: 10 })
	));
	store.upload_chunk(blob.hash, 4, b"456789").unwrap();
	store.upload_finish(blob.hash, Keep::Cache).unwrap();
}

#[test]
fn upload_should_be_removed_when_its_hash_is_wrong() {
	let (dir, store) = fresh(16 * MIB);
	let blob = BlobRef::of(b"announced");
	store.upload_start(blob).unwrap();
	store.upload_chunk(blob.hash, 0, b"different").unwrap();
	assert!(matches!(
		store.upload_finish(blob.hash, Keep::Cache),
		Err(StoreError::WrongHash { .. })
	));
	assert_eq!((store.status(blob.hash), store.usage().reserved), (None, 0));
	assert_eq!(fs::read_dir(dir.path().join("upload")).unwrap().count(), 0);
	assert!(matches!(
		store.upload_finish(blob.hash, Keep::Cache),
		Err(StoreError::NoUpload(_))
	));
}

#[test]
fn uploads_should_be_bounded_in_number_and_bytes() {
	let dir = tempfile::tempdir().unwrap();
	let limits = StoreLimits {
		uploads: 2,
		upload_bytes: 100,
		..StoreLimits::for_quota(1000)
	};
	let store = Store::open_with(dir.path(), 1000, limits).unwrap();
	let announce = |name: &[u8], size| {
		store.upload_start(BlobRef {
			size,
			..BlobRef::of(name)
		})
	};
	assert!(matches!(announce(b"a", 101), Err(StoreError::TooManyUploads { .. })));
	announce(b"a", 60).unwrap();
	assert!(matches!(announce(b"b", 41), Err(StoreError::TooManyUploads { .. })));
	announce(b"b", 40).unwrap();
	assert!(matches!(announce(b"c", 0), Err(StoreError::TooManyUploads { .. })));
	assert!(store.upload_abort(BlobRef::of(b"a").hash));
	announce(b"c", 1).unwrap();
	// Another size under the same hash takes the place of the first.
	announce(b"c", 2).unwrap();
	assert_eq!(store.usage().reserved, 42);
	assert!(matches!(
		announce(b"huge", u64::MAX),
		Err(StoreError::TooManyUploads { .. })
	));
}

#[test]
fn upload_should_expire_when_idle() {
	let dir = tempfile::tempdir().unwrap();
	let limits = StoreLimits {
		uploads: 1,
		upload_idle: Duration::from_millis(20),
		..StoreLimits::for_quota(1000)
	};
	let store = Store::open_with(dir.path(), 1000, limits).unwrap();
	store.upload_start(BlobRef::of(b"idle")).unwrap();
	std::thread::sleep(Duration::from_millis(50));
	store.upload_start(BlobRef::of(b"next")).unwrap();
	assert_eq!(store.status(BlobRef::of(b"idle").hash), None);
	drop(store);
	std::thread::sleep(Duration::from_millis(50));
	let store = Store::open_with(dir.path(), 1000, limits).unwrap();
	assert_eq!(
		(store.status(BlobRef::of(b"next").hash), store.usage().reserved),
		(None, 0)
	);
}
