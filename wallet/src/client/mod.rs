//! The connection to a node.
//!
//! Reads go through the versioned runtime APIs (`api`), writes through transactions (`calls`, `submit`). Metadata is
//! fetched once at the start, so that the same program works across upgrades which leave calls as they are.

mod api;
pub mod calls;
mod refusal;
mod submit;

pub use calls::{Call, CallError};
pub use refusal::{Refusal, ADVICE};
pub use submit::{Included, Pending, Signer, Wait};

use codec::Encode;
use highway_primitives::{model::VersionSpec, Balance, JobId};
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

/// Version of the workers' runtime API that this program reads.
const WORKER_API_VERSION: u32 = 1;

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
	#[error("the chain speaks version {chain} of {api} and this program version {ours}: update `highway`")]
	Outdated {
		/// Which of its runtime APIs.
		api: &'static str,
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
	/// The chain would do so: nothing was sent, no fee was taken.
	#[error("the chain would refuse it, so nothing was sent: {0}")]
	WouldRefuse(Refusal),
	/// The node did not take the transaction: no fee was taken.
	#[error("the node did not accept the transaction: {0}")]
	NotAccepted(String),
	/// It was sent and not heard of to the end. To send it again may do it twice.
	#[error(
		"the transaction {transaction} was sent, but whether it is in a block is not known ({reason}): look before you \
		send it again; `highway balance` and `highway job list` show what happened"
	)]
	Unknown {
		/// Its hash.
		transaction: String,
		/// What was heard last.
		reason: String,
	},
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

/// What tells a chain from others. A development chain that is started anew has the same first state, and another first
/// block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainIdentity {
	/// Hash of block 0.
	pub genesis: [u8; 32],
	/// Hash of block 1, if the node knows it.
	pub first: Option<[u8; 32]>,
}

impl ChainIdentity {
	/// Whether both are of the same chain, as far as is known.
	pub fn is_same(&self, other: &Self) -> bool {
		let first = match (self.first, other.first) {
			(Some(one), Some(other)) => one == other,
			_ => true,
		};
		first && self.genesis == other.genesis
	}
}

/// 32 bytes of hex behind `0x`.
pub(crate) fn hash_of(text: &str) -> Option<[u8; 32]> {
	hex::decode(text.strip_prefix("0x")?).ok()?.try_into().ok()
}

/// Plain requests to a node: they need to know nothing of its chain.
#[derive(Clone)]
pub(crate) struct Rpc(RpcClient);

impl Rpc {
	/// Connects to the node at `url`, whatever its chain.
	pub(crate) async fn connect(url: &str) -> Result<Self, subxt_rpcs::Error> {
		RpcClient::from_insecure_url(url).await.map(Self)
	}

	/// Sends a plain JSON-RPC request.
	pub(crate) async fn request<R: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: Vec<Value>,
	) -> Result<R, ClientError> {
		self.0
			.request(method, rpc_params(params))
			.await
			.map_err(|error| request_error(method, error))
	}
}

/// A connection to a node.
#[derive(Clone)]
pub struct Client {
	url: String,
	rpc: Rpc,
	methods: LegacyRpcMethods<PolkadotConfig>,
	chain: OnlineClient<PolkadotConfig>,
	for_development: bool,
}

impl Client {
	/// Connects to the node at `url` and checks that its chain is one of ours.
	pub async fn connect(url: &str) -> Result<Self, ClientError> {
		let unreachable = |reason: String| ClientError::Unreachable {
			url: url.into(),
			reason,
		};
		let rpc = in_time(Rpc::connect(url)).await.map_err(unreachable)?;
		let chain = in_time(OnlineClient::from_rpc_client(rpc.0.clone()))
			.await
			.map_err(unreachable)?;
		let mut client = Self {
			url: url.into(),
			methods: LegacyRpcMethods::new(rpc.0.clone()),
			rpc,
			chain,
			for_development: false,
		};
		let chain_type: Value = in_time(client.request("system_chainType", vec![]))
			.await
			.map_err(unreachable)?;
		client.for_development = is_for_development(&chain_type);
		match in_time(client.api_version("MarketApi")).await.map_err(unreachable)? {
			Some(MARKET_API_VERSION) => Ok(client),
			Some(chain) => Err(ClientError::Outdated {
				api: "MarketApi",
				chain,
				ours: MARKET_API_VERSION,
			}),
			None => Err(ClientError::OtherChain(url.into())),
		}
	}

	/// A new connection to the same node.
	pub async fn reconnect(&self) -> Result<Self, ClientError> {
		Self::connect(&self.url).await
	}

	/// Whether the chain says that it is one for development, where everybody has the keys that hold the money.
	pub fn is_for_development(&self) -> bool {
		self.for_development
	}

	/// What needs nothing but plain requests.
	pub(crate) fn rpc(&self) -> &Rpc {
		&self.rpc
	}

	/// Sends a plain JSON-RPC request.
	pub async fn request<R: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: Vec<Value>,
	) -> Result<R, ClientError> {
		self.rpc.request(method, params).await
	}

	/// Subscribes to a stream of JSON values.
	pub async fn subscribe(
		&self,
		method: &str,
		params: Vec<Value>,
		unsubscribe: &str,
	) -> Result<RpcSubscription<Value>, ClientError> {
		self.rpc
			.0
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
		Ok(self
			.amount_constant("ModelRegistry", "BaseDeposit")?
			.saturating_add(per_byte.saturating_mul(name.len() as Balance))
			.saturating_add(self.version_deposit(spec)?))
	}

	/// What is held for one more version of a model.
	pub fn version_deposit(&self, spec: &VersionSpec) -> Result<Balance, ClientError> {
		let per_byte = self.amount_constant("ModelRegistry", "DepositPerByte")?;
		Ok(per_byte.saturating_mul(spec.encoded_size() as Balance))
	}

	/// The least that a featured place costs for an epoch.
	pub fn least_promotion(&self) -> Result<Balance, ClientError> {
		self.amount_constant("Promotion", "MinBid")
	}

	/// What tells this chain from others.
	pub async fn identity(&self) -> Result<ChainIdentity, ClientError> {
		let first: Option<String> = self.request("chain_getBlockHash", vec![serde_json::json!(1)]).await?;
		Ok(ChainIdentity {
			genesis: self.chain.genesis_hash().0,
			first: first.as_deref().and_then(hash_of),
		})
	}

	/// The id that the next job gets.
	pub async fn next_job(&self) -> Result<JobId, ClientError> {
		let key = [hashing::twox_128(b"InferenceJobs"), hashing::twox_128(b"NextJobId")].concat();
		let stored = self
			.methods
			.state_get_storage(&key, None)
			.await
			.map_err(|error| request_error("state_getStorage", error))?;
		stored.map_or(Ok(0), |bytes| decode("the next job's id", &bytes))
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

	/// The number of the last final block.
	pub async fn final_block(&self) -> Result<u32, ClientError> {
		let hash = self
			.methods
			.chain_get_finalized_head()
			.await
			.map_err(|error| request_error("chain_getFinalizedHead", error))?;
		let header = self
			.methods
			.chain_get_header(Some(hash))
			.await
			.map_err(|error| request_error("chain_getHeader", error))?;
		Ok(header.map_or(0, |header| header.number))
	}
}

/// Whether the chain's type, as its specification names it, is one for development.
fn is_for_development(chain_type: &Value) -> bool {
	matches!(chain_type.as_str(), Some("Development" | "Local"))
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

	#[test]
	fn chains_should_be_told_apart_when_one_was_started_anew() {
		let chain = |genesis, first| ChainIdentity {
			genesis: [genesis; 32],
			first,
		};
		let ours = chain(1, Some([2; 32]));
		assert!(ours.is_same(&ours) && ours.is_same(&chain(1, None)));
		assert!(!ours.is_same(&chain(1, Some([3; 32]))));
		assert!(!ours.is_same(&chain(2, Some([2; 32]))) && !ours.is_same(&chain(2, None)));
	}

	#[test]
	fn hash_of_should_read_32_bytes_and_nothing_else() {
		assert_eq!(hash_of(&format!("0x{}", "ab".repeat(32))), Some([0xab; 32]));
		for text in [
			"",
			"0x",
			"ab",
			&"ab".repeat(32),
			&format!("0x{}", "ab".repeat(33)),
			"0xzz",
		] {
			assert_eq!(hash_of(text), None, "{text}");
		}
	}

	#[test]
	fn only_development_and_local_chains_should_be_for_development() {
		for (chain_type, expected) in [
			(serde_json::json!("Development"), true),
			(serde_json::json!("Local"), true),
			(serde_json::json!("Live"), false),
			(serde_json::json!({ "Custom": "Local" }), false),
			(Value::Null, false),
		] {
			assert_eq!(is_for_development(&chain_type), expected, "{chain_type}");
		}
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
