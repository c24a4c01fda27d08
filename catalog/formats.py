"""What do CSV and XLSX files look like, so that they come back as they left?"""

import csv
import re
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from typing import Any
from zipfile import BadZipFile

from import_export.formats.base_formats import CSV, XLSX
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException
from tablib import Dataset

MOST_ROWS = 200_000

# A spreadsheet takes a cell that begins so for a formula, whoever wrote it.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
QUOTED_FORMULA = re.compile(r"'+[=+\-@\t\r]")


class UnreadableFileError(ValueError):
    """A file that is no table, or none of this kind; says why in a sentence."""


def table(rows: Iterable[Sequence[Any]]) -> Dataset:
    """A header and its rows as a dataset.

    Raises ``UnreadableFileError`` for a row that is wider than the header, and for more than
    ``MOST_ROWS`` rows. What is empty at the right and below is left out.
    """
    lines = enumerate(rows, 1)
    header = trimmed(next(lines, (0, ()))[1])
    if not header:
        raise UnreadableFileError("The file is empty: its first row names the columns.")
    names = [str(name or "").strip() for name in header]
    if len(set(names)) < len(names):
        raise UnreadableFileError("The file's first row names a column twice.")
    dataset = Dataset(headers=names)
    empty = 0
    for number, row in lines:
        cells = trimmed(row)
        if not cells:
            empty += 1
            continue
        if len(cells) > len(names):
            raise UnreadableFileError(
                f"Row {number} has {len(cells)} cells, and the first row names"
                f" {len(names)} columns."
            )
        if number - 1 > MOST_ROWS:
            raise UnreadableFileError(
                f"The file has more than {MOST_ROWS} rows: send it in parts."
            )
        # Between others an empty row counts, so that the rows' numbers are the file's.
        for _ in range(empty):
            dataset.append([""] * len(names))
        empty = 0
        dataset.append([*cells, *[""] * (len(names) - len(cells))])
    return dataset


def trimmed(row: Sequence[Any]) -> list[Any]:
    cells = list(row)
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return cells


class Csv(CSV):
    """Comma-separated, in UTF-8; one with semicolons, as some spreadsheets save, is read too.

    What a spreadsheet would take for a formula has an apostrophe before it in the file.
    """

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Dataset:
        first, _, _ = in_stream.partition("\n")
        delimiter = ";" if first.count(";") > first.count(",") else ","
        reader = csv.reader(StringIO(in_stream, newline=""), delimiter=delimiter)
        try:
            return table(
                [cell[1:] if QUOTED_FORMULA.match(cell) else cell for cell in row]
                for row in reader
            )
        except csv.Error as error:
            raise UnreadableFileError(f"Row {reader.line_num}: {error}.") from error

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


class Xlsx(XLSX):
    """A workbook's active sheet. Text stays text, whatever it begins with."""

    def create_dataset(self, in_stream: Any) -> Dataset:
        try:
            book = load_workbook(BytesIO(in_stream), read_only=True, data_only=True)
        except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
            raise UnreadableFileError("This is no XLSX workbook.") from error
        return table(book.active.iter_rows(values_only=True))

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        for row in dataset:
            if any(
                isinstance(cell, str) and ILLEGAL_CHARACTERS_RE.search(cell)
                for cell in row
            ):
                raise ValueError(
                    f"Row {row[0]} holds a control character, which XLSX cannot:"
                    " export as CSV."
                )
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Catalog")

        def text(value: str) -> WriteOnlyCell:
            cell = WriteOnlyCell(sheet, value)
            cell.data_type = "s"
            return cell

        sheet.append(dataset.headers)
        for row in dataset:
            sheet.append(
                [text(cell) if isinstance(cell, str) else cell for cell in row]
            )
        file = BytesIO()
        book.save(file)
        return file.getvalue()
