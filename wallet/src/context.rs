//! What every command needs: options, keys, the connection.

use crate::{
	args::Global,
	client::{Client, Signer, Wait},
	error::CommandError,
	keystore::{self, is_development_key, Keystore, KeystoreError},
	output::Output,
};
use highway_primitives::ModelId;
use highway_runtime_api::types::ModelInfo;
use sp_core::{
	crypto::{AccountId32, Ss58Codec},
	Pair,
};
use std::{env, fs, io, io::IsTerminal, path::PathBuf};

/// Variable with the password of the key, for programs.
pub const PASSWORD_VARIABLE: &str = "HIGHWAY_PASSWORD";

/// What every command needs.
pub struct Context {
	/// Options.
	pub global: Global,
	/// Where results go.
	pub output: Output,
	/// Keys.
	pub keystore: Keystore,
}

impl Context {
	/// From the options.
	pub fn new(global: Global) -> Self {
		let folder = global.keystore.clone().unwrap_or_else(Keystore::default_folder);
		Self {
			output: Output::new(global.json),
			keystore: Keystore::new(folder),
			global,
		}
	}

	/// Connects to the node.
	pub async fn connect(&self) -> Result<Client, CommandError> {
		Ok(Client::connect(&self.global.url).await?)
	}

	/// The folder of bids that are to be revealed: beside the keys, as they are as secret until then.
	pub fn bids_folder(&self) -> PathBuf {
		self.keystore.folder().join("bids")
	}

	/// When a transaction counts as done.
	pub fn wait(&self) -> Wait {
		if self.global.finalized {
			Wait::Finalized
		} else {
			Wait::InBlock
		}
	}

	/// The key that signs.
	pub fn signer(&self, client: &Client) -> Result<Signer, CommandError> {
		let name = self.key_name()?;
		admit(&name, client.is_for_development())?;
		if is_development_key(&name) {
			return Ok(Signer::new(keystore::from_phrase(&name)?));
		}
		// A name that does not exist is told before a password is asked for.
		self.keystore.read(&name)?;
		let password = self.password(&format!("Password of the key '{name}': "))?;
		Ok(Signer::new(self.keystore.open(&name, &password)?))
	}

	/// The account of the chosen key; needs no password.
	pub fn own_account(&self, client: &Client) -> Result<AccountId32, CommandError> {
		self.account(client, &self.key_name()?)
	}

	/// An account on the client's chain, which takes development keys on development chains only: anywhere else a
	/// mistyped one would send money to everybody.
	pub fn account(&self, client: &Client, text: &str) -> Result<AccountId32, CommandError> {
		admit(text, client.is_for_development())?;
		self.account_of(text)
	}

	/// An account on any chain, written as an SS58 address, as 0x and 32 bytes of hex, as the name of a key, or as a
	/// development key.
	pub fn account_of(&self, text: &str) -> Result<AccountId32, CommandError> {
		if is_development_key(text) {
			return Ok(keystore::from_phrase(text)?.public().into());
		}
		if let Some(bytes) = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok()) {
			if let Ok(bytes) = <[u8; 32]>::try_from(bytes) {
				return Ok(bytes.into());
			}
		}
		if let Ok((account, _)) = AccountId32::from_ss58check_with_version(text) {
			return Ok(account);
		}
		match self.keystore.read(text) {
			Ok(file) => file
				.account()
				.ok_or_else(|| CommandError::NotFound(format!("the key '{text}' has no address"))),
			Err(KeystoreError::Unknown { .. } | KeystoreError::Name(_)) => Err(CommandError::NotFound(format!(
				"'{text}' is neither an address nor the name of a key; `highway key list` shows the keys"
			))),
			Err(error) => Err(error.into()),
		}
	}

	/// A model, written as its id, as `owner/name`, or, if the chosen key owns it, as its name.
	pub async fn model(&self, client: &Client, text: &str) -> Result<ModelInfo<AccountId32>, CommandError> {
		let found = match (text.parse::<ModelId>(), text.rsplit_once('/')) {
			(Ok(id), _) => client.model(id).await?,
			(_, Some((owner, name))) => client.model_by_name(&self.account(client, owner)?, name).await?,
			(_, None) => client.model_by_name(&self.own_account(client)?, text).await?,
		};
		found.ok_or_else(|| {
			CommandError::NotFound(format!(
				"there is no model '{text}'; write its id, OWNER/NAME, or the name of one of your own; `highway model list` shows all"
			))
		})
	}

	/// The password: from the file, the variable or the terminal.
	pub fn password(&self, prompt: &str) -> Result<String, CommandError> {
		if let Some(path) = &self.global.password_file {
			let text = fs::read_to_string(path).map_err(|source| CommandError::File {
				path: path.clone(),
				source,
			})?;
			return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
		}
		if let Ok(password) = env::var(PASSWORD_VARIABLE) {
			return Ok(password);
		}
		if !io::stdin().is_terminal() {
			return Err(CommandError::Usage(format!(
				"a password is needed: give it with --password-file or in the variable {PASSWORD_VARIABLE}"
			)));
		}
		rpassword::prompt_password(prompt)
			.map_err(|error| CommandError::Usage(format!("no password could be read: {error}")))
	}

	/// A new password, asked for twice where a person types it.
	pub fn new_password(&self) -> Result<String, CommandError> {
		let first = self.password("New password: ")?;
		if first.is_empty() {
			return Err(CommandError::Usage(
				"an empty password protects nothing: nothing was stored".into(),
			));
		}
		let typed = self.global.password_file.is_none() && env::var(PASSWORD_VARIABLE).is_err();
		if typed && self.password("The same again: ")? != first {
			return Err(CommandError::Usage(
				"the two passwords differ: nothing was stored".into(),
			));
		}
		Ok(first)
	}

	fn key_name(&self) -> Result<String, CommandError> {
		if let Some(name) = &self.global.key {
			return Ok(name.clone());
		}
		let mut keys = self.keystore.list()?;
		match (keys.pop(), keys.is_empty()) {
			(Some((name, _)), true) => Ok(name),
			(None, _) => Err(CommandError::Usage(
				"there is no key yet: make one with `highway key generate NAME`, or use a development key with --key //Alice"
					.into(),
			)),
			_ => Err(CommandError::Usage("there are several keys: choose one with --key NAME; `highway key list` shows them".into())),
		}
	}
}

/// Error if `text` is a development key and the chain is not `for_development`.
fn admit(text: &str, for_development: bool) -> Result<(), KeystoreError> {
	match is_development_key(text) && !for_development {
		true => Err(KeystoreError::NotHere(text.into())),
		false => Ok(()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{args::Cli, keystore::KeyFile};
	use clap::Parser;

	fn context(folder: &tempfile::TempDir, options: &[&str]) -> Context {
		let folder = folder.path().to_str().unwrap();
		let words = ["highway", "--keystore", folder, "--key", "//Alice", "balance"];
		Context::new(Cli::parse_from(words.iter().chain(options)).global)
	}

	#[test]
	fn account_should_be_found_in_every_form() {
		let folder = tempfile::tempdir().unwrap();
		let context = context(&folder, &[]);
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		let expected = context.account_of("//Alice").unwrap();
		assert_eq!(expected.to_ss58check(), alice);
		assert_eq!(context.account_of(alice).unwrap(), expected);
		assert_eq!(
			context.account_of(&format!("0x{}", hex::encode(&expected))).unwrap(),
			expected
		);
		let pair = keystore::from_phrase("//Bob").unwrap();
		context.keystore.store("bob", &KeyFile::seal("bob", &pair, "")).unwrap();
		assert_eq!(context.account_of("bob").unwrap(), pair.public().into());
		assert!(context.account_of("carol").is_err());
		assert!(context.account_of("0x1234").is_err());
	}

	#[test]
	fn development_keys_should_be_refused_when_the_chain_is_not_for_development() {
		assert!(admit("//Alcie", true).is_ok());
		let refused = admit("//Alcie", false).unwrap_err().to_string();
		assert!(refused.contains("//Alcie") && refused.contains("address"), "{refused}");
		assert!(admit("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", false).is_ok());
	}

	#[test]
	fn new_password_should_be_refused_when_it_is_empty() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("password");
		let context = context(&folder, &["--password-file", file.to_str().unwrap()]);
		fs::write(&file, "\n").unwrap();
		assert!(matches!(context.new_password(), Err(CommandError::Usage(_))));
		fs::write(&file, "correct horse\n").unwrap();
		assert_eq!(context.new_password().unwrap(), "correct horse");
	}
}
