//! A runtime with benchmarks, on the state of genesis.

use anyhow::{anyhow, bail, ensure, Context, Result};
use codec::{Decode, Encode};
use frame_benchmarking::{
	benchmarking::HostFunctions, BenchmarkBatch, BenchmarkConfig, BenchmarkList, BenchmarkParameter, BenchmarkResult,
};
use frame_support::traits::StorageInfo;
use sc_chain_spec::{GenesisConfigBuilderRuntimeCaller, DEV_RUNTIME_PRESET};
use sc_client_db::BenchmarkingState;
use sc_executor::WasmExecutor;
use sp_core::{
	hexdisplay::HexDisplay,
	traits::{CallContext, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::traits::{BlakeTwo256, Hash};
use sp_state_machine::{OverlayedChanges, StateMachine};

type State = BenchmarkingState<BlakeTwo256>;
type Executor = WasmExecutor<(sp_io::SubstrateHostFunctions, HostFunctions)>;

/// A benchmark of the runtime.
pub struct Benchmark {
	pub name: String,
	/// What it grows with, each from the least to the most.
	pub components: Vec<(BenchmarkParameter, u32, u32)>,
	pallet: Vec<u8>,
	instance: Vec<u8>,
}

impl Benchmark {
	/// The least and the most of each component.
	pub fn ranges(&self) -> Vec<(u32, u32)> {
		self.components.iter().map(|(_, low, high)| (*low, *high)).collect()
	}
}

/// The benchmarks of a pallet.
pub struct Pallet {
	/// Its crate.
	pub name: String,
	pub benchmarks: Vec<Benchmark>,
}

/// Items that a run accessed, each once, but for those that every block has in memory.
pub struct Accesses {
	pub reads: u64,
	pub writes: u64,
	/// Of which storage.
	pub storage: Vec<String>,
}

/// The runtime.
pub struct Chain {
	code: Vec<u8>,
	hash: Vec<u8>,
	executor: Executor,
	/// Counts accesses.
	counting: State,
	/// Counts nothing: for times.
	plain: State,
	/// What there is in the state.
	items: Vec<StorageInfo>,
}

impl Chain {
	/// On the state that the runtime makes of its preset for development; and all that can be measured on it.
	pub fn new(code: Vec<u8>) -> Result<(Self, Vec<Pallet>)> {
		let preset = DEV_RUNTIME_PRESET.to_string();
		let genesis = GenesisConfigBuilderRuntimeCaller::<()>::new(&code)
			.get_storage_for_named_preset(Some(&preset))
			.map_err(|reason| anyhow!("the runtime makes no genesis: {reason}"))?;
		// Proofs are nothing to a chain of its own, and recording them takes time.
		let state = |counts| State::new(genesis.clone(), None, false, counts).map_err(|reason| anyhow!(reason));
		let mut chain = Self {
			counting: state(true)?,
			plain: state(false)?,
			executor: Executor::builder().build(),
			hash: BlakeTwo256::hash(&code).0.to_vec(),
			items: Vec::new(),
			code,
		};
		// Without the benchmarks that are no weights.
		let extra = false.encode();
		let (lists, items): (Vec<BenchmarkList>, Vec<StorageInfo>) = chain
			.call(&chain.plain, "Benchmark_benchmark_metadata", &extra)
			.context("was the runtime built with runtime-benchmarks?")?;
		chain.items = items;
		let pallets: Result<Vec<Pallet>> = lists.into_iter().map(pallet).collect();
		Ok((chain, pallets?))
	}

	fn call<Answer: Decode>(&self, state: &State, method: &str, argument: &[u8]) -> Result<Answer> {
		let fetcher = WrappedRuntimeCode(self.code.as_slice().into());
		let code = RuntimeCode {
			code_fetcher: &fetcher,
			heap_pages: None,
			hash: self.hash.clone(),
		};
		let mut overlay = OverlayedChanges::default();
		let mut extensions = Extensions::new();
		extensions.register(KeystoreExt::new(MemoryKeystore::new()));
		let mut machine = StateMachine::new(
			state,
			&mut overlay,
			&self.executor,
			method,
			argument,
			&mut extensions,
			&code,
			CallContext::Offchain,
		);
		let answer = machine
			.execute()
			.map_err(|reason| anyhow!("{method} failed: {reason}"))?;
		Answer::decode(&mut &answer[..]).with_context(|| format!("{method} answered something else"))
	}

	fn run(
		&self,
		state: &State,
		benchmark: &Benchmark,
		sizes: &[u32],
		verify: bool,
		repeats: u32,
	) -> Result<Vec<BenchmarkResult>> {
		let named = benchmark.components.iter().zip(sizes);
		let components = named.map(|((name, ..), size)| (*name, *size));
		let config = BenchmarkConfig {
			pallet: benchmark.pallet.clone(),
			instance: benchmark.instance.clone(),
			benchmark: benchmark.name.clone().into_bytes(),
			selected_components: components.collect(),
			verify,
			internal_repeats: repeats,
		};
		let batches: Result<Vec<BenchmarkBatch>, String> =
			self.call(state, "Benchmark_dispatch_benchmark", &config.encode())?;
		let mut batches = batches.map_err(|reason| anyhow!(reason))?;
		let results = batches.pop().map(|batch| batch.results).unwrap_or_default();
		ensure!(!results.is_empty(), "nothing was run");
		Ok(results)
	}

	/// Whether the benchmark does what it says, at a size of each component.
	pub fn verify(&self, benchmark: &Benchmark, sizes: &[u32]) -> Result<()> {
		self.run(&self.plain, benchmark, sizes, true, 1).map(|_| ())
	}

	/// What it accesses.
	pub fn accesses(&self, benchmark: &Benchmark, sizes: &[u32]) -> Result<Accesses> {
		let mut results = self.run(&self.counting, benchmark, sizes, false, 1)?;
		let Some(result) = results.pop() else {
			bail!("nothing was counted")
		};
		let describe = |touched| describe(&self.items, touched);
		Ok(Accesses {
			reads: result.reads.into(),
			writes: result.writes.into(),
			storage: result.keys.iter().map(describe).collect(),
		})
	}

	/// What each of so many runs takes, in picoseconds.
	pub fn times(&self, benchmark: &Benchmark, sizes: &[u32], repeats: u32) -> Result<Vec<u64>> {
		let results = self.run(&self.plain, benchmark, sizes, false, repeats)?;
		let picoseconds = |result: &BenchmarkResult| {
			let nanoseconds = u64::try_from(result.extrinsic_time).unwrap_or(u64::MAX);
			nanoseconds.saturating_mul(1_000)
		};
		Ok(results.iter().map(picoseconds).collect())
	}
}

fn pallet(list: BenchmarkList) -> Result<Pallet> {
	let name = String::from_utf8(list.pallet.clone()).context("a pallet's name is text")?;
	let benchmarks = list.benchmarks.into_iter().map(|benchmark| {
		Ok(Benchmark {
			name: String::from_utf8(benchmark.name).context("a benchmark's name is text")?,
			components: benchmark.components,
			pallet: list.pallet.clone(),
			instance: list.instance.clone(),
		})
	});
	Ok(Pallet {
		benchmarks: benchmarks.collect::<Result<_>>()?,
		name,
	})
}

/// Names what lies under the beginning of a key, and how many items of it were accessed.
fn describe(items: &[StorageInfo], (prefix, reads, writes, _): &(Vec<u8>, u32, u32, bool)) -> String {
	let name = items.iter().find(|item| prefix.starts_with(&item.prefix)).map_or_else(
		|| format!("0x{}", HexDisplay::from(prefix)),
		|item| {
			let (pallet, name) = (&item.pallet_name, &item.storage_name);
			format!("{}::{}", String::from_utf8_lossy(pallet), String::from_utf8_lossy(name))
		},
	);
	format!("`{name}` (r:{reads} w:{writes})")
}
