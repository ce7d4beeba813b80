//! What a job weighs from its submission until its record is gone, against a transfer.
//!
//! On the real runtime, in this process: weights are the same wherever it runs, and here blocks differ by nothing but the jobs. What
//! a stretch of blocks weighs in all, hooks and extensions included, less what as many blocks without jobs do, is the jobs'. Each is
//! alone in its block and in its attestation; drawn audits, the clearing of each market epoch, and the removal of the records
//! are among it, as often as they come.

use crate::{
	figures::{Figure, Goal},
	record::Record,
};
use anyhow::{bail, ensure, Result};
use highway_primitives::{JobId, ModelId, AIC};
use highway_runtime::{
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
	let of_each = |all: u64| (all - quiet) as f64 / f64::from(COUNT);
	let (transfer, job, batch) = (of_each(transfers), of_each(jobs), of_each(batches));
	let milliseconds = |picoseconds: f64| picoseconds / 1e9;
	record.note("weight_of_transfer", milliseconds(transfer))?;
	record.note("weight_of_job", milliseconds(job))?;
	record.note("weight_of_batch", milliseconds(batch))?;
	record.note("lifecycle_single", job / transfer)?;
	record.note("lifecycle_batch", batch / f64::from(INPUTS) / transfer)
}

/// What the blocks of a stretch weigh, in picoseconds.
fn stretch(chain: &mut Chain, traffic: Traffic) -> Result<u64> {
	let (mut weight, mut made) = (0, 0);
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
		weight += System::block_weight().total().ref_time();
	}
	let open = Jobs::<Runtime>::iter_keys().count();
	ensure!(open == 0, "{open} records of jobs are left after {BLOCKS} blocks");
	ensure!(
		made == COUNT || matches!(traffic, Traffic::Nothing),
		"{made} of {COUNT} found room in {BLOCKS} blocks"
	);
	Ok(weight)
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
