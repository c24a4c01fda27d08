"""The admin's pages that check a password, with the limit on wrong ones."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import shortened
from async_views.runtime.views.logins import attempt
from async_views.runtime.views.negotiation import wants_page
from async_views.runtime.views.problems import explained, problem_response


class LoginForm(AdminAuthenticationForm):
    """Shows why no password was checked; `refusal` is the problem for programs."""

    refusal: Problem | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        username = self.data.get("username", "")
        if shortened(username) != username:
            # The page repeats the name, and no account has one this long.
            self.data = {**self.data, "username": shortened(username)}

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except Problem as refusal:
            self.refusal = refusal
            raise ValidationError(str(refusal)) from None


def login(request: HttpRequest) -> HttpResponseBase:
    """/admin/login/: 429 if no password was checked, for browsers on the form itself."""
    response = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    refusal = getattr(form, "refusal", None)
    if refusal is None:
        return response
    if not wants_page(request):
        return problem_response(request, refusal)
    response.status_code = refusal.details.status
    for name, value in refusal.headers.items():
        response.headers[name] = value
    return explained(response)


def password_change(request: HttpRequest) -> HttpResponse:
    """/admin/password_change/: an open session cannot be used to guess its password."""
    if request.method != "POST" or not request.POST.get("old_password"):
        return admin.site.password_change(request)
    with attempt(request, request.user.get_username()) as begun:
        response = admin.site.password_change(request)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if form is None or "old_password" not in form.errors:
            begun.succeed()
        return response
