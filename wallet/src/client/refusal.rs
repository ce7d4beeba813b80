//! Why the chain refused something, in words.

use std::fmt;
use subxt::error::{DispatchError, TokenError};

/// An error of the runtime with its name and its documentation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
	/// The pallet, or empty for an error that is none's.
	pub pallet: String,
	/// Name of the error, such as `PriceAboveMax`.
	pub name: String,
	/// What the runtime's authors say about it.
	pub docs: String,
}

impl fmt::Display for Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match (self.pallet.as_str(), self.docs.as_str()) {
			("", "") => f.write_str(&self.name),
			("", docs) => write!(f, "{}: {docs}", self.name),
			(pallet, "") => write!(f, "{} ({pallet})", self.name),
			(pallet, docs) => write!(f, "{}: {docs} ({pallet})", self.name),
		}
	}
}

/// Name of the error of an account that cannot pay.
const TOO_LITTLE_MONEY: &str = "FundsUnavailable";

impl Refusal {
	/// Whether it is about money that is not there.
	pub fn is_about_money(&self) -> bool {
		self.pallet.is_empty() && self.name == TOO_LITTLE_MONEY
	}

	fn too_little_money() -> Self {
		Self::plain(
			TOO_LITTLE_MONEY,
			"the account has too little money; `highway balance` shows it",
		)
	}

	/// An error of nobody's pallet.
	fn plain(name: &str, docs: &str) -> Self {
		Self {
			pallet: String::new(),
			name: name.into(),
			docs: docs.into(),
		}
	}

	/// Error number `error` of the pallet with this index.
	pub fn of_module(metadata: &subxt::Metadata, pallet: u8, error: u8) -> Self {
		let known = metadata.pallet_by_index(pallet).and_then(|pallet| {
			let variant = pallet.error_variant_by_index(error)?;
			Some(Self {
				pallet: pallet.name().into(),
				name: variant.name.clone(),
				docs: one_line(&variant.docs),
			})
		});
		known.unwrap_or_else(|| {
			Self::plain(
				&format!("error {error} of pallet {pallet}"),
				"not in the chain's metadata",
			)
		})
	}

	/// What subxt decoded from the event of a failed transaction.
	pub fn of_dispatch(metadata: &subxt::Metadata, error: &DispatchError) -> Self {
		match error {
			DispatchError::Module(module) => Self::of_module(metadata, module.pallet_index(), module.error_index()),
			DispatchError::Token(TokenError::FundsUnavailable) => Self::too_little_money(),
			DispatchError::Token(error) => Self::plain(&format!("{error:?}"), &error.to_string()),
			DispatchError::Arithmetic(error) => Self::plain(&format!("{error:?}"), &error.to_string()),
			DispatchError::BadOrigin => Self::plain("BadOrigin", "this account may not do that"),
			other => Self::plain(&format!("{other:?}"), &other.to_string()),
		}
	}

	/// What a runtime API answered, or a call that was tried.
	pub fn of_runtime(metadata: &subxt::Metadata, error: &sp_runtime::DispatchError) -> Self {
		match error {
			sp_runtime::DispatchError::Module(module) => Self::of_module(metadata, module.index, module.error[0]),
			sp_runtime::DispatchError::Token(sp_runtime::TokenError::FundsUnavailable) => Self::too_little_money(),
			other => {
				let text: &'static str = (*other).into();
				Self::plain(text, "")
			}
		}
	}
}

fn one_line(docs: &[String]) -> String {
	docs.iter()
		.map(|line| line.trim())
		.take_while(|line| !line.is_empty())
		.collect::<Vec<_>>()
		.join(" ")
		.trim_end_matches('.')
		.to_owned()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn refusals_should_read_as_a_sentence() {
		let docs = [" The price is above the", " payer's maximum.", "", " More."].map(String::from);
		let refusal = Refusal {
			pallet: "InferenceJobs".into(),
			name: "PriceAboveMax".into(),
			docs: one_line(&docs),
		};
		assert_eq!(
			refusal.to_string(),
			"PriceAboveMax: The price is above the payer's maximum (InferenceJobs)"
		);
		assert_eq!(Refusal::plain("BadOrigin", "").to_string(), "BadOrigin");
	}
}
