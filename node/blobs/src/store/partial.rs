//! Downloads: chunk groups arrive in any order, each verified before it is written.

use super::{footprint, layout, Keep, PartialRecord, Store, StoreError};
use crate::geometry::{self, GROUP_SIZE};
use bao_tree::{
	io::{
		outboard::PreOrderOutboard,
		sync::{decode_ranges, valid_ranges},
		DecodeError,
	},
	ChunkRanges,
};
use highway_primitives::BlobRef;
use std::{
	fs::{File, OpenOptions},
	io::Cursor,
	path::Path,
	sync::Arc,
	time::SystemTime,
};

/// A slice was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcceptError {
	/// It is not a slice of the blob.
	#[error("the bytes do not match the blob's hash")]
	Lie,
	/// It could not be written.
	#[error(transparent)]
	Store(StoreError),
}

/// A download, exclusively.
pub(crate) struct Partial {
	store: Arc<Store>,
	blob: BlobRef,
	have: Vec<bool>,
	received: u64,
	body: Body,
}

enum Body {
	/// One group: nothing to resume, so it stays in memory.
	Small(Vec<u8>),
	Large {
		data: File,
		outboard: PreOrderOutboard<File>,
	},
	Closed,
}

impl Partial {
	/// Opens or resumes the download of a blob that is not complete.
	pub fn open(store: &Arc<Store>, blob: BlobRef) -> Result<Self, StoreError> {
		let have = vec![false; geometry::groups(blob.size) as usize];
		if blob.size <= GROUP_SIZE {
			return Ok(Self {
				store: store.clone(),
				blob,
				have,
				received: 0,
				body: Body::Small(Vec::new()),
			});
		}
		{
			let mut index = store.index.lock();
			match index.partials.get_mut(&blob) {
				Some(record) if record.busy => return Err(StoreError::Busy(blob.hash)),
				Some(record) => record.busy = true,
				None => {
					store.reserve_locked(&mut index, footprint(blob.size))?;
					let record = PartialRecord {
						received: 0,
						touched: SystemTime::now(),
						busy: true,
					};
					index.partials.insert(blob, record);
				}
			}
		}
		// From here on its drop frees the record.
		let mut partial = Self {
			store: store.clone(),
			blob,
			have,
			received: 0,
			body: Body::Closed,
		};
		let path = store.layout.partial(&blob);
		let data = open_file(&path)?;
		let tree = open_file(&layout::tree_of(&path))?;
		let resumed = data.metadata().map_err(StoreError::at(&path))?.len() == blob.size;
		data.set_len(blob.size).map_err(StoreError::at(&path))?;
		let outboard = PreOrderOutboard {
			root: geometry::root(&blob),
			tree: geometry::tree(blob.size),
			data: tree,
		};
		if resumed {
			for range in valid_ranges(&outboard, &data, &ChunkRanges::all()) {
				let range = range.map_err(StoreError::at(&path))?;
				for group in geometry::groups_within(blob.size, &range) {
					partial.mark(group);
				}
			}
		}
		partial.body = Body::Large { data, outboard };
		Ok(partial)
	}

	/// Chunk groups that are not here.
	pub fn missing(&self) -> Vec<u32> {
		(0u32..)
			.zip(&self.have)
			.filter(|(_, have)| !**have)
			.map(|(group, _)| group)
			.collect()
	}

	/// Bytes that are here.
	pub fn received(&self) -> u64 {
		self.received
	}

	/// Verifies the encoded slice of one group and writes it. Returns the bytes won.
	pub fn accept(&mut self, group: u32, encoded: &[u8]) -> Result<u64, AcceptError> {
		let path = self.store.layout.partial(&self.blob);
		match &mut self.body {
			Body::Small(bytes) => {
				if BlobRef::of(encoded) != self.blob {
					return Err(AcceptError::Lie);
				}
				*bytes = encoded.to_vec();
			}
			Body::Large { data, outboard } => {
				let mut cursor = Cursor::new(encoded);
				let ranges = geometry::chunk_ranges(group, 1);
				decode_ranges(&mut cursor, &ranges, data, outboard).map_err(|error| match error {
					DecodeError::Io(error) => AcceptError::Store(StoreError::at(path)(error)),
					_ => AcceptError::Lie,
				})?;
				if cursor.position() != encoded.len() as u64 {
					return Err(AcceptError::Lie);
				}
			}
			Body::Closed => return Err(AcceptError::Store(StoreError::Busy(self.blob.hash))),
		}
		let before = self.received;
		self.mark(group);
		Ok(self.received - before)
	}

	/// Makes the complete download a blob.
	pub fn finish(mut self, keep: Keep) -> Result<(), StoreError> {
		let size = self.blob.size;
		if self.received != size || self.have.iter().any(|have| !have) {
			return Err(StoreError::Incomplete {
				received: self.received,
				size,
			});
		}
		match std::mem::replace(&mut self.body, Body::Closed) {
			Body::Small(bytes) => self.store.put(&bytes, keep).map(drop),
			Body::Large { data, outboard } => {
				let path = self.store.layout.partial(&self.blob);
				let tree = layout::tree_of(&path);
				data.sync_all().map_err(StoreError::at(&path))?;
				outboard.data.sync_all().map_err(StoreError::at(&tree))?;
				self.store.commit(self.blob, &path, Some(&tree), keep)?;
				self.store.index.lock().forget_partial(&self.blob);
				Ok(())
			}
			Body::Closed => Err(StoreError::Busy(self.blob.hash)),
		}
	}

	fn mark(&mut self, group: u32) {
		let Some(have) = self.have.get_mut(group as usize) else {
			return;
		};
		if !*have {
			*have = true;
			let bytes = geometry::group_bytes(self.blob.size, group);
			self.received = self.received.saturating_add(bytes.end - bytes.start);
		}
		if let Some(record) = self.store.index.lock().partials.get_mut(&self.blob) {
			record.received = self.received;
		}
	}
}

impl Drop for Partial {
	fn drop(&mut self) {
		if let Some(record) = self.store.index.lock().partials.get_mut(&self.blob) {
			record.busy = false;
			record.touched = SystemTime::now();
		}
	}
}

fn open_file(path: &Path) -> Result<File, StoreError> {
	OpenOptions::new()
		.read(true)
		.write(true)
		.create(true)
		.truncate(false)
		.open(path)
		.map_err(StoreError::at(path))
}
