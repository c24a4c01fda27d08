"""The options as a program parses them."""

import argparse
import io
from typing import Any, NoReturn

from async_api.load.plan.command_line.document import Asked, read_options
from async_api.load.plan.command_line.options import add_plan_options
from tests.async_api.load.plan.plans import LIMITS


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def parsed(*words: str) -> dict[str, Any]:
    parser = Parser(prog="load")
    add_plan_options(parser)
    return vars(parser.parse_args(words))


def read(*words: str, stdin: bytes = b"") -> Asked:
    return read_options(parsed(*words), LIMITS, io.BytesIO(stdin))
