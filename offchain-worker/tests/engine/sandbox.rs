//! What a child may not do, and that no engine starts without it.

use super::*;

pub async fn sandbox_should_deny_everything_when_the_child_tries() {
	let attempts = engine().await.self_test().await.unwrap();
	assert!(attempts.len() >= 22, "{attempts:?}");
	for attempt in attempts {
		assert!(attempt.denied, "a child could: {}", attempt.what);
	}
}

/// A kernel without Landlock, or one that takes no more filters, for one thread and what it starts.
pub async fn engine_should_not_start_when_the_kernel_offers_no_sandbox() {
	use seccompiler::{apply_filter, BpfProgram, SeccompAction, SeccompFilter};
	for (call, missing) in [
		(libc::SYS_landlock_create_ruleset, "Landlock"),
		(libc::SYS_seccomp, "seccomp"),
	] {
		let attempt = std::thread::spawn(move || {
			let denied = SeccompAction::Errno(libc::ENOSYS as u32);
			let architecture = std::env::consts::ARCH.try_into().unwrap();
			let rules = [(call, vec![])].into_iter().collect();
			let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, architecture).unwrap();
			apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
			// Its threads and their children inherit the filter.
			let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
			let insecure = EngineConfig {
				insecure: true,
				..config()
			};
			let started = runtime.block_on(OrtEngine::start(config())).map(drop);
			(started, runtime.block_on(OrtEngine::start(insecure)).map(drop))
		});
		let (started, insecure) = attempt.join().unwrap();
		assert!(
			matches!(&started, Err(EngineError::Unavailable(why)) if why.contains(missing)),
			"without {missing}: {started:?}"
		);
		assert_eq!(insecure, Ok(()), "without {missing}, for development");
	}
}

pub async fn threads_should_work_in_the_sandbox_when_there_are_several() {
	let engine = OrtEngine::start(EngineConfig { threads: 2, ..config() }).await.unwrap();
	engine.load(request(1, &model_file("magika/model.onnx"))).await.unwrap();
	let results = run(
		&engine,
		&key(1),
		vec![magika_input(b"int main(void) { return 0; }")],
		5 * SECOND,
	)
	.await;
	assert!(results[0].is_ok(), "{:?}", results[0]);
}
