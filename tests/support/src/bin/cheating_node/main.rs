//! A node that cheats, for tests: `highway-node` with something of its own before the worker's ports.
//!
//! `HIGHWAY_CHEATS` says how: words with commas between them, each a cheat, and behind a colon the id of the one model
//! with which it cheats so; without it, with all of them. The last two know no models. Everything else, other nodes' audits
//! included, it does honestly.
//!
//! | cheat | what it does |
//! |---|---|
//! | `garbage` | attests numbers of the right shape, and sketches of them, without a run |
//! | `previous` | does its first job, and attests that output for all later ones |
//! | `int8` | runs a copy of the model whose weights are rounded to int8 |
//! | `silent` | attests, and neither opens its commitment in an audit nor proves a chunk |
//! | `lazy` | judges others' jobs without a run: takes the executor's output for its own, of many inputs that of the drawn one, and sketches that |
//! | `fake-rows` | answers probes with the rows' beginnings for their ends |
//! | `as-gpu` | says that inference runs on a GPU |
//!
//! ```text
//! WorkList ──► Watcher: which seeds are of own jobs, which of audits ─┐
//! load, run ─► CheatingEngine ◄────────────────────────────────────────┤
//! words ─────► Muzzle ◄────────────────────────────────────────────────┘
//! ```

mod cheats;
mod engine;
mod watch;
mod words;

use cheats::Cheats;
use engine::CheatingEngine;
use highway_offchain_worker::ports::Ports;
use std::{process::ExitCode, sync::Arc};
use watch::{Seen, Watcher};
use words::Muzzle;

fn main() -> ExitCode {
	let cheats = match Cheats::from_environment() {
		Ok(cheats) => Arc::new(cheats),
		Err(error) => {
			eprintln!("Error: {error:#}");
			return ExitCode::FAILURE;
		}
	};
	highway_node::run(move |ports| wrap(ports, &cheats))
}

fn wrap(ports: Ports, cheats: &Arc<Cheats>) -> Ports {
	let seen = Arc::new(Seen::default());
	Ports {
		chain: Arc::new(Watcher::new(ports.chain, seen.clone())),
		submitter: Arc::new(Muzzle::new(ports.submitter, seen.clone(), cheats.clone())),
		engine: Arc::new(CheatingEngine::new(
			ports.engine,
			ports.blobs.clone(),
			seen,
			cheats.clone(),
		)),
		..ports
	}
}
