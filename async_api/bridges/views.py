"""The views of the bridges: /requests/sync_to_async and async_to_sync/experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from async_api.bridges.experiments.experiment import (
    AsynchronousExperiment,
    Prediction,
    SynchronousExperiment,
)
from async_api.bridges.experiments.registry import EXPERIMENTS, Setup, examples, path_of
from async_api.bridges.forms import FORMATS, BridgeForm
from async_api.bridges.laboratory import Result, conduct, conduct_synchronously
from async_api.bridges.report import as_json
from async_api.bridges.surroundings import VERSIONS, Surroundings, surroundings
from async_api.bridges.timeline import common_axis, timeline
from async_api.drawing.timeline import Timeline
from async_views.runtime.asgi.problem import Problem
from async_views.runtime.views.gateway import serving
from async_views.runtime.views.known_parameters import (
    ignored,
    parameter_errors,
    repairs,
)
from async_views.runtime.views.negotiation import chosen_format, wants_page
from async_views.runtime.views.problems import explained, field_errors, problem_response
from async_views.runtime.views.read_only import read_only
from async_views.runtime.waiting.concurrency_limit import ConcurrencyLimit

NOTHING: Mapping[str, object] = {}
LIMIT = ConcurrencyLimit(settings.BRIDGE_LIMIT, "experiments")


@dataclass(frozen=True, slots=True)
class Served:
    """The server, as seen from its event loop."""

    server: dict[str, str]
    surroundings: Surroundings


@read_only("GET")
@never_cache
async def sync_to_async_view(request: HttpRequest) -> HttpResponse:
    served = await look_around(request)
    form = form_of(request, "sync_to_async")
    if (answer := answer_without_running(request, form, served)) is not None:
        return answer
    try:
        with LIMIT.slot():
            results = [
                await conduct(setup, setup.experiment, served.surroundings)
                for setup in form.setups()
                if isinstance(setup.experiment, AsynchronousExperiment)
            ]
    except Problem as problem:
        # Not raised, because Django would handle it on a request's thread, and the experiments
        # may use all of those.
        return problem_response(request, problem)
    return answer_with(request, form, served, results)


@read_only("GET")
@never_cache
def async_to_sync_view(request: HttpRequest) -> HttpResponse:
    """The experiments that need a synchronous view."""
    served = async_to_sync(look_around)(request)
    form = form_of(request, "async_to_sync")
    if (answer := answer_without_running(request, form, served)) is not None:
        return answer
    with LIMIT.slot():
        results = [
            conduct_synchronously(setup, setup.experiment, served.surroundings)
            for setup in form.setups()
            if isinstance(setup.experiment, SynchronousExperiment)
        ]
    return answer_with(request, form, served, results)


async def look_around(request: HttpRequest) -> Served:
    return Served(serving(request), surroundings(request))


def form_of(request: HttpRequest, default: str) -> BridgeForm:
    """The form; unbound if the query only names an experiment, which is then not run."""
    is_known = (request.GET.get("experiment") or default) in EXPERIMENTS
    is_bound = not (is_known and set(request.GET) <= {"experiment"})
    return BridgeForm(request.GET, default, is_bound=is_bound)


def answer_without_running(
    request: HttpRequest, form: BridgeForm, served: Served
) -> HttpResponse | None:
    """The form, an error or a redirect to the right view; None if it should run."""
    errors = parameter_errors(request.GET, form.parameter_names)
    if errors or (form.is_bound and not form.is_valid()):
        if wants_page(request):
            misread = {
                "parameter_errors": errors,
                "repairs": repairs(request.GET, form.parameter_names),
            }
            return explained(page(request, form, served, status=400, misread=misread))
        return problem_response(request, ignored([*errors, *field_errors(form)]))
    path = path_of(form.chosen)
    if path != request.path:
        return HttpResponseRedirect(f"{path}?{request.GET.urlencode()}")
    if not form.is_bound:
        return page(request, form, served)
    is_page = chosen_format(request, FORMATS) == "html"
    if (
        is_page
        and isinstance(form.chosen, AsynchronousExperiment)
        and form.chosen.is_sent_by_page
    ):
        return page(request, form, served, sent_by_page=form.setups()[0])
    return None


def answer_with(
    request: HttpRequest, form: BridgeForm, served: Served, results: Sequence[Result]
) -> HttpResponse:
    if chosen_format(request, FORMATS) == "json":
        first, *others = (as_json(result) for result in results)
        return JsonResponse(
            first
            | {
                "compared_with": others[0] if others else None,
                "server": served.server,
            }
        )
    return page(request, form, served, results)


@dataclass(frozen=True, slots=True)
class Shown:
    """An experiment on its page: its prediction and, once it has run, its result."""

    setup: Setup
    prediction: Prediction
    result: Result | None = None
    timeline: Timeline | None = None


def page(
    request: HttpRequest,
    form: BridgeForm,
    served: Served,
    results: Sequence[Result] = (),
    *,
    sent_by_page: Setup | None = None,
    status: int = 200,
    misread: Mapping[str, object] = NOTHING,
) -> HttpResponse:
    axis = common_axis(results)

    def predicted(setup: Setup) -> Shown:
        prediction = setup.experiment.predict(setup.parameters, served.surroundings)
        return Shown(setup, prediction)

    context = {
        "form": form,
        "experiment": form.chosen,
        "shown": [
            Shown(result.setup, result.prediction, result, timeline(result, axis))
            for result in results
        ],
        "sent_by_page": sent_by_page and predicted(sent_by_page),
        "counterpart": counterpart(form) if len(results) == 1 else None,
        "examples": [predicted(setup) for setup in examples()],
        "again": again(request),
        "origin": request.build_absolute_uri("/").rstrip("/"),
        "server": served.server,
        "surroundings": served.surroundings,
        "versions": VERSIONS,
        **misread,
    }
    return render(request, "bridges/page.html", context, status=status)


def counterpart(form: BridgeForm) -> Setup | None:
    return form.setups()[0].counterpart()


def again(request: HttpRequest) -> str:
    """The query string without its format, and without what to compare with."""
    query = request.GET.copy()
    for name in ("format", "compare"):
        query.pop(name, None)
    return query.urlencode()
