"""Everything under /requests/."""

from django.urls import path

from async_api.bridges.views import async_to_sync_view, sync_to_async_view
from async_api.probe.views import probe_async, probe_sync

urlpatterns = [
    path("", probe_async, name="probe"),
    path("async_to_sync", probe_sync, name="async_to_sync"),
    path(
        "async_to_sync/experiment",
        async_to_sync_view,
        name="async_to_sync_experiment",
    ),
    path("sync_to_async", sync_to_async_view, name="sync_to_async"),
]
