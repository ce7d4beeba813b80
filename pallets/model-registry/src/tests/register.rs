//! Registration: what is stored, what is held, what is refused.

use crate::{mock::*, Artefacts, Event, Names, NextModelId, Versions};
use codec::{Decode, Encode};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use frame_system::RawOrigin;
use highway_primitives::{
	model::{DType, Recipe, Trace, VerificationPolicy, VersionSpec, MIN_DETECTION},
	BlobRef, MaxBlobSize,
};
use sp_core::Get;
use sp_runtime::{DispatchError, Perbill};

/// Registers `spec` and expects `error`.
fn refuses(spec: VersionSpec, error: RegistryError) {
	build_and_execute(|| {
		assert_noop!(
			Registry::do_register(ALICE, name("m"), spec, None, None, 0, None),
			error
		);
	});
}

fn accepts(spec: VersionSpec) {
	build_and_execute(|| {
		assert_ok!(register(ALICE, "m", spec, None, None, 0));
	});
}

#[test]
fn register_should_store_the_model_when_it_is_valid() {
	build_and_execute(|| {
		let origin = RawOrigin::Signed(ALICE).into();
		let salt = committed(ALICE, &spec().artifact.hash);
		assert_ok!(Registry::register(
			origin,
			name("magika"),
			spec(),
			None,
			terms(10, 5),
			40,
			salt
		));
		let record = record(0);
		assert_eq!((record.owner, record.version, record.royalty.current), (ALICE, 1, 40));
		assert_eq!((record.deprecated, record.children), (false, 0));
		assert_eq!(record.derivative_terms, terms(10, 5));
		assert_eq!((record.terms_since, record.parent), (1, None));
		assert_eq!(Versions::<Test>::get(0, 1), Some(spec()));
		assert_eq!(Artefacts::<Test>::get(spec().artifact.hash), Some(0));
		assert_eq!(Names::<Test>::get(ALICE, name("magika")), Some(0));
		assert_eq!(
			last_event(),
			Event::ModelRegistered {
				model: 0,
				owner: ALICE,
				name: name("magika"),
				parent: None,
				royalty: 40
			}
		);
	});
}

#[test]
fn register_should_hold_the_deposit_for_name_and_specification() {
	build_and_execute(|| {
		let model = registered(ALICE, "four");
		let deposit = 1_000 + 10 * (4 + spec_of("four").encoded_size() as u128);
		assert_eq!(record(model).deposit, deposit);
		assert_eq!(held(ALICE), deposit);
	});
}

#[test]
fn register_should_fail_when_unsigned() {
	build_and_execute(|| {
		let call = Registry::register(RawOrigin::None.into(), name("m"), spec(), None, None, 0, Some(SALT));
		assert_noop!(call, DispatchError::BadOrigin);
	});
}

#[test]
fn register_should_fail_when_the_owner_cannot_pay_the_deposit() {
	build_and_execute(|| {
		// Enough for a commitment, and too little for a model.
		let some = BaseDeposit::get() + 500;
		assert_ok!(Balances::transfer_allow_death(
			RawOrigin::Signed(ALICE).into(),
			PAUPER,
			some
		));
		let salt = committed(PAUPER, &spec().artifact.hash);
		let origin = RawOrigin::Signed(PAUPER).into();
		let refused = Registry::register(origin, name("m"), spec(), None, None, 0, salt);
		assert_eq!(refused, Err(sp_runtime::TokenError::FundsUnavailable.into()));
		assert_eq!(NextModelId::<Test>::get(), 0);
		assert_eq!(
			held_for_commitments(PAUPER),
			BaseDeposit::get(),
			"the commitment still stands"
		);
	});
}

#[test]
fn register_should_fail_when_the_owner_has_the_name() {
	build_and_execute(|| {
		registered(ALICE, "m");
		assert_noop!(
			Registry::do_register(ALICE, name("m"), spec(), None, None, 0, None),
			RegistryError::NameTaken
		);
		assert_eq!(registered(BOB, "m"), 1);
	});
}

#[test]
fn register_should_fail_when_the_name_is_not_plain() {
	build_and_execute(|| {
		for text in ["", "Magika", "a b", "a/b", "ä", ".", "..", "-a", "_a"] {
			let result = Registry::do_register(ALICE, name(text), spec(), None, None, 0, None);
			assert_noop!(result, RegistryError::NameInvalid);
		}
		for text in ["a", "0", "a-b_c.9", "v1.0"] {
			assert_ok!(register(ALICE, text, spec_of(text), None, None, 0));
		}
	});
}

#[test]
fn register_should_fail_when_the_artefact_is_empty_or_too_large() {
	let most: u64 = MaxBlobSize::get();
	let with_size = |size| VersionSpec {
		artifact: BlobRef {
			size,
			..spec().artifact
		},
		..spec()
	};
	refuses(with_size(0), RegistryError::ArtifactSizeInvalid);
	refuses(with_size(most + 1), RegistryError::ArtifactSizeInvalid);
	accepts(with_size(1));
	accepts(with_size(most));
}

#[test]
fn register_should_fail_when_the_licence_is_no_spdx_expression() {
	for text in ["", " ", "MIT ", "\tMIT", "MIT\n", "Lizenz für alle", "<MIT>"] {
		refuses(
			VersionSpec {
				licence: bytes(text),
				..spec()
			},
			RegistryError::LicenceInvalid,
		);
	}
	for text in [
		"MIT",
		"Apache-2.0 WITH LLVM-exception",
		"(MIT OR GPL-2.0+)",
		"DocumentRef-a:LicenseRef-b",
	] {
		accepts(VersionSpec {
			licence: bytes(text),
			..spec()
		});
	}
}

#[test]
fn register_should_fail_when_a_side_has_no_tensor() {
	refuses(
		VersionSpec {
			inputs: Default::default(),
			..spec()
		},
		RegistryError::TensorsMissing,
	);
	refuses(
		VersionSpec {
			outputs: Default::default(),
			..spec()
		},
		RegistryError::TensorsMissing,
	);
}

#[test]
fn register_should_fail_when_a_tensor_name_is_unusable() {
	for text in ["", "a\nb", "\u{7f}", "__metadata__"] {
		let inputs = BoundedVec::truncate_from(vec![tensor(text, DType::F32)]);
		refuses(VersionSpec { inputs, ..spec() }, RegistryError::TensorNameInvalid);
	}
	let mut no_text = tensor("x", DType::F32);
	no_text.name = BoundedVec::truncate_from(vec![0xff, 0xfe]);
	let outputs = BoundedVec::truncate_from(vec![no_text]);
	refuses(VersionSpec { outputs, ..spec() }, RegistryError::TensorNameInvalid);
}

#[test]
fn register_should_fail_when_a_tensor_name_is_there_twice_on_one_side() {
	let twice = BoundedVec::truncate_from(vec![tensor("x", DType::F32), tensor("x", DType::I64)]);
	refuses(
		VersionSpec {
			inputs: twice.clone(),
			..spec()
		},
		RegistryError::TensorNameTwice,
	);
	refuses(
		VersionSpec {
			outputs: twice,
			..spec()
		},
		RegistryError::TensorNameTwice,
	);
	let same_as_input = BoundedVec::truncate_from(vec![tensor("x", DType::F32)]);
	accepts(VersionSpec {
		outputs: same_as_input,
		..spec()
	});
}

#[test]
fn register_should_fail_when_the_unit_time_is_out_of_range() {
	for unit_time_ms in [0, 600_001, u32::MAX] {
		refuses(VersionSpec { unit_time_ms, ..spec() }, RegistryError::UnitTimeInvalid);
	}
	accepts(VersionSpec {
		unit_time_ms: 1,
		..spec()
	});
	accepts(VersionSpec {
		unit_time_ms: 600_000,
		..spec()
	});
}

#[test]
fn register_should_fail_when_exact_meets_a_float_output() {
	for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
		let outputs = BoundedVec::truncate_from(vec![tensor("y", DType::I64), tensor("z", dtype)]);
		let spec = VersionSpec {
			outputs,
			policy: VerificationPolicy::Exact,
			..spec()
		};
		refuses(spec, RegistryError::ExactNeedsIntegers);
	}
	let outputs = BoundedVec::truncate_from(vec![tensor("y", DType::I64), tensor("z", DType::Bool)]);
	accepts(VersionSpec {
		outputs,
		policy: VerificationPolicy::Exact,
		..spec()
	});
}

#[test]
fn register_should_fail_when_more_than_one_percent_are_outliers() {
	let with = |parts| {
		let outliers = Perbill::from_parts(parts);
		VersionSpec {
			policy: VerificationPolicy::Tolerance {
				atol: 0,
				rtol: 0,
				outliers,
			},
			..spec()
		}
	};
	refuses(with(10_000_001), RegistryError::OutliersAboveMax);
	accepts(with(10_000_000));
	accepts(with(0));
}

fn with_trace(tensor: BoundedVec<u8, sp_core::ConstU32<128>>, tolerance: u64) -> VersionSpec {
	VersionSpec {
		trace: Some(Trace { tensor, tolerance }),
		..spec()
	}
}

#[test]
fn register_should_fail_when_the_trace_is_not_inside_the_model() {
	for text in ["", "a\nb", "\u{7f}", "__metadata__"] {
		refuses(with_trace(bytes(text), 1), RegistryError::TensorNameInvalid);
	}
	let no_text = BoundedVec::truncate_from(vec![0xff, 0xfe]);
	refuses(with_trace(no_text, 1), RegistryError::TensorNameInvalid);
	// What is sent in and what is delivered.
	refuses(with_trace(bytes("x"), 1), RegistryError::TraceNameTaken);
	refuses(with_trace(bytes("y"), 1), RegistryError::TraceNameTaken);
	accepts(with_trace(bytes("/layers/7/add_output_0"), 1));
	accepts(VersionSpec { trace: None, ..spec() });
}

#[test]
fn register_should_fail_when_the_trace_has_no_tolerance() {
	refuses(with_trace(bytes("inside"), 0), RegistryError::TraceToleranceZero);
	accepts(with_trace(bytes("inside"), u64::MAX));
}

#[test]
fn register_should_fail_when_audits_see_too_little() {
	let with = |detection| VersionSpec { detection, ..spec() };
	let least = MIN_DETECTION.deconstruct();
	refuses(with(Perbill::zero()), RegistryError::DetectionTooLow);
	refuses(with(Perbill::from_parts(least - 1)), RegistryError::DetectionTooLow);
	accepts(with(MIN_DETECTION));
	accepts(with(Perbill::one()));
}

#[test]
fn call_should_not_be_understood_when_audits_see_more_than_there_is() {
	// The last field but two, in four bytes.
	let encoded = VersionSpec {
		detection: Perbill::one(),
		shares_runs: false,
		recipe: None,
		..spec()
	}
	.encode();
	let at = encoded.len() - 2 - 4;
	for parts in [1_000_000_000u32, 1_000_000_001, u32::MAX] {
		let mut bytes = encoded.clone();
		bytes[at..at + 4].copy_from_slice(&parts.to_le_bytes());
		assert_eq!(
			VersionSpec::decode(&mut bytes.as_slice()).is_ok(),
			parts == 1_000_000_000
		);
	}
}

#[test]
fn register_should_fail_when_the_recipe_is_not_valid() {
	let recipe = |text: &str, size| {
		Some(Recipe {
			name: bytes(text),
			config: BlobRef {
				size,
				..BlobRef::of(b"labels")
			},
		})
	};
	refuses(
		VersionSpec {
			recipe: recipe("", 1),
			..spec()
		},
		RegistryError::RecipeInvalid,
	);
	refuses(
		VersionSpec {
			recipe: recipe("Ma gika", 1),
			..spec()
		},
		RegistryError::RecipeInvalid,
	);
	refuses(
		VersionSpec {
			recipe: recipe("magika", 0),
			..spec()
		},
		RegistryError::RecipeInvalid,
	);
	accepts(VersionSpec {
		recipe: recipe("magika", 1),
		..spec()
	});
}

#[test]
fn register_should_fail_when_the_royalty_is_above_the_maximum() {
	build_and_execute(|| {
		let most = MaxRoyalty::get();
		let result = Registry::do_register(ALICE, name("m"), spec(), None, None, most + 1, None);
		assert_noop!(result, RegistryError::RoyaltyAboveMax);
		assert_ok!(register(ALICE, "m", spec(), None, None, most));
	});
}

#[test]
fn register_should_fail_when_the_terms_are_out_of_range() {
	build_and_execute(|| {
		let floor = MaxRoyalty::get() + 1;
		let result = Registry::do_register(ALICE, name("m"), spec(), None, terms(10, floor), 0, None);
		assert_noop!(result, RegistryError::FloorAboveMax);
	});
}

#[test]
fn register_should_fail_when_all_ids_were_given() {
	build_and_execute(|| {
		NextModelId::<Test>::put(u32::MAX);
		let result = Registry::do_register(ALICE, name("m"), spec(), None, None, 0, None);
		assert_noop!(result, RegistryError::IdsExhausted);
	});
}
