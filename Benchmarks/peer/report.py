"""What was measured as text, Markdown and JSON, and whether it meets the targets."""

import dataclasses
import math
import os
import platform
import statistics
import sys

from works import RATIO

TITLES = {
    "torch_compile": "torch.compile",
    "onednn": "oneDNN",
    "openblas": "OpenBLAS",
    "clblast": "CLBlast",
    "torch": "PyTorch",
    "jax": "JAX",
    "onnxruntime": "ONNX Runtime",
    "hekla": "Hekla",
}


def title(name):
    return TITLES.get(name, name)


@dataclasses.dataclass
class Result:
    """The rounds of one work: the values of each contender by name, or why there are none."""

    work: object
    values: dict
    reasons: dict

    def ratio(self, peer):
        """The median over rounds of what the peer takes as a multiple of what Hekla takes, or None."""
        pairs = zip(self.values.get(peer, []), self.values.get("hekla", []))
        ratios = [theirs / ours for theirs, ours in pairs if ours > 0]
        return statistics.median(ratios) if ratios else None

    def median(self, name):
        values = self.values.get(name)
        return statistics.median(values) if values else None


@dataclasses.dataclass
class Verdict:
    """What a target's statistic is, or why it is not known."""

    target: object
    value: float | None
    reason: str = ""

    @property
    def is_met(self):
        if self.value is None:
            return False
        excess = self.value - self.target.threshold
        return excess >= 0 if self.target.statistic == RATIO else excess <= 0

    @property
    def state(self):
        return ("met" if self.is_met else "missed") if self.value is not None else "not measured"


def verdict(target, results):
    """What `results`, by name of the work, say of `target`; all its works and all its peers are needed."""
    numbers = []
    for name in target.works:
        result = results[name]
        missing = [who for who in ("hekla", *target.peers) if result.median(who) is None]
        if missing:
            reasons = "; ".join(f"{title(who)}: {result.reasons.get(who, 'no value')}" for who in missing)
            return Verdict(target, None, f"{name}: {reasons}" if len(target.works) > 1 else reasons)
        if not target.peers:
            numbers.append(result.median("hekla"))
            continue
        ratios = [result.ratio(peer) for peer in target.peers]
        if None in ratios:
            return Verdict(target, None, f"{name}: Hekla takes nothing")
        best = min(ratios)
        numbers.append(best if target.statistic == RATIO else 1 / best)
    value = statistics.geometric_mean(numbers) if target.statistic == RATIO else max(numbers)
    return Verdict(target, value)


def number(value):
    """Three digits, or as many as stand before the point."""
    if value is None:
        return "-"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:.{min(digits, 6)}f}"


def short(reason):
    """The first sentence of a reason, cut where it is long; JSON has all of it."""
    sentence = reason.split(". ")[0].removesuffix(".")
    return sentence if len(sentence) <= 90 else sentence[:89] + "…"


def target_rows(verdicts):
    rows = [["target", "peers", "statistic", "threshold", "value", "state"]]
    for verdict in verdicts:
        target = verdict.target
        sign = "≥" if target.statistic == RATIO else "≤"
        peers = ", ".join(map(title, target.peers)) or "-"
        state = verdict.state + (f": {short(verdict.reason)}" if verdict.reason else "")
        rows.append(
            [
                target.name,
                peers,
                target.statistic,
                f"{sign} {target.threshold:g}",
                number(verdict.value),
                state,
            ]
        )
    return rows


def work_rows(results):
    rows = [["work", "unit", "Hekla", "peer", "peer's", "ratio", "note"]]
    for result in results:
        work = result.work
        head = [work.name, work.unit, number(result.median("hekla"))]
        failed = f"Hekla not measured: {short(result.reasons['hekla'])}" if "hekla" in result.reasons else ""
        if not work.peers:
            rows.append([*head, "-", "-", "-", failed])
        for peer in work.peers:
            note = f"not measured: {short(result.reasons[peer])}" if peer in result.reasons else failed
            rows.append([*head, title(peer), number(result.median(peer)), number(result.ratio(peer)), note])
            head, failed = ["", "", ""], ""
    return rows


def aligned(rows, numeric):
    """`rows` as lines; the columns in `numeric` are aligned right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


TARGET_NUMBERS, WORK_NUMBERS = {3, 4}, {2, 4, 5}


def text(results, verdicts):
    """Both tables for a terminal; the states have colours where it shows them."""
    targets = aligned(target_rows(verdicts), TARGET_NUMBERS)
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        for index, verdict in enumerate(verdicts, 1):
            colour = {"met": 32, "missed": 31, "not measured": 33}[verdict.state]
            head, state, tail = targets[index].partition(verdict.state)
            targets[index] = f"{head}\033[{colour}m{state}\033[0m{tail}"
    return "\n".join([*aligned(work_rows(results), WORK_NUMBERS), "", *(targets if verdicts else [])])


def summary(verdicts):
    return f"{sum(verdict.is_met for verdict in verdicts)} of {len(verdicts)} targets met"


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def markdown(results, verdicts, conditions):
    """The report that is kept."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(conditions["versions"].items()))
    targets = "\n".join(aligned(target_rows(verdicts), TARGET_NUMBERS))
    works = "\n".join(aligned(work_rows(results), WORK_NUMBERS))
    return f"""\
# Hekla beside its peers

Written by `Benchmarks/peers`, whose `--help` tells how it measures. A ratio is what the peer takes divided by
what Hekla takes, the median over rounds: above 1, Hekla is faster, or takes less.

- Processor: {conditions["processor"]}; other processes took {conditions["others"]:.0%} of the processors.
- Threads: {conditions["threads"]}; rounds: {conditions["rounds"]}; a measurement: {conditions["seconds"]:g} s.
- Versions: {versions}.

## Targets

```
{targets}
```

{summary(verdicts)}.

## Works

```
{works}
```
"""


def document(results, verdicts, conditions):
    """The report as an object for JSON."""
    works = [
        {
            "work": result.work.name,
            "unit": result.work.unit,
            "rounds": result.values,
            "ratios": {peer: result.ratio(peer) for peer in result.work.peers},
            "not_measured": result.reasons,
        }
        for result in results
    ]
    targets = [
        dataclasses.asdict(verdict.target)
        | {"value": verdict.value, "state": verdict.state, "reason": verdict.reason}
        for verdict in verdicts
    ]
    met = sum(verdict.is_met for verdict in verdicts)
    return conditions | {"works": works, "targets": targets, "met": met}
