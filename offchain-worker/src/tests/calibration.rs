use super::*;
use crate::{
	calibration::Setting,
	engine::{Optimization, Provider},
	sketch::sketch,
};
use highway_primitives::{
	model::{TensorSpec, Trace, Unit},
	BlobRef,
};
use proptest::prelude::*;

fn spec(traced: bool) -> VersionSpec {
	VersionSpec {
		artifact: BlobRef::of(b"model"),
		licence: Default::default(),
		inputs: Default::default(),
		outputs: vec![TensorSpec {
			name: b"y".to_vec().try_into().unwrap(),
			dtype: DType::F32,
			shape: vec![None].try_into().unwrap(),
		}]
		.try_into()
		.unwrap(),
		unit: Unit::Request,
		unit_time_ms: 1,
		policy: VerificationPolicy::Exact,
		trace: traced.then(|| Trace {
			tensor: b"t".to_vec().try_into().unwrap(),
			tolerance: 1,
		}),
		detection: Perbill::zero(),
		shares_runs: false,
		recipe: None,
	}
}

/// A result with these outputs and this inside.
fn seen(outputs: &[f32], trace: &[f32]) -> Seen {
	let data = outputs.iter().flat_map(|value| value.to_le_bytes()).collect();
	Seen {
		outputs: Arc::new(vec![Tensor::new("y", DType::F32, vec![outputs.len()], data).unwrap()]),
		sketches: super::super::run::SEEDS
			.iter()
			.map(|seed| sketch(seed, trace))
			.collect(),
	}
}

fn integers(values: &[i32]) -> Seen {
	let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	Seen {
		outputs: Arc::new(vec![Tensor::new("y", DType::I32, vec![values.len()], data).unwrap()]),
		..seen(&[], &[1.0])
	}
}

fn observation(setting: usize, width: Option<usize>, seen: Seen) -> Observation {
	Observation { setting, width, seen }
}

/// Values of an input: of size 1, other ones for each input.
fn values(input: usize, count: usize) -> Vec<f32> {
	(0..count).map(|i| ((input * 31 + i * 7) as f32 * 0.37).sin()).collect()
}

fn off(values: &[f32], by: f32) -> Vec<f32> {
	values.iter().map(|value| value + by).collect()
}

/// Six inputs in two settings that differ by `noise`; shared runs differ by `change` from those alone.
fn runs(noise: f32, change: f32) -> Runs {
	let cases = (0..6)
		.map(|input| {
			let (y, t) = (values(input, 10), values(input + 100, 400));
			let observations = (0..2usize)
				.flat_map(|setting| {
					let (y, t) = (off(&y, noise * setting as f32), off(&t, noise * setting as f32));
					let shared = seen(&off(&y, change), &off(&t, change));
					[
						observation(setting, None, seen(&y, &t)),
						observation(setting, Some(8), shared),
					]
				})
				.collect();
			Case { observations }
		})
		.collect();
	let setting = |threads| Setting {
		provider: Provider::Cpu,
		optimization: Optimization::All,
		threads,
	};
	Runs {
		settings: vec![setting(1), setting(2)],
		cases,
		sharing: Sharing::Measured,
		copy: Some(
			(0..6)
				.map(|input| seen(&off(&values(input, 10), 0.001), &off(&values(input + 100, 400), 0.02)))
				.collect(),
		),
	}
}

fn tolerance(spec: &VersionSpec) -> (f64, f64, Perbill) {
	let bounds = Bounds::of(&spec.policy).unwrap();
	(bounds.atol, bounds.rtol, bounds.outliers)
}

#[test]
fn detection_should_be_two_thirds_of_the_least_power() {
	let power = |audits, seen| Power {
		cheat: Cheat::Zeros,
		audits,
		seen,
	};
	assert_eq!(detection(&[power(10, 10), power(20, 15)]), Perbill::from_percent(50));
	assert_eq!(detection(&[power(4, 0), power(5, 5)]), Perbill::zero());
	// What could not be tried says nothing.
	assert_eq!(detection(&[power(0, 0), power(9, 9)]), Perbill::from_rational(2u32, 3));
	assert_eq!(detection(&[]), Perbill::zero());
}

#[test]
fn numbers_should_be_rounded_up_to_one_digit() {
	for (value, expected) in [
		(1e-6, 1e-6),
		(1.1e-6, 2e-6),
		(3e-3, 5e-3),
		(0.51, 1.0),
		(7.0, 10.0),
		(2000.0, 2000.0),
	] {
		let rounded = round_up(value);
		assert!((rounded / expected - 1.0).abs() < 1e-9, "{value} became {rounded}");
	}
	assert_eq!(units(0.0), Some(1000));
	assert_eq!(units(0.0011), Some(2_000_000));
	assert_eq!(units(9.0), None);
	assert_eq!(units(f64::INFINITY), None);
}

#[test]
fn difference_should_be_that_of_the_two_farthest_results() {
	let (a, b, c) = (
		seen(&[0.5, 2.0, -4.0], &[1.0]),
		seen(&[0.5625, 2.0, -4.0], &[1.0]),
		seen(&[0.5, 3.0, -4.5], &[1.5]),
	);
	let difference = Difference::among(&[&a, &b, &c]);
	assert_eq!(
		(difference.absolute, difference.below_one, difference.relative),
		(1.0, 0.0625, 0.5)
	);
	assert_eq!((difference.sketch, difference.counts), (500_000, false));
	assert_eq!((difference.turned, difference.rows), (0, 2));
	let turned = Difference::among(&[&a, &seen(&[3.0, 2.0, -4.0], &[f32::NAN])]);
	assert_eq!((turned.turned, turned.rows, turned.counts), (1, 1, true));
	assert!(Difference::among(&[&a, &seen(&[1.0], &[1.0])]).form);
	assert!(Difference::among(&[&integers(&[1, 2]), &integers(&[1, 3])]).integers);
}

#[test]
fn proposal_should_cover_what_was_measured_with_a_margin() {
	let proposed = propose(&spec(true), &runs(1e-5, 0.0)).unwrap();
	let (atol, rtol, outliers) = tolerance(&proposed);
	assert!((4e-5..=1e-4).contains(&atol) && rtol <= 1e-4, "{atol} {rtol}");
	assert_eq!(outliers, Perbill::zero());
	assert!(proposed.shares_runs);
	assert_eq!(proposed.detection, Perbill::from_rational(2u32, 3));
	let report = report(&proposed, &runs(1e-5, 0.0));
	assert!(report.confirms(&proposed));
	// Four results of each input are six pairs.
	let nobody = Tally {
		comparisons: 6 * 6,
		accusations: 0,
	};
	assert_eq!(report.tally, nobody);
	assert_eq!(held_out(&proposed, &runs(1e-5, 0.0)), Ok(Some(nobody)));
	assert_eq!(report.rows.len(), 4);
	assert!(report
		.powers
		.iter()
		.all(|power| power.audits > 0 && power.seen == power.audits));
}

/// Every other input with this noise, those between with that one.
fn unequal(even: f32, odd: f32) -> Runs {
	let mut unequal = runs(even, 0.0);
	for (index, case) in runs(odd, 0.0).cases.into_iter().enumerate().skip(1).step_by(2) {
		unequal.cases[index] = case;
	}
	unequal
}

#[test]
fn terms_should_accuse_when_the_inputs_that_they_were_not_found_with_differ_more() {
	for runs in [unequal(1e-6, 1e-2), unequal(1e-2, 1e-6)] {
		let proposed = propose(&spec(true), &runs).unwrap();
		assert_eq!(report(&proposed, &runs).tally.accusations, 0, "they were chosen so");
		let tally = held_out(&proposed, &runs).unwrap().unwrap();
		// In three inputs, each result of the one setting and each of the other.
		let apart = if proposed.shares_runs { 4 } else { 1 };
		assert_eq!(tally.accusations, 3 * apart);
	}
}

#[test]
fn nothing_should_be_held_out_when_half_of_the_inputs_gives_no_terms() {
	for runs in [unequal(1e-6, 10.0), unequal(10.0, 1e-6)] {
		assert_eq!(held_out(&spec(true), &runs), Err(Unfit::Outputs));
	}
	let mut few = runs(1e-6, 0.0);
	few.cases.truncate(3);
	assert_eq!(held_out(&spec(true), &few), Ok(None));
}

#[test]
fn cheats_should_be_shown_where_they_come_nearest_and_honest_runs_where_they_lie_farthest() {
	let runs = runs(1e-5, 0.0);
	let report = report(&propose(&spec(true), &runs).unwrap(), &runs);
	assert!((0.9e-5..1.1e-5).contains(&report.honest.of_outputs()));
	let cheats: Vec<Cheat> = report.nearest.iter().map(|nearest| nearest.cheat).collect();
	assert_eq!(cheats, CHEATS);
	for nearest in &report.nearest {
		assert!(nearest.outputs > report.honest.of_outputs() && nearest.sketch > report.honest.sketch);
	}
	// It adds 0.001 to every output, from which the honest noise may take a hundredth.
	let rounded = report.nearest[3];
	assert!((0.98e-3..1e-3).contains(&rounded.outputs), "{}", rounded.outputs);
	let untried = Runs { copy: None, ..runs };
	assert_eq!(super::report(&spec(true), &untried).nearest.len(), 3);
	let different = Difference::among(&[&integers(&[1]), &integers(&[2])]);
	assert_eq!(different.of_outputs(), f64::INFINITY);
}

#[test]
fn runs_should_be_shared_only_when_that_hides_no_cheat() {
	let shares = |change| propose(&spec(true), &runs(1e-6, change)).unwrap().shares_runs;
	assert!(shares(0.0) && shares(1e-6));
	// The tolerance that this asks for would hide the rounded copy.
	assert!(!shares(0.01));
	let mut impossible = runs(1e-6, 0.0);
	impossible.sharing = Sharing::Impossible("why".into());
	assert!(!propose(&spec(true), &impossible).unwrap().shares_runs);
}

#[test]
fn confirmation_should_fail_when_the_terms_promise_too_much() {
	let runs = runs(1e-5, 0.0);
	let proposed = propose(&spec(true), &runs).unwrap();
	let confirms = |spec: &VersionSpec, runs: &Runs| report(spec, runs).confirms(spec);
	assert!(confirms(&proposed, &runs));
	let mut tighter = proposed.clone();
	tighter.trace.as_mut().unwrap().tolerance = 1;
	assert!(!confirms(&tighter, &runs));
	let mut looser = proposed.clone();
	looser.trace.as_mut().unwrap().tolerance = u64::MAX;
	looser.policy = VerificationPolicy::Tolerance {
		atol: u32::MAX,
		rtol: u32::MAX,
		outliers: Perbill::zero(),
	};
	assert!(!confirms(&looser, &runs), "it sees less than it says");
	let certain = VersionSpec {
		detection: Perbill::one(),
		..proposed.clone()
	};
	assert!(!confirms(&certain, &runs));
	assert!(!confirms(
		&proposed,
		&Runs {
			cases: Vec::new(),
			..runs.clone()
		}
	));
	assert!(!confirms(&proposed, &self::runs(1e-5, 0.01)), "shared runs change rows");
}

#[test]
fn outputs_alone_should_see_less_than_the_trace() {
	let mut runs = runs(1e-3, 0.0);
	runs.sharing = Sharing::Impossible("why".into());
	let seen_of = |spec: &VersionSpec| {
		let powers = report(&propose(spec, &runs).unwrap(), &runs).powers;
		let rounded = powers.iter().find(|power| power.cheat == Cheat::Rounded).unwrap();
		rounded.seen * 100 / rounded.audits
	};
	assert_eq!(seen_of(&spec(false)), 0);
	assert!(seen_of(&spec(true)) > 50);
}

#[test]
fn equal_integers_should_be_compared_exactly_and_flipping_ones_as_outliers() {
	let runs_of = |other: Vec<i32>| Runs {
		cases: vec![Case {
			observations: vec![
				observation(0, None, integers(&vec![7; 1000])),
				observation(1, None, integers(&other)),
			],
		}],
		copy: None,
		..runs(0.0, 0.0)
	};
	let with = |flips: std::ops::Range<usize>| {
		let mut other = vec![7; 1000];
		other[flips].fill(6);
		propose(&spec(false), &runs_of(other))
	};
	let outliers = |flips| Bounds::of(&with(flips).unwrap().policy).map(|bounds| bounds.outliers.deconstruct());
	assert_eq!(outliers(0..0), None, "it is `Exact`");
	assert_eq!(outliers(998..1000), Some(5_000_000));
	assert_eq!(outliers(995..1000), Some(10_000_000));
	assert_eq!(with(990..1000), Err(Unfit::Outputs), "too many");
	assert_eq!(with(0..2), Err(Unfit::Outputs), "the row's best value stands elsewhere");
}

#[test]
fn nothing_should_be_proposed_when_runs_do_not_agree() {
	let mut strange = runs(0.0, 0.0);
	strange.cases[0].observations[1].seen = seen(&values(0, 10), &[f32::NAN; 400]);
	assert!(!propose(&spec(true), &strange).unwrap().shares_runs);
	let mut strange = runs(0.0, 0.0);
	strange.cases[0].observations[2].seen = seen(&values(0, 10), &[f32::NAN; 400]);
	assert_eq!(propose(&spec(true), &strange), Err(Unfit::Trace));
	assert_eq!(propose(&spec(true), &runs(10.0, 0.0)), Err(Unfit::Outputs));
	let empty = Runs {
		cases: Vec::new(),
		..runs(0.0, 0.0)
	};
	assert_eq!(propose(&spec(true), &empty), Err(Unfit::Nothing));
}

proptest! {
	/// Terms hold on what they were found with, whatever that is.
	#[test]
	fn nobody_should_be_accused_by_proposed_terms(noise in 0f32..0.1, change in 0f32..0.1, traced: bool) {
		let runs = runs(noise, change);
		if let Ok(proposed) = propose(&spec(traced), &runs) {
			prop_assert_eq!(report(&proposed, &runs).tally.accusations, 0);
		}
	}
}
