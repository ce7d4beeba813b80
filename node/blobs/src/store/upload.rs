//! Uploads in chunks, one after the other, resumed at the offset that they came to.

use super::{footprint, hash_file, layout, Keep, Store, StoreError, UploadRecord};
use crate::geometry::GROUP_SIZE;
use highway_primitives::{BlobHash, BlobRef};
use std::{
	fs::{File, OpenOptions},
	os::unix::fs::FileExt,
	time::SystemTime,
};

impl Store {
	/// Opens or resumes the upload of the announced blob and returns the offset at which it goes on: its size if all
	/// of it is here. An upload of the same hash with another size is replaced.
	pub fn upload_start(&self, blob: BlobRef) -> Result<u64, StoreError> {
		let mut index = self.index.lock();
		if let Some(entry) = index.get(&blob.hash) {
			return match entry.size == blob.size {
				true => Ok(blob.size),
				false => Err(StoreError::BeyondSize {
					end: blob.size,
					size: entry.size,
				}),
			};
		}
		self.expire_uploads(&mut index);
		if let Some(upload) = index.uploads.get_mut(&blob.hash) {
			if upload.busy {
				return Err(StoreError::Busy(blob.hash));
			}
			if upload.blob == blob {
				upload.touched = SystemTime::now();
				return Ok(upload.received);
			}
			self.abandon_upload(&mut index, &blob.hash);
		}
		let bytes: u64 = index
			.uploads
			.values()
			.map(|upload| upload.blob.size)
			.fold(0, u64::saturating_add);
		if index.uploads.len() >= self.limits.uploads || bytes.saturating_add(blob.size) > self.limits.upload_bytes {
			return Err(StoreError::TooManyUploads {
				open: index.uploads.len(),
				bytes,
			});
		}
		self.reserve_locked(&mut index, footprint(blob.size))?;
		let path = self.layout.upload(&blob);
		if let Err(error) = File::create(&path) {
			index.release(footprint(blob.size));
			return Err(StoreError::at(path)(error));
		}
		index.uploads.insert(
			blob.hash,
			UploadRecord {
				blob,
				received: 0,
				touched: SystemTime::now(),
				busy: false,
			},
		);
		Ok(0)
	}

	/// Appends `bytes`, which must begin at the offset that the upload came to. Returns the next offset.
	pub fn upload_chunk(&self, hash: BlobHash, offset: u64, bytes: &[u8]) -> Result<u64, StoreError> {
		let blob = {
			let mut index = self.index.lock();
			let upload = index.uploads.get_mut(&hash).ok_or(StoreError::NoUpload(hash))?;
			let end = offset.saturating_add(bytes.len() as u64);
			if upload.busy {
				return Err(StoreError::Busy(hash));
			}
			if offset != upload.received {
				return Err(StoreError::WrongOffset {
					offset,
					expected: upload.received,
				});
			}
			if end > upload.blob.size {
				return Err(StoreError::BeyondSize {
					end,
					size: upload.blob.size,
				});
			}
			upload.busy = true;
			upload.blob
		};
		let path = self.layout.upload(&blob);
		let written = OpenOptions::new().write(true).open(&path).and_then(|file| {
			// What a full disk cut off must not count as received after a restart.
			file.write_all_at(bytes, offset)
				.inspect_err(|_| drop(file.set_len(offset)))
		});
		let mut index = self.index.lock();
		let upload = index.uploads.get_mut(&hash).ok_or(StoreError::NoUpload(hash))?;
		upload.busy = false;
		upload.touched = SystemTime::now();
		written.map_err(StoreError::at(path))?;
		upload.received = offset.saturating_add(bytes.len() as u64);
		Ok(upload.received)
	}

	/// Verifies the upload and makes it a blob. If the bytes are not the announced ones, they are removed.
	pub fn upload_finish(&self, hash: BlobHash, keep: Keep) -> Result<BlobRef, StoreError> {
		let blob = {
			let mut index = self.index.lock();
			if !index.uploads.contains_key(&hash) {
				let size = index.get(&hash).ok_or(StoreError::NoUpload(hash))?.size;
				drop(index);
				self.keep_longer(hash, keep)?;
				return Ok(BlobRef { hash, size });
			}
			let upload = index.uploads.get_mut(&hash).ok_or(StoreError::NoUpload(hash))?;
			if upload.busy {
				return Err(StoreError::Busy(hash));
			}
			if upload.received != upload.blob.size {
				return Err(StoreError::Incomplete {
					received: upload.received,
					size: upload.blob.size,
				});
			}
			upload.busy = true;
			upload.blob
		};
		let finished = self.verify_upload(blob, keep);
		let mut index = self.index.lock();
		match &finished {
			Ok(_) | Err(StoreError::WrongHash { .. }) => self.abandon_upload(&mut index, &hash),
			// The bytes are still there: a later attempt may find room for the tree.
			Err(_) => {
				if let Some(upload) = index.uploads.get_mut(&hash) {
					upload.busy = false;
				}
			}
		}
		finished
	}

	/// Removes an upload. Whether there was one that nobody writes.
	pub fn upload_abort(&self, hash: BlobHash) -> bool {
		let mut index = self.index.lock();
		let idle = index.uploads.get(&hash).is_some_and(|upload| !upload.busy);
		if idle {
			self.abandon_upload(&mut index, &hash);
		}
		idle
	}

	fn verify_upload(&self, blob: BlobRef, keep: Keep) -> Result<BlobRef, StoreError> {
		let path = self.layout.upload(&blob);
		let file = File::open(&path).map_err(StoreError::at(&path))?;
		file.sync_all().map_err(StoreError::at(&path))?;
		let (actual, tree) = hash_file(&file, blob.size).map_err(StoreError::at(&path))?;
		if actual != blob.hash {
			return Err(StoreError::WrongHash {
				actual,
				announced: blob.hash,
			});
		}
		let tree = match blob.size > GROUP_SIZE {
			true => Some(self.layout.write_temporary(&tree)?),
			false => None,
		};
		self.commit(blob, &path, tree.as_deref(), keep)?;
		Ok(blob)
	}

	fn expire_uploads(&self, index: &mut super::Index) {
		let now = SystemTime::now();
		let idle = |upload: &UploadRecord| now.duration_since(upload.touched).unwrap_or_default();
		let expired: Vec<BlobHash> = index
			.uploads
			.iter()
			.filter(|(_, upload)| !upload.busy && idle(upload) > self.limits.upload_idle)
			.map(|(hash, _)| *hash)
			.collect();
		expired.iter().for_each(|hash| self.abandon_upload(index, hash));
	}

	fn abandon_upload(&self, index: &mut super::Index, hash: &BlobHash) {
		if let Some(blob) = index.forget_upload(hash) {
			layout::remove(&self.layout.upload(&blob));
		}
	}
}
