//! Jobs against transfers, on the same nodes.

use crate::{
	figures::{Figure, Goal, Summary},
	network::{Ledger, Payer, Scene},
	record::Record,
};
use anyhow::{ensure, Context, Result};
use futures::future::{join_all, try_join_all};
use highway_primitives::AIC;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{sleep, Instant};

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("jobs_over_transfers", "jobs per transfer, in a second").key("jobs_over_transfers"),
	Figure::new("transfers", "final transfers/s"),
	Figure::new("transfers_lost", "transfers not final in time")
		.by(Summary::Sum)
		.goal(Goal::AtMost(0.0)),
];

/// More transfers in a second than the weight of a block has room for: what is prepared must last.
const PREPARED_PER_SECOND: u64 = 900;

/// Transfers of a payer that wait for a block: more than a third of what one takes.
const WAITING: u64 = 800;

/// Transfers that a payer sends at once.
const CHUNK: u64 = 32;

/// How long the last ones may take to be final.
const FINAL_WITHIN: Duration = Duration::from_secs(120);

/// Loads the network with jobs, if this round has not yet, and, when the last of them is settled, with transfers.
pub async fn round(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	let jobs = scene.at_capacity().await?.rate;
	scene.quiet().await?;
	let Transfers { rate, lost } = transfers(scene).await.context("transfers")?;
	record.note("transfers", rate)?;
	record.note("transfers_lost", lost as f64)?;
	record.note("jobs_over_transfers", jobs / rate)
}

/// What came of a load of transfers.
struct Transfers {
	/// Final ones in a second of the chain's time, while as many were sent as blocks take.
	rate: f64,
	/// Those that were not final in time.
	lost: usize,
}

/// Sends transfers, and reads from the blocks what came of them.
async fn transfers(scene: &mut Scene<'_>) -> Result<Transfers> {
	let (market, seconds) = (&mut scene.market, scene.seconds);
	eprintln!("{seconds} s of transfers …");
	let accounts: Vec<_> = market.payers.iter().map(Payer::account).collect();
	let first_nonces: Vec<_> = market.payers.iter().map(Payer::next_nonce).collect();
	let each = PREPARED_PER_SECOND * seconds / market.payers.len() as u64;
	let mut prepared = Vec::new();
	// To one another: what goes to oneself is less work.
	for (payer, to) in market.payers.iter_mut().zip(accounts.iter().cycle().skip(1)) {
		let own = (0..each).map(|_| payer.sign_transfer(to.clone(), AIC));
		prepared.push(own.collect::<Result<Vec<_>>>()?);
	}
	let end = Instant::now() + Duration::from_secs(seconds);
	let senders = market.payers.iter().zip(&prepared).zip(&first_nonces);
	let counts = join_all(senders.map(|((payer, own), first)| send(payer, own, *first, end))).await;
	let over = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
	let counts = counts.into_iter().collect::<Result<Vec<_>>>()?;
	let mut sent = Vec::new();
	for (own, count) in prepared.into_iter().zip(counts) {
		sent.extend(own.into_iter().take(count as usize));
	}
	let passed = |transaction: &String, ledger: &Ledger| ledger.passed.get(transaction).copied();
	let ledger = &mut market.ledger;
	ledger
		.within(FINAL_WITHIN, |ledger| {
			sent.iter().all(|transaction| passed(transaction, ledger).is_some())
		})
		.await?;
	market.count_anew().await?;
	let ledger = &market.ledger;
	let blocks: Vec<_> = sent
		.iter()
		.filter_map(|transaction| passed(transaction, ledger))
		.collect();
	let time = |block| ledger.blocks.get(&block).map_or(0, |block| block.time);
	let first = *blocks.iter().min().context("a transfer was sent")?;
	// Later ones find less and less to take.
	let last = blocks.iter().filter(|block| time(**block) <= over).max();
	let last = *last.context("a block with transfers was made while they were sent")?;
	ensure!(
		last > first,
		"all transfers are in one block: load the network for longer"
	);
	let counted = blocks
		.iter()
		.filter(|block| (first + 1..=last).contains(*block))
		.count();
	Ok(Transfers {
		rate: counted as f64 * 1_000.0 / (time(last) - time(first)) as f64,
		lost: sent.len() - blocks.len(),
	})
}

/// Sends transfers until `end`, so that some wait and not all too many; returns how many.
async fn send(payer: &Payer, transfers: &[String], first: u64, end: Instant) -> Result<u64> {
	let mut sent = 0;
	while Instant::now() < end && sent < transfers.len() as u64 {
		let included = payer.nonce_in_best_block().await?.saturating_sub(first);
		let room = (included + WAITING).saturating_sub(sent);
		if room == 0 {
			sleep(Duration::from_millis(20)).await;
			continue;
		}
		let until = (sent + room.min(CHUNK)).min(transfers.len() as u64);
		let chunk = &transfers[sent as usize..until as usize];
		try_join_all(chunk.iter().map(|transfer| payer.send(transfer))).await?;
		sent = until;
	}
	Ok(sent)
}
