//! What a block's author tells the chain about finality: the last block that it knows to be final. Deadlines of audits stand
//! still while that lags.

use highway_primitives::BlockNumber;
use highway_runtime::pallet_proof_of_work_done::finality::INHERENT_IDENTIFIER;
use sp_inherents::{InherentData, InherentDataProvider, InherentIdentifier};

/// Puts the number of the last final block into the inherent data.
pub struct FinalityInherent(pub BlockNumber);

#[async_trait::async_trait]
impl InherentDataProvider for FinalityInherent {
	async fn provide_inherent_data(&self, data: &mut InherentData) -> Result<(), sp_inherents::Error> {
		data.put_data(INHERENT_IDENTIFIER, &self.0)
	}

	async fn try_handle_error(&self, _: &InherentIdentifier, _: &[u8]) -> Option<Result<(), sp_inherents::Error>> {
		// The chain makes no error of this one.
		None
	}
}
