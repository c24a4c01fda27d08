"""The site's URLs for the comparison, with two additional routes."""

from django.urls import path

from async_views import urls
from benchmarks.servers.applications import views

urlpatterns = [
    path("hello", views.hello),
    path("orm", views.users),
    *urls.urlpatterns,
]
