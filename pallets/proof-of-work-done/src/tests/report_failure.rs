use crate::{mock::*, Event};
use highway_primitives::FailureClass;

#[test]
fn report_failure_should_hand_on_the_class() {
	execute(|| {
		let transaction = report(&key(0), 0, 5, FailureClass::InputInvalid);
		validate(&transaction).unwrap();
		apply(&transaction).unwrap().unwrap();
		assert_eq!(Reported::get(5), Some((0, FailureClass::InputInvalid)));
		assert_eq!(
			events(),
			vec![Event::FailureReported {
				job: 5,
				node: 0,
				class: FailureClass::InputInvalid
			}]
		);
	});
}

#[test]
fn attestation_after_a_report_should_be_skipped() {
	execute(|| {
		apply(&report(&key(0), 0, 5, FailureClass::InputInvalid))
			.unwrap()
			.unwrap();
		apply(&attest(&key(0), 0, items([5, 6]))).unwrap().unwrap();
		assert_eq!(Done::iter_keys().collect::<Vec<_>>(), vec![6]);
	});
}
