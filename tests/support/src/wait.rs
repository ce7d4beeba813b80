//! Waiting for something to become true, with a limit and a reason.

use anyhow::{bail, Result};
use std::{
	future::Future,
	time::{Duration, Instant},
};
use tokio::signal::unix::{signal, SignalKind};

/// How often a condition is looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// Does `work` until it is done, or until somebody ends the process by Ctrl-C or `kill`: then it fails, and what it
/// holds goes out of scope, nodes included.
pub async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
	let mut terminate = signal(SignalKind::terminate())?;
	tokio::select! {
		done = work => done,
		_ = tokio::signal::ctrl_c() => bail!("interrupted"),
		_ = terminate.recv() => bail!("terminated"),
	}
}

/// Looks at `condition` until it gives a value, and gives up after `limit` with `what` it waited for.
pub async fn until<T, F>(what: &str, limit: Duration, mut condition: impl FnMut() -> F) -> Result<T>
where
	F: Future<Output = Result<Option<T>>>,
{
	let start = Instant::now();
	loop {
		let error = match condition().await {
			Ok(Some(value)) => return Ok(value),
			Ok(None) => None,
			Err(error) => Some(error),
		};
		if start.elapsed() > limit {
			match error {
				Some(error) => return Err(error.context(format!("waited {limit:?} for: {what}"))),
				None => bail!("waited {limit:?} in vain for: {what}"),
			}
		}
		tokio::time::sleep(PERIOD).await;
	}
}
