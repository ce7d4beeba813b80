//! What a node says of another one's job, once it has run the job itself. Pure.
//!
//! ```text
//!                       auditor                      juror
//! output passes         Yes                          Yes, if the executor's opened sketch is right as well, else No
//! output does not       No                           No
//! nobody serves it      Missing                      the same by the sketch alone; Missing where sketches say nothing
//! no own result         Abstain                      Abstain
//! ```
//!
//! A juror also says whether the auditor was right: its sketch and, where the juror sees the output too, its vote. Where it
//! cannot know, it does not accuse: an auditor that saw an output which is gone by now may have been right.
//!
//! Of a job of many inputs the audit draws one: what is run, sketched and compared is that one alone.

use crate::{compare, tensors};
use highway_primitives::{
	audit::{Claims, Sketch},
	batch,
	model::{VerificationPolicy, VersionSpec},
	Ballot, Vote,
};

/// The sketches of the own run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OwnSketches {
	/// Under the work's own seed: what executor and auditor opened.
	pub work: Sketch,
	/// Under the seed of the own seat. The same for an auditor.
	pub seat: Sketch,
}

/// What was found about the executor's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
	/// It passes the version's policy.
	Right,
	/// It does not.
	Wrong,
	/// Nobody serves it.
	Missing,
}

/// What the executor's bytes are, seen from the own output, a canonical safetensors file.
pub fn finding(spec: &VersionSpec, ours: &[u8], theirs: &[u8]) -> Finding {
	let (Ok(ours), Ok(theirs)) = (tensors::parse(ours), tensors::parse(theirs)) else {
		// Ours is canonical, as it comes from this node's own engine.
		return Finding::Wrong;
	};
	let fits = tensors::check_outputs(&theirs, &spec.outputs).is_ok();
	if fits && compare::passes(&ours, &theirs, &spec.policy) {
		Finding::Right
	} else {
		Finding::Wrong
	}
}

/// The same of a bundle, seen from the own output of input `index` of `inputs`: that file of it counts. What is no bundle of
/// so many files is wrong.
pub fn finding_in_bundle(spec: &VersionSpec, ours: &[u8], theirs: &[u8], index: u16, inputs: u16) -> Finding {
	let places = batch::files(theirs, inputs).unwrap_or_default();
	let place = places.get(usize::from(index)).cloned();
	match place.and_then(|place| theirs.get(place)) {
		Some(file) => finding(spec, ours, file),
		None => Finding::Wrong,
	}
}

/// The ballot of a node that has its own result. `claims` are what a juror judges beside the output.
pub fn ballot(spec: &VersionSpec, claims: Option<&Claims>, own: &OwnSketches, finding: Finding) -> Ballot {
	let by_output = match finding {
		Finding::Right => Vote::Yes,
		Finding::Wrong => Vote::No,
		Finding::Missing => Vote::Missing,
	};
	let (vote, auditor_right) = match claims {
		None => (by_output, true),
		Some(claims) => {
			let vote = match sketches_agree(spec, &claims.executor, &own.work) {
				false => Vote::No,
				// Hiding an output must not save its executor from a jury.
				true if finding == Finding::Missing && tolerance(spec).is_some() => Vote::Yes,
				true => by_output,
			};
			let contradicted = matches!(
				(finding, claims.vote),
				(Finding::Right, Vote::No) | (Finding::Wrong, Vote::Yes)
			);
			let sketch_right = sketches_agree(spec, &claims.auditor, &own.work);
			(vote, sketch_right && !contradicted)
		}
	};
	Ballot {
		vote,
		auditor_right,
		sketch: own.seat,
	}
}

/// The ballot where the input does not fit the model: nothing that was attested can be right, and everybody finds that
/// without a run, so the sketches are those of nothing.
pub fn unfit_input(spec: &VersionSpec, claims: Option<&Claims>) -> Ballot {
	ballot(spec, claims, &OwnSketches::default(), Finding::Wrong)
}

/// The ballot of a node without a result of its own.
pub fn abstention() -> Ballot {
	Ballot {
		vote: Vote::Abstain,
		auditor_right: true,
		sketch: Sketch::default(),
	}
}

/// Whether two sketches under the work's seed may be of honest runs.
fn sketches_agree(spec: &VersionSpec, a: &Sketch, b: &Sketch) -> bool {
	tolerance(spec).is_none_or(|tolerance| a.agrees_with(b, tolerance))
}

/// How far the sketches of honest runs may lie apart; `None` if sketches say nothing. Without a trace they are sums over
/// the outputs, which have a policy of their own: unless that asks for equal bytes, the sums of honest machines may lie
/// apart by more than anybody measured, and say nothing that the comparison of the outputs does not.
fn tolerance(spec: &VersionSpec) -> Option<u64> {
	let tolerance = match (&spec.trace, spec.policy) {
		(Some(trace), _) => trace.tolerance,
		(None, VerificationPolicy::Exact) => 0,
		(None, VerificationPolicy::Tolerance { .. }) => u64::MAX,
	};
	// As the chain has it.
	Some(tolerance).filter(|tolerance| *tolerance < u64::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::tensors::{serialize, Tensor};
	use highway_primitives::{
		model::{DType, TensorSpec, Trace, Unit},
		BlobRef,
	};
	use proptest::prelude::*;
	use sp_runtime::Perbill;

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
			policy: VerificationPolicy::Tolerance {
				atol: 1_000_000,
				rtol: 0,
				outliers: Perbill::zero(),
			},
			trace: traced.then(|| Trace {
				tensor: b"t".to_vec().try_into().unwrap(),
				tolerance: 10,
			}),
			detection: Perbill::one(),
			shares_runs: false,
			recipe: None,
		}
	}

	fn output(value: f32) -> Vec<u8> {
		serialize(&[Tensor::new("y", DType::F32, vec![1], value.to_le_bytes().to_vec()).unwrap()])
	}

	fn sums(first: i64) -> Sketch {
		let mut sketch = Sketch::default();
		sketch.sums[0] = first;
		sketch
	}

	fn own() -> OwnSketches {
		OwnSketches {
			work: sums(100),
			seat: sums(7),
		}
	}

	fn claims(executor: i64, vote: Vote, auditor: i64) -> Claims {
		Claims {
			executor: sums(executor),
			vote,
			auditor: sums(auditor),
		}
	}

	#[test]
	fn finding_should_follow_the_policy_and_the_registered_outputs() {
		let spec = spec(true);
		assert_eq!(finding(&spec, &output(1.0), &output(1.0005)), Finding::Right);
		assert_eq!(finding(&spec, &output(1.0), &output(1.1)), Finding::Wrong);
		assert_eq!(finding(&spec, &output(1.0), b"junk"), Finding::Wrong);
		let empty = serialize(&[Tensor::new("y", DType::F32, vec![0], vec![]).unwrap()]);
		assert_eq!(finding(&spec, &empty, &empty), Finding::Right);
		assert_eq!(finding(&spec, &empty, &output(1.0)), Finding::Wrong);
		let y = Tensor::new("y", DType::F32, vec![1], 1f32.to_le_bytes().to_vec()).unwrap();
		let z = Tensor {
			name: "z".into(),
			..y.clone()
		};
		assert_eq!(finding(&spec, &output(1.0), &serialize(&[y, z])), Finding::Wrong);
	}

	#[test]
	fn finding_should_be_of_the_drawn_file_when_the_output_is_a_bundle() {
		let spec = spec(true);
		let bundle = batch::bundle(&[output(1.0), output(2.0), output(3.0)]).unwrap();
		for (value, index, inputs, found) in [
			(1.0, 0, 3, Finding::Right),
			(2.0005, 1, 3, Finding::Right),
			(3.0, 2, 3, Finding::Right),
			(3.0, 1, 3, Finding::Wrong),
			(1.0, 3, 3, Finding::Wrong),
			// It is no bundle of so many.
			(1.0, 0, 2, Finding::Wrong),
			(1.0, 0, 4, Finding::Wrong),
		] {
			assert_eq!(
				finding_in_bundle(&spec, &output(value), &bundle, index, inputs),
				found,
				"{value} at {index} of {inputs}"
			);
		}
		let single = output(1.0);
		let none_of_three: [&[u8]; 4] = [&bundle[..bundle.len() - 1], &[], b"junk", &single];
		for none in none_of_three {
			assert_eq!(finding_in_bundle(&spec, &output(1.0), none, 0, 3), Finding::Wrong);
		}
	}

	#[test]
	fn auditor_should_vote_on_the_output_alone() {
		for (finding, vote) in [
			(Finding::Right, Vote::Yes),
			(Finding::Wrong, Vote::No),
			(Finding::Missing, Vote::Missing),
		] {
			let expected = Ballot {
				vote,
				auditor_right: true,
				sketch: sums(7),
			};
			assert_eq!(ballot(&spec(true), None, &own(), finding), expected);
		}
	}

	#[test]
	fn juror_should_judge_executor_and_auditor() {
		use Finding::{Missing, Right, Wrong};
		use Vote::{No, Yes};
		for (executor, auditor_vote, auditor, finding, vote, auditor_right) in [
			(100, Yes, 100, Right, Yes, true),
			// Within the trace's tolerance, and beyond.
			(110, Yes, 90, Right, Yes, true),
			(111, Yes, 100, Right, No, true),
			(100, Yes, 111, Right, Yes, false),
			(100, No, 100, Right, Yes, false),
			(100, No, 100, Wrong, No, true),
			(100, Yes, 100, Wrong, No, false),
			// A lazy auditor agreed without a look.
			(100, Yes, 0, Wrong, No, false),
			// The executor hides its output from the jury.
			(100, Yes, 100, Missing, Yes, true),
			(110, No, 90, Missing, Yes, true),
			(100, No, 111, Missing, Yes, false),
			(0, Yes, 100, Missing, No, true),
			(0, No, 0, Missing, No, false),
			// It hid it from the auditor, or from everybody: the auditor's sketch counts alone.
			(100, Vote::Missing, 100, Right, Yes, true),
			(100, Vote::Missing, 0, Right, Yes, false),
			(0, Vote::Missing, 100, Wrong, No, true),
			(0, Vote::Missing, 100, Missing, No, true),
			(100, Vote::Missing, 0, Missing, Yes, false),
			(0, Vote::Missing, 0, Missing, No, false),
		] {
			let claims = claims(executor, auditor_vote, auditor);
			let ballot = ballot(&spec(true), Some(&claims), &own(), finding);
			assert_eq!(
				(ballot.vote, ballot.auditor_right),
				(vote, auditor_right),
				"{claims:?} {finding:?}"
			);
			assert_eq!(ballot.sketch, sums(7));
		}
	}

	#[test]
	fn juror_should_miss_an_output_when_nothing_but_the_output_tells() {
		let claims = claims(0, Vote::No, 0);
		let vote_of = |spec: VersionSpec| ballot(&spec, Some(&claims), &own(), Finding::Missing).vote;
		assert_eq!(vote_of(spec(false)), Vote::Missing);
		let mut boundless = spec(true);
		boundless.trace.as_mut().unwrap().tolerance = u64::MAX;
		assert_eq!(vote_of(boundless), Vote::Missing);
		let exact = VersionSpec {
			policy: VerificationPolicy::Exact,
			..spec(false)
		};
		assert_eq!(vote_of(exact), Vote::No);
	}

	#[test]
	fn sketches_should_not_be_judged_when_they_are_of_outputs_with_a_tolerance() {
		let claims = claims(0, Vote::Yes, 0);
		let ballot_of = |spec: VersionSpec| ballot(&spec, Some(&claims), &own(), Finding::Right);
		assert_eq!(
			(ballot_of(spec(false)).vote, ballot_of(spec(false)).auditor_right),
			(Vote::Yes, true)
		);
		let exact = VersionSpec {
			policy: VerificationPolicy::Exact,
			..spec(false)
		};
		assert_eq!(
			(ballot_of(exact.clone()).vote, ballot_of(exact).auditor_right),
			(Vote::No, false)
		);
	}

	#[test]
	fn job_should_be_wrong_when_its_input_does_not_fit() {
		assert_eq!(unfit_input(&spec(true), None).vote, Vote::No);
		let by_auditor = claims(5000, Vote::No, 0);
		let juror = unfit_input(&spec(true), Some(&by_auditor));
		assert_eq!(
			(juror.vote, juror.auditor_right, juror.sketch),
			(Vote::No, true, Sketch::default())
		);
	}

	proptest! {
		/// Honest executor, honest auditor, honest juror, each with its own rounding: nobody is accused.
		#[test]
		fn nobody_should_be_accused_when_everybody_is_honest(
			value in -10f32..10.0,
			executor in -5i64..=5,
			auditor in -5i64..=5,
			juror in -5i64..=5,
			shift in -0.0009f32..0.0009,
		) {
			let spec = spec(true);
			let theirs = output(value + shift);
			let audit = ballot(&spec, None, &OwnSketches { work: sums(auditor), seat: sums(auditor) }, finding(&spec, &output(value), &theirs));
			prop_assert_eq!(audit.vote, Vote::Yes);
			let claims = Claims { executor: sums(executor), vote: audit.vote, auditor: audit.sketch };
			let own = OwnSketches { work: sums(juror), seat: sums(juror) };
			let verdict = ballot(&spec, Some(&claims), &own, finding(&spec, &output(value), &theirs));
			prop_assert_eq!((verdict.vote, verdict.auditor_right), (Vote::Yes, true));
		}
	}
}
