"""A peer's process: prepares and times the works that its standard input names, one JSON object a line.

  worker.py PEER THREADS

It first answers with its versions, and then each request, {"case", "extents", "options", "seconds"}, with
{"median_ms", "outputs"}, where the latter has the root mean square of each output, or with {"error"}. A work
is kept until another is asked for. What a library prints goes to standard error.
"""

import importlib
import json
import os
import sys
import traceback

import measurement


def answer(peer, kept, request):
    """What is answered to `request`; `kept` has the prepared work of the last."""
    work = request["case"], request["extents"], request["options"]
    if request["case"].startswith("memory-"):
        return {"bytes": peer.peak_bytes(request["case"].removeprefix("memory-"))}
    if work != kept["work"]:
        # What the last one took is returned before the next is made.
        kept |= {"work": None, "prepared": None}
        prepared = peer.CASES[request["case"]](request["extents"], request["options"])
        sizes = []
        if prepared.outputs:
            sizes = [float((abs(array).astype("float64") ** 2).mean() ** 0.5) for array in prepared.outputs()]
        kept |= {"work": work, "prepared": prepared, "outputs": sizes}
    milliseconds = measurement.median_milliseconds(kept["prepared"], request["seconds"])
    return {"median_ms": milliseconds, "outputs": kept["outputs"]}


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def reply(value):
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    def guarded(function):
        """What `function` gives, or why it cannot."""
        try:
            return function()
        except measurement.Unavailable as error:
            return {"error": str(error)}
        except Exception as error:
            traceback.print_exc()
            text = str(error).strip().splitlines()
            return {"error": f"{type(error).__name__}: {text[0]}" if text else type(error).__name__}

    def began():
        nonlocal peer
        peer = importlib.import_module(f"{name}_peer")
        peer.start(threads)
        return {"versions": peer.versions()}

    peer, kept = None, {"work": None}
    reply(guarded(began))
    for line in sys.stdin:
        request = json.loads(line)
        reply(guarded(lambda: answer(peer, kept, request)))


if __name__ == "__main__":
    main()
