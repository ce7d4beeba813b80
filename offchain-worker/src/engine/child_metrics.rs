//! What is counted of child processes, for Prometheus.

use super::process::resident;
use parking_lot::Mutex;
use std::{collections::BTreeSet, sync::Arc};
use substrate_prometheus_endpoint::{
	register, Counter, CounterVec, MetricSource, Opts, PrometheusError, Registry, SourcedGauge, U64,
};

/// Why a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
	/// Nobody needs it any more.
	Asked,
	/// By itself, or somebody else killed it.
	Crashed,
	/// It took too much memory.
	Memory,
	/// It took too much time.
	Time,
	/// It answered something that is no answer.
	Protocol,
}

impl Exit {
	const ALL: [Self; 5] = [Self::Asked, Self::Crashed, Self::Memory, Self::Time, Self::Protocol];

	fn name(self) -> &'static str {
		match self {
			Self::Asked => "asked",
			Self::Crashed => "crashed",
			Self::Memory => "memory",
			Self::Time => "time",
			Self::Protocol => "protocol",
		}
	}
}

/// Counts the child processes of an engine. The default counts nothing.
#[derive(Clone, Debug, Default)]
pub struct ChildMetrics(Option<Registered>);

#[derive(Clone, Debug)]
struct Registered {
	started: Counter<U64>,
	exited: CounterVec<U64>,
	living: Living,
}

impl ChildMetrics {
	/// Registers them; without a registry nothing is counted.
	pub fn register(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		registry.map(Registered::new).transpose().map(Self)
	}

	pub(super) fn started(&self, pid: u32) {
		if let Some(registered) = &self.0 {
			registered.started.inc();
			registered.living.0.lock().insert(pid);
		}
	}

	pub(super) fn ended(&self, pid: u32, exit: Exit) {
		if let Some(registered) = &self.0 {
			registered.living.0.lock().remove(&pid);
			registered.exited.with_label_values(&[exit.name()]).inc();
		}
	}
}

impl Registered {
	fn new(registry: &Registry) -> Result<Self, PrometheusError> {
		let living = Living::default();
		let gauge = |name: &str, help: &str, read: fn(&[u64]) -> u64| {
			let source = Source {
				living: living.clone(),
				read,
			};
			register(SourcedGauge::new(&Opts::new(name, help), source)?, registry)
		};
		gauge(
			"highway_inference_children",
			"Processes that have a model, or look whether the sandbox holds",
			|memory| memory.len() as u64,
		)?;
		gauge(
			"highway_inference_children_resident_bytes",
			"Memory that these processes have now",
			|memory| memory.iter().sum(),
		)?;
		let started: Counter<U64> = Counter::new(
			"highway_inference_children_started_total",
			"Processes that were started to have a model, or to look whether the sandbox holds",
		)?;
		let exited: CounterVec<U64> = CounterVec::new(
			Opts::new(
				"highway_inference_children_exited_total",
				"Such processes that ended, by reason: asked to, crashed, killed for memory or time, broke the protocol",
			),
			&["reason"],
		)?;
		// From the start on, so that the first one of a kind is seen as an increase.
		for exit in Exit::ALL {
			exited.with_label_values(&[exit.name()]);
		}
		Ok(Self {
			started: register(started, registry)?,
			exited: register(exited, registry)?,
			living,
		})
	}
}

/// Ids of the processes that were started and have not ended.
#[derive(Clone, Debug, Default)]
struct Living(Arc<Mutex<BTreeSet<u32>>>);

impl Living {
	/// The memory of each in bytes. One that died and that nobody has missed yet has none.
	fn memory(&self) -> Vec<u64> {
		let pids = self.0.lock().clone();
		pids.into_iter().filter_map(resident).collect()
	}
}

/// A figure that is read when somebody asks for it.
#[derive(Clone)]
struct Source {
	living: Living,
	read: fn(&[u64]) -> u64,
}

impl MetricSource for Source {
	type N = u64;

	fn collect(&self, mut set: impl FnMut(&[&str], Self::N)) {
		set(&[], (self.read)(&self.living.memory()));
	}
}
