//! Random chains, pools, journals and restarts against the machine's part in auctions.

use super::*;
use crate::{
	bids::{Bid, Bids, ModelName, Scope, Terms, DEFAULT_STEP, DEFAULT_TARGET},
	fixtures::*,
};
use highway_primitives::{market::ask_commitment, AskObstacle, AskRole, Balance, EpochIndex, MarketPhase, ModelId};
use highway_runtime_api::types::{AskTask, BLOCKS_TO_REVEAL};
use proptest::prelude::*;
use sp_core::H256;

/// Blocks of an epoch.
const LENGTH: BlockNumber = 18;

/// Of them, those in which asks are committed to.
const COMMIT: BlockNumber = 12;

/// Models that the node hosts.
const MODELS: ModelId = 3;

/// Blocks behind the best one that are final.
const FINALITY: BlockNumber = 4;

type Place = (ModelId, AskRole);

/// The market by the state of one block.
#[derive(Clone)]
struct Chain {
	number: BlockNumber,
	standing: BTreeMap<Place, Balance>,
	/// What is not revealed yet.
	committed: BTreeMap<Place, H256>,
	/// Commitments that cost their bonds.
	lost: BTreeSet<H256>,
}

/// The epoch that is bid for in a block.
fn epoch_at(block: BlockNumber) -> EpochIndex {
	block / LENGTH + 1
}

fn phase_at(block: BlockNumber) -> MarketPhase {
	if block % LENGTH < COMMIT {
		MarketPhase::Commit
	} else {
		MarketPhase::Reveal
	}
}

impl Chain {
	/// The epoch that is bid for in the next block.
	fn epoch(&self) -> EpochIndex {
		epoch_at(self.number + 1)
	}

	/// The phase of the next block.
	fn phase(&self) -> MarketPhase {
		phase_at(self.number + 1)
	}

	/// The last block of that phase.
	fn until(&self) -> BlockNumber {
		let length = match self.phase() {
			MarketPhase::Commit => COMMIT,
			MarketPhase::Reveal => LENGTH,
		};
		(self.number + 1) / LENGTH * LENGTH + length - 1
	}

	/// The first block of that phase.
	fn since(&self) -> BlockNumber {
		let before = match self.phase() {
			MarketPhase::Commit => 0,
			MarketPhase::Reveal => COMMIT,
		};
		(self.number + 1) / LENGTH * LENGTH + before
	}

	/// What the next block finds: if it begins an epoch, what was not revealed is lost.
	fn open(&self) -> BTreeMap<Place, H256> {
		if self.epoch() == epoch_at(self.number) {
			self.committed.clone()
		} else {
			BTreeMap::new()
		}
	}

	/// The next block, with these words in it, and what the operator's account commits to.
	fn next(&self, words: Vec<Action>, account: Vec<(Place, H256)>) -> Self {
		let mut next = self.clone();
		next.number += 1;
		if epoch_at(next.number) != epoch_at(self.number) {
			next.lost.extend(next.committed.values());
			next.committed.clear();
		}
		words.into_iter().for_each(|word| next.take(word));
		if phase_at(next.number) == MarketPhase::Commit {
			for (place, hash) in account {
				next.committed.entry(place).or_insert(hash);
			}
		}
		next
	}

	fn take(&mut self, word: Action) {
		let (now, phase) = (epoch_at(self.number), phase_at(self.number));
		match (word, phase) {
			(Action::SubmitAskCommitments { epoch, items, .. }, MarketPhase::Commit) if epoch == now => {
				for item in items {
					self.committed.entry((item.model, item.role)).or_insert(item.hash);
				}
			}
			(Action::SubmitAskReveals { node, epoch, items }, MarketPhase::Reveal) if epoch == now => {
				for item in items {
					let place = (item.model, item.role);
					let opened = ask_commitment(node, epoch, item.model, item.role, item.price, &item.salt);
					if self.committed.get(&place) != Some(&opened) {
						continue;
					}
					self.committed.remove(&place);
					match item.price {
						Some(price) => self.standing.insert(place, price),
						None => self.standing.remove(&place),
					};
				}
			}
			_ => {}
		}
	}

	/// What the node is told, if its bond does not allow it to commit to these.
	fn tasks(&self, kept: &BTreeSet<Place>) -> Vec<AskTask> {
		let open = self.open();
		let may_commit = |place: &Place| self.phase() == MarketPhase::Commit && !open.contains_key(place);
		let task = |model, role| AskTask {
			role,
			from: self.since(),
			standing: self.standing.get(&(model, role)).copied(),
			committed: open.get(&(model, role)).copied(),
			obstacle: (may_commit(&(model, role)) && kept.contains(&(model, role)))
				.then_some(AskObstacle::NoBond { missing: 1 }),
			..ask_task(model, self.epoch(), self.phase(), self.until())
		};
		(0..MODELS)
			.flat_map(|model| AskRole::ALL.map(|role| task(model, role)))
			.filter(|task| task.phase == MarketPhase::Commit || task.committed.is_some())
			.collect()
	}
}

/// What the operator wants, in several ways; `None`: he bids by himself.
fn bids(which: u8) -> Option<Bids> {
	let bid = |scope, role, floor| Bid {
		scope,
		role,
		terms: Terms {
			floor,
			ceiling: 2 * floor,
			target: DEFAULT_TARGET,
			step: DEFAULT_STEP,
		},
	};
	let all = Bids::new(vec![
		bid(Scope::All, AskRole::Compute, 100),
		bid(Scope::All, AskRole::Storage, 10),
		bid(Scope::Model(1), AskRole::Compute, 150),
	]);
	match which % 5 {
		0 | 1 => Some(all),
		2 => Some(Bids::new(vec![bid(Scope::Named(name()), AskRole::Compute, 70)])),
		3 => Some(Bids::default()),
		_ => None,
	}
}

fn name() -> ModelName {
	ModelName {
		owner: [1; 32].into(),
		name: "magika".into(),
	}
}

/// Names of models, by the chain's state.
fn names() -> BTreeMap<ModelName, ModelId> {
	BTreeMap::from([(name(), 2)])
}

fn config(bids: Option<Bids>) -> MachineConfig {
	MachineConfig {
		bids,
		..MachineConfig::default()
	}
}

/// The world around a machine, which checks everything that the machine asks for.
struct World {
	machine: Machine,
	/// Blocks that are not final, and the last one that is; the best one last.
	chain: Vec<Chain>,
	/// What the machine waits for.
	open: Vec<Action>,
	/// What the pool holds.
	pool: Vec<Action>,
	/// What the operator's account commits to in the next block.
	account: Vec<(Place, H256)>,
	/// What the node's bond does not allow it to commit to, by the next block and by the best one.
	kept: BTreeSet<Place>,
	told: BTreeSet<Place>,
	journal: BTreeMap<AskKey, SealedAsk>,
	salts: u64,
	/// Every commitment that was ever said.
	said: BTreeMap<AskKey, H256>,
}

#[derive(Clone, Debug)]
enum Step {
	/// A block, after so many others are gone, with what is in the pool unless that is lost.
	Block {
		reorg: u8,
		loses: bool,
	},
	/// Answer one open action, in one of several ways.
	Answer {
		which: u8,
		how: u8,
	},
	/// The worker is killed and started with other bids.
	Restart {
		bids: u8,
		written: bool,
	},
	/// The operator's account commits to something.
	Operator {
		which: u8,
	},
	/// A part of the bond is free from the next block on, or is not any more.
	Bond {
		which: u8,
	},
	Syncing,
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		6 => (prop_oneof![4 => Just(0u8), 1 => 1..4u8], any::<bool>()).prop_map(|(reorg, loses)| Step::Block { reorg, loses }),
		10 => (any::<u8>(), any::<u8>()).prop_map(|(which, how)| Step::Answer { which, how }),
		1 => (any::<u8>(), any::<bool>()).prop_map(|(bids, written)| Step::Restart { bids, written }),
		1 => any::<u8>().prop_map(|which| Step::Operator { which }),
		1 => any::<u8>().prop_map(|which| Step::Bond { which }),
		1 => Just(Step::Syncing),
	]
}

impl World {
	fn new() -> Self {
		Self {
			machine: Machine::new(config(bids(0))),
			chain: vec![Chain {
				number: 5 * LENGTH,
				standing: BTreeMap::new(),
				committed: BTreeMap::new(),
				lost: BTreeSet::new(),
			}],
			open: Vec::new(),
			pool: Vec::new(),
			account: Vec::new(),
			kept: BTreeSet::new(),
			told: BTreeSet::new(),
			journal: BTreeMap::new(),
			salts: 0,
			said: BTreeMap::new(),
		}
	}

	fn best(&self) -> &Chain {
		self.chain.last().expect("there is always a final block")
	}

	fn finalized(&self) -> BlockNumber {
		self.chain.first().expect("there is always a final block").number
	}

	fn tell(&mut self, event: Event) {
		for action in self.machine.handle(event) {
			self.check(&action);
			match action {
				Action::ForgetAsks(keys) => {
					for key in keys {
						assert!(
							(self.finalized() + 1) / LENGTH >= key.epoch,
							"forgot what may still be asked for"
						);
						self.journal.remove(&key);
					}
				}
				Action::CountBid { .. } | Action::TellObstacle { .. } => {}
				action => self.open.push(action),
			}
		}
	}

	fn is_open(&self, same: impl Fn(&Action) -> bool) -> bool {
		self.open.iter().any(same)
	}

	fn check(&mut self, action: &Action) {
		let chain = self.best().clone();
		match action {
			Action::SealAsks(asks) => {
				assert!(!asks.is_empty() && chain.phase() == MarketPhase::Commit);
				assert!(!self.is_open(|open| matches!(open, Action::SealAsks(_))), "two writers");
				let bids = self.machine.config.bids.clone().expect("nobody bids");
				for (key, price) in asks {
					assert_eq!((key.node, key.epoch), (NODE, chain.epoch()));
					assert!(!chain.open().contains_key(&(key.model, key.role)));
					let here = self.machine.stored_models().contains(&key.model);
					match (bids.terms(key.model, key.role, &names()), price) {
						(Some(_), Some(_)) if key.role == AskRole::Storage && !here => panic!("it has no file of it"),
						(Some(terms), Some(price)) => assert!(terms.admit(*price)),
						(Some(_), None) => assert!(key.role == AskRole::Storage && !here, "its file is here"),
						(None, None) => {}
						other => panic!("not what the operator wants: {other:?}"),
					}
				}
			}
			Action::SubmitAskCommitments { node, epoch, items } => {
				assert!(!items.is_empty() && items.len() <= 32 && chain.phase() == MarketPhase::Commit);
				assert_eq!((*node, *epoch), (NODE, chain.epoch()));
				assert!(
					!self.is_open(|open| matches!(open, Action::SubmitAskCommitments { epoch: e, .. } if e == epoch)),
					"said while it is being said"
				);
				for item in items {
					let key = AskKey {
						node: *node,
						epoch: *epoch,
						model: item.model,
						role: item.role,
					};
					assert!(
						!self.told.contains(&(item.model, item.role)),
						"the chain would not take it"
					);
					let sealed = self.journal.get(&key).expect("said what is not in the journal");
					assert_eq!(sealed.commitment(), item.hash);
					assert_eq!(
						*self.said.entry(key).or_insert(item.hash),
						item.hash,
						"two commitments for one epoch"
					);
				}
			}
			Action::SubmitAskReveals { node, epoch, items } => {
				assert!(!items.is_empty() && items.len() <= 32 && chain.phase() == MarketPhase::Reveal);
				let (over, left) = (chain.number + 1 - chain.since(), chain.until() - chain.number);
				assert!(
					self.finalized() + 1 >= chain.since() || over >= left || left <= BLOCKS_TO_REVEAL,
					"others may commit after a look at it"
				);
				assert!(
					!self.is_open(|open| matches!(open, Action::SubmitAskReveals { epoch: e, .. } if e == epoch)),
					"said while it is being said"
				);
				for item in items {
					let opened = ask_commitment(*node, *epoch, item.model, item.role, item.price, &item.salt);
					assert_eq!(
						chain.open().get(&(item.model, item.role)),
						Some(&opened),
						"revealed what is not committed to"
					);
				}
			}
			Action::NameModels(asked) => assert_eq!(*asked, [name()]),
			Action::CheckEngine
			| Action::FetchModel { .. }
			| Action::LoadModel { .. }
			| Action::CountBid { .. }
			| Action::ForgetAsks(_) => {}
			Action::TellObstacle { key, .. } => {
				assert_eq!((key.node, key.epoch), (NODE, chain.epoch()));
				assert!(self.told.contains(&(key.model, key.role)) && self.journal.contains_key(key));
			}
			other => panic!("nothing to do with asks: {other:?}"),
		}
	}

	fn block(&mut self) {
		let words = self.pool.drain(..).collect();
		let account = self.account.drain(..).collect();
		let next = self.best().next(words, account);
		self.chain.push(next);
		while self.finalized() + FINALITY < self.best().number {
			self.chain.remove(0);
		}
		self.told = self.kept.clone();
		let list = WorkList {
			hosted: (0..MODELS).map(hosted).collect(),
			asks: self.best().tasks(&self.told),
			slots: 10,
			..work(vec![])
		};
		self.tell(Event::Block {
			number: self.best().number,
			finalized: self.finalized(),
			work: Some(list),
		});
	}

	fn write(&mut self, asks: Vec<(AskKey, Option<Balance>)>) -> Vec<SealedAsk> {
		let mut sealed = Vec::new();
		for (key, price) in asks {
			self.salts += 1;
			let salt = H256::from_low_u64_be(self.salts).0;
			let new = SealedAsk { key, price, salt };
			sealed.push(self.journal.entry(key).or_insert(new).clone());
		}
		sealed
	}

	/// Answers an open action; `how` = 0 is always the good way.
	fn answer(&mut self, index: usize, how: u8) {
		let action = self.open.remove(index);
		let event = match action {
			Action::CheckEngine => Event::EngineHealth(true),
			Action::FetchModel { model, .. } if how % 3 == 1 => Event::ModelFetchFailed(model, BlobError::Missing),
			Action::FetchModel { model, .. } => Event::ModelFetched(model),
			Action::LoadModel { model, .. } if how % 3 == 1 => {
				Event::ModelFailed(model, LoadFault::Blob(BlobError::Missing))
			}
			Action::LoadModel { model, .. } => Event::ModelReady(model),
			Action::NameModels(_) if how % 3 == 1 => Event::ModelsNamed(None),
			Action::NameModels(_) => Event::ModelsNamed(Some(names())),
			Action::SealAsks(_) if how % 3 == 1 => Event::AsksSealed(None),
			Action::SealAsks(asks) => Event::AsksSealed(Some(self.write(asks))),
			Action::SubmitAskCommitments { node, epoch, .. } => {
				self.submitted(action, Submission::Asks(node, epoch, AskStep::Commit), how)
			}
			Action::SubmitAskReveals { node, epoch, .. } => {
				self.submitted(action, Submission::Asks(node, epoch, AskStep::Reveal), how)
			}
			other => unreachable!("not kept open: {other:?}"),
		};
		self.tell(event);
	}

	fn submitted(&mut self, action: Action, submission: Submission, how: u8) -> Event {
		match how % 3 {
			0 => {
				self.pool.push(action);
				Event::Submitted(submission)
			}
			1 => Event::SubmitFailed(submission),
			// The pool takes it and it never lands.
			_ => Event::Submitted(submission),
		}
	}

	fn restart(&mut self, which: u8, written: bool) {
		// What is open is gone; what was being written may have been.
		for action in std::mem::take(&mut self.open) {
			if let (Action::SealAsks(asks), true) = (action, written) {
				self.write(asks);
			}
		}
		self.machine = Machine::new(config(bids(which)));
		self.tell(Event::AsksRestored(self.journal.values().cloned().collect()));
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Block { reorg, loses } => {
				for _ in 0..reorg {
					if self.chain.len() > 1 {
						self.chain.pop();
					}
				}
				if loses {
					self.pool.clear();
				}
				self.block();
			}
			Step::Answer { which, how } => {
				if !self.open.is_empty() {
					self.answer(usize::from(which) % self.open.len(), how);
				}
			}
			Step::Restart { bids, written } => self.restart(bids, written),
			Step::Operator { which } => {
				let place = (ModelId::from(which) % MODELS, AskRole::ALL[usize::from(which) % 2]);
				self.account.push((place, H256::repeat_byte(which)));
			}
			Step::Bond { which } => {
				let place = (ModelId::from(which) % MODELS, AskRole::ALL[usize::from(which) % 2]);
				if !self.kept.remove(&place) {
					self.kept.insert(place);
				}
			}
			Step::Syncing => self.tell(Event::Syncing),
		}
	}

	/// Good weather: everything is answered the good way at once, every word lands in the next block, and there is bond enough.
	fn drain(&mut self, blocks: BlockNumber) {
		self.kept.clear();
		for _ in 0..blocks {
			self.block();
			for _ in 0..1_000 {
				if self.open.is_empty() {
					break;
				}
				self.answer(0, 0);
			}
			assert!(self.open.is_empty(), "the machine goes round in one block");
		}
	}

	/// The node's own commitments that the chain holds.
	fn held(&self) -> BTreeSet<H256> {
		let own: BTreeSet<H256> = self.journal.values().map(SealedAsk::commitment).collect();
		let open = self.best().open();
		open.into_values().filter(|hash| own.contains(hash)).collect()
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

	/// Whatever happened: what the chain holds is revealed, and a whole epoch later the market knows what the operator wants.
	#[test]
	fn asks_should_be_what_the_operator_wants_after_anything(
		steps in prop::collection::vec(step(), 1..250),
	) {
		let mut world = World::new();
		for step in steps {
			world.step(step);
		}
		let held = match world.best().phase() {
			MarketPhase::Commit => world.held(),
			// It may be too late for words that were in vain before.
			MarketPhase::Reveal => BTreeSet::new(),
		};
		world.drain(3 * LENGTH);
		prop_assert!(world.best().lost.is_disjoint(&held), "lost a bond");
		let Some(bids) = world.machine.config.bids.clone() else { return Ok(()) };
		for model in 0..MODELS {
			for role in AskRole::ALL {
				let standing = world.best().standing.get(&(model, role));
				match bids.terms(model, role, &names()) {
					Some(terms) => prop_assert!(standing.is_some_and(|price| terms.admit(*price)), "{model} {role:?}"),
					None => prop_assert_eq!(standing, None),
				}
			}
		}
		prop_assert!(world.journal.len() <= 2 * 2 * MODELS as usize, "epochs that passed are not forgotten");
	}

	#[test]
	fn commitments_should_be_revealed_when_the_worker_restarts_at_any_moment(
		steps in prop::collection::vec(step(), 1..150),
		bids in any::<u8>(),
		written in any::<bool>(),
	) {
		let mut world = World::new();
		for step in steps {
			world.step(step);
		}
		world.restart(bids, written);
		let best = world.best();
		// A word that is said after the next block is in the one behind it.
		let in_time = best.phase() == MarketPhase::Commit || best.number + 2 <= best.until();
		let held = if in_time { world.held() } else { BTreeSet::new() };
		world.drain(LENGTH);
		prop_assert!(world.best().lost.is_disjoint(&held), "lost a bond");
	}
}
