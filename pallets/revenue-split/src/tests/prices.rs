//! What a job costs, line by line, and that a quote says it beforehand.

use super::*;
use crate::{CuratorProfile, Error};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::Role;
use sp_runtime::Perbill;

const WEAVER: AccountId = 70;

/// The curator asks 11.
fn curator_asks() {
	let profile = CuratorProfile {
		name: b"Curator".to_vec().try_into().unwrap(),
		..Default::default()
	};
	assert_ok!(Split::set_curator(RuntimeOrigin::signed(CURATOR), 11, profile));
}

/// A job that names the curator.
fn curated(units: u32, input_size: u64) -> Order<'static, AccountId> {
	Order {
		curator: Some(&CURATOR),
		..order(units, input_size)
	}
}

#[test]
fn open_should_price_every_role_when_all_are_there() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		curator_asks();
		let order = Order {
			weaver: Some((&WEAVER, 12)),
			..curated(4, 2 * MIB + 1)
		};
		let deal = Split::open(1, &order).unwrap();
		assert_eq!(deal.compute, 4 * 10);
		assert_eq!(deal.storage, Some((3, 3 * 3)));
		assert_eq!((deal.curator, deal.weaver), (Some((CURATOR, 11)), Some((WEAVER, 12))));
		// 4 × (5 + 2) + 40 + 9 + 11 + 12 = 100, 5 % of it, and 1.25 × 4.93 % of the compute line.
		assert_eq!((deal.audit_rate, deal.premium), (Perbill::from_parts(49_230_770), 3));
		assert_eq!(deal.price, 100 + 5 + 3);
		let line = |role, payee, amount| BillLine { role, payee, amount };
		assert_eq!(
			Split::bill(MODEL, &deal, 1).into_inner(),
			vec![
				line(Role::Maker, Some(50), 20),
				line(Role::Parent, Some(51), 8),
				line(Role::Compute, Some(operator_of(1)), 40),
				line(Role::Storage, Some(operator_of(3)), 9),
				line(Role::Curator, Some(CURATOR), 11),
				line(Role::Weaver, Some(WEAVER), 12),
				line(Role::Auditor, None, 3),
				line(Role::Protocol, Some(TREASURY), 3),
				line(Role::Protocol, None, 2),
			]
		);
	});
}

#[test]
fn open_should_count_a_started_mib_when_the_input_is_small() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let storage = |size| open(1, 1, size).storage.unwrap().1;
		assert_eq!((storage(0), storage(1), storage(MIB)), (3, 3, 3));
		assert_eq!((storage(MIB + 1), storage(2 * MIB)), (6, 6));
	});
}

#[test]
fn quote_should_equal_what_open_agrees_on_when_in_the_same_block() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		curator_asks();
		for size in [0, 5 * MIB, u64::from(u32::MAX)] {
			let root = sp_io::storage::root(sp_runtime::StateVersion::V1);
			let quote = Split::quote(&curated(9, size)).unwrap();
			assert_eq!(
				root,
				sp_io::storage::root(sp_runtime::StateVersion::V1),
				"a quote changes nothing"
			);
			let drawn = Order {
				seed: [1; 32],
				..curated(9, size)
			};
			let deal = Split::open(1, &drawn).unwrap();
			assert_eq!(quote.price, deal.price);
			assert_eq!(sum(&quote.lines), deal.price);
			assert_eq!(quote.epoch, deal.epoch);
			assert_eq!(quote.audit_rate, deal.audit_rate);
			assert_eq!(quote.executors, Split::executors(MODEL, &deal));
			assert_eq!(quote.valid_until, 2 * EPOCH - 1);
			let amounts = |lines: &[BillLine<AccountId>]| lines.iter().map(|l| (l.role, l.amount)).collect::<Vec<_>>();
			assert_eq!(amounts(&quote.lines), amounts(&Split::bill(MODEL, &deal, 1)));
			assert!(quote
				.lines
				.iter()
				.all(|line| line.role != Role::Compute || line.payee.is_none()));
		}
	});
}

#[test]
fn open_should_refuse_when_the_price_is_beyond_all_money() {
	ExtBuilder.build_and_execute(|| {
		TestRoyalties::set(vec![royalty(MODEL, 50, Balance::MAX)]);
		ask(1, AskRole::Compute, MAX_ASK);
		ask(1, AskRole::Storage, MAX_ASK);
		go_to_epoch(1);
		let attempt = |units, size| Split::open(1, &order(units, size));
		assert_noop!(attempt(2, 0), Error::<Test>::PriceOverflow);
		assert_noop!(attempt(1, 0), Error::<Test>::PriceOverflow);
		assert_eq!(
			Split::quote(&order(2, 0)).unwrap_err(),
			Error::<Test>::PriceOverflow.into()
		);
		TestRoyalties::set(vec![]);
		let weaver = Order {
			weaver: Some((&WEAVER, Balance::MAX)),
			..order(1, 0)
		};
		assert_noop!(Split::open(1, &weaver), Error::<Test>::PriceOverflow);
		assert_ok!(attempt(u32::MAX, u64::MAX));
	});
}

#[test]
fn open_should_be_free_when_everybody_asks_nothing() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 0);
		ask(2, AskRole::Storage, 0);
		go_to_epoch(1);
		let deal = open_and_escrow(1, u32::MAX, 100 * MIB);
		assert_eq!(deal.price, 0);
		assert_eq!((deal.audit_rate, deal.premium), (Perbill::from_percent(2), 0));
		assert!(Split::bill(MODEL, &deal, 1).is_empty());
		System::reset_events();
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		assert!(events().is_empty());
		let other = open_and_escrow(2, 1, 0);
		Split::refund(2, &PAYER, &other);
		assert!(events().is_empty());
	});
}

#[test]
fn open_should_ignore_the_curator_when_it_has_no_profile() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = Split::open(1, &curated(1, 0)).unwrap();
		assert_eq!(deal.curator, None);
		assert_eq!(deal.price, open(2, 1, 0).price);
	});
}

#[test]
fn open_should_pay_no_curator_when_the_payer_names_itself() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		curator_asks();
		let own = Order {
			payer: &CURATOR,
			..curated(1, 0)
		};
		let deal = Split::open(1, &own).unwrap();
		assert_eq!((deal.curator, deal.price), (None, open(2, 1, 0).price));
		assert_eq!(Split::quote(&own).unwrap().price, deal.price);
	});
}

#[test]
fn open_should_audit_more_when_audits_see_less() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let with = |percent| {
			let order = Order {
				detection: Perbill::from_percent(percent),
				..order(1_000, 0)
			};
			Split::open(1, &order).unwrap()
		};
		let (blind, sharp) = (with(50), with(100));
		assert_eq!(
			(blind.audit_rate, blind.premium),
			(Perbill::from_parts(49_230_770), 616)
		);
		assert_eq!(
			(sharp.audit_rate, sharp.premium),
			(Perbill::from_parts(24_615_385), 308)
		);
		assert_eq!(blind.price - blind.premium, sharp.price - sharp.premium);
	});
}

#[test]
fn open_sibling_should_price_the_compute_line_alone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		curator_asks();
		let order = Order {
			weaver: Some((&WEAVER, 12)),
			..curated(4, 2 * MIB + 1)
		};
		let first = Split::open(1, &order).unwrap();
		let sibling = Split::open_sibling(MODEL, &first).unwrap();
		assert_eq!((first.royalties, sibling.royalties), (true, false));
		assert_eq!((sibling.epoch, sibling.units, sibling.compute), (first.epoch, 4, 40));
		assert_eq!((sibling.storage, sibling.curator, sibling.weaver), (None, None, None));
		assert_eq!((sibling.audit_rate, sibling.premium), (first.audit_rate, first.premium));
		// 40, 5 % of it, and the premium.
		assert_eq!(sibling.price, 40 + 2 + 3);
		let line = |role, payee, amount| BillLine { role, payee, amount };
		assert_eq!(
			Split::bill(MODEL, &sibling, 2).into_inner(),
			vec![
				line(Role::Compute, Some(operator_of(2)), 40),
				line(Role::Auditor, None, 3),
				line(Role::Protocol, Some(TREASURY), 1),
				line(Role::Protocol, None, 1),
			]
		);
		assert_eq!(Split::executors(MODEL, &sibling), Split::executors(MODEL, &first));
	});
}

#[test]
fn quote_jobs_should_sum_each_line_over_the_jobs_of_a_quorum() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		curator_asks();
		let quote = |jobs| Split::quote_jobs(&curated(4, 2 * MIB + 1), jobs).unwrap();
		let line = |role, payee, amount| BillLine { role, payee, amount };
		let three = quote(3);
		assert_eq!(
			three.lines,
			vec![
				line(Role::Maker, Some(50), 20),
				line(Role::Parent, Some(51), 8),
				line(Role::Compute, None, 3 * 40),
				line(Role::Storage, None, 9),
				line(Role::Curator, Some(CURATOR), 11),
				line(Role::Auditor, None, 3 * 3),
				line(Role::Protocol, Some(TREASURY), 3 + 2),
				line(Role::Protocol, None, 2 + 2),
			]
		);
		assert_eq!((three.price, three.compute), (96 + 2 * 45, 40));
		assert_eq!(sum(&three.lines), three.price);
		let one = Split::quote(&curated(4, 2 * MIB + 1)).unwrap();
		assert_eq!(quote(1), one);
	});
}

#[test]
fn quote_jobs_should_refuse_a_sum_beyond_all_money() {
	ExtBuilder.build_and_execute(|| {
		// One job costs a little less than all money there can be.
		TestRoyalties::set(vec![royalty(MODEL, 50, Balance::MAX / 100 * 95)]);
		ask(1, AskRole::Compute, MAX_ASK);
		go_to_epoch(1);
		let quote = |jobs| Split::quote_jobs(&order(1, 0), jobs);
		assert_ok!(quote(1));
		assert_ok!(quote(7));
		TestRoyalties::set(vec![royalty(MODEL, 50, (Balance::MAX - 4 * MAX_ASK) / 105 * 100)]);
		assert_ok!(quote(1));
		assert_noop!(quote(7), Error::<Test>::PriceOverflow);
	});
}
