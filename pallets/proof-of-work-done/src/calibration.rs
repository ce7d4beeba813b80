//! When a node may be slashed: the one place that says so.

use crate::{Calibration, Calibrations, Config, Error, Event, Pallet};
use frame_support::ensure;
use highway_primitives::{
	traits::{Models, Nodes},
	ModelId, ModelVersion,
};
use sp_runtime::DispatchResult;

/// Operators that must be there before anybody is slashed: executor, auditor and a jury of three.
pub const MIN_OPERATORS: u32 = 5;

/// Operators beside the model's owner that must have reproduced a version's calibration before a jury may slash.
pub const MIN_CONFIRMATIONS: usize = 2;

/// Whether a slash is allowed. `jury`: it is for what a jury found about a version whose model has this owner; silence
/// is no matter of numbers, and needs no calibration.
pub fn may_slash<AccountId: PartialEq>(
	active_operators: u32,
	jury: Option<(&Calibration<AccountId>, &AccountId)>,
) -> bool {
	let sound = jury.is_none_or(|(calibration, owner)| {
		let others = calibration.reproduced_by.iter().filter(|operator| *operator != owner);
		others.count() >= MIN_CONFIRMATIONS && !calibration.is_suspended()
	});
	active_operators >= MIN_OPERATORS && sound
}

impl<T: Config> Pallet<T> {
	/// Whether silence may be slashed now.
	pub fn may_slash_silence() -> bool {
		may_slash::<T::AccountId>(T::Nodes::active_operators(), None)
	}

	/// Whether a jury may slash work on this version now.
	pub fn may_slash_by_jury(model: ModelId, version: ModelVersion) -> bool {
		T::Models::audit_terms(model, version).is_some_and(|terms| {
			let calibration = Calibrations::<T>::get(model, version);
			may_slash(T::Nodes::active_operators(), Some((&calibration, &terms.owner)))
		})
	}

	pub(crate) fn do_confirm_calibration(
		operator: T::AccountId,
		model: ModelId,
		version: ModelVersion,
	) -> DispatchResult {
		let terms = T::Models::audit_terms(model, version).ok_or(Error::<T>::UnknownVersion)?;
		ensure!(T::Nodes::node_of(&operator).is_some(), Error::<T>::NoNode);
		ensure!(terms.owner != operator, Error::<T>::OwnCalibration);
		let mut calibration = Calibrations::<T>::get(model, version);
		ensure!(
			!calibration.reproduced_by.contains(&operator),
			Error::<T>::AlreadyConfirmed
		);
		calibration
			.reproduced_by
			.try_push(operator.clone())
			.map_err(|_| Error::<T>::EnoughConfirmations)?;
		Calibrations::<T>::insert(model, version, calibration);
		Self::deposit_event(Event::CalibrationConfirmed {
			model,
			version,
			operator,
		});
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn calibration(by: &[u64], audits: u32, disputes: u32) -> Calibration<u64> {
		Calibration {
			reproduced_by: by.to_vec().try_into().unwrap(),
			audits,
			disputes,
		}
	}

	#[test]
	fn silence_should_need_five_operators_only() {
		assert!(!may_slash::<u64>(4, None));
		assert!(may_slash::<u64>(5, None));
	}

	#[test]
	fn jury_should_need_five_operators_and_two_beside_the_owner() {
		let jury = |active, by: &[u64]| may_slash(active, Some((&calibration(by, 0, 0), &9)));
		assert!(jury(5, &[1, 2]) && jury(80, &[9, 1, 2]));
		assert!(!jury(4, &[1, 2]) && !jury(5, &[]) && !jury(5, &[1]) && !jury(5, &[1, 9]));
	}

	#[test]
	fn jury_should_be_suspended_above_one_percent_and_one() {
		let jury = |audits, disputes| may_slash(5, Some((&calibration(&[1, 2], audits, disputes), &9)));
		assert!(jury(0, 0) && jury(1, 1) && !jury(2, 2) && !jury(99, 2));
		assert!(jury(100, 2) && !jury(100, 3) && !jury(199, 3) && jury(200, 3));
		assert!(!jury(u32::MAX, u32::MAX));
	}
}
