//! Runs of the engine: of jobs, of audits and of probes.

use super::{panicked_engine, Driver};
use crate::{
	engine::{ModelKey, RunInput},
	machine::{Event, JobFault, LoadFault, RunId, RunItem},
	probe, LOG_TARGET,
};
use highway_primitives::{NodeId, ProbeSeed};
use std::{
	ops::Range,
	time::{Duration, Instant},
};

impl Driver {
	pub(super) fn start_run(&mut self, run: RunId, model: ModelKey, items: Vec<RunItem>, time_limit: Duration) {
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
				let mut results = Vec::with_capacity(items.len());
				let (mut tasks, mut inputs) = (Vec::new(), Vec::new());
				for RunItem { task, input, seeds } in items {
					match blobs.read(input).await {
						Ok(file) => {
							tasks.push(task);
							inputs.push(RunInput { file, seeds });
						}
						Err(error) => {
							log::debug!(target: LOG_TARGET, "the input of job {} is gone: {error}", task.job());
							results.push((task, Err(JobFault::InputLost)));
						}
					}
				}
				let start = Instant::now();
				if !inputs.is_empty() {
					let outputs = engine.run(&model, inputs, time_limit).await;
					results.extend(
						tasks
							.into_iter()
							.zip(outputs.into_iter().map(|output| output.map_err(JobFault::Engine))),
					);
				}
				Event::RunDone {
					run,
					elapsed: start.elapsed(),
					results,
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
