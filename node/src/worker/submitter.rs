//! The worker's way to the transaction pool.

use crate::{
	service::{FullClient, FullPool},
	worker::chain::RuntimeReader,
};
use async_trait::async_trait;
use highway_offchain_worker::{error::SubmitError, ports::Submitter};
use highway_primitives::{worker, WorkerAction, WorkerSignature};
use highway_runtime::Hash;
use highway_runtime_api::WorkerApi;
use sc_transaction_pool_api::LocalTransactionPool;
use sp_api::ProvideRuntimeApi;
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// Lets the runtime build what the keystore signs.
pub struct PoolSubmitter {
	client: Arc<FullClient>,
	pool: Arc<FullPool>,
	keystore: KeystorePtr,
	reader: Arc<RuntimeReader>,
}

impl PoolSubmitter {
	/// Submits into `pool`, signing with the key that `reader` found registered.
	pub fn new(
		client: Arc<FullClient>,
		pool: Arc<FullPool>,
		keystore: KeystorePtr,
		reader: Arc<RuntimeReader>,
	) -> Self {
		Self {
			client,
			pool,
			keystore,
			reader,
		}
	}
}

#[async_trait]
impl Submitter for PoolSubmitter {
	async fn submit(&self, at: Hash, action: WorkerAction) -> Result<(), SubmitError> {
		let runtime = |error: sp_api::ApiError| SubmitError::RuntimeApi(error.to_string());
		let key = self.reader.registered_key().ok_or(SubmitError::NoWorkerKey)?;
		let api = self.client.runtime_api();
		let payload = api.worker_payload(at, action.clone()).map_err(runtime)?;
		let signature = self
			.keystore
			.sr25519_sign(worker::KEY_TYPE, &key.into(), &payload)
			.map_err(|error| SubmitError::Keystore(error.to_string()))?
			.ok_or(SubmitError::NoWorkerKey)?;
		let transaction = api
			.worker_transaction(at, action, WorkerSignature::from(signature))
			.map_err(runtime)?;
		self.pool
			.submit_local(at, transaction)
			.map(drop)
			.map_err(|error| SubmitError::Pool(error.to_string()))
	}
}
