//! What a model is, as far as more than one pallet or program needs to know it.

use crate::{Balance, BlobHash, BlobRef};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::Perbill;

/// Id of a model. Never reused.
pub type ModelId = u32;

/// Version of a model, from 1, rising by one.
pub type ModelVersion = u32;

/// Name of a model within its owner's names: lower-case letters, digits, `-`, `_` and `.`; at most 64 bytes.
pub type ModelName = BoundedVec<u8, ConstU32<64>>;

/// SPDX licence expression, such as `Apache-2.0`.
pub type Licence = BoundedVec<u8, ConstU32<64>>;

/// The longest line of ancestors that a model may have.
pub const MAX_LINEAGE: u32 = 4;

/// The most tensors on either side of a model.
pub type MaxTensors = ConstU32<16>;

/// Element type of a tensor, in the words of the safetensors format.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
#[allow(missing_docs)] // The variants are the format's own words.
pub enum DType {
	Bool,
	U8,
	I8,
	I16,
	U16,
	F16,
	BF16,
	I32,
	U32,
	F32,
	F64,
	I64,
	U64,
}

/// Name, element type and shape of one input or output.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
pub struct TensorSpec {
	/// The tensor's name in the ONNX graph.
	pub name: BoundedVec<u8, ConstU32<64>>,
	/// Element type.
	pub dtype: DType,
	/// Dimensions; `None` is a dynamic one.
	pub shape: BoundedVec<Option<u32>, ConstU32<8>>,
}

/// What the price and the deadline of a job are counted in. Fixed at submission from what the chain knows itself.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum Unit {
	/// One unit per input.
	Request,
	/// One unit per started KiB of the input blob, and at least one per input.
	InputKib,
}

impl Unit {
	/// Units of a job of so many inputs, whose blob has `input_size` bytes: at least one.
	pub fn count(&self, input_size: u64, inputs: u16) -> u32 {
		let least = u32::from(inputs).max(1);
		match self {
			Self::Request => least,
			Self::InputKib => u32::try_from(input_size.div_ceil(1024)).unwrap_or(u32::MAX).max(least),
		}
	}
}

/// How two runs of the same job are compared.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum VerificationPolicy {
	/// Integer outputs only: equal bytes.
	Exact,
	/// |a − b| ≤ atol + rtol·|b| for all values but a share of `outliers` (≤ 1 %).
	Tolerance {
		/// Absolute tolerance in units of 10⁻⁹.
		atol: u32,
		/// Relative tolerance in units of 10⁻⁹.
		rtol: u32,
		/// Share of the values that may lie outside.
		outliers: Perbill,
	},
}

/// The internal tensor by which runs are compared beside their outputs: outputs are public and small, and whoever
/// copied one has not computed this.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
pub struct Trace {
	/// Name of the graph output that carries it. It is sketched where it was computed and never delivered.
	pub tensor: BoundedVec<u8, ConstU32<128>>,
	/// How far the sums of two honest sketches may lie apart, in units of 10⁻⁶; from calibration.
	#[codec(compact)]
	pub tolerance: u64,
}

/// The least detection power of a version that may be registered: half of all cheats are seen by an audit.
pub const MIN_DETECTION: Perbill = Perbill::from_percent(50);

/// Tells a wallet how a plain file becomes the model's input and its output a readable answer.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
pub struct Recipe {
	/// The recipe's name, known to the wallet, such as `magika`.
	pub name: BoundedVec<u8, ConstU32<32>>,
	/// The recipe's own file (labels and the like), a blob.
	pub config: BlobRef,
}

/// What one version of a model is and does. Immutable.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
pub struct VersionSpec {
	/// The ONNX file.
	pub artifact: BlobRef,
	/// Its licence.
	pub licence: Licence,
	/// Inputs in the order of the graph.
	pub inputs: BoundedVec<TensorSpec, MaxTensors>,
	/// Outputs in the order of the graph.
	pub outputs: BoundedVec<TensorSpec, MaxTensors>,
	/// What price and deadline are counted in.
	pub unit: Unit,
	/// Time that one unit may take on the slowest admitted device, in milliseconds.
	#[codec(compact)]
	pub unit_time_ms: u32,
	/// How two runs are compared.
	pub policy: VerificationPolicy,
	/// The internal tensor that sketches are made of; without it, they are made of the outputs, which anybody can copy.
	pub trace: Option<Trace>,
	/// Least share of cheats that an audit sees, by calibration; at least [`MIN_DETECTION`].
	pub detection: Perbill,
	/// Whether calibration found that the rows of a shared run do not change one another: only then do jobs share runs.
	pub shares_runs: bool,
	/// How a wallet makes inputs from files, if it can.
	pub recipe: Option<Recipe>,
}

impl VersionSpec {
	/// Names this specification on every fork; ids of models are only counted up.
	pub fn digest(&self) -> H256 {
		H256(sp_io::hashing::blake2_256(&self.encode()))
	}
}

/// What the owner of a model asks of models derived from it. Fixed for a child at the child's registration.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct DerivativeTerms {
	/// Share of the child's royalty.
	pub share: Perbill,
	/// The least amount per unit, whatever the child's royalty.
	#[codec(compact)]
	pub floor: Balance,
}

/// One payee of a royalty.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RoyaltyLine<AccountId> {
	/// The model it is paid for: the one that runs, or an ancestor.
	pub model: ModelId,
	/// Who earns it.
	pub payee: AccountId,
	/// Amount per unit.
	pub per_unit: Balance,
}

/// What a submission needs to know of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelService {
	/// The version that new jobs run on.
	pub version: ModelVersion,
	/// [`VersionSpec::digest`] of that version.
	pub spec: H256,
	/// What price and deadline are counted in.
	pub unit: Unit,
	/// Time that one unit may take, in milliseconds.
	pub unit_time_ms: u32,
	/// Least share of cheats that an audit sees.
	pub detection: Perbill,
}

/// The payees of a model's royalty: the maker first, then its ancestors, nearest first; at most `1 + MAX_LINEAGE`.
pub type Royalties<AccountId> = Vec<RoyaltyLine<AccountId>>;

/// Separates commitments to models from other hashes.
const MODEL_DOMAIN: &[u8; 15] = b"highway/model/1";

/// H(domain, owner, artefact, salt): what an account says before it brings an artefact to the chain, as a model or as a
/// version of one, so that nobody who sees that call can be there first with the same file. `owner` is the encoded account.
pub fn model_commitment(owner: &[u8], artefact: &BlobHash, salt: &[u8; 32]) -> H256 {
	H256(sp_io::hashing::blake2_256(
		&(MODEL_DOMAIN, owner, artefact, salt).encode(),
	))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn units_should_be_one_per_input_or_per_started_kib_but_never_fewer_than_inputs() {
		for (size, inputs, requests, kib) in [
			(0, 1, 1, 1),
			(1_024, 1, 1, 1),
			(1_025, 1, 1, 2),
			(1_025, 2, 2, 2),
			(1_025, 256, 256, 256),
			(1 << 20, 256, 256, 1_024),
			(u64::MAX, u16::MAX, 65_535, u32::MAX),
			// No job has no input, and none is free of units.
			(0, 0, 1, 1),
		] {
			assert_eq!(Unit::Request.count(size, inputs), requests);
			assert_eq!(Unit::InputKib.count(size, inputs), kib, "{size} bytes, {inputs} inputs");
		}
	}

	#[test]
	fn a_commitment_to_a_model_should_bind_to_owner_artefact_and_salt() {
		let commitment = |owner: &[u8], artefact: u8, salt: u8| {
			model_commitment(owner, &BlobHash::repeat_byte(artefact), &[salt; 32])
		};
		let one = commitment(b"alice", 1, 1);
		assert_eq!(one, commitment(b"alice", 1, 1));
		for other in [
			commitment(b"alic", 1, 1),
			commitment(b"bob", 1, 1),
			commitment(b"alice", 2, 1),
			commitment(b"alice", 1, 2),
		] {
			assert_ne!(one, other);
		}
	}
}
