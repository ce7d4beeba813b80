//! Salts of commitments: made from one secret of this wallet, so that a file has the same salt whenever it is asked for.
//!
//! Nothing has to be written down between commitment and registration, so that nothing can be lost there.

use crate::{commands::file_error, error::CommandError};
use highway_primitives::BlobHash;
use rand::RngCore;
use sp_core::crypto::AccountId32;
use std::{
	fs,
	io::{self, Read, Write},
	path::Path,
};

/// Name of the secret's file in the folder of the keys.
const FILE: &str = "model-salt";

/// What hides the artefact in a commitment of `owner` on the chain with this genesis block. The secret that it is made of
/// lies in `folder`; it is made when the first salt is asked for.
pub fn salt(
	folder: &Path,
	genesis: &[u8; 32],
	owner: &AccountId32,
	artefact: &BlobHash,
) -> Result<[u8; 32], CommandError> {
	let path = folder.join(FILE);
	let secret = secret(&path).map_err(|source| file_error(&path, source))?;
	let owner: &[u8; 32] = owner.as_ref();
	let mut hasher = blake3::Hasher::new_keyed(&secret);
	hasher.update(genesis).update(owner).update(artefact.as_bytes());
	Ok(*hasher.finalize().as_bytes())
}

fn secret(path: &Path) -> io::Result<[u8; 32]> {
	match fs::File::open(path) {
		Ok(file) => read(file),
		Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
		Err(error) => Err(error),
	}
}

fn read(file: fs::File) -> io::Result<[u8; 32]> {
	let mut bytes = Vec::new();
	file.take(33).read_to_end(&mut bytes)?;
	let strange = "it is no secret of 32 bytes: move it away, and a new one is made";
	bytes
		.try_into()
		.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, strange))
}

/// All of it or nothing, readable by its owner only. If another process makes one at the same time, the first one stays.
fn make(path: &Path) -> io::Result<[u8; 32]> {
	let folder = path.parent().unwrap_or(Path::new("."));
	fs::create_dir_all(folder)?;
	let mut secret = [0; 32];
	rand::rngs::OsRng.fill_bytes(&mut secret);
	let mut new = tempfile::Builder::new().prefix(".highway-").tempfile_in(folder)?;
	new.write_all(&secret)?;
	new.as_file().sync_all()?;
	match new.persist_noclobber(path) {
		Ok(_) => Ok(secret),
		Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => read(fs::File::open(path)?),
		Err(failed) => Err(failed.error),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const GENESIS: [u8; 32] = [1; 32];

	fn of(folder: &Path, owner: u8, artefact: u8) -> Result<[u8; 32], CommandError> {
		let (owner, artefact) = (AccountId32::new([owner; 32]), BlobHash::repeat_byte(artefact));
		salt(folder, &GENESIS, &owner, &artefact)
	}

	#[test]
	fn salt_should_be_the_same_when_it_is_asked_for_again_and_nobodys_elses() {
		let folder = tempfile::tempdir().unwrap();
		let keys = folder.path().join("keys");
		let first = of(&keys, 1, 1).unwrap();
		assert_eq!(first, of(&keys, 1, 1).unwrap());
		assert_ne!(first, of(&keys, 2, 1).unwrap());
		assert_ne!(first, of(&keys, 1, 2).unwrap());
		let elsewhere = salt(&keys, &[2; 32], &AccountId32::new([1; 32]), &BlobHash::repeat_byte(1));
		assert_ne!(first, elsewhere.unwrap(), "another chain");
		let other = tempfile::tempdir().unwrap();
		assert_ne!(first, of(other.path(), 1, 1).unwrap(), "another wallet");
	}

	#[test]
	fn secret_should_be_the_owners_alone_and_the_only_file() {
		let folder = tempfile::tempdir().unwrap();
		of(folder.path(), 1, 1).unwrap();
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
		let path = folder.path().join(FILE);
		assert_eq!(fs::read(&path).unwrap().len(), 32);
		#[cfg(unix)]
		{
			use std::os::unix::fs::PermissionsExt;
			assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
		}
	}

	#[test]
	fn a_strange_file_should_be_left_as_it_is() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join(FILE);
		for strange in [&b""[..], &[7; 31], &[7; 33]] {
			fs::write(&path, strange).unwrap();
			let error = of(folder.path(), 1, 1).unwrap_err().to_string();
			assert!(error.contains(FILE) && error.contains("move it away"), "{error}");
			assert_eq!(fs::read(&path).unwrap(), strange);
		}
	}

	#[test]
	fn processes_that_start_together_should_have_one_secret() {
		let folder = tempfile::tempdir().unwrap();
		let salts: Vec<_> = std::thread::scope(|scope| {
			let threads: Vec<_> = (0..8)
				.map(|_| scope.spawn(|| of(folder.path(), 1, 1).unwrap()))
				.collect();
			threads.into_iter().map(|thread| thread.join().unwrap()).collect()
		});
		assert!(salts.iter().all(|salt| *salt == salts[0]));
	}
}
