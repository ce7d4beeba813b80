//! References to content-addressed blobs: models, inputs, outputs and recipe files.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::ConstU64;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// The BLAKE3 root of a blob: the plain BLAKE3 hash of its bytes.
pub type BlobHash = H256;

/// The largest blob that the chain accepts a reference to: 8 GiB, a model of several billion weights.
pub type MaxBlobSize = ConstU64<{ 8 * 1024 * 1024 * 1024 }>;

/// What the chain knows of a blob.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Hash,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct BlobRef {
	/// BLAKE3 hash of the bytes.
	pub hash: BlobHash,
	/// Length in bytes.
	#[codec(compact)]
	pub size: u64,
}

impl BlobRef {
	/// The reference to `bytes`.
	#[cfg(feature = "std")]
	pub fn of(bytes: &[u8]) -> Self {
		Self {
			hash: H256(*blake3::hash(bytes).as_bytes()),
			size: bytes.len() as u64,
		}
	}
}
