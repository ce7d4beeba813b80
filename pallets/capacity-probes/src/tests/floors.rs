//! What says that it is a GPU must be as fast as one.

use crate::mock::*;
use highway_primitives::{traits::Allowed, DeviceClass, ProbeTask};

#[test]
fn fake_gpu_should_get_no_jobs_when_it_is_below_the_floor_of_its_class() {
	in_a_round(2, || {
		compute(0, 5 * SLOT);
		compute(1, 6 * SLOT);
		let of = |node, device| {
			let Allowed { slots, able } = beat_as(node, device);
			(slots, able)
		};
		assert_eq!(of(0, DeviceClass::Cuda), (5, false), "24 rows are the floor");
		assert_eq!(
			of(0, DeviceClass::CpuX86),
			(5, true),
			"as what it is it sells what it can"
		);
		assert_eq!(of(1, DeviceClass::Cuda), (6, true));
		let (_, seen) = CapacityProbes::measurement(0, DeviceClass::Cuda).unwrap();
		assert!(!seen.able, "others see it, too");
	});
}

#[test]
fn floor_should_not_ask_more_than_the_model_can_show_of_a_newcomer() {
	execute_with(1, Some(terms()), || {
		let allowed = beat_as(0, DeviceClass::Cuda);
		assert_eq!((allowed.slots, allowed.able), (2, true));
	});
}

#[test]
fn fake_gpu_should_be_out_when_it_would_rather_miss_its_rounds() {
	in_a_round(1, || {
		end_round();
		assert!(!beat_as(0, DeviceClass::Cuda).able);
	});
}

#[test]
fn rented_gpu_should_last_no_longer_than_its_rows_do() {
	in_a_round(1, || {
		compute(0, 8 * SLOT);
		assert!(beat_as(0, DeviceClass::Cuda).able);
		// From then on a CPU that computes one slot: 32 → 18 rows.
		next_round();
		compute(0, SLOT);
		assert!(!beat_as(0, DeviceClass::Cuda).able);
	});
}

#[test]
fn node_should_be_asked_for_its_floor_when_it_declares_few_slots() {
	in_a_round(1, || {
		Fleet::mutate(|fleet| fleet.insert(0, 2));
		let asked = || match task(0) {
			Some(ProbeTask::Compute { rows, .. }) => rows,
			other => panic!("an answer is asked for: {other:?}"),
		};
		assert_eq!(asked(), 2 * SLOT);
		Device::set(DeviceClass::Cuda);
		assert_eq!(asked(), 24, "else it could never be able");
		compute(0, 24);
		assert!(beat_as(0, DeviceClass::Cuda).able);
	});
}
