//! ONNX files made by hand, byte by byte: small good ones, and ones that mean harm.
//!
//! An ONNX file is a protobuf message. [`Message`] writes its fields; the numbers are those of `onnx.proto`, named
//! where they are used. No exporter would write most of these, which is why they are not made with one.

/// A protobuf message being written.
#[derive(Clone, Debug, Default)]
pub struct Message(Vec<u8>);

impl Message {
	/// An empty message.
	pub fn new() -> Self {
		Self::default()
	}

	fn varint(&mut self, mut value: u64) {
		while value >= 0x80 {
			self.0.push(value as u8 | 0x80);
			value >>= 7;
		}
		self.0.push(value as u8);
	}

	/// Adds a number.
	pub fn int(mut self, field: u64, value: i64) -> Self {
		self.varint(field << 3);
		self.varint(value as u64);
		self
	}

	/// Adds a string or bytes.
	pub fn bytes(mut self, field: u64, value: impl AsRef<[u8]>) -> Self {
		self.varint(field << 3 | 2);
		self.varint(value.as_ref().len() as u64);
		self.0.extend_from_slice(value.as_ref());
		self
	}

	/// Announces a message of `length` bytes, which the caller puts behind this one's.
	fn open(mut self, field: u64, length: usize) -> Self {
		self.varint(field << 3 | 2);
		self.varint(length as u64);
		self
	}

	/// Adds a message.
	pub fn message(self, field: u64, value: Message) -> Self {
		self.bytes(field, value.0)
	}

	/// The bytes written so far.
	pub fn finish(self) -> Vec<u8> {
		self.0
	}
}

/// ONNX's numbers of element types.
const FLOAT: i64 = 1;
const INT64: i64 = 7;
const BOOL: i64 = 9;

/// A model around `graph`.
pub fn model(graph: Message) -> Message {
	let opset = Message::new().bytes(1, "").int(2, 13);
	Message::new().int(1, 8).message(8, opset).message(7, graph)
}

/// A named value of element type `kind`; `None` is a dynamic dimension.
fn value(name: &str, kind: i64, shape: &[Option<i64>]) -> Message {
	let mut dims = Message::new();
	for dim in shape {
		let dim = match dim {
			Some(dim) => Message::new().int(1, *dim),
			None => Message::new().bytes(2, "N"),
		};
		dims = dims.message(1, dim);
	}
	let tensor = Message::new().int(1, kind).message(2, dims);
	Message::new()
		.bytes(1, name)
		.message(2, Message::new().message(1, tensor))
}

/// A node with an empty domain.
fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> Message {
	let node = inputs.iter().fold(Message::new(), |node, input| node.bytes(1, input));
	outputs
		.iter()
		.fold(node, |node, output| node.bytes(2, output))
		.bytes(4, operator)
}

/// An attribute that is a graph.
fn graph_attribute(name: &str, graph: Message) -> Message {
	Message::new().bytes(1, name).message(6, graph).int(20, 5)
}

/// A constant of one-dimensional 64-bit integers.
fn integers(name: &str, values: &[i64]) -> Message {
	let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	Message::new()
		.int(1, values.len() as i64)
		.int(2, INT64)
		.bytes(8, name)
		.bytes(9, raw)
}

/// `y = x` for `x` of f32\[N, 4\], with anything added to the graph by `more`.
fn identity_and(more: impl FnOnce(Message) -> Message) -> Vec<u8> {
	let graph = Message::new()
		.message(1, node("Identity", &["x"], &["y"]))
		.bytes(2, "graph")
		.message(11, value("x", FLOAT, &[None, Some(4)]))
		.message(12, value("y", FLOAT, &[None, Some(4)]));
	model(more(graph)).finish()
}

/// A good model: `y = x` for `x` of f32\[N, 4\].
pub fn identity() -> Vec<u8> {
	identity_and(|graph| graph)
}

/// The same model as another file, with a comment in it: the chain takes each file once.
pub fn commented(model: &[u8], comment: &str) -> Vec<u8> {
	// The model's `doc_string`.
	[model, &Message::new().bytes(6, comment).finish()].concat()
}

/// Values that a layer of [`layered`] takes.
pub const LAYERED_WIDTH: usize = 16;

/// A good model with something inside: three layers, `y = softmax(relu(relu(x·A)·B)·C)` for `x` of f32\[N, 16\] and `y` of
/// f32\[N, 8\]. Its trace is what comes into the last layer.
pub fn layered() -> Vec<u8> {
	let graph = Message::new()
		.message(1, node("MatMul", &["x", "a"], &["xa"]))
		.message(1, node("Relu", &["xa"], &["first"]))
		.message(1, node("MatMul", &["first", "b"], &["firstb"]))
		.message(1, node("Relu", &["firstb"], &["second"]))
		.message(1, node("MatMul", &["second", "c"], &["logits"]))
		.message(1, node("Softmax", &["logits"], &["y"]))
		.bytes(2, "graph")
		.message(5, weights("a", LAYERED_WIDTH, 64, 1))
		.message(5, weights("b", 64, 64, 2))
		.message(5, weights("c", 64, 8, 3))
		.message(11, value("x", FLOAT, &[None, Some(LAYERED_WIDTH as i64)]))
		.message(12, value("y", FLOAT, &[None, Some(8)]));
	model(graph).finish()
}

/// A constant matrix of numbers that look random and are not: evenly spread around 0, smaller in larger matrices.
fn weights(name: &str, rows: usize, columns: usize, seed: u64) -> Message {
	let mut state = seed;
	let raw: Vec<u8> = (0..rows * columns)
		.flat_map(|_| {
			// Knuth's linear congruential generator for 64 bits; its upper bits are good.
			state = state
				.wrapping_mul(6_364_136_223_846_793_005)
				.wrapping_add(1_442_695_040_888_963_407);
			let unit = (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
			(unit * 2.0 / (rows as f32).sqrt()).to_le_bytes()
		})
		.collect();
	Message::new()
		.int(1, rows as i64)
		.int(1, columns as i64)
		.int(2, FLOAT)
		.bytes(8, name)
		.bytes(9, raw)
}

/// A good model: the identity of a little more than `bytes` bytes, of which no two parts are alike. Nothing uses most of
/// them.
pub fn large_identity(bytes: usize) -> Vec<u8> {
	let padding: Vec<i64> = (0..bytes.div_ceil(8) as i64).collect();
	identity_and(|graph| graph.message(5, integers("padding", &padding)))
}

/// A good model whose rows change one another: `y = x − mean of all rows` for `x` of f32\[N, 4\].
pub fn row_mixing() -> Vec<u8> {
	let axes = Message::new().bytes(1, "axes").int(8, 0).int(20, 7);
	let graph = Message::new()
		.message(1, node("ReduceMean", &["x"], &["m"]).message(5, axes))
		.message(1, node("Sub", &["x", "m"], &["y"]))
		.bytes(2, "graph")
		.message(11, value("x", FLOAT, &[None, Some(4)]))
		.message(12, value("y", FLOAT, &[None, Some(4)]));
	model(graph).finish()
}

/// Adds 1 to `x`, f32\[4\], `n` times, a scalar i64: takes as long as one likes.
pub fn counting_loop() -> Vec<u8> {
	let one = Message::new()
		.int(1, 1)
		.int(2, FLOAT)
		.bytes(8, "one")
		.bytes(9, 1f32.to_le_bytes());
	let body = Message::new()
		.message(1, node("Identity", &["c"], &["c_out"]))
		.message(1, node("Add", &["v", "one"], &["v_out"]))
		.bytes(2, "body")
		.message(5, one)
		.message(11, value("i", INT64, &[]))
		.message(11, value("c", BOOL, &[]))
		.message(11, value("v", FLOAT, &[Some(4)]))
		.message(12, value("c_out", BOOL, &[]))
		.message(12, value("v_out", FLOAT, &[Some(4)]));
	let graph = Message::new()
		.message(
			1,
			node("Loop", &["n", "", "x"], &["y"]).message(5, graph_attribute("body", body)),
		)
		.bytes(2, "graph")
		.message(11, value("n", INT64, &[]))
		.message(11, value("x", FLOAT, &[Some(4)]))
		.message(12, value("y", FLOAT, &[Some(4)]));
	model(graph).finish()
}

/// Sums a tensor of zeros of the shape `s`, i64\[2\], given as input: takes as much memory as one likes.
pub fn zeros_of_shape() -> Vec<u8> {
	let keep = Message::new().bytes(1, "keepdims").int(3, 0).int(20, 2);
	let graph = Message::new()
		.message(1, node("ConstantOfShape", &["s"], &["z"]))
		.message(1, node("ReduceMax", &["z"], &["y"]).message(5, keep))
		.bytes(2, "graph")
		.message(11, value("s", INT64, &[Some(2)]))
		.message(12, value("y", FLOAT, &[]));
	model(graph).finish()
}

/// A constant whose data lies in the file `location`.
fn external(location: &str) -> Message {
	let entry = Message::new().bytes(1, "location").bytes(2, location);
	Message::new()
		.int(1, 4)
		.int(2, FLOAT)
		.bytes(8, "w")
		.message(13, entry)
		.int(14, 1)
}

/// An initialiser with its data in the file `location`.
pub fn external_data(location: &str) -> Vec<u8> {
	identity_and(|graph| graph.message(5, external(location)))
}

/// The same inside the values of a sparse tensor.
pub fn external_data_in_sparse_tensor(location: &str) -> Vec<u8> {
	let sparse = Message::new()
		.message(1, external(location))
		.message(2, integers("i", &[0, 1, 2, 3]))
		.int(3, 4);
	identity_and(|graph| graph.message(15, sparse))
}

/// The same inside a branch of an `If`.
pub fn external_data_in_subgraph(location: &str) -> Vec<u8> {
	let branch = Message::new().bytes(2, "branch").message(5, external(location));
	let choice = node("If", &["c"], &["w2"]).message(5, graph_attribute("then_branch", branch));
	identity_and(|graph| graph.message(1, choice))
}

/// The same inside the attribute of a `Constant`.
pub fn external_data_in_attribute(location: &str) -> Vec<u8> {
	let attribute = Message::new()
		.bytes(1, "value")
		.message(5, external(location))
		.int(20, 4);
	identity_and(|graph| graph.message(1, node("Constant", &[], &["w"]).message(5, attribute)))
}

/// `If` within `If`, `depth` times. Written from the inside to the outside, so that any depth takes linear time.
pub fn nested_ifs(depth: usize) -> Vec<u8> {
	let inner = Message::new()
		.message(1, node("Identity", &["x"], &["z"]))
		.bytes(2, "inner")
		.finish();
	let mut backwards: Vec<u8> = inner.into_iter().rev().collect();
	let prepend = |backwards: &mut Vec<u8>, before: Message| backwards.extend(before.finish().into_iter().rev());
	for _ in 0..depth {
		let graph = Message::new()
			.bytes(1, "then_branch")
			.int(20, 5)
			.open(6, backwards.len());
		prepend(&mut backwards, graph);
		let choice = node("If", &["c"], &["z"]).open(5, backwards.len());
		prepend(&mut backwards, choice);
		let outer = Message::new().bytes(2, "outer").open(1, backwards.len());
		prepend(&mut backwards, outer);
	}
	let values = Message::new()
		.message(11, value("x", FLOAT, &[None, Some(4)]))
		.message(12, value("z", FLOAT, &[None, Some(4)]));
	prepend(&mut backwards, values);
	backwards.reverse();
	model(Message(backwards)).finish()
}

/// An operator of a domain that only its own library knows.
pub fn unknown_domain() -> Vec<u8> {
	identity_and(|graph| graph.message(1, node("Backdoor", &["x"], &["b"]).bytes(7, "com.example")))
}

/// An operator with another result each time.
pub fn random_operator() -> Vec<u8> {
	identity_and(|graph| graph.message(1, node("RandomNormalLike", &["x"], &["r"])))
}

/// A function defined in the file.
pub fn local_function() -> Vec<u8> {
	let graph = Message::new()
		.bytes(2, "graph")
		.message(12, value("y", FLOAT, &[Some(1)]));
	model(graph)
		.message(25, Message::new().bytes(1, "f").bytes(10, "local"))
		.finish()
}

/// One node and so many small constants, each of which the pre-check would have to remember.
pub fn many_constants(count: usize) -> Vec<u8> {
	identity_and(|graph| {
		(0..count).fold(graph, |graph, index| {
			graph.message(5, integers(&format!("c{index}"), &[1]))
		})
	})
}

/// A few bytes that claim to be 2⁴⁰ floats.
pub fn constant_without_data() -> Vec<u8> {
	let liar = Message::new()
		.int(1, 1 << 20)
		.int(1, 1 << 20)
		.int(2, FLOAT)
		.bytes(8, "w")
		.bytes(9, [0; 16]);
	identity_and(|graph| graph.message(5, liar))
}

/// A sparse tensor that is 2⁴⁰ floats when made dense.
pub fn huge_sparse_tensor() -> Vec<u8> {
	let one = Message::new()
		.int(1, 1)
		.int(2, FLOAT)
		.bytes(8, "w")
		.bytes(9, 1f32.to_le_bytes());
	let sparse = Message::new()
		.message(1, one)
		.message(2, integers("i", &[0]))
		.int(3, 1 << 20)
		.int(3, 1 << 20);
	identity_and(|graph| graph.message(15, sparse))
}

/// `operator` makes a tensor out of the literal shape `dims`, an initialiser or, if `as_node`, a `Constant`.
pub fn literal_shape(operator: &str, dims: &[i64], as_node: bool) -> Vec<u8> {
	identity_and(|graph| {
		let inputs: &[&str] = if operator == "ConstantOfShape" {
			&["s"]
		} else {
			&["x", "s"]
		};
		let graph = if as_node {
			let attribute = Message::new()
				.bytes(1, "value")
				.message(5, integers("", dims))
				.int(20, 4);
			graph.message(1, node("Constant", &[], &["s"]).message(5, attribute))
		} else {
			graph.message(5, integers("s", dims))
		};
		graph.message(1, node(operator, inputs, &["big"]))
	})
}

/// Models that the pre-check must refuse, each with a word about it.
pub fn refused() -> Vec<(&'static str, Vec<u8>)> {
	let mut cut = identity();
	cut.truncate(cut.len() - 3);
	let mut with_ort_mark = identity();
	with_ort_mark.splice(4..8, *b"ORTM");
	vec![
		("external data above the folder", external_data("../../etc/passwd")),
		("external data at an absolute path", external_data("/etc/passwd")),
		("external data at an address", external_data("*/_ORT_MEM_ADDR_/*")),
		(
			"external data in a sparse tensor",
			external_data_in_sparse_tensor("/etc/passwd"),
		),
		("external data in a subgraph", external_data_in_subgraph("/etc/passwd")),
		(
			"external data in an attribute",
			external_data_in_attribute("/etc/passwd"),
		),
		("five levels of If", nested_ifs(5)),
		("ten thousand levels of If", nested_ifs(10_000)),
		("an unknown domain", unknown_domain()),
		("a random operator", random_operator()),
		("a local function", local_function()),
		("a constant without data", constant_without_data()),
		("a huge sparse tensor", huge_sparse_tensor()),
		(
			"a literal ConstantOfShape",
			literal_shape("ConstantOfShape", &[1 << 20, 1 << 20], false),
		),
		(
			"a ConstantOfShape of a Constant",
			literal_shape("ConstantOfShape", &[1 << 20, 1 << 20], true),
		),
		("a literal Expand", literal_shape("Expand", &[1 << 30, 4], false)),
		("a literal Tile", literal_shape("Tile", &[1 << 30, 4], true)),
		(
			"a shape that overflows",
			literal_shape("ConstantOfShape", &[i64::MAX, i64::MAX], false),
		),
		("a truncated file", cut),
		("an .ort file", with_ort_mark),
		("nothing", Vec::new()),
		("text", b"this is not a model".to_vec()),
	]
}
