"""Commands of the Windows command prompt, split into words as Windows programs do."""

import re

from async_api.load.plan.curl.words import SHOWN_LENGTH, Words


def cmd_words(command: str) -> Words:
    """Raises ValueError for a command that is not the only one."""
    text, notes = _without_carets(command)
    return Words(tuple(_crt_words(text)), tuple(notes))


def _without_carets(command: str) -> tuple[str, list[str]]:
    """What the command prompt passes on: carets quote the next character."""
    kept: list[str] = []
    quoted = False
    place = 0
    command = command.replace("\r\n", "\n")
    while place < len(command):
        character = command[place]
        if character == "^" and not quoted:
            place += 1
            if command[place : place + 1] == "\n":
                place += 1  # the line goes on, and its first character is quoted
            kept.append(command[place : place + 1])
        elif character == "\n":
            if command[place:].strip():
                raise ValueError(
                    f"{command[place:].strip()[:SHOWN_LENGTH]!r} is on a line of its own "
                    "and thereby another command; end the line before it with a caret"
                )
        elif not quoted and character in "|>":
            rest = command[place : place + SHOWN_LENGTH]
            return "".join(kept), [f"{rest}: is not run."]
        elif not quoted and character in "&<":
            raise ValueError(
                f"{command[place : place + SHOWN_LENGTH]} is not quoted; put the whole "
                "argument into double quotes"
            )
        else:
            quoted ^= character == '"'
            kept.append(character)
        place += 1
    return "".join(kept), []


def _crt_words(text: str) -> list[str]:
    """https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments"""
    words: list[str] = []
    word: str | None = None
    quoted = False
    place = 0
    while place < len(text):
        slashes = re.compile(r"\\*").match(text, place)
        count = len(slashes.group()) if slashes else 0
        place += count
        character = text[place : place + 1]
        if character == '"':
            word = (word or "") + "\\" * (count // 2)
            if count % 2:
                word += '"'
            elif quoted and text[place + 1 : place + 2] == '"':
                word += '"'
                place += 1
            else:
                quoted = not quoted
        elif character and character in " \t" and not quoted:
            if count:
                word = (word or "") + "\\" * count
            if word is not None:
                words.append(word)
            word = None
        elif character or count:
            word = (word or "") + "\\" * count + character
        place += 1
    if quoted:
        raise ValueError(f"the quote in {text[-SHOWN_LENGTH:]!r} is not closed")
    return words if word is None else [*words, word]
