"""CSV and XLSX: the formats of exported and imported files.

An exported file can be imported again without a change.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from typing import Any

from import_export.formats.base_formats import CSV, XLSX
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from tablib import Dataset

from catalog.files.workbook import (
    Cells,
    UnreadableFileError,
    column_name,
    escaped,
    read_workbook,
)

MAX_ROWS = 200_000
MAX_CELL_LENGTH = 32_767  # characters, the limit of a cell in a workbook

# Spreadsheet programs run a cell that begins like this as a formula. Some skip leading
# white space and invisible characters, or treat full-width signs as plain ones.
FORMULA = re.compile(
    r"['\s\x00-\x20\u00ad\u180e\u200b-\u200f\u2028-\u202f\u2060\ufeff]*"
    r"[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r]"
)
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def table(rows: Iterable[tuple[int, Cells]]) -> Dataset:
    """A dataset of numbered rows; each row maps column numbers to cells.

    The first row that is not empty names the columns, in upper or lower case. Empty rows
    are skipped; ``row_numbers`` of the dataset holds the numbers of the others, the
    header's first. Raises ``UnreadableFileError`` for a cell in a column without a name,
    for no rows below the header, and for more than ``MAX_ROWS`` rows.
    """
    filled = (
        (number, {column: cell for column, cell in cells.items() if cell})
        for number, cells in rows
    )
    lines = ((number, cells) for number, cells in filled if cells)
    first, header = next(lines, (0, {}))
    names = {
        column: re.sub(r"\s+", "_", name.strip("\ufeff \t\r\n\xa0").lower())
        for column, name in sorted(header.items())
    }
    names = {column: name for column, name in names.items() if name}
    if not names:
        raise UnreadableFileError(
            "The file is empty: its first row should name the columns."
        )
    name, count = Counter(names.values()).most_common(1)[0]
    if count > 1:
        raise UnreadableFileError(f"Row {first} names the column “{name[:50]}” twice.")
    dataset = Dataset(headers=list(names.values()))
    dataset.row_numbers = [first]
    for number, cells in lines:
        for column in cells:
            if column not in names:
                raise UnreadableFileError(
                    f"Row {number} has {max(cells) + 1} cells, but row {first} names"
                    f" {len(names)} columns: cell {column_name(column)}{number} is in"
                    " none of them. Name its column, or remove the cell."
                )
        if len(dataset) == MAX_ROWS:
            raise UnreadableFileError(
                f"The file has more than {MAX_ROWS:,} rows: split it into several."
            )
        dataset.append([cells.get(column, "") for column in names])
        dataset.row_numbers.append(number)
    if not len(dataset):
        raise UnreadableFileError(
            f"The file has no rows below the column names in row {first}: add at least"
            " one, and upload it again."
        )
    return dataset


class Csv(CSV):
    """Comma-separated values in UTF-8.

    Semicolons, tabs and UTF-16, which spreadsheet programs also write, are read too. A
    cell that a spreadsheet program would run as a formula is prefixed with an
    apostrophe.
    """

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Dataset:
        return table(read_csv(decoded(in_stream)))

    def export_data(self, dataset: Any, **kwargs: Any) -> str:
        file = StringIO(newline="")
        writer = csv.writer(file)
        writer.writerow(dataset.headers)
        for row in dataset:
            writer.writerow(
                f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell
                for cell in row
            )
        return file.getvalue()


def decoded(data: bytes) -> str:
    """The text of a CSV file. Raises ``UnreadableFileError`` if it is something else."""
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableFileError(
            "This is a workbook, not CSV: choose the format XLSX."
        )
    encoding = next(
        (name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)),
        "utf-8",
    )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFileError(
            f"Row {line} is not valid {encoding.removesuffix('-sig').upper()}: save the"
            " file as “CSV UTF-8” or as XLSX."
        ) from error
    if "\0" in text.partition("\n")[0]:
        raise UnreadableFileError(
            "Row 1 contains the character NUL: save the file as “CSV UTF-8” or as XLSX."
        )
    return text


def read_csv(text: str) -> Iterator[tuple[int, Cells]]:
    """The numbered rows of a CSV file (RFC 4180); each maps column numbers to cells."""
    start = text.lstrip("\r\n")
    first = re.split(r"[\r\n]", start, maxsplit=1)[0]
    named = re.fullmatch(r"sep=([,;\t])", first)
    delimiter = named[1] if named else max(",;\t", key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    number = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFileError(misquoted(line, str(error))) from error
        number += 1
        line = reader.line_num + 1
        if named and row and delimiter.join(row) == first:
            named = None
            continue
        yield number, dict(enumerate(map(unquoted, row)))


def unquoted(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell[1:]) else cell


def misquoted(line: int, error: str) -> str:
    if "field larger" in error:
        return f"Row {line}: {error}. A quotation mark may be missing."
    if "end of data" in error:
        return (
            f'Line {line}: a quotation mark (") is not closed. Close it; if it is part'
            ' of the text, double it ("").'
        )
    return (
        f'Line {line}: a quotation mark (") closes the cell, but text follows. If it is'
        ' part of the text, double it (""); do not escape it as \\".'
    )


class Xlsx(XLSX):
    """The sheet that the workbook opens with. Text is always stored as text."""

    def create_dataset(self, in_stream: bytes) -> Dataset:
        return table(read_workbook(in_stream))

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Catalog")

        def text(key: Any, value: str) -> WriteOnlyCell:
            written = escaped(value)
            if len(written) > MAX_CELL_LENGTH:
                raise ValueError(
                    f"Row {key} has a text that is too long for a cell of XLSX: export as CSV."
                )
            cell = WriteOnlyCell(sheet, written)
            cell.data_type = "s"
            return cell

        sheet.append(dataset.headers)
        for row in dataset:
            sheet.append(
                [text(row[0], cell) if isinstance(cell, str) else cell for cell in row]
            )
        file = BytesIO()
        book.save(file)
        return file.getvalue()
