"""Reads the cells of an XLSX workbook as a spreadsheet program shows them.

The format is ECMA-376, part 1. Parts are read as streams, with limits on their size and
their number of elements. Metadata such as the dimension of a sheet is not trusted, and of
the styles only number formats are read. A cell whose text would have to be guessed is
refused by name.
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from lzma import LZMAError
from posixpath import dirname, join, normpath
from typing import IO, Any, NoReturn
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

MAX_UNPACKED_BYTES = 256 * 2**20  # all parts that are read
MAX_ELEMENTS = 5_000_000
MAX_CELL_CHARACTERS = 300_000  # 32,767, each of which may be escaped
CHUNK = 2**16
MAX_DIGITS = 15  # the precision of numbers in a spreadsheet

ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Characters that XML cannot represent or would change, and text that looks escaped.
TO_ESCAPE = re.compile(
    r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
)
REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
# Literal parts of a number format: quoted, escaped, or in brackets.
LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%",
    11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 37: "#,##0 ;(#,##0)",
    38: "#,##0 ;[Red](#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;[Red](#,##0.00)",
    48: "##0.0E+0", 49: "@",
}  # fmt: skip
AS_TEXT = "format the cell as text, and type its content again"
SAVE_AGAIN = "open it in a spreadsheet program, and save it as XLSX"

Cells = dict[int, str]


class UnreadableFileError(ValueError):
    """The file is not a table in the expected format. The message gives the reason."""


def escaped(text: str) -> str:
    """The text escaped for a cell, as an ST_Xstring (part 1, section 22.9.2.19)."""
    return TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    """The text of an ST_Xstring."""
    if "_x" not in text:
        return text
    plain = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    # Two escaped surrogates form one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def column_name(column: int) -> str:
    """The letters of a column; column 0 is A."""
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def read_workbook(data: bytes) -> list[tuple[int, Cells]]:
    """The rows that are not empty, of the sheet that the workbook opens with.

    Each row has its number and maps column numbers, from 0, to cells. Raises
    ``UnreadableFileError`` with a message that says what to do.
    """
    refuse_others(data)
    try:
        with ZipFile(BytesIO(data)) as archive:
            return Workbook(Parts(archive)).rows()
    except expat.ExpatError as error:
        raise damaged(f"its XML is invalid at line {error.lineno}") from error
    except UnreadableFileError:
        raise
    except (
        BadZipFile,
        EOFError,
        LookupError,
        LZMAError,
        NotImplementedError,
        OSError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        raise damaged("it is incomplete or was altered") from error


def damaged(why: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"The workbook is damaged: {why}. To repair it, {SAVE_AGAIN}."
    )


def refuse_others(data: bytes) -> None:
    """Raises UnreadableFileError for other file formats, naming them."""
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise UnreadableFileError(
                "The workbook is encrypted: remove its password, and upload it again."
            )
        raise UnreadableFileError(
            "This is an older format, such as XLS: save it as XLSX."
        )
    if data.startswith(b"PK"):
        return
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<table")):
        raise UnreadableFileError(
            "This is not an XLSX workbook but HTML or XML with its file name: "
            + SAVE_AGAIN
            + "."
        )
    raise UnreadableFileError(
        "This is not an XLSX workbook. If it is text, choose the format CSV; otherwise "
        "save it as XLSX."
    )


class Parts:
    """The files within a workbook, found regardless of case and leading slashes."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._names = {
            same_name(name): name for name in archive.namelist() if name[-1:] != "/"
        }
        self._left = MAX_UNPACKED_BYTES
        self._elements = MAX_ELEMENTS

    def __contains__(self, name: str) -> bool:
        return same_name(name) in self._names

    def walk(
        self,
        name: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Parses the XML of a part; callbacks get names without namespace prefixes."""
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def on_start(tag: str, attributes: dict[str, str]) -> None:
            self._elements -= 1
            if self._elements < 0:
                raise too_large()
            start(local(tag), {local(key): value for key, value in attributes.items()})

        def on_doctype(*ignored: Any) -> NoReturn:
            raise damaged("it has a document type declaration, which is not allowed")

        parser.StartElementHandler = on_start
        parser.StartDoctypeDeclHandler = on_doctype
        if end is not None:
            parser.EndElementHandler = lambda tag: end(local(tag))
        if text is not None:
            parser.CharacterDataHandler = text
        with self._open(name) as part:
            while chunk := part.read(CHUNK):
                self._left -= len(chunk)
                if self._left < 0:
                    raise too_large()
                parser.Parse(chunk, False)
        parser.Parse(b"", True)

    def _open(self, name: str) -> IO[bytes]:
        stored = self._names.get(same_name(name))
        if stored is None:
            raise damaged(f"the part {name[:100]} is missing")
        if self._archive.getinfo(stored).flag_bits & 1:
            raise UnreadableFileError(
                "The workbook is encrypted: remove its password, and upload it again."
            )
        return self._archive.open(stored)

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """The relationships of a part: for each ID the short type, and the target's name."""
        folder, _, file = name.rpartition("/")
        relations = f"{folder}/_rels/{file}.rels".lstrip("/")
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "").replace("\\", "/")
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = kind, join("/", dirname(name), target)

        if relations in self:
            self.walk(relations, start)
        return found


def same_name(name: str) -> str:
    return normpath("/" + name.replace("\\", "/").lstrip("/")).casefold()


def local(tag: str) -> str:
    return tag.rpartition(":")[2]


def too_large() -> UnreadableFileError:
    return UnreadableFileError(
        f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MB or"
        f" {MAX_ELEMENTS:,} XML elements: split it into several."
    )


@dataclass
class Sheet:
    name: str
    part: str
    is_table: bool
    is_hidden: bool


@dataclass
class Text:
    """Collects the text of an element."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, piece: str) -> None:
        self.length += len(piece)
        if self.length > MAX_CELL_CHARACTERS:
            raise UnreadableFileError(
                "A cell has more characters than a spreadsheet program allows: shorten it."
            )
        self.pieces.append(piece)

    def __str__(self) -> str:
        return "".join(self.pieces)


class Workbook:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._main = self._find_main()
        related = parts.related(self._main)
        self._sheets, self._active = self._find_sheets(related)
        kinds = {kind: name for kind, name in related.values()}
        self._strings = self._read_strings(kinds.get("sharedStrings"))
        self._formats = self._read_formats(kinds.get("styles"))

    def _find_main(self) -> str:
        for kind, name in self._parts.related("").values():
            if kind == "officeDocument":
                if name.lower().endswith(".bin"):
                    raise UnreadableFileError(
                        "This is a binary workbook (XLSB): save it as XLSX."
                    )
                if name in self._parts and "/word/" not in name and "/ppt/" not in name:
                    return name
        if "content.xml" in self._parts:
            raise UnreadableFileError(
                "This is an OpenDocument file (ODS): save it as XLSX."
            )
        if "xl/workbook.xml" in self._parts:
            return "/xl/workbook.xml"
        raise UnreadableFileError(
            "This is not an XLSX workbook: save the table as XLSX."
        )

    def _find_sheets(
        self, related: dict[str, tuple[str, str]]
    ) -> tuple[list[Sheet], int]:
        sheets: list[Sheet] = []
        active: list[int] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag == "workbookView":
                active.append(whole(attributes.get("activeTab"), 0))
            elif tag == "sheet":
                kind, part = related.get(attributes.get("id", ""), ("", ""))
                sheets.append(
                    Sheet(
                        attributes.get("name", ""),
                        part,
                        kind == "worksheet",
                        attributes.get("state", "visible") != "visible",
                    )
                )

        self._parts.walk(self._main, start)
        return sheets, active[0] if active else 0

    def _read_strings(self, part: str | None) -> list[str]:
        strings: list[str] = []
        if part is None or part not in self._parts:
            return strings
        text = Text()
        path: list[str] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal text
            path.append(tag)
            if tag == "si":
                text = Text()

        def end(tag: str) -> None:
            path.pop()
            if tag == "si":
                strings.append(unescaped(str(text)))

        def characters(piece: str) -> None:
            if path[-1] == "t" and "rPh" not in path[-3:]:
                text.add(piece)

        self._parts.walk(part, start, end, characters)
        return strings

    def _read_formats(self, part: str | None) -> list[str]:
        """The number format of each cell style; "date" for every date or time format."""
        codes = dict(BUILT_IN)
        numbers: list[int] = []
        path: list[str] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            path.append(tag)
            number = whole(attributes.get("numFmtId"), 0)
            if tag == "numFmt" and "dxf" not in path:
                codes[number] = attributes.get("formatCode", "General")
            elif tag == "xf" and path[-2:-1] == ["cellXfs"]:
                numbers.append(number)

        if part is not None and part in self._parts:
            self._parts.walk(part, start, lambda tag: void(path.pop()))
        return [
            "date" if number in DATE_FORMATS and number not in codes
            else kind_of_format(codes.get(number, "General"))
            for number in numbers
        ]  # fmt: skip

    def rows(self) -> list[tuple[int, Cells]]:
        tables = [sheet for sheet in self._sheets if sheet.is_table]
        shown = [sheet for sheet in tables if not sheet.is_hidden]
        active = self._sheets[self._active : self._active + 1]
        if active and active[0] in shown:
            rows = SheetReader(self._parts, self._strings, self._formats).read(
                active[0]
            )
            if not rows and len(shown) > 1:
                raise UnreadableFileError(
                    f"The workbook opens with the sheet “{active[0].name[:50]}”, which is"
                    " empty: select the sheet with the table, and save it again."
                )
            return rows
        if len(shown) == 1:
            return SheetReader(self._parts, self._strings, self._formats).read(shown[0])
        raise UnreadableFileError(
            "The workbook does not open with a sheet of cells: select the sheet with the"
            " table, and save it again."
        )


class SheetReader:
    """Reads one sheet's cells."""

    def __init__(self, parts: Parts, strings: list[str], formats: list[str]) -> None:
        self._parts = parts
        self._strings = strings
        self._formats = formats

    def read(self, sheet: Sheet) -> list[tuple[int, Cells]]:
        rows: dict[int, Cells] = {}
        path: list[str] = []
        row = 0
        column = -1
        cell: dict[str, str] = {}
        value: Text | None = None
        text = Text()
        has_formula = False

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal row, column, cell, value, text, has_formula
            path.append(tag)
            if tag == "row":
                row, column = whole(attributes.get("r"), row + 1), -1
            elif tag == "c" and path[-2:-1] == ["row"]:
                row, column = place(attributes.get("r"), row, column)
                cell, value, text, has_formula = attributes, None, Text(), False
            elif tag == "v":
                value = Text()
            elif tag == "f":
                has_formula = True
            elif tag == "mergeCell":
                first, _, last = attributes.get("ref", "").partition(":")
                if last and last != first:
                    raise UnreadableFileError(
                        f"The cells {first[:10]}:{last[:10]} are merged: split them, so"
                        " that each row has its own cells."
                    )

        def end(tag: str) -> None:
            path.pop()
            if tag == "c" and path[-1:] == ["row"]:
                name = f"{column_name(column)}{row}"
                shown = self._shown(
                    name,
                    cell,
                    None if value is None else str(value),
                    str(text),
                    has_formula,
                )
                if shown:
                    rows.setdefault(row, {})[column] = shown

        def characters(piece: str) -> None:
            if path[-1] == "v" and value is not None:
                value.add(piece)
            elif path[-1] == "t" and "is" in path[-4:] and "rPh" not in path[-3:]:
                text.add(piece)

        self._parts.walk(sheet.part, start, end, characters)
        return sorted(rows.items())

    def _shown(
        self,
        name: str,
        cell: dict[str, str],
        value: str | None,
        text: str,
        has_formula: bool,
    ) -> str:
        """The displayed text of a cell. Raises UnreadableFileError if it is ambiguous."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return checked(name, unescaped(text))
        if has_formula and (value is None or (not value.strip() and kind != "str")):
            raise UnreadableFileError(
                f"Cell {name} has a formula, but the file does not contain its result: "
                f"{SAVE_AGAIN}, or replace the formula with its value."
            )
        if not value:
            return ""
        if kind == "str":
            return checked(name, unescaped(value))
        if kind == "s":
            index = whole(value, -1)
            if not 0 <= index < len(self._strings):
                raise damaged(f"cell {name} refers to a missing text")
            return checked(name, self._strings[index])
        if kind == "b":
            logical = "FALSE" if value.strip() in ("0", "false") else "TRUE"
            raise UnreadableFileError(
                f"Cell {name} is the logical value {logical}: {AS_TEXT}."
            )
        if kind == "e":
            raise UnreadableFileError(
                f"Cell {name} is the error {value[:20]}: fix its formula, or replace it"
                " with a value."
            )
        style = whole(cell.get("s"), 0)
        code = self._formats[style] if 0 <= style < len(self._formats) else "General"
        if kind == "d" or code == "date":
            raise UnreadableFileError(f"Cell {name} is a date or a time: {AS_TEXT}.")
        return number_shown(name, value, code)


def checked(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableFileError(
            f"Cell {name} contains half a character (a lone surrogate): {AS_TEXT}."
        ) from None
    return text


def void(_: object) -> None:
    return None


def whole(written: str | None, default: int) -> int:
    written = (written or "").strip()
    return int(written) if re.fullmatch(r"[0-9]{1,9}", written) else default


def place(reference: str | None, row: int, column: int) -> tuple[int, int]:
    """The row and column of a cell; without a reference, those of the next cell."""
    found = REFERENCE.fullmatch(reference or "")
    if found is None:
        return row, column + 1
    number = 0
    for letter in found[1].upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), number - 1


def kind_of_format(code: str) -> str:
    """The number format without literals and colours; "date" for dates and times."""
    first = code.split(";")[0]
    bare = LITERAL.sub("", first)
    if re.search(r"[dmyhs]|AM/PM", re.sub("general", "", bare, flags=re.I), re.I):
        return "date"
    plain = re.sub(r"\[[^\]$]*\]|_.|\*.", "", first)
    return "General" if plain.lower() in ("general", "@", "") else plain


def number_shown(name: str, written: str, code: str) -> str:
    try:
        value = float(written)
        digits = f"{value:.{MAX_DIGITS}g}"
        if not abs(value) < 10**MAX_DIGITS:
            raise OverflowError
    except ValueError:
        raise damaged(
            f"cell {name} is “{written[:30]}”, which is not a number"
        ) from None
    except OverflowError:
        raise UnreadableFileError(
            f"Cell {name} is a number of more than {MAX_DIGITS} digits, the precision"
            f" of a spreadsheet: {AS_TEXT}."
        ) from None
    plain = f"{value + 0.0:.0f}" if value.is_integer() else digits
    if code == "General":
        if "e" not in plain:
            return plain
    elif re.fullmatch(r"#*0+", code) and value.is_integer() and value >= 0:
        return plain.zfill(code.count("0"))
    elif re.fullmatch(r"#*0\.0+", code):
        decimals = len(code.partition(".")[2])
        if float(f"{value:.{decimals}f}") == float(digits):
            return f"{value:.{decimals}f}"
    elif code in ("#", "#,##0", "#,##0 ") and value.is_integer() and 0 < value < 1000:
        return plain
    raise UnreadableFileError(
        f"Cell {name} is the number {digits} in the format {code[:30]}: {AS_TEXT}."
    )
