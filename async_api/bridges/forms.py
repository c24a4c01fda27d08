"""What may be asked of the bridge?"""

from django import forms
from django.conf import settings

from async_views.runtime.environment import FALSE, TRUE

FORMATS = {"html": "this page", "json": "JSON"}
DEFAULT_SLEEP_SECONDS = min(0.5, settings.BRIDGE_MAX_SLEEP_SECONDS)
DEFAULT_CALLS = min(4, settings.BRIDGE_MAX_CALLS)


class TrueOrFalse(forms.Field):
    """The words people write; any other text is an error, not false (and `false` is)."""

    widget = forms.Select(choices=[("true", "true"), ("false", "false")])

    def to_python(self, value: str | None) -> bool | None:
        word = (value or "").strip().lower()
        if not word:
            return None
        if word not in TRUE | FALSE:
            raise forms.ValidationError(self.error_messages["invalid"])
        return word in TRUE


class BridgeForm(forms.Form):
    """Every parameter has a default; every bound is a setting."""

    sleep_time = forms.FloatField(
        label="Sleep, seconds",
        required=False,
        initial=f"{DEFAULT_SLEEP_SECONDS:g}",
        min_value=0,
        max_value=settings.BRIDGE_MAX_SLEEP_SECONDS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"sleep_time is a number of seconds from 0 to {settings.BRIDGE_MAX_SLEEP_SECONDS:g}.",
        ),
        help_text=f"How long each call blocks: 0 to {settings.BRIDGE_MAX_SLEEP_SECONDS:g}.",
    )
    num_calls = forms.IntegerField(
        label="Calls",
        required=False,
        initial=DEFAULT_CALLS,
        min_value=1,
        max_value=settings.BRIDGE_MAX_CALLS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"num_calls is a whole number from 1 to {settings.BRIDGE_MAX_CALLS}.",
        ),
        help_text=f"How many are awaited together: 1 to {settings.BRIDGE_MAX_CALLS}.",
    )
    thread_sensitive = TrueOrFalse(
        label="Thread-sensitive",
        required=False,
        initial="true",
        error_messages={"invalid": "thread_sensitive is true or false."},
        help_text="true: all on one thread. false: on a pool of threads.",
    )
    format = forms.ChoiceField(
        label="Answer as",
        required=False,
        choices=list(FORMATS.items()),
        error_messages={"invalid_choice": f"format is {' or '.join(FORMATS)}."},
        help_text="JSON is for programs.",
    )

    def clean(self) -> dict[str, object]:
        """Fills in the defaults, and caps what all calls together may take in a row."""
        answers = self.cleaned_data
        for name, default in (
            ("sleep_time", DEFAULT_SLEEP_SECONDS),
            ("num_calls", DEFAULT_CALLS),
            ("thread_sensitive", True),
        ):
            if answers.get(name) is None:
                answers[name] = default
        if (
            not self.errors
            and answers["sleep_time"] * answers["num_calls"]
            > settings.BRIDGE_MAX_TOTAL_SECONDS
        ):
            self.add_error(
                "num_calls",
                f"sleep_time times num_calls is at most {settings.BRIDGE_MAX_TOTAL_SECONDS:g} s.",
            )
        return answers
