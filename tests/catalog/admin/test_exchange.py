"""Large libraries are imported by the pages that need them, not by every worker."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.catalog.databases import new_database
from tests.support.catalog.service import send
from tests.support.site import Site

# Only the pages for files and the probe need them; each takes megabytes in a worker.
LARGE = (
    "aiohttp",
    "async_api.probe.engine",
    "catalog.admin.file_pages",
    "catalog.files",
    "catalog.loading.seed",
    "diff_match_patch",
    "django.test",
    "et_xmlfile",
    "import_export.admin",
    "import_export.resources",
    "jinja2",
    "openpyxl",
    "tablib",
    "unittest",
)


def test_a_worker_that_serves_the_api_has_not_imported_the_large_libraries(
    migrated: str,
) -> None:
    application = "tests.catalog.admin.imported:application"
    with (
        new_database(migrated) as database,
        Site(application, DATABASE_URL=database) as site,
    ):
        assert send(site.url, "GET", "/time").status == 200
        assert send(site.url, "GET", "/products/1").status == 404
        imported = send(site.url, "GET", "/imported").body.decode().split("\n")

    assert "catalog.admin.exchange" in imported
    assert not [name for name in imported if name.startswith(LARGE)]


@pytest.mark.parametrize("model", ["brand", "product", "productcolor", "sku"])
def test_a_list_links_to_the_pages_for_files(
    db: None, client: Client, model: str
) -> None:
    client.force_login(User.objects.create_superuser("keeper"))

    page = client.get(f"/admin/catalog/{model}/").content.decode()

    for name in ("import", "export"):
        assert f"/admin/catalog/{model}/{name}/" in page
        assert client.get(f"/admin/catalog/{model}/{name}/").status_code == 200
