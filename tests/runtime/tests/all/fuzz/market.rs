//! Calls about asks, earnings, curators and featured places.

use super::caller::{node_of, nodes, Caller};
use highway_primitives::{market::ask_commitment, AskRole, AIC};
use highway_runtime::{pallet_promotion, NodeStaking, RevenueSplit, Runtime, UncheckedExtrinsic};
use highway_runtime_tests::{commit_asks, reveal_asks, signed, treasury, Ask, Chain, ASK_SALT};
use pallet_revenue_split::{Call as Split, CuratorProfile, StoragePay};
use sp_keyring::Sr25519Keyring;

impl Caller {
	pub(super) fn split(&mut self, chain: &mut Chain, call: &str) -> UncheckedExtrinsic {
		let operator = self.operator();
		let model = self.model();
		let epoch = chain.coming_epoch();
		let (who, call): (_, Split<Runtime>) = match call {
			"commit_asks" => {
				let node = self.node_that_asks();
				let asks: Vec<Ask> = (0..self.below(4)).map(|_| self.ask(node)).collect();
				for (model, role, price) in &asks {
					self.asked.insert((node, *model, *role), *price);
				}
				let epoch = if self.chance(10) { epoch + 1 } else { epoch };
				return self.word(chain, commit_asks(node, epoch, &asks));
			}
			"reveal_asks" => {
				let node = self.node_that_asks();
				let asks = self.asks_of(node);
				let salt = self.ask_salt();
				return self.word(chain, reveal_asks(node, epoch, &asks, salt));
			}
			"commit_ask" => {
				let node = node_of(operator).unwrap_or_else(|| self.node());
				let (model, role, price) = self.ask(node);
				self.asked.insert((node, model, role), price);
				let hash = match self.chance(10) {
					true => self.hash(),
					false => ask_commitment(node, epoch, model, role, price, &ASK_SALT),
				};
				(operator, Split::commit_ask { model, role, hash })
			}
			"reveal_ask" => {
				let node = node_of(operator).unwrap_or_else(|| self.node());
				let asks = self.asks_of(node);
				let (model, role, price) = match asks.is_empty() {
					true => self.ask(node),
					false => self.one_of(&asks),
				};
				let call = Split::reveal_ask {
					model,
					role,
					price,
					salt: self.ask_salt(),
				};
				(operator, call)
			}
			"clear" => (self.who(), Split::clear { model }),
			"set_curator" => {
				let who = self.who();
				let name = self.one_of(&["", "curator", "curator", "\u{202e}rotaruc"]);
				let url = self.one_of(&["", "https://example.com", "not a url"]);
				let profile = CuratorProfile {
					name: name.as_bytes().to_vec().try_into().expect("a short name"),
					url: url.as_bytes().to_vec().try_into().expect("a short address"),
				};
				let fee = if name.is_empty() && self.chance(80) {
					0
				} else {
					self.price()
				};
				(who, Split::set_curator { fee, profile })
			}
			"claim" => (self.earner(), Split::claim {}),
			"claim_for" => {
				let earner = self.earner();
				let account = match self.chance(30) {
					true => treasury(),
					false => earner.to_account_id(),
				};
				(self.who(), Split::claim_for { account })
			}
			"claim_storage_pay" => {
				let waits: Vec<_> = StoragePay::<Runtime>::iter_keys()
					.filter_map(|(who, model)| Some((Sr25519Keyring::from_account_id(&who)?, model)))
					.collect();
				let (who, model) = match waits.is_empty() {
					true => (operator, model),
					false => self.one_of(&waits),
				};
				(who, Split::claim_storage_pay { model })
			}
			"prune" => (self.who(), Split::prune { model }),
			_ => panic!("nobody makes {call}: teach the caller"),
		};
		signed(who, call)
	}

	pub(super) fn promotion(&mut self, call: &str) -> UncheckedExtrinsic {
		let (who, model) = (self.who(), self.model());
		let call: pallet_promotion::Call<Runtime> = match call {
			"bid" => {
				let price = match self.chance(70) {
					true => self.one_of(&[AIC - 1, AIC, 2 * AIC, 3 * AIC]),
					false => self.amount(who),
				};
				pallet_promotion::Call::bid { model, price }
			}
			_ => panic!("nobody makes {call}: teach the caller"),
		};
		signed(who, call)
	}

	/// One that committed to something, as a rule.
	fn node_that_asks(&mut self) -> u32 {
		let (asking, all): (Vec<_>, _) = (self.asked.keys().map(|(node, ..)| *node).collect(), nodes());
		match self.below(10) {
			0..6 if !asking.is_empty() => self.one_of(&asking),
			6..9 if !all.is_empty() => self.one_of(&all),
			_ => self.node(),
		}
	}

	/// What the node may ask: of a model that it hosts, as a rule.
	fn ask(&mut self, node: u32) -> Ask {
		let hosted = NodeStaking::node(node).map(|(record, _)| record.hosted.to_vec());
		let hosted = hosted.unwrap_or_default();
		let model = match hosted.is_empty() || self.chance(10) {
			true => self.model(),
			false => self.one_of(&hosted),
		};
		let price = self.chance(85).then(|| self.price());
		(model, self.one_of(&AskRole::ALL), price)
	}

	/// What the node committed to at some time.
	fn asks_of(&self, node: u32) -> Vec<Ask> {
		let asks = self.asked.iter().filter(|((of, ..), _)| *of == node);
		asks.map(|((_, model, role), price)| (*model, *role, *price))
			.take(64)
			.collect()
	}

	fn ask_salt(&mut self) -> [u8; 32] {
		match self.chance(10) {
			true => self.word32(),
			false => ASK_SALT,
		}
	}

	/// Somebody who earned something, as a rule.
	fn earner(&mut self) -> Sr25519Keyring {
		let earners: Vec<_> = RevenueSplit::earnings()
			.iter()
			.filter_map(|(account, _)| Sr25519Keyring::from_account_id(account))
			.collect();
		match earners.is_empty() || self.chance(15) {
			true => self.who(),
			false => self.one_of(&earners),
		}
	}
}
