"""Editing the catalog in the admin, in a real browser."""

import os
import secrets
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Visit
from tests.support.site import ROOT, Site


@pytest.fixture(scope="module")
def password(site: Site) -> str:
    said = subprocess.run(
        [sys.executable, "manage.py", "reset_admin"],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "async_views.settings"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return said.split()[-1]


@pytest.fixture
def keeper(visit: Visit, password: str) -> Visit:
    """A browser window that is logged in to the admin."""
    page = visit.to("/admin/login/?next=/admin/catalog/brand/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_title("Select brand to change | Django site admin")
    return visit


def csv(text: str) -> FilePayload:
    return {"name": "rows.csv", "mimeType": "text/csv", "buffer": text.encode()}


def upload(keeper: Visit, model: str, file: FilePayload) -> Page:
    """Uploads a file, and returns the page with its preview."""
    page = keeper.to(f"/admin/catalog/{model}/import/")
    page.get_by_label("File to import").set_input_files(file)
    page.get_by_label("Format").select_option("csv")
    page.get_by_role("button", name="Submit").click()
    return page


def keep(keeper: Visit, model: str, *names: str) -> None:
    rows = "\n".join(names)
    page = upload(
        keeper,
        model,
        csv(
            f"{model.replace('t', 't_', 1) if model != 'brand' else model}_name\n{rows}"
        ),
    )
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Import finished")).to_be_visible()


def choose(page: Page, select: str, name: str) -> None:
    """Types a name into an autocomplete select, and chooses the option found."""
    page.locator(f"[aria-labelledby='select2-{select}-container']").click()
    # The list shows options before the name is searched for, and is then replaced.
    with page.expect_response(
        lambda response: parse_qs(urlsplit(response.url).query).get("term") == [name]
    ):
        page.get_by_role("searchbox").last.fill(name)
    expect(page.get_by_role("option")).to_have_text([name])
    page.get_by_role("option", name=name).click()
    expect(page.locator(f"#select2-{select}-container")).to_contain_text(name)


def test_a_file_is_previewed_before_it_is_imported(keeper: Visit) -> None:
    name = f"Imported {secrets.token_hex(4)}"
    page = upload(keeper, "brand", csv(f"brand_name\n{name} & Sons\n{name} <b>\n"))

    expect(page.get_by_text("2 new, 0 changed and 0 unchanged")).to_be_visible()
    expect(page.get_by_role("cell", name=f"{name} <b>")).to_be_visible()
    page.get_by_role("button", name="Import").click()

    expect(page.get_by_text("Import finished: 2 new")).to_be_visible()
    expect(page.locator(f"input[value='{name} <b>']")).to_be_visible()


def test_an_invalid_row_is_shown_with_its_errors(keeper: Visit) -> None:
    page = upload(keeper, "product", csv("product_name,brand_id\nShoe,x\n"))

    expect(
        page.get_by_role("heading", name="The file cannot be imported")
    ).to_be_visible()
    expect(
        page.get_by_role("row", name="2 brand_id: “x” is not a valid ID")
    ).to_be_visible()


def test_a_product_is_made_with_its_skus_by_typing_names(keeper: Visit) -> None:
    name = secrets.token_hex(4)
    keep(keeper, "brand", "brand_name", f"Brand {name}")
    keep(keeper, "productsize", "product_size_name", f"Size {name}")
    keep(keeper, "productcolor", "product_color_name", f"Color {name}")
    page = keeper.to("/admin/catalog/product/add/")
    page.get_by_label("Name").fill(f"Product {name}")
    choose(page, "id_brand", f"Brand {name}")
    choose(page, "id_skus-0-size", f"Size {name}")
    choose(page, "id_skus-0-color", f"Color {name}")
    page.get_by_role("button", name="Add another SKU").click()
    page.get_by_role("button", name="Save and continue editing").click()

    expect(page.get_by_text("was added successfully")).to_be_visible()
    expect(page.locator("#select2-id_brand-container")).to_have_text(f"Brand {name}")
    expect(page.locator("#select2-id_skus-0-size-container")).to_have_text(
        f"Size {name}"
    )
    expect(page.get_by_role("link", name="1 SKU")).to_be_visible()
    page.get_by_role("link", name="1 SKU").click()
    expect(page.get_by_role("link", name=f"Size {name}")).to_be_visible()


def test_a_file_of_some_megabytes_is_accepted(keeper: Visit) -> None:
    rows = "\n".join(f"{number} {'x' * 480}" for number in range(7_000))

    page = upload(keeper, "brand", csv(f"brand_name\n{rows}\n"))

    expect(page.get_by_text("7000 new")).to_be_visible()
