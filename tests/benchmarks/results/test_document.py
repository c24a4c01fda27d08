"""A benchmark replaces only the text between its marks."""

import pytest

from benchmarks.results.document import block, marks, with_block

BEGIN, END = marks("speed")
OTHER_BEGIN, OTHER_END = marks("size")
OTHER = f"{OTHER_BEGIN}\n\nkept\n\n{OTHER_END}\n"
DOCUMENT = f"Before\n{BEGIN}\n\nold\n\n{END}\n{OTHER}After\n"


def test_the_text_between_the_marks_is_replaced() -> None:
    written = with_block(DOCUMENT, "speed", "new")

    assert written == DOCUMENT.replace("old", "new")
    assert (block(written, "speed"), block(written, "size")) == ("new", "kept")


@pytest.mark.parametrize(
    "document",
    ["", OTHER, BEGIN, f"{END}\n{BEGIN}", DOCUMENT + DOCUMENT, f"{DOCUMENT}{END}"],
)
def test_a_document_without_its_two_marks_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="needs"):
        with_block(document, "speed", "new")
    with pytest.raises(ValueError, match="needs"):
        block(document, "speed")
