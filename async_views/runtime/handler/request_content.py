"""Requests whose Content-Type, form and cookies may be invalid.

Django parses Content-Type while it creates the request, before anything could respond to
an error, and accepts every codec of Python: `zlib` does not decode text, `idna` raises,
and Python caches each unknown name without limit. So only charsets of the WHATWG Encoding
Standard (https://encoding.spec.whatwg.org/#names-and-labels) are looked up here, and what
cannot be read becomes a `Problem`.
"""

import re
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import cached_property

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import shortened
from async_views.runtime.handler.cookies import parse_cookies
from async_views.runtime.handler.request import LazyRequest

if TYPE_CHECKING:
    Request = HttpRequest
else:
    Request = object

# Characters. Parsing takes quadratic time, and a boundary has at most 70 characters
# (RFC 2046, section 5.1.1).
MAX_CONTENT_TYPE = 1000

# In lower case, without hyphens and underscores: utf8 is UTF-8 and utf_8.
CHARSETS = frozenset(
    """
    utf8 ascii usascii latin1 ibm866 cp866 iso88591 iso88592 iso88593 iso88594 iso88595
    iso88596 iso88597 iso88598 iso88599 iso885910 iso885911 iso885913 iso885914 iso885915
    iso885916 koi8r koi8u macintosh macroman windows874 windows1250 windows1251
    windows1252 windows1253 windows1254 windows1255 windows1256 windows1257 windows1258
    cp874 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 gbk gb2312
    gb18030 big5 eucjp iso2022jp shiftjis euckr utf16 utf16le utf16be
    """.split()
)
# RFC 2231 has charsets within parameters, such as filename*=utf-8''a.
EXTENDED = re.compile(r"\*[0-9]*\*?\s*=")


class UnreadableForm(Problem, MultiPartParserError):
    """A body that is not a valid form of its Content-Type.

    Django passes an error of the multipart parser to the site's handler400, wherever it
    was raised and whether or not DEBUG is on.
    """


class CheckedContent(Request):
    """A mixin for Django's requests that reports an invalid Content-Type or form."""

    # What is wrong with the request itself, whichever view it is for.
    content_fault: Problem | None = None

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        content_type = meta.get("CONTENT_TYPE")
        if not content_type:
            # Most requests have no body: the same result as Django's, faster.
            self.content_type, self.content_params = "", {}
            return
        if ";" in content_type:
            try:
                check_parameters(content_type)
                super()._set_content_type_params(meta)  # type: ignore[misc]
            except Problem as problem:
                self.content_fault = problem
            except TooManyFieldsSent:
                # Django parses the query string when there is a charset.
                self.content_fault = Problem(400, too_many_fields("query string"))
            except (ValueError, LookupError):
                self.content_fault = Problem(
                    400,
                    f"Content-Type is {shortened(content_type)!r}: its parameters cannot "
                    "be read. It should be like “text/html; charset=utf-8”.",
                )
            else:
                return
            # Without its parameters.
            meta = {"CONTENT_TYPE": content_type.partition(";")[0]}
        super()._set_content_type_params(meta)  # type: ignore[misc]

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]
        return parse_cookies(self.META.get("HTTP_COOKIE", ""))

    def _load_post_and_files(self) -> None:
        try:
            super()._load_post_and_files()
        except UNREADABLE as error:
            # As Django does for some of these: the next access gets an empty form.
            self._mark_post_parse_error()  # type: ignore[attr-defined]
            raise_unreadable(error)


def check_parameters(content_type: str) -> None:
    """Raises Problem for parameters that cannot be accepted."""
    if len(content_type) > MAX_CONTENT_TYPE:
        raise Problem(
            400,
            f"Content-Type has {len(content_type):,} characters: it should have at most "
            f"{MAX_CONTENT_TYPE:,}.",
        )
    if EXTENDED.search(content_type):
        raise Problem(
            400,
            f"Content-Type is {shortened(content_type)!r}: extended parameters (RFC 2231) "
            "are not accepted there.",
        )
    for charset in re.findall(r";\s*charset\s*=([^;]*)", content_type, re.IGNORECASE):
        name = charset.strip().strip('"').strip()
        if re.sub("[-_]", "", name).lower() not in CHARSETS:
            raise Problem(
                415,
                f"Content-Type has the charset {shortened(name)!r}: it should be utf-8, or "
                "another charset of the WHATWG Encoding Standard.",
            )


class CheckedRequest(CheckedContent, LazyRequest):
    """The request class under ASGI."""


class CheckedWSGIRequest(CheckedContent, WSGIRequest):
    """The request class under WSGI."""


UNREADABLE = (
    BadRequest,
    LookupError,
    MultiPartParserError,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
    ValueError,
)


def raise_unreadable(error: Exception) -> NoReturn:
    match error:
        case Problem():
            raise error
        case TooManyFieldsSent():
            raise UnreadableForm(400, too_many_fields("form")) from error
        case TooManyFilesSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            raise UnreadableForm(
                400, f"The form has more than {most:,} files, the limit here."
            ) from error
        case RequestDataTooBig():
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            raise UnreadableForm(
                413, f"The form is larger than {most} bytes, the limit here."
            ) from error
    why = shortened(str(error).rstrip(". :"))
    raise UnreadableForm(400, f"The form cannot be read: {why}.") from error


def too_many_fields(where: str) -> str:
    most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return f"The {where} has more than {most:,} fields, the limit here."
