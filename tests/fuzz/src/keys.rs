//! Key files that a wallet imports.

use crate::{memory::within, seed, Target};
use highway_wallet::keystore::KeyFile;
use sp_core::Pair;

/// The target.
pub const TARGET: Target = Target {
	name: "keys",
	check: read,
	seeds,
	// Each of those that open as far as that takes as long as scrypt does.
	rounds: 60,
};

/// What scrypt takes under the dearest parameters that are accepted, N = 2¹⁷ and r = 8, and a little more.
const MEMORY: usize = (128 << 20) + (4 << 20);

/// The password of [`ALICE`].
const PASSWORD: &str = "whoisalice";

/// Written by polkadot-js for //Alice; also the test file of the subxt project.
const ALICE: &str = r#"{"encoded":"DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY","meta":{"genesisHash":"","name":"Alice","whenCreated":1718265838755}}"#;

/// Taken is a file that opens.
fn read(text: &[u8]) -> bool {
	let parsed = within((1 << 20) + 64 * text.len(), || serde_json::from_slice::<KeyFile>(text));
	let Ok(file) = parsed else { return false };
	let written = serde_json::to_vec(&file).expect("a key file is JSON");
	assert_eq!(serde_json::from_slice::<KeyFile>(&written).ok().as_ref(), Some(&file));
	let account = file.account();
	match within(MEMORY + 8 * text.len(), || file.open(PASSWORD)) {
		Ok(pair) => {
			assert_eq!(account, Some(pair.public().into()), "the key is that of the address");
			true
		}
		Err(_) => false,
	}
}

fn seeds() -> Vec<(String, Vec<u8>)> {
	let changed = |from: &str, to: &str| {
		let text = ALICE.replacen(from, to, 1);
		assert!(text != ALICE, "there is no {from}");
		text
	};
	vec![
		seed("alice", ALICE),
		seed("refused-version", changed(r#""version":"3""#, r#""version":"2""#)),
		// Another salt, and so another key.
		seed("refused-seal", changed("DumgApKC", "DumgApKD")),
		// N = 2³⁰: all memory of most machines.
		seed("refused-scrypt", changed("IoDBMAgAAA", "IoDBMAAABA")),
		seed(
			"refused-owner",
			changed(
				"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
				"5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
			),
		),
	]
}
