//! Jobs of many inputs in a run: an input for each file of a bundle, and one result for each job. Pure.
//!
//! ```text
//!                      to do    ─► all files ─► engine ─► all results ─► bundle of outputs, their sketches ─┐
//! task ─► its bundle ──┤                                                                                    ├─► task
//!                      to judge ─► one file  ─► engine ───────────────────────────────────────── its result ┘
//! ```
//!
//! Files are slices of the blob that was read: nothing is copied on the way in. What is judged is one input alone, and its
//! output is looked for in the executor's bundle: see [`crate::judge::finding_in_bundle`].

use crate::{
	engine::{EngineError, RunInput, RunOutput},
	machine::{JobFault, RunItem, Task},
	tensors::MAX_FILE,
};
use bytes::Bytes;
use highway_primitives::batch;

/// The most bytes of a job's output, whether a file or a bundle: as many as an input may have. All that a job gives is in
/// memory until it is stored, and again at whoever judges.
pub const MAX_OUTPUT: usize = MAX_FILE;

/// Whether an output of `len` bytes may be right in which the own one, of `own` bytes, has to be found. Own files are
/// canonical, so a single output is as long; a bundle has room for it, and no node makes a longer one than [`MAX_OUTPUT`].
pub fn may_hold(len: u64, own: u64, inputs: u16) -> bool {
	match inputs {
		0 | 1 => len == own,
		_ => (own..=MAX_OUTPUT as u64).contains(&len),
	}
}

/// Whether more is to be run behind these results: not once an input has failed, and not once they are longer together than
/// a job's output may be.
pub fn may_go_on(outputs: &[Result<RunOutput, EngineError>]) -> bool {
	let mut bytes = 0usize;
	outputs.iter().all(|output| match output {
		Ok(output) => {
			bytes = bytes.saturating_add(output.file.len());
			bytes <= MAX_OUTPUT
		}
		Err(_) => false,
	})
}

/// Whose the inputs of a run are.
pub struct Parts(Vec<Part>);

struct Part {
	task: Task,
	/// How many inputs it has, behind those of the parts before; or why it has none.
	inputs: Result<usize, JobFault>,
	/// Whether their results become one.
	bundled: bool,
}

/// The inputs of a run, in the order of `items`, each with its blob: one input for a file, as many as there are files for a
/// bundle, or the one of them that is asked for. `None`: the blob is lost.
pub fn expand(items: Vec<(RunItem, Option<Bytes>)>) -> (Vec<RunInput>, Parts) {
	let mut inputs = Vec::with_capacity(items.len());
	let mut parts = Vec::with_capacity(items.len());
	for (item, blob) in items {
		let files = blob
			.ok_or(JobFault::InputLost)
			.and_then(|blob| files(&blob, item.inputs, item.index).map_err(JobFault::Engine));
		let (task, bundled) = (item.task, item.inputs > 1 && item.index.is_none());
		parts.push(Part {
			task,
			inputs: files.as_ref().map(Vec::len).map_err(Clone::clone),
			bundled,
		});
		inputs.extend(files.into_iter().flatten().map(|file| RunInput {
			file,
			seeds: item.seeds.clone(),
		}));
	}
	(inputs, Parts(parts))
}

/// The files of a blob that are run.
fn files(blob: &Bytes, inputs: u16, index: Option<u16>) -> Result<Vec<Bytes>, EngineError> {
	if inputs <= 1 {
		return Ok(vec![blob.clone()]);
	}
	let places = batch::files(blob, inputs).map_err(|error| EngineError::InputInvalid(error.to_string()))?;
	let Some(index) = index else {
		return Ok(places.into_iter().map(|place| blob.slice(place)).collect());
	};
	// The chain draws among the inputs. If it does not, no word about the job would be true.
	let place = places
		.get(usize::from(index))
		.ok_or_else(|| EngineError::RunFailed(format!("of {inputs} inputs there is none with index {index}")))?;
	Ok(vec![blob.slice(place.clone())])
}

impl Parts {
	/// What became of each task, if that became of the run's inputs, in their order.
	pub fn gather(self, outputs: Vec<Result<RunOutput, EngineError>>) -> Vec<(Task, Result<RunOutput, JobFault>)> {
		let mut outputs = outputs.into_iter();
		let one_of = |Part { task, inputs, bundled }| {
			let result = inputs.and_then(|count| {
				let own: Vec<_> = outputs.by_ref().take(count).collect();
				let complete = own.len() == count;
				let result = match bundled {
					true if complete => together(own),
					false if complete => own.into_iter().next().unwrap_or_else(no_result),
					_ => no_result(),
				};
				result.map_err(JobFault::Engine)
			});
			(task, result)
		};
		self.0.into_iter().map(one_of).collect()
	}
}

fn no_result() -> Result<RunOutput, EngineError> {
	Err(EngineError::RunFailed("no result".into()))
}

/// The result of a job of many inputs: the bundle of their outputs, and a sketch of each run. One that failed fails all.
fn together(outputs: Vec<Result<RunOutput, EngineError>>) -> Result<RunOutput, EngineError> {
	let too_long = || EngineError::RunFailed(format!("its outputs are more than {} MiB together", MAX_OUTPUT >> 20));
	let length = outputs.iter().flatten().map(|output| output.file.len());
	let is_too_long = length.fold(0usize, usize::saturating_add) > MAX_OUTPUT;
	match fault_of(&outputs) {
		// Then no more was run.
		None | Some(EngineError::NotRun) if is_too_long => return Err(too_long()),
		Some(fault) => return Err(fault.clone()),
		None => {}
	}
	let mut files = Vec::with_capacity(outputs.len());
	let mut sketches = Vec::with_capacity(outputs.len());
	for RunOutput { file, sketches: own } in outputs.into_iter().flatten() {
		let sketch = own.first().copied();
		sketches.push(sketch.ok_or_else(|| EngineError::RunFailed("no sketch".into()))?);
		files.push(file);
	}
	let file = batch::bundle(&files).filter(|bundle| bundle.len() <= MAX_OUTPUT);
	Ok(RunOutput {
		file: file.ok_or_else(too_long)?.into(),
		sketches,
	})
}

/// Why a job failed of whose inputs some did. That one does not fit is found by every node, whatever else happens; that
/// others took the time says nothing where something else does.
fn fault_of(outputs: &[Result<RunOutput, EngineError>]) -> Option<&EngineError> {
	let faults = outputs.iter().filter_map(|output| output.as_ref().err());
	faults.min_by_key(|fault| match fault {
		EngineError::InputInvalid(_) => 0,
		EngineError::NotRun => 2,
		_ => 1,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::fixtures::{auditor_seed, ballot_key, key, sketch};
	use highway_primitives::{BlobRef, Sketch};
	use proptest::prelude::*;

	const SEED: [u8; 32] = [7; 32];

	fn job(inputs: u16) -> RunItem {
		RunItem {
			task: Task::Job(key(1, 1)),
			input: BlobRef::of(b""),
			inputs,
			index: None,
			seeds: vec![SEED],
		}
	}

	fn audit(inputs: u16, index: u16) -> RunItem {
		RunItem {
			task: Task::Audit(ballot_key(2, auditor_seed(2))),
			index: Some(index),
			seeds: vec![SEED, [8; 32]],
			..job(inputs)
		}
	}

	fn bundle(files: &[&[u8]]) -> Bytes {
		batch::bundle(files).unwrap().into()
	}

	fn output(file: &'static [u8], sketches: Vec<Sketch>) -> Result<RunOutput, EngineError> {
		Ok(RunOutput {
			file: Bytes::from_static(file),
			sketches,
		})
	}

	fn read(inputs: &[RunInput]) -> Vec<&[u8]> {
		inputs.iter().map(|input| input.file.as_ref()).collect()
	}

	#[test]
	fn a_run_should_have_the_files_of_all_its_items_and_each_its_own_results() {
		let blob = bundle(&[b"a", b"bb", b"ccc"]);
		let items = vec![
			(job(3), Some(blob.clone())),
			(audit(1, 0), Some(Bytes::from_static(b"single"))),
			(audit(3, 1), Some(blob)),
		];
		let (inputs, parts) = expand(items);
		assert_eq!(read(&inputs), [&b"a"[..], b"bb", b"ccc", b"single", b"bb"]);
		let seeds: Vec<usize> = inputs.iter().map(|input| input.seeds.len()).collect();
		assert_eq!(seeds, [1, 1, 1, 2, 2]);

		let both = || vec![sketch(8), sketch(9)];
		let outputs = vec![
			output(b"A", vec![sketch(1)]),
			output(b"BB", vec![sketch(2)]),
			output(b"CCC", vec![sketch(3)]),
			output(b"SINGLE", both()),
			Err(EngineError::TimedOut),
		];
		let results = parts.gather(outputs);
		let done = RunOutput {
			file: bundle(&[b"A", b"BB", b"CCC"]),
			sketches: vec![sketch(1), sketch(2), sketch(3)],
		};
		assert_eq!(results[0], (job(3).task, Ok(done)));
		let single = output(b"SINGLE", both()).map_err(JobFault::Engine);
		assert_eq!(results[1], (audit(1, 0).task, single));
		let failed = Err(JobFault::Engine(EngineError::TimedOut));
		assert_eq!(results[2], (audit(3, 1).task, failed));
	}

	#[test]
	fn files_should_be_slices_of_the_blob() {
		let blob = bundle(&[b"a", b"bb"]);
		let within = blob.as_ptr_range();
		let (inputs, _) = expand(vec![(job(2), Some(blob))]);
		assert!(inputs.iter().all(|input| within.contains(&input.file.as_ptr())));
	}

	#[test]
	fn a_bundle_should_be_an_invalid_input_when_it_is_none_of_so_many_files() {
		let blob = bundle(&[b"a", b"bb"]);
		for (item, blob) in [
			(job(3), blob.clone()),
			(audit(3, 0), blob.clone()),
			(job(2), blob.slice(1..)),
			(job(2), Bytes::new()),
		] {
			let (inputs, parts) = expand(vec![(item, Some(blob))]);
			assert_eq!(inputs, []);
			let results = parts.gather(vec![]);
			assert!(
				matches!(&results[0].1, Err(JobFault::Engine(EngineError::InputInvalid(_)))),
				"{results:?}"
			);
		}
	}

	#[test]
	fn nothing_should_be_said_about_the_input_when_there_is_none_with_that_index() {
		let (inputs, parts) = expand(vec![(audit(2, 2), Some(bundle(&[b"a", b"bb"])))]);
		assert_eq!(inputs, []);
		let results = parts.gather(vec![]);
		assert!(
			matches!(&results[0].1, Err(JobFault::Engine(EngineError::RunFailed(_)))),
			"{results:?}"
		);
	}

	#[test]
	fn lost_blob_should_fail_its_task_alone() {
		let (inputs, parts) = expand(vec![(job(3), None), (audit(1, 0), Some(Bytes::from_static(b"x")))]);
		assert_eq!(read(&inputs), [b"x"]);
		let results = parts.gather(vec![output(b"X", vec![sketch(1)])]);
		assert_eq!(results[0].1, Err(JobFault::InputLost));
		assert!(results[1].1.is_ok());
	}

	#[test]
	fn job_should_fail_with_what_says_most_when_some_of_its_inputs_did() {
		let good = || output(b"A", vec![sketch(1)]);
		let invalid = || EngineError::InputInvalid("x".into());
		for (outputs, fault) in [
			(
				vec![good(), Err(EngineError::TimedOut), Err(EngineError::NotRun)],
				EngineError::TimedOut,
			),
			(
				vec![Err(EngineError::NotRun), Err(EngineError::TimedOut), good()],
				EngineError::TimedOut,
			),
			(vec![Err(EngineError::TimedOut), good(), Err(invalid())], invalid()),
			(vec![good(), Err(EngineError::NotRun)], EngineError::NotRun),
			(
				vec![good(), output(b"B", vec![])],
				EngineError::RunFailed("no sketch".into()),
			),
		] {
			assert_eq!(together(outputs), Err(fault));
		}
		let (_, parts) = expand(vec![(job(2), Some(bundle(&[b"a", b"bb"])))]);
		let fewer = parts.gather(vec![good()]);
		let missing = JobFault::Engine(EngineError::RunFailed("no result".into()));
		assert_eq!(fewer[0].1, Err(missing));
	}

	#[test]
	fn job_should_fail_and_no_more_be_run_when_its_outputs_are_too_long_together() {
		// Pages that nobody writes to are not in memory.
		let long = || output_of(vec![0; MAX_OUTPUT / 2 + 1]);
		assert!(may_go_on(&[long()]));
		assert!(!may_go_on(&[long(), long()]));
		assert!(!may_go_on(&[Err(EngineError::NotRun)]));
		for outputs in [vec![long(), long()], vec![long(), long(), Err(EngineError::NotRun)]] {
			assert!(matches!(together(outputs), Err(EngineError::RunFailed(why)) if why.contains("256 MiB")));
		}
		let timed_out = vec![long(), long(), Err(EngineError::TimedOut)];
		assert_eq!(together(timed_out), Err(EngineError::TimedOut));
	}

	fn output_of(file: Vec<u8>) -> Result<RunOutput, EngineError> {
		Ok(RunOutput {
			file: file.into(),
			sketches: vec![sketch(1)],
		})
	}

	#[test]
	fn length_should_tell_a_wrong_output_when_it_is_another_one_or_of_no_bundle() {
		let most = MAX_OUTPUT as u64;
		for (len, own, inputs, may) in [
			(10, 10, 1, true),
			(11, 10, 1, false),
			(9, 10, 1, false),
			(10, 10, 2, true),
			(9, 10, 2, false),
			(most, 10, 2, true),
			(most + 1, 10, 256, false),
		] {
			assert_eq!(may_hold(len, own, inputs), may, "{len} {own} {inputs}");
		}
	}

	proptest! {
		/// As whoever judges sees it: the output of the input that is drawn is in the bundle, at its place.
		#[test]
		fn outputs_should_be_at_their_inputs_places_when_jobs_and_audits_share_a_run(
			sizes in prop::collection::vec(prop::collection::vec(0usize..20, 1..6), 1..5),
			drawn in any::<prop::sample::Index>(),
		) {
			let files: Vec<Vec<Vec<u8>>> = sizes
				.iter()
				.map(|sizes| sizes.iter().enumerate().map(|(at, size)| vec![at as u8; *size]).collect())
				.collect();
			let blob = |files: &[Vec<u8>]| match files {
				[file] => Bytes::from(file.clone()),
				files => Bytes::from(batch::bundle(files).unwrap()),
			};
			let mut items = Vec::new();
			for files in &files {
				let count = files.len() as u16;
				items.push((job(count), Some(blob(files))));
				items.push((audit(count, drawn.index(files.len()) as u16), Some(blob(files))));
			}
			let (inputs, parts) = expand(items);
			let answer = |file: &[u8]| [file, b"!"].concat();
			let outputs = inputs.iter().map(|input| output_of(answer(&input.file))).collect();
			let results = parts.gather(outputs);
			for (files, pair) in files.iter().zip(results.chunks(2)) {
				let done = pair[0].1.as_ref().unwrap();
				let judged = pair[1].1.as_ref().unwrap();
				prop_assert_eq!(done.sketches.len(), files.len());
				let index = drawn.index(files.len());
				prop_assert_eq!(&judged.file, &answer(&files[index]));
				let place = match files.len() {
					1 => 0..done.file.len(),
					count => batch::files(&done.file, count as u16).unwrap()[index].clone(),
				};
				prop_assert_eq!(done.file.slice(place), judged.file.clone());
				prop_assert!(may_hold(done.file.len() as u64, judged.file.len() as u64, files.len() as u16));
			}
		}
	}
}
