//! Cheats whose audits nobody asks for: the draw alone finds them, within the jobs that its rate says.

use super::{
	cheats::{CHEAT, TRACED},
	scene::{ended, history, input, jobs_of, keep_active, node_info, Happened, PRICE, SECURITY_FACTOR, SOON},
};
use anyhow::{ensure, Result};
use futures::future::{select, try_join, Either};
use highway_e2e_tests::{put_blob, Account};
use highway_primitives::{
	audit::{AuditReason, Verdict},
	JobId, NodeId,
};
use highway_test_support::{until, Devnet};
use highway_wallet::client::calls;
use std::{future::Future, pin::pin};

/// Jobs that nobody asks to audit. At the highest rate there is, 4.9 %, none of 315 is drawn once in eight million times: of
/// fewer, a chain that draws nobody could not be told from a sound one. Some may come too late to be attested.
const UNFORCED: usize = 350;

/// Jobs in one transaction, fewer than a block has room for at their worst. All are attested and settled before the first of
/// them is found: later ones would be audited because their node is suspected, one by one.
const JOBS_AT_ONCE: usize = 14;

/// How probable it is that a sound chain draws too few jobs, and how probable that it draws too many. Four cheats are tried:
/// less than one of a million runs of them all fails without a reason.
const TAIL: f64 = 1.25e-7;

/// Pays for many jobs of the cheat while `beside` goes on, and holds what the draw found against what is stated. Wants six
/// nodes: five stay active while the cheat is out.
pub async fn draw_beside(devnet: &Devnet, beside: impl Future<Output = Result<()>>) -> Result<()> {
	let node = devnet.node("alice");
	let payer = Account::connect(node, "//Many").await?;
	let first = node.best_block().await?;
	let working = pin!(try_join(many_unforced(devnet, &payer), beside));
	let resuming = pin!(keep_active(devnet, &[CHEAT]));
	let ((jobs, rate), ()) = match select(working, resuming).await {
		Either::Left((done, _)) => done?,
		Either::Right((stopped, _)) => match stopped? {},
	};
	let cheat = node_info(&payer, CHEAT).await?.id;
	drawn_as_stated(&history(node, first).await?, cheat, &jobs, rate)
}

/// Many jobs of the cheat, until all are over. Returns them in order, and the probability of an audit of each that the chain
/// names.
async fn many_unforced(devnet: &Devnet, payer: &Account) -> Result<(Vec<JobId>, f64)> {
	let blob = put_blob(devnet.node("alice"), &input(7.0)?).await?;
	let quote = payer.client.quote(TRACED, blob.size, None).await?;
	let one = calls::submit_job(TRACED, blob, 2 * quote.price, None, None);
	for _ in 0..UNFORCED / JOBS_AT_ONCE {
		until("free slots of the cheat", SOON, || async {
			let cheat = node_info(payer, CHEAT).await?;
			let free = cheat.assigned as usize + JOBS_AT_ONCE <= usize::from(cheat.slots);
			Ok((free && !cheat.chilled).then_some(()))
		})
		.await?;
		// A block that lost its place to another one gave its transactions back: until they are in the next one, their nonce is taken.
		until("a nonce that is free", SOON, || async {
			match payer.submit(&vec![one.clone(); JOBS_AT_ONCE]).await {
				Ok(_) => Ok(Some(())),
				Err(error) if format!("{error:#}").contains("was faster") => Ok(None),
				Err(error) => Err(error),
			}
		})
		.await?;
	}
	let jobs = jobs_of(payer).await?;
	ensure!(jobs.len() == UNFORCED, "{} jobs are on record", jobs.len());
	for job in &jobs {
		ended(payer, *job).await?;
	}
	Ok((jobs, f64::from(quote.audit_rate) / 1e9))
}

/// The draw caught the cheat as often as 1/(q·d) says, and whatever was audited, drawn or suspected, was rejected, for exactly
/// S: an audit of these cheats sees each of them, so that d is one.
fn drawn_as_stated(history: &[Happened], cheat: NodeId, jobs: &[JobId], rate: f64) -> Result<()> {
	// 2·s·R / (d·(S + R)) with s = 0.8, d = 0.5, the least that a maker may state, and S = 64·R.
	let stated = 2.0 * 0.8 / (0.5 * 65.0);
	ensure!((rate - stated).abs() < 1e-8, "the chain draws {rate}, not {stated}");
	let attested: Vec<JobId> = jobs
		.iter()
		.copied()
		.filter(|job| {
			history
				.iter()
				.any(|event| matches!(event, Happened::Attested(of) if of == job))
		})
		.collect();
	let drawn: Vec<usize> = attested
		.iter()
		.enumerate()
		.filter(|(_, job)| {
			history
				.iter()
				.any(|event| matches!(event, Happened::Opened(of, AuditReason::Drawn) if of == *job))
		})
		.map(|(index, _)| index + 1)
		.collect();
	let (least, most) = band(attested.len(), rate);
	eprintln!(
		"{} of {} jobs were drawn, after {drawn:?} jobs: {:.1} expected, one in {:.1}; {least} to {most} are let pass",
		drawn.len(),
		attested.len(),
		rate * attested.len() as f64,
		1.0 / rate
	);
	ensure!(least > 0, "only {} jobs were attested: too few to tell", attested.len());
	ensure!(
		(least..=most).contains(&drawn.len()),
		"{} jobs were drawn, not {least} to {most}",
		drawn.len()
	);
	for job in jobs {
		let (mut ends, mut losses, mut refunds, mut settled) = (Vec::new(), Vec::new(), 0, false);
		for event in history {
			match event {
				Happened::Ended(of, verdict) if of == job => ends.push(*verdict),
				Happened::Slashed(of, node, amount) if of == job => losses.push((*node, *amount)),
				Happened::Rejected(of, ..) if of == job => refunds += 1,
				Happened::Settled(of) if of == job => settled = true,
				_ => {}
			}
		}
		let exact = match ends.as_slice() {
			[] => losses.is_empty() && refunds == 0,
			[Verdict::Rejected] => losses == [(cheat, SECURITY_FACTOR * PRICE)] && refunds == 1 && !settled,
			_ => false,
		};
		ensure!(
			exact,
			"job {job}: audits ended as {ends:?}, {losses:?} was slashed, {refunds} refunds, settled: {settled}"
		);
	}
	Ok(())
}

/// How many of so many jobs are drawn, if each is with the probability `rate`: fewer than the first number with a probability
/// of [`TAIL`] at most, and more than the second one as well.
fn band(jobs: usize, rate: f64) -> (usize, usize) {
	let (mut least, mut up_to) = (0, 0.0);
	let mut exactly = (1.0 - rate).powf(jobs as f64);
	for count in 0..jobs {
		up_to += exactly;
		if up_to <= TAIL {
			least = count + 1;
		}
		if 1.0 - up_to <= TAIL {
			return (least, count);
		}
		exactly *= (jobs - count) as f64 / (count + 1) as f64 * rate / (1.0 - rate);
	}
	(least, jobs)
}

#[test]
fn band_should_tell_a_draw_from_none_when_there_are_jobs_enough() {
	assert_eq!(band(UNFORCED, 0.049_230_77), (1, 42));
	assert_eq!(band(300, 0.049_230_77), (0, 37));
}
