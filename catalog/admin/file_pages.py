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
    # The library's form to choose columns has scripts within its page, which the
    # site's Content-Security-Policy forbids.
    export_form_class = ExportForm
    # With the mark by which spreadsheets know UTF-8.
    to_encoding = "utf-8-sig"

    def get_resource_classes(self, request: HttpRequest) -> list[type]:
        return [RESOURCES[self.model]]

    def get_resource_index(self, form: Any) -> int:
        return 0  # There is one of each model.

    def add_data_read_fail_error_to_form(self, form: Any, error: Exception) -> None:
        if isinstance(error, UnreadableFileError):
            form.add_error("import_file", str(error))
            return
        logger.error("A file to import could not be read.", exc_info=error)
        form.add_error(
            "import_file",
            "The file cannot be read: open it in a spreadsheet program, and save it again"
            " as XLSX or “CSV UTF-8”.",
        )

    def get_export_queryset(self, request: HttpRequest) -> Any:
        """The rows that the list's own filters leave, which are in the query string."""
        try:
            return super().get_export_queryset(request)
        except IncorrectLookupParameters as error:
            detail = (
                f"The rows to export cannot be chosen so: {str(error).rstrip('.')}."
            )
            raise Problem(400, detail) from None

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        # Otherwise rows that became wrong after the preview would be left out silently.
        wanted: dict[str, Any] = super().get_import_data_kwargs(**kwargs)
        return wanted | {"rollback_on_validation_errors": True}

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            # The rows and their history, or neither.
            with transaction.atomic():
                response: HttpResponseBase = super().process_import(request, **kwargs)
                return response
        except FileNotFoundError:
            return self.import_again(
                request, "The file is not kept any longer, or is imported already."
            )
        except UnreadableFileError as error:
            return self.import_again(request, str(error))

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponseBase:
        if result.has_errors() or result.has_validation_errors():
            return self.import_again(
                request, "Nothing was imported: the catalog has changed meanwhile."
            )
        response: HttpResponseBase = super().process_result(result, request)
        return response

    def import_again(self, request: HttpRequest, why: str) -> HttpResponseBase:
        messages.error(request, f"{why} Send the file again to see what it would do.")
        app, model = self.get_model_info()
        return HttpResponseRedirect(reverse(f"admin:{app}_{model}_import"))


@cache
def file_pages(admin: ExchangeAdmin) -> FilePages:
    """The file pages of the admin's model; an export has the rows of the admin's list."""
    kind = type(admin)
    pages: type[FilePages] = type(f"{kind.__name__}Files", (FilePages, kind), {})
    return pages(admin.model, admin.admin_site)
