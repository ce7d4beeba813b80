use super::*;
use proptest::prelude::*;

fn policy(atol: u32, rtol: u32, percent: u32) -> VerificationPolicy {
	VerificationPolicy::Tolerance {
		atol,
		rtol,
		outliers: Perbill::from_percent(percent),
	}
}

/// One in a thousand, absolute and relative, and so many percent of outliers.
fn thousandth(percent: u32) -> VerificationPolicy {
	policy(1_000_000, 1_000_000, percent)
}

fn f32s(shape: &[usize], values: &[f32]) -> Tensor {
	let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	Tensor::new("y", DType::F32, shape.to_vec(), data).unwrap()
}

fn i64s(shape: &[usize], values: &[i64]) -> Tensor {
	let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	Tensor::new("y", DType::I64, shape.to_vec(), data).unwrap()
}

fn pass(ours: Tensor, theirs: Tensor, policy: VerificationPolicy) -> bool {
	passes(&[ours], &[theirs], &policy)
}

#[test]
fn value_should_pass_up_to_the_bound_of_the_own_value() {
	for (ours, theirs, passes) in [
		(0.0, 0.0009, true),
		(0.0, 0.0011, false),
		(1.0, 1.0019, true),
		(1.0, 1.0021, false),
		(-1000.0, -1000.9, true),
		// A greater value of theirs widens nothing.
		(0.0, 1e6, false),
		(f32::NAN, f32::NAN, true),
		(f32::NAN, 0.0, false),
		(0.0, f32::NAN, false),
		(f32::INFINITY, f32::INFINITY, true),
		(f32::INFINITY, f32::NEG_INFINITY, false),
		(f32::INFINITY, 1.0, false),
		(1.0, f32::INFINITY, false),
		(0.0, -0.0, true),
	] {
		assert_eq!(
			pass(f32s(&[1], &[ours]), f32s(&[1], &[theirs]), thousandth(0)),
			passes,
			"{ours} {theirs}"
		);
	}
}

#[test]
fn bytes_should_be_equal_when_the_policy_is_exact() {
	let exact = VerificationPolicy::Exact;
	assert!(pass(i64s(&[2], &[1, 2]), i64s(&[2], &[1, 2]), exact));
	assert!(!pass(i64s(&[2], &[1, 2]), i64s(&[2], &[1, 3]), exact));
	assert!(!pass(f32s(&[1], &[0.0]), f32s(&[1], &[-0.0]), exact));
}

#[test]
fn integers_should_be_equal_when_the_policy_is_tolerance() {
	// Relative tolerances would let a token of a large number through.
	assert!(!pass(i64s(&[1], &[1_000_000]), i64s(&[1], &[1_000_001]), thousandth(0)));
	let ours: Vec<i64> = (0..200).collect();
	let mut theirs = ours.clone();
	theirs[3] = 199;
	assert!(pass(i64s(&[200, 1], &ours), i64s(&[200, 1], &theirs), thousandth(1)));
	theirs[4] = 199;
	theirs[5] = 199;
	assert!(!pass(i64s(&[200, 1], &ours), i64s(&[200, 1], &theirs), thousandth(1)));
}

#[test]
fn outliers_should_pass_up_to_their_share_of_the_tensor() {
	let ours = vec![0.0; 300];
	for (wrong, passes) in [(0, true), (3, true), (4, false)] {
		let mut theirs = ours.clone();
		theirs[..wrong].fill(9.0);
		assert_eq!(
			pass(f32s(&[300, 1], &ours), f32s(&[300, 1], &theirs), thousandth(1)),
			passes,
			"{wrong}"
		);
	}
	// Less than a hundred values: one percent is none.
	assert!(!pass(f32s(&[1], &[0.0]), f32s(&[1], &[9.0]), thousandth(1)));
}

#[test]
fn outlier_should_not_pass_when_it_turns_the_best_value_of_its_row() {
	let mut ours = vec![0.0; 400];
	ours[7] = 1.0;
	let mut theirs = ours.clone();
	theirs[300] = -0.5;
	assert!(pass(f32s(&[2, 200], &ours), f32s(&[2, 200], &theirs), thousandth(1)));
	let mut theirs = ours.clone();
	theirs[100] = 2.0;
	assert!(!pass(f32s(&[2, 200], &ours), f32s(&[2, 200], &theirs), thousandth(1)));
	// As long as it stays below the best, it is an outlier like others.
	theirs[100] = 0.9;
	assert!(pass(f32s(&[2, 200], &ours), f32s(&[2, 200], &theirs), thousandth(1)));
	// Not a number is nobody's best.
	theirs[0] = f32::NAN;
	assert!(!pass(f32s(&[2, 200], &ours), f32s(&[2, 200], &theirs), thousandth(0)));
}

#[test]
fn best_value_should_be_free_to_move_when_both_are_close_calls() {
	let mut ours = vec![-5.0; 300];
	(ours[1], ours[2]) = (1.0, 0.999);
	let mut theirs = ours.clone();
	(theirs[1], theirs[2]) = (0.999, 1.0);
	theirs[9] = -9.0;
	assert!(pass(f32s(&[1, 300], &ours), f32s(&[1, 300], &theirs), thousandth(1)));
	// Their margin is as close as ours, ours is not.
	ours[2] = 0.99;
	let report = compare(&[f32s(&[1, 300], &ours)], &[f32s(&[1, 300], &theirs)], &thousandth(1)).unwrap();
	assert_eq!((report[0].turned_rows, report[0].passes), (1, false));
}

#[test]
fn outputs_should_not_be_compared_when_their_form_differs() {
	let two = || vec![f32s(&[2], &[0.0; 2])];
	assert_eq!(compare(&two(), &[], &thousandth(0)), Err(Mismatch::Tensors));
	let mut named = two();
	named[0].name = "z".into();
	assert_eq!(compare(&two(), &named, &thousandth(0)), Err(Mismatch::Tensors));
	for other in [f32s(&[1, 2], &[0.0; 2]), f32s(&[3], &[0.0; 3]), i64s(&[1], &[0])] {
		assert_eq!(
			compare(&two(), &[other], &thousandth(0)),
			Err(Mismatch::Form("y".into()))
		);
	}
	assert!(passes(&[], &[], &thousandth(0)));
}

#[test]
fn tensors_should_be_paired_by_name_when_their_order_differs() {
	let mut other = i64s(&[1], &[4]);
	other.name = "a".into();
	let ours = [f32s(&[1], &[1.0]), other.clone()];
	let theirs = [other, f32s(&[1], &[1.0])];
	assert!(passes(&ours, &theirs, &thousandth(0)));
}

#[test]
fn sixteen_bit_floats_should_be_read_as_ieee_says() {
	for (bits, value) in [
		(0x3c00, 1.0),
		(0xc000, -2.0),
		(0x3555, 0.333_251_953_125),
		(0x7bff, 65504.0),
		(0x0001, 5.960_464_477_539_063e-8),
		(0x0400, 6.103_515_625e-5),
		(0x7c00, f64::INFINITY),
		(0xfc00, f64::NEG_INFINITY),
		(0x8000, 0.0),
	] {
		assert_eq!(half(bits), value, "{bits:#x}");
	}
	assert!(half(0x7e00).is_nan());
	let tensor = |dtype, bits: u16| Tensor::new("y", dtype, vec![1], bits.to_le_bytes().to_vec()).unwrap();
	assert!(pass(
		tensor(DType::F16, 0x3c00),
		tensor(DType::F16, 0x3c01),
		thousandth(0)
	));
	assert!(!pass(
		tensor(DType::BF16, 0x3f80),
		tensor(DType::BF16, 0x3f81),
		thousandth(0)
	));
}

#[test]
fn report_should_count_what_differs() {
	let report = compare(
		&[f32s(&[2, 2], &[0.0, 1.0, 2.0, 3.0])],
		&[f32s(&[2, 2], &[0.0, 1.0005, 2.5, f32::NAN])],
		&thousandth(0),
	)
	.unwrap();
	let report = &report[0];
	assert_eq!((report.values, report.outliers, report.largest), (4, 2, 0.5));
	assert!(!report.passes);
}

proptest! {
	#[test]
	fn output_should_pass_when_it_is_the_own_one(
		bits in prop::collection::vec(any::<u32>(), 1..200),
		width in 1usize..9,
		exact: bool,
		percent in 0u32..2,
	) {
		let rows = bits.len() / width;
		let values: Vec<f32> = bits[..rows * width].iter().map(|bits| f32::from_bits(*bits)).collect();
		let policy = if exact { VerificationPolicy::Exact } else { thousandth(percent) };
		prop_assert!(pass(f32s(&[rows, width], &values), f32s(&[rows, width], &values), policy));
	}

	/// The claim that lets rows without outliers pass unseen, and that no honest machine is accused for a close call.
	#[test]
	fn output_should_pass_when_every_value_is_near(
		values in prop::collection::vec((-100f32..100.0, -0.99f64..0.99), 1..200),
		width in 1usize..9,
	) {
		let rows = values.len() / width;
		let ours: Vec<f32> = values[..rows * width].iter().map(|(value, _)| *value).collect();
		let theirs: Vec<f32> = values[..rows * width]
			.iter()
			.map(|(value, shift)| (f64::from(*value) + shift * (1e-3 + 1e-3 * f64::from(value.abs()))) as f32)
			.collect();
		prop_assert!(pass(f32s(&[rows, width], &ours), f32s(&[rows, width], &theirs), thousandth(0)));
	}

	#[test]
	fn output_should_fail_when_one_value_is_far_and_none_may_be(
		ours in prop::collection::vec(-100f32..100.0, 1..100),
		at in any::<prop::sample::Index>(),
		factor in 1.1f32..1000.0,
		up: bool,
	) {
		let at = at.index(ours.len());
		let mut theirs = ours.clone();
		let shift = factor * (1e-3 + 1e-3 * ours[at].abs());
		theirs[at] += if up { shift } else { -shift };
		prop_assert!(!pass(f32s(&[ours.len()], &ours), f32s(&[ours.len()], &theirs), thousandth(0)));
	}

	#[test]
	fn output_should_pass_with_wider_bounds_when_it_passes_with_narrow_ones(
		pairs in prop::collection::vec((-10f32..10.0, -10f32..10.0), 1..100),
		width in 1usize..9,
		atol in 0u32..1_000_000_000,
		rtol in 0u32..1_000_000_000,
		wider in 0u32..1_000_000_000,
		percent in 0u32..2,
	) {
		let rows = pairs.len() / width;
		let (ours, theirs): (Vec<f32>, Vec<f32>) = pairs[..rows * width].iter().copied().unzip();
		let (ours, theirs) = (f32s(&[rows, width], &ours), f32s(&[rows, width], &theirs));
		if pass(ours.clone(), theirs.clone(), policy(atol, rtol, percent)) {
			prop_assert!(pass(ours.clone(), theirs.clone(), policy(atol + wider, rtol, percent)));
			prop_assert!(pass(ours, theirs, policy(atol, rtol + wider, percent)));
		}
	}
}
