//! A round of capacity probes on the real runtime, from its opening to what nodes then sell.

use highway_primitives::{probe::PROVE_BLOCKS, DeviceClass, NodeId, ProbeTask, ProbeTerms};
use highway_runtime::{AccountId, Block, CapacityProbes, NodeStaking, Runtime, RuntimeEvent};
use highway_runtime_api::{
	runtime_decl_for_market_api::MarketApi,
	types::{MeasuredInfo, NodeInfo},
};
use highway_runtime_tests::{computed_rows, invariants::free, submit_call, treasury, Chain, MILLI};
use pallet_capacity_probes::{Event, Round, Terms};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::DispatchError;

/// Sixteen slots unmeasured, four rows for each further one, and a second round only after this session.
fn terms() -> ProbeTerms {
	ProbeTerms {
		share: 1,
		spacing: 60,
		interval: 1,
		rows_per_slot: 4,
		unmeasured_slots: 16,
		reward: MILLI,
		floors: vec![(DeviceClass::Cuda, 1_000)].try_into().expect("one"),
	}
}

fn info(node: NodeId) -> NodeInfo<AccountId> {
	let (mut nodes, _) = <Runtime as MarketApi<Block, AccountId>>::nodes(node, 1);
	nodes.pop().expect("the node exists")
}

/// Makes blocks until a round asks the nodes.
fn round_opens(chain: &mut Chain) -> ([u8; 32], u32) {
	loop {
		match chain.probe(0) {
			Some(ProbeTask::Compute { seed, rows, .. }) => return (seed, rows),
			_ => chain.blocks(1),
		}
	}
}

/// Makes blocks until every node was heard in a later session.
fn next_heartbeats(chain: &mut Chain) {
	let session = NodeStaking::current_session();
	while NodeStaking::current_session() == session {
		chain.blocks(1);
	}
}

fn probe_events(chain: &Chain) -> Vec<Event<Runtime>> {
	let ours = |event| match event {
		RuntimeEvent::CapacityProbes(event) => Some(event),
		_ => None,
	};
	chain.events().into_iter().filter_map(ours).collect()
}

#[test]
fn probing_should_be_off_when_the_preset_is_for_development() {
	Chain::local(|chain| {
		chain.blocks(70);
		assert_eq!((Terms::<Runtime>::get(), Round::<Runtime>::get()), (None, None));
		for node in 0..3 {
			assert_eq!(chain.probe(node), None);
			let info = info(node);
			assert_eq!((info.declared, info.slots, info.measured), (256, 256, None));
		}
	});
}

#[test]
fn nodes_should_sell_what_they_proved_when_a_round_is_over() {
	Chain::probing(&terms(), |chain| {
		let reserve = free(&treasury());
		let (seed, most) = round_opens(chain);
		assert_eq!(most, 256 * 4, "all the slots that a development node declares");

		// Node 0 computes 42 rows, node 1 none of the 1024 that it claims, node 2 says nothing.
		let honest = computed_rows(&seed, 0, 42);
		let made_up = vec![7; 64 * 1_024];
		for (node, blob) in [(0, &honest), (1, &made_up)] {
			let answer = chain.probe_answer(node, blob);
			assert!(chain.validate(answer.clone()).is_ok(), "the pool takes it");
			assert_eq!(chain.apply(answer), Ok(Ok(())));
		}
		assert_eq!(chain.probe(0), None, "nobody knows yet what is to be proved");
		chain.blocks(2);
		for (node, blob) in [(0, &honest), (1, &made_up)] {
			let proof = chain.probe_proof(node, blob);
			assert!(chain.validate(proof.clone()).is_ok(), "the pool takes it");
			assert_eq!(chain.apply(proof.clone()), Ok(Ok(())));
			assert!(chain.validate(proof).is_err(), "once");
		}
		let paid = MILLI * 42 / 4;
		let (round, proved, rows) = (1, 42, 42);
		let events = probe_events(chain);
		assert!(events.contains(&Event::Measured {
			node: 0,
			round,
			proved,
			rows,
			paid
		}));
		assert!(events.contains(&Event::ProbeRefuted { node: 1, round }));
		assert_eq!(free(&treasury()), reserve - paid);

		// What was found counts from the next heartbeat on.
		assert_eq!(info(0).slots, 16, "as a newcomer, until then");
		chain.blocks(PROVE_BLOCKS);
		next_heartbeats(chain);
		let measured = |node| info(node).measured;
		let found = |rows, slots, missed, refuted| {
			Some(MeasuredInfo {
				rows,
				slots,
				round,
				missed,
				refuted,
			})
		};
		assert_eq!(measured(0), found(42, 10, 0, false));
		assert_eq!(measured(1), found(0, 0, 0, true));
		assert_eq!(measured(2), found(32, 8, 1, false), "half of a newcomer's");
		assert_eq!([0, 1, 2].map(|node| info(node).slots), [10, 0, 8]);
		assert_eq!([0, 1, 2].map(|node| info(node).declared), [256; 3]);
		assert_eq!([0, 1, 2].map(NodeStaking::is_eligible), [true, false, true]);
	});
}

#[test]
fn jobs_should_go_to_no_more_slots_than_were_proved() {
	Chain::probing(&terms(), |chain| {
		let (seed, _) = round_opens(chain);
		let blobs = [0, 1, 2].map(|node| match node {
			0 => computed_rows(&seed, 0, 12),
			1 => vec![7; 64 * 1_024],
			_ => computed_rows(&seed, 2, 8),
		});
		for (node, blob) in (0..).zip(&blobs) {
			let answer = chain.probe_answer(node, blob);
			assert_eq!(chain.apply(answer), Ok(Ok(())));
		}
		chain.blocks(3);
		for (node, blob) in (0..).zip(&blobs) {
			let proof = chain.probe_proof(node, blob);
			assert_eq!(chain.apply(proof), Ok(Ok(())));
		}
		let model = chain.register_model(Dave, "magika", 0);
		chain.serve(model, &[Alice, Bob, Charlie].map(|operator| (operator, 10 * MILLI)));
		next_heartbeats(chain);
		chain.next_market_epoch();

		let mut jobs = [0; 3];
		for _ in 0..5 {
			let job = chain.submit(Eve, model);
			jobs[chain.executor(job) as usize] += 1;
		}
		assert_eq!(jobs, [3, 0, 2], "three and two slots were proved, and a lie sells none");
		let nobody = DispatchError::from(pallet_inference_jobs::Error::<Runtime>::NoCapacity);
		assert_eq!(chain.call(Eve, submit_call(model, None)), Err(nobody));
	});
}

#[test]
fn measurement_should_go_with_its_node() {
	Chain::probing(&terms(), |chain| {
		let node = chain.join(Eve, 2_000 * highway_primitives::AIC);
		let known = pallet_capacity_probes::Measurements::<Runtime>::get(node);
		assert_eq!(known.map(|known| known.rows), Some(None), "heard, and not measured yet");
		chain.ok(
			Eve,
			pallet_node_staking::Call::unbond {
				amount: 2_000 * highway_primitives::AIC,
			},
		);
		chain.close();
		let far = NodeStaking::current_session() + 1_000;
		pallet_node_staking::CurrentSession::<Runtime>::put(far);
		NodeStaking::deregister(frame_system::RawOrigin::Signed(Eve.to_account_id()).into())
			.expect("its bond is ready");
		assert!(!pallet_capacity_probes::Measurements::<Runtime>::contains_key(node));
		assert!(CapacityProbes::measurement(node, DeviceClass::CpuX86).is_none());
	});
}
