//! The network as the fetcher sees it, and the real one.

use crate::store::LOG_TARGET;
use async_trait::async_trait;
use sc_network::{
	request_responses::{OutboundFailure, RequestFailure},
	service::traits::NetworkService,
	IfDisconnected, Multiaddr, ProtocolName, ReputationChange,
};
use sc_network_types::PeerId;
use std::{sync::Arc, time::Duration};

/// A response that fails verification. Two of them ban a peer: a disk may fail once.
const LIE: ReputationChange = ReputationChange::new(-(1 << 30), "blobs: slice does not match the hash");

/// Pause before a peer that could not be reached is dialled once more.
const SECOND_DIAL_AFTER: Duration = Duration::from_millis(200);

/// Why a peer did not answer. None of them proves ill will.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
	/// It cannot be reached under any known address.
	#[error("cannot be reached")]
	Unreachable,
	/// It does not answer such requests now.
	#[error("refused to answer")]
	Refused,
	/// It took too long.
	#[error("took too long to answer")]
	Timeout,
	/// The connection broke.
	#[error("connection failed: {0}")]
	Connection(String),
}

/// What the fetcher needs of a network.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
	/// Sends a request of the blob protocol and waits for the response, connecting if need be.
	async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, RequestError>;
	/// Says where a peer may be reached.
	fn add_addresses(&self, peer: PeerId, addresses: Vec<Multiaddr>);
	/// The peers that the node is connected to.
	async fn connected(&self) -> Vec<PeerId>;
	/// This node's own id.
	fn local(&self) -> PeerId;
	/// A response of this peer failed verification.
	fn report_lie(&self, peer: PeerId);
}

/// Who the node is connected to. The network service does not tell; the syncing service does.
#[async_trait]
pub trait Peers: Send + Sync + 'static {
	/// The peers that the node is connected to now.
	async fn connected(&self) -> Vec<PeerId>;
}

/// The node's own p2p network.
pub struct NetworkTransport {
	network: Arc<dyn NetworkService>,
	protocol: ProtocolName,
	peers: Arc<dyn Peers>,
}

impl NetworkTransport {
	/// `protocol` is [`crate::protocol::Requests::protocol`].
	pub fn new(network: Arc<dyn NetworkService>, protocol: ProtocolName, peers: Arc<dyn Peers>) -> Self {
		Self {
			network,
			protocol,
			peers,
		}
	}
}

impl NetworkTransport {
	async fn try_request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, RequestError> {
		let answered = self
			.network
			.request(peer, self.protocol.clone(), request, None, IfDisconnected::TryConnect)
			.await;
		answered.map(|(response, _)| response).map_err(|failure| {
			log::debug!(target: LOG_TARGET, "request to {peer}: {failure}");
			match failure {
				RequestFailure::NotConnected | RequestFailure::Network(OutboundFailure::DialFailure) => {
					RequestError::Unreachable
				}
				RequestFailure::Network(OutboundFailure::Timeout) => RequestError::Timeout,
				RequestFailure::Refused
				| RequestFailure::UnknownProtocol
				| RequestFailure::InvalidRequest
				| RequestFailure::Network(OutboundFailure::UnsupportedProtocols) => RequestError::Refused,
				RequestFailure::Obsolete | RequestFailure::Network(_) => RequestError::Connection(failure.to_string()),
			}
		})
	}
}

#[async_trait]
impl Transport for NetworkTransport {
	async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, RequestError> {
		match self.try_request(peer, request.clone()).await {
			// Addresses and requests reach the network through different queues: the address may come second.
			Err(RequestError::Unreachable) => {
				tokio::time::sleep(SECOND_DIAL_AFTER).await;
				self.try_request(peer, request).await
			}
			answered => answered,
		}
	}

	fn add_addresses(&self, peer: PeerId, addresses: Vec<Multiaddr>) {
		for address in addresses {
			self.network.add_known_address(peer, address);
		}
	}

	async fn connected(&self) -> Vec<PeerId> {
		self.peers.connected().await
	}

	fn local(&self) -> PeerId {
		self.network.local_peer_id()
	}

	fn report_lie(&self, peer: PeerId) {
		self.network.report_peer(peer, LIE);
	}
}
