//! Blobs by way of the connected node: put, get, and the check that what came is what the chain names.

use crate::client::{ClientError, Rpc};
use highway_primitives::{BlobRef, JobId, ModelId};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::json;

/// The most bytes of one request that puts.
const PUT_CHUNK: usize = 4 << 20;

/// The most bytes of one request that gets.
const GET_CHUNK: u64 = 1 << 20;

/// Why a blob did not travel.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
	/// The node.
	#[error(transparent)]
	Client(#[from] ClientError),
	/// What was put arrived as something else.
	#[error(
		"the node stored something else than what was sent (it says {stored}, the file is {sent}): do not trust it"
	)]
	StoredOther {
		/// Hash that the node answered with.
		stored: String,
		/// Hash of the file.
		sent: String,
	},
	/// What came is not what the chain names.
	#[error("the node sent other bytes than those that the chain names ({0}): nothing of them was used; ask another node with --url")]
	Mismatch(String),
	/// Nobody has it now.
	#[error("the blob {hash} cannot be had now: {reason}")]
	Missing {
		/// Its hash.
		hash: String,
		/// What the node said.
		reason: String,
	},
}

/// How far an upload came.
#[derive(Debug, Deserialize)]
struct UploadProgress {
	received: u64,
}

/// What a node has of a blob.
#[derive(Debug, Deserialize)]
struct Status {
	complete: bool,
}

/// Error codes of the node that time may mend: too much asked for, not here yet, nobody found, or a peer that broke off.
const PASSING: [i32; 5] = [15_002, 15_003, 15_005, 15_006, 15_007];

/// By what the chain names a blob.
#[derive(Clone, Copy, Debug)]
pub enum BlobOwner {
	/// It is this job's input or output.
	Job(JobId),
	/// It is this model's file, or that of its recipe.
	Model(ModelId),
}

/// The bytes' hash as the node writes it.
fn hash_text(blob: &BlobRef) -> String {
	format!("0x{}", hex::encode(blob.hash))
}

/// Puts `bytes` into the node's store. More than 4 MiB only into a node of one's own.
pub async fn put(node: &Rpc, bytes: &[u8], bar: &ProgressBar) -> Result<BlobRef, BlobError> {
	let blob = BlobRef::of(bytes);
	bar.set_length(blob.size);
	let hash = json!(blob.hash);
	let there: Option<Status> = node.request("blob_status", vec![hash.clone()]).await?;
	if there.is_some_and(|status| status.complete) {
		return Ok(blob);
	}
	let stored: BlobRef = if bytes.len() <= PUT_CHUNK {
		node.request("blob_put", vec![json!(as_hex(bytes))]).await?
	} else {
		upload(node, bytes, &blob, bar).await?;
		node.request("blob_uploadFinish", vec![hash]).await?
	};
	if stored != blob {
		return Err(BlobError::StoredOther {
			stored: hash_text(&stored),
			sent: hash_text(&blob),
		});
	}
	bar.set_position(blob.size);
	Ok(blob)
}

/// Sends what the node does not have of a large blob.
async fn upload(node: &Rpc, bytes: &[u8], blob: &BlobRef, bar: &ProgressBar) -> Result<(), BlobError> {
	let start = vec![json!(blob.hash), json!(blob.size)];
	let UploadProgress { mut received } = node.request("blob_uploadStart", start).await?;
	while received < blob.size {
		bar.set_position(received);
		let at = usize::try_from(received).unwrap_or(bytes.len());
		let chunk = &bytes[at..bytes.len().min(at + PUT_CHUNK)];
		let params = vec![json!(blob.hash), json!(received), json!(as_hex(chunk))];
		let progress: UploadProgress = node.request("blob_uploadChunk", params).await?;
		// A node that does not go on must not keep us here.
		if progress.received <= received {
			return Err(BlobError::StoredOther {
				stored: "nothing more".into(),
				sent: hash_text(blob),
			});
		}
		received = progress.received;
	}
	Ok(())
}

/// Makes the node keep the blob for good. Only a node of one's own does.
pub async fn pin(node: &Rpc, blob: &BlobRef) -> Result<(), ClientError> {
	node.request("blob_pin", vec![json!(blob.hash)]).await
}

/// Gets the blob of `owner` and checks it against its hash.
pub async fn get(node: &Rpc, blob: &BlobRef, owner: BlobOwner, bar: &ProgressBar) -> Result<Vec<u8>, BlobError> {
	let (job, model) = match owner {
		BlobOwner::Job(job) => (Some(job), None),
		BlobOwner::Model(model) => (None, Some(model)),
	};
	bar.set_length(blob.size);
	let hash = hash_text(blob);
	let mut bytes = Vec::new();
	while (bytes.len() as u64) < blob.size {
		let at = bytes.len() as u64;
		let length = GET_CHUNK.min(blob.size - at);
		let params = vec![json!(hash), json!(at), json!(length), json!(job), json!(model)];
		let text: String = node.request("blob_get", params).await.map_err(|error| match error {
			ClientError::Request { reason, code, .. } if PASSING.contains(&code) => BlobError::Missing {
				hash: hash.clone(),
				reason,
			},
			other => other.into(),
		})?;
		let chunk = hex::decode(text.trim_start_matches("0x")).unwrap_or_default();
		// An empty or endless answer must not keep us here.
		if chunk.len() as u64 != length {
			return Err(BlobError::Mismatch(hash));
		}
		bytes.extend(chunk);
		bar.inc(length);
	}
	verify(blob, &bytes)?;
	Ok(bytes)
}

/// Whether `bytes` are the blob.
pub fn verify(blob: &BlobRef, bytes: &[u8]) -> Result<(), BlobError> {
	if BlobRef::of(bytes) == *blob {
		Ok(())
	} else {
		Err(BlobError::Mismatch(hash_text(blob)))
	}
}

fn as_hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
	use super::*;
	use jsonrpsee::{
		server::{Server, ServerHandle},
		types::ErrorObjectOwned,
		RpcModule,
	};

	/// The job whose blob is asked for.
	const JOB: JobId = 7;

	/// A node that has these bytes for the blob of [`JOB`]. It serves as long as the handle is there.
	async fn node_with(blob: BlobRef, bytes: Vec<u8>) -> (Rpc, ServerHandle) {
		let mut module = RpcModule::new((hash_text(&blob), bytes));
		module
			.register_method(
				"blob_get",
				|params, (name, bytes): &(String, Vec<u8>), _| -> Result<String, ErrorObjectOwned> {
					let (hash, from, length, job, model) =
						params.parse::<(String, usize, usize, Option<JobId>, Option<ModelId>)>()?;
					assert_eq!((&hash, job, model), (name, Some(JOB), None), "the chain names it so");
					Ok(as_hex(&bytes[from..from + length]))
				},
			)
			.unwrap();
		let server = Server::builder().build("127.0.0.1:0").await.unwrap();
		let url = format!("ws://{}", server.local_addr().unwrap());
		let handle = server.start(module);
		(Rpc::connect(&url).await.unwrap(), handle)
	}

	/// What the wallet makes of a node that serves `served` as `blob`.
	async fn get_from(blob: &BlobRef, served: &[u8]) -> Result<Vec<u8>, BlobError> {
		let (node, _server) = node_with(*blob, served.to_vec()).await;
		get(&node, blob, BlobOwner::Job(JOB), &ProgressBar::hidden()).await
	}

	#[tokio::test]
	async fn get_should_refuse_when_the_node_changed_one_bit() {
		let blob = BlobRef::of(b"output");
		assert_eq!(get_from(&blob, b"output").await.unwrap(), b"output");
		for bit in 0..8 * 6 {
			let mut changed = b"output".to_vec();
			changed[bit / 8] ^= 1 << (bit % 8);
			let got = get_from(&blob, &changed).await;
			assert!(
				matches!(&got, Err(BlobError::Mismatch(hash)) if *hash == hash_text(&blob)),
				"bit {bit}: {got:?}"
			);
		}
	}

	#[tokio::test]
	async fn get_should_put_the_chunks_together_when_there_are_several() {
		// No two chunks are alike, and the last one is short.
		let numbers = 0..(GET_CHUNK / 4 * 2 + 5) as u32;
		let mut bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
		let blob = BlobRef::of(&bytes);
		assert!(get_from(&blob, &bytes).await.unwrap() == bytes);
		for at in [0, bytes.len() / 2, bytes.len() - 1] {
			bytes[at] ^= 1;
			assert!(matches!(get_from(&blob, &bytes).await, Err(BlobError::Mismatch(_))));
			bytes[at] ^= 1;
		}
	}

	#[test]
	fn verify_should_refuse_when_a_byte_or_the_length_differs() {
		let blob = BlobRef::of(b"output");
		assert!(verify(&blob, b"output").is_ok());
		assert!(matches!(verify(&blob, b"0utput"), Err(BlobError::Mismatch(_))));
		assert!(matches!(
			verify(&BlobRef { size: 7, ..blob }, b"output"),
			Err(BlobError::Mismatch(_))
		));
	}
}
