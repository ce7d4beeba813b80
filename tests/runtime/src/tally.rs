//! What became of calls.

use frame_support::traits::GetCallMetadata;
use highway_runtime::{RuntimeCall, RuntimeEvent, System};
use sp_runtime::ApplyExtrinsicResult;

/// A call: its pallet and its name.
pub type CallName = (&'static str, &'static str);

/// How often a call was tried, and what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
	/// It did what it says.
	pub succeeded: u32,
	/// It was let into the block, and failed.
	pub failed: u32,
	/// It was not let into the block.
	pub refused: u32,
}

/// The name of a call; of what root is to do, if it is a call for that.
pub fn name_of(call: &RuntimeCall) -> CallName {
	let done = match call {
		RuntimeCall::Sudo(pallet_sudo::Call::sudo { call }) => &**call,
		call => call,
	};
	let name = done.get_call_metadata();
	(name.pallet_name, name.function_name)
}

/// Whether a call succeeded; an error if it was refused. Of what root did, the last event of the block tells.
pub(crate) fn outcome_of(call: &RuntimeCall, result: &ApplyExtrinsicResult) -> Result<bool, ()> {
	let succeeded = result.as_ref().map_err(|_| ())?.is_ok();
	let RuntimeCall::Sudo(pallet_sudo::Call::sudo { .. }) = call else {
		return Ok(succeeded);
	};
	let done = System::events()
		.into_iter()
		.rev()
		.find_map(|record| match record.event {
			RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result }) => Some(sudo_result.is_ok()),
			_ => None,
		});
	Ok(succeeded && done == Some(true))
}
