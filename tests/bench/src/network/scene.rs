//! A network with a model on it, and the loads that a round puts on it.

use super::{load, subject::bare_rate, Load, Market, Pace, Subject};
use anyhow::{Context, Result};
use highway_test_support::{until, Devnet};
use std::time::Duration;

/// How long nodes may take to load a model that they host.
const LOADED_WITHIN: Duration = Duration::from_secs(120);

/// How many times the capacity an overload is.
const OVERLOAD: f64 = 2.0;

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
