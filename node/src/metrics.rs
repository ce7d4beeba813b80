//! What the chain knows of this node and of the market of what it sells, for Prometheus.
//!
//! One task reads it at best blocks and keeps it until the next one, so that whoever asks for the metrics costs no call of the
//! runtime. It reads of the node of this keystore's worker key only: one entry of the list of nodes, and of each model that it
//! hosts the market and one entry of the list of models.
//!
//! ```text
//!  best blocks ─► runtime API ─► Figures ─► ChainMetrics ◄── /metrics
//! ```

use crate::{service::FullClient, worker::chain};
use futures::{FutureExt, StreamExt};
use highway_offchain_worker::bids::{in_aic, role_name};
use highway_primitives::{Balance, BlockNumber, MarketPhase, NodeId};
use highway_runtime::{AccountId, Hash};
use highway_runtime_api::{
	types::{MarketInfo, NodeInfo, RoleMarket},
	MarketApi,
};
use parking_lot::Mutex;
use sc_client_api::BlockchainEvents;
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use substrate_prometheus_endpoint::{register, MetricSource, Opts, PrometheusError, Registry, SourcedGauge};

/// What the chain says in one block.
pub struct Figures {
	/// How many blocks it is behind with jobs whose time has come.
	pub overdue: BlockNumber,
	/// The node that has a worker key of this machine; `None`: none is registered.
	pub own: Option<OwnFigures>,
}

/// What the chain says of one node.
pub struct OwnFigures {
	/// The node.
	pub node: NodeInfo<AccountId>,
	/// What its operator may claim, in the smallest unit of AIC.
	pub claimable: Balance,
	/// The models that it hosts: as many as one node may.
	pub models: Vec<ModelFigures>,
}

/// What the chain says of one model.
pub struct ModelFigures {
	/// Its market.
	pub market: MarketInfo,
	/// Jobs that are not settled yet, whoever does them.
	pub open_jobs: u32,
}

/// Is called with the values of a metric's labels, and a value.
type Set<'a> = &'a mut dyn FnMut(&[&str], f64);

/// Finds a metric in the figures. What is not in them is not shown: no value is better than a false one.
type Read = fn(&Figures, Set<'_>);

/// Name, meaning and labels of each metric, and how it is read.
const METRICS: [(&str, &str, &[&str], Read); 16] = [
	(
		"highway_due_queue_lag_blocks",
		"Blocks that the chain is behind with jobs whose time has come",
		&[],
		|figures, set| set(&[], figures.overdue.into()),
	),
	("highway_node_bond_aic", "Own bond of this node", &[], |figures, set| {
		of_node(figures, set, |own| in_aic(own.node.bond))
	}),
	(
		"highway_node_reserved_aic",
		"Part of the bond that secures jobs, audits and asks",
		&[],
		|figures, set| of_node(figures, set, |own| in_aic(own.node.reserved)),
	),
	(
		"highway_node_slashed_aic",
		"Everything that was ever slashed of the node's own bond",
		&[],
		|figures, set| of_node(figures, set, |own| in_aic(own.node.slashed)),
	),
	(
		"highway_node_claimable_aic",
		"What the node's operator may claim for jobs and storage",
		&[],
		|figures, set| of_node(figures, set, |own| in_aic(own.claimable)),
	),
	(
		"highway_node_slots",
		"Jobs that the chain gives the node at the same time",
		&[],
		|figures, set| of_node(figures, set, |own| own.node.slots.into()),
	),
	(
		"highway_node_assigned",
		"Jobs that take a slot of the node, as the chain counts",
		&[],
		|figures, set| of_node(figures, set, |own| own.node.assigned.into()),
	),
	(
		"highway_node_eligible",
		"Whether the node may get jobs, as far as bond, liveness and health say",
		&[],
		|figures, set| of_node(figures, set, |own| truth(own.node.eligible)),
	),
	(
		"highway_node_jailed",
		"Whether the node was silent for so long that only its operator can bring it back",
		&[],
		|figures, set| of_node(figures, set, |own| truth(own.node.jailed)),
	),
	(
		"highway_node_chilled",
		"Whether the node is out of the market until its operator resumes it",
		&[],
		|figures, set| of_node(figures, set, |own| truth(own.node.chilled)),
	),
	(
		"highway_node_reliability_ratio",
		"Share of its jobs that the chain expects the node to do",
		&[],
		|figures, set| of_node(figures, set, |own| f64::from(own.node.reliability) / BILLION),
	),
	(
		"highway_market_epoch",
		"Number of the market epoch",
		&[],
		|figures, set| {
			if let Some(market) = first_market(figures) {
				set(&[], market.epoch.into());
			}
		},
	),
	(
		"highway_market_phase",
		"Whether this is the phase of the market epoch: asks are committed to, then revealed",
		&["phase"],
		|figures, set| {
			if let Some(market) = first_market(figures) {
				for phase in [MarketPhase::Commit, MarketPhase::Reveal] {
					set(&[phase_name(phase)], truth(market.phase == phase));
				}
			}
		},
	),
	(
		"highway_market_price_aic",
		"What the last clearing found for a unit of compute, or a started MiB of storage, of a hosted model",
		&["model", "role"],
		|figures, set| of_roles(figures, set, |role| role.price),
	),
	(
		"highway_market_reserve_aic",
		"What an ask for a hosted model must not exceed",
		&["model", "role"],
		|figures, set| of_roles(figures, set, |role| role.reserve),
	),
	(
		"highway_model_open_jobs",
		"Jobs of a hosted model that are not settled yet, whoever does them",
		&["model"],
		|figures, set| {
			for model in models(figures) {
				let id = model.market.model.to_string();
				set(&[id.as_str()], model.open_jobs.into());
			}
		},
	),
];

/// What shares of the runtime are counted in.
const BILLION: f64 = 1e9;

fn of_node(figures: &Figures, set: Set<'_>, value: fn(&OwnFigures) -> f64) {
	if let Some(own) = &figures.own {
		set(&[], value(own));
	}
}

fn of_roles(figures: &Figures, set: Set<'_>, amount: fn(&RoleMarket) -> Option<Balance>) {
	for (model, role) in roles(figures) {
		if let Some(amount) = amount(role) {
			set(&[model.as_str(), role_name(role.role)], in_aic(amount));
		}
	}
}

fn models(figures: &Figures) -> impl Iterator<Item = &ModelFigures> {
	figures.own.iter().flat_map(|own| &own.models)
}

/// The roles of each model, with the model's id as text.
fn roles(figures: &Figures) -> impl Iterator<Item = (String, &RoleMarket)> {
	models(figures).flat_map(|model| {
		let id = model.market.model.to_string();
		model.market.roles.iter().map(move |role| (id.clone(), role))
	})
}

/// Epoch and phase are those of every model.
fn first_market(figures: &Figures) -> Option<&MarketInfo> {
	models(figures).next().map(|model| &model.market)
}

fn phase_name(phase: MarketPhase) -> &'static str {
	match phase {
		MarketPhase::Commit => "commit",
		MarketPhase::Reveal => "reveal",
	}
}

fn truth(value: bool) -> f64 {
	f64::from(u8::from(value))
}

/// Shows the figures that it was given last.
#[derive(Clone, Default)]
pub struct ChainMetrics(Arc<Mutex<Option<Figures>>>);

impl ChainMetrics {
	/// Registers them. Nothing is shown before there are figures.
	pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
		let metrics = Self::default();
		for (name, help, labels, read) in METRICS {
			let labels = labels.iter().map(|label| label.to_string()).collect();
			let source = Source {
				metrics: metrics.clone(),
				read,
			};
			let opts = Opts::new(name, help).variable_labels(labels);
			register(SourcedGauge::new(&opts, source)?, registry)?;
		}
		Ok(metrics)
	}

	/// From now on shows these, or nothing.
	pub fn show(&self, figures: Option<Figures>) {
		*self.0.lock() = figures;
	}
}

#[derive(Clone)]
struct Source {
	metrics: ChainMetrics,
	read: Read,
}

impl MetricSource for Source {
	type N = f64;

	fn collect(&self, mut set: impl FnMut(&[&str], Self::N)) {
		if let Some(figures) = &*self.metrics.0.lock() {
			(self.read)(figures, &mut set);
		}
	}
}

/// Shows what the chain says at best blocks, as long as there are any. Blocks for as long as the runtime takes to answer.
pub(crate) async fn follow(
	client: Arc<FullClient>,
	keystore: KeystorePtr,
	sync: Arc<dyn SyncOracle + Send + Sync>,
	metrics: ChainMetrics,
) {
	let mut blocks = client.import_notification_stream();
	let mut reader = Reader {
		client,
		keystore,
		node: None,
	};
	loop {
		let at = reader.client.info().best_hash;
		// What was true long ago is no figure of today.
		let figures = match sync.is_major_syncing() {
			true => None,
			false => reader
				.read(at)
				.inspect_err(|error| log::debug!(target: "worker", "the chain's figures cannot be read: {error}"))
				.ok(),
		};
		metrics.show(figures);
		loop {
			match blocks.next().await {
				Some(block) if block.is_new_best => break,
				Some(_) => {}
				None => return,
			}
		}
		// Those that came meanwhile are looked at with it: only the best one counts.
		while let Some(Some(_)) = blocks.next().now_or_never() {}
	}
}

/// Reads the figures.
struct Reader {
	client: Arc<FullClient>,
	keystore: KeystorePtr,
	/// The node that had a key of the keystore when that was looked at last.
	node: Option<NodeId>,
}

impl Reader {
	fn read(&mut self, at: Hash) -> Result<Figures, ApiError> {
		let own = match self.own_node(at)? {
			Some(node) => Some(self.figures_of(at, node)?),
			None => None,
		};
		let overdue = self.client.runtime_api().overdue(at)?;
		Ok(Figures { overdue, own })
	}

	/// The node that has a key of the keystore. Once its id is known it is asked for by that: the way by the key brings all of
	/// the node's work along.
	fn own_node(&mut self, at: Hash) -> Result<Option<NodeInfo<AccountId>>, ApiError> {
		let keys = chain::worker_keys(&self.keystore);
		let known = self.node_by_id(at, self.node)?;
		if let Some(node) = known.filter(|node| keys.contains(&node.worker)) {
			return Ok(Some(node));
		}
		let registered = chain::registered_worker(&self.client, &self.keystore, at)?;
		self.node = registered.map(|(_, work)| work.node);
		self.node_by_id(at, self.node)
	}

	fn node_by_id(&self, at: Hash, id: Option<NodeId>) -> Result<Option<NodeInfo<AccountId>>, ApiError> {
		let Some(id) = id else { return Ok(None) };
		let (page, _) = self.client.runtime_api().nodes(at, id, 1)?;
		Ok(page.into_iter().find(|node| node.id == id))
	}

	fn figures_of(&self, at: Hash, node: NodeInfo<AccountId>) -> Result<OwnFigures, ApiError> {
		let api = self.client.runtime_api();
		let claimable = api.claimable(at, node.operator.clone())?;
		let mut models = Vec::with_capacity(node.hosted.len());
		for (id, ..) in &node.hosted {
			// What is hosted may be removed.
			let Some(market) = api.market(at, *id)? else { continue };
			let (page, _) = api.models(at, *id, 1)?;
			let open_jobs = page
				.iter()
				.find(|model| model.id == *id)
				.map_or(0, |model| model.open_jobs);
			models.push(ModelFigures { market, open_jobs });
		}
		Ok(OwnFigures {
			node,
			claimable,
			models,
		})
	}
}
