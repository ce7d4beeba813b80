// The two kinds of files that a job needs, written by hand: an ONNX model and a safetensors input.

/** A number as protobuf writes it. */
function varint(value) {
	const bytes = [];
	for (; value >= 0x80; value >>>= 7) {
		bytes.push((value & 0x7f) | 0x80);
	}
	return Buffer.from([...bytes, value]);
}

const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);

function bytes(field, value) {
	const content = Buffer.from(value);
	return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

/** `name` as f32[N, 4], as field `field` of a graph. */
function value(field, name) {
	const shape = message(2, message(1, bytes(2, 'N')), message(1, number(1, 4)));
	return message(field, bytes(1, name), message(2, message(1, number(1, 1), shape)));
}

/**
 * An ONNX model: `y = x` for `x` of f32[N, 4]. Field numbers are those of `onnx.proto`. The comment makes it a file of its own:
 * the chain takes each file once.
 */
export function identityModel(comment) {
	const node = message(1, bytes(1, 'x'), bytes(2, 'y'), bytes(4, 'Identity'));
	const graph = message(7, node, bytes(2, 'graph'), value(11, 'x'), value(12, 'y'));
	const opset = message(8, bytes(1, ''), number(2, 13));
	return Buffer.concat([number(1, 8), opset, graph, bytes(6, comment)]);
}

const BYTES_PER_ELEMENT = {
	BOOL: 1, U8: 1, I8: 1, I16: 2, U16: 2, F16: 2, BF16: 2, I32: 4, U32: 4, F32: 4, F64: 8, I64: 8, U64: 8,
};

/** A safetensors file with zeros for these tensors. */
export function zeroInput(tensors) {
	const header = {};
	let end = 0;
	for (const { name, dtype, shape } of tensors) {
		const start = end;
		end += shape.reduce((product, dimension) => product * dimension, BYTES_PER_ELEMENT[dtype]);
		header[name] = { dtype, shape, data_offsets: [start, end] };
	}
	let text = JSON.stringify(header);
	// The format wants the data aligned to eight bytes.
	text += ' '.repeat((8 - (text.length % 8)) % 8);
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(text.length));
	return Buffer.concat([length, Buffer.from(text), Buffer.alloc(end)]);
}
