//! Writes an ONNX file anew with one output more.

use super::{
	graph::{Graph, Type},
	search::{dtype, Found},
	Traced, MAX_NAME,
};
use crate::precheck::{
	wire::{fields, put_bytes, put_number, Value},
	Refusal,
};
use std::collections::HashSet;

/// The name of a trace that has none of its own: one led out of an `If`, or one whose name is too long for the chain.
const NAME: &str = "highway_trace";

/// The file with the tensor that was found among its outputs. `None` if that tensor is no float after all.
pub(super) fn rewrite(model: &[u8], graph: &Graph<'_>, found: &Found<'_>) -> Result<Option<Traced>, Refusal> {
	let mut taken = HashSet::new();
	graph.names(&mut taken);
	let mut names = Names { taken, next: 1 };
	let Some(dtype) = dtype(found.kind()) else {
		return Ok(None);
	};
	let mut file = Vec::with_capacity(model.len() + 1024);
	let mut tensor = None;
	for field in fields(model) {
		let field = field?;
		match (field.number, field.value) {
			(7, Value::Bytes(graph)) => {
				let (graph, name) = with_output(graph, found, &mut names, true)?;
				put_bytes(&mut file, 7, &graph);
				tensor = Some(name);
			}
			_ => file.extend_from_slice(field.raw),
		}
	}
	let tensor = tensor.and_then(|name| String::from_utf8(name).ok());
	Ok(tensor.map(|tensor| Traced { file, tensor, dtype }))
}

struct Names<'a> {
	taken: HashSet<&'a [u8]>,
	next: u32,
}

impl Names<'_> {
	/// A name that occurs nowhere in the file.
	fn fresh(&mut self) -> Vec<u8> {
		loop {
			let name = match self.next {
				1 => NAME.into(),
				count => format!("{NAME}_{count}"),
			};
			self.next += 1;
			if !self.taken.contains(name.as_bytes()) {
				return name.into_bytes();
			}
		}
	}
}

/// The graph with one output more, and that output's name.
fn with_output(
	graph: &[u8],
	found: &Found<'_>,
	names: &mut Names<'_>,
	outermost: bool,
) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
	let mut written = Vec::with_capacity(graph.len() + 512);
	let name = match found {
		Found::Value { name, .. } => {
			written.extend_from_slice(graph);
			let fits = name.len() <= MAX_NAME && std::str::from_utf8(name).is_ok();
			if !outermost || fits {
				name.to_vec()
			} else {
				let short = names.fresh();
				let mut node = Vec::new();
				put_bytes(&mut node, 1, name);
				put_bytes(&mut node, 2, &short);
				put_bytes(&mut node, 4, b"Identity");
				put_bytes(&mut written, 1, &node);
				short
			}
		}
		Found::Inside { node, branches, .. } => {
			let name = names.fresh();
			let mut index = 0;
			for field in fields(graph) {
				let field = field?;
				if field.number == 1 && index == *node {
					let changed = with_branch_outputs(field.bytes()?, branches, &name, names)?;
					put_bytes(&mut written, 1, &changed);
				} else {
					written.extend_from_slice(field.raw);
				}
				index += usize::from(field.number == 1);
			}
			name
		}
	};
	put_bytes(&mut written, 12, &value_info(&name, found.kind()));
	Ok((written, name))
}

/// The `If` with one output more on itself and on each of its branches.
fn with_branch_outputs(
	node: &[u8],
	branches: &[(&[u8], Found<'_>)],
	name: &[u8],
	names: &mut Names<'_>,
) -> Result<Vec<u8>, Refusal> {
	let mut written = Vec::with_capacity(node.len() + 512);
	for field in fields(node) {
		let field = field?;
		let branch = match field.number {
			5 => branch_of(field.bytes()?, branches)?,
			_ => None,
		};
		let Some(found) = branch else {
			written.extend_from_slice(field.raw);
			continue;
		};
		let mut attribute = Vec::new();
		for field in fields(field.bytes()?) {
			let field = field?;
			if field.number == 6 {
				let (graph, _) = with_output(field.bytes()?, found, names, false)?;
				put_bytes(&mut attribute, 6, &graph);
			} else {
				attribute.extend_from_slice(field.raw);
			}
		}
		put_bytes(&mut written, 5, &attribute);
	}
	put_bytes(&mut written, 2, name);
	Ok(written)
}

/// What was found in the branch that this attribute is.
fn branch_of<'f, 'a>(attribute: &[u8], branches: &'f [(&[u8], Found<'a>)]) -> Result<Option<&'f Found<'a>>, Refusal> {
	for field in fields(attribute) {
		let field = field?;
		if field.number == 1 {
			let name = field.bytes()?;
			return Ok(branches
				.iter()
				.find(|(branch, _)| *branch == name)
				.map(|(_, found)| found));
		}
	}
	Ok(None)
}

fn value_info(name: &[u8], kind: Type) -> Vec<u8> {
	let mut tensor = Vec::new();
	put_number(&mut tensor, 1, kind.element.unwrap_or(0));
	if let Some(rank) = kind.rank {
		let mut shape = Vec::new();
		// Dimensions without a value: dynamic ones.
		(0..rank).for_each(|_| put_bytes(&mut shape, 1, &[]));
		put_bytes(&mut tensor, 2, &shape);
	}
	let mut kind = Vec::new();
	put_bytes(&mut kind, 1, &tensor);
	let mut value = Vec::new();
	put_bytes(&mut value, 1, name);
	put_bytes(&mut value, 2, &kind);
	value
}
