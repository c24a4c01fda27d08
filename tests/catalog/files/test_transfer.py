"""Export and import: files can be imported unchanged, and invalid ones change nothing."""

import html
import os
import re
from pathlib import Path

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from tablib import Dataset

from catalog.files import uploads
from catalog.files.formats import MAX_ROWS, Xlsx, table
from catalog.files.workbook import UnreadableFileError
from catalog.models import Brand, Product, ProductColor, ProductSize, Sku
from tests.support.catalog.catalogs import fill
from tests.support.catalog.threads import kept_locked

CSV, XLSX = "0", "1"
ODD_NAMES = [
    '=HYPERLINK("http://example.org/")',
    "'=1+1",
    "+1",
    "@sum",
    "-3",
    "\u00fcber, \u201cquoted\u201d; and\nfolded",
    "501",
    "<b>&amp;",
    " padded\u00a0",
    " =1",
    "\n=1",
    "\u00a0@x",
    "_x0041_ and _x005F_",
    "a\rb\r\nc",
    "bell \x07",
    "\ufffe\uffff",
]
FORM = re.compile(
    r'name="(import_file_name|original_file_name|format|resource)" value="(.*?)"'
)


@pytest.fixture
def editor(db: None, client: Client, settings: Settings, tmp_path: Path) -> Client:
    settings.VAR_DIR = tmp_path
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.fixture
def acme(db: None) -> Brand:
    return Brand.objects.create(name="Acme")


def post_file(
    client: Client, model: str, file: str | bytes, kind: str = CSV
) -> HttpResponse:
    content = file.encode() if isinstance(file, str) else file
    response = client.post(
        f"/admin/catalog/{model}/import/",
        {"import_file": SimpleUploadedFile("file", content), "format": kind},
    )
    assert isinstance(response, HttpResponse)
    return response


def send(client: Client, model: str, file: str | bytes, kind: str = CSV) -> str:
    """The preview of the file's changes."""
    response = post_file(client, model, file, kind)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def post_confirmation(client: Client, model: str, preview: str) -> HttpResponse:
    response = client.post(
        f"/admin/catalog/{model}/process_import/",
        dict(FORM.findall(preview)),
        follow=True,
    )
    assert isinstance(response, HttpResponse)
    return response


def confirm(client: Client, model: str, preview: str) -> str:
    """Imports the file of the preview, and returns the page that follows."""
    response = post_confirmation(client, model, preview)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def export(client: Client, model: str, kind: str) -> bytes:
    response = client.post(f"/admin/catalog/{model}/export/", {"format": kind})
    assert response.status_code == 200
    assert "attachment" in response.headers["Content-Disposition"]
    return response.content


def test_a_file_changes_existing_rows_and_adds_new_ones(
    editor: Client, acme: Brand
) -> None:
    other = Brand.objects.create(name="Other")
    file = (
        f"brand_id,brand_name\n{acme.id},Acme Inc.\n{other.id},Other\n,New\n90000,Far\n"
    )

    preview = send(editor, "brand", file)
    before = set(Brand.objects.values_list("name", flat=True))
    said = confirm(editor, "brand", preview)

    assert "2 new, 1 changed and 1 unchanged brands" in preview
    assert "<del>Acme</del> <ins>Acme Inc.</ins>" in preview
    assert before == {"Acme", "Other"}
    assert "Import finished: 2 new, 1 updated" in said
    assert list(Brand.objects.values_list("name", flat=True)) == [
        "Acme Inc.",
        "Other",
        "Far",
        "New",
    ]
    history = LogEntry.objects.order_by("id").values_list("object_repr", "action_flag")
    assert set(history) == {("New", ADDITION), ("Far", ADDITION), ("Acme Inc.", CHANGE)}
    assert Brand.objects.create(name="Next").id > 90000


@pytest.mark.django_db(transaction=True)
def test_waiting_for_a_locked_row_is_bounded(
    editor: Client, settings: Settings
) -> None:
    settings.DATABASE_SECONDS = 0.2
    acme = Brand.objects.create(name="Acme")
    file = f"brand_id,brand_name\n,New\n{acme.id},Acme Inc.\n"
    preview = send(editor, "brand", file)

    with kept_locked("brand"):
        previewed = post_file(editor, "brand", file)
        imported = post_confirmation(editor, "brand", preview)

    for refused in (previewed, imported):
        assert (refused.status_code, refused["Retry-After"]) == (503, "5")
        assert "Nothing was written" in refused.content.decode()
    assert [each.name for each in Brand.objects.all()] == ["Acme"]
    assert "Import finished" in confirm(editor, "brand", preview)


@pytest.mark.parametrize("kind", [CSV, XLSX])
def test_exported_names_are_imported_unchanged(editor: Client, kind: str) -> None:
    brands = Brand.objects.bulk_create(Brand(name=name) for name in ODD_NAMES)
    file = export(editor, "brand", kind)
    Brand.objects.update(name="lost")

    confirm(editor, "brand", send(editor, "brand", file, kind))

    restored = Brand.objects.in_bulk([brand.id for brand in brands])
    assert [restored[brand.id].name for brand in brands] == ODD_NAMES


def test_no_cell_of_an_export_is_a_formula(editor: Client) -> None:
    Brand.objects.bulk_create(Brand(name=name) for name in ODD_NAMES)

    text = export(editor, "brand", CSV).decode("utf-8-sig")

    names = [line.split(",", 1)[1] for line in text.splitlines()[1:] if "," in line]
    assert all(not name.strip('" ').startswith(("=", "+", "-", "@")) for name in names)


def test_a_preview_does_not_change_the_next_key(editor: Client, acme: Brand) -> None:
    send(editor, "brand", "brand_id,brand_name\n1999999999,Far\n,New\n,Newer\n")

    assert Brand.objects.create(name="Next").id == acme.id + 1


def test_an_unknown_column_is_the_only_error_shown(editor: Client, acme: Brand) -> None:
    preview = send(
        editor,
        "product",
        f"product_name,brand_id,x\nShoe,{acme.id},1\nHat,{acme.id},2\n",
    )

    assert "“x” is not a valid column" in preview
    assert "There is no brand" not in preview
    assert "with errors" not in preview


def test_a_large_catalog_is_exported_and_imported_unchanged(
    editor: Client,
) -> None:
    fill()
    first_too_many = Sku.objects.order_by("pk")[20_000]
    Sku.objects.filter(pk__gte=first_too_many.pk).delete()

    preview = send(editor, "sku", export(editor, "sku", CSV))

    assert "0 new, 0 changed and 20000 unchanged SKUs" in preview


@pytest.mark.parametrize("bad", ["", " ", "x" * 501, "nul \0"])
def test_one_bad_row_in_ten_thousand_is_named_and_nothing_is_imported(
    editor: Client, acme: Brand, bad: str
) -> None:
    rows = [f"Product {number},{acme.id}" for number in range(10_000)]
    rows[7_000] = f'"{bad}",{acme.id}'
    file = "product_name,brand_id\n" + "\n".join(rows)

    preview = send(editor, "product", file)

    assert "The file cannot be imported" in preview
    assert "1 row with errors" in preview
    assert "<td>7002</td><td>product_name: " in preview
    assert "process_import" not in preview
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("model", "file", "sentence"),
    [
        ("product", "product_name,brand_id\nShoe,77\n", "There is no brand 77."),
        ("product", "product_name,brand_id\nShoe,x\n", "“x” is not a valid ID"),
        ("product", "product_name,brand_id\nShoe,²\n", "“²” is not a valid ID"),
        (
            "product",
            "product_name,brand_id\nShoe,\n",
            "The ID of the brand is missing.",
        ),
        ("product", "product_name\nShoe\n", "This column is missing."),
        ("brand", "brand_id,brand_name\n0,A\n", "“0” is not a valid ID"),
        ("brand", "brand_id,brand_name\n2147483648,A\n", "is not a valid ID"),
        (
            "brand",
            "brand_id,brand_name\n2000000001,A\n",
            "should be at most 2000000000",
        ),
        (
            "brand",
            "brand_id,brand_name\n1,A\n1,B\n",
            "An earlier row has the ID 1, too.",
        ),
        ("brand", "brand,brand_name\n1,A\n", "“brand” is not a valid column"),
        (
            "brand",
            "brand_name,brand_name\nA,B\n",
            "Row 1 names the column “brand_name” twice.",
        ),
        ("brand", "brand_name\nA,B\n", "Row 2 has 2 cells"),
        ("brand", "\n\nbrand_id,brand_name\n,A\n\n7,\n", "<td>6</td><td>brand_name: "),
        (
            "brand",
            "brand_name\nA\n" + "x" * 10_000_000,
            "field larger than field limit",
        ),
        ("brand", b"brand_name\nA\n\xff\n", "Row 3 is not valid UTF-8"),
        ("brand", "\n", "The file is empty: its first row should name the columns."),
        (
            "brand",
            "\nbrand_id,brand_name\n\n",
            "The file has no rows below the column names in row 2: add at least one",
        ),
    ],
)
def test_an_error_in_a_file_is_described_in_a_sentence(
    editor: Client, model: str, file: str | bytes, sentence: str
) -> None:
    preview = send(editor, model, file)

    assert sentence in preview
    assert "Traceback" not in preview
    assert "process_import" not in preview


def test_a_file_that_is_not_a_workbook_is_refused(editor: Client) -> None:
    preview = send(editor, "brand", "brand_name\nA\n", XLSX)

    assert "This is not an XLSX workbook." in preview


def test_a_workbook_with_only_a_header_is_refused(editor: Client) -> None:
    workbook = Xlsx().export_data(Dataset(headers=["brand_id", "brand_name"]))

    preview = send(editor, "brand", workbook, XLSX)

    assert "The file has no rows below the column names in row 1" in preview


def test_a_csv_with_semicolons_is_read(editor: Client, acme: Brand) -> None:
    file = f"product_name;brand_id\nShoe, red;{acme.id}\n"

    confirm(editor, "product", send(editor, "product", file))

    assert Product.objects.get().name == "Shoe, red"


def test_a_file_with_too_many_rows_is_refused() -> None:
    rows = ((number, {0: str(number)}) for number in range(1, MAX_ROWS + 3))

    with pytest.raises(UnreadableFileError, match="more than 200,000 rows"):
        table(rows)


@pytest.fixture
def sku(acme: Brand) -> Sku:
    return Sku.objects.create(
        product=Product.objects.create(name="Shoe", brand=acme),
        size=ProductSize.objects.create(name="Small"),
        color=ProductColor.objects.create(name="Blue"),
    )


def row(sku: Sku, key: int | str = "") -> str:
    return f"{key},{sku.product_id},{sku.size_id},{sku.color_id}\n"


HEADER = "sku_id,product_id,product_size_id,product_color_id\n"


def test_an_existing_combination_is_refused_in_its_row(
    editor: Client, sku: Sku
) -> None:
    large = ProductSize.objects.create(name="Large")
    new = Sku(product=sku.product, size=large, color=sku.color)

    preview = send(editor, "sku", HEADER + row(sku) + row(new) + row(new))

    taken = "This product has a SKU of this size and colour."
    assert f"<td>2</td><td>{taken} It is SKU {sku.id}.</td>" in preview
    assert f"<td>4</td><td>{taken} It is in an earlier row.</td>" in preview
    assert "2 rows with errors" in preview


def test_a_combination_can_be_reused_once_its_sku_has_another(
    editor: Client, sku: Sku
) -> None:
    large = ProductSize.objects.create(name="Large")
    moved = Sku(product=sku.product, size=large, color=sku.color)

    preview = send(editor, "sku", HEADER + row(moved, sku.id) + row(sku))

    assert "1 new, 1 changed and 0 unchanged SKUs" in preview


def test_a_file_that_became_invalid_after_its_preview_imports_nothing(
    editor: Client, acme: Brand
) -> None:
    gone = Brand.objects.create(name="Gone")
    file = f"product_name,brand_id\nShoe,{acme.id}\nHat,{gone.id}\n"
    preview = send(editor, "product", file)
    gone.delete()

    said = confirm(editor, "product", preview)

    assert (
        "Nothing was imported, because the catalog changed after the preview." in said
    )
    assert not Product.objects.exists()
    assert not LogEntry.objects.exists()


def test_the_next_keys_do_not_collide_with_those_of_a_file(
    editor: Client, acme: Brand
) -> None:
    near = acme.id + 2
    file = f"brand_id,brand_name\n{near},A\n,B\n,C\n,D\n"

    confirm(editor, "brand", send(editor, "brand", file))

    assert set(Brand.objects.values_list("name", flat=True)) == {*"ABCD", "Acme"}


def test_an_import_can_be_confirmed_only_once(editor: Client) -> None:
    preview = send(editor, "brand", "brand_name\nAcme\n")
    confirm(editor, "brand", preview)

    said = confirm(editor, "brand", preview)

    assert "The file has expired or was already imported." in said
    assert Brand.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["../secret_key", "..", "secret_key", "/etc/passwd", "a" * 32]
)
def test_only_files_that_were_sent_can_be_confirmed(
    editor: Client, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret_key").write_text("brand_name\nAcme\n")
    send(editor, "brand", "brand_name\nAcme\n")

    said = confirm(
        editor,
        "brand",
        f'name="import_file_name" value="{name}" name="original_file_name" value="f"'
        ' name="format" value="0"',
    )

    assert "The file has expired" in said
    assert (tmp_path / "secret_key").exists()
    assert not Brand.objects.exists()


@pytest.mark.parametrize("kind", ["7", "-1", "x"])
def test_a_forged_form_imports_nothing(editor: Client, kind: str) -> None:
    preview = send(editor, "brand", "brand_name\nAcme\n")

    confirm(
        editor,
        "brand",
        re.sub(r'"format" value="0"', f'"format" value="{kind}"', preview),
    )

    assert not Brand.objects.exists()


def test_an_unconfirmed_file_is_removed_by_a_later_one(
    editor: Client, tmp_path: Path
) -> None:
    send(editor, "brand", "brand_name\nAcme\n")
    [forgotten] = uploads.directory().iterdir()
    os.utime(forgotten, (0, 0))

    send(editor, "brand", "brand_name\nOther\n")

    [kept] = uploads.directory().iterdir()
    assert kept.name != forgotten.name
    assert kept.stat().st_mode & 0o077 == 0


def test_an_import_of_some_megabytes_takes_few_queries(
    editor: Client,
    acme: Brand,
) -> None:
    name = "A product whose name has ten words as the book's have"
    file = "product_name,brand_id\n" + f"{name},{acme.id}\n" * 20_000

    with CaptureQueriesContext(connection) as asked:
        preview = send(editor, "product", file)

    assert len(asked) < 100
    assert "20000 new" in preview
    assert "The first 100 new and changed rows" in preview
    assert not Product.objects.exists()
