//! What a name, a specification and terms must be like. Pure checks: no storage is read.

use crate::{Config, Error, ParentTerms};
use alloc::collections::BTreeSet;
use frame_support::{ensure, traits::Get};
use highway_primitives::{
	model::{DType, DerivativeTerms, Recipe, TensorSpec, Trace, VerificationPolicy, VersionSpec, MIN_DETECTION},
	Balance, BlobRef, MaxBlobSize,
};
use sp_runtime::Perbill;

/// The longest time that one unit may be registered with: ten minutes, in milliseconds.
pub const MAX_UNIT_TIME_MS: u32 = 600_000;

/// The largest share of outliers that a tolerance may allow: more would let a cheat hide whole rows.
pub const MAX_OUTLIERS: Perbill = Perbill::from_percent(1);

/// The one name that the safetensors format keeps for itself.
const RESERVED_TENSOR_NAME: &[u8] = b"__metadata__";

/// Names are shown, typed and used as file names: lower-case letters, digits, `-`, `_` and `.`, the first one a letter or
/// a digit.
pub(crate) fn check_name<T: Config>(name: &[u8]) -> Result<(), Error<T>> {
	let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
	ensure!(name.first().is_some_and(plain), Error::<T>::NameInvalid);
	ensure!(
		name.iter().all(|byte| plain(byte) || b"-_.".contains(byte)),
		Error::<T>::NameInvalid
	);
	Ok(())
}

/// Checks everything about a version that needs no state.
pub(crate) fn check_spec<T: Config>(spec: &VersionSpec) -> Result<(), Error<T>> {
	ensure!(blob_size_is_valid(&spec.artifact), Error::<T>::ArtifactSizeInvalid);
	check_licence(&spec.licence)?;
	ensure!(
		(1..=MAX_UNIT_TIME_MS).contains(&spec.unit_time_ms),
		Error::<T>::UnitTimeInvalid
	);
	check_tensors(&spec.inputs)?;
	check_tensors(&spec.outputs)?;
	check_policy(&spec.policy, &spec.outputs)?;
	if let Some(trace) = &spec.trace {
		check_trace(trace, spec)?;
	}
	// The rate of audits is found with it. That it is no more than all of them, its type sees to when it is decoded.
	ensure!(spec.detection >= MIN_DETECTION, Error::<T>::DetectionTooLow);
	spec.recipe.as_ref().map_or(Ok(()), check_recipe)
}

/// A royalty must be payable and leave the parent its floor.
pub(crate) fn check_royalty<T: Config>(royalty: Balance, parent: Option<&ParentTerms>) -> Result<(), Error<T>> {
	ensure!(royalty <= T::MaxRoyalty::get(), Error::<T>::RoyaltyAboveMax);
	ensure!(
		parent.is_none_or(|parent| royalty >= parent.floor),
		Error::<T>::RoyaltyBelowFloor
	);
	Ok(())
}

/// Terms must be payable, and ask for no less than the model owes its own parent: a go-between with a floor of 0, or a
/// share of 0, would evade every ancestor above it.
pub(crate) fn check_terms<T: Config>(terms: &DerivativeTerms, parent: Option<&ParentTerms>) -> Result<(), Error<T>> {
	ensure!(terms.floor <= T::MaxRoyalty::get(), Error::<T>::FloorAboveMax);
	ensure!(
		parent.is_none_or(|parent| terms.floor >= parent.floor),
		Error::<T>::FloorBelowParents
	);
	ensure!(
		parent.is_none_or(|parent| terms.share >= parent.share),
		Error::<T>::ShareBelowParents
	);
	Ok(())
}

fn blob_size_is_valid(blob: &BlobRef) -> bool {
	(1..=MaxBlobSize::get()).contains(&blob.size)
}

/// The characters of SPDX licence expressions.
fn check_licence<T: Config>(licence: &[u8]) -> Result<(), Error<T>> {
	let spdx = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.+():/ ".contains(byte);
	ensure!(licence.iter().all(spdx), Error::<T>::LicenceInvalid);
	let ends_are_visible = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b' ');
	ensure!(
		ends_are_visible(licence.first()) && ends_are_visible(licence.last()),
		Error::<T>::LicenceInvalid
	);
	Ok(())
}

fn check_tensors<T: Config>(tensors: &[TensorSpec]) -> Result<(), Error<T>> {
	ensure!(!tensors.is_empty(), Error::<T>::TensorsMissing);
	let mut names = BTreeSet::new();
	for tensor in tensors {
		check_tensor_name(&tensor.name)?;
		ensure!(names.insert(&tensor.name), Error::<T>::TensorNameTwice);
	}
	Ok(())
}

/// Tensors travel in safetensors files, whose header is JSON.
fn check_tensor_name<T: Config>(name: &[u8]) -> Result<(), Error<T>> {
	let text = core::str::from_utf8(name).map_err(|_| Error::<T>::TensorNameInvalid)?;
	ensure!(
		!text.is_empty() && !text.chars().any(char::is_control),
		Error::<T>::TensorNameInvalid
	);
	ensure!(name != RESERVED_TENSOR_NAME, Error::<T>::TensorNameInvalid);
	Ok(())
}

/// A trace is the inside of the model: what is delivered, or sent in, tells nothing of who computed it.
fn check_trace<T: Config>(trace: &Trace, spec: &VersionSpec) -> Result<(), Error<T>> {
	check_tensor_name(&trace.tensor)?;
	let mut tensors = spec.inputs.iter().chain(&spec.outputs);
	ensure!(
		!tensors.any(|tensor| tensor.name == trace.tensor),
		Error::<T>::TraceNameTaken
	);
	ensure!(trace.tolerance > 0, Error::<T>::TraceToleranceZero);
	Ok(())
}

fn check_policy<T: Config>(policy: &VerificationPolicy, outputs: &[TensorSpec]) -> Result<(), Error<T>> {
	match policy {
		VerificationPolicy::Exact => {
			ensure!(
				!outputs.iter().any(|output| is_float(output.dtype)),
				Error::<T>::ExactNeedsIntegers
			)
		}
		VerificationPolicy::Tolerance { outliers, .. } => {
			ensure!(*outliers <= MAX_OUTLIERS, Error::<T>::OutliersAboveMax)
		}
	}
	Ok(())
}

fn is_float(dtype: DType) -> bool {
	match dtype {
		DType::F16 | DType::BF16 | DType::F32 | DType::F64 => true,
		DType::Bool
		| DType::U8
		| DType::I8
		| DType::I16
		| DType::U16
		| DType::I32
		| DType::U32
		| DType::I64
		| DType::U64 => false,
	}
}

fn check_recipe<T: Config>(recipe: &Recipe) -> Result<(), Error<T>> {
	ensure!(check_name::<T>(&recipe.name).is_ok(), Error::<T>::RecipeInvalid);
	ensure!(blob_size_is_valid(&recipe.config), Error::<T>::RecipeInvalid);
	Ok(())
}
