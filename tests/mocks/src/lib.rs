#![doc = include_str!("../README.md")]
// `Applyable` still asks for `ValidateUnsigned`, although it calls nothing of it for these transactions.
#![allow(deprecated)]

use codec::Encode;
use frame_support::{
	dispatch::{DispatchInfo, GetDispatchInfo, PostDispatchInfo},
	pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError},
};
use frame_system::{AuthorizeCall, ChainContext};
use sp_runtime::{
	generic::UncheckedExtrinsic,
	testing::UintAuthorityId,
	traits::{Applyable, Checkable, Dispatchable, IdentityLookup, ValidateUnsigned},
	ApplyExtrinsicResultWithInfo, StateVersion,
};

/// A runtime with the system pallet's defaults for tests, whose transactions are [`Transaction`]s.
pub trait MockRuntime:
	frame_system::Config<
		AccountId = u64,
		Lookup = IdentityLookup<u64>,
		RuntimeOrigin: From<Option<u64>>,
		RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo> + Send + Sync,
	> + ValidateUnsigned<Call = <Self as frame_system::Config>::RuntimeCall>
	+ Send
	+ Sync
{
}

/// A transaction that nothing but the authorization of its call lets in.
pub type Transaction<Call, Runtime> = UncheckedExtrinsic<u64, Call, UintAuthorityId, (AuthorizeCall<Runtime>,)>;

/// What a pool does with it.
pub fn validate<T: MockRuntime>(transaction: &Transaction<T::RuntimeCall, T>) -> TransactionValidity {
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = transaction.clone().check(&ChainContext::<T>::default())?;
	checked.validate::<T>(TransactionSource::External, &info, len)
}

/// What a block does with it, whether or not a pool saw it before.
pub fn apply<T: MockRuntime>(
	transaction: &Transaction<T::RuntimeCall, T>,
) -> ApplyExtrinsicResultWithInfo<PostDispatchInfo> {
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = transaction.clone().check(&ChainContext::<T>::default())?;
	checked.apply::<T>(&info, len)
}

/// The pool takes it without changing anything, and the block does it.
#[track_caller]
pub fn accept<T: MockRuntime>(transaction: &Transaction<T::RuntimeCall, T>) {
	let before = sp_io::storage::root(StateVersion::V1);
	validate::<T>(transaction).unwrap();
	assert_eq!(sp_io::storage::root(StateVersion::V1), before);
	apply::<T>(transaction).unwrap().unwrap();
}

/// Refused by the pool and, put directly into a block by its author, by the block; nothing changed.
#[track_caller]
pub fn assert_refused<T: MockRuntime>(transaction: &Transaction<T::RuntimeCall, T>, reason: InvalidTransaction) {
	let before = sp_io::storage::root(StateVersion::V1);
	let error = TransactionValidityError::Invalid(reason);
	assert_eq!(validate::<T>(transaction).unwrap_err(), error);
	assert_eq!(apply::<T>(transaction).unwrap_err(), error);
	assert_eq!(sp_io::storage::root(StateVersion::V1), before);
}
