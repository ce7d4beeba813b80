use crate::mock::*;
use codec::{Decode, Encode};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo, Pays};
use highway_primitives::{
	worker::{self, MaxAttestations},
	AttestItem, FailureClass, MaxBlobSize, WorkerAction,
};
use sp_core::{bounded::BoundedVec, Get, Pair, H256};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

#[test]
fn transaction_should_be_refused_when_a_stranger_signed_it() {
	execute(|| {
		assert_refused(&attest(&key(7), 0, items([1])), InvalidTransaction::BadProof);
		assert_refused(
			&report(&key(7), 0, 1, FailureClass::RunFailed),
			InvalidTransaction::BadProof,
		);
	});
}

#[test]
fn transaction_should_be_refused_when_another_node_s_key_signed_it() {
	execute(|| {
		// Node 1 signs as itself for node 0's job: not its job. As node 0: not its key.
		assert_refused(&attest(&key(1), 1, items([1])), InvalidTransaction::Stale);
		assert_refused(&attest(&key(1), 0, items([1])), InvalidTransaction::BadProof);
		assert_refused(
			&report(&key(1), 1, 1, FailureClass::RunFailed),
			InvalidTransaction::Stale,
		);
		assert_refused(
			&report(&key(1), 0, 1, FailureClass::RunFailed),
			InvalidTransaction::BadProof,
		);
	});
}

#[test]
fn transaction_should_be_refused_when_the_node_is_unknown() {
	execute(|| {
		assert_refused(&attest(&key(0), 9, items([1])), InvalidTransaction::Custom(1));
		assert_refused(
			&report(&key(0), 9, 1, FailureClass::RunFailed),
			InvalidTransaction::Custom(1),
		);
	});
}

#[test]
fn batch_should_be_refused_when_it_is_empty() {
	execute(|| assert_refused(&attest(&key(0), 0, items([])), InvalidTransaction::Custom(2)));
}

#[test]
fn batch_should_be_refused_when_nothing_in_it_is_open() {
	execute(|| {
		assert_refused(&attest(&key(0), 0, items([1_000, 5_000])), InvalidTransaction::Stale);
	});
}

#[test]
fn junk_should_cost_a_few_look_ups_when_it_is_not_signed_by_the_node() {
	execute(|| {
		let look_ups = |transaction: &UncheckedExtrinsic, reason: InvalidTransaction| {
			LookUps::set(0);
			assert_eq!(
				validate(transaction).unwrap_err(),
				TransactionValidityError::Invalid(reason)
			);
			LookUps::get()
		};
		// Nothing of it is open; the last item of the second one is.
		let stale = || (5_000..5_256).map(item).collect::<Vec<_>>();
		let mut open = stale();
		open[255] = item(1);
		for batch in [stale(), open] {
			let forged = attest(&key(7), 0, batch.try_into().unwrap());
			assert_eq!(look_ups(&forged, InvalidTransaction::BadProof), 8);
		}
		let own = attest(&key(0), 0, stale().try_into().unwrap());
		assert_eq!(look_ups(&own, InvalidTransaction::Stale), 256);
		let short = attest(&key(7), 0, items(5_000..5_008));
		assert_eq!(look_ups(&short, InvalidTransaction::Stale), 8);
	});
}

#[test]
fn batch_should_be_taken_when_its_last_item_alone_is_open() {
	execute(|| {
		let batch = attest(&key(0), 0, items((5_000..5_255).chain([1])));
		assert_eq!(validate(&batch).unwrap().provides.len(), 1);
	});
}

#[test]
fn batch_should_be_refused_when_no_output_has_a_possible_size() {
	execute(|| {
		for size in [0, <MaxBlobSize as Get<u64>>::get() + 1, u64::MAX] {
			let mut item = item(1);
			item.output.size = size;
			assert_refused(
				&attest(&key(0), 0, vec![item].try_into().unwrap()),
				InvalidTransaction::Stale,
			);
		}
	});
}

#[test]
fn transaction_should_be_stale_when_the_job_stands_for_other_work_here() {
	execute(|| {
		let mut elsewhere = item(1);
		elsewhere.work = work(2);
		assert_refused(
			&attest(&key(0), 0, vec![elsewhere].try_into().unwrap()),
			InvalidTransaction::Stale,
		);
		let (node, job, work, class) = (0, 1, work(2), FailureClass::RunFailed);
		let signature = sign(&key(0), &WorkerAction::ReportFailure { node, job, work, class });
		let call = crate::Call::report_failure {
			node,
			job,
			work,
			class,
			signature,
		};
		assert_refused(&general(call), InvalidTransaction::Stale);
	});
}

#[test]
fn transaction_should_be_refused_on_a_chain_with_another_genesis() {
	execute(|| {
		let action = WorkerAction::Attest {
			node: 0,
			items: items([1]),
		};
		let signature = key(0).sign(&worker::payload(H256::repeat_byte(9), &action));
		let call = crate::Call::attest {
			node: 0,
			items: items([1]),
			signature,
		};
		assert_refused(&general(call), InvalidTransaction::BadProof);
	});
}

#[test]
fn transaction_should_be_refused_when_anything_in_it_was_changed() {
	execute(|| {
		let signature = sign(
			&key(0),
			&WorkerAction::Attest {
				node: 0,
				items: items([1, 2]),
			},
		);
		let mut output = items([1, 2]);
		output[0].output.hash = H256::repeat_byte(9);
		let mut commitment = items([1, 2]);
		commitment[1].commitment = H256::repeat_byte(9);
		let mut tag = items([1, 2]);
		tag[1].work = work(9);
		for items in [items([2, 1]), items([1]), items([1, 2, 3]), output, commitment, tag] {
			let call = crate::Call::attest {
				node: 0,
				items,
				signature: signature.clone(),
			};
			assert_refused(&general(call), InvalidTransaction::BadProof);
		}
	});
}

#[test]
fn signature_for_one_kind_of_message_should_be_refused_for_another() {
	execute(|| {
		let signature = sign(
			&key(0),
			&WorkerAction::ReportFailure {
				node: 0,
				job: 1,
				work: work(1),
				class: FailureClass::RunFailed,
			},
		);
		let other = crate::Call::attest {
			node: 0,
			items: items([1]),
			signature: signature.clone(),
		};
		assert_refused(&general(other), InvalidTransaction::BadProof);
		let class = FailureClass::InputMissing;
		let other = crate::Call::report_failure {
			node: 0,
			job: 1,
			work: work(1),
			class,
			signature,
		};
		assert_refused(&general(other), InvalidTransaction::BadProof);
	});
}

#[test]
fn transaction_should_be_stale_when_it_is_replayed() {
	execute(|| {
		let done = attest(&key(0), 0, items([1, 2]));
		let reported = report(&key(0), 0, 3, FailureClass::RunFailed);
		apply(&done).unwrap().unwrap();
		apply(&reported).unwrap().unwrap();
		assert_refused(&done, InvalidTransaction::Stale);
		assert_refused(&reported, InvalidTransaction::Stale);
	});
}

#[test]
fn call_should_be_refused_for_accounts_and_root() {
	execute(|| {
		let action = WorkerAction::Attest {
			node: 0,
			items: items([1]),
		};
		let signature = sign(&key(0), &action);
		for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			let result = ProofOfWorkDone::attest(origin, 0, items([1]), signature.clone());
			assert_eq!(result.unwrap_err().error, sp_runtime::DispatchError::BadOrigin);
		}
	});
}

#[test]
fn transactions_about_one_job_should_exclude_each_other_in_a_pool() {
	execute(|| {
		let batch = validate(&attest(&key(0), 0, items([1, 2, 2, 1_000, 9_999]))).unwrap();
		// Doubles and jobs of others give no tag.
		assert_eq!(batch.provides.len(), 2);
		let same = validate(&attest(&key(0), 0, items([2]))).unwrap();
		let report = validate(&report(&key(0), 0, 2, FailureClass::RunFailed)).unwrap();
		assert!(batch.provides.contains(&same.provides[0]));
		assert_eq!(same.provides, report.provides);
		assert!(batch.priority > same.priority, "a larger batch replaces a smaller one");
		let other = validate(&attest(&key(0), 0, items([3]))).unwrap();
		assert!(!batch.provides.contains(&other.provides[0]));
		assert!(batch.propagate && batch.requires.is_empty());
		assert_eq!(batch.longevity, 32);
		System::set_block_number(System::block_number() + 1);
		let again = validate(&attest(&key(0), 0, items([2]))).unwrap();
		assert!(
			again.priority > batch.priority,
			"what is said again replaces what had no effect"
		);
	});
}

#[test]
fn transactions_should_be_operational_and_free() {
	execute(|| {
		for transaction in [
			attest(&key(0), 0, items([1])),
			report(&key(0), 0, 1, FailureClass::RunFailed),
		] {
			let info = transaction.get_dispatch_info();
			assert_eq!((info.class, info.pays_fee), (DispatchClass::Operational, Pays::No));
			assert!(info.extension_weight.ref_time() > 0, "the authorization weighs too");
		}
	});
}

#[test]
fn transaction_should_survive_its_encoding() {
	execute(|| {
		let transaction = attest(&key(0), 0, items([1, 2]));
		let decoded = UncheckedExtrinsic::decode(&mut &transaction.encode()[..]).unwrap();
		assert!(validate(&decoded).is_ok());
	});
}

#[test]
fn batch_of_more_than_256_items_should_not_decode() {
	let items: Vec<AttestItem> = (0..257).map(item).collect();
	assert!(BoundedVec::<AttestItem, MaxAttestations>::decode(&mut &items.encode()[..]).is_err());
}
