"""A chess exhibition of 24 boards, played one board at a time and around the room.

The numbers are from Miguel Grinberg's talk at PyCon 2017 about Judit Polgár: 24 amateurs,
5 s per move for the master, 55 s for the amateurs, 30 pairs of moves per game.
"""

import asyncio

from async_api.bridges.experiments.calls import event_loop
from async_api.bridges.experiments.experiment import AsynchronousExperiment, Prediction
from async_api.bridges.recording import Activity
from async_api.bridges.surroundings import Surroundings
from async_api.bridges.trial import Parameters, Trial

BOARDS = 24
PAIRS = 30
MASTER_SECONDS = 5
AMATEUR_SECONDS = 55
HOUR = 3600
ONE_BOARD_AT_A_TIME = BOARDS * PAIRS * (MASTER_SECONDS + AMATEUR_SECONDS)
AROUND_THE_ROOM = BOARDS * PAIRS * MASTER_SECONDS + AMATEUR_SECONDS


class Exhibition:
    """The players' clock, on which an hour lasts `sleep_seconds`."""

    def __init__(self, trial: Trial) -> None:
        self._recording = trial.recording
        self._began = trial.recording.now()
        self._scale = trial.parameters.sleep_seconds / HOUR

    async def move(
        self, board: int, begins: float, seconds: float, activity: Activity
    ) -> float:
        """Makes a move; returns when it ends. All times are seconds on the players' clock.

        It sleeps until the end of the move rather than for its length: timers of an event
        loop are accurate to a millisecond, and the errors of all moves would add up.
        """
        ends = begins + seconds
        with self._recording.span(activity, f"board {board}"):
            due = self._began / 1_000_000 + ends * self._scale
            await asyncio.sleep(max(due - self._recording.now() / 1_000_000, 0))
        return ends

    async def master(self, board: int, begins: float) -> float:
        return await self.move(board, begins, MASTER_SECONDS, Activity.MOVING)

    async def amateur(self, board: int, begins: float) -> float:
        return await self.move(board, begins, AMATEUR_SECONDS, Activity.THINKING)


async def play_one_board_at_a_time(trial: Trial) -> None:
    exhibition, now = Exhibition(trial), 0.0
    for board in range(1, BOARDS + 1):
        for _ in range(PAIRS):
            now = await exhibition.master(board, now)
            now = await exhibition.amateur(board, now)


async def play_around_the_room(trial: Trial) -> None:
    exhibition, now = Exhibition(trial), 0.0
    replies: dict[int, asyncio.Task[float]] = {}
    async with asyncio.TaskGroup() as tasks:
        for _ in range(PAIRS):
            for board in range(1, BOARDS + 1):
                if board in replies:
                    now = max(now, await replies[board])
                now = await exhibition.master(board, now)
                replies[board] = tasks.create_task(exhibition.amateur(board, now))


def predict_one_board_at_a_time(
    parameters: Parameters, surroundings: Surroundings
) -> Prediction:
    return Prediction(
        ONE_BOARD_AT_A_TIME / HOUR * parameters.sleep_seconds,
        f"The master waits at each board: {BOARDS} × {PAIRS} × ({MASTER_SECONDS} s + {AMATEUR_SECONDS} s) are "
        f"{ONE_BOARD_AT_A_TIME / HOUR:g} hours, of {parameters.sleep_seconds:g} s each here.",
    )


def predict_around_the_room(
    parameters: Parameters, surroundings: Surroundings
) -> Prediction:
    return Prediction(
        AROUND_THE_ROOM / HOUR * parameters.sleep_seconds,
        f"While one thinks, the master moves at the other boards: {BOARDS} × {PAIRS} × {MASTER_SECONDS} s, and "
        f"{AMATEUR_SECONDS} s for the last reply, are {AROUND_THE_ROOM / HOUR:.2f} hours, of {parameters.sleep_seconds:g} s each here.",
    )


def seconds_in_a_row(parameters: Parameters) -> float:
    return ONE_BOARD_AT_A_TIME / HOUR * parameters.sleep_seconds


SCALE_LABEL = "An hour takes, seconds"
SCALE_HELP = "How long an hour of the exhibition takes here"

CHESS_ONE_BOARD_AT_A_TIME = AsynchronousExperiment(
    name="chess_one_board_at_a_time",
    title="The chess exhibition, one board at a time",
    shows="A master who waits for each reply plays twelve hours against 24 amateurs: code that awaits one thing after the other.",
    parameter_names=("sleep_time",),
    run=play_one_board_at_a_time,
    predict=predict_one_board_at_a_time,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="chess_around_the_room",
    sleep_label=SCALE_LABEL,
    sleep_help=SCALE_HELP,
)
CHESS_AROUND_THE_ROOM = AsynchronousExperiment(
    name="chess_around_the_room",
    title="The chess exhibition, around the room",
    shows="The same master moves on to the next board while an amateur thinks, and plays for one hour, as an event loop does.",
    parameter_names=("sleep_time",),
    run=play_around_the_room,
    predict=predict_around_the_room,
    executor=event_loop,
    seconds_in_a_row=seconds_in_a_row,
    counterpart="chess_one_board_at_a_time",
    sleep_label=SCALE_LABEL,
    sleep_help=SCALE_HELP,
)
