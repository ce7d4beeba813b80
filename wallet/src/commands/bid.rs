//! `highway bid`

mod bidder;
mod file;
mod plan;
mod step;

use crate::{
	amount::{decimal, with_unit},
	args::parse_amount,
	client::Client,
	context::Context,
	error::CommandError,
};
use bidder::Bidder;
use clap::{Args, Subcommand, ValueEnum};
use file::{new_salt, Bid};
use highway_math::audit::SECURITY_FACTOR;
use highway_primitives::{market::AskRole, Balance, BlockNumber};
use plan::{plan, remarks, wanted};
use serde_json::{json, Value};
use sp_core::H256;
use step::{has_place, Step};

/// Shown below the help.
const BID_HELP: &str = "\
Nobody sees the price before all have bid. The command commits to it in the first two thirds of a market epoch, waits, and
reveals it in the last third: leave it running, at most for two epochs. It then holds from the next epoch on, until another bid
or a withdrawal replaces it.
  price    the nodes that ask least win, and all earn what the first loser asks, at most the reserve: ask what it costs you
  bond     what a place was paid in the better of the model's last two epochs is reserved of your node's bond; a commitment
           that is not revealed costs it. A compute ask also needs 64 times the price of a unit, which secures one job,
           beside what else is reserved of that bond now: else it is not taken
  resume   what is committed to is kept beside your keys: if the command is stopped, `highway bid resume` reveals it
Examples:
  highway --key me bid 0 --compute 0.002 --storage 0.0001
  highway --key me bid 0 --withdraw=storage
  highway market show 0";

/// A bid.
#[derive(Args, Debug)]
#[command(after_help = BID_HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["compute", "storage", "withdraw"])))]
pub struct BidArgs {
	/// Something else than a new bid.
	#[command(subcommand)]
	pub command: Option<BidCommand>,
	/// The model: its id, OWNER/NAME, or the name of one of your own.
	#[arg(required = true)]
	pub model: Option<String>,
	/// The least you take for running it, in AIC per unit.
	#[arg(long, value_parser = parse_amount, value_name = "AIC")]
	pub compute: Option<Balance>,
	/// The least you take for pinning and serving its blobs, in AIC per started MiB of a job's input.
	#[arg(long, value_parser = parse_amount, value_name = "AIC")]
	pub storage: Option<Balance>,
	/// Ends what you ask for one of them, or for all.
	#[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
	pub withdraw: Option<Withdrawal>,
}

/// What is withdrawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Withdrawal {
	/// The ask for running the model.
	Compute,
	/// The ask for pinning and serving its blobs.
	Storage,
	/// Both.
	All,
}

/// Commands about bids that are on their way.
#[derive(Subcommand, Debug)]
pub enum BidCommand {
	/// Goes on with what is committed to and not revealed yet, after a command was stopped.
	Resume,
}

/// Runs it.
pub async fn run(context: &Context, args: BidArgs) -> Result<(), CommandError> {
	match args.command {
		Some(BidCommand::Resume) => resume(context).await,
		None => place(context, args).await,
	}
}

/// For messages: running it, or storing it.
pub fn role_name(role: AskRole) -> &'static str {
	match role {
		AskRole::Compute => "compute",
		AskRole::Storage => "storage",
	}
}

/// What is asked, in words.
fn price_text(price: Option<Balance>) -> String {
	price.map_or_else(|| "nothing any more".into(), with_unit)
}

async fn place(context: &Context, args: BidArgs) -> Result<(), CommandError> {
	let wanted = wanted(&args)?;
	let text = args.model.as_deref().unwrap_or_default();
	let mut client = context.connect().await?;
	let bidder = Bidder::new(context, &client).await?;
	let model = context.model(&client, text).await?.id;
	// What an earlier command left behind may have to be revealed now, not when this one is through.
	let left = bidder.kept(&client).await?;
	match bidder.follow(&mut client, left, false).await {
		Ok(left) => {
			for text in left.iter().filter_map(|(bid, step)| lost(bid, *step)) {
				context.output.remark(text);
			}
		}
		Err(error) => context
			.output
			.remark(format!("an earlier bid is not revealed yet: {error}")),
	}

	let market = bidder.until_commit_phase(&mut client, model).await?;
	let tasks = client.ask_tasks(&bidder.node().worker).await?;
	let planned = plan(&tasks, bidder.node().id, model, &wanted)?;
	if planned.is_empty() {
		let node = bidder.node().id;
		context
			.output
			.result(json!({ "node": node, "model": model, "bids": [] }), || {
				format!("node {node} asks that already: nothing was sent")
			});
		return Ok(());
	}
	for remark in remarks(&market, &planned) {
		context.output.remark(remark);
	}
	let chain = client.identity().await?;
	let bids: Vec<Bid> = planned
		.into_iter()
		.map(|ask| Bid {
			chain,
			operator: bidder.account(),
			node: bidder.node().id,
			model,
			role: ask.role,
			epoch: ask.epoch,
			price: ask.price,
			salt: new_salt(),
			revealed: false,
		})
		.collect();
	let bond = bidder.commit(&client, &bids, &market).await?;
	let stakes = match bond {
		Some(bond) => format!("{} of node {}'s bond are", with_unit(bond), bidder.node().id),
		None => format!("a part of node {}'s bond is", bidder.node().id),
	};
	context.output.remark(format!(
		"committed for epoch {}: {stakes} lost unless it is revealed in blocks {} to {}, which this command does; `highway bid \
		resume` goes on if it is stopped",
		market.epoch.saturating_add(1),
		market.phase_until.saturating_add(1),
		market.epoch_until
	));
	let done = bidder.follow(&mut client, bids, true).await;
	let done = done.map_err(|error| unrevealed(market.epoch_until, error))?;
	ensure_revealed(&done)?;
	let done = placed(&client, done).await;
	let mut json = json!({
		"node": bidder.node().id,
		"model": model,
		"epoch": market.epoch.saturating_add(1),
		"from": market.epoch_until.saturating_add(1),
		"bond": bond.map(decimal),
	});
	json["bids"] = done.iter().map(to_json).collect();
	context.output.result(json, || {
		format!(
			"{}\nthat epoch begins with block {}; `highway market show {model}` shows the market",
			done_text(&done),
			market.epoch_until.saturating_add(1)
		)
	});
	Ok(())
}

async fn resume(context: &Context) -> Result<(), CommandError> {
	let mut client = context.connect().await?;
	let bidder = Bidder::new(context, &client).await?;
	let kept = bidder.kept(&client).await?;
	let noted: Vec<H256> = kept.iter().filter(|bid| bid.revealed).map(Bid::hash).collect();
	let until = match kept.first() {
		Some(bid) => client.market(bid.model).await?.map(|market| market.epoch_until),
		None => None,
	};
	let done = bidder.follow(&mut client, kept, true).await;
	let mut done = done.map_err(|error| match until {
		Some(until) => unrevealed(until, error),
		None => error,
	})?;
	// These were looked after, too, in case that the block of their reveal was replaced; but they are no news.
	done.retain(|(bid, _)| !noted.contains(&bid.hash()));
	ensure_revealed(&done)?;
	let done = placed(&client, done).await;
	context.output.result(
		json!({ "bids": done.iter().map(to_json).collect::<Vec<_>>() }),
		|| match done.is_empty() {
			true => "There is nothing to be revealed.".into(),
			false => done_text(&done),
		},
	);
	Ok(())
}

fn unrevealed(until: BlockNumber, error: CommandError) -> CommandError {
	CommandError::Unrevealed {
		until,
		source: Box::new(error),
	}
}

/// A revealed bid, and whether it has a place among those that hold.
struct Placed {
	bid: Bid,
	has_place: bool,
}

/// Whether these have a place, as far as it is known: where their epoch has begun, others may have come since, and who cannot
/// be asked any more does not make a failure of what is done.
async fn placed(client: &Client, done: Vec<(Bid, Step)>) -> Vec<Placed> {
	let mut all = Vec::new();
	for (bid, _) in done {
		let market = client.market(bid.model).await.ok().flatten();
		let has_place = market.is_none_or(|market| market.epoch >= bid.epoch || has_place(&market, &bid));
		all.push(Placed { bid, has_place });
	}
	all
}

fn to_json(placed: &Placed) -> Value {
	let Placed { bid, has_place } = placed;
	json!({
		"model": bid.model,
		"role": role_name(bid.role),
		"epoch": bid.epoch,
		"price": bid.price.map(decimal),
		"place": has_place,
	})
}

fn done_text(done: &[Placed]) -> String {
	let lines = done.iter().map(|Placed { bid, has_place }| {
		let what = format!("{} of model {}", role_name(bid.role), bid.model);
		match *has_place {
			true => format!(
				"node {} asks {} for {what} from epoch {} on",
				bid.node,
				price_text(bid.price),
				bid.epoch
			),
			false => format!(
				"node {}'s ask of {} for {what} got no place: {}; what it asked before stays, and the ask's bond is free",
				bid.node,
				price_text(bid.price),
				reasons(bid.role)
			),
		}
	});
	lines.collect::<Vec<_>>().join("\n")
}

/// Why a revealed ask may have no place, and what helps.
fn reasons(role: AskRole) -> String {
	let taken = "all are taken by nodes that ask no more, or it cannot take jobs now";
	match role {
		AskRole::Compute => format!(
			"the node's own bond did not cover {SECURITY_FACTOR} times the price of a unit, beside what else was reserved of it, \
			when it was committed to (`highway node bond` adds to it), or {taken}"
		),
		AskRole::Storage => taken.into(),
	}
}

/// What became of a bid that is not revealed and will not be.
fn lost(bid: &Bid, step: Step) -> Option<String> {
	let model = bid.model;
	let what = format!(
		"{} for {} of model {model} from epoch {} on",
		price_text(bid.price),
		role_name(bid.role),
		bid.epoch
	);
	match step {
		Step::Missing => Some(format!(
			"the chain has no commitment to {what}: it was not taken in time, another one of the node's holds, or it is \
			revealed already; `highway market show {model}` tells what the node asks"
		)),
		Step::Late => Some(format!(
			"{what} was not revealed in time: if it was committed to, its bond is lost; `highway node status` shows what \
			the node has; bid again"
		)),
		Step::Wait(_) | Step::Hold(_) | Step::Reveal | Step::Revealed => None,
	}
}

/// Error unless all of them are revealed.
fn ensure_revealed(done: &[(Bid, Step)]) -> Result<(), CommandError> {
	let lost: Vec<_> = done.iter().filter_map(|(bid, step)| lost(bid, *step)).collect();
	match lost.is_empty() {
		true => Ok(()),
		false => Err(CommandError::BidLost(lost.join("; "))),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		args::{Cli, Command},
		client::ChainIdentity,
	};
	use clap::Parser;
	use highway_primitives::AIC;
	use sp_core::crypto::AccountId32;

	fn parsed(words: &str) -> Result<BidArgs, clap::Error> {
		let line = format!("highway --key //Alice bid {words}");
		match Cli::try_parse_from(line.split_whitespace())?.command {
			Command::Bid(args) => Ok(args),
			_ => panic!("another command"),
		}
	}

	#[test]
	fn bids_should_say_for_which_model_and_what_is_asked() {
		let args = parsed("//Alice/magika --compute 0.002 --storage 0.0001 --json").unwrap();
		assert_eq!(args.model.as_deref(), Some("//Alice/magika"));
		assert_eq!(
			(args.compute, args.storage, args.withdraw),
			(Some(AIC / 500), Some(AIC / 10_000), None)
		);
		for (words, withdrawn) in [
			("0 --withdraw", Withdrawal::All),
			("0 --withdraw=storage", Withdrawal::Storage),
			("--withdraw=compute 0 --storage 1", Withdrawal::Compute),
		] {
			let args = parsed(words).unwrap();
			assert_eq!(
				(args.model.as_deref(), args.withdraw),
				(Some("0"), Some(withdrawn)),
				"{words}"
			);
		}
		for wrong in [
			"",
			"0",
			"--compute 1",
			"0 --compute",
			"0 --compute 1e3",
			"0 --compute -1",
			"0 --withdraw=everything",
			"0 1 --compute 1",
			"resume --compute 1",
			"resume 0",
		] {
			assert!(parsed(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn resume_should_need_nothing_else() {
		let args = parsed("resume").unwrap();
		assert!(matches!(args.command, Some(BidCommand::Resume)));
		assert!(parsed("resume --json").is_ok());
		assert!(parsed("0 --compute 1").unwrap().command.is_none());
	}

	fn bid(role: AskRole, price: Option<Balance>) -> Bid {
		Bid {
			chain: ChainIdentity {
				genesis: [1; 32],
				first: None,
			},
			operator: AccountId32::new([3; 32]),
			node: 4,
			model: 5,
			role,
			epoch: 8,
			price,
			salt: [6; 32],
			revealed: false,
		}
	}

	#[test]
	fn bids_should_be_done_only_when_all_are_revealed() {
		let (one, other) = (bid(AskRole::Compute, Some(AIC)), bid(AskRole::Storage, None));
		let done = [(one.clone(), Step::Revealed), (other.clone(), Step::Revealed)];
		ensure_revealed(&done).unwrap();
		let lost = ensure_revealed(&[(one.clone(), Step::Late), (other, Step::Revealed)]).unwrap_err();
		assert!(matches!(&lost, CommandError::BidLost(text) if text.contains("its bond is lost")));
		let missing = ensure_revealed(&[(one, Step::Missing)]).unwrap_err();
		assert!(
			missing.to_string().contains("no commitment to 1 AIC for compute"),
			"{missing}"
		);
	}

	#[test]
	fn bids_should_say_whether_they_have_a_place() {
		let placed = |role, price, has_place| Placed {
			bid: bid(role, price),
			has_place,
		};
		let done = [
			placed(AskRole::Compute, Some(AIC), true),
			placed(AskRole::Storage, None, true),
			placed(AskRole::Storage, Some(2 * AIC), false),
			placed(AskRole::Compute, Some(3 * AIC), false),
		];
		let text = done_text(&done);
		for words in [
			"asks 1 AIC for compute of model 5 from epoch 8 on",
			"asks nothing any more for storage",
			"ask of 2 AIC for storage of model 5 got no place: all are taken",
			"ask of 3 AIC for compute of model 5 got no place: the node's own bond did not cover 64 times the price",
		] {
			assert!(text.contains(words), "{words} is missing:\n{text}");
		}
		let json: Vec<_> = done.iter().map(to_json).collect();
		assert_eq!(
			json[0],
			json!({ "model": 5, "role": "compute", "epoch": 8, "price": "1", "place": true })
		);
		assert_eq!((&json[1]["price"], &json[2]["place"]), (&Value::Null, &json!(false)));
	}

	#[test]
	fn help_should_say_what_an_unrevealed_bid_costs() {
		assert!(BID_HELP.contains("not revealed") && BID_HELP.contains("highway bid resume"));
	}

	#[test]
	fn help_should_say_what_secures_a_compute_ask() {
		assert!(BID_HELP.contains(&format!("needs {SECURITY_FACTOR} times the price of a unit")));
	}
}
