"""The admin's pages for a large catalog need few and bounded queries."""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import LiteralString
from urllib.parse import urlencode

import psycopg
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from async_views.runtime.postgres import database
from catalog.admin.paginator import COUNTED, BoundedPaginator
from catalog.models import Brand, Product, ProductColor, ProductSize, Sku
from tests.support.catalog.catalogs import fill
from tests.support.catalog.threads import kept_locked, once_it_waits

Post = Callable[[Client, str, Mapping[str, object]], HttpResponse]

MOST_QUERIES = 10
# A count of a table without a limit.
UNBOUNDED_COUNT = re.compile(r"COUNT\([^)]*\)(?!.*\bLIMIT\b)", re.IGNORECASE)


@pytest.fixture
def editor(groups: None, client: Client) -> Client:
    user = User.objects.create_user("editor", is_staff=True)
    user.groups.add(Group.objects.get(name="Catalog editors"))
    client.force_login(user)
    return client


@pytest.fixture
def viewer(groups: None) -> Client:
    user = User.objects.create_user("viewer", is_staff=True)
    user.groups.add(Group.objects.get(name="Catalog viewers"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def large(db: None) -> None:
    fill()


@pytest.fixture
def shoe(db: None) -> Product:
    brand = Brand.objects.create(name="Acme")
    return Product.objects.create(name="Shoe", brand=brand)


def page(client: Client, path: str) -> tuple[str, list[str]]:
    """A page of the catalog's admin, and the SQL statements it executed."""
    with CaptureQueriesContext(connection) as asked:
        response = client.get(f"/admin/catalog/{path}")
    assert response.status_code == 200, path
    text = html.unescape(response.content.decode())
    return text, [query["sql"] for query in asked.captured_queries]


def product_form(product: Product, *skus: Mapping[str, object]) -> dict[str, object]:
    """The form data of a product and new SKUs."""
    form: dict[str, object] = {
        "name": product.name,
        "brand": product.brand_id,
        "skus-TOTAL_FORMS": len(skus),
        "skus-INITIAL_FORMS": 0,
    }
    for number, sku in enumerate(skus):
        form |= {f"skus-{number}-{name}": value for name, value in sku.items()}
    return form


@pytest.mark.usefixtures("large")
def test_every_list_and_form_of_a_large_catalog_takes_few_bounded_queries(
    editor: Client,
) -> None:
    product, brand, size = Product.objects.first(), Brand.objects.first(), 0
    sku = Sku.objects.first()
    assert product and brand and sku
    size = sku.size_id
    paths = [
        "brand/",
        "productcolor/",
        "productsize/",
        "product/",
        "product/?q=words+17-3",
        f"product/?brand__id__exact={brand.id}&o=-2",
        "sku/",
        "sku/?p=900",
        "sku/?q=words",
        f"sku/?q={product.id}",
        f"sku/?size__id__exact={size}",
        f"sku/?product__id__exact={product.id}",
        f"brand/{brand.id}/change/",
        f"brand/{brand.id}/delete/",
        f"product/{product.id}/change/",
        f"product/{product.id}/delete/",
        f"productsize/{size}/delete/",
        f"sku/{sku.id}/change/",
        "sku/export/",
    ]

    asked = {path: page(editor, path)[1] for path in paths}

    for path, statements in asked.items():
        assert len(statements) <= MOST_QUERIES, path
        for statement in statements:
            assert not UNBOUNDED_COUNT.search(statement), statement


@pytest.mark.usefixtures("large")
def test_a_large_table_s_size_is_labelled_as_an_estimate(editor: Client) -> None:
    text, _ = page(editor, "sku/")

    [said] = re.findall(r"about (\d+) SKUs", text)
    assert 90_000 < int(said) < 110_000


@pytest.mark.usefixtures("large")
def test_a_large_part_of_a_table_is_counted_up_to_a_bound_and_labelled_so() -> None:
    paginator = BoundedPaginator(Sku.objects.filter(id__gt=0), 100)

    assert (paginator.count, paginator.qualifier) == (COUNTED, "at least")


@pytest.mark.usefixtures("large")
def test_a_small_part_of_a_table_is_counted_exactly(editor: Client) -> None:
    product = Product.objects.first()
    assert product

    text, _ = page(editor, f"sku/?product__id__exact={product.id}")

    assert re.search(r"class=\"paginator\">\s*100 SKUs", text)


@pytest.mark.usefixtures("large")
def test_a_product_is_found_by_its_words_through_the_index(editor: Client) -> None:
    text, statements = page(editor, "product/?q=WORDS+17-3")

    assert re.search(r"class=\"paginator\">\s*\d product", text)
    [search] = [sql for sql in statements if "trigrams" in sql and "COUNT" in sql]
    with connection.cursor() as cursor:
        # Rows of a running transaction are in the pending list of the index.
        cursor.execute("SELECT gin_clean_pending_list('product_name_trigrams')")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {search}".replace("%", "%%"), [])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "product_name_trigrams" in plan


def test_a_number_finds_the_row_with_that_id_and_names_that_contain_it(
    editor: Client, shoe: Product
) -> None:
    named = Product.objects.create(name=f"Model {shoe.id}", brand=shoe.brand)
    Product.objects.create(name="Hat", brand=shoe.brand)

    text, _ = page(editor, f"product/?q={shoe.id}")

    assert re.findall(r'name="form-\d+-id" value="(\d+)"', text) == [
        str(shoe.id),
        str(named.id),
    ]


@pytest.mark.parametrize("term", ["%00", "9999999999", "9" * 5000, "²", "%25_%5C", "'"])
@pytest.mark.parametrize("model", ["brand", "product", "sku"])
def test_unusual_searches_succeed(editor: Client, model: str, term: str) -> None:
    page(editor, f"{model}/?q={term}")
    found = editor.get(
        f"/admin/autocomplete/?term={term}&app_label=catalog&model_name=product"
        "&field_name=brand"
    )

    assert found.json()["results"] == []


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("STRASSE ΟΔΥΣΣΈΑΣ", True),
        ("cafe\N{COMBINING ACUTE ACCENT} s", True),
        ("ss " * 500, True),
        ("cafe", False),
        (" ".join(f"x{number}" for number in range(3000)), False),
        ("s" * 20_000, False),
    ],
)
def test_a_search_folds_case_and_is_bounded(
    editor: Client, term: str, found: bool
) -> None:
    Brand.objects.create(name="Οδυσσέας Straße Café")

    text, _ = page(editor, f"brand/?{urlencode({'q': term})}")

    assert ("Οδυσσέας" in text) == found


def test_a_filter_with_too_many_brands_is_hidden_until_it_is_used(
    editor: Client,
) -> None:
    brands = Brand.objects.bulk_create(Brand(name=f"B{n}") for n in range(201))

    unused, _ = page(editor, "product/")
    used, _ = page(editor, f"product/?brand__id__exact={brands[0].id}")

    assert "By brand" not in unused
    assert "By brand" in used


def test_facets_count_products_by_brand_on_request_and_never_skus(
    editor: Client, shoe: Product
) -> None:
    Brand.objects.create(name="Other")
    ProductSize.objects.bulk_create(ProductSize(name=name) for name in "SL")

    products, _ = page(editor, "product/?_facets=True")
    skus = [page(editor, path)[0] for path in ("sku/", "sku/?_facets=True")]

    assert "Acme (1)" in products
    for text in skus:
        assert "By size" in text
        assert "Show counts" not in text
        assert "Hide counts" not in text


def test_a_name_is_edited_in_the_list_on_one_line(
    editor: Client, shoe: Product
) -> None:
    text, _ = page(editor, "brand/")
    assert re.search(r'<input type="text" name="form-0-name" value="Acme"', text)

    editor.post(
        "/admin/catalog/brand/",
        {
            "form-TOTAL_FORMS": 1,
            "form-INITIAL_FORMS": 1,
            "form-0-id": shoe.brand_id,
            "form-0-name": "Acme & Sons",
            "_save": "Save",
        },
    )

    shoe.brand.refresh_from_db()
    assert shoe.brand.name == "Acme & Sons"
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.user.username) == ("Acme & Sons", "editor")


def test_a_blank_name_is_refused_with_a_message(editor: Client, shoe: Product) -> None:
    response = editor.post("/admin/catalog/brand/add/", {"name": " \u2003 "})

    assert "This field is required." in response.content.decode()
    assert Brand.objects.count() == 1


def test_a_brand_that_has_products_is_not_deleted_and_its_page_says_why(
    editor: Client, shoe: Product
) -> None:
    path = f"brand/{shoe.brand_id}/delete/"

    text, _ = page(editor, path)
    editor.post(f"/admin/catalog/{path}", {"post": "yes"})

    assert "The brand “Acme” cannot be deleted" in text
    link = f'<a href="/admin/catalog/product/?brand__id__exact={shoe.brand_id}">'
    assert f"“Acme” has {link}1 product</a>: change or delete those first." in text
    assert Brand.objects.filter(id=shoe.brand_id).exists()


def test_deleting_several_brands_deletes_none_if_one_is_in_use(
    editor: Client, shoe: Product
) -> None:
    free = Brand.objects.create(name="Free")
    action = {
        "action": "delete_selected",
        "_selected_action": [free.id, shoe.brand_id],
    }

    text = editor.post("/admin/catalog/brand/", action).content.decode()
    editor.post("/admin/catalog/brand/", action | {"post": "yes"})

    assert "1 product</a>: change or delete those first." in text
    assert Brand.objects.count() == 2


def test_a_brand_without_products_is_deleted(editor: Client) -> None:
    brand = Brand.objects.create(name="Free")

    editor.post(f"/admin/catalog/brand/{brand.id}/delete/", {"post": "yes"})

    assert not Brand.objects.exists()


@pytest.mark.usefixtures("large")
def test_deleting_a_product_shows_how_many_skus_are_deleted_too(editor: Client) -> None:
    product = Product.objects.first()
    assert product

    text, _ = page(editor, f"product/{product.id}/delete/")
    editor.post(f"/admin/catalog/product/{product.id}/delete/", {"post": "yes"})

    assert "SKUs: 100" in text
    assert Sku.objects.filter(product=product.id).count() == 0


def test_a_product_is_saved_with_its_skus(editor: Client, shoe: Product) -> None:
    size = ProductSize.objects.create(name="Small")
    color = ProductColor.objects.create(name="Blue")

    editor.post(
        f"/admin/catalog/product/{shoe.id}/change/",
        product_form(shoe, {"size": size.id, "color": color.id}),
    )

    sku = shoe.skus.get()
    assert (sku.size, sku.color) == (size, color)


def test_a_combination_is_refused_a_second_time_in_the_sku_s_form(
    editor: Client, shoe: Product
) -> None:
    size = ProductSize.objects.create(name="Small")
    color = ProductColor.objects.create(name="Blue")
    Sku.objects.create(product=shoe, size=size, color=color)

    response = editor.post(
        "/admin/catalog/sku/add/",
        {"product": shoe.id, "size": size.id, "color": color.id},
    )

    said = response.content.decode()
    assert "This product has a SKU of this size and colour." in said
    assert shoe.skus.count() == 1


def test_a_combination_is_refused_a_second_time_within_the_product_s_form(
    editor: Client, shoe: Product
) -> None:
    sku = {
        "size": ProductSize.objects.create(name="Small").id,
        "color": ProductColor.objects.create(name="Blue").id,
    }
    path = f"/admin/catalog/product/{shoe.id}/change/"

    twice = editor.post(path, product_form(shoe, sku, sku)).content.decode()
    assert shoe.skus.count() == 0
    editor.post(path, product_form(shoe, sku))
    again = editor.post(path, product_form(shoe, sku)).content.decode()

    assert "Please correct the duplicate values below." in twice
    assert "Please correct the duplicate data for size and color" in twice
    assert "This product has a SKU of this size and colour." in again
    assert shoe.skus.count() == 1


@contextmanager
def meanwhile(statement: LiteralString, *values: object) -> Iterator[Post]:
    """Posts while another transaction has made a change, which it then commits."""

    def post(client: Client, path: str, form: Mapping[str, object]) -> HttpResponse:
        answer = once_it_waits(lambda: client.post(path, form), other.commit)
        assert isinstance(answer, HttpResponse)
        return answer

    parameters = database.parameters() | {"autocommit": False}
    with psycopg.connect(**parameters) as other:
        # So that foreign keys lock their rows immediately, not at commit.
        other.execute("SET CONSTRAINTS ALL IMMEDIATE")
        other.execute(statement, values)
        yield post


@pytest.mark.django_db(transaction=True)
def test_a_combination_that_was_just_added_by_another_user_is_refused_in_the_form(
    admin_client: Client, shoe: Product
) -> None:
    size = ProductSize.objects.create(name="Small")
    color = ProductColor.objects.create(name="Blue")
    sku = {"product": shoe.id, "size": size.id, "color": color.id}

    making = (
        "INSERT INTO sku (product_id, product_size_id, product_color_id)"
        " VALUES (%s, %s, %s)"
    )
    with meanwhile(making, *sku.values()) as post:
        response = post(admin_client, "/admin/catalog/sku/add/", sku)

    said = response.content.decode()
    assert response.status_code == 200
    assert "This product has a SKU of this size and colour." in said
    assert "was added successfully" not in said
    assert shoe.skus.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_brand_that_another_user_just_used_is_kept_and_its_page_says_why(
    admin_client: Client,
) -> None:
    brand = Brand.objects.create(name="Free")

    using = "INSERT INTO product (product_name, brand_id) VALUES ('Sock', %s)"
    with meanwhile(using, brand.id) as post:
        response = post(
            admin_client, f"/admin/catalog/brand/{brand.id}/delete/", {"post": "yes"}
        )

    assert response.status_code == 200
    assert "The brand “Free” cannot be deleted" in response.content.decode()
    assert Brand.objects.filter(id=brand.id).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("{brand}/change/", {"name": "Acme Inc."}),
        ("{brand}/delete/", {"post": "yes"}),
        (
            "",
            {
                "form-TOTAL_FORMS": 1,
                "form-INITIAL_FORMS": 1,
                "form-0-id": "{brand}",
                "form-0-name": "Acme Inc.",
                "_save": "Save",
            },
        ),
        (
            "",
            {"action": "delete_selected", "_selected_action": "{brand}", "post": "yes"},
        ),
    ],
)
def test_waiting_for_a_locked_row_is_bounded(
    admin_client: Client,
    settings: Settings,
    path: str,
    form: Mapping[str, object],
) -> None:
    settings.DATABASE_SECONDS = 0.2
    brand = Brand.objects.create(name="Acme")
    filled = {name: str(value).format(brand=brand.id) for name, value in form.items()}

    def post() -> HttpResponse:
        url = f"/admin/catalog/brand/{path.format(brand=brand.id)}"
        response = admin_client.post(url, filled)
        assert isinstance(response, HttpResponse)
        return response

    with kept_locked("brand"):
        refused = post()

    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert "Nothing was written" in refused.content.decode()
    assert [each.name for each in Brand.objects.all()] == ["Acme"]
    assert not LogEntry.objects.exists()
    assert post().status_code == 302
    assert [each.name for each in Brand.objects.all()] != ["Acme"]


def test_a_product_of_more_skus_than_a_form_holds_links_to_their_list(
    editor: Client, shoe: Product
) -> None:
    size = ProductSize.objects.create(name="Small")
    colors = ProductColor.objects.bulk_create(
        ProductColor(name=f"Colour {n}") for n in range(201)
    )
    Sku.objects.bulk_create(
        Sku(product=shoe, size=size, color=color) for color in colors
    )

    text, _ = page(editor, f"product/{shoe.id}/change/")

    assert "skus-TOTAL_FORMS" not in text
    assert f"/sku/?product__id__exact={shoe.id}" in text
    assert "201 SKUs" in text


def test_viewers_can_view(viewer: Client, shoe: Product) -> None:
    text, _ = page(viewer, f"product/{shoe.id}/change/")

    assert "Shoe" in text
    assert 'name="_save"' not in text


@pytest.mark.parametrize("page", ["add", "import", "export", "1/change", "1/delete"])
def test_viewers_cannot_change_anything(
    viewer: Client, shoe: Product, page: str
) -> None:
    path = f"/admin/catalog/product/{page}/".replace("1", str(shoe.id))

    response = viewer.post(path, product_form(shoe) | {"post": "yes"})

    assert response.status_code == 403


def test_viewers_cannot_confirm_an_import(viewer: Client) -> None:
    response = viewer.post("/admin/catalog/product/process_import/")

    assert response.status_code == 403


def test_deleting_a_product_requires_the_permission_to_delete_skus(
    editor: Client, shoe: Product
) -> None:
    Group.objects.get(name="Catalog editors").permissions.get(
        codename="delete_sku"
    ).delete()

    editor.post(f"/admin/catalog/product/{shoe.id}/delete/", {"post": "yes"})

    assert Product.objects.filter(id=shoe.id).exists()
