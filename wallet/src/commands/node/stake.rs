//! `highway node`: stake that others put behind a node, what it earns, and what is slashed.

use super::{chosen, node_with};
use crate::{
	amount::{decimal, percent, with_unit},
	args::{parse_amount, parse_percent},
	client::{calls, Client},
	commands::{audit, submit},
	context::Context,
	error::CommandError,
	output::table,
};
use clap::Args;
use highway_primitives::{Balance, NodeId};
use highway_runtime_api::types::{AuditInfo, DelegationInfo, NodeInfo};
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use sp_runtime::Perbill;
use std::collections::BTreeSet;

/// Shown below the help of `delegate`.
pub const DELEGATE_HELP: &str = "\
Stake behind a node helps to elect it as a validator, and earns a part of what it is paid for its blocks. It secures no
jobs: wrong work costs the operator's own bond. An offence against consensus, such as two blocks for one slot, costs both.
  highway node list                         states and commissions
  highway --key me node delegate 3 100      accepts the commission of now
  highway --key me node rewards             what it earned so far; node claim-rewards pays it out
  highway --key me node undelegate 3 all    and, when it is free, node withdraw-delegation 3";

/// Shown below the help of `commission`.
pub const COMMISSION_HELP: &str = "\
A lower share holds at once, and so does any share while nobody has stake behind your node. A higher one may be up to 5
points higher, and holds as many sessions later as stake needs to leave: whoever does not like it has left by then.";

/// Shown below the help of `slashes`.
pub const SLASHES_HELP: &str = "\
A node loses what it reserved for a job when an audit finds its work wrong, or waits for a word of it in vain; the compute
price of a job that it did not do in time; and a share of all its stake for an offence against consensus. The table has
what audits tell, as long as their jobs are on record; the sum has all of it.";

/// Stake for a node.
#[derive(Args, Debug)]
pub struct DelegateArgs {
	/// The node's id.
	pub node: NodeId,
	/// How much, in AIC.
	#[arg(value_parser = parse_amount)]
	pub amount: Balance,
	/// The highest commission that you accept, one that is announced included; by default the one of now.
	#[arg(long, value_parser = parse_percent, value_name = "PERCENT")]
	pub max_commission: Option<Perbill>,
}

/// Stake to take back.
#[derive(Args, Debug)]
pub struct UndelegateArgs {
	/// The node's id.
	pub node: NodeId,
	/// How much, in AIC, or `all`.
	#[arg(value_parser = parse_part)]
	pub amount: Balance,
}

/// An amount, or `all`: more than anybody has, of which the chain takes what is there.
fn parse_part(text: &str) -> Result<Balance, String> {
	match text {
		"all" => Ok(Balance::MAX),
		_ => parse_amount(text),
	}
}

/// What an account has earned with a node and not claimed.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Reward {
	node: NodeId,
	earned_as: &'static str,
	amount: Balance,
}

/// Rewards of the operator of `operated`, and of whoever has these `delegations`.
fn waiting(operated: Option<&NodeInfo<AccountId32>>, delegations: &[DelegationInfo]) -> Vec<Reward> {
	let operator = operated.map(|node| Reward {
		node: node.id,
		earned_as: "operator",
		amount: node.rewards,
	});
	let delegator = delegations.iter().map(|delegation| Reward {
		node: delegation.node,
		earned_as: "delegator",
		amount: delegation.rewards,
	});
	let all = operator.into_iter().chain(delegator);
	all.filter(|reward| reward.amount > 0).collect()
}

fn total(rewards: &[Reward]) -> Balance {
	rewards
		.iter()
		.fold(0, |sum: Balance, reward| sum.saturating_add(reward.amount))
}

async fn waiting_for(client: &Client, account: &AccountId32) -> Result<Vec<Reward>, CommandError> {
	let operated = client.node_of(account).await?;
	let delegations = client.delegations(account).await?;
	Ok(waiting(operated.as_ref(), &delegations))
}

/// `highway node rewards`
pub async fn rewards(context: &Context, node: Option<NodeId>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let (account, rewards) = match node {
		Some(id) => {
			let node = node_with(&client, id).await?;
			let rewards = waiting(Some(&node), &[]);
			(node.operator, rewards)
		}
		None => {
			let account = context.own_account(&client)?;
			let rewards = waiting_for(&client, &account).await?;
			(account, rewards)
		}
	};
	let address = account.to_ss58check();
	context.output.result(
		json!({
			"account": address,
			"total": decimal(total(&rewards)),
			"rewards": rewards.iter().map(|reward| json!({
				"node": reward.node, "as": reward.earned_as, "amount": decimal(reward.amount),
			})).collect::<Vec<_>>(),
		}),
		|| rewards_text(&address, &rewards),
	);
	Ok(())
}

fn rewards_text(address: &str, rewards: &[Reward]) -> String {
	if rewards.is_empty() {
		return format!("No rewards wait for {address}.");
	}
	let rows = rewards.iter().map(|reward| {
		[
			reward.node.to_string(),
			reward.earned_as.into(),
			with_unit(reward.amount),
		]
	});
	format!(
		"{} wait for {address}:\n{}\n`highway node claim-rewards` pays them out",
		with_unit(total(rewards)),
		table(["node", "as", "rewards"], rows)
	)
}

/// `highway node claim-rewards`
pub async fn claim_rewards(context: &Context, node: Option<NodeId>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let rewards = waiting_for(&client, &signer.account()).await?;
	// One call pays what the account earned with a node, whatever as.
	let nodes: BTreeSet<NodeId> = rewards
		.iter()
		.map(|reward| reward.node)
		.filter(|id| node.is_none_or(|node| node == *id))
		.collect();
	if nodes.is_empty() {
		context
			.output
			.result(json!({ "claimed": "0" }), || "There is nothing to claim.".into());
		return Ok(());
	}
	let wanted: Vec<_> = nodes.into_iter().map(calls::claim_rewards).collect();
	let included = submit(context, &client, &signer, &wanted, 0).await?;
	let claimed = included
		.numbers("NodeStaking", "amount")?
		.into_iter()
		.fold(0, Balance::saturating_add);
	context
		.output
		.result(json!({ "claimed": decimal(claimed), "block": included.block }), || {
			format!("{} were paid out", with_unit(claimed))
		});
	Ok(())
}

/// `highway node slashes`
pub async fn slashes(context: &Context, node: Option<NodeId>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let node = chosen(context, &client, node).await?;
	let cost = |audit: &AuditInfo| audit::slashed(audit, node.id) > 0;
	let (audits, _) = client.audits(0, usize::MAX, cost).await?;
	context
		.output
		.result(slashes_json(&node, &audits), || slashes_text(&node, &audits));
	Ok(())
}

/// What was slashed beside what `audits` tell.
fn elsewhere(node: &NodeInfo<AccountId32>, audits: &[AuditInfo]) -> Balance {
	audits.iter().fold(node.slashed, |rest, audit| {
		rest.saturating_sub(audit::slashed(audit, node.id))
	})
}

fn slashes_json(node: &NodeInfo<AccountId32>, audits: &[AuditInfo]) -> Value {
	json!({
		"node": node.id,
		"slashed": decimal(node.slashed),
		"audits": audits.iter().map(|audit| json!({
			"job": audit.job,
			"part": audit::part_of(audit, node.id),
			"verdict": audit.verdict.map(|verdict| format!("{verdict:?}")),
			"amount": decimal(audit::slashed(audit, node.id)),
		})).collect::<Vec<_>>(),
		"elsewhere": decimal(elsewhere(node, audits)),
	})
}

fn slashes_text(node: &NodeInfo<AccountId32>, audits: &[AuditInfo]) -> String {
	if node.slashed == 0 {
		return format!("Nothing was slashed of node {}'s own bond.", node.id);
	}
	let rows = audits.iter().map(|audit| {
		[
			audit.job.to_string(),
			audit::part_of(audit, node.id).into(),
			audit::verdict(audit),
			with_unit(audit::slashed(audit, node.id)),
		]
	});
	let told = match audits.is_empty() {
		true => String::new(),
		false => format!(
			"\n{}\n`highway audit show JOB` tells more",
			table(["job", "as", "verdict", "slashed"], rows)
		),
	};
	let rest = match elsewhere(node, audits) {
		0 => String::new(),
		rest => format!(
			"\n{} for late jobs, for offences against consensus, or in audits that are no longer on record",
			with_unit(rest)
		),
	};
	format!(
		"{} were slashed of node {}'s own bond:{told}{rest}",
		with_unit(node.slashed),
		node.id
	)
}

/// `highway node delegate`
pub async fn delegate(context: &Context, args: DelegateArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let node = node_with(&client, args.node).await?;
	let now = Perbill::from_parts(node.commission);
	let call = [calls::delegate(
		node.id,
		args.amount,
		args.max_commission.unwrap_or(now),
	)];
	let included = submit(context, &client, &signer, &call, args.amount).await?;
	context.output.result(
		json!({
			"node": node.id,
			"delegated": decimal(args.amount),
			"commission": percent(now),
			"block": included.block,
		}),
		|| {
			format!(
				"{} more stand behind node {}, whose operator takes {} of what they earn; `highway node delegations` shows them",
				with_unit(args.amount),
				node.id,
				percent(now)
			)
		},
	);
	Ok(())
}

/// `highway node undelegate`
pub async fn undelegate(context: &Context, args: UndelegateArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let call = [calls::undelegate(args.node, args.amount)];
	let included = submit(context, &client, &signer, &call, 0).await?;
	let amount = included.number("NodeStaking", "amount")?;
	let session = included.number("NodeStaking", "session")?;
	context.output.result(
		json!({
			"node": args.node,
			"undelegated": decimal(amount),
			"session": session,
			"block": included.block,
		}),
		|| {
			format!(
				"{} are on their way out; from session {session} on `highway node withdraw-delegation {}` gives them back",
				with_unit(amount),
				args.node
			)
		},
	);
	Ok(())
}

/// `highway node withdraw-delegation`
pub async fn withdraw_delegation(context: &Context, node: NodeId) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let included = submit(context, &client, &signer, &[calls::withdraw_delegation(node)], 0).await?;
	let amount = included.number("NodeStaking", "amount")?;
	context.output.result(
		json!({ "node": node, "withdrawn": decimal(amount), "block": included.block }),
		|| format!("{} are back in your account", with_unit(amount)),
	);
	Ok(())
}

/// `highway node delegations`
pub async fn delegations(context: &Context, account: Option<String>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let account = match account {
		Some(text) => context.account(&client, &text)?,
		None => context.own_account(&client)?,
	};
	let delegations = client.delegations(&account).await?;
	context
		.output
		.result(delegations.iter().map(delegation_json).collect(), || {
			delegations_text(&account.to_ss58check(), &delegations)
		});
	Ok(())
}

fn delegation_json(delegation: &DelegationInfo) -> Value {
	json!({
		"node": delegation.node,
		"amount": decimal(delegation.amount),
		"rewards": decimal(delegation.rewards),
		"unbonding": delegation.unbonding.iter().map(|(amount, session)| json!({
			"amount": decimal(*amount), "session": session,
		})).collect::<Vec<_>>(),
	})
}

fn delegations_text(address: &str, delegations: &[DelegationInfo]) -> String {
	if delegations.is_empty() {
		return format!("{address} has no stake behind a node; `highway node delegate NODE AIC` puts some there.");
	}
	table(
		["node", "stake", "rewards", "on its way out"],
		delegations.iter().map(|delegation| {
			let leaving = delegation
				.unbonding
				.iter()
				.map(|(amount, session)| format!("{} free from session {session}", with_unit(*amount)))
				.collect::<Vec<_>>();
			[
				delegation.node.to_string(),
				with_unit(delegation.amount),
				with_unit(delegation.rewards),
				match leaving.is_empty() {
					true => "-".into(),
					false => leaving.join(", "),
				},
			]
		}),
	)
}

/// `highway node commission`
pub async fn commission(context: &Context, share: Perbill) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let included = submit(context, &client, &signer, &[calls::set_commission(share)], 0).await?;
	let session = included.number("NodeStaking", "session")?;
	context.output.result(
		json!({ "commission": percent(share), "session": session, "block": included.block }),
		|| {
			format!(
				"You take {} of your delegators' rewards from session {session} on",
				percent(share)
			)
		},
	);
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		args::{Cli, Command},
		commands::node::{to_json, to_text, NodeCommand},
	};
	use clap::Parser;
	use highway_primitives::{
		audit::{AuditReason, Seat, Verdict},
		node::Contact,
		DeviceClass, WorkerId, AIC,
	};
	use highway_runtime_api::types::{MeasuredInfo, SeatInfo};

	fn node(rewards: Balance, slashed: Balance) -> NodeInfo<AccountId32> {
		NodeInfo {
			id: 3,
			operator: AccountId32::new([1; 32]),
			worker: WorkerId::from(sp_core::sr25519::Public::from_raw([2; 32])),
			contact: Contact {
				node: 3,
				peer_id: Vec::new(),
				addresses: Vec::new(),
			},
			device: DeviceClass::CpuX86,
			memory_mib: 1,
			region: Vec::new(),
			bond: 100 * AIC,
			reserved: 0,
			delegated: 50 * AIC,
			commission: 100_000_000,
			rewards,
			slashed,
			unbonding: Vec::new(),
			chilled: false,
			jailed: false,
			eligible: true,
			validator: true,
			last_heartbeat: Some(1),
			healthy: true,
			slots: 1,
			assigned: 0,
			reliability: 1_000_000_000,
			hosted: Vec::new(),
			declared: 1,
			measured: None,
		}
	}

	fn delegation(node: NodeId, rewards: Balance) -> DelegationInfo {
		DelegationInfo {
			node,
			amount: 20 * AIC,
			rewards,
			unbonding: vec![(5 * AIC, 9)],
		}
	}

	/// An audit of another node's job in which node 3 was silent.
	fn silent(job: u64, amount: Balance) -> AuditInfo {
		AuditInfo {
			job,
			model: 1,
			executor: 1,
			reason: AuditReason::Drawn,
			phase: b"ended".to_vec(),
			until: None,
			inputs: 1,
			index: 0,
			sketch: None,
			seats: vec![SeatInfo {
				node: 3,
				seat: Seat::Auditor,
				committed: false,
				ballot: None,
			}],
			verdict: Some(Verdict::Unaudited),
			slashes: vec![(3, amount)],
		}
	}

	#[test]
	fn rewards_should_be_those_of_operators_and_delegators_that_are_not_nothing() {
		let rewards = waiting(Some(&node(AIC, 0)), &[delegation(3, 2 * AIC), delegation(4, 0)]);
		let expected = [("operator", AIC), ("delegator", 2 * AIC)].map(|(earned_as, amount)| Reward {
			node: 3,
			earned_as,
			amount,
		});
		assert_eq!(rewards, expected);
		let text = rewards_text("5Grw", &rewards);
		assert!(
			text.starts_with("3 AIC wait for 5Grw:") && text.contains("claim-rewards"),
			"{text}"
		);
		assert!(rewards_text("5Grw", &waiting(Some(&node(0, 0)), &[])).contains("No rewards"));
	}

	#[test]
	fn slashes_should_tell_jobs_and_what_audits_do_not_tell() {
		let audits = [silent(7, 2 * AIC), silent(9, AIC)];
		let text = slashes_text(&node(0, 5 * AIC), &audits);
		assert!(text.starts_with("5 AIC were slashed of node 3's own bond:"), "{text}");
		assert!(
			text.contains("Unaudited") && text.contains("2 AIC for late jobs"),
			"{text}"
		);
		let json = slashes_json(&node(0, 5 * AIC), &audits);
		assert_eq!((&json["slashed"], &json["elsewhere"]), (&json!("5"), &json!("2")));
		assert_eq!(
			json["audits"][0],
			json!({ "job": 7, "part": "auditor", "verdict": "Unaudited", "amount": "2" })
		);
		assert!(!slashes_text(&node(0, 3 * AIC), &audits).contains("late jobs"));
		assert!(slashes_text(&node(0, 0), &[]).starts_with("Nothing was slashed"));
	}

	#[test]
	fn status_should_show_stake_commission_and_slashes() {
		let text = to_text(&node(AIC, 2 * AIC));
		for words in [
			"50 AIC\n",
			"10% of its delegators' rewards",
			"1 AIC to be claimed",
			"2 AIC of its own bond; `highway node slashes 3`",
		] {
			assert!(text.contains(words), "{words}: {text}");
		}
		let json = to_json(&node(AIC, 2 * AIC));
		assert_eq!((&json["delegated"], &json["commission"]), (&json!("50"), &json!("10%")));
		assert_eq!((&json["rewards"], &json["slashed"]), (&json!("1"), &json!("2")));
	}

	#[test]
	fn status_should_show_what_was_declared_and_what_was_measured() {
		let mut node = node(0, 0);
		node.declared = 8;
		let text = to_text(&node);
		assert!(
			text.contains("0 of 1 slots; 8 are declared") && text.contains("no round of probes"),
			"{text}"
		);
		assert_eq!(to_json(&node)["measured"], Value::Null);

		let measured = MeasuredInfo {
			rows: 640,
			slots: 6,
			round: 4,
			missed: 0,
			refuted: false,
		};
		node.measured = Some(measured);
		let text = to_text(&node);
		assert!(text.contains("640 rows by round 4, good for 6 slots\n"), "{text}");
		let json = to_json(&node);
		assert_eq!((&json["declared"], &json["measured"]["slots"]), (&json!(8), &json!(6)));
		node.measured = Some(MeasuredInfo { missed: 1, ..measured });
		assert!(to_text(&node).contains("missed in a row: 1"));
		node.eligible = false;
		node.measured = Some(MeasuredInfo {
			rows: 0,
			slots: 0,
			refuted: true,
			..measured
		});
		let text = to_text(&node);
		assert!(
			text.contains("refuted, validator") && text.contains("round 4 are wrong"),
			"{text}"
		);
		assert_eq!(to_json(&node)["measured"]["refuted"], json!(true));
	}

	#[test]
	fn delegations_should_show_what_is_on_its_way_out() {
		let text = delegations_text("5Grw", &[delegation(3, AIC)]);
		assert!(
			text.contains("20 AIC") && text.contains("5 AIC free from session 9"),
			"{text}"
		);
		assert!(delegations_text("5Grw", &[]).contains("node delegate"));
		assert_eq!(
			delegation_json(&delegation(3, AIC))["unbonding"][0],
			json!({ "amount": "5", "session": 9 })
		);
	}

	#[test]
	fn stake_commands_should_be_understood() {
		let parse = |words: &str| {
			let cli = Cli::try_parse_from(format!("highway node {words}").split_whitespace())?;
			match cli.command {
				Command::Node(command) => Ok::<_, clap::Error>(command),
				_ => panic!("another command"),
			}
		};
		let Ok(NodeCommand::Delegate(args)) = parse("delegate 3 0.5 --max-commission 12.5%") else {
			panic!("not understood")
		};
		assert_eq!((args.node, args.amount), (3, AIC / 2));
		assert_eq!(args.max_commission, Some(Perbill::from_parts(125_000_000)));
		let undelegated = |words: &str| match parse(words) {
			Ok(NodeCommand::Undelegate(args)) => args.amount,
			_ => panic!("not understood"),
		};
		assert_eq!(undelegated("undelegate 3 all"), Balance::MAX);
		assert_eq!(undelegated("undelegate 3 2"), 2 * AIC);
		assert!(
			matches!(parse("commission 5%"), Ok(NodeCommand::Commission { share }) if share == Perbill::from_percent(5))
		);
		assert!(parse("commission 101%").is_err());
		assert!(parse("delegate 3").is_err());
		for words in [
			"rewards",
			"rewards 3",
			"slashes 3",
			"claim-rewards",
			"withdraw-delegation 3",
			"delegations //Bob",
		] {
			assert!(parse(words).is_ok(), "{words}");
		}
	}
}
