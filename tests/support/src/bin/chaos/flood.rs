//! A flood of requests, and how the node takes it.

use futures::future::{join, join_all};
use highway_test_support::rpc;
use serde_json::{json, Value};
use std::{fmt, net::SocketAddr, time::Duration};
use tokio::time::{sleep, timeout_at, Instant};

/// More than the hundred connections that a node takes.
const VISITORS: usize = 150;

/// What somebody waits who was turned away.
const AGAIN: Duration = Duration::from_millis(20);

/// Between two requests of somebody who asks as anybody does.
const PAUSE: Duration = Duration::from_millis(500);

/// What is answered at least, on a machine with other things to do.
const LEAST_ANSWERED: usize = 20;

/// Questions with long answers, and one with a short one.
fn question(number: usize) -> (&'static str, Value) {
	match number % 4 {
		0 => ("state_getMetadata", json!([])),
		1 => ("state_getKeysPaged", json!(["0x", 1_000])),
		2 => ("chain_getBlock", json!([])),
		_ => ("system_health", json!([])),
	}
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reply {
	/// With a result.
	Answered,
	/// With a word that it is too much, or any other error that the node states.
	Refused,
	/// In nothing, or in something that is no answer.
	Failed,
}

impl Reply {
	/// Of what came over HTTP.
	fn of(answer: &[u8]) -> Self {
		let text = String::from_utf8_lossy(answer);
		let status = text.split_whitespace().nth(1).unwrap_or_default();
		let object = text.find('{').zip(text.rfind('}'));
		let body = object.and_then(|(first, last)| serde_json::from_str::<Value>(text.get(first..=last)?).ok());
		match (status, body) {
			// What a node says that has as many connections as it takes, and what one says that is about to end.
			("429" | "503", _) => Self::Refused,
			("200", Some(body)) if body.get("result").is_some() => Self::Answered,
			("200", Some(body)) if body.get("error").is_some() => Self::Refused,
			_ => Self::Failed,
		}
	}
}

/// How a flood went.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Flood {
	/// Calls that were answered.
	answered: usize,
	/// Calls that were refused in so many words.
	refused: usize,
	/// Calls that came to nothing.
	failed: usize,
	/// Answers to somebody who asked now and then, beside all others.
	served: usize,
}

impl Flood {
	fn count(&mut self, reply: Reply) {
		match reply {
			Reply::Answered => self.answered += 1,
			Reply::Refused => self.refused += 1,
			Reply::Failed => self.failed += 1,
		}
	}

	/// What is wrong with it.
	pub fn troubles(&self) -> Vec<String> {
		let mut troubles = Vec::new();
		let calls = self.answered + self.refused + self.failed;
		if self.answered < LEAST_ANSWERED {
			troubles.push(format!(
				"of {calls} calls of a flood only {} were answered",
				self.answered
			));
		}
		if 10 * self.failed > calls {
			troubles.push(format!(
				"of {calls} calls of a flood {} were neither answered nor refused",
				self.failed
			));
		}
		if self.served == 0 {
			troubles.push("nobody else was served in a flood".into());
		}
		troubles
	}
}

impl fmt::Display for Flood {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self {
			answered,
			refused,
			failed,
			..
		} = self;
		write!(f, "{answered} answers, {refused} refusals, {failed} failures")
	}
}

/// Asks until `end`, without a pause, and counts what came of it. What has no answer then is not counted.
async fn insist(node: SocketAddr, visitor: usize, end: Instant) -> Flood {
	let mut flood = Flood::default();
	let mut asked = visitor;
	while Instant::now() < end {
		let (method, params) = question(asked);
		asked += 1;
		let text = rpc::question(node, method, params);
		let reply = match timeout_at(end, rpc::exchange(node, text.as_bytes())).await {
			Ok(answer) => answer.map_or(Reply::Failed, |answer| Reply::of(&answer)),
			Err(_) => break,
		};
		flood.count(reply);
		if reply != Reply::Answered {
			sleep(AGAIN).await;
		}
	}
	flood
}

/// Asks now and then until `end`, patiently. Returns how often there was an answer.
async fn ask_politely(node: SocketAddr, end: Instant) -> usize {
	let mut served = 0;
	while Instant::now() < end {
		let answer = timeout_at(end, rpc::call(node, "system_health", json!([]))).await;
		let pause = match answer {
			Ok(Ok(_)) => {
				served += 1;
				PAUSE
			}
			_ => AGAIN,
		};
		sleep(pause).await;
	}
	served
}

/// Asks a node, from many sides.
pub async fn flood(node: SocketAddr, lasts: Duration) -> Flood {
	let end = Instant::now() + lasts;
	let visitors = join_all((0..VISITORS).map(|visitor| insist(node, visitor, end)));
	let (floods, served) = join(visitors, ask_politely(node, end)).await;
	let whole = Flood {
		served,
		..Flood::default()
	};
	floods.into_iter().fold(whole, |whole, one| Flood {
		answered: whole.answered + one.answered,
		refused: whole.refused + one.refused,
		failed: whole.failed + one.failed,
		served: whole.served,
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn reply_should_be_told_by_status_and_body() {
		let told = |answer: &str| Reply::of(answer.as_bytes());
		let with = |body: &str| {
			told(&format!(
				"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{body}"
			))
		};
		assert_eq!(with(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Reply::Answered);
		assert_eq!(with(r#"{"id":1,"error":{"code":-32999}}"#), Reply::Refused);
		assert_eq!(with(r#"{"id":1,"resu"#), Reply::Failed, "it is cut off");
		assert_eq!(with(""), Reply::Failed);
		let busy = "HTTP/1.1 429 Too Many Requests\r\n\r\nToo many connections.";
		assert_eq!(told(busy), Reply::Refused);
		assert_eq!(told("HTTP/1.1 500 Internal Server Error\r\n\r\n"), Reply::Failed);
		assert_eq!(told(""), Reply::Failed);
	}

	#[test]
	fn flood_should_be_sound_when_calls_are_answered_or_refused_and_others_are_served() {
		let flood = Flood {
			answered: 100,
			refused: 890,
			failed: 110,
			served: 3,
		};
		assert!(flood.troubles().is_empty());
		let sound = |flood: Flood| flood.troubles().is_empty();
		assert!(!sound(Flood { failed: 111, ..flood }), "too many failed");
		assert!(!sound(Flood { served: 0, ..flood }), "nobody else was served");
		assert!(!sound(Flood { answered: 0, ..flood }), "none was answered");
		assert!(!sound(Flood::default()), "nothing was asked");
	}
}
