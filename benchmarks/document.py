"""Which part of a document does a benchmark write?"""

BEGIN = "<!-- benchmark: begin -->"
END = "<!-- benchmark: end -->"


def with_block(document: str, block: str) -> str:
    """The document with what is between its marks replaced.

    Raises ValueError unless each mark is there once, in order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"The document needs {BEGIN} once, then {END} once.")
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"
