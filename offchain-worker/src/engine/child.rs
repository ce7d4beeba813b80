//! The child process: one model, no way out.
//!
//! Standard input is the socket to the engine, standard output the model's file (for reading only), standard error
//! a pipe whose last lines the engine shows when the process fails. Nothing else is open.

use super::{
	protocol::{read_frame, write_frame, Setup, Tag, MAX_TEXT},
	sandbox,
};
use crate::tensors::{self, Tensor};
use half::{bf16, f16};
use highway_primitives::model::DType;
use ort::{
	environment::Environment,
	session::{builder::GraphOptimizationLevel, Session, SessionInputValue},
	value::{DynValue, PrimitiveTensorElementType, Tensor as OrtTensor, TensorElementType},
};
use std::{
	fs::File,
	io,
	os::{
		fd::AsFd,
		unix::{fs::FileExt, net::UnixStream},
	},
	process::ExitCode,
};

/// `y = Identity(x)` for one number: what the CUDA driver is warmed up with before its system calls are filtered.
const WARM_UP: &[u8] = &[
	0x08, 0x08, 0x42, 0x04, 0x0a, 0x00, 0x10, 0x0d, 0x3a, 0x3a, 0x0a, 0x10, 0x0a, 0x01, b'x', 0x12, 0x01, b'y', 0x22,
	0x08, b'I', b'd', b'e', b'n', b't', b'i', b't', b'y', 0x12, 0x04, b'w', b'a', b'r', b'm', 0x5a, 0x0f, 0x0a, 0x01,
	b'x', 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01, 0x62, 0x0f, 0x0a, 0x01, b'y', 0x12,
	0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08, 0x01,
];

/// Runs the hidden subcommand `inference-worker`. To be called first thing in `main`, while the process has one
/// thread, and to be returned from.
pub fn worker_main() -> ExitCode {
	match serve() {
		Ok(()) => ExitCode::SUCCESS,
		Err(message) => {
			eprintln!("{message}");
			ExitCode::FAILURE
		}
	}
}

fn serve() -> Result<(), String> {
	sandbox::prepare().map_err(|error| format!("the process could not be prepared: {error}"))?;
	let not_called_by_engine = |error: io::Error| format!("`inference-worker` is for the node's own use: {error}");
	let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().map_err(not_called_by_engine)?);
	let file = File::from(
		io::stdout()
			.as_fd()
			.try_clone_to_owned()
			.map_err(not_called_by_engine)?,
	);

	let setup: Setup = match read_frame(&mut socket).map_err(not_called_by_engine)? {
		Some((Tag::Setup, body)) => serde_json::from_slice(&body).map_err(|error| error.to_string())?,
		_ => return Err("`inference-worker` is for the node's own use".into()),
	};
	let environment = match confine(&setup) {
		Ok(environment) => {
			reply(&mut socket, Ok(Vec::new()))?;
			environment
		}
		Err(message) => {
			reply(&mut socket, Err(message.clone()))?;
			return Err(message);
		}
	};
	let mut session = None;
	while let Some((tag, body)) = read_frame(&mut socket).map_err(|error| error.to_string())? {
		let answer = match tag {
			Tag::Load => load(&environment, &setup, &file, &body).map(|loaded| {
				session = Some(loaded);
				Vec::new()
			}),
			Tag::Run => match session.as_mut() {
				Some(session) => run(session, &body, &setup.outputs),
				None => Err("no model is loaded".into()),
			},
			Tag::SelfTest => serde_json::to_vec(&sandbox::attempts()).map_err(|error| error.to_string()),
			_ => Err("not a request".into()),
		};
		reply(&mut socket, answer)?;
	}
	Ok(())
}

fn reply(socket: &mut UnixStream, answer: Result<Vec<u8>, String>) -> Result<(), String> {
	let sent = match answer {
		Ok(body) => write_frame(socket, Tag::Done, &body),
		Err(message) => write_frame(socket, Tag::Failed, &message.as_bytes()[..message.len().min(MAX_TEXT)]),
	};
	sent.map_err(|error| error.to_string())
}

/// Loads ONNX Runtime, then closes the door behind it.
fn confine(setup: &Setup) -> Result<Environment, String> {
	let insecure = |result: Result<(), String>| match result {
		Err(message) if setup.insecure => {
			eprintln!("{message}; going on without");
			Ok(())
		}
		other => other,
	};
	let library = setup.onnxruntime.display();
	let environment = ort::init_from(&setup.onnxruntime)
		.map_err(|error| format!("ONNX Runtime could not be loaded from {library}: {error}"))?
		.with_telemetry(false)
		.build()
		.map_err(|error| format!("ONNX Runtime does not start: {error}"))?;
	if setup.cuda.is_some() {
		insecure(sandbox::allow_cuda_files(&setup.onnxruntime))?;
		let mut session = open(&environment, setup, WARM_UP)?;
		let one = Tensor {
			name: "x".into(),
			dtype: DType::F32,
			shape: vec![1],
			data: vec![0; 4],
		};
		run(&mut session, &tensors::serialize(&[one]), &["y".into()])?;
	} else {
		insecure(sandbox::deny_files())?;
	}
	insecure(sandbox::filter_system_calls(setup.cuda.is_some()))?;
	Ok(environment)
}

fn open(environment: &Environment, setup: &Setup, model: &[u8]) -> Result<Session, String> {
	let build = || -> ort::Result<Session> {
		let mut builder = Session::builder(environment)?
			.with_optimization_level(GraphOptimizationLevel::All)?
			.with_intra_threads(usize::from(setup.threads.max(1)))?
			.with_intra_op_spinning(false)?
			.with_inter_op_spinning(false)?
			.with_deterministic_compute(true)?;
		if let Some(device) = setup.cuda {
			let cuda = ort::ep::CUDA::default().with_device_id(device as i32).with_tf32(false);
			builder = builder.with_execution_providers([cuda.build().error_on_failure()])?;
		}
		builder.commit_from_memory(model)
	};
	build().map_err(|error| error.to_string())
}

fn load(environment: &Environment, setup: &Setup, file: &File, size: &[u8]) -> Result<Session, String> {
	let size = size.try_into().map(u64::from_le_bytes).map_err(|_| "not a size")?;
	let size = usize::try_from(size).map_err(|_| "the model is too large for this machine")?;
	let mut model = vec![0; size];
	// At an offset: the file's position is shared with the engine.
	file.read_exact_at(&mut model, 0)
		.map_err(|error| format!("the model could not be read: {error}"))?;
	open(environment, setup, &model)
}

fn run(session: &mut Session, inputs: &[u8], outputs: &[String]) -> Result<Vec<u8>, String> {
	let inputs = tensors::parse(inputs).map_err(|error| error.to_string())?;
	let mut values: Vec<(String, SessionInputValue<'static>)> = Vec::with_capacity(inputs.len());
	for tensor in inputs {
		values.push((tensor.name.clone(), into_value(tensor)?.into()));
	}
	let results = session.run(values).map_err(|error| error.to_string())?;
	let mut answer = Vec::with_capacity(outputs.len());
	for name in outputs {
		let value = results
			.get(name)
			.ok_or_else(|| format!("the model has no output `{name}`"))?;
		answer.push(from_value(name, value)?);
	}
	Ok(tensors::serialize(&answer))
}

fn into_value(tensor: Tensor) -> Result<DynValue, String> {
	macro_rules! numbers {
		($kind:ty) => {{
			let (chunks, _) = tensor.data.as_chunks::<{ size_of::<$kind>() }>();
			let numbers: Vec<$kind> = chunks.iter().map(|bytes| <$kind>::from_le_bytes(*bytes)).collect();
			OrtTensor::from_array((tensor.shape, numbers)).map(|value| value.into_dyn())
		}};
	}
	let value = match tensor.dtype {
		DType::Bool => {
			let flags: Vec<bool> = tensor.data.iter().map(|byte| *byte != 0).collect();
			OrtTensor::from_array((tensor.shape, flags)).map(|value| value.into_dyn())
		}
		DType::U8 => OrtTensor::from_array((tensor.shape, tensor.data)).map(|value| value.into_dyn()),
		DType::I8 => numbers!(i8),
		DType::I16 => numbers!(i16),
		DType::U16 => numbers!(u16),
		DType::I32 => numbers!(i32),
		DType::U32 => numbers!(u32),
		DType::F32 => numbers!(f32),
		DType::F64 => numbers!(f64),
		DType::I64 => numbers!(i64),
		DType::U64 => numbers!(u64),
		DType::F16 => numbers!(f16),
		DType::BF16 => numbers!(bf16),
	};
	value.map_err(|error| error.to_string())
}

fn from_value(name: &str, value: &DynValue) -> Result<Tensor, String> {
	fn numbers<T: PrimitiveTensorElementType + Copy, const N: usize>(
		name: &str,
		dtype: DType,
		value: &DynValue,
		bytes: impl Fn(T) -> [u8; N],
	) -> Result<Tensor, String> {
		let (shape, numbers) = value.try_extract_tensor::<T>().map_err(|error| error.to_string())?;
		let shape = shape.iter().map(|dim| usize::try_from(*dim).unwrap_or(0)).collect();
		let data = numbers.iter().flat_map(|number| bytes(*number)).collect();
		Tensor::new(name, dtype, shape, data).map_err(|error| error.to_string())
	}
	let kind = value
		.dtype()
		.tensor_type()
		.ok_or_else(|| format!("output `{name}` is not a tensor"))?;
	match kind {
		TensorElementType::Bool => numbers(name, DType::Bool, value, |flag: bool| [u8::from(flag)]),
		TensorElementType::Uint8 => numbers(name, DType::U8, value, u8::to_le_bytes),
		TensorElementType::Int8 => numbers(name, DType::I8, value, i8::to_le_bytes),
		TensorElementType::Int16 => numbers(name, DType::I16, value, i16::to_le_bytes),
		TensorElementType::Uint16 => numbers(name, DType::U16, value, u16::to_le_bytes),
		TensorElementType::Int32 => numbers(name, DType::I32, value, i32::to_le_bytes),
		TensorElementType::Uint32 => numbers(name, DType::U32, value, u32::to_le_bytes),
		TensorElementType::Int64 => numbers(name, DType::I64, value, i64::to_le_bytes),
		TensorElementType::Uint64 => numbers(name, DType::U64, value, u64::to_le_bytes),
		TensorElementType::Float16 => numbers(name, DType::F16, value, f16::to_le_bytes),
		TensorElementType::Bfloat16 => numbers(name, DType::BF16, value, bf16::to_le_bytes),
		TensorElementType::Float32 => numbers(name, DType::F32, value, f32::to_le_bytes),
		TensorElementType::Float64 => numbers(name, DType::F64, value, f64::to_le_bytes),
		other => Err(format!("outputs of type {other:?} are not supported")),
	}
}
