# Sourced by every script: where things lie and which toolchain builds.
#
# HIGHWAY_CACHE      what is fetched or built and survives the checkout (default: the user's cache folder)
# CARGO_TARGET_DIR   build folder, kept outside the checkout so that a fresh clone is quick

set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Clones share the build folder: programs learn at run time which one runs them.
export HIGHWAY_REPOSITORY=$repository
export HIGHWAY_CACHE=${HIGHWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ai-highway}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HIGHWAY_CACHE/target}
export HIGHWAY_MODELS_DIR=${HIGHWAY_MODELS_DIR:-$HIGHWAY_CACHE/models}
export ORT_DYLIB_PATH=${ORT_DYLIB_PATH:-$HIGHWAY_CACHE/onnxruntime/libonnxruntime.so}
# ONNX Runtime's wheel carries telemetry that opens files: off in every process.
export ORT_DISABLE_TELEMETRY=1
# litep2p would compile OpenSSL itself; the system's is found through pkg-config.
export OPENSSL_NO_VENDOR=1
# What scripts/cargo builds from: a copy of the checkout. The runtime's builder is told where its Cargo.lock is.
build_source=$CARGO_TARGET_DIR/source
export WASM_BUILD_WORKSPACE_HINT=$build_source
# One profile for node, tests and CI, so that the SDK compiles once.
export HIGHWAY_PROFILE=${HIGHWAY_PROFILE:-testnet}
export PATH=$HIGHWAY_CACHE/bin:$HOME/.cargo/bin:$PATH

# Set-up notes here which rustup toolchain builds, where it is not the one of rust-toolchain.toml.
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && [ -f "$HIGHWAY_CACHE/toolchain" ]; then
	RUSTUP_TOOLCHAIN=$(cat "$HIGHWAY_CACHE/toolchain")
	export RUSTUP_TOOLCHAIN
fi
# Rustup's compiler links with lld by itself, Debian's with GNU's linker: much slower for programs as large as the node.
if [ -n "${RUSTUP_TOOLCHAIN:-}" ] && [ -x "$HIGHWAY_CACHE/bin/ld.lld" ]; then
	export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-fuse-ld=lld"
fi

node_binary=$CARGO_TARGET_DIR/$HIGHWAY_PROFILE/highway-node
wallet_binary=$CARGO_TARGET_DIR/$HIGHWAY_PROFILE/highway

say() { printf '%s\n' "$*" >&2; }
fail() {
	say "error: $*"
	exit 1
}
