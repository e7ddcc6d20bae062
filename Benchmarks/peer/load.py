"""How much of the processors others took: timings beside them are worth little."""

import os
import time


def busy_seconds():
    """Processor time that was not idle since the system began, with what a hypervisor took away."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, interrupts, soft, stolen = map(int, file.readline().split()[1:9])
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    """Processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


class Load:
    """Measures from when it is made."""

    def __init__(self):
        self.start = time.monotonic(), busy_seconds(), own_seconds()

    def others(self):
        """The share of all processors that others have taken since; running children count as others."""
        seconds, busy, own = (
            now - then for now, then in zip((time.monotonic(), busy_seconds(), own_seconds()), self.start)
        )
        return min(1, max(0, busy - own) / (seconds * os.cpu_count()))
