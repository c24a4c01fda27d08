"""The start page: what the site does, with a live example of each part."""

import json
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from async_api.clock import time_of
from async_api.online.presence import total_or_none
from async_api.online.views import number
from async_views.runtime.views.gateway import event_loop_id, gateway
from async_views.runtime.views.health import unreadiness
from async_views.runtime.views.known_parameters import takes_no_parameters
from async_views.runtime.views.read_only import read_only

PATIENCE_SECONDS = 0.5


@read_only("GET", "HEAD")
@never_cache
@takes_no_parameters(page=True)
async def home(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "home.html",
        {
            "time": json.dumps(time_of(datetime.now())),
            "time_url": request.build_absolute_uri(reverse("time")),
            "unreadiness": await unreadiness(request, PATIENCE_SECONDS),
            "gateway": gateway(request),
            "event_loop_id": event_loop_id(),
            **number(await total_or_none(request, PATIENCE_SECONDS)),
        },
    )
