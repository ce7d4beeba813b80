//! On which processors something runs.

use anyhow::{ensure, Context, Result};
use std::{
	fs,
	process::{Command, Stdio},
};

/// The processors that this thread may use, as a list such as `0-1,3`.
fn allowed() -> Result<String> {
	listed("/proc/thread-self/status")
}

/// Those that the process or thread may use whose status this is.
fn listed(status: &str) -> Result<String> {
	let status = fs::read_to_string(status)?;
	let list = status
		.lines()
		.find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
		.context("the system says which processors there are")?;
	Ok(list.trim().into())
}

/// The first of these processors.
fn first_of(list: &str) -> Result<&str> {
	list.split(['-', ',']).next().context("there is a processor")
}

/// Lets a process, a thread if it is to be only that, use these processors and no others.
fn set(who: &str, only_the_thread: bool, list: &str) -> Result<()> {
	let mut command = Command::new("taskset");
	if !only_the_thread {
		command.arg("-a");
	}
	let status = command
		.args(["-c", "-p", list, who])
		.stdout(Stdio::null())
		.status()
		.context("taskset")?;
	ensure!(status.success(), "taskset: {status}");
	Ok(())
}

/// Lets the threads of a process, and whatever they start from now on, run on the first processor only: the same one for
/// everybody.
pub fn pin(process: u32) -> Result<()> {
	set(&process.to_string(), false, first_of(&allowed()?)?)
}

/// Undoes [`pin`]: they run on all processors that this thread may use.
pub fn unpin(process: u32) -> Result<()> {
	set(&process.to_string(), false, &allowed()?)
}

/// Does `work` in this thread on the first processor, the one of [`pin`].
pub fn on_the_first<T>(work: impl FnOnce() -> T) -> Result<T> {
	let link = fs::read_link("/proc/thread-self")?;
	let thread = link
		.file_name()
		.and_then(|name| name.to_str())
		.context("a thread has a number")?;
	let before = allowed()?;
	set(thread, true, first_of(&before)?)?;
	let result = work();
	set(thread, true, &before)?;
	Ok(result)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn work_should_be_on_one_processor_and_what_follows_on_all() {
		let before = allowed().unwrap();
		let inside = on_the_first(|| allowed().unwrap()).unwrap();
		assert_eq!(inside, first_of(&before).unwrap());
		assert_eq!(allowed().unwrap(), before);
	}

	#[test]
	fn a_process_should_be_on_one_processor_until_that_is_undone() {
		let mut child = Command::new("sleep").arg("60").spawn().unwrap();
		let status = format!("/proc/{}/status", child.id());
		pin(child.id()).unwrap();
		let pinned = listed(&status).unwrap();
		unpin(child.id()).unwrap();
		let undone = listed(&status).unwrap();
		child.kill().unwrap();
		child.wait().unwrap();
		let all = allowed().unwrap();
		assert_eq!((pinned.as_str(), &undone), (first_of(&all).unwrap(), &all));
	}
}
