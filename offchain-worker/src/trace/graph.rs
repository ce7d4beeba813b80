//! What the search needs to know of a graph, read from its protobuf. Field numbers are those of `onnx.proto`.
//!
//! The file has passed the pre-check: sizes, depth and repeated fields are bounded by that.

use crate::precheck::{wire::fields, Refusal};
use std::collections::{HashMap, HashSet};

/// ONNX's numbers of the element types that a trace may have.
pub(super) const FLOAT: u64 = 1;
pub(super) const DOUBLE: u64 = 11;

/// What is known of a tensor. `None`: not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Type {
	/// ONNX's number of the element type.
	pub element: Option<u64>,
	/// Number of dimensions.
	pub rank: Option<usize>,
}

/// A graph, with names borrowed from the file.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
	pub nodes: Vec<Node<'a>>,
	pub outputs: Vec<&'a [u8]>,
	pub inputs: Vec<&'a [u8]>,
	/// Types that the file states, constants included.
	pub types: HashMap<&'a [u8], Type>,
	/// Constants, and how many elements they have.
	pub constants: HashMap<&'a [u8], u64>,
}

/// A node.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
	pub operator: &'a [u8],
	pub inputs: Vec<&'a [u8]>,
	pub outputs: Vec<&'a [u8]>,
	pub attributes: Vec<Attribute<'a>>,
}

/// An attribute, as far as types and ranks depend on it.
#[derive(Debug, Default)]
pub(super) struct Attribute<'a> {
	pub name: &'a [u8],
	pub number: Option<i64>,
	/// How many integers it lists.
	pub count: usize,
	/// Type and number of elements of the constant that it holds.
	pub constant: Option<(Type, u64)>,
	pub body: Option<Graph<'a>>,
}

impl<'a> Graph<'a> {
	pub fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
		let mut graph = Self::default();
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => graph.nodes.push(Node::read(field.bytes()?)?),
				5 => {
					let (name, kind, count) = tensor(field.bytes()?)?;
					graph.constant(name, kind, count);
				}
				11..=13 => {
					let (name, kind) = value(field.bytes()?)?;
					match field.number {
						11 => graph.inputs.push(name),
						12 => graph.outputs.push(name),
						_ => {}
					}
					if kind != Type::default() {
						graph.types.insert(name, kind);
					}
				}
				15 => {
					// A sparse constant: its name is that of its values, its rank the number of its dimensions.
					let (mut name, mut kind) = (&[][..], Type::default());
					let mut rank = 0;
					for field in fields(field.bytes()?) {
						let field = field?;
						match field.number {
							1 => (name, kind, _) = tensor(field.bytes()?)?,
							3 => field.numbers(|_| {
								rank += 1;
								Ok(())
							})?,
							_ => {}
						}
					}
					kind.rank = Some(rank);
					graph.constant(name, kind, 0);
				}
				_ => {}
			}
		}
		Ok(graph)
	}

	fn constant(&mut self, name: &'a [u8], kind: Type, count: u64) {
		self.types.insert(name, kind);
		self.constants.insert(name, count);
	}

	/// Names that the graph uses and does not define: those of the graphs around it.
	pub fn captured(&self) -> Vec<&'a [u8]> {
		let mut defined: HashSet<&[u8]> = self.inputs.iter().chain(self.constants.keys()).copied().collect();
		let mut captured = Vec::new();
		let mut seen = HashSet::new();
		for node in &self.nodes {
			for input in node.all_inputs() {
				if !input.is_empty() && !defined.contains(input) && seen.insert(input) {
					captured.push(input);
				}
			}
			defined.extend(node.outputs.iter().copied());
		}
		captured
	}

	/// Every name that occurs in it and in its bodies.
	pub fn names(&self, into: &mut HashSet<&'a [u8]>) {
		into.extend(
			self.inputs
				.iter()
				.chain(&self.outputs)
				.chain(self.constants.keys())
				.copied(),
		);
		into.extend(self.types.keys().copied());
		for node in &self.nodes {
			into.extend(node.inputs.iter().chain(&node.outputs).copied());
			node.bodies().for_each(|body| body.names(into));
		}
	}
}

impl<'a> Node<'a> {
	fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
		let mut node = Self::default();
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => node.inputs.push(field.bytes()?),
				2 => node.outputs.push(field.bytes()?),
				4 => node.operator = field.bytes()?,
				5 => node.attributes.push(Attribute::read(field.bytes()?)?),
				_ => {}
			}
		}
		Ok(node)
	}

	pub fn attribute(&self, name: &[u8]) -> Option<&Attribute<'a>> {
		self.attributes.iter().find(|attribute| attribute.name == name)
	}

	pub fn bodies(&self) -> impl Iterator<Item = &Graph<'a>> {
		self.attributes.iter().filter_map(|attribute| attribute.body.as_ref())
	}

	/// Its inputs, and what its bodies take from outside.
	pub fn all_inputs(&self) -> Vec<&'a [u8]> {
		let mut inputs = self.inputs.clone();
		self.bodies().for_each(|body| inputs.extend(body.captured()));
		inputs
	}
}

impl<'a> Attribute<'a> {
	fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
		let mut attribute = Self::default();
		// A number or a list of them is a constant as well, in a `Constant` node.
		let listed = |attribute: &mut Self, element, rank, count: u64| {
			let kind = Type {
				element: Some(element),
				rank: Some(rank),
			};
			let before = attribute.constant.map_or(0, |(_, count)| count);
			attribute.constant = Some((kind, if rank == 0 { 1 } else { before + count }));
		};
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => attribute.name = field.bytes()?,
				2 => listed(&mut attribute, FLOAT, 0, 1),
				3 => {
					attribute.number = Some(field.varint()? as i64);
					listed(&mut attribute, 7, 0, 1);
				}
				5 => {
					let (_, kind, count) = tensor(field.bytes()?)?;
					attribute.constant = Some((kind, count));
				}
				6 => attribute.body = Some(Graph::read(field.bytes()?)?),
				7 => listed(&mut attribute, FLOAT, 1, 1),
				8 => {
					let mut count = 0;
					field.numbers(|_| {
						count += 1;
						Ok(())
					})?;
					attribute.count += count;
					listed(&mut attribute, 7, 1, count as u64);
				}
				_ => {}
			}
		}
		Ok(attribute)
	}
}

/// Name, type and number of elements of a constant.
fn tensor(bytes: &[u8]) -> Result<(&[u8], Type, u64), Refusal> {
	let (mut name, mut kind, mut rank, mut count) = (&[][..], Type::default(), 0, 1u64);
	for field in fields(bytes) {
		let field = field?;
		match field.number {
			1 => field.numbers(|dim| {
				rank += 1;
				count = count.saturating_mul(dim.unsigned_abs());
				Ok(())
			})?,
			2 => kind.element = Some(field.varint()?),
			8 => name = field.bytes()?,
			_ => {}
		}
	}
	kind.rank = Some(rank);
	Ok((name, kind, count))
}

/// Name and type of a value; not a tensor, or not stated: nothing is known.
fn value(bytes: &[u8]) -> Result<(&[u8], Type), Refusal> {
	let (mut name, mut kind) = (&[][..], Type::default());
	for field in fields(bytes) {
		let field = field?;
		match field.number {
			1 => name = field.bytes()?,
			2 => {
				for field in fields(field.bytes()?) {
					let field = field?;
					if field.number == 1 {
						kind = tensor_type(field.bytes()?)?;
					}
				}
			}
			_ => {}
		}
	}
	Ok((name, kind))
}

fn tensor_type(bytes: &[u8]) -> Result<Type, Refusal> {
	let mut kind = Type::default();
	for field in fields(bytes) {
		let field = field?;
		match field.number {
			1 => kind.element = Some(field.varint()?).filter(|element| *element != 0),
			2 => {
				let mut rank = 0;
				for field in fields(field.bytes()?) {
					rank += usize::from(field?.number == 1);
				}
				kind.rank = Some(rank);
			}
			_ => {}
		}
	}
	Ok(kind)
}
