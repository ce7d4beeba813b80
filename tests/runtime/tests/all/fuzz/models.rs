//! Calls of makers.

use super::caller::Caller;
use codec::Encode;
use highway_primitives::{
	model::{model_commitment, DerivativeTerms, ModelName, Unit, VerificationPolicy, VersionSpec},
	BlobRef, MaxBlobSize, ModelId,
};
use highway_runtime::{ModelRegistry, Runtime, UncheckedExtrinsic};
use highway_runtime_tests::{signed, spec, Chain, MODEL_SALT};
use pallet_model_registry::{Call as Model, Commitments, Models, TransferOffers};
use sp_core::Get;
use sp_keyring::Sr25519Keyring;

/// Files of late commitments that are registered: those before are registered or forgotten.
const RECENT: usize = 4;

impl Caller {
	pub(super) fn registry(&mut self, chain: &mut Chain, call: &str) -> UncheckedExtrinsic {
		let model = self.model();
		let owner = self.owner(model);
		let (who, call): (_, Model<Runtime>) = match call {
			"register" => {
				let (who, file) = self.committed();
				let call = Model::register {
					name: self.name(&file),
					spec: self.spec_of(chain, &file),
					parent: self.chance(30).then_some(model),
					derivative_terms: self.terms(),
					royalty: self.price(),
					salt: self.salt(),
				};
				(who, call)
			}
			"add_version" => {
				let spec = self.next_version(chain, model, owner);
				let salt = self.salt();
				(owner, Model::add_version { model, spec, salt })
			}
			"update_terms" => {
				let royalty = self.chance(70).then(|| self.price());
				let derivative_terms = self.chance(50).then(|| self.terms());
				let call = Model::update_terms {
					model,
					royalty,
					derivative_terms,
				};
				(owner, call)
			}
			"deprecate" => (owner, Model::deprecate { model }),
			"reinstate" => (owner, Model::reinstate { model }),
			"remove" => (owner, Model::remove { model }),
			"offer_transfer" => {
				let to = self.who().to_account_id();
				(owner, Model::offer_transfer { model, to })
			}
			"withdraw_offer" => {
				let (model, _) = self.offer(model, owner);
				(self.owner(model), Model::withdraw_offer { model })
			}
			"accept_transfer" => {
				let (model, to) = self.offer(model, owner);
				(to, Model::accept_transfer { model })
			}
			"commit_model" => {
				let who = self.who();
				let file = format!("f{}", self.named);
				self.named += 1;
				let artefact = BlobRef::of(file.as_bytes()).hash;
				self.files.push((who, file));
				let hash = match self.chance(10) {
					true => self.hash(),
					false => model_commitment(&who.to_account_id().encode(), &artefact, &MODEL_SALT),
				};
				(who, Model::commit_model { hash })
			}
			"drop_commitment" => {
				let made: Vec<_> = Commitments::<Runtime>::iter_keys().collect();
				let (owner, hash) = match made.is_empty() {
					true => (self.who().to_account_id(), self.hash()),
					false => self.one_of(&made),
				};
				let maker = Sr25519Keyring::from_account_id(&owner).filter(|_| !self.chance(20));
				let who = maker.unwrap_or_else(|| self.who());
				(who, Model::drop_commitment { owner, hash })
			}
			_ => panic!("nobody makes {call}: teach the caller"),
		};
		signed(who, call)
	}

	/// Who owns the model, as a rule.
	fn owner(&mut self, model: ModelId) -> Sr25519Keyring {
		let owner = Models::<Runtime>::get(model).and_then(|record| Sr25519Keyring::from_account_id(&record.owner));
		owner.filter(|_| !self.chance(15)).unwrap_or_else(|| self.who())
	}

	/// A model that is offered, and to whom. If none is, these.
	fn offer(&mut self, model: ModelId, who: Sr25519Keyring) -> (ModelId, Sr25519Keyring) {
		let offers: Vec<_> = TransferOffers::<Runtime>::iter()
			.filter_map(|(model, to)| Some((model, Sr25519Keyring::from_account_id(&to)?)))
			.collect();
		match offers.is_empty() {
			true => (model, who),
			false => self.one_of(&offers),
		}
	}

	/// A file that somebody committed to, as a rule.
	fn committed(&mut self) -> (Sr25519Keyring, String) {
		let recent = self.files[self.files.len().saturating_sub(RECENT)..].to_vec();
		match recent.is_empty() || self.chance(10) {
			true => (self.who(), "nobody-s".into()),
			false => self.one_of(&recent),
		}
	}

	fn name(&mut self, file: &str) -> ModelName {
		let name = match self.chance(10) {
			true => self.one_of(&["", "Not a name", "second", "f0"]),
			false => file,
		};
		name.as_bytes().to_vec().try_into().expect("a short name")
	}

	fn terms(&mut self) -> Option<DerivativeTerms> {
		self.chance(60).then(|| DerivativeTerms {
			share: self.share(),
			floor: self.price(),
		})
	}

	fn salt(&mut self) -> Option<[u8; 32]> {
		match self.below(12) {
			0 => None,
			1 => Some(self.word32()),
			_ => Some(MODEL_SALT),
		}
	}

	/// What a model of this file may be. Whoever stores it has the file.
	fn spec_of(&mut self, chain: &mut Chain, file: &str) -> VersionSpec {
		let mut spec = spec(file);
		match self.below(24) {
			// All of a MiB takes a second, so that no job takes longer than others.
			0 => (spec.unit, spec.unit_time_ms) = (Unit::InputKib, 1),
			1 => spec.unit_time_ms = self.one_of(&[0, 1, 600_001, u32::MAX]),
			2 => spec.detection = self.share(),
			3 => spec.policy = VerificationPolicy::Exact,
			4 => spec.trace = None,
			5 => spec.shares_runs = false,
			6 => spec.licence = Default::default(),
			7 => spec.outputs = Default::default(),
			8 => spec.inputs = spec.outputs.clone(),
			9 => spec.artifact.size = self.one_of(&[0, <MaxBlobSize as Get<u64>>::get() + 1, u64::MAX]),
			_ => (),
		}
		if spec.artifact == BlobRef::of(file.as_bytes()) {
			chain.files.insert(spec.artifact.hash, file.as_bytes().to_vec());
		}
		spec
	}

	/// Of a file that the owner committed to, or of the one that the model has.
	fn next_version(&mut self, chain: &mut Chain, model: ModelId, owner: Sr25519Keyring) -> VersionSpec {
		let own = self.files.iter().rev().find(|(who, _)| *who == owner);
		let own = own.map(|(_, file)| file.clone());
		let present = ModelRegistry::model(model).map(|(_, spec)| spec);
		match (own, present) {
			(Some(file), _) if self.chance(50) => self.spec_of(chain, &file),
			(_, Some(present)) => VersionSpec {
				unit_time_ms: self.one_of(&[1, 500, 1_000]),
				..present
			},
			_ => self.spec_of(chain, "nobody-s"),
		}
	}
}
