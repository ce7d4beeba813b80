//! Which pallets are measured. The weights of the SDK's pallets are the SDK's own.

// What the macro defines is used in this crate alone.
#![allow(clippy::crate_in_macro_def)]

frame_benchmarking::define_benchmarks!(
	[pallet_model_registry, crate::ModelRegistry]
	[pallet_node_staking, crate::NodeStaking]
	[pallet_revenue_split, crate::RevenueSplit]
	[pallet_inference_jobs, crate::InferenceJobs]
	[pallet_proof_of_work_done, crate::ProofOfWorkDone]
	[pallet_capacity_probes, crate::CapacityProbes]
	[pallet_storage_proofs, crate::StorageProofs]
	[pallet_promotion, crate::Promotion]
);
