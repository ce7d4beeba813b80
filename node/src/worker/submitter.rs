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
use sc_transaction_pool_api::{
	error::{Error as PoolError, IntoPoolError},
	TransactionPool, TransactionSource,
};
use sp_api::ProvideRuntimeApi;
use sp_keystore::KeystorePtr;
use std::{sync::Arc, time::Duration};

/// How long to wait for the pool to see the block that the worker speaks about: both hear of it at the same time.
const POOL_SEES_BLOCK: Duration = Duration::from_secs(1);

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
		// A pool that does not know the block yet judges by its parent, where the job may not exist, and forgets the
		// transaction. `submit_local` would not even say so; this one asks every fork and tells what they answered.
		let _ = self.pool.ready_at_with_timeout(at, POOL_SEES_BLOCK).await;
		let submitted = self.pool.submit_one(at, TransactionSource::Local, transaction).await;
		match submitted.map_err(IntoPoolError::into_pool_error) {
			Ok(_) => Ok(()),
			// What is said again is in the pool already.
			Err(Ok(PoolError::AlreadyImported(_) | PoolError::TooLowPriority { .. })) => Ok(()),
			Err(Ok(error)) => Err(SubmitError::Pool(error.to_string())),
			Err(Err(error)) => Err(SubmitError::Pool(error.to_string())),
		}
	}
}
