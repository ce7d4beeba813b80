//! Waiting for something to become true, with a limit and a reason.

use anyhow::{bail, Result};
use std::{
	future::Future,
	time::{Duration, Instant},
};
use tokio::signal::unix::{signal, SignalKind};

/// How often a condition is looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// Waits until somebody ends the process by Ctrl-C or `kill`, and returns the word for it. From then on neither ends it by
/// itself.
pub async fn interrupted() -> Result<&'static str> {
	let mut interrupt = signal(SignalKind::interrupt())?;
	let mut terminate = signal(SignalKind::terminate())?;
	tokio::select! {
		_ = interrupt.recv() => Ok("interrupted"),
		_ = terminate.recv() => Ok("terminated"),
	}
}

/// Does `work` until it is done, or until somebody ends the process by Ctrl-C or `kill`: then it fails, and what it
/// holds goes out of scope, nodes included.
pub async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
	tokio::select! {
		done = work => done,
		word = interrupted() => bail!(word?),
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
