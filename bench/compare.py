#!/usr/bin/env python3
"""compare.py: gcompile-bench beside PyTorch and JAX, as three Markdown tables: training steps, pieces, latency and memory.

All run on the same CPU, one thread each, one after the other, in rounds: a machine that is slower for a while is so for
all. A figure is the median over the rounds. A peer that is not installed is named and left out. This script needs the
standard library alone; the peers run in processes of their own, with the interpreter that --python names.
"""
import argparse
import dataclasses
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "peers"))
import pieces  # noqa: E402 (the names alone)
from process import Peer, installed  # noqa: E402

PEERS = {  # name in the table: module that must be installed, program and arguments
    "JAX": ("jax", ["jax_steps.py"]),
    "PyTorch": ("torch", ["torch_steps.py"]),
    "torch.compile": ("torch", ["torch_steps.py", "compile"]),
}
REFERENCES = {"eigen": "Eigen", "onednn": "oneDNN"}  # how gcompile-bench calls them, and the table


@dataclasses.dataclass
class Row:
    """A line of a table: what of gcompile-bench, and what the peers are asked."""
    table: str
    name: str
    bench: str  # the name there, without the contestant
    ask: str  # a peer's benchmark; "--first-step": a process of its own; "": the peers are not asked
    unit: str = "us"
    counter: str = ""  # of gcompile-bench, in place of the time
    reply: str = "us"  # what of the peer's answer
    scale: float = 1  # of the counter and of the answer, to the unit


def step(name):
    return Row("steps", name, name, name)


def piece(name):
    return Row("pieces", name, name, name, reply="cpu_us")


ROWS = [*map(step, ("W1", "W2", "W3", "W4", "W5", "W6", "W13")), *map(piece, pieces.PIECES)]
ROWS += [
    Row("latency", "inference of one sample, W5", "predict/W5", "predict/W5"),
    Row("latency", "inference of one sample, W6", "predict/W6", "predict/W6"),
    Row("latency", "epoch of 24 batches", "epoch/workers/0", "epoch/0"),
    Row("latency", "epoch of 24 batches, 2 workers", "epoch/workers/2", "epoch/2"),
    Row("latency", "trace and compile W5's step", "compile/W5", "compile/W5", "ms", scale=1e-3),
    Row("latency", "the same from the cache", "compile/W5_cached", "", "ms", scale=1e-3),
    Row("latency", "process to W5's first step", "process/first_step_W5", "--first-step", "ms", scale=1e-3),
    Row("latency", "the same from the cache", "process/first_step_W5_cached", "", "ms", scale=1e-3),
    Row("latency", "resident memory after W5", "process/1000_steps_W5", "--first-step", "MB", "rss_mb", "rss_mb"),
    Row("latency", "temporaries of W6's step", "W6", "temporaries/W6", "MB", "arena_bytes", "bytes", 1e-6),
]
TABLES = tuple(dict.fromkeys(row.table for row in ROWS))


def run_bench(bench, row, seconds, cpu):
    """The row's figures by contestant, the lines of gcompile-bench by contestant, and its context."""
    pattern = f"^{row.bench}(/(gcompile|eigen|onednn|loops|lanes|fixed|manual_time|real_time))?$"
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run(
            [bench, f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}",
             f"--benchmark_out={file.name}", "--benchmark_out_format=json"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        report = json.load(file)
    unit = {"ns": 1e-3, "us": 1, "ms": 1e3}
    figures, lines = {}, {}
    for line in report["benchmarks"]:
        if line.get("error_occurred"):
            raise SystemExit(f"compare.py: {line['name']}: {line['error_message']}")
        who = line["name"].removeprefix(row.bench).removesuffix("/manual_time").removesuffix("/real_time")
        who = who.strip("/") or "gcompile"
        who = REFERENCES.get(who, who)
        taken = line["cpu_time" if row.reply == "cpu_us" else "real_time"] * unit[line["time_unit"]]
        if not row.counter:
            figures[who] = taken * row.scale
        elif row.counter in line:
            figures[who] = line[row.counter] * row.scale
        lines[who] = line
    if "gcompile" not in lines:
        raise SystemExit(f"compare.py: {bench} has no {row.bench}")
    return figures, lines, report["context"]


def share(line):
    """Of what a loop of nothing but fma, or a copy, reached just before; None for what is not measured so."""
    for rate, limit in (("GF/s", "peak"), ("GB/s", "copy")):
        if rate in line:
            return line[rate] / line[limit]
    return None


def cpu_name():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table(rows, samples, shares):
    """One line per row, one column per contestant, with the ratio to gcompile, and the share of the limit where one is."""
    columns = list(dict.fromkeys(who for row in rows for who in samples[row.bench, row.name]))
    lines = [f"| {rows[0].table} | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for row in rows:
        medians = {who: statistics.median(values) for who, values in samples[row.bench, row.name].items() if values}
        ours, cells = medians.get("gcompile"), []
        for who in columns:
            if who not in medians:
                cells.append("-")
                continue
            notes = [f"{number(medians[who] / ours)}x"] if who != "gcompile" and ours else []
            if row.bench in shares:
                notes.append(f"{100 * statistics.median(shares[row.bench]) * ours / medians[who]:.0f} %")
            cells.append(number(medians[who]) + (f" ({', '.join(notes)})" if notes else ""))
        lines.append(f"| {row.name}, {row.unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="times that everything is measured (default: 5)")
    parser.add_argument("--only", default=",".join(TABLES), help="tables (steps, pieces, latency), benchmarks (W5, "
                        "matmul/256/nt) or what they begin with (matmul/), separated by commas (default: all tables)")
    parser.add_argument("--seconds", type=float, default=0.3, help="per benchmark, contestant and round (default: 0.3)")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the peers (default: this one)")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"which (default: {','.join(PEERS)})")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), help="CPU to run on (default: the last)")
    parser.add_argument("--bench", default=os.path.join(HERE, "..", "build", "bin", "gcompile-bench"))
    parser.add_argument("--processor-time", action="store_true",
                        help="for steps and inference too, as for pieces: on a machine with other work")
    options = parser.parse_args()
    options.rows = []
    for only in options.only.split(","):
        chosen = [row for row in ROWS if only in (row.table, row.bench) or only.endswith("/") and row.bench.startswith(only)]
        if not chosen:
            parser.error(f"there is no {only}; there are {', '.join(dict.fromkeys(row.bench for row in ROWS))}")
        options.rows += [row for row in chosen if row not in options.rows]
    if options.processor_time:
        options.rows = [dataclasses.replace(row, reply="cpu_us") if row.unit == "us" and "worker" not in row.bench else row
                        for row in options.rows]
    options.peers = [name for name in options.peers.split(",") if name]
    for name in set(options.peers) - set(PEERS):
        parser.error(f"there is no peer {name}; there are {', '.join(PEERS)}")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if not os.access(options.bench, os.X_OK):
        parser.error(f"{options.bench} is not there; build it, or name it with --bench")
    return options


def main():
    options = parse_options()
    running, absent = {}, []
    for name in options.peers:
        module, arguments = PEERS[name]
        if installed(module, options.python):
            running[name] = Peer(arguments, options.python, options.cpu)
        else:
            absent.append(name)

    samples, shares, failures, context = {}, {}, {}, {}
    for turn in range(options.rounds):
        for row in options.rows:
            print(f"round {turn + 1} of {options.rounds}, {row.name}", file=sys.stderr)
            kept = samples.setdefault((row.bench, row.name), {})
            figures, lines, context = run_bench(options.bench, row, options.seconds, options.cpu)
            for who, figure in figures.items():
                kept.setdefault(who, []).append(figure)
            if share(lines["gcompile"]) is not None:
                shares.setdefault(row.bench, []).append(share(lines["gcompile"]))
            for name, peer in running.items():
                if not row.ask or (name, row.name) in failures:
                    continue
                try:
                    figure = peer.measure(row, options.seconds)
                    kept.setdefault(name, []).extend([] if figure is None else [figure])
                except (RuntimeError, OSError) as error:
                    failures[name, row.name] = str(error)
                    kept[name] = []
    for peer in running.values():
        peer.close()

    versions = [f"gcompile {context['gcompile']} for {context['target']}"]
    versions += [f"{name} {context[key]}" for key, name in REFERENCES.items() if key in context]
    versions += [f"{name} {peer.version}" for name, peer in running.items()]
    print(f"{datetime.date.today()}, {cpu_name()}, one thread, medians of {options.rounds} rounds; in brackets how many times "
          f"gcompile's.{' Processor time.' if options.processor_time else ''}\n{', '.join(versions)}.")
    for name in TABLES:
        rows = [row for row in options.rows if row.table == name]
        if name == "pieces" and rows:
            print("\nProcessor time; the share is of the peak of fma for matmul, and of the rate of a copy for the others.")
        if rows:
            print("\n" + table(rows, samples, shares))
    for name in absent:
        print(f"\n{name} is not installed for {options.python} and was left out.")
    for (name, row), error in failures.items():
        print(f"\n{name} failed on {row}: {error}")


if __name__ == "__main__":
    main()
