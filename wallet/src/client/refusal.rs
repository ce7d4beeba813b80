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
		}?;
		match self.advice() {
			Some(advice) => write!(f, "; {advice}"),
			None => Ok(()),
		}
	}
}

/// What to do about errors of the runtime that do not say it themselves: pallet, error, advice.
pub const ADVICE: &[(&str, &str, &str)] = &[
	(
		"ProofOfWorkDone",
		"NotAttested",
		"an audit can be asked for from the attestation until the pay: `highway job show` says where the job stands",
	),
	(
		"ProofOfWorkDone",
		"NotPayer",
		"`highway job show` names the payer; sign with its key: --key NAME",
	),
	(
		"ProofOfWorkDone",
		"AlreadyAudited",
		"nothing is left to ask for: `highway audit show` follows it",
	),
	(
		"ProofOfWorkDone",
		"AlreadyForced",
		"it begins when the job's window is over: `highway audit show` follows it then",
	),
	(
		"ProofOfWorkDone",
		"UnknownVersion",
		"`highway model show` names the version that jobs run on",
	),
	(
		"ProofOfWorkDone",
		"NoNode",
		"only operators confirm a calibration: `highway node register` makes you one",
	),
	(
		"ProofOfWorkDone",
		"OwnCalibration",
		"ask two other operators to reproduce it",
	),
	(
		"ProofOfWorkDone",
		"AlreadyConfirmed",
		"nothing is left to do: each operator counts once",
	),
	(
		"ProofOfWorkDone",
		"EnoughConfirmations",
		"nothing is left to do: it is reproduced",
	),
	(
		"NodeStaking",
		"DelegationTooSmall",
		"delegate more, or `highway node undelegate NODE all` to leave",
	),
	(
		"NodeStaking",
		"NotDelegated",
		"`highway node delegations` shows where you have stake",
	),
	(
		"NodeStaking",
		"NodeChilled",
		"choose another node: `highway node list` shows their states",
	),
	(
		"NodeStaking",
		"NotBonded",
		"its operator has to bond more first: `highway node bond`",
	),
	(
		"NodeStaking",
		"CommissionAboveMax",
		"accept more with --max-commission, or choose another node",
	),
	(
		"NodeStaking",
		"CommissionRiseTooLarge",
		"rise by 5 points now, and again when that holds",
	),
	(
		"NodeStaking",
		"NothingToWithdraw",
		"`highway node delegations` and `highway node status` tell from which session on there is",
	),
	(
		"NodeStaking",
		"BondReserved",
		"`highway node status` says how much is reserved: `highway node bond` adds to the bond, open jobs and audits give theirs \
		 back when they are over, and asks when `highway bid MODEL --withdraw` ends them",
	),
	(
		"NodeStaking",
		"NotEligible",
		"`highway node status` shows its state: a new node has to be heard of first, in the session after its registration, and one \
		 that is chilled or jailed needs `highway node resume`",
	),
	(
		"ModelRegistry",
		"ArtefactTaken",
		"`highway model list` shows the models; a file belongs to one of them",
	),
	(
		"RevenueSplit",
		"NotHosting",
		"`highway node host MODEL`, then bid: nobody asks money for what it does not host",
	),
	(
		"RevenueSplit",
		"NotAnOperator",
		"`highway node register` makes you one; or sign with the operator's key: --key NAME",
	),
	(
		"RevenueSplit",
		"NotCommitPhase",
		"say it again: the command waits until commitments are taken",
	),
	(
		"RevenueSplit",
		"NotRevealPhase",
		"`highway bid resume` waits until asks are revealed",
	),
	(
		"RevenueSplit",
		"AlreadyCommitted",
		"it cannot be changed any more: `highway bid resume` reveals it, and the next epoch takes another bid",
	),
	(
		"RevenueSplit",
		"BondInUse",
		"`highway node status` says how much is reserved: `highway node bond` adds to the bond, and open jobs and audits give theirs \
		 back when they are over",
	),
	(
		"RevenueSplit",
		"NotCommitted",
		"`highway market show MODEL` tells what the node asks",
	),
	(
		"RevenueSplit",
		"NobodyServes",
		"`highway market show MODEL` tells who asks what, and when asks hold; where all are above the reserve, `highway market \
		 clear MODEL` raises it",
	),
	(
		"RevenueSplit",
		"AlreadyCleared",
		"nothing is left to do: `highway market show MODEL` shows the prices",
	),
	(
		"RevenueSplit",
		"StoragePayHeld",
		"`highway earnings` tells from when it may be claimed",
	),
	(
		"RevenueSplit",
		"Challenged",
		"keep your node running: its answer pays it out; `highway earnings` shows what waits",
	),
	(
		"RevenueSplit",
		"NotACurator",
		"`highway curator set` makes you one",
	),
	(
		"Promotion",
		"BidBelowMin",
		"`highway promote show` tells the least",
	),
	(
		"Promotion",
		"ModelHasHigherBid",
		"bid more, or leave it: the model is promoted anyway if that bid wins",
	),
];

/// Name of the error of an account that cannot pay.
const TOO_LITTLE_MONEY: &str = "FundsUnavailable";

impl Refusal {
	/// What to do about it, where that is known.
	fn advice(&self) -> Option<&'static str> {
		ADVICE
			.iter()
			.find(|(pallet, name, _)| self.pallet == *pallet && self.name == *name)
			.map(|(.., advice)| *advice)
	}

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

	#[test]
	fn refusals_should_say_what_to_do_when_the_runtime_does_not() {
		let refusal = |pallet: &str| Refusal {
			pallet: pallet.into(),
			name: "NotPayer".into(),
			docs: "Only the job's payer may ask for its audit".into(),
		};
		let text = refusal("ProofOfWorkDone").to_string();
		assert!(text.contains("(ProofOfWorkDone); `highway job show` names"), "{text}");
		assert!(refusal("Sudo").to_string().ends_with("(Sudo)"));
	}

	#[test]
	fn advice_should_be_given_once_for_each_error() {
		let errors: std::collections::BTreeSet<_> = ADVICE.iter().map(|(pallet, name, _)| (pallet, name)).collect();
		assert_eq!(errors.len(), ADVICE.len());
	}
}
