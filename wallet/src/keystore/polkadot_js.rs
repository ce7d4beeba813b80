//! The key file of polkadot-js, version 3: a PKCS#8 like wrapping of an sr25519 key, sealed with XSalsa20-Poly1305
//! under a key that scrypt derives from the password. Any wallet of the polkadot-js family reads and writes it.

use base64::{engine::general_purpose::STANDARD as BASE64, Engine};
use crypto_secretbox::{
	aead::{Aead, KeyInit},
	Key, Nonce, XSalsa20Poly1305,
};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sp_core::{
	crypto::{AccountId32, Ss58Codec},
	sr25519, Pair,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Start of the sealed bytes: the head of a PKCS#8 structure.
const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
/// Between secret and public key.
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];
/// Salt of 32 bytes, then N, p and r as little-endian `u32`s, then the nonce of 24 bytes.
const SEALED_AT: usize = 68;
/// scrypt's N = 2¹⁵, p = 1, r = 8: the one choice that every reader of the format accepts.
const SCRYPT: (u32, u32, u32) = (1 << 15, 1, 8);
/// The choices of (N, p, r) that polkadot-js accepts. Others would let a hostile file take all memory.
const SCRYPT_ACCEPTED: [(u32, u32, u32); 6] = [
	(1 << 13, 10, 8),
	(1 << 14, 5, 8),
	(1 << 15, 3, 8),
	(1 << 15, 1, 8),
	(1 << 16, 2, 8),
	(1 << 17, 1, 8),
];

/// Why a key file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
	/// It is not JSON of the expected shape.
	#[error("it is not a polkadot-js key file: {0}")]
	Shape(#[from] serde_json::Error),
	/// It is sealed in another way, or holds another kind of key.
	#[error("it holds a key of a kind that is not supported: {0} (an encrypted sr25519 key, version 3, is)")]
	Unsupported(String),
	/// It does not open.
	#[error("the password is wrong, or the file is damaged")]
	WrongPassword,
	/// What was inside is not the key that it claims to be.
	#[error("the key inside does not belong to the address {0}")]
	OtherKey(String),
}

/// How the secret is sealed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Encoding {
	content: Vec<String>,
	r#type: Vec<String>,
	version: String,
}

/// What people call the key.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
	name: String,
	when_created: u64,
}

/// A key file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyFile {
	encoded: String,
	encoding: Encoding,
	address: String,
	#[serde(default)]
	meta: Meta,
}

impl KeyFile {
	/// Seals `pair` with `password`.
	pub fn seal(name: &str, pair: &sr25519::Pair, password: &str) -> Self {
		let mut head = [0u8; SEALED_AT];
		rand::rngs::OsRng.fill_bytes(&mut head);
		let (n, p, r) = SCRYPT;
		head[32..36].copy_from_slice(&n.to_le_bytes());
		head[36..40].copy_from_slice(&p.to_le_bytes());
		head[40..44].copy_from_slice(&r.to_le_bytes());

		let mut secret = pair.to_raw_vec();
		shift_left_by_three(&mut secret[..32]);
		let plain = [&HEADER[..], &secret, &DIVIDER, pair.public().as_ref()].concat();
		let sealed = XSalsa20Poly1305::new(&derive(password, &head[..32], SCRYPT))
			.encrypt(Nonce::from_slice(&head[44..]), plain.as_slice())
			.expect("sealing 117 bytes in memory fits any buffer; qed");

		let list = |words: [&str; 2]| words.map(String::from).to_vec();
		Self {
			encoded: BASE64.encode([&head[..], &sealed].concat()),
			encoding: Encoding {
				content: list(["pkcs8", "sr25519"]),
				r#type: list(["scrypt", "xsalsa20-poly1305"]),
				version: "3".into(),
			},
			address: AccountId32::from(pair.public()).to_ss58check(),
			meta: Meta {
				name: name.into(),
				when_created: SystemTime::now()
					.duration_since(UNIX_EPOCH)
					.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
			},
		}
	}

	/// Opens it with `password`.
	pub fn open(&self, password: &str) -> Result<sr25519::Pair, KeyFileError> {
		let has = |list: &[String], word: &str| list.iter().any(|entry| entry == word);
		let Encoding {
			content,
			r#type,
			version,
		} = &self.encoding;
		if version != "3"
			|| !has(content, "pkcs8")
			|| !has(content, "sr25519")
			|| !has(r#type, "scrypt")
			|| !has(r#type, "xsalsa20-poly1305")
		{
			return Err(KeyFileError::Unsupported(format!(
				"version {version}, {}, {}",
				content.join("+"),
				r#type.join("+")
			)));
		}
		let bytes = BASE64
			.decode(&self.encoded)
			.map_err(|error| KeyFileError::Unsupported(error.to_string()))?;
		if bytes.len() < SEALED_AT {
			return Err(KeyFileError::Unsupported("too short".into()));
		}
		let (head, sealed) = bytes.split_at(SEALED_AT);
		let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
		let parameters = (number(32), number(36), number(40));
		if !SCRYPT_ACCEPTED.contains(&parameters) {
			return Err(KeyFileError::Unsupported(format!(
				"scrypt parameters (N, p, r) = {parameters:?}"
			)));
		}

		let plain = XSalsa20Poly1305::new(&derive(password, &head[..32], parameters))
			.decrypt(Nonce::from_slice(&head[44..]), sealed)
			.map_err(|_| KeyFileError::WrongPassword)?;
		if plain.len() != 117 || plain[..16] != HEADER || plain[80..85] != DIVIDER {
			return Err(KeyFileError::Unsupported("other content than an sr25519 key".into()));
		}
		let mut secret = plain[16..80].to_vec();
		shift_right_by_three(&mut secret[..32]);
		let pair = sr25519::Pair::from_seed_slice(&secret)
			.map_err(|_| KeyFileError::Unsupported("an invalid sr25519 key".into()))?;
		if pair.public().0[..] != plain[85..] || self.account() != Some(pair.public().into()) {
			return Err(KeyFileError::OtherKey(self.address.clone()));
		}
		Ok(pair)
	}

	/// The account, as far as the file can be believed without its password.
	pub fn account(&self) -> Option<AccountId32> {
		// The prefix of another network does not change the key.
		AccountId32::from_ss58check_with_version(&self.address)
			.ok()
			.map(|(account, _)| account)
	}

	/// The same key under another name.
	pub fn renamed(mut self, name: &str) -> Self {
		self.meta.name = name.into();
		self
	}
}

fn derive(password: &str, salt: &[u8], (n, p, r): (u32, u32, u32)) -> Key {
	let parameters = scrypt::Params::new(n.ilog2() as u8, r, p, 32).expect("all accepted parameters are valid; qed");
	let mut key = Key::default();
	scrypt::scrypt(password.as_bytes(), salt, &parameters, &mut key).expect("32 bytes is a valid length; qed");
	key
}

/// The format keeps the secret scalar as ed25519 libraries do: times the cofactor 8, little-endian.
fn shift_left_by_three(scalar: &mut [u8]) {
	let mut carry = 0;
	for byte in scalar {
		let next = *byte >> 5;
		*byte = (*byte << 3) | carry;
		carry = next;
	}
}

/// Undoes [`shift_left_by_three`].
fn shift_right_by_three(scalar: &mut [u8]) {
	let mut carry = 0;
	for byte in scalar.iter_mut().rev() {
		let next = *byte << 5;
		*byte = (*byte >> 3) | carry;
		carry = next;
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Written by polkadot-js for //Alice, password `whoisalice`; also the test file of the subxt project.
	const ALICE: &str = r#"{
		"encoded": "DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3",
		"encoding": { "content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3" },
		"address": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		"meta": { "genesisHash": "", "name": "Alice", "whenCreated": 1718265838755 }
	}"#;

	fn alice() -> sr25519::Pair {
		sr25519::Pair::from_string("//Alice", None).unwrap()
	}

	#[test]
	fn open_should_give_the_key_when_polkadot_js_wrote_the_file() {
		let file: KeyFile = serde_json::from_str(ALICE).unwrap();
		assert_eq!(file.open("whoisalice").unwrap().to_raw_vec(), alice().to_raw_vec());
		assert!(matches!(file.open("whoisbob"), Err(KeyFileError::WrongPassword)));
	}

	#[test]
	fn open_should_give_the_key_back_when_it_was_sealed_here() {
		let (pair, _) = sr25519::Pair::generate();
		let text = serde_json::to_string(&KeyFile::seal("mine", &pair, "secret")).unwrap();
		let file: KeyFile = serde_json::from_str(&text).unwrap();
		assert_eq!(file.open("secret").unwrap().to_raw_vec(), pair.to_raw_vec());
		assert!(matches!(file.open(""), Err(KeyFileError::WrongPassword)));
	}

	#[test]
	fn open_should_refuse_when_the_address_is_somebody_elses() {
		let mut file: KeyFile = serde_json::from_str(ALICE).unwrap();
		file.address = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty".into();
		assert!(matches!(file.open("whoisalice"), Err(KeyFileError::OtherKey(_))));
	}

	#[test]
	fn open_should_refuse_when_scrypt_would_take_all_memory() {
		let mut file: KeyFile = serde_json::from_str(ALICE).unwrap();
		let mut bytes = BASE64.decode(&file.encoded).unwrap();
		bytes[32..36].copy_from_slice(&(1u32 << 30).to_le_bytes());
		file.encoded = BASE64.encode(bytes);
		assert!(matches!(file.open("whoisalice"), Err(KeyFileError::Unsupported(_))));
	}
}
