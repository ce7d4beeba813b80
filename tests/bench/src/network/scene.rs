//! A network with a model on it, and the loads that a round puts on it.

use super::{load, subject::bare_rate, Load, Market, Pace, Payer, Subject};
use anyhow::{Context, Result};
use futures::future::try_join_all;
use highway_test_support::{until, Devnet};
use std::time::Duration;

/// How long nodes may take to load a model that they host.
const LOADED_WITHIN: Duration = Duration::from_secs(120);

/// How many times the capacity an overload is.
const OVERLOAD: f64 = 2.0;

/// How long audits, and waits for the end of a window, may take in all.
const AUDITED_WITHIN: Duration = Duration::from_secs(300);

/// Jobs that the chain settles in a second at the least.
const LEAST_SETTLED: u64 = 5;

/// How long the pools may take until they are empty.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);

/// Where measurements take place.
pub struct Scene<'a> {
	/// The network: three validators, and whoever was added.
	pub devnet: &'a mut Devnet,
	/// What is sold on it.
	pub market: Market,
	/// The model, without the network.
	pub subject: Box<dyn Subject>,
	/// Seconds that a load lasts.
	pub seconds: u64,
	/// Runs of bare ONNX Runtime in a second before the nodes were started.
	pub bare_before: f64,
	/// Whether loads explain themselves on standard error.
	pub explain: bool,
	capacity: Option<Load>,
	overload: Option<Load>,
}

impl<'a> Scene<'a> {
	/// Registers the model, and lets all nodes offer it.
	pub async fn open(devnet: &'a mut Devnet, stage: Stage) -> Result<Self> {
		let Stage {
			subject,
			bare_before,
			seconds,
			explain,
		} = stage;
		let market = Market::open(devnet, &subject.arguments()?).await?;
		let scene = Self {
			devnet,
			market,
			subject,
			seconds,
			bare_before,
			explain,
			capacity: None,
			overload: None,
		};
		scene.pin_inference().await?;
		Ok(scene)
	}

	/// Another round begins: its loads are put on anew.
	pub fn begin(&mut self) {
		(self.capacity, self.overload) = (None, None);
	}

	/// This round's load of as many jobs as the nodes take.
	pub async fn at_capacity(&mut self) -> Result<Load> {
		if let Some(load) = &self.capacity {
			return Ok(load.clone());
		}
		let load = self.load(Pace::AsSlotsAllow).await.context("jobs at capacity")?;
		self.capacity = Some(load.clone());
		Ok(load)
	}

	/// This round's load of twice as many jobs as that.
	pub async fn overloaded(&mut self) -> Result<Load> {
		if let Some(load) = &self.overload {
			return Ok(load.clone());
		}
		let rate = OVERLOAD * self.at_capacity().await?.rate;
		let load = self
			.load(Pace::PerSecond(rate))
			.await
			.context("jobs beyond the capacity")?;
		self.overload = Some(load.clone());
		Ok(load)
	}

	/// A load of as many jobs as the nodes take with inference on all cores.
	pub async fn on_all_cores(&mut self) -> Result<Load> {
		for node in self.devnet.nodes.iter().take(self.market.payers.len()) {
			node.unpin_inference()?;
		}
		let load = load::run(self, Pace::AsSlotsAllow).await;
		self.pin_inference().await?;
		load.context("jobs on all cores")
	}

	/// Waits until all jobs are over: what the chain still does for them would meet what is measured next.
	pub async fn quiet(&mut self) -> Result<()> {
		let ledger = &mut self.market.ledger;
		ledger.advance().await?;
		let open = ledger.open_jobs() as u64;
		if open > 0 {
			eprintln!("waiting until {open} jobs are settled …");
		}
		let limit = AUDITED_WITHIN + Duration::from_secs(open / LEAST_SETTLED);
		ledger
			.until("all jobs to be over", limit, |ledger| ledger.open_jobs() == 0)
			.await
	}

	/// After a part that failed: what it left behind must not meet the next one.
	pub async fn recover(&mut self) -> Result<()> {
		let payers = &self.market.payers;
		until("empty pools", TAKEN_WITHIN, || async {
			let waiting = try_join_all(payers.iter().map(Payer::waiting)).await?;
			Ok(waiting.iter().all(|count| *count == 0).then_some(()))
		})
		.await?;
		self.quiet().await?;
		self.market.count_anew().await
	}

	async fn load(&mut self, pace: Pace) -> Result<Load> {
		// Again: a child that was started anew may run anywhere.
		self.pin_inference().await?;
		load::run(self, pace).await
	}

	/// All inference has one core, as bare ONNX Runtime has.
	async fn pin_inference(&self) -> Result<()> {
		for node in self.devnet.nodes.iter().take(self.market.payers.len()) {
			let what = format!("an inference child of {}", node.name());
			until(&what, LOADED_WITHIN, || async {
				Ok((node.pin_inference()? > 0).then_some(()))
			})
			.await?;
		}
		Ok(())
	}
}

/// What there is before the network: the model, timed on an idle machine.
pub struct Stage {
	subject: Box<dyn Subject>,
	bare_before: f64,
	seconds: u64,
	explain: bool,
}

impl Stage {
	/// Times the model.
	pub fn set(mut subject: Box<dyn Subject>, seconds: u64, explain: bool) -> Result<Self> {
		eprintln!("bare ONNX Runtime with {}, before the nodes start …", subject.name());
		let bare_before = bare_rate(subject.as_mut())?;
		Ok(Self {
			subject,
			bare_before,
			seconds,
			explain,
		})
	}
}
