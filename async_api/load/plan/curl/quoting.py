"""Which shell a command was written for: bash, or the Windows command prompt."""

import re

from async_api.load.plan.curl.bash import bash_words
from async_api.load.plan.curl.cmd import cmd_words
from async_api.load.plan.curl.words import Words

# Carets quote and continue lines; older browsers wrote a double quote as two.
_CMD = re.compile(r"""(?:^|\s)\^"|\^\r?\n|\S""\S""")
_BASH = re.compile(r"""'|\\\r?\n""")


def words_of(command: str) -> Words:
    """The words of a command; raises ValueError.

    It is one of the Windows command prompt if it has its quoting before anything that
    only bash understands.
    """
    command = command.strip()
    cmd, bash = _CMD.search(command), _BASH.search(command)
    if cmd and (bash is None or cmd.start() < bash.start()):
        return cmd_words(command)
    # Documents show the prompt of a shell.
    return bash_words(command.removeprefix("$ "))
