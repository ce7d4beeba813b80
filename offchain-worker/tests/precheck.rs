//! The pre-check against models that mean harm, and against mutations of good ones.

use highway_offchain_worker::precheck::{check, signature, Limits, Refusal};
use highway_primitives::model::DType;
use highway_test_support::hostile_models as hostile;
use proptest::prelude::*;
use std::sync::LazyLock;

#[test]
fn check_should_refuse_when_a_model_means_harm() {
	for (what, model) in hostile::refused() {
		assert!(check(&model, &Limits::default()).is_err(), "{what} was accepted");
	}
}

#[test]
fn check_should_name_the_fault_when_it_refuses() {
	let refusal = |model: Vec<u8>| signature(&model).unwrap_err();
	assert_eq!(
		refusal(hostile::external_data("/etc/passwd")),
		Refusal::ExternalData("w".into())
	);
	assert_eq!(
		refusal(hostile::external_data_in_sparse_tensor("x")),
		Refusal::ExternalData("w".into())
	);
	assert_eq!(
		refusal(hostile::external_data_in_subgraph("x")),
		Refusal::ExternalData("w".into())
	);
	assert_eq!(refusal(hostile::nested_ifs(5)), Refusal::TooDeep(4));
	assert_eq!(refusal(hostile::nested_ifs(50_000)), Refusal::TooDeep(4));
	assert!(matches!(
		refusal(hostile::unknown_domain()),
		Refusal::UnknownDomain { .. }
	));
	assert_eq!(
		refusal(hostile::random_operator()),
		Refusal::ForbiddenOperator("RandomNormalLike".into())
	);
	assert_eq!(refusal(hostile::local_function()), Refusal::LocalFunctions);
	assert!(matches!(
		refusal(hostile::literal_shape("Tile", &[1 << 40], false)),
		Refusal::TooLarge { .. }
	));
	let mut cut = hostile::identity();
	cut.pop();
	assert_eq!(refusal(cut), Refusal::Truncated);
}

#[test]
fn check_should_accept_when_a_model_is_within_limits() {
	for model in [
		hostile::identity(),
		hostile::row_mixing(),
		hostile::counting_loop(),
		hostile::zeros_of_shape(),
		hostile::nested_ifs(4),
		hostile::literal_shape("ConstantOfShape", &[1024, 1024], false),
	] {
		check(&model, &Limits::default()).unwrap();
	}
}

#[test]
fn signature_should_say_what_the_model_takes_and_gives_when_accepted() {
	let found = signature(&hostile::counting_loop()).unwrap();
	let names: Vec<_> = found.inputs.iter().map(|input| input.name.to_vec()).collect();
	assert_eq!(names, [b"n".to_vec(), b"x".to_vec()]);
	assert_eq!(found.inputs[0].dtype, DType::I64);
	assert_eq!(found.inputs[0].shape.to_vec(), vec![]);
	assert_eq!(found.outputs[0].shape.to_vec(), vec![Some(4)]);
	assert_eq!(
		signature(&hostile::identity()).unwrap().inputs[0].shape.to_vec(),
		vec![None, Some(4)]
	);
	assert_eq!(found.admits(&found.inputs, &found.outputs), Ok(()));
	assert!(found.admits(&found.outputs, &found.inputs).is_err());
}

#[test]
fn check_should_refuse_when_there_are_too_many_nodes() {
	let limits = Limits {
		max_nodes: 1,
		..Limits::default()
	};
	assert!(matches!(
		check(&hostile::counting_loop(), &limits),
		Err(Refusal::TooLarge { .. })
	));
	assert!(check(&hostile::many_constants(1), &limits).is_ok());
	assert!(matches!(
		check(&hostile::many_constants(2), &limits),
		Err(Refusal::TooLarge { got: 2, max: 1, .. })
	));
	let limits = Limits {
		max_bytes: 10,
		..Limits::default()
	};
	assert!(matches!(
		check(&hostile::identity(), &limits),
		Err(Refusal::TooLarge { .. })
	));
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(2000))]

	#[test]
	fn check_should_never_panic_when_bytes_are_arbitrary(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
		let _ = signature(&bytes);
	}

	#[test]
	fn check_should_never_panic_when_a_model_is_mutated(
		which in 0usize..30,
		edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
		cut in any::<prop::sample::Index>(),
		truncate: bool,
	) {
		static MODELS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
			let good = [hostile::counting_loop(), hostile::identity(), hostile::literal_shape("Tile", &[4], true)];
			let bad = hostile::refused().into_iter().map(|(_, model)| model).filter(|model| model.len() < 5000);
			good.into_iter().chain(bad).collect()
		});
		let mut model = MODELS[which % MODELS.len()].clone();
		for (at, value) in edits {
			if !model.is_empty() {
				let at = at.index(model.len());
				model[at] = value;
			}
		}
		if truncate {
			model.truncate(cut.index(model.len() + 1));
		}
		let _ = signature(&model);
	}
}
