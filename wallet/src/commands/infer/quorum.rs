//! One quorum of `highway infer`: its jobs are followed side by side, their outputs compared as auditors compare them, and
//! what more than half of them agree on is the result.
//!
//! The chain never sees an output, so that it cannot say who agrees with whom: that is the payer's part.

use super::run::{read, Input, Outcome, Run};
use crate::{
	amount::with_unit,
	client::{calls, Included, Pending, Wait},
	commands::{ensure_possible, job},
	error::CommandError,
};
use futures::{stream::FuturesUnordered, StreamExt};
use highway_offchain_worker::judge::{self, Finding};
use highway_primitives::{model::VersionSpec, Balance, JobId, NodeId};
use highway_runtime_api::types::JobInfo;
use sp_core::crypto::AccountId32;
use std::collections::{btree_map::Entry, BTreeMap, BTreeSet};

/// What is done about an output that dissents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
	/// It is named.
	Name,
	/// The payer is asked whether it shall be audited.
	Ask,
	/// It is audited.
	Audit,
}

/// How the jobs of a quorum stand to its result.
pub struct Agreement {
	/// The jobs, in the order of their ids.
	pub members: Vec<Member>,
	/// What was paid for all of them.
	pub price: Balance,
}

/// One job of a quorum.
pub struct Member {
	/// The job.
	pub job: JobId,
	/// Who did it.
	pub executor: Option<NodeId>,
	/// How it stands to the result.
	pub stance: Stance,
}

/// How a job stands to the result of its quorum.
pub enum Stance {
	/// Its output is the result, or agrees with it.
	Agrees,
	/// Its output does not agree with it. With the bond, or why there is none, if it was to be audited.
	Dissents(Option<Result<Balance, CommandError>>),
	/// No output of it can be had.
	Absent(CommandError),
}

impl Agreement {
	/// Why audits that the payer wanted were not asked for.
	pub fn failed_audits(self) -> impl Iterator<Item = CommandError> {
		self.members.into_iter().filter_map(|member| match member.stance {
			Stance::Dissents(Some(Err(source))) => Some(CommandError::NotAudited {
				job: member.job,
				source: Box::new(source),
			}),
			_ => None,
		})
	}
}

/// A job that has an output or has ended.
struct Tried {
	job: JobInfo<AccountId32>,
	/// Its output, or why none can be had.
	output: Result<Vec<u8>, CommandError>,
}

/// The outputs of a quorum, by the places of their jobs in it, as far as they came.
struct Votes<'a> {
	spec: &'a VersionSpec,
	outputs: Vec<Option<Vec<u8>>>,
	/// Places of outputs that agree, in both orders.
	pairs: BTreeSet<(usize, usize)>,
	/// The first one that more than half of the jobs agreed on. It stays: nobody dissents from something else later.
	chosen: Option<usize>,
}

impl<'a> Votes<'a> {
	fn new(spec: &'a VersionSpec, size: usize) -> Self {
		Self {
			spec,
			outputs: vec![None; size],
			pairs: BTreeSet::new(),
			chosen: None,
		}
	}

	/// Takes the output of the job at `place`, of those that the quorum has.
	fn add(&mut self, place: usize, output: Vec<u8>) {
		for (other, known) in self.outputs.iter().enumerate() {
			if known.as_ref().is_some_and(|known| agree(self.spec, known, &output)) {
				self.pairs.extend([(place, other), (other, place)]);
			}
		}
		self.outputs[place] = Some(output);
		if self.chosen.is_none() {
			// Of equals the first.
			let best = (0..self.outputs.len())
				.rev()
				.max_by_key(|place| self.friends(*place).count());
			self.chosen = best.filter(|best| 2 * (self.friends(*best).count() + 1) > self.outputs.len());
		}
	}

	/// Places of the other outputs that agree with the one at `place`.
	fn friends(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
		self.pairs
			.iter()
			.filter(move |(one, _)| *one == place)
			.map(|(_, other)| *other)
	}

	/// Places of the outputs that do not agree with the result, once there is one.
	fn dissenting(&self) -> Vec<usize> {
		let Some(chosen) = self.chosen else {
			return Vec::new();
		};
		let outputs = self.outputs.iter().enumerate();
		outputs
			.filter(|(place, output)| output.is_some() && *place != chosen && !self.pairs.contains(&(chosen, *place)))
			.map(|(place, _)| place)
			.collect()
	}

	/// With which of the jobs `ids` the one at `place` agrees.
	fn opinion(&self, ids: &[JobId], place: usize) -> String {
		let friends: Vec<_> = self
			.friends(place)
			.filter_map(|friend| ids.get(friend))
			.map(|id| format!("job {id}"))
			.collect();
		match friends.is_empty() {
			true => "agrees with none".into(),
			false => format!("agrees with {}", friends.join(", ")),
		}
	}
}

/// Whether two outputs agree within the version's policy, whichever of them is one's own.
fn agree(spec: &VersionSpec, one: &[u8], other: &[u8]) -> bool {
	let right = |ours: &[u8], theirs: &[u8]| judge::finding(spec, ours, theirs) == Finding::Right;
	right(one, other) && right(other, one)
}

fn by(job: &JobInfo<AccountId32>) -> String {
	job.executor
		.map_or_else(|| "by nobody".into(), |node| format!("by node {node}"))
}

impl Run<'_> {
	/// Waits for the submission of a quorum for `name`, a file, and for all of its outputs, and reads what most agree on.
	pub async fn finish_quorum(&self, name: &str, input: Input, mut pending: Pending) -> Result<Outcome, CommandError> {
		let mut ids = self.quorum_submitted(name, &pending.next_included(self.wait).await?)?;
		let mut outcome = self.compare(name, &ids, &input).await;
		if self.wait == Wait::InBlock && matches!(outcome, Err(CommandError::NotFound(_))) {
			// As for a single job: another branch of the chain may have given the ids to others.
			ids = self.quorum_submitted(name, &pending.next_included(Wait::Finalized).await?)?;
			outcome = self.compare(name, &ids, &input).await;
		}
		outcome.map_err(|error| error.after_payment(ids.first().copied().unwrap_or_default()))
	}

	/// The ids of the jobs, which are told at once.
	fn quorum_submitted(&self, name: &str, included: &Included) -> Result<Vec<JobId>, CommandError> {
		let numbers = included.numbers("InferenceJobs", "job")?;
		let ids: Vec<_> = numbers
			.into_iter()
			.map(|id| JobId::try_from(id).unwrap_or(JobId::MAX))
			.collect();
		let named: Vec<_> = ids.iter().map(JobId::to_string).collect();
		self.say(format!(
			"{name}: jobs {} are submitted; `highway job watch JOB` goes on with each of them whatever happens here",
			named.join(", ")
		));
		Ok(ids)
	}

	/// Follows the jobs until each has an output or will have none, and compares what there is.
	async fn compare(&self, name: &str, ids: &[JobId], input: &Input) -> Result<Outcome, CommandError> {
		let mut votes = Votes::new(&self.model.spec, ids.len());
		let (mut jobs, mut absent, mut doubts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
		let followed = ids
			.iter()
			.enumerate()
			.map(|(place, id)| async move { (place, self.output_of(*id, input).await) });
		let mut coming: FuturesUnordered<_> = followed.collect();
		while let Some((place, result)) = coming.next().await {
			let Tried { job, output } = result?;
			jobs.insert(place, job);
			match output {
				Ok(output) => votes.add(place, output),
				Err(error) => drop(absent.insert(place, error)),
			}
			// At once, and not when all have come: an audit can be asked for only until the pay.
			for place in votes.dissenting() {
				if let Entry::Vacant(unasked) = doubts.entry(place) {
					unasked.insert(self.doubt(name, &jobs[&place]).await);
				}
			}
		}

		let Some(chosen) = votes.chosen else {
			let opinions = ids.iter().enumerate().map(|(place, id)| {
				let said = match absent.get(&place) {
					Some(error) => format!("no output: {error}"),
					None => votes.opinion(ids, place),
				};
				format!("job {id}, {}: {said}", by(&jobs[&place]))
			});
			return Err(CommandError::NoMajority {
				opinions: opinions.collect::<Vec<_>>().join("; "),
				jobs: ids.to_vec(),
			});
		};
		let members = ids.iter().enumerate().map(|(place, id)| Member {
			job: *id,
			executor: jobs[&place].executor,
			stance: match (absent.remove(&place), doubts.remove(&place)) {
				(Some(error), _) => Stance::Absent(error),
				(None, Some(doubt)) => Stance::Dissents(doubt),
				(None, None) => Stance::Agrees,
			},
		});
		let agreement = Agreement {
			members: members.collect(),
			price: jobs.values().fold(0, |sum: Balance, job| sum.saturating_add(job.price)),
		};
		let job = jobs
			.remove(&chosen)
			.expect("what was chosen is the output of a job; qed");
		let output = votes.outputs[chosen].take().unwrap_or_default();
		let reading = read(self.model, self.recipe, &job, &output, self.to)?;
		Ok(Outcome::Agreed {
			job: Box::new(job),
			reading,
			agreement,
		})
	}

	/// A job once it was tried, and its output. Error if the job is not ours, or cannot be followed.
	async fn output_of(&self, id: JobId, input: &Input) -> Result<Tried, CommandError> {
		let mut client = self.client.clone();
		let job = self.follow(&mut client, id, input).await?;
		if job.version != self.model.version {
			// Its policy may be another one, too.
			return Err(CommandError::OtherVersion {
				ran: job.version,
				known: self.model.version,
			});
		}
		let output = self.output_bytes(&mut client, &job).await;
		Ok(Tried { job, output })
	}

	/// Names a job whose output dissents, and has it audited if that is wanted; `None` if it is not.
	async fn doubt(&self, name: &str, job: &JobInfo<AccountId32>) -> Option<Result<Balance, CommandError>> {
		self.say(format!(
			"{name}: job {}, {}, dissents from the majority",
			job.id,
			by(job)
		));
		match self.doubts {
			Doubt::Name => None,
			Doubt::Ask | Doubt::Audit => {
				// Of several quorums one after another: each takes the account's next nonce.
				let _turn = self.turn.lock().await;
				self.audit(job.id).await.transpose()
			}
		}
	}

	/// Asks for the audit of a job, and returns the bond; `None` if the payer does not want it.
	async fn audit(&self, id: JobId) -> Result<Option<Balance>, CommandError> {
		let bill = self.client.bill(id).await?.ok_or_else(|| job::unknown(id))?;
		let bond = job::bond(&bill.lines);
		let stake = format!(
			"an audit of job {id} takes a bond of {}, twice its compute line; it comes back when the audit ends, unless that \
			finds the output right",
			with_unit(bond)
		);
		self.say(stake);
		if self.doubts == Doubt::Ask && !self.bars.suspend(|| self.output.confirms("Have it audited?")) {
			return Ok(None);
		}
		let call = [calls::force_audit(id)];
		ensure_possible(self.client, self.signer, &call, bond).await?;
		let included = self.client.submit(self.signer, &call, self.wait).await?;
		Ok(Some(included.number("ProofOfWorkDone", "bond")?))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_offchain_worker::tensors::{serialize, Tensor};
	use highway_primitives::{
		model::{DType, TensorSpec, Unit, VerificationPolicy, MIN_DETECTION},
		BlobRef,
	};
	use sp_runtime::Perbill;

	/// A model with one number, which may be off by 0.1.
	fn spec() -> VersionSpec {
		let output = TensorSpec {
			name: b"y".to_vec().try_into().unwrap(),
			dtype: DType::F32,
			shape: vec![Some(1)].try_into().unwrap(),
		};
		VersionSpec {
			artifact: BlobRef::of(b"onnx"),
			licence: Default::default(),
			inputs: Default::default(),
			outputs: vec![output].try_into().unwrap(),
			unit: Unit::Request,
			unit_time_ms: 1,
			policy: VerificationPolicy::Tolerance {
				atol: 100_000_000,
				rtol: 0,
				outliers: Perbill::zero(),
			},
			trace: None,
			detection: MIN_DETECTION,
			shares_runs: false,
			recipe: None,
		}
	}

	fn number(value: f32) -> Vec<u8> {
		let tensor = Tensor::new("y", DType::F32, vec![1], value.to_le_bytes().to_vec()).unwrap();
		serialize(&[tensor])
	}

	/// What is chosen, and who dissents, when these outputs come in this order; `None` for those that do not come.
	fn result(outputs: &[Option<Vec<u8>>]) -> (Option<usize>, Vec<usize>) {
		let spec = spec();
		let mut votes = Votes::new(&spec, outputs.len());
		for (place, output) in outputs.iter().enumerate() {
			if let Some(output) = output {
				votes.add(place, output.clone());
			}
		}
		(votes.chosen, votes.dissenting())
	}

	#[test]
	fn the_first_output_that_more_than_half_agree_on_should_be_chosen() {
		let near = |offset: f32| Some(number(1.0 + offset));
		let far = || Some(number(7.0));
		assert_eq!(result(&[near(0.0), near(0.05), far()]), (Some(0), vec![2]));
		assert_eq!(result(&[far(), near(0.0), near(0.05)]), (Some(1), vec![0]));
		assert_eq!(result(&[near(0.0), near(0.0), near(0.0)]), (Some(0), vec![]));
		// Two of two, but not one.
		assert_eq!(result(&[near(0.0), near(0.0)]), (Some(0), vec![]));
		assert_eq!(result(&[near(0.0), far()]), (None, vec![]));
		// Half is no majority, and who is absent is no friend.
		assert_eq!(result(&[near(0.0), near(0.0), far(), far()]), (None, vec![]));
		assert_eq!(result(&[near(0.0), near(0.0), None, None]), (None, vec![]));
		assert_eq!(result(&[near(0.0), near(0.0), None]), (Some(0), vec![]));
		assert_eq!(result(&[None, None, None]), (None, vec![]));
	}

	#[test]
	fn who_is_near_to_the_most_should_be_chosen_and_stay_so() {
		// The middle one agrees with both, the outer ones not with one another.
		let outputs = [number(1.0), number(1.08), number(1.16)];
		let spec = spec();
		let mut votes = Votes::new(&spec, 5);
		votes.add(0, outputs[0].clone());
		votes.add(1, outputs[1].clone());
		assert_eq!(votes.chosen, None);
		votes.add(2, outputs[2].clone());
		assert_eq!((votes.chosen, votes.dissenting()), (Some(1), vec![]));
		for place in [3, 4] {
			votes.add(place, outputs[2].clone());
		}
		assert_eq!((votes.chosen, votes.dissenting()), (Some(1), vec![]));
	}

	#[test]
	fn what_is_no_output_of_the_model_should_agree_with_nothing() {
		let other = Tensor::new("z", DType::F32, vec![1], 1.0f32.to_le_bytes().to_vec()).unwrap();
		for strange in [b"noise".to_vec(), Vec::new(), serialize(&[other])] {
			let strange = || Some(strange.clone());
			assert_eq!(result(&[strange(), strange(), strange()]), (None, vec![]));
			let good = || Some(number(1.0));
			assert_eq!(result(&[strange(), good(), good()]), (Some(1), vec![0]));
		}
	}

	#[test]
	fn opinions_should_name_the_jobs_that_agree() {
		let spec = spec();
		let mut votes = Votes::new(&spec, 4);
		for (place, value) in [(0, 1.0), (1, 5.0), (2, 1.0)] {
			votes.add(place, number(value));
		}
		assert_eq!(votes.opinion(&[7, 8, 9, 10], 0), "agrees with job 9");
		assert_eq!(votes.opinion(&[7, 8, 9, 10], 1), "agrees with none");
	}
}
