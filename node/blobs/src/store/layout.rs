//! Where the files lie, and writing them so that a crash leaves a whole file or none.
//!
//! ```text
//! lock                          held while the store is open
//! tmp/<n>                       being written; emptied at start
//! blobs/ab/<hash>.<size>        a blob; its modification time is its last use
//! blobs/ab/<hash>.<size>.tree   its hash tree, if it is larger than a chunk group
//! blobs/ab/<hash>.<size>.keep   what may happen to it; none: the cache may evict it
//! partial/<hash>.<size>[.tree]  a download
//! upload/<hash>.<size>          an upload; its length is how far it came
//! ```

use super::{Keep, StoreError};
use highway_primitives::{BlobHash, BlobRef};
use serde::{Deserialize, Serialize};
use std::{
	fs::{self, File},
	io::{self, Write},
	path::{Path, PathBuf},
	sync::atomic::{AtomicU64, Ordering},
	time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(super) struct Layout {
	root: PathBuf,
	next: AtomicU64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeepFile {
	Pinned,
	UntilUnixSeconds(u64),
}

impl Layout {
	/// Creates the folders and empties `tmp`.
	pub fn create(root: &Path) -> Result<Self, StoreError> {
		let layout = Self {
			root: root.to_owned(),
			next: AtomicU64::new(0),
		};
		let tmp = root.join("tmp");
		match fs::remove_dir_all(&tmp) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::at(&tmp)(error)),
			_ => (),
		}
		for dir in [tmp, layout.blobs(), layout.partials(), layout.uploads()] {
			fs::create_dir_all(&dir).map_err(StoreError::at(&dir))?;
		}
		Ok(layout)
	}

	pub fn blobs(&self) -> PathBuf {
		self.root.join("blobs")
	}

	pub fn partials(&self) -> PathBuf {
		self.root.join("partial")
	}

	pub fn uploads(&self) -> PathBuf {
		self.root.join("upload")
	}

	pub fn blob(&self, blob: &BlobRef) -> PathBuf {
		let name = name(blob);
		self.blobs().join(name.get(..2).unwrap_or("00")).join(name)
	}

	pub fn partial(&self, blob: &BlobRef) -> PathBuf {
		self.partials().join(name(blob))
	}

	pub fn upload(&self, blob: &BlobRef) -> PathBuf {
		self.uploads().join(name(blob))
	}

	fn temporary(&self) -> PathBuf {
		self.root
			.join("tmp")
			.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
	}

	/// Writes a new file that is on disk when this returns; the caller renames or removes it.
	pub fn write_temporary(&self, bytes: &[u8]) -> Result<PathBuf, StoreError> {
		let path = self.temporary();
		let written = File::create_new(&path).and_then(|mut file| {
			file.write_all(bytes)?;
			file.sync_all()
		});
		written.map_err(|error| {
			remove(&path);
			StoreError::at(&path)(error)
		})?;
		Ok(path)
	}

	/// Notes on disk how the blob is kept.
	pub fn write_keep(&self, blob: &BlobRef, keep: Keep) -> Result<(), StoreError> {
		let path = keep_of(&self.blob(blob));
		let content = match keep {
			Keep::Cache => {
				remove(&path);
				return Ok(());
			}
			Keep::Pinned => KeepFile::Pinned,
			Keep::Until(time) => {
				KeepFile::UntilUnixSeconds(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
			}
		};
		let bytes = serde_json::to_vec(&content).expect("an enum of unit and integer serializes; qed");
		let written = self.write_temporary(&bytes)?;
		self.rename(&written, &path).inspect_err(|_| remove(&written))
	}

	/// How the blob is kept. What cannot be read is the cache's.
	pub fn read_keep(&self, blob: &BlobRef) -> Keep {
		let Ok(bytes) = fs::read(keep_of(&self.blob(blob))) else {
			return Keep::Cache;
		};
		match serde_json::from_slice(&bytes) {
			Ok(KeepFile::Pinned) => Keep::Pinned,
			Ok(KeepFile::UntilUnixSeconds(seconds)) => UNIX_EPOCH
				.checked_add(Duration::from_secs(seconds))
				.map_or(Keep::Cache, Keep::Until),
			Err(_) => Keep::Cache,
		}
	}

	/// Moves a file to where it belongs, replacing what is there, and makes that last.
	pub fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
		let parent = to.parent().unwrap_or(&self.root);
		let moved = fs::create_dir_all(parent)
			.and_then(|()| fs::rename(from, to))
			.and_then(|()| File::open(parent)?.sync_all());
		moved.map_err(StoreError::at(to))
	}

	/// Removes every file of a blob; the data first, so that no tree or keep can outlive it as a blob.
	pub fn remove_blob(&self, blob: &BlobRef) {
		let path = self.blob(blob);
		remove(&path);
		remove(&tree_of(&path));
		remove(&keep_of(&path));
	}

	pub fn remove_partial(&self, blob: &BlobRef) {
		let path = self.partial(blob);
		remove(&path);
		remove(&tree_of(&path));
	}
}

fn name(blob: &BlobRef) -> String {
	format!("{}.{}", hex::encode(blob.hash), blob.size)
}

/// The blob that a file name speaks of. `None` for any other name, trees and keeps included.
pub(super) fn parse_name(path: &Path) -> Option<BlobRef> {
	let (hash, size) = path.file_name()?.to_str()?.split_once('.')?;
	let mut bytes = [0; 32];
	hex::decode_to_slice(hash, &mut bytes).ok()?;
	let blob = BlobRef {
		hash: BlobHash::from(bytes),
		size: size.parse().ok()?,
	};
	// One blob, one name: `+1` and upper-case digits parse too.
	(Some(name(&blob).as_str()) == path.file_name()?.to_str()).then_some(blob)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
	let mut name = path.as_os_str().to_owned();
	name.push(suffix);
	name.into()
}

pub(super) fn tree_of(path: &Path) -> PathBuf {
	with_suffix(path, ".tree")
}

pub(super) fn keep_of(path: &Path) -> PathBuf {
	with_suffix(path, ".keep")
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) {
	match fs::remove_file(path) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => {
			log::warn!(target: super::LOG_TARGET, "cannot remove {}: {error}", path.display());
		}
		_ => (),
	}
}

/// The files of a folder.
pub(super) fn list(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
	fs::read_dir(dir)
		.and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
		.map_err(StoreError::at(dir))
}

/// When the file was last written, as far as the file system knows.
pub(super) fn modified(path: &Path) -> SystemTime {
	fs::metadata(path)
		.and_then(|data| data.modified())
		.unwrap_or(UNIX_EPOCH)
}
