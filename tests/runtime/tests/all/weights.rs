//! Every weight of ours was measured, and every call weighs what its benchmark found. That benchmarks do no more than is
//! declared is seen on the runtime that is built with them, by `scripts/weights --check`.

use crate::limits::{attestations, largest_calls, largest_words};
use frame_support::{
	dispatch::GetDispatchInfo,
	traits::{Authorize, GetCallMetadata},
};
use highway_primitives::{audit::AuditWork, market::MAX_DEBTS_AT_ONCE};
use highway_runtime::{constants::DbWeight, Runtime};
use highway_runtime_tests::{worker_transaction, Chain};
use highway_weights::file::{Measurement, WeightFile};
use pallet_inference_jobs::AuditWeights as _;
use pallet_proof_of_work_done::WALK;
use sp_keyring::Sr25519Keyring::Alice;
use std::{
	collections::{BTreeMap, BTreeSet},
	env, fs,
	path::{Path, PathBuf},
};

/// Our pallets: their folders, and their names in the runtime.
const PALLETS: [(&str, &str); 8] = [
	("capacity-probes", "CapacityProbes"),
	("inference-jobs", "InferenceJobs"),
	("model-registry", "ModelRegistry"),
	("node-staking", "NodeStaking"),
	("promotion", "Promotion"),
	("proof-of-work-done", "ProofOfWorkDone"),
	("revenue-split", "RevenueSplit"),
	("storage-proofs", "StorageProofs"),
];

/// Calls that do a part of what another one does, and are measured with it: at this size.
const MEASURED_WITH: [(&str, &str, Option<u32>); 3] = [
	("commit_ask", "commit_asks", Some(1)),
	("reveal_ask", "reveal_asks", Some(1)),
	("claim_for", "claim", None),
];

/// Calls that may do more than their own benchmark, and weigh what others have found besides.
const PUT_TOGETHER: [&str; 11] = [
	"submit_job",
	"submit_batch",
	"poke",
	"force_audit",
	"commit_ask",
	"commit_asks",
	"reveal_ask",
	"reveal_asks",
	"clear",
	"claim_storage_pay",
	"prune",
];

/// Sizes of a component, and runs of each, that a measurement has at least.
const LEAST_RUNS: u32 = 20;

fn source(pallet: &str, file: &str) -> String {
	// Clones share what is built: which of them is tested is known when it is run.
	let repository = env::var_os("HIGHWAY_REPOSITORY").map(PathBuf::from);
	let here = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
	let path = repository
		.unwrap_or_else(here)
		.join("pallets")
		.join(pallet)
		.join("src")
		.join(file);
	fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn measured(pallet: &str) -> WeightFile {
	WeightFile::read(&source(pallet, "weights.rs")).unwrap_or_else(|error| panic!("weights of {pallet}: {error}"))
}

/// Names of the benchmarks that are weights, and how many components each has.
fn benchmarks(pallet: &str) -> BTreeSet<(String, usize)> {
	let source = source(pallet, "benchmarking.rs");
	let functions = source.split("#[benchmark]").skip(1).map(|rest| {
		let (_, function) = rest.split_once("fn ").expect("a benchmark is a function");
		let (name, rest) = function.split_once('(').expect("with arguments");
		let (arguments, _) = rest.split_once(')').expect("that end");
		(name.to_string(), arguments.matches("Linear<").count())
	});
	functions.collect()
}

#[test]
fn a_file_of_weights_should_be_as_it_was_written_when_it_is_committed() {
	for (pallet, _) in PALLETS {
		let sealed = WeightFile::check_seal(&source(pallet, "weights.rs"));
		assert_eq!(sealed, Ok(()), "weights of {pallet}");
	}
}

#[test]
fn a_weight_should_be_measured_and_be_more_than_nothing_when_it_is_committed() {
	for (pallet, _) in PALLETS {
		let file = measured(pallet);
		assert_eq!(file.pallet, format!("pallet_{}", pallet.replace('-', "_")));
		let seen = &file.measured;
		assert!(
			seen.steps >= LEAST_RUNS && seen.repeats >= LEAST_RUNS,
			"{pallet} was only looked at: {seen:?}"
		);
		for weight in &file.weights {
			assert!(!weight.time.is_zero(), "{pallet}::{} weighs nothing", weight.name);
			assert!(
				weight.grows(),
				"{pallet}::{} should grow with each of its components",
				weight.name
			);
		}
	}
}

#[test]
fn a_benchmark_should_have_a_weight_and_a_weight_a_benchmark() {
	for (pallet, _) in PALLETS {
		let named = |weight: &Measurement| (weight.name.clone(), weight.components.len());
		let weights: BTreeSet<_> = measured(pallet).weights.iter().map(named).collect();
		assert_eq!(weights, benchmarks(pallet), "run scripts/weights {pallet}");
	}
}

/// What benchmarks have found, by the names of pallets in the runtime.
struct Found(BTreeMap<&'static str, WeightFile>);

impl Found {
	fn read() -> Self {
		let files = PALLETS.map(|(folder, name)| (name, measured(folder)));
		Self(files.into_iter().collect())
	}

	/// Reference time at this size of each component, or at the largest.
	fn at(&self, pallet: &str, benchmark: &str, size: Option<u32>) -> u64 {
		let file = self.0.get(pallet).unwrap_or_else(|| panic!("{pallet} is not ours"));
		let weight = file.weights.iter().find(|weight| weight.name == benchmark);
		let weight = weight.unwrap_or_else(|| panic!("{pallet}::{benchmark} is not measured"));
		let sizes = weight.components.iter().map(|component| size.unwrap_or(component.high));
		let sizes: Vec<u32> = sizes.collect();
		let accesses = DbWeight::get().reads_writes(weight.reads.at(&sizes), weight.writes.at(&sizes));
		accesses.ref_time().saturating_add(weight.time.at(&sizes))
	}
}

#[test]
fn a_call_should_weigh_what_its_benchmark_has_found_when_it_is_the_largest() {
	let found = Found::read();
	Chain::local(|_| {
		let said = |word| worker_transaction(Alice, word).function;
		for call in largest_calls().into_iter().chain(largest_words().into_iter().map(said)) {
			let names = call.get_call_metadata();
			let (name, weight) = (names.function_name, call.get_dispatch_info().call_weight.ref_time());
			let other = MEASURED_WITH.iter().find(|(one, ..)| *one == name);
			let (benchmark, size) = other.map_or((name, None), |(_, other, size)| (*other, *size));
			let least = found.at(names.pallet_name, benchmark, size);
			if PUT_TOGETHER.contains(&name) {
				assert!(weight >= least, "{name} weighs {weight}, and a part of it {least}");
			} else {
				assert_eq!(weight, least, "{name} does not weigh what was measured");
			}
		}
	});
}

#[test]
fn an_authorization_should_weigh_what_its_benchmark_has_found_when_it_is_the_largest() {
	let found = Found::read();
	Chain::local(|_| {
		for word in largest_words() {
			let transaction = worker_transaction(Alice, word);
			let names = transaction.function.get_call_metadata();
			let benchmark = format!("authorize_{}", names.function_name);
			let own = transaction.function.weight_of_authorize().ref_time();
			assert_eq!(own, found.at(names.pallet_name, &benchmark, None), "{benchmark}");
		}
	});
}

#[test]
fn an_attestation_should_weigh_what_was_measured_of_one_job_and_no_more_than_the_line_when_it_is_of_one() {
	let found = Found::read();
	let measured = |benchmark, jobs| found.at("ProofOfWorkDone", benchmark, jobs);
	let line = |jobs| ["attest", "authorize_attest"].map(|benchmark| measured(benchmark, Some(jobs)));
	let one = ["attest_one", "authorize_attest_one"].map(|benchmark| measured(benchmark, None));
	Chain::local(|_| {
		let weigh = |jobs| {
			let call = worker_transaction(Alice, attestations(jobs)).function;
			[call.get_dispatch_info().call_weight, call.weight_of_authorize()].map(|weight| weight.ref_time())
		};
		assert_eq!((weigh(1), weigh(2)), (one, line(2)));
	});
	assert!(
		one[0] <= line(1)[0] && one[1] <= line(1)[1],
		"{one:?} and {:?}",
		line(1)
	);
}

/// The most nodes that are tried as an auditor.
const TRIES: u32 = 16;

type AuditWeights = <Runtime as pallet_inference_jobs::Config>::AuditWeights;

/// What the due queue is charged for the end of an audit's phase, beside what it does to the job.
fn charged(work: AuditWork) -> u64 {
	AuditWeights::audit_due(work).ref_time()
}

/// What it has to have room for before.
fn room() -> u64 {
	AuditWork::MOST.into_iter().map(charged).max().unwrap_or_default()
}

#[test]
fn the_end_of_an_audit_s_phase_should_weigh_what_was_measured_of_what_it_did() {
	let found = Found::read();
	let measured = |benchmark, size| found.at("ProofOfWorkDone", benchmark, size);
	let passed_on = measured("audit_passed_on", None);
	assert_eq!(charged(AuditWork::PassedOn), passed_on);
	for looked_at in [4, WALK] {
		let draw = measured("window_over", Some(looked_at));
		assert_eq!(charged(AuditWork::Undrawn { looked_at }), passed_on + draw);
	}
	for debts in [0, 1, 2 * MAX_DEBTS_AT_ONCE] {
		let agreed = measured("audit_agreed", Some(debts));
		assert_eq!(charged(AuditWork::Agreed { debts }), agreed);
	}
	for tried in [0, 1, TRIES] {
		let replaced = measured("auditor_replaced", Some(tried));
		assert_eq!(charged(AuditWork::Replaced { tried }), replaced);
	}
	// Both of its steps were measured together, and the searches by those whose nodes are looked at.
	let judged = measured("audit_due", None);
	let searches = 3 * found.at("NodeStaking", "draw_judge", None);
	assert_eq!(charged(AuditWork::Judged), judged);
	assert_eq!(charged(AuditWork::Seated), judged + searches);
	let opened = AuditWeights::audit_opened(WALK, TRIES).ref_time();
	assert_eq!(opened, measured("audit_opened", None));
}

#[test]
fn the_end_of_an_audit_s_phase_should_never_weigh_more_than_there_was_room_for() {
	let undrawn = (0..=WALK).map(|looked_at| AuditWork::Undrawn { looked_at });
	let agreed = (0..=2 * MAX_DEBTS_AT_ONCE).map(|debts| AuditWork::Agreed { debts });
	let replaced = (0..=TRIES).map(|tried| AuditWork::Replaced { tried });
	for work in undrawn.chain(agreed).chain(replaced).chain(AuditWork::MOST) {
		assert!(charged(work) <= room(), "{work:?}");
	}
	assert!(AuditWork::MOST.contains(&AuditWork::Replaced { tried: TRIES }));
	let most = AuditWeights::audit_opened(WALK, TRIES);
	for looked_at in 0..=WALK {
		for tried in 0..=TRIES {
			assert!(AuditWeights::audit_opened(looked_at, tried).all_lte(most));
		}
	}
}

#[test]
fn an_audit_should_weigh_a_small_part_of_what_payers_pay_for_unless_a_jury_judges_and_then_no_more() {
	let opened = |tried| AuditWeights::audit_opened(4, tried).ref_time();
	let (passed_on, seated, judged) = (
		charged(AuditWork::PassedOn),
		charged(AuditWork::Seated),
		charged(AuditWork::Judged),
	);
	// Three steps at their worst, beside the opening.
	let paid = AuditWeights::audit_opened(WALK, TRIES).ref_time() + 3 * room();
	let ordinary = opened(1) + 2 * passed_on + charged(AuditWork::Agreed { debts: 0 });
	assert!(10 * ordinary <= paid, "{ordinary} of {paid}");
	// Two auditors reveal nothing, and the third misses the output.
	let replaced = passed_on + charged(AuditWork::Replaced { tried: TRIES });
	let longest = opened(TRIES) + 2 * replaced + 4 * passed_on + seated + passed_on + judged;
	assert!(longest <= paid, "{longest} of {paid}");

	// Whoever asks for an audit pays without the searches, and for a jury all the same.
	Chain::local(|_| {
		let forced = pallet_proof_of_work_done::Call::<Runtime>::force_audit { job: 0 }.get_dispatch_info();
		let jury = opened(1) + 4 * passed_on + seated + judged;
		let paid = forced.call_weight.proof_size();
		assert!(jury <= paid, "{jury} of {paid}");
	});
}
