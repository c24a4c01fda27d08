"""The admin's pages for access tokens."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from catalog.access import tokens
from catalog.models import AccessToken, Scope


class AccessTokenForm(ModelForm):  # type: ignore[type-arg]
    scopes = MultipleChoiceField(
        choices=[(scope.value, f"{scope.value}: {scope.label}") for scope in Scope],
        widget=CheckboxSelectMultiple,
        help_text=AccessToken._meta.get_field("scopes").help_text,
    )


@admin.register(AccessToken)
class AccessTokenAdmin(ModelAdmin):  # type: ignore[type-arg]
    form = AccessTokenForm
    fields = (
        "name",
        "owner",
        "scopes",
        "expires",
        "created",
        "last_used",
        "revoked",
    )
    readonly_fields = ("created", "last_used", "revoked")
    autocomplete_fields = ("owner",)
    list_display = (
        "name",
        "owner",
        "scope_names",
        "is_valid",
        "last_used",
        "expires",
        "created",
    )
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username")
    search_help_text = "Search by name or owner. The token itself is not stored."
    actions = ("revoke",)

    @admin.display(description="scopes")
    def scope_names(self, token: AccessToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="valid", boolean=True)
    def is_valid(self, token: AccessToken) -> bool:
        return token.is_valid_at(timezone.now())

    def get_readonly_fields(
        self, request: HttpRequest, obj: AccessToken | None = None
    ) -> tuple[str, ...]:
        # Only a superuser creates tokens for other users.
        if obj is None and is_superuser(request):
            return self.readonly_fields
        return ("owner", *self.readonly_fields)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"owner": request.user.pk, **initial}

    def save_model(
        self,
        request: HttpRequest,
        obj: AccessToken,
        form: "ModelForm[AccessToken]",
        change: bool,
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        if not is_superuser(request):
            assert isinstance(request.user, User)
            obj.owner = request.user
        tokens.issue(obj)

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: Any = None
    ) -> HttpResponse:
        """Shows the token in this response.

        A message after a redirect, as the admin usually sends, would be stored in a
        cookie or in the session table.
        """
        context = {
            **self.admin_site.each_context(request),
            "title": "Token created",
            "opts": self.opts,
            "token": obj,
            "list_url": reverse("admin:catalog_accesstoken_changelist"),
        }
        template = "admin/catalog/accesstoken/created.html"
        return TemplateResponse(request, template, context)

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        now = timezone.now()
        for token in queryset.filter(revoked=None):
            tokens.revoke(token, now)
            self.log_change(request, token, "Revoked.")
        self.message_user(request, "The selected tokens were revoked.")


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
