//! What an operator asks for what his node does, and how an ask follows the node's load.
//!
//! The auction pays every winner the same price, which its own ask does not set: whoever asks what a job costs him takes
//! part in all jobs that pay that, and in no other. So an ask begins at its floor, the cost. A node that has more to do than
//! it wants to is one whose next job costs more than the floor: its ask rises step by step, and falls again when there is room.

use highway_primitives::{AskRole, Balance, ModelId, AIC};
use sp_core::crypto::AccountId32;
use sp_runtime::Perbill;
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt,
};

/// Of its slots a node wants so many to be busy, unless the operator says otherwise.
pub const DEFAULT_TARGET: Perbill = Perbill::from_percent(70);

/// By such a share of itself an ask moves, unless the operator says otherwise.
pub const DEFAULT_STEP: Perbill = Perbill::from_percent(5);

/// A model by its owner and its name among the owner's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ModelName {
	/// Who owns it.
	pub owner: AccountId32,
	/// Its name.
	pub name: String,
}

impl fmt::Display for ModelName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}/{}", self.owner, self.name)
	}
}

/// Which models a bid is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
	/// This one.
	Model(ModelId),
	/// The one that has this name now.
	Named(ModelName),
	/// Every other one that the node hosts.
	All,
}

/// What is asked for a model in one role: per unit of compute, or per started MiB of storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
	/// The least that is asked: what the work costs.
	pub floor: Balance,
	/// The most that is asked, not below the floor and not above what the chain takes.
	pub ceiling: Balance,
	/// Share of the slots that should be busy.
	pub target: Perbill,
	/// By what share of itself the ask moves from one epoch to the next.
	pub step: Perbill,
}

impl Terms {
	/// What is asked next, if `standing` is asked now and `load` is how busy the node was. Without a standing ask: the floor.
	/// Without a load: what stands, within the bounds.
	pub fn next(&self, standing: Option<Balance>, load: Option<Load>) -> Balance {
		let Some(standing) = standing else {
			return self.floor;
		};
		let step = if self.step.is_zero() {
			0
		} else {
			// A small ask must be able to move, too.
			self.step.mul_ceil(standing).max(1)
		};
		let moved = match load {
			Some(load) if load.is_above(self.target) => standing.saturating_add(step),
			Some(load) if load.is_below(self.target) => standing.saturating_sub(step),
			_ => standing,
		};
		moved.min(self.ceiling).max(self.floor)
	}

	/// Whether this may be asked.
	pub fn admit(&self, price: Balance) -> bool {
		(self.floor..=self.ceiling).contains(&price)
	}
}

/// How busy a node was with one model: slots that the model's jobs took, of those that the jobs of other models left to it.
/// Both are summed over the blocks of an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
	/// Slots with jobs of the model.
	pub busy: u64,
	/// These and the free ones.
	pub room: u64,
}

impl Load {
	fn is_above(self, share: Perbill) -> bool {
		let (busy, part) = self.sides(share);
		busy > part
	}

	fn is_below(self, share: Perbill) -> bool {
		let (busy, part) = self.sides(share);
		busy < part
	}

	/// The two sides of `busy / room ? share`, without a division. No room at all is a full node.
	fn sides(self, share: Perbill) -> (u128, u128) {
		let Self { busy, room } = if self.room == 0 {
			Self { busy: 1, room: 1 }
		} else {
			self
		};
		let one = Perbill::one().deconstruct();
		let parts = |slots: u64, parts: u32| u128::from(slots).saturating_mul(parts.into());
		(parts(busy, one), parts(room, share.deconstruct()))
	}
}

/// One entry of the operator's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bid {
	/// For which models.
	pub scope: Scope,
	/// In which role.
	pub role: AskRole,
	/// What is asked.
	pub terms: Terms,
}

/// Everything that the operator's node asks. What is not in it is not asked for, and withdrawn where it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bids(Vec<Bid>);

impl Bids {
	/// Of two bids for the same scope and role the first one counts.
	pub fn new(bids: Vec<Bid>) -> Self {
		Self(bids)
	}

	/// The bids, in the order in which they were given.
	pub fn iter(&self) -> impl Iterator<Item = &Bid> {
		self.0.iter()
	}

	/// The names that have to be looked up.
	pub fn names(&self) -> BTreeSet<&ModelName> {
		self.iter()
			.filter_map(|bid| match &bid.scope {
				Scope::Named(name) => Some(name),
				_ => None,
			})
			.collect()
	}

	/// What is asked for this model in this role; `None`: nothing. An id goes before a name, and both before the bid for all.
	pub fn terms(&self, model: ModelId, role: AskRole, names: &BTreeMap<ModelName, ModelId>) -> Option<&Terms> {
		let of = |fits: &dyn Fn(&Scope) -> bool| self.iter().find(|bid| bid.role == role && fits(&bid.scope));
		of(&|scope: &Scope| *scope == Scope::Model(model))
			.or_else(|| of(&|scope: &Scope| matches!(scope, Scope::Named(name) if names.get(name) == Some(&model))))
			.or_else(|| of(&|scope: &Scope| *scope == Scope::All))
			.map(|bid| &bid.terms)
	}
}

/// The role's name in files, logs and metrics.
pub fn role_name(role: AskRole) -> &'static str {
	match role {
		AskRole::Compute => "compute",
		AskRole::Storage => "storage",
	}
}

/// An amount in AIC, for people and metrics: not exact.
pub fn in_aic(amount: Balance) -> f64 {
	amount as f64 / AIC as f64
}

#[cfg(test)]
#[path = "tests/bids.rs"]
mod tests;
