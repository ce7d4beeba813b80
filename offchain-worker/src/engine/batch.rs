//! Which inputs share a run, and how rows are put together and taken apart. Pure.

use super::{EngineError, RunOutput};
use crate::{
	compare::{passes_within, Bounds},
	tensors::{check_against, check_outputs, parse, serialize, Tensor},
};
use highway_primitives::model::{VerificationPolicy, VersionSpec};

/// An input that fits the model.
pub(super) struct Input {
	pub tensors: Vec<Tensor>,
	/// Length of the first axis that all its tensors have in common. `None`: it runs alone and as it is.
	pub rows: Option<usize>,
}

/// Reads an input; `by_rows` says whether the model's tensors all have a dynamic first axis.
pub(super) fn read_input(file: &[u8], spec: &VersionSpec, by_rows: bool) -> Result<Input, EngineError> {
	let tensors = parse(file)?;
	check_against(&tensors, &spec.inputs)?;
	let first = tensors.first().map(Tensor::rows);
	let rows = first.filter(|rows| by_rows && tensors.iter().all(|tensor| tensor.rows() == *rows));
	Ok(Input { tensors, rows })
}

/// Whether the rows of `a` and `b` have the same shape.
fn compatible(a: &Input, b: &Input) -> bool {
	a.tensors.len() == b.tensors.len()
		&& a.tensors
			.iter()
			.zip(&b.tensors)
			.all(|(a, b)| a.name == b.name && a.shape.get(1..) == b.shape.get(1..))
}

/// Splits the inputs at `indices` into runs of at most `max_rows` rows; an input with more rows runs alone.
pub(super) fn groups(inputs: &[Option<Input>], max_rows: usize) -> Vec<Vec<usize>> {
	let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
	for (index, input) in inputs.iter().enumerate() {
		let Some(input) = input else { continue };
		let place = input.rows.and_then(|rows| {
			groups.iter_mut().find(|(total, members)| {
				let first = members
					.first()
					.and_then(|first| inputs.get(*first))
					.and_then(Option::as_ref);
				total + rows <= max_rows && first.is_some_and(|first| first.rows.is_some() && compatible(first, input))
			})
		});
		match place {
			Some((total, members)) => {
				*total += input.rows.unwrap_or(0);
				members.push(index);
			}
			None => groups.push((input.rows.unwrap_or(0), vec![index])),
		}
	}
	groups.into_iter().map(|(_, members)| members).collect()
}

/// The input file of one run over all rows of `parts`, and its number of rows. A lone row is doubled if `pad`: a
/// run of width one takes another code path of the runtime, and another result.
pub(super) fn join(parts: &[&Input], pad: bool) -> (Vec<u8>, usize) {
	let Some((first, others)) = parts.split_first() else {
		return (serialize(&[]), 0);
	};
	let mut tensors = first.tensors.clone();
	let mut rows = first.rows.unwrap_or(0);
	for part in others {
		rows += part.rows.unwrap_or(0);
		for (tensor, more) in tensors.iter_mut().zip(&part.tensors) {
			tensor.data.extend_from_slice(&more.data);
		}
	}
	if pad && rows == 1 {
		rows = 2;
		for tensor in &mut tensors {
			tensor.data.extend_from_within(..);
		}
	}
	if first.rows.is_some() {
		for tensor in &mut tensors {
			if let Some(axis) = tensor.shape.first_mut() {
				*axis = rows;
			}
		}
	}
	(serialize(&tensors), rows)
}

/// The outputs of a run of `total` rows, one list for each of `parts`. `None` if an output has another number of
/// rows: then its rows are not those of the inputs.
pub(super) fn split(outputs: &[Tensor], parts: &[usize], total: usize) -> Option<Vec<Vec<Tensor>>> {
	if outputs
		.iter()
		.any(|tensor| tensor.rows() != total || tensor.shape.is_empty())
	{
		return None;
	}
	let mut start = 0;
	let mut lists = Vec::with_capacity(parts.len());
	for rows in parts {
		let mut list = Vec::with_capacity(outputs.len());
		for tensor in outputs {
			let row = tensor.data.len().checked_div(total)?;
			let data = tensor.data.get(start * row..(start + rows) * row)?.to_vec();
			let mut shape = tensor.shape.clone();
			*shape.first_mut()? = *rows;
			list.push(Tensor {
				name: tensor.name.clone(),
				dtype: tensor.dtype,
				shape,
				data,
			});
		}
		lists.push(list);
		start += rows;
	}
	Some(lists)
}

/// The outputs of an answer, if it is a safetensors file with exactly what was registered.
pub(super) fn read_outputs(answer: &[u8], spec: &VersionSpec) -> Result<Vec<Tensor>, EngineError> {
	let wrong = |error| EngineError::RunFailed(format!("the answer is not what was registered: {error}"));
	let tensors = parse(answer).map_err(wrong)?;
	check_outputs(&tensors, &spec.outputs).map_err(wrong)?;
	Ok(tensors)
}

/// What a shared run says, beside runs of the same inputs one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shared {
	/// Rows do not change one another.
	Same,
	/// They do, or the model runs at one width only.
	Differs,
	/// Nothing: it took longer than there was time.
	TimedOut,
}

/// Compares the results of a shared run with those of runs one by one.
pub(super) fn compare(
	together: &Result<Option<Vec<RunOutput>>, EngineError>,
	alone: &[Result<RunOutput, EngineError>],
	spec: &VersionSpec,
) -> Shared {
	let pairs_are_same = |together: &[RunOutput]| {
		let mut pairs = together.iter().zip(alone);
		together.len() == alone.len() && pairs.all(|(a, b)| b.as_ref().is_ok_and(|b| same(a, b, spec)))
	};
	match together {
		Ok(Some(together)) if pairs_are_same(together) => Shared::Same,
		Err(EngineError::TimedOut) => Shared::TimedOut,
		_ => Shared::Differs,
	}
}

/// Whether a job's result of a shared run differs from that of its own run by less than a tenth of what two honest nodes
/// may differ by.
fn same(shared: &RunOutput, alone: &RunOutput, spec: &VersionSpec) -> bool {
	let sketches = match &spec.trace {
		None => true,
		Some(trace) => shared
			.sketches
			.iter()
			.zip(&alone.sketches)
			.all(|(a, b)| a.agrees_with(b, trace.tolerance / 10)),
	};
	sketches && same_file(&shared.file, &alone.file, &spec.policy)
}

fn same_file(shared: &[u8], alone: &[u8], policy: &VerificationPolicy) -> bool {
	if shared == alone {
		return true;
	}
	let Some(bounds) = Bounds::of(policy) else {
		return false;
	};
	match (parse(alone), parse(shared)) {
		(Ok(alone), Ok(shared)) => passes_within(&alone, &shared, Some(&bounds.tenth())),
		_ => false,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::{
		model::{DType, Unit},
		BlobRef, Sketch,
	};

	fn input(rows: usize, width: usize, fill: u8) -> Input {
		let tensors = vec![Tensor::new("x", DType::U8, vec![rows, width], vec![fill; rows * width]).unwrap()];
		Input {
			tensors,
			rows: Some(rows),
		}
	}

	#[test]
	fn groups_should_keep_shapes_and_limits_apart_when_inputs_differ() {
		let inputs = [
			Some(input(1, 2, 0)),
			None,
			Some(input(1, 3, 0)),
			Some(input(2, 2, 0)),
			Some(input(3, 2, 0)),
		];
		assert_eq!(groups(&inputs, 4), vec![vec![0, 3], vec![2], vec![4]]);
	}

	#[test]
	fn join_should_double_a_lone_row_when_padding_is_asked_for() {
		let one = input(1, 2, 7);
		let (file, rows) = join(&[&one], true);
		assert_eq!(rows, 2);
		assert_eq!(parse(&file).unwrap()[0].data, vec![7; 4]);
		assert_eq!(join(&[&one], false).1, 1);
	}

	#[test]
	fn split_should_give_back_each_parts_rows_when_joined_before() {
		let (a, b) = (input(1, 2, 1), input(2, 2, 2));
		let (file, rows) = join(&[&a, &b], true);
		let lists = split(&parse(&file).unwrap(), &[1, 2], rows).unwrap();
		assert_eq!(lists, vec![a.tensors, b.tensors]);
		assert_eq!(split(&parse(&file).unwrap(), &[1, 2], 4), None);
	}

	#[test]
	fn same_should_allow_a_tenth_of_the_tolerance_when_the_policy_is_tolerance() {
		let file = |x: f32| serialize(&[Tensor::new("y", DType::F32, vec![1], x.to_le_bytes().to_vec()).unwrap()]);
		let policy = VerificationPolicy::Tolerance {
			atol: 1_000_000,
			rtol: 0,
			outliers: Default::default(),
		};
		assert!(same_file(&file(1.0), &file(1.00009), &policy));
		assert!(!same_file(&file(1.0), &file(1.0002), &policy));
		assert!(!same_file(&file(1.0), &file(1.00001), &VerificationPolicy::Exact));
	}

	/// The output of a run with this byte in it.
	fn output(byte: u8) -> RunOutput {
		RunOutput {
			file: vec![byte].into(),
			sketches: vec![Sketch::default()],
		}
	}

	#[test]
	fn shared_run_should_say_nothing_when_it_took_too_long_and_differ_when_it_failed_otherwise() {
		let spec = VersionSpec {
			artifact: BlobRef::of(b"model"),
			licence: Default::default(),
			inputs: Default::default(),
			outputs: Default::default(),
			unit: Unit::Request,
			unit_time_ms: 1,
			policy: VerificationPolicy::Exact,
			trace: None,
			detection: Default::default(),
			shares_runs: true,
			recipe: None,
		};
		let alone = [Ok(output(1)), Ok(output(2))];
		for (together, says) in [
			(Ok(Some(vec![output(1), output(2)])), Shared::Same),
			(Ok(Some(vec![output(1), output(3)])), Shared::Differs),
			(Ok(Some(vec![output(1)])), Shared::Differs),
			(Ok(None), Shared::Differs),
			(Err(EngineError::RunFailed("one row only".into())), Shared::Differs),
			(Err(EngineError::ChildDied("signal 11".into())), Shared::Differs),
			(Err(EngineError::TimedOut), Shared::TimedOut),
		] {
			assert_eq!(compare(&together, &alone, &spec), says, "{together:?}");
		}
		let one_failed = [Ok(output(1)), Err(EngineError::TimedOut)];
		let together = Ok(Some(vec![output(1), output(2)]));
		assert_eq!(compare(&together, &one_failed, &spec), Shared::Differs);
	}
}
