//! JSON-RPC over HTTP. Each call has a connection of its own: none breaks with a node that goes and comes back.

use anyhow::{bail, Context, Result};
use serde_json::{json, Value};
use std::{net::SocketAddr, time::Duration};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
};

/// How long a node may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

/// What a call looks like to the node that answers requests at `address`.
pub fn question(address: SocketAddr, method: &str, params: Value) -> String {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
	format!(
		"POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
		body.len()
	)
}

/// Calls the node that answers requests at `address`.
pub async fn call(address: SocketAddr, method: &str, params: Value) -> Result<Value> {
	let question = question(address, method, params);
	let answer = tokio::time::timeout(LIMIT, exchange(address, question.as_bytes()))
		.await
		.with_context(|| format!("no answer in {LIMIT:?}"))??;
	let text = String::from_utf8_lossy(&answer);
	let start = text.find('{').context("the answer holds no JSON object")?;
	let value: Value = serde_json::from_str(&text[start..=text.rfind('}').context("the answer is cut off")?])?;
	match value.get("error") {
		Some(error) => bail!("{method}: {error}"),
		None => Ok(value["result"].clone()),
	}
}

/// Sends a question and reads until the other side has nothing more to say.
pub async fn exchange(address: SocketAddr, question: &[u8]) -> Result<Vec<u8>> {
	let mut stream = TcpStream::connect(address).await?;
	stream.write_all(question).await?;
	let mut answer = Vec::new();
	stream.read_to_end(&mut answer).await?;
	Ok(answer)
}
