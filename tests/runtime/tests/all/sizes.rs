//! What an honest job costs in bytes on chain.

use codec::Encode;
use highway_primitives::{Balance, BlobRef, Tier, MAX_INPUTS};
use highway_runtime::Runtime;
use highway_runtime_tests::{bundle_of, signed, worker_transaction, Chain, MILLI};
use sp_keyring::Sr25519Keyring::Eve;

/// The submission as a wallet sends it: a price limit near the price, no gateway, no curator.
fn submission(model: u32, max_price: Balance) -> pallet_inference_jobs::Call<Runtime> {
	let input = BlobRef {
		size: 100_000,
		..BlobRef::of(b"input")
	};
	pallet_inference_jobs::Call::submit_job {
		model,
		input,
		tier: Tier::Spot,
		max_price,
		gateway: None,
		curator: None,
	}
}

#[test]
fn a_job_should_fit_into_a_few_hundred_bytes_when_attested_alone_or_with_five_others() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let mut jobs = Vec::new();
		let mut submitted = 0;
		while jobs.len() < 6 {
			chain.open();
			let transaction = signed(Eve, submission(model, 20 * MILLI));
			submitted = submitted.max(transaction.encoded_size());
			let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
			assert_eq!(chain.apply(transaction), Ok(Ok(())));
			if chain.executor(job) == 0 {
				jobs.push(job);
			}
		}
		let key = chain.worker(0);
		let alone = worker_transaction(key, chain.attestation(0, &jobs[..1])).encoded_size();
		let shared = worker_transaction(key, chain.attestation(0, &jobs)).encoded_size();
		let per_job = submitted + shared.div_ceil(6);
		println!("submit_job: {submitted} bytes");
		println!(
			"attest, one job: {alone} bytes; job in all: {} bytes",
			submitted + alone
		);
		println!("attest, six jobs: {shared} bytes; per job in all: {per_job} bytes");
		assert!(submitted + alone <= 320, "{}", submitted + alone);
		assert!(per_job <= 250, "{per_job}");
	});
}

#[test]
fn a_job_of_many_inputs_should_take_the_bytes_of_a_job_whatever_their_number() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let batch = |inputs| pallet_inference_jobs::Call::<Runtime>::submit_batch {
			model,
			input: bundle_of(inputs),
			inputs,
			max_price: 4_000 * MILLI,
			gateway: None,
			curator: None,
		};
		chain.open();
		let single = signed(Eve, submission(model, 20 * MILLI)).encoded_size();
		let [few, many] = [2, MAX_INPUTS].map(|inputs| signed(Eve, batch(inputs)));
		let (few_size, many_size) = (few.encoded_size(), many.encoded_size());
		// Two bytes for the number of inputs, instead of one for the tier; prices and sizes take more or fewer, as they are large.
		for size in [few_size, many_size] {
			assert!(size.abs_diff(single) <= 8, "{single}, {few_size}, {many_size}");
		}
		let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
		assert_eq!(chain.apply(many), Ok(Ok(())));
		let node = chain.executor(job);
		let attested = worker_transaction(chain.worker(node), chain.attestation(node, &[job])).encoded_size();
		println!(
			"submit_batch: {many_size} bytes; {MAX_INPUTS} inputs in all: {} bytes",
			many_size + attested
		);
		assert!(many_size + attested <= 330);
	});
}
