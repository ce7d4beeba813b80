//! Auctions, from what nodes commit to until the next epoch's split.

use highway_primitives::{
	market::ask_commitment, AskRole, Balance, EpochIndex, JobId, JobPhase, MarketPhase, ModelId, NodeId, Role,
	WorkerAction, AIC,
};
use highway_runtime::{AccountId, Block, NodeStaking, RevenueSplit, Runtime, RuntimeEvent};
use highway_runtime_api::{
	runtime_decl_for_market_api::MarketApi,
	runtime_decl_for_worker_api::WorkerApi,
	types::{AskTask, MarketInfo, RoleMarket, SplitInfo},
};
use highway_runtime_tests::{commit_asks, reveal_asks, submit_call, worker_transaction, Ask, Chain, ASK_SALT, MILLI};
use pallet_node_staking::Call as Node;
use pallet_revenue_split::{Call as Split, Clearings, Error, Event};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::DispatchError;
use std::collections::BTreeSet;

/// They operate the nodes 0 to 3.
const OPERATORS: [Sr25519Keyring; 4] = [Alice, Bob, Charlie, Eve];

/// What all of them ask at first, so that a unit may cost as much once somebody has paid that.
const RESERVE: Balance = 20 * MILLI;

/// What they ask then.
const PRICES: [Balance; 4] = [5 * MILLI, 7 * MILLI, 9 * MILLI, 12 * MILLI];

fn compute(model: ModelId, price: Option<Balance>) -> Ask {
	(model, AskRole::Compute, price)
}

/// Dave's model, hosted by the four. They have asked nothing yet.
fn four_hosts(test: impl FnOnce(&mut Chain, ModelId)) {
	Chain::local(|chain| {
		assert_eq!(chain.join(Eve, 100_000 * AIC), 3);
		let model = chain.register_model(Dave, "magika", MILLI);
		chain.host(model, &OPERATORS);
		test(chain, model);
	});
}

fn ask_all(chain: &mut Chain, model: ModelId, prices: [Balance; 4]) {
	let asks = OPERATORS.into_iter().zip(prices);
	let asks = asks.map(|(operator, price)| (operator, compute(model, Some(price))));
	chain.ask(&asks.collect::<Vec<_>>());
	chain.next_market_epoch();
}

/// A reserve one epoch later, if there was as little to do as in all of these tests, and nobody who won asked so much.
fn fallen(reserve: Balance) -> Balance {
	reserve - reserve / 512
}

fn market(model: ModelId) -> MarketInfo {
	<Runtime as MarketApi<Block, AccountId>>::market(model).expect("it is registered")
}

/// The market of its compute.
fn shown(model: ModelId) -> RoleMarket {
	market(model).roles.remove(0)
}

fn split(model: ModelId, epoch: EpochIndex) -> SplitInfo {
	<Runtime as MarketApi<Block, AccountId>>::split(model, epoch).expect("jobs are settled at its prices")
}

fn line(split: &SplitInfo, role: Role) -> Balance {
	let lines = split.lines.iter().filter(|(of, _)| *of == role);
	lines.map(|(_, amount)| amount).sum()
}

/// What the compute line of a job would be.
fn quoted(model: ModelId) -> Result<Balance, DispatchError> {
	let quote = <Runtime as MarketApi<Block, AccountId>>::quote(model, 5, 1, None)?;
	let mut lines = quote.lines.iter().filter(|line| line.role == Role::Compute);
	Ok(lines.next().expect("somebody runs it").amount)
}

/// What a worker is told about compute.
fn task(worker: Sr25519Keyring) -> AskTask {
	let work = <Runtime as WorkerApi<Block>>::work_for(worker.public().into()).expect("the key has a node");
	let mut tasks = work.asks.into_iter().filter(|task| task.role == AskRole::Compute);
	tasks.next().expect("it hosts a model")
}

/// A job, attested at once.
fn attested(chain: &mut Chain, model: ModelId) -> JobId {
	let job = chain.submit(Ferdie, model);
	chain.attest(job);
	job
}

/// Three of them.
fn three_jobs(chain: &mut Chain, model: ModelId) -> [JobId; 3] {
	[(); 3].map(|()| attested(chain, model))
}

fn executors(model: ModelId, epoch: EpochIndex) -> Vec<NodeId> {
	let record = Clearings::<Runtime>::get(model, epoch).expect("the epoch is cleared");
	record.executors.into_inner()
}

#[test]
fn the_first_losing_ask_should_be_the_price_and_the_split_move_when_the_cheapest_leaves() {
	four_hosts(|chain, model| {
		ask_all(chain, model, [RESERVE; 4]);
		let opening = attested(chain, model);
		chain.close();

		// Commitments say nothing but that there are some.
		let epoch = chain.coming_epoch();
		let told = task(Alice);
		assert_eq!(
			(told.epoch, told.phase, told.until),
			(epoch, MarketPhase::Commit, market(model).phase_until)
		);
		assert_eq!((told.from, told.obstacle), (12 * (epoch - 1), None));
		assert_eq!(
			(told.standing, told.committed, told.price),
			(Some(RESERVE), None, Some(RESERVE))
		);
		for (node, (operator, price)) in (0..).zip(OPERATORS.into_iter().zip(PRICES)) {
			let said = worker_transaction(operator, commit_asks(node, epoch, &[compute(model, Some(price))]));
			assert_eq!(chain.apply_here(said), Ok(Ok(())));
		}
		chain.close();
		assert_eq!(shown(model).commitments, 4);
		assert!(shown(model).asks.iter().all(|ask| ask.price == RESERVE));
		let hash = ask_commitment(0, epoch, model, AskRole::Compute, Some(PRICES[0]), &ASK_SALT);
		assert_eq!(task(Alice).committed, Some(hash));

		chain.open_in(MarketPhase::Reveal);
		for (node, (operator, price)) in (0..).zip(OPERATORS.into_iter().zip(PRICES)) {
			let said = reveal_asks(node, epoch, &[compute(model, Some(price))], ASK_SALT);
			assert_eq!(chain.apply_here(worker_transaction(operator, said)), Ok(Ok(())));
		}
		chain.close();
		let revealed = shown(model).asks.into_iter().filter(|ask| ask.from == epoch);
		let revealed = revealed.map(|ask| (ask.node, ask.price)).collect::<Vec<_>>();
		assert_eq!(revealed, (0..).zip(PRICES).collect::<Vec<_>>());
		assert_eq!(
			(shown(model).commitments, quoted(model)),
			(0, Ok(RESERVE)),
			"it holds from the next epoch on"
		);

		chain.next_market_epoch();
		assert_eq!(
			quoted(model),
			Ok(PRICES[3]),
			"of three places Eve has none, and names the price"
		);
		let first = three_jobs(chain, model);
		let seen = shown(model);
		assert_eq!((seen.places, seen.winners), (3, vec![0, 1, 2]), "cheapest first");
		assert_eq!(
			(seen.price, seen.reserve),
			(Some(PRICES[3]), Some(RESERVE)),
			"that is what the winners of the epoch before asked"
		);
		assert_eq!(executors(model, epoch), [0, 1, 2]);
		for job in first {
			assert_eq!(chain.job(job).deal.compute, PRICES[3]);
			assert_ne!(chain.executor(job), 3);
		}

		chain.ask(&[(Alice, compute(model, None))]);
		chain.next_market_epoch();
		// Nobody loses any more. The reserve is what three jobs left of it, for which three nodes were too many.
		let price = fallen(RESERVE);
		assert_eq!(quoted(model), Ok(price));
		let second = three_jobs(chain, model);
		assert_eq!(executors(model, epoch + 1), [1, 2, 3]);
		for job in second {
			assert_eq!(chain.job(job).deal.compute, price);
			assert_ne!(chain.executor(job), 0);
		}

		for job in [opening].into_iter().chain(first).chain(second) {
			chain.finish(job);
			assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		}
		let (before, after) = (split(model, epoch), split(model, epoch + 1));
		assert_eq!((before.jobs, before.units, after.jobs), (3, 3, 3));
		assert_eq!([&before, &after].map(|split| line(split, Role::Maker)), [3 * MILLI; 2]);
		assert_eq!(line(&before, Role::Compute), 3 * PRICES[3]);
		assert_eq!(line(&after, Role::Compute), 3 * price);
		let share = |split: &SplitInfo| line(split, Role::Compute) * 1_000 / split.total;
		assert!(
			share(&before) + 10 < share(&after),
			"more of each job is for those who run it"
		);
		let history = market(model).history;
		assert_eq!(
			history
				.iter()
				.map(|epoch| (epoch.epoch, epoch.compute, epoch.jobs))
				.collect::<Vec<_>>(),
			vec![(epoch + 1, price, 3), (epoch, PRICES[3], 3), (epoch - 1, RESERVE, 1)]
		);
	});
}

#[test]
fn the_reserve_should_begin_at_the_price_of_the_first_epoch_with_a_job_and_bound_all_later_ones() {
	four_hosts(|chain, model| {
		ask_all(chain, model, PRICES);
		assert_eq!(quoted(model), Ok(PRICES[3]));
		chain.ok(Ferdie, Split::clear { model });
		assert_eq!(
			chain.call(Ferdie, Split::clear { model }),
			Err(Error::<Runtime>::AlreadyCleared.into())
		);
		assert_eq!(
			(shown(model).reserve, shown(model).price),
			(None, Some(PRICES[3])),
			"nobody has paid that"
		);

		// So the next clearing is a first one again: Eve has no place, and names the price.
		chain.next_market_epoch();
		assert_eq!(quoted(model), Ok(PRICES[3]));
		three_jobs(chain, model);
		assert_eq!(shown(model).winners, vec![0, 1, 2]);
		assert_eq!(
			(shown(model).reserve, shown(model).price),
			(Some(PRICES[3]), Some(PRICES[3])),
			"what was paid, not what the dearest winner asks"
		);
		// Three jobs for three nodes: now it is lower than what Eve asks, who loses and sets no price.
		chain.next_market_epoch();
		assert_eq!(quoted(model), Ok(fallen(PRICES[3])));
		chain.ok(Ferdie, Split::clear { model });
		assert_eq!(shown(model).winners, vec![0, 1, 2]);
		assert_eq!(shown(model).reserve, Some(fallen(PRICES[3])));
	});
}

#[test]
fn nobody_should_lose_a_place_because_there_is_little_to_do() {
	Chain::local(|chain| {
		let model = chain.served_model(0, RESERVE);
		for _ in 0..3 {
			assert_eq!(quoted(model), Ok(RESERVE));
			attested(chain, model);
			assert_eq!(shown(model).winners.len(), 3);
			assert_eq!(shown(model).reserve, Some(RESERVE), "that is what they ask");
			chain.next_market_epoch();
		}
		// Two of them would do it for less, but the third holds the reserve for all.
		let asks = [Alice, Bob].map(|operator| (operator, compute(model, Some(RESERVE / 2))));
		chain.ask(&asks);
		chain.next_market_epoch();
		assert_eq!(quoted(model), Ok(RESERVE));
		attested(chain, model);
		// When it has asked as much as they do, the reserve falls.
		chain.ask(&[(Charlie, compute(model, Some(RESERVE / 2)))]);
		chain.next_market_epoch();
		assert_eq!(quoted(model), Ok(RESERVE));
		attested(chain, model);
		chain.next_market_epoch();
		assert_eq!(quoted(model), Ok(fallen(RESERVE)));
	});
}

#[test]
fn a_market_should_open_again_when_all_ask_more_than_the_reserve() {
	four_hosts(|chain, model| {
		ask_all(chain, model, [RESERVE; 4]);
		attested(chain, model);
		ask_all(chain, model, [RESERVE + 3 * MILLI; 4]);

		let nobody = DispatchError::from(Error::<Runtime>::NobodyServes);
		let (next, epoch) = (
			pallet_inference_jobs::NextJobId::<Runtime>::get(),
			RevenueSplit::current_epoch(),
		);
		assert_eq!(quoted(model), Err(nobody));
		assert_eq!(chain.call(Ferdie, submit_call(model, None)), Err(nobody));
		assert_eq!(pallet_inference_jobs::NextJobId::<Runtime>::get(), next);
		assert_eq!(shown(model).reserve, Some(RESERVE), "what fails stores nothing");
		chain.ok(Ferdie, Split::clear { model });
		let reserve = RESERVE + RESERVE / 8;
		let starved = RuntimeEvent::RevenueSplit(Event::Starved { model, epoch, reserve });
		assert!(chain.events().contains(&starved));
		// Once an epoch, however often anybody asks.
		assert_eq!(chain.call(Ferdie, Split::clear { model }), Err(nobody));
		assert_eq!(chain.call(Ferdie, submit_call(model, None)), Err(nobody));
		assert_eq!(shown(model).reserve, Some(reserve));

		chain.next_market_epoch();
		assert_eq!(quoted(model), Err(nobody), "a half of a thousandth is missing");
		chain.ok(Ferdie, Split::clear { model });
		chain.next_market_epoch();
		assert_eq!(quoted(model), Ok(RESERVE + 3 * MILLI), "one of four loses");
		chain.submit(Ferdie, model);
	});
}

#[test]
fn nobody_should_pick_the_moment_when_an_epoch_is_cleared() {
	Chain::local(|chain| {
		let model = chain.served_model(0, RESERVE);
		chain.ok(Alice, Node::chill {});
		chain.next_market_epoch();
		let epoch = RevenueSplit::current_epoch();
		// Who comes and goes after the first block changes nothing of who has won.
		chain.ok(Alice, Node::resume {});
		chain.ok(Bob, Node::chill {});
		let jobs = [(); 5].map(|()| chain.submit(Ferdie, model));
		let won = |epoch| executors(model, epoch).into_iter().collect::<BTreeSet<_>>();
		assert_eq!(won(epoch), [1, 2].into());
		for job in jobs {
			assert_eq!(chain.executor(job), 2, "but nobody gets a job who cannot do it");
			chain.attest(job);
		}
		chain.next_market_epoch();
		chain.submit(Ferdie, model);
		assert_eq!(won(epoch + 1), [0, 2].into());
	});
}

/// What a node's own bond has lost since.
fn lost(node: NodeId, before: Balance) -> Balance {
	before - NodeStaking::node(node).expect("it is registered").0.bond
}

#[test]
fn a_node_without_a_slot_to_sell_should_win_nothing() {
	four_hosts(|chain, model| {
		ask_all(chain, model, [0, 0, 0, RESERVE]);
		// Nodes 0 to 2 say that they are well, and sell nothing.
		chain.silent.extend([0, 1, 2]);
		let session = NodeStaking::current_session();
		while NodeStaking::current_session() == session {
			chain.blocks(1);
		}
		// While asks are opened it would be too late to be out of the next epoch.
		chain.open_in(MarketPhase::Commit);
		for (node, worker) in (0..).zip(&OPERATORS[..3]) {
			let action = WorkerAction::Heartbeat {
				node,
				session: NodeStaking::current_session(),
				healthy: true,
				slots: 0,
			};
			assert_eq!(chain.apply_here(worker_transaction(*worker, action)), Ok(Ok(())));
			assert!(!NodeStaking::is_eligible(node));
		}
		chain.next_market_epoch();
		let job = chain.submit(Ferdie, model);
		assert_eq!(executors(model, RevenueSplit::current_epoch()), [3]);
		assert_eq!(chain.executor(job), 3);
		chain.attest(job);
	});
}

#[test]
fn winners_that_stop_serving_should_pay_for_the_epoch_and_leave_the_next_one_to_others() {
	let ends: [fn(&mut Chain, ModelId, Sr25519Keyring); 3] = [
		|chain, _, operator| {
			chain.ok(operator, Node::chill {});
		},
		|chain, model, operator| {
			chain.ok(operator, Node::unhost { model });
		},
		// It ends its ask with the epoch, before anybody clears that.
		|chain, model, operator| {
			chain.ok(operator, Node::unhost { model });
			chain.ok(operator, Split::prune { model });
		},
	];
	let comes_back: [fn(&mut Chain, ModelId, Sr25519Keyring); 3] = [
		|chain, _, operator| {
			chain.ok(operator, Node::resume {});
		},
		|chain, model, operator| {
			chain.ok(operator, Node::host { model });
		},
		|chain, model, operator| {
			chain.ok(operator, Node::host { model });
		},
	];
	for (end, back) in ends.into_iter().zip(comes_back) {
		four_hosts(|chain, model| {
			ask_all(chain, model, [0, 0, 0, RESERVE]);
			let squatters = &OPERATORS[..3];
			squatters.iter().for_each(|operator| end(chain, model, *operator));
			let no_capacity = pallet_inference_jobs::Error::<Runtime>::NoCapacity.into();
			assert_eq!(chain.call(Ferdie, submit_call(model, None)), Err(no_capacity));
			// They are there again before anybody looks.
			squatters.iter().for_each(|operator| back(chain, model, *operator));
			chain.ok(Ferdie, Split::clear { model });
			let bonds = [0, 1, 2].map(|node| NodeStaking::node(node).expect("it is registered").0.bond);
			chain.ok(Ferdie, Split::prune { model });
			let bond = RevenueSplit::ask_bond(model, AskRole::Compute);
			for (node, before) in (0..).zip(bonds) {
				let lost = lost(node, before);
				assert!((bond / 2..=bond).contains(&lost), "node {node} lost {lost} of {bond}");
			}
			assert_eq!(
				chain.call(Ferdie, Split::prune { model }),
				Err(Error::<Runtime>::NothingToPrune.into())
			);
			chain.next_market_epoch();
			let job = chain.submit(Ferdie, model);
			assert_eq!(executors(model, RevenueSplit::current_epoch()), [3]);
			assert_eq!(chain.executor(job), 3);
			chain.attest(job);
		});
	}
}

#[test]
fn a_node_that_goes_after_a_look_should_stay_in_the_price_and_pay_for_its_place() {
	type Act = fn(&mut Chain, ModelId);
	let goes_and_comes_back: [(Act, Act); 2] = [
		(
			|chain, model| chain.ok(Charlie, Node::unhost { model }),
			|chain, model| chain.ok(Charlie, Node::host { model }),
		),
		(
			|chain, _| chain.ok(Charlie, Node::chill {}),
			|chain, _| chain.ok(Charlie, Node::resume {}),
		),
	];
	for (go, come_back) in goes_and_comes_back {
		four_hosts(|chain, model| {
			ask_all(chain, model, [RESERVE; 4]);
			attested(chain, model);
			let asks = OPERATORS.into_iter().zip(PRICES);
			let asks = asks.map(|(operator, price)| (operator, compute(model, Some(price))));
			chain.ask(&asks.collect::<Vec<_>>());
			// Everybody's asks for the next epoch are known.
			go(chain, model);
			// Ends its place in this epoch, if it has one, and not its ask in the next one.
			let _ = chain.call(Ferdie, Split::prune { model });
			let before = NodeStaking::node(2).expect("it is registered").0.bond;
			chain.next_market_epoch();
			come_back(chain, model);
			assert_eq!(quoted(model), Ok(PRICES[3]), "without it the reserve would be paid");
			chain.ok(Ferdie, Split::clear { model });
			assert_eq!(executors(model, RevenueSplit::current_epoch()), [0, 1, 2]);
			chain.ok(Ferdie, Split::prune { model });
			assert_eq!(lost(2, before), RevenueSplit::ask_bond(model, AskRole::Compute));
			chain.next_market_epoch();
			let job = chain.submit(Ferdie, model);
			assert_eq!(executors(model, RevenueSplit::current_epoch()), [0, 1, 3]);
			chain.attest(job);
		});
	}
}

#[test]
fn a_winner_that_withdraws_and_goes_should_pay_for_what_is_left_of_the_epoch() {
	four_hosts(|chain, model| {
		ask_all(chain, model, [0, 0, 0, RESERVE]);
		chain.ask(&[(Alice, compute(model, None)), (Bob, compute(model, None))]);
		chain.ok(Alice, Node::chill {});
		chain.ok(Ferdie, Split::clear { model });
		let bonds = [0, 1].map(|node| NodeStaking::node(node).expect("it is registered").0.bond);
		chain.ok(Ferdie, Split::prune { model });
		let bond = RevenueSplit::ask_bond(model, AskRole::Compute);
		let [gone, serving] = [0, 1].map(|node: NodeId| lost(node, bonds[node as usize]));
		assert!((1..=bond / 2).contains(&gone), "it lost {gone} of {bond}");
		assert_eq!(serving, 0, "it serves until the epoch is over");
	});
}
