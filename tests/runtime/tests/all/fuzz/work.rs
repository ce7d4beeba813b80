//! Calls about jobs, audits, probes and proofs of storage.

use super::caller::{nodes, Caller};
use crate::random::perform::open_jobs;
use highway_primitives::{
	audit::{ballot_commitment, AuditTask, SKETCH_SUMS},
	chunk_proof, work_tag,
	worker::ChunkProof,
	AttestItem, Ballot, BlobRef, DeviceClass, FailureClass, JobId, JobPhase, NodeId, Opening, ProbeTask, ProbeTerms,
	Sketch, Tier, Vote, WorkerAction, MAX_INPUTS,
};
use highway_runtime::{
	pallet_inference_jobs::Call as Job, pallet_proof_of_work_done::Call as Proof, CapacityProbes, InferenceJobs,
	ProofOfWorkDone, Runtime, StorageProofs, UncheckedExtrinsic,
};
use highway_runtime_tests::{computed_rows, signed, Chain};
use sp_keyring::Sr25519Keyring::{self, Alice};

/// Salt of the ballots that are drawn here.
const SALT: [u8; 32] = [17; 32];

impl Caller {
	pub(super) fn jobs(&mut self, call: &str) -> UncheckedExtrinsic {
		let call: Job<Runtime> = match call {
			"submit_job" => Job::submit_job {
				// The first two have a market, as long as nobody takes it away.
				model: if self.chance(70) { self.below(2) } else { self.model() },
				input: self.input(),
				tier: match self.chance(70) {
					true => Tier::Spot,
					false => Tier::Quorum(self.one_of(&[0, 1, 2, 2, 3, 7, 8, u8::MAX])),
				},
				max_price: match self.chance(85) {
					true => u128::MAX,
					false => self.price(),
				},
				gateway: self.chance(30).then(|| self.node()),
				curator: self.chance(30).then(|| self.who().to_account_id()),
			},
			"submit_batch" => Job::submit_batch {
				model: if self.chance(70) { self.below(2) } else { self.model() },
				input: self.input(),
				inputs: match self.chance(85) {
					true => 2 + self.below(6) as u16,
					// The most would outlast the sequence: three nodes, and then three auditors, have time for all of them.
					false => self.one_of(&[0, 1, 2, 40, MAX_INPUTS + 1, u16::MAX]),
				},
				max_price: match self.chance(85) {
					true => u128::MAX,
					false => self.price(),
				},
				gateway: self.chance(30).then(|| self.node()),
				curator: self.chance(30).then(|| self.who().to_account_id()),
			},
			"poke" => Job::poke { job: self.job() },
			_ => panic!("nobody makes {call}: teach the caller"),
		};
		signed(self.who(), call)
	}

	pub(super) fn proofs(&mut self, chain: &mut Chain, call: &str) -> UncheckedExtrinsic {
		let salt = SALT;
		let action = match call {
			"attest" => {
				let (node, job) = self.assignment(chain);
				match self.chance(70) {
					true => chain.attestation(node, &[job]),
					false => self.strange_attestation(chain, node, job),
				}
			}
			"report_failure" => {
				let (node, job) = self.assignment(chain);
				let class = self.one_of(&[
					FailureClass::InputMissing,
					FailureClass::ModelMissing,
					FailureClass::InputInvalid,
					FailureClass::RunFailed,
				]);
				chain.failure_report(node, job, class)
			}
			"open_commitment" => {
				let (node, job, task) = self.duty(|task| matches!(task, AuditTask::Open { .. }));
				let index = match task {
					// What was drawn, or another input.
					Some(AuditTask::Open { index }) if self.chance(70) => index,
					_ => self.below(8) as u16,
				};
				match self.chance(70) {
					true => chain.opening(node, job, index),
					false => WorkerAction::OpenCommitment {
						node,
						job,
						opening: self.strange_opening(),
						salt,
					},
				}
			}
			"commit_ballot" => {
				let (node, job, task) = self.duty(|task| matches!(task, AuditTask::Judge { .. }));
				let seed = match task {
					Some(AuditTask::Judge { seed, .. }) => seed,
					_ => self.word32(),
				};
				let ballot = self.ballot();
				self.ballots.insert((node, job), ballot);
				WorkerAction::CommitBallot {
					node,
					job,
					seed,
					commitment: ballot_commitment(&chain.work(job), node, &seed, &ballot, &salt),
				}
			}
			"reveal_ballot" => {
				let (node, job, _) = self.duty(|task| matches!(task, AuditTask::Reveal { .. }));
				let ballot = self.ballots.get(&(node, job)).copied();
				WorkerAction::RevealBallot {
					node,
					job,
					ballot: ballot.unwrap_or_else(|| self.ballot()),
					salt,
				}
			}
			"prove_chunk" => {
				let (node, job, _) = self.duty(|task| matches!(task, AuditTask::ProveChunk { .. }));
				let proof = self.strange_proof();
				WorkerAction::ProveChunk { node, job, proof }
			}
			"force_audit" => {
				let (who, job) = self.payer();
				return signed(who, Proof::force_audit { job });
			}
			"confirm_calibration" => {
				let (model, version) = (self.model(), self.one_of(&[0, 1, 1, 1, 2, u32::MAX]));
				return signed(self.operator(), Proof::confirm_calibration { model, version });
			}
			"note_finality" => {
				let now = chain.number();
				let number = self.one_of(&[0, now.saturating_sub(1), now, now + 1, u32::MAX]);
				return UncheckedExtrinsic::new_bare(Proof::<Runtime>::note_finality { number }.into());
			}
			_ => panic!("nobody makes {call}: teach the caller"),
		};
		self.word(chain, action)
	}

	pub(super) fn probes(&mut self, chain: &mut Chain, call: &str) -> UncheckedExtrinsic {
		let node = self.node();
		let tasks = nodes()
			.into_iter()
			.filter_map(|node| Some((node, CapacityProbes::task_of(node)?)))
			.collect::<Vec<_>>();
		let action = match call {
			"set_terms" => {
				let terms = self.chance(80).then(|| self.probe_terms());
				let call = Box::new(pallet_capacity_probes::Call::<Runtime>::set_terms { terms }.into());
				return signed(Alice, pallet_sudo::Call::<Runtime>::sudo { call });
			}
			"answer" => {
				let asked = tasks.into_iter().find_map(|(node, task)| match task {
					ProbeTask::Compute { round, seed, .. } => Some((node, round, seed)),
					ProbeTask::Prove { .. } => None,
				});
				let (node, round, seed) = asked.unwrap_or_else(|| (node, self.below(3), self.word32()));
				let rows = match self.chance(80) {
					true => computed_rows(&seed, node, 1 + self.below(8)),
					false => self.bytes(64),
				};
				let output = BlobRef::of(&rows);
				self.rows.insert(node, rows);
				WorkerAction::AnswerProbe {
					node,
					round,
					seed,
					output,
				}
			}
			"prove" => {
				let asked = tasks.into_iter().find_map(|(node, task)| match task {
					ProbeTask::Prove { round, chunk, .. } => Some((node, round, chunk)),
					ProbeTask::Compute { .. } => None,
				});
				let (node, round, chunk) = asked.unwrap_or_else(|| (node, self.below(3), 0));
				let rows = self.rows.get(&node);
				let proof = rows.and_then(|rows| chunk_proof::prove(rows, chunk));
				let proof = proof.unwrap_or_else(|| self.strange_proof());
				WorkerAction::ProveProbe { node, round, proof }
			}
			_ => panic!("nobody makes {call}: teach the caller"),
		};
		self.word(chain, action)
	}

	pub(super) fn storage(&mut self, chain: &mut Chain, call: &str) -> UncheckedExtrinsic {
		assert_eq!(call, "prove", "nobody makes {call}: teach the caller");
		let tasks = nodes()
			.into_iter()
			.flat_map(|node| StorageProofs::tasks_of(node).into_iter().map(move |task| (node, task)));
		let asked = tasks.collect::<Vec<_>>();
		let honest = match asked.is_empty() || self.chance(20) {
			true => None,
			false => {
				let (node, (model, challenge)) = self.one_of(&asked);
				chain.storage_proof(node, model, &challenge)
			}
		};
		let action = honest.unwrap_or_else(|| WorkerAction::ProveStorage {
			node: self.node(),
			model: self.model(),
			drawn_at: chain.number().saturating_sub(self.below(40)),
			proof: self.strange_proof(),
		});
		self.word(chain, action)
	}

	/// An input of a job: of a few bytes, as a rule.
	fn input(&mut self) -> BlobRef {
		let size = match self.chance(80) {
			true => 5,
			false => self.one_of(&[0, 1, 1 << 10, 1 << 20, (256 << 20) + 1, u64::MAX]),
		};
		BlobRef {
			hash: self.hash(),
			size,
		}
	}

	/// A job that is not over, and the node that has it; or any of the two.
	fn assignment(&mut self, chain: &Chain) -> (NodeId, JobId) {
		let open = open_jobs();
		match open.is_empty() || self.chance(10) {
			true => (self.node(), self.job()),
			false => {
				let job = self.one_of(&open);
				(chain.executor(job), job)
			}
		}
	}

	/// A job that waits for its pay, and who paid for it; or anybody and any job.
	fn payer(&mut self) -> (Sr25519Keyring, JobId) {
		let attested: Vec<_> = open_jobs()
			.into_iter()
			.filter_map(|job| Some((job, InferenceJobs::job(job)?)))
			.filter(|(_, record)| record.phase() == JobPhase::Attested)
			.filter_map(|(job, record)| Some((Sr25519Keyring::from_account_id(&record.payer)?, job)))
			.collect();
		match attested.is_empty() || self.chance(20) {
			true => (self.who(), self.job()),
			false => self.one_of(&attested),
		}
	}

	/// A node and a job of whose audit it is asked something of this kind; or any of the two.
	fn duty(&mut self, kind: fn(&AuditTask) -> bool) -> (NodeId, JobId, Option<AuditTask>) {
		let asked: Vec<_> = nodes()
			.into_iter()
			.flat_map(|node| {
				ProofOfWorkDone::tasks_of(node)
					.into_iter()
					.map(move |task| (node, task))
			})
			.filter(|(_, (_, task, _))| kind(task))
			.collect();
		match asked.is_empty() || self.chance(10) {
			true => (self.node(), self.job(), None),
			false => {
				let (node, (job, task, _)) = self.one_of(&asked);
				(node, job, Some(task))
			}
		}
	}

	/// Something that was not computed, and may not even be there.
	fn strange_attestation(&mut self, chain: &Chain, node: NodeId, job: JobId) -> WorkerAction {
		let output = BlobRef {
			hash: self.hash(),
			size: self.one_of(&[0, 1, 100, 5_000, 8 << 30, u64::MAX]),
		};
		let item = AttestItem {
			job,
			work: work_tag(&chain.work(job)),
			output,
			commitment: self.hash(),
		};
		let items = vec![item; self.below(3) as usize];
		WorkerAction::Attest {
			node,
			items: items.try_into().expect("a few"),
		}
	}

	fn sketch(&mut self) -> Sketch {
		match self.chance(50) {
			true => Sketch::default(),
			false => Sketch {
				sums: [self.one_of(&[i64::MIN, -1, 1_000_000, i64::MAX]); SKETCH_SUMS],
				nans: self.one_of(&[0, 1, u64::MAX]),
				infinities: self.one_of(&[0, 1, u64::MAX]),
			},
		}
	}

	/// Of sketches that nobody committed to, or of no tree at all.
	fn strange_opening(&mut self) -> Opening {
		let sketches: Vec<_> = (0..1 + self.below(8)).map(|_| self.sketch()).collect();
		let index = self.below(8) as u16;
		let (root, depth) = (self.hash(), self.below(9));
		let path: Vec<_> = (0..depth).map(|_| self.hash()).collect();
		let of_nothing = Opening {
			sketch: self.sketch(),
			root,
			path: path.try_into().expect("eight at most"),
		};
		Opening::of(&sketches, index).unwrap_or(of_nothing)
	}

	fn ballot(&mut self) -> Ballot {
		Ballot {
			vote: self.one_of(&[Vote::Yes, Vote::No, Vote::Missing, Vote::Abstain]),
			auditor_right: self.chance(50),
			sketch: self.sketch(),
		}
	}

	fn strange_proof(&mut self) -> ChunkProof {
		let (length, depth) = (self.one_of(&[0, 1, 64, 1_024]), self.below(4));
		let siblings: Vec<_> = (0..depth).map(|_| self.word32()).collect();
		ChunkProof {
			bytes: self.bytes(length).try_into().expect("a chunk at most"),
			siblings: siblings.try_into().expect("a few"),
		}
	}

	/// Most of them can hold, as long as sessions are short.
	fn probe_terms(&mut self) -> ProbeTerms {
		ProbeTerms {
			share: self.one_of(&[1, 1, 2, 0, u32::MAX]),
			spacing: self.one_of(&[24, 30, 60, 0, u32::MAX]),
			interval: self.one_of(&[1, 1, 3, 0]),
			rows_per_slot: self.one_of(&[1, 4, 0]),
			unmeasured_slots: self.one_of(&[0, 16, u16::MAX]),
			reward: self.price(),
			floors: vec![(DeviceClass::CpuArm, self.below(20))].try_into().expect("one"),
		}
	}
}
