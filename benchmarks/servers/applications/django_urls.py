"""URLs of the stock Django project."""

from django.urls import path

from benchmarks.servers.applications import views

urlpatterns = [
    path("hello", views.hello),
    path("time", views.time),
    path("orm", views.users),
    path("sync/hello", views.hello_sync),
    path("sync/time", views.time_sync),
]
