//! How a command can end, and with which exit code.

use crate::{
	amount,
	blobs::BlobError,
	client::{Client, ClientError},
	keystore::KeystoreError,
	recipes::RecipeError,
};
use highway_offchain_worker::{precheck, tensors::TensorError};
use highway_primitives::{batch::BundleError, model::ModelVersion, Balance, BlockNumber, JobId, ModelId};
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use std::{io, path::PathBuf};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
	/// The node or the chain.
	#[error(transparent)]
	Client(#[from] ClientError),
	/// A key.
	#[error(transparent)]
	Keystore(#[from] KeystoreError),
	/// A blob.
	#[error(transparent)]
	Blob(#[from] BlobError),
	/// A recipe.
	#[error(transparent)]
	Recipe(#[from] RecipeError),
	/// A model file.
	#[error("{}: the model cannot be registered: {source}", path.display())]
	Model {
		/// The file.
		path: PathBuf,
		/// Why.
		source: precheck::Refusal,
	},
	/// A tensor file.
	#[error("{what}: {source}")]
	Tensors {
		/// Which.
		what: String,
		/// Why.
		source: TensorError,
	},
	/// A file.
	#[error("{}: {source}", path.display())]
	File {
		/// The file.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// Something that the chain does not know.
	#[error("{0}")]
	NotFound(String),
	/// What was asked for makes no sense.
	#[error("{0}")]
	Usage(String),
	/// A model could not be measured, or its terms do not hold here.
	#[error("{0}")]
	Calibration(String),
	/// A quote is above what the payer allows.
	#[error("the price is {} now, above --max-price {}: nothing was paid", amount::with_unit(*price), amount::with_unit(*max))]
	TooDear {
		/// What it costs.
		price: Balance,
		/// What may be paid.
		max: Balance,
	},
	/// The account cannot pay.
	#[error(
		"{} has {} to spend, {} {} needed: {} are missing; nothing was taken",
		account.to_ss58check(), amount::with_unit(*spendable), amount::with_unit(*needed),
		if *fees { "(with fees) are" } else { "are" }, amount::with_unit(needed.saturating_sub(*spendable))
	)]
	TooLittleMoney {
		/// Who.
		account: AccountId32,
		/// What it can spend.
		spendable: Balance,
		/// What is needed.
		needed: Balance,
		/// Whether fees are counted in.
		fees: bool,
	},
	/// Nobody would run it.
	#[error(
		"no node that serves model {0} is free now: nothing was paid; try again in a moment, `highway quote {0}` says how \
		many can take it"
	)]
	NobodyFree(ModelId),
	/// Too few nodes for a quorum.
	#[error(
		"a quorum of {wanted} needs as many nodes, and {free} that serve model {model} are free now: nothing was paid; try again in \
		a moment, or with a smaller --quorum"
	)]
	TooFewFree {
		/// The model.
		model: ModelId,
		/// How many nodes could take a job.
		free: u32,
		/// How many the quorum needs, each of another operator.
		wanted: u8,
	},
	/// Something went wrong after a job was paid for.
	#[error("job {job} is paid for, but {source}; `highway job watch {job} --output PATH` fetches its output")]
	AfterPayment {
		/// The job.
		job: JobId,
		/// What.
		source: Box<CommandError>,
	},
	/// The model changed while the job was submitted.
	#[error("it ran on version {ran} of the model, and its input was made for version {known}: its output is not explained here")]
	OtherVersion {
		/// The job's version.
		ran: ModelVersion,
		/// The version that was read before.
		known: ModelVersion,
	},
	/// The job ended without an output.
	#[error("job {job} gave no result: {reason}")]
	JobEnded {
		/// The job.
		job: JobId,
		/// How it ended.
		reason: String,
	},
	/// The output of a job of many inputs is not one file for each of them.
	#[error(
		"the output of job {job} is not one file for each of its inputs: {reason}; nothing was written. `highway job audit {job}` \
		has it audited: where that finds it wrong, the job's price comes back"
	)]
	NoBundle {
		/// The job.
		job: JobId,
		/// What it is not.
		reason: BundleError,
	},
	/// The nodes of a quorum do not agree.
	#[error(
		"no output was given by more than half of the quorum: nothing was written. {opinions}. `highway job watch JOB --output \
		FILE` fetches an output all the same, `highway job audit JOB` has it audited: where that finds it wrong, the job's price \
		comes back"
	)]
	NoMajority {
		/// The jobs.
		jobs: Vec<JobId>,
		/// Which of them agree, in words.
		opinions: String,
	},
	/// A job whose output dissents from a quorum's result could not be audited.
	#[error("job {job} dissents, and its audit was not asked for: {source}")]
	NotAudited {
		/// The job.
		job: JobId,
		/// Why.
		source: Box<CommandError>,
	},
	/// Something went wrong between a commitment to an ask and its reveal.
	#[error(
		"the ask is committed to and not revealed yet, and {source}; `highway bid resume` goes on with it: what is not \
		revealed by block {until} costs the bond"
	)]
	Unrevealed {
		/// The last block in which it can be revealed.
		until: BlockNumber,
		/// What.
		source: Box<CommandError>,
	},
	/// An ask that was committed to came to nothing.
	#[error("{0}")]
	BidLost(String),
	/// Some of several files.
	#[error("{failed} of {all} files gave no result; their errors stand above")]
	SomeFailed {
		/// How many failed.
		failed: usize,
		/// Of how many.
		all: usize,
	},
}

impl CommandError {
	/// The process's exit code; `highway --help` lists them.
	pub fn exit_code(&self) -> u8 {
		match self {
			Self::Usage(_) => 2,
			Self::Client(ClientError::Unreachable { .. } | ClientError::OtherChain(_)) => 3,
			Self::Client(ClientError::Refused(refusal) | ClientError::WouldRefuse(refusal))
				if refusal.is_about_money() =>
			{
				5
			}
			Self::Client(ClientError::Refused(_) | ClientError::WouldRefuse(_) | ClientError::NotAccepted(_)) => 4,
			Self::NobodyFree(_) | Self::TooFewFree { .. } => 4,
			Self::TooLittleMoney { .. } | Self::TooDear { .. } => 5,
			Self::JobEnded { .. } | Self::NoBundle { .. } | Self::NoMajority { .. } | Self::SomeFailed { .. } => 6,
			Self::Keystore(_) => 7,
			Self::Blob(BlobError::Mismatch(_) | BlobError::StoredOther { .. }) => 8,
			Self::Client(ClientError::Unknown { .. }) => 9,
			Self::AfterPayment { source, .. } | Self::NotAudited { source, .. } | Self::Unrevealed { source, .. } => {
				source.exit_code()
			}
			_ => 1,
		}
	}

	/// A short word for programs.
	pub fn kind(&self) -> &'static str {
		match self.exit_code() {
			2 => "usage",
			3 => "unreachable",
			4 => "refused",
			5 => "money",
			6 => "no_result",
			7 => "key",
			8 => "mismatch",
			9 => "unknown",
			_ => "failed",
		}
	}

	/// For programs. `job` is there if the error is about one, `jobs` if it is about those of a quorum, `until` if an ask is
	/// still to be revealed.
	pub fn to_json(&self) -> Value {
		let mut json = json!({ "kind": self.kind(), "message": self.to_string() });
		match self {
			Self::AfterPayment { job, .. }
			| Self::JobEnded { job, .. }
			| Self::NoBundle { job, .. }
			| Self::NotAudited { job, .. } => {
				json["job"] = json!(job);
			}
			Self::NoMajority { jobs, .. } => json["jobs"] = json!(jobs),
			Self::Unrevealed { until, .. } => json["until"] = json!(until),
			_ => {}
		}
		json
	}

	/// The same error, in the way of job `job`, which is paid for. What came of a job, or a quorum, is said with its id already.
	pub fn after_payment(self, job: JobId) -> Self {
		match self {
			Self::JobEnded { .. } | Self::NoBundle { .. } | Self::NoMajority { .. } => self,
			_ => Self::AfterPayment {
				job,
				source: Box::new(self),
			},
		}
	}

	/// Whether the same question may have an answer soon: the connection broke, the node is starting, or a blob is on its
	/// way.
	pub fn may_pass(&self) -> bool {
		match self {
			Self::Client(error) => matches!(error, ClientError::Request { .. }),
			Self::Blob(BlobError::Missing { .. }) => true,
			_ => self.is_broken_connection(),
		}
	}

	/// Whether the connection has to be made anew.
	pub fn is_broken_connection(&self) -> bool {
		matches!(
			self,
			Self::Client(ClientError::Request { code: 0, .. })
				| Self::Blob(BlobError::Client(ClientError::Request { code: 0, .. }))
		)
	}
}

/// Error unless `account` can pay `needed` and stay alive.
pub async fn ensure_can_pay(
	client: &Client,
	account: &AccountId32,
	needed: Balance,
	fees: bool,
) -> Result<(), CommandError> {
	let spendable = client.balance(account).await?.spendable(client.existential_deposit()?);
	if spendable >= needed {
		return Ok(());
	}
	Err(CommandError::TooLittleMoney {
		account: account.clone(),
		spendable,
		needed,
		fees,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::client::Refusal;
	use highway_primitives::AIC;

	#[test]
	fn errors_should_say_how_much_is_missing() {
		let error = CommandError::TooLittleMoney {
			account: AccountId32::new([0; 32]),
			spendable: AIC / 2,
			needed: 2 * AIC,
			fees: true,
		};
		let text = error.to_string();
		assert!(
			text.contains("0.5 AIC to spend, 2 AIC (with fees) are needed: 1.5 AIC are missing"),
			"{text}"
		);
		assert_eq!(error.exit_code(), 5);
	}

	#[test]
	fn errors_should_name_the_runtimes_error() {
		let refusal = Refusal {
			pallet: "InferenceJobs".into(),
			name: "PriceAboveMax".into(),
			docs: "The price is above what the payer allows".into(),
		};
		let error = CommandError::from(ClientError::Refused(refusal));
		assert!(
			error.to_string().contains("PriceAboveMax: The price is above"),
			"{error}"
		);
		assert_eq!((error.exit_code(), error.kind()), (4, "refused"));
	}

	#[test]
	fn exit_codes_should_tell_the_kinds_apart() {
		assert_eq!(CommandError::Usage("x".into()).exit_code(), 2);
		assert_eq!(CommandError::Keystore(KeystoreError::Phrase).exit_code(), 7);
		assert_eq!(CommandError::Blob(BlobError::Mismatch("0x".into())).exit_code(), 8);
		assert_eq!(CommandError::NotFound("x".into()).exit_code(), 1);
		let unknown = ClientError::Unknown {
			transaction: "0x01".into(),
			reason: "Finality timeout".into(),
		};
		assert_eq!(CommandError::from(unknown).kind(), "unknown");
	}

	#[test]
	fn errors_after_a_payment_should_name_the_job_and_how_to_go_on() {
		let missing = || {
			CommandError::Blob(BlobError::Missing {
				hash: "0x01".into(),
				reason: "no peer has it".into(),
			})
		};
		let error = missing().after_payment(7);
		assert!(error.to_string().contains("highway job watch 7 --output"), "{error}");
		assert_eq!(error.to_json()["job"], 7);
		assert_eq!(error.kind(), missing().kind());
		let wrong = CommandError::Blob(BlobError::Mismatch("0x01".into())).after_payment(7);
		assert_eq!(wrong.exit_code(), 8);
		let ended = CommandError::JobEnded {
			job: 7,
			reason: "no node did it".into(),
		};
		assert!(matches!(ended.after_payment(7), CommandError::JobEnded { .. }));
		assert!(missing().to_json().get("job").is_none());
	}

	#[test]
	fn quorums_that_do_not_agree_should_name_their_jobs_and_what_to_do() {
		let torn = CommandError::NoMajority {
			jobs: vec![7, 8],
			opinions: "job 7, by node 0: agrees with none; job 8, by node 1: agrees with none".into(),
		};
		let torn = torn.after_payment(7);
		assert_eq!((torn.exit_code(), torn.kind()), (6, "no_result"));
		assert_eq!(torn.to_json()["jobs"], json!([7, 8]));
		let text = torn.to_string();
		assert!(
			text.contains("nothing was written") && text.contains("highway job audit"),
			"{text}"
		);
		let unaudited = CommandError::NotAudited {
			job: 8,
			source: Box::new(CommandError::NotFound("x".into())),
		};
		assert_eq!((unaudited.exit_code(), &unaudited.to_json()["job"]), (1, &json!(8)));
	}

	#[test]
	fn errors_between_commitment_and_reveal_should_say_how_to_go_on_and_until_when() {
		let lost = ClientError::Request {
			method: "chain_getHeader".into(),
			code: 0,
			reason: "closed".into(),
		};
		let error = CommandError::Unrevealed {
			until: 900,
			source: Box::new(lost.into()),
		};
		let text = error.to_string();
		assert!(
			text.contains("`highway bid resume`") && text.contains("block 900"),
			"{text}"
		);
		assert_eq!((error.exit_code(), &error.to_json()["until"]), (1, &json!(900)));
		assert_eq!(CommandError::BidLost("x".into()).exit_code(), 1);
	}

	#[test]
	fn broken_connections_and_blobs_on_their_way_should_pass() {
		let request = |code| ClientError::Request {
			method: "blob_get".into(),
			code,
			reason: "x".into(),
		};
		let broken = CommandError::Client(request(0));
		assert!(broken.may_pass() && broken.is_broken_connection());
		let refused = CommandError::Blob(BlobError::Client(request(15_004)));
		assert!(!refused.may_pass(), "a node that refuses a blob will do so again");
		assert!(CommandError::Blob(BlobError::Client(request(0))).may_pass());
		assert!(!CommandError::Client(ClientError::NoMethod("x".into())).may_pass());
	}
}
