"""The Flask application."""

from flask import Flask, Response

from benchmarks.servers.applications.answers import HELLO, current_time

application = Flask(__name__)


def hello() -> Response:
    return Response(HELLO, mimetype="text/plain")


def time() -> dict[str, int | str]:
    return current_time()


application.add_url_rule("/hello", view_func=hello)
application.add_url_rule("/time", view_func=time)
