//! What is to be committed to: from what is wanted, and what the chain knows of the node's asks.

use super::{role_name, BidArgs, Withdrawal};
use crate::{amount::with_unit, error::CommandError};
use highway_primitives::{market::AskRole, Balance, EpochIndex, ModelId, NodeId};
use highway_runtime_api::types::{AskTask, MarketInfo};

/// What is wanted for each role that is named: a price, or none any more.
pub type Wanted = Vec<(AskRole, Option<Balance>)>;

/// An ask to commit to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
	/// For what.
	pub role: AskRole,
	/// The epoch that it is for.
	pub epoch: EpochIndex,
	/// The price; `None`: nothing any more.
	pub price: Option<Balance>,
}

/// What the command line says. Error if it says two things about a role.
pub fn wanted(args: &BidArgs) -> Result<Wanted, CommandError> {
	let mut wanted = Vec::new();
	for (role, price) in [(AskRole::Compute, args.compute), (AskRole::Storage, args.storage)] {
		let withdrawn = match args.withdraw {
			Some(Withdrawal::All) => true,
			Some(Withdrawal::Compute) => role == AskRole::Compute,
			Some(Withdrawal::Storage) => role == AskRole::Storage,
			None => false,
		};
		match (price, withdrawn) {
			(Some(_), true) => {
				return Err(CommandError::Usage(format!(
					"either withdraw the ask for {}, or give its price: --withdraw=compute and --withdraw=storage withdraw \
					one of them",
					role_name(role)
				)))
			}
			(None, false) => {}
			(price, _) => wanted.push((role, price)),
		}
	}
	Ok(wanted)
}

/// What of it is new. Error if the node cannot bid so.
pub fn plan(
	tasks: &[AskTask],
	node: NodeId,
	model: ModelId,
	wanted: &[(AskRole, Option<Balance>)],
) -> Result<Vec<Planned>, CommandError> {
	let mut planned = Vec::new();
	for (role, price) in wanted {
		let task = tasks
			.iter()
			.find(|task| task.model == model && task.role == *role)
			.ok_or_else(|| {
				CommandError::Usage(format!(
					"node {node} does not host model {model}: `highway node host {model}`, then bid"
				))
			})?;
		if task.committed.is_some() {
			return Err(CommandError::Usage(format!(
				"node {node} has committed to what it asks for {} in epoch {epoch}, which cannot be changed any more: if that \
				was done here, `highway bid resume` reveals it; if the node bids by itself, change its policy; when epoch \
				{epoch} has begun another bid is taken",
				role_name(*role),
				epoch = task.epoch
			)));
		}
		if task.standing != *price {
			planned.push(Planned {
				role: *role,
				epoch: task.epoch,
				price: *price,
			});
		}
	}
	Ok(planned)
}

/// What the operator should know before it commits.
pub fn remarks(market: &MarketInfo, planned: &[Planned]) -> Vec<String> {
	let above = |ask: &Planned| {
		let role = market.roles.iter().find(|role| role.role == ask.role)?;
		let (price, reserve) = (ask.price?, role.reserve?);
		(price > reserve).then(|| {
			format!(
				"{} for {} is above the reserve of {}: it wins nothing until that has risen, by 1/512 in an epoch at most \
				while others serve",
				with_unit(price),
				role_name(ask.role),
				with_unit(reserve)
			)
		})
	};
	planned.iter().filter_map(above).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::{market::MarketPhase, AIC};
	use highway_runtime_api::types::RoleMarket;
	use sp_core::H256;

	fn args(compute: Option<Balance>, storage: Option<Balance>, withdraw: Option<Withdrawal>) -> BidArgs {
		BidArgs {
			command: None,
			model: Some("5".into()),
			compute,
			storage,
			withdraw,
		}
	}

	fn task(role: AskRole, standing: Option<Balance>) -> AskTask {
		AskTask {
			model: 5,
			role,
			epoch: 8,
			phase: MarketPhase::Commit,
			from: 1,
			until: 77,
			standing,
			committed: None,
			obstacle: None,
			price: None,
			won: false,
		}
	}

	#[test]
	fn wanted_should_name_each_role_once() {
		use AskRole::{Compute, Storage};
		for (args, expected) in [
			(args(Some(1), None, None), vec![(Compute, Some(1))]),
			(
				args(Some(1), Some(2), None),
				vec![(Compute, Some(1)), (Storage, Some(2))],
			),
			(
				args(None, None, Some(Withdrawal::All)),
				vec![(Compute, None), (Storage, None)],
			),
			(
				args(Some(1), None, Some(Withdrawal::Storage)),
				vec![(Compute, Some(1)), (Storage, None)],
			),
		] {
			assert_eq!(wanted(&args).unwrap(), expected);
		}
		for (compute, storage, withdraw) in [
			(Some(1), None, Withdrawal::Compute),
			(None, Some(1), Withdrawal::Storage),
			(Some(1), None, Withdrawal::All),
		] {
			let error = wanted(&args(compute, storage, Some(withdraw))).unwrap_err();
			assert!(matches!(error, CommandError::Usage(_)), "{error}");
		}
	}

	#[test]
	fn plan_should_leave_out_what_is_asked_already() {
		let tasks = [task(AskRole::Compute, Some(1)), task(AskRole::Storage, None)];
		let planned = |wanted: &[(AskRole, Option<Balance>)]| plan(&tasks, 4, 5, wanted).unwrap();
		assert!(planned(&[(AskRole::Compute, Some(1)), (AskRole::Storage, None)]).is_empty());
		assert_eq!(
			planned(&[(AskRole::Compute, None), (AskRole::Storage, Some(2))]),
			[
				Planned {
					role: AskRole::Compute,
					epoch: 8,
					price: None
				},
				Planned {
					role: AskRole::Storage,
					epoch: 8,
					price: Some(2)
				},
			]
		);
	}

	#[test]
	fn plan_should_say_what_to_do_when_the_node_cannot_bid() {
		let tasks = [AskTask {
			committed: Some(H256::zero()),
			..task(AskRole::Compute, None)
		}];
		let error = plan(&tasks, 4, 5, &[(AskRole::Compute, Some(1))])
			.unwrap_err()
			.to_string();
		assert!(
			error.contains("highway bid resume") && error.contains("epoch 8"),
			"{error}"
		);
		let error = plan(&tasks, 4, 6, &[(AskRole::Compute, Some(1))])
			.unwrap_err()
			.to_string();
		assert!(error.contains("highway node host 6"), "{error}");
	}

	#[test]
	fn remarks_should_warn_of_asks_above_the_reserve() {
		let market = MarketInfo {
			model: 5,
			epoch: 7,
			phase: MarketPhase::Commit,
			phase_until: 77,
			epoch_until: 99,
			demand: 0,
			roles: vec![RoleMarket {
				role: AskRole::Compute,
				reserve: Some(AIC),
				price: None,
				places: 3,
				utilisation: 0,
				winners: Vec::new(),
				asks: Vec::new(),
				commitments: 0,
			}],
			history: Vec::new(),
		};
		let remarks = |role, price| {
			let ask = Planned { role, epoch: 8, price };
			remarks(&market, &[ask])
		};
		assert!(remarks(AskRole::Compute, Some(2 * AIC))[0].contains("2 AIC for compute is above the reserve of 1 AIC"));
		assert!(remarks(AskRole::Compute, Some(AIC)).is_empty());
		assert!(remarks(AskRole::Compute, None).is_empty());
		assert!(remarks(AskRole::Storage, Some(2 * AIC)).is_empty());
	}
}
