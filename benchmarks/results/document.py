"""Which part of a document does a benchmark write?"""


def with_block(document: str, name: str, block: str) -> str:
    """The document with what is between the marks of that name replaced.

    Raises ValueError unless each mark is there once, in order.
    """
    before, _, after = parted(document, name)
    begin, end = marks(name)
    return f"{before}{begin}\n\n{block}\n\n{end}{after}"


def block(document: str, name: str) -> str:
    """What is between the marks of that name; raises ValueError as `with_block` does."""
    return parted(document, name)[1].strip("\n")


def parted(document: str, name: str) -> tuple[str, str, str]:
    begin, end = marks(name)
    before, found_begin, rest = document.partition(begin)
    between, found_end, after = rest.partition(end)
    if not found_begin or not found_end or begin in rest or end in after:
        raise ValueError(f"The document needs {begin} once, then {end} once.")
    return before, between, after


def marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
