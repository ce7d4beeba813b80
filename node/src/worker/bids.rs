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
