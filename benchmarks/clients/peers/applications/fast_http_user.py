"""A user of Locust that sends its next request once it has a response."""

from locust import FastHttpUser


def get(user: FastHttpUser) -> None:
    user.client.get("/")


class User(FastHttpUser):
    tasks = [get]
