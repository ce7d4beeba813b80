//! Who is paid for storing a model shows it, or loses the pay, and in the end more.

use highway_primitives::{AskRole, Balance, BlobRef, JobPhase, ModelId, Role, WorkerAction, AIC};
use highway_runtime::{
	pallet_storage_proofs::{self, Event},
	AccountId, Block, NodeStaking, RevenueSplit, Runtime, RuntimeEvent,
};
use highway_runtime_api::{
	runtime_decl_for_market_api::MarketApi, runtime_decl_for_worker_api::WorkerApi, types::StorageTask,
};
use highway_runtime_tests::{register_call, spec, treasury, worker_transaction, Chain, MILLI};
use pallet_revenue_split::{Call as Split, Error, Event as SplitEvent};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// What a job pays for storage.
const PAY: Balance = 2 * MILLI;

/// Blocks in which an answer counts.
const WINDOW: u32 = 30;

/// Dave's model, of a file of some chunks, which the three run and Alice alone is paid for storing.
fn stored(test: impl FnOnce(&mut Chain, ModelId)) {
	Chain::local(|chain| {
		let file = (0..10_000u32).map(|at| (at % 251) as u8).collect::<Vec<_>>();
		let mut large = spec("large");
		large.artifact = BlobRef::of(&file);
		chain.files.insert(large.artifact.hash, file);
		let model = chain.register(Dave, register_call("large", large, None, None, 0));
		let operators = [Alice, Bob, Charlie];
		chain.host(model, &operators);
		let compute = operators.map(|operator| (operator, AskRole::Compute, 10 * MILLI));
		let storage = [(Alice, AskRole::Storage, PAY)];
		chain.open_market(model, &[&compute[..], &storage[..]].concat());
		// Who wins storage is asked to show it, with or without jobs.
		chain.ok(Dave, Split::clear { model });
		test(chain, model);
	});
}

/// A job that is done and paid. Returns its line for storage, which waits for a proof.
fn settled_job(chain: &mut Chain, model: ModelId) -> Balance {
	let job = chain.submit(Eve, model);
	chain.attest(job);
	chain.finish(job);
	assert_eq!(chain.job(job).phase(), JobPhase::Settled);
	let bill = <Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("it is kept");
	let mut stored = bill.lines.into_iter().filter(|line| line.role == Role::Storage);
	let line = stored.next().expect("somebody stores it");
	assert_eq!(line.payee, Some(Alice.to_account_id()));
	line.amount
}

/// A job whose line for storage waits, while Alice shows nothing any more.
fn unproved_job(chain: &mut Chain, model: ModelId) -> Balance {
	for _ in 0..5 {
		let pay = settled_job(chain, model);
		// If she was asked in the block before, she has shown the file in that of the settlement.
		if waiting() > 0 {
			chain.forgetful.insert(0);
			return pay;
		}
	}
	panic!("she is asked in every block");
}

/// What waits for a proof of Alice's.
fn waiting() -> Balance {
	let earned = <Runtime as MarketApi<Block, AccountId>>::earnings(Alice.to_account_id());
	earned.storage.iter().map(|(_, amount, _)| amount).sum()
}

fn claimable() -> Balance {
	RevenueSplit::claimable(&Alice.to_account_id())
}

fn proofs(chain: &Chain) -> Vec<Event<Runtime>> {
	let ours = |event| match event {
		RuntimeEvent::StorageProofs(event) => Some(event),
		_ => None,
	};
	chain.events().into_iter().filter_map(ours).collect()
}

/// What the misses so far forfeited, and what was fined for them.
fn misses(chain: &Chain) -> Vec<(Balance, Balance)> {
	let missed = proofs(chain).into_iter().filter_map(|event| match event {
		Event::Missed { forfeited, fined, .. } => Some((forfeited, fined)),
		_ => None,
	});
	missed.collect()
}

/// What was bonded behind asks of hers for storage that she lost.
fn asks_lost(chain: &Chain) -> Vec<Balance> {
	let lost = chain.events().into_iter().filter_map(|event| match event {
		RuntimeEvent::RevenueSplit(SplitEvent::AskForfeited {
			role: AskRole::Storage,
			node: 0,
			amount,
			..
		}) => Some(amount),
		_ => None,
	});
	lost.collect()
}

/// Makes blocks until Alice has missed so many challenges.
fn until_missed(chain: &mut Chain, model: ModelId, count: usize) {
	while misses(chain).len() < count {
		let challenge = chain.until_challenged(0, model);
		chain.run_to(challenge.until + 1);
	}
}

#[test]
fn pay_for_storage_should_be_claimed_when_the_drawn_chunk_is_shown() {
	stored(|chain, model| {
		let pay = unproved_job(chain, model);
		let total = pallet_revenue_split::Books::<Runtime>::get().storage_pay;
		assert_eq!((waiting(), total), (pay, pay));
		assert_eq!(pay, PAY);
		assert_eq!(
			chain.call(Alice, Split::claim_storage_pay { model }),
			Err(Error::<Runtime>::StoragePayHeld.into()),
			"nothing is proved, and it may still be asked for"
		);

		let challenge = chain.until_challenged(0, model);
		let work = <Runtime as WorkerApi<Block>>::work_for(Alice.public().into()).expect("she has a node");
		let told = StorageTask {
			model,
			artefact: challenge.artefact,
			chunk: challenge.chunk,
			drawn_at: challenge.drawn_at,
			until: challenge.until,
		};
		assert_eq!(work.challenges, vec![told]);
		assert_eq!(challenge.artefact.size, 10_000);
		assert_eq!(challenge.until, challenge.drawn_at + WINDOW);
		let action = chain.storage_proof(0, model, &challenge).expect("the file is there");
		let WorkerAction::ProveStorage { proof, .. } = action.clone() else {
			unreachable!("a proof")
		};
		let altered = |node, drawn_at, flip: bool| {
			let mut proof = proof.clone();
			proof.bytes[0] ^= u8::from(flip);
			WorkerAction::ProveStorage {
				node,
				model,
				drawn_at,
				proof,
			}
		};
		let at = challenge.drawn_at;
		for (transaction, why) in [
			(worker_transaction(Bob, action.clone()), InvalidTransaction::BadProof),
			(
				worker_transaction(Alice, altered(0, at, true)),
				InvalidTransaction::Custom(2),
			),
			(
				worker_transaction(Alice, altered(0, at + 1, false)),
				InvalidTransaction::Stale,
			),
			(
				worker_transaction(Bob, altered(1, at, false)),
				InvalidTransaction::Stale,
			),
			(
				worker_transaction(Eve, altered(99, at, false)),
				InvalidTransaction::Custom(1),
			),
		] {
			let why = TransactionValidityError::from(why);
			assert_eq!(chain.validate(transaction.clone()).map(|_| ()), Err(why), "in the pool");
			assert_eq!(chain.apply_here(transaction), Err(why), "in a block");
		}

		let earned = claimable();
		let answer = worker_transaction(Alice, action);
		assert_eq!(
			chain
				.validate(answer.clone())
				.expect("the pool takes it")
				.provides
				.len(),
			1
		);
		assert_eq!(chain.apply_here(answer.clone()), Ok(Ok(())));
		assert_eq!((waiting(), claimable()), (0, earned + pay));
		let proved = Event::Proved {
			node: 0,
			model,
			paid: pay,
		};
		assert!(proofs(chain).contains(&proved));
		assert_eq!(chain.apply_here(answer), Err(InvalidTransaction::Stale.into()), "once");
		chain.ok(Alice, Split::claim {});
	});
}

#[test]
fn pay_should_be_lost_and_then_a_fine_be_taken_when_nothing_is_shown() {
	stored(|chain, model| {
		// She shows it once, so that everybody knows that it can be shown.
		chain.until_challenged(0, model);
		chain.blocks(1);
		assert!(matches!(
			proofs(chain).last(),
			Some(Event::Proved { node: 0, paid: 0, .. })
		));
		let pay = unproved_job(chain, model);
		assert_eq!(waiting(), pay);

		let fine: Balance = <Runtime as pallet_storage_proofs::Config>::StorageFine::get();
		let standing = || NodeStaking::node(0).expect("her node").1;
		let bond = || NodeStaking::node(0).expect("her node").0.bond;
		let (bonded, score, kept) = (
			bond(),
			standing().reliability.score(),
			RevenueSplit::claimable(&treasury()),
		);
		let earned = claimable();
		until_missed(chain, model, 1);
		assert_eq!(misses(chain), [(pay, 0)], "the pay is gone, and nothing else");
		assert_eq!((waiting(), claimable(), bond()), (0, earned, bonded));
		assert!(asks_lost(chain).is_empty());
		let half = pay / 2;
		assert_eq!(RevenueSplit::claimable(&treasury()), kept + pay - half);
		assert!(chain
			.events()
			.contains(&RuntimeEvent::RevenueSplit(SplitEvent::StoragePayForfeited {
				model,
				node: 0,
				amount: pay,
				burned: half,
			})));

		until_missed(chain, model, 2);
		assert_eq!(misses(chain)[1], (0, fine), "the second one in a row");
		let lost = asks_lost(chain);
		let ask: Balance = lost.iter().sum();
		assert!(
			lost.len() == 1 && ask >= AIC,
			"and her place, with what was bonded for it"
		);
		assert_eq!(
			(bond(), NodeStaking::slashed(0).fines),
			(bonded - fine - ask, fine + ask)
		);
		let kept = kept + (pay - half) + fine / 2 + (ask - ask / 2);
		assert_eq!(RevenueSplit::claimable(&treasury()), kept);
		assert!(chain
			.events()
			.contains(&RuntimeEvent::RevenueSplit(SplitEvent::StorageFined {
				node: 0,
				amount: fine,
				burned: fine / 2,
			})));
		assert!(standing().reliability.score() < score);

		// Whoever finds the file again asks again, and is paid for what it stores from then on.
		chain.forgetful.clear();
		chain.open_market(model, &[(Alice, AskRole::Storage, PAY)]);
		assert_eq!(
			settled_job(chain, model),
			PAY,
			"hardly anybody uses the model, but she asks as much"
		);
		chain.until_storage_is_settled(Alice, model);
		assert_eq!((misses(chain).len(), waiting()), (2, 0));
	});
}

#[test]
fn nobody_should_be_blamed_for_silence_while_finality_lags() {
	stored(|chain, model| {
		let pay = unproved_job(chain, model);
		let challenge = chain.until_challenged(0, model);
		// As every author says for longer than hints are counted: nothing since genesis is final.
		chain.lag = Some(u32::MAX);
		chain.run_to(challenge.until + 1);
		let lapsed = Event::Lapsed { node: 0, model };
		assert_eq!(proofs(chain).last(), Some(&lapsed));
		assert_eq!((misses(chain).len(), waiting()), (0, pay));
		// Nobody is asked meanwhile.
		chain.blocks(WINDOW);
		assert_eq!(proofs(chain).last(), Some(&lapsed));
		assert_eq!(bond_of_alice(), 1_000_000 * AIC);
	});
}

fn bond_of_alice() -> Balance {
	NodeStaking::node(0).expect("her node").0.bond
}
