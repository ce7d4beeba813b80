//! Calls of the market: asks, curators, earnings, featured places.

use super::Call;
use codec::{Compact, Encode};
use highway_primitives::{market::AskRole, Balance, ModelId};
use sp_core::{crypto::AccountId32, H256};
use sp_runtime::{traits::ConstU32, BoundedVec};

/// How a curator presents itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode)]
pub struct CuratorProfile {
	/// Its name: UTF-8 that can be shown as it is.
	pub name: BoundedVec<u8, ConstU32<32>>,
	/// Where more of it is found: printable ASCII without blanks.
	pub url: BoundedVec<u8, ConstU32<128>>,
}

/// `RevenueSplit.commit_ask`: `hash` is [`highway_primitives::market::ask_commitment`].
pub fn commit_ask(model: ModelId, role: AskRole, hash: H256) -> Call {
	Call::new("RevenueSplit", "commit_ask")
		.with("model", Compact(model))
		.with("role", role)
		.with("hash", hash)
}

/// `RevenueSplit.reveal_ask`: without a price the ask is withdrawn.
pub fn reveal_ask(model: ModelId, role: AskRole, price: Option<Balance>, salt: [u8; 32]) -> Call {
	Call::new("RevenueSplit", "reveal_ask")
		.with("model", Compact(model))
		.with("role", role)
		.with("price", price)
		.with("salt", salt)
}

/// `RevenueSplit.clear`
pub fn clear(model: ModelId) -> Call {
	Call::new("RevenueSplit", "clear").with("model", Compact(model))
}

/// `RevenueSplit.set_curator`: no name and no fee end it.
pub fn set_curator(fee: Balance, profile: CuratorProfile) -> Call {
	Call::new("RevenueSplit", "set_curator")
		.with("fee", Compact(fee))
		.with("profile", profile)
}

/// `RevenueSplit.claim`
pub fn claim() -> Call {
	Call::new("RevenueSplit", "claim")
}

/// `RevenueSplit.claim_for`: pays what `account` earned out to it.
pub fn claim_for(account: AccountId32) -> Call {
	Call::new("RevenueSplit", "claim_for").with("account", account)
}

/// `RevenueSplit.claim_storage_pay`: the node is challenged for what waited long enough without a challenge.
pub fn claim_storage_pay(model: ModelId) -> Call {
	Call::new("RevenueSplit", "claim_storage_pay").with("model", Compact(model))
}

/// `Promotion.bid`
pub fn bid_for_promotion(model: ModelId, price: Balance) -> Call {
	Call::new("Promotion", "bid")
		.with("model", Compact(model))
		.with("price", Compact(price))
}
