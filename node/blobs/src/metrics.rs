//! Prometheus metrics, prefix `highway_blobs_`.

use crate::store::Usage;
use substrate_prometheus_endpoint::{register, Counter, CounterVec, Gauge, Opts, PrometheusError, Registry, U64};

/// What the store, the server and the fetcher count. The default counts nothing.
#[derive(Clone, Default)]
pub struct Metrics(Option<Registered>);

#[derive(Clone)]
struct Registered {
	stored_bytes: Gauge<U64>,
	stored: Gauge<U64>,
	evicted: Gauge<U64>,
	served_bytes: Counter<U64>,
	requests: CounterVec<U64>,
	fetched_bytes: Counter<U64>,
	fetches: CounterVec<U64>,
	lies: Counter<U64>,
}

impl Metrics {
	/// Registers the metrics; without a registry nothing is counted.
	pub fn register(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		let Some(registry) = registry else {
			return Ok(Self::default());
		};
		Ok(Self(Some(Registered {
			stored_bytes: register(
				Gauge::new(
					"highway_blobs_stored_bytes",
					"Bytes on disk that count against the quota",
				)?,
				registry,
			)?,
			stored: register(Gauge::new("highway_blobs_stored", "Complete blobs on disk")?, registry)?,
			evicted: register(
				Gauge::new("highway_blobs_evicted", "Blobs evicted since the start")?,
				registry,
			)?,
			served_bytes: register(
				Counter::new(
					"highway_blobs_served_bytes_total",
					"Bytes sent to peers, proofs included",
				)?,
				registry,
			)?,
			requests: register(
				CounterVec::new(
					Opts::new("highway_blobs_requests_total", "Requests of peers by result"),
					&["result"],
				)?,
				registry,
			)?,
			fetched_bytes: register(
				Counter::new(
					"highway_blobs_fetched_bytes_total",
					"Verified bytes received from peers",
				)?,
				registry,
			)?,
			fetches: register(
				CounterVec::new(
					Opts::new("highway_blobs_fetches_total", "Fetches by result"),
					&["result"],
				)?,
				registry,
			)?,
			lies: register(
				Counter::new(
					"highway_blobs_lies_total",
					"Responses of peers that failed verification",
				)?,
				registry,
			)?,
		})))
	}

	pub(crate) fn usage(&self, usage: &Usage) {
		if let Some(metrics) = &self.0 {
			metrics.stored_bytes.set(usage.used);
			metrics.stored.set(usage.blobs);
			metrics.evicted.set(usage.evicted);
		}
	}

	pub(crate) fn request(&self, result: &str, bytes: u64) {
		if let Some(metrics) = &self.0 {
			metrics.requests.with_label_values(&[result]).inc();
			metrics.served_bytes.inc_by(bytes);
		}
	}

	pub(crate) fn fetched(&self, bytes: u64) {
		if let Some(metrics) = &self.0 {
			metrics.fetched_bytes.inc_by(bytes);
		}
	}

	pub(crate) fn fetch_ended(&self, result: &str) {
		if let Some(metrics) = &self.0 {
			metrics.fetches.with_label_values(&[result]).inc();
		}
	}

	pub(crate) fn lie(&self) {
		if let Some(metrics) = &self.0 {
			metrics.lies.inc();
		}
	}
}
