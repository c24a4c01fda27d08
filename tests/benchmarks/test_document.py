"""Does a benchmark write between its marks, and nowhere else?"""

import pytest

from benchmarks.document import BEGIN, END, with_block

DOCUMENT = f"Before\n{BEGIN}\n\nold\n\n{END}\nAfter\n"


def test_what_is_between_the_marks_is_replaced() -> None:
    assert with_block(DOCUMENT, "new") == DOCUMENT.replace("old", "new")


@pytest.mark.parametrize(
    "document",
    ["", BEGIN, f"{END}\n{BEGIN}", DOCUMENT + DOCUMENT, f"{DOCUMENT}{END}"],
)
def test_a_document_without_its_two_marks_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="needs"):
        with_block(document, "new")
