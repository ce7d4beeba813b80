//! Places in the market, held by nodes that serve nobody.
//!
//! Three nodes of one hand ask nothing and have all three places of a model; three others would serve at cost. Whoever has a
//! place for compute sells its only slot to itself, by jobs on a model of its own that may take as long as any may; whoever has
//! one for storage keeps no file. Then one of the three serves beside the two others; and nodes that hold more places at first
//! wait until three are left.

use super::{
	chain::{
		nodes::{bond_of, operator_of, set_slots, SimulatedNode},
		order, AccountId, Chain, Taken, DAY, JOBS_PER_WINNER, MIN_ASK_BOND, MODEL, PAYER,
	},
	months::{COST, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_math::deadline;
use highway_primitives::{
	market::{AskRole, Order},
	Balance, BlockNumber, ModelId, NodeId, AIC, BLOCK_SECONDS,
};
use pallet_model_registry::MAX_UNIT_TIME_MS;
use pallet_revenue_split::MAX_ASKS;
use std::ops::Range;

/// Places of the model.
const PLACES: NodeId = 3;

/// Who holds them.
const OURS: Range<NodeId> = 0..PLACES;

/// Who would serve.
const OTHERS: Range<NodeId> = PLACES..2 * PLACES;

/// Who serves, if not all of ours are sold out.
const SERVING: Range<NodeId> = 2..PLACES;

/// Jobs of an epoch: few enough for three places.
const FEW: u32 = JOBS / 3;

/// Jobs of an epoch that leave the reserve of three places where it is.
const ENOUGH: u32 = JOBS / 3 * 2;

/// What a MiB costs whoever stores it.
const STORAGE_COST: Balance = PRICE / 100;

/// Pays for the jobs on our own model, which it made.
const OWNER: AccountId = 4;

/// The most blocks that a job may have: inference jobs' `MAX_DEADLINE_BLOCKS`.
const LONGEST: BlockNumber = 9_000;

/// Blocks of an epoch in the runtime.
const EPOCH: BlockNumber = 300;

pub(super) fn table(_: Size) -> Table {
	let mut table = Table::new("places", "What does it cost to hold places and to serve nobody?");
	let sold = sell_out();
	table.exact(
		"three asks of nothing, one slot each, sold to themselves for the longest job there is: nobody takes a job",
		f64::from(sold.closed),
		"epochs",
		Bound::left_over(29.0, 29.0),
		"whoever is drawn for nothing fails nothing; they are heard, well, and do what they have taken",
	);
	table.require(sold.open_before && sold.bonds_lost == 0);
	table.exact(
		"the same: what they lose",
		100.0 * sold.lost as f64 / sold.turnover as f64,
		"% of what the model's nodes would have earned",
		Bound::left_over(1e-9, 1e-6),
		format!(
			"{} planck: protocol and premium of three jobs at the lowest price; the fees of three submissions are more",
			sold.lost
		),
	);
	let (honest, beside) = (serve_beside(0..0), serve_beside(0..SERVING.start));
	table.exact(
		"one of the three serves, two are sold out; others cost 1.25 times as much: it gains",
		100.0 * (beside.income / honest.income - 1.0),
		"% of honest income",
		Bound::left_over(199.0, 200.1),
		"all jobs instead of a third of them, for two bonds that come back; payers pay what they paid",
	);
	table.require(beside.paid == honest.paid && beside.bonds_lost == 0);
	for (places, epochs) in [(16, 13.0), (MAX_ASKS, 23.0)] {
		let shut = shut_down(places);
		table.exact(
			format!("{places} places, all sold out: until there are three, and as many nodes shut the model"),
			shut.until.map_or(f64::INFINITY, f64::from),
			"epochs",
			Bound::left_over(epochs, epochs),
			"a submission that fails is no demand, so places go; all others of theirs leave then, with their bonds",
		);
		table.require(shut.all_along && shut.bonds_lost == 0);
	}
	let once = squat(false);
	let until = once.held.iter().position(|held| *held == 0);
	table.exact(
		"three ask nothing for storage and keep no file: until others have all places",
		until.map_or(f64::INFINITY, |epochs| epochs as f64),
		"epochs",
		Bound::left_over(3.0, 40.0),
		"whoever misses two challenges in a row loses its ask, also if nobody has shown the file",
	);
	table.require(once.lost >= Balance::from(PLACES) * MIN_ASK_BOND && once.others_lost == 0);
	let again = squat(true);
	table.exact(
		"they ask again in each epoch, and have all places all the time: lost in a day",
		again.lost as f64 / AIC as f64,
		"AIC",
		Bound::left_over(44.0, 72.0),
		"the bond of an ask for every two challenges, here the lowest; and they are paid for nothing",
	);
	table.require(again.held.iter().all(|held| *held == PLACES as usize) && again.others_lost == 0);
	table
}

/// The same ask of each of these nodes.
fn asking(nodes: Range<NodeId>, ask: Balance) -> Vec<(NodeId, Option<Balance>)> {
	nodes.map(|node| (node, Some(ask))).collect()
}

/// What these nodes have lost of their bonds.
fn bonds_lost(nodes: Range<NodeId>) -> Balance {
	nodes.map(|node| SimulatedNode::BOND - bond_of(node)).sum()
}

/// Blocks that a job on our own model has.
fn allowance(units: u32) -> BlockNumber {
	deadline::blocks(input(units), units, MAX_UNIT_TIME_MS, BLOCK_SECONDS)
}

/// Bytes of so many units.
fn input(units: u32) -> u64 {
	u64::from(units) * 1_024
}

/// The longest job that there is on a model of our own.
fn longest(model: ModelId) -> Order<'static, AccountId> {
	let units = (1..)
		.take_while(|units| allowance(*units) <= LONGEST)
		.last()
		.expect("a unit may take ten minutes, a job five hours");
	Order {
		units,
		input_size: input(units),
		..order(&OWNER, None, model)
	}
}

/// Whole epochs for which such a job may keep its slot.
fn longest_epochs() -> u32 {
	allowance(longest(MODEL).units) / EPOCH
}

/// A model of our own, and who sells its only slot on it.
struct Own {
	model: ModelId,
	nodes: Range<NodeId>,
}

/// Registers so many models that all of `nodes` win on one, each of which has three places.
fn own_models(chain: &mut Chain, nodes: Range<NodeId>) -> Vec<Own> {
	let mut models = Vec::new();
	for first in nodes.clone().step_by(PLACES as usize) {
		let name = format!("slow-{first}");
		let model = chain.register_slow(OWNER, &name).expect("the model is valid");
		// A registration leaves no time to commit to asks.
		chain.next_epoch();
		models.push(Own {
			model,
			nodes: first..nodes.end.min(first + PLACES),
		});
	}
	nodes.for_each(|node| set_slots(node, 1));
	models
}

/// Asks nothing for them.
fn ask_on_own(chain: &mut Chain, models: &[Own]) {
	for Own { model, nodes } in models {
		chain.ask_for(*model, AskRole::Compute, &asking(nodes.clone(), 0));
	}
}

/// All their slots are sold. Nobody has bought anything on these models yet, so it costs nothing.
fn sell_to_ourselves(chain: &mut Chain, models: &[Own]) -> Vec<(Order<'static, AccountId>, Taken)> {
	let mut sold = Vec::new();
	for Own { model, nodes } in models {
		for _ in nodes.clone() {
			let order = longest(*model);
			let job = chain.submit(&order).expect("a slot is free");
			sold.push((order, job));
		}
	}
	sold
}

/// What came of serving beside nodes of one's own that are sold out.
struct Beside {
	/// What was earned, costs taken off.
	income: f64,
	/// What payers paid for compute.
	paid: Balance,
	/// What was lost of bonds.
	bonds_lost: Balance,
}

/// One of ours serves at cost, for as long as the longest job lasts, beside those that are `sold_out` and ask nothing. Others
/// serve at a higher cost, the same for all.
fn serve_beside(sold_out: Range<NodeId>) -> Beside {
	Chain::run(|chain| {
		chain.join(OTHERS.end);
		let own = own_models(chain, sold_out.clone());
		chain.set_market(2 * PRICE, ENOUGH);
		let asks = [asking(sold_out, 0), asking(SERVING, COST), asking(OTHERS, PRICE)].concat();
		chain.ask(AskRole::Compute, &asks);
		ask_on_own(chain, &own);
		chain.next_epoch();
		let ours: Vec<_> = OURS.map(operator_of).chain([OWNER]).collect();
		let before = chain.wealth(&ours);
		let sold = sell_to_ourselves(chain, &own);
		let (mut income, mut paid) = (0.0, 0);
		for _ in 0..longest_epochs() {
			let share = chain.share(&order(&PAYER, None, MODEL), SERVING);
			let price = chain.count_jobs(ENOUGH).compute;
			income += share * f64::from(ENOUGH) * (price as f64 - COST as f64);
			paid += price * Balance::from(ENOUGH);
			chain.prune();
			chain.next_epoch();
		}
		sold.iter().for_each(|(order, job)| chain.finish(order, job));
		Beside {
			income: income - (before - chain.wealth(&ours)) as f64,
			paid,
			bonds_lost: bonds_lost(OURS),
		}
	})
}

/// What came of holding more than three places until three are left.
struct ShutDown {
	/// Epochs without a job until then.
	until: Option<u32>,
	/// Whether ours had all places in each epoch, three nodes of them in the end, and nobody else's job was taken.
	all_along: bool,
	/// What was lost of bonds.
	bonds_lost: Balance,
}

/// As many nodes as a market has `places` hold all of them, sold out; all but three leave as soon as there are no more. Others
/// would serve at cost, and come for the places that are left.
fn shut_down(places: u32) -> ShutDown {
	let (ours, others) = (0..places, places..places + PLACES);
	Chain::run(|chain| {
		chain.join(others.end);
		let own = own_models(chain, ours.clone());
		// A place is counted on to do so many, of which a fifth is room.
		chain.set_market(PRICE, places * (JOBS_PER_WINNER / 5 * 4));
		chain.ask(
			AskRole::Compute,
			&[asking(ours.clone(), 0), asking(others.clone(), COST)].concat(),
		);
		ask_on_own(chain, &own);
		chain.next_epoch();
		let anybodys = order(&PAYER, None, MODEL);
		let mut all_along = chain.could_submit(&anybodys);
		let sold = sell_to_ourselves(chain, &own);
		let (mut until, mut left) = (None, ours.clone());
		for epoch in 0..longest_epochs() {
			let winners = chain.clear().expect("they have places").executors;
			all_along &= winners.iter().all(|node| left.contains(node));
			all_along &= !chain.could_submit(&anybodys);
			all_along &= epoch > 0 || winners.len() == ours.len();
			if until.is_none() && winners.len() == PLACES as usize {
				(until, left) = (Some(epoch), OURS);
				let leaving: Vec<_> = (PLACES..places).map(|node| (node, None)).collect();
				chain.ask(AskRole::Compute, &[leaving, asking(others.clone(), COST)].concat());
			}
			chain.next_epoch();
		}
		sold.iter().for_each(|(order, job)| chain.finish(order, job));
		ShutDown {
			until,
			all_along,
			bonds_lost: bonds_lost(ours),
		}
	})
}

/// What came of slots that are sold to oneself.
struct SoldOut {
	/// Whether others' jobs were taken before.
	open_before: bool,
	/// Epochs in which none was.
	closed: u32,
	/// What it cost, gains taken off.
	lost: Balance,
	/// Of it, bonds.
	bonds_lost: Balance,
	/// What others would have paid for compute meanwhile.
	turnover: Balance,
}

/// All slots of those who have places are taken by the longest jobs there are, for as long as these may last.
fn sell_out() -> SoldOut {
	Chain::run(|chain| {
		chain.join(OTHERS.end);
		chain.set_market(PRICE, FEW);
		let own = chain.register_slow(OWNER, "slow").expect("the model is valid");
		chain.next_epoch();
		OURS.for_each(|node| set_slots(node, 1));
		chain.ask(AskRole::Compute, &[asking(OURS, 0), asking(OTHERS, COST)].concat());
		chain.ask_for(own, AskRole::Compute, &asking(OURS, 0));
		chain.next_epoch();
		let longest = longest(own);
		let others = order(&PAYER, None, MODEL);
		// The first job costs nothing, and leaves the lowest reserve behind for all that come later.
		let first = chain.submit(&longest).expect("a slot is free");
		chain.finish(&longest, &first);
		chain.next_epoch();
		let mut price = chain.clear().expect("they have places").compute_price;
		let open_before = chain.could_submit(&others);
		let ours: Vec<_> = OURS.map(operator_of).chain([OWNER]).collect();
		let before = chain.wealth(&ours);
		let taken: Vec<_> = OURS.map(|_| chain.submit(&longest).expect("a slot is free")).collect();
		let (mut closed, mut turnover) = (0, 0);
		for _ in 0..longest_epochs() {
			closed += u32::from(!chain.could_submit(&others));
			turnover += price * Balance::from(FEW);
			chain.prune();
			chain.next_epoch();
			price = chain.clear().expect("they have places").compute_price;
		}
		taken.iter().for_each(|job| chain.finish(&longest, job));
		SoldOut {
			open_before,
			closed,
			lost: before - chain.wealth(&ours),
			bonds_lost: bonds_lost(OURS),
			turnover,
		}
	})
}

/// What came of places for storage that are held without a file.
struct Squatted {
	/// How many places were held so in each epoch of a day.
	held: Vec<usize>,
	/// What those who held them lost.
	lost: Balance,
	/// What the others lost.
	others_lost: Balance,
}

/// A day in which our nodes have all places for storage at first, and show nothing. They ask `again` in each epoch, or not.
fn squat(again: bool) -> Squatted {
	Chain::run(|chain| {
		chain.join(OTHERS.end);
		chain.set_market(PRICE, FEW);
		chain.ask(AskRole::Compute, &asking(OTHERS, COST));
		let offers = [asking(OURS, 0), asking(OTHERS, STORAGE_COST)].concat();
		chain.ask(AskRole::Storage, &offers);
		chain.next_epoch();
		let mut held = Vec::new();
		for _ in 0..DAY {
			let record = chain.clear().expect("others serve");
			held.push(record.storage.iter().filter(|node| OURS.contains(*node)).count());
			play_epoch(chain, again);
		}
		Squatted {
			held,
			lost: bonds_lost(OURS),
			others_lost: bonds_lost(OTHERS),
		}
	})
}

/// From the first block of an epoch to the first one of the next. All but ours answer what they are asked.
fn play_epoch(chain: &mut Chain, again: bool) {
	for offset in 0..chain.blocks() {
		OTHERS.for_each(|node| chain.show(node));
		if again && offset == 0 {
			for node in OURS {
				let committed = chain.commit(node, AskRole::Storage, Some(0));
				committed.expect("a node with a bond may commit once an epoch");
			}
		}
		if again && offset + 1 == chain.blocks() {
			for node in OURS {
				let revealed = chain.reveal(node, AskRole::Storage, Some(0));
				revealed.expect("that is what it committed to");
			}
		}
		chain.next_block();
	}
}
