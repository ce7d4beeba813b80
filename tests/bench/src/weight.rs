//! What a job weighs from its submission until its record is gone, against a transfer.
//!
//! On the real runtime, in this process: weights are the same wherever it runs, and here blocks differ by nothing but the jobs. What
//! a stretch of blocks weighs in all, hooks and extensions included, less what as many blocks without jobs do, is the jobs'. Each is
//! alone in its block and in its attestation; drawn audits, the clearing of each market epoch, and the removal of the records
//! are among it, as often as they come. What hooks weigh more than without jobs is the due queue's part of them: it bounds how many
//! jobs a second the chain can settle for ever.

use crate::{
	figures::{Figure, Goal},
	record::Record,
};
use anyhow::{bail, ensure, Result};
use frame_support::dispatch::DispatchClass;
use highway_primitives::{JobId, ModelId, AIC, BLOCK_SECONDS};
use highway_runtime::{
	constants::{RuntimeBlockWeights, MAX_TICK_WEIGHT},
	pallet_inference_jobs::{Jobs, NextJobId},
	Address, Runtime, RuntimeCall, System, UncheckedExtrinsic,
};
use highway_runtime_tests::{genesis_with, signed, submit_batch_call, submit_call, worker_transaction, Chain, MILLI};
use serde_json::json;
use sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{Eve, Ferdie};
use sp_runtime::transaction_validity::InvalidTransaction;
use std::collections::VecDeque;

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("lifecycle_single", "transfers")
		.goal(Goal::AtMost(4.0))
		.key("lifecycle_weight_over_transfer.single"),
	Figure::new("lifecycle_batch", "transfers per input")
		.goal(Goal::AtMost(0.5))
		.key("lifecycle_weight_over_transfer.batch"),
	Figure::new("weight_of_job", "ms"),
	Figure::new("weight_of_job_in_hooks", "ms"),
	Figure::new("settled_jobs_by_weight", "settled jobs/s at most, by weights"),
	Figure::new("weight_of_batch", "ms"),
	Figure::new("weight_of_transfer", "ms"),
];

/// Jobs, and transfers: one a block.
const COUNT: u32 = 240;

/// Inputs of a job of many: a quarter of the most. What such a job weighs does not depend on their number, so that of n
/// inputs each weighs 64/n of the figure.
const INPUTS: u16 = 64;

/// Blocks of a stretch: a multiple of a session and of a market epoch, and longer by more than the life of the last job.
const BLOCKS: u32 = 420;

/// Blocks for which a job's record is kept after its end, so that its removal is among the blocks.
const RETENTION: u32 = 20;

/// What is put into the blocks of a stretch.
enum Traffic {
	Nothing,
	Transfers,
	Jobs(ModelId),
	Batches(ModelId),
}

impl Traffic {
	/// The next call of it. `None`: there is none.
	fn call(&self) -> Option<RuntimeCall> {
		match self {
			Self::Nothing => None,
			Self::Transfers => Some(transfer()),
			Self::Jobs(model) => Some(submit_call(*model, None)),
			Self::Batches(model) => Some(submit_batch_call(*model, INPUTS)),
		}
	}

	/// Whether somebody has to attest it.
	fn is_work(&self) -> bool {
		matches!(self, Self::Jobs(_) | Self::Batches(_))
	}
}

/// What the blocks of a stretch weigh, in picoseconds.
#[derive(Clone, Copy)]
struct Weighed {
	/// All that is in them.
	all: u64,
	/// Hooks and inherents.
	hooks: u64,
}

/// Counts it, which is the same in every round.
pub fn count(record: &mut Record) -> Result<()> {
	eprintln!("counting what a job weighs …");
	let genesis = genesis_with(
		LOCAL_TESTNET_RUNTIME_PRESET,
		json!({ "inferenceJobs": { "retention": RETENTION } }),
	);
	let (quiet, transfers, jobs, batches) = Chain::of_genesis(genesis, |chain| -> Result<_> {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let mut weigh = |traffic| stretch(chain, traffic);
		Ok((
			weigh(Traffic::Nothing)?,
			weigh(Traffic::Transfers)?,
			weigh(Traffic::Jobs(model))?,
			weigh(Traffic::Batches(model))?,
		))
	})?;
	let of_each = |weighed: Weighed| (weighed.all - quiet.all) as f64 / f64::from(COUNT);
	let (transfer, job, batch) = (of_each(transfers), of_each(jobs), of_each(batches));
	let queue = (jobs.hooks - quiet.hooks) as f64 / f64::from(COUNT);
	let milliseconds = |picoseconds: f64| picoseconds / 1e9;
	record.note("weight_of_transfer", milliseconds(transfer))?;
	record.note("weight_of_job", milliseconds(job))?;
	record.note("weight_of_job_in_hooks", milliseconds(queue))?;
	record.note("settled_jobs_by_weight", sustained(job, queue))?;
	record.note("weight_of_batch", milliseconds(batch))?;
	record.note("lifecycle_single", job / transfer)?;
	record.note("lifecycle_batch", batch / f64::from(INPUTS) / transfer)
}

/// Jobs in a second that the chain can take, and settle, for ever, if each weighs `job` picoseconds in all, `queue` of them in the due
/// queue: all of them have to fit into blocks, and the queue's part into its share of them.
fn sustained(job: f64, queue: f64) -> f64 {
	let block = RuntimeBlockWeights::get().max_block.ref_time() as f64;
	let share = MAX_TICK_WEIGHT.ref_time() as f64;
	(block / job).min(share / queue) / f64::from(BLOCK_SECONDS)
}

/// Weighs a stretch of blocks.
fn stretch(chain: &mut Chain, traffic: Traffic) -> Result<Weighed> {
	let (mut weighed, mut made) = (Weighed { all: 0, hooks: 0 }, 0);
	let mut waiting = VecDeque::new();
	chain.close();
	for _ in 0..BLOCKS {
		chain.open();
		if let Some(job) = waiting.pop_front() {
			let node = chain.executor(job);
			let attestation = worker_transaction(chain.worker(node), chain.attestation(node, &[job]));
			ensure!(
				fits(chain, attestation)?,
				"an attestation is operational: it always fits"
			);
		}
		if made < COUNT {
			let job: JobId = NextJobId::<Runtime>::get();
			// The first block of a session has no room.
			let fitted = traffic
				.call()
				.map_or(Ok(false), |call| fits(chain, signed(Eve, call)))?;
			made += u32::from(fitted);
			if fitted && traffic.is_work() {
				waiting.push_back(job);
			}
		}
		chain.close();
		let weight = System::block_weight();
		weighed.all += weight.total().ref_time();
		weighed.hooks += weight.get(DispatchClass::Mandatory).ref_time();
	}
	let open = Jobs::<Runtime>::iter_keys().count();
	ensure!(open == 0, "{open} records of jobs are left after {BLOCKS} blocks");
	ensure!(
		made == COUNT || matches!(traffic, Traffic::Nothing),
		"{made} of {COUNT} found room in {BLOCKS} blocks"
	);
	Ok(weighed)
}

fn transfer() -> RuntimeCall {
	RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
		dest: Address::Id(Ferdie.to_account_id()),
		value: AIC,
	})
}

/// Puts a transaction into the open block, if there is room. Error if it fails.
fn fits(chain: &mut Chain, transaction: UncheckedExtrinsic) -> Result<bool> {
	match chain.apply_here(transaction) {
		Ok(Ok(())) => Ok(true),
		Err(refusal) if refusal == InvalidTransaction::ExhaustsResources.into() => Ok(false),
		other => bail!("a transaction fails: {other:?}"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn jobs_should_be_bounded_by_the_share_of_the_due_queue_or_by_the_block() {
		let (block, share) = (RuntimeBlockWeights::get().max_block, MAX_TICK_WEIGHT);
		let [block, share] = [block, share].map(|weight| weight.ref_time() as f64);
		let seconds = f64::from(BLOCK_SECONDS);
		assert_eq!(sustained(share / 40.0, share / 50.0), 50.0 / seconds);
		assert_eq!(sustained(block / 40.0, share / 50.0), 40.0 / seconds);
	}
}
