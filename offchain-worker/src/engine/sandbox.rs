//! Takes from the child process everything that a model could do harm with.
//!
//! The only file of this crate with `unsafe`: it makes system calls that have no safe wrapper. None of them shares
//! memory with the kernel beyond the call.
//!
//! | layer | CPU | CUDA |
//! |---|---|---|
//! | file descriptors | socket, model, standard error | the same |
//! | Landlock | no file, no TCP, no abstract socket, no signal to others | libraries and devices to read, no TCP |
//! | seccomp | an allow-list | a list of what is denied: sockets, new programs, new processes, tracing |
//! | limits | no core file, no file writes, killed first when memory is short | the same |
#![allow(unsafe_code)]

use landlock::{
	path_beneath_rules, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
	RulesetStatus, Scope, ABI,
};
use seccompiler::{
	apply_filter_all_threads, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
	SeccompFilter, SeccompRule,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ffi::CStr, io};

/// One attempt of the self-test to get out of the sandbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attempt {
	/// What was tried.
	pub what: String,
	/// Whether it was denied.
	pub denied: bool,
}

/// Before anything else, while there is one thread: closes what the process inherited by mistake, ties its life to
/// the parent's thread, gives up core files and file writes, and volunteers to be killed when memory is short.
pub(super) fn prepare() -> io::Result<()> {
	// Best effort: containers may not let it. Before the process becomes undumpable and loses its own /proc files.
	let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
	// SAFETY: plain system calls with values, or with pointers to locals that outlive the call.
	unsafe {
		libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32);
		check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
		check(libc::prctl(libc::PR_SET_DUMPABLE, 0))?;
		let none = libc::rlimit {
			rlim_cur: 0,
			rlim_max: 0,
		};
		check(libc::setrlimit(libc::RLIMIT_CORE, &none))?;
		check(libc::setrlimit(libc::RLIMIT_FSIZE, &none))?;
	}
	Ok(())
}

fn check(result: libc::c_int) -> io::Result<()> {
	if result == 0 {
		Ok(())
	} else {
		Err(io::Error::last_os_error())
	}
}

/// Landlock for the CPU: nothing in the file system, whatever the path.
pub(super) fn deny_files() -> Result<(), String> {
	landlock(&[], &[])
}

/// Landlock for CUDA: its driver opens libraries and devices late.
pub(super) fn allow_cuda_files(library: &std::path::Path) -> Result<(), String> {
	let folder = library.parent().unwrap_or(library).to_string_lossy().into_owned();
	let read = [
		"/usr/lib",
		"/usr/lib64",
		"/lib",
		"/lib64",
		"/usr/local",
		"/opt",
		"/sys",
		"/proc",
		"/etc/ld.so.cache",
	];
	let mut read: Vec<String> = read.iter().map(|path| path.to_string()).collect();
	read.push(folder);
	let devices: Vec<String> = std::fs::read_dir("/dev")
		.into_iter()
		.flatten()
		.flatten()
		.map(|entry| entry.path().to_string_lossy().into_owned())
		.filter(|path| path.starts_with("/dev/nvidia"))
		.chain([
			"/dev/shm".into(),
			"/dev/null".into(),
			"/dev/zero".into(),
			"/dev/urandom".into(),
		])
		.collect();
	landlock(&read, &devices)
}

fn landlock(read: &[String], write: &[String]) -> Result<(), String> {
	let abi = ABI::V6;
	// What the first version knows must hold; later versions add to it where the kernel has them.
	let enforce = || {
		Ruleset::default()
			.set_compatibility(CompatLevel::HardRequirement)
			.handle_access(AccessFs::from_all(ABI::V1))?
			.set_compatibility(CompatLevel::BestEffort)
			.handle_access(AccessFs::from_all(abi))?
			.handle_access(AccessNet::from_all(abi))?
			.scope(Scope::from_all(abi))?
			.create()?
			.add_rules(path_beneath_rules(read, AccessFs::from_read(abi)))?
			.add_rules(path_beneath_rules(write, AccessFs::from_all(abi)))?
			.restrict_self()
	};
	let status = enforce().map_err(|error: landlock::RulesetError| format!("Landlock is not available: {error}"))?;
	if status.ruleset == RulesetStatus::NotEnforced {
		return Err("Landlock is not available: the kernel does not enforce it".into());
	}
	Ok(())
}

/// What ONNX Runtime needs on the CPU once its library is loaded, without conditions on the arguments.
const ALLOWED: &[libc::c_long] = &[
	libc::SYS_read,
	libc::SYS_write,
	libc::SYS_readv,
	libc::SYS_writev,
	libc::SYS_pread64,
	libc::SYS_lseek,
	libc::SYS_close,
	libc::SYS_fstat,
	libc::SYS_recvfrom,
	libc::SYS_sendto,
	libc::SYS_ppoll,
	libc::SYS_mmap,
	libc::SYS_munmap,
	libc::SYS_mremap,
	libc::SYS_mprotect,
	libc::SYS_madvise,
	libc::SYS_brk,
	libc::SYS_futex,
	libc::SYS_set_robust_list,
	libc::SYS_rseq,
	libc::SYS_membarrier,
	libc::SYS_sched_yield,
	libc::SYS_sched_getaffinity,
	libc::SYS_getpid,
	libc::SYS_gettid,
	libc::SYS_getppid,
	libc::SYS_getcpu,
	libc::SYS_getrusage,
	libc::SYS_sysinfo,
	libc::SYS_uname,
	libc::SYS_clock_gettime,
	libc::SYS_clock_getres,
	libc::SYS_clock_nanosleep,
	libc::SYS_nanosleep,
	libc::SYS_gettimeofday,
	libc::SYS_getrandom,
	libc::SYS_restart_syscall,
	libc::SYS_rt_sigaction,
	libc::SYS_rt_sigprocmask,
	libc::SYS_rt_sigreturn,
	libc::SYS_sigaltstack,
	libc::SYS_exit,
	libc::SYS_exit_group,
	// Answered by the first filter, which is stricter.
	libc::SYS_clone3,
];

/// What no model needs, for the CUDA driver, whose own needs change with every release.
const DENIED: &[libc::c_long] = &[
	libc::SYS_socket,
	libc::SYS_connect,
	libc::SYS_bind,
	libc::SYS_listen,
	libc::SYS_accept,
	libc::SYS_accept4,
	libc::SYS_execve,
	libc::SYS_execveat,
	libc::SYS_ptrace,
	libc::SYS_process_vm_readv,
	libc::SYS_process_vm_writev,
	libc::SYS_pidfd_open,
	libc::SYS_pidfd_getfd,
	libc::SYS_pidfd_send_signal,
	libc::SYS_process_madvise,
	libc::SYS_kill,
	libc::SYS_tkill,
	libc::SYS_rt_sigqueueinfo,
	libc::SYS_rt_tgsigqueueinfo,
	libc::SYS_sched_setaffinity,
	libc::SYS_sched_setscheduler,
	libc::SYS_sched_setparam,
	libc::SYS_sched_setattr,
	libc::SYS_setpriority,
	libc::SYS_ioprio_set,
	libc::SYS_shmget,
	libc::SYS_shmat,
	libc::SYS_shmctl,
	libc::SYS_mount,
	libc::SYS_umount2,
	libc::SYS_unshare,
	libc::SYS_setns,
	libc::SYS_chroot,
	libc::SYS_pivot_root,
	libc::SYS_bpf,
	libc::SYS_perf_event_open,
	libc::SYS_io_uring_setup,
	libc::SYS_userfaultfd,
	libc::SYS_keyctl,
	libc::SYS_add_key,
	libc::SYS_request_key,
	libc::SYS_init_module,
	libc::SYS_finit_module,
	libc::SYS_kexec_load,
	#[cfg(target_arch = "x86_64")]
	libc::SYS_fork,
	#[cfg(target_arch = "x86_64")]
	libc::SYS_vfork,
];

type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;

fn when(index: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, String> {
	let condition = SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value);
	condition
		.and_then(|condition| SeccompRule::new(vec![condition]))
		.map_err(|error| error.to_string())
}

fn install(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Result<(), String> {
	let architecture = std::env::consts::ARCH
		.try_into()
		.map_err(|error| format!("seccomp: {error}"))?;
	let filter = SeccompFilter::new(rules, otherwise, matched, architecture);
	let program: BpfProgram = filter
		.and_then(TryInto::try_into)
		.map_err(|error| format!("the seccomp filter is wrong: {error}"))?;
	apply_filter_all_threads(&program).map_err(|error| format!("seccomp is not available: {error}"))
}

/// Filters system calls of all threads. Denied calls fail with `EPERM` instead of killing the process, so that the
/// libraries' own fall-backs work.
pub(super) fn filter_system_calls(cuda: bool) -> Result<(), String> {
	let denied = SeccompAction::Errno(libc::EPERM as u32);
	// The flags of clone3 are behind a pointer; told that it does not exist, the C library uses clone.
	let clone3 = Rules::from([(libc::SYS_clone3, vec![])]);
	install(clone3, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))?;
	let thread = libc::CLONE_THREAD as u64;
	let own = u64::from(std::process::id());
	if cuda {
		let mut rules: Rules = DENIED.iter().map(|call| (*call, vec![])).collect();
		rules.insert(libc::SYS_clone, vec![when(0, SeccompCmpOp::MaskedEq(thread), 0)?]);
		// Signals to its own threads only, and its own limits only.
		rules.insert(libc::SYS_tgkill, vec![when(0, SeccompCmpOp::Ne, own)?]);
		rules.insert(libc::SYS_prlimit64, vec![when(0, SeccompCmpOp::Ne, 0)?]);
		return install(rules, SeccompAction::Allow, denied);
	}
	let mut rules: Rules = ALLOWED.iter().map(|call| (*call, vec![])).collect();
	rules.insert(libc::SYS_clone, vec![when(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
	// A thread's name, and names of memory areas.
	let names = [libc::PR_SET_NAME as u64, 0x5356_4d41];
	rules.insert(
		libc::SYS_prctl,
		names
			.into_iter()
			.map(|name| when(0, SeccompCmpOp::Eq, name))
			.collect::<Result<_, _>>()?,
	);
	// Only to its own threads: abort() needs it.
	rules.insert(libc::SYS_tgkill, vec![when(0, SeccompCmpOp::Eq, own)?]);
	#[cfg(target_arch = "x86_64")]
	rules.insert(libc::SYS_poll, vec![]);
	install(rules, denied, SeccompAction::Allow)
}

/// Tries to read and write files, open sockets, start programs and processes, trace, signal and hinder others. For the
/// engine's start and for tests: everything must be denied.
pub(super) fn attempts() -> Vec<Attempt> {
	let mut list = Vec::new();
	let mut note = |what: &str, denied: bool| {
		list.push(Attempt {
			what: what.into(),
			denied,
		})
	};
	let parent = std::os::unix::process::parent_id() as libc::pid_t;
	note("read /etc/passwd", std::fs::File::open("/etc/passwd").is_err());
	note("list /", std::fs::read_dir("/").is_err());
	note(
		"read the parent's environment",
		std::fs::read(format!("/proc/{parent}/environ")).is_err(),
	);
	note(
		"create a file",
		std::fs::File::create(std::env::temp_dir().join("highway-self-test")).is_err(),
	);
	note(
		"open a TCP socket",
		std::net::TcpListener::bind(("127.0.0.1", 0)).is_err(),
	);
	note(
		"open a UDP socket",
		std::net::UdpSocket::bind(("127.0.0.1", 0)).is_err(),
	);
	note(
		"connect to a Unix socket",
		std::os::unix::net::UnixStream::connect("/run/highway-self-test").is_err(),
	);
	note(
		"start a program",
		std::process::Command::new("/bin/true").spawn().is_err(),
	);
	let program: &CStr = c"/bin/true";
	let null = std::ptr::null();
	// SAFETY: the strings are terminated, the lists end with null. A fork that succeeds ends at once in the new
	// process without running any destructor. The other calls take numbers only.
	unsafe {
		let arguments = [program.as_ptr(), null];
		let forked = libc::fork();
		if forked == 0 {
			libc::_exit(0);
		}
		note("fork", forked < 0);
		if forked < 0 {
			// In a process that may fork this would replace the process itself.
			note(
				"execve",
				libc::execve(program.as_ptr(), arguments.as_ptr(), [null].as_ptr()) < 0,
			);
		}
		// Seizing does not stop the parent if it works.
		note("trace the parent", libc::ptrace(libc::PTRACE_SEIZE, parent, 0, 0) < 0);
		note("signal the parent", libc::kill(parent, 0) < 0);
		// Signal 0 and questions do no harm where they work. Of calls that could fail for another reason only the filter's
		// error counts.
		let call = |result: libc::c_long| result < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
		note(
			"signal the parent with tkill",
			call(libc::syscall(libc::SYS_tkill, parent, 0)),
		);
		note(
			"signal the parent with tgkill",
			call(libc::syscall(libc::SYS_tgkill, parent, parent, 0)),
		);
		note(
			"queue a signal for the parent",
			call(libc::syscall(libc::SYS_rt_sigqueueinfo, parent, 0, null)),
		);
		note(
			"queue a signal for the parent's thread",
			call(libc::syscall(libc::SYS_rt_tgsigqueueinfo, parent, parent, 0, null)),
		);
		note(
			"ask for the parent's limits",
			call(libc::syscall(
				libc::SYS_prlimit64,
				parent,
				libc::RLIMIT_NOFILE,
				null,
				null,
			)),
		);
		note(
			"bind the parent to a processor",
			call(libc::syscall(libc::SYS_sched_setaffinity, parent, 0, null)),
		);
		note(
			"change the parent's scheduling",
			call(libc::syscall(libc::SYS_sched_setscheduler, parent, -1, null)),
		);
		note(
			"change the parent's priority",
			call(libc::syscall(libc::SYS_setpriority, -1, parent, 0)),
		);
		note(
			"advise on another's memory",
			call(libc::syscall(libc::SYS_process_madvise, -1, null, 0, 0, 0)),
		);
		let shared = libc::shmget(libc::IPC_PRIVATE, 1, 0o600);
		note("make shared memory", shared < 0);
		if shared >= 0 {
			libc::shmctl(shared, libc::IPC_RMID, std::ptr::null_mut());
		}
		note("io_uring", libc::syscall(libc::SYS_io_uring_setup, 1u32, 0usize) < 0);
		note("new user namespace", libc::unshare(libc::CLONE_NEWUSER) < 0);
	}
	list
}

#[cfg(test)]
#[path = "../tests/sandbox.rs"]
mod tests;
