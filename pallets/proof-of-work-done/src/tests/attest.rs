use crate::{mock::*, Event, WeightInfo};
use frame_support::{dispatch::GetDispatchInfo, traits::Get};
use highway_primitives::AttestItem;
use sp_core::H256;

#[test]
fn attest_should_hand_on_output_and_commitment() {
	execute(|| {
		let transaction = attest(&key(0), 0, items([1]));
		validate(&transaction).unwrap();
		apply(&transaction).unwrap().unwrap();
		assert_eq!(Done::get(1), Some((0, item(1).output)));
		assert_eq!(Committed::get(1), Some(item(1).commitment));
		assert_eq!(
			events(),
			vec![Event::Attested {
				job: 1,
				node: 0,
				output: item(1).output
			}]
		);
	});
}

#[test]
fn attest_should_skip_bad_items_and_do_the_good_ones() {
	execute(|| {
		let mut impossible = item(4);
		impossible.output.size = 0;
		let mut batch: Vec<AttestItem> = [1_000, 1, 77_777, 2].into_iter().map(item).collect();
		batch.push(impossible);
		let mut elsewhere = item(5);
		elsewhere.work = work(6);
		batch.push(elsewhere);
		let transaction = attest(&key(0), 0, batch.try_into().unwrap());
		let info = transaction.get_dispatch_info();
		let post = apply(&transaction).unwrap().unwrap();
		assert_eq!(Done::iter_keys().count(), 2);
		assert_eq!(Committed::iter_keys().count(), 2);
		assert_eq!(events().len(), 2);
		for skipped in [4, 5] {
			assert_eq!(Assigned::get(skipped), Some(0), "what was skipped is still to do");
		}
		// Weighs what was done, four look-ups, and the authorization of all six.
		let costs: frame_support::weights::RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
		let expected = <() as WeightInfo>::attest(2) + costs.reads(4) + <() as WeightInfo>::authorize_attest(6);
		assert_eq!(post.actual_weight, Some(expected));
		assert!(expected.ref_time() < info.total_weight().ref_time());
	});
}

#[test]
fn attest_should_weigh_what_was_measured_of_one_job_when_there_is_one() {
	execute(|| {
		let transaction = attest(&key(0), 0, items([1]));
		let info = transaction.get_dispatch_info();
		let of_one = (
			<() as WeightInfo>::attest_one(),
			<() as WeightInfo>::authorize_attest_one(),
		);
		assert_eq!((info.call_weight, info.extension_weight), of_one);
		let post = apply(&transaction).unwrap().unwrap();
		assert_eq!(post.actual_weight, Some(info.total_weight()));
	});
}

#[test]
fn attest_should_count_a_job_once_when_it_stands_twice_in_the_batch() {
	execute(|| {
		let mut second = item(1);
		second.output.hash = H256::repeat_byte(9);
		second.commitment = H256::repeat_byte(9);
		let batch = vec![item(1), second, item(1)];
		apply(&attest(&key(0), 0, batch.try_into().unwrap())).unwrap().unwrap();
		assert_eq!(Done::get(1), Some((0, item(1).output)));
		assert_eq!(Committed::get(1), Some(item(1).commitment));
		assert_eq!(events().len(), 1);
	});
}

#[test]
fn attest_should_take_a_full_batch() {
	execute(|| {
		let transaction = attest(&key(0), 0, items(0..256));
		assert_eq!(validate(&transaction).unwrap().provides.len(), 256);
		let post = apply(&transaction).unwrap().unwrap();
		assert_eq!(Done::iter_keys().count(), 256);
		assert_eq!(post.actual_weight, Some(transaction.get_dispatch_info().total_weight()));
	});
}

#[test]
fn batches_that_overlap_should_both_land_and_pay_each_job_once() {
	execute(|| {
		let (first, second) = (attest(&key(0), 0, items([1, 2])), attest(&key(0), 0, items([2, 3])));
		apply(&first).unwrap().unwrap();
		apply(&second).unwrap().unwrap();
		assert_eq!(Done::iter_keys().count(), 3);
		assert_eq!(events().len(), 3);
	});
}
