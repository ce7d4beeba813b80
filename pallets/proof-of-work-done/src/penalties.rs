//! What audits take, pay and end: the only file that asks for money to be moved.

use crate::{
	audit_impls::SubjectOf, AuditPhase, AuditRecord, Audits, AverageReward, Config, Event, Forced, Pallet, SlashReason,
	Suspects, Tasks,
};
use alloc::vec::Vec;
use frame_support::defensive;
use highway_math::{reliability, split};
use highway_primitives::{
	traits::{Market, Nodes},
	Balance, NodeId, Verdict,
};
use sp_runtime::{DispatchResult, Perbill};

impl<T: Config> Pallet<T> {
	/// Reserves a judge's security.
	pub(crate) fn secure(subject: &SubjectOf<T>, node: NodeId) -> DispatchResult {
		match subject.security {
			0 => Ok(()),
			security => T::Nodes::secure(node, security),
		}
	}

	/// Gives a judge's security back.
	pub(crate) fn release(subject: &SubjectOf<T>, node: NodeId) {
		// Who has nothing reserved may be gone.
		if subject.security > 0 {
			T::Nodes::release(node, subject.security);
		}
	}

	/// Moves the node's reliability by one outcome, by as much as the job is worth.
	pub(crate) fn note(subject: &SubjectOf<T>, node: NodeId, success: bool) {
		T::Nodes::note_outcome(node, success, Self::outcome_weight(subject));
	}

	fn outcome_weight(subject: &SubjectOf<T>) -> Perbill {
		reliability::weight(subject.reward, AverageReward::<T>::get())
	}

	/// The judge gave up its seat: it loses reliability, half as much as by silence.
	pub(crate) fn excuse(subject: &SubjectOf<T>, node: NodeId) {
		Self::release(subject, node);
		let weight = Self::outcome_weight(subject).deconstruct() / 2;
		T::Nodes::note_outcome(node, false, Perbill::from_parts(weight));
	}

	/// The judge did not say what it had to say: it loses its security, or keeps it where nobody may be slashed.
	pub(crate) fn punish_silence(subject: &SubjectOf<T>, record: &mut AuditRecord, node: NodeId, may_slash: bool) {
		match may_slash {
			true => {
				let taken = Self::slash(subject, record, node, SlashReason::Silence);
				Self::share_out(subject, taken, &[], None);
			}
			false => Self::release(subject, node),
		}
		Self::note(subject, node, false);
	}

	/// Takes the node's security into the slash account; its reservation goes, whether so much was there or not. Returns
	/// what was taken, to be shared out at once.
	pub(crate) fn slash(subject: &SubjectOf<T>, record: &mut AuditRecord, node: NodeId, why: SlashReason) -> Balance {
		if subject.security == 0 {
			return 0;
		}
		let taken = T::Nodes::slash(node, subject.security, &T::Market::slash_account());
		if taken == 0 {
			return 0;
		}
		if record.slashes.try_push((node, taken)).is_err() {
			defensive!("nobody is slashed twice in one audit");
		}
		Self::deposit_event(Event::Slashed {
			job: subject.job,
			node,
			amount: taken,
			why,
		});
		taken
	}

	/// Divides what was slashed: half is burned, each of `judges` gets the price of an audit from the rest, `finder` up to
	/// twice of it, the treasury what remains. Whoever the rest does not pay that price is paid it from the audit pot:
	/// everybody once. Returns how many older debts the pot paid before.
	pub(crate) fn share_out(subject: &SubjectOf<T>, taken: Balance, judges: &[NodeId], finder: Option<NodeId>) -> u32 {
		let price = subject.reward;
		let mut debts: u32 = 0;
		let (_, mut rest) = split::burn_half(taken);
		let mut shares: Vec<(T::AccountId, Balance)> = Vec::new();
		let most = judges
			.iter()
			.map(|node| (*node, price))
			.chain(finder.map(|node| (node, price.saturating_mul(2))));
		for (node, most) in most {
			let Some(account) = T::Nodes::operator(node).filter(|_| price > 0) else {
				continue;
			};
			let part = rest.min(most);
			if part >= price {
				rest = rest.saturating_sub(part);
				shares.push((account, part));
			} else {
				debts = debts.saturating_add(T::Market::pay_judge(subject.job, &account, price));
			}
		}
		if taken > 0 {
			T::Market::split_slash(subject.job, taken, &shares);
		}
		debts
	}

	/// Ends an audit: what it held of nodes was given back or taken before. Returns how many debts of the audit pot a lost bond
	/// paid.
	pub(crate) fn end(subject: &SubjectOf<T>, mut record: AuditRecord, verdict: Verdict) -> u32 {
		let job = subject.job;
		Tasks::<T>::remove(subject.executor, job);
		for node in record.held() {
			Tasks::<T>::remove(node, job);
		}
		if verdict == Verdict::Rejected {
			Self::suspect(subject.executor);
		}
		let debts = Forced::<T>::take(job).map_or(0, |(payer, bond)| {
			T::Market::end_bond(job, &payer, bond, verdict != Verdict::Upheld)
		});
		record.phase = AuditPhase::Ended(verdict);
		record.until = Self::now();
		Audits::<T>::insert(job, record);
		Self::deposit_event(Event::AuditEnded { job, verdict });
		debts
	}

	/// From now on all unsettled jobs of the node that it attested until now are audited: its word, or what stands behind
	/// it, lost its weight.
	pub fn suspect(node: NodeId) {
		Suspects::<T>::insert(node, Self::now());
	}
}
