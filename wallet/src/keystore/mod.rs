//! Keys on disk: one encrypted file per name, readable by its owner only.

mod polkadot_js;

pub use polkadot_js::{KeyFile, KeyFileError};

use sp_core::{
	crypto::{AccountId32, DEV_PHRASE},
	sr25519, Pair,
};
use std::{
	fs,
	io::{self, Write},
	path::{Path, PathBuf},
};

/// Why something with a stored key went wrong.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
	/// No file of this name.
	#[error("there is no key '{name}' in {}; `highway key list` shows the keys, `highway key generate {name}` makes one", folder.display())]
	Unknown {
		/// The key's name.
		name: String,
		/// Where it was looked for.
		folder: PathBuf,
	},
	/// There is such a file.
	#[error("{} is there already and stays as it is; choose another name, or move that file away first", .0.display())]
	Exists(PathBuf),
	/// Not a name.
	#[error("'{0}' cannot be a key's name: use letters, digits, '-' and '_', at most 64 of them")]
	Name(String),
	/// The file does not open.
	#[error("the key '{name}' cannot be used: {source}")]
	File {
		/// The key's name.
		name: String,
		/// Why.
		source: KeyFileError,
	},
	/// The phrase or URI is not one.
	#[error("this is not a key: write a recovery phrase of 12 to 24 English words, or a development key like //Alice")]
	Phrase,
	/// A phrase that everybody knows.
	#[error("this is a development key, which everybody has: write 12 to 24 words of your own, or use it as --key //Alice without storing it")]
	Known,
	/// A development key where money is at stake.
	#[error("everybody can make the key {0}, and this chain is not for development: who sends to it loses the money; write an address or the name of a key")]
	NotHere(String),
	/// The disk.
	#[error("{}: {source}", path.display())]
	Disk {
		/// What was read or written.
		path: PathBuf,
		/// Why it failed.
		source: io::Error,
	},
}

/// A folder of key files.
#[derive(Clone, Debug)]
pub struct Keystore {
	folder: PathBuf,
}

impl Keystore {
	/// The keystore in `folder`, which is made when the first key is stored.
	pub fn new(folder: PathBuf) -> Self {
		Self { folder }
	}

	/// The user's own: `highway/keys` in the system's folder for application data.
	pub fn default_folder() -> PathBuf {
		dirs::data_dir()
			.unwrap_or_else(|| PathBuf::from("."))
			.join("highway")
			.join("keys")
	}

	/// Where the keys are, and what else belongs to them.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// Names and accounts of all keys, sorted by name.
	pub fn list(&self) -> Result<Vec<(String, Option<AccountId32>)>, KeystoreError> {
		let entries = match fs::read_dir(&self.folder) {
			Ok(entries) => entries,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
			Err(source) => {
				return Err(KeystoreError::Disk {
					path: self.folder.clone(),
					source,
				})
			}
		};
		let mut keys = Vec::new();
		for entry in entries.flatten() {
			let path = entry.path();
			if path.extension().is_some_and(|extension| extension == "json") {
				if let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) {
					keys.push((name.to_owned(), self.read(name).ok().and_then(|file| file.account())));
				}
			}
		}
		keys.sort();
		Ok(keys)
	}

	/// The file of the key `name`.
	pub fn read(&self, name: &str) -> Result<KeyFile, KeystoreError> {
		let path = self.path(name)?;
		let text = match fs::read_to_string(&path) {
			Ok(text) => text,
			Err(error) if error.kind() == io::ErrorKind::NotFound => {
				return Err(KeystoreError::Unknown {
					name: name.into(),
					folder: self.folder.clone(),
				})
			}
			Err(source) => return Err(KeystoreError::Disk { path, source }),
		};
		parse(name, &text)
	}

	/// Error if a key could not be stored as `name`.
	pub fn ensure_free(&self, name: &str) -> Result<(), KeystoreError> {
		let path = self.path(name)?;
		match path.exists() {
			true => Err(KeystoreError::Exists(path)),
			false => Ok(()),
		}
	}

	/// Opens the key `name`.
	pub fn open(&self, name: &str, password: &str) -> Result<sr25519::Pair, KeystoreError> {
		self.read(name)?.open(password).map_err(|source| KeystoreError::File {
			name: name.into(),
			source,
		})
	}

	/// Stores `file` as `name`; never over another.
	pub fn store(&self, name: &str, file: &KeyFile) -> Result<PathBuf, KeystoreError> {
		let path = self.path(name)?;
		fs::create_dir_all(&self.folder).map_err(|source| KeystoreError::Disk {
			path: self.folder.clone(),
			source,
		})?;
		write_new(&path, file)?;
		Ok(path)
	}

	fn path(&self, name: &str) -> Result<PathBuf, KeystoreError> {
		let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
		if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
			return Err(KeystoreError::Name(name.into()));
		}
		Ok(self.folder.join(format!("{name}.json")))
	}
}

/// Reads a key file from somewhere else and checks that `password` opens it.
pub fn read_foreign(path: &Path, password: &str) -> Result<KeyFile, KeystoreError> {
	let name = path.display().to_string();
	let text = fs::read_to_string(path).map_err(|source| KeystoreError::Disk {
		path: path.into(),
		source,
	})?;
	let file = parse(&name, &text)?;
	file.open(password)
		.map_err(|source| KeystoreError::File { name, source })?;
	Ok(file)
}

/// Writes a key's file at `path`, readable by its owner only: all of it or nothing, and never over another file.
pub fn write_new(path: &Path, file: &KeyFile) -> Result<(), KeystoreError> {
	let disk = |source| KeystoreError::Disk {
		path: path.into(),
		source,
	};
	let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
	// Only its owner may read a temporary file. One that is not persisted, on a full disk for one, is removed.
	let mut new = tempfile::Builder::new()
		.prefix(".highway-")
		.tempfile_in(folder.unwrap_or(Path::new(".")))
		.map_err(disk)?;
	let text = serde_json::to_string_pretty(file).expect("a key file is plain JSON; qed");
	writeln!(new, "{text}")
		.and_then(|()| new.as_file().sync_all())
		.map_err(disk)?;
	match new.persist_noclobber(path) {
		Ok(_) => Ok(()),
		Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Err(KeystoreError::Exists(path.into())),
		Err(failed) => Err(disk(failed.error)),
	}
}

/// Whether `text` names a development key, like `//Alice`: known to everybody, worth nothing outside a development chain.
pub fn is_development_key(text: &str) -> bool {
	text.strip_prefix("//")
		.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// The key of a recovery phrase, or a development key like `//Alice`.
pub fn from_phrase(text: &str) -> Result<sr25519::Pair, KeystoreError> {
	match is_development_key(text) {
		true => sr25519::Pair::from_string(text, None).map_err(|_| KeystoreError::Phrase),
		false => from_own_phrase(text),
	}
}

/// The key of a recovery phrase, which may be followed by a path and a password: `WORDS//path///password`.
///
/// Without words of one's own the SDK would take those of the development keys.
pub fn from_own_phrase(text: &str) -> Result<sr25519::Pair, KeystoreError> {
	let text = text.trim();
	let words = text.split('/').next().unwrap_or_default();
	let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
	if words.is_empty() || words == DEV_PHRASE {
		return Err(KeystoreError::Known);
	}
	sr25519::Pair::from_string(text, None).map_err(|_| KeystoreError::Phrase)
}

/// A new key and its recovery phrase of 12 words.
pub fn generate() -> (sr25519::Pair, String) {
	let (pair, phrase, _) = sr25519::Pair::generate_with_phrase(None);
	(pair, phrase)
}

fn parse(name: &str, text: &str) -> Result<KeyFile, KeystoreError> {
	serde_json::from_str(text).map_err(|error| KeystoreError::File {
		name: name.into(),
		source: error.into(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn keystore() -> (tempfile::TempDir, Keystore) {
		let folder = tempfile::tempdir().unwrap();
		let keystore = Keystore::new(folder.path().join("keys"));
		(folder, keystore)
	}

	#[test]
	fn open_should_give_the_stored_key_when_the_password_is_right() {
		let (_folder, keystore) = keystore();
		let (pair, phrase) = generate();
		keystore.store("mine", &KeyFile::seal("mine", &pair, "pw")).unwrap();
		assert_eq!(keystore.open("mine", "pw").unwrap().public(), pair.public());
		assert_eq!(from_phrase(&phrase).unwrap().public(), pair.public());
		assert!(matches!(
			keystore.open("mine", "other"),
			Err(KeystoreError::File { .. })
		));
		assert!(matches!(
			keystore.open("yours", "pw"),
			Err(KeystoreError::Unknown { .. })
		));
		assert_eq!(
			keystore.list().unwrap(),
			vec![("mine".into(), Some(pair.public().into()))]
		);
	}

	#[test]
	fn store_should_refuse_when_the_name_is_taken_or_leads_elsewhere() {
		let (_folder, keystore) = keystore();
		let file = KeyFile::seal("a", &generate().0, "");
		keystore.store("a", &file).unwrap();
		assert!(matches!(keystore.store("a", &file), Err(KeystoreError::Exists(_))));
		for name in ["", "../a", "a/b", "a.b", "//Alice"] {
			assert!(
				matches!(keystore.store(name, &file), Err(KeystoreError::Name(_))),
				"{name}"
			);
		}
	}

	#[cfg(unix)]
	#[test]
	fn store_should_let_only_the_owner_read_and_leave_nothing_else_behind() {
		use std::os::unix::fs::PermissionsExt;
		let (folder, keystore) = keystore();
		let path = keystore.store("a", &KeyFile::seal("a", &generate().0, "")).unwrap();
		assert!(keystore.store("a", &KeyFile::seal("a", &generate().0, "")).is_err());
		assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(fs::read_dir(folder.path().join("keys")).unwrap().count(), 1);
	}

	#[test]
	fn write_new_should_keep_the_file_that_is_there() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("exported.json");
		let [first, second] = [(); 2].map(|()| KeyFile::seal("a", &generate().0, "pw"));
		write_new(&path, &first).unwrap();
		assert!(matches!(write_new(&path, &second), Err(KeystoreError::Exists(there)) if there == path));
		assert_eq!(parse("a", &fs::read_to_string(&path).unwrap()).unwrap(), first);
	}

	#[test]
	fn own_phrases_should_be_refused_when_everybody_has_their_key() {
		for text in [
			"",
			"\n",
			"/x",
			"//Alice",
			"///pw",
			"//Alice///pw",
			DEV_PHRASE,
			&DEV_PHRASE.replace(' ', "  "),
		] {
			assert!(matches!(from_own_phrase(text), Err(KeystoreError::Known)), "{text:?}");
		}
		assert!(matches!(
			from_own_phrase(&format!("{DEV_PHRASE}//Bob")),
			Err(KeystoreError::Known)
		));
		assert!(matches!(from_own_phrase("one two three"), Err(KeystoreError::Phrase)));
		let (pair, phrase) = generate();
		assert_eq!(
			from_own_phrase(&format!(" {phrase}\n")).unwrap().public(),
			pair.public()
		);
		assert_ne!(
			from_own_phrase(&format!("{phrase}//x")).unwrap().public(),
			pair.public()
		);
	}

	#[test]
	fn development_keys_should_be_told_from_models_paths_and_phrases() {
		assert!(is_development_key("//Alice"));
		for text in ["//Alice/magika", "/tmp", "//", "alice", ""] {
			assert!(!is_development_key(text), "{text}");
		}
		assert!(from_phrase("//Alice").is_ok());
		assert!(matches!(from_phrase(""), Err(KeystoreError::Known)));
	}

	#[test]
	fn list_should_be_empty_when_there_is_no_folder() {
		assert_eq!(keystore().1.list().unwrap(), vec![]);
	}
}
