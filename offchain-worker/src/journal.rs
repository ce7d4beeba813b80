//! What this node has done, on disk before the chain hears of it.
//!
//! An append-only file. A record is written and synced before its attestation is sent, so that a crash at any moment
//! leaves either work that is done again or work that is known to be done, never two commitments for one job.
//!
//! ```text
//! header: magic (8) · genesis hash (32)
//! record: length (4, little endian) · checksum (8, BLAKE3 of the body) · body (SCALE)
//! ```
//!
//! A crash can leave half a record at the end, which is cut off. A record that a failing disk has damaged is left out, and
//! reading goes on with the next one whose checksum is right, since every salt is needed until its audit; only damage to the
//! 40 bytes of the header loses all, as it cannot be told from another chain's. The salts in it are secret until an audit opens them: the file is readable by its owner only.

use crate::{
	error::JournalError,
	machine::{Finished, WorkKey},
};
use codec::{Decode, DecodeAll, Encode};
use highway_primitives::{worker::commitment, BlobRef};
use sp_core::H256;
use std::{
	collections::BTreeMap,
	fs::{self, File, OpenOptions, TryLockError},
	io::{self, Read, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"hwjrnl\0\x01";
const HEADER_LEN: usize = MAGIC.len() + 32;
/// Length and checksum of a record.
const FRAME_LEN: usize = 4 + 8;
/// No record is longer; a greater length is damage.
const MAX_RECORD_LEN: usize = 1024;
/// Below this size the file is left as it is: writing it anew would cost more than it saves.
const MIN_COMPACTION_LEN: u64 = 256 * 1024;

/// One piece of work that is done.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Entry {
	/// Which work: job, node, and what the job stands for.
	pub key: WorkKey,
	/// Its output.
	pub output: BlobRef,
	/// The salt of its commitment: random, and secret until an audit asks for it.
	pub salt: [u8; 32],
}

impl Entry {
	/// What the machine needs of it.
	pub fn finished(&self) -> Finished {
		let commitment = commitment(&self.key.work, self.key.node, &self.output, &self.salt);
		Finished {
			key: self.key,
			output: self.output,
			commitment,
		}
	}
}

#[derive(Encode, Decode)]
enum Record {
	#[codec(index = 0)]
	Done(Entry),
	#[codec(index = 1)]
	Forgotten(WorkKey),
}

/// The file of a journal, as far as appending to it goes. Apart from the file itself, so that tests can let it fail.
trait LogFile: Write {
	fn set_len(&mut self, len: u64) -> io::Result<()>;
	fn sync(&mut self) -> io::Result<()>;
}

impl LogFile for File {
	fn set_len(&mut self, len: u64) -> io::Result<()> {
		File::set_len(self, len)?;
		self.seek(SeekFrom::Start(len)).map(drop)
	}

	fn sync(&mut self) -> io::Result<()> {
		self.sync_data()
	}
}

/// Appends whole records or nothing.
struct Log<F> {
	file: F,
	/// Up to here the file holds synced records.
	len: u64,
	/// Whether the file may hold more than that.
	dirty: bool,
}

impl<F: LogFile> Log<F> {
	fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
		if self.dirty {
			self.file.set_len(self.len)?;
		}
		self.dirty = true;
		let result = self.file.write_all(bytes).and_then(|()| self.file.sync());
		match result {
			Ok(()) => {
				self.dirty = false;
				self.len = self.len.saturating_add(bytes.len() as u64);
			}
			// What arrived of it is cut off now, or before the next record if the disk refuses even that.
			Err(_) => self.dirty = self.file.set_len(self.len).is_err(),
		}
		result
	}
}

/// The journal of one worker.
pub struct Journal {
	path: PathBuf,
	genesis: H256,
	log: Log<File>,
	entries: BTreeMap<WorkKey, Entry>,
	/// Length of the file if it held only `entries`.
	live_len: u64,
	/// Held while the worker runs. A file of its own, because compaction replaces the journal.
	_lock: File,
}

impl Journal {
	/// Opens the journal at `path`, or begins it, and takes its lock. Records of a chain with another genesis are
	/// thrown away: its jobs are other jobs.
	pub fn open(path: &Path, genesis: H256) -> Result<Self, JournalError> {
		let error = |source| into_error(path, source);
		if let Some(folder) = path.parent() {
			fs::create_dir_all(folder).map_err(error)?;
		}
		let lock = private_file()
			.create(true)
			.truncate(false)
			.open(path.with_extension("lock"))
			.map_err(error)?;
		match lock.try_lock() {
			Ok(()) => {}
			Err(TryLockError::WouldBlock) => return Err(JournalError::Locked(path.into())),
			Err(TryLockError::Error(source)) => return Err(error(source)),
		}

		let mut file = private_file().create(true).truncate(false).open(path).map_err(error)?;
		let mut bytes = Vec::new();
		file.read_to_end(&mut bytes).map_err(error)?;
		let header = header(genesis);
		let records = bytes.strip_prefix(header.as_slice());
		let (entries, good_len, damaged) = match records.map(replay) {
			Some(found) => (found.entries, HEADER_LEN.saturating_add(found.len), found.damaged),
			None => (BTreeMap::new(), 0, 0),
		};
		if damaged > 0 {
			log::error!(
				target: crate::LOG_TARGET,
				"journal {}: {damaged} bytes in its middle are damaged, and what they said is lost: check the disk",
				path.display()
			);
		}
		if good_len < bytes.len() {
			let lost = bytes.len().saturating_sub(good_len);
			log::warn!(target: crate::LOG_TARGET, "journal {}: {lost} bytes at its end are cut off", path.display());
		}
		let mut log = Log {
			file,
			len: good_len as u64,
			dirty: true,
		};
		if good_len == 0 {
			log.append(&header).map_err(error)?;
			sync_folder(path).map_err(error)?;
		} else if good_len < bytes.len() {
			log.append(&[]).map_err(error)?;
		} else {
			log.dirty = false;
		}
		let live_len = live_len(&entries);
		let mut journal = Self {
			path: path.into(),
			genesis,
			log,
			entries,
			live_len,
			_lock: lock,
		};
		if damaged > 0 {
			journal.compact_or_warn();
		} else {
			journal.compact_if_worth();
		}
		Ok(journal)
	}

	/// What is done and not forgotten.
	pub fn entries(&self) -> impl Iterator<Item = &Entry> {
		self.entries.values()
	}

	/// Writes `entries` and syncs. On an error none of them counts.
	pub fn append(&mut self, entries: Vec<Entry>) -> Result<(), JournalError> {
		let bytes: Vec<u8> = entries
			.iter()
			.cloned()
			.flat_map(|entry| frame(&Record::Done(entry)))
			.collect();
		self.log
			.append(&bytes)
			.map_err(|source| into_error(&self.path, source))?;
		self.entries.extend(entries.into_iter().map(|entry| (entry.key, entry)));
		self.live_len = live_len(&self.entries);
		Ok(())
	}

	/// Strikes `keys`. The file shrinks when most of it is struck.
	pub fn forget(&mut self, keys: &[WorkKey]) -> Result<(), JournalError> {
		let bytes: Vec<u8> = keys
			.iter()
			.filter(|key| self.entries.remove(key).is_some())
			.flat_map(|key| frame(&Record::Forgotten(*key)))
			.collect();
		self.live_len = live_len(&self.entries);
		if bytes.is_empty() {
			return Ok(());
		}
		let result = self.log.append(&bytes).map_err(|source| into_error(&self.path, source));
		self.compact_if_worth();
		result
	}

	/// Length of the file in bytes.
	pub fn file_len(&self) -> u64 {
		self.log.len
	}

	fn compact_if_worth(&mut self) {
		if self.log.len >= MIN_COMPACTION_LEN && self.log.len / 2 >= self.live_len {
			self.compact_or_warn();
		}
	}

	fn compact_or_warn(&mut self) {
		// The old file stays good if this fails: it is only longer than it must be.
		if let Err(error) = self.compact() {
			log::warn!(target: crate::LOG_TARGET, "journal {} cannot be compacted: {error}", self.path.display());
		}
	}

	fn compact(&mut self) -> io::Result<()> {
		let path = self.path.with_extension("new");
		let mut file = private_file().create(true).truncate(true).open(&path)?;
		let mut bytes = header(self.genesis);
		bytes.extend(
			self.entries
				.values()
				.cloned()
				.flat_map(|entry| frame(&Record::Done(entry))),
		);
		file.write_all(&bytes)?;
		file.sync_all()?;
		fs::rename(&path, &self.path)?;
		// From here on the old file is unlinked: writing to it would lose records.
		self.log = Log {
			file,
			len: bytes.len() as u64,
			dirty: false,
		};
		sync_folder(&self.path)
	}
}

fn private_file() -> OpenOptions {
	let mut options = OpenOptions::new();
	options.read(true).write(true);
	#[cfg(unix)]
	std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
	options
}

fn sync_folder(path: &Path) -> io::Result<()> {
	match path.parent() {
		Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
		_ => Ok(()),
	}
}

fn header(genesis: H256) -> Vec<u8> {
	[MAGIC.as_slice(), genesis.as_bytes()].concat()
}

fn frame(record: &Record) -> Vec<u8> {
	let body = record.encode();
	let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
	[length.as_slice(), &checksum(&body), &body].concat()
}

fn checksum(body: &[u8]) -> [u8; 8] {
	let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(body).as_bytes();
	[a, b, c, d, e, f, g, h]
}

fn live_len(entries: &BTreeMap<WorkKey, Entry>) -> u64 {
	// Entries differ in length by a few bytes of compact encoding only.
	let one = entries
		.values()
		.next()
		.map_or(0, |entry| frame(&Record::Done(entry.clone())).len());
	(HEADER_LEN as u64).saturating_add((one as u64).saturating_mul(entries.len() as u64))
}

/// What the records of a file say.
#[derive(Default)]
struct Replay {
	entries: BTreeMap<WorkKey, Entry>,
	/// Where the last good record ends.
	len: usize,
	/// Bytes before that which belong to none.
	damaged: usize,
}

fn replay(bytes: &[u8]) -> Replay {
	let mut found = Replay::default();
	let mut rest = bytes;
	while !rest.is_empty() {
		let Some((record, after)) = next_record(rest) else {
			// Where the next one begins is not known: its checksum tells.
			rest = &rest[1..];
			continue;
		};
		let start = bytes.len().saturating_sub(rest.len());
		found.damaged = found.damaged.saturating_add(start.saturating_sub(found.len));
		found.len = bytes.len().saturating_sub(after.len());
		rest = after;
		match record {
			Record::Done(entry) => drop(found.entries.insert(entry.key, entry)),
			Record::Forgotten(key) => drop(found.entries.remove(&key)),
		}
	}
	found
}

fn next_record(bytes: &[u8]) -> Option<(Record, &[u8])> {
	let (length, rest) = bytes.split_first_chunk::<4>()?;
	let (expected, rest) = rest.split_first_chunk::<{ FRAME_LEN - 4 }>()?;
	let length = usize::try_from(u32::from_le_bytes(*length))
		.ok()
		.filter(|length| *length <= MAX_RECORD_LEN)?;
	let (body, rest) = rest.split_at_checked(length)?;
	if checksum(body) != *expected {
		return None;
	}
	Some((Record::decode_all(&mut &*body).ok()?, rest))
}

fn into_error(path: &Path, source: io::Error) -> JournalError {
	match source.kind() {
		io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => JournalError::DiskFull(path.into()),
		_ => JournalError::Io {
			path: path.into(),
			source,
		},
	}
}

#[cfg(test)]
#[path = "tests/journal.rs"]
mod tests;
