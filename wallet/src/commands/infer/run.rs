//! One job of `highway infer`, from the pool to its checked output.

use super::quorum::{Agreement, Doubt};
use crate::{
	blobs::BlobOwner,
	client::{Client, Included, Pending, Signer, Wait},
	commands::{bundle, fetch, file_error, job},
	error::CommandError,
	output::Output,
	recipes::{Answer, Recipe},
};
use futures::lock::Mutex;
use highway_offchain_worker::tensors::{self, Tensor};
use highway_primitives::{BlobRef, JobId};
use highway_runtime_api::types::{JobInfo, ModelInfo};
use indicatif::{MultiProgress, ProgressBar};
use sp_core::crypto::AccountId32;
use std::{
	fs,
	path::{Path, PathBuf},
};

/// What became of a file.
pub enum Outcome {
	/// Answered here, without a job.
	Answer(Answer),
	/// Submitted, not waited for.
	Submitted {
		/// The job.
		job: JobId,
		/// Which of the job's inputs it is, counted from 0.
		index: u16,
		/// How many inputs the job has.
		inputs: u16,
		/// Whether its id cannot change any more.
		is_final: bool,
	},
	/// Done.
	Done {
		/// The job.
		job: Box<JobInfo<AccountId32>>,
		/// Which of the job's inputs it is, counted from 0.
		index: u16,
		/// What its output says.
		reading: Reading,
	},
	/// Done by a quorum, more than half of which agree.
	Agreed {
		/// The job whose output is the result.
		job: Box<JobInfo<AccountId32>>,
		/// What its output says.
		reading: Reading,
		/// How all of the quorum's jobs stand to it.
		agreement: Agreement,
	},
}

/// What became of each input of a job, in order.
pub type Outcomes = Vec<Result<Outcome, CommandError>>;

/// What an output says.
pub enum Reading {
	/// By the model's recipe.
	Answer(Answer),
	/// As it is.
	Tensors {
		/// The tensors.
		tensors: Vec<Tensor>,
		/// The file that they are in.
		written: Option<PathBuf>,
	},
}

/// What a job is to work on.
#[derive(Clone, Copy)]
pub struct Input {
	/// The input; of a batch the bundle of all.
	pub blob: BlobRef,
	/// How many inputs there are.
	pub inputs: u16,
}

/// What all jobs of one command have in common.
pub struct Run<'a> {
	/// Where remarks go.
	pub output: Output,
	/// The node.
	pub client: &'a Client,
	/// Who pays.
	pub payer: AccountId32,
	/// The payer's key.
	pub signer: &'a Signer,
	/// The model, as it was when the inputs were made.
	pub model: &'a ModelInfo<AccountId32>,
	/// Its recipe; without one outputs stay tensors.
	pub recipe: Option<&'a dyn Recipe>,
	/// Where tensors are written to: a file, or of a batch a folder.
	pub to: Option<&'a Path>,
	/// Whether nobody waits for outputs.
	pub detach: bool,
	/// What is done about outputs that dissent from those of most of a quorum.
	pub doubts: Doubt,
	/// Who holds it may ask for an audit.
	pub turn: Mutex<()>,
	/// When a submission counts as done.
	pub wait: Wait,
	/// All that moves on the screen.
	pub bars: MultiProgress,
	/// What tells of the jobs.
	pub spinner: ProgressBar,
}

impl Run<'_> {
	/// Waits for the submission and for the output of the job for `name`, a file or many, and reads it: what became of each of
	/// its inputs.
	pub async fn finish(&self, name: &str, input: Input, mut pending: Pending) -> Result<Outcomes, CommandError> {
		let mut id = self.submitted(name, pending.next_included(self.wait).await?)?;
		if self.detach {
			let submitted = |index| {
				Ok(Outcome::Submitted {
					job: id,
					index,
					inputs: input.inputs,
					is_final: self.wait == Wait::Finalized,
				})
			};
			return Ok((0..input.inputs).map(submitted).collect());
		}
		let mut client = self.client.clone();
		let mut job = self.follow(&mut client, id, &input).await;
		if self.wait == Wait::InBlock && matches!(job, Err(CommandError::NotFound(_))) {
			// A reorganisation gave the id to somebody else's job, or took it away: what is final tells ours.
			id = self.submitted(name, pending.next_included(Wait::Finalized).await?)?;
			job = self.follow(&mut client, id, &input).await;
		}
		let done = match job {
			Ok(job) => self.conclude(&mut client, job).await,
			Err(error) => Err(error),
		};
		done.map_err(|error| error.after_payment(id))
	}

	/// The job's id, which is told at once: whatever comes, who paid knows what for.
	fn submitted(&self, name: &str, included: Included) -> Result<JobId, CommandError> {
		let id = included.number("InferenceJobs", "job")?;
		let id = JobId::try_from(id).unwrap_or(JobId::MAX);
		self.say(format!(
			"{name}: job {id} is submitted; `highway job watch {id}` goes on with it whatever happens here"
		));
		Ok(id)
	}

	/// Says something beside what moves on the screen.
	pub(super) fn say(&self, text: String) {
		self.bars.suspend(|| self.output.remark(text));
	}

	/// Waits until the job, which must be the one that was asked for, has an output or has ended.
	pub(super) async fn follow(
		&self,
		client: &mut Client,
		id: JobId,
		input: &Input,
	) -> Result<JobInfo<AccountId32>, CommandError> {
		let job = job::until_output(client, id, |job| {
			let executor = job
				.executor
				.map_or_else(|| "nobody".into(), |node| format!("node {node}"));
			self.spinner
				.set_message(format!("job {}: {:?}, {executor}", job.id, job.phase));
		})
		.await?;
		match is_of(&job, &self.payer, self.model, input) {
			true => Ok(job),
			false => Err(job::unknown(id)),
		}
	}

	/// Reads the output of a job that was tried, input by input.
	async fn conclude(&self, client: &mut Client, job: JobInfo<AccountId32>) -> Result<Outcomes, CommandError> {
		let output = self.output_bytes(client, &job).await?;
		let read_one = |(index, file): (u16, &[u8])| {
			let to = self.to.map(|to| bundle::path_of(to, index, job.inputs));
			match read(self.model, self.recipe, &job, file, to.as_deref()) {
				Ok(reading) => Ok(Outcome::Done {
					job: Box::new(job.clone()),
					index,
					reading,
				}),
				Err(error) => Err(error.after_payment(job.id)),
			}
		};
		let files = bundle::outputs(&job, &output)?;
		Ok((0..).zip(files).map(read_one).collect())
	}

	/// The output of a job that was tried, checked against its hash on chain.
	pub(super) async fn output_bytes(
		&self,
		client: &mut Client,
		job: &JobInfo<AccountId32>,
	) -> Result<Vec<u8>, CommandError> {
		let blob = job::delivered(job)?;
		let bar = self
			.bars
			.add(self.output.bytes_bar(format!("output of job {}", job.id)));
		let output = fetch(client, blob, BlobOwner::Job(job.id), &bar).await;
		bar.finish_and_clear();
		output
	}
}

/// Whether the job is the one that `payer` asked for.
fn is_of(job: &JobInfo<AccountId32>, payer: &AccountId32, model: &ModelInfo<AccountId32>, input: &Input) -> bool {
	job.payer == *payer && job.model == model.id && job.input == input.blob && job.inputs == input.inputs
}

/// Reads the output of one input. Tensors explain themselves; a recipe's labels and thresholds belong to the version that it came with.
pub(super) fn read(
	model: &ModelInfo<AccountId32>,
	recipe: Option<&dyn Recipe>,
	job: &JobInfo<AccountId32>,
	output: &[u8],
	to: Option<&Path>,
) -> Result<Reading, CommandError> {
	let Some(recipe) = recipe else {
		let tensors = tensors::parse(output).map_err(|source| CommandError::Tensors {
			what: "the output".into(),
			source,
		})?;
		if let Some(path) = to {
			fs::write(path, output).map_err(|source| file_error(path, source))?;
		}
		return Ok(Reading::Tensors {
			tensors,
			written: to.map(Into::into),
		});
	};
	if job.version != model.version {
		return Err(CommandError::OtherVersion {
			ran: job.version,
			known: model.version,
		});
	}
	Ok(Reading::Answer(recipe.answer(output, &model.spec)?))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::commands::fixtures::attested_job;
	use crate::recipes::{Prepared, RecipeError};
	use highway_primitives::model::{DType, Unit, VerificationPolicy, VersionSpec, MIN_DETECTION};

	/// Says "yes" to everything.
	struct Yes;

	impl Recipe for Yes {
		fn prepare(&self, _: &Path, _: &VersionSpec) -> Result<Prepared, RecipeError> {
			Ok(Prepared::Input(Vec::new()))
		}

		fn answer(&self, _: &[u8], _: &VersionSpec) -> Result<Answer, RecipeError> {
			Ok(Answer {
				label: "yes".into(),
				score: None,
				note: None,
				choices: Vec::new(),
			})
		}
	}

	fn account(byte: u8) -> AccountId32 {
		AccountId32::new([byte; 32])
	}

	fn model() -> ModelInfo<AccountId32> {
		ModelInfo {
			id: 3,
			owner: account(1),
			name: b"m".to_vec(),
			deprecated: false,
			version: 2,
			spec: VersionSpec {
				artifact: BlobRef::of(b"onnx"),
				licence: Default::default(),
				inputs: Default::default(),
				outputs: Default::default(),
				unit: Unit::Request,
				unit_time_ms: 1,
				policy: VerificationPolicy::Exact,
				trace: None,
				detection: MIN_DETECTION,
				shares_runs: false,
				recipe: None,
			},
			coming: None,
			parent: None,
			derivative_terms: None,
			royalty: 0,
			pending_royalty: None,
			royalties: Vec::new(),
			open_jobs: 0,
			children: 0,
			deposit: 0,
		}
	}

	#[test]
	fn jobs_should_be_ours_only_when_payer_model_and_input_are() {
		let of = |bytes: &[u8], inputs| Input {
			blob: BlobRef::of(bytes),
			inputs,
		};
		let (model, input) = (model(), of(b"input", 1));
		assert!(is_of(&attested_job(), &account(2), &model, &input));
		assert!(!is_of(&attested_job(), &account(3), &model, &input));
		assert!(!is_of(&attested_job(), &account(2), &model, &of(b"other", 1)));
		assert!(!is_of(&attested_job(), &account(2), &model, &of(b"input", 2)));
		assert!(!is_of(
			&JobInfo {
				model: 4,
				..attested_job()
			},
			&account(2),
			&model,
			&input
		));
	}

	#[test]
	fn recipes_should_not_read_what_another_version_gave() {
		let later = JobInfo {
			version: 3,
			..attested_job()
		};
		let answer = |job| read(&model(), Some(&Yes), &job, b"", None);
		assert!(matches!(answer(attested_job()), Ok(Reading::Answer(_))));
		assert!(matches!(
			answer(later.clone()),
			Err(CommandError::OtherVersion { ran: 3, known: 2 })
		));
		let tensor = Tensor::new("y", DType::U8, vec![1], vec![1]).unwrap();
		let output = tensors::serialize(&[tensor]);
		let tensors = read(&model(), None, &later, &output, None);
		assert!(matches!(tensors, Ok(Reading::Tensors { tensors, written: None }) if tensors.len() == 1));
	}
}
