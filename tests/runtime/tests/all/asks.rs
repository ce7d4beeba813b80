//! What nodes may say about asks, and when: checked in the pool and in the block. And what it costs to say half of it.

use highway_primitives::{
	market::ask_commitment, AskCommitment, AskObstacle, AskRole, Balance, MarketPhase, ModelId, NodeId, WorkerAction,
	AIC,
};
use highway_runtime::{
	AccountId, Balances, Block, NodeStaking, RevenueSplit, Runtime, RuntimeEvent, UncheckedExtrinsic,
};
use highway_runtime_api::{runtime_decl_for_market_api::MarketApi, runtime_decl_for_worker_api::WorkerApi};
use highway_runtime_tests::{
	commit_asks, least_ask_bond, reveal_asks, treasury, worker_transaction, Ask, Chain, ASK_SALT, MILLI,
};
use pallet_node_staking::Call as Node;
use pallet_revenue_split::{Call as Split, Error, Event};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Dave, Eve, Ferdie};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// What a unit costs here.
const PRICE: Balance = 2 * AIC;

/// Refused by the pool and by a block alike: a block with it would be invalid. The block stays open.
fn refused(chain: &mut Chain, transaction: UncheckedExtrinsic, why: impl Into<TransactionValidityError>) {
	let why = why.into();
	assert_eq!(chain.validate(transaction.clone()).map(|_| ()), Err(why), "in the pool");
	assert_eq!(chain.apply_here(transaction), Err(why), "in a block");
}

/// Valid in the pool, under one tag, and taken by a block, which stays open.
fn taken(chain: &mut Chain, transaction: UncheckedExtrinsic) {
	let valid = chain.validate(transaction.clone()).expect("the pool takes it");
	assert_eq!(valid.provides.len(), 1);
	assert_eq!(chain.apply_here(transaction), Ok(Ok(())));
}

/// What a node asks in this epoch; if nothing, from the next on.
fn asked(node: NodeId, model: ModelId) -> Option<Balance> {
	RevenueSplit::ask_of(node, model, AskRole::Compute)
}

/// What keeps the node of this worker from committing to an ask for compute, by what the worker is told.
fn obstacle(worker: Sr25519Keyring) -> Option<AskObstacle> {
	let work = <Runtime as WorkerApi<Block>>::work_for(worker.public().into()).expect("the key has a node");
	let mut tasks = work.asks.into_iter().filter(|task| task.role == AskRole::Compute);
	tasks.next().expect("it hosts a model").obstacle
}

fn reserved(node: NodeId) -> Balance {
	NodeStaking::node(node).expect("the node exists").1.reserved
}

fn own_bond(node: NodeId) -> Balance {
	NodeStaking::node(node).expect("the node exists").0.bond
}

#[test]
fn commitments_and_reveals_should_be_refused_when_it_is_not_their_time() {
	Chain::local(|chain| {
		let model = chain.served_model(0, PRICE);
		let (epoch, asks) = (chain.coming_epoch(), [(model, AskRole::Compute, Some(PRICE / 2))]);
		let commit = |epoch| worker_transaction(Alice, commit_asks(0, epoch, &asks));
		let reveal = |epoch| worker_transaction(Alice, reveal_asks(0, epoch, &asks, ASK_SALT));

		// Each takes a block. Of an epoch of twelve, the first one is over.
		refused(chain, reveal(epoch), InvalidTransaction::Future);
		refused(chain, commit(epoch - 1), InvalidTransaction::Stale);
		refused(chain, commit(epoch + 1), InvalidTransaction::Future);
		taken(chain, commit(epoch));
		refused(chain, commit(epoch), InvalidTransaction::Stale);
		chain.blocks(2);
		assert_eq!(
			RevenueSplit::phase(),
			(MarketPhase::Commit, chain.number()),
			"the last block for commitments"
		);

		refused(chain, commit(epoch), InvalidTransaction::Stale);
		assert_eq!(RevenueSplit::phase().0, MarketPhase::Reveal);
		refused(chain, reveal(epoch + 1), InvalidTransaction::Future);
		taken(chain, reveal(epoch));
		chain.blocks(1);
		assert_eq!(RevenueSplit::phase().1, chain.number(), "the last block of the epoch");
		assert_eq!(asked(0, model), Some(PRICE), "what holds is not touched");

		refused(chain, reveal(epoch), InvalidTransaction::Stale);
		assert_eq!((chain.coming_epoch(), asked(0, model)), (epoch + 1, Some(PRICE / 2)));
	});
}

#[test]
fn an_ask_should_be_refused_when_another_node_or_a_stranger_says_it() {
	Chain::local(|chain| {
		let model = chain.served_model(0, PRICE);
		let (epoch, asks) = (chain.coming_epoch(), [(model, AskRole::Compute, Some(PRICE / 2))]);
		// Bob cannot read what Alice will ask, so he says that he will ask the same.
		let WorkerAction::CommitAsks { items, .. } = commit_asks(0, epoch, &asks) else {
			unreachable!("a commitment")
		};
		let copied = WorkerAction::CommitAsks { node: 1, epoch, items };
		chain.say(0, commit_asks(0, epoch, &asks));
		chain.say(1, copied);

		let more: [Ask; 1] = [(model, AskRole::Storage, Some(1))];
		for stranger in [Bob, Eve] {
			let said = worker_transaction(stranger, commit_asks(0, epoch, &more));
			refused(chain, said, InvalidTransaction::BadProof);
		}
		let nobody = worker_transaction(Eve, commit_asks(99, epoch, &more));
		refused(chain, nobody, InvalidTransaction::Custom(1));
		let nothing = worker_transaction(Alice, commit_asks(0, epoch, &[]));
		refused(chain, nothing, InvalidTransaction::Custom(2));
		// The signature is for another ask.
		let signature = Alice.sign(&<Runtime as WorkerApi<Block>>::worker_payload(commit_asks(
			0, epoch, &asks,
		)));
		let altered = <Runtime as WorkerApi<Block>>::worker_transaction(commit_asks(0, epoch, &more), signature.into());
		assert_eq!(
			chain.apply_here(altered),
			Err(InvalidTransaction::BadProof.into()),
			"nor for another one"
		);

		chain.open_in(MarketPhase::Reveal);
		chain.close();
		let forged = worker_transaction(Alice, reveal_asks(0, epoch, &asks, [0; 32]));
		refused(chain, forged, InvalidTransaction::Stale);
		// The salt is known by now, and opens nothing that another node has said.
		let parroted = worker_transaction(Bob, reveal_asks(1, epoch, &asks, ASK_SALT));
		refused(chain, parroted, InvalidTransaction::Stale);
		let stolen = worker_transaction(Bob, reveal_asks(0, epoch, &asks, ASK_SALT));
		assert_eq!(chain.apply_here(stolen), Err(InvalidTransaction::BadProof.into()));
		chain.say(0, reveal_asks(0, epoch, &asks, ASK_SALT));

		chain.next_market_epoch();
		assert_eq!([0, 1].map(|node| asked(node, model)), [Some(PRICE / 2), Some(PRICE)]);
	});
}

#[test]
fn an_operator_should_be_told_why_when_its_wallet_says_the_wrong_thing() {
	Chain::local(|chain| {
		let model = chain.served_model(0, PRICE);
		let other = chain.register_model(Eve, "other", 0);
		let (role, epoch, price) = (AskRole::Compute, chain.coming_epoch(), Some(PRICE / 2));
		let commit = |model| Split::<Runtime>::commit_ask {
			model,
			role,
			hash: ask_commitment(0, epoch, model, role, price, &ASK_SALT),
		};
		let reveal = |price, salt| Split::<Runtime>::reveal_ask {
			model,
			role,
			price,
			salt,
		};
		for (who, call, why) in [
			(Ferdie, commit(model), Error::<Runtime>::NotAnOperator),
			(Alice, commit(other), Error::NotHosting),
			(Alice, commit(other + 1), Error::UnknownModel),
			(Alice, reveal(price, ASK_SALT), Error::NotRevealPhase),
		] {
			assert_eq!(chain.call(who, call), Err(why.into()));
		}
		chain.ok(Alice, commit(model));
		assert_eq!(
			chain.call(Alice, commit(model)),
			Err(Error::<Runtime>::AlreadyCommitted.into())
		);
		let most: Balance = <Runtime as pallet_revenue_split::Config>::MaxAsk::get();
		let too_much = ask_commitment(1, epoch, model, role, Some(most + 1), &ASK_SALT);
		chain.ok(
			Bob,
			Split::commit_ask {
				model,
				role,
				hash: too_much,
			},
		);

		chain.open_in(MarketPhase::Reveal);
		for (who, call, why) in [
			(Alice, commit(model), Error::<Runtime>::NotCommitPhase),
			(Ferdie, reveal(price, ASK_SALT), Error::NotAnOperator),
			(Alice, reveal(price, [0; 32]), Error::WrongReveal),
			(Alice, reveal(None, ASK_SALT), Error::WrongReveal),
			(Alice, reveal(Some(1), ASK_SALT), Error::WrongReveal),
			(Bob, reveal(price, ASK_SALT), Error::WrongReveal),
			(Bob, reveal(Some(most + 1), ASK_SALT), Error::AskAboveMax),
		] {
			assert_eq!(chain.call(who, call), Err(why.into()));
		}
		chain.ok(Alice, reveal(price, ASK_SALT));
		assert_eq!(
			chain.call(Alice, reveal(price, ASK_SALT)),
			Err(Error::<Runtime>::NotCommitted.into()),
			"once"
		);
		chain.next_market_epoch();
		assert_eq!(asked(0, model), price);
	});
}

#[test]
fn an_ask_should_count_as_its_bond_was_when_it_was_committed_to() {
	Chain::local(|chain| {
		let model = chain.register_model(Eve, "own", 0);
		chain.host(model, &[Alice, Bob]);
		chain.open_in(MarketPhase::Commit);
		// Beside what is reserved for the ask itself.
		let free = |node| own_bond(node) - reserved(node) - least_ask_bond();
		let ask = |price| -> Ask { (model, AskRole::Compute, Some(price)) };
		let (epoch, dear, just) = (chain.coming_epoch(), free(0) / 64 + 1, free(1) / 64);
		let before = [0, 1].map(reserved);
		chain.say(0, commit_asks(0, epoch, &[ask(dear)]));
		chain.say(1, commit_asks(1, epoch, &[ask(just)]));
		chain.ok(Alice, Node::bond_extra { amount: 64 * AIC });
		let amount = free(1) / 2;
		chain.ok(Bob, Node::unbond { amount });

		chain.open_in(MarketPhase::Reveal);
		chain.say(0, reveal_asks(0, epoch, &[ask(dear)], ASK_SALT));
		chain.say(1, reveal_asks(1, epoch, &[ask(just)], ASK_SALT));
		let unsecured = RuntimeEvent::RevenueSplit(Event::AskUnsecured {
			model,
			role: AskRole::Compute,
			node: 0,
			price: dear,
		});
		assert!(chain.events().contains(&unsecured));
		assert_eq!([0, 1].map(|node| asked(node, model)), [None, Some(just)]);
		assert_eq!([0, 1].map(reserved), [before[0], before[1] + least_ask_bond()]);
	});
}

#[test]
fn a_worker_should_be_told_beforehand_that_its_commitment_would_be_refused() {
	Chain::local(|chain| {
		// A job at this price takes more than the least bond of a node.
		let price = 16 * AIC;
		let model = chain.served_model(0, price);
		let job = chain.submit(Ferdie, model);
		chain.attest(job);
		chain.finish(job);
		let node = chain.join(Eve, 2_000 * AIC);
		chain.host(model, &[Eve]);
		chain.next_market_epoch();
		let [compute, storage] = [AskRole::Compute, AskRole::Storage].map(|role| RevenueSplit::ask_bond(model, role));
		let amount = own_bond(node) - (64 * price + compute + storage) + 1;
		chain.ok(Eve, Node::unbond { amount });

		let epoch = chain.coming_epoch();
		let commit = |role| {
			let asks = [(model, role, Some(MILLI))];
			worker_transaction(Eve, commit_asks(node, epoch, &asks))
		};
		assert_eq!(obstacle(Eve), None);
		taken(chain, commit(AskRole::Storage));
		let commit = || commit(AskRole::Compute);
		assert_eq!(obstacle(Eve), Some(AskObstacle::NoBond { missing: 1 }));
		refused(chain, commit(), InvalidTransaction::Stale);
		chain.ok(Eve, Node::bond_extra { amount: 1 });
		assert_eq!(obstacle(Eve), None);
		taken(chain, commit());
		assert_eq!(obstacle(Eve), None, "it is committed to");
		assert_eq!(obstacle(Bob), None);
		chain.ok(Bob, Node::chill {});
		assert_eq!(obstacle(Bob), Some(AskObstacle::NotEligible));
	});
}

#[test]
fn a_node_should_lose_what_stands_behind_its_commitment_and_no_more_when_it_does_not_reveal() {
	Chain::local(|chain| {
		let model = chain.served_model(0, PRICE);
		let jobs = [(); 3].map(|()| {
			let job = chain.submit(Ferdie, model);
			chain.attest(job);
			job
		});
		jobs.into_iter().for_each(|job| chain.finish(job));
		chain.next_market_epoch();
		let bond = RevenueSplit::ask_bond(model, AskRole::Compute);
		assert_eq!(bond, PRICE, "three jobs for three places: one place was paid so much");
		assert!(bond > least_ask_bond());

		chain.open_in(MarketPhase::Commit);
		let (before, epoch) = (reserved(1), chain.coming_epoch());
		chain.say(1, commit_asks(1, epoch, &[(model, AskRole::Compute, Some(MILLI))]));
		assert_eq!(reserved(1), before + bond);
		chain.next_market_epoch();
		let shown = <Runtime as MarketApi<Block, AccountId>>::market(model).expect("it is registered");
		assert_eq!(
			shown.roles[0].commitments, 1,
			"it lies there until the market is next touched"
		);

		chain.open();
		let state = || {
			(
				own_bond(1),
				reserved(1),
				RevenueSplit::claimable(&treasury()),
				Balances::total_issuance(),
			)
		};
		let (bonded, held, kept, issuance) = state();
		chain.ok(Dave, Split::clear { model });
		let half = bond / 2;
		assert_eq!(state(), (bonded - bond, held - bond, kept + half, issuance - half));
		let forfeited = RuntimeEvent::RevenueSplit(Event::AskForfeited {
			model,
			role: AskRole::Compute,
			node: 1,
			epoch,
			amount: bond,
			burned: half,
		});
		let events = chain.events().into_iter();
		assert_eq!(events.filter(|event| *event == forfeited).count(), 1);
		assert_eq!(NodeStaking::slashed(1).fines, bond);
		// Its former ask holds, with what stands behind that, and it works on.
		assert_eq!(asked(1, model), Some(PRICE));
		assert_eq!(RevenueSplit::ask_bonds().get(&1), Some(&least_ask_bond()));
		assert!(NodeStaking::is_eligible(1));
		let shown = <Runtime as MarketApi<Block, AccountId>>::market(model).expect("it is registered");
		assert_eq!(shown.roles[0].commitments, 0);
	});
}

#[test]
fn a_message_should_count_as_far_as_it_can_when_some_of_it_cannot_be() {
	Chain::local(|chain| {
		let model = chain.served_model(0, PRICE);
		let other = chain.register_model(Eve, "other", 0);
		let epoch = chain.coming_epoch();
		// One that is not hosted, one that there is not, and one twice.
		let ask = |model, price| (model, AskRole::Compute, Some(price));
		let asks = [
			ask(other, 1),
			ask(other + 1, 1),
			ask(model, MILLI),
			ask(model, 2 * MILLI),
		];
		let before = reserved(0);
		chain.say(0, commit_asks(0, epoch, &asks));
		assert_eq!(reserved(0), before + least_ask_bond(), "it has said one thing");
		chain.open_in(MarketPhase::Reveal);
		chain.say(0, reveal_asks(0, epoch, &asks, ASK_SALT));
		chain.next_market_epoch();
		assert_eq!(asked(0, model), Some(MILLI));
		assert_eq!(reserved(0), before, "one ask in place of another");

		// What nobody could open is worth as much as what nobody opens.
		chain.open_in(MarketPhase::Commit);
		let epoch = chain.coming_epoch();
		let items = vec![AskCommitment {
			model,
			role: AskRole::Compute,
			hash: H256::repeat_byte(7),
		}];
		let items = items.try_into().expect("one");
		chain.say(0, WorkerAction::CommitAsks { node: 0, epoch, items });
		chain.next_market_epoch();
		let bonded = own_bond(0);
		chain.ok(Ferdie, Split::prune { model });
		assert_eq!(own_bond(0), bonded - least_ask_bond());
	});
}
