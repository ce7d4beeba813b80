//! What others read.

use crate::{rounds::Duty, Config, Measurement, Measurements, Pallet, Terms};
use highway_primitives::{traits::Allowed, BlockNumber, DeviceClass, NodeId, ProbeTask};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// What the round wants of the node now. What is sent now stands in the next block.
	pub fn task_of(node: NodeId) -> Option<ProbeTask> {
		let (round, duty) = Self::duty(node, Self::now().saturating_add(1))?;
		Some(match duty {
			Duty::Answer { most } => ProbeTask::Compute {
				round: round.index,
				seed: round.seed,
				rows: most,
				until: round.answers_until(),
			},
			Duty::Prove(challenge) => ProbeTask::Prove {
				round: round.index,
				output: challenge.answer.output,
				chunk: challenge.chunk,
				until: round.proofs_until(),
			},
		})
	}

	/// What is known of a node of this class, and what it may sell by that. `None`: probing is off, or it was not heard since
	/// it is on.
	pub fn measurement(node: NodeId, device: DeviceClass) -> Option<(Measurement, Allowed)> {
		let (terms, known) = (Terms::<T>::get()?, Measurements::<T>::get(node)?);
		Some((known, known.allowed(&terms, device)))
	}

	/// The current block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}
