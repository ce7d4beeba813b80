//! Calls of operators, of those who stand behind them, and of worker keys about their nodes.

use super::caller::{bond_of, node_of, Caller, CALLERS};
use highway_primitives::{DeviceClass, NodeId, WorkerAction, AIC};
use highway_runtime::{NodeStaking, Runtime, UncheckedExtrinsic};
use highway_runtime_tests::{signed, Chain};
use pallet_node_staking::{Call as Node, Delegations, NodeDescription, NodeOf, MAX_SLOTS};
use sp_keyring::Sr25519Keyring;

impl Caller {
	pub(super) fn staking(&mut self, chain: &mut Chain, call: &str) -> UncheckedExtrinsic {
		let operator = self.operator();
		let node = self.node();
		let model = self.model();
		let (who, call): (_, Node<Runtime>) = match call {
			"register" => {
				let who = self.newcomer();
				let (key, other) = (self.key(), self.key());
				let proof = chain.registration_proof(who, if self.chance(10) { other } else { key });
				let bond = match self.chance(70) {
					true => self.one_of(&[1_000 * AIC, 3_000 * AIC]),
					false => self.amount(who),
				};
				let description = self.description(key);
				let call = Node::register {
					description,
					bond,
					proof,
				};
				(who, call)
			}
			"update_node" => {
				let present = node_of(operator).filter(|_| !self.chance(30));
				let key = match present {
					Some(node) => chain.worker(node),
					None => self.key(),
				};
				let proof = self.chance(70).then(|| chain.registration_proof(operator, key));
				let description = self.description(key);
				(operator, Node::update_node { description, proof })
			}
			"bond_extra" => (
				operator,
				Node::bond_extra {
					amount: self.amount(operator),
				},
			),
			"unbond" => {
				let amount = match self.chance(50) {
					true => bond_of(operator),
					false => self.amount(operator),
				};
				(operator, Node::unbond { amount })
			}
			"withdraw_unbonded" => (operator, Node::withdraw_unbonded {}),
			"chill" => (operator, Node::chill {}),
			"resume" => (operator, Node::resume {}),
			"host" => (operator, Node::host { model }),
			"unhost" => (operator, Node::unhost { model }),
			"deregister" => (operator, Node::deregister {}),
			"heartbeat" => return self.heartbeat(chain, node),
			"reap" => (operator, Node::reap { node }),
			"delegate" => {
				let who = self.who();
				let call = Node::delegate {
					node,
					amount: self.amount(who),
					max_commission: self.share(),
				};
				(who, call)
			}
			"undelegate" => {
				let (who, node) = self.delegated();
				let amount = self.amount(who);
				(who, Node::undelegate { node, amount })
			}
			"withdraw_delegation" => {
				let (who, node) = self.delegated();
				(who, Node::withdraw_delegation { node })
			}
			"claim_rewards" => match node_of(operator).filter(|_| self.chance(50)) {
				Some(node) => (operator, Node::claim_rewards { node }),
				None => {
					let (who, node) = self.delegated();
					(who, Node::claim_rewards { node })
				}
			},
			"set_commission" => {
				let commission = self.share();
				(operator, Node::set_commission { commission })
			}
			_ => panic!("nobody makes {call}: teach the caller"),
		};
		signed(who, call)
	}

	/// Somebody without a node, if there is one.
	fn newcomer(&mut self) -> Sr25519Keyring {
		let without: Vec<_> = CALLERS
			.into_iter()
			.filter(|who| !NodeOf::<Runtime>::contains_key(who.to_account_id()))
			.collect();
		match without.is_empty() || self.chance(10) {
			true => self.who(),
			false => self.one_of(&without),
		}
	}

	fn description(&mut self, key: Sr25519Keyring) -> NodeDescription {
		let address = self.one_of(&["/ip4/192.0.2.1/tcp/30333", "", "no address", "/\u{7}"]);
		let address = address.as_bytes().to_vec().try_into().expect("a short address");
		let region = self.one_of(&["eu-west", "", "a b"]).as_bytes().to_vec();
		let addresses = match self.chance(30) {
			true => vec![address],
			false => Vec::new(),
		};
		NodeDescription {
			worker: key.public().into(),
			peer_id: self.bytes(38).try_into().expect("as long as one"),
			addresses: addresses.try_into().expect("one at most"),
			device: self.one_of(&[DeviceClass::CpuX86, DeviceClass::CpuArm, DeviceClass::Cuda]),
			memory_mib: self.one_of(&[0, 1, 1, 1, u32::MAX]),
			region: region.try_into().expect("a short region"),
		}
	}

	/// Somebody and a node that it has put stake behind, if anybody has.
	fn delegated(&mut self) -> (Sr25519Keyring, NodeId) {
		let delegations: Vec<_> = Delegations::<Runtime>::iter_keys()
			.filter_map(|(who, node)| Some((Sr25519Keyring::from_account_id(&who)?, node)))
			.collect();
		match delegations.is_empty() || self.chance(15) {
			true => (self.who(), self.node()),
			false => self.one_of(&delegations),
		}
	}

	fn heartbeat(&mut self, chain: &mut Chain, node: NodeId) -> UncheckedExtrinsic {
		let session = NodeStaking::current_session();
		let others = [session.saturating_sub(1), session.saturating_add(1), 0, u32::MAX];
		let action = WorkerAction::Heartbeat {
			node,
			session: match self.chance(80) {
				true => session,
				false => self.one_of(&others),
			},
			healthy: self.chance(80),
			slots: self.one_of(&[0, 1, 16, MAX_SLOTS, MAX_SLOTS + 1, u16::MAX]),
		};
		self.word(chain, action)
	}
}
