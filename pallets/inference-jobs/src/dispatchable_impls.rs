//! What the calls do.

use crate::{
	types::{Draw, Looks, Submission},
	Config, Error, Event, JobRecord, JobState, Jobs, NextJobId, Pallet, MAX_DEADLINE_BLOCKS, MAX_INPUT_SIZE,
};
use frame_support::{ensure, weights::Weight};
use highway_primitives::{
	market::Order,
	model::ModelService,
	traits::{Attestations as _, Market, Models, Nodes},
	work_id, Balance, BlockNumber, JobId, Quorum, Tier, BLOCK_SECONDS,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Agrees on the price, takes it, and gives each job to a node. Returns what was looked at. An error may leave traces:
	/// the call's storage layer undoes them.
	pub(crate) fn do_submit(payer: T::AccountId, submission: Submission<T::AccountId>) -> Result<Looks, DispatchError> {
		let Submission {
			model,
			input,
			inputs,
			tier,
			max_price,
			gateway,
			curator,
		} = submission;
		let size = tier.jobs().ok_or(Error::<T>::QuorumSizeOutOfRange)?;
		if let Some(gateway) = gateway {
			ensure!(T::Nodes::operator(gateway).is_some(), Error::<T>::UnknownGateway);
		}
		let service = T::Models::service(model)?;
		let (units, allowance) = Self::terms(&service, input.size, inputs)?;
		ensure!(
			!T::Attestations::suspended(model, service.version),
			Error::<T>::VersionSuspended
		);

		let jobs = Quorum {
			first: NextJobId::<T>::get(),
			size,
		};
		let order = Order {
			model,
			units,
			input_size: input.size,
			detection: service.detection,
			payer: &payer,
			curator: curator.as_ref(),
			weaver: None,
			seed: Self::seed(Draw::Storage(jobs.first)),
		};
		let looked_at = T::Market::looks_at(model);
		let deal = T::Market::open(jobs.first, &order)?;
		let security = Self::security(deal.compute);
		let winners = T::Market::executors(model, &deal);
		let executors = u32::try_from(winners.len()).unwrap_or(u32::MAX);
		let deals = Self::open_siblings(model, deal, size)?;
		let price = deals
			.iter()
			.fold(0, |sum: Balance, deal| sum.saturating_add(deal.price));
		ensure!(price <= max_price, Error::<T>::PriceAboveMax);
		let (nodes, further) = Self::draw_distinct(jobs, model, security, &winners).ok_or(Error::<T>::NoCapacity)?;

		let now = Self::now();
		let deadline = now.saturating_add(allowance);
		for (job, (deal, node)) in jobs.jobs().zip(deals.into_iter().zip(nodes)) {
			T::Market::escrow(&payer, &deal)?;
			T::Nodes::reserve(node, security)?;
			let price = deal.price;
			let record = JobRecord {
				payer: payer.clone(),
				model,
				version: service.version,
				input,
				inputs,
				work: work_id(job, service.spec, &input, inputs),
				deal,
				security,
				allowance,
				executors,
				gateway,
				quorum: (tier != Tier::Spot).then_some(jobs),
				state: JobState::Assigned { node, deadline },
				bill: Default::default(),
				tried: Default::default(),
				failures: Default::default(),
				submitted_at: now,
			};
			Self::file(job, &record);
			Self::deposit_event(Event::JobSubmitted {
				job,
				payer: payer.clone(),
				model,
				node,
				price,
				deadline,
			});
		}
		NextJobId::<T>::put(jobs.jobs().end);
		Ok(Looks {
			market: looked_at,
			further,
			executors,
		})
	}

	/// Units of a job of so many inputs, whose blob has this size, and the blocks that each executor has for it. Error if the
	/// blob is empty or too large, or the deadline too far away.
	pub fn terms(service: &ModelService, input_size: u64, inputs: u16) -> Result<(u32, BlockNumber), Error<T>> {
		ensure!(
			(1..=MAX_INPUT_SIZE).contains(&input_size),
			Error::<T>::InputSizeOutOfRange
		);
		let units = service.unit.count(input_size, inputs);
		let allowance = highway_math::deadline::blocks(input_size, units, service.unit_time_ms, BLOCK_SECONDS);
		ensure!(allowance <= MAX_DEADLINE_BLOCKS, Error::<T>::DeadlineTooLong);
		Ok((units, allowance))
	}

	/// Takes a due job to its next phase. Returns what that weighed.
	pub(crate) fn do_poke(job: JobId) -> Result<Weight, DispatchError> {
		let record = Jobs::<T>::get(job).ok_or(Error::<T>::UnknownJob)?;
		ensure!(record.due() <= Self::now(), Error::<T>::NotDue);
		Ok(Self::advance(job, record))
	}
}
