//! How a file comes to the chain before anybody else can have seen it: commit, wait, upload, show.
//!
//! ```text
//! tried out ── commit_model ── waits, CommitBlocks ── upload ── register or add_version, with the salt
//!                  ▲                                                │ too young: another branch of the chain won
//!                  └── there already: goes on from here             └──► waits on
//! ```
//!
//! Whoever is stopped in between runs the same command again: the salt is the same then, so is the commitment, and the chain
//! says how far it came.

use super::salt::salt;
use crate::{
	client::{
		calls::{self, Call},
		Client, ClientError, Included, Signer, Wait,
	},
	commands::{ensure_possible, patiently, send, PATIENCE, PAUSE},
	context::Context,
	error::CommandError,
	output,
};
use codec::{Decode, DecodeAll};
use highway_primitives::{model::model_commitment, Balance, BlobHash, BlockNumber, ModelId};
use indicatif::ProgressBar;
use serde_json::json;
use sp_core::{crypto::AccountId32, H256};
use sp_crypto_hashing::{blake2_128, twox_128};
use std::time::Instant;

/// The pallet.
const REGISTRY: &str = "ModelRegistry";

/// How often a registration is sent anew because the chain went back before its commitment.
const ATTEMPTS: u32 = 3;

/// The most open commitments of an account that are shown.
const MAX_SHOWN: u32 = 1_000;

/// A commitment on the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Decode)]
pub struct Commitment {
	/// The block in which it was made.
	pub since: BlockNumber,
	/// The first block in which it counts.
	pub from: BlockNumber,
	/// The last one.
	pub until: BlockNumber,
	/// Held for it.
	pub deposit: Balance,
}

/// A file on its way to the chain.
pub struct Registration<'a> {
	context: &'a Context,
	client: Client,
	signer: &'a Signer,
	owner: AccountId32,
	/// What opens the commitment.
	pub salt: [u8; 32],
	hash: H256,
}

impl<'a> Registration<'a> {
	/// Of the signer's artefact.
	pub async fn new(
		context: &'a Context,
		client: &Client,
		signer: &'a Signer,
		artefact: &BlobHash,
	) -> Result<Self, CommandError> {
		let owner = signer.account();
		let genesis = client.identity().await?.genesis;
		let salt = salt(context.keystore.folder(), &genesis, &owner, artefact)?;
		Ok(Self {
			context,
			client: client.clone(),
			signer,
			hash: model_commitment(owner.as_ref(), artefact, &salt),
			owner,
			salt,
		})
	}

	/// What has to be sent before `calls`, which open the commitment and take `amount` beside the fees. Error, with nothing
	/// sent, if the chain would not take them.
	pub async fn plan(&self, calls: &[Call], amount: Balance) -> Result<Vec<Call>, CommandError> {
		let open = commitment(&self.client, &self.owner, &self.hash).await?;
		let first = self.first_calls(open.as_ref(), self.client.best_block().await?);
		// What is held for the commitment comes back before the rest is held.
		let amount = amount.saturating_sub(open.map_or(0, |open| open.deposit));
		match self.try_out(&first, calls, amount).await {
			Err(error) if first.is_empty() && is_refusal(&error, "ParentTermsChanged") => {
				// The terms that hold now are what the maker was shown.
				let anew = self.anew();
				self.try_out(&anew, calls, amount).await?;
				Ok(anew)
			}
			tried => tried.map(|()| first),
		}
	}

	fn first_calls(&self, open: Option<&Commitment>, best: BlockNumber) -> Vec<Call> {
		match open {
			None => vec![calls::commit_model(self.hash)],
			Some(open) if open.until <= best => self.anew(),
			Some(_) => Vec::new(),
		}
	}

	/// The commitment once more, from now on.
	fn anew(&self) -> Vec<Call> {
		vec![
			calls::drop_commitment(self.owner.clone(), self.hash),
			calls::commit_model(self.hash),
		]
	}

	/// The commitment is what the chain looks at last: whatever else is wrong is told before.
	async fn try_out(&self, first: &[Call], calls: &[Call], amount: Balance) -> Result<(), CommandError> {
		let all = [first, calls].concat();
		match ensure_possible(&self.client, self.signer, &all, amount).await {
			Err(error) if is_refusal(&error, "CommitmentTooYoung") => Ok(()),
			tried => tried,
		}
	}

	/// Sends what [`Registration::plan`] found, and waits until the commitment counts.
	pub async fn commit(&mut self, first: &[Call]) -> Result<(), CommandError> {
		if !first.is_empty() {
			let spinner = self
				.context
				.output
				.spinner("waiting for the commitment to be in a block");
			// Never until it is final: whether it stays is looked at anyway.
			let sent = self.client.submit(self.signer, first, Wait::InBlock).await;
			spinner.finish_and_clear();
			match sent.map_err(CommandError::from) {
				// By this command, before it was stopped.
				Err(error) if is_refusal(&error, "AlreadyCommitted") => {}
				sent => drop(sent?),
			}
		}
		self.wait().await
	}

	/// Waits until what is sent now opens the commitment.
	async fn wait(&mut self) -> Result<(), CommandError> {
		let (owner, hash) = (self.owner.clone(), self.hash);
		let mut seen = Instant::now();
		let mut bar: Option<ProgressBar> = None;
		loop {
			let (best, open) = patiently(&mut self.client, async |client: &Client| {
				Ok((client.best_block().await?, commitment(client, &owner, &hash).await?))
			})
			.await?;
			match left(open.as_ref(), best) {
				Left::Nothing => break,
				Left::Blocks(blocks) => {
					seen = Instant::now();
					let bar = bar.get_or_insert_with(|| self.bar(blocks));
					bar.set_position(bar.length().unwrap_or_default().saturating_sub(blocks.into()));
				}
				Left::Expired => return Err(lost("it counts no more")),
				// Another branch of the chain won, which will have it soon.
				Left::Missing if seen.elapsed() < PATIENCE => {}
				Left::Missing => return Err(lost("the chain does not have it")),
			}
			tokio::time::sleep(PAUSE).await;
		}
		if let Some(bar) = bar {
			bar.finish_and_clear();
		}
		Ok(())
	}

	fn bar(&self, blocks: BlockNumber) -> ProgressBar {
		let output = &self.context.output;
		output.remark(format!(
			"committed to the file; in {} it can be registered. If this is stopped, run the same command again",
			output::blocks(blocks)
		));
		output.blocks_bar("waiting until the commitment counts", blocks.into())
	}

	/// Sends `calls`, which open the commitment.
	pub async fn open(&mut self, calls: &[Call]) -> Result<Included, CommandError> {
		let mut attempts = 1;
		loop {
			match send(self.context, &self.client, self.signer, calls).await {
				Err(error) if attempts < ATTEMPTS && is_refusal(&error, "CommitmentTooYoung") => {
					attempts += 1;
					self.wait().await?;
				}
				sent => return sent,
			}
		}
	}
}

/// How long a commitment has to be waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Left {
	/// What is sent now comes into a block in which it counts.
	Nothing,
	/// So many blocks more.
	Blocks(BlockNumber),
	/// In vain.
	Expired,
	/// The chain does not have it.
	Missing,
}

fn left(open: Option<&Commitment>, best: BlockNumber) -> Left {
	let next = best.saturating_add(1);
	match open {
		None => Left::Missing,
		Some(open) if open.until < next => Left::Expired,
		Some(open) if open.from <= next => Left::Nothing,
		Some(open) => Left::Blocks(open.from.saturating_sub(next)),
	}
}

fn lost(what: &str) -> CommandError {
	CommandError::NotFound(format!(
		"the commitment to the file is lost: {what}; run the same command again, which makes it anew"
	))
}

/// Whether the chain refused, or would, with this error of the registry.
pub fn is_refusal(error: &CommandError, name: &str) -> bool {
	match error {
		CommandError::Client(ClientError::Refused(refusal) | ClientError::WouldRefuse(refusal)) => {
			refusal.pallet == REGISTRY && refusal.name == name
		}
		_ => false,
	}
}

/// The model that has this artefact among its versions.
pub async fn holder(client: &Client, artefact: &BlobHash) -> Result<Option<ModelId>, CommandError> {
	let key = storage_key("Artefacts", &[artefact.as_bytes()]);
	Ok(stored(client, "Artefacts", &key).await?)
}

async fn commitment(client: &Client, owner: &AccountId32, hash: &H256) -> Result<Option<Commitment>, CommandError> {
	let key = storage_key("Commitments", &[owner.as_ref(), hash.as_bytes()]);
	Ok(stored(client, "Commitments", &key).await?)
}

/// All open commitments of an account, in no order that means anything.
async fn commitments(client: &Client, owner: &AccountId32) -> Result<Vec<(H256, Commitment)>, CommandError> {
	let prefix = storage_key("Commitments", &[owner.as_ref()]);
	let params = vec![json!(prefix), json!(MAX_SHOWN)];
	let keys: Vec<String> = client.request("state_getKeysPaged", params).await?;
	let mut list = Vec::new();
	for key in keys {
		// The key ends with the hash itself.
		let digits = key.len().checked_sub(64).and_then(|at| key.get(at..));
		let hash = digits.and_then(|digits| hex::decode(digits).ok());
		let Some(hash) = hash.filter(|hash| hash.len() == 32) else {
			continue;
		};
		if let Some(open) = stored(client, "Commitments", &key).await? {
			list.push((H256::from_slice(&hash), open));
		}
	}
	Ok(list)
}

/// Key of an entry of the registry's map `item`, or, of a double map, what the keys of its entries begin with.
fn storage_key(item: &str, keys: &[&[u8]]) -> String {
	let mut bytes = [twox_128(REGISTRY.as_bytes()), twox_128(item.as_bytes())].concat();
	for key in keys {
		bytes.extend(blake2_128(key));
		bytes.extend_from_slice(key);
	}
	format!("0x{}", hex::encode(bytes))
}

// No runtime API tells of commitments.
async fn stored<T: Decode>(client: &Client, item: &str, key: &str) -> Result<Option<T>, ClientError> {
	let text: Option<String> = client.request("state_getStorage", vec![json!(key)]).await?;
	let Some(text) = text else { return Ok(None) };
	let undecodable = |reason: String| ClientError::Undecodable {
		what: format!("{REGISTRY}.{item}"),
		reason,
	};
	let bytes = hex::decode(text.trim_start_matches("0x")).map_err(|error| undecodable(error.to_string()))?;
	T::decode_all(&mut bytes.as_slice())
		.map(Some)
		.map_err(|error| undecodable(error.to_string()))
}

/// `highway model commitments`: shows them, or drops them all.
pub async fn show_commitments(context: &Context, drop_all: bool) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let owner = context.own_account(&client)?;
	let open = commitments(&client, &owner).await?;
	let best = client.best_block().await?;
	if drop_all && !open.is_empty() {
		let signer = context.signer(&client)?;
		let calls: Vec<_> = open
			.iter()
			.map(|(hash, _)| calls::drop_commitment(owner.clone(), *hash))
			.collect();
		crate::commands::submit(context, &client, &signer, &calls, 0).await?;
	}
	let shown = open.iter().map(|(hash, open)| {
		json!({
			"hash": format!("{hash:?}"),
			"since": open.since,
			"from": open.from,
			"until": open.until,
			"deposit": crate::amount::decimal(open.deposit),
			"dropped": drop_all,
		})
	});
	context.output.result(shown.collect(), || {
		if open.is_empty() {
			return "No file is committed to.".into();
		}
		let state = |open: &Commitment| match left(Some(open), best) {
			_ if drop_all => "dropped".into(),
			Left::Nothing => "counts".into(),
			Left::Blocks(blocks) => format!("counts in {}", output::blocks(blocks)),
			Left::Expired | Left::Missing => String::from("expired"),
		};
		output::table(
			["commitment", "made in block", "until block", "deposit", "state"],
			open.iter().map(|(hash, open)| {
				[
					format!("{hash:?}"),
					open.since.to_string(),
					open.until.to_string(),
					crate::amount::with_unit(open.deposit),
					state(open),
				]
			}),
		)
	});
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::client::Refusal;
	use codec::Encode;

	fn open(from: BlockNumber, until: BlockNumber) -> Commitment {
		Commitment {
			since: 1,
			from,
			until,
			deposit: 7,
		}
	}

	#[test]
	fn left_should_count_to_the_block_that_what_is_sent_now_comes_into() {
		let open = open(11, 100);
		for (best, expected) in [
			(1, Left::Blocks(9)),
			(9, Left::Blocks(1)),
			(10, Left::Nothing),
			(99, Left::Nothing),
			(100, Left::Expired),
			(BlockNumber::MAX, Left::Expired),
		] {
			assert_eq!(left(Some(&open), best), expected, "{best}");
		}
		assert_eq!(left(None, 1), Left::Missing);
	}

	#[test]
	fn refusals_should_be_known_by_pallet_and_name() {
		let refusal = |pallet: &str| Refusal {
			pallet: pallet.into(),
			name: "CommitmentTooYoung".into(),
			docs: String::new(),
		};
		for error in [
			ClientError::Refused(refusal(REGISTRY)),
			ClientError::WouldRefuse(refusal(REGISTRY)),
		] {
			let error = error.into();
			assert!(is_refusal(&error, "CommitmentTooYoung") && !is_refusal(&error, "ArtefactTaken"));
		}
		let error = ClientError::Refused(refusal("RevenueSplit")).into();
		assert!(!is_refusal(&error, "CommitmentTooYoung"));
		assert!(!is_refusal(&lost("x"), "CommitmentTooYoung"));
	}

	#[test]
	fn commitments_should_be_read_as_the_registry_writes_them() {
		let bytes = (1u32, 11u32, 100u32, 7u128).encode();
		assert_eq!(Commitment::decode_all(&mut bytes.as_slice()), Ok(open(11, 100)));
	}

	#[test]
	fn keys_of_entries_should_begin_with_those_of_their_account() {
		let owner = [1; 32];
		let all = storage_key("Commitments", &[&owner]);
		let one = storage_key("Commitments", &[&owner, &[2; 32]]);
		assert!(one.starts_with(&all) && one.ends_with(&"02".repeat(32)));
		assert_ne!(all, storage_key("Commitments", &[&[3; 32]]));
	}
}
