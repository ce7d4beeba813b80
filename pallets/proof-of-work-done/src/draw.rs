//! Randomness that nobody chooses: the VRFs of several authors behind a block that was fixed before.

use crate::{Config, Pallet, SealedBlock, Vrfs};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::{FindAuthor, Get};
pub use highway_math::audit::DRAW_WALK as WALK;
use highway_primitives::{BlockNumber, JobId};

/// Blocks whose VRFs are kept: half an hour. A due queue that is later than that finds its draws lost.
pub const RING: BlockNumber = 1_024;

/// Authors that must have added to a draw: a party to the job among them may skip slots, but not foresee the others.
const AUTHORS: usize = 3;

/// Separates draws from other hashes.
const DOMAIN: &[u8; 12] = b"highway/draw";

/// A draw that is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Draw {
	/// What was drawn.
	pub seed: [u8; 32],
	/// Whether it comes from what is left, because the blocks that it should come from are forgotten.
	pub lost: bool,
}

/// What is taken from one draw: each use has its own randomness.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode)]
pub(crate) enum Purpose {
	/// Whether there is an audit.
	Audit,
	/// The auditor, after so many others.
	Auditor(u32),
	/// The juror, after so many others.
	Juror(u32),
	/// Seed of the jurors' sketches.
	Sketch,
	/// The chunk that an executor must show.
	Chunk,
	/// The input that the audit is about.
	Input,
}

/// The randomness for one purpose.
pub(crate) fn derive(seed: &[u8; 32], purpose: Purpose) -> [u8; 32] {
	sp_io::hashing::blake2_256(&(DOMAIN, seed, purpose).encode())
}

/// The first eight bytes of a hash.
pub(crate) fn head(hash: &[u8; 32]) -> [u8; 8] {
	let mut head = [0; 8];
	head.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
	head
}

/// The input that an audit is about which `seed` drew, of a job of so many, counted from 0. Nobody knows it before the
/// executor has committed itself to all of them.
pub(crate) fn drawn_input(seed: &[u8; 32], inputs: u16) -> u16 {
	let ticket = u64::from_le_bytes(head(&derive(seed, Purpose::Input)));
	// The modulo's bias is below 2⁻⁵⁵ for the most inputs.
	let index = ticket.checked_rem(inputs.into()).unwrap_or_default();
	u16::try_from(index).unwrap_or_default()
}

impl<T: Config> Pallet<T> {
	/// Keeps the present block's author and VRF.
	pub(crate) fn seal_block(now: BlockNumber) {
		let digest = frame_system::Pallet::<T>::digest();
		let author = T::FindAuthor::find_author(digest.logs.iter().filter_map(|log| log.as_pre_runtime()));
		let seal = author.zip(T::BlockVrf::get());
		Vrfs::<T>::insert(Self::slot(now), SealedBlock { block: now, seal });
	}

	/// Where a block stands in the ring.
	pub(crate) fn slot(block: BlockNumber) -> BlockNumber {
		block.checked_rem(RING).unwrap_or_default()
	}

	/// A block, while the ring keeps it.
	pub(crate) fn sealed(block: BlockNumber) -> Option<SealedBlock<T::AccountId>> {
		Vrfs::<T>::get(Self::slot(block)).filter(|sealed| sealed.block == block)
	}

	/// The draw for `job` behind the block `fixed`, which was set before anybody could know what comes of it.
	///
	/// It takes the VRFs of the blocks behind `fixed` until three validators that are not among `parties` have authored,
	/// or all of them if there are fewer, or [`WALK`] blocks are over. `None`: those blocks are still to come. Returns, too, at
	/// how many of them it looked.
	pub(crate) fn draw(job: JobId, fixed: BlockNumber, parties: &[T::AccountId]) -> (Option<Draw>, u32) {
		let now = Self::now();
		let validators = T::Validators::get();
		let neutral = validators.iter().filter(|validator| !parties.contains(validator));
		let wanted = neutral.count().min(AUTHORS);

		let mut authors: Vec<T::AccountId> = Vec::new();
		let mut walked: Vec<[u8; 32]> = Vec::new();
		let mut looked_at: u32 = 0;
		let last = fixed.saturating_add(WALK);
		for block in fixed.saturating_add(1)..=last.min(now.saturating_sub(1)) {
			looked_at = looked_at.saturating_add(1);
			let Some(sealed) = Self::sealed(block) else {
				return (Some(Self::draw_from_what_is_left(job, fixed)), looked_at);
			};
			let Some((author, vrf)) = sealed.seal else { continue };
			walked.push(vrf);
			if !parties.contains(&author) && !authors.contains(&author) {
				authors.push(author);
			}
			if authors.len() >= wanted {
				return (Some(Self::drawn(job, fixed, &walked)), looked_at);
			}
		}
		if now <= last {
			return (None, looked_at);
		}
		// So many blocks without enough authors: what there is must do. Without any VRF nothing was drawn.
		let draw = match walked.is_empty() {
			true => Self::draw_from_what_is_left(job, fixed),
			false => Self::drawn(job, fixed, &walked),
		};
		(Some(draw), looked_at)
	}

	fn drawn(job: JobId, fixed: BlockNumber, walked: &[[u8; 32]]) -> Draw {
		Draw {
			seed: sp_io::hashing::blake2_256(&(DOMAIN, job, fixed, walked).encode()),
			lost: false,
		}
	}

	/// From the parent block. Whoever ends the phase may choose the moment: what is drawn so is audited in any case.
	fn draw_from_what_is_left(job: JobId, fixed: BlockNumber) -> Draw {
		let vrf = Self::sealed(Self::now().saturating_sub(1)).and_then(|sealed| sealed.seal.map(|(_, vrf)| vrf));
		let parent = frame_system::Pallet::<T>::parent_hash();
		Draw {
			seed: sp_io::hashing::blake2_256(&(DOMAIN, job, fixed, vrf, parent).encode()),
			lost: true,
		}
	}

	/// The chunk of an output of `chunks` chunks that the VRF of block `since` draws. Known once that block is over; the
	/// draw does without the VRF if the block has none or is forgotten.
	pub(crate) fn drawn_chunk(job: JobId, since: BlockNumber, chunks: u64) -> u64 {
		let vrf = Self::sealed(since).and_then(|sealed| sealed.seal.map(|(_, vrf)| vrf));
		let seed = sp_io::hashing::blake2_256(&(DOMAIN, job, since, vrf).encode());
		let ticket = u64::from_le_bytes(head(&derive(&seed, Purpose::Chunk)));
		// The modulo's bias is below 2⁻⁴¹ for the largest blob.
		ticket.checked_rem(chunks).unwrap_or_default()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::MAX_INPUTS;

	#[test]
	fn each_purpose_should_have_its_own_randomness() {
		let purposes = [
			Purpose::Audit,
			Purpose::Auditor(0),
			Purpose::Auditor(1),
			Purpose::Juror(0),
			Purpose::Juror(1),
			Purpose::Sketch,
			Purpose::Chunk,
			Purpose::Input,
		];
		let mut drawn: Vec<_> = purposes.iter().map(|purpose| derive(&[7; 32], *purpose)).collect();
		drawn.sort_unstable();
		drawn.dedup();
		assert_eq!(drawn.len(), purposes.len());
		assert_ne!(derive(&[7; 32], Purpose::Audit), derive(&[8; 32], Purpose::Audit));
	}

	#[test]
	fn input_should_be_one_of_the_job_s_and_each_as_often_as_any_other() {
		let seed = |number: u32| sp_io::hashing::blake2_256(&number.to_le_bytes());
		for inputs in [1u16, 2, 3, 7, 255, MAX_INPUTS] {
			let mut drawn = vec![0u32; inputs.into()];
			let draws = 400 * u32::from(inputs);
			for number in 0..draws {
				drawn[usize::from(drawn_input(&seed(number), inputs))] += 1;
			}
			// 400 expected of each, standard deviation below 20: 256 of them stay within five.
			assert!(
				drawn.iter().all(|times| times.abs_diff(400) < 100),
				"{inputs}: {drawn:?}"
			);
		}
	}

	#[test]
	fn input_should_be_the_first_when_there_is_no_other() {
		assert_eq!([0, 1].map(|inputs| drawn_input(&[7; 32], inputs)), [0, 0]);
	}
}
