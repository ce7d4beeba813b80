//! Asks, prices, versions and lists, as wallets and workers see them.

use highway_primitives::{
	model::{VersionSpec, MAX_LINEAGE},
	traits::Nodes,
	AskRole, Balance, BlobRef, JobPhase, MarketPhase, NodeId, AIC,
};
use highway_runtime::{AccountId, Block, NodeStaking, RevenueSplit, Runtime, RuntimeEvent};
use highway_runtime_api::{
	runtime_decl_for_market_api::MarketApi,
	runtime_decl_for_worker_api::WorkerApi,
	types::{ModelInfo, WorkList},
};
use highway_runtime_tests::{
	commit_asks, least_ask_bond, spec, submit_call, worker_transaction, Chain, ASK_SALT, MILLI, MODEL_SALT,
};
use pallet_inference_jobs::{Error as JobError, MAX_INPUT_SIZE};
use pallet_model_registry::{NextModelId, MAX_PROBES};
use pallet_node_staking::{Call as Node, NextNodeId, Nodes as StoredNodes, Standings};
use pallet_revenue_split::{Asks, Call as Split, Event as SplitEvent, MAX_ASKS, MAX_DEBTS_AT_ONCE};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

fn work_of(who: Sr25519Keyring) -> WorkList {
	<Runtime as WorkerApi<Block>>::work_for(who.public().into()).expect("the key has a node")
}

fn models(from: u32) -> (Vec<ModelInfo<AccountId>>, Option<u32>) {
	<Runtime as MarketApi<Block, AccountId>>::models(from, 64)
}

fn quote(model: u32, size: u64) -> Result<Balance, sp_runtime::DispatchError> {
	<Runtime as MarketApi<Block, AccountId>>::quote(model, size, 1, None).map(|quote| quote.price)
}

/// What is reserved of a node's own bond.
fn reserved(node: NodeId) -> Balance {
	NodeStaking::node(node).expect("the node exists").1.reserved
}

#[test]
fn a_lone_storage_ask_should_not_price_a_model_out() {
	Chain::local(|chain| {
		let model = chain.served_model(0, 10 * MILLI);
		let price = quote(model, 5).expect("it is served");
		let ask = |price| [(Alice, (model, AskRole::Storage, Some(price)))];
		chain.ask(&ask(1_000_000 * AIC));
		chain.next_market_epoch();
		assert_eq!(quote(model, 5), Ok(price));
		// Up to the compute price of the model's unit it is a price like any other; audits cost no more for it.
		chain.ask(&ask(10 * MILLI));
		chain.next_market_epoch();
		assert_eq!(quote(model, 5), Ok(price + 10 * MILLI + 10 * MILLI / 20));
	});
}

/// Copies node 0 into a place of its own in the book, as one that can serve.
fn crowd(model: u32) -> Vec<NodeId> {
	let (record, standing) = NodeStaking::node(0).expect("Alice's node");
	let mut asks = Vec::new();
	let nodes = (1_000..1_000 + MAX_ASKS).collect::<Vec<_>>();
	for node in &nodes {
		let mut standing = standing;
		standing.reserved += AIC;
		StoredNodes::<Runtime>::insert(node, record.clone());
		Standings::<Runtime>::insert(node, standing);
		asks.push(pallet_revenue_split::Ask {
			current: Some(0),
			bond: AIC,
			..pallet_revenue_split::Ask::none(*node)
		});
	}
	Asks::<Runtime>::insert(model, AskRole::Compute, frame_support::BoundedVec::truncate_from(asks));
	nodes
}

#[test]
fn places_should_go_to_nodes_that_serve_when_the_book_is_full_of_others() {
	Chain::local(|chain| {
		let model = chain.register_model(Dave, "magika", 0);
		chain.host(model, &[Alice, Bob]);
		chain.open_in(MarketPhase::Commit);
		let epoch = chain.coming_epoch();
		chain.say(1, commit_asks(1, epoch, &[(model, AskRole::Compute, Some(MILLI))]));
		chain.open_in(MarketPhase::Reveal);
		let reveal = || {
			let bob = frame_system::RawOrigin::Signed(Bob.to_account_id()).into();
			RevenueSplit::reveal_ask(bob, model, AskRole::Compute, Some(MILLI), ASK_SALT)
		};
		let is_placed = || RevenueSplit::ask_of(1, model, AskRole::Compute).is_some();
		let spoil: [(&str, fn(NodeId)); 5] = [
			("chilled", |node| {
				StoredNodes::<Runtime>::mutate(node, |record| record.as_mut().expect("it is there").chilled = true)
			}),
			("not bonded", |node| {
				StoredNodes::<Runtime>::mutate(node, |record| record.as_mut().expect("it is there").bond = 1)
			}),
			("never heard", |node| {
				let reserved = reserved(node);
				let standing = pallet_node_staking::Standing::new(NodeStaking::current_session());
				Standings::<Runtime>::insert(node, pallet_node_staking::Standing { reserved, ..standing });
			}),
			("jailed", |node| {
				pallet_node_staking::CurrentSession::<Runtime>::put(6);
				Standings::<Runtime>::mutate(node, |standing| {
					let standing = standing.as_mut().expect("it is there");
					(standing.last_heartbeat, standing.live_since) = (None, 0);
				});
			}),
			("not hosting", |node| {
				StoredNodes::<Runtime>::mutate(node, |record| record.as_mut().expect("it is there").hosted.clear())
			}),
		];
		for (state, spoil) in spoil {
			let result = frame_support::storage::with_transaction_unchecked(|| {
				let nodes = crowd(model);
				// In session 6 those are heard who are not to be jailed.
				for node in nodes.iter().chain(&[1]) {
					Standings::<Runtime>::mutate(node, |standing| {
						standing.as_mut().expect("it is there").live_since = if state == "jailed" { 6 } else { 0 };
					});
				}
				let outbid = frame_support::storage::with_transaction_unchecked(|| {
					let result = reveal();
					frame_support::storage::TransactionOutcome::Rollback((result, is_placed()))
				});
				spoil(nodes[40]);
				assert!(!NodeStaking::eligible(nodes[40], model), "{state}");
				let placed = (reveal(), is_placed());
				// It still holds in this epoch, but in no later one, and nothing stands behind it any more.
				let book = Asks::<Runtime>::get(model, AskRole::Compute);
				let lost = book.iter().filter(|ask| ask.upcoming().is_none()).map(|ask| ask.node);
				let lost = (
					lost.collect::<Vec<_>>() == [nodes[40]],
					reserved(nodes[40]) == reserved(0),
				);
				frame_support::storage::TransactionOutcome::Rollback((outbid, placed, lost))
			});
			assert_eq!(result, ((Ok(()), false), (Ok(()), true), (true, true)), "{state}");
		}
		assert_eq!(NextNodeId::<Runtime>::get(), 3, "the crowd is gone");
	});
}

#[test]
fn bonds_of_asks_should_come_back_when_the_model_is_gone() {
	Chain::local(|chain| {
		let model = chain.register_model(Dave, "magika", 0);
		chain.serve(model, &[(Alice, MILLI), (Bob, MILLI)]);
		chain.ask(&[(Alice, (model, AskRole::Storage, Some(1)))]);
		let bond = least_ask_bond();
		assert_eq!([0, 1, 2].map(reserved), [2 * bond, bond, 0]);
		// Bob binds himself anew, and will not be asked to keep his word.
		chain.open_in(MarketPhase::Commit);
		let epoch = chain.coming_epoch();
		chain.say(1, commit_asks(1, epoch, &[(model, AskRole::Compute, None)]));
		assert_eq!(reserved(1), 2 * bond);
		chain.ok(Dave, pallet_model_registry::Call::remove { model });
		chain.next_market_epoch();
		chain.ok(Ferdie, Split::prune { model });
		assert_eq!([0, 1, 2].map(reserved), [0; 3]);
		assert_eq!(Asks::<Runtime>::iter().count(), 0);
		assert_eq!(pallet_revenue_split::Commitments::<Runtime>::iter().count(), 0);
		assert!(!chain
			.events()
			.iter()
			.any(|event| matches!(event, RuntimeEvent::RevenueSplit(SplitEvent::AskForfeited { .. }))));
	});
}

#[test]
fn a_version_should_be_told_to_hosts_at_once_and_run_after_four_market_epochs() {
	Chain::local(|chain| {
		let model = chain.served_model(0, 10 * MILLI);
		let next = VersionSpec {
			artifact: BlobRef::of(b"magika, trained more"),
			unit_time_ms: 3_000,
			..spec("magika")
		};
		chain.commit_to(Dave, &next.artifact);
		chain.ok(
			Dave,
			pallet_model_registry::Call::add_version {
				model,
				spec: next.clone(),
				salt: Some(MODEL_SALT),
			},
		);
		chain.close();
		let from = chain.number() + 4 * 12;
		assert_ne!(from % 30, 1, "not with a session, whose first block has no room");
		let shown = models(0).0.remove(0);
		let coming = shown.coming.expect("it is on its way");
		assert_eq!((shown.version, shown.spec), (1, spec("magika")));
		assert_eq!((coming.version, coming.from, &coming.spec), (2, from, &next));
		let hosted = |who| {
			let hosted = work_of(who).hosted.into_iter();
			hosted.map(|entry| (entry.version, entry.spec)).collect::<Vec<_>>()
		};
		assert_eq!(hosted(Alice), vec![(1, spec("magika")), (2, next.clone())]);
		let job = chain.submit(Eve, model);
		assert_eq!(chain.job(job).version, 1);
		chain.attest(job);

		chain.run_to(from - 1);
		let last = chain.submit(Eve, model);
		// The call opened block `from`.
		assert_eq!((chain.number(), chain.job(last).version), (from, 2));
		assert_eq!(hosted(Alice), vec![(2, next.clone())]);
		assert_eq!(models(0).0[0].coming, None);
	});
}

#[test]
fn a_worker_should_be_told_the_last_block_in_which_it_may_attest() {
	Chain::local(|chain| {
		let model = chain.served_model(0, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let node = chain.executor(job);
		chain.close();
		let item = work_of(chain.worker(node)).jobs.remove(0);
		assert_eq!(Some(item.deadline), chain.job(job).deadline());
		// In that very block it counts; in the next one another node has the job.
		chain.run_to(item.deadline - 1);
		let transaction = worker_transaction(chain.worker(node), chain.attestation(node, &[job]));
		assert_eq!(chain.apply_here(transaction), Ok(Ok(())));
		assert_eq!(chain.number(), item.deadline);
		assert_eq!(chain.job(job).phase(), JobPhase::Attested);

		let late = chain.submit(Eve, model);
		let (node, deadline) = (
			chain.executor(late),
			chain.job(late).deadline().expect("it is assigned"),
		);
		chain.run_to(deadline);
		let transaction = worker_transaction(chain.worker(node), chain.attestation(node, &[late]));
		assert!(chain.apply_here(transaction).is_err());
		assert_ne!(chain.executor(late), node);
	});
}

#[test]
fn a_quote_should_be_refused_as_the_submission_would_be() {
	Chain::local(|chain| {
		let mut slow = spec("slow");
		(slow.unit, slow.unit_time_ms) = (highway_primitives::Unit::InputKib, 600_000);
		let slow = chain.register(Dave, highway_runtime_tests::register_call("slow", slow, None, None, 0));
		chain.serve(slow, &[(Alice, 1)]);
		let model = chain.served_model(0, 10 * MILLI);
		let out_of_range = JobError::<Runtime>::InputSizeOutOfRange.into();
		for size in [0, MAX_INPUT_SIZE + 1, u64::MAX] {
			assert_eq!(quote(model, size), Err(out_of_range));
		}
		assert!(quote(model, 1).is_ok() && quote(model, MAX_INPUT_SIZE).is_ok());
		assert!(quote(slow, 1024).is_ok());
		assert_eq!(
			quote(slow, 10 * 1024 * 1024),
			Err(JobError::<Runtime>::DeadlineTooLong.into())
		);
	});
}

#[test]
fn a_node_should_stay_until_its_job_is_settled_when_it_works_for_nothing() {
	Chain::local(|chain| {
		let model = chain.register_model(Dave, "free", 0);
		chain.serve(model, &[(Charlie, 0)]);
		chain.next_market_epoch();
		let job = chain.submit(Eve, model);
		assert_eq!(chain.job(job).deal.price, 0);
		chain.attest(job);
		// Nothing stands behind his ask any more when it is gone.
		chain.ok(Charlie, Node::unhost { model });
		chain.ok(Ferdie, Split::prune { model });
		let bond = NodeStaking::node(2).expect("Charlie's node").0.bond;
		assert_eq!(
			chain.call(Charlie, Node::unbond { amount: bond }),
			Err(pallet_node_staking::Error::<Runtime>::BondReserved.into())
		);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		chain.ok(Charlie, Node::unbond { amount: bond });
	});
}

#[test]
fn a_submission_should_pay_for_the_steps_that_it_leaves_to_later_blocks() {
	Chain::local(|chain| {
		use frame_support::dispatch::GetDispatchInfo;
		let model = chain.served_model(0, 10 * MILLI);
		chain.submit(Eve, model);
		chain.close();
		let (eve, before) = (Eve.to_account_id(), chain.fees_of(&Eve.to_account_id()));
		chain.submit(Eve, model);
		let fee = chain.fees_of(&eve) - before;
		type Weights = <Runtime as pallet_inference_jobs::Config>::WeightInfo;
		use pallet_inference_jobs::WeightInfo;
		// At least the two timeouts of three nodes, a settlement and the removal, at the lowest price of time: a tenth.
		let settled = Weights::tick_settle(MAX_LINEAGE, 1, MAX_DEBTS_AT_ONCE) + Weights::tick_contradict(2);
		let later = Weights::tick_time_out(3) * 2 + settled + Weights::tick_prune(1);
		assert!(fee > Balance::from(later.ref_time()) / 10, "{fee}");
		let info = submit_call(model, None).get_dispatch_info();
		assert!(info.call_weight.proof_size() > later.ref_time());
	});
}

#[test]
fn models_should_be_found_behind_many_that_were_removed() {
	Chain::local(|chain| {
		chain.open();
		NextModelId::<Runtime>::put(3 * MAX_PROBES);
		let model = chain.register_model(Dave, "late", 0);
		chain.close();
		let (mut found, mut next) = (Vec::new(), Some(0));
		while let Some(from) = next {
			let page;
			(page, next) = models(from);
			found.extend(page.into_iter().map(|model| model.id));
		}
		assert_eq!(found, vec![model]);
		let nodes = <Runtime as MarketApi<Block, AccountId>>::nodes(0, 2);
		assert_eq!(nodes.0.len(), 2);
		assert_eq!(nodes.1, Some(2));
	});
}
