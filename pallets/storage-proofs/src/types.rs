//! What is stored of challenges, and what is asked of the registry.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::ConstU32;
use highway_primitives::{BlobHash, BlobRef, BlockNumber, ModelId, NodeId, BLOCK_SECONDS};
use scale_info::TypeInfo;

/// The most challenges that are drawn in one block, and so the most that end in one.
pub const DRAWS: u32 = 4;

/// [`DRAWS`] as a type.
pub type MaxDraws = ConstU32<DRAWS>;

/// Blocks for which a miss and the showing of an artefact are remembered: a day. A model that is stored by many is challenged
/// often enough within it that two misses of one node in a row are seen.
pub const MEMORY: BlockNumber = 24 * 3_600 / BLOCK_SECONDS;

/// What models are made of. The runtime wires it to the model registry.
pub trait Artefacts {
	/// The file that new jobs of the model run on now. `None` if there is no such model.
	fn artefact(model: ModelId) -> Option<BlobRef>;
}

/// What a node has to show. It is not changed by anything that happens to node, model or market after the draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Challenge {
	/// The file: that of the version which was current at the draw.
	pub artefact: BlobRef,
	/// The chunk of 1 KiB, counted from 0.
	#[codec(compact)]
	pub chunk: u64,
	/// The block that drew it.
	#[codec(compact)]
	pub drawn_at: BlockNumber,
	/// The last block in which an answer counts.
	#[codec(compact)]
	pub until: BlockNumber,
	/// Whether the node was able to serve at the draw, as far as the chain knew. One that is silent, paused or jailed is not
	/// fined for a miss as well.
	pub able: bool,
}

/// A challenge that a node missed last, and has not made up for by an answer since.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Miss {
	/// The last block of the challenge.
	#[codec(compact)]
	pub until: BlockNumber,
	/// Whether the node could have answered, as far as the chain knows: it was able to serve at the draw, and somebody had
	/// shown the artefact.
	pub blamed: bool,
}

/// What is to be forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Memory {
	/// That the node missed its last challenge to show the model.
	Missed(NodeId, ModelId),
	/// That somebody showed the artefact.
	Shown(BlobHash),
}
