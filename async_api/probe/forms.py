"""The probe's form, which also validates its query string."""

from django import forms
from django.conf import settings

from async_api.outbound.private_targets import PrivateTargets
from async_api.outbound.targets import (
    MAX_URL_LENGTH,
    InvalidTarget,
    Target,
    parse_target,
)
from async_api.probe.spec import METHODS, ProbeSpec
from async_views.runtime.views.number_fields import NumberField, WholeNumberField

FORMATS = {"html": "this page", "json": "JSON", "csv": "CSV"}
DEFAULT_REQUESTS = min(10, settings.PROBE_MAX_REQUESTS)
DEFAULT_TIMEOUT_SECONDS = min(10, settings.PROBE_MAX_TIMEOUT_SECONDS)
MIN_TIMEOUT_SECONDS = 0.001


def messages(right: str) -> dict[str, str]:
    return {
        "required": right,
        "invalid": right,
        "invalid_choice": right,
        "min_value": right,
        "max_value": right,
    }


class ProbeForm(forms.Form):
    """All parameters except `url` have defaults; all limits are settings."""

    url = forms.CharField(
        label="URL",
        max_length=MAX_URL_LENGTH,
        error_messages=messages(
            "Enter the URL to probe, such as https://example.org/."
        ),
        widget=forms.URLInput(attrs={"autocomplete": "url", "spellcheck": "false"}),
        help_text="Where the requests go: http or https, on a public address"
        + (
            " or a private one that this site allows."
            * (settings.PROBE_PRIVATE_TARGETS != PrivateTargets())
        ),
    )
    request_num = WholeNumberField(
        label="Requests",
        required=False,
        initial=DEFAULT_REQUESTS,
        widget=forms.NumberInput(attrs={"placeholder": str(DEFAULT_REQUESTS)}),
        min_value=1,
        max_value=settings.PROBE_MAX_REQUESTS,
        error_messages=messages(
            f"The number of requests is a whole number from 1 to {settings.PROBE_MAX_REQUESTS}."
        ),
        help_text=f"How many to send: 1 to {settings.PROBE_MAX_REQUESTS}.",
    )
    concurrency = WholeNumberField(
        label="Concurrency",
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": "all at once"}),
        min_value=1,
        max_value=settings.PROBE_MAX_CONCURRENCY,
        error_messages=messages(
            f"The concurrency is a whole number from 1 to {settings.PROBE_MAX_CONCURRENCY}."
        ),
        help_text=f"How many at a time: 1 to {settings.PROBE_MAX_CONCURRENCY}. "
        f"Leave empty to send all at once, up to {settings.PROBE_MAX_CONCURRENCY}.",
    )
    timeout = NumberField(
        label="Timeout, seconds",
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": f"{DEFAULT_TIMEOUT_SECONDS:g}"}),
        min_value=MIN_TIMEOUT_SECONDS,
        max_value=settings.PROBE_MAX_TIMEOUT_SECONDS,
        error_messages=messages(
            f"The timeout is a number of seconds from {MIN_TIMEOUT_SECONDS:g} "
            f"to {settings.PROBE_MAX_TIMEOUT_SECONDS:g}."
        ),
        help_text=f"For each request: at most {settings.PROBE_MAX_TIMEOUT_SECONDS:g}.",
    )
    method = forms.ChoiceField(
        label="Method",
        required=False,
        choices=[(method, method) for method in METHODS],
        error_messages=messages(f"The method is {', '.join(METHODS)}."),
        help_text="Responses to HEAD and OPTIONS do not include the page.",
    )
    format = forms.ChoiceField(
        label="Format",
        required=False,
        choices=list(FORMATS.items()),
        error_messages=messages(f"The format is {', '.join(FORMATS)}."),
        help_text="JSON and CSV are for programs.",
    )

    def clean_url(self) -> Target:
        try:
            return parse_target(self.cleaned_data["url"])
        except InvalidTarget as error:
            raise forms.ValidationError(
                f"{error.subject!r} cannot be probed: {error.reason}."
            ) from error

    def spec(self) -> ProbeSpec:
        """The probe that a valid form asks for."""
        cleaned = self.cleaned_data
        requests = cleaned["request_num"] or DEFAULT_REQUESTS
        return ProbeSpec(
            target=cleaned["url"],
            requests=requests,
            concurrency=cleaned["concurrency"]
            or min(requests, settings.PROBE_MAX_CONCURRENCY),
            timeout_seconds=cleaned["timeout"] or DEFAULT_TIMEOUT_SECONDS,
            method=cleaned["method"] or METHODS[0],
        )
