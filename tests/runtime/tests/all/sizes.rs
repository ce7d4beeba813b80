//! What an honest job costs in bytes on chain.

use codec::Encode;
use highway_primitives::{Balance, BlobRef, Tier};
use highway_runtime::Runtime;
use highway_runtime_tests::{signed, worker_transaction, Chain, MILLI};
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
