//! The request-response protocol `/highway/blobs/1`: what goes over the wire, under which name.

use crate::geometry::GROUP_SIZE;
use codec::{Decode, Encode};
use highway_primitives::BlobHash;
use sc_network::{config::IncomingRequest, NetworkBackend, ProtocolName};
use sp_runtime::traits::Block as BlockT;
use std::time::Duration;

/// Chunk groups that one response holds at most: a response is a MiB and its proof.
pub const MAX_GROUPS: u32 = 1;

/// Requests larger than this are refused unread.
pub const MAX_REQUEST_SIZE: u64 = 256;

/// A chunk group, its proof (64 bytes for each of at most 64 levels) and the frame around them.
pub const MAX_RESPONSE_SIZE: u64 = MAX_GROUPS as u64 * GROUP_SIZE + 8 * 1024;

/// A request is given up after this time. A MiB in it is 0.4 Mbit/s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Requests that wait to be answered; more are refused.
const QUEUE: usize = 64;

/// Asks for chunk groups of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Request {
	/// The blob.
	pub hash: BlobHash,
	/// The first chunk group asked for.
	#[codec(compact)]
	pub first: u32,
	/// How many, at least one. The answer may hold fewer.
	#[codec(compact)]
	pub count: u32,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Response {
	/// Chunk groups from the first one asked for, encoded with their proof by `bao-tree`.
	#[codec(index = 0)]
	Slice {
		/// Size of the whole blob in bytes.
		#[codec(compact)]
		size: u64,
		/// How many groups.
		#[codec(compact)]
		count: u32,
		/// The encoded slice.
		bytes: Vec<u8>,
	},
	/// The blob, or that part of it, is not here.
	#[codec(index = 1)]
	NotFound {
		/// Size of the blob, if it is known.
		size: Option<u64>,
	},
	/// Ask again later, or somebody else.
	#[codec(index = 2)]
	Busy,
}

/// Requests of peers as the network hands them over, for [`crate::BlobServer`].
pub struct Requests {
	protocol: ProtocolName,
	pub(crate) queue: async_channel::Receiver<IncomingRequest>,
}

impl Requests {
	/// The protocol's name, for [`crate::NetworkTransport`].
	pub fn protocol(&self) -> ProtocolName {
		self.protocol.clone()
	}

	#[cfg(test)]
	pub(crate) fn bounded(size: usize) -> (async_channel::Sender<IncomingRequest>, Self) {
		let (sender, queue) = async_channel::bounded(size);
		(
			sender,
			Self {
				protocol: protocol_name([0; 32], None),
				queue,
			},
		)
	}
}

/// `/<genesis hash>[/<fork>]/highway/blobs/1`
pub fn protocol_name(genesis_hash: impl AsRef<[u8]>, fork_id: Option<&str>) -> ProtocolName {
	let genesis = hex::encode(genesis_hash);
	match fork_id {
		Some(fork) => format!("/{genesis}/{fork}/highway/blobs/1"),
		None => format!("/{genesis}/highway/blobs/1"),
	}
	.into()
}

/// The protocol's configuration, to be added to the network's before it is built, and what comes in through it.
pub fn request_response_config<B: BlockT, N: NetworkBackend<B, B::Hash>>(
	genesis_hash: impl AsRef<[u8]>,
	fork_id: Option<&str>,
) -> (N::RequestResponseProtocolConfig, Requests) {
	let (sender, queue) = async_channel::bounded(QUEUE);
	let protocol = protocol_name(genesis_hash, fork_id);
	let config = N::request_response_config(
		protocol.clone(),
		Vec::new(),
		MAX_REQUEST_SIZE,
		MAX_RESPONSE_SIZE,
		REQUEST_TIMEOUT,
		Some(sender),
	);
	(config, Requests { protocol, queue })
}
