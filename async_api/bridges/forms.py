"""The form of the experiments, which also validates their query strings."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django import forms
from django.conf import settings

from async_api.bridges.experiments.experiment import MAX_CALLS, MAX_SLEEP_SECONDS
from async_api.bridges.experiments.registry import DEFAULTS, EXPERIMENTS, Setup
from async_api.bridges.trial import Parameters
from async_views.runtime.configuration.environment import FALSE, TRUE
from async_views.runtime.views.number_fields import NumberField, WholeNumberField

FORMATS = {"html": "this page", "json": "JSON"}
TITLES = [(name, each.title) for name, each in EXPERIMENTS.items()]
# Parameters of every experiment; Experiment.parameter_names has the others.
COMMON = ("experiment", "compare", "format")


class TrueOrFalse(forms.Field):
    """Accepts the usual words for true and false; any other text is an error."""

    widget = forms.Select(choices=[("true", "true"), ("false", "false")])

    def to_python(self, value: str | None) -> bool | None:
        word = (value or "").strip().lower()
        if not word:
            return None
        if word not in TRUE | FALSE:
            raise forms.ValidationError(self.error_messages["invalid"])
        return word in TRUE

    def prepare_value(self, value: object) -> object:
        """The choice to select: the given one, or the default if that is not valid.

        Otherwise browsers select the first choice, whichever has run.
        """
        word = str(value).strip().lower()
        if word in TRUE:
            return "true"
        return "false" if word in FALSE else self.initial


class ExperimentField(forms.ChoiceField):
    """The name of an experiment; for an unknown one, the most similar is selected."""

    def prepare_value(self, value: object) -> object:
        if value is None or value in EXPERIMENTS:
            return value
        near = get_close_matches(str(value), EXPERIMENTS, n=1)
        return near[0] if near else next(iter(EXPERIMENTS))


def with_defaults(data: Mapping[str, str], experiment: str) -> dict[str, object]:
    """The given values, and the defaults for all others."""
    defaults = {
        name: field.initial
        for name, field in BridgeForm.base_fields.items()
        if field.initial is not None
    }
    said = {name: value for name, value in data.items() if value.strip()}
    return {"experiment": experiment, **defaults, **said}


class BridgeForm(forms.Form):
    """All parameters have defaults, which are shown; all limits are settings.

    It has the fields of the experiment that its data names; for an unknown experiment it
    only has the field to choose one.
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
        max_value=MAX_SLEEP_SECONDS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"sleep_time is a number of seconds from 0 to {MAX_SLEEP_SECONDS:g}.",
        ),
    )
    num_calls = WholeNumberField(
        label="Calls",
        required=False,
        initial=DEFAULTS.calls,
        min_value=1,
        max_value=MAX_CALLS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"num_calls is a whole number from 1 to {MAX_CALLS}.",
        ),
        help_text=f"How many calls: 1 to {MAX_CALLS}.",
    )
    thread_sensitive = TrueOrFalse(
        label="Thread-sensitive",
        required=False,
        initial="true",
        error_messages={"invalid": "thread_sensitive is true or false."},
        help_text="true: all calls on one thread. false: on a pool of threads.",
    )
    at_once = WholeNumberField(
        label="At once",
        required=False,
        initial=DEFAULTS.at_once,
        min_value=1,
        max_value=MAX_CALLS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"at_once is a whole number from 1 to {MAX_CALLS}.",
        ),
        help_text=f"How many calls the semaphore lets in: 1 to {MAX_CALLS}.",
    )
    compare = TrueOrFalse(
        label="Compare",
        required=False,
        initial="false",
        error_messages={"invalid": "compare is true or false."},
    )
    format = forms.ChoiceField(
        label="Format",
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
            self.fields[
                "compare"
            ].help_text = "true: also run with the other kind of thread."
        else:
            self.fields["compare"].help_text = f"true: also run “{counterpart.title}”."
        sleep = self.fields["sleep_time"]
        sleep.label = self.chosen.sleep_label
        sleep.help_text = f"{self.chosen.sleep_help}: 0 to {MAX_SLEEP_SECONDS:g}."

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The parameters of this experiment; of all experiments, if it is unknown."""
        return tuple(self.fields if self.is_known else self.base_fields)

    def clean(self) -> dict[str, object]:
        """Limits the sum of all sleeps."""
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
                    f"This would take {seconds:g} s in a row; at most {most:g} s are allowed.",
                )
        return self.cleaned_data

    def parameters(self) -> Parameters:
        """The parameters of a form without errors, with defaults for those not given."""

        def given(name: str, default: Any) -> Any:
            value = self.cleaned_data.get(name)
            return default if value is None else value

        return Parameters(
            given("sleep_time", DEFAULTS.sleep_seconds),
            given("num_calls", DEFAULTS.calls),
            given("thread_sensitive", DEFAULTS.thread_sensitive),
            given("at_once", DEFAULTS.at_once),
        )

    def setups(self) -> list[Setup]:
        """The setups to run: one, or two to compare."""
        setup = Setup(self.chosen, self.parameters())
        counterpart = setup.counterpart()
        if counterpart is not None and self.cleaned_data.get("compare"):
            return [setup, counterpart]
        return [setup]
