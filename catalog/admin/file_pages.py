"""The pages that import a file, after a preview of its changes, and export one.

Only `exchange` imports this module, when one of the pages is requested.
"""

import logging
from functools import cache
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import transaction
from django.forms import ChoiceField, HiddenInput
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm, ExportForm

from async_views.runtime.asgi.problem import Problem
from catalog.admin.exchange import ExchangeAdmin
from catalog.files.formats import Csv, Xlsx
from catalog.files.transfer import RESOURCES
from catalog.files.uploads import Uploads
from catalog.files.workbook import UnreadableFileError

logger = logging.getLogger(__name__)

FORMATS = (Csv, Xlsx)


class ConfirmForm(ConfirmImportForm):
    format = ChoiceField(
        choices=[(str(number), number) for number in range(len(FORMATS))],
        widget=HiddenInput,
    )


class FilePages(ImportExportMixin, ExchangeAdmin):
    formats = FORMATS
    tmp_storage_class = Uploads
    import_template_name = "admin/catalog/import.html"
    confirm_form_class = ConfirmForm
    # The library's form for choosing columns has inline scripts, which the site's
    # Content-Security-Policy forbids.
    export_form_class = ExportForm
    # With the byte order mark by which spreadsheet programs detect UTF-8.
    to_encoding = "utf-8-sig"

    def get_resource_classes(self, request: HttpRequest) -> list[type]:
        return [RESOURCES[self.model]]

    def get_resource_index(self, form: Any) -> int:
        return 0  # Each model has one resource.

    def add_data_read_fail_error_to_form(self, form: Any, error: Exception) -> None:
        if isinstance(error, UnreadableFileError):
            form.add_error("import_file", str(error))
            return
        logger.error("An uploaded file could not be read.", exc_info=error)
        form.add_error(
            "import_file",
            "The file cannot be read. Open it in a spreadsheet program, save it as XLSX or"
            " “CSV UTF-8”, and upload it again.",
        )

    def get_export_queryset(self, request: HttpRequest) -> Any:
        """The rows that the list's filters, given in the query string, select."""
        try:
            return super().get_export_queryset(request)
        except IncorrectLookupParameters as error:
            detail = f"Invalid filter for the rows to export: {str(error).rstrip('.')}."
            raise Problem(400, detail) from None

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        # Otherwise rows that became invalid after the preview would be skipped silently.
        wanted: dict[str, Any] = super().get_import_data_kwargs(**kwargs)
        return wanted | {"rollback_on_validation_errors": True}

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            # The rows and their history are saved together or not at all.
            with transaction.atomic():
                response: HttpResponseBase = super().process_import(request, **kwargs)
                return response
        except FileNotFoundError:
            return self.import_again(
                request, "The file has expired or was already imported."
            )
        except UnreadableFileError as error:
            return self.import_again(request, str(error))

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponseBase:
        if result.has_errors() or result.has_validation_errors():
            return self.import_again(
                request,
                "Nothing was imported, because the catalog changed after the preview.",
            )
        response: HttpResponseBase = super().process_result(result, request)
        return response

    def import_again(self, request: HttpRequest, why: str) -> HttpResponseBase:
        messages.error(request, f"{why} Upload the file again to get a new preview.")
        app, model = self.get_model_info()
        return HttpResponseRedirect(reverse(f"admin:{app}_{model}_import"))


@cache
def file_pages(admin: ExchangeAdmin) -> FilePages:
    """The file pages of the admin's model; an export has the rows of the admin's list."""
    kind = type(admin)
    pages: type[FilePages] = type(f"{kind.__name__}Files", (FilePages, kind), {})
    return pages(admin.model, admin.admin_site)
