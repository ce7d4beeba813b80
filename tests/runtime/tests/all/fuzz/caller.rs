//! Who makes calls, of what, and what was said before: all of it drawn.

use crate::random::perform::{open_jobs, Asked};
use codec::Decode;
use highway_primitives::{
	Balance, Ballot, JobId, JobPhase, MarketPhase, ModelId, NodeId, ProbeTask, WorkerAction, AIC,
};
use highway_runtime::{
	constants::EXISTENTIAL_DEPOSIT, CapacityProbes, InferenceJobs, NodeStaking, RevenueSplit, Runtime, RuntimeCall,
	UncheckedExtrinsic,
};
use highway_runtime_tests::{invariants::free, signed, worker_transaction, CallName, Chain, MILLI};
use pallet_inference_jobs::NextJobId;
use pallet_model_registry::{NextModelId, TransferOffers};
use pallet_node_staking::{NextNodeId, NodeOf};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, One};
use sp_runtime::Perbill;
use std::collections::BTreeMap;

/// Who makes calls: five of those who have coins, three of whom operate nodes from the start, and one who has none. The sixth
/// keeps its coins for what has to be paid at the end.
pub const CALLERS: [Sr25519Keyring; 6] = [Alice, Bob, Charlie, Dave, Eve, One];

/// A call of ours.
#[derive(Debug)]
pub struct OurCall {
	/// Its pallet and its name.
	pub name: CallName,
	/// How it begins when it is encoded.
	pub indices: [u8; 2],
}

/// Draws calls, and remembers what only their makers know.
pub struct Caller {
	dice: StdRng,
	/// Files so far: each gets another name.
	pub(super) named: u32,
	/// Files that somebody committed to.
	pub(super) files: Vec<(Sr25519Keyring, String)>,
	/// Asks that nodes committed to.
	pub asked: Asked,
	/// Ballots that nodes committed to.
	pub(super) ballots: BTreeMap<(NodeId, JobId), Ballot>,
	/// Rows that nodes answered probes with.
	pub(super) rows: BTreeMap<NodeId, Vec<u8>>,
}

impl Caller {
	/// The one who makes the calls of a sequence.
	pub fn of(number: u64) -> Self {
		Self {
			dice: StdRng::seed_from_u64(number),
			named: 0,
			files: Vec::new(),
			asked: Asked::new(),
			ballots: BTreeMap::new(),
			rows: BTreeMap::new(),
		}
	}

	/// Something to put into a block.
	pub fn transaction(&mut self, chain: &mut Chain, calls: &[OurCall]) -> UncheckedExtrinsic {
		chain.open();
		let any = &calls[self.below(calls.len() as u32) as usize];
		match self.below(100) {
			0..50 => self.plausible(chain, any.name),
			50..70 => {
				let opportune = self.opportune();
				let name = opportune.choose(&mut self.dice).copied().unwrap_or(any.name);
				self.plausible(chain, name)
			}
			70..82 => match self.noise(any) {
				Some(call) => signed(self.who(), call),
				None => self.plausible(chain, any.name),
			},
			82..92 => match self.noisy_word() {
				Some(word) => self.word(chain, word),
				None => self.plausible(chain, any.name),
			},
			// Whose it is not: root's, an account's, or nobody's.
			_ => {
				let call = self.plausible(chain, any.name).function;
				match self.below(3) {
					0 => signed(Alice, pallet_sudo::Call::<Runtime>::sudo { call: Box::new(call) }),
					1 => signed(self.who(), call),
					_ => UncheckedExtrinsic::new_bare(call),
				}
			}
		}
	}

	/// A transaction with this call, by somebody and of something that may well fit.
	pub fn plausible(&mut self, chain: &mut Chain, (pallet, call): CallName) -> UncheckedExtrinsic {
		chain.open();
		match pallet {
			"ModelRegistry" => self.registry(chain, call),
			"NodeStaking" => self.staking(chain, call),
			"RevenueSplit" => self.split(chain, call),
			"InferenceJobs" => self.jobs(call),
			"ProofOfWorkDone" => self.proofs(chain, call),
			"CapacityProbes" => self.probes(chain, call),
			"StorageProofs" => self.storage(chain, call),
			"Promotion" => self.promotion(call),
			_ => panic!("nobody makes calls of {pallet}: teach the caller {call}"),
		}
	}

	/// Calls for which there is an occasion now.
	fn opportune(&self) -> Vec<CallName> {
		let mut calls = vec![("InferenceJobs", "submit_job"), ("InferenceJobs", "submit_batch")];
		if !self.files.is_empty() {
			calls.extend([("ModelRegistry", "register"), ("ModelRegistry", "add_version")]);
		}
		if TransferOffers::<Runtime>::iter_keys().next().is_some() {
			calls.extend([
				("ModelRegistry", "accept_transfer"),
				("ModelRegistry", "withdraw_offer"),
			]);
		}
		match RevenueSplit::phase().0 {
			MarketPhase::Commit => calls.extend([("RevenueSplit", "commit_asks"), ("RevenueSplit", "commit_ask")]),
			MarketPhase::Reveal => calls.extend([("RevenueSplit", "reveal_asks"), ("RevenueSplit", "reveal_ask")]),
		}
		if !RevenueSplit::earnings().is_empty() {
			calls.extend([("RevenueSplit", "claim"), ("RevenueSplit", "claim_for")]);
		}
		for record in open_jobs().into_iter().filter_map(InferenceJobs::job) {
			calls.push(match record.phase() {
				JobPhase::Attested => ("ProofOfWorkDone", "force_audit"),
				_ => ("ProofOfWorkDone", "attest"),
			});
		}
		for node in nodes() {
			match CapacityProbes::task_of(node) {
				Some(ProbeTask::Compute { .. }) => calls.push(("CapacityProbes", "answer")),
				Some(ProbeTask::Prove { .. }) => calls.push(("CapacityProbes", "prove")),
				None => (),
			}
		}
		calls
	}

	/// The call with arguments that nobody chose. `None` if no bytes were any.
	fn noise(&mut self, call: &OurCall) -> Option<RuntimeCall> {
		(0..16).find_map(|_| {
			let bytes = [&call.indices[..], &self.bytes(512)].concat();
			RuntimeCall::decode(&mut bytes.as_slice()).ok()
		})
	}

	/// Something that a worker key may say, of a node that may be there.
	fn noisy_word(&mut self) -> Option<WorkerAction> {
		(0..16).find_map(|_| {
			// Which of twelve it is, and the node in its short form.
			let head = [self.below(12) as u8, (self.below(5) as u8) << 2];
			let bytes = [&head[..], &self.bytes(512)].concat();
			WorkerAction::decode(&mut bytes.as_slice()).ok()
		})
	}

	/// What a worker key says, signed by the node's one, or by another.
	pub(super) fn word(&mut self, chain: &Chain, action: WorkerAction) -> UncheckedExtrinsic {
		let node = speaker(&action);
		let key = match NodeStaking::node(node).is_some() && !self.chance(10) {
			true => chain.worker(node),
			false => self.key(),
		};
		worker_transaction(key, action)
	}

	/// A number below `end`.
	pub fn below(&mut self, end: u32) -> u32 {
		self.dice.gen_range(0..end)
	}

	/// Whether something happens that does in so many of a hundred cases.
	pub(super) fn chance(&mut self, percent: u32) -> bool {
		self.dice.gen_ratio(percent, 100)
	}

	/// One of these, of which there is one at least.
	pub fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
		choices.choose(&mut self.dice).expect("there is a choice").clone()
	}

	/// Bytes, half of them such as lengths, options and flags are made of.
	pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
		let mut byte = || match self.dice.gen_range(0..4) {
			0 => 0,
			1 => self.dice.gen_range(0..8),
			2 => [0x04, 0x08, 0xfc, 0xff][self.dice.gen_range(0..4)],
			_ => self.dice.gen(),
		};
		(0..count).map(|_| byte()).collect()
	}

	/// A hash, or anything else of 32 bytes.
	pub(super) fn word32(&mut self) -> [u8; 32] {
		self.dice.gen()
	}

	pub(super) fn hash(&mut self) -> H256 {
		H256(self.word32())
	}

	/// Somebody.
	pub(super) fn who(&mut self) -> Sr25519Keyring {
		self.one_of(&CALLERS)
	}

	/// Somebody with a node, as a rule.
	pub(super) fn operator(&mut self) -> Sr25519Keyring {
		let nodes = nodes();
		if nodes.is_empty() || self.chance(15) {
			return self.who();
		}
		let node = self.one_of(&nodes);
		let (record, _) = NodeStaking::node(node).expect("a listed node exists");
		Sr25519Keyring::from_account_id(&record.operator).expect("all operators are well-known")
	}

	/// A key.
	pub(super) fn key(&mut self) -> Sr25519Keyring {
		let keys: Vec<_> = Sr25519Keyring::iter().collect();
		self.one_of(&keys)
	}

	pub(super) fn model(&mut self) -> ModelId {
		self.id(NextModelId::<Runtime>::get())
	}

	pub(super) fn node(&mut self) -> NodeId {
		self.id(NextNodeId::<Runtime>::get())
	}

	/// One that is not over, as a rule.
	pub(super) fn job(&mut self) -> JobId {
		let open = open_jobs();
		if open.is_empty() || self.chance(20) {
			let next = NextJobId::<Runtime>::get();
			return self.one_of(&[0, next.saturating_sub(1), next, JobId::MAX]);
		}
		self.one_of(&open)
	}

	/// One of the ids that were given, as a rule.
	fn id(&mut self, next: u32) -> u32 {
		if next == 0 || self.chance(10) {
			return self.one_of(&[next, next.saturating_add(1), u32::MAX]);
		}
		self.below(next)
	}

	/// Part of something.
	pub(super) fn share(&mut self) -> Perbill {
		let percent = self.one_of(&[0, 1, 5, 10, 14, 30, 50, 100]);
		Perbill::from_percent(percent)
	}

	/// What somebody asks for something small.
	pub(super) fn price(&mut self) -> Balance {
		let most: Balance = <Runtime as pallet_revenue_split::Config>::MaxAsk::get();
		let usual = self.dice.gen_range(1..50 * MILLI);
		match self.chance(70) {
			true => usual,
			false => self.one_of(&[0, 1, EXISTENTIAL_DEPOSIT, AIC, most, most + 1, Balance::MAX]),
		}
	}

	/// What somebody moves.
	pub(super) fn amount(&mut self, who: Sr25519Keyring) -> Balance {
		let free = free(&who.to_account_id());
		let bond = bond_of(who);
		let usual = self.dice.gen_range(1..5_000 * AIC);
		self.one_of(&[
			0,
			1,
			EXISTENTIAL_DEPOSIT - 1,
			EXISTENTIAL_DEPOSIT,
			AIC,
			10 * AIC,
			100 * AIC,
			1_000 * AIC,
			2_000 * AIC,
			usual,
			free / 2,
			free.saturating_sub(EXISTENTIAL_DEPOSIT),
			free,
			bond,
			bond.saturating_sub(1_000 * AIC),
			Balance::MAX,
		])
	}
}

/// The nodes that are there.
pub fn nodes() -> Vec<NodeId> {
	NodeStaking::ids_from(0, u32::MAX).0
}

/// The node that somebody operates.
pub fn node_of(who: Sr25519Keyring) -> Option<NodeId> {
	NodeOf::<Runtime>::get(who.to_account_id())
}

/// What somebody has bonded.
pub fn bond_of(who: Sr25519Keyring) -> Balance {
	let node = node_of(who).and_then(NodeStaking::node);
	node.map_or(0, |(record, _)| record.bond)
}

/// The node that says this.
fn speaker(action: &WorkerAction) -> NodeId {
	match action {
		WorkerAction::Attest { node, .. }
		| WorkerAction::ReportFailure { node, .. }
		| WorkerAction::OpenCommitment { node, .. }
		| WorkerAction::CommitBallot { node, .. }
		| WorkerAction::RevealBallot { node, .. }
		| WorkerAction::ProveChunk { node, .. }
		| WorkerAction::Heartbeat { node, .. }
		| WorkerAction::AnswerProbe { node, .. }
		| WorkerAction::ProveProbe { node, .. }
		| WorkerAction::CommitAsks { node, .. }
		| WorkerAction::RevealAsks { node, .. }
		| WorkerAction::ProveStorage { node, .. } => *node,
	}
}
