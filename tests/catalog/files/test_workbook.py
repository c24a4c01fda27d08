"""Files are read as a spreadsheet program shows them, or refused with the place."""

import re
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from tablib import Dataset

from catalog.api.schemas import Name
from catalog.files import formats, workbook
from catalog.files.formats import Csv, Xlsx
from catalog.files.workbook import UnreadableFileError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEADER = '<row r="1"><c r="A1" t="str"><v>brand_id</v></c><c r="B1" t="str"><v>brand_name</v></c></row>'
STYLES = """<fills><fill/></fills><fonts><font><family val="255"/></font></fonts>
<numFmts><numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/>
<numFmt numFmtId="166" formatCode="&quot;$&quot;0.00"/></numFmts>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="9"/>
<xf numFmtId="166"/></cellXfs>"""


def relations(*targets: tuple[str, str]) -> str:
    return (
        "<Relationships>"
        + "".join(
            f'<Relationship Id="r{number}" Type="{RELATED}/{kind}" Target="{target}"/>'
            for number, (kind, target) in enumerate(targets, 1)
        )
        + "</Relationships>"
    )


def packed(
    sheet: str,
    *,
    strings: str = "",
    namespace: str = MAIN,
    sheet_part: str = "xl/worksheets/sheet1.xml",
    view: str = "",
    extra: str = "",
    first: str = "worksheet",
) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels", relations(("officeDocument", "/xl/workbook.xml"))
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{namespace}" xmlns:r="{RELATED}">{view}<sheets>'
            f'<sheet name="One" sheetId="1" r:id="r1"/>{extra}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            relations(
                (first, "worksheets/sheet1.xml"),
                ("worksheet", "/xl/worksheets/sheet2.xml"),
                ("sharedStrings", "sharedStrings.xml"),
                ("styles", "styles.xml"),
            ),
        )
        for name in {sheet_part, "xl/worksheets/sheet2.xml"}:
            archive.writestr(
                name, f'<worksheet xmlns="{namespace}">{sheet}</worksheet>'
            )
        archive.writestr(
            "xl/sharedStrings.xml", f'<sst xmlns="{namespace}">{strings}</sst>'
        )
        archive.writestr(
            "xl/styles.xml", f'<styleSheet xmlns="{namespace}">{STYLES}</styleSheet>'
        )
    return file.getvalue()


def cell(written: str) -> bytes:
    return packed(f'<sheetData>{HEADER}<row r="2">{written}</row></sheetData>')


def names(data: bytes) -> list[str]:
    return list(Xlsx().create_dataset(data)["brand_name"])


def test_rows_beyond_a_wrong_dimension_are_read() -> None:
    rows = "".join(
        f'<row r="{row}"><c r="B{row}" t="str"><v>N{row}</v></c></row>'
        for row in range(2, 6)
    )
    data = packed(f'<dimension ref="A1:B3"/><sheetData>{HEADER}{rows}</sheetData>')

    assert names(data) == ["N2", "N3", "N4", "N5"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('<c r="B2"><v>4.006381333931E12</v></c>', "4006381333931"),
        ('<c r="B2"><v>0.30000000000000004</v></c>', "0.3"),
        ('<c r="B2" s="2"><v>501</v></c>', "00501"),
        ('<c r="B2" t="inlineStr"><is><t>a_x000D_</t></is></c>', "a\r"),
        ('<c r="B2" t="str"><v>_x0041_BC</v></c>', "ABC"),
        ('<c r="B2" t="str"><v>_xD83D__xDE00_</v></c>', "\U0001f600"),
        ('<c r="B2" t="str"><v>_x005F_x0041_</v></c>', "_x0041_"),
        ('<c r="B2" t="str"><f>A1</f><v>done</v></c>', "done"),
        (
            '<c r="B2" t="inlineStr"><is><r><t> a</t></r><r><t>b </t></r>'
            "<rPh><t>no</t></rPh></is></c>",
            " ab ",
        ),
        (
            '<c t="str"><v>1</v></c><c t="str"><v>without references</v></c>',
            "without references",
        ),
    ],
)
def test_a_cell_is_read_as_a_spreadsheet_shows_it(written: str, shown: str) -> None:
    assert names(cell(written)) == [shown]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ('<c r="B2"><f>A1</f></c>', "Cell B2 has a formula"),
        ('<c r="B2"><f>A1</f><v/></c>', "Cell B2 has a formula"),
        ('<c r="B2"><f t="shared" si="0"/><v></v></c>', "Cell B2 has a formula"),
        ('<c r="B2" t="e"><v>#N/A</v></c>', "Cell B2 is the error #N/A"),
        ('<c r="B2" t="e"><f>A1</f><v>#REF!</v></c>', "Cell B2 is the error #REF!"),
        ('<c r="B2" t="b"><v>1</v></c>', "Cell B2 is the logical value TRUE"),
        ('<c r="B2" s="1"><v>45296</v></c>', "Cell B2 is a date"),
        ('<c r="B2" s="3"><v>45296</v></c>', "Cell B2 is a date"),
        ('<c r="B2" t="d"><v>2024-01-05</v></c>', "Cell B2 is a date"),
        (
            '<c r="B2" s="4"><v>0.5</v></c>',
            "Cell B2 is the number 0.5 in the format 0%",
        ),
        ('<c r="B2" s="5"><v>5</v></c>', "Cell B2 is the number 5 in the format"),
        ('<c r="B2"><v>12345678901234567890</v></c>', "more than 15 digits"),
        ('<c r="B2"><v>1e999</v></c>', "more than 15 digits"),
        ('<c r="B2"><v>nan</v></c>', "more than 15 digits"),
        ('<c r="B2"><v>x</v></c>', "cell B2 is “x”, which is not a number"),
        ('<c r="B2" t="s"><v>7</v></c>', "cell B2 refers to a missing text"),
        ('<c r="B2" t="str"><v>_xD800_</v></c>', "Cell B2 contains half a character"),
        ('<c r="D2" t="str"><v>x</v></c>', "cell D2 is in none of them"),
        ('</row><row r="3">&x;', "its XML"),
    ],
)
def test_an_ambiguous_cell_is_refused_by_its_place(written: str, sentence: str) -> None:
    with pytest.raises(UnreadableFileError, match=re.escape(sentence)):
        Xlsx().create_dataset(cell(written))


def table_at(row: int, column: str, beside: str) -> str:
    return (
        f'<sheetData><row r="{row}"><c r="{column}{row}" t="str"><v> Brand_ID</v></c>'
        f'<c r="{beside}{row}" t="s"><v>0</v></c></row>'
        f'<row r="{row + 3}"><c r="{beside}{row + 3}" t="s"><v>1</v></c></row></sheetData>'
    )


STRINGS = "<si><t>brand name</t></si><si><t>Acme</t></si>"


@pytest.mark.parametrize(
    "data",
    [
        packed(table_at(4, "C", "D"), strings=STRINGS),
        packed(table_at(1, "A", "B"), strings=STRINGS, namespace=STRICT),
        packed(
            table_at(1, "A", "B"),
            strings=STRINGS,
            sheet_part="XL/Worksheets/Sheet1.XML",
        ),
        packed(
            table_at(1, "A", "B"),
            strings=STRINGS,
            first="chartsheet",
            extra='<sheet name="Two" sheetId="2" r:id="r2"/>',
        ),
    ],
    ids=["in column C, row 4", "strict", "letter case", "a chart is active"],
)
def test_a_table_is_found_anywhere_in_the_sheet(data: bytes) -> None:
    dataset = Xlsx().create_dataset(data)

    assert dataset.headers == ["brand_id", "brand_name"]
    assert list(dataset["brand_name"]) == ["Acme"]
    assert dataset.row_numbers[1] - dataset.row_numbers[0] == 3


GOOD = cell('<c r="B2" t="str"><v>Acme</v></c>')


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (GOOD[: len(GOOD) // 2], "The workbook is damaged"),
        (GOOD.replace(GOOD[200:260], bytes(60)), "The workbook is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "older format, such as XLS"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "remove its password",
        ),
        (b"<html><table>", "but HTML or XML"),
        (b"brand_name\nA\n", "choose the format CSV"),
        (packed("<sheetData>" + HEADER), "its XML"),
        (packed("<sheetData/>"), "The file is empty"),
        (packed(f'<sheetData>{HEADER}</sheetData><mergeCells><mergeCell ref="A2:A4"/></mergeCells>'), "A2:A4 are merged"),
    ],
)  # fmt: skip
def test_a_damaged_workbook_is_refused_with_a_remedy(
    data: bytes, sentence: str
) -> None:
    with pytest.raises(UnreadableFileError, match=re.escape(sentence)):
        Xlsx().create_dataset(data)


def test_a_workbook_that_is_too_large_when_unpacked_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 2**20)
    bomb = packed("<sheetData>" + " " * 2**21 + "</sheetData>")

    with pytest.raises(UnreadableFileError, match="split it into several"):
        Xlsx().create_dataset(bomb)


@pytest.mark.parametrize(
    "data",
    [
        b"Brand_Name,brand_id\nA;B,1\n",
        b"\r\n\r\nbrand_name,brand_id\rA;B,1\r",
        "brand_name\tbrand_id\r\nA;B\t1\r\n".encode("utf-16"),
        b'\xef\xbb\xbfsep=;\nbrand_name;brand_id\n"A;B";1\n',
    ],
)
def test_a_csv_is_read_as_spreadsheets_save_it(data: bytes) -> None:
    assert Csv().create_dataset(data).dict == [{"brand_name": "A;B", "brand_id": "1"}]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'brand_name\nA\n"B\nC\nD\n', 'Line 3: a quotation mark (") is not closed'),
        (
            b'brand_name,brand_id\nA,1\n"5 \\" nail",2\nB,3\n',
            "Line 3: a quotation mark",
        ),
        (b'brand_name,brand_id\n"5 \\"",2\n"6 \\"",3\n', "Line 2: a quotation mark"),
        (b"brand_name\nA,B\n", "Row 2 has 2 cells"),
        ("brand_name\n".encode("utf-16-le"), "NUL"),
        (GOOD, "choose the format XLSX"),
    ],
)
def test_a_csv_that_would_lose_rows_is_refused_by_its_line(
    data: bytes, sentence: str
) -> None:
    with pytest.raises(UnreadableFileError, match=re.escape(sentence)):
        Csv().create_dataset(data)


ACCEPTED = TypeAdapter(Name)
PIECES = st.sampled_from(
    ["'", "=", "+", "@", " ", "\n", "\r", "\t", "\u00a0", "_x0041_", "_", "x", '"', "\\", ",", ";",
     "\ufffe", "\uffff", "\x07", "\x1f", "\u2028", "\ufeff", "\x85"]
)  # fmt: skip


def is_accepted(name: str) -> bool:
    try:
        ACCEPTED.validate_python(name)
    except ValidationError:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        (st.text(max_size=20) | st.lists(PIECES, max_size=8).map("".join)).filter(
            is_accepted
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_name_that_the_api_accepts_is_exported_and_imported_unchanged(
    accepted: list[str],
) -> None:
    dataset = Dataset(headers=["brand_id", "brand_name"])
    for number, name in enumerate(accepted, 1):
        dataset.append([number, name])

    text = Csv().export_data(dataset)

    assert (
        list(Csv().create_dataset(text.encode("utf-8-sig"))["brand_name"]) == accepted
    )
    assert names(Xlsx().export_data(dataset)) == accepted


@given(
    st.text(st.sampled_from(" \t\r\n\u00a0'\ufeff"), max_size=3),
    st.sampled_from("=+-@"),
)
def test_a_formula_after_white_space_is_escaped_too(before: str, sign: str) -> None:
    assert formats.FORMULA.match(f"{before}{sign}1")
