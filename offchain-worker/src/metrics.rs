//! What the worker counts, for Prometheus.

use crate::{
	bids::{in_aic, role_name},
	journal::Tally,
	machine::{AskFigures, AuditStep, BidOutcome, ChallengeOutcome, Outcome, Stats},
};
use highway_primitives::Vote;
use std::time::Duration;
use substrate_prometheus_endpoint::{
	exponential_buckets, register, Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, Opts,
	PrometheusError, Registry, F64, U64,
};

/// The worker's metrics, or nothing where the node has no Prometheus registry.
#[derive(Clone, Default)]
pub struct Metrics(Option<Inner>);

#[derive(Clone)]
struct Inner {
	jobs: CounterVec<U64>,
	runs: CounterVec<U64>,
	run_seconds: Histogram,
	batch_size: Histogram,
	assigned: Gauge<U64>,
	queue_length: Gauge<U64>,
	fetching: Gauge<U64>,
	running: Gauge<U64>,
	recording: Gauge<U64>,
	unheard: Gauge<U64>,
	loaded_models: Gauge<U64>,
	loaded_bytes: Gauge<U64>,
	refused_models: Gauge<U64>,
	healthy: Gauge<U64>,
	attestations: CounterVec<U64>,
	audits: CounterVec<U64>,
	open_audits: Gauge<U64>,
	unanswerable: CounterVec<U64>,
	probes: CounterVec<U64>,
	probe_rows: Gauge<U64>,
	challenges: CounterVec<U64>,
	bids: CounterVec<U64>,
	ask: GaugeVec<F64>,
	ask_won: GaugeVec<U64>,
	submissions: CounterVec<U64>,
	blobs: CounterVec<U64>,
	journal_bytes: Gauge<U64>,
	journal_write_errors: Counter<U64>,
	journal_compactions: CounterVec<U64>,
	journal_damaged_bytes: Counter<U64>,
	chain_errors: Counter<U64>,
}

impl Metrics {
	/// Registers them; without a registry nothing is counted.
	pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		registry.map(Inner::register).transpose().map(Self)
	}

	pub(crate) fn job_left(&self, outcome: Outcome) {
		let outcome = match outcome {
			Outcome::Attested => "attested",
			Outcome::Failed => "failed",
			Outcome::Abandoned => "abandoned",
		};
		self.with(|inner| inner.jobs.with_label_values(&[outcome]).inc());
	}

	pub(crate) fn run_started(&self, batch: usize) {
		self.with(|inner| inner.batch_size.observe(batch as f64));
	}

	pub(crate) fn run_ended(&self, elapsed: Duration, ok: usize, failed: usize) {
		self.with(|inner| {
			inner.run_seconds.observe(elapsed.as_secs_f64());
			inner.runs.with_label_values(&["ok"]).inc_by(ok as u64);
			inner.runs.with_label_values(&["failed"]).inc_by(failed as u64);
		});
	}

	pub(crate) fn attested(&self, jobs: usize, again: bool) {
		let kind = if again { "again" } else { "first" };
		self.with(|inner| inner.attestations.with_label_values(&[kind]).inc_by(jobs as u64));
	}

	pub(crate) fn voted(&self, vote: Vote) {
		let verdict = match vote {
			Vote::Yes => "yes",
			Vote::No => "no",
			Vote::Missing => "missing",
			Vote::Abstain => "abstain",
		};
		self.with(|inner| inner.audits.with_label_values(&[verdict]).inc());
	}

	pub(crate) fn unanswerable(&self, step: AuditStep) {
		self.with(|inner| inner.unanswerable.with_label_values(&[step.name()]).inc());
	}

	pub(crate) fn probe_answered(&self, rows: u32) {
		self.with(|inner| {
			inner.probes.with_label_values(&["answered"]).inc();
			inner.probe_rows.set(rows.into());
		});
	}

	pub(crate) fn probe_ended(&self, proved: bool) {
		let outcome = if proved { "proved" } else { "missed" };
		self.with(|inner| inner.probes.with_label_values(&[outcome]).inc());
	}

	pub(crate) fn challenge_ended(&self, outcome: ChallengeOutcome) {
		self.with(|inner| inner.challenges.with_label_values(&[outcome.name()]).inc());
	}

	pub(crate) fn bid(&self, outcome: BidOutcome) {
		self.with(|inner| inner.bids.with_label_values(&[outcome.name()]).inc());
	}

	/// Shows `now` in the place of `before`.
	pub(crate) fn asks(&self, before: &[AskFigures], now: &[AskFigures]) {
		self.with(|inner| {
			for AskFigures { model, role, .. } in before {
				let listed = |other: &&AskFigures| (other.model, other.role) == (*model, *role);
				let other = now.iter().find(listed);
				let (model, role) = (model.to_string(), role_name(*role));
				// An error says that it was not shown.
				if other.is_none() {
					let _ = inner.ask_won.remove_label_values(&[&model, role]);
				}
				if other.and_then(|other| other.price).is_none() {
					let _ = inner.ask.remove_label_values(&[&model, role]);
				}
			}
			for AskFigures {
				model,
				role,
				price,
				won,
			} in now
			{
				let (model, role) = (model.to_string(), role_name(*role));
				inner.ask_won.with_label_values(&[&model, role]).set((*won).into());
				if let Some(price) = price {
					inner.ask.with_label_values(&[&model, role]).set(in_aic(*price));
				}
			}
		});
	}

	pub(crate) fn submitted(&self, action: &str, ok: bool) {
		let result = if ok { "ok" } else { "failed" };
		self.with(|inner| inner.submissions.with_label_values(&[action, result]).inc());
	}

	pub(crate) fn blob_fetched(&self, kind: &str, ok: bool) {
		let result = if ok { "ok" } else { "failed" };
		self.with(|inner| inner.blobs.with_label_values(&[kind, result]).inc());
	}

	/// Shows how long the journal is, and counts what happened to it since this was called last.
	pub(crate) fn journal(&self, bytes: u64, tally: Tally) {
		let Tally {
			failed_writes,
			compactions,
			failed_compactions,
			damaged_bytes,
		} = tally;
		self.with(|inner| {
			inner.journal_bytes.set(bytes);
			inner.journal_write_errors.inc_by(failed_writes);
			// With 0, too: the first one that fails is then seen as an increase.
			for (result, count) in [("ok", compactions), ("failed", failed_compactions)] {
				inner.journal_compactions.with_label_values(&[result]).inc_by(count);
			}
			inner.journal_damaged_bytes.inc_by(damaged_bytes);
		});
	}

	pub(crate) fn chain_error(&self) {
		self.with(|inner| inner.chain_errors.inc());
	}

	pub(crate) fn state(&self, stats: Stats, healthy: bool) {
		self.with(|inner| {
			inner.assigned.set(stats.assigned as u64);
			inner.queue_length.set(stats.queued as u64);
			inner.fetching.set(stats.fetching as u64);
			inner.running.set(stats.running as u64);
			inner.recording.set(stats.recording as u64);
			inner.unheard.set(stats.unheard as u64);
			inner.open_audits.set(stats.audits as u64);
			inner.loaded_models.set(stats.loaded_models as u64);
			inner.loaded_bytes.set(stats.loaded_bytes);
			inner.refused_models.set(stats.refused_models as u64);
			inner.healthy.set(healthy.into());
		});
	}

	fn with(&self, observe: impl FnOnce(&Inner)) {
		if let Some(inner) = &self.0 {
			observe(inner);
		}
	}
}

impl Inner {
	fn register(registry: &Registry) -> Result<Self, PrometheusError> {
		let counters = |name: &str, help: &str, labels: &[&str]| {
			register(CounterVec::new(Opts::new(name, help), labels)?, registry)
		};
		let counter = |name: &str, help: &str| register(Counter::new(name, help)?, registry);
		let gauge = |name: &str, help: &str| register(Gauge::new(name, help)?, registry);
		let histogram = |name: &str, help: &str, buckets: Vec<f64>| {
			register(
				Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?,
				registry,
			)
		};
		Ok(Self {
			jobs: counters(
				"highway_jobs_total",
				"Jobs that left the node's list, by outcome",
				&["outcome"],
			)?,
			runs: counters("highway_job_runs_total", "Runs of single jobs, by result", &["result"])?,
			run_seconds: histogram(
				"highway_run_seconds",
				"Time of a run of one batch",
				exponential_buckets(0.002, 2.0, 16)?,
			)?,
			batch_size: histogram(
				"highway_batch_size",
				"Jobs in one run",
				exponential_buckets(1.0, 2.0, 7)?,
			)?,
			assigned: gauge("highway_jobs_assigned", "Jobs assigned to the node")?,
			queue_length: gauge("highway_queue_length", "Jobs that wait for their input or a run")?,
			fetching: gauge("highway_jobs_fetching", "Jobs whose input is on its way")?,
			running: gauge("highway_jobs_running", "Jobs in the present run")?,
			recording: gauge(
				"highway_jobs_recording",
				"Jobs that ran and are not in the journal yet, so that nothing is said of them",
			)?,
			unheard: gauge(
				"highway_jobs_unheard",
				"Jobs that are done or have failed, of which the chain has not heard",
			)?,
			loaded_models: gauge("highway_loaded_models", "Model versions that are loaded")?,
			loaded_bytes: gauge(
				"highway_loaded_model_bytes",
				"Bytes of the files of loaded model versions",
			)?,
			refused_models: gauge("highway_refused_models", "Model versions that this node refuses to run")?,
			healthy: gauge("highway_healthy", "Whether the node is able to do jobs")?,
			attestations: counters(
				"highway_attestations_total",
				"Attestations sent: first or again",
				&["kind"],
			)?,
			audits: counters(
				"highway_audits_total",
				"Ballots of this node about other nodes' jobs, by its vote",
				&["verdict"],
			)?,
			open_audits: gauge("highway_audits_open", "Audits that want something of the node")?,
			unanswerable: counters(
				"highway_audits_unanswerable_total",
				"Openings that audits asked for and the journal did not hold, by step",
				&["step"],
			)?,
			probes: counters(
				"highway_probes_total",
				"Rounds of probes: answered, then proved or missed",
				&["outcome"],
			)?,
			probe_rows: gauge(
				"highway_probe_rows",
				"Rows of the node's last answer to a round of probes",
			)?,
			challenges: counters(
				"highway_storage_challenges_total",
				"Challenges to show a chunk of a stored model: answered, missed, or gone with their fork",
				&["outcome"],
			)?,
			bids: counters(
				"highway_bids_total",
				"Asks that the node made by itself, by how far they came; not_eligible, no_bond: not committed to for a while; \
				 no_place: revealed, and do not stand; elsewhere: made by others in its name",
				&["outcome"],
			)?,
			ask: register(
				GaugeVec::new(
					Opts::new(
						"highway_ask_aic",
						"What the node asks for a unit of compute, or a started MiB of storage",
					),
					&["model", "role"],
				)?,
				registry,
			)?,
			ask_won: register(
				GaugeVec::new(
					Opts::new("highway_ask_won", "Whether the last clearing gave the node a place"),
					&["model", "role"],
				)?,
				registry,
			)?,
			submissions: counters(
				"highway_submissions_total",
				"Extrinsics given to the transaction pool, by action and result",
				&["action", "result"],
			)?,
			blobs: counters(
				"highway_blobs_fetched_total",
				"Blobs fetched, by kind and result",
				&["kind", "result"],
			)?,
			journal_bytes: gauge("highway_journal_bytes", "Length of the worker's journal")?,
			journal_write_errors: counter(
				"highway_journal_write_errors_total",
				"Writes to the worker's journal that failed",
			)?,
			journal_compactions: counters(
				"highway_journal_compactions_total",
				"How often the journal was written anew without what is struck, by result",
				&["result"],
			)?,
			journal_damaged_bytes: counter(
				"highway_journal_damaged_bytes_total",
				"Bytes of the journal that were found damaged when it was opened",
			)?,
			chain_errors: counter(
				"highway_work_list_errors_total",
				"Blocks at which the work list could not be read",
			)?,
		})
	}
}

#[cfg(test)]
#[path = "tests/metrics.rs"]
mod tests;
