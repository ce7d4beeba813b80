//! Submissions that fail: a clear error, and nothing taken but the transaction's fee.

use highway_primitives::{worker::WorkerAction, Balance, BlobRef, ModelId, Tier, AIC};
use highway_runtime::{constants::EXISTENTIAL_DEPOSIT, AccountId, Block, Runtime, RuntimeCall};
use highway_runtime_api::runtime_decl_for_market_api::MarketApi;
use highway_runtime_tests::{invariants::free, premium_of, signed, submit_call, worker_transaction, Chain, MILLI};
use pallet_inference_jobs::Error as JobError;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, One, Two};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError, TokenError};

/// `submit_job` fails with `error`; the payer loses its transaction fee and no job is counted.
fn refused(chain: &mut Chain, call: RuntimeCall, error: impl Into<DispatchError>) {
	let eve = Eve.to_account_id();
	let (funds, fees) = (free(&eve), chain.fees_of(&eve));
	let (next, pot) = (pallet_inference_jobs::NextJobId::<Runtime>::get(), pot());
	let clearings = pallet_revenue_split::Clearings::<Runtime>::iter().collect::<Vec<_>>();
	assert_eq!(chain.call(Eve, call), Err(error.into()));
	assert_eq!(free(&eve), funds - (chain.fees_of(&eve) - fees));
	assert_eq!(pallet_inference_jobs::NextJobId::<Runtime>::get(), next);
	assert_eq!(self::pot(), pot);
	assert_eq!(
		pallet_revenue_split::Clearings::<Runtime>::iter().collect::<Vec<_>>(),
		clearings
	);
	chain.close();
}

fn pot() -> Balance {
	free(&highway_runtime::RevenueSplit::pot_account())
}

fn submit(model: ModelId, size: u64, max_price: Balance, gateway: Option<u32>) -> RuntimeCall {
	let input = BlobRef {
		size,
		..BlobRef::of(b"input")
	};
	pallet_inference_jobs::Call::submit_job {
		model,
		input,
		tier: Tier::Spot,
		max_price,
		gateway,
		curator: None,
	}
	.into()
}

#[test]
fn a_submission_should_take_nothing_when_its_arguments_are_wrong() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let price = 11 * MILLI + 11 * MILLI / 20 + premium_of(10 * MILLI);
		refused(
			chain,
			submit(model, 0, AIC, None),
			JobError::<Runtime>::InputSizeOutOfRange,
		);
		refused(
			chain,
			submit(model, (256 << 20) + 1, AIC, None),
			JobError::<Runtime>::InputSizeOutOfRange,
		);
		refused(
			chain,
			submit(model, 5, price - 1, None),
			JobError::<Runtime>::PriceAboveMax,
		);
		refused(
			chain,
			submit(model, 5, AIC, Some(3)),
			JobError::<Runtime>::UnknownGateway,
		);
		refused(
			chain,
			submit(model + 1, 5, AIC, None),
			pallet_model_registry::Error::<Runtime>::UnknownModel,
		);
		chain.ok(Eve, submit(model, 5, price, Some(0)));
	});
}

#[test]
fn a_submission_should_take_nothing_when_nobody_serves_the_model() {
	Chain::local(|chain| {
		let model = chain.register_model(Dave, "magika", MILLI);
		let nobody = DispatchError::from(pallet_revenue_split::Error::<Runtime>::NobodyServes);
		refused(chain, submit_call(model, None), nobody);
		// An ask holds from the next epoch on.
		chain.serve(model, &[(Alice, 10 * MILLI)]);
		refused(chain, submit_call(model, None), nobody);
		assert!(<Runtime as MarketApi<Block, AccountId>>::quote(model, 5, 1, None).is_err());
		chain.next_market_epoch();
		assert!(<Runtime as MarketApi<Block, AccountId>>::quote(model, 5, 1, None).is_ok());
		chain.submit(Eve, model);
	});
}

#[test]
fn a_submission_should_take_nothing_when_no_node_has_capacity() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		// The epoch is cleared: its winners are known from now on.
		chain.submit(Eve, model);
		for operator in [Alice, Bob, Charlie] {
			chain.ok(operator, pallet_node_staking::Call::chill {});
		}
		refused(chain, submit_call(model, None), JobError::<Runtime>::NoCapacity);
		chain.ok(Alice, pallet_node_staking::Call::resume {});
		chain.submit(Eve, model);
	});
}

#[test]
fn a_node_should_get_no_job_when_its_slots_or_its_bond_are_used_up() {
	Chain::local(|chain| {
		let dear = 10_000 * AIC;
		let model = chain.register_model(Dave, "magika", 0);
		chain.serve(model, &[(Alice, dear)]);
		// A quarter of a session must remain: the heartbeat with two slots holds for the whole session.
		chain.silent.insert(0);
		let session = highway_runtime::NodeStaking::current_session();
		while highway_runtime::NodeStaking::current_session() == session {
			chain.blocks(1);
		}
		let session = session + 1;
		let heartbeat = WorkerAction::Heartbeat {
			node: 0,
			session,
			healthy: true,
			slots: 2,
		};
		assert_eq!(chain.apply(worker_transaction(Alice, heartbeat)), Ok(Ok(())));
		// 64 × 10 000 of the bond of 1 000 000 secures the first job: a second slot is free, but no bond for it.
		chain.submit(Eve, model);
		refused(chain, submit_call(model, None), JobError::<Runtime>::NoCapacity);
		chain.ok(
			Alice,
			pallet_node_staking::Call::bond_extra {
				amount: 1_000_000 * AIC,
			},
		);
		chain.submit(Eve, model);
		chain.ok(
			Alice,
			pallet_node_staking::Call::bond_extra {
				amount: 1_000_000 * AIC,
			},
		);
		refused(chain, submit_call(model, None), JobError::<Runtime>::NoCapacity);
	});
}

#[test]
fn a_poor_wallet_should_keep_its_money_when_a_job_is_too_dear() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * AIC);
		let send = |to: sp_keyring::Sr25519Keyring, value| pallet_balances::Call::transfer_keep_alive {
			dest: to.to_account_id().into(),
			value,
		};
		chain.ok(Dave, send(One, AIC));
		let account = One.to_account_id();
		let result = chain.call(One, submit_call(model, None));
		assert_eq!(result, Err(TokenError::FundsUnavailable.into()));
		assert_eq!(free(&account), AIC - chain.fees_of(&account));
		chain.close();

		// Enough for the price, but not for living on: the account must not be dusted by its own job.
		let price = <Runtime as MarketApi<Block, AccountId>>::quote(model, 5, 1, None)
			.expect("served")
			.price;
		chain.ok(Dave, send(One, price + EXISTENTIAL_DEPOSIT / 2 - free(&account)));
		let result = chain.call(One, submit_call(model, None));
		assert!(matches!(result, Err(DispatchError::Token(_))), "{result:?}");

		// Without money for the fee there is no transaction at all, in the pool or in a block.
		let broke = signed(Two, submit_call(model, None));
		assert_eq!(
			chain.validate(broke.clone()).map(|_| ()),
			Err(InvalidTransaction::Payment.into())
		);
		assert_eq!(chain.apply_here(broke), Err(InvalidTransaction::Payment.into()));
	});
}
