//! Validators that sign two different things at once: a report with the proof of whose key it was takes the node out.

use crate::sessions::pass_sessions;
use finality_grandpa::{Equivocation as Votes, Prevote};
use highway_primitives::AIC;
use highway_runtime::{
	Babe, Block, Grandpa, Hash, Header, NodeStaking, Runtime, RuntimeEvent, Session, UncheckedExtrinsic,
};
use highway_runtime_tests::{invariants::free, treasury, Chain};
use pallet_node_staking::{Call as Node, Event as NodeEvent};
use sp_consensus_babe::{
	digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
	runtime_decl_for_babe_api::BabeApi,
	EquivocationProof as TwoBlocks, Slot,
};
use sp_consensus_grandpa::{runtime_decl_for_grandpa_api::GrandpaApi, Equivocation, EquivocationProof as TwoVotes};
use sp_keyring::{
	Ed25519Keyring,
	Sr25519Keyring::{self, Alice, Bob, Ferdie},
};
use sp_runtime::{
	traits::Header as _,
	transaction_validity::{InvalidTransaction, TransactionValidityError},
	Digest, DigestItem, Perbill,
};

/// A block that says that Bob made it in `slot`, sealed by `sealer`.
fn sealed(sealer: Sr25519Keyring, slot: Slot, state_root: Hash) -> Header {
	let place = Babe::authorities()
		.iter()
		.position(|(id, _)| *id == Bob.public().into());
	let pre_digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
		authority_index: place.expect("Bob is an authority") as u32,
		slot,
	});
	let mut header = Header::new(
		9,
		Hash::zero(),
		state_root,
		Hash::zero(),
		Digest {
			logs: vec![DigestItem::babe_pre_digest(pre_digest)],
		},
	);
	let seal = sealer.sign(header.hash().as_ref());
	header.digest_mut().push(DigestItem::babe_seal(seal.into()));
	header
}

/// The report that `offender`, who is Bob if it is true, made two blocks in the slot of the open block, as a node that saw both gives it to its pool.
pub(crate) fn report_blocks(chain: &mut Chain, offender: Sr25519Keyring, sealer: Sr25519Keyring) -> UncheckedExtrinsic {
	let slot = Babe::current_slot();
	let proof = TwoBlocks {
		offender: offender.public().into(),
		slot,
		first_header: sealed(sealer, slot, Hash::repeat_byte(1)),
		second_header: sealed(sealer, slot, Hash::repeat_byte(2)),
	};
	let owner = <Runtime as BabeApi<Block>>::generate_key_ownership_proof(slot, offender.public().into())
		.expect("the session has a tree of keys");
	<Runtime as BabeApi<Block>>::submit_report_equivocation_unsigned_extrinsic(proof, owner)
		.expect("the pool takes it");
	only(chain)
}

/// The report that Bob voted twice in a round of the current set.
fn report_votes(chain: &mut Chain, signer: Ed25519Keyring) -> UncheckedExtrinsic {
	let (round, set) = (3, Grandpa::current_set_id());
	let vote = |byte| {
		let vote = Prevote {
			target_hash: Hash::repeat_byte(byte),
			target_number: 9,
		};
		let payload = sp_consensus_grandpa::localized_payload(
			round,
			set,
			&finality_grandpa::Message::<Hash, u32>::Prevote(vote.clone()),
		);
		(vote, signer.sign(&payload).into())
	};
	let votes = Votes {
		round_number: round,
		identity: Ed25519Keyring::Bob.public().into(),
		first: vote(1),
		second: vote(2),
	};
	let proof = TwoVotes::new(set, Equivocation::Prevote(votes));
	let owner = <Runtime as GrandpaApi<Block>>::generate_key_ownership_proof(set, Ed25519Keyring::Bob.public().into())
		.expect("the session has a tree of keys");
	<Runtime as GrandpaApi<Block>>::submit_report_equivocation_unsigned_extrinsic(proof, owner)
		.expect("the pool takes it");
	only(chain)
}

fn only(chain: &mut Chain) -> UncheckedExtrinsic {
	let submitted = chain.take_submitted();
	let [report] = submitted.as_slice() else {
		panic!("one report: {submitted:?}")
	};
	report.clone()
}

/// The shares that reports cost node 1, which is Bob's.
pub(crate) fn reported(chain: &Chain) -> Vec<Perbill> {
	let events = chain.events();
	let shares = events.iter().filter_map(|event| match event {
		RuntimeEvent::NodeStaking(NodeEvent::OffenceReported {
			node: 1,
			operator,
			fraction,
			..
		}) if *operator == Bob.to_account_id() => Some(*fraction),
		_ => None,
	});
	shares.collect()
}

/// A false report is refused, a true one costs Bob his bond, once, and he validates no more from the next set on.
fn the_cheat_should_be_taken_out(make: impl Fn(&mut Chain, bool) -> UncheckedExtrinsic) {
	Chain::local(|chain| {
		let chilled = || NodeStaking::node(1).expect("Bob's node").0.chilled;
		pass_sessions(chain, 2);
		chain.open();
		let (forged, report) = (make(chain, false), make(chain, true));
		// The evidence outlives its session: its root is kept.
		pass_sessions(chain, 2);
		let outside = chain.validate(report.clone());
		assert_eq!(
			outside,
			Err(InvalidTransaction::Call.into()),
			"only a node's own reports enter its pool"
		);

		assert!(
			matches!(chain.apply(forged), Ok(Err(_))),
			"somebody else's signatures prove nothing"
		);
		assert!(!chilled() && reported(chain).is_empty());
		let bond = || NodeStaking::node(1).expect("Bob's node").0.bond;
		let (bonded, kept) = (bond(), free(&treasury()));
		assert_eq!(chain.apply(report.clone()), Ok(Ok(())));
		assert!(chilled());
		assert_eq!(reported(chain), [Perbill::one()], "(3 · 1 of 3)²");
		assert_eq!((bond(), NodeStaking::slashed(1).offences), (0, bonded));
		assert_eq!(free(&treasury()), kept + bonded / 2, "the other half burned");
		let stale = TransactionValidityError::from(InvalidTransaction::Stale);
		assert_eq!(chain.apply_here(report), Err(stale), "once");

		pass_sessions(chain, 2);
		let validators = Session::validators();
		assert!(!validators.contains(&Bob.to_account_id()));
		assert!(validators.contains(&Alice.to_account_id()));
		assert_eq!(
			chain.call(Bob, Node::resume {}),
			Err(pallet_node_staking::Error::<Runtime>::NotBonded.into())
		);
		chain.ok(Bob, Node::bond_extra { amount: 1_000 * AIC });
		chain.ok(Bob, Node::resume {});
		pass_sessions(chain, 2);
		assert!(
			Session::validators().contains(&Bob.to_account_id()),
			"with a new bond he may come back"
		);
		assert!(free(&Bob.to_account_id()) > AIC);
	});
}

#[test]
fn a_validator_should_be_chilled_when_it_is_reported_for_two_blocks_in_a_slot() {
	the_cheat_should_be_taken_out(|chain, is_true| report_blocks(chain, Bob, if is_true { Bob } else { Alice }));
}

#[test]
fn a_validator_should_be_chilled_when_it_is_reported_for_two_votes_in_a_round() {
	the_cheat_should_be_taken_out(|chain, is_true| {
		report_votes(
			chain,
			if is_true {
				Ed25519Keyring::Bob
			} else {
				Ed25519Keyring::Alice
			},
		)
	});
}

#[test]
fn a_report_should_be_refused_when_its_key_belongs_to_nobody_of_that_session() {
	Chain::local(|chain| {
		pass_sessions(chain, 2);
		chain.open();
		let bad = Err(InvalidTransaction::BadProof.into());
		let stranger = report_blocks(chain, Ferdie, Ferdie);
		assert_eq!(chain.apply_here(stranger), bad, "Ferdie does not validate");

		// A session of which no root is kept.
		let mut report = report_blocks(chain, Bob, Bob);
		let highway_runtime::RuntimeCall::Babe(pallet_babe::Call::report_equivocation_unsigned {
			key_owner_proof, ..
		}) = &mut report.function
		else {
			panic!("a report: {report:?}")
		};
		key_owner_proof.session = 1_000;
		report.encoded_call = None;
		assert_eq!(chain.apply_here(report), bad);
		assert!(reported(chain).is_empty());
	});
}
