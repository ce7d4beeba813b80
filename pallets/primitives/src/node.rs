//! What a node is, as far as more than one pallet or program needs to know it.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Id of a registered node. Never reused: a node that leaves and comes back is another node.
pub type NodeId = u32;

/// A node's peer id in the p2p network: the bytes of its multihash. Empty: not told.
pub type PeerIdBytes = BoundedVec<u8, ConstU32<64>>;

/// The binary or textual form of one multiaddress, such as `/ip4/192.0.2.1/tcp/30333`, as UTF-8 text.
pub type Multiaddress = BoundedVec<u8, ConstU32<128>>;

/// Region in the operator's words, such as `eu-west`.
pub type Region = BoundedVec<u8, ConstU32<32>>;

/// The most addresses of a node.
pub type MaxAddresses = ConstU32<4>;

/// What a node's inference really runs on.
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
pub enum DeviceClass {
	/// The CPU execution provider on x86-64.
	CpuX86,
	/// The CPU execution provider on AArch64.
	CpuArm,
	/// The CUDA execution provider.
	Cuda,
}

/// How to reach a node for blobs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize)]
pub struct Contact {
	/// The node.
	pub node: NodeId,
	/// Bytes of its peer id; empty if it did not tell.
	pub peer_id: Vec<u8>,
	/// Its multiaddresses as text.
	pub addresses: Vec<Vec<u8>>,
}
