//! What the chain's events say of money in the market, block by block.

use anyhow::{Context, Result};
use codec::Decode;
use highway_primitives::{AskRole, Balance, EpochIndex, JobId, ModelId, NodeId, Role};
use highway_test_support::Node;
use serde_json::json;
use sp_core::crypto::AccountId32;
use std::collections::{BTreeMap, BTreeSet};
use subxt::{utils::H256, OnlineClient, PolkadotConfig};

/// A line of a bill: for what, to whom, how much.
pub type Line = (Role, Option<AccountId32>, Balance);

/// All of it from the first block on.
#[derive(Debug, Default)]
pub struct Ledger {
	/// What each settled job paid.
	pub lines: BTreeMap<JobId, Vec<Line>>,
	/// What was minted for each job, and for whom.
	pub subsidies: BTreeMap<JobId, (AccountId32, Balance)>,
	/// What each account was paid for judging others' work, out of the audit pot.
	pub judged: BTreeMap<AccountId32, Balance>,
	/// Pay for storage that was proved, by model and payee.
	pub proved: BTreeMap<(ModelId, AccountId32), Balance>,
	/// All that each account could claim at some time.
	pub earned: BTreeMap<AccountId32, Balance>,
	/// What it has claimed of it.
	pub claimed: BTreeMap<AccountId32, Balance>,
	/// Who lost an ask, with its bond, for what.
	pub lost_asks: BTreeSet<(ModelId, AskRole, NodeId)>,
	/// Pay for storage that a node has lost.
	pub forfeited: BTreeMap<(ModelId, NodeId), Balance>,
	/// All that is halved between the treasury and the fire, but for lines of bills: what somebody lost, or paid for a
	/// featured place, and what was burned of it.
	pub halved: Vec<(Balance, Balance)>,
}

impl Ledger {
	/// Reads the blocks up to `last`, which must be final. `treasury` has what is not burned of what somebody lost.
	pub async fn read(node: &Node, last: u64, treasury: &AccountId32) -> Result<Self> {
		let chain = OnlineClient::<PolkadotConfig>::from_insecure_url(node.url()).await?;
		let mut ledger = Self::default();
		for block in 1..=last {
			let hash: H256 = serde_json::from_value(node.rpc("chain_getBlockHash", json!([block])).await?)?;
			for event in chain.events().at(hash).await?.iter() {
				let event = event?;
				let (pallet, name, fields) = (event.pallet_name(), event.variant_name(), event.field_bytes());
				let noted = match pallet {
					"RevenueSplit" => ledger.note(name, fields, treasury),
					"Promotion" => ledger.note_place(name, fields),
					_ => Ok(()),
				};
				noted.with_context(|| format!("{pallet}::{name} in block {block}"))?;
			}
		}
		for lines in ledger.lines.values_mut() {
			lines.sort();
		}
		Ok(ledger)
	}

	fn note(&mut self, event: &str, mut fields: &[u8], treasury: &AccountId32) -> Result<()> {
		let fields = &mut fields;
		match event {
			"Paid" => {
				let (job, role, payee, amount) = <(JobId, Role, AccountId32, Balance)>::decode(fields)?;
				add(&mut self.earned, payee.clone(), amount);
				match role {
					// Not the premium, which goes into the pot, but what somebody gets out of it.
					Role::Auditor => add(&mut self.judged, payee, amount),
					role => self.line(job, role, Some(payee), amount),
				}
			}
			"StoragePayHeld" => {
				let (job, _, payee, amount) = <(JobId, ModelId, AccountId32, Balance)>::decode(fields)?;
				self.line(job, Role::Storage, Some(payee), amount);
			}
			"StoragePaid" => {
				let (model, payee, amount) = <(ModelId, AccountId32, Balance)>::decode(fields)?;
				add(&mut self.proved, (model, payee.clone()), amount);
				add(&mut self.earned, payee, amount);
			}
			"StoragePayForfeited" => {
				let (model, node, amount, burned) = <(ModelId, NodeId, Balance, Balance)>::decode(fields)?;
				add(&mut self.forfeited, (model, node), amount);
				self.halve(treasury, amount, burned);
			}
			"StorageFined" => {
				let (_, amount, burned) = <(NodeId, Balance, Balance)>::decode(fields)?;
				self.halve(treasury, amount, burned);
			}
			"AuditPotFilled" => {
				let (job, amount) = <(JobId, Balance)>::decode(fields)?;
				self.line(job, Role::Auditor, None, amount);
			}
			"Burned" => {
				let (job, amount) = <(JobId, Balance)>::decode(fields)?;
				self.line(job, Role::Protocol, None, amount);
			}
			"Subsidised" => {
				let (job, payee, amount) = <(JobId, AccountId32, Balance)>::decode(fields)?;
				add(&mut self.earned, payee.clone(), amount);
				self.subsidies.insert(job, (payee, amount));
			}
			"Refunded" => {
				let (_, payer, amount, claimable) = <(JobId, AccountId32, Balance, bool)>::decode(fields)?;
				if claimable {
					add(&mut self.earned, payer, amount);
				}
			}
			"Claimed" => {
				let (account, amount) = <(AccountId32, Balance)>::decode(fields)?;
				add(&mut self.claimed, account, amount);
			}
			"AskForfeited" => {
				let (model, role, node, _, amount, burned) =
					<(ModelId, AskRole, NodeId, EpochIndex, Balance, Balance)>::decode(fields)?;
				self.lost_asks.insert((model, role, node));
				self.halve(treasury, amount, burned);
			}
			_ => {}
		}
		Ok(())
	}

	/// A featured place is paid to the treasury at once: there is nothing to claim.
	fn note_place(&mut self, event: &str, mut fields: &[u8]) -> Result<()> {
		if event == "Promoted" {
			let (.., price, burned) = <(EpochIndex, ModelId, AccountId32, Balance, Balance)>::decode(&mut fields)?;
			self.halved.push((price, burned));
		}
		Ok(())
	}

	/// Somebody lost this; what was not burned of it the treasury may claim.
	fn halve(&mut self, treasury: &AccountId32, amount: Balance, burned: Balance) {
		self.halved.push((amount, burned));
		add(&mut self.earned, treasury.clone(), amount - burned);
	}

	fn line(&mut self, job: JobId, role: Role, payee: Option<AccountId32>, amount: Balance) {
		self.lines.entry(job).or_default().push((role, payee, amount));
	}
}

fn add<Key: Ord>(sums: &mut BTreeMap<Key, Balance>, key: Key, amount: Balance) {
	*sums.entry(key).or_default() += amount;
}
