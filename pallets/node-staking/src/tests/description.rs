use super::*;
use codec::{Decode, Encode};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::node::{Multiaddress, Region};

#[test]
fn register_should_fail_when_a_text_is_not_plain() {
	ExtBuilder::default().build_and_execute(|| {
		for address in [
			&b""[..],
			b"ip4/192.0.2.1",
			b"/ip4/\x1b[2J",
			b"/ip4/ 1",
			b"/dns/\xc3\xa4",
			b"/\0",
		] {
			let mut bad = description(1);
			bad.addresses = vec![Multiaddress::try_from(address.to_vec()).unwrap()]
				.try_into()
				.unwrap();
			assert_noop!(
				NodeStaking::register(signed(1), bad, 150, proof(1, 1)),
				Error::<Test>::BadText
			);
		}
		let mut bad = description(1);
		bad.region = Region::try_from(b"eu\nwest".to_vec()).unwrap();
		assert_noop!(
			NodeStaking::register(signed(1), bad, 150, proof(1, 1)),
			Error::<Test>::BadText
		);
		let mut bad = description(1);
		bad.memory_mib = 0;
		assert_noop!(
			NodeStaking::register(signed(1), bad, 150, proof(1, 1)),
			Error::<Test>::NoMemory
		);
	});
}

#[test]
fn description_should_not_decode_when_it_is_larger_than_allowed() {
	let good = description(1);
	assert_eq!(NodeDescription::decode(&mut &good.encode()[..]), Ok(good.clone()));
	let encode = |peer: usize, addresses: usize, address: usize, region: usize| {
		let addresses = vec![vec![b'/'; address]; addresses];
		(
			&good.worker,
			vec![0u8; peer],
			addresses,
			good.device,
			codec::Compact(good.memory_mib),
			vec![b'x'; region],
		)
			.encode()
	};
	assert!(NodeDescription::decode(&mut &encode(64, 4, 128, 32)[..]).is_ok());
	for hostile in [
		encode(65, 4, 128, 32),
		encode(64, 5, 128, 32),
		encode(64, 4, 129, 32),
		encode(64, 4, 128, 33),
	] {
		assert!(NodeDescription::decode(&mut &hostile[..]).is_err());
	}
	assert!(NodeDescription::decode(&mut &good.encode()[..40]).is_err());
}

#[test]
fn update_node_should_keep_everything_else_when_the_description_changes() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_ok!(NodeStaking::host(signed(1), 3));
		let before = record(node);
		let changed = NodeDescription {
			memory_mib: 1,
			peer_id: vec![].try_into().unwrap(),
			..description(1)
		};
		assert_ok!(NodeStaking::update_node(signed(1), changed, None));
		assert_eq!(
			record(node),
			NodeRecord {
				memory_mib: 1,
				peer_id: vec![].try_into().unwrap(),
				..before
			}
		);
		assert_eq!(last_event(), Event::Updated { node }.into());
	});
}

#[test]
fn update_node_should_move_the_worker_key_when_the_new_key_is_proved() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		register(2, 150);
		assert_noop!(
			NodeStaking::update_node(signed(1), description(9), None),
			Error::<Test>::BadProof
		);
		assert_noop!(
			NodeStaking::update_node(signed(1), description(9), Some(proof(9, 2))),
			Error::<Test>::BadProof
		);
		assert_noop!(
			NodeStaking::update_node(signed(1), description(2), Some(proof(2, 1))),
			Error::<Test>::WorkerKeyTaken
		);
		assert_ok!(NodeStaking::update_node(signed(1), description(9), Some(proof(9, 1))));
		assert_eq!(NodeStaking::node_of_worker(&pair(9).public()), Some(node));
		assert_eq!(NodeStaking::node_of_worker(&pair(1).public()), None);
		assert_eq!(NodeStaking::worker(node), Some(pair(9).public()));
	});
}

#[test]
fn update_node_should_fail_when_there_is_no_node_or_the_text_is_bad() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			NodeStaking::update_node(signed(1), description(1), None),
			Error::<Test>::NotRegistered
		);
		register(1, 150);
		let bad = NodeDescription {
			region: b"\x07".to_vec().try_into().unwrap(),
			..description(1)
		};
		assert_noop!(NodeStaking::update_node(signed(1), bad, None), Error::<Test>::BadText);
	});
}

#[test]
fn host_should_note_each_model_once_and_only_known_ones_up_to_the_bound() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(NodeStaking::host(signed(1), 0), Error::<Test>::NotRegistered);
		let node = register(1, 150);
		assert_noop!(NodeStaking::host(signed(1), MODELS), Error::<Test>::UnknownModel);
		for model in 0..4 {
			assert_ok!(NodeStaking::host(signed(1), model));
			assert_eq!(last_event(), Event::Hosted { node, model }.into());
			assert_noop!(NodeStaking::host(signed(1), model), Error::<Test>::AlreadyHosted);
		}
		assert_noop!(NodeStaking::host(signed(1), 4), Error::<Test>::TooManyHosted);
		assert!(NodeStaking::hosts(node, 2) && !NodeStaking::hosts(node, 4));
		assert_ok!(NodeStaking::unhost(signed(1), 2));
		assert_eq!(last_event(), Event::Unhosted { node, model: 2 }.into());
		assert_noop!(NodeStaking::unhost(signed(1), 2), Error::<Test>::NotHosted);
		assert!(!NodeStaking::hosts(node, 2) && NodeStaking::hosts(node, 3));
		assert_ok!(NodeStaking::host(signed(1), 4));
	});
}
