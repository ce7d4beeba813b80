//! What each command does.

use crate::{
	chain_spec,
	cli::{Cli, Subcommand},
	service, WrapPorts,
};
use highway_runtime::opaque::Block;
use sc_cli::SubstrateCli;
use sc_network::config::NetworkBackendType;
use sc_service::PartialComponents;

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"AI Highway Node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn description() -> String {
		env!("CARGO_PKG_DESCRIPTION").into()
	}

	fn author() -> String {
		"The AI Highway team".into()
	}

	fn support_url() -> String {
		"see README.md".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
		Ok(match id {
			"dev" => Box::new(chain_spec::development()?),
			"" | "local" => Box::new(chain_spec::local()?),
			path => Box::new(chain_spec::ChainSpec::from_json_file(path.into())?),
		})
	}
}

/// Reads the command line and does what it says.
pub fn run(wrap: WrapPorts) -> sc_cli::Result<()> {
	let cli = Cli::from_args();
	match &cli.subcommand {
		None => {
			let runner = cli.create_runner(&cli.run)?;
			let (runtime_cache, inference) = (cli.runtime_cache.clone(), cli.inference.clone());
			runner.run_node_until_exit(|config| async move {
				// Each backend is the whole service compiled once more.
				if matches!(config.network.network_backend, NetworkBackendType::Libp2p) {
					return Err(
						"this node is built with litep2p, which libp2p peers understand: leave --network-backend out"
							.into(),
					);
				}
				service::new_full(config, runtime_cache, inference, wrap)
					.await
					.map_err(sc_cli::Error::Service)
			})
		}
		Some(Subcommand::Key(command)) => command.run(&cli),
		Some(Subcommand::ExportChainSpec(command)) => {
			let spec = cli.load_spec(&command.chain)?;
			command.run(spec)
		}
		Some(Subcommand::CheckBlock(command)) => cli.create_runner(command)?.async_run(|config| {
			let PartialComponents {
				client,
				task_manager,
				import_queue,
				..
			} = service::new_partial(&config, cli.runtime_cache.as_deref())?;
			Ok((command.run(client, import_queue), task_manager))
		}),
		Some(Subcommand::ExportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
			let PartialComponents {
				client, task_manager, ..
			} = service::new_partial(&config, cli.runtime_cache.as_deref())?;
			Ok((command.run(client, config.database), task_manager))
		}),
		Some(Subcommand::ExportState(command)) => cli.create_runner(command)?.async_run(|config| {
			let PartialComponents {
				client, task_manager, ..
			} = service::new_partial(&config, cli.runtime_cache.as_deref())?;
			Ok((command.run(client, config.chain_spec), task_manager))
		}),
		Some(Subcommand::ImportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
			let PartialComponents {
				client,
				task_manager,
				import_queue,
				..
			} = service::new_partial(&config, cli.runtime_cache.as_deref())?;
			Ok((command.run(client, import_queue), task_manager))
		}),
		Some(Subcommand::PurgeChain(command)) => cli
			.create_runner(command)?
			.sync_run(|config| command.run(config.database)),
		Some(Subcommand::Revert(command)) => cli.create_runner(command)?.async_run(|config| {
			let PartialComponents {
				client,
				task_manager,
				backend,
				..
			} = service::new_partial(&config, cli.runtime_cache.as_deref())?;
			let revert_consensus = Box::new(|client: std::sync::Arc<service::FullClient>, backend, blocks| {
				sc_consensus_babe::revert(client.clone(), backend, blocks)?;
				sc_consensus_grandpa::revert(client, blocks)?;
				Ok(())
			});
			Ok((command.run(client, backend, Some(revert_consensus)), task_manager))
		}),
		Some(Subcommand::ChainInfo(command)) => cli
			.create_runner(command)?
			.sync_run(|config| command.run::<Block>(&config)),
		#[cfg(feature = "runtime-benchmarks")]
		Some(Subcommand::Benchmark(command)) => cli.create_runner(command)?.sync_run(|config| match command {
			frame_benchmarking_cli::BenchmarkCmd::Pallet(command) => {
				command.run_with_spec::<sp_runtime::traits::HashingFor<Block>, ()>(Some(config.chain_spec))
			}
			frame_benchmarking_cli::BenchmarkCmd::Machine(command) => {
				command.run(&config, frame_benchmarking_cli::SUBSTRATE_REFERENCE_HARDWARE.clone())
			}
			_ => Err("only `benchmark pallet` and `benchmark machine` are here: node/README.md says why".into()),
		}),
	}
}
