//! What a jury found. Pure.

use crate::JURORS;
use highway_primitives::{Ballot, Vote};

/// A juror's ballot, if it opened one, and whether it runs on the executor's device class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Juror {
	/// What it opened; `None`: it was silent.
	pub ballot: Option<Ballot>,
	/// Whether it runs on the executor's device class.
	pub same_device: bool,
}

/// What a jury found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
	/// Two jurors say the same, their fresh sketches agree, and one of them runs on the executor's device class. Or nobody
	/// in the jury does, and all three say the same, each sketch agreeing with both others.
	Agreed {
		/// Whether the executor's work is right.
		executor_right: bool,
		/// Whether the auditor's word is right.
		auditor_right: bool,
	},
	/// At least two judged, and no two of them agree: honest runs may lie further apart than the version says.
	Disputed,
	/// Fewer than two judged, or those who agree are too few without one of the executor's device class.
	Nothing,
}

/// Pairs in a jury: where all of them agree, everybody has judged and says the same.
const ALL_PAIRS: usize = JURORS * (JURORS - 1) / 2;

/// A juror that judged: its word and its sketch.
fn judged(juror: &Juror) -> Option<&Ballot> {
	juror
		.ballot
		.as_ref()
		.filter(|ballot| matches!(ballot.vote, Vote::Yes | Vote::No))
}

fn agree(a: &Ballot, b: &Ballot, tolerance: u64) -> bool {
	a.vote == b.vote && a.auditor_right == b.auditor_right && a.sketch.agrees_with(&b.sketch, tolerance)
}

/// What the jurors found, `tolerance` being the version's for sketches (10⁻⁶).
///
/// Among three jurors two pairs cannot hold different opinions: they would share a juror. Whether somebody of the
/// executor's device class sits in the jury is asked of those who are silent too: nobody's silence changes the rule.
pub fn find(jurors: &[Juror], tolerance: u64) -> Finding {
	let needs_all = !jurors.iter().any(|juror| juror.same_device);
	let mut pairs = 0usize;
	for (index, first) in jurors.iter().enumerate() {
		let Some(one) = judged(first) else { continue };
		for second in jurors.iter().skip(index.saturating_add(1)) {
			let Some(other) = judged(second) else { continue };
			if !agree(one, other, tolerance) {
				continue;
			}
			pairs = pairs.saturating_add(1);
			if first.same_device || second.same_device || (needs_all && pairs == ALL_PAIRS) {
				return Finding::Agreed {
					executor_right: one.vote == Vote::Yes,
					auditor_right: one.auditor_right,
				};
			}
		}
	}
	match pairs == 0 && jurors.iter().filter_map(judged).count() >= 2 {
		true => Finding::Disputed,
		false => Finding::Nothing,
	}
}

/// Whether the juror at `index` is one of those who agreed on a verdict with these two answers: it says the same, and its
/// sketch agrees with another one's who says so. A vote alone, with nothing computed behind it, earns nothing.
pub fn agreed(jurors: &[Juror], index: usize, executor_right: bool, auditor_right: bool, tolerance: u64) -> bool {
	let Some(own) = jurors.get(index).and_then(judged) else {
		return false;
	};
	let said = (own.vote == Vote::Yes) == executor_right && own.auditor_right == auditor_right;
	said && jurors
		.iter()
		.enumerate()
		.filter(|(other, _)| *other != index)
		.filter_map(|(_, juror)| judged(juror))
		.any(|other| agree(own, other, tolerance))
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::Sketch;
	use proptest::prelude::*;

	fn juror(vote: Vote, auditor_right: bool, sum: i64, same_device: bool) -> Juror {
		let sketch = Sketch {
			sums: [sum; 16],
			..Default::default()
		};
		Juror {
			ballot: Some(Ballot {
				vote,
				auditor_right,
				sketch,
			}),
			same_device,
		}
	}

	const SILENT: Juror = Juror {
		ballot: None,
		same_device: true,
	};

	/// A silent juror of another class.
	const ABSENT: Juror = Juror {
		ballot: None,
		same_device: false,
	};

	fn found(executor_right: bool, auditor_right: bool) -> Finding {
		Finding::Agreed {
			executor_right,
			auditor_right,
		}
	}

	#[test]
	fn two_who_agree_should_outvote_a_third() {
		let third = [
			SILENT,
			juror(Vote::Yes, false, 100, true),
			juror(Vote::No, false, 100, true),
			juror(Vote::Abstain, true, 0, true),
			juror(Vote::No, true, 900, true),
		];
		for third in third {
			let one = juror(Vote::No, true, 100, true);
			let two = juror(Vote::No, true, 103, false);
			for jurors in [
				[one, two, third],
				[one, third, two],
				[third, one, two],
				[two, third, one],
			] {
				assert_eq!(find(&jurors, 3), found(false, true));
				let paid = (0..3).filter(|index| agreed(&jurors, *index, false, true, 3)).count();
				assert_eq!(paid, 2);
			}
		}
	}

	#[test]
	fn opinions_on_both_should_be_found() {
		for (vote, executor_right) in [(Vote::Yes, true), (Vote::No, false)] {
			for auditor_right in [true, false] {
				let jurors = [juror(vote, auditor_right, 5, true); 3];
				assert_eq!(find(&jurors, 0), found(executor_right, auditor_right));
			}
		}
	}

	#[test]
	fn nothing_should_be_found_without_a_juror_of_the_executor_s_class_in_the_pair() {
		let (one, two) = (juror(Vote::No, true, 5, false), juror(Vote::No, true, 5, false));
		assert_eq!(find(&[one, two, SILENT], 0), Finding::Nothing);
		// The third is of the class, and says something else.
		assert_eq!(find(&[one, two, juror(Vote::Yes, true, 5, true)], 0), Finding::Nothing);
		assert_eq!(find(&[one, two, juror(Vote::No, true, 5, true)], 0), found(false, true));
	}

	#[test]
	fn jury_without_the_executor_s_class_should_need_all_three() {
		let other = |sum| juror(Vote::No, true, sum, false);
		assert_eq!(find(&[other(5), other(6), other(4)], 2), found(false, true));
		assert!((0..3).all(|index| agreed(&[other(5), other(6), other(4)], index, false, true, 2)));
		// The second and the third lie too far apart, though both agree with the first.
		assert_eq!(find(&[other(5), other(6), other(4)], 1), Finding::Nothing);
		let thirds = [
			ABSENT,
			juror(Vote::Yes, true, 5, false),
			juror(Vote::No, false, 5, false),
			juror(Vote::Abstain, true, 5, false),
			juror(Vote::Missing, true, 5, false),
			other(9),
		];
		for third in thirds {
			assert_eq!(find(&[other(5), other(5), third], 2), Finding::Nothing, "{third:?}");
		}
		// Fewer seats than a jury has decide nothing.
		assert_eq!(find(&[other(5), other(5)], 2), Finding::Nothing);
		// One of the class, even a silent one, and it takes one of the class.
		assert_eq!(find(&[other(5), other(5), SILENT], 2), Finding::Nothing);
		// Nobody agrees: as doubtful as in any jury.
		assert_eq!(find(&[other(0), other(5), other(9)], 2), Finding::Disputed);
	}

	#[test]
	fn jury_should_be_disputed_only_when_two_judged_and_none_agree() {
		let far = [juror(Vote::No, true, 0, true), juror(Vote::No, true, 4, true), SILENT];
		assert_eq!(find(&far, 3), Finding::Disputed);
		assert_eq!(find(&far, 4), found(false, true));
		let split = [juror(Vote::No, true, 0, true), juror(Vote::Yes, true, 0, true), SILENT];
		assert_eq!(find(&split, 3), Finding::Disputed);
		let half = [juror(Vote::No, true, 0, true), juror(Vote::No, false, 0, true), SILENT];
		assert_eq!(find(&half, 3), Finding::Disputed);
		assert_eq!(
			find(&[juror(Vote::No, true, 0, true), SILENT, SILENT], 3),
			Finding::Nothing
		);
		assert_eq!(find(&[], 3), Finding::Nothing);
		let idle = [
			juror(Vote::Abstain, true, 0, true),
			juror(Vote::Missing, true, 0, true),
			SILENT,
		];
		assert_eq!(find(&idle, 3), Finding::Nothing);
	}

	#[test]
	fn abstentions_should_not_agree_with_one_another() {
		for vote in [Vote::Abstain, Vote::Missing] {
			assert_eq!(find(&[juror(vote, true, 0, true); 3], 0), Finding::Nothing);
		}
	}

	#[test]
	fn vote_without_a_run_behind_it_should_not_count_as_agreeing() {
		let jurors = [
			juror(Vote::Yes, true, 7, true),
			juror(Vote::Yes, true, 7, true),
			juror(Vote::Yes, true, 0, true),
		];
		assert_eq!(find(&jurors, 1), found(true, true));
		assert!(agreed(&jurors, 0, true, true, 1) && agreed(&jurors, 1, true, true, 1));
		assert!(!agreed(&jurors, 2, true, true, 1) && !agreed(&jurors, 3, true, true, 1));
	}

	fn any_juror() -> impl Strategy<Value = Juror> {
		let vote = prop_oneof![
			4 => Just(Some(Vote::Yes)), 4 => Just(Some(Vote::No)),
			1 => Just(Some(Vote::Missing)), 1 => Just(Some(Vote::Abstain)), 1 => Just(None),
		];
		(vote, any::<bool>(), 0i64..4, any::<bool>()).prop_map(|(vote, right, sum, same)| match vote {
			Some(vote) => juror(vote, right, sum, same),
			None => Juror {
				ballot: None,
				same_device: same,
			},
		})
	}

	proptest! {
		#![proptest_config(ProptestConfig { cases: 2_000, ..Default::default() })]

		#[test]
		fn verdict_should_not_depend_on_the_order(jurors in prop::array::uniform3(any_juror()), tolerance in 0u64..4) {
			let finding = find(&jurors, tolerance);
			let [a, b, c] = jurors;
			for other in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
				prop_assert_eq!(&find(&other, tolerance), &finding);
			}
		}

		#[test]
		fn verdict_should_have_one_of_the_class_and_another_behind_it_or_the_whole_jury(jurors in prop::array::uniform3(any_juror()), tolerance in 0u64..4) {
			if let Finding::Agreed { executor_right, auditor_right } = find(&jurors, tolerance) {
				let behind: Vec<_> = (0..3)
					.filter(|index| agreed(&jurors, *index, executor_right, auditor_right, tolerance))
					.collect();
				let of_class = behind.iter().any(|index| jurors[*index].same_device);
				prop_assert!(behind.len() == 3 || (behind.len() == 2 && of_class));
				prop_assert!(of_class || jurors.iter().all(|juror| !juror.same_device));
			}
		}

		#[test]
		fn one_juror_alone_should_never_decide(jurors in prop::array::uniform3(any_juror()), tolerance in 0u64..4, who in 0usize..3) {
			let mut alone = [SILENT; 3];
			alone[who] = jurors[who];
			prop_assert_eq!(find(&alone, tolerance), Finding::Nothing);
		}

		#[test]
		fn one_or_two_should_never_decide_without_one_of_the_class(
			jurors in prop::array::uniform3(any_juror()),
			tolerance in 0u64..4,
			idle in 0usize..3,
			silent in prop_oneof![Just(None), Just(Some(Vote::Abstain)), Just(Some(Vote::Missing))],
		) {
			let mut jurors = jurors.map(|juror| Juror { same_device: false, ..juror });
			jurors[idle] = silent.map_or(ABSENT, |vote| juror(vote, true, 0, false));
			let decided = matches!(find(&jurors, tolerance), Finding::Agreed { .. });
			prop_assert!(!decided);
			// Nor if the third is of the class and does not judge.
			jurors[idle].same_device = true;
			let decided = matches!(find(&jurors, tolerance), Finding::Agreed { .. });
			prop_assert!(!decided);
		}

		#[test]
		fn whole_jury_that_agrees_should_decide_whatever_its_classes(
			vote in prop_oneof![Just(Vote::Yes), Just(Vote::No)],
			right in any::<bool>(),
			sums in prop::array::uniform3(0i64..4),
			same in prop::array::uniform3(any::<bool>()),
		) {
			let jurors = [0, 1, 2].map(|index| juror(vote, right, sums[index], same[index]));
			prop_assert_eq!(find(&jurors, 3), found(vote == Vote::Yes, right));
		}
	}
}
