//! What becomes of an act. Its fate does not matter, only that nothing breaks.

use super::act::{Act, PEOPLE};
use highway_primitives::{
	market::ask_commitment, model::DerivativeTerms, AskRole, Balance, FailureClass, JobPhase, MarketPhase, ModelId,
	NodeId,
};
use highway_runtime::{
	pallet_inference_jobs::Call as Job, pallet_model_registry::Call as Model, pallet_node_staking::Call as Node,
	pallet_promotion, pallet_proof_of_work_done::Call as Proof, pallet_revenue_split::Call as Split,
	pallet_treasury::Call as Treasury, NodeStaking, Runtime, RuntimeCall,
};
use highway_runtime_tests::{
	commit_asks, commit_call, curator_call, invariants::is_open, register_call, reveal_asks, signed, spec,
	submit_batch_call, submit_tier_call, treasury, worker_transaction, Ask, Chain, ASK_SALT,
};
use pallet_inference_jobs::Jobs;
use pallet_revenue_split::CuratorProfile;
use sp_keyring::Sr25519Keyring::{self, Alice, Eve};
use sp_runtime::{
	transaction_validity::{InvalidTransaction, TransactionValidityError},
	Perbill,
};
use std::collections::BTreeMap;

/// What nodes committed to and have not revealed, as their operators keep it.
pub type Asked = BTreeMap<(NodeId, ModelId, AskRole), Option<Balance>>;

/// The unfinished jobs, in the order of their ids.
pub fn open_jobs() -> Vec<u64> {
	let mut jobs = Jobs::<Runtime>::iter()
		.filter(|(_, record)| is_open(record.phase()))
		.map(|(job, _)| job)
		.collect::<Vec<_>>();
	jobs.sort_unstable();
	jobs
}

fn nth_open(nth: usize) -> Option<u64> {
	let jobs = open_jobs();
	jobs.get(nth % jobs.len().max(1)).copied()
}

pub fn try_call(chain: &mut Chain, who: Sr25519Keyring, call: impl Into<RuntimeCall>) {
	let _ = succeeds(chain, who, call);
}

/// Whether `who` did this. Whoever has bound all its money cannot even pay the fee; nothing else is refused.
fn succeeds(chain: &mut Chain, who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> bool {
	chain.open();
	let call = call.into();
	match chain.apply(signed(who, call.clone())) {
		Ok(outcome) => outcome.is_ok(),
		Err(TransactionValidityError::Invalid(InvalidTransaction::Payment)) => false,
		Err(refusal) => panic!("{call:?} by {who:?}: {refusal:?}"),
	}
}

fn owner(model: u32) -> Option<Sr25519Keyring> {
	Sr25519Keyring::from_account_id(&pallet_model_registry::Models::<Runtime>::get(model)?.owner)
}

fn by_owner(chain: &mut Chain, model: u32, call: Model<Runtime>) {
	if let Some(owner) = owner(model) {
		try_call(chain, owner, call);
	}
}

/// The name that the next model gets.
fn next_name() -> String {
	format!("m{}", pallet_model_registry::NextModelId::<Runtime>::get())
}

fn register(chain: &mut Chain, who: Sr25519Keyring, parent: Option<ModelId>, royalty: Balance) {
	let name = next_name();
	let terms = Some(DerivativeTerms {
		share: Perbill::from_percent(30),
		floor: royalty / 2,
	});
	let spec = spec(&name);
	chain.files.insert(spec.artifact.hash, name.clone().into_bytes());
	try_call(chain, who, commit_call(who, &spec.artifact));
	chain.blocks(2);
	try_call(chain, who, register_call(&name, spec, parent, terms, royalty));
}

fn commit(chain: &mut Chain, asked: &mut Asked, who: Sr25519Keyring, ask: Ask, by_wallet: bool) {
	let Some(node) = NodeStaking::node_of_worker(&who.public().into()) else {
		return;
	};
	chain.open();
	let ((model, role, price), epoch) = (ask, chain.coming_epoch());
	let is_taken = if by_wallet {
		let hash = ask_commitment(node, epoch, model, role, price, &ASK_SALT);
		succeeds(chain, who, Split::commit_ask { model, role, hash })
	} else {
		let said = worker_transaction(chain.worker(node), commit_asks(node, epoch, &[ask]));
		chain.apply(said) == Ok(Ok(()))
	};
	if is_taken {
		asked.insert((node, model, role), price);
	}
}

/// Everybody reveals what it committed to, if that counts now.
fn reveal(chain: &mut Chain, asked: &mut Asked, by_wallet: bool) {
	chain.open();
	for node in 0..pallet_node_staking::NextNodeId::<Runtime>::get() {
		if NodeStaking::node(node).is_none() {
			continue;
		}
		let own = asked.iter().filter(|((of, ..), _)| *of == node);
		let own = own
			.map(|((_, model, role), price)| (*model, *role, *price))
			.collect::<Vec<Ask>>();
		if by_wallet {
			for (model, role, price) in own {
				let call = Split::reveal_ask {
					model,
					role,
					price,
					salt: ASK_SALT,
				};
				let operator = chain.operator(node);
				if succeeds(chain, operator, call) {
					asked.remove(&(node, model, role));
				}
			}
		} else {
			let said = reveal_asks(node, chain.coming_epoch(), &own, ASK_SALT);
			if chain.apply(worker_transaction(chain.worker(node), said)) == Ok(Ok(())) {
				asked.retain(|(of, ..), _| *of != node);
			}
		}
	}
}

/// A commitment of `of` to a file, if there is one, is dropped by `who`, if it may.
fn drop_file(chain: &mut Chain, who: Sr25519Keyring, of: Sr25519Keyring) {
	let owner = of.to_account_id();
	let mut hashes = pallet_model_registry::Commitments::<Runtime>::iter_key_prefix(&owner);
	if let Some(hash) = hashes.next() {
		try_call(chain, who, Model::drop_commitment { owner, hash });
	}
}

fn curate(chain: &mut Chain, who: Sr25519Keyring, fee: Option<Balance>) {
	let leave = || -> RuntimeCall {
		let profile = CuratorProfile::default();
		Split::<Runtime>::set_curator { fee: 0, profile }.into()
	};
	try_call(chain, who, fee.map_or_else(leave, curator_call));
}

fn join(chain: &mut Chain, who: Sr25519Keyring, bond: Balance) {
	let description = pallet_node_staking::NodeDescription {
		worker: who.public().into(),
		peer_id: Default::default(),
		addresses: Default::default(),
		device: highway_primitives::DeviceClass::CpuArm,
		memory_mib: 1,
		region: Default::default(),
	};
	let proof = chain.registration_proof(who, who);
	let call = Node::register {
		description,
		bond,
		proof,
	};
	try_call(chain, who, call);
}

/// Does it.
pub fn perform(chain: &mut Chain, asked: &mut Asked, act: Act) {
	match act {
		Act::Register { who, parent, royalty } => register(chain, PEOPLE[who], parent, royalty),
		Act::CommitFile { who } => {
			let artefact = spec(&next_name()).artifact;
			try_call(chain, PEOPLE[who], commit_call(PEOPLE[who], &artefact));
		}
		Act::DropFile { who, of } => drop_file(chain, PEOPLE[who], PEOPLE[of]),
		Act::Deprecate { model, back: false } => by_owner(chain, model, Model::deprecate { model }),
		Act::Deprecate { model, back: true } => by_owner(chain, model, Model::reinstate { model }),
		Act::Remove { model } => by_owner(chain, model, Model::remove { model }),
		Act::Royalty { model, royalty } => {
			let call = Model::update_terms {
				model,
				royalty: Some(royalty),
				derivative_terms: None,
			};
			by_owner(chain, model, call);
		}
		Act::Host {
			who,
			model,
			stop: false,
		} => try_call(chain, PEOPLE[who], Node::host { model }),
		Act::Host { who, model, stop: true } => try_call(chain, PEOPLE[who], Node::unhost { model }),
		Act::Commit {
			who,
			model,
			role,
			price,
			by_wallet,
		} => commit(chain, asked, PEOPLE[who], (model, role, price), by_wallet),
		Act::Reveal { waits, by_wallet } => {
			if waits {
				chain.open_in(MarketPhase::Reveal);
			}
			reveal(chain, asked, by_wallet);
		}
		Act::Clear { who, model } => try_call(chain, PEOPLE[who], Split::clear { model }),
		Act::Prune { who, model } => try_call(chain, PEOPLE[who], Split::prune { model }),
		Act::Curate { who, fee } => curate(chain, PEOPLE[who], fee),
		Act::Promote { who, model, price } => {
			try_call(chain, PEOPLE[who], pallet_promotion::Call::bid { model, price })
		}
		Act::Submit {
			who,
			model,
			curator,
			tier,
		} => {
			let curator = curator.map(|curator| PEOPLE[curator].to_account_id());
			try_call(chain, PEOPLE[who], submit_tier_call(model, curator, tier));
		}
		Act::SubmitBatch { who, model, inputs } => try_call(chain, PEOPLE[who], submit_batch_call(model, inputs)),
		Act::Attest { nth } => {
			// Assigned or not: a second attestation must be refused, not break anything.
			let Some(job) = nth_open(nth) else { return };
			let node = chain.executor(job);
			let _ = chain.apply(worker_transaction(chain.worker(node), chain.attestation(node, &[job])));
		}
		Act::Cheat { nth } => {
			let Some(job) = nth_open(nth) else { return };
			// Not after the attestation: what was committed to is what is opened.
			let record = chain.job(job);
			if record.phase() == JobPhase::Assigned {
				match record.inputs {
					1 => {
						chain.cheats.insert(job);
					}
					// On every second one of many.
					inputs => chain
						.wrong_inputs
						.extend((0..inputs).step_by(2).map(|index| (job, index))),
				}
				let node = chain.executor(job);
				let _ = chain.apply(worker_transaction(chain.worker(node), chain.attestation(node, &[job])));
			}
		}
		Act::Force { nth } => {
			let Some(job) = nth_open(nth) else { return };
			let payer = Sr25519Keyring::from_account_id(&chain.job(job).payer).expect("all payers are well-known");
			try_call(chain, payer, Proof::force_audit { job });
		}
		Act::Behave { node, conduct } => {
			chain.conduct.remove(&node);
			chain.conduct.extend(conduct.map(|conduct| (node, conduct)));
		}
		Act::Confirm { who, model } => try_call(chain, PEOPLE[who], Proof::confirm_calibration { model, version: 1 }),
		Act::AttestAll { node } => {
			if NodeStaking::node(node).is_some() {
				let jobs = open_jobs();
				let _ = chain.apply(worker_transaction(chain.worker(node), chain.attestation(node, &jobs)));
			}
		}
		Act::Report { nth, class } => {
			let Some(job) = nth_open(nth) else { return };
			let node = chain.executor(job);
			let class = if class == 0 {
				FailureClass::InputMissing
			} else {
				FailureClass::RunFailed
			};
			let report = chain.failure_report(node, job, class);
			let _ = chain.apply(worker_transaction(chain.worker(node), report));
		}
		Act::Poke { nth } => {
			if let Some(job) = nth_open(nth) {
				try_call(chain, Eve, Job::poke { job });
			}
		}
		Act::Claim { who } => try_call(chain, PEOPLE[who], Split::claim {}),
		Act::ClaimFor { who, of } => {
			let account = PEOPLE.get(of).map_or_else(treasury, |of| of.to_account_id());
			try_call(chain, PEOPLE[who], Split::claim_for { account });
		}
		Act::ClaimStorage { who, model } => try_call(chain, PEOPLE[who], Split::claim_storage_pay { model }),
		Act::Spend { to, amount } => {
			let spend = Treasury::<Runtime>::spend {
				asset_kind: Box::new(()),
				amount,
				beneficiary: Box::new(PEOPLE[to].to_account_id()),
				valid_from: None,
			};
			let call = Box::new(spend.into());
			try_call(chain, Alice, pallet_sudo::Call::<Runtime>::sudo { call });
		}
		Act::PayOut { who, index } => try_call(chain, PEOPLE[who], Treasury::<Runtime>::payout { index }),
		Act::Bond { who, amount } => try_call(chain, PEOPLE[who], Node::bond_extra { amount }),
		Act::Unbond { who, all, amount } => {
			let node = NodeStaking::node_of_worker(&PEOPLE[who].public().into());
			let bond = node.and_then(NodeStaking::node).map_or(0, |(record, _)| record.bond);
			let amount = if all { bond } else { amount };
			try_call(chain, PEOPLE[who], Node::unbond { amount });
		}
		Act::Withdraw { who, leave: false } => try_call(chain, PEOPLE[who], Node::withdraw_unbonded {}),
		Act::Withdraw { who, leave: true } => try_call(chain, PEOPLE[who], Node::deregister {}),
		Act::Delegate { who, node, amount } => {
			let call = Node::delegate {
				node,
				amount,
				max_commission: Perbill::from_percent(10),
			};
			try_call(chain, PEOPLE[who], call);
		}
		Act::Undelegate { who, node, amount } => try_call(chain, PEOPLE[who], Node::undelegate { node, amount }),
		Act::Collect { who, node } => try_call(chain, PEOPLE[who], Node::claim_rewards { node }),
		Act::Pause { who, back: false } => try_call(chain, PEOPLE[who], Node::chill {}),
		Act::Pause { who, back: true } => try_call(chain, PEOPLE[who], Node::resume {}),
		Act::Join { who, bond } => join(chain, PEOPLE[who], bond),
		Act::Silence { node, speak: false } => {
			chain.silent.insert(node);
		}
		Act::Silence { node, speak: true } => {
			chain.silent.remove(&node);
		}
		Act::Lose { node, find: false } => {
			chain.forgetful.insert(node);
		}
		Act::Lose { node, find: true } => {
			chain.forgetful.remove(&node);
		}
		Act::Blocks { count } => chain.blocks(count),
	}
}
