"""The words of a verdict have an order."""

from async_api.verdict_word import Word, worst


def test_the_most_serious_word_is_the_worst() -> None:
    assert worst([Word.SUSPECT, Word.INVALID, Word.VALID]) is Word.INVALID
    assert worst([Word.VALID, Word.SUSPECT]) is Word.SUSPECT
    assert worst([]) is Word.VALID
