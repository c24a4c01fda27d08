"""What may be asked of the bridge?"""

from django import forms
from django.conf import settings

TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off"})
FORMATS = {"html": "this page", "json": "JSON"}


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
        initial="0.5",
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
        initial=4,
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
            ("sleep_time", 0.5),
            ("num_calls", 4),
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
