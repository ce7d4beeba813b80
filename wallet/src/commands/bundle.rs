//! Jobs of many inputs: their input is put together here, and their output taken apart.

use super::{ensure_writable, file_error};
use crate::error::CommandError;
use highway_primitives::{batch, MAX_INPUTS, MIN_INPUTS};
use highway_runtime_api::types::JobInfo;
use sp_core::crypto::AccountId32;
use std::{
	collections::BTreeSet,
	fs,
	path::{Path, PathBuf},
};

/// The most bytes of all inputs of one job together: the chain takes no more.
const MAX_SIZE: u64 = 256 << 20;

/// Bytes of a bundle beside its files: their number, and the length of each.
const COUNT_LEN: u64 = 4;
const LENGTH_LEN: u64 = 8;

/// Error unless one job may have so many inputs.
pub fn ensure_count(inputs: usize) -> Result<(), CommandError> {
	let (least, most) = (usize::from(MIN_INPUTS), usize::from(MAX_INPUTS));
	let advice = if inputs < least {
		"leave out --batch"
	} else if inputs > most {
		"make several batches of them"
	} else {
		return Ok(());
	};
	Err(CommandError::Usage(format!(
		"a batch has {least} to {most} inputs, not {inputs}: {advice}"
	)))
}

/// The input of a job of these files, in this order. Error if they are too few, too many or too large for one job.
pub fn put_together<File: AsRef<[u8]>>(files: &[File]) -> Result<Vec<u8>, CommandError> {
	ensure_count(files.len())?;
	let bundle = batch::bundle(files).expect("a few hundred files can be counted; qed");
	ensure_size(files.len(), bundle.len() as u64)?;
	Ok(bundle)
}

fn ensure_size(inputs: usize, size: u64) -> Result<(), CommandError> {
	match size <= MAX_SIZE {
		true => Ok(()),
		false => Err(CommandError::Usage(format!(
			"the {inputs} inputs have {size} bytes together, and a job takes {MAX_SIZE} (256 MiB): make several batches of them"
		))),
	}
}

/// Size in bytes of the input of a job of so many files of `each` bytes.
pub fn size_of(inputs: u16, each: u64) -> u64 {
	let files = each.saturating_add(LENGTH_LEN).saturating_mul(inputs.into());
	files.saturating_add(COUNT_LEN)
}

/// Whether a job of so many inputs is a batch: what it has as input and as output is a bundle.
pub fn is_batch(inputs: u16) -> bool {
	inputs >= MIN_INPUTS
}

/// One of a batch's inputs, for people.
pub fn place_text(index: u16, inputs: u16) -> String {
	format!("input {index} of {inputs}, counted from 0")
}

/// What a job's output says of each of its inputs, in order. Error if it is not one file for each.
pub fn outputs<'a>(job: &JobInfo<AccountId32>, output: &'a [u8]) -> Result<Vec<&'a [u8]>, CommandError> {
	if !is_batch(job.inputs) {
		return Ok(vec![output]);
	}
	let files = batch::files(output, job.inputs).map_err(|reason| CommandError::NoBundle { job: job.id, reason })?;
	Ok(files.into_iter().map(|range| &output[range]).collect())
}

/// Where the output of input `index` is written, of so many: the file `to`, or of a batch a file in the folder `to`.
pub fn path_of(to: &Path, index: u16, inputs: u16) -> PathBuf {
	match is_batch(inputs) {
		true => to.join(format!("{index}.safetensors")),
		false => to.into(),
	}
}

/// Error unless all outputs of a job of so many inputs can be written to `to`. The folder of a batch is made.
pub fn ensure_room(to: &Path, inputs: u16) -> Result<(), CommandError> {
	if !is_batch(inputs) {
		return ensure_writable(to);
	}
	fs::create_dir_all(to).map_err(|source| file_error(to, source))?;
	(0..inputs).try_for_each(|index| ensure_writable(&path_of(to, index, inputs)))
}

/// The same for a batch of these files, none of which may be overwritten.
pub fn ensure_room_beside(to: &Path, files: &[PathBuf]) -> Result<(), CommandError> {
	let inputs = u16::try_from(files.len()).unwrap_or(u16::MAX);
	let known: BTreeSet<_> = files.iter().filter_map(|file| file.canonicalize().ok()).collect();
	let is_input = |path: &PathBuf| path.canonicalize().is_ok_and(|path| known.contains(&path));
	match (0..inputs).map(|index| path_of(to, index, inputs)).find(is_input) {
		None => ensure_room(to, inputs),
		Some(path) => Err(CommandError::Usage(format!(
			"an output would be written over the input {}: name another folder with --output",
			path.display()
		))),
	}
}

/// Writes a job's outputs to `to`: a file, or of a batch a folder.
pub fn write(to: &Path, job: &JobInfo<AccountId32>, output: &[u8]) -> Result<(), CommandError> {
	for (index, file) in (0..).zip(outputs(job, output)?) {
		let path = path_of(to, index, job.inputs);
		fs::write(&path, file).map_err(|source| file_error(&path, source))?;
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::commands::fixtures::attested_job;
	use serde_json::json;

	fn job(inputs: u16) -> JobInfo<AccountId32> {
		JobInfo {
			inputs,
			..attested_job()
		}
	}

	fn usage(result: Result<impl Sized, CommandError>) -> String {
		match result {
			Err(CommandError::Usage(text)) => text,
			Err(error) => panic!("another error: {error}"),
			Ok(_) => panic!("no error"),
		}
	}

	#[test]
	fn a_bundle_should_have_two_to_256_files_of_256_mib_together() {
		assert!(put_together(&[b"a", b"b"]).is_ok());
		assert!(put_together(&[b"x"; 256]).is_ok());
		assert!(usage(put_together(&[b"a"])).contains("not 1: leave out --batch"));
		assert!(usage(put_together(&[b"x"; 257])).contains("not 257: make several"));
		assert!(ensure_size(3, 256 << 20).is_ok());
		let text = usage(ensure_size(3, (256 << 20) + 1));
		assert!(text.contains("256 MiB") && text.contains("several batches"), "{text}");
	}

	#[test]
	fn a_bundle_should_have_the_size_that_is_quoted() {
		let bundle = put_together(&[[0u8; 10], [1; 10], [2; 10]]).unwrap();
		assert_eq!(size_of(3, 10), bundle.len() as u64);
		assert_eq!(size_of(256, u64::MAX), u64::MAX);
	}

	#[test]
	fn outputs_should_be_taken_apart_when_the_job_has_many_inputs() {
		let bundle = put_together(&[&b"one"[..], b"", b"three"]).unwrap();
		assert_eq!(outputs(&job(3), &bundle).unwrap(), [&b"one"[..], b"", b"three"]);
		assert_eq!(outputs(&job(1), b"one").unwrap(), [b"one"]);
		let error = outputs(&job(2), &bundle).unwrap_err();
		assert_eq!((error.exit_code(), &error.to_json()["job"]), (6, &json!(7)));
		let text = error.after_payment(7).to_string();
		assert!(
			text.contains("has 3 files") && text.contains("highway job audit 7"),
			"{text}"
		);
	}

	#[test]
	fn outputs_should_be_written_by_number_when_there_are_many() {
		let folder = tempfile::tempdir().unwrap();
		let to = folder.path().join("outputs");
		ensure_room(&to, 2).unwrap();
		assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
		write(&to, &job(2), &put_together(&[&b"one"[..], b"two"]).unwrap()).unwrap();
		assert_eq!(fs::read(to.join("0.safetensors")).unwrap(), b"one");
		assert_eq!(fs::read(to.join("1.safetensors")).unwrap(), b"two");
		let file = folder.path().join("out.safetensors");
		ensure_room(&file, 1).unwrap();
		write(&file, &job(1), b"alone").unwrap();
		assert_eq!(fs::read(&file).unwrap(), b"alone");
		assert!(
			matches!(ensure_room(&file, 2), Err(CommandError::File { .. })),
			"a file is no folder"
		);
	}

	#[test]
	fn inputs_should_not_be_overwritten_when_outputs_go_beside_them() {
		let folder = tempfile::tempdir().unwrap();
		let inputs = ["0.safetensors", "7.safetensors"].map(|name| folder.path().join(name));
		for input in &inputs {
			fs::write(input, b"input").unwrap();
		}
		assert!(usage(ensure_room_beside(folder.path(), &inputs)).contains("0.safetensors"));
		ensure_room_beside(&folder.path().join("outputs"), &inputs).unwrap();
		// Two outputs are called 0 and 1.
		let others = [inputs[1].clone(), inputs[1].clone()];
		ensure_room_beside(folder.path(), &others).unwrap();
	}
}
