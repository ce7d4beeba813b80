//! Audits, juries and slashes, on networks that may slash and on those that may not.

use frame_support::inherent::{InherentData, ProvideInherent};
use highway_primitives::{
	audit::{AuditTask, Seat},
	AuditReason, Balance, JobId, JobPhase, ModelId, NodeId, Role, Verdict, AIC,
};
use highway_runtime::{
	AccountId, Block, NodeStaking, ProofOfWorkDone, RevenueSplit, Runtime, RuntimeEvent, UncheckedExtrinsic,
};
use highway_runtime_api::{
	runtime_decl_for_market_api::MarketApi, runtime_decl_for_worker_api::WorkerApi, types::AuditInfo,
};
use highway_runtime_tests::{premium_of, signed, subsidy_of, treasury, Chain, Conduct, MILLI};
use pallet_proof_of_work_done::{Call, Error, Event, FinalityHints, INHERENT_IDENTIFIER};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::transaction_validity::InvalidTransaction;
use std::collections::BTreeSet;

/// R: what every job here pays for its computation.
pub(crate) const PRICE: Balance = 10 * MILLI;

/// S: what stands behind it.
pub(crate) const SECURITY: Balance = 64 * PRICE;

/// What a payer pays for a job of a maker that asks for nothing.
fn job_price() -> Balance {
	PRICE + PRICE / 20 + premium_of(PRICE)
}

/// The treasury's half of the protocol's line.
const PROTOCOL: Balance = PRICE / 40;

/// What an executor has of a job that is upheld: its line, and what is minted for it.
pub(crate) fn wage() -> Balance {
	PRICE + subsidy_of(PRICE)
}

/// Five operators: Alice, Bob and Charlie validate and serve Dave's model; Dave and Eve only judge. Nobody reproduced the
/// model's calibration yet.
fn five_operators(test: impl FnOnce(&mut Chain, ModelId)) {
	Chain::local(|chain| {
		for operator in [Dave, Eve] {
			chain.join(operator, 100_000 * AIC);
		}
		let model = chain.served_model(0, PRICE);
		test(chain, model);
	});
}

/// [`five_operators`], and a calibration that two of them reproduced.
fn calibrated(test: impl FnOnce(&mut Chain, ModelId)) {
	five_operators(|chain, model| {
		for operator in [Alice, Bob] {
			chain.ok(operator, Call::confirm_calibration { model, version: 1 });
		}
		test(chain, model);
	});
}

/// A job of Ferdie's that is attested and that he wants audited.
fn forced(chain: &mut Chain, model: ModelId, wrong: bool) -> JobId {
	let job = chain.submit(Ferdie, model);
	if wrong {
		chain.cheats.insert(job);
	}
	chain.attest(job);
	chain.ok(Ferdie, Call::force_audit { job });
	job
}

fn audit(job: JobId) -> AuditInfo {
	<Runtime as MarketApi<Block, AccountId>>::audit(job).expect("there is an audit")
}

/// Who judges or judged alone, in order.
fn auditors(job: JobId) -> Vec<NodeId> {
	seats(job, Seat::Auditor)
}

fn seats(job: JobId, wanted: Seat) -> Vec<NodeId> {
	let seats = audit(job).seats.into_iter();
	seats.filter(|seat| seat.seat == wanted).map(|seat| seat.node).collect()
}

fn earned(chain: &Chain, node: NodeId) -> Balance {
	RevenueSplit::claimable(&chain.operator(node).to_account_id())
}

fn bond(node: NodeId) -> Balance {
	NodeStaking::node(node).expect("the node exists").0.bond
}

/// What a node has promised of its bond for jobs and audits.
fn promised(node: NodeId) -> Balance {
	let standing = NodeStaking::node(node).expect("the node exists").1;
	let asks = RevenueSplit::ask_bonds().get(&node).copied().unwrap_or_default();
	standing.reserved + standing.unsecured - asks
}

/// What burned of a job's price and of slashes for it.
fn burned(chain: &Chain, job: JobId) -> Balance {
	let events = chain.events().into_iter();
	events
		.map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Burned { job: of, amount }) if of == job => amount,
			_ => 0,
		})
		.sum()
}

/// The bond that Ferdie got back.
fn returned(chain: &Chain, job: JobId) -> Balance {
	let events = chain.events().into_iter();
	events
		.map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::BondReturned { job: of, amount, .. })
				if of == job =>
			{
				amount
			}
			_ => 0,
		})
		.sum()
}

fn has_happened(chain: &Chain, test: impl Fn(&Event<Runtime>) -> bool) -> bool {
	let events = chain.events();
	events
		.iter()
		.any(|event| matches!(event, RuntimeEvent::ProofOfWorkDone(event) if test(event)))
}

/// Nobody lost anything or was chilled, and nobody's bond stands behind anything any more.
fn nobody_was_slashed(chain: &Chain) {
	assert!(!has_happened(chain, |event| matches!(event, Event::Slashed { .. })));
	for node in NodeStaking::ids_from(0, u32::MAX).0 {
		assert_eq!(
			(NodeStaking::slashed(node).own(), promised(node)),
			(0, 0),
			"node {node}"
		);
		assert!(!NodeStaking::node(node).expect("it is there").0.chilled);
	}
}

/// The payer asked for it, unless it was drawn anyway.
fn was_forced(job: JobId) {
	let reason = audit(job).reason;
	assert!(matches!(reason, AuditReason::Forced | AuditReason::Drawn), "{reason:?}");
}

#[test]
fn an_honest_job_should_be_upheld_when_its_payer_forces_an_audit() {
	calibrated(|chain, model| {
		let funds = chain.funds(Ferdie);
		let job = forced(chain, model, false);
		assert_eq!(chain.job(job).deal.price, job_price());
		let paid = job_price() + 2 * PRICE;
		assert_eq!(chain.funds(Ferdie), funds - paid);
		assert_eq!(
			chain.call(Ferdie, Call::force_audit { job }),
			Err(Error::<Runtime>::AlreadyForced.into())
		);
		assert_eq!(
			chain.call(Eve, Call::force_audit { job }),
			Err(Error::<Runtime>::NotPayer.into())
		);

		chain.until_audited(job);
		was_forced(job);
		let (executor, auditor) = (chain.executor(job), auditors(job)[0]);
		assert_ne!(executor, auditor);
		assert_eq!((promised(executor), promised(auditor)), (SECURITY, SECURITY));
		// What the auditor's worker is told.
		let worker = chain.worker(auditor).public().into();
		let tasks = <Runtime as WorkerApi<Block>>::work_for(worker)
			.expect("it has a node")
			.audits;
		let [task] = tasks.as_slice() else {
			panic!("one task: {tasks:?}")
		};
		assert_eq!((task.job, task.model, task.work), (job, model, chain.work(job)));
		assert_eq!(
			(task.executor.node, Some(task.output)),
			(executor, chain.job(job).output())
		);
		assert!(matches!(
			task.task,
			AuditTask::Judge {
				seat: Seat::Auditor,
				claims: None,
				..
			}
		));
		assert_eq!(Some(task.until + 1), audit(job).until);

		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		let ended = audit(job);
		assert_eq!((ended.verdict, ended.until), (Some(Verdict::Upheld), None));
		assert!(seats(job, Seat::Juror).is_empty());
		assert_eq!(chain.funds(Ferdie), funds - paid, "who asks in vain pays for it");
		assert_eq!(returned(chain, job), 0);
		assert_eq!((earned(chain, executor), earned(chain, auditor)), (wage(), PRICE));
		// The premium and the bond, less what the audit cost.
		assert_eq!(
			pallet_revenue_split::Books::<Runtime>::get().audit_pot,
			premium_of(PRICE) + 2 * PRICE - PRICE
		);
		nobody_was_slashed(chain);
	});
}

#[test]
fn a_wrong_output_should_cost_its_node_all_that_stands_behind_it_when_two_jurors_say_so() {
	calibrated(|chain, model| {
		let funds = chain.funds(Ferdie);
		let job = forced(chain, model, true);
		let executor = chain.executor(job);
		let bonded = bond(executor);
		chain.until_audited(job);
		was_forced(job);
		chain.finish(job);

		assert_eq!(chain.job(job).phase(), JobPhase::Rejected);
		let ended = audit(job);
		assert_eq!(ended.verdict, Some(Verdict::Rejected));
		assert_eq!(ended.slashes, vec![(executor, SECURITY)]);
		let (auditors, jurors) = (auditors(job), seats(job, Seat::Juror));
		assert_eq!((auditors.len(), jurors.len()), (1, 3));
		let all = auditors.iter().chain(&jurors).chain([&executor]);
		assert_eq!(all.collect::<BTreeSet<_>>().len(), 5, "everybody has one part");
		// Jurors sketched under a seed of their own.
		let record = ProofOfWorkDone::audit(job).expect("it is kept");
		let seeds = record.seats.iter().map(|seat| seat.seed).collect::<Vec<_>>();
		assert!(seeds[1..].iter().all(|seed| *seed == seeds[1] && *seed != seeds[0]));

		// The payer has everything back, its bond too.
		assert_eq!(chain.funds(Ferdie), funds);
		assert_eq!(returned(chain, job), 2 * PRICE);
		// Half of S burned; three jurors, the finder, and the treasury share the other half.
		assert_eq!(bond(executor), bonded - SECURITY);
		assert_eq!(NodeStaking::slashed(executor).convictions, SECURITY);
		assert_eq!(burned(chain, job), SECURITY / 2);
		for juror in jurors {
			assert_eq!(earned(chain, juror), PRICE);
		}
		assert_eq!(earned(chain, auditors[0]), 2 * PRICE);
		assert_eq!(earned(chain, executor), 0);
		assert_eq!(RevenueSplit::claimable(&treasury()), SECURITY / 2 - 5 * PRICE);
		assert_eq!(pallet_revenue_split::Books::<Runtime>::get().audit_pot, 0);
		assert!(NodeStaking::node(executor).expect("it is there").0.chilled);
		for node in 0..5 {
			assert_eq!(promised(node), 0);
		}
		let bill = <Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("it is kept");
		assert_eq!((bill.refunded, bill.lines.len()), (job_price(), 0));
	});
}

#[test]
fn a_rejection_should_have_the_nodes_other_unsettled_jobs_audited() {
	calibrated(|chain, model| {
		let wrong = forced(chain, model, true);
		let cheat = chain.executor(wrong);
		// Their windows are still open when the jury has spoken.
		chain.until_audited(wrong);
		for _ in 0..60 {
			if seats(wrong, Seat::Juror).is_empty() {
				chain.blocks(1);
			}
		}
		let jobs = (0..12).map(|_| chain.submit(Ferdie, model)).collect::<Vec<_>>();
		let (its, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| chain.executor(*job) == cheat);
		assert!(!its.is_empty() && !others.is_empty());
		for job in its.iter().chain(&others) {
			chain.attest(*job);
		}
		chain.finish(wrong);
		assert_eq!(chain.job(wrong).phase(), JobPhase::Rejected);
		for job in &its {
			chain.finish(*job);
			assert!(matches!(
				audit(*job).reason,
				AuditReason::Suspected | AuditReason::Drawn
			));
			// They were done, so they are paid.
			assert_eq!(audit(*job).verdict, Some(Verdict::Upheld));
			assert_eq!(chain.job(*job).phase(), JobPhase::Settled);
		}
		for job in &others {
			chain.finish(*job);
			let audit = ProofOfWorkDone::audit(*job);
			assert!(audit.is_none_or(|audit| audit.reason == AuditReason::Drawn));
			assert_eq!(chain.job(*job).phase(), JobPhase::Settled);
		}
		assert_eq!(NodeStaking::slashed(cheat).own(), SECURITY, "once");
	});
}

#[test]
fn an_executor_should_lose_its_security_when_it_does_not_open_what_it_committed_to() {
	calibrated(|chain, model| {
		let funds = chain.funds(Ferdie);
		let job = forced(chain, model, false);
		let executor = chain.executor(job);
		let bonded = bond(executor);
		chain.conduct.insert(executor, Conduct::Silent);
		chain.until_audited(job);
		let auditor = auditors(job)[0];
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Rejected);
		assert_eq!(audit(job).slashes, vec![(executor, SECURITY)]);
		assert!(seats(job, Seat::Juror).is_empty(), "silence needs no jury");
		assert_eq!(bond(executor), bonded - SECURITY);
		assert_eq!(earned(chain, auditor), 2 * PRICE);
		assert_eq!(burned(chain, job), SECURITY / 2);
		assert_eq!(RevenueSplit::claimable(&treasury()), SECURITY / 2 - 2 * PRICE);
		assert_eq!((chain.funds(Ferdie), returned(chain, job)), (funds, 2 * PRICE));
	});
}

#[test]
fn another_auditor_should_judge_when_the_first_is_silent_or_abstains() {
	for (conduct, slashed) in [(Conduct::Silent, SECURITY), (Conduct::Abstains, 0)] {
		calibrated(|chain, model| {
			let job = forced(chain, model, false);
			chain.until_audited(job);
			let first = auditors(job)[0];
			let reliability = |node| NodeStaking::node(node).expect("it is there").1.reliability.score();
			let (bonded, score) = (bond(first), reliability(first));
			chain.conduct.insert(first, conduct);
			chain.finish(job);

			assert_eq!(chain.job(job).phase(), JobPhase::Settled);
			assert_eq!(audit(job).verdict, Some(Verdict::Upheld));
			let auditors = auditors(job);
			assert_eq!((auditors.len(), auditors[0]), (2, first));
			assert_eq!((earned(chain, first), earned(chain, auditors[1])), (0, PRICE));
			assert_eq!(bond(first), bonded - slashed);
			assert!(reliability(first) < score);
			assert_eq!(RevenueSplit::claimable(&treasury()), slashed / 2 + PROTOCOL);
			assert_eq!(burned(chain, job), slashed / 2 + PROTOCOL);
			let expected = if slashed > 0 { vec![(first, slashed)] } else { vec![] };
			assert_eq!(audit(job).slashes, expected);
			assert_eq!(promised(first), 0);
		});
	}
}

#[test]
fn an_output_said_to_be_missing_should_be_settled_by_a_chunk_of_it() {
	for has_it in [true, false] {
		calibrated(|chain, model| {
			let job = forced(chain, model, false);
			chain.until_audited(job);
			let (executor, first) = (chain.executor(job), auditors(job)[0]);
			chain.conduct.insert(first, Conduct::Misses);
			if !has_it {
				chain.conduct.insert(executor, Conduct::Silent);
			}
			chain.finish(job);
			assert!(has_happened(
				chain,
				|event| matches!(event, Event::ChunkChallenged { job: of, .. } if *of == job)
			));
			assert_eq!(
				has_happened(chain, |event| matches!(event, Event::ChunkProved { .. })),
				has_it
			);
			if has_it {
				// It is there: what the auditor ran itself is compared with what the executor opens.
				assert_eq!(chain.job(job).phase(), JobPhase::Settled);
				assert_eq!((auditors(job).len(), earned(chain, first)), (1, PRICE));
				nobody_was_slashed(chain);
			} else {
				assert_eq!(chain.job(job).phase(), JobPhase::Rejected);
				assert_eq!(audit(job).slashes, vec![(executor, SECURITY)]);
				assert_eq!(earned(chain, first), 2 * PRICE);
			}
		});
	}
}

#[test]
fn a_cheat_should_be_slashed_when_it_shows_its_output_to_nobody_but_the_chain() {
	calibrated(|chain, model| {
		let job = forced(chain, model, true);
		chain.until_audited(job);
		let (executor, auditor) = (chain.executor(job), auditors(job)[0]);
		chain.conduct.insert(auditor, Conduct::Misses);
		chain.finish(job);
		assert!(has_happened(chain, |event| matches!(event, Event::ChunkProved { .. })));
		assert_eq!(chain.job(job).phase(), JobPhase::Rejected);
		assert_eq!(audit(job).slashes, vec![(executor, SECURITY)]);
		assert_eq!(earned(chain, auditor), 2 * PRICE);
	});
}

#[test]
fn an_auditor_should_lose_its_security_when_it_accuses_the_honest_or_has_computed_nothing() {
	for conduct in [Conduct::Accuses, Conduct::Copies] {
		calibrated(|chain, model| {
			let funds = chain.funds(Ferdie);
			let job = forced(chain, model, false);
			chain.until_audited(job);
			let (executor, auditor) = (chain.executor(job), auditors(job)[0]);
			let bonds = (bond(executor), bond(auditor));
			chain.conduct.insert(auditor, conduct);
			chain.finish(job);

			assert_eq!(chain.job(job).phase(), JobPhase::Settled, "{conduct:?}");
			assert_eq!(audit(job).slashes, vec![(auditor, SECURITY)]);
			assert_eq!((bond(executor), bond(auditor)), (bonds.0, bonds.1 - SECURITY));
			assert_eq!((earned(chain, executor), earned(chain, auditor)), (wage(), 0));
			for juror in seats(job, Seat::Juror) {
				assert_eq!(earned(chain, juror), PRICE);
			}
			assert_eq!(burned(chain, job), SECURITY / 2 + PROTOCOL);
			assert_eq!(
				RevenueSplit::claimable(&treasury()),
				SECURITY / 2 - 3 * PRICE + PROTOCOL
			);
			// The work was right: the payer asked in vain.
			assert_eq!(chain.funds(Ferdie), funds - job_price() - 2 * PRICE);
		});
	}
}

#[test]
fn a_jury_should_slash_nobody_when_fewer_than_two_reproduced_the_calibration() {
	five_operators(|chain, model| {
		let confirm = |version| Call::<Runtime>::confirm_calibration { model, version };
		let of_version = |version| <Runtime as MarketApi<Block, AccountId>>::calibration(model, version);
		for (who, version, why) in [
			(Dave, 1, Error::<Runtime>::OwnCalibration),
			(Ferdie, 1, Error::NoNode),
			(Alice, 2, Error::UnknownVersion),
		] {
			assert_eq!(chain.call(who, confirm(version)), Err(why.into()));
		}
		chain.ok(Alice, confirm(1));
		assert_eq!(
			chain.call(Alice, confirm(1)),
			Err(Error::<Runtime>::AlreadyConfirmed.into())
		);
		assert!(!of_version(1).slashes);

		let funds = chain.funds(Ferdie);
		let job = forced(chain, model, true);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Void);
		assert_eq!(audit(job).verdict, Some(Verdict::Void));
		assert_eq!(seats(job, Seat::Juror).len(), 3, "they judged all the same");
		assert_eq!((chain.funds(Ferdie), returned(chain, job)), (funds, 2 * PRICE));
		nobody_was_slashed(chain);
		// Four audits' worth, and nothing there that would pay them: debts.
		let debts = || pallet_revenue_split::Debts::<Runtime>::iter_values().map(|debt| debt.amount);
		assert_eq!(debts().collect::<Vec<_>>(), vec![PRICE; 4]);

		// The bond of the next one who asks in vain pays two of them.
		let job = forced(chain, model, false);
		assert_eq!(chain.job(job).deal.price, job_price());
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		let paid = chain.events().into_iter().filter_map(|event| match event {
			RuntimeEvent::RevenueSplit(pallet_revenue_split::Event::Paid {
				role: Role::Auditor,
				amount,
				..
			}) => Some(amount),
			_ => None,
		});
		let paid: Balance = paid.sum();
		assert_eq!(paid, 2 * PRICE + premium_of(PRICE));
		assert_eq!(debts().sum::<Balance>(), 5 * PRICE - paid);

		chain.ok(Bob, confirm(1));
		let calibration = of_version(1);
		assert!(calibration.slashes);
		assert_eq!(
			calibration.reproduced_by,
			vec![Alice.to_account_id(), Bob.to_account_id()]
		);
		assert_eq!((calibration.audits, calibration.disputes), (2, 0));
	});
}

#[test]
fn every_job_should_end_and_nobody_be_slashed_when_there_are_fewer_than_five_operators() {
	for size in 1..=4usize {
		for is_silent in [false, true] {
			Chain::of_preset(sp_genesis_builder::DEV_RUNTIME_PRESET, |chain| {
				let others = [Bob, Charlie, Dave].into_iter().take(size - 1).collect::<Vec<_>>();
				for operator in &others {
					chain.join(*operator, 100_000 * AIC);
				}
				let model = chain.register_model(Eve, "magika", 0);
				chain.serve(model, &[(Alice, PRICE)]);
				for operator in others.into_iter().chain([Alice]) {
					chain.ok(operator, Call::confirm_calibration { model, version: 1 });
				}
				chain.next_market_epoch();
				let funds = chain.funds(Ferdie);
				let job = forced(chain, model, !is_silent);
				if is_silent {
					chain.conduct.insert(0, Conduct::Silent);
				}
				chain.finish(job);
				let case = format!("{size} operators, silent: {is_silent}");
				let (phase, paid) = match size {
					// Nobody is there to look: the work is paid, and the premium goes back.
					1 => (JobPhase::Settled, job_price() - premium_of(PRICE)),
					_ => (JobPhase::Void, 0),
				};
				assert_eq!(chain.job(job).phase(), phase, "{case}");
				assert_eq!(returned(chain, job), 2 * PRICE, "{case}");
				assert_eq!(chain.funds(Ferdie), funds - paid, "{case}");
				nobody_was_slashed(chain);
				let bill = <Runtime as MarketApi<Block, AccountId>>::explain_split(job).expect("it is kept");
				assert!(bill.lines.iter().all(|line| line.role != Role::Auditor), "{case}");
				assert_eq!(bill.refunded, job_price() - paid, "{case}");
			});
		}
	}
}

#[test]
fn no_deadline_of_an_audit_should_pass_while_finality_lags() {
	calibrated(|chain, model| {
		// As every author says for longer than hints are counted: nothing since genesis is final.
		chain.lag = Some(u32::MAX);
		chain.blocks(60);
		let job = forced(chain, model, false);
		chain.until_audited(job);
		let auditor = auditors(job)[0];
		chain.conduct.insert(auditor, Conduct::Silent);
		chain.blocks(60);
		assert_eq!(chain.job(job).phase(), JobPhase::Auditing);
		assert_eq!(auditors(job), [auditor]);
		assert_eq!(promised(auditor), SECURITY, "it may be on the other side of a fork");

		chain.lag = Some(0);
		chain.conduct.remove(&auditor);
		chain.finish(job);
		assert_eq!(chain.job(job).phase(), JobPhase::Settled);
		assert_eq!(auditors(job), [auditor]);
		nobody_was_slashed(chain);
	});
}

#[test]
fn a_word_on_finality_should_be_taken_once_a_block_and_from_its_author_only() {
	Chain::local(|chain| {
		chain.lag = None;
		chain.blocks(1);
		chain.open();
		let now = chain.number();
		let note = |number| UncheckedExtrinsic::new_bare(Call::note_finality { number }.into());
		let bad = Err(InvalidTransaction::BadMandatory.into());
		let hints = || FinalityHints::<Runtime>::get().hints.into_inner();
		let before = hints();
		assert_eq!(chain.apply_here(note(now + 1)), bad, "a block that is still to come");
		assert_eq!(hints(), before);
		assert_eq!(chain.apply_here(note(now - 1)), Ok(Ok(())));
		assert_eq!(chain.apply_here(note(now - 1)), bad, "once");
		assert_eq!(hints(), [before, vec![now - 1]].concat());
		let from_account = signed(Eve, Call::note_finality { number: now - 1 });
		assert!(chain.apply_here(from_account).is_err());
		chain.close();
		let in_pool = Err(InvalidTransaction::MandatoryValidation.into());
		assert_eq!(chain.validate(note(now)).map(|_| ()), in_pool);

		// What an author's node puts into the block, if it says anything.
		let mut data = InherentData::new();
		assert_eq!(ProofOfWorkDone::create_inherent(&data), None);
		data.put_data(INHERENT_IDENTIFIER, &(now + 1_000)).expect("once");
		let call = Call::note_finality { number: now };
		assert!(ProofOfWorkDone::is_inherent(&call));
		assert_eq!(
			ProofOfWorkDone::create_inherent(&data),
			Some(call),
			"never a block to come"
		);
	});
}
