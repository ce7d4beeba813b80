//! The disk store.
//!
//! Everything here blocks on the disk: async callers go through [`crate::BlobService`].

mod error;
mod index;
mod layout;
mod partial;
mod upload;

pub use error::StoreError;
pub(crate) use partial::{AcceptError, Partial};

use crate::{
	geometry::{self, SliceError, GROUP_SIZE},
	proof::{self, ProofError, CHUNK_SIZE},
};
use bao_tree::io::{outboard::PreOrderMemOutboard, sync::CreateOutboard};
use highway_primitives::{worker::ChunkProof, BlobHash, BlobRef};
use index::{footprint, Evicted, Index, PartialRecord, UploadRecord};
use layout::Layout;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
	fs::{self, File, TryLockError},
	io::{self, Seek},
	os::unix::fs::MetadataExt,
	path::{Path, PathBuf},
	sync::Arc,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) const LOG_TARGET: &str = "highway::blobs";

/// How much coarser than the truth the last use on disk may be, in milliseconds: a write per read would cost more than
/// a slightly wrong order after a restart.
const LAST_USE_GRAIN: u64 = 60_000;

/// Chunk groups read and verified at once.
const READ_GROUPS: u32 = 8;

/// What may happen to a blob when room is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
	/// Never evicted.
	Pinned,
	/// Not evicted before this time, then like [`Keep::Cache`]. Kept on disk in whole seconds.
	Until(SystemTime),
	/// Evicted when it is the least recently used.
	Cache,
}

impl Keep {
	/// Whether it forbids eviction at `now`.
	fn binds(self, now: SystemTime) -> bool {
		match self {
			Self::Pinned => true,
			Self::Until(time) => time > now,
			Self::Cache => false,
		}
	}

	/// The one of the two that keeps longer.
	pub fn or_longer(self, other: Self) -> Self {
		match (self, other) {
			(Self::Pinned, _) | (_, Self::Pinned) => Self::Pinned,
			(Self::Until(a), Self::Until(b)) => Self::Until(a.max(b)),
			(Self::Until(time), Self::Cache) | (Self::Cache, Self::Until(time)) => Self::Until(time),
			(Self::Cache, Self::Cache) => Self::Cache,
		}
	}
}

/// How much of a blob is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobStatus {
	/// Its size in bytes; announced, if it is not complete.
	pub size: u64,
	/// Whether all of it is here and verified.
	pub complete: bool,
	/// Bytes received; of a download interrupted by a restart, an estimate.
	pub received: u64,
	/// Whether it is pinned.
	pub pinned: bool,
}

/// What the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
	/// Bytes of complete blobs and their hash trees.
	pub used: u64,
	/// Bytes promised to what is being received.
	pub reserved: u64,
	/// The most that both may sum to.
	pub quota: u64,
	/// Complete blobs.
	pub blobs: u64,
	/// Blobs evicted since the start.
	pub evicted: u64,
}

/// Bounds on what is unfinished.
#[derive(Debug, Clone, Copy)]
pub struct StoreLimits {
	/// Uploads that may be open at the same time.
	pub uploads: usize,
	/// Bytes that all open uploads may announce together.
	pub upload_bytes: u64,
	/// An upload without a chunk for so long is removed.
	pub upload_idle: Duration,
	/// A download that nobody continued for so long is removed at the next start.
	pub partial_idle: Duration,
}

impl StoreLimits {
	/// 8 uploads of together half the quota, idle for an hour; downloads idle for a week.
	pub fn for_quota(quota: u64) -> Self {
		Self {
			uploads: 8,
			upload_bytes: quota / 2,
			upload_idle: Duration::from_secs(60 * 60),
			partial_idle: Duration::from_secs(7 * 24 * 60 * 60),
		}
	}
}

/// Blobs in a folder, by hash, within a quota.
pub struct Store {
	layout: Layout,
	quota: u64,
	limits: StoreLimits,
	index: Mutex<Index>,
	/// Locked as long as the store is open.
	_lock: File,
}

/// Bytes promised to a writer; given back when dropped.
struct Reservation<'a> {
	store: &'a Store,
	bytes: u64,
}

impl Drop for Reservation<'_> {
	fn drop(&mut self) {
		self.store.index.lock().release(self.bytes);
	}
}

impl Store {
	/// Opens the store in `dir`, creating it if needed. `quota` is in bytes. Removes what a crash left half-written.
	pub fn open(dir: impl AsRef<Path>, quota: u64) -> Result<Arc<Self>, StoreError> {
		Self::open_with(dir, quota, StoreLimits::for_quota(quota))
	}

	/// [`Store::open`] with other limits.
	pub fn open_with(dir: impl AsRef<Path>, quota: u64, limits: StoreLimits) -> Result<Arc<Self>, StoreError> {
		let dir = dir.as_ref();
		fs::create_dir_all(dir).map_err(StoreError::at(dir))?;
		let lock_path = dir.join("lock");
		let lock = File::create(&lock_path).map_err(StoreError::at(&lock_path))?;
		lock.try_lock().map_err(|error| match error {
			TryLockError::WouldBlock => StoreError::Locked { path: dir.to_owned() },
			TryLockError::Error(error) => StoreError::at(&lock_path)(error),
		})?;
		let store = Self {
			layout: Layout::create(dir)?,
			quota,
			limits,
			index: Mutex::default(),
			_lock: lock,
		};
		store.load_blobs()?;
		store.load_partials()?;
		store.load_uploads()?;
		// The quota may be smaller than at the last start.
		match store.reserve(0) {
			Ok(_) | Err(StoreError::QuotaExceeded { .. }) => (),
			Err(error) => return Err(error),
		}
		Ok(Arc::new(store))
	}

	/// The size of the blob, if all of it is here.
	pub fn has(&self, hash: BlobHash) -> Option<u64> {
		self.index.lock().get(&hash).map(|entry| entry.size)
	}

	/// How much of the blob is here. `None`: nothing.
	pub fn status(&self, hash: BlobHash) -> Option<BlobStatus> {
		let index = self.index.lock();
		if let Some(entry) = index.get(&hash) {
			let pinned = entry.keep == Keep::Pinned;
			return Some(BlobStatus {
				size: entry.size,
				complete: true,
				received: entry.size,
				pinned,
			});
		}
		let unfinished = |size, received| BlobStatus {
			size,
			complete: false,
			received,
			pinned: false,
		};
		if let Some(upload) = index.uploads.get(&hash) {
			return Some(unfinished(upload.blob.size, upload.received));
		}
		let partial = index.partials.iter().find(|(blob, _)| blob.hash == hash)?;
		Some(unfinished(partial.0.size, partial.1.received))
	}

	/// How much the store holds.
	pub fn usage(&self) -> Usage {
		let index = self.index.lock();
		let blobs = index.len() as u64;
		Usage {
			used: index.used,
			reserved: index.reserved,
			quota: self.quota,
			blobs,
			evicted: index.evicted,
		}
	}

	/// Stores `bytes`. A blob that is here already is kept for the longer of both times.
	pub fn put(&self, bytes: &[u8], keep: Keep) -> Result<BlobRef, StoreError> {
		let small = bytes.len() as u64 <= GROUP_SIZE;
		let (blob, tree) = if small {
			(BlobRef::of(bytes), Vec::new())
		} else {
			let outboard = PreOrderMemOutboard::create(bytes, geometry::BLOCK);
			let blob = BlobRef {
				hash: BlobHash::from(*outboard.root.as_bytes()),
				size: bytes.len() as u64,
			};
			(blob, outboard.data)
		};
		if self.keep_longer(blob.hash, keep)? {
			return Ok(blob);
		}
		let _room = self.reserve(footprint(blob.size))?;
		let tree = match small {
			true => None,
			false => Some(self.layout.write_temporary(&tree)?),
		};
		let stored = self.layout.write_temporary(bytes).and_then(|data| {
			self.commit(blob, &data, tree.as_deref(), keep)
				.inspect_err(|_| layout::remove(&data))
		});
		if let (Err(_), Some(tree)) = (&stored, &tree) {
			layout::remove(tree);
		}
		stored.map(|()| blob)
	}

	/// The blob as an open file, verified as a whole. It stays readable when the blob is evicted.
	pub fn file(&self, hash: BlobHash) -> Result<File, StoreError> {
		let (blob, mut file) = self.open_blob(hash)?;
		let mut hasher = blake3::Hasher::new();
		hasher
			.update_reader(&mut file)
			.map_err(StoreError::at(self.layout.blob(&blob)))?;
		if hasher.finalize().as_bytes() != hash.as_fixed_bytes() {
			return Err(self.drop_corrupt(&blob));
		}
		file.rewind().map_err(StoreError::at(self.layout.blob(&blob)))?;
		Ok(file)
	}

	/// Up to `len` bytes from `offset`, verified; fewer at the blob's end.
	pub fn read(&self, hash: BlobHash, offset: u64, len: u64) -> Result<Vec<u8>, StoreError> {
		let (blob, file) = self.open_blob(hash)?;
		if offset > blob.size {
			return Err(StoreError::OutOfRange {
				offset,
				size: blob.size,
			});
		}
		let end = offset.saturating_add(len).min(blob.size);
		let mut bytes = Vec::with_capacity((end - offset) as usize);
		let mut at = offset;
		while at < end {
			let first = (at / GROUP_SIZE) as u32;
			let last = ((end - 1) / GROUP_SIZE) as u32;
			let count = (last - first + 1).min(READ_GROUPS);
			let encoded = self.encode(&blob, &file, first, count)?;
			let start = u64::from(first) * GROUP_SIZE;
			let plain = geometry::strip_proof(&encoded, blob.size, first, count);
			let until = end.min(start + plain.len() as u64);
			let part = plain.get((at - start) as usize..(until - start) as usize);
			match part {
				Some(part) if !part.is_empty() => bytes.extend_from_slice(part),
				_ => return Err(self.drop_corrupt(&blob)),
			}
			at = until;
		}
		Ok(bytes)
	}

	/// `count` chunk groups from `first` with the proof that they are the blob's; fewer at its end.
	pub fn slice(&self, hash: BlobHash, first: u32, count: u32) -> Result<Vec<u8>, StoreError> {
		let (blob, file) = self.open_blob(hash)?;
		let groups = geometry::groups(blob.size);
		if first >= groups {
			return Err(StoreError::OutOfRange {
				offset: u64::from(first) * GROUP_SIZE,
				size: blob.size,
			});
		}
		self.encode(&blob, &file, first, count.min(groups - first))
	}

	/// The chunk of 1 KiB at `index` with its way to the root.
	pub fn prove_chunk(&self, hash: BlobHash, index: u64) -> Result<ChunkProof, StoreError> {
		let (blob, mut file) = self.open_blob(hash)?;
		let tree = self.open_tree(&blob)?;
		proof::prove(&mut file, tree, &blob, index).map_err(|error| match error {
			ProofError::OutOfRange => StoreError::OutOfRange {
				offset: index.saturating_mul(CHUNK_SIZE),
				size: blob.size,
			},
			ProofError::Corrupt => self.drop_corrupt(&blob),
			ProofError::Io(error) => StoreError::at(self.layout.blob(&blob))(error),
		})
	}

	/// Says what may happen to the blob from now on.
	pub fn set_keep(&self, hash: BlobHash, keep: Keep) -> Result<(), StoreError> {
		let mut index = self.index.lock();
		let entry = index.get(&hash).ok_or(StoreError::Missing(hash))?;
		if entry.keep != keep {
			self.layout.write_keep(&BlobRef { hash, size: entry.size }, keep)?;
			index.set_keep(&hash, keep);
		}
		Ok(())
	}

	/// From now on the blob is not evicted, whether it is here already or comes later: until it is released, or the store
	/// is closed. Apart from [`Keep::Pinned`], which is the operator's word and stays.
	pub fn hold(&self, hash: BlobHash) {
		self.index.lock().held.insert(hash);
	}

	/// Takes [`Store::hold`] back.
	pub fn release(&self, hash: BlobHash) {
		self.index.lock().held.remove(&hash);
	}

	/// Removes the blob, pinned or not. Whether it was here.
	pub fn remove(&self, hash: BlobHash) -> bool {
		let mut index = self.index.lock();
		let removed = index.remove(&hash);
		if let Some(blob) = &removed {
			self.layout.remove_blob(blob);
		}
		removed.is_some()
	}

	/// Lengthens the keep of a blob that is here. Whether it is.
	pub(crate) fn keep_longer(&self, hash: BlobHash, keep: Keep) -> Result<bool, StoreError> {
		let mut index = self.index.lock();
		let Some(entry) = index.get(&hash) else {
			return Ok(false);
		};
		let longer = entry.keep.or_longer(keep);
		if longer != entry.keep {
			self.layout.write_keep(&BlobRef { hash, size: entry.size }, longer)?;
			index.set_keep(&hash, longer);
		}
		index.touch(&hash, LAST_USE_GRAIN);
		Ok(true)
	}

	fn open_blob(&self, hash: BlobHash) -> Result<(BlobRef, File), StoreError> {
		let (blob, note) = {
			let mut index = self.index.lock();
			let size = index.get(&hash).ok_or(StoreError::Missing(hash))?.size;
			(BlobRef { hash, size }, index.touch(&hash, LAST_USE_GRAIN))
		};
		let path = self.layout.blob(&blob);
		let file = match File::open(&path) {
			Ok(file) => file,
			Err(error) if error.kind() == io::ErrorKind::NotFound => {
				// Removed since, by eviction or by hand.
				self.remove(hash);
				return Err(StoreError::Missing(hash));
			}
			Err(error) => return Err(StoreError::at(path)(error)),
		};
		if note.is_some() {
			// Only the order of eviction after a restart depends on it.
			if let Err(error) = file.set_modified(SystemTime::now()) {
				log::debug!(target: LOG_TARGET, "cannot note the last use of {hash:?}: {error}");
			}
		}
		match file.metadata() {
			Ok(data) if data.len() == blob.size => Ok((blob, file)),
			Ok(_) => Err(self.drop_corrupt(&blob)),
			Err(error) => Err(StoreError::at(path)(error)),
		}
	}

	/// The kept hash tree of a blob that has been opened; `None` if it is one group.
	fn open_tree(&self, blob: &BlobRef) -> Result<Option<File>, StoreError> {
		if blob.size <= GROUP_SIZE {
			return Ok(None);
		}
		let path = layout::tree_of(&self.layout.blob(blob));
		match File::open(&path) {
			Ok(tree) => Ok(Some(tree)),
			// Eviction may have come between the two files: then the blob is merely gone.
			Err(error) if error.kind() == io::ErrorKind::NotFound && self.has(blob.hash).is_none() => {
				Err(StoreError::Missing(blob.hash))
			}
			Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.drop_corrupt(blob)),
			Err(error) => Err(StoreError::at(path)(error)),
		}
	}

	fn encode(&self, blob: &BlobRef, file: &File, first: u32, count: u32) -> Result<Vec<u8>, StoreError> {
		let path = layout::tree_of(&self.layout.blob(blob));
		let tree = self.open_tree(blob)?;
		geometry::encode(file, tree, blob, first, count).map_err(|error| match error {
			SliceError::Corrupt => self.drop_corrupt(blob),
			SliceError::Io(error) => StoreError::at(path)(error),
		})
	}

	fn drop_corrupt(&self, blob: &BlobRef) -> StoreError {
		log::warn!(target: LOG_TARGET, "blob {:?} is damaged on disk: removed", blob.hash);
		self.remove(blob.hash);
		StoreError::Corrupt(blob.hash)
	}

	fn reserve(&self, bytes: u64) -> Result<Reservation<'_>, StoreError> {
		let mut index = self.index.lock();
		self.reserve_locked(&mut index, bytes)?;
		Ok(Reservation { store: self, bytes })
	}

	/// Like [`Store::reserve`], but the bytes stay promised until they are released by hand.
	fn reserve_locked(&self, index: &mut Index, bytes: u64) -> Result<(), StoreError> {
		let Evicted { blobs, partials } = index.reserve(bytes, self.quota, SystemTime::now())?;
		for blob in &blobs {
			log::debug!(target: LOG_TARGET, "evicted {:?} ({} bytes)", blob.hash, blob.size);
			self.layout.remove_blob(blob);
		}
		partials.iter().for_each(|blob| self.layout.remove_partial(blob));
		Ok(())
	}

	/// Moves finished files to their place. The data comes last: it is what makes the blob exist.
	fn commit(&self, blob: BlobRef, data: &Path, tree: Option<&Path>, keep: Keep) -> Result<(), StoreError> {
		let path = self.layout.blob(&blob);
		let mut index = self.index.lock();
		let keep = index.get(&blob.hash).map_or(keep, |entry| entry.keep.or_longer(keep));
		if let Some(tree) = tree {
			self.layout.rename(tree, &layout::tree_of(&path))?;
		}
		if let Some(parent) = path.parent() {
			fs::create_dir_all(parent).map_err(StoreError::at(parent))?;
		}
		self.layout.write_keep(&blob, keep)?;
		self.layout.rename(data, &path)?;
		let now = index.now();
		index.insert(blob, keep, now);
		Ok(())
	}

	fn load_blobs(&self) -> Result<(), StoreError> {
		let mut index = self.index.lock();
		for shard in layout::list(&self.layout.blobs())? {
			if !shard.is_dir() {
				layout::remove(&shard);
				continue;
			}
			let (blobs, others): (Vec<PathBuf>, Vec<PathBuf>) = layout::list(&shard)?
				.into_iter()
				.partition(|path| layout::parse_name(path).is_some());
			for path in blobs {
				let Some(blob) = layout::parse_name(&path) else {
					continue;
				};
				if self.looks_whole(&path, &blob) {
					let used = layout::modified(&path)
						.duration_since(UNIX_EPOCH)
						.map_or(0, |d| d.as_millis() as u64);
					index.insert(blob, self.layout.read_keep(&blob), used);
				} else {
					log::warn!(target: LOG_TARGET, "{} is not a whole blob: removed", path.display());
					self.layout.remove_blob(&blob);
				}
			}
			for path in others {
				let owner = path.with_extension("");
				if layout::parse_name(&owner).is_none_or(|blob| index.get(&blob.hash).is_none()) {
					layout::remove(&path);
				}
			}
		}
		Ok(())
	}

	/// Whether the lengths of a blob's files are right. Its bytes are verified when they are read.
	fn looks_whole(&self, path: &Path, blob: &BlobRef) -> bool {
		let length = |path: &Path| fs::metadata(path).map_or(None, |data| data.is_file().then_some(data.len()));
		length(path) == Some(blob.size)
			&& self.layout.blob(blob) == path
			&& (blob.size <= GROUP_SIZE || length(&layout::tree_of(path)) == Some(geometry::outboard_size(blob.size)))
	}

	fn load_partials(&self) -> Result<(), StoreError> {
		let mut index = self.index.lock();
		for path in layout::list(&self.layout.partials())? {
			let Some(blob) = layout::parse_name(&path) else {
				let owner = layout::parse_name(&path.with_extension(""));
				if owner.is_none_or(|blob| !self.layout.partial(&blob).exists()) {
					layout::remove(&path);
				}
				continue;
			};
			let touched = layout::modified(&path);
			let idle = touched.elapsed().unwrap_or_default();
			let bytes = footprint(blob.size);
			if idle > self.limits.partial_idle
				|| index.get(&blob.hash).is_some()
				|| self.reserve_locked(&mut index, bytes).is_err()
			{
				self.layout.remove_partial(&blob);
				continue;
			}
			let on_disk = fs::metadata(&path).map_or(0, |data| data.blocks().saturating_mul(512));
			let record = PartialRecord {
				received: on_disk.min(blob.size),
				touched,
				busy: false,
			};
			index.partials.insert(blob, record);
		}
		Ok(())
	}

	fn load_uploads(&self) -> Result<(), StoreError> {
		let mut index = self.index.lock();
		for path in layout::list(&self.layout.uploads())? {
			let known = layout::parse_name(&path);
			let touched = layout::modified(&path);
			let received = fs::metadata(&path).map_or(u64::MAX, |data| data.len());
			match known {
				Some(blob)
					if received <= blob.size
						&& touched.elapsed().unwrap_or_default() <= self.limits.upload_idle
						&& !index.uploads.contains_key(&blob.hash)
						&& self.reserve_locked(&mut index, footprint(blob.size)).is_ok() =>
				{
					index.uploads.insert(
						blob.hash,
						UploadRecord {
							blob,
							received,
							touched,
							busy: false,
						},
					);
				}
				_ => layout::remove(&path),
			}
		}
		Ok(())
	}
}

/// Hash and tree of the bytes in `file`.
fn hash_file(file: &File, size: u64) -> io::Result<(BlobHash, Vec<u8>)> {
	let outboard = bao_tree::io::outboard::PreOrderOutboard::<Vec<u8>>::create_sized(
		io::BufReader::new(file),
		size,
		geometry::BLOCK,
	)?;
	Ok((BlobHash::from(*outboard.root.as_bytes()), outboard.data))
}
