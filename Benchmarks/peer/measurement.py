"""How a peer's work is timed: as gpubench times Hekla's.

Called once to warm up, it is called again as often as fills two milliseconds, and such batches are timed
until the time is over, at least three. The result is the median of the batches' times, divided by their
calls.
"""

import dataclasses
import statistics
import time
import typing


class Unavailable(Exception):
    """Why something cannot be measured, in words for a person."""


def required(condition, reason):
    """Stops the preparation of a measurement where `condition` does not hold."""
    if not condition:
        raise Unavailable(reason)


@dataclasses.dataclass
class Prepared:
    """A work that is ready to be timed.

    `call` begins it and returns its result; `finish` waits until a result and all before it are there. A call
    does the work `divisor` times. `outputs` gives the result as a list of NumPy arrays, by which the peers
    check each other.
    """

    call: typing.Callable
    finish: typing.Callable
    divisor: int = 1
    outputs: typing.Callable | None = None


def median_milliseconds(prepared, seconds, repetitions=100):
    """The median time of doing the work once."""

    def timed(count):
        start = time.perf_counter()
        for _ in range(count):
            result = prepared.call()
        prepared.finish(result)
        return (time.perf_counter() - start) * 1e3 / count

    timed(1)
    count = max(1, min(1000, int(2 / max(timed(1), 0.001))))
    timed(count)
    times = []
    start = time.perf_counter()
    while len(times) < repetitions and (len(times) < 3 or time.perf_counter() - start < seconds):
        times.append(timed(count))
    return statistics.median(times) / prepared.divisor
