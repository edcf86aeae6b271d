"""Mutation testing: see run.sh. A fault is a small edit; its text must stand exactly once in its file, so that a fault
that the code has outgrown is an error rather than a survivor."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGETS = ["unit-tests", "registry-tests", "program-tests", "gcompile-tool", "gcompile-fuzz"]
INVARIANTS = ["program-tests", "--gtest_filter=Invariant*"]
# After the invariants, in this order until one fails.
SUITES = [
    ["program-tests", "--gtest_filter=-Invariant*:*Long*:Course*:*Example*"],
    ["unit-tests", "--gtest_filter=-*Long*"],
    ["registry-tests", "--gtest_filter=-*Long*"],
    ["gcompile-fuzz", "--graphs", "200", "--seed", "7", "--shrink", "0"],
]
TIME_LIMIT = 600


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)


def copy_tree(to):
    """The files that git knows or would add, as they are now; unchanged ones keep their time, so that nothing is built twice."""
    names = run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"]).stdout.split("\0")
    for name in filter(None, names):
        source, target = os.path.join(ROOT, name), os.path.join(to, name)
        if not os.path.isfile(source):
            continue
        content = open(source, "rb").read()
        if os.path.isfile(target) and open(target, "rb").read() == content:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)
    wanted = set(names)
    for folder, _, files in os.walk(to):
        for file in files:
            path = os.path.join(folder, file)
            name = os.path.relpath(path, to)
            if not name.startswith("build" + os.sep) and name not in wanted:
                os.remove(path)


def build(tree):
    result = run(["cmake", "--build", os.path.join(tree, "build"), "--target", *TARGETS])
    return result.returncode == 0, result.stdout


def failures(tree, command):
    """Names of failing tests; what else went wrong when there are none; empty when all is well."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GCOMPILE_")}
    binary = os.path.join(tree, "build", "bin", command[0])
    try:
        result = run([binary, *command[1:]], cwd=tree, timeout=TIME_LIMIT, env=environment)
    except subprocess.TimeoutExpired:
        return [command[0] + " does not end"]
    if result.returncode == 0:
        return []
    names = re.findall(r"^\[  FAILED  \] ([^ ,\n]+)", result.stdout, re.M)
    if not names:
        started = re.findall(r"^\[ RUN      \] (\S+)", result.stdout, re.M)
        failed = re.findall(r"^FAILED (.{0,80})", result.stdout, re.M)
        names = [f"gcompile-fuzz: {failed[0]}"] if failed else [f"{started[-1] if started else command[0]} (crash)"]
    return list(dict.fromkeys(names))


class Edits:
    """The edits of one fault, undone at the end."""

    def __init__(self, tree, mutant):
        self.tree, self.saved = tree, {}
        self.edits = mutant.get("edits") or [{k: mutant[k] for k in ("file", "from", "to")}]

    def __enter__(self):
        for edit in self.edits:
            path = os.path.join(self.tree, edit["file"])
            text = open(path).read()
            if text.count(edit["from"]) != 1:
                raise ValueError(f"{edit['file']}: the text of the fault stands there {text.count(edit['from'])} times")
            self.saved.setdefault(path, text)
            with open(path, "w") as out:
                out.write(text.replace(edit["from"], edit["to"]))
        return self

    def __exit__(self, *_):
        for path, text in self.saved.items():
            with open(path, "w") as out:
                out.write(text)


def caught_by(tree, all_tests):
    found = failures(tree, INVARIANTS)
    for suite in SUITES:
        if found and not all_tests:
            break
        found += failures(tree, suite)
    return found


def check(tree, mutant, all_tests):
    """("caught" | "survived" | "broken", tests or a message)."""
    try:
        with Edits(tree, mutant):
            built, output = build(tree)
            if not built:
                return "broken", "it does not build: " + "\n".join(re.findall(r".*error.*", output)[:3])
            found = caught_by(tree, all_tests)
            return ("caught", found) if found else ("survived", [])
    except (OSError, ValueError) as error:
        return "broken", str(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this fault (again for more)")
    parser.add_argument("--all-tests", action="store_true", help="run all tests for each, not only until one fails")
    parser.add_argument("--dir", default=os.path.join(ROOT, "build-mutants"), help="the copy of the tree")
    options = parser.parse_args()
    mutants = tomllib.load(open(os.path.join(HERE, "mutants.toml"), "rb"))["mutant"]
    if options.only:
        unknown = set(options.only) - {m["name"] for m in mutants}
        if unknown:
            sys.exit("run.sh: no fault is called " + ", ".join(sorted(unknown)))
        mutants = [m for m in mutants if m["name"] in options.only]

    tree = os.path.abspath(options.dir)
    os.makedirs(tree, exist_ok=True)
    copy_tree(tree)
    os.environ.setdefault("CCACHE_BASEDIR", tree)
    configured = run(["cmake", "-S", tree, "-B", os.path.join(tree, "build"), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                      "-DGCOMPILE_BUILD_EXAMPLES=OFF", "-DGCOMPILE_BUILD_BENCH=OFF"])
    built, output = build(tree) if configured.returncode == 0 else (False, configured.stdout)
    if not built:
        print(output[-3000:])
        sys.exit("run.sh: the tree without a fault does not build")
    healthy = caught_by(tree, True)
    if healthy:
        sys.exit("run.sh: without a fault these tests fail: " + ", ".join(healthy))
    print(f"without a fault all tests pass; {len(mutants)} faults", flush=True)

    counts = {"caught": 0, "survived": 0, "broken": 0}
    letters = {letter: [] for letter in "ABCDE"}
    for mutant in mutants:
        begin = time.time()
        verdict, what = check(tree, mutant, options.all_tests)
        counts[verdict] += 1
        if verdict == "caught":
            for letter in letters:
                if any(name.startswith("Invariant" + letter) for name in what):
                    letters[letter].append(mutant["name"])
            more = f" and {len(what) - 4} more" if len(what) > 4 else ""
            what = "by " + ", ".join(what[:4]) + more
        print(f"{verdict:8} {mutant['name']}: {what or mutant['file']} ({time.time() - begin:.0f} s)", flush=True)
    build(tree)
    print(f"{counts['caught']} caught, {counts['survived']} survived, {counts['broken']} could not be tried")
    for letter, names in letters.items():
        print(f"invariant ({letter.lower()}) catches {len(names)}")
    complete = options.only or all(letters.values())
    sys.exit(0 if complete and counts["caught"] == len(mutants) else 1)


if __name__ == "__main__":
    main()
