//! Twice as many jobs as the network takes.

use crate::{
	figures::{Figure, Goal, Summary},
	network::Scene,
	record::Record,
};
use anyhow::Result;

/// How many times the capacity has to be offered to be an overload. Twice is meant; senders that a pool refuses come to less.
const LEAST_OFFERED: f64 = 1.7;

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("overload_goodput", "of correct jobs/s at capacity")
		.goal(Goal::AtLeast(0.95))
		.key("overload_goodput"),
	Figure::new("overload_offered", "times the capacity"),
	Figure::new("overload_refused", "of the transactions"),
	Figure::new("overload_wrong", "jobs")
		.by(Summary::Sum)
		.goal(Goal::AtMost(0.0)),
	Figure::new("overload_lost", "jobs not attested").by(Summary::Sum),
];

/// Loads the network up to its capacity and beyond, if this round has not yet.
pub async fn round(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	let capacity = scene.at_capacity().await?;
	let load = scene.overloaded().await?;
	let offered = load.offered / capacity.rate;
	record.note("overload_offered", offered)?;
	match offered >= LEAST_OFFERED {
		true => record.note("overload_goodput", load.rate / capacity.rate)?,
		false => eprintln!("{offered:.2} times the capacity were offered: what comes of twice as much is not measured"),
	}
	record.note("overload_refused", load.refused as f64 / load.sent as f64)?;
	record.note("overload_wrong", load.wrong as f64)?;
	record.note("overload_lost", load.lost as f64)
}
