//! The connection to a node.
//!
//! Reads go through the versioned runtime APIs (`api`), writes through transactions (`calls`, `submit`). Metadata is
//! fetched once at the start, so that the same program works across upgrades which leave calls as they are.

mod api;
pub mod calls;
mod refusal;
mod submit;

pub use calls::{Call, CallError};
pub use refusal::Refusal;
pub use submit::{Included, Pending, Signer, Wait};

use codec::Encode;
use highway_primitives::{model::VersionSpec, Balance};
use serde_json::Value;
use sp_core::crypto::AccountId32;
use sp_crypto_hashing as hashing;
use std::{future::Future, time::Duration};
use subxt::{
	backend::{legacy::LegacyRpcMethods, rpc::RpcClient},
	ext::subxt_rpcs::{
		self,
		client::{RpcParams, RpcSubscription},
	},
	OnlineClient, PolkadotConfig,
};

/// How long a node may take to answer at the start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Version of the market's runtime API that this program reads.
const MARKET_API_VERSION: u32 = 1;

/// Why talking to the chain failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
	/// Nobody listens, or not in time.
	#[error("cannot reach a node at {url}: {reason}; start one with `highway-node --dev`, or name another with --url")]
	Unreachable {
		/// Where.
		url: String,
		/// Why.
		reason: String,
	},
	/// Some other chain's node.
	#[error("the node at {0} is not one of AI Highway: its runtime has no MarketApi; name another with --url")]
	OtherChain(String),
	/// The runtime is newer or older than this program.
	#[error("the chain speaks version {chain} of MarketApi and this program version {ours}: update `highway`")]
	Outdated {
		/// The chain's version.
		chain: u32,
		/// Ours.
		ours: u32,
	},
	/// The call cannot be built.
	#[error(transparent)]
	Call(#[from] CallError),
	/// The chain executed the call and it failed: fees were taken, nothing else changed.
	#[error("the chain refused it: {0}")]
	Refused(Refusal),
	/// The node did not take the transaction: nothing was sent, no fee was taken.
	#[error("the node did not accept the transaction: {0}")]
	NotAccepted(String),
	/// It was in a block once and is no more.
	#[error("the transaction was lost in a reorganisation of the chain; check what happened before sending it again")]
	Lost,
	/// The node has no such method.
	#[error(
		"the node does not offer '{0}': it is too old, or the method is closed to outsiders (connect to your own node)"
	)]
	NoMethod(String),
	/// Another failure of a request.
	#[error("the node answered {method} with an error: {reason}")]
	Request {
		/// The method.
		method: String,
		/// The error's code; 0 if it is none of the node's.
		code: i32,
		/// What it said.
		reason: String,
	},
	/// Something else than what was asked for.
	#[error("the answer to {what} cannot be read ({reason}): update `highway`")]
	Undecodable {
		/// What was asked.
		what: String,
		/// Why it cannot be read.
		reason: String,
	},
}

/// Money of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AccountBalance {
	/// What may be used, but for the frozen part.
	pub free: Balance,
	/// Held for deposits, bonds and the like.
	pub held: Balance,
	/// The least that must stay as free plus held.
	pub frozen: Balance,
}

impl AccountBalance {
	/// What can be paid while the account stays alive with at least `existential_deposit`.
	pub fn spendable(&self, existential_deposit: Balance) -> Balance {
		let kept = self.frozen.saturating_sub(self.held).max(existential_deposit);
		self.free.saturating_sub(kept)
	}
}

/// A connection to a node.
#[derive(Clone)]
pub struct Client {
	rpc: RpcClient,
	methods: LegacyRpcMethods<PolkadotConfig>,
	chain: OnlineClient<PolkadotConfig>,
}

impl Client {
	/// Connects to the node at `url` and checks that its chain is one of ours.
	pub async fn connect(url: &str) -> Result<Self, ClientError> {
		let unreachable = |reason: String| ClientError::Unreachable {
			url: url.into(),
			reason,
		};
		let rpc = in_time(RpcClient::from_insecure_url(url)).await.map_err(unreachable)?;
		let chain = in_time(OnlineClient::from_rpc_client(rpc.clone()))
			.await
			.map_err(unreachable)?;
		let client = Self {
			methods: LegacyRpcMethods::new(rpc.clone()),
			rpc,
			chain,
		};
		match in_time(client.market_api_version()).await.map_err(unreachable)? {
			Some(MARKET_API_VERSION) => Ok(client),
			Some(chain) => Err(ClientError::Outdated {
				chain,
				ours: MARKET_API_VERSION,
			}),
			None => Err(ClientError::OtherChain(url.into())),
		}
	}

	/// Sends a plain JSON-RPC request.
	pub async fn request<R: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: Vec<Value>,
	) -> Result<R, ClientError> {
		self.rpc
			.request(method, rpc_params(params))
			.await
			.map_err(|error| request_error(method, error))
	}

	/// Subscribes to a stream of JSON values.
	pub async fn subscribe(
		&self,
		method: &str,
		params: Vec<Value>,
		unsubscribe: &str,
	) -> Result<RpcSubscription<Value>, ClientError> {
		self.rpc
			.subscribe(method, rpc_params(params), unsubscribe)
			.await
			.map_err(|error| request_error(method, error))
	}

	/// Money of `account` in the best block.
	pub async fn balance(&self, account: &AccountId32) -> Result<AccountBalance, ClientError> {
		let mut key = [hashing::twox_128(b"System"), hashing::twox_128(b"Account")].concat();
		key.extend(hashing::blake2_128(account.as_ref()));
		key.extend::<&[u8]>(account.as_ref());
		let stored = self
			.methods
			.state_get_storage(&key, None)
			.await
			.map_err(|error| request_error("state_getStorage", error))?;
		let Some(bytes) = stored else {
			return Ok(AccountBalance::default());
		};
		// Nonce and three reference counts, then the balances of pallet-balances.
		type Stored = ((u32, u32, u32, u32), (Balance, Balance, Balance));
		let (_, (free, held, frozen)) = decode::<Stored>("the account's balance", &bytes)?;
		Ok(AccountBalance { free, held, frozen })
	}

	/// The least that an account must hold to exist.
	pub fn existential_deposit(&self) -> Result<Balance, ClientError> {
		self.amount_constant("Balances", "ExistentialDeposit")
	}

	/// What is held for a model with this name and first version.
	pub fn model_deposit(&self, name: &[u8], spec: &VersionSpec) -> Result<Balance, ClientError> {
		let per_byte = self.amount_constant("ModelRegistry", "DepositPerByte")?;
		let bytes = (name.len() as Balance).saturating_add(spec.encoded_size() as Balance);
		Ok(self
			.amount_constant("ModelRegistry", "BaseDeposit")?
			.saturating_add(per_byte.saturating_mul(bytes)))
	}

	fn amount_constant(&self, pallet: &str, name: &str) -> Result<Balance, ClientError> {
		let metadata = self.chain.metadata();
		let constant = metadata
			.pallet_by_name(pallet)
			.and_then(|pallet| pallet.constant_by_name(name).map(|constant| constant.value().to_vec()))
			.unwrap_or_default();
		decode(name, &constant)
	}

	/// The number of the best block.
	pub async fn best_block(&self) -> Result<u32, ClientError> {
		let header = self
			.methods
			.chain_get_header(None)
			.await
			.map_err(|error| request_error("chain_getHeader", error))?;
		Ok(header.map_or(0, |header| header.number))
	}
}

fn rpc_params(values: Vec<Value>) -> RpcParams {
	let mut params = RpcParams::new();
	for value in values {
		params.push(value).expect("a JSON value is always serialisable; qed");
	}
	params
}

async fn in_time<T, E: std::fmt::Display>(work: impl Future<Output = Result<T, E>>) -> Result<T, String> {
	match tokio::time::timeout(CONNECT_TIMEOUT, work).await {
		Ok(result) => result.map_err(|error| innermost(&error.to_string()).to_owned()),
		Err(_) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())),
	}
}

/// What the layers of the RPC client say, without their names before it.
fn innermost(text: &str) -> &str {
	text.rsplit("RPC error: ")
		.next()
		.unwrap_or(text)
		.trim_start_matches("client error: ")
}

fn decode<T: codec::Decode>(what: &str, bytes: &[u8]) -> Result<T, ClientError> {
	T::decode(&mut &bytes[..]).map_err(|error| ClientError::Undecodable {
		what: what.into(),
		reason: error.to_string(),
	})
}

/// JSON-RPC's "method not found".
const METHOD_NOT_FOUND: i32 = -32601;

fn request_error(method: &str, error: subxt_rpcs::Error) -> ClientError {
	match error {
		subxt_rpcs::Error::User(user) if user.code == METHOD_NOT_FOUND => ClientError::NoMethod(method.into()),
		subxt_rpcs::Error::User(user) => {
			let detail = user
				.data
				.map(|data| format!(" ({})", data.get().trim_matches('"')))
				.unwrap_or_default();
			ClientError::Request {
				method: method.into(),
				code: user.code,
				reason: format!("{}{detail}", user.message),
			}
		}
		other => ClientError::Request {
			method: method.into(),
			code: 0,
			reason: other.to_string(),
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn spendable_should_keep_the_account_alive() {
		let balance = AccountBalance {
			free: 100,
			held: 10,
			frozen: 0,
		};
		assert_eq!(balance.spendable(1), 99);
		assert_eq!(AccountBalance { frozen: 30, ..balance }.spendable(1), 80);
		assert_eq!(AccountBalance::default().spendable(1), 0);
	}

	#[tokio::test]
	async fn connect_should_say_what_to_do_when_nobody_listens() {
		let Err(error) = Client::connect("ws://127.0.0.1:1").await else {
			panic!("connected to nobody")
		};
		let text = error.to_string();
		assert!(text.contains("ws://127.0.0.1:1") && text.contains("--url"), "{text}");
		assert!(!text.contains("RPC error"), "{text}");
	}
}
