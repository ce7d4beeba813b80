use super::*;
use crate::fixtures::{ballot_key, key, sketch, NODE};
use highway_primitives::{AskRole, Ballot, EpochIndex, JobId, Vote};
use std::collections::VecDeque;
use tempfile::TempDir;

fn genesis() -> H256 {
	H256::repeat_byte(1)
}

fn entry(job: JobId) -> Entry {
	Entry {
		key: key(job, 1),
		output: BlobRef::of(&job.to_le_bytes()),
		sketches: vec![sketch(job as i64)],
		salt: [job as u8; 32],
	}
}

/// A job of as many inputs as there may be, with sketches of the most bytes.
fn long_entry(job: JobId) -> Entry {
	let longest = |index: u16| Sketch {
		sums: [i64::MIN + i64::from(index); 16],
		nans: u64::MAX,
		infinities: u64::MAX,
	};
	Entry {
		sketches: (0..MAX_INPUTS).map(longest).collect(),
		..entry(job)
	}
}

fn ballot(job: JobId, seed: u8) -> SealedBallot {
	SealedBallot {
		key: ballot_key(job, [seed; 32]),
		ballot: Ballot {
			vote: Vote::Yes,
			auditor_right: true,
			sketch: sketch(job as i64),
		},
		salt: [seed; 32],
	}
}

fn open(folder: &TempDir) -> Journal {
	Journal::open(&folder.path().join("journal"), genesis()).unwrap()
}

fn jobs(journal: &Journal) -> Vec<JobId> {
	journal.entries().map(|entry| entry.key.job).collect()
}

fn ballots(journal: &Journal) -> Vec<(JobId, u8)> {
	journal
		.ballots()
		.map(|sealed| (sealed.key.work.job, sealed.key.seed[0]))
		.collect()
}

fn ask(epoch: EpochIndex, price: u128) -> SealedAsk {
	SealedAsk {
		key: AskKey {
			node: NODE,
			epoch,
			model: 1,
			role: AskRole::Compute,
		},
		price: Some(price),
		salt: [epoch as u8; 32],
	}
}

fn asks(journal: &Journal) -> Vec<SealedAsk> {
	journal.asks().cloned().collect()
}

#[test]
fn entries_should_come_back_when_reopened() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	journal.append(vec![entry(1), entry(2)]).unwrap();
	journal.append(vec![entry(3)]).unwrap();
	journal.forget(&[entry(2).key]).unwrap();
	drop(journal);

	let journal = open(&folder);
	assert_eq!(journal.entries().cloned().collect::<Vec<_>>(), [entry(1), entry(3)]);
}

#[test]
fn finished_should_carry_the_commitment_when_made_from_an_entry() {
	let finished = entry(5).finished();
	assert_eq!(
		finished.commitment,
		commitment(
			&entry(5).key.work,
			NODE,
			&entry(5).output,
			&sketch_root(&[sketch(5)]),
			&[5; 32]
		)
	);
	assert_eq!((finished.sketches, finished.salt), (vec![sketch(5)], [5; 32]));
}

#[test]
fn every_sketch_should_open_what_was_committed_to_when_a_job_had_many_inputs() {
	let entry = long_entry(1);
	let finished = entry.finished();
	for index in [0, 1, MAX_INPUTS - 1] {
		let opening = finished.opening(index).unwrap();
		assert!(opening.is_of(index, MAX_INPUTS));
		assert_eq!(opening.sketch, entry.sketches[usize::from(index)]);
		let opened = commitment(&entry.key.work, NODE, &entry.output, &opening.root, &entry.salt);
		assert_eq!(opened, finished.commitment);
	}
	assert_eq!(finished.opening(MAX_INPUTS), None);
}

#[test]
fn longest_record_should_come_back_when_reopened_and_damage_lose_no_other() {
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("journal");
	let mut journal = open(&folder);
	journal.append(vec![entry(1), long_entry(2), entry(3)]).unwrap();
	let record = frame(&Record::Done(long_entry(2))).len() - FRAME_LEN;
	assert!(
		(MAX_RECORD_LEN - 1024..=MAX_RECORD_LEN).contains(&record),
		"{record} of {MAX_RECORD_LEN}"
	);
	drop(journal);
	let journal = open(&folder);
	let all = [entry(1), long_entry(2), entry(3)];
	assert_eq!(journal.entries().cloned().collect::<Vec<_>>(), all);
	drop(journal);

	let bytes = fs::read(&path).unwrap();
	for at in (HEADER_LEN..bytes.len()).step_by(997) {
		let mut damaged = bytes.clone();
		damaged[at] ^= 0x10;
		fs::write(&path, &damaged).unwrap();
		let found = jobs(&open(&folder));
		assert_eq!(found.len(), 2, "byte {at}: {found:?}");
	}
}

#[test]
fn file_should_be_written_anew_only_when_most_of_it_is_struck_though_records_are_long() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	journal.append((1..=20).map(long_entry).collect()).unwrap();
	for job in 100..150 {
		journal.append(vec![entry(job)]).unwrap();
		journal.forget(&[entry(job).key]).unwrap();
	}
	assert_eq!(journal.take_tally().compactions, 0, "nearly all of it counts");
	let keys: Vec<WorkKey> = (2..=20).map(|job| entry(job).key).collect();
	journal.forget(&keys).unwrap();
	assert_eq!(journal.take_tally().compactions, 1);
	assert_eq!(jobs(&journal), [1]);
}

#[test]
fn entries_should_be_thrown_away_when_the_file_is_of_an_older_version() {
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("journal");
	open(&folder).append(vec![entry(1)]).unwrap();
	let mut bytes = fs::read(&path).unwrap();
	bytes[MAGIC.len() - 1] -= 1;
	fs::write(&path, bytes).unwrap();
	let mut journal = open(&folder);
	assert_eq!(jobs(&journal), Vec::<JobId>::new());
	// It is begun anew.
	journal.append(vec![entry(2)]).unwrap();
	drop(journal);
	assert_eq!(jobs(&open(&folder)), [2]);
}

#[test]
fn ballots_should_come_back_and_go_with_their_job_when_reopened() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	for sealed in [ballot(1, 1), ballot(1, 2), ballot(2, 1), ballot(2, 255), ballot(3, 0)] {
		journal.append_ballot(sealed).unwrap();
	}
	journal.append(vec![entry(4)]).unwrap();
	journal.forget(&[key(2, 1), key(9, 1)]).unwrap();
	drop(journal);
	let journal = open(&folder);
	assert_eq!(ballots(&journal), [(1, 1), (1, 2), (3, 0)]);
	assert_eq!(jobs(&journal), [4]);
	assert_eq!(journal.ballot(&ballot(1, 2).key), Some(&ballot(1, 2)));
	assert_eq!(journal.ballot(&ballot(1, 3).key), None);
}

#[test]
fn asks_should_come_back_until_they_are_forgotten() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	let withdrawal = SealedAsk {
		price: None,
		..ask(9, 0)
	};
	journal.append_asks(vec![ask(7, 70), ask(8, 80)]).unwrap();
	journal.append_asks(vec![withdrawal.clone()]).unwrap();
	journal.append(vec![entry(1)]).unwrap();
	journal.forget_asks(&[ask(7, 70).key, ask(6, 60).key]).unwrap();
	drop(journal);
	let mut journal = open(&folder);
	assert_eq!(asks(&journal), [ask(8, 80), withdrawal.clone()]);
	assert_eq!(journal.ask(&withdrawal.key), Some(&withdrawal));
	assert_eq!(journal.ask(&ask(7, 70).key), None);
	assert_eq!(jobs(&journal), [1]);
	let len = journal.file_len();
	journal.forget_asks(&[ask(7, 70).key]).unwrap();
	assert_eq!(journal.file_len(), len, "nothing to strike");
}

#[test]
fn file_should_stay_bounded_when_asks_come_and_go() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	let batch = |epoch| -> Vec<SealedAsk> {
		let of = |model: u32| SealedAsk {
			key: AskKey {
				model,
				..ask(epoch, 0).key
			},
			..ask(epoch, model.into())
		};
		(0..100).map(of).collect()
	};
	for epoch in 1..=60 {
		journal.append_asks(batch(epoch)).unwrap();
		let before: Vec<AskKey> = batch(epoch - 1).iter().map(|ask| ask.key).collect();
		journal.forget_asks(&before).unwrap();
		assert!(journal.file_len() < MIN_COMPACTION_LEN + 64 * 1024);
	}
	assert_eq!(asks(&journal), batch(60));
	drop(journal);
	assert_eq!(asks(&open(&folder)), batch(60));
}

#[test]
fn ballots_about_all_inputs_should_come_back_and_go_with_their_job() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	let about = |index: u16| {
		let mut sealed = ballot(1, 255);
		sealed.key.index = index;
		sealed
	};
	for index in [0, 7, u16::MAX] {
		journal.append_ballot(about(index)).unwrap();
	}
	drop(journal);
	let mut journal = open(&folder);
	assert_eq!(ballots(&journal), [(1, 255); 3]);
	assert_eq!(journal.ballot(&about(7).key), Some(&about(7)));
	assert_eq!(journal.ballot(&about(8).key), None);
	journal.forget(&[key(1, 1)]).unwrap();
	assert_eq!(ballots(&journal), []);
}

#[test]
fn both_results_should_stay_when_work_was_done_again_with_another_one() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	let other = Entry {
		output: BlobRef::of(b"other"),
		..entry(1)
	};
	journal.append(vec![entry(1)]).unwrap();
	journal.append(vec![other.clone()]).unwrap();
	drop(journal);
	let mut journal = open(&folder);
	assert_eq!(
		journal.entries().cloned().collect::<Vec<_>>(),
		[entry(1), other.clone()]
	);
	assert_eq!(journal.entry(&entry(1).key, &entry(1).output), Some(&entry(1)));
	assert_eq!(journal.entry(&entry(1).key, &other.output), Some(&other));
	journal.forget(&[entry(1).key]).unwrap();
	assert_eq!(journal.entries().count(), 0);
}

#[test]
fn whole_records_should_survive_when_the_file_is_cut_at_any_byte() {
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("journal");
	let mut journal = open(&folder);
	let mut ends = vec![(journal.file_len(), vec![])];
	for job in 1..4 {
		journal.append(vec![entry(job)]).unwrap();
		ends.push((journal.file_len(), (1..=job).collect()));
	}
	journal.append_ballot(ballot(1, 1)).unwrap();
	let with_ballot = journal.file_len()..;
	journal.forget(&[entry(1).key]).unwrap();
	ends.push((journal.file_len(), vec![2, 3]));
	drop(journal);

	let bytes = fs::read(&path).unwrap();
	for cut in 0..=bytes.len() {
		fs::write(&path, &bytes[..cut]).unwrap();
		let mut journal = open(&folder);
		let whole = ends.iter().rev().find(|(end, _)| *end <= cut as u64);
		let expected = whole.map_or(&[][..], |(_, jobs)| jobs);
		assert_eq!(jobs(&journal), expected, "cut at {cut}");
		let cast = with_ballot.contains(&(cut as u64)) && expected.contains(&1);
		assert_eq!(!ballots(&journal).is_empty(), cast, "cut at {cut}");

		// What is written after the repair is found, too.
		journal.append(vec![entry(9)]).unwrap();
		drop(journal);
		assert_eq!(
			jobs(&open(&folder)),
			[expected, &[9]].concat(),
			"cut at {cut}, reopened"
		);
	}
}

#[test]
fn only_the_damaged_record_should_be_lost_when_any_byte_is_flipped() {
	let folder = TempDir::new().unwrap();
	let path = folder.path().join("journal");
	let mut journal = open(&folder);
	let mut ends = vec![journal.file_len() as usize];
	for job in 1..4 {
		journal.append(vec![entry(job)]).unwrap();
		ends.push(journal.file_len() as usize);
	}
	drop(journal);

	let bytes = fs::read(&path).unwrap();
	for at in 0..bytes.len() {
		let mut damaged = bytes.clone();
		damaged[at] ^= 0x10;
		fs::write(&path, &damaged).unwrap();
		// 0: the header, without which nothing is known.
		let hit = ends.iter().filter(|end| **end <= at).count() as JobId;
		let expected: Vec<JobId> = (1..4).filter(|job| hit != 0 && *job != hit).collect();
		let mut journal = open(&folder);
		assert_eq!(jobs(&journal), expected, "byte {at}");
		// In the last record it looks like a write that a crash broke off.
		let found = journal.take_tally().damaged_bytes > 0;
		assert_eq!(found, hit == 1 || hit == 2, "byte {at}");

		// The damage is gone from the file, and what is written after it is found.
		journal.append(vec![entry(9)]).unwrap();
		let len = journal.file_len();
		drop(journal);
		assert_eq!(fs::metadata(&path).unwrap().len(), len, "byte {at}");
		let found = replay(&fs::read(&path).unwrap()[HEADER_LEN..]);
		assert_eq!(found.damaged, 0, "byte {at}");
		assert_eq!(
			jobs(&open(&folder)),
			[&expected[..], &[9]].concat(),
			"byte {at}, reopened"
		);
	}
}

#[test]
fn second_worker_should_be_refused_when_one_runs() {
	let folder = TempDir::new().unwrap();
	let first = open(&folder);
	let second = Journal::open(&folder.path().join("journal"), genesis());
	assert!(matches!(second, Err(JournalError::Locked(_))));
	drop(first);
	open(&folder);
}

#[test]
fn entries_should_be_thrown_away_when_the_chain_is_another() {
	let folder = TempDir::new().unwrap();
	open(&folder).append(vec![entry(1)]).unwrap();
	let other = Journal::open(&folder.path().join("journal"), H256::repeat_byte(2)).unwrap();
	assert_eq!(jobs(&other), Vec::<JobId>::new());
}

#[test]
fn file_should_stay_bounded_when_work_comes_and_goes() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	for round in 0..60 {
		let batch: Vec<Entry> = (round * 100..(round + 1) * 100).map(entry).collect();
		let keys: Vec<WorkKey> = batch.iter().map(|entry| entry.key).collect();
		journal.append(batch).unwrap();
		for job in round * 100..round * 100 + 10 {
			journal.append_ballot(ballot(job, 1)).unwrap();
		}
		journal.forget(&keys[1..]).unwrap();
		assert!(journal.file_len() < MIN_COMPACTION_LEN + 64 * 1024);
	}
	assert_eq!((journal.entries().count(), journal.ballots().count()), (60, 60));
	let Tally {
		compactions,
		failed_writes,
		..
	} = journal.take_tally();
	assert!(compactions > 0 && failed_writes == 0);
	assert_eq!(
		fs::metadata(folder.path().join("journal")).unwrap().len(),
		journal.file_len()
	);
	drop(journal);
	let journal = open(&folder);
	assert_eq!((journal.entries().count(), journal.ballots().count()), (60, 60));
}

#[cfg(unix)]
#[test]
fn file_should_be_private_when_made() {
	use std::os::unix::fs::PermissionsExt;
	let folder = TempDir::new().unwrap();
	open(&folder);
	let mode = fs::metadata(folder.path().join("journal"))
		.unwrap()
		.permissions()
		.mode();
	assert_eq!(mode & 0o077, 0);
}

/// A disk that takes so many bytes per call in turn and then is full; `None`: no limit.
struct FakeDisk {
	bytes: Vec<u8>,
	room: VecDeque<Option<usize>>,
	can_cut: bool,
}

impl Write for FakeDisk {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		let taken = match self.room.pop_front() {
			None | Some(None) => bytes.len(),
			Some(Some(0)) => return Err(io::ErrorKind::StorageFull.into()),
			Some(Some(room)) => room.min(bytes.len()),
		};
		self.bytes.extend_from_slice(&bytes[..taken]);
		Ok(taken)
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}

impl LogFile for FakeDisk {
	fn set_len(&mut self, len: u64) -> io::Result<()> {
		if !self.can_cut {
			return Err(io::ErrorKind::Other.into());
		}
		self.bytes.truncate(len as usize);
		Ok(())
	}

	fn sync(&mut self) -> io::Result<()> {
		Ok(())
	}
}

#[test]
fn log_should_hold_whole_records_only_when_the_disk_was_full() {
	for can_cut in [true, false] {
		let disk = FakeDisk {
			bytes: Vec::new(),
			room: [None, Some(5), Some(0)].into(),
			can_cut,
		};
		let mut log = Log {
			file: disk,
			len: 0,
			dirty: false,
		};
		let record = |job| frame(&Record::Done(entry(job)));
		log.append(&record(1)).unwrap();
		assert_eq!(log.append(&record(2)).unwrap_err().kind(), io::ErrorKind::StorageFull);
		log.file.can_cut = true;
		log.append(&record(3)).unwrap();

		let found = replay(&log.file.bytes);
		let jobs: Vec<JobId> = found.contents.entries.keys().map(|key| key.job).collect();
		assert_eq!(jobs, [1, 3]);
		assert_eq!((found.len, found.damaged), (log.file.bytes.len(), 0));
	}
}

#[test]
fn failures_should_be_counted_until_they_are_asked_for() {
	let folder = TempDir::new().unwrap();
	let mut journal = open(&folder);
	journal.append(vec![entry(1)]).unwrap();
	assert_eq!(journal.take_tally(), Tally::default());

	// What is opened for reading takes no writes.
	journal.log.file = File::open(&journal.path).unwrap();
	assert!(journal.append(vec![entry(2)]).is_err());
	assert!(journal.append_ballot(ballot(1, 1)).is_err());
	assert!(journal.append_asks(vec![ask(7, 70)]).is_err());
	assert!(journal.forget(&[entry(1).key]).is_err());
	journal.path = folder.path().join("gone/journal");
	journal.compact_or_warn();
	let failed = Tally {
		failed_writes: 4,
		failed_compactions: 1,
		..Tally::default()
	};
	assert_eq!(journal.take_tally(), failed);
	assert_eq!(journal.take_tally(), Tally::default());
}

#[test]
fn error_should_name_the_disk_when_it_is_full() {
	let error = into_error(Path::new("j"), io::ErrorKind::StorageFull.into());
	assert!(matches!(error, JournalError::DiskFull(_)));
	assert!(error.to_string().contains("make room"));
}
