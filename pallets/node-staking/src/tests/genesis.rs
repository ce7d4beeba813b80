use super::*;

#[test]
fn genesis_node_should_be_bonded_eligible_and_validate() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.node(2, 300, 8)
		.session_keys(1)
		.build_and_execute(|| {
			assert_eq!((held(1), held(2)), (500, 300));
			assert!(NodeStaking::is_eligible(0) && NodeStaking::is_eligible(1));
			assert_eq!(standing(0).slots, 8);
			assert_eq!(Session::validators(), vec![1]);
			assert_eq!(SessionLength::<Test>::get(), crate::genesis::DEFAULT_SESSION_LENGTH);
			assert!(NodeStaking::heartbeat_due(0));
			pass_sessions(1);
			assert!(NodeStaking::is_eligible(0));
			pass_sessions(1);
			assert!(!NodeStaking::is_eligible(0));
		});
}

#[test]
fn genesis_should_fall_back_to_session_keys_when_there_is_no_node() {
	ExtBuilder::default().session_keys(5).build_and_execute(|| {
		assert_eq!(Session::validators(), vec![5]);
		pass_sessions(3);
		assert_eq!(Session::validators(), vec![5], "never an empty set");
	});
}

#[test]
fn genesis_config_should_survive_json() {
	let config = GenesisConfig::<Test> {
		session_length: 30,
		nodes: vec![genesis_node(1, 500, 8)],
	};
	let json = frame_support::__private::serde_json::to_string(&config).unwrap();
	let back: GenesisConfig<Test> = frame_support::__private::serde_json::from_str(&json).unwrap();
	assert_eq!((back.session_length, back.nodes), (30, config.nodes));
}

#[test]
#[should_panic(expected = "the operator has two nodes")]
fn genesis_should_panic_when_an_operator_has_two_nodes() {
	ExtBuilder::default().node(1, 500, 8).node(1, 500, 8).build();
}

#[test]
#[should_panic(expected = "the bond is too small")]
fn genesis_should_panic_when_a_bond_is_too_small() {
	ExtBuilder::default().node(1, MIN_BOND - 1, 8).build();
}

#[test]
#[should_panic(expected = "too many slots")]
fn genesis_should_panic_when_a_node_has_too_many_slots() {
	ExtBuilder::default().node(1, 500, MAX_SLOTS + 1).build();
}

#[test]
#[should_panic(expected = "balance does not cover the bond")]
fn genesis_should_panic_when_the_operator_is_poor() {
	ExtBuilder::default().node(1, ISSUED + 1, 8).build();
}
