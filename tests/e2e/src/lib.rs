//! What the end-to-end tests in `tests/` have in common. They run real nodes and real models; each file has a network of
//! its own.
//!
//! [`Account`] talks to a node through the wallet's library where a test needs what the `highway` binary refuses to do, or
//! exact amounts.

mod account;

pub use account::{key, Account, Submitted};

use anyhow::{Context, Result};
use highway_offchain_worker::tensors::{serialize, Tensor};
use highway_primitives::{model::DType, Balance, BlobRef};
use highway_test_support::Node;
use serde_json::{json, Value};

/// A tensor of 32-bit floats.
pub fn floats(name: &str, shape: &[usize], values: &[f32]) -> Result<Tensor> {
	let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	Ok(Tensor::new(name, DType::F32, shape.to_vec(), data)?)
}

/// A tensor of 64-bit integers.
pub fn integers(name: &str, shape: &[usize], values: &[i64]) -> Result<Tensor> {
	let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	Ok(Tensor::new(name, DType::I64, shape.to_vec(), data)?)
}

/// An input for [`highway_test_support::hostile_models::identity`] that no other test makes: `rows` × 4 values.
pub fn identity_input(first: f32, rows: usize) -> Result<Vec<u8>> {
	let numbers: Vec<f32> = (0..rows * 4).map(|index| first + index as f32).collect();
	Ok(serialize(&[floats("x", &[rows, 4], &numbers)?]))
}

/// Puts bytes into a node's store without the wallet's checks.
pub async fn put_blob(node: &Node, bytes: &[u8]) -> Result<BlobRef> {
	let stored = node
		.rpc("blob_put", json!([format!("0x{}", hex::encode(bytes))]))
		.await?;
	let blob = BlobRef::of(bytes);
	anyhow::ensure!(
		stored["hash"] == json!(format!("{:?}", blob.hash)),
		"the node stored {stored} instead of {blob:?}"
	);
	Ok(blob)
}

/// Gets all bytes of a job's blob from a node.
pub async fn get_blob(node: &Node, blob: &Value, job: u64) -> Result<Vec<u8>> {
	let size = blob["size"]
		.as_u64()
		.with_context(|| format!("a blob has a size: {blob}"))?;
	let mut bytes = Vec::new();
	while (bytes.len() as u64) < size {
		// The node gives at most 1 MiB at once.
		let part = node
			.rpc("blob_get", json!([blob["hash"], bytes.len(), size, job]))
			.await?;
		let part = hex::decode(part.as_str().context("a blob is hex")?.trim_start_matches("0x"))?;
		anyhow::ensure!(!part.is_empty(), "{blob} ends after {} bytes", bytes.len());
		bytes.extend(part);
	}
	Ok(bytes)
}

/// The decimal AIC of `highway --json` in smallest units.
pub fn amount(value: &Value) -> Result<Balance> {
	let text = value
		.as_str()
		.with_context(|| format!("an amount is a string: {value}"))?;
	highway_wallet::parse_amount(text).map_err(|error| anyhow::anyhow!("{text}: {error}"))
}

/// What a bill gives to `payee`, an address, or burns if there is none.
pub fn billed_to(bill: &Value, payee: Option<&str>) -> Result<Balance> {
	let lines = bill["lines"]
		.as_array()
		.with_context(|| format!("a bill has lines: {bill}"))?;
	let own = lines.iter().filter(|line| line["payee"].as_str() == payee);
	own.map(|line| amount(&line["amount"])).sum()
}

/// What the chain mints for who did a settled job: half of what the job burned.
pub fn subsidy_of(bill: &Value) -> Result<Balance> {
	let lines = bill["lines"]
		.as_array()
		.with_context(|| format!("a bill has lines: {bill}"))?;
	let burned = lines
		.iter()
		.filter(|line| line["role"] == "Protocol" && line["payee"].is_null());
	Ok(burned.map(|line| amount(&line["amount"])).sum::<Result<Balance>>()? / 2)
}

/// Everything that a bill pays and gives back.
pub fn billed_in_all(bill: &Value) -> Result<Balance> {
	let lines = bill["lines"]
		.as_array()
		.with_context(|| format!("a bill has lines: {bill}"))?;
	let paid: Balance = lines
		.iter()
		.map(|line| amount(&line["amount"]))
		.sum::<Result<Balance>>()?;
	Ok(paid + amount(&bill["refunded"])?)
}

/// How many processes of a node that run models ended for this reason, as its metrics name it.
pub async fn exited(node: &Node, reason: &str) -> Result<f64> {
	let label = format!("reason=\"{reason}\"");
	node.metric("highway_inference_children_exited_total", &[label.as_str()])
		.await
}

/// Who authored the block with this number: the index of its authority in Babe's digest.
pub async fn author_of(node: &Node, block: u64) -> Result<u32> {
	let hash = node.rpc("chain_getBlockHash", json!([block])).await?;
	let header = node.rpc("chain_getHeader", json!([hash])).await?;
	let log = header["digest"]["logs"][0]
		.as_str()
		.with_context(|| format!("a block has a digest: {header}"))?;
	let bytes = hex::decode(log.trim_start_matches("0x"))?;
	// A pre-runtime item (6) of BABE: engine (4 bytes), length (1 or 2 bytes), kind (1), index (4, little endian).
	anyhow::ensure!(bytes.starts_with(b"\x06BABE"), "the first item is Babe's: {log}");
	let length_bytes = if bytes.get(5).is_some_and(|length| length & 3 == 0) {
		1
	} else {
		2
	};
	let index = bytes
		.get(6 + length_bytes..10 + length_bytes)
		.with_context(|| format!("the digest is whole: {log}"))?;
	Ok(u32::from_le_bytes(index.try_into()?))
}
