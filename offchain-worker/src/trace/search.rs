//! The search for the trace in a graph that was read.

use super::{
	graph::{Graph, Node, Type, DOUBLE, FLOAT},
	MAX_HEAD,
};
use highway_primitives::model::DType;
use std::collections::HashMap;

/// Operators that combine values with weights, or with one another as attention does: a cheat would leave them out.
const LAYERS: &[&[u8]] = &[
	b"Conv",
	b"ConvTranspose",
	b"ConvInteger",
	b"DeformConv",
	b"Gemm",
	b"MatMul",
	b"MatMulInteger",
	b"Einsum",
	b"LSTM",
	b"GRU",
	b"RNN",
	b"Attention",
	b"QLinearConv",
	b"QLinearMatMul",
	b"DecoderMaskedMultiHeadAttention",
	b"DynamicQuantizeLSTM",
	b"DynamicQuantizeMatMul",
	b"FusedConv",
	b"FusedGemm",
	b"FusedMatMul",
	b"GroupQueryAttention",
	b"MatMulBnb4",
	b"MatMulIntegerToFloat",
	b"MatMulNBits",
	b"MultiHeadAttention",
	b"NhwcConv",
	b"PackedAttention",
	b"PackedMultiHeadAttention",
	b"QAttention",
	b"QGemm",
];

/// Operators that take a part of a tensor.
const SELECTIONS: &[&[u8]] = &[b"Gather", b"GatherElements", b"GatherND", b"Slice", b"Compress"];

/// More dimensions than the pre-check lets any tensor have. A few gathers of gathers would have more than can be counted.
const MAX_RANK: usize = 64;

/// Operators that make probabilities of logits.
const SQUASHING: &[&[u8]] = &[b"Softmax", b"LogSoftmax", b"Hardmax", b"Sigmoid", b"HardSigmoid"];

fn is_reduction(operator: &[u8]) -> bool {
	operator.starts_with(b"Reduce") || operator.ends_with(b"Pool") || operator == b"QLinearReduceMean"
}

/// The element type of a trace, if it may be one.
pub(super) fn dtype(kind: Type) -> Option<DType> {
	match kind.element {
		Some(FLOAT) => Some(DType::F32),
		Some(DOUBLE) => Some(DType::F64),
		_ => None,
	}
}

/// Where the trace is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Found<'a> {
	/// A tensor of this graph.
	Value { name: &'a [u8], kind: Type },
	/// Tensors within each branch of an `If`, by the branch's name.
	Inside {
		node: usize,
		kind: Type,
		branches: Vec<(&'a [u8], Found<'a>)>,
	},
}

impl Found<'_> {
	pub fn kind(&self) -> Type {
		match self {
			Self::Value { kind, .. } | Self::Inside { kind, .. } => *kind,
		}
	}
}

/// What is known of the values of a graph, by number.
pub(super) struct Facts<'a> {
	numbers: HashMap<&'a [u8], usize>,
	values: Vec<Fact>,
	/// Inputs of each node, what its bodies capture included, and its outputs.
	inputs: Vec<Vec<usize>>,
	outputs: Vec<Vec<usize>>,
	/// Whether a node has weights or a body with such.
	layers: Vec<bool>,
	/// The facts of each node's bodies.
	bodies: HashMap<usize, Vec<Facts<'a>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Fact {
	kind: Type,
	/// Elements of a constant.
	count: Option<u64>,
	producer: Option<usize>,
	/// Whether a layer lies behind it, in this graph or around it.
	heavy: bool,
	/// Whether a layer of this graph lies behind it.
	own: bool,
	/// Whether it is made of probabilities by cheap operators.
	squashed: bool,
}

/// The graphs around a body, innermost first.
pub(super) struct Scope<'s, 'a> {
	facts: &'s Facts<'a>,
	parent: Option<&'s Scope<'s, 'a>>,
}

impl Scope<'_, '_> {
	fn look_up(&self, name: &[u8]) -> Option<Fact> {
		match self.facts.numbers.get(name) {
			Some(number) => Some(self.facts.values[*number]),
			None => self.parent?.look_up(name),
		}
	}
}

impl<'a> Facts<'a> {
	/// One pass in the order of the file, which is that of the computation.
	pub fn of(graph: &Graph<'a>, parent: Option<&Scope<'_, 'a>>) -> Self {
		let mut facts = Self {
			numbers: HashMap::new(),
			values: Vec::new(),
			inputs: Vec::with_capacity(graph.nodes.len()),
			outputs: Vec::with_capacity(graph.nodes.len()),
			layers: Vec::with_capacity(graph.nodes.len()),
			bodies: HashMap::new(),
		};
		for (name, kind) in &graph.types {
			let number = facts.number(name, None);
			facts.values[number].kind = *kind;
			facts.values[number].count = graph.constants.get(name).copied();
		}
		for (index, node) in graph.nodes.iter().enumerate() {
			let inputs: Vec<usize> = node
				.all_inputs()
				.into_iter()
				.map(|name| facts.number(name, parent))
				.collect();
			let bodies: Vec<Facts<'a>> = {
				let scope = Scope { facts: &facts, parent };
				node.bodies().map(|body| Facts::of(body, Some(&scope))).collect()
			};
			let layer = LAYERS.contains(&node.operator) || bodies.iter().any(|body| body.layers.contains(&true));
			let behind = |fact: fn(&Fact) -> bool| inputs.iter().any(|input| fact(&facts.values[*input]));
			let (heavy, own) = (layer || behind(|fact| fact.heavy), layer || behind(|fact| fact.own));
			let squashed = SQUASHING.contains(&node.operator) || (!layer && behind(|fact| fact.squashed));
			let kinds = facts.kinds(node, &inputs, &bodies);
			let mut outputs = Vec::with_capacity(node.outputs.len());
			// An output that nobody wants has no name.
			for (place, name) in node.outputs.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
				let number = facts.number(name, None);
				let fact = &mut facts.values[number];
				let inferred = kinds.get(place).copied().unwrap_or_default();
				fact.kind.element = fact.kind.element.or(inferred.element);
				fact.kind.rank = fact.kind.rank.or(inferred.rank.filter(|rank| *rank <= MAX_RANK));
				(fact.heavy, fact.own, fact.squashed) = (heavy, own, squashed);
				fact.producer = Some(index);
				if node.operator == b"Constant" {
					fact.count = node.attributes.iter().find_map(|a| a.constant).map(|(_, count)| count);
				}
				outputs.push(number);
			}
			facts.inputs.push(inputs);
			facts.outputs.push(outputs);
			facts.layers.push(layer);
			if !bodies.is_empty() {
				facts.bodies.insert(index, bodies);
			}
		}
		facts
	}

	fn number(&mut self, name: &'a [u8], parent: Option<&Scope<'_, 'a>>) -> usize {
		let values = &mut self.values;
		*self.numbers.entry(name).or_insert_with(|| {
			let outer = parent.and_then(|scope| scope.look_up(name)).unwrap_or_default();
			values.push(Fact {
				producer: None,
				own: false,
				..outer
			});
			values.len() - 1
		})
	}

	/// Types of a node's outputs, as far as its operator tells.
	fn kinds(&self, node: &Node<'a>, inputs: &[usize], bodies: &[Facts<'a>]) -> Vec<Type> {
		let input = |place: usize| inputs.get(place).map(|number| self.values[*number]).unwrap_or_default();
		let same = input(0).kind;
		let of = |element: u64, rank: Option<usize>| Type {
			element: Some(element),
			rank,
		};
		let with_rank = |rank: Option<usize>| Type { rank, ..same };
		// Axes are an attribute in old files and a constant in new ones.
		let axes = |place: usize| -> Option<usize> {
			match node.attribute(b"axes") {
				Some(axes) => Some(axes.count),
				None => input(place).count.and_then(|count| usize::try_from(count).ok()),
			}
		};
		let widest = || {
			node.inputs
				.iter()
				.enumerate()
				.try_fold(0, |most, (place, _)| Some(most.max(input(place).kind.rank?)))
		};
		match node.operator {
			b"Constant" => {
				let constant = node.attributes.iter().find_map(|attribute| attribute.constant);
				vec![constant.map(|(kind, _)| kind).unwrap_or_default()]
			}
			b"Shape" | b"NonZero" => vec![of(7, None)],
			b"Size" => vec![of(7, Some(0))],
			b"ArgMax" | b"ArgMin" => vec![of(7, None)],
			b"Equal" | b"Greater" | b"Less" | b"GreaterOrEqual" | b"LessOrEqual" | b"And" | b"Or" | b"Xor" => {
				vec![of(9, widest())]
			}
			b"Not" | b"IsNaN" | b"IsInf" => vec![of(9, same.rank)],
			b"Cast" => {
				let to = node
					.attribute(b"to")
					.and_then(|to| to.number)
					.and_then(|to| u64::try_from(to).ok());
				vec![Type { element: to, ..same }]
			}
			b"CastLike" => vec![Type {
				rank: same.rank,
				..input(1).kind
			}],
			b"ConstantOfShape" => {
				let value = node.attribute(b"value").and_then(|value| value.constant);
				vec![Type {
					element: value.map_or(Some(FLOAT), |(kind, _)| kind.element),
					rank: input(0).count.and_then(|count| usize::try_from(count).ok()),
				}]
			}
			b"QuantizeLinear" => vec![Type {
				element: input(2).kind.element.or(Some(2)),
				..same
			}],
			b"DequantizeLinear" => vec![Type {
				element: input(1).kind.element,
				..same
			}],
			b"DynamicQuantizeLinear" => vec![of(2, same.rank), of(FLOAT, Some(0)), of(2, Some(0))],
			b"ConvInteger" | b"MatMulInteger" => vec![of(6, same.rank)],
			b"MatMulIntegerToFloat" | b"EmbedLayerNormalization" => vec![Type {
				element: input(2).kind.element,
				rank: None,
			}],
			b"QAttention" => vec![Type {
				element: input(3).kind.element,
				..same
			}],
			b"TopK" | b"MaxPool" => vec![same, of(7, same.rank)],
			b"Where" => vec![Type {
				rank: widest(),
				..input(1).kind
			}],
			b"OneHot" => vec![Type {
				element: input(2).kind.element,
				rank: same.rank.map(|rank| rank + 1),
			}],
			b"Reshape" => vec![with_rank(input(1).count.and_then(|count| usize::try_from(count).ok()))],
			b"Expand" => vec![with_rank(
				same.rank
					.zip(input(1).count.and_then(|count| usize::try_from(count).ok()))
					.map(|(rank, wanted)| rank.max(wanted)),
			)],
			b"Unsqueeze" => vec![with_rank(same.rank.zip(axes(1)).map(|(rank, axes)| rank + axes))],
			b"Squeeze" => vec![with_rank(
				same.rank.zip(axes(1)).and_then(|(rank, axes)| rank.checked_sub(axes)),
			)],
			b"Flatten" | b"Gemm" => vec![with_rank(Some(2))],
			b"Gather" => vec![with_rank(
				same.rank
					.zip(input(1).kind.rank)
					.and_then(|(data, indices)| (data + indices).checked_sub(1)),
			)],
			operator if operator.starts_with(b"Reduce") => {
				let keeps = node.attribute(b"keepdims").and_then(|keeps| keeps.number) != Some(0);
				let rank = if keeps {
					same.rank
				} else {
					same.rank.zip(axes(1)).and_then(|(rank, axes)| rank.checked_sub(axes))
				};
				vec![with_rank(rank)]
			}
			b"LSTM" | b"GRU" | b"RNN" => vec![with_rank(Some(4)), with_rank(Some(3)), with_rank(Some(3))],
			// Attention's second output and the like have another rank.
			b"GatherND" | b"Compress" | b"Einsum" | b"Attention" | b"GroupQueryAttention" | b"MultiHeadAttention" => {
				vec![with_rank(None); node.outputs.len()]
			}
			b"MatMul" | b"FusedMatMul" | b"Add" | b"Sub" | b"Mul" | b"Div" | b"Pow" | b"Max" | b"Min" | b"Sum"
			| b"Mean" | b"Mod" | b"PRelu" => vec![with_rank(widest())],
			b"If" => branch_kinds(node, bodies),
			b"Loop" | b"Scan" => {
				// The body's first output of a loop is its condition.
				let skipped = usize::from(node.operator == b"Loop");
				let body = bodies.first().zip(node.bodies().next());
				let kinds = body.map(|(facts, body)| facts.output_kinds(body)).unwrap_or_default();
				kinds
					.into_iter()
					.skip(skipped)
					.map(|kind| Type { rank: None, ..kind })
					.collect()
			}
			operator if operator.starts_with(b"Sequence") || operator.starts_with(b"Optional") => Vec::new(),
			_ => vec![same; node.outputs.len()],
		}
	}

	fn output_kinds(&self, graph: &Graph<'_>) -> Vec<Type> {
		graph
			.outputs
			.iter()
			.map(|name| {
				self.numbers
					.get(name)
					.map(|number| self.values[*number].kind)
					.unwrap_or_default()
			})
			.collect()
	}

	/// Which values the outputs may determine, where only the nodes for which `is_wall` holds lose anything.
	fn seen(&self, graph: &Graph<'a>, is_wall: impl Fn(usize) -> bool) -> Vec<bool> {
		let mut consumers = vec![Vec::new(); self.values.len()];
		// How many inputs of a node are neither seen nor to be had for nothing.
		let mut hidden = vec![0usize; self.inputs.len()];
		for (node, inputs) in self.inputs.iter().enumerate() {
			for input in inputs.iter().filter(|input| self.values[**input].heavy) {
				consumers[*input].push(node);
				hidden[node] += 1;
			}
		}
		let mut seen = vec![false; self.values.len()];
		let mut queue: Vec<usize> = graph
			.outputs
			.iter()
			.filter_map(|name| self.numbers.get(name))
			.copied()
			.collect();
		while let Some(value) = queue.pop() {
			if std::mem::replace(&mut seen[value], true) {
				continue;
			}
			if let Some(producer) = self.values[value].producer.filter(|node| !is_wall(*node)) {
				queue.extend(&self.inputs[producer]);
			}
			for consumer in &consumers[value] {
				hidden[*consumer] = hidden[*consumer].saturating_sub(1);
				if hidden[*consumer] == 0 {
					queue.extend(&self.outputs[*consumer]);
				}
			}
		}
		seen
	}

	/// Layers on the longest way from each node's outputs to the graph's outputs; `None`: there is no way.
	fn heads(&self, graph: &Graph<'a>) -> Vec<Option<u32>> {
		let mut values: Vec<Option<u32>> = vec![None; self.values.len()];
		for output in graph.outputs.iter().filter_map(|name| self.numbers.get(name)) {
			values[*output] = Some(0);
		}
		let mut heads = vec![None; self.inputs.len()];
		for node in (0..self.inputs.len()).rev() {
			let head = self.outputs[node].iter().filter_map(|output| values[*output]).max();
			heads[node] = head;
			let Some(head) = head else { continue };
			let below = head + u32::from(self.layers[node]);
			for input in &self.inputs[node] {
				values[*input] = values[*input].max(Some(below));
			}
		}
		heads
	}

	/// Whether the value may be the trace, as far as it alone can tell.
	fn is_candidate(&self, value: usize, seen: &[bool]) -> bool {
		let fact = &self.values[value];
		fact.own && fact.producer.is_some() && dtype(fact.kind).is_some() && !seen[value]
	}
}

/// What both branches agree on.
fn branch_kinds(node: &Node<'_>, bodies: &[Facts<'_>]) -> Vec<Type> {
	let mut kinds: Option<Vec<Type>> = None;
	for (facts, body) in bodies.iter().zip(node.bodies()) {
		let these = facts.output_kinds(body);
		kinds = Some(match kinds {
			None => these,
			Some(before) => before.into_iter().zip(these).map(|(a, b)| agreed(a, b)).collect(),
		});
	}
	kinds.unwrap_or_default()
}

fn agreed(a: Type, b: Type) -> Type {
	Type {
		element: a
			.element
			.filter(|element| b.element.is_none_or(|other| other == *element))
			.or(b.element),
		rank: a.rank.filter(|rank| b.rank == Some(*rank)),
	}
}

/// Finds the trace of a graph or of a branch.
pub(super) fn find<'a>(graph: &Graph<'a>, facts: &Facts<'a>) -> Option<Found<'a>> {
	let named = |value: usize| {
		let name = facts
			.numbers
			.iter()
			.find_map(|(name, number)| (*number == value).then_some(name))?;
		Some(Found::Value {
			name,
			kind: facts.values[value].kind,
		})
	};
	let by_wall = before_wall(graph, facts);
	match before_layer(graph, facts) {
		Some((node, Last::Inside(found))) if by_wall.is_none_or(|(wall, _)| wall < node) => Some(found),
		layer => match (by_wall, layer) {
			(Some((_, value)), _) | (None, Some((_, Last::Value(value)))) => named(value),
			(None, Some((_, Last::Inside(found)))) => Some(found),
			(None, None) => None,
		},
	}
}

/// The last pooling, reduction or selection near the outputs, and what comes into it.
fn before_wall<'a>(graph: &Graph<'a>, facts: &Facts<'a>) -> Option<(usize, usize)> {
	let heads = facts.heads(graph);
	let is_wall = |node: usize| {
		let operator = graph.nodes[node].operator;
		let (Some(head), Some(data)) = (heads[node], facts.inputs[node].first()) else {
			return false;
		};
		if head > MAX_HEAD || facts.layers[node] || !facts.values[*data].heavy {
			return false;
		}
		if SELECTIONS.contains(&operator) {
			// One that nothing follows takes a part of the logits.
			head > 0
		} else {
			is_reduction(operator) && (head > 0 || !facts.values[*data].squashed)
		}
	};
	let seen = facts.seen(graph, is_wall);
	(0..graph.nodes.len())
		.rev()
		.filter(|node| is_wall(*node) && facts.outputs[*node].iter().any(|output| seen[*output]))
		.find_map(|node| {
			let data = *facts.inputs[node].first()?;
			facts.is_candidate(data, &seen).then_some((node, data))
		})
}

/// What comes into a layer.
enum Last<'a> {
	Value(usize),
	Inside(Found<'a>),
}

/// The last layer from which the outputs follow by cheap operators, and what comes into it.
fn before_layer<'a>(graph: &Graph<'a>, facts: &Facts<'a>) -> Option<(usize, Last<'a>)> {
	let seen = facts.seen(graph, |node| facts.layers[node]);
	(0..graph.nodes.len())
		.rev()
		.filter(|node| facts.layers[*node] && facts.outputs[*node].iter().any(|output| seen[*output]))
		.find_map(|node| {
			if let Some(found) = within_branches(graph, facts, node) {
				return Some((node, Last::Inside(found)));
			}
			let value = facts.inputs[node]
				.iter()
				.copied()
				.filter(|input| facts.is_candidate(*input, &seen))
				.max_by_key(|input| facts.values[*input].producer)?;
			Some((node, Last::Value(value)))
		})
}

/// The trace within both branches of an `If`, if both have one of the same type.
fn within_branches<'a>(graph: &Graph<'a>, facts: &Facts<'a>, node: usize) -> Option<Found<'a>> {
	let branching = graph.nodes.get(node).filter(|node| node.operator == b"If")?;
	let mut branches = Vec::new();
	let mut kind: Option<Type> = None;
	let bodies = branching
		.attributes
		.iter()
		.filter_map(|attribute| Some((attribute.name, attribute.body.as_ref()?)));
	for ((name, body), body_facts) in bodies.zip(facts.bodies.get(&node)?) {
		// The new output has the same place on the node and on both branches.
		if body.outputs.len() != branching.outputs.len() || branches.iter().any(|(other, _)| *other == name) {
			return None;
		}
		let found = find(body, body_facts)?;
		kind = Some(match kind {
			None => found.kind(),
			Some(before) if before.element == found.kind().element => agreed(before, found.kind()),
			Some(_) => return None,
		});
		branches.push((name, found));
	}
	(branches.len() == 2).then_some(Found::Inside {
		node,
		kind: kind?,
		branches,
	})
}
