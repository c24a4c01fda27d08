"""How often, and for how long? What every benchmark can be told."""

import argparse


def rounds_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(name, description=description)
    options.add_argument(
        "--rounds", type=positive, default=5, help="turns each takes (5)"
    )
    options.add_argument(
        "--seconds", type=positive, default=2, help="that a turn of wrk takes (2)"
    )
    return options


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
