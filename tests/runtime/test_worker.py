"""Does a worker do nothing but its work?"""

from urllib.request import urlopen

from tests.site import Site


def test_the_collector_never_walks_what_a_worker_loaded_at_its_start() -> None:
    with Site("tests.runtime.heap:application") as site, urlopen(site.url) as answer:
        frozen = int(answer.read())

    assert frozen > 10_000
