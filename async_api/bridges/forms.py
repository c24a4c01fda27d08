"""What may be asked of an experiment?"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django import forms
from django.conf import settings

from async_api.bridges.experiments.registry import DEFAULTS, EXPERIMENTS, Setup
from async_api.bridges.trial import Parameters
from async_views.runtime.configuration.environment import FALSE, TRUE
from async_views.runtime.views.number_fields import NumberField, WholeNumberField

FORMATS = {"html": "this page", "json": "JSON"}
TITLES = [(name, each.title) for name, each in EXPERIMENTS.items()]
# What is read for every experiment; its own parameters are in its row.
COMMON = ("experiment", "compare", "format")


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

    def prepare_value(self, value: object) -> object:
        """The choice to select: what was said, or the default for what means nothing.

        Browsers select the first choice where none is, whatever has run.
        """
        word = str(value).strip().lower()
        if word in TRUE:
            return "true"
        return "false" if word in FALSE else self.initial


class ExperimentField(forms.ChoiceField):
    """The name of an experiment; where it is none, the nearest name is selected."""

    def prepare_value(self, value: object) -> object:
        if value is None or value in EXPERIMENTS:
            return value
        near = get_close_matches(str(value), EXPERIMENTS, n=1)
        return near[0] if near else next(iter(EXPERIMENTS))


def with_defaults(data: Mapping[str, str], experiment: str) -> dict[str, object]:
    """What was said, and for whatever was not, what then runs."""
    defaults = {
        name: field.initial
        for name, field in BridgeForm.base_fields.items()
        if field.initial is not None
    }
    said = {name: value for name, value in data.items() if value.strip()}
    return {"experiment": experiment, **defaults, **said}


class BridgeForm(forms.Form):
    """Every parameter has a default, which is shown as well; every bound is a setting.

    It has the fields of the experiment that its data names. Where that is none, it only
    asks which.
    """

    experiment = ExperimentField(
        label="Experiment",
        required=False,
        choices=TITLES,
        error_messages={
            "invalid_choice": f"experiment is one of {', '.join(EXPERIMENTS)}."
        },
        widget=forms.HiddenInput,
    )
    sleep_time = NumberField(
        required=False,
        initial=f"{DEFAULTS.sleep_seconds:g}",
        min_value=0,
        max_value=settings.BRIDGE_MAX_SLEEP_SECONDS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"sleep_time is a number of seconds from 0 to {settings.BRIDGE_MAX_SLEEP_SECONDS:g}.",
        ),
    )
    num_calls = WholeNumberField(
        label="Calls",
        required=False,
        initial=DEFAULTS.calls,
        min_value=1,
        max_value=settings.BRIDGE_MAX_CALLS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"num_calls is a whole number from 1 to {settings.BRIDGE_MAX_CALLS}.",
        ),
        help_text=f"How many there are: 1 to {settings.BRIDGE_MAX_CALLS}.",
    )
    thread_sensitive = TrueOrFalse(
        label="Thread-sensitive",
        required=False,
        initial="true",
        error_messages={"invalid": "thread_sensitive is true or false."},
        help_text="true: all on one thread. false: on a pool of threads.",
    )
    at_once = WholeNumberField(
        label="At once",
        required=False,
        initial=DEFAULTS.at_once,
        min_value=1,
        max_value=settings.BRIDGE_MAX_CALLS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"at_once is a whole number from 1 to {settings.BRIDGE_MAX_CALLS}.",
        ),
        help_text=f"How many the semaphore lets in: 1 to {settings.BRIDGE_MAX_CALLS}.",
    )
    compare = TrueOrFalse(
        label="Compare",
        required=False,
        initial="false",
        error_messages={"invalid": "compare is true or false."},
    )
    format = forms.ChoiceField(
        label="Answer as",
        required=False,
        choices=list(FORMATS.items()),
        error_messages={"invalid_choice": f"format is {' or '.join(FORMATS)}."},
        help_text="JSON is for programs.",
    )

    def __init__(
        self, data: Mapping[str, Any], default: str, *, is_bound: bool
    ) -> None:
        named = data.get("experiment") or default
        self.is_known = named in EXPERIMENTS
        self.chosen = EXPERIMENTS[named if self.is_known else default]
        if is_bound:
            super().__init__(with_defaults(data, self.chosen.name))
        else:
            super().__init__(initial={"experiment": self.chosen.name})
        if not self.is_known:
            self.fields = {"experiment": self.fields["experiment"]}
            self.fields["experiment"].widget = forms.Select(choices=TITLES)
            return
        for name in set(self.fields) - {*COMMON, *self.chosen.parameter_names}:
            del self.fields[name]
        counterpart = Setup(self.chosen, DEFAULTS).counterpart()
        if counterpart is None:
            del self.fields["compare"]
        elif counterpart.experiment is self.chosen:
            self.fields["compare"].help_text = "true: with the other kind of thread."
        else:
            self.fields["compare"].help_text = f"true: with “{counterpart.title}”."
        sleep = self.fields["sleep_time"]
        sleep.label = self.chosen.sleep_label
        sleep.help_text = (
            f"{self.chosen.sleep_help}: 0 to {settings.BRIDGE_MAX_SLEEP_SECONDS:g}."
        )

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """What may be said of this experiment; of an unknown one, anything of any."""
        return tuple(self.fields if self.is_known else self.base_fields)

    def clean(self) -> dict[str, object]:
        """Caps what all sleeps together may take in a row."""
        if not self.errors:
            seconds = self.chosen.seconds_in_a_row(self.parameters())
            most = settings.BRIDGE_MAX_TOTAL_SECONDS
            if seconds > most and "num_calls" in self.fields:
                self.add_error(
                    "num_calls", f"sleep_time times num_calls is at most {most:g} s."
                )
            elif seconds > most:
                self.add_error(
                    "sleep_time",
                    f"The longest way would take {seconds:g} s; at most {most:g} s may be asked for.",
                )
        return self.cleaned_data

    def parameters(self) -> Parameters:
        """Of a form without errors, with a default for whatever was not said."""

        def said(name: str, default: Any) -> Any:
            value = self.cleaned_data.get(name)
            return default if value is None else value

        return Parameters(
            said("sleep_time", DEFAULTS.sleep_seconds),
            said("num_calls", DEFAULTS.calls),
            said("thread_sensitive", DEFAULTS.thread_sensitive),
            said("at_once", DEFAULTS.at_once),
        )

    def setups(self) -> list[Setup]:
        """What to run: one experiment, or two to compare."""
        asked = Setup(self.chosen, self.parameters())
        counterpart = asked.counterpart()
        if counterpart is not None and self.cleaned_data.get("compare"):
            return [asked, counterpart]
        return [asked]
