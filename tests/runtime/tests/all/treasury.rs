//! The treasury earns in the market as everybody does, and root alone spends it.

use highway_primitives::{Balance, JobPhase, AIC};
use highway_runtime::{
	pallet_treasury::{Call, Error},
	AccountId, RevenueSplit, Runtime, RuntimeCall, RuntimeEvent, Treasury,
};
use highway_runtime_tests::{invariants::free, treasury, Chain, MILLI};
use pallet_revenue_split::{Call as Split, Error as SplitError};
use sp_keyring::Sr25519Keyring::{Alice, Eve, Ferdie, One};
use sp_runtime::{DispatchError, DispatchResult};

fn spend(amount: Balance, beneficiary: &AccountId) -> RuntimeCall {
	Call::<Runtime>::spend {
		asset_kind: Box::new(()),
		amount,
		beneficiary: Box::new(beneficiary.clone()),
		valid_from: None,
	}
	.into()
}

fn payout(index: u32) -> RuntimeCall {
	Call::<Runtime>::payout { index }.into()
}

/// What becomes of `call` when Alice, who has the key of root, makes it.
fn as_root(chain: &mut Chain, call: RuntimeCall) -> DispatchResult {
	let sudo = pallet_sudo::Call::<Runtime>::sudo { call: Box::new(call) };
	chain.ok(Alice, sudo);
	let results = chain.events().into_iter().rev();
	results
		.filter_map(|event| match event {
			RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result }) => Some(sudo_result),
			_ => None,
		})
		.next()
		.expect("a call of root tells its result")
}

#[test]
fn the_treasury_should_be_spent_by_root_alone() {
	Chain::local(|chain| {
		assert_eq!(treasury(), Treasury::account_id());
		let (kept, wanted) = (free(&treasury()), 1_000 * AIC);
		let beneficiary = One.to_account_id();
		for stranger in [Alice, Eve] {
			let result = chain.call(stranger, spend(wanted, &beneficiary));
			assert_eq!(result, Err(DispatchError::BadOrigin), "{stranger:?}");
		}
		assert_eq!(as_root(chain, spend(wanted, &beneficiary)), Ok(()));
		assert_eq!(
			(free(&treasury()), free(&beneficiary)),
			(kept, 0),
			"it is approved, not paid"
		);
		chain.ok(Eve, payout(0));
		assert_eq!((free(&treasury()), free(&beneficiary)), (kept - wanted, wanted));
		assert!(chain.call(Eve, payout(0)).is_err(), "once");
		assert_eq!(free(&beneficiary), wanted);

		// More than there is, and what root has thought better of.
		assert_eq!(as_root(chain, spend(kept, &beneficiary)), Ok(()));
		assert_eq!(chain.call(Eve, payout(1)), Err(Error::<Runtime>::PayoutError.into()));
		assert_eq!(
			chain.call(Eve, Call::<Runtime>::void_spend { index: 1 }),
			Err(DispatchError::BadOrigin)
		);
		assert_eq!(as_root(chain, Call::<Runtime>::void_spend { index: 1 }.into()), Ok(()));
		assert_eq!(chain.call(Eve, payout(1)), Err(Error::<Runtime>::InvalidIndex.into()));
		assert_eq!((free(&treasury()), free(&beneficiary)), (kept - wanted, wanted));
	});
}

#[test]
fn what_the_treasury_earned_should_be_paid_out_by_anybody() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		chain.attest(job);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		let subtotal = 11 * MILLI;
		let earned = RevenueSplit::claimable(&treasury());
		assert_eq!(earned, subtotal / 20 - subtotal / 20 / 2, "half of the fee");

		let (kept, funds) = (free(&treasury()), chain.funds(Ferdie));
		let claim = || Split::<Runtime>::claim_for { account: treasury() };
		chain.ok(Ferdie, claim());
		assert_eq!(
			(free(&treasury()), RevenueSplit::claimable(&treasury())),
			(kept + earned, 0)
		);
		assert_eq!(chain.funds(Ferdie), funds, "it is not his");
		let nothing = Err(SplitError::<Runtime>::NothingToClaim.into());
		assert_eq!(chain.call(Ferdie, claim()), nothing);

		// What it has is spent as what it had from the start.
		assert_eq!(as_root(chain, spend(earned, &Ferdie.to_account_id())), Ok(()));
		chain.ok(Eve, payout(0));
		assert_eq!(chain.funds(Ferdie), funds + earned);
		assert_eq!(free(&treasury()), kept);
	});
}
