#!/usr/bin/env python3
"""Prints the first Fibonacci numbers."""

import argparse
from collections.abc import Iterator
from itertools import islice


def fibonacci() -> Iterator[int]:
    """Yield 0, 1, 1, 2, 3, 5, …"""
    current, following = 0, 1
    while True:
        yield current
        current, following = following, current + following


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10)
    for index, number in enumerate(islice(fibonacci(), parser.parse_args().count)):
        print(f"{index:>4}  {number}")


if __name__ == "__main__":
    main()
