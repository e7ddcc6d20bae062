"""Runs all cases in PyTorch and in Hekla's executable parity-cases, and compares them. Called by tools/parity."""

import argparse
import collections
import dataclasses
import fnmatch
import json
import math
import pathlib
import shutil
import subprocess
import sys
import warnings
import zlib

import numpy
import torch

import elementwise_cases
import index_cases
import layer_cases
import matrix_cases
import product_cases
import recurrent_cases
import reduction_cases

CASES = [
    case
    for module in (
        elementwise_cases, reduction_cases, product_cases, layer_cases, recurrent_cases, index_cases, matrix_cases)
    for case in module.CASES
]
ROUNDOFF = 2.0**-24
# Results below the least normal number may be flushed to 0.
LEAST_NORMAL = 2.0**-126
STEP = 2.0**-30
DRAWS = 8


@dataclasses.dataclass
class Result:
    """What became of a case; ratios are the largest error over what is allowed."""

    case: object
    status: str  # passed, failed
    ratio: float = 0.0
    peer_ratio: float = 0.0
    note: str = ""


class Problem:
    """A case with its numbers: what both sides get, and PyTorch's results in float64."""

    def __init__(self, case):
        self.case = case
        self.random = numpy.random.default_rng(zlib.crc32(case.name.encode()))
        self.arrays = [input.make(self.random) for input in case.inputs]
        self.wanted = [
            number for number, (input, array) in enumerate(zip(case.inputs, self.arrays))
            if case.has_gradient and not input.is_constant and array.dtype == numpy.float32]
        outputs = self.outputs(self.arrays, torch.float64)
        self.labels = [f"output {number}" for number in range(len(outputs))]
        self.labels += [f"gradient {number}" for number in self.wanted]
        self.upstreams = []
        if self.wanted:
            self.upstreams = [self.random.uniform(-1, 1, tuple(y.shape)).astype(numpy.float32) for y in outputs]
        self.truth = self.evaluate(self.arrays, self.upstreams, torch.float64)

    def outputs(self, arrays, dtype, is_tracked=False):
        """PyTorch's outputs; where tracked, also the tensors whose gradients are wanted."""
        tensors = []
        for number, array in enumerate(arrays):
            tensor = torch.from_numpy(numpy.ascontiguousarray(array))
            if tensor.dtype.is_floating_point:
                tensor = tensor.to(dtype)
            elif tensor.dtype == torch.int32:
                tensor = tensor.long()
            tensors.append(tensor.requires_grad_() if is_tracked and number in self.wanted else tensor)
        result = self.case.function(*tensors)
        result = list(result) if isinstance(result, (tuple, list)) else [result]
        return (result, [tensors[number] for number in self.wanted]) if is_tracked else result

    def evaluate(self, arrays, upstreams, dtype):
        """Outputs and gradients, as arrays."""
        outputs, sources = self.outputs(arrays, dtype, is_tracked=True)
        gradients = []
        if sources:
            # What no gradient flows through, such as a sign, has none to ask for.
            pairs = [(y, torch.from_numpy(u).to(dtype)) for y, u in zip(outputs, upstreams) if y.requires_grad]
            gradients = torch.autograd.grad(
                [y for y, _ in pairs], sources, [u for _, u in pairs], allow_unused=True)
            gradients = [torch.zeros_like(x) if g is None else g for x, g in zip(sources, gradients)]
        results = [*outputs, *gradients]
        return [(y.float() if y.dtype == torch.bfloat16 else y).detach().numpy() for y in results]

    def changed(self, change):
        """Outputs and gradients where each real input and upstream array went through `change`."""
        def of(array):
            if array.dtype != numpy.float32:
                return array
            return numpy.asarray(change(array.astype(numpy.float64)))
        return self.evaluate([of(x) for x in self.arrays], [of(u) for u in self.upstreams], torch.float64)

    def magnitudes(self):
        """For each output and gradient what the rule's factor and the roundoff are multiplied with."""
        kind = self.case.rule.magnitude
        if kind == "none":
            return [numpy.zeros_like(y, dtype=numpy.float64) for y in self.truth]
        if kind == "absolute":
            return [numpy.abs(y) for y in self.changed(numpy.abs)]
        sensitivity = [numpy.zeros(y.shape) for y in self.truth]
        for _ in range(DRAWS):
            def change(x):
                scale = numpy.abs(x).max(initial=0) if kind == "matrix" else numpy.abs(x)
                return x + STEP * scale * self.random.choice([-1.0, 1.0], x.shape)
            for most, y, moved in zip(sensitivity, self.truth, self.changed(change)):
                numpy.maximum(most, numpy.abs(moved - y) / STEP, out=most)
        sums = [numpy.abs(y) + s for y, s in zip(self.truth, sensitivity)]
        if kind == "saturating":
            sums[0] += numpy.minimum(numpy.abs(self.arrays[0]), 1)
            sums[1] += numpy.abs(self.upstreams[0])
        if kind in ("element", "saturating"):
            return sums
        most = [s.max(initial=0) for s in sums]
        return [numpy.full(s.shape, max(most) if kind == "together" else own) for s, own in zip(sums, most)]

    def allowed(self):
        """How far each element of each output and gradient may be off."""
        factor = self.case.rule.factor * ROUNDOFF
        floor = LEAST_NORMAL if factor else 0
        return [factor * magnitude + floor for magnitude in self.magnitudes()]

    def write(self, folder):
        """Puts what Hekla needs into `folder`."""
        folder.mkdir(parents=True)
        for number, array in enumerate(self.arrays):
            kind = "argument" if number in self.wanted else "constant"
            numpy.save(folder / f"{kind}-{number}.npy", numpy.ascontiguousarray(array))
        for number, array in enumerate(self.upstreams):
            numpy.save(folder / f"upstream-{number}.npy", array)


def kind(array):
    """Real, whole or truth: what both sides have to agree on of an element type."""
    return {"f": "real", "i": "whole", "u": "whole", "b": "truth"}[array.dtype.kind]


def worst(found, truth, allowed):
    """The largest error over what is allowed, and where it is; infinite where anything is wrong that has no size."""
    if found.shape != truth.shape:
        return math.inf, f"shape {list(found.shape)}, not {list(truth.shape)}"
    if kind(found) != kind(truth):
        return math.inf, f"{found.dtype}, not {truth.dtype}"
    found, truth = found.astype(numpy.float64), truth.astype(numpy.float64)
    same = (found == truth) | (numpy.isnan(found) & numpy.isnan(truth))
    with numpy.errstate(invalid="ignore", divide="ignore"):
        ratios = numpy.where(same, 0, numpy.abs(found - truth) / allowed)
    ratios = numpy.where(numpy.isnan(ratios), math.inf, ratios)
    if ratios.size == 0:
        return 0.0, ""
    place = numpy.unravel_index(ratios.argmax(), ratios.shape)
    where = f"at {[int(index) for index in place]}: {found[place]:.9g}, not {truth[place]:.9g}"
    return float(ratios[place]), where


def judge(problem, folder):
    """The case's result from what Hekla wrote."""
    case = problem.case
    error = folder / "error.txt"
    if error.exists():
        return Result(case, "failed", math.inf, note=error.read_text())
    paths = [folder / (label.replace(" ", "-") + ".npy") for label in problem.labels]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        return Result(case, "failed", math.inf, note=f"there is no {', '.join(missing)}")
    if (folder / f"output-{len([p for p in paths if p.name.startswith('output')])}.npy").exists():
        return Result(case, "failed", math.inf, note="there are more outputs than PyTorch's")
    result = Result(case, "passed")
    peer = problem.evaluate(problem.arrays, problem.upstreams, torch.float32)
    for label, path, truth, own, allowed in zip(problem.labels, paths, problem.truth, peer, problem.allowed()):
        ratio, where = worst(numpy.load(path), truth, allowed)
        if ratio > result.ratio:
            result.ratio, result.note = ratio, f"{label} {where}"
        result.peer_ratio = max(result.peer_ratio, worst(own, truth, allowed)[0])
    if result.ratio > 1:
        result.status = "failed"
    else:
        result.note = ""
    return result


def run_hekla(executable, device, folder, names):
    """Computes the cases `names`; goes on after one that ends the process, and returns what it said by case."""
    left, fates = list(names), {}
    while left:
        done = subprocess.run(
            [executable, "--device", device, folder, *left], capture_output=True, text=True)
        started = [line for line in done.stdout.splitlines() if line in left]
        if done.returncode == 0:
            break
        if not started:
            sys.exit(f"parity: {done.stderr.strip() or done.stdout.strip()}")
        said = [line for line in done.stderr.splitlines() if "Fatal error" in line]
        fates[started[-1]] = said[0] if said else f"the process ended with status {done.returncode}"
        left = left[left.index(started[-1]) + 1:]
    return fates


def check_names(executable):
    """Both sides have the same cases."""
    listed = subprocess.run([executable, "--list"], capture_output=True, text=True, check=True).stdout.split()
    own = [case.name for case in CASES]
    repeated = sorted({name for name in own if own.count(name) > 1})
    problems = [
        (f"PyTorch's side has twice: {', '.join(repeated)}", repeated),
        (f"Hekla's side lacks: {', '.join(sorted(set(own) - set(listed)))}", set(own) - set(listed)),
        (f"PyTorch's side lacks: {', '.join(sorted(set(listed) - set(own)))}", set(listed) - set(own))]
    texts = [text for text, found in problems if found]
    if texts:
        sys.exit("parity: " + "; ".join(texts))


def text_table(header, rows):
    """Aligned columns; the first is left-aligned, the last runs on."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1])]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def by_family(results):
    """For each family its cases, failures and largest ratios."""
    rows = []
    for family in dict.fromkeys(result.case.family for result in results):
        own = [result for result in results if result.case.family == family]
        most = max(own, key=lambda result: result.ratio)
        rows.append([
            family, str(len(own)), str(sum(result.status == "failed" for result in own)),
            f"{most.ratio:.3f}", f"{max(result.peer_ratio for result in own):.3f}",
            most.case.name if most.ratio > 0 else ""])
    return rows


FAMILY_HEADER = ["family", "cases", "failed", "worst ratio", "torch float32", "case"]


def summary(results):
    counts = collections.Counter(result.status for result in results)
    return f"{counts['passed']} passed, {counts['failed']} failed"


def main():
    parser = argparse.ArgumentParser(prog="parity")
    parser.add_argument("--device", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    check_names(options.executable)
    cases = [
        case for case in CASES
        if not options.names or any(fnmatch.fnmatchcase(case.name, name) for name in options.names)]
    if not cases:
        sys.exit(f"parity: no case is called {' or '.join(options.names)}")

    shutil.rmtree(options.folder, ignore_errors=True)
    problems = [Problem(case) for case in cases]
    for problem in problems:
        problem.write(options.folder / problem.case.name)
    fates = run_hekla(options.executable, options.device, options.folder, [case.name for case in cases])
    results = [judge(problem, options.folder / problem.case.name) for problem in problems]
    for result in results:
        result.note = fates.get(result.case.name, result.note)

    title = f"device {options.device}, PyTorch {torch.__version__}, float32 against float64"
    if options.json:
        print(json.dumps({
            "device": options.device, "torch": torch.__version__, "summary": summary(results),
            "cases": [
                {"name": r.case.name, "family": r.case.family, "status": r.status, "ratio": r.ratio,
                 "torch_float32_ratio": r.peer_ratio, "note": r.note} for r in results]}, indent=2))
    else:
        rows = [
            [r.case.name, r.case.family, r.status, f"{r.ratio:.3f}", f"{r.peer_ratio:.3f}", " ".join(r.note.split())]
            for r in results]
        print(title)
        print(text_table(["case", "family", "result", "ratio", "torch float32", ""], rows))
        print()
        print(text_table(FAMILY_HEADER, by_family(results)))
        print(summary(results))
    sys.exit(any(result.status == "failed" for result in results))


if __name__ == "__main__":
    main()
