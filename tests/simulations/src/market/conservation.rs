//! Sums over a million random jobs: what the pallet did is compared, to the planck, with a second set of [`books`].

mod books;

use super::{
	chain::{
		nodes::operator_of, AccountId, Balances, Chain, RevenueSplit, RuntimeOrigin, MAKER, MIB, MIN_RESERVE, MODEL,
		PAYER, TREASURY,
	},
	table::{Bound, Table},
	Size,
};
use books::{Books, Differences};
use frame_support::traits::{fungible::Mutate, tokens::Preservation};
use highway_primitives::{
	market::{ask_commitment, AskRole, BillLines, Deal, Order},
	model::{DerivativeTerms, MIN_DETECTION},
	traits::{Market, StorageMarket},
	Balance, JobId, ModelId, NodeId, RoyaltyLine,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sp_runtime::Perbill;
use std::{ops::Range, thread};

/// Chains that are played side by side, each with a part of the jobs.
const CHAINS: u64 = 8;

/// Nodes of each chain. The node behind them is gone: what it did is paid to the treasury.
const NODES: NodeId = 8;

/// Who pays for jobs. Curators do, too, and may name themselves.
const PAYERS: Range<AccountId> = 10..18;

/// Who has a profile as a curator.
const CURATORS: Range<AccountId> = 20..24;

/// Is named as a curator and has no profile.
const NOBODY: AccountId = 24;

/// Composes workflows.
const WEAVER: AccountId = 30;

/// Is slashed.
const OFFENDER: AccountId = 31;

/// Who judges.
const JUDGES: Range<AccountId> = 40..44;

/// Who owns the models of a lineage, root first.
const MAKERS: Range<AccountId> = 50..53;

/// The most submissions to one model in one epoch.
const SUBMISSIONS: u32 = 100;

/// The largest quorum.
const MAX_QUORUM: u64 = 7;

/// Every commitment's salt: nobody guesses here.
const SALT: [u8; 32] = [7; 32];

/// A model's market.
struct Shop {
	model: ModelId,
	/// What everybody in its lineage earns per unit.
	royalties: Vec<RoyaltyLine<AccountId>>,
	/// About what a unit costs.
	price: Balance,
}

/// A job that is not over.
struct Open {
	job: JobId,
	shop: usize,
	payer: AccountId,
	deal: Deal<AccountId>,
}

/// What was played, and what came of it.
#[derive(Clone, Copy, Default)]
struct Played {
	settled: u64,
	refunded: u64,
	failed: u64,
	/// Jobs of quorums, but the first one of each.
	siblings: u64,
	epochs: u64,
	/// Jobs whose lines are not their price.
	wrong_bills: u64,
	/// Summed over the epochs, and the end.
	differences: Differences,
	/// What is in the pot in the end and belongs to nobody.
	left: Balance,
	minted: Balance,
	owed: Balance,
	forfeited: Balance,
}

impl Played {
	fn jobs(&self) -> u64 {
		self.settled + self.refunded + self.failed
	}

	fn note(&mut self, found: Differences) {
		self.differences.issuance += found.issuance;
		self.differences.pot += found.pot;
		self.differences.payees += found.payees;
	}

	fn and(mut self, other: Self) -> Self {
		self.note(other.differences);
		Self {
			settled: self.settled + other.settled,
			refunded: self.refunded + other.refunded,
			failed: self.failed + other.failed,
			siblings: self.siblings + other.siblings,
			epochs: self.epochs + other.epochs,
			wrong_bills: self.wrong_bills + other.wrong_bills,
			left: self.left + other.left,
			minted: self.minted + other.minted,
			owed: self.owed + other.owed,
			forfeited: self.forfeited + other.forfeited,
			..self
		}
	}
}

/// Everybody whose coins are in the books.
fn accounts() -> impl Iterator<Item = AccountId> {
	let people = [PAYER, MAKER, NOBODY, WEAVER, OFFENDER, TREASURY];
	let people = people.into_iter().chain(PAYERS).chain(CURATORS);
	people.chain(JUDGES).chain(MAKERS).chain((0..NODES).map(operator_of))
}

/// Whose the node is; `None` if it is gone.
fn operator(node: NodeId) -> Option<AccountId> {
	(node < NODES).then(|| operator_of(node))
}

fn sum(lines: &BillLines<AccountId>) -> Balance {
	lines.iter().map(|line| line.amount).sum()
}

/// A chain on which random jobs are played.
struct Play<'a> {
	chain: &'a mut Chain,
	rng: ChaCha8Rng,
	books: Books,
	shops: Vec<Shop>,
	open: Vec<Open>,
	bonds: Vec<(AccountId, Balance)>,
	next: JobId,
	/// Whether juries judge in this epoch, which costs more than premiums bring.
	juries: bool,
	played: Played,
}

/// Plays so many jobs.
fn play(jobs: u64, mut rng: ChaCha8Rng) -> Played {
	Chain::with_royalty(rng.gen_range(0..1_000_000), |chain| {
		let mut play = Play::new(chain, rng);
		play.ask(1.0);
		let mut left = jobs;
		// Far more epochs than it takes, even if few of them have somebody who serves.
		for _ in 0..100 + jobs / 20 {
			if left == 0 {
				break;
			}
			left -= play.epoch(left);
		}
		play.finish();
		play.played
	})
}

impl<'a> Play<'a> {
	/// Four models: one alone, and three of a lineage.
	fn new(chain: &'a mut Chain, mut rng: ChaCha8Rng) -> Self {
		chain.join(NODES);
		let floor = rng.gen_range(0..1_000);
		let terms = DerivativeTerms {
			share: Perbill::from_parts(rng.gen_range(0..=1_000_000_000)),
			floor,
		};
		let mut models = vec![MODEL];
		let mut parent = None;
		for maker in MAKERS {
			let royalty = floor + rng.gen_range(0..1_000_000);
			let model = chain.register(maker, "derived", parent, Some(terms), royalty);
			parent = Some(model.expect("the terms are the parent's"));
			models.extend(parent);
		}
		for curator in CURATORS {
			chain.set_curator(curator, rng.gen_range(1..1_000_000_000));
		}
		let shops = models.into_iter().map(|model| Shop {
			model,
			royalties: chain.royalties(model),
			// From dust to a tenth of an AIC.
			price: MIN_RESERVE * 10u128.pow(rng.gen_range(0..=8)),
		});
		let shops = shops.collect();
		chain.next_epoch();
		Self {
			chain,
			rng,
			books: Books::of(accounts()),
			shops,
			open: Vec::new(),
			bonds: Vec::new(),
			next: 1,
			juries: false,
			played: Played::default(),
		}
	}

	/// An epoch with at most `left` new jobs. Returns how many there were.
	fn epoch(&mut self, left: u64) -> u64 {
		self.chain.next_epoch();
		self.juries = self.rng.gen_ratio(1, 8);
		let mut new = 0;
		for shop in 0..self.shops.len() {
			for _ in 0..self.rng.gen_range(0..=SUBMISSIONS) {
				match left - new {
					0 => break,
					left => match self.submit(shop, left) {
						Some(jobs) => new += jobs,
						None => {
							// Nobody serves. If all ask too much, the reserve rises.
							let anybody = RuntimeOrigin::signed(PAYER);
							let _ = RevenueSplit::clear(anybody, self.shops[shop].model);
							break;
						}
					},
				}
			}
		}
		// A quarter waits for later epochs.
		let (now, later) = std::mem::take(&mut self.open)
			.into_iter()
			.partition(|_| self.rng.gen_bool(0.75));
		self.open = later;
		self.end(now);
		self.prove();
		self.claim(0.1);
		self.ask(0.125);
		self.check();
		self.played.epochs += 1;
		new
	}

	/// A job, or a quorum of at most `left` jobs. Returns how many; `None` if nobody serves.
	fn submit(&mut self, shop: usize, left: u64) -> Option<u64> {
		let rng = &mut self.rng;
		let model = self.shops[shop].model;
		let payer = match rng.gen_ratio(1, 8) {
			true => rng.gen_range(CURATORS),
			false => rng.gen_range(PAYERS),
		};
		let curator = rng.gen_bool(0.5).then(|| rng.gen_range(CURATORS.start..=NOBODY));
		let weaver = rng.gen_ratio(1, 4).then(|| rng.gen_range(0..1_000_000_000));
		let order = Order {
			model,
			units: rng.gen_range(1..=1_000),
			input_size: rng.gen_range(1..=10 * MIB),
			detection: MIN_DETECTION,
			payer: &payer,
			curator: curator.as_ref(),
			weaver: weaver.map(|fee| (&WEAVER, fee)),
			seed: rng.gen(),
		};
		let size = match rng.gen_ratio(1, 4) {
			true => rng.gen_range(2..=MAX_QUORUM).min(left),
			false => 1,
		};
		let first = RevenueSplit::open(self.next, &order).ok()?;
		let siblings = (1..size).map(|_| RevenueSplit::open_sibling(model, &first).expect("the first one is open"));
		let siblings: Vec<_> = siblings.collect();
		for deal in std::iter::once(first).chain(siblings) {
			RevenueSplit::escrow(&payer, &deal).expect("the payer has the coins");
			self.books.submit(payer, deal.price);
			self.played.wrong_bills += u64::from(deal.price != self.price(shop, &deal));
			let job = self.next;
			self.next += 1;
			self.open.push(Open { job, shop, payer, deal });
		}
		self.played.siblings += size - 1;
		Some(size)
	}

	/// What a job with these lines costs: a twentieth of them more, rounded up, and the premium.
	fn price(&self, shop: usize, deal: &Deal<AccountId>) -> Balance {
		let royalties = self.shops[shop].royalties.iter().filter(|_| deal.royalties);
		let royalties: Balance = royalties.map(|line| line.per_unit * Balance::from(deal.units)).sum();
		let storage = deal.storage.map_or(0, |(_, fee)| fee);
		let fees = [deal.curator, deal.weaver].into_iter().flatten();
		let fees: Balance = fees.map(|(_, fee)| fee).sum();
		let lines = royalties + deal.compute + storage + fees;
		lines + lines.div_ceil(20) + deal.premium
	}

	/// These jobs are over, each in a way of its own.
	fn end(&mut self, jobs: Vec<Open>) {
		for open in jobs {
			match self.rng.gen_range(0..10) {
				0..=5 => self.settle(&open),
				6..=7 => {
					RevenueSplit::refund(open.job, &open.payer, &open.deal);
					self.books.refund(open.payer, open.deal.price);
					self.played.refunded += 1;
				}
				_ => self.fail(&open),
			}
			RevenueSplit::close(self.shops[open.shop].model, &open.deal);
			self.judge(&open);
		}
	}

	fn settle(&mut self, open: &Open) {
		let (deal, shop) = (&open.deal, &self.shops[open.shop]);
		let executor = self.rng.gen_range(0..=NODES);
		let audited = self.rng.gen_bool(0.9);
		let bill = RevenueSplit::settle(open.job, shop.model, &open.payer, deal, executor, audited).bill;
		let paid = if audited { deal.price } else { deal.price - deal.premium };
		self.played.wrong_bills += u64::from(sum(&bill) != paid);
		let storer = deal.storage.and_then(|(node, _)| operator(node));
		let executor = operator(executor);
		self.books
			.settle(shop.model, open.payer, deal, &shop.royalties, executor, storer, audited);
		self.played.settled += 1;
	}

	fn fail(&mut self, open: &Open) {
		let count = self.rng.gen_range(0..=3);
		let reporters: Vec<NodeId> = (0..count).map(|_| self.rng.gen_range(0..=NODES)).collect();
		let lines = RevenueSplit::fail(open.job, &open.payer, &open.deal, &reporters);
		self.played.wrong_bills += u64::from(sum(&lines) > open.deal.compute / 5);
		let reporters: Vec<_> = reporters.into_iter().map(operator).collect();
		self.books.fail(open.payer, &open.deal, &reporters);
		self.played.failed += 1;
	}

	/// What audits may bring: pay for judges, now and then a slash, or a bond of the payer's, which ends with the next one.
	fn judge(&mut self, open: &Open) {
		let Open { job, payer, deal, .. } = open;
		let (job, payer) = (*job, *payer);
		if self.juries || self.rng.gen_ratio(1, 8) {
			let most = if self.juries { 4 } else { 2 };
			let (judge, amount) = (self.rng.gen_range(JUDGES), self.rng.gen_range(0..=most * deal.premium));
			RevenueSplit::pay_judge(job, &judge, amount);
			self.books.pay_judge(judge, amount);
		}
		if self.rng.gen_ratio(1, 100) {
			let amount = self.rng.gen_range(1..=64 * deal.compute);
			let shares = [(); 2].map(|()| (self.rng.gen_range(JUDGES), self.rng.gen_range(0..=amount / 2)));
			Balances::transfer(
				&OFFENDER,
				&RevenueSplit::slash_account(),
				amount,
				Preservation::Preserve,
			)
			.expect("the offender has the coins");
			RevenueSplit::split_slash(job, amount, &shares);
			self.books.slash(OFFENDER, amount, &shares);
		}
		if self.rng.gen_ratio(1, 100) {
			self.end_bonds(job);
			let bond = self.rng.gen_range(1..=deal.price);
			RevenueSplit::escrow_bond(job, &payer, bond).expect("the payer has the coins");
			self.books.bond(payer, bond);
			self.bonds.push((payer, bond));
		}
	}

	fn end_bonds(&mut self, job: JobId) {
		for (payer, bond) in std::mem::take(&mut self.bonds) {
			let right = self.rng.gen_bool(0.5);
			RevenueSplit::end_bond(job, &payer, bond, right);
			self.books.end_bond(payer, bond, right);
		}
	}

	/// Some who store show what they have, some do not, some were not asked for so long that they claim.
	fn prove(&mut self) {
		for node in 0..NODES {
			let storer = operator_of(node);
			for shop in &self.shops {
				match self.rng.gen_range(0..8) {
					0 => {
						RevenueSplit::release_storage_pay(node, shop.model);
						self.books.prove(storer, shop.model);
					}
					1 => {
						RevenueSplit::forfeit_storage_pay(node, shop.model);
						self.books.forfeit(storer, shop.model);
					}
					2 if RevenueSplit::claim_storage_pay(RuntimeOrigin::signed(storer), shop.model).is_ok() => {
						self.books.prove(storer, shop.model);
					}
					_ => (),
				}
			}
		}
	}

	/// Each payee claims with this probability.
	fn claim(&mut self, probability: f64) {
		for payee in self.books.payees() {
			let claims = self.rng.gen_bool(probability);
			if claims && RevenueSplit::claim_for(RuntimeOrigin::signed(PAYER), payee).is_ok() {
				self.books.claim(payee);
			}
		}
	}

	/// Each node changes what it asks for with this probability, for each model and role. Then the epoch is nearly over.
	fn ask(&mut self, probability: f64) {
		let epoch = self.chain.epoch() + 1;
		self.chain.go_to_block(0);
		let mut said = Vec::new();
		for (node, shop) in (0..NODES).flat_map(|node| self.shops.iter().map(move |shop| (node, shop))) {
			for role in AskRole::ALL {
				if !self.rng.gen_bool(probability) {
					continue;
				}
				let price = match role {
					AskRole::Compute => self.rng.gen_range(shop.price / 2..=2 * shop.price),
					AskRole::Storage => self.rng.gen_range(0..=shop.price),
				};
				let price = (!self.rng.gen_ratio(1, 10)).then_some(price);
				let hash = ask_commitment(node, epoch, shop.model, role, price, &SALT);
				let origin = RuntimeOrigin::signed(operator_of(node));
				// Whose bond is all behind other asks stays with what it asks.
				if RevenueSplit::commit_ask(origin, shop.model, role, hash).is_ok() {
					said.push((node, shop.model, role, price));
				}
			}
		}
		self.chain.go_to_reveals();
		for (node, model, role, price) in said {
			let origin = RuntimeOrigin::signed(operator_of(node));
			RevenueSplit::reveal_ask(origin, model, role, price, SALT).expect("that is what it committed to");
		}
	}

	fn check(&mut self) {
		self.played.note(self.books.compare());
	}

	/// All that is open ends, everything that waits is claimed, and then all earnings are.
	fn finish(&mut self) {
		let open = std::mem::take(&mut self.open);
		self.end(open);
		self.end_bonds(self.next);
		// Whatever waits has waited long enough.
		self.chain.next_epoch();
		for (storer, model) in self.books.waiting() {
			if RevenueSplit::claim_storage_pay(RuntimeOrigin::signed(storer), model).is_ok() {
				self.books.prove(storer, model);
			}
		}
		self.claim(1.0);
		self.check();
		self.played.left = Books::left_in_pot();
		self.played.minted = self.books.minted;
		self.played.owed = self.books.owed;
		self.played.forfeited = self.books.forfeited;
	}
}

pub(super) fn table(size: Size) -> Table {
	const UNIT: &str = "planck";
	let mut table = Table::new(
		"conservation",
		"Is every coin where it belongs, whatever becomes of a million random jobs?",
	);
	let jobs = u64::from(size.jobs);
	let mut rng = size.rng(&table);
	let seeds: Vec<u64> = (0..CHAINS).map(|_| rng.gen()).collect();
	let played = thread::scope(|scope| {
		let running = (0..CHAINS).zip(seeds).map(|(chain, seed)| {
			let part = (jobs + chain) / CHAINS;
			scope.spawn(move || play(part, ChaCha8Rng::seed_from_u64(seed)))
		});
		let running: Vec<_> = running.collect();
		let played = running.into_iter().map(|chain| chain.join());
		// What panicked has said why.
		played.fold(Played::default(), |sum, played| {
			sum.and(played.expect("a chain runs to its end"))
		})
	});
	table.exact(
		"jobs that were played",
		played.jobs() as f64,
		"jobs",
		Bound::promised(jobs as f64, jobs as f64),
		format!(
			"{} settled, {} refunded, {} failed; {} of them further jobs of a quorum; {} epochs",
			played.settled, played.refunded, played.failed, played.siblings, played.epochs
		),
	);
	let ended = [played.settled, played.refunded, played.failed, played.siblings];
	let moved = [played.minted, played.owed, played.forfeited];
	table.require(ended.iter().all(|jobs| *jobs > 0) && moved.iter().all(|amount| *amount > 0));
	let Differences { issuance, pot, payees } = played.differences;
	let exact = Bound::promised(0.0, 0.0);
	table.exact(
		"jobs whose lines are not their price",
		played.wrong_bills as f64,
		"jobs",
		exact,
		"looked at when they are submitted and when they end",
	);
	table.exact(
		"all coins, after each epoch: difference from the books",
		issuance as f64,
		UNIT,
		exact,
		format!("{} were minted for work, half of what its fees burned", played.minted),
	);
	table.exact(
		"the pot and each sum that it owes, after each epoch",
		pot as f64,
		UNIT,
		exact,
		format!("{} were owed for audits while the audit pot was empty", played.owed),
	);
	table.exact(
		"coins, earnings and waiting pay of each account, after each epoch",
		payees as f64,
		UNIT,
		exact,
		format!("{} were lost by misses", played.forfeited),
	);
	table.exact(
		"in the pot when everybody has claimed, and nobody's",
		played.left as f64,
		UNIT,
		exact,
		"beside its existential deposit and what is there for audits",
	);
	table
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::market::chain::Simulated;
	use pallet_revenue_split::Earnings;

	#[test]
	fn a_planck_out_of_place_should_be_seen() {
		Chain::run(|chain| {
			chain.join(NODES);
			let books = Books::of(accounts());
			assert_eq!(books.compare(), Differences::default());
			let (pot, planck): (_, Balance) = (RevenueSplit::pot_account(), 1);
			Balances::mint_into(&pot, planck).expect("there is room in the issuance");
			let stray = Differences {
				issuance: 1,
				pot: 1,
				payees: 0,
			};
			assert_eq!(books.compare(), stray);
			Earnings::<Simulated>::insert(MAKER, planck);
			pallet_revenue_split::Books::<Simulated>::mutate(|books| books.earnings = planck);
			let earned = Differences {
				pot: 2,
				payees: 1,
				..stray
			};
			assert_eq!(books.compare(), earned);
			assert_eq!(Books::left_in_pot(), 1);
		});
	}

	#[test]
	fn few_jobs_should_all_be_played() {
		for seed in 0..3 {
			let played = play(500, ChaCha8Rng::seed_from_u64(seed));
			assert_eq!((played.jobs(), played.left), (500, 0));
			assert_eq!(played.differences, Differences::default());
		}
	}
}
