//! A model with a state: the second job goes on from where the first one stopped.

use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{floats, integers};
use highway_offchain_worker::tensors::{parse, serialize, Tensor};
use highway_primitives::AIC;
use highway_test_support::{
	bare::{self, values, BareModel},
	binaries, market, Devnet, Wallet,
};
use std::{f32::consts::TAU, fs};

/// Samples of one call: 64 of context and 512 new ones, at 16 kHz.
const SAMPLES: usize = 576;

/// A hum of 220 Hz from `first` on, so that the state has something to remember.
fn sound(first: usize) -> Vec<f32> {
	(first..first + SAMPLES)
		.map(|sample| 0.5 * (TAU * 220.0 * sample as f32 / 16_000.0).sin())
		.collect()
}

fn input(first: usize, state: &[f32]) -> Result<Vec<Tensor>> {
	Ok(vec![
		floats("input", &[1, SAMPLES], &sound(first))?,
		integers("sr", &[], &[16_000])?,
		floats("state", &[2, 1, 128], state)?,
	])
}

#[tokio::test]
async fn state_should_be_carried_when_the_second_job_is_fed_with_the_firsts() -> Result<()> {
	Devnet::run(async |devnet| {
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let payer = Wallet::new(devnet.node("charlie"), "//Eve");
		let model = market::add_model(&maker, &market::silero_arguments()?).await?;
		market::host_everywhere(devnet, model, AIC / 200, AIC / 1_000).await?;

		let mut reference = BareModel::load(&fs::read(binaries::model("silero-vad/model.onnx")?)?)?;
		let mut state = vec![0.0; 256];
		let mut probabilities = Vec::new();
		for round in 0..2 {
			let input = input(round * 512, &state)?;
			let (from, to) = (
				devnet.scratch().join("in.safetensors"),
				devnet.scratch().join("out.safetensors"),
			);
			fs::write(&from, serialize(&input))?;
			let (from, to) = (from.to_str().context("UTF-8")?, to.to_str().context("UTF-8")?);
			let answer = payer
				.run(&["infer", &model.to_string(), "--input", from, "--output", to])
				.await?;
			ensure!(answer["results"][0]["job"].is_u64(), "`infer` names the job: {answer}");

			let ours = parse(&fs::read(to)?)?;
			let theirs = reference.run(&input)?;
			let names: Vec<_> = ours.iter().map(|tensor| tensor.name.as_str()).collect();
			ensure!(names == ["output", "stateN"], "the outputs are {names:?}");
			for (ours, theirs) in ours.iter().zip(&theirs) {
				let name = &theirs.name;
				ensure!(ours.name == *name, "{} is not {name}", ours.name);
				// Its first axes are not those of a batch, so it runs alone and as it is: to the bit.
				let (got, wanted, job) = (values(ours), values(theirs), &answer["results"][0]["job"]);
				let difference = bare::greatest_difference(&got, &wanted)?;
				ensure!(
					bare::same_bits(&got, &wanted),
					"{name} of job {job} differs by {difference}"
				);
			}
			probabilities.extend(values(&ours[0]));
			let next = values(&ours[1]);
			ensure!(next != state, "the state changes");
			state = next;
		}
		let fresh = reference.run(&input(512, &[0.0; 256])?)?;
		ensure!(
			values(&fresh[0]) != probabilities[1..],
			"the second answer depends on the first's state"
		);
		Ok(())
	})
	.await
}
