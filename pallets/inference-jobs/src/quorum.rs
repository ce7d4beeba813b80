//! Jobs of a quorum: several on one input, each with a node of another operator.
//!
//! Each is a job like any other from here on, with its own executor, security, audit and end. Only two things bind them: what
//! is paid once is paid with the first, and no node does two of them, at whatever draw it comes in. An operator has one node,
//! so that distinct nodes are distinct operators.

use crate::{Config, JobRecordOf, Jobs, Pallet};
use alloc::{vec, vec::Vec};
use highway_primitives::{market::Deal, traits::Market, Balance, JobId, ModelId, NodeId, Quorum};
use sp_runtime::DispatchError;

/// The deals of a quorum, the first one first.
type Deals<T> = Vec<Deal<<T as frame_system::Config>::AccountId>>;

impl<T: Config> Pallet<T> {
	/// Opens as many deals as make `size` with the one of the first job.
	pub(crate) fn open_siblings(
		model: ModelId,
		first: Deal<T::AccountId>,
		size: u8,
	) -> Result<Deals<T>, DispatchError> {
		let siblings = (1..size)
			.map(|_| T::Market::open_sibling(model, &first))
			.collect::<Result<Vec<_>, _>>()?;
		let mut deals = vec![first];
		deals.extend(siblings);
		Ok(deals)
	}

	/// An able node for each of `jobs`, no node twice, each drawn as the executor of a single job is, and how many nodes that
	/// looked at beyond the first samples. `None` if too few are able. Keeps the first one for the model's next draw.
	pub(crate) fn draw_distinct(
		jobs: Quorum,
		model: ModelId,
		security: Balance,
		executors: &[NodeId],
	) -> Option<(Vec<NodeId>, u32)> {
		let last = T::Market::last_drawn(model);
		let (mut nodes, mut further) = (Vec::new(), 0u32);
		for job in jobs.jobs() {
			let drawn = Self::draw_executor(job, 0, model, security, &nodes, executors, last);
			further = further.saturating_add(drawn.further());
			nodes.push(drawn.node?);
		}
		if let Some(node) = nodes.first().copied() {
			T::Market::note_drawn(model, node);
		}
		Some((nodes, further))
	}

	/// The nodes that must not get `job` any more: those that had it, and those that now have a sibling of it or have
	/// attested one, whatever came of that. Who let a sibling's deadline pass has done none of the work, and may.
	pub(crate) fn excluded(job: JobId, record: &JobRecordOf<T>) -> Vec<NodeId> {
		let siblings = record.quorum.into_iter().flat_map(|quorum| quorum.siblings(job));
		let busy = siblings.filter_map(|sibling| Jobs::<T>::get(sibling)?.executor());
		record.tried.iter().copied().chain(busy).collect()
	}
}
