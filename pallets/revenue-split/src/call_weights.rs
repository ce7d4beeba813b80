//! What calls weigh before they know what they find: with as many broken commitments as they may end.

use crate::{
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
		.saturating_add(winners::<T>(MAX_ASKS))
		.saturating_add(place_pay::<T>(MAX_ASKS))
		.saturating_add(ended::<T>(ENDED_BY_PRUNE))
		.saturating_add(lapsed::<T>(MAX_ASKS))
}

/// Looking through so many asks for some to end. Measured is a model that is gone; of another one each node is asked whether it
/// hosts it, or is pledged: the node, its standing, its pledge.
pub(crate) fn pruned<T: Config>(asks: u32) -> Weight {
	T::WeightInfo::prune(asks).saturating_add(T::DbWeight::get().reads(u64::from(asks).saturating_mul(3)))
}

/// So many winners, of whom it is asked whether they serve: the node, its standing and its pledge.
pub(crate) fn winners<T: Config>(count: u32) -> Weight {
	T::DbWeight::get().reads(u64::from(count).saturating_mul(3))
}

/// What their places were paid, if there are any: summaries that a model that is gone has no use for.
pub(crate) fn place_pay<T: Config>(winners: u32) -> Weight {
	match winners {
		0 => Weight::zero(),
		_ => T::DbWeight::get().reads(BONDED_BY as u64),
	}
}

/// [`crate::Call::claim_storage_pay`]. Measured is a model that is gone, whose pay becomes earnings; of another one the file is
/// looked up, and it is noted who is asked to show it.
pub(crate) fn claim_storage_pay<T: Config>() -> Weight {
	T::WeightInfo::claim_storage_pay().saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// So many winners that pay for having let their place down. Each pays in two parts at most, with what is free and with what stands
/// behind its next ask, and neither weighs more than the bond of a broken commitment.
pub(crate) fn lapsed<T: Config>(count: u32) -> Weight {
	ended::<T>(count.saturating_mul(2))
}

/// So many broken commitments.
pub(crate) fn ended<T: Config>(count: u32) -> Weight {
	T::WeightInfo::end_commitment().saturating_mul(count.into())
}
