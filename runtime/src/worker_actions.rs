//! What a worker key signs, and the transaction that carries it.

use crate::{RuntimeCall, System, TxExtension, UncheckedExtrinsic};
use highway_primitives::{worker, WorkerAction, WorkerSignature};
use sp_runtime::generic::Era;

/// See `WorkerApi::worker_payload`.
pub fn payload(action: &WorkerAction) -> [u8; 32] {
	worker::payload(System::block_hash(0), action)
}

/// See `WorkerApi::worker_transaction`.
pub fn transaction(action: WorkerAction, signature: WorkerSignature) -> UncheckedExtrinsic {
	let call: RuntimeCall = match action {
		WorkerAction::Attest { node, items } => {
			pallet_proof_of_work_done::Call::attest { node, items, signature }.into()
		}
		WorkerAction::ReportFailure { node, job, work, class } => pallet_proof_of_work_done::Call::report_failure {
			node,
			job,
			work,
			class,
			signature,
		}
		.into(),
		WorkerAction::OpenCommitment {
			node,
			job,
			opening,
			salt,
		} => pallet_proof_of_work_done::Call::open_commitment {
			node,
			job,
			opening,
			salt,
			signature,
		}
		.into(),
		WorkerAction::CommitBallot {
			node,
			job,
			seed,
			commitment,
		} => pallet_proof_of_work_done::Call::commit_ballot {
			node,
			job,
			seed,
			commitment,
			signature,
		}
		.into(),
		WorkerAction::RevealBallot {
			node,
			job,
			ballot,
			salt,
		} => pallet_proof_of_work_done::Call::reveal_ballot {
			node,
			job,
			ballot,
			salt,
			signature,
		}
		.into(),
		WorkerAction::ProveChunk { node, job, proof } => pallet_proof_of_work_done::Call::prove_chunk {
			node,
			job,
			proof,
			signature,
		}
		.into(),
		WorkerAction::Heartbeat {
			node,
			session,
			healthy,
			slots,
		} => pallet_node_staking::Call::heartbeat {
			node,
			session,
			healthy,
			slots,
			signature,
		}
		.into(),
		WorkerAction::AnswerProbe {
			node,
			round,
			seed,
			output,
		} => pallet_capacity_probes::Call::answer {
			node,
			round,
			seed,
			output,
			signature,
		}
		.into(),
		WorkerAction::ProveProbe { node, round, proof } => pallet_capacity_probes::Call::prove {
			node,
			round,
			proof,
			signature,
		}
		.into(),
		WorkerAction::CommitAsks { node, epoch, items } => pallet_revenue_split::Call::commit_asks {
			node,
			epoch,
			items,
			signature,
		}
		.into(),
		WorkerAction::RevealAsks { node, epoch, items } => pallet_revenue_split::Call::reveal_asks {
			node,
			epoch,
			items,
			signature,
		}
		.into(),
		WorkerAction::ProveStorage {
			node,
			model,
			drawn_at,
			proof,
		} => pallet_storage_proofs::Call::prove {
			node,
			model,
			drawn_at,
			proof,
			signature,
		}
		.into(),
	};
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(0),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	UncheckedExtrinsic::new_transaction(call, extension)
}
