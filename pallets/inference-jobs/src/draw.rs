//! Draws of executors: each looks at four nodes, however many have won.
//!
//! What a node weighs is what it is now, and reading that costs two items of storage: to read it of all winners would make a
//! job dear where many serve. So a draw weighs a sample of [`SAMPLE`] winners against one another: the node that got the
//! model's last job, and others at random.
//!
//! The last one is in it for a reason. Of four at random, a node that weighs as much as all others together would get one
//! job in sixteen; who splits a large node into many small ones would get many times as much. With the last one among them,
//! the draws are a Markov chain that has the weights' own shares in the long run, exactly: let w be the weights, and let a
//! set A of four that has i and j in it be drawn as often from i as from j, which it is. Then i hands over to j by way of A
//! with the probability `P(A) · w(j) / w(A)`, and `w(i) · w(j) / w(A)` is the same from j to i. So a heavy node is seldom
//! found, and keeps what it has for as long as makes up for it. (This is sampling-importance-resampling, iterated.)

use crate::{types::Draw, Config, Pallet};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::Randomness;
use highway_math::draw::weighted;
use highway_primitives::{traits::Nodes, Balance, JobId, ModelId, NodeId};
use sp_io::hashing::blake2_256;

/// The most nodes that are weighed against one another: what a draw looks at, unless none of them can take the job.
pub const SAMPLE: u32 = 4;

/// What came of a draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Drawn {
	/// The node; `None` if nobody can take the job.
	pub node: Option<NodeId>,
	/// How many nodes were looked at.
	pub looked_at: u32,
}

impl Drawn {
	/// Nodes that were looked at beyond the first sample.
	pub fn further(&self) -> u32 {
		self.looked_at.saturating_sub(SAMPLE)
	}
}

/// Draws one of `candidates`, each of which is named once, by what they `weigh`: one of a sample, in which `last` is if it is
/// a candidate, and in which all others have the same chance to be. If nobody in it weighs anything, one of the next sample,
/// and so on: `None` if nobody at all does. Nobody is looked at twice.
///
/// The bias of a pick is below 2⁻²⁶ for up to 64 candidates; that of the ticket is below 2⁻⁶².
pub(crate) fn sampled(
	mut seed: [u8; 32],
	last: Option<NodeId>,
	mut candidates: Vec<NodeId>,
	weigh: impl Fn(NodeId) -> u64,
) -> Drawn {
	let mut looked_at: u32 = 0;
	let held = candidates.iter().position(|node| Some(*node) == last);
	let mut sample: Vec<NodeId> = held.map(|place| candidates.swap_remove(place)).into_iter().collect();
	loop {
		for pick in picks(&seed) {
			// Nothing is left, or the sample is full.
			let Some(place) = pick.checked_rem(candidates.len() as u32) else {
				break;
			};
			if sample.len() >= SAMPLE as usize {
				break;
			}
			sample.push(candidates.swap_remove(place as usize));
		}
		if sample.is_empty() {
			return Drawn { node: None, looked_at };
		}
		looked_at = looked_at.saturating_add(sample.len() as u32);
		let weights: Vec<u64> = sample.iter().map(|node| weigh(*node)).collect();
		if let Some(place) = weighted(&seed, &weights) {
			let node = sample.get(place).copied();
			return Drawn { node, looked_at };
		}
		sample.clear();
		seed = blake2_256(&seed);
	}
}

/// Four numbers of the second half of a seed; the ticket is of the first one.
fn picks(seed: &[u8; 32]) -> impl Iterator<Item = u32> + '_ {
	seed.chunks_exact(4)
		.skip(4)
		.filter_map(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
}

impl<T: Config> Pallet<T> {
	/// An able node among `executors` and not among `excluded`, drawn by reliability × free capacity, after so many others
	/// as `round` says. `last` got the model's last job.
	pub(crate) fn draw_executor(
		job: JobId,
		round: usize,
		model: ModelId,
		security: Balance,
		excluded: &[NodeId],
		executors: &[NodeId],
		last: Option<NodeId>,
	) -> Drawn {
		let candidates = executors
			.iter()
			.copied()
			.filter(|node| !excluded.contains(node))
			.collect();
		let round = u32::try_from(round).unwrap_or(u32::MAX);
		let seed = Self::seed(Draw::Executor(job, round));
		sampled(seed, last, candidates, |node| {
			T::Nodes::draw_weight(node, model, security)
		})
	}

	/// Hash of the parent block's randomness and what is drawn.
	pub(crate) fn seed(draw: Draw) -> [u8; 32] {
		let subject = draw.encode();
		match T::Randomness::random(&subject).0 {
			Some(randomness) => blake2_256(&(randomness, subject).encode()),
			None => blake2_256(&(frame_system::Pallet::<T>::parent_hash(), subject).encode()),
		}
	}
}
