"""What CSV and XLSX files look like, so that they come back as they left."""

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

MOST_ROWS = 200_000
LONGEST_CELL = 32_767  # characters that a cell of a workbook holds

# A spreadsheet takes a cell that begins so for a formula, whoever wrote it, and some skip
# white space and what is invisible first, or take full-width signs for plain ones.
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
    """A header and its rows, each with its number and its cells by column, as a dataset.

    The first row that is not empty names the columns, in upper or lower case. Empty rows
    are left out; ``row_numbers`` of the dataset has the others' numbers, the header's
    first. Raises ``UnreadableFileError`` for a cell in a column without a name, and for
    more than ``MOST_ROWS`` rows.
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
        raise UnreadableFileError("The file is empty: its first row names the columns.")
    name, count = Counter(names.values()).most_common(1)[0]
    if count > 1:
        raise UnreadableFileError(
            f"The file's row {first} names a column twice: “{name[:50]}”."
        )
    dataset = Dataset(headers=list(names.values()))
    dataset.row_numbers = [first]
    for number, cells in lines:
        for column in cells:
            if column not in names:
                raise UnreadableFileError(
                    f"Row {number} has {max(cells) + 1} cells, and row {first} names"
                    f" {len(names)} columns: cell {column_name(column)}{number} is in"
                    " none of them. Name its column, or remove it."
                )
        if len(dataset) == MOST_ROWS:
            raise UnreadableFileError(
                f"The file has more than {MOST_ROWS} rows: send it in parts."
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
    """Comma-separated, in UTF-8; semicolons, tabs and UTF-16, as spreadsheets save, are
    read too.

    What a spreadsheet would take for a formula has an apostrophe before it in the file.
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
    """The text of a CSV file. Raises ``UnreadableFileError`` for what is none."""
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableFileError(
            "This is a workbook, no CSV: choose XLSX as its format."
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
            f"Row {line} is not {encoding.removesuffix('-sig').upper()}: save the file as"
            " “CSV UTF-8”, or as XLSX."
        ) from error
    if "\0" in text.partition("\n")[0]:
        raise UnreadableFileError(
            "Row 1 holds the character NUL: save the file as “CSV UTF-8”, or as XLSX."
        )
    return text


def read_csv(text: str) -> Iterator[tuple[int, Cells]]:
    """The rows of a CSV file (RFC 4180), each with its number and its cells by column."""
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
        return f"Row {line}: {error}. Perhaps a quotation mark is not closed."
    if "end of data" in error:
        return (
            f'Line {line}: a quotation mark (") is never closed. Close it, or write one'
            ' that belongs to the text as "".'
        )
    return (
        f'Line {line}: a quotation mark (") ends a cell, and more follows. Write one that'
        ' belongs to the text as "", not as \\".'
    )


class Xlsx(XLSX):
    """The sheet that a workbook opens with. Text stays text, whatever it begins with."""

    def create_dataset(self, in_stream: bytes) -> Dataset:
        return table(read_workbook(in_stream))

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Catalog")

        def text(key: Any, value: str) -> WriteOnlyCell:
            written = escaped(value)
            if len(written) > LONGEST_CELL:
                raise ValueError(
                    f"Row {key} holds a text longer than a cell of XLSX: export as CSV."
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
