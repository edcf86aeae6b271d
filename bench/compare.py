#!/usr/bin/env python3
"""compare.py: gcompile-bench beside PyTorch and JAX, and a Markdown table of what each training step takes.

All run on the same CPU, one thread each, one after the other, in rounds: a machine that is slower for a while is so for
all. A figure is the median over the rounds. A peer that is not installed is named and left out. This script needs the
standard library alone; the peers run in processes of their own, with the interpreter that --python names.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W6", "W13")
PEERS = {  # name in the table: module that must be installed, program and arguments
    "JAX": ("jax", ["jax_steps.py"]),
    "PyTorch": ("torch", ["torch_steps.py"]),
    "torch.compile": ("torch", ["torch_steps.py", "compile"]),
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
              "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}


class Peer:
    """A process that times a step when it is asked to."""

    def __init__(self, arguments, python, cpu):
        program, *rest = arguments
        self.process = subprocess.Popen(
            [python, os.path.join(HERE, "peers", program), *rest], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=os.environ | ONE_THREAD,
            preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        self.version = self.answer()["version"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("it ended early")
        return json.loads(line)

    def measure(self, workload, seconds):
        self.process.stdin.write(f"{workload} {seconds}\n")
        self.process.stdin.flush()
        answer = self.answer()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["us"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def installed(module, python):
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"
    return subprocess.run([python, "-c", probe], check=False).returncode == 0


def run_bench(bench, pattern, seconds, cpu):
    """Microseconds by benchmark name, for the names that match, and the context."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run(
            [bench, f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}",
             f"--benchmark_out={file.name}", "--benchmark_out_format=json"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        report = json.load(file)
    unit = {"ns": 1e-3, "us": 1, "ms": 1e3}
    times = {}
    for line in report["benchmarks"]:
        if line.get("error_occurred"):
            raise SystemExit(f"compare.py: {line['name']}: {line['error_message']}")
        times[line["name"]] = line["real_time"] * unit[line["time_unit"]]
    return times, report["context"]


def cpu_name():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def figure(us):
    return f"{us:.3g}" if us < 100 else f"{us:.0f}"


def table(samples):
    """One row per workload, one column per contestant, with the ratio to gcompile."""
    columns = list(dict.fromkeys(name for row in samples.values() for name in row))
    lines = ["| step | " + " | ".join(f"{name}, us" for name in columns) + " |", "|---|" + "---|" * len(columns)]
    for workload, row in samples.items():
        medians = {name: statistics.median(values) for name, values in row.items()}
        cells = []
        for name in columns:
            if name not in medians:
                cells.append("-")
            elif name == "gcompile":
                cells.append(figure(medians[name]))
            else:
                cells.append(f"{figure(medians[name])} ({figure(medians[name] / medians['gcompile'])}x)")
        lines.append(f"| {workload} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="times that everything is measured (default: 5)")
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, as W1,W5 (default: all)")
    parser.add_argument("--seconds", type=float, default=0.3, help="per workload, contestant and round (default: 0.3)")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the peers (default: this one)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"which (default: {','.join(PEERS)})")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), help="CPU to run on (default: the last)")
    parser.add_argument("--bench", default=os.path.join(HERE, "..", "build", "bin", "gcompile-bench"))
    options = parser.parse_args()
    chosen, peers = options.only.split(","), [name for name in options.peers.split(",") if name]
    for name in set(chosen) - set(WORKLOADS):
        parser.error(f"there is no workload {name}; there are {', '.join(WORKLOADS)}")
    for name in set(peers) - set(PEERS):
        parser.error(f"there is no peer {name}; there are {', '.join(PEERS)}")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if not os.access(options.bench, os.X_OK):
        parser.error(f"{options.bench} is not there; build it, or name it with --bench")

    running, absent = {}, []
    for name in peers:
        module, arguments = PEERS[name]
        if installed(module, options.python):
            running[name] = Peer(arguments, options.python, options.cpu)
        else:
            absent.append(name)

    samples, failures, context = {workload: {} for workload in chosen}, {}, {}
    for number in range(options.rounds):
        for workload in chosen:
            print(f"round {number + 1} of {options.rounds}, {workload}", file=sys.stderr)
            times, context = run_bench(options.bench, f"^{workload}/", options.seconds, options.cpu)
            for name, us in times.items():
                samples[workload].setdefault(name.split("/", 1)[1], []).append(us)
            for name, peer in running.items():
                if (name, workload) in failures:
                    continue
                try:
                    samples[workload].setdefault(name, []).append(peer.measure(workload, options.seconds))
                except RuntimeError as error:
                    failures[name, workload] = str(error)
                    samples[workload].pop(name)
    for peer in running.values():
        peer.close()

    versions = [f"gcompile {context['gcompile']} for {context['target']}"]
    versions += [f"{name} {peer.version}" for name, peer in running.items()]
    print(f"{datetime.date.today()}, {cpu_name()}, one thread, median of {options.rounds} rounds, microseconds per step; "
          f"in brackets how many times gcompile's.\n{', '.join(versions)}.\n")
    print(table(samples))
    for name in absent:
        print(f"\n{name} is not installed for {options.python} and was left out.")
    for (name, workload), error in failures.items():
        print(f"\n{name} failed on {workload}: {error}")


if __name__ == "__main__":
    main()
