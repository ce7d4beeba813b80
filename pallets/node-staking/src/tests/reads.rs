use super::*;
use crate::reads::MAX_LOOKED_AT;
use frame_support::assert_ok;

#[test]
fn ids_from_should_page_over_holes() {
	ExtBuilder::default().build_and_execute(|| {
		for operator in 1..=5 {
			register(operator, 150);
		}
		assert_ok!(NodeStaking::unbond(signed(3), 150));
		pass_sessions(4);
		assert_ok!(NodeStaking::deregister(signed(3)));
		assert_eq!(NodeStaking::ids_from(0, 3), (vec![0, 1, 3], Some(4)));
		assert_eq!(NodeStaking::ids_from(2, 10), (vec![3, 4], None));
		assert_eq!(NodeStaking::ids_from(5, 10), (vec![], None));
		assert_eq!(NodeStaking::ids_from(1, 0), (vec![], Some(1)));
		assert_eq!(NodeStaking::ids_from(0, u32::MAX).0.len(), 4);
		assert_eq!(NodeStaking::ids_from(u32::MAX, u32::MAX), (vec![], None));
	});
}

#[test]
fn ids_from_should_say_where_to_go_on_when_many_nodes_left_in_a_row() {
	ExtBuilder::default().build_and_execute(|| {
		NextNodeId::<Test>::put(MAX_LOOKED_AT + 5);
		let node = register(1, 150);
		assert_eq!(NodeStaking::ids_from(0, 10), (vec![], Some(MAX_LOOKED_AT)));
		assert_eq!(NodeStaking::ids_from(MAX_LOOKED_AT, 10), (vec![node], None));
	});
}

#[test]
fn reads_should_answer_for_a_node_and_be_silent_without_one() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		let contact = NodeStaking::contact(node).unwrap();
		assert_eq!(contact.node, node);
		assert_eq!(contact.peer_id, vec![7; 38]);
		assert_eq!(contact.addresses, vec![b"/dns4/node.example/tcp/30333".to_vec()]);
		assert_eq!(NodeStaking::operator(node), Some(1));
		assert_eq!(NodeStaking::worker(node), Some(pair(1).public()));
		assert!(NodeStaking::contact(9).is_none() && NodeStaking::node(9).is_none());
		assert!(NodeStaking::operator(9).is_none() && NodeStaking::worker(9).is_none());
		assert!(!NodeStaking::is_eligible(9) && !NodeStaking::is_jailed(9) && !NodeStaking::heartbeat_due(9));
		assert!(!NodeStaking::hosts(9, 1));
	});
}

#[test]
fn standing_should_be_small() {
	use codec::MaxEncodedLen;
	assert!(Standing::max_encoded_len() <= 72, "{}", Standing::max_encoded_len());
}
