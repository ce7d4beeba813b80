//! Benchmarks of the calls, of their authorization, and of the steps that the queue of jobs runs.

use super::*;
use crate::types::{MaxConfirmations, MaxHints};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{Authorize, Get},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_math::audit::JUDGE_TRIES;
use highway_primitives::{
	audit::{ballot_commitment, work_seed, AuditReason, AuditSubject, AuditWork, Seat, SketchSeed, Step},
	authorization::genesis_hash,
	batch::sketch_root,
	chunk_proof,
	market::MAX_DEBTS_AT_ONCE,
	traits::{Attestations, Jobs, Market, Nodes},
	work_tag,
	worker::{self, ChunkProof, MaxAttestations},
	AttestItem, Balance, Ballot, BlobRef, BlockNumber, DeviceClass, FailureClass, JobId, MaxBlobSize, ModelId,
	ModelVersion, NodeId, Opening, Sketch, Verdict, Vote, WorkId, WorkerAction, WorkerId, WorkerSignature, MAX_INPUTS,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::H256;
use sp_runtime::{Perbill, SaturatedConversion};

/// A runtime that fills the other pallets for benchmarks.
pub trait BenchmarkSetup: Config {
	/// A node with this worker key that has `jobs` jobs to do, of a model with 64 executors, of which `reporters` said
	/// before that they could not, and none has a free slot; a single one is the first of the largest quorum. There are as
	/// many validators as there may be.
	fn assigned(worker: WorkerId, jobs: u32, reporters: u32) -> (NodeId, Vec<(JobId, WorkId)>);
	/// As if the job, which is not attested yet, had as many inputs as there may be.
	fn of_most_inputs(job: JobId);
	/// So many further nodes of the executor's device class, each of an operator of its own, able to judge each of the jobs.
	fn judges(count: u32) -> Vec<NodeId>;
	/// As [`Self::judges`]; all others but the executor are chilled before, so that nobody else is tried.
	fn only_judges(count: u32) -> Vec<NodeId>;
	/// Goes to the block at which the job's present phase ends, and lets its queue end it. With no VRF in the ring the
	/// draw is lost, so that an attested job comes into audit.
	fn end_phase(job: JobId);
	/// A version, and somebody with a node who does not own its model.
	fn calibrator() -> (ModelId, ModelVersion, Self::AccountId);
	/// Lets the present block have a VRF, and be authored by the last of as many validators as there may be.
	fn authored();
}

/// A worker key in the benchmark's keystore.
fn worker_key() -> WorkerId {
	WorkerId::generate_pair(None)
}

fn sign<T: Config>(key: &WorkerId, action: &WorkerAction) -> Result<WorkerSignature, BenchmarkError> {
	key.sign(&worker::payload(genesis_hash::<T>(), action))
		.ok_or(BenchmarkError::Stop("the keystore has the key"))
}

fn output() -> BlobRef {
	BlobRef {
		hash: H256::repeat_byte(2),
		size: 4_096,
	}
}

const SALT: [u8; 32] = [5; 32];

/// More than are worked off while one audit is judged.
const DEBTS: u32 = 32;

/// The most nodes that are tried as an auditor.
const TRIES: u32 = JUDGE_TRIES as u32;

fn batch(jobs: &[(JobId, WorkId)]) -> BoundedVec<AttestItem, MaxAttestations> {
	let item = |(job, work): &(JobId, WorkId)| AttestItem {
		job: *job,
		work: work_tag(work),
		output: output(),
		commitment: H256::repeat_byte(3),
	};
	BoundedVec::truncate_from(jobs.iter().map(item).collect())
}

/// What a node says that did all of its so many jobs, of each of which two others had said that they could not.
fn attestation<T: BenchmarkSetup>(
	jobs: u32,
) -> Result<(NodeId, BoundedVec<AttestItem, MaxAttestations>, WorkerSignature), BenchmarkError> {
	let key = worker_key();
	let (node, jobs) = T::assigned(key.clone(), jobs, 2);
	let items = batch(&jobs);
	let action = WorkerAction::Attest {
		node,
		items: items.clone(),
	};
	Ok((node, items, sign::<T>(&key, &action)?))
}

/// The sketches of so many runs.
fn sketches(inputs: u16) -> Vec<Sketch> {
	vec![Sketch::default(); inputs.into()]
}

/// An attested job of so many inputs.
fn attested<T: Config>(
	job: JobId,
	work: WorkId,
	node: NodeId,
	output: BlobRef,
	inputs: u16,
) -> Result<AuditSubject<T::AccountId>, BenchmarkError> {
	let root = sketch_root(&sketches(inputs));
	let commitment = worker::commitment(&work, node, &output, &root, &SALT);
	T::Jobs::attested(job, work_tag(&work), node, output, commitment)?;
	T::Jobs::audit_subject(job).ok_or(BenchmarkError::Stop("the job is attested"))
}

/// Whether the item has counted.
fn is_attested<T: Config>(item: &AttestItem) -> bool {
	T::Jobs::audit_subject(item.job).is_some_and(|subject| subject.commitment == item.commitment)
}

/// So many attested jobs of one node.
fn all_attested<T: BenchmarkSetup>(
	key: &WorkerId,
	jobs: u32,
) -> Result<(NodeId, Vec<AuditSubject<T::AccountId>>), BenchmarkError> {
	let (node, jobs) = T::assigned(key.clone(), jobs, 0);
	let subjects: Result<Vec<_>, _> = jobs
		.into_iter()
		.map(|(job, work)| attested::<T>(job, work, node, output(), 1))
		.collect();
	Ok((node, subjects?))
}

/// A node with this worker key, and its one job.
fn assigned<T: BenchmarkSetup>(key: &WorkerId) -> Result<(NodeId, JobId, WorkId), BenchmarkError> {
	let (node, jobs) = T::assigned(key.clone(), 1, 0);
	let (job, work) = jobs
		.first()
		.copied()
		.ok_or(BenchmarkError::Stop("the node has a job"))?;
	Ok((node, job, work))
}

/// The job comes into audit, and its executor, so that one key does, sits as its own auditor.
fn audit<T: BenchmarkSetup>(subject: &AuditSubject<T::AccountId>, phase: AuditPhase) -> Result<(), BenchmarkError> {
	T::judges(5);
	T::end_phase(subject.job);
	Audits::<T>::try_mutate(subject.job, |record| {
		let record = record.as_mut().ok_or(BenchmarkError::Stop("the job is in audit"))?;
		record.phase = phase;
		record.until = Pallet::<T>::now().saturating_add(2);
		for seat in record.seats.iter_mut() {
			seat.node = subject.executor;
		}
		Ok(())
	})
}

/// A job in this phase of its audit, of an executor with this worker key.
fn in_audit<T: BenchmarkSetup>(
	key: &WorkerId,
	phase: AuditPhase,
) -> Result<(NodeId, AuditSubject<T::AccountId>), BenchmarkError> {
	let (node, job, work) = assigned::<T>(key)?;
	let subject = attested::<T>(job, work, node, output(), 1)?;
	audit::<T>(&subject, phase)?;
	Ok((node, subject))
}

fn ballot() -> Ballot {
	Ballot {
		vote: Vote::Yes,
		auditor_right: true,
		sketch: Sketch::default(),
	}
}

/// Of a job of as many inputs as there may be: the longest way to the root.
fn opening<T: BenchmarkSetup>() -> Result<(NodeId, JobId, Opening, WorkerSignature), BenchmarkError> {
	let key = worker_key();
	let (node, job, work) = assigned::<T>(&key)?;
	T::of_most_inputs(job);
	let subject = attested::<T>(job, work, node, output(), MAX_INPUTS)?;
	audit::<T>(&subject, AuditPhase::Opening { fixed: 0 })?;
	let record = Audits::<T>::get(job).ok_or(BenchmarkError::Stop("the job is in audit"))?;
	let opening = Opening::of(&sketches(MAX_INPUTS), record.input(MAX_INPUTS))
		.ok_or(BenchmarkError::Stop("the job has the input"))?;
	let action = WorkerAction::OpenCommitment {
		node,
		job,
		opening: opening.clone(),
		salt: SALT,
	};
	Ok((node, job, opening, sign::<T>(&key, &action)?))
}

fn commit<T: BenchmarkSetup>() -> Result<(NodeId, JobId, SketchSeed, H256, WorkerSignature), BenchmarkError> {
	let key = worker_key();
	let (node, subject) = in_audit::<T>(&key, AuditPhase::Judging)?;
	let (job, seed, commitment) = (subject.job, work_seed(&subject.work), H256::repeat_byte(6));
	let action = WorkerAction::CommitBallot {
		node,
		job,
		seed,
		commitment,
	};
	Ok((node, job, seed, commitment, sign::<T>(&key, &action)?))
}

fn reveal<T: BenchmarkSetup>() -> Result<(NodeId, JobId, WorkerSignature), BenchmarkError> {
	let key = worker_key();
	let (node, subject) = in_audit::<T>(&key, AuditPhase::Revealing { fixed: 0 })?;
	let (job, ballot, salt) = (subject.job, ballot(), SALT);
	let commitment = ballot_commitment(&subject.work, node, &work_seed(&subject.work), &ballot, &salt);
	Audits::<T>::mutate(job, |record| {
		let seats = record.iter_mut().flat_map(|record| record.seats.iter_mut());
		seats.for_each(|seat| seat.commitment = Some(commitment));
	});
	let action = WorkerAction::RevealBallot {
		node,
		job,
		ballot,
		salt,
	};
	Ok((node, job, sign::<T>(&key, &action)?))
}

/// Of the largest output that there may be.
fn proof<T: BenchmarkSetup>() -> Result<(NodeId, JobId, ChunkProof, WorkerSignature), BenchmarkError> {
	let key = worker_key();
	let (node, job, work) = assigned::<T>(&key)?;
	let chunk = Pallet::<T>::drawn_chunk(job, 0, chunk_proof::chunks(MaxBlobSize::get()));
	let (output, proof) = chunk_proof::largest(chunk).ok_or(BenchmarkError::Stop("it has the chunk"))?;
	let subject = attested::<T>(job, work, node, output, 1)?;
	let phase = AuditPhase::Challenged {
		since: 0,
		proved: false,
		fixed: 0,
	};
	audit::<T>(&subject, phase)?;
	let action = WorkerAction::ProveChunk {
		node,
		job,
		proof: proof.clone(),
	};
	Ok((node, job, proof, sign::<T>(&key, &action)?))
}

fn authorize<T: Config>(call: &Call<T>) -> Result<(), BenchmarkError> {
	call.authorize(TransactionSource::External)
		.ok_or(BenchmarkError::Stop("the call has an authorization"))?
		.map_err(|_| BenchmarkError::Stop("the call is authorized"))?;
	Ok(())
}

/// Lets a draw behind `fixed` look at all its blocks: they are all by a party to the job.
fn fill_ring<T: Config>(subject: &AuditSubject<T::AccountId>, fixed: BlockNumber) -> Result<(), BenchmarkError> {
	let author = T::Nodes::operator(subject.executor).ok_or(BenchmarkError::Stop("the executor has an operator"))?;
	for block in fixed.saturating_add(1)..=fixed.saturating_add(WALK) {
		let seal = Some((author.clone(), [9; 32]));
		Vrfs::<T>::insert(Pallet::<T>::slot(block), SealedBlock { block, seal });
	}
	let now = fixed.saturating_add(WALK).saturating_add(1);
	frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::saturated_from(now));
	Ok(())
}

/// Lets a draw behind `fixed` end with so many blocks: the third author that is no party has made the last of them.
fn end_draw<T: Config>(
	subject: &AuditSubject<T::AccountId>,
	fixed: BlockNumber,
	blocks: u32,
) -> Result<(), BenchmarkError> {
	fill_ring::<T>(subject, fixed)?;
	let last = fixed.saturating_add(blocks);
	for block in last.saturating_sub(2)..=last {
		let seal = Some((account("author", block, 0), [9; 32]));
		Vrfs::<T>::insert(Pallet::<T>::slot(block), SealedBlock { block, seal });
	}
	Ok(())
}

/// As many authors as count have said that the parent block is final.
fn hinted<T: Config>() {
	let now = Pallet::<T>::now();
	let most: u32 = MaxHints::get();
	let hints = vec![now.saturating_sub(1); most.saturated_into()];
	FinalityHints::<T>::put(Finality {
		noted_at: now,
		hints: BoundedVec::truncate_from(hints),
	});
}

/// So many judges of other jobs came to wait for their pay, and the audit pot has something again: the pay of one judge, less
/// what the first of those were paid at once, as many as are worked off at a time.
fn indebted<T: Config>(subject: &AuditSubject<T::AccountId>, judges: u32) -> Result<(), BenchmarkError> {
	let bond = subject.reward;
	T::Market::escrow_bond(subject.job, &subject.payer, bond)?;
	for judge in 0..judges {
		T::Market::pay_judge(subject.job, &account("judge of another job", judge, 0), 1);
	}
	// A bond that is lost fills the pot.
	T::Market::end_bond(subject.job, &subject.payer, bond, false);
	Ok(())
}

/// Executor and auditor are both wrong.
fn guilty() -> Ballot {
	Ballot {
		vote: Vote::No,
		auditor_right: false,
		sketch: Sketch::default(),
	}
}

fn seat(node: NodeId, seat: Seat, ballot: Option<Ballot>) -> SeatRecord {
	SeatRecord {
		node,
		seat,
		seed: [8; 32],
		same_device: true,
		commitment: Some(H256::repeat_byte(6)),
		ballot,
	}
}

fn record<T: Config>(subject: &AuditSubject<T::AccountId>, phase: AuditPhase, seats: Vec<SeatRecord>) -> AuditRecord {
	AuditRecord {
		reason: AuditReason::Drawn,
		executor: subject.executor,
		device: T::Nodes::device(subject.executor),
		draw: [1; 32],
		phase,
		until: Pallet::<T>::now(),
		opening: Some(Sketch::default()),
		seats: BoundedVec::truncate_from(seats),
		slashes: Default::default(),
	}
}

/// The seat of an auditor or a juror of which nothing is asked any more.
fn former_seat(role: Seat) -> SeatRecord {
	seat(NodeId::MAX, role, Some(ballot()))
}

#[benchmarks(where T: BenchmarkSetup)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn attest(n: Linear<1, 256>) -> Result<(), BenchmarkError> {
		let (node, items, signature) = attestation::<T>(n)?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, items.clone(), signature);
		assert!(items.iter().all(is_attested::<T>));
		Ok(())
	}

	/// By itself: the line above all sizes lies above one job by more than that takes.
	#[benchmark]
	fn attest_one() -> Result<(), BenchmarkError> {
		let (node, items, signature) = attestation::<T>(1)?;
		#[extrinsic_call]
		attest(RawOrigin::Authorized, node, items.clone(), signature);
		assert!(items.iter().all(is_attested::<T>));
		Ok(())
	}

	#[benchmark]
	fn authorize_attest(n: Linear<1, 256>) -> Result<(), BenchmarkError> {
		let (node, items, signature) = attestation::<T>(n)?;
		let call = Call::<T>::attest { node, items, signature };
		#[block]
		{
			authorize::<T>(&call)?;
		}
		Ok(())
	}

	/// The same of its check.
	#[benchmark]
	fn authorize_attest_one() -> Result<(), BenchmarkError> {
		let (node, items, signature) = attestation::<T>(1)?;
		let call = Call::<T>::attest { node, items, signature };
		#[block]
		{
			authorize::<T>(&call)?;
		}
		Ok(())
	}

	/// All other executors are looked at, and none has a free slot: the payer is refunded.
	#[benchmark]
	fn report_failure() -> Result<(), BenchmarkError> {
		let key = worker_key();
		let (node, job, work) = assigned::<T>(&key)?;
		let work = work_tag(&work);
		let class = FailureClass::RunFailed;
		let signature = sign::<T>(&key, &WorkerAction::ReportFailure { node, job, work, class })?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, job, work, class, signature);
		assert!(!T::Jobs::is_assigned(job, work, node));
		Ok(())
	}

	#[benchmark]
	fn authorize_report_failure() -> Result<(), BenchmarkError> {
		let key = worker_key();
		let (node, job, work) = assigned::<T>(&key)?;
		let work = work_tag(&work);
		let class = FailureClass::RunFailed;
		let signature = sign::<T>(&key, &WorkerAction::ReportFailure { node, job, work, class })?;
		let call = Call::<T>::report_failure {
			node,
			job,
			work,
			class,
			signature,
		};
		#[block]
		{
			authorize::<T>(&call)?;
		}
		Ok(())
	}

	#[benchmark]
	fn open_commitment() -> Result<(), BenchmarkError> {
		let (node, job, opening, signature) = opening::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, job, opening, SALT, signature);
		assert!(Audits::<T>::get(job).is_some_and(|record| record.opening.is_some()));
		Ok(())
	}

	#[benchmark]
	fn authorize_open_commitment() -> Result<(), BenchmarkError> {
		let (node, job, opening, signature) = opening::<T>()?;
		let call = Call::<T>::open_commitment {
			node,
			job,
			opening,
			salt: SALT,
			signature,
		};
		#[block]
		{
			authorize::<T>(&call)?;
		}
		Ok(())
	}

	#[benchmark]
	fn commit_ballot() -> Result<(), BenchmarkError> {
		let (node, job, seed, commitment, signature) = commit::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, job, seed, commitment, signature);
		assert!(Audits::<T>::get(job).is_some_and(|record| record.is_complete()));
		Ok(())
	}

	#[benchmark]
	fn authorize_commit_ballot() -> Result<(), BenchmarkError> {
		let (node, job, seed, commitment, signature) = commit::<T>()?;
		let call = Call::<T>::commit_ballot {
			node,
			job,
			seed,
			commitment,
			signature,
		};
		#[block]
		{
			authorize::<T>(&call)?;
		}
		Ok(())
	}

	#[benchmark]
	fn reveal_ballot() -> Result<(), BenchmarkError> {
		let (node, job, signature) = reveal::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, job, ballot(), SALT, signature);
		assert!(Audits::<T>::get(job).is_some_and(|record| record.is_complete()));
		Ok(())
	}

	#[benchmark]
	fn authorize_reveal_ballot() -> Result<(), BenchmarkError> {
		let (node, job, signature) = reveal::<T>()?;
		let (ballot, salt) = (ballot(), SALT);
		let call = Call::<T>::reveal_ballot {
			node,
			job,
			ballot,
			salt,
			signature,
		};
		#[block]
		{
			authorize::<T>(&call)?;
		}
		Ok(())
	}

	#[benchmark]
	fn prove_chunk() -> Result<(), BenchmarkError> {
		let (node, job, proof, signature) = proof::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, job, proof, signature);
		assert!(Audits::<T>::get(job).is_some_and(|record| record.is_complete()));
		Ok(())
	}

	#[benchmark]
	fn authorize_prove_chunk() -> Result<(), BenchmarkError> {
		let (node, job, proof, signature) = proof::<T>()?;
		let call = Call::<T>::prove_chunk {
			node,
			job,
			proof,
			signature,
		};
		#[block]
		{
			authorize::<T>(&call)?;
		}
		Ok(())
	}

	#[benchmark]
	fn force_audit() -> Result<(), BenchmarkError> {
		let (_, subjects) = all_attested::<T>(&worker_key(), 1)?;
		let subject = subjects.first().ok_or(BenchmarkError::Stop("there is a job"))?;
		#[extrinsic_call]
		_(RawOrigin::Signed(subject.payer.clone()), subject.job);
		assert!(Forced::<T>::contains_key(subject.job));
		Ok(())
	}

	/// All others that are noted have confirmed it before.
	#[benchmark]
	fn confirm_calibration() {
		let (model, version, operator) = T::calibrator();
		let most: u32 = MaxConfirmations::get();
		Calibrations::<T>::mutate(model, version, |calibration| {
			let others = (1..most).map(|index| account("confirmed", index, 0));
			calibration.reproduced_by = BoundedVec::truncate_from(others.collect());
		});
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), model, version);
		assert!(Calibrations::<T>::get(model, version).reproduced_by.is_full());
	}

	#[benchmark]
	fn note_finality() {
		frame_system::Pallet::<T>::set_block_number(100u32.into());
		let most: u32 = MaxHints::get();
		let hints = vec![90; most.saturated_into()];
		FinalityHints::<T>::put(Finality {
			noted_at: 99,
			hints: BoundedVec::truncate_from(hints),
		});
		#[extrinsic_call]
		_(RawOrigin::None, 98);
		assert_eq!(FinalityHints::<T>::get().noted_at, 100);
	}

	#[benchmark]
	fn seal_block() {
		T::authored();
		#[block]
		{
			Pallet::<T>::seal_block(7);
		}
		assert!(Pallet::<T>::sealed(7).is_some_and(|sealed| sealed.seal.is_some()));
	}

	/// The draw ends with this block behind the fixed one, which the third author has made that is no party.
	#[benchmark]
	fn window_over(b: Linear<3, WALK>) -> Result<(), BenchmarkError> {
		let (_, mut subjects) = all_attested::<T>(&worker_key(), 1)?;
		let mut subject = subjects.pop().ok_or(BenchmarkError::Stop("there is a job"))?;
		subject.rate = Perbill::zero();
		end_draw::<T>(&subject, subject.deadline, b)?;
		let over;
		#[block]
		{
			over = Pallet::<T>::window_over(&subject);
		}
		assert_eq!((over.step, over.looked_at), (Step::End(Verdict::Upheld), b));
		Ok(())
	}

	/// The draw ends with this block behind the fixed one, and so many nodes are tried as auditors, in vain: nobody has so much
	/// of its bond free, and there are no others. With the bond of a payer that asked for the audit it is more than to find one.
	#[benchmark]
	fn audit_opened(b: Linear<3, WALK>, t: Linear<0, TRIES>) -> Result<(), BenchmarkError> {
		let (_, mut subjects) = all_attested::<T>(&worker_key(), 1)?;
		let mut subject = subjects.pop().ok_or(BenchmarkError::Stop("there is a job"))?;
		Pallet::<T>::do_force_audit(subject.payer.clone(), subject.job)?;
		T::only_judges(t);
		subject.rate = Perbill::one();
		subject.security = Balance::MAX / 2;
		end_draw::<T>(&subject, subject.deadline, b)?;
		let over;
		#[block]
		{
			over = Pallet::<T>::window_over(&subject);
		}
		assert_eq!(over.step, Step::End(Verdict::Unaudited));
		assert_eq!((over.looked_at, over.tried), (b, t));
		assert!(!Forced::<T>::contains_key(subject.job));
		Ok(())
	}

	/// Executor and auditor do not agree, so that the audit goes on: of all steps that only lead to the next phase the one that
	/// reads most, with a record of as many seats as there may be.
	#[benchmark]
	fn audit_passed_on() -> Result<(), BenchmarkError> {
		let (_, mut subjects) = all_attested::<T>(&worker_key(), 1)?;
		let subject = subjects.pop().ok_or(BenchmarkError::Stop("there is a job"))?;
		let others = (1..MAX_AUDITORS).map(|_| former_seat(Seat::Auditor));
		let auditor = seat(NodeId::MAX, Seat::Auditor, Some(guilty()));
		let jury = (0..JURORS).map(|_| former_seat(Seat::Juror));
		let seats = others.chain([auditor]).chain(jury).collect();
		Audits::<T>::insert(
			subject.job,
			record::<T>(&subject, AuditPhase::Opening { fixed: 0 }, seats),
		);
		hinted::<T>();
		let due;
		#[block]
		{
			due = Pallet::<T>::audit_due(&subject);
		}
		assert_eq!(due.work, AuditWork::PassedOn);
		assert!(matches!(due.step, Step::Audit(_)));
		assert_eq!(
			Audits::<T>::get(subject.job).map(|record| record.phase),
			Some(AuditPhase::JuryDraw { fixed: 0 })
		);
		Ok(())
	}

	/// Executor and auditor agree, and so many debts of the audit pot are paid: before the auditor is, and out of the bond of the
	/// payer, who has asked for the audit. The last one of them is what the pot lacked of the auditor's own pay.
	#[benchmark]
	fn audit_agreed(d: Linear<0, { 2 * MAX_DEBTS_AT_ONCE }>) -> Result<(), BenchmarkError> {
		let (_, mut subjects) = all_attested::<T>(&worker_key(), 1)?;
		let subject = subjects.pop().ok_or(BenchmarkError::Stop("there is a job"))?;
		let auditor = T::judges(1).pop().ok_or(BenchmarkError::Stop("there is a judge"))?;
		Pallet::<T>::do_force_audit(subject.payer.clone(), subject.job)?;
		let waiting = match d {
			// The pot has the auditor's pay.
			0 => 0,
			// The first are paid when the pot is filled, and the last debt is the auditor's.
			debts => debts.saturating_add(MAX_DEBTS_AT_ONCE).saturating_sub(1),
		};
		indebted::<T>(&subject, waiting)?;
		T::Nodes::secure(auditor, subject.security)?;
		let others = (1..MAX_AUDITORS).map(|_| former_seat(Seat::Auditor));
		let seats = others.chain([seat(auditor, Seat::Auditor, Some(ballot()))]).collect();
		Audits::<T>::insert(
			subject.job,
			record::<T>(&subject, AuditPhase::Opening { fixed: 0 }, seats),
		);
		hinted::<T>();
		let due;
		#[block]
		{
			due = Pallet::<T>::audit_due(&subject);
		}
		let agreed = AuditWork::Agreed { debts: d };
		assert_eq!(due, Step::End(Verdict::Upheld).after(agreed));
		assert!(!Forced::<T>::contains_key(subject.job));
		Ok(())
	}

	/// The second auditor is silent and loses its security, and so many nodes are tried as the third, in vain: all that they have
	/// is reserved, and there are no others. With the bond of a payer that asked for the audit it is more than to find one.
	#[benchmark]
	fn auditor_replaced(t: Linear<1, TRIES>) -> Result<(), BenchmarkError> {
		let (_, mut subjects) = all_attested::<T>(&worker_key(), 1)?;
		let mut subject = subjects.pop().ok_or(BenchmarkError::Stop("there is a job"))?;
		Pallet::<T>::do_force_audit(subject.payer.clone(), subject.job)?;
		let nodes = T::only_judges(t.saturating_add(3));
		let [of_payer, first, silent, tried @ ..] = nodes.as_slice() else {
			return Err(BenchmarkError::Stop("there are four judges"));
		};
		// A payer with a node: it is one of the five operators without which nobody is slashed, and is not tried.
		subject.payer = T::Nodes::operator(*of_payer).ok_or(BenchmarkError::Stop("the node has an operator"))?;
		T::Nodes::secure(*silent, subject.security)?;
		for node in tried {
			T::Nodes::secure(*node, T::Nodes::free_bond(*node))?;
		}
		let seats = vec![seat(*first, Seat::Auditor, None), seat(*silent, Seat::Auditor, None)];
		Audits::<T>::insert(
			subject.job,
			record::<T>(&subject, AuditPhase::Revealing { fixed: 0 }, seats),
		);
		hinted::<T>();
		let due;
		#[block]
		{
			due = Pallet::<T>::audit_due(&subject);
		}
		let replaced = AuditWork::Replaced { tried: t };
		assert_eq!(due, Step::End(Verdict::Unaudited).after(replaced));
		assert_eq!(
			Audits::<T>::get(subject.job).map(|record| record.slashes.len()),
			Some(1)
		);
		assert!(!Forced::<T>::contains_key(subject.job));
		Ok(())
	}

	/// The two heaviest steps, one after the other: a jury is seated, the first juror of which is sought in vain among nodes of
	/// the executor's class; and a jury convicts executor and auditor while one of it was silent. What is slashed is too little
	/// to pay it, so that the audit pot does, with older debts before each; and the payer has asked for the audit.
	///
	/// The jurors are found at first sight. Who takes this for the weight of seating them adds the searches of three.
	#[benchmark]
	fn audit_due() -> Result<(), BenchmarkError> {
		let (_, mut subjects) = all_attested::<T>(&worker_key(), 2)?;
		let nodes = T::judges(9);
		let (Some(drawn), Some(mut judged)) = (subjects.pop(), subjects.pop()) else {
			return Err(BenchmarkError::Stop("there are two jobs"));
		};
		let [auditor, first, second, third, ..] = *nodes else {
			return Err(BenchmarkError::Stop("there are nine judges"));
		};
		Pallet::<T>::do_force_audit(judged.payer.clone(), judged.job)?;
		indebted::<T>(&judged, DEBTS)?;
		judged.security = 1;
		fill_ring::<T>(&drawn, drawn.deadline)?;
		let phase = AuditPhase::JuryDraw { fixed: drawn.deadline };
		let seats = vec![seat(auditor, Seat::Auditor, Some(ballot()))];
		let mut seating = record::<T>(&drawn, phase, seats.clone());
		// Nobody of the executor's class is found: one search more.
		seating.device = match seating.device {
			Some(DeviceClass::CpuArm) => Some(DeviceClass::CpuX86),
			_ => Some(DeviceClass::CpuArm),
		};
		Audits::<T>::insert(drawn.job, seating);

		for node in [auditor, first, second, third] {
			T::Nodes::secure(node, judged.security)?;
		}
		let jury = [(first, Some(guilty())), (second, Some(guilty())), (third, None)];
		let jury = jury.map(|(node, ballot)| seat(node, Seat::Juror, ballot));
		let seats = seats.into_iter().chain(jury).collect();
		Audits::<T>::insert(judged.job, record::<T>(&judged, AuditPhase::JuryRevealing, seats));
		let confirmed = [first, second].into_iter().filter_map(T::Nodes::operator).collect();
		Calibrations::<T>::mutate(judged.model, judged.version, |calibration| {
			calibration.reproduced_by = BoundedVec::truncate_from(confirmed);
		});
		let due;
		#[block]
		{
			due = [Pallet::<T>::audit_due(&drawn), Pallet::<T>::audit_due(&judged)];
		}
		let [seated, convicted] = due;
		assert_eq!((seated.work, convicted.work), (AuditWork::Seated, AuditWork::Judged));
		assert!(matches!(seated.step, Step::Audit(_)));
		assert_eq!(convicted.step, Step::End(Verdict::Rejected));
		assert_eq!(Audits::<T>::get(judged.job).map(|record| record.slashes.len()), Some(3));
		Ok(())
	}
}
