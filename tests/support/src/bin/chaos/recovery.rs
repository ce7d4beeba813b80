//! Whether the nodes are one network again.

use anyhow::{bail, Result};
use futures::future::join_all;
use highway_test_support::{until, Devnet, Node};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long it may take from the end of a fault until all nodes finalize again. A node needs twenty seconds to be called anew
/// that was cut off, and a machine with other things to do several times what an idle one does.
const RECOVERED_WITHIN: Duration = Duration::from_secs(300);

/// How long it may take until each node that runs has answered.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// How often the nodes are asked.
const LOOK: Duration = Duration::from_millis(500);

/// How often somebody is told who waits.
const TELL: Duration = Duration::from_secs(20);

/// What came of waiting for the nodes.
#[derive(Clone, Copy, Debug)]
pub struct Recovery {
	/// How long it took.
	pub took: Duration,
	/// The best block of any node then.
	pub best: u64,
}

/// A node's best and last finalized block; `None`: it does not answer.
async fn heads(node: &Node) -> Option<(u64, u64)> {
	Some((node.best_block().await.ok()?, node.finalized_block().await.ok()?))
}

async fn all_heads(devnet: &Devnet) -> Vec<Option<(u64, u64)>> {
	join_all(devnet.nodes.iter().map(heads)).await
}

/// The last block that any node takes for final. Waits until each one that runs has answered: else what the silent ones took for
/// final would go unseen.
pub async fn finalized(devnet: &Devnet) -> Result<u64> {
	let running = || devnet.nodes.iter().filter(|node| node.pid().is_some());
	until("an answer of every node that runs", ANSWERED_WITHIN, || async {
		let heads = join_all(running().map(heads)).await;
		Ok(last_final(&heads))
	})
	.await
}

/// The last block that any of the nodes takes for final, once all of them answer.
fn last_final(heads: &[Option<(u64, u64)>]) -> Option<u64> {
	let finalized = |heads: &Option<(u64, u64)>| heads.map(|(_, finalized)| finalized);
	let all: Option<Vec<_>> = heads.iter().map(finalized).collect();
	all?.into_iter().max()
}

/// The best block of any node that answers.
fn best(heads: &[Option<(u64, u64)>]) -> u64 {
	heads.iter().flatten().map(|(best, _)| *best).max().unwrap_or(0)
}

/// Waits until every node has finalized what is the best block of any now.
pub async fn recover(devnet: &Devnet) -> Result<Recovery> {
	let begin = Instant::now();
	let mut told = begin;
	let mut heads = all_heads(devnet).await;
	let wanted = best(&heads);
	loop {
		if heads
			.iter()
			.all(|heads| heads.is_some_and(|(_, finalized)| finalized >= wanted))
		{
			return Ok(Recovery {
				took: begin.elapsed(),
				best: best(&heads),
			});
		}
		if begin.elapsed() > RECOVERED_WITHIN {
			bail!(
				"waited {RECOVERED_WITHIN:?} in vain for block {wanted} to be final everywhere: {}",
				in_words(devnet, &heads)
			);
		}
		if told.elapsed() > TELL {
			told = Instant::now();
			eprintln!("  waiting for block {wanted} to be final: {}", in_words(devnet, &heads));
		}
		sleep(LOOK).await;
		heads = all_heads(devnet).await;
	}
}

fn in_words(devnet: &Devnet, heads: &[Option<(u64, u64)>]) -> String {
	let nodes = devnet.nodes.iter().zip(heads).map(|(node, heads)| match heads {
		Some((best, finalized)) => format!("{} at {best}, final {finalized}", node.name()),
		None => format!("{} does not answer", node.name()),
	});
	nodes.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn last_final_block_should_be_unknown_until_every_node_has_answered() {
		assert_eq!(last_final(&[Some((9, 7)), Some((9, 8)), Some((8, 8))]), Some(8));
		assert_eq!(last_final(&[Some((9, 7)), None, Some((9, 8))]), None);
		assert_eq!(last_final(&[None, None]), None);
		assert_eq!(last_final(&[]), None, "nobody runs");
	}
}
