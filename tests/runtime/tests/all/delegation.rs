//! Delegated stake: what it earns with its node, what it elects, and what an offence takes of everything behind a node.

use crate::{
	audits::{wage, PRICE, SECURITY},
	offences::{report_blocks, reported},
	sessions::{pass_sessions, register, set_keys},
};
use frame_election_provider_support::ScoreProvider;
use highway_primitives::{AuditReason, Balance, JobPhase, AIC};
use highway_runtime::{AccountId, Balances, Block, NodeStaking, RevenueSplit, Runtime, RuntimeEvent, Session};
use highway_runtime_api::{runtime_decl_for_market_api::MarketApi, types::DelegationInfo};
use highway_runtime_tests::{invariants::free, least_ask_bond, treasury, Chain};
use pallet_node_staking::{Call as Node, Error as NodeError, Event as NodeEvent};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Dave, Eve, Ferdie};
use sp_runtime::Perbill;

/// What the preset bonds for each node.
const BOND: Balance = 1_000_000 * AIC;

/// What an operator takes unless it says otherwise.
const COMMISSION: Perbill = Perbill::from_percent(10);

fn delegate(node: u32, amount: Balance, max_commission: Perbill) -> Node<Runtime> {
	Node::delegate {
		node,
		amount,
		max_commission,
	}
}

/// Ferdie's delegation, as a wallet sees it.
fn delegation() -> Option<DelegationInfo> {
	let (mut all, next) = <Runtime as MarketApi<Block, AccountId>>::delegations(Ferdie.to_account_id(), 0, 10);
	assert!(all.len() <= 1 && next.is_none());
	all.pop()
}

fn node_events(chain: &Chain) -> Vec<NodeEvent<Runtime>> {
	let events = chain.events().into_iter();
	events
		.filter_map(|event| match event {
			RuntimeEvent::NodeStaking(event) => Some(event),
			_ => None,
		})
		.collect()
}

/// What the nodes 0, 1 and 2 were credited for a session, and what was minted for it: operator's and delegators' parts.
fn rewards(chain: &Chain, session: u32) -> ([(Balance, Balance); 3], Balance) {
	let mut parts = [(0, 0); 3];
	for event in node_events(chain) {
		match event {
			NodeEvent::Rewarded {
				node,
				operator,
				delegators,
			} => parts[node as usize] = (operator, delegators),
			NodeEvent::SessionRewarded {
				session: of,
				minted,
				blocks,
			} if of == session => {
				assert_eq!(blocks, 30);
				return (parts, minted);
			}
			_ => (),
		}
	}
	panic!("session {session} was not rewarded")
}

#[test]
fn a_delegator_should_earn_with_its_node_after_each_session() {
	Chain::local(|chain| {
		pass_sessions(chain, 1);
		for (call, why) in [
			(delegate(9, BOND, COMMISSION), NodeError::<Runtime>::UnknownNode),
			(delegate(0, 9 * AIC, COMMISSION), NodeError::DelegationTooSmall),
			(
				delegate(0, BOND, Perbill::from_percent(9)),
				NodeError::CommissionAboveMax,
			),
		] {
			assert_eq!(chain.call(Ferdie, call), Err(why.into()));
		}
		let funds = chain.funds(Ferdie);
		// As much as Alice's own bond.
		chain.ok(Ferdie, delegate(0, BOND, COMMISSION));
		assert_eq!(chain.funds(Ferdie), funds - BOND);
		assert_eq!(NodeStaking::score(&Alice.to_account_id()), Some(2 * BOND));
		let session = NodeStaking::current_session();
		pass_sessions(chain, 1);

		// Three validators made ten blocks each: all earn the same, and half of Alice's part, less her commission, is Ferdie's.
		let ([alice, bob, charlie], minted) = rewards(chain, session);
		let each = bob.0;
		assert_eq!((bob, charlie), ((each, 0), (each, 0)));
		assert_eq!(alice.0 + alice.1, each);
		assert_eq!(alice.1, (each - each.div_ceil(10)) / 2);
		assert_eq!(minted, 3 * each);
		assert!((379 * AIC..=380 * AIC).contains(&minted), "{minted}");

		let seen = delegation().expect("it is there");
		assert_eq!((seen.node, seen.amount, seen.unbonding), (0, BOND, vec![]));
		assert!((alice.1 - 1..=alice.1).contains(&seen.rewards), "to the last unit");
		let funds = chain.funds(Ferdie);
		chain.ok(Ferdie, Node::claim_rewards { node: 0 });
		assert_eq!(chain.funds(Ferdie), funds + seen.rewards);
		assert_eq!(
			chain.call(Ferdie, Node::claim_rewards { node: 0 }),
			Err(NodeError::<Runtime>::NothingToClaim.into())
		);
		let owed = NodeStaking::pool(0).operator_rewards;
		assert!(owed >= alice.0);
		chain.ok(Alice, Node::claim_rewards { node: 0 });
		let paid = node_events(chain).into_iter().rev().find_map(|event| match event {
			NodeEvent::RewardsClaimed {
				node: 0,
				account,
				amount,
			} => Some((account, amount)),
			_ => None,
		});
		assert_eq!(paid, Some((Alice.to_account_id(), owed)));

		pass_sessions(chain, 2);
		assert_eq!(
			Session::validators().first(),
			Some(&Alice.to_account_id()),
			"what is delegated elects"
		);
		let rewarded = node_events(chain).into_iter().map(|event| match event {
			NodeEvent::SessionRewarded { minted, .. } => minted,
			_ => 0,
		});
		assert_eq!(pallet_node_staking::Minted::<Runtime>::get(), rewarded.sum::<Balance>());
	});
}

#[test]
fn a_higher_commission_should_be_known_long_before_it_holds() {
	Chain::local(|chain| {
		let set = |percent| Node::<Runtime>::set_commission {
			commission: Perbill::from_percent(percent),
		};
		chain.ok(Ferdie, delegate(0, BOND, COMMISSION));
		assert_eq!(
			chain.call(Alice, set(16)),
			Err(NodeError::<Runtime>::CommissionRiseTooLarge.into())
		);
		chain.ok(Alice, set(15));
		assert_eq!(NodeStaking::commission(0), COMMISSION);
		let announced = node_events(chain).into_iter().rev().find_map(|event| match event {
			NodeEvent::CommissionSet { node: 0, session, .. } => Some(session),
			_ => None,
		});
		assert_eq!(announced, Some(NodeStaking::current_session() + 168));
		assert_eq!(
			chain.call(Dave, delegate(0, BOND, COMMISSION)),
			Err(NodeError::<Runtime>::CommissionAboveMax.into()),
			"who comes now is told"
		);
		chain.ok(Alice, set(3));
		assert_eq!(
			NodeStaking::commission(0),
			Perbill::from_percent(3),
			"a cut holds at once"
		);
	});
}

#[test]
fn an_offence_should_take_its_share_of_all_stake_that_has_not_left() {
	Chain::local(|chain| {
		// With five validators one offender loses (3/5)².
		for operator in [Dave, Eve] {
			register(chain, operator, BOND);
			set_keys(chain, operator);
		}
		pass_sessions(chain, 3);
		assert_eq!(Session::validators().len(), 5);
		chain.ok(Ferdie, delegate(1, BOND, COMMISSION));
		let amount = 400_000 * AIC;
		chain.ok(Ferdie, Node::undelegate { node: 1, amount });
		chain.ok(Bob, Node::unbond { amount: BOND / 2 });
		let leaves = NodeStaking::current_session() + 168;

		chain.open();
		let report = report_blocks(chain, Bob, Bob);
		let (issuance, kept) = (Balances::total_issuance(), free(&treasury()));
		assert_eq!(chain.apply_here(report), Ok(Ok(())));
		assert_eq!(reported(chain), [Perbill::from_percent(36)]);
		let (own, delegated) = (360_000 * AIC, 360_000 * AIC);
		let slashed = NodeStaking::slashed(1);
		assert_eq!((slashed.offences, slashed.delegated), (own, delegated));
		// What was on its way out goes first.
		let (record, _) = NodeStaking::node(1).expect("Bob's node");
		assert_eq!((record.bond, record.unbonding_total()), (BOND / 2, BOND / 2 - own));
		assert!(record.chilled);
		let seen = delegation().expect("something is left");
		assert_eq!(seen.amount, 384_000 * AIC);
		assert_eq!(seen.unbonding, vec![(256_000 * AIC, leaves)]);
		// One half burned, the other is the treasury's.
		assert_eq!(Balances::total_issuance(), issuance - (own + delegated) / 2);
		assert_eq!(free(&treasury()), kept + (own + delegated) / 2);
		assert_eq!(
			chain.call(Ferdie, Node::withdraw_delegation { node: 1 }),
			Err(NodeError::<Runtime>::NothingToWithdraw.into())
		);
	});
}

#[test]
fn an_open_job_should_be_audited_when_an_offence_takes_what_secures_it() {
	Chain::local(|chain| {
		for operator in [Dave, Eve] {
			chain.join(operator, 100_000 * AIC);
		}
		pass_sessions(chain, 2);
		let model = chain.register_model(Dave, "magika", 0);
		chain.serve(model, &[(Bob, PRICE)]);
		chain.next_market_epoch();
		let job = chain.submit(Ferdie, model);
		assert_eq!(chain.executor(job), 1);
		chain.attest(job);
		chain.open();
		let report = report_blocks(chain, Bob, Bob);
		assert_eq!(chain.apply_here(report), Ok(Ok(())));
		let standing = || NodeStaking::node(1).expect("Bob's node").1;
		// What stood behind his ask is gone, too.
		let bond = least_ask_bond();
		assert_eq!((standing().reserved, standing().unsecured), (0, SECURITY + bond));

		chain.until_audited(job);
		let reason = highway_runtime::ProofOfWorkDone::audit(job)
			.expect("it is in audit")
			.reason;
		assert!(
			matches!(reason, AuditReason::Suspected | AuditReason::Drawn),
			"{reason:?}"
		);
		chain.finish(job);
		// The work was done, whatever its node did elsewhere.
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		let claimable = |who: Sr25519Keyring| RevenueSplit::claimable(&who.to_account_id());
		assert_eq!(claimable(Bob), wage());
		assert_eq!((standing().reserved, standing().unsecured), (0, bond));
	});
}
