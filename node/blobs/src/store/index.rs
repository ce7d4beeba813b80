//! What is on disk, in memory: sizes, who may be evicted, how much room is left.

use super::{Keep, StoreError};
use crate::geometry::outboard_size;
use highway_primitives::{BlobHash, BlobRef};
use std::{
	collections::{BTreeSet, HashMap, HashSet},
	time::{SystemTime, UNIX_EPOCH},
};

/// A complete blob.
pub(super) struct Entry {
	pub size: u64,
	pub keep: Keep,
	/// Milliseconds since 1970, unique, so that the order of use is total.
	last_used: u64,
	/// The value of `last_used` that the file's modification time holds.
	pub noted: u64,
}

/// An unfinished upload.
pub(super) struct UploadRecord {
	pub blob: BlobRef,
	pub received: u64,
	pub touched: SystemTime,
	/// Somebody writes or finishes it.
	pub busy: bool,
}

/// An unfinished download.
pub(super) struct PartialRecord {
	pub received: u64,
	pub touched: SystemTime,
	/// Somebody downloads it.
	pub busy: bool,
}

/// What had to go.
#[derive(Default)]
pub(super) struct Evicted {
	pub blobs: Vec<BlobRef>,
	pub partials: Vec<BlobRef>,
}

#[derive(Default)]
pub(super) struct Index {
	entries: HashMap<BlobHash, Entry>,
	/// Everything that is not pinned, least recently used first.
	order: BTreeSet<(u64, BlobHash)>,
	/// Blobs that are not evicted as long as the store is open, here or not.
	pub held: HashSet<BlobHash>,
	pub uploads: HashMap<BlobHash, UploadRecord>,
	pub partials: HashMap<BlobRef, PartialRecord>,
	pub used: u64,
	/// Bytes promised to uploads, downloads and files being written.
	pub reserved: u64,
	pub evicted: u64,
	clock: u64,
}

/// The least room that a blob has in the quota. Each one takes files, directory entries and memory, however few its bytes
/// are: strangers' tiny blobs must not fill the disk's tables long before they fill the quota.
const MIN_ROOM: u64 = 8 * 1024;

/// Blobs that any store may hold, however small its quota.
const MIN_BLOBS: u64 = 1_024;

/// How long a blob that is to be kept is safe from being pushed out when the quota is full: longer than any job's
/// deadlines and window with a usual model.
const SAFE_WHEN_FULL: u64 = 2 * 3600 * 1000;

/// The most blobs in a store with this quota.
fn max_blobs(quota: u64) -> u64 {
	(quota / MIN_ROOM).max(MIN_BLOBS)
}

/// Bytes that a blob takes on disk.
pub(super) fn footprint(size: u64) -> u64 {
	size.saturating_add(outboard_size(size))
}

impl Index {
	pub fn get(&self, hash: &BlobHash) -> Option<&Entry> {
		self.entries.get(hash)
	}

	pub fn len(&self) -> usize {
		self.entries.len()
	}

	pub fn insert(&mut self, blob: BlobRef, keep: Keep, last_used: u64) {
		self.remove(&blob.hash);
		self.entries.insert(
			blob.hash,
			Entry {
				size: blob.size,
				keep,
				last_used,
				noted: last_used,
			},
		);
		self.clock = self.clock.max(last_used);
		self.used = self.used.saturating_add(footprint(blob.size));
		if keep != Keep::Pinned {
			self.order.insert((last_used, blob.hash));
		}
	}

	pub fn remove(&mut self, hash: &BlobHash) -> Option<BlobRef> {
		let entry = self.entries.remove(hash)?;
		self.order.remove(&(entry.last_used, *hash));
		self.used = self.used.saturating_sub(footprint(entry.size));
		Some(BlobRef {
			hash: *hash,
			size: entry.size,
		})
	}

	pub fn set_keep(&mut self, hash: &BlobHash, keep: Keep) {
		let Some(entry) = self.entries.get_mut(hash) else {
			return;
		};
		entry.keep = keep;
		let place = (entry.last_used, *hash);
		match keep {
			Keep::Pinned => self.order.remove(&place),
			_ => self.order.insert(place),
		};
	}

	/// The next moment in the order of use.
	pub fn now(&mut self) -> u64 {
		let wall = SystemTime::now()
			.duration_since(UNIX_EPOCH)
			.map_or(0, |since| since.as_millis() as u64);
		self.clock = wall.max(self.clock.saturating_add(1));
		self.clock
	}

	/// Notes a use. `Some(blob)` if the disk should hear of it too.
	pub fn touch(&mut self, hash: &BlobHash, coarse: u64) -> Option<BlobRef> {
		let now = self.now();
		let entry = self.entries.get_mut(hash)?;
		if self.order.remove(&(entry.last_used, *hash)) {
			self.order.insert((now, *hash));
		}
		entry.last_used = now;
		(now.saturating_sub(entry.noted) >= coarse).then(|| {
			entry.noted = now;
			BlobRef {
				hash: *hash,
				size: entry.size,
			}
		})
	}

	/// Promises `bytes` for one more blob, evicting idle downloads, then the least recently used blobs, and in need those
	/// that are to be kept but were not used for two hours. The caller removes their files.
	pub fn reserve(&mut self, bytes: u64, quota: u64, now: SystemTime) -> Result<Evicted, StoreError> {
		let mut evicted = Evicted::default();
		let mut taken = self.used.saturating_add(self.reserved);
		let most = max_blobs(quota);
		let mut blobs = (self.entries.len() as u64).saturating_add(1);
		let fits = |taken: u64| taken.saturating_add(bytes) <= quota;
		let mut idle: Vec<_> = match fits(taken) {
			true => Vec::new(),
			false => self
				.partials
				.iter()
				.filter(|(_, r)| !r.busy)
				.map(|(blob, r)| (r.touched, *blob))
				.collect(),
		};
		idle.sort_by_key(|(touched, _)| *touched);
		for (_, blob) in idle {
			if fits(taken) {
				break;
			}
			taken = taken.saturating_sub(footprint(blob.size));
			evicted.partials.push(blob);
		}
		let long_ago = now
			.duration_since(UNIX_EPOCH)
			.map_or(0, |since| since.as_millis() as u64)
			.saturating_sub(SAFE_WHEN_FULL);
		for in_need in [false, true] {
			for (last_used, hash) in &self.order {
				if fits(taken) && blobs <= most {
					break;
				}
				let Some(entry) = self.entries.get(hash).filter(|_| !self.held.contains(hash)) else {
					continue;
				};
				// The first round took what is free to go.
				if entry.keep.binds(now) == in_need && (!in_need || *last_used < long_ago) {
					taken = taken.saturating_sub(footprint(entry.size));
					blobs = blobs.saturating_sub(1);
					evicted.blobs.push(BlobRef {
						hash: *hash,
						size: entry.size,
					});
				}
			}
		}
		if !fits(taken) || blobs > most {
			return Err(StoreError::QuotaExceeded {
				needed: bytes,
				held: taken,
				quota,
			});
		}
		for blob in &evicted.blobs {
			self.remove(&blob.hash);
			self.evicted = self.evicted.saturating_add(1);
		}
		for blob in &evicted.partials {
			self.forget_partial(blob);
		}
		self.reserved = self.reserved.saturating_add(bytes);
		Ok(evicted)
	}

	pub fn release(&mut self, bytes: u64) {
		self.reserved = self.reserved.saturating_sub(bytes);
	}

	/// Takes a download out of the books; its files are the caller's.
	pub fn forget_partial(&mut self, blob: &BlobRef) {
		if self.partials.remove(blob).is_some() {
			self.release(footprint(blob.size));
		}
	}

	/// Takes an upload out of the books; its file is the caller's.
	pub fn forget_upload(&mut self, hash: &BlobHash) -> Option<BlobRef> {
		let record = self.uploads.remove(hash)?;
		self.release(footprint(record.blob.size));
		Some(record.blob)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::time::Duration;

	fn blob(number: u64, size: u64) -> BlobRef {
		let mut hash = BlobHash::zero();
		hash.0[..8].copy_from_slice(&number.to_le_bytes());
		BlobRef { hash, size }
	}

	#[test]
	fn reserve_should_push_tiny_blobs_out_long_before_they_fill_the_quota() {
		let (mut index, now) = (Index::default(), SystemTime::now());
		for number in 0..3 * MIN_BLOBS {
			index.reserve(footprint(4), 1 << 20, now).unwrap();
			let used = index.now();
			index.insert(blob(number, 4), Keep::Cache, used);
			index.release(footprint(4));
		}
		assert_eq!(index.len() as u64, MIN_BLOBS);
		assert!(index.get(&blob(0, 4).hash).is_none());
	}

	#[test]
	fn reserve_should_push_out_what_is_kept_only_when_it_was_not_used_for_long() {
		let (mut index, now) = (Index::default(), SystemTime::now());
		let used = index.now();
		let kept = blob(1, 100);
		index.insert(kept, Keep::Until(now + Duration::from_secs(26 * 3600)), used);
		index.insert(blob(2, 100), Keep::Pinned, used + 1);
		assert!(index.reserve(100, 250, now).is_err());
		let later = now + Duration::from_secs(3 * 3600);
		let evicted = index.reserve(100, 250, later).unwrap();
		assert_eq!(evicted.blobs, vec![kept]);
		assert!(index.reserve(100, 250, later).is_err(), "what is pinned stays");
	}
}
