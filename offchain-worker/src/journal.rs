//! What this node has done, on disk before the chain hears of it.
//!
//! An append-only file. A record is written and synced before its attestation, or the commitment to its ballot or ask, is sent,
//! so that a crash at any moment leaves either work that is done again or work that is known to be done, never two
//! commitments for one job, one vote or one ask.
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
	machine::{AskKey, BallotKey, Finished, SealedAsk, SealedBallot, WorkKey},
};
use codec::{Decode, DecodeAll, Encode};
use highway_primitives::{batch::sketch_root, worker::commitment, BlobRef, Sketch, MAX_INPUTS};
use sp_core::H256;
use std::{
	collections::BTreeMap,
	fs::{self, File, OpenOptions, TryLockError},
	io::{self, Read, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"hwjrnl\0\x03";
const HEADER_LEN: usize = MAGIC.len() + 32;
/// Length and checksum of a record.
const FRAME_LEN: usize = 4 + 8;
/// Most bytes of a sketch: 16 sums and two compact counts.
const MAX_SKETCH_LEN: usize = 16 * 8 + 2 * 9;
/// No record is longer, whose longest is that of a job with as many inputs as there may be; a greater length is damage.
const MAX_RECORD_LEN: usize = 1024 + MAX_INPUTS as usize * MAX_SKETCH_LEN;
/// Bytes of a record with its frame: key, output, a sketch and salt, or key, seed, ballot and salt; an ask has fewer. For the
/// decision to compact only, so it need not be exact.
const RECORD_LEN: u64 = 260;
/// Bytes of each further sketch; likewise.
const SKETCH_LEN: u64 = 130;
/// Below this size the file is left as it is: writing it anew would cost more than it saves.
const MIN_COMPACTION_LEN: u64 = 256 * 1024;

/// One piece of work that is done.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Entry {
	/// Which work: job, node, and what the job stands for.
	pub key: WorkKey,
	/// Its output.
	pub output: BlobRef,
	/// The sketches of its runs under the work's own seed, in the order of its inputs.
	pub sketches: Vec<Sketch>,
	/// The salt of its commitment: random, and secret until an audit asks for it.
	pub salt: [u8; 32],
}

impl Entry {
	/// What the machine needs of it.
	pub fn finished(&self) -> Finished {
		let root = sketch_root(&self.sketches);
		let commitment = commitment(&self.key.work, self.key.node, &self.output, &root, &self.salt);
		Finished {
			key: self.key,
			output: self.output,
			sketches: self.sketches.clone(),
			salt: self.salt,
			commitment,
		}
	}
}

#[derive(Encode, Decode)]
enum Record {
	#[codec(index = 0)]
	Done(Entry),
	/// The work, and every ballot about it.
	#[codec(index = 1)]
	Forgotten(WorkKey),
	#[codec(index = 2)]
	Ballot(SealedBallot),
	#[codec(index = 3)]
	Ask(SealedAsk),
	#[codec(index = 4)]
	AskForgotten(AskKey),
}

/// What the records of a file say together.
#[derive(Default)]
struct Contents {
	/// Newest last. More than one only if an output was lost and the work was done again with another result.
	entries: BTreeMap<WorkKey, Vec<Entry>>,
	ballots: BTreeMap<BallotKey, SealedBallot>,
	asks: BTreeMap<AskKey, SealedAsk>,
}

impl Contents {
	fn apply(&mut self, record: Record) {
		match record {
			Record::Done(entry) => {
				let entries = self.entries.entry(entry.key).or_default();
				entries.retain(|other| other.output != entry.output);
				entries.push(entry);
			}
			Record::Ballot(sealed) => {
				self.ballots.insert(sealed.key, sealed);
			}
			Record::Forgotten(key) => {
				self.forget(&key);
			}
			Record::Ask(sealed) => {
				self.asks.insert(sealed.key, sealed);
			}
			Record::AskForgotten(key) => {
				self.asks.remove(&key);
			}
		}
	}

	/// Whether there was anything of it.
	fn forget(&mut self, key: &WorkKey) -> bool {
		let entries = self.entries.remove(key).is_some();
		let ballots: Vec<BallotKey> = self.ballots.range(ballots_of(key)).map(|(key, _)| *key).collect();
		for key in &ballots {
			self.ballots.remove(key);
		}
		entries || !ballots.is_empty()
	}

	fn records(&self) -> impl Iterator<Item = Record> + '_ {
		let entries = self.entries.values().flatten().cloned().map(Record::Done);
		let ballots = self.ballots.values().cloned().map(Record::Ballot);
		let asks = self.asks.values().cloned().map(Record::Ask);
		entries.chain(ballots).chain(asks)
	}

	/// Length of a file that holds only this, a little rounded up: records differ by a few bytes of compact encoding.
	fn live_len(&self) -> u64 {
		let records = self.entries.values().map(Vec::len).sum::<usize>() + self.ballots.len() + self.asks.len();
		let further = |entry: &Entry| entry.sketches.len().saturating_sub(1);
		let sketches: usize = self.entries.values().flatten().map(further).sum();
		(HEADER_LEN as u64)
			.saturating_add((records as u64).saturating_mul(RECORD_LEN))
			.saturating_add((sketches as u64).saturating_mul(SKETCH_LEN))
	}
}

/// The keys of all ballots about one piece of work.
fn ballots_of(work: &WorkKey) -> std::ops::RangeInclusive<BallotKey> {
	let key = |seed, index| BallotKey {
		work: *work,
		seed,
		index,
	};
	key([0; 32], 0)..=key([255; 32], u16::MAX)
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

/// What happened to a journal's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
	/// Writes that failed: what they were to say does not count.
	pub failed_writes: u64,
	/// How often the file was written anew without what is struck.
	pub compactions: u64,
	/// How often that failed, so that the file stayed as it was.
	pub failed_compactions: u64,
	/// Bytes that were found damaged when it was opened: salts of commitments, maybe.
	pub damaged_bytes: u64,
}

/// The journal of one worker.
pub struct Journal {
	path: PathBuf,
	genesis: H256,
	log: Log<File>,
	contents: Contents,
	tally: Tally,
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
		let (contents, good_len, damaged) = match bytes.strip_prefix(header.as_slice()).map(replay) {
			Some(found) => (found.contents, HEADER_LEN.saturating_add(found.len), found.damaged),
			None => (Contents::default(), 0, 0),
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
		let mut journal = Self {
			path: path.into(),
			genesis,
			log,
			contents,
			tally: Tally {
				damaged_bytes: damaged as u64,
				..Tally::default()
			},
			_lock: lock,
		};
		if damaged > 0 {
			journal.compact_or_warn();
		} else {
			journal.compact_if_worth();
		}
		Ok(journal)
	}

	/// What is done and not forgotten; of one piece of work the older result first.
	pub fn entries(&self) -> impl Iterator<Item = &Entry> {
		self.contents.entries.values().flatten()
	}

	/// The entry of this work with this output.
	pub fn entry(&self, key: &WorkKey, output: &BlobRef) -> Option<&Entry> {
		let entries = self.contents.entries.get(key)?;
		entries.iter().find(|entry| entry.output == *output)
	}

	/// Ballots that were cast and not forgotten.
	pub fn ballots(&self) -> impl Iterator<Item = &SealedBallot> {
		self.contents.ballots.values()
	}

	/// The ballot that was cast under this key.
	pub fn ballot(&self, key: &BallotKey) -> Option<&SealedBallot> {
		self.contents.ballots.get(key)
	}

	/// Asks that were planned and not forgotten.
	pub fn asks(&self) -> impl Iterator<Item = &SealedAsk> {
		self.contents.asks.values()
	}

	/// The ask that was planned under this key.
	pub fn ask(&self, key: &AskKey) -> Option<&SealedAsk> {
		self.contents.asks.get(key)
	}

	/// Writes `entries` and syncs. On an error none of them counts.
	pub fn append(&mut self, entries: Vec<Entry>) -> Result<(), JournalError> {
		self.write(entries.into_iter().map(Record::Done).collect())
	}

	/// Writes a ballot and syncs. On an error it does not count.
	pub fn append_ballot(&mut self, sealed: SealedBallot) -> Result<(), JournalError> {
		self.write(vec![Record::Ballot(sealed)])
	}

	/// Writes asks and syncs. On an error none of them counts.
	pub fn append_asks(&mut self, asks: Vec<SealedAsk>) -> Result<(), JournalError> {
		self.write(asks.into_iter().map(Record::Ask).collect())
	}

	fn write(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
		let bytes: Vec<u8> = records.iter().flat_map(frame).collect();
		self.append_bytes(&bytes)?;
		records.into_iter().for_each(|record| self.contents.apply(record));
		Ok(())
	}

	/// Strikes `keys` and the ballots about them. The file shrinks when most of it is struck.
	pub fn forget(&mut self, keys: &[WorkKey]) -> Result<(), JournalError> {
		let bytes: Vec<u8> = keys
			.iter()
			.filter(|key| self.contents.forget(key))
			.flat_map(|key| frame(&Record::Forgotten(*key)))
			.collect();
		self.strike(&bytes)
	}

	/// Strikes asks.
	pub fn forget_asks(&mut self, keys: &[AskKey]) -> Result<(), JournalError> {
		let bytes: Vec<u8> = keys
			.iter()
			.filter(|key| self.contents.asks.remove(key).is_some())
			.flat_map(|key| frame(&Record::AskForgotten(*key)))
			.collect();
		self.strike(&bytes)
	}

	/// Writes down what is struck already.
	fn strike(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
		if bytes.is_empty() {
			return Ok(());
		}
		let result = self.append_bytes(bytes);
		self.compact_if_worth();
		result
	}

	fn append_bytes(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
		self.log.append(bytes).map_err(|source| {
			self.tally.failed_writes = self.tally.failed_writes.saturating_add(1);
			into_error(&self.path, source)
		})
	}

	/// Length of the file in bytes.
	pub fn file_len(&self) -> u64 {
		self.log.len
	}

	/// What happened to the file since this was asked last, or since it was opened.
	pub fn take_tally(&mut self) -> Tally {
		std::mem::take(&mut self.tally)
	}

	fn compact_if_worth(&mut self) {
		if self.log.len >= MIN_COMPACTION_LEN && self.log.len / 2 >= self.contents.live_len() {
			self.compact_or_warn();
		}
	}

	fn compact_or_warn(&mut self) {
		// The old file stays good if this fails: it is only longer than it must be.
		match self.compact() {
			Ok(()) => self.tally.compactions = self.tally.compactions.saturating_add(1),
			Err(error) => {
				self.tally.failed_compactions = self.tally.failed_compactions.saturating_add(1);
				log::warn!(target: crate::LOG_TARGET, "journal {} cannot be compacted: {error}", self.path.display());
			}
		}
	}

	fn compact(&mut self) -> io::Result<()> {
		let path = self.path.with_extension("new");
		let mut file = private_file().create(true).truncate(true).open(&path)?;
		let mut bytes = header(self.genesis);
		bytes.extend(self.contents.records().flat_map(|record| frame(&record)));
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

/// What a file's bytes say.
#[derive(Default)]
struct Replay {
	contents: Contents,
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
		found.contents.apply(record);
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
