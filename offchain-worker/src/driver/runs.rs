//! Runs of the engine: of jobs, of audits and of probes.

use super::{panicked_engine, Driver};
use crate::{
	bundles::{expand, may_go_on},
	engine::{Engine, EngineError, ModelKey, RunInput, RunOutput, TimeLimit, MAX_BATCH_ROWS},
	machine::{Event, JobFault, LoadFault, RunId, RunItem},
	probe, LOG_TARGET,
};
use highway_primitives::{NodeId, ProbeSeed};
use std::{
	ops::Range,
	time::{Duration, Instant},
};

impl Driver {
	pub(super) fn start_run(&mut self, run: RunId, model: ModelKey, items: Vec<RunItem>, time_limit: TimeLimit) {
		self.metrics.run_started(items.len());
		let (blobs, engine) = (self.blobs.clone(), self.engine.clone());
		let fault = || JobFault::Engine(panicked_engine());
		let panicked = items.iter().map(|item| (item.task, Err(fault()))).collect();
		self.spawn(
			Event::RunDone {
				run,
				elapsed: Duration::ZERO,
				results: panicked,
			},
			async move {
				if !engine.is_loaded(&model) {
					return Event::NotLoaded(run);
				}
				let mut read = Vec::with_capacity(items.len());
				for item in items {
					let blob = blobs.read(item.input).await;
					if let Err(error) = &blob {
						log::debug!(target: LOG_TARGET, "the input of job {} is gone: {error}", item.task.job());
					}
					read.push((item, blob.ok()));
				}
				let (inputs, parts) = expand(read);
				let start = Instant::now();
				let outputs = run_in_pieces(&*engine, &model, inputs, time_limit).await;
				Event::RunDone {
					run,
					elapsed: start.elapsed(),
					results: parts.gather(outputs),
				}
			},
		);
	}

	pub(super) fn start_probe(&mut self, run: RunId, node: NodeId, seed: ProbeSeed, rows: Range<u32>) {
		let (blobs, engine) = (self.blobs.clone(), self.engine.clone());
		let panicked = Event::ProbeRun {
			run,
			result: Err(LoadFault::Engine(panicked_engine())),
		};
		self.spawn(panicked, async move {
			Event::ProbeRun {
				run,
				result: probe::compute(&*blobs, &*engine, node, seed, rows).await,
			}
		});
	}
}

/// Runs inputs, as many at a time as may share a run, since what they give stays in memory. What is not run is
/// [`EngineError::NotRun`].
async fn run_in_pieces(
	engine: &dyn Engine,
	model: &ModelKey,
	inputs: Vec<RunInput>,
	time_limit: TimeLimit,
) -> Vec<Result<RunOutput, EngineError>> {
	let start = Instant::now();
	let mut outputs: Vec<Result<RunOutput, EngineError>> = Vec::with_capacity(inputs.len());
	let mut inputs = inputs.into_iter();
	while !inputs.as_slice().is_empty() && may_go_on(&outputs) {
		let piece: Vec<RunInput> = inputs.by_ref().take(MAX_BATCH_ROWS).collect();
		let end = outputs.len() + piece.len();
		let limit = TimeLimit {
			all: time_limit.all.saturating_sub(start.elapsed()),
			..time_limit
		};
		outputs.extend(engine.run(model, piece, limit).await);
		// An engine that gives fewer, or more, shall not mix up whose they are.
		outputs.resize_with(end, || Err(EngineError::RunFailed("no result".into())));
	}
	outputs.extend(inputs.map(|_| Err(EngineError::NotRun)));
	outputs
}
