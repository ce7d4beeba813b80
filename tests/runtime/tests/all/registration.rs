//! How a file comes to the chain: whoever has it commits to it before anybody else sees it.

use codec::Encode;
use highway_primitives::{
	model::{model_commitment, DerivativeTerms, VersionSpec},
	Balance, BlobRef,
};
use highway_runtime::{ModelRegistry, Runtime, RuntimeCall, System};
use highway_runtime_tests::{commit_call, register_call, spec, Chain, MILLI, MODEL_SALT};
use pallet_model_registry::{Call as Model, Commitments, Error, NextModelId};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Dave, Eve, Ferdie};
use sp_runtime::Perbill;

fn held(who: Sr25519Keyring) -> Balance {
	System::account(who.to_account_id()).data.reserved
}

fn register(name: &str) -> RuntimeCall {
	register_call(name, spec(name), None, None, 0)
}

fn artefact(name: &str) -> BlobRef {
	spec(name).artifact
}

fn hash_of(owner: Sr25519Keyring, name: &str) -> H256 {
	model_commitment(&owner.to_account_id().encode(), &artefact(name).hash, &MODEL_SALT)
}

fn refused(chain: &mut Chain, who: Sr25519Keyring, call: impl Into<RuntimeCall>, why: Error<Runtime>) {
	let held = held(who);
	assert_eq!(chain.call(who, call), Err(why.into()));
	assert_eq!(self::held(who), held, "what fails takes nothing");
}

#[test]
fn a_file_should_be_its_makers_when_a_thief_sees_the_registration() {
	Chain::local(|chain| {
		refused(chain, Dave, register("magika"), Error::CommitmentMissing);
		chain.ok(Dave, commit_call(Dave, &artefact("magika")));
		let deposit = held(Dave);
		assert!(deposit > 0);
		refused(
			chain,
			Dave,
			commit_call(Dave, &artefact("magika")),
			Error::AlreadyCommitted,
		);
		refused(chain, Dave, register("magika"), Error::CommitmentTooYoung);
		chain.blocks(1);

		// What Dave has sent shows file and salt, and whoever sees it cannot be there first.
		chain.open();
		let copied = Model::commit_model {
			hash: hash_of(Dave, "magika"),
		};
		chain.ok(Eve, copied);
		chain.ok(Ferdie, commit_call(Ferdie, &artefact("magika")));
		refused(chain, Eve, register("magika"), Error::CommitmentMissing);
		refused(chain, Ferdie, register("magika"), Error::CommitmentTooYoung);
		let model = NextModelId::<Runtime>::get();
		chain.ok(Dave, register("magika"));
		assert_eq!(
			ModelRegistry::model(model).expect("registered").0.owner,
			Dave.to_account_id()
		);
		assert_eq!(
			Commitments::<Runtime>::iter_prefix(Dave.to_account_id()).count(),
			0,
			"it is opened"
		);

		// One file, one model: neither later, nor under another name.
		chain.blocks(3);
		refused(chain, Ferdie, register("magika"), Error::ArtefactTaken);
		let renamed = || register_call("renamed", spec("magika"), None, None, 0);
		refused(chain, Ferdie, renamed(), Error::ArtefactTaken);
		refused(chain, Dave, renamed(), Error::ArtefactTaken);
		for (thief, hash) in [(Eve, hash_of(Dave, "magika")), (Ferdie, hash_of(Ferdie, "magika"))] {
			let owner = thief.to_account_id();
			let drop = || Model::<Runtime>::drop_commitment {
				owner: owner.clone(),
				hash,
			};
			refused(chain, Dave, drop(), Error::CommitmentNotExpired);
			chain.ok(thief, drop());
			assert_eq!(held(thief), 0, "a deposit comes back");
			refused(chain, thief, drop(), Error::UnknownCommitment);
		}
		chain.ok(Dave, Model::remove { model });
		assert_eq!(held(Dave), 0);
		assert_eq!(
			chain.register_model(Ferdie, "magika", 0),
			model + 1,
			"nobody has the file any more"
		);
	});
}

#[test]
fn a_commitment_should_be_dropped_by_anybody_when_it_has_expired() {
	Chain::local(|chain| {
		chain.ok(Dave, commit_call(Dave, &artefact("magika")));
		let hash = hash_of(Dave, "magika");
		let drop = || Model::<Runtime>::drop_commitment {
			owner: Dave.to_account_id(),
			hash,
		};
		chain.blocks(4);
		refused(chain, Eve, drop(), Error::CommitmentNotExpired);
		// As if a day had passed.
		chain.open();
		Commitments::<Runtime>::mutate(Dave.to_account_id(), hash, |commitment| {
			let commitment = commitment.as_mut().expect("it is there");
			let now = chain.number();
			(commitment.since, commitment.from, commitment.until) = (now - 3, now - 2, now - 1);
		});
		refused(chain, Dave, register("magika"), Error::CommitmentExpired);
		chain.ok(Eve, drop());
		assert_eq!((held(Dave), held(Eve)), (0, 0));
		chain.register_model(Dave, "magika", 0);
	});
}

#[test]
fn a_version_should_need_a_commitment_when_its_file_is_new() {
	Chain::local(|chain| {
		let model = chain.register_model(Dave, "magika", 0);
		chain.register_model(Eve, "other", 0);
		let add = |spec: VersionSpec, salt| Model::<Runtime>::add_version { model, spec, salt };
		let trained = VersionSpec {
			artifact: BlobRef::of(b"magika, trained more"),
			..spec("magika")
		};
		let faster = VersionSpec {
			unit_time_ms: 500,
			..spec("magika")
		};
		chain.ok(Dave, add(faster, None));
		refused(chain, Dave, add(trained.clone(), None), Error::CommitmentMissing);
		let stolen = VersionSpec {
			artifact: artefact("other"),
			..spec("magika")
		};
		chain.commit_to(Dave, &stolen.artifact);
		refused(chain, Dave, add(stolen, Some(MODEL_SALT)), Error::ArtefactTaken);
		chain.commit_to(Dave, &trained.artifact);
		chain.ok(Dave, add(trained, Some(MODEL_SALT)));
	});
}

#[test]
fn a_parent_should_not_change_its_terms_while_a_child_is_on_its_way() {
	Chain::local(|chain| {
		let terms = |percent| {
			Some(DerivativeTerms {
				share: Perbill::from_percent(percent),
				floor: 0,
			})
		};
		let parent = chain.register(Dave, register_call("parent", spec("parent"), None, terms(10), MILLI));
		let child = || register_call("child", spec("child"), Some(parent), None, MILLI);
		chain.commit_to(Eve, &artefact("child"));
		chain.ok(
			Dave,
			Model::update_terms {
				model: parent,
				royalty: None,
				derivative_terms: Some(terms(100)),
			},
		);
		refused(chain, Eve, child(), Error::ParentTermsChanged);
		// She looks at them, and is asked for nothing but these.
		let drop = Model::drop_commitment {
			owner: Eve.to_account_id(),
			hash: hash_of(Eve, "child"),
		};
		chain.ok(Eve, drop);
		let model = chain.register(Eve, child());
		let (record, _) = ModelRegistry::model(model).expect("registered");
		let owed = record.parent.expect("it has a parent");
		assert_eq!((owed.model, owed.share), (parent, Perbill::from_percent(100)));
	});
}
