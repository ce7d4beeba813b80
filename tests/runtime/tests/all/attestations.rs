//! Nobody but the assigned node attests a job: checked in the pool and in the block.

use highway_primitives::{model::VersionSpec, worker, BlobRef, FailureClass, JobPhase, WorkerAction};
use highway_runtime::{Block, Runtime, RuntimeCall, RuntimeEvent, UncheckedExtrinsic};
use highway_runtime_api::runtime_decl_for_worker_api::WorkerApi;
use highway_runtime_tests::{register_call, signed, spec, worker_transaction, Chain, MILLI};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::{
	transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
	DispatchError,
};
use std::collections::BTreeMap;

/// Refused by the pool and by a block alike: a block with it would be invalid.
fn refused(chain: &mut Chain, transaction: UncheckedExtrinsic, why: impl Into<TransactionValidityError>) {
	let why = why.into();
	assert_eq!(chain.validate(transaction.clone()).map(|_| ()), Err(why), "in the pool");
	assert_eq!(chain.apply_here(transaction), Err(why), "in a block");
	chain.close();
}

fn unsigned_call(action: WorkerAction, key: Sr25519Keyring) -> RuntimeCall {
	worker_transaction(key, action).function
}

#[test]
fn an_attestation_should_be_refused_when_a_strangers_key_signs_it() {
	Chain::local(|chain| {
		// Each refusal takes a block: the job needs more time than usual.
		let slow = VersionSpec {
			unit_time_ms: 60_000,
			..spec("slow")
		};
		let model = chain.register(Dave, register_call("slow", slow, None, None, MILLI));
		chain.serve(model, &[Alice, Bob, Charlie].map(|operator| (operator, 10 * MILLI)));
		chain.next_market_epoch();
		let job = chain.submit(Eve, model);
		let node = chain.executor(job);
		let action = chain.attestation(node, &[job]);
		let key = chain.worker(node);
		for stranger in [Alice, Bob, Charlie, Eve]
			.into_iter()
			.filter(|stranger| *stranger != key)
		{
			refused(
				chain,
				worker_transaction(stranger, action.clone()),
				InvalidTransaction::BadProof,
			);
		}
		let other = (node + 1) % 3;
		let foreign = worker_transaction(chain.worker(other), chain.attestation(other, &[job]));
		refused(chain, foreign, InvalidTransaction::Stale);
		let nobody = worker_transaction(Eve, chain.attestation(99, &[job]));
		refused(chain, nobody, InvalidTransaction::Custom(1));
		let empty = worker_transaction(chain.worker(node), chain.attestation(node, &[]));
		refused(chain, empty, InvalidTransaction::Custom(2));
		let report = chain.failure_report(node, job, FailureClass::RunFailed);
		refused(chain, worker_transaction(Eve, report), InvalidTransaction::BadProof);
		assert_eq!(chain.job(job).phase(), JobPhase::Assigned);
	});
}

#[test]
fn an_attestation_should_be_refused_when_an_account_signs_it() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let node = chain.executor(job);
		let operator = chain.operator(node);
		let call = unsigned_call(chain.attestation(node, &[job]), chain.worker(node));
		// Even with the worker's true signature inside, the origin of an account is the wrong one.
		chain.open();
		assert_eq!(
			chain.apply_here(signed(operator, call.clone())),
			Ok(Err(DispatchError::BadOrigin))
		);
		let batch = pallet_utility::Call::batch_all {
			calls: vec![call.clone()],
		};
		assert_eq!(chain.call(operator, batch), Err(DispatchError::BadOrigin));
		let bare = UncheckedExtrinsic::new_bare(call);
		// A block's author may put anything into it that is neither signed nor authorized: it comes without an origin.
		assert_eq!(chain.apply_here(bare.clone()), Ok(Err(DispatchError::BadOrigin)));
		let unknown = TransactionValidityError::Unknown(UnknownTransaction::NoUnsignedValidator);
		assert_eq!(chain.validate(bare).map(|_| ()), Err(unknown));
		assert_eq!(chain.job(job).phase(), JobPhase::Assigned);
	});
}

#[test]
fn a_signature_should_be_refused_when_it_is_for_another_job_output_or_chain() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		// Of four jobs three nodes cannot have less than two of one.
		let jobs = (0..4).map(|_| chain.submit(Eve, model)).collect::<Vec<_>>();
		let mut had = BTreeMap::new();
		let (first, second) = jobs
			.iter()
			.find_map(|job| Some((had.insert(chain.executor(*job), *job)?, *job)))
			.expect("four jobs, three nodes");
		let node = chain.executor(first);
		let key = chain.worker(node);
		chain.close();

		let sign = |action: &WorkerAction| key.sign(&<Runtime as WorkerApi<Block>>::worker_payload(action.clone()));
		let (one, two) = (chain.attestation(node, &[first]), chain.attestation(node, &[second]));
		let replayed = <Runtime as WorkerApi<Block>>::worker_transaction(two.clone(), sign(&one).into());
		refused(chain, replayed, InvalidTransaction::BadProof);

		let WorkerAction::Attest { node: of, mut items } = one.clone() else {
			unreachable!("an attestation")
		};
		items[0].output.size += 1;
		let altered = WorkerAction::Attest { node: of, items };
		let altered = <Runtime as WorkerApi<Block>>::worker_transaction(altered, sign(&one).into());
		refused(chain, altered, InvalidTransaction::BadProof);

		let elsewhere = key.sign(&worker::payload(H256::repeat_byte(1), &one));
		let elsewhere = <Runtime as WorkerApi<Block>>::worker_transaction(one.clone(), elsewhere.into());
		refused(chain, elsewhere, InvalidTransaction::BadProof);

		// The same signature at the right place is good, once.
		let right = <Runtime as WorkerApi<Block>>::worker_transaction(one.clone(), sign(&one).into());
		assert_eq!(chain.apply(right.clone()), Ok(Ok(())));
		refused(chain, right.clone(), InvalidTransaction::Stale);
		chain.finish(first);
		assert_eq!(chain.job(first).phase(), JobPhase::Settled);
		refused(chain, right, InvalidTransaction::Stale);
	});
}

/// After a reorganisation the same job id may stand for another input. What a node signed before must not count for it.
#[test]
fn words_about_a_job_should_not_count_when_another_fork_gave_its_id_to_another_input() {
	/// The chain up to a first job with this input.
	fn fork(input: &[u8], then: impl FnOnce(&mut Chain, u64)) {
		Chain::local(|chain| {
			let model = chain.served_model(MILLI, 10 * MILLI);
			let call = RuntimeCall::from(pallet_inference_jobs::Call::submit_job {
				model,
				input: BlobRef::of(input),
				tier: Default::default(),
				max_price: u128::MAX,
				gateway: None,
				curator: None,
			});
			chain.ok(Eve, call);
			then(chain, 0);
		});
	}
	let mut said = Vec::new();
	fork(b"here", |chain, job| {
		for node in 0..3 {
			let words = [
				chain.attestation(node, &[job]),
				chain.failure_report(node, job, FailureClass::InputInvalid),
			];
			said.extend(words.map(|action| (node, worker_transaction(chain.worker(node), action))));
		}
		let mine = said.iter().find(|(node, _)| *node == chain.executor(job));
		let (_, attestation) = mine.expect("one of three nodes has it").clone();
		assert_eq!(chain.apply(attestation), Ok(Ok(())), "it counts where it was signed");
	});
	fork(b"there", |chain, job| {
		chain.close();
		let executor = chain.executor(job);
		let mine = said
			.into_iter()
			.filter(|(node, _)| *node == executor)
			.map(|(_, words)| words);
		let mine = mine.collect::<Vec<_>>();
		assert_eq!(mine.len(), 2);
		for words in mine {
			refused(chain, words, InvalidTransaction::Stale);
		}
		assert_eq!(chain.job(job).phase(), JobPhase::Assigned);
		// The chain is the same in everything else: the same node's word about this input counts.
		let right = worker_transaction(chain.worker(executor), chain.attestation(executor, &[job]));
		assert_eq!(chain.apply(right), Ok(Ok(())));
	});
}

#[test]
fn a_batch_should_pay_its_good_items_when_others_are_not_the_nodes() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let jobs = (0..12).map(|_| chain.submit(Eve, model)).collect::<Vec<_>>();
		let node = chain.executor(jobs[0]);
		let own = jobs
			.iter()
			.copied()
			.filter(|job| chain.executor(*job) == node)
			.collect::<Vec<_>>();
		// All jobs, each twice, and one that never was.
		let claimed = jobs.iter().chain(&jobs).copied().chain([9_999]).collect::<Vec<_>>();
		let transaction = worker_transaction(chain.worker(node), chain.attestation(node, &claimed));
		let valid = chain.validate(transaction.clone()).expect("some of it is open");
		assert_eq!(valid.provides.len(), own.len());
		assert_eq!(chain.apply(transaction), Ok(Ok(())));
		let attested = chain
			.events()
			.into_iter()
			.filter_map(|event| match event {
				RuntimeEvent::ProofOfWorkDone(pallet_proof_of_work_done::Event::Attested { job, .. }) => Some(job),
				_ => None,
			})
			.collect::<Vec<_>>();
		assert_eq!(attested, own);
		for job in jobs {
			let expected = if own.contains(&job) {
				JobPhase::Attested
			} else {
				JobPhase::Assigned
			};
			assert_eq!(chain.job(job).phase(), expected);
		}
	});
}

#[test]
fn a_new_worker_key_should_sign_for_open_jobs_when_the_operator_changed_it() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		let node = chain.executor(job);
		let (operator, old) = (chain.operator(node), chain.worker(node));
		let description = pallet_node_staking::NodeDescription {
			worker: Dave.public().into(),
			peer_id: Default::default(),
			addresses: Default::default(),
			device: highway_primitives::DeviceClass::CpuX86,
			memory_mib: 1_024,
			region: Default::default(),
		};
		let proof = Some(chain.registration_proof(operator, Dave));
		chain.ok(operator, pallet_node_staking::Call::update_node { description, proof });
		chain.close();
		assert_eq!(<Runtime as WorkerApi<Block>>::work_for(old.public().into()), None);
		let action = chain.attestation(node, &[job]);
		refused(
			chain,
			worker_transaction(old, action.clone()),
			InvalidTransaction::BadProof,
		);
		assert_eq!(chain.apply(worker_transaction(Dave, action)), Ok(Ok(())));
	});
}
