//! Answers about the market, for the runtime APIs.

use crate::{AccountId, Runtime};
use alloc::vec::Vec;
use highway_primitives::{traits::Models, EpochIndex, ModelId, NodeId, Role};
use highway_runtime_api::types::{
	AskInfo, AskTask, CuratorInfo, EarningsInfo, EpochPrices, FeaturedInfo, MarketInfo, RoleMarket, SplitInfo,
	StorageTask,
};
use pallet_revenue_split::{CuratorRecord, RoleView};

type Registry = pallet_model_registry::Pallet<Runtime>;
type Split = pallet_revenue_split::Pallet<Runtime>;
type Storage = pallet_storage_proofs::Pallet<Runtime>;

/// What `node`, which hosts these models, may say in auctions in the next block.
pub fn ask_tasks(node: NodeId, hosted: &[ModelId]) -> Vec<AskTask> {
	Split::ask_tasks(node, hosted)
		.into_iter()
		.map(|task| AskTask {
			model: task.model,
			role: task.role,
			epoch: task.epoch,
			phase: task.phase,
			from: task.from,
			until: task.until,
			standing: task.standing,
			committed: task.committed,
			obstacle: task.obstacle,
			price: task.price,
			won: task.won,
		})
		.collect()
}

/// What `node` has to show of what it stores.
pub fn storage_tasks(node: NodeId) -> Vec<StorageTask> {
	Storage::tasks_of(node)
		.into_iter()
		.map(|(model, challenge)| StorageTask {
			model,
			artefact: challenge.artefact,
			chunk: challenge.chunk,
			drawn_at: challenge.drawn_at,
			until: challenge.until,
		})
		.collect()
}

/// See `MarketApi::market`.
pub fn market(model: ModelId) -> Option<MarketInfo> {
	if !<Registry as Models<AccountId>>::exists(model) {
		return None;
	}
	let view = Split::market(model);
	let history = Split::summaries(model)
		.into_iter()
		.rev()
		.map(|(epoch, summary)| EpochPrices {
			epoch,
			compute: summary.compute_price,
			storage: summary.storage_price,
			jobs: summary.jobs,
		})
		.collect();
	Some(MarketInfo {
		model,
		epoch: view.epoch,
		phase: view.phase,
		phase_until: view.phase_until,
		epoch_until: view.epoch_until,
		demand: view.demand,
		roles: view.roles.into_iter().map(role_market).collect(),
		history,
	})
}

fn role_market(view: RoleView) -> RoleMarket {
	RoleMarket {
		role: view.role,
		reserve: view.reserve,
		price: view.price,
		places: view.places,
		utilisation: view.utilisation.deconstruct(),
		winners: view.winners,
		asks: view
			.asks
			.into_iter()
			.map(|ask| AskInfo {
				node: ask.node,
				price: ask.price,
				from: ask.from,
				won: ask.won,
			})
			.collect(),
		commitments: view.commitments,
	}
}

/// See `MarketApi::split`.
pub fn split(model: ModelId, epoch: EpochIndex) -> Option<SplitInfo> {
	let summary = pallet_revenue_split::Summaries::<Runtime>::get(model, epoch).filter(|summary| summary.jobs > 0)?;
	let lines: Vec<_> = Role::ALL
		.into_iter()
		.zip(summary.lines)
		.filter(|(_, amount)| *amount > 0)
		.collect();
	Some(SplitInfo {
		model,
		epoch,
		jobs: summary.jobs,
		units: summary.units,
		total: lines.iter().map(|(_, amount)| amount).sum(),
		lines,
	})
}

/// See `MarketApi::featured`. A model that takes no jobs any more has paid for its place, but nobody is led to it.
pub fn featured() -> Vec<FeaturedInfo<AccountId>> {
	let Some(placement) = pallet_promotion::Featured::<Runtime>::get() else {
		return Vec::new();
	};
	let price = placement.price;
	placement
		.winners
		.into_iter()
		.filter(|bid| <Registry as Models<AccountId>>::service(bid.model).is_ok())
		.map(|bid| FeaturedInfo {
			model: bid.model,
			bidder: bid.bidder,
			bid: bid.price,
			price,
		})
		.collect()
}

/// See `MarketApi::curator`.
pub fn curator(account: AccountId) -> Option<CuratorInfo<AccountId>> {
	let record = Split::curator(&account)?;
	Some(curator_info(account, record))
}

/// See `MarketApi::curators`.
pub fn curators(from: Option<AccountId>, limit: u32) -> (Vec<CuratorInfo<AccountId>>, Option<AccountId>) {
	let (page, next) = Split::curators(from.as_ref(), limit.min(crate::work::MAX_PAGE));
	let page = page
		.into_iter()
		.map(|(account, record)| curator_info(account, record))
		.collect();
	(page, next)
}

fn curator_info(account: AccountId, record: CuratorRecord) -> CuratorInfo<AccountId> {
	CuratorInfo {
		account,
		name: record.profile.name.into_inner(),
		url: record.profile.url.into_inner(),
		fee: record.fee,
		jobs: record.jobs,
		earned: record.earned,
	}
}

/// See `MarketApi::earnings`.
pub fn earnings(account: &AccountId) -> EarningsInfo {
	EarningsInfo {
		claimable: Split::claimable(account),
		storage: Split::pending_storage_pay(account),
	}
}
