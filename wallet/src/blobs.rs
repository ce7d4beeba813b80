//! Blobs by way of the connected node: put, get, and the check that what came is what the chain names.

use crate::client::{Client, ClientError};
use highway_primitives::{BlobRef, JobId};
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
	#[error("the node stored something else than what was sent (it says {stored}, the file is {sent}): do not trust it")]
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

/// What the node answers to a finished upload.
#[derive(Debug, Deserialize)]
struct Stored {
	hash: String,
	size: u64,
}

/// The bytes' hash as the node writes it.
fn hash_text(blob: &BlobRef) -> String {
	format!("0x{}", hex::encode(blob.hash))
}

/// Puts `bytes` into the node's store.
pub async fn put(client: &Client, bytes: &[u8], bar: &ProgressBar) -> Result<BlobRef, BlobError> {
	let blob = BlobRef::of(bytes);
	bar.set_length(blob.size);
	let stored: Stored = if bytes.len() <= PUT_CHUNK {
		client.request("blob_put", vec![json!(as_hex(bytes))]).await?
	} else {
		let upload: serde_json::Value = client.request("blob_uploadStart", vec![json!(blob.size)]).await?;
		for chunk in bytes.chunks(PUT_CHUNK) {
			let _: serde_json::Value =
				client.request("blob_uploadChunk", vec![upload.clone(), json!(as_hex(chunk))]).await?;
			bar.inc(chunk.len() as u64);
		}
		client.request("blob_uploadFinish", vec![upload]).await?
	};
	let sent = hash_text(&blob);
	if stored.hash != sent || stored.size != blob.size {
		return Err(BlobError::StoredOther { stored: stored.hash, sent });
	}
	bar.set_position(blob.size);
	Ok(blob)
}

/// Gets the blob, in the name of `job` if it is that job's, and checks it against its hash.
pub async fn get(client: &Client, blob: &BlobRef, job: Option<JobId>, bar: &ProgressBar) -> Result<Vec<u8>, BlobError> {
	bar.set_length(blob.size);
	let hash = hash_text(blob);
	let mut bytes = Vec::new();
	while (bytes.len() as u64) < blob.size {
		let at = bytes.len() as u64;
		let length = GET_CHUNK.min(blob.size - at);
		let params = vec![json!(hash), json!(at), json!(length), json!(job)];
		let text: String = client.request("blob_get", params).await.map_err(|error| match error {
			ClientError::Request { reason, .. } => BlobError::Missing { hash: hash.clone(), reason },
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

	#[test]
	fn verify_should_refuse_when_a_byte_or_the_length_differs() {
		let blob = BlobRef::of(b"output");
		assert!(verify(&blob, b"output").is_ok());
		assert!(matches!(verify(&blob, b"0utput"), Err(BlobError::Mismatch(_))));
		assert!(matches!(verify(&BlobRef { size: 7, ..blob }, b"output"), Err(BlobError::Mismatch(_))));
	}
}
