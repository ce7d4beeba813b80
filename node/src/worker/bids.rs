//! The file of `--bids`: what the operator asks for what his node does.
//!
//! The README has an example. It is read when the node starts, and a node does not start with one that it does not
//! understand.

use highway_offchain_worker::bids::{role_name, Bid, Bids, ModelName, Scope, Terms, DEFAULT_STEP, DEFAULT_TARGET};
use highway_primitives::{AskRole, Balance, ModelId, AIC};
use serde::Deserialize;
use sp_core::{crypto::AccountId32, sr25519, Pair};
use sp_runtime::Perbill;
use std::{
	collections::BTreeMap,
	fs, io,
	ops::Range,
	path::{Path, PathBuf},
};
use toml::{Spanned, Value};

/// Digits of an amount after the decimal point.
const DECIMALS: usize = 12;

/// Why the file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BidsError {
	/// It cannot be read.
	#[error("--bids: {path} cannot be read: {source}. Name a file that this user may read, or leave --bids out")]
	Unreadable {
		/// The file.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// A line of it says nothing that could be done.
	#[error("--bids: {path}, line {line}: {what}")]
	Wrong {
		/// The file.
		path: PathBuf,
		/// The line, counted from 1.
		line: usize,
		/// What is wrong, and what to do.
		what: String,
	},
}

/// What the chain says of bids.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
	/// The most that may be asked.
	pub most: Balance,
	/// Whether owners may be written as development keys.
	pub development: bool,
}

/// Reads the file.
pub fn read(path: &Path, limits: Limits) -> Result<Bids, BidsError> {
	let text = fs::read_to_string(path).map_err(|source| BidsError::Unreadable {
		path: path.into(),
		source,
	})?;
	parse(&text, limits).map_err(|Fault { at, what }| BidsError::Wrong {
		path: path.into(),
		line: line_of(&text, at),
		what,
	})
}

/// What is wrong, and where.
#[derive(Debug)]
struct Fault {
	at: Range<usize>,
	what: String,
}

impl Fault {
	fn new<T>(at: &Spanned<T>, what: impl Into<String>) -> Self {
		Self {
			at: at.span(),
			what: what.into(),
		}
	}
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
	bid: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
	model: Spanned<Value>,
	role: Spanned<String>,
	floor: Spanned<Value>,
	ceiling: Option<Spanned<Value>>,
	target: Option<Spanned<f64>>,
	step: Option<Spanned<f64>>,
}

fn parse(text: &str, limits: Limits) -> Result<Bids, Fault> {
	let document: Document = toml::from_str(text).map_err(|error| Fault {
		at: error.span().unwrap_or_default(),
		what: format!(
			"{}: see the example in the node's README",
			error.message().trim().replace('\n', ", ")
		),
	})?;
	let entries = document.bid.ok_or_else(|| Fault {
		at: 0..0,
		what: "there is no [[bid]] in it: add one, or write `bid = []` to withdraw everything that the node asks"
			.into(),
	})?;
	let mut lines: BTreeMap<(Scope, AskRole), usize> = BTreeMap::new();
	let mut bids = Vec::with_capacity(entries.len());
	for entry in entries {
		let bid = entry.bid(limits)?;
		let line = line_of(text, entry.model.span());
		if let Some(before) = lines.insert((bid.scope.clone(), bid.role), line) {
			let role = role_name(bid.role);
			return Err(Fault::new(
				&entry.model,
				format!("line {before} has a bid for {role} of the same model: remove one of them"),
			));
		}
		bids.push(bid);
	}
	Ok(Bids::new(bids))
}

impl Entry {
	fn bid(&self, limits: Limits) -> Result<Bid, Fault> {
		let scope = scope(&self.model, limits.development)?;
		let role = match self.role.get_ref().as_str() {
			"compute" => AskRole::Compute,
			"storage" => AskRole::Storage,
			other => {
				return Err(Fault::new(
					&self.role,
					format!("'{other}' is no role: write \"compute\" or \"storage\""),
				))
			}
		};
		let floor = amount(&self.floor, "floor", limits.most)?;
		let ceiling = match (&self.ceiling, role) {
			(Some(given), AskRole::Storage) => return Err(no_slots(given, "ceiling")),
			(None, AskRole::Storage) => floor,
			(Some(given), AskRole::Compute) => {
				let ceiling = amount(given, "ceiling", limits.most)?;
				if ceiling < floor {
					return Err(Fault::new(
						given,
						"`ceiling` is below `floor`: raise it, or leave it out",
					));
				}
				ceiling
			}
			(None, AskRole::Compute) => limits.most,
		};
		if let (Some(given), AskRole::Storage) = (&self.target, role) {
			return Err(no_slots(given, "target"));
		}
		if let (Some(given), AskRole::Storage) = (&self.step, role) {
			return Err(no_slots(given, "step"));
		}
		let target = share(self.target.as_ref())
			.map_err(|given| Fault::new(given, "`target` is a share of the slots between 0 and 1, such as 0.7"))?;
		let step = share(self.step.as_ref())
			.map_err(|given| Fault::new(given, "`step` is a share of the ask between 0 and 1, such as 0.05"))?;
		Ok(Bid {
			scope,
			role,
			terms: Terms {
				floor,
				ceiling,
				target: target.unwrap_or(DEFAULT_TARGET),
				step: step.unwrap_or(DEFAULT_STEP),
			},
		})
	}
}

fn no_slots<T>(given: &Spanned<T>, what: &str) -> Fault {
	Fault::new(
		given,
		format!("`{what}` means nothing for storage, which takes no slots: the ask is the floor; remove the line"),
	)
}

/// The models that `*`, an id or `OWNER/NAME` means.
fn scope(given: &Spanned<Value>, development: bool) -> Result<Scope, Fault> {
	let unknown = || {
		Fault::new(
			given,
			"`model` is an id such as 3, \"OWNER/NAME\" with the owner's address, or \"*\" for every model that the node hosts",
		)
	};
	let text = match given.get_ref() {
		Value::Integer(id) => return ModelId::try_from(*id).map(Scope::Model).map_err(|_| unknown()),
		Value::String(text) => text.trim(),
		_ => return Err(unknown()),
	};
	if text == "*" {
		return Ok(Scope::All);
	}
	if let Ok(id) = text.parse() {
		return Ok(Scope::Model(id));
	}
	let (owner, name) = text
		.rsplit_once('/')
		.filter(|(_, name)| !name.is_empty())
		.ok_or_else(unknown)?;
	Ok(Scope::Named(ModelName {
		owner: account(owner, development).map_err(|what| Fault::new(given, what))?,
		name: name.into(),
	}))
}

/// An account, written as an address, as 0x and hex, or, on a chain for development, as `//Alice` and the like.
fn account(text: &str, development: bool) -> Result<AccountId32, String> {
	if text.starts_with("//") {
		if !development {
			return Err(format!(
				"'{text}' is a development key, which everybody has: write its owner's address on this chain"
			));
		}
		let pair = sr25519::Pair::from_string(text, None).map_err(|_| format!("'{text}' is no development key"))?;
		return Ok(pair.public().into());
	}
	text.parse()
		.map_err(|_| format!("'{text}' is no address of an account: write one such as 5Grw…, or 0x and 64 hex digits"))
}

/// An amount such as `"0.25"` or `"3 AIC"`, exact.
fn amount(given: &Spanned<Value>, field: &str, most: Balance) -> Result<Balance, Fault> {
	let wrong = || {
		Fault::new(
			given,
			format!(
				"`{field}` is an amount of AIC in quotes, with at most {DECIMALS} digits after the point, such as \"0.25 AIC\""
			),
		)
	};
	let Value::String(text) = given.get_ref() else {
		return Err(wrong());
	};
	let text = text.trim();
	let text = text.strip_suffix("AIC").unwrap_or(text).trim_end();
	let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
	let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
	if !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
		return Err(wrong());
	}
	let amount: Option<Balance> = format!("{whole}{fraction:0<DECIMALS$}").parse().ok();
	amount.filter(|amount| *amount <= most).ok_or_else(|| {
		Fault::new(
			given,
			format!(
				"`{field}` is above the most that may be asked, {} AIC: lower it",
				most / AIC
			),
		)
	})
}

/// A share between 0 and 1, or what was given instead.
fn share(given: Option<&Spanned<f64>>) -> Result<Option<Perbill>, &Spanned<f64>> {
	let Some(given) = given else { return Ok(None) };
	let share = *given.get_ref();
	if !(0.0..=1.0).contains(&share) {
		return Err(given);
	}
	let parts = share * f64::from(Perbill::one().deconstruct());
	Ok(Some(Perbill::from_parts(parts.round() as u32)))
}

/// The line in which a place of `text` begins.
fn line_of(text: &str, at: Range<usize>) -> usize {
	let before = text.as_bytes().get(..at.start).unwrap_or_default();
	1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
	use super::*;

	const LIMITS: Limits = Limits {
		most: 1_000 * AIC,
		development: true,
	};

	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

	fn bids(text: &str) -> Vec<Bid> {
		parse(text, LIMITS)
			.unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
			.iter()
			.cloned()
			.collect()
	}

	/// The line that is complained about, and the complaint.
	fn fault(text: &str) -> (usize, String) {
		let Fault { at, what } = parse(text, LIMITS).expect_err(text);
		(line_of(text, at), what)
	}

	/// One bid with these lines in it, the first of which is line 2.
	fn entry(lines: &str) -> String {
		format!("[[bid]]\n{lines}\n")
	}

	fn named(owner: &str) -> Scope {
		Scope::Named(ModelName {
			owner: account(owner, true).unwrap(),
			name: "magika".into(),
		})
	}

	#[test]
	fn bids_should_be_read_with_defaults() {
		let text = format!(
			"[[bid]]\nmodel = \"*\"\nrole = \"compute\"\nfloor = \"0.25\"\n\n\
			 [[bid]]\nmodel = \"{ALICE}/magika\"\nrole = \"compute\"\nfloor = \"1 AIC\"\nceiling = \"2.5 AIC\"\n\
			 target = 1\nstep = 0.1\n\n\
			 [[bid]]\nmodel = 3\nrole = \"storage\"\nfloor = \"0.000000000001\"\n"
		);
		let expected = [
			Bid {
				scope: Scope::All,
				role: AskRole::Compute,
				terms: Terms {
					floor: AIC / 4,
					ceiling: 1_000 * AIC,
					target: DEFAULT_TARGET,
					step: DEFAULT_STEP,
				},
			},
			Bid {
				scope: named("//Alice"),
				role: AskRole::Compute,
				terms: Terms {
					floor: AIC,
					ceiling: 5 * AIC / 2,
					target: Perbill::one(),
					step: Perbill::from_percent(10),
				},
			},
			Bid {
				scope: Scope::Model(3),
				role: AskRole::Storage,
				terms: Terms {
					floor: 1,
					ceiling: 1,
					target: DEFAULT_TARGET,
					step: DEFAULT_STEP,
				},
			},
		];
		assert_eq!(bids(&text), expected);
		assert_eq!(bids("bid = []"), []);
	}

	#[test]
	fn models_should_be_known_in_every_form() {
		let hex = format!("\"0x{}/magika\"", hex::encode(account(ALICE, false).unwrap()));
		for (model, scope) in [
			("\"*\"", Scope::All),
			("7", Scope::Model(7)),
			("\"7\"", Scope::Model(7)),
			("\"//Alice/magika\"", named(ALICE)),
			(hex.as_str(), named(ALICE)),
		] {
			let text = entry(&format!("model = {model}\nrole = \"compute\"\nfloor = \"1\""));
			assert_eq!(bids(&text)[0].scope, scope, "{model}");
		}
		for model in ["\"magika\"", "\"\"", "\"//Alice/\"", "-1", "4294967296", "1.5", "true"] {
			let (line, what) = fault(&entry(&format!("role = \"compute\"\nmodel = {model}\nfloor = \"1\"")));
			assert!(line == 3 && what.contains("OWNER/NAME"), "{model}: {line}: {what}");
		}
		let (line, what) = fault(&entry("model = \"alice/magika\"\nrole = \"compute\"\nfloor = \"1\""));
		assert!(line == 2 && what.contains("'alice' is no address"), "{line}: {what}");
	}

	#[test]
	fn development_keys_should_be_refused_when_the_chain_is_not_for_development() {
		assert!(account("//Alice", true).is_ok());
		assert!(account("//Alice", false).unwrap_err().contains("address"));
		assert!(account(ALICE, false).is_ok());
	}

	#[test]
	fn amounts_should_be_refused_unless_they_are_exact() {
		let text = |floor: &str| entry(&format!("model = 1\nrole = \"compute\"\nfloor = {floor}"));
		for floor in [
			"1",
			"0.25",
			"\"\"",
			"\"-1\"",
			"\"1e3\"",
			"\"1.\"",
			"\".\"",
			"\"1,5\"",
			"\"0.0000000000001\"",
			"\"AIC\"",
			"[]",
		] {
			let (line, what) = fault(&text(floor));
			assert!(line == 4 && what.contains("in quotes"), "{floor}: {line}: {what}");
		}
		for floor in ["\"1000.000000000001\"", "\"340282366920938463463374607431768211456\""] {
			let (line, what) = fault(&text(floor));
			assert!(
				line == 4 && what.contains("1000 AIC: lower it"),
				"{floor}: {line}: {what}"
			);
		}
		for (floor, amount) in [("\"1000\"", 1_000 * AIC), ("\" 0.5AIC \"", AIC / 2), ("\"0\"", 0)] {
			assert_eq!(bids(&text(floor))[0].terms.floor, amount, "{floor}");
		}
	}

	#[test]
	fn faults_should_name_their_line_and_what_to_do() {
		let compute = "model = 1\nrole = \"compute\"\nfloor = \"1\"";
		let storage = "model = 1\nrole = \"storage\"\nfloor = \"1\"";
		for (text, line, what) in [
			(String::new(), 1, "add one"),
			("# nothing\n".into(), 1, "add one"),
			(
				entry(&format!("{compute}\nceiling = \"0.9\"")),
				5,
				"`ceiling` is below `floor`",
			),
			(entry(&format!("{compute}\ntarget = 70")), 5, "`target` is a share"),
			(entry(&format!("{compute}\ntarget = nan")), 5, "`target` is a share"),
			(entry(&format!("{compute}\nstep = -0.1")), 5, "`step` is a share"),
			(entry(&format!("{compute}\nstep = \"5%\"")), 5, "expected f64"),
			(
				entry(&format!("{compute}\ncieling = \"2\"")),
				5,
				"unknown field `cieling`",
			),
			(entry(&format!("{storage}\nceiling = \"2\"")), 5, "the ask is the floor"),
			(entry(&format!("{storage}\ntarget = 0.7")), 5, "the ask is the floor"),
			(entry(&format!("{storage}\nstep = 0.7")), 5, "the ask is the floor"),
			(
				entry("model = 1\nfloor = \"1\"\nrole = \"maker\""),
				4,
				"\"compute\" or \"storage\"",
			),
			(entry("model = 1\nrole = \"compute\""), 1, "missing field `floor`"),
			(entry("model = 1\nrole = compute"), 3, "README"),
			(
				format!("{}{}", entry(compute), entry(compute)),
				6,
				"line 2 has a bid for compute",
			),
			("[[bids]]\n".into(), 1, "unknown field `bids`"),
		] {
			let (found, said) = fault(&text);
			assert!(found == line && said.contains(what), "{text}\nline {found}: {said}");
		}
		assert_eq!(bids(&format!("{}{}", entry(compute), entry(storage))).len(), 2);
	}

	#[test]
	fn example_in_the_readme_should_be_understood() {
		let (_, rest) = include_str!("../../README.md").split_once("```toml\n").unwrap();
		let (example, _) = rest.split_once("```").unwrap();
		let scopes: Vec<Scope> = bids(example).into_iter().map(|bid| bid.scope).collect();
		assert_eq!(scopes, [Scope::All, named(ALICE), Scope::Model(3)]);
	}

	#[test]
	fn file_should_be_named_when_it_cannot_be_read_or_understood() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("bids.toml");
		let error = read(&path, LIMITS).unwrap_err().to_string();
		assert!(error.contains("bids.toml cannot be read"), "{error}");
		fs::write(&path, "[[bid]]\nmodel = []\n").unwrap();
		let error = read(&path, LIMITS).unwrap_err().to_string();
		assert!(error.contains("bids.toml, line"), "{error}");
		fs::write(&path, "bid = []\n").unwrap();
		assert_eq!(read(&path, LIMITS).unwrap(), Bids::default());
	}
}
