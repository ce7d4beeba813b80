//! A flood of requests.

use futures::future::join_all;
use highway_test_support::rpc;
use serde_json::{json, Value};
use std::{net::SocketAddr, time::Duration};
use tokio::time::{sleep, timeout_at, Instant};

/// More than the hundred connections that a node takes.
const VISITORS: usize = 150;

/// What somebody waits who was turned away.
const AGAIN: Duration = Duration::from_millis(20);

/// Questions with long answers, and one with a short one.
fn question(number: usize) -> (&'static str, Value) {
	match number % 4 {
		0 => ("state_getMetadata", json!([])),
		1 => ("state_getKeysPaged", json!(["0x", 1_000])),
		2 => ("chain_getBlock", json!([])),
		_ => ("system_health", json!([])),
	}
}

/// Asks a node, from many sides without a pause. Returns how many answers there were.
pub async fn flood(node: SocketAddr, lasts: Duration) -> usize {
	let end = Instant::now() + lasts;
	let visitors = (0..VISITORS).map(|visitor| async move {
		let mut answers = 0;
		while Instant::now() < end {
			let (method, params) = question(visitor + answers);
			match timeout_at(end, rpc::call(node, method, params)).await {
				Ok(Ok(_)) => answers += 1,
				_ => sleep(AGAIN).await,
			}
		}
		answers
	});
	join_all(visitors).await.into_iter().sum()
}
