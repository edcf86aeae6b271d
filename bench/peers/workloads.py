"""What the peers of gcompile-bench have in common: the data of the workloads, and the loop that times them.

A peer is a program that reads the name of a benchmark of gcompile-bench, without what is measured ("W5", "matmul/256/nt",
"predict/W5"), and a number of seconds per line, times its version of it, and answers with one line of JSON: {"us": median,
"cpu_us": the same in processor time} or {"error": "..."}. compare.py starts one per framework. With --first-step as its only
argument it trains one step of W5, prints {"rss_mb": resident memory}, and ends.
"""
import csv
import json
import os
import statistics
import sys
import time

import pieces

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "diabetes.csv")
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W6", "W13")
WIDTHS = {"W6": (784, 512, 256, 128, 64, 10), "W13": (4, 16, 3)}  # classifiers with ReLU
ROWS = {"W6": 64, "W13": 30}


def diabetes(rows):
    """The first rows: lists of 8 inputs, lists of one label."""
    with open(DATA, newline="") as file:
        table = [[float(field) for field in row] for row in list(csv.reader(file))[1:]]
    return [row[:-1] for row in table[:rows]], [row[-1:] for row in table[:rows]]


def data(workload):
    """Inputs and labels as nested lists."""
    if workload == "W1":
        return 1.0, 2.0
    if workload == "W2":
        return [[1.0], [2.0], [3.0]], [[2.0], [4.0], [6.0]]
    if workload == "W3":
        return [[1.0], [2.0], [3.0]], [[0.0], [0.0], [1.0]]
    if workload in WIDTHS:  # as bench/steps_classifiers.cpp makes them
        rows, columns, classes = ROWS[workload], WIDTHS[workload][0], WIDTHS[workload][-1]
        numbers = [i * 7919 % 1009 / 1009 for i in range(rows * columns)]
        return [numbers[r * columns:(r + 1) * columns] for r in range(rows)], [r * 31 % classes for r in range(rows)]
    return diabetes(759 if workload == "W4" else 32)


def rate(workload):
    return {"W4": 0.1, "W5": 0.1, "W13": 0.001}.get(workload, 0.01)


def check(step):
    """The loss of a new model must fall, or nothing is timed. `step` returns the loss as a number when it is called with
    True, and leaves it where it is otherwise."""
    first = step(True)
    for _ in range(200):
        last = step(True)
    if not last < first:
        raise RuntimeError(f"the loss does not fall: {first} to {last}")


def run(step, count):
    """Seconds that a call takes, of `count`: by the clock, by the processor."""
    begin, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        step(False)
    return (time.perf_counter() - begin) / count, (time.process_time() - cpu) / count


def measure(step, seconds):
    """Median microseconds of a step, over slices of about ten milliseconds."""
    count, once = 1, run(step, 1)[0]
    while count < 50 and once * count < 0.01:  # the first calls are not typical
        count *= 2
        once = run(step, count)[0]
    count = max(1, int(0.01 / once))
    slices = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(slices) < 3:
        slices.append(run(step, count))
    return {name: 1e6 * statistics.median(times) for name, times in zip(("us", "cpu_us"), zip(*slices))}


def measure_compile(once, seconds):
    """Median microseconds of a call of `once`, which traces and compiles anew; the first is not counted."""
    once()
    slices, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(slices) < 3:
        begin, cpu = time.perf_counter(), time.process_time()
        once()
        slices.append((time.perf_counter() - begin, time.process_time() - cpu))
    return {name: 1e6 * statistics.median(times) for name, times in zip(("us", "cpu_us"), zip(*slices))}


def resident_mb():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


class Framework:
    """What a peer can do; a method that is None: it has no such thing.

    step(workload)         a function that trains one step; called with True it returns the loss
    piece(name, operands)  a function that computes a piece anew from NumPy operands; called with True it returns the result
    predict(workload)      a function that computes the output for one sample
    epoch(workers)         a function that trains 24 shuffled batches of W5's network through the framework's loader
    compile(workload)      a function that traces and compiles a step anew
    temporaries(workload)  bytes that the compiled step needs beside inputs, outputs and parameters
    """
    version, step, piece, predict, epoch, compile, temporaries = "", None, None, None, None, None, None


def answer(framework, made, name, seconds):
    kind, _, rest = name.partition("/")
    if kind in ("compile", "temporaries", "predict", "epoch") and getattr(framework, kind) is None:
        return {"absent": True}
    if kind == "compile":
        return measure_compile(framework.compile(rest), seconds)
    if kind == "temporaries":
        return {"bytes": framework.temporaries(rest)}
    if name not in made:
        if kind in ("predict", "epoch"):
            made[name] = getattr(framework, kind)(rest)
        elif name in WORKLOADS:
            made[name] = framework.step(name)
            check(made[name])
        else:
            operands = pieces.operands(name)
            made[name] = framework.piece(name, operands)
            pieces.check(name, operands, made[name](True))
    return measure(made[name], seconds)


def serve(framework):
    """Answers on standard output; everything else that is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if sys.argv[-1] == "--first-step":
        framework.step("W5")(True)
        print(json.dumps({"rss_mb": resident_mb()}), file=answers)
        return
    print(json.dumps({"version": framework.version}), file=answers)
    made = {}
    for line in sys.stdin:
        name, seconds = line.split()
        try:
            reply = answer(framework, made, name, float(seconds))
        except Exception as error:  # a peer that cannot do a workload says so and goes on
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers)
