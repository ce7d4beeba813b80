use super::*;
use substrate_prometheus_endpoint::prometheus::TextEncoder;

#[test]
fn what_happened_to_the_journal_should_be_counted_once() {
	let registry = Registry::new();
	let metrics = Metrics::new(Some(&registry)).unwrap();
	let tally = Tally {
		failed_writes: 2,
		compactions: 1,
		failed_compactions: 3,
		damaged_bytes: 7,
	};
	metrics.journal(40, tally);
	metrics.journal(50, Tally::default());
	let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
	for line in [
		"highway_journal_bytes 50",
		"highway_journal_write_errors_total 2",
		"highway_journal_compactions_total{result=\"ok\"} 1",
		"highway_journal_compactions_total{result=\"failed\"} 3",
		"highway_journal_damaged_bytes_total 7",
	] {
		assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
	}
}

#[test]
fn jobs_in_hand_should_be_shown_by_what_they_wait_for() {
	let registry = Registry::new();
	let metrics = Metrics::new(Some(&registry)).unwrap();
	let stats = Stats {
		assigned: 15,
		queued: 5,
		fetching: 2,
		running: 3,
		recording: 3,
		unheard: 4,
		..Stats::default()
	};
	metrics.state(stats, false);
	let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
	for line in [
		"highway_jobs_assigned 15",
		"highway_queue_length 5",
		"highway_jobs_fetching 2",
		"highway_jobs_running 3",
		"highway_jobs_recording 3",
		"highway_jobs_unheard 4",
		"highway_healthy 0",
	] {
		assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
	}
}
