//! Signs transactions, sends them and follows them into a block.

use super::{Call, Client, ClientError, Refusal};
use highway_primitives::Balance;
use sp_core::{crypto::AccountId32, sr25519, Pair};
use sp_runtime::ApplyExtrinsicResult;
use subxt::{
	blocks::ExtrinsicEvents,
	config::DefaultExtrinsicParamsBuilder,
	error::{Error, RpcError},
	ext::{scale_value::At, subxt_rpcs},
	tx::{Payload, SubmittableTransaction, TxInBlock, TxProgress, TxStatus},
	utils::MultiSignature,
	Metadata, OnlineClient, PolkadotConfig,
};

/// Blocks that a signed transaction stays valid for: about two minutes. After that it can be sent anew without fear
/// that the first one is taken too.
const MORTALITY: u64 = 64;

/// When a transaction counts as done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wait {
	/// In the best block: fast; a reorganisation may take it back.
	#[default]
	InBlock,
	/// In a finalized block: for good.
	Finalized,
}

/// A key that signs transactions.
#[derive(Clone)]
pub struct Signer(sr25519::Pair);

impl Signer {
	/// Signs with this key.
	pub fn new(pair: sr25519::Pair) -> Self {
		Self(pair)
	}

	/// The account that pays.
	pub fn account(&self) -> AccountId32 {
		self.0.public().into()
	}
}

impl subxt::tx::Signer<PolkadotConfig> for Signer {
	fn account_id(&self) -> subxt::utils::AccountId32 {
		subxt::utils::AccountId32(self.0.public().0)
	}

	fn sign(&self, payload: &[u8]) -> MultiSignature {
		MultiSignature::Sr25519(self.0.sign(payload).0)
	}
}

/// Call data, ready to be signed.
struct CallData(Vec<u8>);

impl Payload for CallData {
	fn encode_call_data_to(&self, _: &Metadata, out: &mut Vec<u8>) -> Result<(), subxt::ext::subxt_core::error::Error> {
		out.extend(&self.0);
		Ok(())
	}
}

type Transaction = SubmittableTransaction<PolkadotConfig, OnlineClient<PolkadotConfig>>;

/// A transaction that the node has taken.
pub struct Pending {
	progress: TxProgress<PolkadotConfig, OnlineClient<PolkadotConfig>>,
	metadata: Metadata,
	/// Of the transaction.
	hash: String,
}

/// A transaction that succeeded in a block.
pub struct Included {
	/// Hash of the block, as hex.
	pub block: String,
	/// What happened.
	events: ExtrinsicEvents<PolkadotConfig>,
}

impl Client {
	/// The nonce of the account's next transaction, those in the pool counted.
	pub async fn next_nonce(&self, account: &AccountId32) -> Result<u64, ClientError> {
		let account = subxt::utils::AccountId32(*account.as_ref());
		self.methods
			.system_account_next_index(&account)
			.await
			.map_err(|error| super::request_error("system_accountNextIndex", error))
	}

	/// What the transaction's fee will be, about.
	pub async fn fee(&self, signer: &Signer, calls: &[Call]) -> Result<Balance, ClientError> {
		let nonce = self.next_nonce(&signer.account()).await?;
		let transaction = self.sign(signer, calls, nonce).await?;
		transaction.partial_fee_estimate().await.map_err(not_sent)
	}

	/// Lets the node carry `calls` out on its best block, and forgets it again. Nothing is sent. Error if they fail.
	pub async fn try_out(&self, signer: &Signer, calls: &[Call]) -> Result<(), ClientError> {
		let nonce = self.next_nonce(&signer.account()).await?;
		let transaction = self.sign(signer, calls, nonce).await?;
		let outcome: Result<ApplyExtrinsicResult, _> = self
			.state_call("BlockBuilder_apply_extrinsic", transaction.encoded().to_vec())
			.await;
		match outcome {
			Ok(Ok(Err(error))) => {
				let refusal = Refusal::of_runtime(&self.chain.metadata(), &error);
				Err(ClientError::WouldRefuse(refusal))
			}
			// What keeps the calls from being tried, such as a transaction of the account that is on its way or a full
			// block, says nothing about them: the chain has the last word anyway.
			_ => Ok(()),
		}
	}

	/// Sends `calls`, all of them or none, and waits until they are in a block.
	pub async fn submit(&self, signer: &Signer, calls: &[Call], wait: Wait) -> Result<Included, ClientError> {
		let nonce = self.next_nonce(&signer.account()).await?;
		self.send(signer, calls, nonce).await?.included(wait).await
	}

	/// Sends `calls`, all of them or none, with the given nonce, and does not wait.
	pub async fn send(&self, signer: &Signer, calls: &[Call], nonce: u64) -> Result<Pending, ClientError> {
		let transaction = self.sign(signer, calls, nonce).await?;
		let hash = format!("{:?}", transaction.hash());
		let progress = transaction
			.submit_and_watch()
			.await
			.map_err(|error| not_taken(&hash, error))?;
		Ok(Pending {
			progress,
			metadata: self.chain.metadata(),
			hash,
		})
	}

	async fn sign(&self, signer: &Signer, calls: &[Call], nonce: u64) -> Result<Transaction, ClientError> {
		let metadata = self.chain.metadata();
		let data = match calls {
			[call] => call.encode(&metadata)?,
			calls => Call::encode_batch(calls, &metadata)?,
		};
		let params = DefaultExtrinsicParamsBuilder::<PolkadotConfig>::new()
			.nonce(nonce)
			.mortal(MORTALITY)
			.build();
		self.chain
			.tx()
			.create_signed(&CallData(data), signer, params)
			.await
			.map_err(not_sent)
	}
}

impl Pending {
	/// Waits until the transaction is in a block and has succeeded there.
	pub async fn included(mut self, wait: Wait) -> Result<Included, ClientError> {
		self.next_included(wait).await
	}

	/// Like [`Pending::included`], and can be asked again with [`Wait::Finalized`] to learn how it ended.
	pub async fn next_included(&mut self, wait: Wait) -> Result<Included, ClientError> {
		loop {
			let Some(status) = self.progress.next().await else {
				return Err(unknown(&self.hash, "the node says no more of it"));
			};
			match step(status.map_err(|error| unknown(&self.hash, error))?, wait) {
				Step::In(block) => return self.read(block).await,
				Step::Over(reason) => return Err(unknown(&self.hash, reason)),
				Step::On => {}
			}
		}
	}

	async fn read(
		&self,
		block: TxInBlock<PolkadotConfig, OnlineClient<PolkadotConfig>>,
	) -> Result<Included, ClientError> {
		let events = block.wait_for_success().await.map_err(|error| match error {
			Error::Runtime(error) => ClientError::Refused(Refusal::of_dispatch(&self.metadata, &error)),
			other => unknown(&self.hash, other),
		})?;
		Ok(Included {
			block: format!("{:?}", block.block_hash()),
			events,
		})
	}
}

/// What a status of a transaction means for one who waits for it.
enum Step<Block> {
	/// It is in this block.
	In(Block),
	/// Nothing more will be heard. It may be in a block all the same: a node also gives up on what it was slow to see
	/// final, or what another node put into a block that this one does not know yet.
	Over(String),
	/// More will come.
	On,
}

fn step<C>(status: TxStatus<PolkadotConfig, C>, wait: Wait) -> Step<TxInBlock<PolkadotConfig, C>> {
	match status {
		TxStatus::InBestBlock(block) if wait == Wait::InBlock => Step::In(block),
		TxStatus::InFinalizedBlock(block) => Step::In(block),
		TxStatus::Error { message } | TxStatus::Invalid { message } | TxStatus::Dropped { message } => {
			Step::Over(message)
		}
		_ => Step::On,
	}
}

impl Included {
	/// The field `field` of the first event of `pallet` that has one: an id or an amount.
	pub fn number(&self, pallet: &str, field: &str) -> Result<u128, ClientError> {
		let missing = || ClientError::Undecodable {
			what: format!("the events of {pallet}"),
			reason: format!("no event with a field '{field}'"),
		};
		self.numbers(pallet, field)?.first().copied().ok_or_else(missing)
	}

	/// The field `field` of all events of `pallet` that have one, in order.
	pub fn numbers(&self, pallet: &str, field: &str) -> Result<Vec<u128>, ClientError> {
		self.numbers_where(pallet, field, |_| true)
	}

	/// The sum of the fields `field` of all events `event` of `pallet`.
	pub fn sum(&self, pallet: &str, event: &str, field: &str) -> Result<u128, ClientError> {
		let numbers = self.numbers_where(pallet, field, |name| name == event)?;
		Ok(numbers.into_iter().fold(0, u128::saturating_add))
	}

	fn numbers_where(
		&self,
		pallet: &str,
		field: &str,
		wanted: impl Fn(&str) -> bool,
	) -> Result<Vec<u128>, ClientError> {
		let mut numbers = Vec::new();
		let undecodable = |reason: String| ClientError::Undecodable {
			what: format!("the events of {pallet}"),
			reason,
		};
		for event in self.events.iter() {
			let event = event.map_err(|error| undecodable(error.to_string()))?;
			if event.pallet_name() == pallet && wanted(event.variant_name()) {
				let fields = event.field_values().map_err(|error| undecodable(error.to_string()))?;
				numbers.extend(fields.at(field).and_then(|value| value.as_u128()));
			}
		}
		Ok(numbers)
	}
}

fn unknown(transaction: &str, reason: impl ToString) -> ClientError {
	ClientError::Unknown {
		transaction: transaction.into(),
		reason: super::innermost(&reason.to_string()).into(),
	}
}

/// An error on the way to a signed transaction.
fn not_sent(error: Error) -> ClientError {
	match error {
		Error::Rpc(RpcError::ClientError(error)) => super::request_error("state_call", error),
		other => ClientError::Undecodable {
			what: "what a transaction needs".into(),
			reason: other.to_string(),
		},
	}
}

/// An error of the submission itself. Only what the node answered says that it did not take the transaction: where the
/// answer is missing, it may have come there.
fn not_taken(transaction: &str, error: Error) -> ClientError {
	match error {
		Error::Rpc(RpcError::ClientError(error @ subxt_rpcs::Error::User(_))) => {
			match super::request_error("author_submitAndWatchExtrinsic", error) {
				ClientError::Request { reason, .. } => ClientError::NotAccepted(explain_pool(&reason)),
				other => other,
			}
		}
		other => unknown(transaction, other),
	}
}

/// The pool's few standard answers, with what to do.
fn explain_pool(reason: &str) -> String {
	let advice = if reason.contains("Inability to pay some fees") {
		"the account cannot pay the fee; `highway balance` shows what it has"
	} else if reason.contains("Priority is too low") || reason.contains("outdated") {
		"another transaction of the same account was faster; try again"
	} else if reason.contains("bad signature") {
		"the signature does not fit the chain; update `highway`"
	} else {
		return reason.to_owned();
	};
	format!("{reason}: {advice}")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn answer(code: i32, message: &str) -> Error {
		let error = subxt_rpcs::UserError {
			code,
			message: message.into(),
			data: None,
		};
		RpcError::ClientError(error.into()).into()
	}

	#[test]
	fn not_taken_should_be_sure_only_when_the_node_answered() {
		assert!(matches!(
			not_taken("0x01", answer(1010, "Invalid Transaction")),
			ClientError::NotAccepted(_)
		));
		assert!(matches!(
			not_taken("0x01", answer(-32601, "")),
			ClientError::NoMethod(_)
		));
		let broken = subxt_rpcs::Error::Client("the connection is closed".into());
		for error in [RpcError::ClientError(broken), RpcError::SubscriptionDropped] {
			let error = not_taken("0x01", error.into());
			assert!(matches!(&error, ClientError::Unknown { transaction, .. } if transaction == "0x01"));
			assert!(error.to_string().contains("look before you send it again"), "{error}");
		}
	}

	#[test]
	fn step_should_never_say_that_a_transaction_is_in_no_block() {
		let message = || String::from("Finality timeout");
		for status in [
			TxStatus::<PolkadotConfig, ()>::Dropped { message: message() },
			TxStatus::Invalid { message: message() },
			TxStatus::Error { message: message() },
		] {
			assert!(matches!(step(status, Wait::Finalized), Step::Over(reason) if reason == "Finality timeout"));
		}
		let on = step(TxStatus::<PolkadotConfig, ()>::NoLongerInBestBlock, Wait::InBlock);
		assert!(matches!(on, Step::On));
	}

	#[test]
	fn pool_errors_should_say_what_to_do_when_they_are_known() {
		let text = explain_pool("Invalid Transaction (Inability to pay some fees (e.g. account balance too low))");
		assert!(text.contains("highway balance"));
		assert_eq!(explain_pool("something new"), "something new");
	}
}
