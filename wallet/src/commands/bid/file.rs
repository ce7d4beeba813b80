//! Bids on disk: who is stopped between commitment and reveal goes on with them.
//!
//! One file for each, beside the keys and, like them, readable by its owner only: who knows the salt before the reveal knows
//! the price. What a file says is believed no further than its commitment goes, which the chain has.

use crate::{
	client::{hash_of, ChainIdentity},
	commands::file_error,
	error::CommandError,
};
use highway_primitives::{
	market::{ask_commitment, AskRole},
	Balance, EpochIndex, ModelId, NodeId,
};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sp_core::{
	crypto::{AccountId32, Ss58Codec},
	H256,
};
use std::{
	fs,
	io::{self, Read, Write},
	path::{Path, PathBuf},
	time::Duration,
};

/// Version of the files.
const VERSION: u32 = 1;

/// The most bytes of a file; one of ours has about 700.
const MAX_BYTES: u64 = 4096;

/// The most files that are looked at.
const MAX_FILES: usize = 4096;

/// A bid that is older is of no use, on whatever chain it was: epochs take minutes.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What is, or will be, committed to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bid {
	/// On which chain.
	pub chain: ChainIdentity,
	/// Who signs.
	pub operator: AccountId32,
	/// Its node.
	pub node: NodeId,
	/// The model.
	pub model: ModelId,
	/// For what.
	pub role: AskRole,
	/// The epoch that the ask is for.
	pub epoch: EpochIndex,
	/// What is asked from then on; `None`: nothing any more.
	pub price: Option<Balance>,
	/// What hides the price until it is revealed.
	pub salt: [u8; 32],
	/// Whether a reveal of it was in a block.
	pub revealed: bool,
}

impl Bid {
	/// What the chain sees of it before the reveal.
	pub fn hash(&self) -> H256 {
		ask_commitment(self.node, self.epoch, self.model, self.role, self.price, &self.salt)
	}
}

/// A salt that nobody can guess.
pub fn new_salt() -> [u8; 32] {
	let mut salt = [0; 32];
	rand::rngs::OsRng.fill_bytes(&mut salt);
	salt
}

/// Why a file is not a bid.
#[derive(Debug, thiserror::Error)]
pub enum BidFileError {
	/// The disk.
	#[error("{0}")]
	Disk(#[from] io::Error),
	/// A folder, a link, a pipe.
	#[error("it is no plain file")]
	NotPlain,
	/// Nobody writes so much about a bid.
	#[error("it has more than {} bytes", MAX_BYTES)]
	TooLarge,
	/// Something else.
	#[error("{0}")]
	Json(#[from] serde_json::Error),
	/// Of another program's version.
	#[error("it is of version {0}, and this program reads version {ours}: update `highway`", ours = VERSION)]
	Version(u32),
	/// Something that no bid has.
	#[error("its field '{0}' cannot be read")]
	Field(&'static str),
	/// Somebody changed it.
	#[error("what it says and its commitment do not belong together")]
	Changed,
}

/// A bid as it is written. Numbers that JSON cannot hold are text.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
	version: u32,
	genesis: String,
	first_block: Option<String>,
	operator: String,
	node: NodeId,
	model: ModelId,
	role: AskRole,
	epoch: EpochIndex,
	price: Option<String>,
	salt: String,
	commitment: String,
	revealed: bool,
}

fn hex_of(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

impl From<&Bid> for Record {
	fn from(bid: &Bid) -> Self {
		Self {
			version: VERSION,
			genesis: hex_of(bid.chain.genesis),
			first_block: bid.chain.first.map(hex_of),
			operator: bid.operator.to_ss58check(),
			node: bid.node,
			model: bid.model,
			role: bid.role,
			epoch: bid.epoch,
			price: bid.price.map(|price| price.to_string()),
			salt: hex_of(bid.salt),
			commitment: hex_of(bid.hash()),
			revealed: bid.revealed,
		}
	}
}

impl TryFrom<Record> for Bid {
	type Error = BidFileError;

	fn try_from(record: Record) -> Result<Self, BidFileError> {
		let hash = |text: &str, field| hash_of(text).ok_or(BidFileError::Field(field));
		if record.version != VERSION {
			return Err(BidFileError::Version(record.version));
		}
		let bid = Self {
			chain: ChainIdentity {
				genesis: hash(&record.genesis, "genesis")?,
				first: match &record.first_block {
					Some(text) => Some(hash(text, "firstBlock")?),
					None => None,
				},
			},
			operator: AccountId32::from_ss58check(&record.operator).map_err(|_| BidFileError::Field("operator"))?,
			node: record.node,
			model: record.model,
			role: record.role,
			epoch: record.epoch,
			price: match record.price {
				Some(text) => Some(text.parse().map_err(|_| BidFileError::Field("price"))?),
				None => None,
			},
			salt: hash(&record.salt, "salt")?,
			revealed: record.revealed,
		};
		match bid.hash().0 == hash(&record.commitment, "commitment")? {
			true => Ok(bid),
			false => Err(BidFileError::Changed),
		}
	}
}

/// A folder of bids.
pub struct Bids {
	folder: PathBuf,
}

/// What a folder of bids has.
#[derive(Default)]
pub struct Loaded {
	/// The bids.
	pub bids: Vec<Bid>,
	/// Files that are none.
	pub strange: Vec<(PathBuf, BidFileError)>,
}

impl Bids {
	/// The bids in `folder`, which is made when the first one is kept.
	pub fn new(folder: PathBuf) -> Self {
		Self { folder }
	}

	/// Writes the bid, all of it or nothing, so that it outlives this process and a loss of power.
	pub fn keep(&self, bid: &Bid) -> Result<(), CommandError> {
		let path = self.path(bid);
		self.write(&path, bid).map_err(|source| file_error(&path, source))
	}

	fn write(&self, path: &Path, bid: &Bid) -> io::Result<()> {
		fs::create_dir_all(&self.folder)?;
		// Only its owner may read a temporary file. One that is not persisted, on a full disk for one, is removed.
		let mut new = tempfile::Builder::new().prefix(".highway-").tempfile_in(&self.folder)?;
		let text = serde_json::to_string_pretty(&Record::from(bid)).expect("a bid is plain JSON; qed");
		writeln!(new, "{text}")?;
		new.as_file().sync_all()?;
		new.persist(path).map_err(|failed| failed.error)?;
		// The name has to be on the disk, too.
		#[cfg(unix)]
		fs::File::open(&self.folder)?.sync_all()?;
		Ok(())
	}

	/// Forgets the bid. A file that stays does no harm.
	pub fn forget(&self, bid: &Bid) {
		let _ = fs::remove_file(self.path(bid));
	}

	/// All bids, by epoch, and the files that are none. Forgets what is too old to be of use.
	pub fn load(&self) -> Result<Loaded, CommandError> {
		let entries = match fs::read_dir(&self.folder) {
			Ok(entries) => entries,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::default()),
			Err(source) => return Err(file_error(&self.folder, source)),
		};
		let mut loaded = Loaded::default();
		let paths = entries.flatten().map(|entry| entry.path());
		let of_bids = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
		for path in paths.filter(of_bids).take(MAX_FILES) {
			match read(&path) {
				Ok(_) if is_old(&path) => drop(fs::remove_file(&path)),
				Ok(bid) => loaded.bids.push(bid),
				Err(error) => loaded.strange.push((path, error)),
			}
		}
		loaded.bids.sort_by_key(|bid| (bid.epoch, bid.model, bid.role));
		Ok(loaded)
	}

	/// Salts make commitments unique, so that no bid writes over another one.
	fn path(&self, bid: &Bid) -> PathBuf {
		self.folder.join(format!("{}.json", hex::encode(bid.hash())))
	}
}

fn is_old(path: &Path) -> bool {
	let written = fs::symlink_metadata(path).and_then(|file| file.modified());
	let age = written.ok().and_then(|time| time.elapsed().ok());
	age.is_some_and(|age| age > KEPT_FOR)
}

fn read(path: &Path) -> Result<Bid, BidFileError> {
	// A pipe would keep us waiting, a link may lead anywhere.
	if !fs::symlink_metadata(path)?.is_file() {
		return Err(BidFileError::NotPlain);
	}
	let mut bytes = Vec::new();
	fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
	if bytes.len() as u64 > MAX_BYTES {
		return Err(BidFileError::TooLarge);
	}
	serde_json::from_slice::<Record>(&bytes)?.try_into()
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::AIC;
	use serde_json::{json, Value};
	use std::time::SystemTime;

	fn bid(epoch: EpochIndex, price: Option<Balance>) -> Bid {
		Bid {
			chain: ChainIdentity {
				genesis: [1; 32],
				first: Some([2; 32]),
			},
			operator: AccountId32::new([3; 32]),
			node: 4,
			model: 5,
			role: AskRole::Compute,
			epoch,
			price,
			salt: new_salt(),
			revealed: false,
		}
	}

	fn bids() -> (tempfile::TempDir, Bids) {
		let folder = tempfile::tempdir().unwrap();
		let bids = Bids::new(folder.path().join("bids"));
		(folder, bids)
	}

	/// The one file of the folder, as JSON.
	fn written(bids: &Bids) -> (PathBuf, Value) {
		let path = fs::read_dir(&bids.folder).unwrap().next().unwrap().unwrap().path();
		let json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
		(path, json)
	}

	#[test]
	fn bids_should_read_back_by_epoch_when_kept() {
		let (_folder, bids) = bids();
		assert!(bids.load().unwrap().bids.is_empty());
		let unknown_block = Bid {
			chain: ChainIdentity {
				genesis: [1; 32],
				first: None,
			},
			role: AskRole::Storage,
			..bid(9, Some(Balance::MAX))
		};
		let all = [bid(7, Some(AIC / 100)), bid(8, None), unknown_block];
		for bid in all.iter().rev() {
			bids.keep(bid).unwrap();
		}
		assert_eq!(bids.load().unwrap().bids, all);
		bids.forget(&all[1]);
		bids.forget(&all[1]);
		assert_eq!(bids.load().unwrap().bids, [all[0].clone(), all[2].clone()]);
	}

	#[test]
	fn bids_should_be_written_over_only_by_themselves() {
		let (_folder, bids) = bids();
		let before = bid(7, None);
		let after = Bid {
			revealed: true,
			..before.clone()
		};
		bids.keep(&before).unwrap();
		bids.keep(&after).unwrap();
		assert_eq!(bids.load().unwrap().bids, [after]);
		bids.keep(&bid(7, None)).unwrap();
		assert_eq!(bids.load().unwrap().bids.len(), 2);
	}

	#[cfg(unix)]
	#[test]
	fn only_the_owner_should_read_what_is_not_revealed() {
		use std::os::unix::fs::PermissionsExt;
		let (_folder, bids) = bids();
		bids.keep(&bid(7, None)).unwrap();
		let (path, _) = written(&bids);
		assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(fs::read_dir(&bids.folder).unwrap().count(), 1);
	}

	#[test]
	fn files_should_be_refused_when_anything_in_them_was_changed() {
		let (_folder, bids) = bids();
		bids.keep(&bid(7, Some(AIC))).unwrap();
		let (path, json) = written(&bids);
		let other = format!("0x{}", "77".repeat(32));
		for (field, value) in [
			("node", json!(5)),
			("model", json!(6)),
			("role", json!("Storage")),
			("role", json!("Maker")),
			("epoch", json!(8)),
			("epoch", json!(-1)),
			("epoch", json!(1e300)),
			("price", json!("2")),
			("price", json!(1)),
			("price", json!("1e3")),
			("price", json!("9".repeat(40))),
			("price", Value::Null),
			("salt", json!(other)),
			("salt", json!("0x11")),
			("commitment", json!(other)),
			("commitment", json!("")),
			("genesis", json!("0xzz")),
			("firstBlock", json!("1")),
			("operator", json!("//Alice")),
			("operator", json!("\u{1b}[2J")),
			("version", json!(2)),
			("revealed", json!("no")),
			("more", json!(1)),
		] {
			let mut changed = json.clone();
			changed[field] = value;
			fs::write(&path, changed.to_string()).unwrap();
			let loaded = bids.load().unwrap();
			assert!(loaded.bids.is_empty(), "{changed}");
			assert_eq!(loaded.strange.len(), 1, "{changed}");
		}
		fs::write(&path, json.to_string()).unwrap();
		assert_eq!(bids.load().unwrap().bids.len(), 1);
	}

	#[test]
	fn files_should_be_passed_over_when_they_are_no_bids() {
		let (folder, bids) = bids();
		let kept = bid(7, None);
		bids.keep(&kept).unwrap();
		let there = |name: &str| bids.folder.join(name);
		fs::write(there("empty.json"), "").unwrap();
		fs::write(there("binary.json"), [0xff, 0, 1]).unwrap();
		fs::write(there("deep.json"), "[".repeat(4000)).unwrap();
		fs::write(there("large.json"), " ".repeat(1 << 20)).unwrap();
		fs::create_dir(there("folder.json")).unwrap();
		fs::write(there("notes.txt"), "not looked at").unwrap();
		let mut strange = 5;
		#[cfg(unix)]
		{
			let elsewhere = folder.path().join("elsewhere");
			fs::write(&elsewhere, "{}").unwrap();
			std::os::unix::fs::symlink(&elsewhere, there("link.json")).unwrap();
			strange += 1;
		}
		let _ = &folder;
		let loaded = bids.load().unwrap();
		assert_eq!(loaded.bids, [kept]);
		assert_eq!(loaded.strange.len(), strange, "{:?}", loaded.strange);
	}

	#[test]
	fn bids_should_be_forgotten_when_they_are_too_old_to_be_of_use() {
		let (_folder, bids) = bids();
		let (old, new) = (bid(7, None), bid(8, None));
		bids.keep(&old).unwrap();
		bids.keep(&new).unwrap();
		let long_ago = SystemTime::now() - KEPT_FOR - Duration::from_secs(60);
		let file = fs::File::options().write(true).open(bids.path(&old)).unwrap();
		file.set_modified(long_ago).unwrap();
		assert_eq!(bids.load().unwrap().bids, [new]);
		assert!(!bids.path(&old).exists());
	}

	#[test]
	fn salts_should_differ() {
		assert_ne!(new_salt(), new_salt());
	}
}
