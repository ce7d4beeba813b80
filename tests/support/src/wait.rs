//! Waiting for something to become true, with a limit and a reason.

use anyhow::{bail, Result};
use std::{
	future::Future,
	time::{Duration, Instant},
};

/// How often a condition is looked at.
const PERIOD: Duration = Duration::from_millis(200);

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
