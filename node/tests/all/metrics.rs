//! What Prometheus is shown of what the chain knows.

use highway_node::metrics::{ChainMetrics, Figures, ModelFigures, OwnFigures};
use highway_primitives::{node::Contact, AskRole, Balance, DeviceClass, MarketPhase, ModelId, WorkerId, AIC};
use highway_runtime::AccountId;
use highway_runtime_api::types::{MarketInfo, NodeInfo, RoleMarket};
use sp_core::sr25519;
use substrate_prometheus_endpoint::{prometheus::TextEncoder, Registry};

/// A node that was slashed, does two of its three jobs at a time, and is out.
fn node() -> NodeInfo<AccountId> {
	NodeInfo {
		id: 3,
		operator: AccountId::from([1; 32]),
		worker: WorkerId::from(sr25519::Public::from_raw([2; 32])),
		contact: Contact {
			node: 3,
			peer_id: Vec::new(),
			addresses: Vec::new(),
		},
		device: DeviceClass::CpuX86,
		memory_mib: 0,
		region: Vec::new(),
		bond: 1_000 * AIC,
		reserved: 64 * AIC,
		delegated: 7 * AIC,
		commission: 0,
		rewards: 9 * AIC,
		slashed: AIC / 4,
		unbonding: Vec::new(),
		chilled: true,
		jailed: false,
		eligible: false,
		validator: true,
		last_heartbeat: None,
		healthy: true,
		slots: 3,
		assigned: 2,
		reliability: 750_000_000,
		hosted: vec![(7, None, None), (8, None, None)],
		declared: 4,
		measured: None,
	}
}

fn role(role: AskRole, price: Option<Balance>, reserve: Option<Balance>) -> RoleMarket {
	RoleMarket {
		role,
		reserve,
		price,
		places: 3,
		utilisation: 0,
		winners: vec![3],
		asks: Vec::new(),
		commitments: 0,
	}
}

/// A model for which compute was cleared, and storage never was.
fn model(id: ModelId, open_jobs: u32) -> ModelFigures {
	ModelFigures {
		market: MarketInfo {
			model: id,
			epoch: 41,
			phase: MarketPhase::Reveal,
			phase_until: 500,
			epoch_until: 500,
			demand: 0,
			roles: vec![
				role(AskRole::Compute, Some(AIC / 2), Some(2 * AIC)),
				role(AskRole::Storage, None, None),
			],
			history: Vec::new(),
		},
		open_jobs,
	}
}

fn figures(own: Option<OwnFigures>) -> Option<Figures> {
	Some(Figures { overdue: 5, own })
}

fn own(models: Vec<ModelFigures>) -> Option<OwnFigures> {
	Some(OwnFigures {
		node: node(),
		claimable: 3 * AIC / 2,
		models,
	})
}

/// All series and their values.
fn shown(registry: &Registry) -> Vec<String> {
	let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
	text.lines()
		.filter(|line| !line.starts_with('#'))
		.map(str::to_owned)
		.collect()
}

#[test]
fn figures_should_be_shown_in_their_units_until_there_are_others() {
	let registry = Registry::new();
	let metrics = ChainMetrics::register(&registry).unwrap();
	assert_eq!(shown(&registry), Vec::<String>::new(), "nothing was read yet");

	metrics.show(figures(own(vec![model(7, 12), model(8, 0)])));
	let expected = [
		"highway_due_queue_lag_blocks 5",
		"highway_market_epoch 41",
		"highway_market_phase{phase=\"commit\"} 0",
		"highway_market_phase{phase=\"reveal\"} 1",
		"highway_market_price_aic{model=\"7\",role=\"compute\"} 0.5",
		"highway_market_price_aic{model=\"8\",role=\"compute\"} 0.5",
		"highway_market_reserve_aic{model=\"7\",role=\"compute\"} 2",
		"highway_market_reserve_aic{model=\"8\",role=\"compute\"} 2",
		"highway_model_open_jobs{model=\"7\"} 12",
		"highway_model_open_jobs{model=\"8\"} 0",
		"highway_node_assigned 2",
		"highway_node_bond_aic 1000",
		"highway_node_chilled 1",
		"highway_node_claimable_aic 1.5",
		"highway_node_eligible 0",
		"highway_node_jailed 0",
		"highway_node_reliability_ratio 0.75",
		"highway_node_reserved_aic 64",
		"highway_node_slashed_aic 0.25",
		"highway_node_slots 3",
	];
	assert_eq!(shown(&registry), expected);

	// A model goes: so do its series.
	metrics.show(figures(own(vec![model(8, 0)])));
	let left: Vec<_> = expected
		.into_iter()
		.filter(|line| !line.contains("model=\"7\""))
		.collect();
	assert_eq!(shown(&registry), left);
}

#[test]
fn nothing_should_be_said_of_a_node_that_is_not_registered() {
	let registry = Registry::new();
	let metrics = ChainMetrics::register(&registry).unwrap();
	metrics.show(figures(own(vec![model(7, 1)])));
	metrics.show(figures(None));
	assert_eq!(shown(&registry), ["highway_due_queue_lag_blocks 5"]);
	// While it catches up it knows nothing of today.
	metrics.show(None);
	assert_eq!(shown(&registry), Vec::<String>::new());
}
