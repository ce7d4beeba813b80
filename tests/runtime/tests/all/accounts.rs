//! What accounts share on every chain of this kind, with this runtime's calls in it: multisigs, proxies, and signatures
//! over the metadata's hash.

use codec::{Decode, Encode};
use frame_metadata_hash_extension::CheckMetadataHash;
use frame_support::dispatch::GetDispatchInfo;
use highway_primitives::{market::ask_commitment, AskRole, BlobRef, JobPhase, AIC};
use highway_runtime::{
	pallet_promotion, AccountId, Multisig, NodeStaking, ProxyType, Runtime, RuntimeCall, RuntimeEvent,
	UncheckedExtrinsic,
};
use highway_runtime_tests::{
	commit_call, invariants::free, register_call, signed, signed_with, spec, submit_call, Chain, ASK_SALT, MILLI,
};
use pallet_multisig::{Call as MultisigCall, Error as MultisigError};
use pallet_proxy::{Call as ProxyCall, Error as ProxyError};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Dave, Eve, Ferdie, One};
use sp_runtime::{
	traits::Checkable,
	transaction_validity::{InvalidTransaction, UnknownTransaction},
	DispatchError, DispatchResult,
};

fn transfer(to: &AccountId, value: u128) -> RuntimeCall {
	pallet_balances::Call::transfer_keep_alive {
		dest: to.clone().into(),
		value,
	}
	.into()
}

#[test]
fn a_multisig_should_pay_for_a_job_when_the_last_needed_signature_is_there() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let mut three = [Dave, Eve, Ferdie].map(|who| who.to_account_id());
		three.sort();
		let shared = Multisig::multi_account_id(&three, 2);
		chain.ok(Alice, transfer(&shared, AIC));

		let call = submit_call(model, None);
		let approve = |who: Sr25519Keyring, first| -> RuntimeCall {
			MultisigCall::as_multi {
				threshold: 2,
				other_signatories: three
					.iter()
					.filter(|other| **other != who.to_account_id())
					.cloned()
					.collect(),
				maybe_timepoint: first,
				call: Box::new(call.clone()),
				max_weight: call.get_dispatch_info().call_weight,
			}
			.into()
		};
		let reserved = || {
			frame_system::Account::<Runtime>::get(Dave.to_account_id())
				.data
				.reserved
		};
		// Dave's model has a deposit, too.
		let before = reserved();
		chain.ok(Dave, approve(Dave, None));
		let hash = sp_io::hashing::blake2_256(&call.encode());
		let opened = pallet_multisig::Multisigs::<Runtime>::get(&shared, hash).expect("one of two signed");
		let deposit = <Runtime as pallet_multisig::Config>::DepositBase::get()
			+ 2 * <Runtime as pallet_multisig::Config>::DepositFactor::get();
		assert_eq!(reserved(), before + deposit, "who opens it pays for its place");
		assert_eq!(free(&shared), AIC, "one signature moves nothing");
		assert_eq!(
			chain.call(Dave, approve(Dave, Some(opened.when))),
			Err(MultisigError::<Runtime>::AlreadyApproved.into()),
			"nobody counts twice"
		);
		// Another circle is another account, where nothing was opened.
		assert_eq!(
			chain.call(Bob, approve(Bob, Some(opened.when))),
			Err(MultisigError::<Runtime>::UnexpectedTimepoint.into()),
		);

		let job = pallet_inference_jobs::NextJobId::<Runtime>::get();
		chain.ok(Eve, approve(Eve, Some(opened.when)));
		let record = chain.job(job);
		assert_eq!(record.payer, shared);
		assert_eq!(free(&shared), AIC - record.deal.price, "it pays the price and no fee");
		assert_eq!(reserved(), before, "the deposit is back");
		chain.attest(job);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
	});
}

/// What becomes of `call` when `delegate` makes it in Alice's name.
fn by_proxy(chain: &mut Chain, delegate: Sr25519Keyring, call: impl Into<RuntimeCall>) -> DispatchResult {
	let call = ProxyCall::proxy {
		real: Alice.to_account_id().into(),
		force_proxy_type: None,
		call: Box::new(call.into()),
	};
	chain.ok(delegate, call);
	let results = chain.events().into_iter().rev();
	results
		.filter_map(|event| match event {
			RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(result),
			_ => None,
		})
		.next()
		.expect("a proxied call tells its result")
}

#[test]
fn a_proxy_should_do_what_its_type_is_for_and_nothing_else() {
	use pallet_node_staking::Call as Node;
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		for (delegate, proxy_type) in [
			(Bob, ProxyType::Any),
			(Dave, ProxyType::Operator),
			(Eve, ProxyType::Maker),
			(Ferdie, ProxyType::NonTransfer),
		] {
			let delegate = delegate.to_account_id().into();
			chain.ok(
				Alice,
				ProxyCall::add_proxy {
					delegate,
					proxy_type,
					delay: 0,
				},
			);
		}
		let chill = || -> RuntimeCall { Node::chill {}.into() };
		let resume = || -> RuntimeCall { Node::resume {}.into() };
		let commit = |name: &str| commit_call(Alice, &BlobRef::of(name.as_bytes()));
		let register = |name: &str| register_call(name, spec(name), None, None, 0);
		let pay = || transfer(&One.to_account_id(), AIC);
		let epoch = chain.coming_epoch();
		let ask = || -> RuntimeCall {
			let (role, price) = (AskRole::Compute, Some(11 * MILLI));
			let hash = ask_commitment(0, epoch, model, role, price, &ASK_SALT);
			pallet_revenue_split::Call::commit_ask { model, role, hash }.into()
		};
		let promote = || -> RuntimeCall { pallet_promotion::Call::bid { model, price: AIC }.into() };
		let in_batch = |call| -> RuntimeCall { pallet_utility::Call::batch_all { calls: vec![call] }.into() };
		let as_root = || -> RuntimeCall {
			let remark = frame_system::Call::remark { remark: vec![] };
			pallet_sudo::Call::sudo {
				call: Box::new(remark.into()),
			}
			.into()
		};
		let another = |proxy_type| -> RuntimeCall {
			ProxyCall::add_proxy {
				delegate: One.to_account_id().into(),
				proxy_type,
				delay: 0,
			}
			.into()
		};
		let filtered = Err(DispatchError::from(frame_system::Error::<Runtime>::CallFiltered));
		let done = Ok(());
		for (delegate, name) in [(Eve, "by-maker"), (Ferdie, "by-keeper")] {
			assert_eq!(by_proxy(chain, delegate, commit(name)), done);
		}
		chain.blocks(2);
		for (delegate, call, outcome) in [
			(Dave, chill(), done),
			(Dave, resume(), done),
			(Dave, ask(), done),
			(Dave, commit("by-operator"), filtered),
			(Dave, register("by-operator"), filtered),
			(Dave, promote(), filtered),
			(Dave, pay(), filtered),
			(Dave, submit_call(model, None), filtered),
			(Dave, as_root(), filtered),
			(Dave, another(ProxyType::Operator), filtered),
			(Eve, register("by-maker"), done),
			(Eve, chill(), filtered),
			(Eve, ask(), filtered),
			(Eve, promote(), filtered),
			(Eve, pay(), filtered),
			(Ferdie, register("by-keeper"), done),
			(Ferdie, chill(), done),
			(Ferdie, resume(), done),
			(Ferdie, pay(), filtered),
			(Ferdie, promote(), filtered),
			(Ferdie, in_batch(pay()), filtered),
			(Ferdie, submit_call(model, None), filtered),
			(Ferdie, as_root(), filtered),
			(Ferdie, another(ProxyType::Any), filtered),
			(Bob, pay(), done),
			(Bob, promote(), done),
			(Bob, in_batch(pay()), done),
		] {
			let said = format!("{call:?} by {delegate:?}");
			assert_eq!(by_proxy(chain, delegate, call), outcome, "{said}");
		}
		assert_eq!(free(&One.to_account_id()), 2 * AIC, "only what Bob sent");
		let owner = |name: &[u8]| {
			let name = name.to_vec().try_into().expect("short");
			pallet_model_registry::Pallet::<Runtime>::id_of(&Alice.to_account_id(), name).is_some()
		};
		assert!(owner(b"by-maker") && owner(b"by-keeper") && !owner(b"by-operator"));
		assert!(!NodeStaking::node(0).expect("Alice's node").0.chilled);

		let stranger = ProxyCall::proxy {
			real: Dave.to_account_id().into(),
			force_proxy_type: None,
			call: Box::new(pay()),
		};
		assert_eq!(
			chain.call(Eve, stranger),
			Err(ProxyError::<Runtime>::NotProxy.into()),
			"nobody acts for who did not ask for it"
		);
	});
}

#[test]
fn a_signature_over_the_metadata_hash_should_hold_for_the_runtimes_own_hash_only() {
	Chain::local(|chain| {
		let remark = || frame_system::Call::<Runtime>::remark { remark: vec![7] };
		let (own, other) = ([1; 32], [2; 32]);
		chain.open();
		let good = signed_with(Eve, remark(), CheckMetadataHash::new_with_custom_hash(own));
		// What was signed with another hash, in front of a runtime with this one.
		let mut bad = signed_with(Eve, remark(), CheckMetadataHash::new_with_custom_hash(other));
		if let (
			sp_runtime::generic::Preamble::Signed(_, _, theirs),
			sp_runtime::generic::Preamble::Signed(_, _, ours),
		) = (&mut bad.preamble, &good.preamble)
		{
			*theirs = ours.clone();
		}
		let context = frame_system::ChainContext::<Runtime>::default();
		assert_eq!(
			bad.check(&context).map(|_| ()),
			Err(InvalidTransaction::BadProof.into())
		);
		assert_eq!(good.clone().check(&context).map(|_| ()), Ok(()));

		// From bytes it finds the hash that the runtime was built with: none, natively. A built one is in `metadata_hash`.
		let read = UncheckedExtrinsic::decode(&mut &good.encode()[..]).expect("it is whole");
		let unknown = UnknownTransaction::CannotLookup;
		assert_eq!(chain.apply_here(read.clone()), Err(unknown.into()));
		chain.close();
		assert_eq!(chain.validate(read).map(|_| ()), Err(unknown.into()));
		// The same wallet without the hash.
		chain.open();
		let plain = signed(Eve, remark());
		assert_eq!(chain.apply_here(plain), Ok(Ok(())));
	});
}
