//! The list of those who may validate: in bags by bond, in step with every call that moves one.

use crate::sessions::register;
use frame_election_provider_support::{ScoreProvider, SortedListProvider};
use highway_primitives::AIC;
use highway_runtime::{NodeStaking, Runtime, RuntimeEvent, VoterList};
use highway_runtime_tests::Chain;
use pallet_bags_list::{Call as List, Instance1, ListError};
use pallet_node_staking::Call as Node;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::DispatchError;

type ListCall = List<Runtime, Instance1>;

/// The list from the heaviest bag on; those of the same bag in the order of [`Sr25519Keyring`].
fn order() -> Vec<Sr25519Keyring> {
	let listed = VoterList::iter().map(|who| Sr25519Keyring::from_account_id(&who).expect("all are well-known"));
	let mut listed = listed.collect::<Vec<_>>();
	// Alice, Bob and Charlie have the same bond: which of them comes first does not matter.
	let first = listed.iter().position(|who| [Alice, Bob, Charlie].contains(who));
	if let Some(three) = first.and_then(|first| listed.get_mut(first..first + 3)) {
		three.sort();
	}
	listed
}

fn refused(error: ListError) -> DispatchError {
	pallet_bags_list::Error::<Runtime, Instance1>::List(error).into()
}

#[test]
fn the_list_should_follow_the_bonds_without_anybody_rebagging() {
	Chain::local(|chain| {
		register(chain, Dave, 2_000_000 * AIC);
		register(chain, Eve, 3_000 * AIC);
		register(chain, Ferdie, 1_000 * AIC);
		assert_eq!(order(), [Dave, Alice, Bob, Charlie, Eve, Ferdie]);

		chain.ok(Ferdie, Node::bond_extra { amount: 9_000 * AIC });
		assert_eq!(order(), [Dave, Alice, Bob, Charlie, Ferdie, Eve], "more climbs");
		chain.ok(
			Dave,
			Node::unbond {
				amount: 1_999_000 * AIC,
			},
		);
		assert_eq!(order(), [Alice, Bob, Charlie, Ferdie, Eve, Dave], "less falls");
		chain.ok(Ferdie, Node::chill {});
		assert_eq!(
			order(),
			[Alice, Bob, Charlie, Eve, Dave],
			"who is chilled is no candidate"
		);
		let absent = ListCall::rebag {
			dislocated: Ferdie.to_account_id().into(),
		};
		assert_eq!(
			chain.call(Bob, absent),
			Err(refused(ListError::NodeNotFound)),
			"and no stranger brings him back"
		);
		chain.ok(Ferdie, Node::resume {});
		assert_eq!(order(), [Alice, Bob, Charlie, Ferdie, Eve, Dave]);

		// Anybody may ask for a rebag: it never finds anything to do.
		let moves = |chain: &Chain| {
			let events = chain.events();
			let moves = events
				.iter()
				.filter(|event| matches!(event, RuntimeEvent::VoterList(pallet_bags_list::Event::Rebagged { .. })));
			moves.count()
		};
		let before = moves(chain);
		assert_eq!(before, 2, "Ferdie's climb and Dave's fall");
		for who in [Alice, Bob, Charlie, Dave, Eve, Ferdie] {
			let account = who.to_account_id();
			assert_eq!(VoterList::get_score(&account).ok(), NodeStaking::score(&account));
			chain.ok(
				Bob,
				ListCall::rebag {
					dislocated: account.into(),
				},
			);
		}
		assert_eq!(order(), [Alice, Bob, Charlie, Ferdie, Eve, Dave]);
		assert_eq!(moves(chain), before);
	});
}

#[test]
fn a_candidate_should_pass_another_in_its_bag_only_when_its_bond_is_larger() {
	Chain::local(|chain| {
		let place = |who: Sr25519Keyring| VoterList::iter().position(|listed| listed == who.to_account_id());
		let before = |lighter: Sr25519Keyring| ListCall::put_in_front_of {
			lighter: lighter.to_account_id().into(),
		};
		let (first, last) = {
			let list = VoterList::iter().collect::<Vec<_>>();
			let who = |account| Sr25519Keyring::from_account_id(account).expect("well-known");
			(who(&list[0]), who(&list[2]))
		};
		let not_heavier = Err(refused(ListError::NotHeavier));
		assert_eq!(
			chain.call(last, before(first)),
			not_heavier,
			"equal bonds keep their order"
		);
		chain.ok(last, Node::bond_extra { amount: AIC });
		chain.ok(last, before(first));
		assert_eq!((place(last), place(first)), (Some(0), Some(1)));
		assert_eq!(chain.call(first, before(last)), not_heavier);

		register(chain, Eve, 3_000 * AIC);
		assert_eq!(
			chain.call(first, before(Eve)),
			Err(refused(ListError::NotInSameBag)),
			"bags are in order already"
		);
	});
}
