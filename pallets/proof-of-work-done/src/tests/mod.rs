//! Every transaction here is a real general extrinsic that runs through `AuthorizeCall`, as in a pool and as in a block.

mod attest;
mod authorization;
mod random;
mod report_failure;
