"""Those who take turns: Hekla's programs, each measurement a process of its own, and the peers' workers."""

import json
import os
import pathlib
import select
import signal
import subprocess
import time

import setup
from measurement import Unavailable
from works import RERECORDING

# Compiling a training step can take minutes; nothing that works takes longer.
TIMEOUT = 600
# Nothing grows after the second step; PyTorch makes as many.
MEMORY_STEPS = 10
# What gpubench calls the value that a kind of work asks for.
FIELDS = {"case": "median_ms", "step": "median_ms", "launch": "host_us_per_launch", "memory": "peak_bytes"}


def reason(done):
    """Why a program failed, by the last line it wrote."""
    lines = done.stderr.strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else f"exit status {done.returncode}"


class Hekla:
    """gpubench, and hekla beside it."""

    def __init__(self, gpubench, environment):
        self.gpubench, self.environment = pathlib.Path(gpubench), environment

    def measure(self, work, seconds, rerecords=False):
        """What `work` takes, in its unit; what gpubench computes is checked by it."""
        if work.kind == "start":
            return self.start(work)
        arguments = ["--device", work.device, "--json"]
        if work.kind == "case":
            arguments = ["run", work.case, "--shape", work.shape, "--seconds", str(seconds), *arguments]
            arguments += ["--transpose", work.transpose] if work.transpose else []
            arguments += ["--batch", str(work.batch)] if work.batch > 1 else []
        else:
            arguments = ["step", work.case, *arguments]
            arguments += ["--steps", str(MEMORY_STEPS)] if work.kind == "memory" else []
            arguments += ["--rerecord"] if rerecords else []
        done = self.run([self.gpubench, *arguments])
        try:
            value = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise Unavailable(reason(done)) from None
        value = value[0] if isinstance(value, list) and value else value
        if not value or not value.get("passed"):
            raise Unavailable("its result is wrong" if value else reason(done))
        field = FIELDS[work.kind]
        if value[field] is None:
            raise Unavailable(f"{self.gpubench.name} does not know {field}")
        return value[field] / 1e6 if work.kind == "memory" else value[field]

    def start(self, work):
        """Seconds of a program that trains one step, on GPUs with kernels compiled by a run before."""
        program = self.gpubench.parent / "hekla"
        command = [program, "train", work.case, "--device", work.device, "--steps", "1"]
        for setting in ("rounds=-1", "iterations=1", "repetitions=1"):
            command += ["--set", setting]
        if work.device != "cpu":
            self.run(command)
        start = time.perf_counter()
        done = self.run(command)
        if done.returncode != 0:
            raise Unavailable(reason(done))
        return time.perf_counter() - start

    def run(self, command):
        try:
            return subprocess.run(
                command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT
            )
        except FileNotFoundError:
            product = command[0].name
            raise Unavailable(f"{product} is missing: swift build -c release --product {product}") from None
        except subprocess.TimeoutExpired:
            raise Unavailable(f"took more than {TIMEOUT} s") from None


class Worker:
    """A peer's process, which is stopped whenever it is not asked."""

    def __init__(self, peer, threads, environment):
        variables = dict(environment)
        if peer == "openblas" and "avx512f" in pathlib.Path("/proc/cpuinfo").read_text():
            # What Hekla sets too: OpenBLAS knows no processor that is younger than itself.
            variables["OPENBLAS_CORETYPE"] = "SKYLAKEX"
        script = pathlib.Path(__file__).with_name("worker.py")
        with open(setup.FOLDER / f"{peer}.log", "a") as log:
            # In a group of its own in this session, it gets SIGHUP and SIGCONT where this process is killed.
            self.process = subprocess.Popen(
                [setup.PYTHON, script, peer, str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=variables,
                process_group=0,
            )
        self.pending = b""
        try:
            self.versions = self.answer()["versions"]
        except Unavailable:
            self.end()
            raise

    def ask(self, request):
        os.killpg(self.process.pid, signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Unavailable("its process has ended") from None
        return self.answer()

    def answer(self):
        """What the process writes next; it is stopped then."""
        deadline = time.monotonic() + TIMEOUT
        while b"\n" not in self.pending:
            if not select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                self.end()
                raise Unavailable(f"took more than {TIMEOUT} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                status = self.process.wait()
                raise Unavailable(f"its process ended with status {status}")
            self.pending += part
        os.killpg(self.process.pid, signal.SIGSTOP)
        line, self.pending = self.pending.split(b"\n", 1)
        value = json.loads(line)
        if "error" in value:
            raise Unavailable(value["error"])
        return value

    @property
    def has_ended(self):
        return self.process.poll() is not None

    def end(self):
        if not self.has_ended:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Contenders:
    """Hekla and the peers by name; workers begin when they are first asked."""

    def __init__(self, gpubench, threads, peers):
        self.threads, self.environment = threads, setup.environment(threads)
        self.hekla = Hekla(gpubench, self.environment)
        self.workers, self.versions = {}, {}
        self.reasons = setup.prepare(peers)
        # The root mean squares of the first peer's outputs, by work.
        self.outputs = {}

    def measure(self, name, work, seconds):
        """What `name` takes for `work`, in the work's unit."""
        if name in ("hekla", RERECORDING):
            return self.hekla.measure(work, seconds, rerecords=name == RERECORDING)
        request = work.request | {"seconds": seconds}
        if work.kind == "memory":
            # What a process has had resident before is not given back: this needs a fresh one.
            worker = self.begun(name)
            try:
                return worker.ask(request)["bytes"] / 1e6
            finally:
                worker.end()
        if name not in self.workers or self.workers[name].has_ended:
            self.workers[name] = self.begun(name)
        value = self.workers[name].ask(request)
        self.compare(name, work, value["outputs"])
        return value["median_ms"]

    def begun(self, name):
        """A new worker of the peer `name`. A peer that cannot begin is not tried again."""
        if name in self.reasons:
            raise Unavailable(self.reasons[name])
        try:
            worker = Worker(name, self.threads, self.environment)
        except Unavailable as error:
            self.reasons[name] = str(error)
            raise
        self.versions |= worker.versions
        return worker

    def compare(self, name, work, outputs):
        """Refuses outputs whose sizes are not those of the peer that came first."""
        if not outputs:
            return
        other, expected = self.outputs.setdefault(work.name, (name, outputs))
        agree = (abs(one - two) <= 1e-3 * abs(two) for one, two in zip(outputs, expected))
        if len(outputs) != len(expected) or not all(agree):
            raise Unavailable(f"its result is not that of {other}")

    def end(self):
        for worker in self.workers.values():
            worker.end()
