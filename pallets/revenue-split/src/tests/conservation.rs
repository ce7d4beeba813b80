//! No coin comes from nowhere and none is lost, whatever is asked, done and left undone, in any order.

use super::*;
use crate::{
	pallet::{Books, Clearings, Debts, StoragePay},
	CuratorProfile, MAX_DEBTS_AT_ONCE,
};
use frame_support::assert_ok;
use highway_primitives::{traits::StorageMarket, Role};
use proptest::{collection::vec, prelude::*};

const WEAVER: AccountId = 70;

/// Prices of every size: nothing, dust, and up to the highest ask.
fn price() -> impl Strategy<Value = Balance> {
	prop_oneof![Just(0), 0..3u128, 0..2 * ED, 0..MAX_ASK, Just(MAX_ASK)]
}

#[derive(Clone, Debug)]
enum End {
	Settle(NodeId, bool),
	Refund,
	Fail(Vec<NodeId>),
}

#[derive(Clone, Debug)]
struct PlannedJob {
	units: u32,
	input_size: u64,
	curated: bool,
	weaver: Option<Balance>,
	payer: AccountId,
	payer_dies: bool,
	/// How each job of a quorum ends, the first one first, and in which order with others; one if there is no quorum.
	ends: Vec<(End, u8)>,
}

fn job() -> impl Strategy<Value = PlannedJob> {
	let end = prop_oneof![
		3 => (0..8u32, any::<bool>()).prop_map(|(node, audited)| End::Settle(node, audited)),
		1 => Just(End::Refund),
		1 => vec(0..8u32, 0..4).prop_map(End::Fail),
	];
	let end = (end, any::<u8>());
	let ends = prop_oneof![
		2 => vec(end.clone(), 1..=1),
		1 => vec(end, 2..=7),
	];
	let units = prop_oneof![Just(1), 1..1000u32, Just(u32::MAX)];
	let size = prop_oneof![Just(0), 0..10 * MIB, 0..8192 * MIB];
	let weaver = proptest::option::of(price());
	(units, size, any::<bool>(), weaver, 0..4u64, any::<bool>(), ends).prop_map(
		|(units, input_size, curated, weaver, payer, payer_dies, ends)| PlannedJob {
			units,
			input_size,
			curated,
			weaver,
			payer: 10 + payer,
			payer_dies,
			ends,
		},
	)
}

/// What happens around audits and proofs of storage between the ends of jobs.
#[derive(Clone, Debug)]
enum Act {
	Prove(NodeId),
	Miss(NodeId),
	FineForStorage(NodeId, Balance),
	ClaimStorage(NodeId),
	Judge(AccountId, Balance),
	Slash(Balance, Vec<(AccountId, Balance)>),
	Bond(AccountId, Balance),
	EndBond(bool),
}

fn act() -> impl Strategy<Value = Act> {
	let judge = 60..64u64;
	prop_oneof![
		3 => (judge.clone(), price()).prop_map(|(judge, amount)| Act::Judge(judge, amount)),
		1 => (price(), vec((judge, price()), 0..4)).prop_map(|(amount, shares)| Act::Slash(amount, shares)),
		1 => (10..14u64, price()).prop_map(|(payer, bond)| Act::Bond(payer, bond)),
		1 => any::<bool>().prop_map(Act::EndBond),
		2 => (0..8u32).prop_map(Act::Prove),
		2 => (0..8u32).prop_map(Act::Miss),
		1 => (0..8u32, price()).prop_map(|(node, fine)| Act::FineForStorage(node, fine)),
		1 => (0..8u32).prop_map(Act::ClaimStorage),
	]
}

/// What went into the audit pot and out of it, and what it was asked for.
#[derive(Default)]
struct AuditBooks {
	filled: Balance,
	paid: Balance,
	asked: Balance,
	bonds: Vec<(AccountId, Balance)>,
}

impl AuditBooks {
	/// Does something that may pay judges, of which `from_slash` is known not to come from the pot. Issuance changes by
	/// what `minted` and the events say: burns, and subsidies of no more than half of what this very job burned.
	fn watch(&mut self, minted: Balance, from_slash: Balance, act: impl FnOnce()) {
		System::reset_events();
		let issuance = Balances::total_issuance();
		act();
		let mut paid: Balance = 0;
		for event in events() {
			match event {
				Event::AuditPotFilled { amount, .. } => self.filled += amount,
				Event::Paid {
					role: Role::Auditor,
					amount,
					..
				} => paid += amount,
				_ => (),
			}
		}
		self.paid += paid - from_slash;
		assert!(subsidised() <= burned() / 2);
		check(issuance + minted + subsidised() - burned());
		assert_eq!(Books::<Test>::get().audit_pot, self.filled - self.paid);
		let owed: Balance = Debts::<Test>::iter_values().map(|debt| debt.amount).sum();
		assert_eq!(owed, self.asked - self.paid, "what is not paid is owed");
		let bonds: Balance = self.bonds.iter().map(|(_, bond)| bond).sum();
		assert_eq!(Books::<Test>::get().bonds, bonds);
	}

	fn run(&mut self, act: &Act) {
		match act {
			Act::Judge(judge, amount) => {
				self.asked += amount;
				self.watch(0, 0, || {
					Split::pay_judge(1, judge, *amount);
				});
			}
			Act::Slash(amount, shares) => {
				let mut left = amount - amount / 2;
				for (_, share) in shares {
					left -= left.min(*share);
				}
				let treasury = Split::claimable(&TREASURY);
				self.watch(*amount, amount - amount / 2 - left, || {
					slash_arrives(*amount);
					Split::split_slash(1, *amount, shares);
				});
				assert_eq!(burned(), amount / 2);
				assert_eq!(Split::claimable(&TREASURY), treasury + left);
			}
			Act::Bond(payer, bond) => {
				if Balances::free_balance(payer) >= bond + ED {
					self.bonds.push((*payer, *bond));
					self.watch(0, 0, || Split::escrow_bond(1, payer, *bond).unwrap());
				}
			}
			Act::EndBond(right) => {
				if let Some((payer, bond)) = self.bonds.pop() {
					self.watch(0, 0, || {
						Split::end_bond(1, &payer, bond, *right);
					});
				}
			}
			Act::Prove(node) => {
				let (waits, earned) = (pending(*node), Split::claimable(&operator_of(*node)));
				let paid = if TestNodes::contains_key(node) { waits } else { 0 };
				self.watch(0, 0, || assert_eq!(Split::release_storage_pay(*node, MODEL), paid));
				assert_eq!(pending(*node), waits - paid);
				assert_eq!(Split::claimable(&operator_of(*node)), earned + paid);
			}
			Act::Miss(node) => {
				let (waits, treasury) = (pending(*node), Split::claimable(&TREASURY));
				let lost = if TestNodes::contains_key(node) { waits } else { 0 };
				self.watch(0, 0, || assert_eq!(Split::forfeit_storage_pay(*node, MODEL), lost));
				assert_eq!((pending(*node), burned()), (waits - lost, lost / 2));
				assert_eq!(Split::claimable(&TREASURY), treasury + lost - lost / 2);
			}
			Act::FineForStorage(node, fine) => {
				let treasury = Split::claimable(&TREASURY);
				self.watch(*fine, 0, || {
					slash_arrives(*fine);
					Split::take_storage_fine(*node, *fine);
				});
				assert_eq!(burned(), fine / 2);
				assert_eq!(Split::claimable(&TREASURY), treasury + fine - fine / 2);
			}
			Act::ClaimStorage(node) => {
				let operator = operator_of(*node);
				let due = Split::pending_storage_pay(&operator);
				let is_due = due.iter().any(|(_, _, from)| *from <= System::block_number());
				let may = is_due && TestNodes::contains_key(node);
				let before = Split::claimable(&operator) + pending(*node);
				self.watch(0, 0, || {
					let claimed = Split::claim_storage_pay(RuntimeOrigin::signed(operator), MODEL);
					assert_eq!(claimed.is_ok(), may);
				});
				assert_eq!(Split::claimable(&operator) + pending(*node), before);
			}
		}
	}
}

fn check(issuance: Balance) {
	Split::do_try_state().unwrap();
	assert_eq!(Split::pot_surplus(), Some(0));
	assert_eq!(Balances::total_issuance(), issuance);
}

fn burned() -> Balance {
	let burned = events().into_iter().map(|event| match event {
		Event::Burned { amount, .. } => amount,
		Event::StoragePayForfeited { burned, .. } | Event::StorageFined { burned, .. } => burned,
		_ => 0,
	});
	burned.sum()
}

fn subsidised() -> Balance {
	let minted = events().into_iter().map(|event| match event {
		Event::Subsidised { amount, .. } => amount,
		_ => 0,
	});
	minted.sum()
}

fn run(
	compute: Vec<Balance>,
	storage: Vec<Balance>,
	royalties: Vec<Balance>,
	fee: Balance,
	gone: Vec<NodeId>,
	jobs: Vec<PlannedJob>,
	acts: Vec<Act>,
) {
	ExtBuilder.build().execute_with(|| {
		for payer in 10..14 {
			assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), payer, 1 << 120));
		}
		let royalties = royalties.iter().enumerate();
		TestRoyalties::set(
			royalties
				.map(|(i, r)| royalty(if i == 0 { MODEL } else { i as u32 }, 50 + i as u64, *r))
				.collect(),
		);
		compute
			.iter()
			.enumerate()
			.for_each(|(node, price)| ask(node as u32, AskRole::Compute, *price));
		storage
			.iter()
			.enumerate()
			.for_each(|(node, price)| ask(node as u32, AskRole::Storage, *price));
		let profile = CuratorProfile {
			name: b"Ada".to_vec().try_into().unwrap(),
			..Default::default()
		};
		assert_ok!(Split::set_curator(RuntimeOrigin::signed(CURATOR), fee, profile));
		let issuance = Balances::total_issuance();

		let mut open = Vec::new();
		for (nth, job) in jobs.into_iter().enumerate() {
			go_to_epoch(1 + nth as u32 / 3);
			// Room for the largest quorum.
			let first = 7 * nth as JobId;
			let size = job.ends.len();
			let order = Order {
				payer: &job.payer,
				curator: job.curated.then_some(&CURATOR),
				weaver: job.weaver.map(|fee| (&WEAVER, fee)),
				seed: [nth as u8; 32],
				..order(job.units, job.input_size)
			};
			// Reserves move from epoch to epoch, but leave nobody behind who has won.
			let quote = Split::quote_jobs(&order, size as u8).unwrap();
			let deal = Split::open(first, &order).unwrap();
			let mut deals = vec![deal];
			while deals.len() < size {
				deals.push(Split::open_sibling(MODEL, &deals[0]).unwrap());
			}
			let price: Balance = deals.iter().map(|deal| deal.price).sum();
			assert_eq!((quote.price, sum(&quote.lines)), (price, price));
			let escrowed = deals.iter().take_while(|deal| Split::escrow(&job.payer, deal).is_ok());
			let escrowed = escrowed.count();
			if escrowed == 0 {
				// An earlier job's payer died: the submission fails as a whole.
				for deal in &deals {
					Split::close(MODEL, deal);
				}
				continue;
			}
			assert_eq!(escrowed, size, "payers are rich, or dead");
			if job.payer_dies {
				assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(job.payer), 99, false));
			}
			check(issuance);
			for (id, (deal, (end, rank))) in (first..).zip(deals.into_iter().zip(job.ends)) {
				open.push((id, deal, job.payer, end, rank));
			}
		}

		gone.into_iter()
			.filter(|node| TestNodes::contains_key(node))
			.for_each(|node| {
				with_node(node, |node| node.hosts.clear());
				let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
				TestNodes::remove(node);
			});
		let mut books = AuditBooks::default();
		let mut acts = acts.iter();
		open.sort_by_key(|(.., rank)| *rank);
		for (id, deal, payer, end, rank) in open {
			// No earlier than the last submission.
			go_to_epoch(4 + u32::from(rank) / 16);
			acts.by_ref().take(3).for_each(|act| books.run(act));
			let total = |payer| Balances::total_balance(&payer) + Split::claimable(&payer);
			let payer_before = total(payer);
			match &end {
				End::Settle(node, audited) => {
					let bill = Split::bill(MODEL, &deal, *node);
					assert_eq!(sum(&bill), deal.price, "shares sum to all of the price");
					assert!(bill.iter().all(|line| line.amount > 0));
					let back = if *audited { 0 } else { deal.premium };
					books.watch(0, 0, || {
						let settled = Split::settle(id, MODEL, &payer, &deal, *node, *audited);
						assert_eq!(sum(&settled.bill), deal.price - back);
						assert!(settled.debts <= MAX_DEBTS_AT_ONCE);
						assert!(*audited || settled.debts == 0, "what goes back pays no debt");
					});
					assert_eq!(total(payer), payer_before + back);
				}
				End::Refund => {
					books.watch(0, 0, || Split::refund(id, &payer, &deal));
					assert_eq!(total(payer), payer_before + deal.price);
				}
				End::Fail(reporters) => {
					let mut paid = 0;
					books.watch(0, 0, || paid = sum(&Split::fail(id, &payer, &deal, reporters)));
					assert!(paid <= deal.compute / 5);
					assert_eq!(total(payer), payer_before + deal.price - paid);
				}
			}
			Split::close(MODEL, &deal);
		}
		acts.for_each(|act| books.run(act));
		while !books.bonds.is_empty() {
			books.run(&Act::EndBond(true));
		}

		let owed = Books::<Test>::get();
		assert_eq!((owed.obligations, owed.bonds), (0, 0));
		go_to_epoch(100);
		// Whatever waits has waited long enough. Whose node is gone has to come back for it.
		for account in StoragePay::<Test>::iter()
			.map(|(account, _, _)| account)
			.collect::<Vec<_>>()
		{
			host((account - operator_of(0)) as NodeId, MODEL);
			assert_ok!(Split::claim_storage_pay(RuntimeOrigin::signed(account), MODEL));
		}
		assert_eq!(Books::<Test>::get().storage_pay, 0);
		let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
		assert_eq!(Clearings::<Test>::iter().count(), 0, "no record outlives its jobs");
		let issuance = Balances::total_issuance();
		for (account, _) in Split::earnings() {
			let due = Split::claimable(&account);
			let alive = Balances::free_balance(account) >= ED;
			let claimed = Split::claim(RuntimeOrigin::signed(account)).is_ok();
			assert_eq!(claimed, alive || due >= ED);
			check(issuance);
		}
		let earnings: Balance = Split::earnings().iter().map(|(_, amount)| amount).sum();
		assert_eq!(pot_balance(), ED + Books::<Test>::get().audit_pot + earnings);
	});
}

proptest! {
	#[test]
	fn money_should_be_conserved_when_jobs_end_in_any_order(
		compute in vec(price(), 1..8),
		storage in vec(price(), 0..8),
		royalties in vec(price(), 0..=5),
		fee in price(),
		gone in vec(0..8u32, 0..4),
		jobs in vec(job(), 1..12),
		acts in vec(act(), 0..40),
	) {
		run(compute, storage, royalties, fee, gone, jobs, acts);
	}

	#[test]
	fn lines_should_sum_to_the_price_when_the_deal_and_the_record_disagree(
		price in any::<Balance>(),
		compute in any::<Balance>(),
		stored in proptest::option::of(any::<Balance>()),
		fee in proptest::option::of(any::<Balance>()),
		woven in proptest::option::of(any::<Balance>()),
		per_unit in vec(any::<Balance>(), 0..=5),
		units in any::<u32>(),
		premium in any::<Balance>(),
		royalties in any::<bool>(),
	) {
		let deal = Deal {
			epoch: 0,
			units,
			price,
			compute,
			royalties,
			storage: stored.map(|amount| (1, amount)),
			curator: fee.map(|amount| (CURATOR, amount)),
			weaver: woven.map(|amount| (WEAVER, amount)),
			audit_rate: Default::default(),
			premium,
		};
		let payees: Vec<_> = per_unit.into_iter().map(|amount| royalty(MODEL, 50, amount)).collect();
		let lines = Split::lines(MODEL, &deal, &payees, Some(1), Some(2));
		prop_assert!(royalties || lines.iter().all(|line| line.role != Role::Maker));
		let total = lines.iter().try_fold(0u128, |sum, line| sum.checked_add(line.amount));
		prop_assert_eq!(total, Some(price));
	}
}
