//! `highway curator`

use super::submit;
use crate::{
	amount::{decimal, with_unit},
	args::parse_amount,
	client::calls::{self, CuratorProfile},
	context::Context,
	error::CommandError,
	output::{facts, plain, table},
};
use clap::{Args, Subcommand};
use highway_primitives::Balance;
use highway_runtime_api::types::CuratorInfo;
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use sp_runtime::{traits::Get, BoundedVec};

/// Shown below the help of `set`.
const SET_HELP: &str = "\
Whoever chooses models for others, in a wallet, an app or a list, is named by the payer (`highway infer --curator ACCOUNT`) and
earns its fee from each such job that is settled. A payer that names itself pays no such fee.
  highway --key me curator set --fee 0.01 --name 'Good models' --url https://example.org
  highway --key me earnings
A new fee holds for jobs that are submitted from then on. What is not given stays as it is. A deposit is held meanwhile.";

/// Shown below the help of `show` and `list`.
const RECORD_HELP: &str = "\
Jobs and earnings are of settled jobs that named the curator, and do not say whose: it can pay for jobs of its own. A count
of jobs costs little to fake, a sum of earnings 4 to 5 % of it: go by the sum, and no further than that.";

/// Commands of curators.
#[derive(Subcommand, Debug)]
pub enum CuratorCommand {
	/// Posts your profile, and what you ask for per job that names you.
	#[command(after_help = SET_HELP)]
	Set(SetArgs),
	/// Shows a curator: its fee, and what it earned so far.
	#[command(after_help = RECORD_HELP)]
	Show {
		/// The account; by default the one of the key.
		account: Option<String>,
	},
	/// Lists the curators: fees, settled jobs, and what they earned.
	#[command(after_help = RECORD_HELP)]
	List {
		/// The most to show.
		#[arg(long, default_value_t = 100, value_name = "CURATORS", value_parser = clap::value_parser!(u32).range(1..))]
		limit: u32,
		/// Only those behind this one, as the list before said.
		#[arg(long, value_name = "ACCOUNT")]
		from: Option<String>,
	},
	/// Takes your profile and your fee back, and with them the deposit.
	Remove,
}

/// A profile.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["fee", "name", "url"])))]
pub struct SetArgs {
	/// How much for each job, in AIC.
	#[arg(long, value_parser = parse_amount, value_name = "AIC")]
	pub fee: Option<Balance>,
	/// Under which name people know you; at most 32 bytes.
	#[arg(long)]
	pub name: Option<String>,
	/// Where they find more; at most 128 bytes.
	#[arg(long)]
	pub url: Option<String>,
}

/// Runs it.
pub async fn run(context: &Context, command: CuratorCommand) -> Result<(), CommandError> {
	match command {
		CuratorCommand::Set(args) => set(context, args).await,
		CuratorCommand::Show { account } => show(context, account).await,
		CuratorCommand::List { limit, from } => list(context, limit, from).await,
		CuratorCommand::Remove => {
			let call = [calls::set_curator(0, CuratorProfile::default())];
			super::submit_and_say(context, &call, "You are no curator any more; the deposit is back").await
		}
	}
}

async fn set(context: &Context, args: SetArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let before = client.curator(&signer.account()).await?;
	let (fee, profile) = changed(before.as_ref(), args)?;
	let (name, url) = (plain(&profile.name), plain(&profile.url));
	let included = submit(context, &client, &signer, &[calls::set_curator(fee, profile)], 0).await?;
	context.output.result(
		json!({ "fee": decimal(fee), "name": name, "url": url, "block": included.block }),
		|| {
			format!(
				"{name} asks {} for each job that names {}",
				with_unit(fee),
				signer.account().to_ss58check()
			)
		},
	);
	Ok(())
}

/// The fee and the profile with these changes.
fn changed(
	before: Option<&CuratorInfo<AccountId32>>,
	args: SetArgs,
) -> Result<(Balance, CuratorProfile), CommandError> {
	let fee = args.fee.or(before.map(|before| before.fee)).unwrap_or_default();
	let (name, url) = before
		.map(|before| (before.name.clone(), before.url.clone()))
		.unwrap_or_default();
	let name = args.name.map_or(name, String::into_bytes);
	let url = args.url.map_or(url, String::into_bytes);
	if name.is_empty() {
		return Err(CommandError::Usage(
			"a curator has a name: give --name; `highway curator remove` ends it".into(),
		));
	}
	if plain(&name).as_bytes() != name {
		return Err(CommandError::Usage(
			"the name has characters that are not seen, which the chain refuses: leave them out".into(),
		));
	}
	if !url.iter().all(u8::is_ascii_graphic) {
		return Err(CommandError::Usage(
			"the url has blanks or characters beyond ASCII, which the chain refuses: write it as a browser sends it"
				.into(),
		));
	}
	let profile = CuratorProfile {
		name: bounded("name", name)?,
		url: bounded("url", url)?,
	};
	Ok((fee, profile))
}

fn bounded<S: Get<u32>>(what: &str, bytes: Vec<u8>) -> Result<BoundedVec<u8, S>, CommandError> {
	let length = bytes.len();
	bytes
		.try_into()
		.map_err(|_| CommandError::Usage(format!("the {what} has {length} bytes: at most {} are kept", S::get())))
}

async fn show(context: &Context, account: Option<String>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let account = match account {
		Some(text) => context.account(&client, &text)?,
		None => context.own_account(&client)?,
	};
	let curator = client.curator(&account).await?.ok_or_else(|| {
		CommandError::NotFound(format!(
			"{} is no curator; `highway curator list` shows those who are, `highway curator set` makes you one",
			account.to_ss58check()
		))
	})?;
	context.output.result(to_json(&curator), || to_text(&curator));
	Ok(())
}

async fn list(context: &Context, limit: u32, from: Option<String>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let from = from.map(|text| context.account(&client, &text)).transpose()?;
	let (curators, next) = client.curators(from, limit as usize).await?;
	let next = next.map(|next| next.to_ss58check());
	context.output.result(
		json!({ "curators": curators.iter().map(to_json).collect::<Vec<_>>(), "next": next }),
		|| list_text(&curators, next.as_deref()),
	);
	Ok(())
}

fn to_json(curator: &CuratorInfo<AccountId32>) -> Value {
	json!({
		"account": curator.account.to_ss58check(),
		"name": String::from_utf8_lossy(&curator.name),
		"url": String::from_utf8_lossy(&curator.url),
		"fee": decimal(curator.fee),
		"jobs": curator.jobs,
		"earned": decimal(curator.earned),
	})
}

fn to_text(curator: &CuratorInfo<AccountId32>) -> String {
	facts([
		("account", curator.account.to_ss58check()),
		("name", plain(&curator.name)),
		("url", plain(&curator.url)),
		("fee", format!("{} per job", with_unit(curator.fee))),
		(
			"earned",
			format!("{} from {} settled jobs", with_unit(curator.earned), curator.jobs),
		),
	])
}

fn list_text(curators: &[CuratorInfo<AccountId32>], next: Option<&str>) -> String {
	if curators.is_empty() {
		return "There are no such curators. `highway curator set` makes you one.".into();
	}
	let rows = curators.iter().map(|curator| {
		[
			plain(&curator.name),
			with_unit(curator.fee),
			curator.jobs.to_string(),
			with_unit(curator.earned),
			plain(&curator.url),
			curator.account.to_ss58check(),
		]
	});
	let more = next.map_or(String::new(), |next| {
		format!("\nThere are more: go on with --from {next}")
	});
	table(["name", "fee", "jobs", "earned", "url", "account"], rows) + &more
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::args::{Cli, Command};
	use clap::Parser;
	use highway_primitives::AIC;

	fn parsed(words: &str) -> Result<CuratorCommand, clap::Error> {
		let line = format!("highway curator {words}");
		match Cli::try_parse_from(line.split_whitespace())?.command {
			Command::Curator(command) => Ok(command),
			_ => panic!("another command"),
		}
	}

	fn args(fee: Option<Balance>, name: Option<&str>, url: Option<&str>) -> SetArgs {
		SetArgs {
			fee,
			name: name.map(Into::into),
			url: url.map(Into::into),
		}
	}

	fn known() -> CuratorInfo<AccountId32> {
		CuratorInfo {
			account: AccountId32::new([1; 32]),
			name: b"Good models".to_vec(),
			url: b"https://example.org".to_vec(),
			fee: AIC / 100,
			jobs: 7,
			earned: AIC / 10,
		}
	}

	#[test]
	fn profiles_should_keep_what_is_not_given() {
		let (fee, profile) = changed(Some(&known()), args(Some(AIC), None, None)).unwrap();
		assert_eq!((fee, profile.name.to_vec()), (AIC, known().name));
		let (fee, profile) = changed(Some(&known()), args(None, Some("Best"), Some(""))).unwrap();
		assert_eq!(fee, AIC / 100);
		assert_eq!((profile.name.to_vec(), profile.url.len()), (b"Best".to_vec(), 0));
		let (fee, profile) = changed(None, args(None, Some("Free"), None)).unwrap();
		assert_eq!((fee, profile.name.to_vec()), (0, b"Free".to_vec()));
	}

	#[test]
	fn profiles_should_be_refused_when_they_say_nothing_or_too_much_or_hide_something() {
		for (wrong, words) in [
			(args(Some(1), None, None), "curator remove"),
			(args(Some(1), Some(""), Some("https://example.org")), "give --name"),
			(args(None, Some(&"x".repeat(33)), None), "33 bytes: at most 32"),
			(args(None, Some("a"), Some(&"x".repeat(129))), "129 bytes: at most 128"),
			(args(None, Some("a"), Some("https://example.org/a b")), "blanks"),
			(args(None, Some("a"), Some("https://exämple.org")), "beyond ASCII"),
			(args(None, Some("a\u{1b}[2J"), None), "not seen"),
			(args(None, Some("a\u{202e}b"), None), "not seen"),
		] {
			let error = changed(None, wrong).unwrap_err();
			assert!(
				matches!(&error, CommandError::Usage(text) if text.contains(words)),
				"{error}"
			);
		}
		let longest = args(None, Some(&"é".repeat(16)), Some(&"x".repeat(128)));
		assert!(changed(None, longest).is_ok());
	}

	#[test]
	fn curators_should_be_shown_without_what_steers_a_terminal() {
		let hostile = CuratorInfo {
			name: b"Good \x1b[2Jmodels".to_vec(),
			..known()
		};
		let text = to_text(&hostile) + &list_text(&[hostile], Some("5Grw"));
		assert!(
			!text.contains('\u{1b}') && text.contains("Good \u{fffd}[2Jmodels"),
			"{text}"
		);
		assert!(
			text.contains("0.1 AIC from 7 settled jobs") && text.contains("--from 5Grw"),
			"{text}"
		);
		assert!(!list_text(&[known()], None).contains("--from"));
		assert!(list_text(&[], None).contains("no such curators"));
		assert_eq!(to_json(&known())["fee"], "0.01");
	}

	#[test]
	fn set_should_need_something_to_set() {
		assert!(parsed("set").is_err());
		assert!(parsed("set --fee 1e3").is_err());
		assert!(parsed("list --limit 0").is_err());
		for right in [
			"set --fee 0.01 --name me --url https://example.org",
			"set --name me",
			"show",
			"show //Bob",
			"list --limit 5 --from //Bob",
			"remove",
		] {
			assert!(parsed(right).is_ok(), "{right}");
		}
	}
}
