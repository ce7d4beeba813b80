use super::*;
use crate::{store::Partial, Keep, StoreError};
use std::{
	fs::OpenOptions,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

fn files(dir: &Path) -> usize {
	fs::read_dir(dir)
		.unwrap()
		.map(|entry| entry.unwrap().path())
		.map(|path| if path.is_dir() { files(&path) } else { 1 })
		.sum()
}

#[test]
fn restart_should_find_blobs_with_their_keep_and_order() {
	let (dir, store) = fresh(8 * MIB);
	let pinned = store.put(&bytes(1, 2 * MIB), Keep::Pinned).unwrap();
	let until = Keep::Until(UNIX_EPOCH + Duration::from_secs(4_000_000_000));
	let kept = store.put(b"kept", until).unwrap();
	let (older, newer) = (
		store.put(b"older", Keep::Cache).unwrap(),
		store.put(b"newer", Keep::Cache).unwrap(),
	);
	let hour_ago = SystemTime::now() - Duration::from_secs(3600);
	OpenOptions::new()
		.append(true)
		.open(file_of(&dir, &older))
		.unwrap()
		.set_modified(hour_ago)
		.unwrap();
	let used = store.usage().used;
	drop(store);
	let store = open(&dir, 8 * MIB);
	assert_eq!((store.usage().used, store.usage().blobs), (used, 4));
	assert!(store.status(pinned.hash).unwrap().pinned);
	drop(store);
	// Room for all but one.
	let store = open(&dir, used as usize - 1);
	assert_eq!(store.has(older.hash), None);
	assert!([pinned, kept, newer]
		.iter()
		.all(|blob| store.has(blob.hash) == Some(blob.size)));
}

#[test]
fn second_store_should_be_refused_when_the_folder_is_in_use() {
	let (dir, _store) = fresh(MIB);
	assert!(matches!(Store::open(dir.path(), 1), Err(StoreError::Locked { .. })));
}

#[test]
fn start_should_remove_what_is_half_written() {
	let (dir, store) = fresh(16 * MIB);
	let truncated = store.put(&bytes(1, 3000), Keep::Pinned).unwrap();
	let treeless = store.put(&bytes(2, 2 * MIB), Keep::Cache).unwrap();
	let whole = store.put(&bytes(3, 2 * MIB), Keep::Cache).unwrap();
	drop(store);
	OpenOptions::new()
		.write(true)
		.open(file_of(&dir, &truncated))
		.unwrap()
		.set_len(2999)
		.unwrap();
	fs::remove_file(file_of(&dir, &treeless).with_extension(format!("{}.tree", treeless.size))).unwrap();
	// Killed between writing and renaming; a tree that was renamed before its data; somebody else's file.
	let orphan = BlobRef::of(b"orphan");
	fs::write(dir.path().join("tmp").join("0"), b"half").unwrap();
	fs::create_dir_all(file_of(&dir, &orphan).parent().unwrap()).unwrap();
	fs::write(
		file_of(&dir, &orphan).with_extension(format!("{}.tree", orphan.size)),
		b"tree",
	)
	.unwrap();
	fs::write(dir.path().join("blobs").join("stranger"), b"?").unwrap();
	let store = open(&dir, 16 * MIB);
	assert_eq!((store.has(truncated.hash), store.has(treeless.hash)), (None, None));
	assert_eq!(store.read(whole.hash, 0, u64::MAX).unwrap(), bytes(3, 2 * MIB));
	// The lock, one blob and its tree.
	assert_eq!(files(dir.path()), 3);
}

#[test]
fn damaged_blob_should_be_dropped_when_read() {
	let (dir, store) = fresh(32 * MIB);
	let large = |seed| store.put(&bytes(seed, 3 * MIB), Keep::Pinned).unwrap();
	let small = store.put(b"small", Keep::Pinned).unwrap();
	let (read, served, opened, treed) = (large(1), large(2), large(3), large(4));
	flip(&file_of(&dir, &small), 2);
	for blob in [&read, &served, &opened] {
		flip(&file_of(&dir, blob), 2 * MIB + 5);
	}
	flip(&file_of(&dir, &treed).with_extension(format!("{}.tree", treed.size)), 3);
	// The other groups of a damaged blob are still good.
	assert_eq!(store.read(read.hash, 0, 10).unwrap(), bytes(1, 10));
	assert!(matches!(
		store.read(read.hash, 2 * MIB as u64, 1),
		Err(StoreError::Corrupt(_))
	));
	assert!(matches!(store.read(small.hash, 0, 1), Err(StoreError::Corrupt(_))));
	assert!(matches!(store.slice(served.hash, 2, 1), Err(StoreError::Corrupt(_))));
	assert!(matches!(store.file(opened.hash), Err(StoreError::Corrupt(_))));
	assert!(matches!(store.read(treed.hash, 0, 1), Err(StoreError::Corrupt(_))));
	assert_eq!(store.usage().used, 0);
	assert_eq!(files(dir.path()), 1);
}

#[test]
fn blob_should_be_missing_when_its_file_was_removed_by_hand() {
	let (dir, store) = fresh(MIB);
	let blob = store.put(b"here", Keep::Cache).unwrap();
	fs::remove_file(file_of(&dir, &blob)).unwrap();
	assert!(matches!(store.read(blob.hash, 0, 1), Err(StoreError::Missing(_))));
	assert_eq!(store.has(blob.hash), None);
}

#[test]
fn open_file_should_stay_readable_when_the_blob_is_evicted() {
	use std::io::Read;
	let (_dir, store) = fresh(MIB);
	let blob = store.put(b"gone", Keep::Cache).unwrap();
	let mut file = store.file(blob.hash).unwrap();
	store.remove(blob.hash);
	let mut content = String::new();
	file.read_to_string(&mut content).unwrap();
	assert_eq!(content, "gone");
}

#[test]
fn download_should_resume_with_what_is_right_when_the_node_was_killed() {
	let (_source_dir, source) = fresh(16 * MIB);
	let content = bytes(1, 5 * MIB + 100);
	let blob = source.put(&content, Keep::Cache).unwrap();
	let (dir, store) = fresh(16 * MIB);
	let mut partial = Partial::open(&store, blob).unwrap();
	for group in [4, 0, 5] {
		partial
			.accept(group, &source.slice(blob.hash, group, 1).unwrap())
			.unwrap();
	}
	assert!(matches!(Partial::open(&store, blob), Err(StoreError::Busy(_))));
	assert_eq!(store.status(blob.hash).unwrap().received, 2 * MIB as u64 + 100);
	drop((partial, store));
	// Of group 4 the data did not reach the disk.
	let path = dir
		.path()
		.join("partial")
		.join(file_of(&dir, &blob).file_name().unwrap());
	flip(&path, 4 * MIB + 1);
	let store = open(&dir, 16 * MIB);
	let status = store.status(blob.hash).unwrap();
	assert!(!status.complete && status.size == blob.size && status.received > 0);
	let mut partial = Partial::open(&store, blob).unwrap();
	assert_eq!(partial.missing(), [1, 2, 3, 4]);
	for group in partial.missing() {
		partial
			.accept(group, &source.slice(blob.hash, group, 1).unwrap())
			.unwrap();
	}
	partial.finish(Keep::Cache).unwrap();
	assert_eq!(store.read(blob.hash, 0, u64::MAX).unwrap(), content);
	assert_eq!(store.usage().reserved, 0);
	assert_eq!(
		store.slice(blob.hash, 3, 1).unwrap(),
		source.slice(blob.hash, 3, 1).unwrap()
	);
}

#[test]
fn idle_download_should_make_room_when_the_quota_is_reached() {
	let (_source_dir, source) = fresh(16 * MIB);
	let blob = source.put(&bytes(1, 5 * MIB), Keep::Cache).unwrap();
	let (dir, store) = fresh(6 * MIB);
	let mut partial = Partial::open(&store, blob).unwrap();
	partial.accept(0, &source.slice(blob.hash, 0, 1).unwrap()).unwrap();
	assert!(matches!(
		store.put(&bytes(2, 2 * MIB), Keep::Cache),
		Err(StoreError::QuotaExceeded { .. })
	));
	drop(partial);
	store.put(&bytes(2, 2 * MIB), Keep::Cache).unwrap();
	assert_eq!(store.status(blob.hash), None);
	assert_eq!(files(&dir.path().join("partial")), 0);
}
