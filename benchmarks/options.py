"""Command-line options that the benchmarks share."""

import argparse


def rounds_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(name, description=description)
    options.add_argument(
        "--rounds", type=positive, default=5, help="number of rounds (5)"
    )
    options.add_argument(
        "--seconds", type=positive, default=2, help="duration of a turn of wrk (2)"
    )
    return options


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
