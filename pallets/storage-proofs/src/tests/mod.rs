//! What nodes say here are real general extrinsics that run through `AuthorizeCall`, as in a pool and as in a block.

mod answers;
mod authorization;
mod draws;
mod exits;
mod finality;
mod invariants;
mod misses;
mod proofs;
mod random;
