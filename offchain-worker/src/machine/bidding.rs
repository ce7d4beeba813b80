//! The machine's part in the auctions for what its node sells: what to ask in the next epoch, said in two words.
//!
//! ```text
//! list: Commit ─► standing ask, bids, load of the last epoch ─► another ask? ─journal─► commit, again while it is not there
//! list: Reveal ─► what the chain holds is what the journal holds ───────── final? ────► reveal, again while it is there
//! ```
//!
//! The list says what counts in the next block, which is the first one that a word can be in. What it names an obstacle to,
//! too little bond above all, is not said: the operator is told once, and it is said as soon as there is none.
//!
//! Nothing is revealed before the last block for commitments is final, as far as that can be waited for: whoever could still
//! put another block in its place would commit in it after a look.
//!
//! Price and salt are in the journal before the chain hears of them, and what is in the journal for an epoch is never
//! replaced. So after a restart or a reorg the same commitment is said again, and the one that the chain holds can be
//! revealed: one that is not costs its bond. What somebody else committed to in the node's name, the operator by his
//! account, is left to him.
//!
//! Storage is sold only of models whose files are in the blob store, that of a coming version, too: the chain pays for what
//! it may ask to see. What stands without its file is withdrawn near the end of the phase: the file may still come.

use super::{load::Meter, *};
use crate::bids::{Bids, ModelName, Terms};
use highway_primitives::{
	market::MaxAskItems, AskCommitment, AskObstacle, AskReveal, AskRole, Balance, EpochIndex, MarketPhase, ModelId,
};
use highway_runtime_api::types::AskTask;
use sp_core::{Get, H256};
use std::mem;

/// How often at most the pause between two tries is doubled: what the chain does not take it takes no sooner when it is
/// said more often, and what is lost on its way must be said again before the phase ends.
const MAX_DOUBLINGS: u32 = 2;

/// With so many blocks of the phase left, a storage ask whose file is not here is withdrawn. After a start files are found
/// one after the other, and what is not there is fetched.
const FILES_MISS_BEFORE: BlockNumber = 4;

/// A standing ask, for the metrics.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskFigures {
	/// The model.
	pub model: ModelId,
	/// For what.
	pub role: AskRole,
	/// What is asked from the next epoch on, as things stand.
	pub price: Option<Balance>,
	/// Whether the last clearing gave the node a place.
	pub won: bool,
}

impl AskFigures {
	fn of(task: &AskTask) -> Self {
		Self {
			model: task.model,
			role: task.role,
			price: task.standing,
			won: task.won,
		}
	}
}

/// What the machine knows of the market.
#[derive(Debug, Default)]
pub(super) struct Bidding {
	/// What the last list said. While asks are revealed it names those alone that are to be revealed.
	tasks: BTreeMap<(ModelId, AskRole), AskTask>,
	/// What the last list with all of them said.
	figures: Vec<AskFigures>,
	/// The last final block.
	finalized: BlockNumber,
	/// The epoch that the last list with any was about.
	round: Option<Round>,
	/// Words on their way to the pool. A reorg may lead to another epoch and back meanwhile.
	on_their_way: BTreeSet<(NodeId, EpochIndex, AskStep)>,
	/// What is in the journal.
	planned: BTreeMap<AskKey, Planned>,
	writing: Writing,
	names: Names,
	meter: Meter,
}

/// The words about one epoch.
#[derive(Debug)]
struct Round {
	node: NodeId,
	epoch: EpochIndex,
	commit: Word,
	reveal: Word,
	/// What others committed to in the node's name.
	elsewhere: BTreeSet<(ModelId, AskRole)>,
}

/// One word, about as many asks as fit: a pool holds one of a kind at a time.
#[derive(Debug)]
struct Word {
	/// When to say it next, unless it is on its way.
	at: BlockNumber,
	/// How often it was tried.
	tries: u32,
}

impl Word {
	const NOW: Self = Self { at: 0, tries: 0 };
}

#[derive(Debug)]
struct Planned {
	ask: SealedAsk,
	commitment: H256,
	/// How often it was in a word: what was said least goes first.
	said: u32,
	/// What the last list about its epoch said of its commitment.
	on_chain: OnChain,
	/// Whether it was in a word that reveals.
	revealing: bool,
	/// What was counted already: a reorg does not count again, nor does an obstacle that stays or comes back.
	counted: BTreeSet<BidOutcome>,
	/// The first block in which its epoch was over; `None` before.
	over_since: Option<BlockNumber>,
}

/// What the chain knows of a commitment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum OnChain {
	/// Nothing that is not counted.
	#[default]
	Nothing,
	/// It is there, and not revealed.
	Committed,
	/// It was there and is not any more, after it was said what it hides.
	Opened,
}

/// Whether asks are on their way into the journal.
#[derive(Debug)]
enum Writing {
	/// No, and none go before this block.
	NotBefore(BlockNumber),
	Now,
}

impl Default for Writing {
	fn default() -> Self {
		Self::NotBefore(0)
	}
}

/// The models that the bids name.
#[derive(Debug)]
enum Names {
	/// They are asked for from this block on.
	Wanted(BlockNumber),
	Asked,
	Known(BTreeMap<ModelName, ModelId>),
}

impl Default for Names {
	fn default() -> Self {
		Self::Wanted(0)
	}
}

impl Bidding {
	/// What is asked instead of what stands; `None`: nothing has to change, or not yet.
	fn change(&self, offer: &Offer, task: &AskTask, block: BlockNumber) -> Option<Option<Balance>> {
		// Slots are what computing takes; storing goes on whether jobs come or not.
		let load = match task.role {
			AskRole::Compute => self.meter.load(task.epoch, task.model),
			AskRole::Storage => None,
		};
		let wanted = match offer.terms(task) {
			Ok(terms) => terms.map(|terms| terms.next(task.standing, load)),
			Err(FileMissing) if task.until.saturating_sub(block) > FILES_MISS_BEFORE => return None,
			Err(FileMissing) => None,
		};
		(wanted != task.standing).then_some(wanted)
	}

	/// Whether this word about the round is to be said now.
	fn is_due(&self, step: AskStep, block: BlockNumber) -> bool {
		self.round.as_ref().is_some_and(|round| {
			let word = match step {
				AskStep::Commit => &round.commit,
				AskStep::Reveal => &round.reveal,
			};
			word.at <= block && !self.on_their_way.contains(&(round.node, round.epoch, step))
		})
	}

	/// The task of this plan in the last list.
	fn task_of(&self, key: &AskKey) -> Option<&AskTask> {
		let round = self.round.as_ref()?;
		((round.node, round.epoch) == (key.node, key.epoch))
			.then(|| self.tasks.get(&(key.model, key.role)))
			.flatten()
	}

	/// Whether this task was in the last list with an obstacle, and has none any more.
	fn is_freed(&self, task: &AskTask) -> bool {
		let before = self.tasks.get(&(task.model, task.role));
		let was_kept = before.is_some_and(|before| before.epoch == task.epoch && before.obstacle.is_some());
		was_kept && task.obstacle.is_none()
	}

	/// The asks that fit into one word, of those that are to be said: what was said least goes first.
	fn batch(&self, wants: impl Fn(&AskTask, &Planned) -> bool) -> Vec<AskKey> {
		let most = <MaxAskItems as Get<u32>>::get() as usize;
		let mut due: Vec<(u32, AskKey)> = self
			.planned
			.iter()
			.filter(|(key, planned)| self.task_of(key).is_some_and(|task| wants(task, planned)))
			.map(|(key, planned)| (planned.said, *key))
			.collect();
		due.sort_unstable();
		due.truncate(most);
		due.into_iter().map(|(_, key)| key).collect()
	}
}

/// What the operator wants, and what the node has for it.
struct Offer<'a> {
	bids: &'a Bids,
	names: &'a BTreeMap<ModelName, ModelId>,
	/// Of which models all files are in the blob store that the node needs now or soon.
	stored: BTreeSet<ModelId>,
}

/// The file that would be sold is not here.
struct FileMissing;

impl Offer<'_> {
	/// What may be asked; `None`: nothing.
	fn terms(&self, task: &AskTask) -> Result<Option<&Terms>, FileMissing> {
		let terms = self.bids.terms(task.model, task.role, self.names);
		match task.role {
			AskRole::Storage if terms.is_some() && !self.stored.contains(&task.model) => Err(FileMissing),
			_ => Ok(terms),
		}
	}

	/// Whether this may be committed to.
	fn admits(&self, task: &AskTask, price: Option<Balance>) -> bool {
		match (self.terms(task), price) {
			(Ok(Some(terms)), Some(price)) => terms.admit(price),
			(Ok(None) | Err(FileMissing), None) => true,
			_ => false,
		}
	}
}

/// Whether what is said now can be in a block of this phase.
fn is_open(task: &AskTask, phase: MarketPhase, block: BlockNumber) -> bool {
	task.phase == phase && block < task.until
}

impl Machine {
	/// What the node asks, for each role of each model that it hosts.
	pub fn asks(&self) -> &[AskFigures] {
		&self.bidding.figures
	}

	pub(super) fn restore_asks(&mut self, asks: Vec<SealedAsk>) {
		self.bidding
			.planned
			.extend(asks.into_iter().map(|ask| (ask.key, Planned::new(ask))));
	}

	pub(super) fn reconcile_asks(
		&mut self,
		asks: Vec<AskTask>,
		slots: u16,
		finalized: BlockNumber,
		actions: &mut Vec<Action>,
	) {
		let block = self.block;
		let hosting = self.models.values().any(|model| model.hosted);
		let bidding = &mut self.bidding;
		bidding.finalized = finalized;
		let listed = asks.iter().map(|task| task.epoch).max();
		let freed = asks.iter().any(|task| bidding.is_freed(task));
		bidding.tasks = asks
			.into_iter()
			.filter(|task| Some(task.epoch) == listed)
			.map(|task| ((task.model, task.role), task))
			.collect();
		let committing = bidding.tasks.values().any(|task| task.phase == MarketPhase::Commit);
		if committing || !hosting {
			bidding.figures = bidding.tasks.values().map(AskFigures::of).collect();
		}
		bidding.round.take_if(|round| Some(round.node) != self.node);
		// A list without any goes on with the epoch before it: there is nothing to reveal in it.
		let epoch = listed.or(bidding.round.as_ref().map(|round| round.epoch));
		let Some((node, epoch)) = self.node.zip(epoch) else {
			return;
		};
		if bidding
			.round
			.as_ref()
			.is_none_or(|round| (round.node, round.epoch) != (node, epoch))
		{
			bidding.round = Some(Round {
				node,
				epoch,
				commit: Word::NOW,
				reveal: Word::NOW,
				elsewhere: BTreeSet::new(),
			});
			// Names may have changed hands.
			if matches!(bidding.names, Names::Known(_)) {
				bidding.names = Names::Wanted(0);
			}
		}
		if let Some(round) = bidding.round.as_mut().filter(|_| committing) {
			// A reorg led back here: reveals that were in vain must not delay those to come.
			round.reveal = Word::NOW;
		}
		if let Some(round) = bidding.round.as_mut().filter(|_| freed) {
			// What could not be said before does not wait until it is time for what was said.
			round.commit = Word::NOW;
		}
		bidding
			.meter
			.look(epoch, block, slots, self.jobs.values().map(|job| job.item.model));
		self.compare_asks(node, epoch, finalized, actions);
	}

	/// The models of which every version that the node hosts is in the blob store.
	pub(super) fn stored_models(&self) -> BTreeSet<ModelId> {
		let hosted = || self.models.iter().filter(|(_, model)| model.hosted);
		let missing: BTreeSet<ModelId> = hosted()
			.filter(|(_, model)| !model.here)
			.map(|(key, _)| key.model)
			.collect();
		hosted()
			.map(|(key, _)| key.model)
			.filter(|model| !missing.contains(model))
			.collect()
	}

	/// Compares what is in the journal with what the chain holds.
	fn compare_asks(&mut self, node: NodeId, epoch: EpochIndex, finalized: BlockNumber, actions: &mut Vec<Action>) {
		let block = self.block;
		let Bidding {
			tasks, round, planned, ..
		} = &mut self.bidding;
		let mut forgotten = Vec::new();
		for (key, plan) in planned.iter_mut() {
			let over = key.node != node || key.epoch < epoch;
			if over {
				let task = tasks.get(&(key.model, key.role)).filter(|_| key.node == node);
				let on_chain = mem::take(&mut plan.on_chain);
				if let Some(outcome) = plan.outcome(on_chain, task.map(|task| task.standing)) {
					plan.count(outcome, actions);
				}
				// Below the finalized block no reorg brings its epoch back.
				if *plan.over_since.get_or_insert(block) <= finalized {
					forgotten.push(*key);
				}
				continue;
			}
			plan.over_since = None;
			let task = tasks.get(&(key.model, key.role));
			// What is not listed has nothing to reveal, or is not hosted any more: then it can only be lost.
			if key.epoch != epoch || (task.is_none() && !plan.revealing) {
				continue;
			}
			let held = task.and_then(|task| task.committed);
			let known = plan.on_chain != OnChain::Nothing;
			plan.on_chain = if held == Some(plan.commitment) {
				plan.count(BidOutcome::Committed, actions);
				OnChain::Committed
			} else if known && plan.revealing && held.is_none() {
				OnChain::Opened
			} else {
				OnChain::Nothing
			};
		}
		for task in tasks.values() {
			let key = AskKey::of(node, task);
			let own = |hash: H256| planned.get(&key).is_some_and(|plan| plan.commitment == hash);
			let others = task.committed.is_some_and(|hash| !own(hash));
			if let Some(round) = round.as_mut().filter(|_| others) {
				if round.elsewhere.insert((task.model, task.role)) {
					actions.push(Action::CountBid {
						key,
						price: None,
						outcome: BidOutcome::Elsewhere,
					});
				}
			}
		}
		if !forgotten.is_empty() {
			for key in &forgotten {
				planned.remove(key);
			}
			actions.push(Action::ForgetAsks(forgotten));
		}
	}

	/// Finds out what is to be asked, and says it.
	pub(super) fn bid(&mut self, actions: &mut Vec<Action>) {
		self.name_models(actions);
		self.seal_asks(actions);
		self.commit_asks(actions);
		self.reveal_asks(actions);
	}

	fn name_models(&mut self, actions: &mut Vec<Action>) {
		let (block, bidding) = (self.block, &mut self.bidding);
		let due = matches!(bidding.names, Names::Wanted(at) if at <= block) && bidding.round.is_some();
		let Some(bids) = self.config.bids.as_ref().filter(|_| due) else {
			return;
		};
		let names: Vec<ModelName> = bids.names().into_iter().cloned().collect();
		if names.is_empty() {
			bidding.names = Names::Known(BTreeMap::new());
		} else {
			bidding.names = Names::Asked;
			actions.push(Action::NameModels(names));
		}
	}

	pub(super) fn models_named(&mut self, names: Option<BTreeMap<ModelName, ModelId>>) {
		if matches!(self.bidding.names, Names::Asked) {
			self.bidding.names = match names {
				Some(names) => Names::Known(names),
				None => Names::Wanted(self.block.saturating_add(1)),
			};
		}
	}

	/// Writes into the journal what is to be asked instead of what stands.
	fn seal_asks(&mut self, actions: &mut Vec<Action>) {
		let (block, stored) = (self.block, self.stored_models());
		let bidding = &mut self.bidding;
		let (Some(bids), Some(round), Names::Known(names)) = (&self.config.bids, &bidding.round, &bidding.names) else {
			return;
		};
		if !matches!(bidding.writing, Writing::NotBefore(at) if at <= block) {
			return;
		}
		let offer = Offer { bids, names, stored };
		let asks: Vec<(AskKey, Option<Balance>)> = bidding
			.tasks
			.values()
			.filter(|task| is_open(task, MarketPhase::Commit, block) && task.committed.is_none())
			.map(|task| (AskKey::of(round.node, task), task))
			.filter(|(key, _)| !bidding.planned.contains_key(key))
			.filter_map(|(key, task)| Some((key, bidding.change(&offer, task, block)?)))
			.collect();
		if !asks.is_empty() {
			bidding.writing = Writing::Now;
			actions.push(Action::SealAsks(asks));
		}
	}

	pub(super) fn asks_sealed(&mut self, asks: Option<Vec<SealedAsk>>) {
		self.bidding.writing = Writing::NotBefore(match asks {
			Some(_) => 0,
			None => self.block.saturating_add(1),
		});
		for ask in asks.unwrap_or_default() {
			self.bidding.planned.entry(ask.key).or_insert_with(|| Planned::new(ask));
		}
	}

	/// Commits to what is in the journal, as far as the operator still wants it.
	fn commit_asks(&mut self, actions: &mut Vec<Action>) {
		let (block, stored) = (self.block, self.stored_models());
		let bidding = &mut self.bidding;
		let (Some(bids), Names::Known(names)) = (&self.config.bids, &bidding.names) else {
			return;
		};
		let offer = Offer { bids, names, stored };
		let is_wanted = |task: &AskTask, plan: &Planned| {
			is_open(task, MarketPhase::Commit, block) && task.committed.is_none() && offer.admits(task, plan.ask.price)
		};
		let kept: Vec<(AskKey, AskObstacle)> = bidding
			.planned
			.iter()
			.filter_map(|(key, plan)| {
				let task = bidding.task_of(key).filter(|task| is_wanted(task, plan))?;
				Some((*key, task.obstacle?))
			})
			.collect();
		let due = match bidding.is_due(AskStep::Commit, block) {
			true => bidding.batch(|task, plan| task.obstacle.is_none() && is_wanted(task, plan)),
			false => Vec::new(),
		};
		for (key, obstacle) in kept {
			if let Some(plan) = bidding.planned.get_mut(&key) {
				plan.tell(obstacle, actions);
			}
		}
		let Some(round) = &mut bidding.round else { return };
		let items: Vec<AskCommitment> = due
			.iter()
			.filter_map(|key| {
				let plan = bidding.planned.get_mut(key)?;
				plan.said = plan.said.saturating_add(1);
				Some(AskCommitment {
					model: key.model,
					role: key.role,
					hash: plan.commitment,
				})
			})
			.collect();
		if !items.is_empty() {
			round.commit.tries = round.commit.tries.saturating_add(1);
			bidding.on_their_way.insert((round.node, round.epoch, AskStep::Commit));
			actions.push(Action::SubmitAskCommitments {
				node: round.node,
				epoch: round.epoch,
				items,
			});
		}
	}

	/// Reveals what the chain holds, whatever the operator wants by now: it costs the bond otherwise.
	fn reveal_asks(&mut self, actions: &mut Vec<Action>) {
		let (block, bidding) = (self.block, &mut self.bidding);
		if !bidding.is_due(AskStep::Reveal, block) {
			return;
		}
		let finalized = bidding.finalized;
		let due = bidding.batch(|task, plan| {
			is_open(task, MarketPhase::Reveal, block)
				&& task.is_time_to_reveal(block, finalized)
				&& task.committed == Some(plan.commitment)
		});
		let Some(round) = &mut bidding.round else { return };
		let items: Vec<AskReveal> = due
			.iter()
			.filter_map(|key| {
				let plan = bidding.planned.get_mut(key)?;
				plan.said = plan.said.saturating_add(1);
				plan.revealing = true;
				Some(AskReveal {
					model: key.model,
					role: key.role,
					price: plan.ask.price,
					salt: plan.ask.salt,
				})
			})
			.collect();
		if !items.is_empty() {
			round.reveal.tries = round.reveal.tries.saturating_add(1);
			bidding.on_their_way.insert((round.node, round.epoch, AskStep::Reveal));
			actions.push(Action::SubmitAskReveals {
				node: round.node,
				epoch: round.epoch,
				items,
			});
		}
	}

	pub(super) fn asks_said(&mut self, node: NodeId, epoch: EpochIndex, step: AskStep, ok: bool) {
		let pause = if ok { self.config.resend_after } else { 1 };
		let block = self.block;
		let Bidding {
			round,
			tasks,
			on_their_way,
			..
		} = &mut self.bidding;
		on_their_way.remove(&(node, epoch, step));
		if let Some(round) = round
			.as_mut()
			.filter(|round| (round.node, round.epoch) == (node, epoch))
		{
			let word = match step {
				AskStep::Commit => &mut round.commit,
				AskStep::Reveal => &mut round.reveal,
			};
			let doublings = word.tries.saturating_sub(1).min(MAX_DOUBLINGS);
			// The nearer the end of the phase, the sooner: what is committed to and not revealed costs its bond.
			let left = tasks
				.values()
				.map(|task| task.until.saturating_sub(block))
				.max()
				.unwrap_or(0);
			let pause = pause.saturating_mul(1 << doublings).min(left / 2).max(1);
			word.at = block.saturating_add(pause);
		}
	}
}

impl Planned {
	fn new(ask: SealedAsk) -> Self {
		Self {
			commitment: ask.commitment(),
			ask,
			said: 0,
			on_chain: OnChain::Nothing,
			revealing: false,
			counted: BTreeSet::new(),
			over_since: None,
		}
	}

	/// What became of it as its epoch begins, by what stands then; that is not known of a model that is not listed.
	fn outcome(&self, on_chain: OnChain, standing: Option<Option<Balance>>) -> Option<BidOutcome> {
		let stands = standing.map(|price| price == self.ask.price);
		match (on_chain, stands) {
			(OnChain::Nothing, _) | (OnChain::Opened, None) => None,
			// In the last block of an epoch, too: the list is about the next one already.
			(_, Some(true)) if self.revealing => Some(BidOutcome::Revealed),
			(OnChain::Opened, Some(_)) => Some(BidOutcome::NoPlace),
			(OnChain::Committed, _) => Some(BidOutcome::Missed),
		}
	}

	/// Tells what keeps it from being committed to, the same thing once.
	fn tell(&mut self, obstacle: AskObstacle, actions: &mut Vec<Action>) {
		if self.counted.insert(obstacle.into()) {
			actions.push(Action::TellObstacle {
				key: self.ask.key,
				obstacle,
			});
		}
	}

	fn count(&mut self, outcome: BidOutcome, actions: &mut Vec<Action>) {
		if self.counted.insert(outcome) {
			actions.push(Action::CountBid {
				key: self.ask.key,
				price: self.ask.price,
				outcome,
			});
		}
	}
}
