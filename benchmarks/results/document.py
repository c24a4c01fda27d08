"""Replaces the part of a document that a benchmark writes."""


def with_block(document: str, name: str, block: str) -> str:
    """The document with the text between the marks of that name replaced by `block`.

    Raises ValueError unless each mark occurs once, in this order.
    """
    before, _, after = parted(document, name)
    begin, end = marks(name)
    return f"{before}{begin}\n\n{block}\n\n{end}{after}"


def block(document: str, name: str) -> str:
    """The text between the marks of that name; raises ValueError like `with_block`."""
    return parted(document, name)[1].strip("\n")


def parted(document: str, name: str) -> tuple[str, str, str]:
    begin, end = marks(name)
    before, found_begin, rest = document.partition(begin)
    between, found_end, after = rest.partition(end)
    if not found_begin or not found_end or begin in rest or end in after:
        raise ValueError(f"The document needs {begin} once, followed by {end} once.")
    return before, between, after


def marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
