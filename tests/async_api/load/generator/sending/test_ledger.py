"""What a ledger writes down of exchanges, whose facts the tests state."""

from array import array

from async_api.load.generator.sending.ledger import Due, Ledger, waterfall
from async_api.load.plan.plan import Checks
from async_api.load.recording import Flag, Outcome
from async_api.load.run import OpenedConnection
from async_api.load.wire.connection import Connection
from async_api.load.wire.limits import ResponseLimits
from tests.async_api.load.generator.plans import plan_of

BEGAN = 5_000_000_500


def exchange(**facts: object) -> Connection:
    """A connection at the end of an exchange, with times in µs after the beginning."""
    connection = Connection(lambda it: None, lambda it: None, ResponseLimits(1000))
    for name, value in {"outcome": 200, "fresh": False, **facts}.items():
        if name in ("sent", "written", "first_byte", "ended"):
            assert isinstance(value, int)
            value = BEGAN + 1000 * value if value else 0
        setattr(connection, name, value)
    return connection


def ledger(checks: Checks | None = None) -> Ledger:
    return Ledger(plan_of("http://192.0.2.1/", checks=checks), BEGAN)


def test_times_are_microseconds_after_the_beginning() -> None:
    own = ledger()

    own.exchanged(
        BEGAN + 1_999, 0, 0, exchange(sent=3, written=4, first_byte=7, ended=9, size=2)
    )

    recording = own.recording
    assert [each[0] for each in (recording.planned, recording.sent)] == [1, 3]
    assert [each[0] for each in (recording.first_byte, recording.ended)] == [7, 9]
    assert (own.reused, own.failed, own.unanswered) == (1, 0, 0)


def test_a_failure_without_a_response_has_no_first_byte() -> None:
    own = ledger()

    own.exchanged(
        BEGAN,
        0,
        0,
        exchange(sent=3, ended=9, outcome=Outcome.TIMEOUT, message="Too slow."),
    )

    assert own.recording.first_byte == array("i", [-1])
    assert (own.failed, own.unanswered, own.unsent) == (1, 1, 0)


def test_the_first_failure_of_each_kind_is_kept_and_the_others_counted() -> None:
    own = ledger()
    for time in (5, 8):
        own.unsent_request(
            Due(BEGAN, 0, 0), BEGAN + time * 1000, Outcome.DNS, f"After {time} µs."
        )
    own.unsent_request(Due(BEGAN, 0, 0), BEGAN + 2000, Outcome.SHED, "Late.")

    late, unknown = own.failures

    assert (late.kind, late.time, late.count) == ("shed", 2, 1)
    assert (unknown.kind, unknown.time, unknown.count) == ("dns", 5, 2)
    assert unknown.message == "After 5 µs."
    assert (own.failed, own.shed, own.unsent) == (2, 1, 3)


def test_an_error_status_has_failed_unless_the_plan_expects_it() -> None:
    default, expecting = ledger(), ledger(Checks(statuses=frozenset({503})))

    for own in (default, expecting):
        own.exchanged(BEGAN, 0, 0, exchange(sent=1, ended=2, outcome=503))

    assert (default.failed, expecting.failed) == (1, 0)


def test_a_redirect_is_flagged_beside_what_was_known_before() -> None:
    own = ledger()

    own.exchanged(BEGAN, 0, Flag.WARM_UP, exchange(sent=1, ended=2, redirect=True))

    assert own.recording.flags[0] == Flag.WARM_UP | Flag.REDIRECT


def test_connections_opened_before_the_clock_have_negative_times() -> None:
    own = ledger()
    own.connected(
        OpenedConnection(opened=5_000_700, address="::1", port=1, lookup=0, tcp=1)
    )

    own.begin(BEGAN + 1_000_000)

    assert own.kept[0].opened == -300


def test_the_phases_of_a_waterfall_add_up() -> None:
    opened = OpenedConnection(
        opened=0, address="::1", port=1, lookup=11, tcp=22, tls=33
    )
    ended = exchange(sent=1, written=3, first_byte=8, ended=20, server_timing="db")

    cold = waterfall(ended, opened)
    warm = waterfall(ended, None)

    assert (cold.send, cold.wait, cold.receive) == (2, 5, 12)
    assert cold.total == 11 + 22 + 33 + 19
    assert warm.total == 19
    assert cold.server_timing == "db"


def test_a_response_before_the_request_was_written_whole_ends_the_sending() -> None:
    for written in (0, 9):
        early = waterfall(
            exchange(sent=1, written=written, first_byte=6, ended=7), None
        )

        assert (early.send, early.wait, early.receive) == (5, 0, 1)
