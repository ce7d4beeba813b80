//! See `tests/`: the tests run against the real runtime.
