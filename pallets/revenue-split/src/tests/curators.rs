//! Profiles, fees, and what curators earn and for what.

use super::*;
use crate::{pallet::Curators, CuratorProfile, CuratorRecord, Error};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};

fn held() -> Balance {
	Balances::total_balance_on_hold(&CURATOR)
}

fn profile(name: &[u8], url: &[u8]) -> CuratorProfile {
	CuratorProfile {
		name: name.to_vec().try_into().unwrap(),
		url: url.to_vec().try_into().unwrap(),
	}
}

fn set(fee: Balance, name: &[u8], url: &[u8]) -> DispatchResult {
	Split::set_curator(RuntimeOrigin::signed(CURATOR), fee, profile(name, url))
}

fn curated(job: JobId) -> Deal<AccountId> {
	let order = Order {
		curator: Some(&CURATOR),
		..order(1, 0)
	};
	let deal = Split::open(job, &order).unwrap();
	Split::escrow(&PAYER, &deal).unwrap();
	deal
}

#[test]
fn set_curator_should_hold_one_deposit_when_changed_and_free_it_when_ended() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(set(5, b"Ada", b""));
		assert_ok!(set(6, "Ada Lovelace \u{2665}".as_bytes(), b"https://example.org/ada"));
		assert_eq!(held(), DEPOSIT);
		assert_eq!(
			Split::curator(&CURATOR),
			Some(CuratorRecord {
				fee: 6,
				deposit: DEPOSIT,
				profile: profile("Ada Lovelace \u{2665}".as_bytes(), b"https://example.org/ada"),
				..Default::default()
			})
		);
		assert_ok!(set(0, b"", b""));
		assert_eq!((held(), Split::curator(&CURATOR)), (0, None));
		let curator = CURATOR;
		assert_eq!(
			events(),
			vec![
				Event::CuratorSet { curator, fee: 5 },
				Event::CuratorSet { curator, fee: 6 },
				Event::CuratorRemoved { curator },
			]
		);
	});
}

#[test]
fn set_curator_should_refuse_when_a_condition_is_not_met() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(set(MAX_ASK + 1, b"Ada", b""), Error::<Test>::FeeAboveMax);
		assert_noop!(set(1, b"", b""), Error::<Test>::NoName);
		assert_noop!(set(0, b"", b""), Error::<Test>::NotACurator);
		let poor = Split::set_curator(RuntimeOrigin::signed(4), 1, profile(b"Ada", b""));
		assert!(poor.is_err());
		assert_eq!(Curators::<Test>::iter().count(), 0);
		assert_ok!(set(MAX_ASK, b"Ada", b""));
	});
}

/// A wallet prints these: they must not write over its terminal, nor let one name pass for another.
#[test]
fn set_curator_should_refuse_what_cannot_be_shown() {
	ExtBuilder.build_and_execute(|| {
		let names: [&[u8]; 7] = [
			b"\x1b[2J",
			b"two\nlines",
			b"nul\0",
			b"\xff\xfe",
			"\u{202e}adA".as_bytes(),
			"A\u{200b}da".as_bytes(),
			"\u{9b}31m".as_bytes(),
		];
		for name in names {
			assert_noop!(set(1, name, b""), Error::<Test>::BadText);
		}
		for url in [&b"https://a b"[..], b"\x07", "https://\u{e4}".as_bytes()] {
			assert_noop!(set(1, b"Ada", url), Error::<Test>::BadText);
		}
	});
}

#[test]
fn curator_should_earn_what_was_agreed_when_it_changes_its_fee_afterwards() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		assert_ok!(set(8, b"Ada", b""));
		let deal = curated(1);
		assert_ok!(set(0, b"", b""));
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		assert_eq!(Split::claimable(&CURATOR), 8);
		assert_eq!(Split::curator(&CURATOR), None);
	});
}

#[test]
fn curator_should_be_known_for_settled_jobs_alone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		assert_ok!(set(8, b"Ada", b""));
		let (settled, refunded, failed) = (curated(1), curated(2), curated(3));
		Split::refund(2, &PAYER, &refunded);
		Split::fail(3, &PAYER, &failed, &[1, 2]);
		assert_eq!(Split::claimable(&CURATOR), 0);
		Split::settle(1, MODEL, &PAYER, &settled, 1, true);
		let record = Split::curator(&CURATOR).unwrap();
		assert_eq!((record.jobs, record.earned), (1, 8));
		assert_eq!(Split::claimable(&CURATOR), 8);
		// A change of the profile forgets nothing; an end does.
		assert_ok!(set(9, b"Ada", b""));
		assert_eq!(Split::curator(&CURATOR).unwrap().jobs, 1);
		assert_ok!(set(0, b"", b""));
		assert_ok!(set(9, b"Ada", b""));
		assert_eq!(Split::curator(&CURATOR).unwrap().jobs, 0);
	});
}

#[test]
fn curator_should_be_counted_when_it_asks_nothing() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		assert_ok!(set(0, b"Ada", b""));
		let deal = curated(1);
		assert_eq!(deal.price, open(2, 1, 0).price);
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		let record = Split::curator(&CURATOR).unwrap();
		assert_eq!((record.jobs, record.earned), (1, 0));
	});
}

#[test]
fn curators_should_be_read_in_pages() {
	ExtBuilder.build_and_execute(|| {
		let mut all = std::collections::BTreeSet::new();
		for account in 100..110u64 {
			Balances::set_balance(&account, ED + DEPOSIT);
			assert_ok!(Split::set_curator(
				RuntimeOrigin::signed(account),
				1,
				profile(b"Ada", b"")
			));
			all.insert(account);
		}
		let (mut seen, mut from, mut pages) = (std::collections::BTreeSet::new(), None, 0);
		loop {
			let (page, next) = Split::curators(from.as_ref(), 4);
			assert!(page.len() <= 4);
			pages += 1;
			page.into_iter().for_each(|(account, _)| assert!(seen.insert(account)));
			match next {
				Some(next) => from = Some(next),
				None => break,
			}
		}
		assert_eq!((seen, pages), (all, 3));
		let (whole, next) = Split::curators(None, u32::MAX);
		assert_eq!((whole.len(), next), (10, None));
	});
}
