//! What calls weigh before they know what they find: with as many broken commitments as they may end.

use crate::{
	ask_impls::Lapses,
	commit_impls::{ENDED_BY_CLEAR, ENDED_BY_PRUNE},
	pallet::Config,
	types::{BONDED_BY, MAX_ASKS, MAX_STORED_ASKS},
	weights::WeightInfo,
};
use frame_support::{traits::Get, weights::Weight};

/// The asks that are stored of a model, in both roles.
const MOST_ASKS: u32 = MAX_STORED_ASKS * 2;

/// So many commitments: each may find a broken one.
pub(crate) fn commit<T: Config>(items: u32) -> Weight {
	T::WeightInfo::commit_asks(items).saturating_add(ended::<T>(items))
}

/// [`crate::Call::clear`].
pub(crate) fn clear<T: Config>() -> Weight {
	T::WeightInfo::clear(MOST_ASKS).saturating_add(ended::<T>(ENDED_BY_CLEAR))
}

/// [`crate::Call::prune`].
pub(crate) fn prune<T: Config>() -> Weight {
	pruned::<T>(MOST_ASKS)
		.saturating_add(T::WeightInfo::end_lapses(MAX_ASKS))
		.saturating_add(ended::<T>(ENDED_BY_PRUNE))
}

/// Looking through so many asks for some to end. Measured is a model that is gone; of another one each node is asked whether it
/// hosts it, or is pledged: the node, its standing, its pledge.
pub(crate) fn pruned<T: Config>(asks: u32) -> Weight {
	T::WeightInfo::prune(asks).saturating_add(T::DbWeight::get().reads(u64::from(asks).saturating_mul(3)))
}

/// What became of the winners. Measured is that all of them have let their places down, and with it what places were
/// paid; of who has not it is asked whether it serves: the node, its standing and its pledge.
pub(crate) fn lapses<T: Config>(lapses: Lapses) -> Weight {
	let serve = u64::from(lapses.looked_at.saturating_sub(lapses.ended)).saturating_mul(3);
	let reads = |count| T::DbWeight::get().reads(count);
	match lapses.ended {
		0 => reads(serve.saturating_add(BONDED_BY as u64)),
		ended => T::WeightInfo::end_lapses(ended).saturating_add(reads(serve)),
	}
}

/// [`crate::Call::claim_storage_pay`]. Measured is a model that is gone, whose pay becomes earnings; of another one the file is
/// looked up, and it is noted who is asked to show it.
pub(crate) fn claim_storage_pay<T: Config>() -> Weight {
	T::WeightInfo::claim_storage_pay().saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// So many broken commitments.
pub(crate) fn ended<T: Config>(count: u32) -> Weight {
	T::WeightInfo::end_commitment().saturating_mul(count.into())
}
