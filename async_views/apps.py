"""The site's own application. It loads the pages of the admin."""

from importlib import import_module

from django.apps import AppConfig

WITH_ADMIN = ("django.contrib.auth", "catalog")


class SiteConfig(AppConfig):
    name = "async_views"

    def ready(self) -> None:
        # The admin's own discovery would import import_export.admin too, which takes
        # 7 MB that only the pages for files need.
        for application in WITH_ADMIN:
            import_module(f"{application}.admin")
