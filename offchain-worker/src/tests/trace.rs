use super::{graph::Graph, *};
use crate::precheck::{
	check_traced,
	wire::{fields, put_bytes, put_number},
};
use proptest::prelude::*;

/// A protobuf message being written.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
	fn int(mut self, field: u32, value: u64) -> Self {
		put_number(&mut self.0, field, value);
		self
	}

	fn bytes(mut self, field: u32, value: impl AsRef<[u8]>) -> Self {
		put_bytes(&mut self.0, field, value.as_ref());
		self
	}
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;

fn value(name: &str, element: u64, rank: usize) -> Vec<u8> {
	let shape = (0..rank).fold(Message::default(), |shape, _| {
		shape.bytes(1, Message::default().bytes(2, "N").0)
	});
	let tensor = Message::default().int(1, element).bytes(2, shape.0);
	Message::default()
		.bytes(1, name)
		.bytes(2, Message::default().bytes(1, tensor.0).0)
		.0
}

/// A graph being written: `f32` inputs and outputs of rank 2 unless said otherwise.
#[derive(Clone, Default)]
struct Build(Message);

impl Build {
	fn input(self, name: &str) -> Self {
		Self(self.0.bytes(11, value(name, FLOAT, 2)))
	}

	fn output(self, name: &str) -> Self {
		self.typed_output(name, FLOAT)
	}

	fn typed_output(self, name: &str, element: u64) -> Self {
		Self(self.0.bytes(12, value(name, element, 2)))
	}

	/// A constant of floats with this many dimensions.
	fn weight(self, name: &str) -> Self {
		let tensor = Message::default()
			.int(1, 1)
			.int(1, 1)
			.int(2, FLOAT)
			.bytes(8, name)
			.bytes(9, [0; 4]);
		Self(self.0.bytes(5, tensor.0))
	}

	fn node(self, operator: &str, inputs: &[&str], outputs: &[&str]) -> Self {
		self.node_with(operator, inputs, outputs, Message::default())
	}

	/// A node with more fields, such as attributes.
	fn node_with(self, operator: &str, inputs: &[&str], outputs: &[&str], more: Message) -> Self {
		let node = inputs
			.iter()
			.fold(Message::default(), |node, input| node.bytes(1, input));
		let node = outputs.iter().fold(node, |node, output| node.bytes(2, output));
		let node = [node.bytes(4, operator).0, more.0].concat();
		Self(self.0.bytes(1, node))
	}

	/// A layer with a weight of its own.
	fn layer(self, input: &str, output: &str) -> Self {
		let weight = format!("{output}_weight");
		self.weight(&weight).node("MatMul", &[input, &weight], &[output])
	}

	fn branches(self, condition: &str, outputs: &[&str], then: Build, otherwise: Build) -> Self {
		let branch = |name: &str, graph: Build| Message::default().bytes(1, name).bytes(6, graph.0 .0).int(20, 5).0;
		let attributes = Message::default()
			.bytes(5, branch("then_branch", then))
			.bytes(5, branch("else_branch", otherwise));
		self.node_with("If", &[condition], outputs, attributes)
	}

	fn model(self) -> Vec<u8> {
		let opset = Message::default().bytes(1, "").int(2, 17);
		Message::default().int(1, 8).bytes(7, self.0 .0).bytes(8, opset.0).0
	}
}

fn traced(graph: Build) -> Option<Traced> {
	let model = graph.model();
	let traced = add(&model, &Limits::default()).unwrap()?;
	let signature = check_traced(&traced.file, &Limits::default(), Some(&traced.tensor)).unwrap();
	let before = precheck::check(&model, &Limits::default()).unwrap();
	assert_eq!((signature.inputs, signature.outputs), (before.inputs, before.outputs));
	assert!(signature.trace.is_some());
	Some(traced)
}

fn found(graph: Build) -> Option<String> {
	traced(graph).map(|traced| traced.tensor)
}

/// `x` through two layers with an activation: `h` is behind the second.
fn encoder() -> Build {
	Build::default()
		.input("x")
		.layer("x", "a")
		.node("Relu", &["a"], &["b"])
		.layer("b", "c")
		.node("Relu", &["c"], &["h"])
}

/// A layer normalisation, as exporters write it out.
fn normalised(graph: Build, input: &str, output: &str) -> Build {
	graph
		.weight("epsilon")
		.node("ReduceMean", &[input], &["n_mean"])
		.node("Sub", &[input, "n_mean"], &["n_centred"])
		.node("Mul", &["n_centred", "n_centred"], &["n_square"])
		.node("ReduceMean", &["n_square"], &["n_variance"])
		.node("Add", &["n_variance", "epsilon"], &["n_safe"])
		.node("Sqrt", &["n_safe"], &["n_deviation"])
		.node("Div", &["n_centred", "n_deviation"], &[output])
}

#[test]
fn trace_should_be_the_poolings_input_when_a_short_head_follows() {
	for pooling in [
		"GlobalMaxPool",
		"GlobalAveragePool",
		"ReduceMean",
		"ReduceMax",
		"MaxPool",
	] {
		let graph = encoder()
			.node(pooling, &["h"], &["p"])
			.layer("p", "d")
			.node("Relu", &["d"], &["e"])
			.layer("e", "logits")
			.node("Softmax", &["logits"], &["y"])
			.output("y");
		assert_eq!(found(graph).as_deref(), Some("h"), "{pooling}");
	}
}

#[test]
fn trace_should_be_found_before_normalisation_and_written_out_softmax() {
	let graph = encoder().node("GlobalMaxPool", &["h"], &["p"]);
	let graph = normalised(graph, "p", "n")
		.layer("n", "logits")
		.node("ReduceMax", &["logits"], &["top"])
		.node("Sub", &["logits", "top"], &["shifted"])
		.node("Exp", &["shifted"], &["powers"])
		.node("ReduceSum", &["powers"], &["sum"])
		.node("Div", &["powers", "sum"], &["y"])
		.output("y");
	assert_eq!(found(graph).as_deref(), Some("h"));
}

#[test]
fn trace_should_be_the_last_layers_input_when_there_is_no_pooling() {
	let graph = normalised(encoder().layer("h", "z"), "z", "y").output("y");
	assert_eq!(
		found(graph).as_deref(),
		Some("h"),
		"the means of a normalisation are no walls"
	);
}

#[test]
fn trace_should_not_lie_before_a_pooling_that_is_far_away() {
	let graph = encoder()
		.node("MaxPool", &["h"], &["p"])
		.layer("p", "d1")
		.node("Relu", &["d1"], &["e1"])
		.layer("e1", "d2")
		.node("Relu", &["d2"], &["e2"])
		.layer("e2", "d3")
		.node("Relu", &["d3"], &["e3"])
		.layer("e3", "y")
		.output("y");
	assert_eq!(found(graph).as_deref(), Some("e3"));
}

#[test]
fn trace_should_not_be_the_logits_when_only_a_part_of_them_leaves() {
	for operator in ["ArgMax", "TopK", "Slice", "Gather"] {
		let graph = encoder()
			.layer("h", "logits")
			.node("Softmax", &["logits"], &["s"])
			.node(operator, &["s"], &["y"])
			.typed_output("y", if operator == "ArgMax" { INT64 } else { FLOAT });
		assert_eq!(found(graph).as_deref(), Some("h"), "{operator}");
	}
	// The mean of probabilities is a decision as well.
	let graph = encoder()
		.layer("h", "logits")
		.node("Sigmoid", &["logits"], &["s"])
		.node("ReduceMean", &["s"], &["y"])
		.output("y");
	assert_eq!(found(graph).as_deref(), Some("h"));
}

#[test]
fn trace_should_be_the_whole_tensor_when_a_part_of_it_is_selected_before_the_head() {
	let graph = encoder()
		.node("Gather", &["h"], &["first"])
		.layer("first", "d")
		.node("Tanh", &["d"], &["e"])
		.layer("e", "y")
		.output("y");
	assert_eq!(found(graph).as_deref(), Some("h"));
}

#[test]
fn trace_should_be_the_masked_tensor_when_a_mask_goes_around_the_sum() {
	let graph = encoder()
		.input("mask")
		.node("Mul", &["h", "mask"], &["masked"])
		.node("ReduceSum", &["masked"], &["sum"])
		.node("ReduceSum", &["mask"], &["count"])
		.node("Div", &["sum", "count"], &["y"])
		.output("y");
	assert_eq!(found(graph).as_deref(), Some("masked"));
}

#[test]
fn trace_should_be_hidden_from_every_output() {
	// What is pooled is an output itself: the trace lies before it.
	let graph = encoder().node("ReduceMean", &["h"], &["y"]).output("y").output("h");
	assert_eq!(found(graph).as_deref(), Some("b"));
	// A recurrent state that is handed over determines what follows from it.
	let graph = Build::default()
		.input("x")
		.input("state")
		.weight("w")
		.layer("x", "a")
		.node("Relu", &["a"], &["features"])
		.node("LSTM", &["features", "w", "w", "", "", "state"], &["", "next"])
		.layer("next", "logits")
		.node("Sigmoid", &["logits"], &["s"])
		.node("ReduceMean", &["s"], &["y"])
		.output("y")
		.output("next");
	assert_eq!(found(graph).as_deref(), Some("features"));
}

#[test]
fn nothing_should_be_found_when_the_model_is_too_small() {
	let identity = Build::default().input("x").node("Identity", &["x"], &["y"]).output("y");
	assert_eq!(found(identity), None);
	let one_layer = Build::default()
		.input("x")
		.layer("x", "z")
		.node("Softmax", &["z"], &["y"])
		.output("y");
	assert_eq!(found(one_layer), None);
	let pooled_input = Build::default()
		.input("x")
		.node("GlobalMaxPool", &["x"], &["p"])
		.layer("p", "y")
		.output("y");
	assert_eq!(found(pooled_input), None, "what is pooled cost nothing");
}

#[test]
fn trace_should_be_of_floats() {
	let graph = Build::default()
		.input("x")
		.layer("x", "a")
		.node("DynamicQuantizeLinear", &["a"], &["q", "scale", "zero"])
		.weight("w")
		.node("ConvInteger", &["q", "w"], &["integers"])
		.node_with(
			"Cast",
			&["integers"],
			&["y"],
			Message::default().bytes(5, Message::default().bytes(1, "to").int(3, 1).0),
		)
		.output("y");
	assert_eq!(found(graph), None, "what comes into the last layer are bytes");
	let quantised = |graph: Build| {
		graph
			.node("QuantizeLinear", &["h", "scale"], &["q"])
			.node("DequantizeLinear", &["q", "scale"], &["f"])
			.layer("f", "y")
			.output("y")
	};
	assert_eq!(found(quantised(encoder().weight("scale"))).as_deref(), Some("f"));
}

/// A branch that encodes `x` of the graph around it.
fn branch(prefix: &str, layers: bool) -> Build {
	let name = |name: &str| format!("{prefix}_{name}");
	let graph = Build::default();
	let graph = if layers {
		graph
			.layer("x", &name("a"))
			.node("Relu", &[&name("a")], &[&name("h")])
			.layer(&name("h"), &name("z"))
	} else {
		graph.node("Identity", &["x"], &[&name("z")])
	};
	graph.node("Tanh", &[&name("z")], &[&name("y")]).output(&name("y"))
}

#[test]
fn trace_should_be_led_out_of_both_branches_when_both_compute() {
	let graph = |then, otherwise| {
		Build::default()
			.input("x")
			.weight("c")
			.branches("c", &["y"], branch("t", then), branch("e", otherwise))
			.output("y")
	};
	let file = traced(graph(true, true)).unwrap();
	assert_eq!(file.tensor, "highway_trace");
	let model = Graph::read(graph_of(&file.file)).unwrap();
	assert_eq!(model.outputs, [b"y".as_slice(), b"highway_trace"]);
	let branching = &model.nodes[0];
	assert_eq!(branching.outputs, [b"y".as_slice(), b"highway_trace"]);
	let outputs: Vec<_> = branching.bodies().map(|body| body.outputs.clone()).collect();
	assert_eq!(outputs, [[b"t_y".as_slice(), b"t_h"], [b"e_y".as_slice(), b"e_h"]]);

	assert_eq!(
		found(graph(true, false)),
		None,
		"one of the branches has nothing inside"
	);
}

#[test]
fn trace_should_be_what_a_branching_takes_when_it_has_nothing_of_its_own_inside() {
	let inner = |name: &str| Build::default().layer("h", name).output(name);
	let graph = encoder()
		.weight("c")
		.branches("c", &["y"], inner("t"), inner("e"))
		.output("y");
	assert_eq!(found(graph).as_deref(), Some("h"));
}

#[test]
fn trace_should_get_another_name_when_its_own_is_too_long_or_a_given_one_is_taken() {
	let long = "very/long/name".repeat(12);
	let graph = |input: &str| {
		Build::default()
			.input(input)
			.layer(input, "a")
			.node("Relu", &["a"], &[&long])
			.layer(&long, "y")
			.output("y")
	};
	let file = traced(graph("x")).unwrap();
	assert_eq!(file.tensor, "highway_trace");
	let model = Graph::read(graph_of(&file.file)).unwrap();
	let last = model.nodes.last().unwrap();
	assert_eq!(
		(last.operator, &last.inputs[..]),
		(b"Identity".as_slice(), &[long.as_bytes()][..])
	);
	assert_eq!(found(graph("highway_trace")).as_deref(), Some("highway_trace_2"));
}

/// Each gather of a gather has twice as many dimensions: all of them would be written down.
#[test]
fn number_of_dimensions_should_be_unknown_when_no_tensor_has_so_many() {
	let names: Vec<String> = (0..80).map(|step| format!("g{step}")).collect();
	let (mut graph, mut last) = (encoder(), "h");
	for name in &names {
		graph = graph.node("Gather", &[last, last], &[name]);
		last = name;
	}
	assert_eq!(
		found(graph.layer(last, "y").output("y")).as_deref(),
		Some("g78"),
		"what goes into the last selection"
	);
}

#[test]
fn everything_else_should_keep_its_bytes() {
	let model = [
		encoder().layer("h", "y").output("y").model(),
		Message::default().bytes(2, "a maker").0,
	]
	.concat();
	let file = add(&model, &Limits::default()).unwrap().unwrap().file;
	let raw = |bytes: &[u8]| -> Vec<(u32, Vec<u8>)> {
		fields(bytes)
			.map(|field| field.map(|field| (field.number, field.raw.to_vec())).unwrap())
			.collect()
	};
	let others = |bytes: &[u8]| {
		raw(bytes)
			.into_iter()
			.filter(|(number, _)| *number != 7)
			.collect::<Vec<_>>()
	};
	assert_eq!(others(&file), others(&model));
	let (mut after, before) = (raw(graph_of(&file)), raw(graph_of(&model)));
	assert_eq!(after.pop().map(|(number, _)| number), Some(12));
	assert_eq!(after, before);
}

#[test]
fn model_should_be_refused_when_it_means_harm() {
	let model = encoder().layer("h", "y").output("y").model();
	let twice = [model.clone(), Message::default().bytes(7, graph_of(&model)).0].concat();
	assert_eq!(
		add(&twice, &Limits::default()),
		Err(Refusal::Malformed("a field occurs twice"))
	);
	let mut cut = model;
	cut.pop();
	assert_eq!(add(&cut, &Limits::default()), Err(Refusal::Truncated));
	assert!(add(b"", &Limits::default()).is_err());
}

fn graph_of(model: &[u8]) -> &[u8] {
	fields(model)
		.map(Result::unwrap)
		.find(|field| field.number == 7)
		.unwrap()
		.bytes()
		.unwrap()
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn add_should_never_panic_and_never_give_what_the_check_refuses_when_a_model_is_mutated(
		edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
		nested: bool,
	) {
		let graph = if nested {
			Build::default()
				.input("x")
				.weight("c")
				.branches("c", &["y"], branch("t", true), branch("e", true))
				.output("y")
		} else {
			encoder().node("GlobalMaxPool", &["h"], &["p"]).layer("p", "y").output("y")
		};
		let mut model = graph.model();
		for (at, value) in edits {
			let at = at.index(model.len());
			model[at] = value;
		}
		if let Ok(Some(traced)) = add(&model, &Limits::default()) {
			let signature = check_traced(&traced.file, &Limits::default(), Some(&traced.tensor)).unwrap();
			prop_assert_eq!(signature.trace.map(|trace| trace.dtype), Some(traced.dtype));
		}
	}
}
