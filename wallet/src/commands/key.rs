//! `highway key`

use crate::{
	context::Context,
	error::CommandError,
	keystore::{self, is_development_key, KeyFile},
	output::table,
};
use clap::Subcommand;
use serde_json::json;
use sp_core::crypto::Ss58Codec;
use std::{
	io::{self, IsTerminal},
	path::PathBuf,
};

/// Commands about keys.
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
	/// Makes a key, shows its recovery phrase once, and stores it encrypted.
	Generate {
		/// Its name.
		name: String,
	},
	/// Stores a key that exists: from its recovery phrase (asked for, or read from stdin), or from a file of polkadot-js.
	Import {
		/// Its name here.
		name: String,
		/// Key file exported by polkadot-js; it keeps its password.
		#[arg(long, value_name = "FILE")]
		polkadot_js: Option<PathBuf>,
	},
	/// Lists the keys.
	List,
	/// Shows a key's account.
	Show {
		/// Its name, or a development key.
		name: String,
	},
	/// Prints a key's file, still encrypted, in the format of polkadot-js.
	Export {
		/// Its name.
		name: String,
		/// A new file to write it to, instead of stdout.
		#[arg(long, value_name = "FILE")]
		to: Option<PathBuf>,
	},
}

/// Runs it.
pub fn run(context: &Context, command: KeyCommand) -> Result<(), CommandError> {
	match command {
		KeyCommand::Generate { name } => generate(context, &name),
		KeyCommand::Import {
			name,
			polkadot_js: Some(path),
		} => {
			let password = context.password("Password of the file: ")?;
			let file = keystore::read_foreign(&path, &password)?.renamed(&name);
			if password.is_empty() {
				return Err(CommandError::Usage(
					"the file's password is empty, so it protects nothing: set one in polkadot-js and export the file again"
						.into(),
				));
			}
			store(context, &name, &file, None)
		}
		KeyCommand::Import {
			name,
			polkadot_js: None,
		} => {
			let pair = keystore::from_own_phrase(&read_phrase()?)?;
			let password = context.new_password()?;
			store(context, &name, &KeyFile::seal(&name, &pair, &password), None)
		}
		KeyCommand::List => list(context),
		KeyCommand::Show { name } => show(context, &name),
		KeyCommand::Export { name, to } => export(context, &name, to),
	}
}

fn generate(context: &Context, name: &str) -> Result<(), CommandError> {
	context.keystore.ensure_free(name)?;
	let password = context.new_password()?;
	let (pair, phrase) = keystore::generate();
	store(context, name, &KeyFile::seal(name, &pair, &password), Some(phrase))
}

fn store(context: &Context, name: &str, file: &KeyFile, phrase: Option<String>) -> Result<(), CommandError> {
	let path = context.keystore.store(name, file)?;
	let address = file.account().map(|account| account.to_ss58check()).unwrap_or_default();
	context.output.result(
		json!({ "name": name, "address": address, "file": path.display().to_string(), "phrase": phrase }),
		|| {
			let phrase = phrase.as_ref().map_or(String::new(), |phrase| {
				format!(
					"\nRecovery phrase, shown this once. Who has it has the money; write it on paper:\n\n  {phrase}\n"
				)
			});
			format!("{name}: {address}\nstored in {}\n{phrase}", path.display())
		},
	);
	Ok(())
}

fn list(context: &Context) -> Result<(), CommandError> {
	let keys: Vec<_> = context
		.keystore
		.list()?
		.into_iter()
		.map(|(name, account)| {
			(
				name,
				account.map_or("not a key file".into(), |account| account.to_ss58check()),
			)
		})
		.collect();
	let json = keys
		.iter()
		.map(|(name, address)| json!({ "name": name, "address": address }))
		.collect();
	context.output.result(json, || {
		if keys.is_empty() {
			return "There are no keys. `highway key generate NAME` makes one.".into();
		}
		table(
			["key", "address"],
			keys.into_iter().map(|(name, address)| [name, address]),
		)
	});
	Ok(())
}

fn show(context: &Context, name: &str) -> Result<(), CommandError> {
	let account = context.account_of(name)?;
	let (address, public) = (account.to_ss58check(), format!("0x{}", hex::encode(account)));
	let development = is_development_key(name);
	context.output.result(
		json!({ "name": name, "address": address, "public": public, "development": development }),
		|| {
			let warning = if development {
				"\nEverybody has this key: for development chains only.\n"
			} else {
				""
			};
			format!("{name}\naddress  {address}\npublic   {public}\n{warning}")
		},
	);
	Ok(())
}

fn export(context: &Context, name: &str, to: Option<PathBuf>) -> Result<(), CommandError> {
	let file = context.keystore.read(name)?;
	let Some(path) = to else {
		let json = serde_json::to_value(&file).expect("a key file is plain JSON; qed");
		context.output.result(json.clone(), || json.to_string());
		return Ok(());
	};
	keystore::write_new(&path, &file)?;
	let said = format!("{name} is in {}, encrypted with its password", path.display());
	context
		.output
		.result(json!({ "file": path.display().to_string() }), || said);
	Ok(())
}

/// From a terminal without showing it, or from stdin.
fn read_phrase() -> Result<String, CommandError> {
	let failed = |error: io::Error| CommandError::Usage(format!("no recovery phrase could be read: {error}"));
	if io::stdin().is_terminal() {
		return rpassword::prompt_password("Recovery phrase: ").map_err(failed);
	}
	let mut line = String::new();
	io::stdin().read_line(&mut line).map_err(failed)?;
	Ok(line)
}
