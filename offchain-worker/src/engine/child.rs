//! The child process: one model, no way out.
//!
//! Standard input is the socket to the engine, standard output the model's file (for reading only), standard error
//! a pipe whose last lines the engine shows when the process fails. Nothing else is open.

use super::{
	protocol::{framed, read_frame, split_head, write_frame, AnswerHead, Part, RunHead, Setup, Tag, MAX_TEXT, SMALL},
	sandbox, Optimization,
};
use crate::{
	sketch::{Number, Sketcher},
	tensors::{self, Tensor},
};
use half::{bf16, f16};
use highway_primitives::{audit::SketchSeed, model::DType, Sketch};
use ort::{
	environment::Environment,
	session::{
		builder::{GraphOptimizationLevel, SessionBuilder},
		Session, SessionInputValue,
	},
	value::{DynValue, PrimitiveTensorElementType, Tensor as OrtTensor, TensorElementType},
};
use std::{
	fs::File,
	io::{self, BufReader},
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
	let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().map_err(not_called_by_engine)?);
	// Header and body of a small request are there at once.
	let mut requests = BufReader::with_capacity(SMALL, &socket);
	let file = File::from(
		io::stdout()
			.as_fd()
			.try_clone_to_owned()
			.map_err(not_called_by_engine)?,
	);

	let setup: Setup = match read_frame(&mut requests).map_err(not_called_by_engine)? {
		Some((Tag::Setup, body)) => serde_json::from_slice(&body).map_err(|error| error.to_string())?,
		_ => return Err("`inference-worker` is for the node's own use".into()),
	};
	let environment = match confine(&setup) {
		Ok(environment) => {
			reply(&socket, Ok(Answer::default()))?;
			environment
		}
		Err(message) => {
			reply(&socket, Err(message.clone()))?;
			return Err(message);
		}
	};
	let mut session = None;
	while let Some((tag, body)) = read_frame(&mut requests).map_err(|error| error.to_string())? {
		let answer = match tag {
			Tag::Load => load(&environment, &setup, &file, &body).map(|loaded| {
				session = Some(loaded);
				Answer::default()
			}),
			Tag::Run => match session.as_mut() {
				Some(session) => run(session, &body, &setup.outputs, setup.trace.as_deref()),
				None => Err("no model is loaded".into()),
			},
			Tag::SelfTest => serde_json::to_vec(&sandbox::attempts())
				.map(|file| Answer { head: Vec::new(), file })
				.map_err(|error| error.to_string()),
			_ => Err("not a request".into()),
		};
		reply(&socket, answer)?;
	}
	Ok(())
}

/// The body of an answer.
#[derive(Default)]
struct Answer {
	head: Vec<u8>,
	file: Vec<u8>,
}

fn reply(mut socket: &UnixStream, answer: Result<Answer, String>) -> Result<(), String> {
	let sent = match answer {
		Ok(Answer { head, file }) => write_frame(&mut socket, Tag::Done, &[&head, &file]),
		Err(message) => write_frame(
			&mut socket,
			Tag::Failed,
			&[&message.as_bytes()[..message.len().min(MAX_TEXT)]],
		),
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
		warm_up(&environment, setup)?;
	} else {
		insecure(sandbox::deny_files())?;
	}
	insecure(sandbox::filter_system_calls(setup.cuda.is_some()))?;
	Ok(environment)
}

/// Has the GPU compute one number: its driver is warm then, and a GPU that computes nothing is found.
fn warm_up(environment: &Environment, setup: &Setup) -> Result<(), String> {
	// What comes back is CUDA's, or nothing comes. Models are not held to it: ONNX Runtime places what computes shapes on the
	// CPU on purpose, so most of them would be refused, and to refuse a job's model costs the node.
	let open = || -> ort::Result<Session> {
		builder(environment, setup)?
			.with_disable_cpu_fallback()?
			.commit_from_memory(WARM_UP)
	};
	let one = Tensor {
		name: "x".into(),
		dtype: DType::F32,
		shape: vec![1],
		data: vec![0; 4],
	};
	let head = RunHead {
		rows: None,
		parts: Vec::new(),
	};
	let body = [framed(&head), tensors::serialize(&[one])].concat();
	open()
		.map_err(|error| error.to_string())
		.and_then(|mut session| run(&mut session, &body, &["y".into()], None))
		.map(drop)
		.map_err(|error| {
			format!(
				"{error}; CUDA has to run a model of one operator by itself before it is used: give --onnxruntime the library of \
				the package onnxruntime-gpu, and install the CUDA and cuDNN that it needs, or choose --inference-provider cpu"
			)
		})
}

/// The options of every session.
fn builder(environment: &Environment, setup: &Setup) -> ort::Result<SessionBuilder> {
	let mut builder = Session::builder(environment)?
		.with_optimization_level(match setup.optimization {
			Optimization::None => GraphOptimizationLevel::Disable,
			Optimization::Basic => GraphOptimizationLevel::Level1,
			Optimization::Extended => GraphOptimizationLevel::Level2,
			Optimization::All => GraphOptimizationLevel::All,
		})?
		.with_intra_threads(usize::from(setup.threads.max(1)))?
		.with_intra_op_spinning(false)?
		.with_inter_op_spinning(false)?
		.with_deterministic_compute(true)?;
	if let Some(device) = setup.cuda {
		let cuda = ort::ep::CUDA::default().with_device_id(device as i32).with_tf32(false);
		builder = builder.with_execution_providers([cuda.build().error_on_failure()])?;
	}
	Ok(builder)
}

fn load(environment: &Environment, setup: &Setup, file: &File, size: &[u8]) -> Result<Session, String> {
	let size = size.try_into().map(u64::from_le_bytes).map_err(|_| "not a size")?;
	let size = usize::try_from(size).map_err(|_| "the model is too large for this machine")?;
	let mut model = vec![0; size];
	// At an offset: the file's position is shared with the engine.
	file.read_exact_at(&mut model, 0)
		.map_err(|error| format!("the model could not be read: {error}"))?;
	let session = builder(environment, setup)
		.and_then(|mut builder| builder.commit_from_memory(&model))
		.map_err(|error| error.to_string())?;
	if let Some(trace) = &setup.trace {
		let kind = session
			.outputs()
			.iter()
			.find(|output| output.name() == trace)
			.and_then(|output| output.dtype().tensor_type());
		if !matches!(kind, Some(TensorElementType::Float32 | TensorElementType::Float64)) {
			return Err(format!(
				"the model has no output `{trace}` of 32-bit or 64-bit floats to be the trace"
			));
		}
	}
	Ok(session)
}

fn run(session: &mut Session, body: &[u8], outputs: &[String], trace: Option<&str>) -> Result<Answer, String> {
	let (head, inputs): (RunHead, _) = split_head(body).ok_or("not a run's request")?;
	let inputs = tensors::parse(inputs).map_err(|error| error.to_string())?;
	let mut values: Vec<(String, SessionInputValue<'static>)> = Vec::with_capacity(inputs.len());
	for tensor in inputs {
		values.push((tensor.name.clone(), into_value(tensor)?.into()));
	}
	let results = session.run(values).map_err(|error| error.to_string())?;
	let found = |name: &str| {
		results
			.get(name)
			.ok_or_else(|| format!("the model has no output `{name}`"))
	};
	let mut answer = Vec::with_capacity(outputs.len());
	for name in outputs {
		answer.push(from_value(name, found(name)?)?);
	}
	let sketches = match trace {
		Some(name) => sketches_of_trace(found(name)?, &head)?,
		None => sketches_of_outputs(&answer, &head)?,
	};
	Ok(Answer {
		head: framed(&sketches),
		file: tensors::serialize(&answer),
	})
}

/// Calls `sketch` for each part with its first row and each of its seeds.
fn sketches_of(
	head: &RunHead,
	sketch: impl Fn(u64, &Part, &SketchSeed) -> Result<Sketch, String>,
) -> Result<AnswerHead, String> {
	let mut first = 0u64;
	let mut lists = Vec::with_capacity(head.parts.len());
	for part in &head.parts {
		lists.push(
			part.seeds
				.iter()
				.map(|seed| sketch(first, part, seed))
				.collect::<Result<_, _>>()?,
		);
		first = first.saturating_add(part.rows);
	}
	Ok(lists)
}

/// The sketches are made where the trace lies: it is not copied, and dropped after the run.
fn sketches_of_trace(value: &DynValue, head: &RunHead) -> Result<AnswerHead, String> {
	fn of<T: PrimitiveTensorElementType + Number>(value: &DynValue, head: &RunHead) -> Result<AnswerHead, String> {
		let (shape, values) = value.try_extract_tensor::<T>().map_err(|error| error.to_string())?;
		let rows = shape.first().and_then(|rows| u64::try_from(*rows).ok());
		sketches_of(head, |first, part, seed| {
			Ok(crate::sketch::sketch(seed, own(values, rows, first, part, head)?))
		})
	}
	match value.dtype().tensor_type() {
		Some(TensorElementType::Float32) => of::<f32>(value, head),
		Some(TensorElementType::Float64) => of::<f64>(value, head),
		_ => Err("the trace is not a tensor of floats".into()),
	}
}

fn sketches_of_outputs(outputs: &[Tensor], head: &RunHead) -> Result<AnswerHead, String> {
	sketches_of(head, |first, part, seed| {
		let mut sketcher = Sketcher::new(seed);
		for tensor in outputs {
			let rows = tensor.shape.first().map(|rows| *rows as u64);
			sketcher.feed_bytes(tensor.dtype, own(&tensor.data, rows, first, part, head)?);
		}
		Ok(sketcher.finish())
	})
}

/// The elements, or bytes, of a tensor that belong to a part: its rows if the first axis is that of the run, else all.
fn own<'v, T>(values: &'v [T], rows: Option<u64>, first: u64, part: &Part, head: &RunHead) -> Result<&'v [T], String> {
	match head.rows {
		Some(total) if total > 0 && rows == Some(total) => {
			let row = values.len() as u64 / total;
			let (start, end) = (
				first.saturating_mul(row),
				first.saturating_add(part.rows).saturating_mul(row),
			);
			usize::try_from(start)
				.ok()
				.zip(usize::try_from(end).ok())
				.and_then(|(start, end)| values.get(start..end))
				.ok_or_else(|| "there are more inputs than rows".into())
		}
		_ if head.parts.len() == 1 => Ok(values),
		_ => Err("the trace's rows are not those of the inputs".into()),
	}
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
