"""Commands of bash: split into words as bash does, without running or replacing anything."""

import re

from async_api.load.plan.curl.words import SHOWN_LENGTH, Words

_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}
# https://www.gnu.org/software/bash/manual/html_node/ANSI_002dC-Quoting.html
_ANSI = re.compile(
    r"\\(?:x(?P<byte>[0-9a-fA-F]{1,2})|(?P<octal>[0-7]{1,3})"
    r"|u(?P<unit>[0-9a-fA-F]{1,4})|U(?P<point>[0-9a-fA-F]{1,8})"
    r"|c(?P<control>.)|(?P<letter>.))",
    re.DOTALL,
)
_EXPANSION = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]|[({].{0,20})")
_BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")


def bash_words(command: str) -> Words:
    """Raises ValueError for what bash would replace, or run beside the command."""
    return _Bash(command).split()


class _Bash:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.words: list[str] = []
        self.notes: list[str] = []
        self.word: str | None = None
        self.bare = ""  # what of the word is not quoted

    def split(self) -> Words:
        while self.place < len(self.text):
            if not self.step():
                break
        self.end_word()
        return Words(tuple(self.words), tuple(self.notes))

    def step(self) -> bool:
        """Consumes a character or a quoted text; returns False at the command's end."""
        text, place = self.text, self.place
        character = text[place]
        if continued := re.compile(r"\\(?:\r?\n|$)").match(text, place):
            self.place = continued.end()
        elif character == "\\":
            self.add(text[place + 1], place + 2)
        elif character == "'":
            end = self.closing("'", place + 1)
            self.add(text[place + 1 : end], end + 1)
        elif text.startswith("$'", place):
            self.ansi(place + 2)
        elif character == '"' or text.startswith('$"', place):
            self.double_quoted(text.index('"', place) + 1)
        elif character in "$`":
            self.refuse_expansion(place)
            self.add("$", place + 1)
        elif character in "\r\n":
            return self.end_line(text[place:].strip())
        elif character in " \t":
            self.end_word()
            self.place += 1
        elif character == "#" and self.word is None:
            line = re.compile(r"[^\r\n]*").match(text, place)
            self.place = line.end() if line else len(text)
        elif character in "|&;<>()":
            return self.operator(character)
        else:
            if character == "~" and self.word is None:
                raise ValueError(
                    f"{self.near(place)} starts with ~, which the shell replaces by a "
                    "directory; write the path in full"
                )
            self.bare += character
            self.add(character, place + 1)
        return True

    def add(self, text: str, place: int) -> None:
        self.word = (self.word or "") + text
        self.place = place

    def end_word(self) -> None:
        if _BRACES.search(self.bare):
            raise ValueError(
                f"{self.bare} is not quoted, and the shell makes several words of it; "
                "put it into single quotes"
            )
        if self.word is not None:
            self.words.append(self.word)
        self.word, self.bare = None, ""

    def closing(self, quote: str, place: int) -> int:
        end = self.text.find(quote, place)
        if end < 0:
            raise ValueError(f"the quote before {self.near(place)} is not closed")
        return end

    def double_quoted(self, place: int) -> None:
        kept = ""
        while True:
            if place >= len(self.text):
                raise ValueError(
                    f"the quote before {self.near(self.place + 1)} is not closed"
                )
            character = self.text[place]
            if character == '"':
                break
            if continued := re.compile(r"\\\r?\n").match(self.text, place):
                place = continued.end()
                continue
            if character == "\\" and self.text[place + 1 : place + 2] in set('$`"\\'):
                character = self.text[place + 1]
                place += 1
            elif character in "$`":
                self.refuse_expansion(place)
            kept += character
            place += 1
        self.add(kept, place + 1)

    def ansi(self, place: int) -> None:
        ended = re.compile(r"(?:[^'\\]|\\.)*'", re.DOTALL).match(self.text, place)
        if ended is None:
            raise ValueError(f"the quote before {self.near(place)} is not closed")
        text = _ANSI.sub(_unescaped, ended.group()[:-1])
        # Browsers write a character beyond U+FFFF as a pair of surrogates.
        data = re.sub(
            "[\ud800-\udbff][\udc00-\udfff]",
            lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"),
            text,
        )
        if "\0" in data:
            raise ValueError(
                f"{self.near(place)} has a NUL, which no argument of a command can have; "
                "read the data from a file"
            )
        try:
            data = data.encode(errors="surrogateescape").decode(
                errors="surrogateescape"
            )
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{self.near(place)} has a lone surrogate, which is not a character"
            ) from error
        self.add(data, ended.end())

    def refuse_expansion(self, place: int) -> None:
        found = _EXPANSION.match(self.text, place)
        if found is None and self.text[place] == "$":
            return
        name = found.group() if found else self.near(place)
        raise ValueError(
            f"{name} is replaced by the shell; write the value itself, or put the text "
            "into single quotes if that is what is sent"
        )

    def end_line(self, rest: str) -> bool:
        if rest.startswith("#") or not rest:
            self.place = (
                len(self.text) if not rest else self.text.index("#", self.place)
            )
            return True
        raise ValueError(
            f"{rest[:SHOWN_LENGTH]!r} is on a line of its own and thereby another "
            "command; end the line before it with a backslash, or remove it"
        )

    def operator(self, character: str) -> bool:
        rest = self.text[self.place :]
        if character == "|" and not rest.startswith("||"):
            self.notes.append(f"{rest[:SHOWN_LENGTH]}: is not run.")
            self.place = len(self.text)
            return False
        if character == ">" or rest.startswith("&>"):
            if self.word is not None and self.word.isdecimal():
                self.word, self.bare = None, ""  # a descriptor, as in 2>
            self.end_word()
            target = re.compile(r"&?>[>&|]?[ \t]*([^\s|&;<>()]+)").match(rest)
            if target is None:
                raise ValueError(f"{rest[:SHOWN_LENGTH]} must name a file")
            self.notes.append(f"{target.group()}: nothing is written there.")
            self.place += target.end()
            return True
        if rest in {";", "&"}:
            return False
        if character == "<":
            raise ValueError(f"{rest[:SHOWN_LENGTH]}: the standard input is not read")
        raise ValueError(
            f"{rest[:SHOWN_LENGTH]} is not quoted, and starts another command at its "
            f"{character}; put the whole argument into single quotes, or remove it"
        )

    def near(self, place: int) -> str:
        return repr(self.text[place : place + SHOWN_LENGTH])


def _unescaped(found: re.Match[str]) -> str:
    if found["byte"] or found["octal"]:
        code = int(found["byte"], 16) if found["byte"] else int(found["octal"], 8) & 255
        return chr(code) if code < 128 else chr(0xDC00 + code)  # a byte
    if found["unit"] or found["point"]:
        code = int(found["unit"] or found["point"], 16)
        if code > 0x10FFFF:
            raise ValueError(f"{found.group()} is not a character")
        return chr(code)
    if found["control"]:
        return chr(ord(found["control"].upper()) & 0x1F)
    return _ESCAPES.get(found["letter"], found.group())
