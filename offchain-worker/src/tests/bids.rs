use super::*;
use proptest::prelude::*;

const TERMS: Terms = Terms {
	floor: 100,
	ceiling: 200,
	target: DEFAULT_TARGET,
	step: DEFAULT_STEP,
};

const FULL: Load = Load { busy: 10, room: 10 };
const IDLE: Load = Load { busy: 0, room: 10 };
const ON_TARGET: Load = Load { busy: 7, room: 10 };

fn name(owner: u8, name: &str) -> ModelName {
	ModelName {
		owner: [owner; 32].into(),
		name: name.into(),
	}
}

fn bid(scope: Scope, role: AskRole, floor: Balance) -> Bid {
	Bid {
		scope,
		role,
		terms: Terms { floor, ..TERMS },
	}
}

#[test]
fn ask_should_begin_at_the_floor() {
	for load in [None, Some(FULL), Some(IDLE)] {
		assert_eq!(TERMS.next(None, load), 100);
	}
}

#[test]
fn ask_should_follow_the_load_by_a_step() {
	assert_eq!(TERMS.next(Some(140), Some(FULL)), 147);
	assert_eq!(TERMS.next(Some(140), Some(IDLE)), 133);
	assert_eq!(TERMS.next(Some(140), Some(ON_TARGET)), 140);
	assert_eq!(TERMS.next(Some(140), None), 140, "nothing was measured");
}

#[test]
fn ask_should_stay_within_floor_and_ceiling() {
	assert_eq!(TERMS.next(Some(199), Some(FULL)), 200);
	assert_eq!(TERMS.next(Some(101), Some(IDLE)), 100);
	assert_eq!(TERMS.next(Some(50), None), 100, "the operator raised the floor");
	assert_eq!(TERMS.next(Some(300), None), 200, "the operator lowered the ceiling");
	assert!(TERMS.admit(100) && TERMS.admit(200) && !TERMS.admit(99) && !TERMS.admit(201));
}

#[test]
fn small_ask_should_move_by_the_smallest_unit_at_least() {
	let free = Terms { floor: 0, ..TERMS };
	assert_eq!(free.next(Some(0), Some(FULL)), 1);
	assert_eq!(free.next(Some(1), Some(IDLE)), 0);
}

#[test]
fn ask_should_not_move_without_a_step() {
	let fixed = Terms {
		step: Perbill::zero(),
		..TERMS
	};
	for load in [FULL, IDLE] {
		assert_eq!(fixed.next(Some(140), Some(load)), 140);
	}
}

#[test]
fn ask_should_never_rise_when_all_slots_should_be_busy() {
	let all = Terms {
		target: Perbill::one(),
		..TERMS
	};
	assert_eq!(all.next(Some(140), Some(FULL)), 140);
	assert_eq!(all.next(Some(140), Some(Load { busy: 0, room: 0 })), 140);
}

#[test]
fn node_without_room_should_count_as_full() {
	assert_eq!(TERMS.next(Some(140), Some(Load { busy: 0, room: 0 })), 147);
}

#[test]
fn id_should_go_before_a_name_and_a_name_before_all() {
	let names = BTreeMap::from([(name(1, "a"), 7), (name(1, "b"), 8)]);
	let bids = Bids::new(vec![
		bid(Scope::All, AskRole::Compute, 1),
		bid(Scope::Named(name(1, "a")), AskRole::Compute, 2),
		bid(Scope::Named(name(1, "b")), AskRole::Compute, 3),
		bid(Scope::Named(name(2, "b")), AskRole::Compute, 4),
		bid(Scope::Model(8), AskRole::Compute, 5),
		bid(Scope::Model(8), AskRole::Storage, 6),
	]);
	let floor = |model, role| bids.terms(model, role, &names).map(|terms| terms.floor);
	assert_eq!(floor(7, AskRole::Compute), Some(2));
	assert_eq!(floor(8, AskRole::Compute), Some(5));
	assert_eq!(floor(9, AskRole::Compute), Some(1));
	assert_eq!(floor(8, AskRole::Storage), Some(6));
	assert_eq!(floor(7, AskRole::Storage), None);
	assert_eq!(bids.names(), [&name(1, "a"), &name(1, "b"), &name(2, "b")].into());
}

#[test]
fn name_should_be_written_with_its_owners_address() {
	let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
	let name = ModelName {
		owner: alice.parse().unwrap(),
		name: "magika".into(),
	};
	assert_eq!(name.to_string(), format!("{alice}/magika"));
}

proptest! {
	/// Whatever the numbers: no overflow, within the bounds, in the right direction, and by no more than a step.
	#[test]
	fn ask_should_move_towards_the_target_and_never_leave_its_bounds(
		bounds in (any::<u128>(), any::<u128>()),
		standing in any::<u128>(),
		load in (any::<u64>(), any::<u64>()),
		target in 0..=1_000_000_000u32,
		step in 0..=1_000_000_000u32,
	) {
		let terms = Terms {
			floor: bounds.0.min(bounds.1),
			ceiling: bounds.0.max(bounds.1),
			target: Perbill::from_parts(target),
			step: Perbill::from_parts(step),
		};
		let load = Load { busy: load.0, room: load.1 };
		let next = terms.next(Some(standing), Some(load));
		prop_assert!(terms.admit(next));
		if terms.admit(standing) {
			prop_assert!(next <= standing || load.is_above(terms.target));
			prop_assert!(next >= standing || load.is_below(terms.target));
			prop_assert!(next.abs_diff(standing) <= terms.step.mul_ceil(standing).max(1));
		} else {
			prop_assert_eq!(terms.next(Some(next), None), next);
		}
	}
}
