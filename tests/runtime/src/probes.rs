//! What nodes are asked and say in rounds of capacity probes. They say nothing of their own accord.

use crate::{genesis, worker_transaction, Chain};
use highway_primitives::{chunk_proof, probe, BlobRef, NodeId, ProbeSeed, ProbeTask, ProbeTerms, WorkerAction};
use highway_runtime::{Block, Runtime, UncheckedExtrinsic};
use highway_runtime_api::runtime_decl_for_worker_api::WorkerApi;

impl Chain {
	/// Runs `test` on a chain of the preset `local_testnet` on which rounds come as `terms` say.
	pub fn probing<R>(terms: &ProbeTerms, test: impl FnOnce(&mut Chain) -> R) -> R {
		let patch = serde_json::json!({ "capacityProbes": { "terms": terms } });
		let preset = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
		Self::of_genesis(genesis::genesis_with(preset, patch), test)
	}

	/// What the present round wants of the node, as its worker is told after the last block.
	pub fn probe(&mut self, node: NodeId) -> Option<ProbeTask> {
		self.close();
		let worker = self.worker(node).public().into();
		<Runtime as WorkerApi<Block>>::work_for(worker)
			.expect("the node exists")
			.probe
	}

	/// The node's answer to the round that it is asked for.
	pub fn probe_answer(&mut self, node: NodeId, blob: &[u8]) -> UncheckedExtrinsic {
		let Some(ProbeTask::Compute { round, seed, .. }) = self.probe(node) else {
			panic!("node {node} is not asked for an answer")
		};
		let output = BlobRef::of(blob);
		let action = WorkerAction::AnswerProbe {
			node,
			round,
			seed,
			output,
		};
		worker_transaction(self.worker(node), action)
	}

	/// The node's proof of what it answered.
	pub fn probe_proof(&mut self, node: NodeId, blob: &[u8]) -> UncheckedExtrinsic {
		let Some(ProbeTask::Prove { round, chunk, .. }) = self.probe(node) else {
			panic!("node {node} is not asked for a proof")
		};
		let proof = chunk_proof::prove(blob, chunk).expect("the blob has the chunk");
		worker_transaction(self.worker(node), WorkerAction::ProveProbe { node, round, proof })
	}
}

/// The first rows of the node's probe, as the model gives them.
pub fn computed_rows(seed: &ProbeSeed, node: NodeId, rows: u32) -> Vec<u8> {
	let matrix = probe::matrix();
	(0..rows)
		.flat_map(|row| probe::run(&matrix, probe::first_row(seed, node, row)))
		.collect()
}
