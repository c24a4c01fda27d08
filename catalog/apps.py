"""What is this application called?"""

from importlib import import_module

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalog"
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        # The admin looks for a module named `admin`, and finds no other by itself.
        import_module("catalog.admin.tokens")
