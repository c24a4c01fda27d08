"""URLs and links of the pages that import and export files.

The pages themselves are in `file_pages`. It is imported by the first request for one of
them, because the libraries that read and write files take 7 MB of memory.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.auth import get_permission_codename
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path

if TYPE_CHECKING:
    Admin = ModelAdmin[Any]
else:
    Admin = ModelAdmin


class ExchangeAdmin(Admin):
    change_list_template = "admin/import_export/change_list_import_export.html"

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "import": self.import_action,
            "process_import": self.process_import,
            "export": self.export_action,
        }
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        urls = [
            path(f"{page}/", self.admin_site.admin_view(view), name=f"{name}_{page}")
            for page, view in pages.items()
        ]
        return [*urls, *super().get_urls()]

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return self.file_pages().import_action(request, **kwargs)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return self.file_pages().process_import(request, **kwargs)

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        return self.file_pages().export_action(request)

    def file_pages(self) -> "ExchangeAdmin":
        from catalog.admin.file_pages import file_pages

        return file_pages(self)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.may(request, settings.IMPORT_EXPORT_IMPORT_PERMISSION_CODE)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.may(request, settings.IMPORT_EXPORT_EXPORT_PERMISSION_CODE)

    def may(self, request: HttpRequest, action: str) -> bool:
        codename = get_permission_codename(action, self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        links = {
            "has_import_permission": self.has_import_permission(request),
            "has_export_permission": self.has_export_permission(request),
        }
        return super().changelist_view(request, links | (extra_context or {}))
