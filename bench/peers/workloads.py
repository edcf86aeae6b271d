"""What the peers of gcompile-bench have in common: the data of the workloads, and the loop that times a step.

A peer is a program that reads a workload's name and a number of seconds per line, times its version of that training
step, and answers with one line of JSON: {"us": median} or {"error": "..."}. compare.py starts one per framework.
"""
import csv
import json
import os
import statistics
import sys
import time

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


def median_us(step, seconds):
    """Median microseconds of a step, over slices of about ten milliseconds."""
    begin = time.perf_counter()
    for _ in range(50):
        step(False)
    count = max(1, int(50 * 0.01 / (time.perf_counter() - begin)))
    slices = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(slices) < 3:
        begin = time.perf_counter()
        for _ in range(count):
            step(False)
        slices.append((time.perf_counter() - begin) / count)
    return 1e6 * statistics.median(slices)


def serve(make_step, version):
    """Answers on standard output; everything else that is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    print(json.dumps({"version": version}), file=answers)
    steps = {}
    for line in sys.stdin:
        workload, seconds = line.split()
        try:
            if workload not in steps:
                step = make_step(workload)
                check(step)
                steps[workload] = step
            answer = {"us": median_us(steps[workload], float(seconds))}
        except Exception as error:  # a peer that cannot do a workload says so and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)
