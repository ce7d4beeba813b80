//! The same files as one job: bought once, done by one node, audited by one of its inputs, and paid once.

use super::{equals, files, force_audit, line, settled_bill, LABELS, ROYALTY};
use anyhow::{anyhow, ensure, Context, Result};
use highway_e2e_tests::{amount, billed_to, get_blob, subsidy_of, Account};
use highway_offchain_worker::tensors;
use highway_primitives::{batch, Balance, ModelId};
use highway_test_support::{
	bare::{BareMagika, BareModel},
	Devnet, Wallet,
};
use serde_json::Value;
use std::{collections::BTreeMap, fs};

/// How many inputs the job has.
const INPUTS: u16 = LABELS.len() as u16;

/// Nothing else happens on the network while it does.
pub async fn the_files_should_be_one_job(
	devnet: &Devnet,
	payer: &Wallet,
	model: ModelId,
	reference: &mut BareModel,
) -> Result<()> {
	let account = Account::connect(devnet.node("bob"), "//Eve").await?;
	let before = earned(devnet).await?;
	let next = account.client.next_job().await?;

	let job = named_as_by_bare_runtime(payer, model).await?;
	let (_, bond) = force_audit(payer, &[job]).await?;
	each_output_equals_bare_runtime(devnet, payer, job, reference).await?;

	let bill = settled_bill(payer, job).await?;
	ensure!(
		job == next && account.client.next_job().await? == next + 1,
		"the chain has one job more, not as many as files: {job} from {next} on"
	);
	the_bill_is_of_as_many_units(&account, model, &bill).await?;
	let auditor = audit_is_upheld_by_one_input(payer, job).await?;

	// What earlier audits may still be owed: no more than their jobs' compute, which is as much as this one's for each input.
	let reward = line(&bill, "Compute")?;
	let after = earned(devnet).await?;
	let mut by_audits = 0;
	for (address, earned) in &after {
		let mut due = billed_to(&bill, Some(address))?;
		if billed_to_role(&bill, "Compute", address)? > 0 {
			due += subsidy_of(&bill)?;
		}
		let had = before.get(address).copied().unwrap_or(0);
		let more = earned
			.checked_sub(had + due)
			.with_context(|| format!("{address} had {had}, is due {due} for {bill}, and has {earned}"))?;
		ensure!(
			*address != auditor || more >= reward,
			"the auditor is paid {more}, not {reward}"
		);
		by_audits += more;
	}
	ensure!(
		(reward..=reward + bond).contains(&by_audits),
		"one audit is paid {reward}, and nothing else that the bill does not say: {by_audits}"
	);
	Ok(())
}

/// Buys the files as one job, and returns it.
async fn named_as_by_bare_runtime(payer: &Wallet, model: ModelId) -> Result<u64> {
	let (id, files) = (model.to_string(), files()?);
	let mut arguments = vec!["infer", id.as_str(), "--batch", "--file"];
	arguments.extend(files.iter().map(|file| file.to_str().unwrap_or_default()));
	let answer = payer.run(&arguments).await?;
	let results = answer["results"].as_array().context("`infer` gives results")?;
	ensure!(results.len() == files.len(), "every file has a result: {answer}");

	let mut magika = BareMagika::load()?;
	for (index, (file, result)) in files.iter().zip(results).enumerate() {
		let output = magika.run(&magika.input(file)?)?;
		let bare = magika.answer(&output)?;
		ensure!(
			result["label"] == bare.label && result["label"] == LABELS[index],
			"bare ONNX Runtime says {}, the network: {result}",
			bare.label
		);
		ensure!(
			result["job"] == results[0]["job"] && result["index"] == index && result["inputs"] == INPUTS,
			"it is input {index} of one job: {result}"
		);
	}
	results[0]["job"].as_u64().context("the result names the job")
}

/// Holds each file of the output against bare ONNX Runtime on the file of the input.
async fn each_output_equals_bare_runtime(
	devnet: &Devnet,
	payer: &Wallet,
	job: u64,
	reference: &mut BareModel,
) -> Result<()> {
	let (id, folder) = (job.to_string(), devnet.scratch().join("batch"));
	let to = folder.to_str().context("paths here are UTF-8")?;
	let seen = payer.run(&["job", "watch", &id, "--output", to]).await?;
	ensure!(seen["inputs"] == INPUTS, "the job says how many inputs it has: {seen}");
	let bundle = get_blob(devnet.node("bob"), &seen["input"], job).await?;
	let inputs = batch::files(&bundle, INPUTS).map_err(|error| anyhow!("the input of job {job}: {error}"))?;
	for (index, input) in inputs.into_iter().enumerate() {
		let output = fs::read(folder.join(format!("{index}.safetensors")))?;
		let (input, output) = (tensors::parse(&bundle[input])?, tensors::parse(&output)?);
		equals(reference, &input, &output, &format!("input {index} of job {job}"))?;
	}
	Ok(())
}

/// What a single job pays per unit, as often as there are inputs, and the protocol's part of that; the rest is the premium.
async fn the_bill_is_of_as_many_units(account: &Account, model: ModelId, bill: &Value) -> Result<()> {
	let market = account.client.market(model).await?.context("the model has a market")?;
	let epoch = bill["epoch"].as_u64();
	let prices = market
		.history
		.iter()
		.find(|prices| Some(u64::from(prices.epoch)) == epoch);
	let prices = prices.with_context(|| format!("the epoch has prices: {bill}"))?;
	let units = Balance::from(INPUTS);
	ensure!(
		all_of(bill, "Maker")? == units * ROYALTY && all_of(bill, "Compute")? == units * prices.compute,
		"royalty and compute are paid for {units} units: {bill}"
	);
	let subtotal = all_of(bill, "Maker")? + all_of(bill, "Compute")? + all_of(bill, "Storage")?;
	let (protocol, premium) = (all_of(bill, "Protocol")?, all_of(bill, "Auditor")?);
	ensure!(
		protocol == subtotal.div_ceil(20) && premium > 0,
		"the protocol has a twentieth of {subtotal}: {bill}"
	);
	ensure!(
		subtotal + protocol + premium == amount(&bill["price"])?,
		"nobody else is paid: {bill}"
	);
	Ok(())
}

/// Returns the address of who judged it.
async fn audit_is_upheld_by_one_input(payer: &Wallet, job: u64) -> Result<String> {
	let audit = payer.run(&["audit", "show", &job.to_string()]).await?;
	// It may have been drawn, too.
	ensure!(
		(audit["reason"] == "Forced" || audit["reason"] == "Drawn") && audit["verdict"] == "Upheld",
		"the audit that was asked for found it right: {audit}"
	);
	let is_input = audit["index"].as_u64().is_some_and(|index| index < u64::from(INPUTS));
	ensure!(
		audit["inputs"] == INPUTS && is_input,
		"one of its inputs was judged: {audit}"
	);
	let seats = audit["seats"].as_array().context("an audit has seats")?;
	let seat = seats.last().context("somebody audited")?;
	ensure!(
		seat["seat"] == "auditor" && seat["vote"] == "Yes" && !audit["sketch"].is_null(),
		"one auditor and the executor agree: {audit}"
	);
	let operator = audit["operators"][&seat["node"].to_string()].as_str();
	operator.map(str::to_owned).context("the auditor has an operator")
}

/// What all lines of a role are together.
fn all_of(bill: &Value, role: &str) -> Result<Balance> {
	let lines = bill["lines"].as_array().context("a bill has lines")?;
	let of_role = lines.iter().filter(|line| line["role"] == role);
	of_role.map(|line| amount(&line["amount"])).sum()
}

/// What an address gets in a role.
fn billed_to_role(bill: &Value, role: &str, address: &str) -> Result<Balance> {
	let lines = bill["lines"].as_array().context("a bill has lines")?;
	let own = lines
		.iter()
		.filter(|line| line["role"] == role && line["payee"] == address);
	own.map(|line| amount(&line["amount"])).sum()
}

/// What the maker and the operators have earned and not claimed, by address.
async fn earned(devnet: &Devnet) -> Result<BTreeMap<String, Balance>> {
	let mut all = BTreeMap::new();
	for secret in ["//Dave", "//Alice", "//Bob", "//Charlie"] {
		let account = Account::connect(devnet.node("bob"), secret).await?;
		all.insert(account.address(), account.earned().await?);
	}
	Ok(all)
}
