//! `highway node`

mod stake;

use crate::{
	amount::{decimal, percent, with_unit},
	args::{parse_amount, parse_percent},
	client::{
		calls::{self, NodeDescription, SessionKeys},
		Client,
	},
	context::Context,
	error::CommandError,
	output::{facts, plain, table},
};
use clap::{Args, Subcommand};
use codec::Decode;
use highway_primitives::{node::Multiaddress, Balance, DeviceClass, NodeId, WorkerId, WorkerSignature};
use highway_runtime_api::types::{MeasuredInfo, NodeInfo};
use serde::Deserialize;
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use sp_runtime::Perbill;
use stake::{DelegateArgs, UndelegateArgs, COMMISSION_HELP, DELEGATE_HELP, SLASHES_HELP};

/// Shown below the help of `register`.
const REGISTER_EXAMPLE: &str = "\
Run it against your own node (it must allow unsafe RPC methods to you, as it does on the same machine):
  highway --url ws://127.0.0.1:9944 --key me node register --bond 1000 --region eu-west
  highway --key me node host //Alice/magika
  highway --key me bid //Alice/magika --compute 0.002 --storage 0.0001";

/// Shown below the help of `validate`.
const VALIDATE_HELP: &str = "\
Run it against your own node, started with --validator. A candidate whose bond is among the largest authors blocks from the
session after the next one on. `highway node chill` takes it out again.";

/// Commands about the node that you operate. One account operates one node.
#[derive(Subcommand, Debug)]
pub enum NodeCommand {
	/// Registers the connected node as yours and bonds money for it.
	#[command(after_help = REGISTER_EXAMPLE)]
	Register(RegisterArgs),
	/// Tells the chain what the connected node says about itself now: addresses, device, worker key.
	Update {
		/// Where it stands, such as eu-west.
		#[arg(long)]
		region: Option<String>,
	},
	/// Bonds more.
	Bond {
		/// How much, in AIC.
		#[arg(value_parser = parse_amount)]
		amount: Balance,
	},
	/// Starts to take a part of the bond out; it is free some sessions later.
	Unbond {
		/// How much, in AIC.
		#[arg(value_parser = parse_amount)]
		amount: Balance,
	},
	/// Takes out what is free by now.
	Withdraw,
	/// Hosts a model: your node fetches it and keeps it. `highway bid` says what you ask for serving it.
	Host {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Hosts a model no more.
	Unhost {
		/// Its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Makes your node a candidate for authoring blocks: it makes new session keys, and your account sets them.
	#[command(after_help = VALIDATE_HELP)]
	Validate,
	/// Shows your node, or another one.
	Status {
		/// Its id.
		node: Option<NodeId>,
	},
	/// Lists the nodes.
	List,
	/// Takes no new jobs for a while.
	Chill,
	/// Takes jobs again, also after missed heartbeats.
	Resume,
	/// Ends the registration of a node without bond and jobs.
	Deregister,
	/// Shows rewards that wait to be claimed: yours, as an operator and as a delegator, or those of another node's operator.
	Rewards {
		/// That node's id.
		node: Option<NodeId>,
	},
	/// Pays out the rewards that wait for you, as an operator and as a delegator.
	ClaimRewards {
		/// Only those of this node.
		node: Option<NodeId>,
	},
	/// Shows what was slashed of your node's bond, or of another one's, and for which jobs.
	#[command(after_help = SLASHES_HELP)]
	Slashes {
		/// Its id.
		node: Option<NodeId>,
	},
	/// Puts stake behind a node.
	#[command(after_help = DELEGATE_HELP)]
	Delegate(DelegateArgs),
	/// Starts to take stake away from behind a node; it is free some sessions later, and can be slashed until then.
	Undelegate(UndelegateArgs),
	/// Takes out of a node's stake what is free by now.
	WithdrawDelegation {
		/// The node's id.
		node: NodeId,
	},
	/// Lists the nodes behind which an account has stake, with what it earned there.
	Delegations {
		/// The account; by default the one of the key.
		account: Option<String>,
	},
	/// Sets the share that you take of your delegators' rewards.
	#[command(after_help = COMMISSION_HELP)]
	Commission {
		/// The share, such as 5%.
		#[arg(value_parser = parse_percent, value_name = "PERCENT")]
		share: Perbill,
	},
}

/// A registration.
#[derive(Args, Debug)]
pub struct RegisterArgs {
	/// How much to bond, in AIC.
	#[arg(long, value_parser = parse_amount)]
	pub bond: Balance,
	/// Where it stands, such as eu-west.
	#[arg(long, default_value = "")]
	pub region: String,
}

/// What a node says about itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeReport {
	worker: Option<String>,
	peer_id_bytes: String,
	addresses: Vec<String>,
	device: Option<DeviceClass>,
	memory_mib: u32,
	node: Option<NodeId>,
}

impl NodeReport {
	fn warn_without_address(&self, context: &Context) {
		if self.addresses.is_empty() {
			context.output.remark(NO_ADDRESS);
		}
	}

	/// The description for the chain.
	fn describe(&self, region: &str) -> Result<NodeDescription, CommandError> {
		let invalid = |what: &str| CommandError::Usage(format!("the node cannot be registered: {what}"));
		let worker = self.worker.as_deref().ok_or_else(|| {
			invalid("it has no worker key, so it runs no inference; insert a key of type `work` and start it again")
		})?;
		let device = self.device.ok_or_else(|| invalid("it runs no inference"))?;
		let addresses = self
			.addresses
			.iter()
			.map(|address| address.as_bytes().to_vec().try_into())
			.collect::<Result<Vec<Multiaddress>, _>>()
			.map_err(|_| invalid("one of its addresses is longer than 128 bytes"))?;
		Ok(NodeDescription {
			worker: decode_hex::<WorkerId>(worker).ok_or_else(|| invalid("its worker key cannot be read"))?,
			peer_id: hex_bytes(&self.peer_id_bytes)
				.and_then(|bytes| bytes.try_into().ok())
				.ok_or_else(|| invalid("its peer id cannot be read"))?,
			addresses: addresses
				.try_into()
				.map_err(|_| invalid("it has more than 4 public addresses"))?,
			device,
			memory_mib: self.memory_mib,
			region: region
				.as_bytes()
				.to_vec()
				.try_into()
				.map_err(|_| invalid("the region is longer than 32 bytes"))?,
		})
	}
}

/// What to tell the operator of a node that others cannot find by the chain.
const NO_ADDRESS: &str =
	"this node names no address under which others reach it, so they find it only through peers they share, if at \
	all: start it with --public-addr /ip4/ADDRESS/tcp/30333, then say `highway node update`";

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
	hex::decode(text.trim_start_matches("0x")).ok()
}

fn decode_hex<T: Decode>(text: &str) -> Option<T> {
	T::decode(&mut hex_bytes(text)?.as_slice()).ok()
}

/// The id of the connected node, if it is registered. It takes part in a job as the place where the payer's blobs are.
pub async fn connected(client: &Client) -> Option<NodeId> {
	client
		.request::<NodeReport>("inference_nodeInfo", vec![])
		.await
		.ok()?
		.node
}

async fn proof(client: &Client, operator: &AccountId32) -> Result<WorkerSignature, CommandError> {
	let text: String = client
		.request("inference_registrationProof", vec![json!(operator.to_ss58check())])
		.await?;
	decode_hex(&text).ok_or_else(|| CommandError::NotFound("the node's proof cannot be read: update `highway`".into()))
}

/// Runs it.
pub async fn run(context: &Context, command: NodeCommand) -> Result<(), CommandError> {
	match command {
		NodeCommand::Register(args) => register(context, args).await,
		NodeCommand::Update { region } => update(context, region).await,
		NodeCommand::Bond { amount } => bond(context, amount).await,
		NodeCommand::Unbond { amount } => {
			let said = format!(
				"{} are on their way out; `highway node status` tells from when",
				with_unit(amount)
			);
			super::submit_and_say(context, &[calls::unbond(amount)], &said).await
		}
		NodeCommand::Withdraw => {
			super::submit_and_say(
				context,
				&[calls::withdraw_unbonded()],
				"What was free is back in your account",
			)
			.await
		}
		NodeCommand::Host { model } => host(context, &model).await,
		NodeCommand::Unhost { model } => {
			let client = context.connect().await?;
			let id = context.model(&client, &model).await?.id;
			super::submit_and_say(context, &[calls::unhost(id)], &format!("model {id} is hosted no more")).await
		}
		NodeCommand::Validate => validate(context).await,
		NodeCommand::Status { node } => status(context, node).await,
		NodeCommand::List => list(context).await,
		NodeCommand::Chill => super::submit_and_say(context, &[calls::chill()], "The node takes no new jobs").await,
		NodeCommand::Resume => super::submit_and_say(context, &[calls::resume()], "The node takes jobs again").await,
		NodeCommand::Deregister => {
			super::submit_and_say(context, &[calls::deregister()], "The node is no longer registered").await
		}
		NodeCommand::Rewards { node } => stake::rewards(context, node).await,
		NodeCommand::ClaimRewards { node } => stake::claim_rewards(context, node).await,
		NodeCommand::Slashes { node } => stake::slashes(context, node).await,
		NodeCommand::Delegate(args) => stake::delegate(context, args).await,
		NodeCommand::Undelegate(args) => stake::undelegate(context, args).await,
		NodeCommand::WithdrawDelegation { node } => stake::withdraw_delegation(context, node).await,
		NodeCommand::Delegations { account } => stake::delegations(context, account).await,
		NodeCommand::Commission { share } => stake::commission(context, share).await,
	}
}

async fn register(context: &Context, args: RegisterArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let report: NodeReport = client.request("inference_nodeInfo", vec![]).await?;
	let description = report.describe(&args.region)?;
	report.warn_without_address(context);
	let proof = proof(&client, &signer.account()).await?;
	let call = [calls::register_node(description, args.bond, proof)];
	let included = super::submit(context, &client, &signer, &call, args.bond).await?;
	let node = included.number("NodeStaking", "node")?;
	context.output.result(
		json!({ "node": node, "bond": decimal(args.bond), "block": included.block }),
		|| {
			format!(
				"node {node} is registered with a bond of {}\n\
				Next: highway node host MODEL, then highway bid MODEL --compute AIC",
				with_unit(args.bond)
			)
		},
	);
	Ok(())
}

async fn bond(context: &Context, amount: Balance) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let call = [calls::bond_extra(amount)];
	let included = super::submit(context, &client, &signer, &call, amount).await?;
	context
		.output
		.result(json!({ "bonded": decimal(amount), "block": included.block }), || {
			format!("{} more are bonded", with_unit(amount))
		});
	Ok(())
}

async fn update(context: &Context, region: Option<String>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let known = own_node(&client, &signer.account()).await?;
	let report: NodeReport = client.request("inference_nodeInfo", vec![]).await?;
	let description = report.describe(&region.unwrap_or_else(|| plain(&known.region)))?;
	report.warn_without_address(context);
	// Only a new worker key needs a proof.
	let proof = if description.worker == known.worker {
		None
	} else {
		Some(proof(&client, &signer.account()).await?)
	};
	let call = [calls::update_node(description, proof)];
	let included = super::submit(context, &client, &signer, &call, 0).await?;
	context
		.output
		.result(json!({ "node": known.id, "block": included.block }), || {
			format!("node {} is up to date", known.id)
		});
	Ok(())
}

async fn host(context: &Context, text: &str) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let model = context.model(&client, text).await?.id;
	let node = own_node(&client, &signer.account()).await?;
	if node.hosted.iter().any(|(hosted, ..)| *hosted == model) {
		return Err(CommandError::Usage(format!(
			"node {} hosts model {model} already; `highway bid {model}` says what it asks for",
			node.id
		)));
	}
	let included = super::submit(context, &client, &signer, &[calls::host(model)], 0).await?;
	context.output.result(
		json!({ "node": node.id, "model": model, "block": included.block }),
		|| {
			format!(
				"node {} hosts model {model}\n\
				It gets no jobs before it asks for a price: highway bid {model} --compute AIC",
				node.id
			)
		},
	);
	Ok(())
}

/// What a node answers that made session keys.
#[derive(Deserialize)]
struct GeneratedKeys {
	keys: String,
	proof: Option<String>,
}

async fn validate(context: &Context) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let node = own_node(&client, &signer.account()).await?;
	let report: NodeReport = client.request("inference_nodeInfo", vec![]).await?;
	if report.node != Some(node.id) {
		return Err(CommandError::Usage(format!(
			"the node at --url is not your node {}: its keys would author in your name",
			node.id
		)));
	}
	let owner = format!("0x{}", hex::encode(signer.account()));
	let made: GeneratedKeys = client.request("author_rotateKeysWithOwner", vec![json!(owner)]).await?;
	let unreadable = || CommandError::NotFound("the node's session keys cannot be read: update `highway`".into());
	let keys: SessionKeys = decode_hex(&made.keys).ok_or_else(unreadable)?;
	let proof = made.proof.as_deref().and_then(hex_bytes).ok_or_else(unreadable)?;
	let call = [calls::set_session_keys(keys, proof)];
	let included = super::submit(context, &client, &signer, &call, 0).await?;
	context.output.result(
		json!({ "node": node.id, "keys": made.keys, "block": included.block }),
		|| {
			format!(
				"node {} {}, with a bond of {}; `highway node status` tells when it validates",
				node.id,
				match node.chilled {
					true => "has its keys, and is a candidate after `highway node resume`",
					false => "is a candidate",
				},
				with_unit(node.bond)
			)
		},
	);
	Ok(())
}

/// The node that this account operates.
pub async fn own_node(client: &Client, operator: &AccountId32) -> Result<NodeInfo<AccountId32>, CommandError> {
	client.node_of(operator).await?.ok_or_else(|| {
		CommandError::NotFound(format!(
			"{} operates no node; `highway node register --bond AIC` registers the one at --url",
			operator.to_ss58check()
		))
	})
}

/// The node with this id.
async fn node_with(client: &Client, id: NodeId) -> Result<NodeInfo<AccountId32>, CommandError> {
	client
		.node(id)
		.await?
		.ok_or_else(|| CommandError::NotFound(format!("there is no node {id}; `highway node list` shows the nodes")))
}

/// The node with this id, or the one of the key's account.
async fn chosen(context: &Context, client: &Client, id: Option<NodeId>) -> Result<NodeInfo<AccountId32>, CommandError> {
	match id {
		Some(id) => node_with(client, id).await,
		None => own_node(client, &context.own_account(client)?).await,
	}
}

async fn status(context: &Context, node: Option<NodeId>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let node = chosen(context, &client, node).await?;
	context.output.result(to_json(&node), || to_text(&node));
	Ok(())
}

async fn list(context: &Context) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let nodes = client.nodes().await?;
	context.output.result(nodes.iter().map(to_json).collect(), || {
		if nodes.is_empty() {
			return "There are no nodes yet. `highway node register` registers one.".into();
		}
		table(
			[
				"id",
				"operator",
				"device",
				"region",
				"bond",
				"delegated",
				"commission",
				"reliability",
				"jobs",
				"declared",
				"measured",
				"models",
				"state",
			],
			nodes.iter().map(|node| {
				[
					node.id.to_string(),
					node.operator.to_ss58check(),
					format!("{:?}", node.device),
					plain(&node.region),
					with_unit(node.bond),
					with_unit(node.delegated),
					commission(node),
					reliability(node),
					format!("{}/{}", node.assigned, node.slots),
					node.declared.to_string(),
					node.measured
						.map_or_else(|| "-".into(), |measured| measured.slots.to_string()),
					node.hosted
						.iter()
						.map(|(id, ..)| id.to_string())
						.collect::<Vec<_>>()
						.join(", "),
					state(node).into(),
				]
			}),
		)
	});
	Ok(())
}

fn reliability(node: &NodeInfo<AccountId32>) -> String {
	let tenths = node.reliability / 1_000_000;
	format!("{}.{}%", tenths / 10, tenths % 10)
}

/// The operator's share of its delegators' rewards.
fn commission(node: &NodeInfo<AccountId32>) -> String {
	percent(Perbill::from_parts(node.commission))
}

fn state(node: &NodeInfo<AccountId32>) -> &'static str {
	if node.jailed {
		"jailed"
	} else if node.chilled {
		"chilled"
	} else if node.eligible {
		"serving"
	} else if node.measured.is_some_and(|measured| measured.refuted) {
		"refuted"
	} else if node.last_heartbeat.is_none() {
		"silent"
	} else if !node.healthy {
		"unhealthy"
	} else {
		"not eligible"
	}
}

fn slashed(node: &NodeInfo<AccountId32>) -> String {
	match node.slashed {
		0 => "nothing".into(),
		amount => format!(
			"{} of its own bond; `highway node slashes {}` tells for what",
			with_unit(amount),
			node.id
		),
	}
}

/// What rounds of probes found of it.
fn measured(node: &NodeInfo<AccountId32>) -> String {
	let Some(measured) = node.measured else {
		return "no round of probes has counted for it yet".into();
	};
	let MeasuredInfo {
		rows,
		slots,
		round,
		missed,
		refuted,
	} = measured;
	let what = format!("{rows} rows by round {round}, good for {slots} slots");
	match (refuted, missed) {
		(true, _) => format!(
			"refuted: rows that it answered for in round {round} are wrong; it gets no jobs until it proves right ones"
		),
		(false, 0) => what,
		(false, missed) => format!("{what}; rounds missed in a row: {missed}"),
	}
}

fn to_json(node: &NodeInfo<AccountId32>) -> Value {
	json!({
		"id": node.id,
		"operator": node.operator.to_ss58check(),
		"worker": node.worker.to_string(),
		"peerId": format!("0x{}", hex::encode(&node.contact.peer_id)),
		"addresses": node.contact.addresses.iter().map(|address| String::from_utf8_lossy(address)).collect::<Vec<_>>(),
		"device": format!("{:?}", node.device),
		"memoryMib": node.memory_mib,
		"region": String::from_utf8_lossy(&node.region),
		"bond": decimal(node.bond),
		"reserved": decimal(node.reserved),
		"delegated": decimal(node.delegated),
		"commission": commission(node),
		"rewards": decimal(node.rewards),
		"slashed": decimal(node.slashed),
		"unbonding": node.unbonding.iter().map(|(amount, session)| json!({ "amount": decimal(*amount), "session": session })).collect::<Vec<_>>(),
		"state": state(node),
		"eligible": node.eligible,
		"validator": node.validator,
		"lastHeartbeat": node.last_heartbeat,
		"healthy": node.healthy,
		"slots": node.slots,
		"declared": node.declared,
		"measured": node.measured.map(|measured| json!({
			"rows": measured.rows,
			"slots": measured.slots,
			"round": measured.round,
			"missed": measured.missed,
			"refuted": measured.refuted,
		})),
		"assigned": node.assigned,
		"reliability": reliability(node),
		"hosted": node.hosted.iter().map(|(model, compute, storage)| json!({
			"model": model, "price": compute.map(decimal), "storagePrice": storage.map(decimal),
		})).collect::<Vec<_>>(),
	})
}

fn to_text(node: &NodeInfo<AccountId32>) -> String {
	let mut rows = vec![
		("node", node.id.to_string()),
		("operator", node.operator.to_ss58check()),
		(
			"state",
			format!("{}{}", state(node), if node.validator { ", validator" } else { "" }),
		),
		("device", format!("{:?}, {} MiB", node.device, node.memory_mib)),
		("region", plain(&node.region)),
		(
			"bond",
			format!(
				"{}, of which {} secure jobs, audits and asks",
				with_unit(node.bond),
				with_unit(node.reserved)
			),
		),
		("delegated", with_unit(node.delegated)),
		("commission", format!("{} of its delegators' rewards", commission(node))),
		(
			"rewards",
			format!("{} to be claimed by its operator", with_unit(node.rewards)),
		),
		("slashed", slashed(node)),
		(
			"jobs",
			format!(
				"{} of {} slots; {} are declared",
				node.assigned, node.slots, node.declared
			),
		),
		("measured", measured(node)),
		("reliability", reliability(node)),
		(
			"heartbeat",
			node.last_heartbeat
				.map_or_else(|| "none yet".into(), |session| format!("session {session}")),
		),
	];
	for (amount, session) in &node.unbonding {
		rows.push((
			"unbonding",
			format!("{} free from session {session}", with_unit(*amount)),
		));
	}
	for address in &node.contact.addresses {
		rows.push(("address", plain(address)));
	}
	let price = |price: &Option<Balance>| price.map_or_else(|| "-".into(), with_unit);
	let hosted = table(
		["model", "price per unit", "storage per MiB"],
		node.hosted
			.iter()
			.map(|(model, compute, storage)| [model.to_string(), price(compute), price(storage)]),
	);
	format!("{}\n{hosted}", facts(rows))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn report() -> Value {
		json!({
			"worker": format!("0x{}", "11".repeat(32)),
			"peerId": "12D3KooW",
			"peerIdBytes": "0x0024080112",
			"addresses": ["/ip4/192.0.2.1/tcp/30333"],
			"device": "CpuX86",
			"memoryMib": 24000,
			"provider": "cpu",
			"node": null,
		})
	}

	#[test]
	fn describe_should_carry_what_the_node_says() {
		let report: NodeReport = serde_json::from_value(report()).unwrap();
		let description = report.describe("eu-west").unwrap();
		assert_eq!(description.device, DeviceClass::CpuX86);
		assert_eq!(description.peer_id.to_vec(), [0, 0x24, 8, 1, 0x12]);
		assert_eq!(description.addresses[0].to_vec(), b"/ip4/192.0.2.1/tcp/30333");
		assert!(report.describe(&"x".repeat(33)).is_err());
	}

	#[test]
	fn describe_should_say_what_to_do_when_the_node_has_no_worker_key() {
		let mut value = report();
		value["worker"] = Value::Null;
		let report: NodeReport = serde_json::from_value(value).unwrap();
		assert!(report.describe("").unwrap_err().to_string().contains("worker key"));
	}
}
