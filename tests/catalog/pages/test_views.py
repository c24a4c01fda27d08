"""The catalog's HTML pages, which need no JavaScript."""

import html
import re

import pytest

from tests.support.catalog.service import Catalog, Response

NAMES = [f"Hammer {number:02}" for number in range(45)]


@pytest.fixture
def shop(catalog: Catalog) -> Catalog:
    """45 hammers of two alternating brands, and a saw of the second brand."""
    catalog.insert("brand", [("Acme & Co",), ("Böse",)])
    catalog.insert("product", [(name, 1 + n % 2) for n, name in enumerate(NAMES)])
    catalog.insert("product", [("<Saw>", 2)])
    catalog.insert("product_size", [("Small",), ("Large",)])
    catalog.insert("product_color", [("Blue",)])
    catalog.insert("sku", [(1, 1, 1), (1, 2, 1)])
    return catalog


def fetch(catalog: Catalog, path: str) -> Response:
    return catalog.get(path, Accept="text/html")


def text(answer: Response) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.body.decode()))


def cells(answer: Response) -> list[list[str]]:
    """The text of the table's cells, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", answer.body.decode(), re.DOTALL)[1:]
    return [
        [
            html.unescape(re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def target(answer: Response, words: str) -> str | None:
    """The URL of the link with this text."""
    pattern = rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(words)}</a>'
    found = re.search(pattern, answer.body.decode())
    return html.unescape(found.group(1)) if found else None


def pages(catalog: Catalog, path: str) -> list[list[list[str]]]:
    """The rows of each page, from the given one to the last."""
    found: list[list[list[str]]] = []
    following: str | None = path
    while following is not None:
        answer = fetch(catalog, following)
        assert answer.status == 200
        found.append(cells(answer))
        following = target(answer, "Next page")
    return found


def test_the_pages_have_each_product_once(shop: Catalog) -> None:
    found = pages(shop, "/catalog/")

    assert [len(page) for page in found] == [20, 20, 6]
    assert [row[1] for page in found for row in page] == [*NAMES, "<Saw>"]
    assert found[0][:2] == [["1", "Hammer 00", "Acme & Co"], ["2", "Hammer 01", "Böse"]]


def test_every_page_links_to_the_first(shop: Catalog) -> None:
    first = fetch(shop, "/catalog/?q=hammer&order=-product_name")
    second = fetch(shop, str(target(first, "Next page")))

    assert target(first, "First page") is None
    back = fetch(shop, str(target(second, "First page")))
    assert cells(back) == cells(first)
    assert cells(first)[0][1] == "Hammer 44"


def test_a_brand_s_products_are_searched_and_paged(shop: Catalog) -> None:
    found = pages(shop, "/catalog/?brand_id=2&q=HAM")

    assert [row[1] for page in found for row in page] == NAMES[1::2]
    assert "Products of Böse" in text(fetch(shop, "/catalog/?brand_id=2"))


def test_brands_are_listed_searched_and_link_to_their_products(shop: Catalog) -> None:
    shop.insert("brand", [(f"brand {number}",) for number in range(30)])

    found = pages(shop, "/catalog/brands/")
    searched = fetch(shop, "/catalog/brands/?q=ACME")

    assert [row[1] for page in found for row in page] == [
        "Acme & Co",
        "Böse",
        *(f"brand {number}" for number in range(30)),
    ]
    assert cells(searched) == [["1", "Acme & Co"]]
    products = fetch(shop, str(target(searched, "Acme &amp; Co")))
    assert cells(products)[0] == ["1", "Hammer 00"]


def test_a_product_shows_its_skus_and_links_to_its_other_representations(
    shop: Catalog,
) -> None:
    page = fetch(shop, "/catalog/products/1/")

    assert cells(page) == [["1", "Small", "Blue"], ["2", "Large", "Blue"]]
    assert target(page, "product") == "/products/1"
    assert target(page, "SKUs") == "/products/1/skus"
    assert str(target(page, "Edit in the admin")).startswith("/admin/")
    assert "This product has no SKUs." in text(fetch(shop, "/catalog/products/2/"))


@pytest.mark.parametrize(
    "path",
    ["/catalog/products/77/", "/catalog/products/2147483648/", "/catalog/?brand_id=77"],
)
def test_an_unknown_product_or_brand_is_not_found(shop: Catalog, path: str) -> None:
    answer = fetch(shop, path)

    assert answer.status == 404
    assert "There is no" in text(answer)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("q=ab", "at least 3 characters"),
        ("q=" + "x" * 501, "at most 500 characters"),
        ("order=price", "product_id, -product_id, product_name, -product_name"),
        ("brand_id=one", "Enter a whole number. It was “one”."),
        ("brand_id=2147483648", "less than or equal to 2147483647"),
        ("cursor=nonsense", "The cursor should be the cursor of a Link"),
        ("q=%00abc", "Null characters are not allowed"),
    ],
)
def test_an_invalid_query_is_explained(shop: Catalog, query: str, said: str) -> None:
    answer = fetch(shop, f"/catalog/?{query}")

    assert answer.status == 400
    assert said in text(answer)
    assert cells(answer) == []


def test_a_search_without_results_says_so(shop: Catalog) -> None:
    assert "No products have “screw” in their name." in text(
        fetch(shop, "/catalog/?q=screw")
    )
    shop.empty()
    assert "There are no products yet." in text(fetch(shop, "/catalog/"))
    assert "There are no brands yet." in text(fetch(shop, "/catalog/brands/"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/catalog/?orde=product_id", "did you mean order?"),
        ("/catalog/?limit=5", "it takes q, order, brand_id and cursor"),
        ("/catalog/?fields=x&q=ab", "it takes q, order, brand_id and cursor"),
        ("/catalog/brands/?order=product_name", "it takes q and cursor"),
        ("/catalog/products/1/?fields=x", "it takes none"),
    ],
)
def test_a_page_names_ignored_parameters_and_a_program_gets_an_error(
    shop: Catalog, path: str, said: str
) -> None:
    page = fetch(shop, path)
    refused = shop.get(path, Accept="application/json")

    assert page.status == (400 if "q=ab" in path else 200)
    assert said in text(page)
    assert refused.status == 400
    assert said in refused.problem["detail"]


def test_a_page_without_ignored_parameters_has_no_notice(shop: Catalog) -> None:
    assert "not a parameter" not in text(
        fetch(shop, "/catalog/?q=ham&order=product_id")
    )
