//! The pre-check against models that mean harm, and against mutations of good ones.

use highway_offchain_worker::precheck::{check, signature, Limits, Refusal};
use highway_primitives::model::DType;
use highway_test_support::hostile_models::{self as hostile, Message};
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

/// `y = x`, beside a `Dropout` whose third input is this one, `flag`.
fn dropout(third: &str, flag: Option<Message>) -> Vec<u8> {
	let value = |name: &str| {
		let shape = Message::new().message(1, Message::new().int(1, 4));
		let kind = Message::new().message(1, Message::new().int(1, 1).message(2, shape));
		Message::new().bytes(1, name).message(2, kind)
	};
	let node = Message::new()
		.bytes(1, "x")
		.bytes(1, "")
		.bytes(1, third)
		.bytes(2, "y")
		.bytes(4, "Dropout");
	let graph = Message::new()
		.message(1, node)
		.bytes(2, "graph")
		.message(11, value("x"))
		.message(12, value("y"));
	let graph = flag.into_iter().fold(graph, |graph, flag| graph.message(5, flag));
	hostile::model(graph).finish()
}

/// A constant truth value by the name of `flag`.
fn truth(value: u8) -> Message {
	Message::new().int(2, 9).bytes(8, "flag").bytes(9, [value])
}

#[test]
fn check_should_refuse_when_an_operator_drops_or_samples_at_random() {
	let training = Err(Refusal::ForbiddenOperator("Dropout in training mode".into()));
	let check = |model: Vec<u8>| signature(&model).map(|found| found.nodes);
	assert_eq!(check(dropout("flag", Some(truth(1)))), training);
	assert_eq!(
		check(dropout(
			"flag",
			Some(Message::new().int(2, 9).bytes(8, "flag").int(5, 1))
		)),
		training
	);
	assert_eq!(check(dropout("flag", None)), training, "who knows what it will be");
	assert_eq!(check(dropout("flag", Some(truth(0)))), Ok(1));
	assert_eq!(check(dropout("", None)), Ok(1));

	let constant = |value: i64| Message::new().int(2, 7).bytes(8, "s").bytes(9, value.to_le_bytes());
	let twice = Message::new().message(5, constant(1)).message(5, constant(2));
	assert_eq!(
		check(hostile::model(twice).finish()),
		Err(Refusal::Malformed("a constant has two values"))
	);

	for operator in ["Sampling", "BiasDropout", "BitmaskDropout", "BitmaskBiasDropout"] {
		let node = Message::new()
			.bytes(1, "x")
			.bytes(4, operator)
			.bytes(7, "com.microsoft");
		let model = hostile::model(Message::new().message(1, node)).finish();
		assert_eq!(check(model), Err(Refusal::ForbiddenOperator(operator.into())));
	}
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

/// A file of nothing but inputs would otherwise be many times as large in memory.
#[test]
fn check_should_refuse_when_there_are_too_many_inputs_or_outputs() {
	let crowd = |field: u64, constants: usize| {
		let graph = (0..17).fold(Message::new(), |graph, _| graph.bytes(field, ""));
		let constant = || Message::new().int(1, 0).int(2, 7).bytes(8, "c").bytes(9, "");
		let graph = (0..constants).fold(graph, |graph, _| graph.message(5, constant()));
		signature(&hostile::model(graph).finish()).unwrap_err()
	};
	let refused = Refusal::TooLarge {
		what: "the number of inputs or outputs",
		got: 17,
		max: 16,
	};
	assert_eq!(crowd(11, 0), refused);
	assert_eq!(crowd(12, 0), refused);
	assert_eq!(crowd(12, 1), refused);
	// Old files list their constants among the inputs.
	assert_ne!(crowd(11, 1), refused);
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
