"""Words of commands, as bash and the Windows command prompt split them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.load.plan.curl.quoting import words_of
from tests.async_api.load.plan.plans import unhurried

ARGUMENTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))
)


@unhurried
@given(ARGUMENTS)
def test_single_quotes_keep_every_character(arguments: list[str]) -> None:
    quoted = ["'" + each.replace("'", r"'\''") + "'" for each in arguments]

    # A bash command in which the first quoting is bash's.
    assert list(words_of("'curl' " + " ".join(quoted)).words) == ["curl", *arguments]


@unhurried
@given(ARGUMENTS)
def test_ansi_quotes_keep_every_character(arguments: list[str]) -> None:
    quoted = [
        "$'" + "".join(f"\\U{ord(character):08x}" for character in each) + "'"
        for each in arguments
    ]

    assert list(words_of("'curl' " + " ".join(quoted)).words) == ["curl", *arguments]


@unhurried
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"))
    )
)
def test_carets_keep_every_character(arguments: list[str]) -> None:
    def quoted(text: str) -> str:
        """As programs of Windows read it: backslashes are doubled before a quote."""
        kept = ""
        slashes = 0
        for character in text + '"':
            kept += "\\" * (slashes + 1) if character == '"' else ""
            slashes = slashes + 1 if character == "\\" else 0
            kept += character
        # The last quote closes the word.
        kept = '"' + kept.removesuffix('\\"') + '"'
        return "".join("^" + character for character in kept)

    command = 'curl ^"-k^" ' + " ".join(map(quoted, arguments))

    assert list(words_of(command).words) == ["curl", "-k", *arguments]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            r"curl a\ b \
  c",
            ["curl", "a b", "c"],
        ),
        ("curl a\\\r\n b\\\r\nc", ["curl", "a", "bc"]),
        ("curl a\\", ["curl", "a"]),
        ('curl "a\\"b\\\\\\$c" d"e"\'f\'', ["curl", 'a"b\\$c', "def"]),
        ("curl '' \"\"", ["curl", "", ""]),
        (r"curl $'\x41\102\u00e9\ud83d\ude00\cA\e\q'", ["curl", "AB\xe9😀\x01\x1b\\q"]),
        (r"curl $'\xc3\xa9\xff'", ["curl", "é\udcff"]),
        ("curl $ a$ '$b'", ["curl", "$", "a$", "$b"]),
        ("curl a#b # c", ["curl", "a#b"]),
        ("curl a # b\n", ["curl", "a"]),
        ("curl a ;", ["curl", "a"]),
        ("curl {a} {,", ["curl", "{a}", "{,"]),
        ('curl ^"a^" ^\n  b', ["curl", "a", "b"]),
        ('curl ^"a^\n\nb^"', ["curl", "a\nb"]),
        ('curl.exe "a^b" c^^d ^\r\n "%e%"', ["curl.exe", "a^b", "c^d", "%e%"]),
        (r'curl ^"a^" "b\\" \"c\" d\e', ["curl", "a", "b\\", '"c"', "d\\e"]),
        ('curl ^"a^" b\\ c\\', ["curl", "a", "b\\", "c\\"]),
        # A caret in quotes of bash is none of the command prompt.
        ("curl 'a ^\"b' ^\n", ["curl", 'a ^"b', "^"]),
    ],
)
def test_a_command_is_split_as_its_shell_splits_it(
    command: str, words: list[str]
) -> None:
    assert list(words_of(command).words) == words


@pytest.mark.parametrize(
    ("command", "words", "note"),
    [
        ("curl a | jq '.b'", ["curl", "a"], "| jq '.b': is not run."),
        ("curl a 2>/dev/null b", ["curl", "a", "b"], ">/dev/null: nothing is written"),
        ("curl a &> b", ["curl", "a"], "&> b: nothing is written there."),
        ('curl ^"a^" | more', ["curl", "a"], "| more: is not run."),
    ],
)
def test_what_happens_to_the_output_is_noted(
    command: str, words: list[str], note: str
) -> None:
    split = words_of(command)

    assert list(split.words) == words
    assert len(split.notes) == 1
    assert split.notes[0].startswith(note)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("curl 'a", 'the quote before "a" is not closed'.replace('"', "'")),
        ('curl "a', "is not closed"),
        ("curl $'a", "is not closed"),
        ('curl ^"a^" "b', "is not closed"),
        (
            'curl -H "A: $TOKEN"',
            "$TOKEN is replaced by the shell; write the value itself",
        ),
        ("curl ${A}", "${A} is replaced by the shell"),
        ("curl $(cat a)", "is replaced by the shell"),
        ("curl `cat a`", "is replaced by the shell"),
        ("curl ~/a", "starts with ~, which the shell replaces by a directory"),
        ("curl {a,b}", "{a,b} is not quoted, and the shell makes several words of it"),
        ("curl http://a/?b=c&d=e", "&d=e is not quoted, and starts another command"),
        ("curl a && curl b", "starts another command"),
        ("curl a || b", "starts another command"),
        ("curl a; b", "starts another command"),
        ("curl a\ncurl b", "'curl b' is on a line of its own"),
        ('curl ^"a^"\ncurl b', "end the line before it with a caret"),
        ('curl ^"a^" & b', "& b is not quoted"),
        ("curl <a", "the standard input is not read"),
        ("curl a >", "must name a file"),
        (r"curl $'\u0000'", "has a NUL"),
        (r"curl $'\ud800'", "a lone surrogate"),
        (r"curl $'\U00110000'", "is not a character"),
    ],
)
def test_what_a_shell_would_replace_or_run_is_refused(command: str, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        words_of(command)

    assert said in str(raised.value)
