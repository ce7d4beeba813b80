//! See `tests/`: the tests run real nodes.
