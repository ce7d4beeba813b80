//! The engine's side of one child process: a thread that starts it, talks to it and, when it exceeds its time or
//! its memory, kills it and starts another.
//!
//! The child asks the kernel to die with the thread that started it, so that thread lives as long as the model is
//! loaded.

use super::{
	batch::{compare, groups, join, read_input, split, Input, Shared},
	batchable,
	child_metrics::{ChildMetrics, Exit},
	protocol::{
		framed, header, printable, read_answer, read_run, small_frame, Nonsense, Part, RunHead, Setup, Tag, MAX_TEXT,
		SMALL,
	},
	sandbox::Attempt,
	EngineError, RunInput, RunOutput, TimeLimit, MAX_BATCH_ROWS, MAX_SEEDS,
};
use crate::tensors::serialize;
use highway_primitives::{audit::SketchSeed, model::VersionSpec};
use parking_lot::Mutex;
use std::{
	fs::File,
	io::{BufReader, ErrorKind, Read, Write},
	os::{fd::OwnedFd, unix::net::UnixStream},
	path::PathBuf,
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicU32, Ordering},
		mpsc, Arc,
	},
	thread,
	time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How often time and memory of a child are looked at.
const WATCH: Duration = Duration::from_millis(20);

/// How long a child may take to load ONNX Runtime and to lock itself in.
const START_LIMIT: Duration = Duration::from_secs(30);

/// After so many shared runs in a row that took too long sharing is given up: each of them costs a process, and together the
/// inputs take longer than one by one.
const MAX_SLOW_SHARED: u8 = 3;

/// What is needed to start a child, again and again.
pub(super) struct Launch {
	pub binary: PathBuf,
	pub setup: Setup,
	/// Bytes that the child may take on top of the model.
	pub extra_memory: u64,
	/// What counts the children.
	pub metrics: ChildMetrics,
}

/// A model to load into a child.
pub(super) struct Artifact {
	pub file: File,
	pub size: u64,
	pub spec: VersionSpec,
	/// Whether rows are known to change one another.
	pub mixes_rows: bool,
}

impl Artifact {
	/// Ten seconds and one more for every 10 MiB: fifty times what loading takes on a slow machine.
	fn load_limit(&self) -> Duration {
		Duration::from_secs(10 + self.size / (10 << 20))
	}
}

struct Request {
	inputs: Vec<RunInput>,
	time_limit: TimeLimit,
	answer: oneshot::Sender<Vec<Result<RunOutput, EngineError>>>,
}

/// One input of a run, and the seeds of the sketches wanted of it.
#[derive(Clone, Copy)]
struct Member<'a> {
	input: &'a Input,
	seeds: &'a [SketchSeed],
}

/// A loaded model. Dropping it ends the child once it has done what it was asked for.
pub(super) struct ModelProcess {
	requests: mpsc::Sender<Request>,
	pid: Arc<AtomicU32>,
}

impl ModelProcess {
	/// Starts a child and loads the model into it.
	pub(super) async fn start(launch: Arc<Launch>, artifact: Artifact, name: String) -> Result<Self, EngineError> {
		let (requests, queue) = mpsc::channel::<Request>();
		let (ready, loaded) = oneshot::channel();
		let pid = Arc::new(AtomicU32::new(0));
		let shown = pid.clone();
		let body = move || {
			let mut model = Model {
				launch,
				artifact,
				child: None,
				pid: shown,
				batches: Batches::Untried,
				slow_shared: 0,
			};
			let result = model.load();
			let failed = result.is_err();
			let _ = ready.send(result);
			if failed {
				return;
			}
			for request in queue {
				let _ = request.answer.send(model.run_all(&request.inputs, request.time_limit));
			}
		};
		thread::Builder::new()
			.name(name)
			.spawn(body)
			.map_err(|error| EngineError::Unavailable(error.to_string()))?;
		loaded
			.await
			.map_err(|_| EngineError::Unavailable("the model's thread ended".into()))??;
		Ok(Self { requests, pid })
	}

	/// Runs the inputs. `None`: the model's thread has ended.
	pub(super) async fn run(
		&self,
		inputs: Vec<RunInput>,
		time_limit: TimeLimit,
	) -> Option<Vec<Result<RunOutput, EngineError>>> {
		let (answer, result) = oneshot::channel();
		let request = Request {
			inputs,
			time_limit,
			answer,
		};
		self.requests.send(request).ok()?;
		result.await.ok()
	}

	/// Process id of the child; `None` while there is none.
	pub(super) fn pid(&self) -> Option<u32> {
		Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
	}
}

/// Starts a child without a model, lets it try to get out, and returns what it tried.
pub(super) fn probe(launch: &Launch) -> Result<Vec<Attempt>, EngineError> {
	let mut child = Running::start(launch, None)?;
	if launch.setup.insecure {
		return Ok(Vec::new());
	}
	let answer = child
		.ask(Tag::SelfTest, &[], START_LIMIT, u64::MAX)
		.map_err(Trouble::at_start)?;
	serde_json::from_slice(&answer).map_err(|error| EngineError::Unavailable(error.to_string()))
}

/// What is known about runs that several jobs share.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batches {
	/// Nothing yet: the next batch is run both ways and compared.
	Untried,
	/// Rows do not change one another.
	Proved,
	/// They do.
	Refuted,
}

/// What a run has in time.
struct Time {
	/// For one input by itself.
	each: Duration,
	/// For all of them, from `started` on.
	all: Duration,
	started: Instant,
	/// Whether an input had to be stopped with the child: the others shall not wait for more of its kind.
	stopped: bool,
}

impl Time {
	fn of(limit: TimeLimit) -> Self {
		Self {
			each: limit.each,
			all: limit.all,
			started: Instant::now(),
			stopped: false,
		}
	}

	fn left(&self) -> Duration {
		self.all.saturating_sub(self.started.elapsed())
	}

	fn is_over(&self) -> bool {
		self.stopped || self.left().is_zero()
	}
}

/// A model in its thread.
struct Model {
	launch: Arc<Launch>,
	artifact: Artifact,
	child: Option<Running>,
	pid: Arc<AtomicU32>,
	batches: Batches,
	/// Shared runs in a row that took too long to be compared.
	slow_shared: u8,
}

impl Model {
	fn load(&mut self) -> Result<(), EngineError> {
		match self.start_child() {
			// Once may be an accident of this machine; twice it is the model.
			Err(EngineError::ChildDied(_)) => self.start_child().map_err(|error| match error {
				EngineError::ChildDied(why) => {
					EngineError::ModelRefused(format!("loading it kills the process: {why}"))
				}
				other => other,
			}),
			other => other,
		}
	}

	fn start_child(&mut self) -> Result<(), EngineError> {
		self.stop_child();
		let mut child = Running::start(&self.launch, Some(&self.artifact.file))?;
		let size = self.artifact.size;
		// What cannot be watched gets no model. A child that just died is another matter: asked, it will not answer.
		let before = match child.resident() {
			Some(bytes) => bytes,
			None if child.is_alive() => {
				return Err(EngineError::Unavailable(
					"the memory of the inference process cannot be read: /proc must show it to the node".into(),
				))
			}
			None => 0,
		};
		// The file, its parsed form and the prepared weights exist at the same time.
		let limit = before + size.saturating_mul(4) + self.launch.extra_memory;
		let load_limit = self.artifact.load_limit();
		child
			.ask(Tag::Load, &[&size.to_le_bytes()], load_limit, limit)
			.map_err(|trouble| match trouble {
				Trouble::Said(message) => EngineError::ModelRefused(message),
				Trouble::Time => EngineError::ModelRefused(format!("loading it takes more than {load_limit:?}")),
				Trouble::Memory(used) => {
					EngineError::ModelRefused(format!("loading it takes {} MiB of memory", used >> 20))
				}
				Trouble::Died(why) | Trouble::Nonsense(why) => EngineError::ChildDied(why),
			})?;
		let loaded = child.resident().unwrap_or(0);
		child.memory_limit = loaded.max(before + size) + self.launch.extra_memory;
		self.pid.store(child.process.id(), Ordering::Relaxed);
		self.child = Some(child);
		Ok(())
	}

	fn stop_child(&mut self) {
		self.pid.store(0, Ordering::Relaxed);
		self.child = None;
	}

	fn run_all(&mut self, requested: &[RunInput], limit: TimeLimit) -> Vec<Result<RunOutput, EngineError>> {
		let by_rows = batchable(&self.artifact.spec);
		let mut results: Vec<Result<RunOutput, EngineError>> = Vec::with_capacity(requested.len());
		let mut inputs = Vec::with_capacity(requested.len());
		for RunInput { file, seeds } in requested {
			let input = if seeds.len() > MAX_SEEDS {
				Err(EngineError::Unavailable(format!(
					"more than {MAX_SEEDS} sketches of one input"
				)))
			} else {
				read_input(file, &self.artifact.spec, by_rows)
			};
			match input {
				Ok(input) => {
					inputs.push(Some(input));
					results.push(Err(EngineError::NotRun));
				}
				Err(error) => {
					inputs.push(None);
					results.push(Err(error));
				}
			}
		}
		let may_share = by_rows && self.artifact.spec.shares_runs && !self.artifact.mixes_rows;
		let mut time = Time::of(limit);
		for group in groups(&inputs, if may_share { MAX_BATCH_ROWS } else { 0 }) {
			let members: Vec<Member<'_>> = group
				.iter()
				.filter_map(|index| {
					Some(Member {
						input: inputs[*index].as_ref()?,
						seeds: &requested[*index].seeds,
					})
				})
				.collect();
			for (index, result) in group.iter().zip(self.run_group(&members, &mut time)) {
				results[*index] = result;
			}
		}
		results
	}

	fn run_group(&mut self, members: &[Member<'_>], time: &mut Time) -> Vec<Result<RunOutput, EngineError>> {
		if members.len() > 1 && self.batches == Batches::Proved && !time.is_over() {
			if let Ok(Some(outputs)) = self.run_once(members, true, time.left()) {
				return outputs.into_iter().map(Ok).collect();
			}
			if self.child.is_none() {
				// One of them is the reason. To find it they get as much time again, one by one.
				self.batches = Batches::Untried;
				time.started = Instant::now();
			}
		}
		let started = Instant::now();
		let alone: Vec<_> = members.iter().map(|member| self.run_in_time(*member, time)).collect();
		// Only if there is as much time left as they took one by one.
		let may_compare = started.elapsed() <= time.left() && alone.iter().all(Result::is_ok);
		if members.len() > 1 && self.batches == Batches::Untried && may_compare {
			let together = self.run_once(members, true, time.left());
			self.note_shared(compare(&together, &alone, &self.artifact.spec));
		}
		alone
	}

	/// Learns from a shared run whether there shall be more of them.
	fn note_shared(&mut self, shared: Shared) {
		let slow = match shared {
			Shared::TimedOut => self.slow_shared.saturating_add(1),
			Shared::Same | Shared::Differs => 0,
		};
		self.slow_shared = slow;
		self.batches = match shared {
			Shared::Same => Batches::Proved,
			Shared::Differs => {
				log::info!(target: "highway", "a model's rows change one another in a batch: its jobs run one by one");
				Batches::Refuted
			}
			Shared::TimedOut if slow < MAX_SLOW_SHARED => {
				log::info!(target: "highway", "a shared run of a model timed out: sharing is tried again later");
				Batches::Untried
			}
			Shared::TimedOut => {
				log::info!(target: "highway", "shared runs of a model timed out {slow} times: its jobs run one by one");
				Batches::Refuted
			}
		};
	}

	/// One input by itself, if there is time for it.
	fn run_in_time(&mut self, member: Member<'_>, time: &mut Time) -> Result<RunOutput, EngineError> {
		if time.is_over() {
			return Err(EngineError::NotRun);
		}
		let result = self.run_alone(member, time.each);
		time.stopped = result.is_err() && self.child.is_none();
		result
	}

	/// One input by itself. A child that dies gets a second chance: somebody else may have killed it.
	fn run_alone(&mut self, member: Member<'_>, limit: Duration) -> Result<RunOutput, EngineError> {
		let died_before = match self.run_padded(member, limit) {
			Err(EngineError::ChildDied(why)) => why,
			other => return other,
		};
		log::warn!(target: "highway", "the inference process died ({died_before}); it is started again");
		self.run_padded(member, limit).map_err(|error| match error {
			EngineError::ChildDied(why) => EngineError::RunFailed(format!("the process dies on this input: {why}")),
			other => other,
		})
	}

	fn run_padded(&mut self, member: Member<'_>, limit: Duration) -> Result<RunOutput, EngineError> {
		self.child()?;
		let started = Instant::now();
		for pad in [true, false] {
			let left = limit.saturating_sub(started.elapsed());
			if let Some(output) = self.run_once(&[member], pad && member.input.rows.is_some(), left)? {
				return output
					.into_iter()
					.next()
					.ok_or_else(|| EngineError::RunFailed("there is no output".into()));
			}
		}
		Err(EngineError::RunFailed("the outputs' rows are not the inputs'".into()))
	}

	/// The child, started if there is none.
	fn child(&mut self) -> Result<&mut Running, EngineError> {
		if self.child.is_none() {
			self.start_child()?;
		}
		self.child
			.as_mut()
			.ok_or_else(|| EngineError::Unavailable("there is no process".into()))
	}

	/// One run. `None` if the outputs cannot be divided among the inputs' rows.
	fn run_once(
		&mut self,
		members: &[Member<'_>],
		pad: bool,
		limit: Duration,
	) -> Result<Option<Vec<RunOutput>>, EngineError> {
		let child = self.child()?;
		let inputs: Vec<&Input> = members.iter().map(|member| member.input).collect();
		let (file, rows) = join(&inputs, pad);
		let head = RunHead {
			rows: inputs.iter().all(|input| input.rows.is_some()).then_some(rows as u64),
			parts: members
				.iter()
				.map(|member| Part {
					rows: member.input.rows.unwrap_or(0) as u64,
					seeds: member.seeds.to_vec(),
				})
				.collect(),
		};
		let memory_limit = child.memory_limit.saturating_add((file.len() as u64).saturating_mul(4));
		let answer = child.ask(Tag::Run, &[&framed(&head), &file], limit, memory_limit);
		let answer = match answer {
			Ok(answer) => answer,
			Err(trouble) => {
				if !matches!(trouble, Trouble::Said(_)) {
					self.stop_child();
				}
				return Err(trouble.at_run());
			}
		};
		let (sketches, outputs) = read_run(&answer, &head, &self.artifact.spec)?;
		let parts: Vec<usize> = inputs.iter().filter_map(|input| input.rows).collect();
		let files = if members.len() == 1 && (parts.is_empty() || !pad || parts == [rows]) {
			vec![serialize(&outputs)]
		} else {
			match split(&outputs, &parts, rows) {
				Some(lists) => lists.iter().map(|list| serialize(list)).collect(),
				None => return Ok(None),
			}
		};
		let results = files.into_iter().zip(sketches).map(|(file, sketches)| RunOutput {
			file: file.into(),
			sketches,
		});
		Ok(Some(results.collect()))
	}
}

/// Why a child did not answer well.
enum Trouble {
	/// It says so itself.
	Said(String),
	/// It took too long.
	Time,
	/// It took this much memory.
	Memory(u64),
	/// It ended.
	Died(String),
	/// It answered something that is no answer.
	Nonsense(String),
}

impl Trouble {
	/// Why the child ends then; `None`: it need not.
	fn exit(&self) -> Option<Exit> {
		match self {
			Self::Said(_) => None,
			Self::Time => Some(Exit::Time),
			Self::Memory(_) => Some(Exit::Memory),
			Self::Died(_) => Some(Exit::Crashed),
			Self::Nonsense(_) => Some(Exit::Protocol),
		}
	}

	fn at_start(self) -> EngineError {
		EngineError::Unavailable(match self {
			Self::Said(message) | Self::Died(message) | Self::Nonsense(message) => message,
			Self::Time => format!("the inference process did not start within {START_LIMIT:?}"),
			Self::Memory(used) => format!("the inference process took {} MiB at its start", used >> 20),
		})
	}

	fn at_run(self) -> EngineError {
		match self {
			Self::Said(message) => EngineError::RunFailed(message),
			Self::Time => EngineError::TimedOut,
			Self::Memory(used) => {
				EngineError::RunFailed(format!("it took {} MiB of memory and was stopped", used >> 20))
			}
			Self::Died(why) | Self::Nonsense(why) => EngineError::ChildDied(why),
		}
	}
}

impl From<Nonsense> for Trouble {
	fn from(Nonsense(why): Nonsense) -> Self {
		Self::Nonsense(why)
	}
}

/// A child that runs. Dropping it kills it.
struct Running {
	process: Child,
	/// Reads with a buffer: header and body of a small answer are there at once.
	socket: BufReader<UnixStream>,
	last_words: Arc<Mutex<Vec<u8>>>,
	memory_limit: u64,
	/// Why it ends, if not because it is dropped.
	exit: Option<Exit>,
	metrics: ChildMetrics,
}

impl Drop for Running {
	fn drop(&mut self) {
		let exit = self.exit.unwrap_or(match self.is_alive() {
			true => Exit::Asked,
			false => Exit::Crashed,
		});
		let _ = self.process.kill();
		let _ = self.process.wait();
		self.metrics.ended(self.process.id(), exit);
	}
}

impl Running {
	fn start(launch: &Launch, model: Option<&File>) -> Result<Self, EngineError> {
		let unavailable = |what: &str, error: std::io::Error| EngineError::Unavailable(format!("{what}: {error}"));
		let (socket, theirs) = UnixStream::pair().map_err(|error| unavailable("no socket for the child", error))?;
		socket
			.set_read_timeout(Some(WATCH))
			.and_then(|()| socket.set_write_timeout(Some(WATCH)))
			.map_err(|error| unavailable("no time-out on the child's socket", error))?;
		let model = match model {
			Some(file) => Stdio::from(
				file.try_clone()
					.map_err(|error| unavailable("the model's file", error))?,
			),
			None => Stdio::null(),
		};
		let mut command = Command::new(&launch.binary);
		command
			.arg("inference-worker")
			.env_clear()
			.env("ORT_DISABLE_TELEMETRY", "1");
		if let (Some(_), Some(path)) = (launch.setup.cuda, std::env::var_os("LD_LIBRARY_PATH")) {
			// CUDA's libraries are found with it.
			command.env("LD_LIBRARY_PATH", path);
		}
		command
			.current_dir("/")
			.stdin(OwnedFd::from(theirs))
			.stdout(model)
			.stderr(Stdio::piped());
		let mut process = command
			.spawn()
			.map_err(|error| unavailable(&format!("{} does not start", launch.binary.display()), error))?;
		// The command keeps the child's end of the socket open, and with it the end of file from being seen.
		drop(command);
		let last_words = Arc::new(Mutex::new(Vec::new()));
		if let Some(stderr) = process.stderr.take() {
			let words = last_words.clone();
			let _ = thread::Builder::new()
				.name("inference-stderr".into())
				.spawn(move || listen(stderr, &words));
		}
		launch.metrics.started(process.id());
		let mut child = Self {
			process,
			socket: BufReader::with_capacity(SMALL, socket),
			last_words,
			memory_limit: u64::MAX,
			// One that cannot be set up says so, and ends by itself.
			exit: Some(Exit::Crashed),
			metrics: launch.metrics.clone(),
		};
		let setup = serde_json::to_vec(&launch.setup).map_err(|error| EngineError::Unavailable(error.to_string()))?;
		child
			.ask(Tag::Setup, &[&setup], START_LIMIT, u64::MAX)
			.map_err(Trouble::at_start)?;
		child.exit = None;
		Ok(child)
	}

	/// Sends a request, its body in parts, and waits for the answer. After any trouble but [`Trouble::Said`] the child is
	/// of no use.
	fn ask(&mut self, tag: Tag, body: &[&[u8]], limit: Duration, memory_limit: u64) -> Result<Vec<u8>, Trouble> {
		let answer = self.exchange(tag, body, limit, memory_limit);
		if let Err(trouble) = &answer {
			self.exit = trouble.exit().or(self.exit);
		}
		answer
	}

	fn exchange(&mut self, tag: Tag, body: &[&[u8]], limit: Duration, memory_limit: u64) -> Result<Vec<u8>, Trouble> {
		let mut watch = Watch {
			started: Instant::now(),
			limit,
			memory_limit,
			seen: Instant::now(),
		};
		let length = body.iter().map(|part| part.len()).sum();
		let head = header(tag, length).map_err(|error| Trouble::Said(error.to_string()))?;
		match small_frame(&head, body) {
			Some(frame) => self.send(&frame, &mut watch)?,
			None => {
				self.send(&head, &mut watch)?;
				for part in body {
					self.send(part, &mut watch)?;
				}
			}
		}
		read_answer(|bytes| self.receive(bytes, &mut watch))?.map_err(Trouble::Said)
	}

	fn send(&mut self, mut bytes: &[u8], watch: &mut Watch) -> Result<(), Trouble> {
		while !bytes.is_empty() {
			match self.socket.get_mut().write(bytes) {
				Ok(0) => return Err(self.died()),
				Ok(count) => bytes = &bytes[count..],
				Err(error) => self.retry(&error)?,
			}
			self.check(watch)?;
		}
		Ok(())
	}

	fn receive(&mut self, bytes: &mut [u8], watch: &mut Watch) -> Result<(), Trouble> {
		let mut done = 0;
		while done < bytes.len() {
			match self.socket.read(&mut bytes[done..]) {
				Ok(0) => return Err(self.died()),
				Ok(count) => done += count,
				Err(error) => self.retry(&error)?,
			}
			self.check(watch)?;
		}
		Ok(())
	}

	fn retry(&mut self, error: &std::io::Error) -> Result<(), Trouble> {
		match error.kind() {
			ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(()),
			_ => Err(self.died()),
		}
	}

	fn check(&self, watch: &mut Watch) -> Result<(), Trouble> {
		if watch.seen.elapsed() < WATCH {
			return Ok(());
		}
		watch.seen = Instant::now();
		if watch.started.elapsed() > watch.limit {
			return Err(Trouble::Time);
		}
		match self.resident() {
			Some(used) if used > watch.memory_limit => Err(Trouble::Memory(used)),
			_ => Ok(()),
		}
	}

	/// Whether it has not ended yet.
	fn is_alive(&mut self) -> bool {
		matches!(self.process.try_wait(), Ok(None))
	}

	/// Bytes of memory that the child has now.
	fn resident(&self) -> Option<u64> {
		resident(self.process.id())
	}

	fn died(&mut self) -> Trouble {
		// It may have closed its socket without ending.
		let _ = self.process.kill();
		let status = self
			.process
			.wait()
			.map_or_else(|error| error.to_string(), |status| status.to_string());
		// The pipe is read by another thread, which needs a moment for the last lines.
		thread::sleep(WATCH);
		let words = printable(&self.last_words.lock());
		Trouble::Died(if words.is_empty() {
			status
		} else {
			format!("{status}: {words}")
		})
	}
}

/// Resident bytes of a process.
pub(super) fn resident(pid: u32) -> Option<u64> {
	let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
	line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// Limits of one exchange.
struct Watch {
	started: Instant,
	limit: Duration,
	memory_limit: u64,
	seen: Instant,
}

/// Keeps the last lines of what the child prints.
fn listen(mut stderr: impl Read, words: &Mutex<Vec<u8>>) {
	let mut buffer = [0; 1024];
	while let Ok(count @ 1..) = stderr.read(&mut buffer) {
		let mut words = words.lock();
		words.extend_from_slice(&buffer[..count]);
		let excess = words.len().saturating_sub(MAX_TEXT);
		words.drain(..excess);
	}
}
