"""Looks at licences and sources where cargo-deny is not built: against .cargo/deny.toml, of what is linked on this machine.

Standard input has a line for each crate, as `cargo tree --prefix none --format '{p}|{l}'` prints it. Known faults, and what
other targets link, are left to cargo-deny.
"""

import pathlib
import re
import sys
import tomllib

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def permits(expression, licences):
    """Whether an SPDX expression is met by these licences. A slash, as older crates have it, is an OR."""
    tokens = re.findall(r"[()/]|[^\s()/]+", expression)
    words = []
    while tokens:
        token = tokens.pop(0)
        if token in ("AND", "OR", "(", ")"):
            words.append(token.lower())
        elif token == "/":
            words.append("or")
        else:
            if tokens[:1] == ["WITH"]:
                token = " ".join([token, tokens.pop(0), *tokens[:1]])
                tokens = tokens[1:]
            words.append(str(token in licences))
    # Nothing but True, False, and, or, and brackets; AND binds closer, as in SPDX.
    return eval(" ".join(words), {})


def main():
    deny = tomllib.loads(pathlib.Path(".cargo/deny.toml").read_text())
    allowed = set(deny["licenses"]["allow"])
    exceptions = {entry["crate"]: set(entry["allow"]) for entry in deny["licenses"]["exceptions"]}
    banned = {entry["crate"] for entry in deny["bans"]["deny"]}
    problems = set()
    for package in tomllib.loads(pathlib.Path("Cargo.lock").read_text())["package"]:
        named = f"{package['name']} {package['version']}"
        if "source" in package and (package["source"] != REGISTRY or "checksum" not in package):
            problems.add(f"{named} comes from {package['source']}: only the default registry is allowed")
    crates = set()
    for line in filter(None, map(str.strip, sys.stdin)):
        crate, _, licence = line.removesuffix("(*)").strip().rpartition("|")
        name = crate.split(" ")[0]
        crates.add(crate)
        if name in banned:
            problems.add(f"{crate} is banned")
        if not licence or not permits(licence, allowed | exceptions.get(name, set())):
            problems.add(f"{crate} is under {licence or 'no licence that it names'}")
    if not crates:
        problems.add("cargo tree named no crate")
    for problem in sorted(problems):
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        print(f"licences and sources of {len(crates)} crates are as .cargo/deny.toml says", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
