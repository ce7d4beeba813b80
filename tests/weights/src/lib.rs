//! What weights are made of: lines through what benchmarks cost ([`mod@line`]), and the files in which the pallets have them
//! ([`mod@file`]). Who measures is the program `measure-weights`: see `scripts/weights`.

pub mod file;
pub mod line;
