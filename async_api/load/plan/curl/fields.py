"""The header fields of a curl command: its own, and those that other options make."""

import re

from async_api.load.plan.headers import REFUSED

# The order in which curl sends what is not from a --header.
ORDER = ("Range", "User-Agent", "Accept-Encoding", "Referer", "Cookie")

_FIELD = re.compile(r"([^:;]*)([:;])[ \t]*(.*)", re.DOTALL)


class Fields:
    """The ``--header`` options, in order, and the defaults that they replace or remove."""

    def __init__(self) -> None:
        self.own: list[tuple[str, str]] = []
        self.removed: set[str] = set()
        self.defaults: dict[str, str] = {}
        self.last: dict[str, str] = {}  # which curl adds behind its --header options
        self.warnings: list[str] = []
        self.keep_alive: bool | None = None
        self.length: str | None = None

    def add(self, text: str) -> None:
        """``Name: value``; ``Name;`` for an empty one; ``Name:`` to remove a default.

        Raises ValueError for a field that cannot be sent.
        """
        if text.startswith("@"):
            raise ValueError("reads headers from a file; put them into the command")
        field = _FIELD.fullmatch(text)
        if field is None or (field[2] == ";" and field[3]):
            name = re.split("[:;]", text)[0]
            self.warnings.append(
                f"-H {name}: neither a colon with a value nor a semicolon at its end "
                "follows the name; curl ignores it too."
            )
            return
        name, value = field[1], field[3].strip(" \t")
        if field[2] == ":" and not value:
            self._remove(name)
        elif name.lower() in REFUSED:
            self._frame(name, value)
        else:
            self.own.append((name, value))

    def has(self, name: str) -> bool:
        """Whether a ``--header`` sets or removes a field."""
        lower = name.lower()
        return lower in self.removed or any(own.lower() == lower for own, _ in self.own)

    def removes(self, name: str) -> bool:
        """Whether a ``--header`` removes a field, and none sets it."""
        lower = name.lower()
        return lower in self.removed and all(
            own.lower() != lower for own, _ in self.own
        )

    def drop(self, name: str) -> None:
        self.own = [each for each in self.own if each[0].lower() != name.lower()]

    def written(self) -> list[list[str]]:
        """The member ``headers`` of the document, in the order in which curl sends them."""
        fields = [*self.own]
        fields[:0] = [
            (name, self.defaults[name])
            for name in ORDER
            if name in self.defaults and not self.has(name)
        ]
        fields += [each for each in self.last.items() if not self.has(each[0])]
        return [[name, value] for name, value in fields]

    def _remove(self, name: str) -> None:
        if name.lower() == "host":
            raise ValueError("removes the Host, which every request needs")
        self.removed.add(name.lower())

    def _frame(self, name: str, value: str) -> None:
        """A field that the generator sets. What changes nothing is left out."""
        if name.lower() == "connection" and value.lower() in {"keep-alive", "close"}:
            self.keep_alive = value.lower() == "keep-alive"
            self.warnings.append(
                f"-H {name}: {value} becomes the condition that connections are "
                f"{'used again' if self.keep_alive else 'new for each request'}."
            )
        elif name.lower() == "content-length":
            self.length = value
        else:
            raise ValueError(f"{name} {REFUSED[name.lower()]}; remove this header")
