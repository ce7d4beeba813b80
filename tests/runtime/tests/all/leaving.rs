//! Nodes and models that go while jobs are open: an open job stays its node's own, and every bond gets out in the end.

use crate::sessions::pass_sessions;
use frame_support::traits::Get;
use highway_primitives::{AskRole, Balance, JobPhase, AIC};
use highway_runtime::{AccountId, Block, EpochDuration, NodeStaking, Runtime, RuntimeCall, System};
use highway_runtime_api::runtime_decl_for_market_api::MarketApi;
use highway_runtime_tests::{genesis_with, invariants::free, submit_call, worker_transaction, Chain, MILLI};
use pallet_node_staking::{Call as Node, Error as NodeError};
use sp_consensus_babe::runtime_decl_for_babe_api::BabeApi;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};

/// What the preset bonds for each node.
const BOND: Balance = 1_000_000 * AIC;

/// Blocks of a session where many of them have to pass.
const SHORT_SESSION: u32 = 6;

/// The preset with such sessions.
fn with_short_sessions(test: impl FnOnce(&mut Chain)) {
	let sessions = serde_json::json!({ "nodeStaking": { "sessionLength": SHORT_SESSION } });
	let genesis = genesis_with(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET, sessions);
	Chain::of_genesis(genesis, test);
}

fn reserved(who: Sr25519Keyring) -> Balance {
	System::account(who.to_account_id()).data.reserved
}

#[test]
fn an_open_job_should_be_paid_when_its_node_leaves_the_market_in_every_way() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let node = chain.executor(job);
		let operator = chain.operator(node);
		let security = chain.job(job).security;
		assert_eq!(security, 64 * 10 * MILLI);
		assert_eq!(
			chain.call(operator, Node::unbond { amount: BOND }),
			Err(NodeError::<Runtime>::BondReserved.into())
		);
		// Down to the least bond, which is more than what is reserved.
		chain.ok(
			operator,
			Node::unbond {
				amount: BOND - 1_000 * AIC,
			},
		);
		assert_eq!(
			chain.call(operator, Node::unbond { amount: 1 }),
			Err(NodeError::<Runtime>::BondTooSmall.into())
		);
		// Without time for a commitment to a withdrawal: who does not host the model has no ask that anybody has to keep.
		chain.ok(operator, Node::unhost { model });
		chain.ok(Ferdie, pallet_revenue_split::Call::prune { model });
		chain.ok(operator, Node::chill {});
		chain.ok(Dave, pallet_model_registry::Call::deprecate { model });
		assert_eq!(
			chain.call(Dave, pallet_model_registry::Call::remove { model }),
			Err(pallet_model_registry::Error::<Runtime>::OpenJobs.into())
		);
		assert_eq!(
			chain.call(Eve, submit_call(model, None)),
			Err(pallet_model_registry::Error::<Runtime>::ModelDeprecated.into())
		);
		assert_eq!(
			chain.call(operator, Node::deregister {}),
			Err(NodeError::<Runtime>::StillBonded.into())
		);
		assert_eq!(chain.executor(job), node);
		chain.attest(job);
		assert_eq!(
			chain.call(operator, Node::unbond { amount: 1_000 * AIC }),
			Err(NodeError::<Runtime>::BondReserved.into())
		);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		assert!(highway_runtime::RevenueSplit::claimable(&operator.to_account_id()) >= 10 * MILLI);
		chain.ok(operator, Node::unbond { amount: 1_000 * AIC });
		chain.ok(Dave, pallet_model_registry::Call::remove { model });
		assert_eq!(reserved(Dave), 0);
	});
}

#[test]
fn an_open_job_should_go_to_a_live_node_when_its_node_chills_and_stays_silent() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let first = chain.executor(job);
		let others = [Alice, Bob, Charlie]
			.into_iter()
			.filter(|who| *who != chain.operator(first))
			.collect::<Vec<_>>();
		chain.ok(chain.operator(first), Node::chill {});
		chain.ok(others[0], Node::chill {});
		chain.pass_due(job);
		assert_eq!(
			chain.operator(chain.executor(job)),
			others[1],
			"the only one that is not chilled"
		);
		chain.pass_due(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Refunded, "nobody is left");
	});
}

#[test]
fn sessions_should_be_as_long_as_genesis_says_when_that_is_not_the_presets_length() {
	with_short_sessions(|chain| {
		let length = u64::from(SHORT_SESSION);
		assert_eq!(<EpochDuration as Get<u64>>::get(), length);
		assert_eq!(
			<Runtime as BabeApi<Block>>::configuration().epoch_length,
			length,
			"as the node is told"
		);
		pass_sessions(chain, 1);
		for session in NodeStaking::current_session()..3 {
			chain.blocks(SHORT_SESSION - 1);
			assert_eq!(NodeStaking::current_session(), session);
			chain.blocks(1);
			assert_eq!(NodeStaking::current_session(), session + 1);
		}
	});
}

#[test]
fn a_node_should_leave_with_its_whole_bond_when_its_sessions_are_over() {
	with_short_sessions(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let node = chain.executor(job);
		let operator = chain.operator(node);
		chain.attest(job);
		chain.finish(job);
		let account = operator.to_account_id();
		let all = free(&account) + reserved(operator);
		let paid = <Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("the record is kept");
		assert_eq!(
			chain.call(operator, Node::unbond { amount: BOND }),
			Err(NodeError::<Runtime>::BondReserved.into()),
			"its ask holds"
		);
		chain.ask(&[(operator, (model, AskRole::Compute, None))]);
		chain.ok(operator, Node::unbond { amount: BOND });
		assert_eq!(
			chain.call(operator, Node::withdraw_unbonded {}),
			Err(NodeError::<Runtime>::NothingToWithdraw.into())
		);
		let ready = NodeStaking::current_session() + 168;
		while NodeStaking::current_session() < ready {
			assert_eq!(reserved(operator), BOND);
			chain.blocks(10);
		}
		assert!(
			!highway_runtime::Session::validators().contains(&account),
			"without a bond it does not validate"
		);
		chain.ok(operator, Node::deregister {});
		chain.close();
		assert_eq!(reserved(operator), 0);
		assert!(
			free(&account) + AIC > all,
			"all but transaction fees is the operator's again"
		);
		assert_eq!(NodeStaking::node(node), None);
		assert_eq!(paid.lines.iter().map(|line| line.amount).sum::<Balance>(), paid.price);

		// It comes back as another node, which inherits nothing.
		let description = pallet_node_staking::NodeDescription {
			worker: operator.public().into(),
			peer_id: Default::default(),
			addresses: Default::default(),
			device: highway_primitives::DeviceClass::CpuX86,
			memory_mib: 1,
			region: Default::default(),
		};
		let proof = chain.registration_proof(operator, operator);
		chain.ok(
			operator,
			Node::register {
				description,
				bond: 1_000 * AIC,
				proof,
			},
		);
		chain.close();
		let fresh = NodeStaking::node_of_worker(&operator.public().into()).expect("registered");
		assert_eq!(fresh, 3);
		assert!(NodeStaking::node(fresh).expect("registered").0.hosted.is_empty());
		assert!(!NodeStaking::is_eligible(fresh), "not before its first heartbeat");
		// What the node that is gone attests counts for nothing.
		let ghost = worker_transaction(operator, chain.attestation(node, &[job]));
		assert!(chain.apply(ghost).is_err());
	});
}

#[test]
fn a_model_should_keep_its_maker_paid_when_it_changes_hands_with_open_jobs() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		chain.ok(
			Dave,
			pallet_model_registry::Call::offer_transfer {
				model,
				to: Eve.to_account_id(),
			},
		);
		let accept: RuntimeCall = pallet_model_registry::Call::accept_transfer { model }.into();
		chain.ok(Eve, accept);
		assert_eq!(reserved(Dave), 0);
		assert!(reserved(Eve) > 0);
		chain.attest(job);
		chain.finish(job);
		let claimable = |who: Sr25519Keyring| highway_runtime::RevenueSplit::claimable(&who.to_account_id());
		assert_eq!(
			(claimable(Dave), claimable(Eve)),
			(MILLI, 0),
			"the payee of the job's clearing record"
		);
		chain.next_market_epoch();
		let job = chain.submit(Charlie, model);
		chain.attest(job);
		chain.finish(job);
		assert_eq!((claimable(Dave), claimable(Eve)), (MILLI, MILLI));
	});
}
