//! The node's own JSON-RPC, besides what every Substrate node has.

pub mod blob;
pub(crate) mod inference;

use crate::service::{FullBackend, FullClient, FullPool, FullSelectChain};
use highway_runtime::{opaque::Block, BlockNumber, Hash};
use jsonrpsee::RpcModule;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sp_core::traits::SpawnNamed;
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What Grandpa's methods need.
pub(crate) struct GrandpaDeps {
	pub shared_voter_state: SharedVoterState,
	pub shared_authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	pub justification_stream: GrandpaJustificationStream<Block>,
	pub finality_provider: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// What all methods need.
pub(crate) struct FullDeps {
	pub client: Arc<FullClient>,
	pub pool: Arc<FullPool>,
	pub select_chain: FullSelectChain,
	pub keystore: KeystorePtr,
	pub babe_worker_handle: BabeWorkerHandle<Block>,
	pub grandpa: GrandpaDeps,
	pub blobs: blob::Blob,
	pub inference: inference::Inference,
}

type RpcError = Box<dyn std::error::Error + Send + Sync>;

/// All methods together.
pub(crate) fn create_full(deps: FullDeps, executor: Arc<dyn SpawnNamed>) -> Result<RpcModule<()>, RpcError> {
	let mut module = RpcModule::new(());
	module.merge(System::new(deps.client.clone(), deps.pool).into_rpc())?;
	module.merge(TransactionPayment::new(deps.client.clone()).into_rpc())?;
	module.merge(Babe::new(deps.client, deps.babe_worker_handle, deps.keystore, deps.select_chain).into_rpc())?;
	module.merge(
		Grandpa::new(
			executor,
			deps.grandpa.shared_authority_set,
			deps.grandpa.shared_voter_state,
			deps.grandpa.justification_stream,
			deps.grandpa.finality_provider,
		)
		.into_rpc(),
	)?;
	module.merge(blob::BlobApiServer::into_rpc(deps.blobs))?;
	module.merge(inference::InferenceApiServer::into_rpc(deps.inference))?;
	Ok(module)
}
