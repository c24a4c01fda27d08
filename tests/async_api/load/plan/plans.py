"""Documents, limits and strategies that the tests of plans share."""

import string
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from async_api.load.plan.limits import PlanLimits

LIMITS = PlanLimits(
    rate=5000, seconds=600, connections=1000, requests=1_000_000, body_bytes=1000
)
unhurried = settings(deadline=None)  # a busy machine must not fail the test
URL = "http://example.org/a?b=c"

NAMES = st.text(string.ascii_letters + string.digits + "-_!~", min_size=1, max_size=12)
VALUES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t"), max_size=20
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SECONDS = st.floats(0.001, 6, allow_nan=False)


def document(**members: Any) -> dict[str, Any]:
    """A valid document, with other members."""
    return {
        "requests": [{"url": URL}],
        "load": {"kind": "closed", "connections": 2, "requests": 10},
    } | members


def with_request(**members: Any) -> dict[str, Any]:
    return document(requests=[{"url": URL} | members])


def optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


HEADERS = st.one_of(
    st.tuples(NAMES.map("X-{}".format), VALUES).map(list),
    st.fixed_dictionaries(
        {"name": NAMES.map("X-{}".format), "value": VALUES, "secret": st.booleans()}
    ),
    st.just(["Cookie", "a=b"]),
)
BODIES = st.one_of(
    st.fixed_dictionaries({"text": TEXTS}),
    st.fixed_dictionaries(
        {
            "json": st.recursive(
                st.none() | st.integers() | TEXTS, st.lists, max_leaves=4
            )
        }
    ),
    st.fixed_dictionaries({"base64": st.sampled_from(["", "gAA=", "AAEC/w=="])}),
    st.fixed_dictionaries(
        {
            "form": st.lists(
                st.fixed_dictionaries(
                    {"name": TEXTS.filter(bool), "value": TEXTS},
                    optional={"filename": TEXTS},
                ),
                min_size=1,
                max_size=3,
            )
        }
    ),
)
AUTHENTICATIONS = st.one_of(
    st.fixed_dictionaries({"bearer": st.just("token")}),
    st.fixed_dictionaries(
        {"user": VALUES.filter(lambda text: ":" not in text), "password": VALUES}
    ),
)
CHECKS = optional(
    statuses=st.lists(
        st.sampled_from([200, 404, "2xx", "201-299", "5xx", 599]), min_size=1
    ),
    contains=TEXTS.filter(bool),
    matches=st.sampled_from(["a+", r"\d{3}"]),
    header=NAMES,
    minimum_bytes=st.integers(0, 10),
    maximum_bytes=st.integers(10, 2**32 - 1),
)
REQUESTS = st.fixed_dictionaries(
    {
        "url": st.sampled_from(
            [URL, "https://[::1]:8443", "http://a_b.example/é ü?ö".replace(" ", "%20")]
        )
    },
    optional={
        "method": NAMES.filter(lambda name: name.upper() != "CONNECT"),
        "headers": st.lists(HEADERS, max_size=4),
        "body": BODIES,
        "authentication": AUTHENTICATIONS,
        "weight": st.integers(1, 1000),
        "checks": CHECKS,
    },
)
PACED = {"connections": st.integers(1, 1000)}
POISSON = {"spacing": st.just("poisson"), "seed": st.integers(0, 2**63 - 1)}
RATES = st.floats(0.001, 5000)
LOADS = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("closed"), "requests": st.integers(1, 1_000_000)},
        optional=PACED,
    ),
    st.fixed_dictionaries(
        {"kind": st.just("closed"), "seconds": SECONDS}, optional=PACED
    ),
    *(
        st.fixed_dictionaries(
            {"kind": st.just("rate"), "rate": RATES, "seconds": SECONDS} | spacing,
            optional=PACED,
        )
        for spacing in ({}, POISSON)
    ),
    *(
        st.fixed_dictionaries(
            {
                "kind": st.just("steps"),
                "of": st.just("rate"),
                "values": st.lists(RATES, min_size=1, max_size=10),
                "seconds": SECONDS,
            }
            | spacing,
            optional=PACED,
        )
        for spacing in ({}, POISSON)
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("steps"),
            "of": st.just("connections"),
            "values": st.lists(
                st.integers(1, 1000).map(float), min_size=1, max_size=100
            ),
            "seconds": SECONDS,
        }
    ),
)
CONDITIONS = optional(
    keep_alive=st.booleans(),
    connect_first=st.booleans(),
    ip=st.sampled_from(["either", "4", "6"]),
    connect_seconds=st.floats(0.001, 30),
    response_seconds=st.floats(0.001, 180),
    deadline_seconds=st.floats(0.001, 120),
    warm_up_seconds=st.floats(0, 0.0005),
    insecure=st.booleans(),
)
DOCUMENTS = st.fixed_dictionaries(
    {"requests": st.lists(REQUESTS, min_size=1, max_size=4), "load": LOADS},
    optional={
        "conditions": CONDITIONS,
        "budgets": st.lists(st.sampled_from(["p95<200ms", "failed<=0%", "rate>=4/s"])),
    },
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\ud800", "http://a/", "@a", 10**400])
)
MEMBERS = st.sampled_from(
    ["requests", "load", "conditions", "budgets", "url", "headers", "body", "json"]
    + [
        "form",
        "name",
        "value",
        "file",
        "checks",
        "statuses",
        "matches",
        "kind",
        "values",
    ]
    + ["rate", "seconds", "connections", "authentication", "user", "ca_file", "x"]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(MEMBERS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=15,
)
