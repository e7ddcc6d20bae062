"""What the comparisons in this folder share.

Hekla's cpu device and PyTorch's eager mode take turns, each in a process of its own so that no library's waiting threads
disturb the next. PyTorch does a step in each of several ways and is judged by the fastest; what is compared is the median
over rounds. With --busy both are measured in seconds of processor time of one thread, for machines that others use too.

Each comparison needs `swift build -c release --product hekla`, and PyTorch in the Python that runs it.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def hekla(options, label, arguments, count):
    """Steps per second of the training called `label`, by the program's progress line.

    `arguments` makes those of the program for a number of steps. Processor time is that of `count` steps more than the
    shortest run, as what is not training is there in both.
    """

    def run(steps):
        command = [ROOT / ".build/release/hekla", *arguments(steps)]
        environment = dict(os.environ, HEKLA_THREADS=str(options.threads))
        environment.pop("HEKLA_DATA", None)
        before = os.times()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        after = os.times()
        rates = re.findall(rf"^{label}: .*?([\d.]+) steps/s", done.stderr, re.MULTILINE)
        if not rates:
            sys.exit(f"{command[0]} did not say how fast '{label}' was:\n{done.stderr}")
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        return float(rates[-1]), spent

    if not options.busy:
        return run(count)[0]
    return count / (run(count + 10)[1] - run(10)[1])


def peer(options, count, ways):
    """Steps per second of PyTorch by way, from a process of its own."""
    command = [sys.executable, *sys.argv, "--peer", *ways, "--threads", str(options.threads), "--steps", str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def timed(options, step):
    """How many times per second `step`, which takes its number, is done."""
    clock = time.process_time if options.busy else time.perf_counter
    for number in range(10):
        step(number)
    start = clock()
    for number in range(options.steps):
        step(number)
    return options.steps / (clock() - start)


def compare(description, ways, here, there, steps=200, has_busy=True, arguments=()):
    """Runs a comparison from the command line.

    `ways` are what PyTorch's may be called. `here` gives Hekla's steps per second from options and a number of steps.
    `there` makes, from options, a function from a way to a step of PyTorch: a function that takes the step's number.
    `has_busy` says whether the steps are all that the program does, so that its processor time tells theirs.
    `arguments` are further ones that must be given, each with what it is.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=steps)
    if has_busy:
        parser.add_argument("--busy", action="store_true", help="compare processor time of one thread")
    parser.add_argument("--peer", nargs="+", choices=ways, help=argparse.SUPPRESS)
    for name, about in arguments:
        parser.add_argument(name, required=True, help=about)
    options = parser.parse_args(namespace=argparse.Namespace(busy=False))
    if options.busy:
        options.threads = 1
    if options.peer:
        import torch

        torch.set_num_threads(options.threads)
        torch.manual_seed(0)
        step = there(options)
        return print(json.dumps({way: timed(options, step(way)) for way in options.peer}))

    trial = peer(options, max(options.steps // 5, 5), ways)
    fastest = max(trial, key=trial.get)
    print("PyTorch, steps/s: " + ", ".join(f"{way} {rate:.1f}" for way, rate in trial.items()))
    rounds = []
    for _ in range(options.rounds):
        pair = here(options, options.steps), peer(options, options.steps, [fastest])[fastest]
        rounds.append(pair)
        print(f"Hekla {pair[0]:.1f}, PyTorch ({fastest}) {pair[1]:.1f}, ratio {pair[0] / pair[1]:.2f}", flush=True)
    medians = [statistics.median(rates) for rates in zip(*rounds)]
    ratio = statistics.median(pair[0] / pair[1] for pair in rounds)
    print(f"median of {options.rounds} rounds: Hekla {medians[0]:.1f}, PyTorch {medians[1]:.1f} steps/s, ratio {ratio:.2f}")
