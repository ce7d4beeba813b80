use super::*;
use std::process::Command;

/// What Landlock denies, and no filter of system calls.
const FILES: [&str; 4] = [
	"read /etc/passwd",
	"list /",
	"read the parent's environment",
	"create a file",
];

/// A filter holds for the whole process, so this test runs itself in one of its own.
#[test]
fn cuda_filter_should_leave_others_alone_and_the_process_its_own_when_there_is_no_gpu_to_try() {
	const INNER: &str = "HIGHWAY_INNER_TEST";
	if std::env::var_os(INNER).is_none() {
		let name = std::thread::current().name().expect("tests have names").to_owned();
		let output = Command::new(std::env::current_exe().unwrap())
			.args([&name, "--exact", "--nocapture"])
			.env(INNER, "1")
			.output()
			.unwrap();
		let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
		assert!(output.status.success() && said.contains("1 passed"), "{said}");
		return;
	}
	filter_system_calls(true).unwrap();
	for attempt in attempts() {
		if !FILES.contains(&attempt.what.as_str()) {
			assert!(attempt.denied, "a child could: {}", attempt.what);
		}
	}
	let mut limit = libc::rlimit {
		rlim_cur: 0,
		rlim_max: 0,
	};
	// SAFETY: signal 0 is none; the pointer is to a local that outlives the call.
	unsafe {
		assert_eq!(libc::raise(0), 0, "abort() needs it");
		assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
	}
	std::thread::spawn(|| {}).join().unwrap();
}
