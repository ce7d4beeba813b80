//! What nodes say here are real general extrinsics that run through `AuthorizeCall`, as in a pool and as in a block.

mod answers;
mod authorization;
mod floors;
mod invariants;
mod machines;
mod measurements;
mod payment;
mod proofs;
mod random;
mod rounds;
mod terms;
