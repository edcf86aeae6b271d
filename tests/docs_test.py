#!/usr/bin/env python3
"""docs_test.py: what the documents say is so.

  commands   a fenced block below a comment `<!-- $ COMMAND -->` is what COMMAND prints, run by bash in the repository's
             root with the tool's folder in PATH; docs/ops.md is what `gcompile list ops --markdown` prints.
             --update writes what they print now into the documents. A ```diff block applies to this tree.
  programs   every ```cpp block compiles without a warning and runs with exit code 0: one with a main as it is, any other
             as the inside of main. A ```text block that follows it shows lines of the output, in their order: a line
             `...` stands for any lines, numbers may differ by rounding.

Exit code: 0 if all holds, 1 if not.
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^<!-- \$ (?P<command>.*?) -->\n```\w*\n(?P<text>.*?)^```$", re.M | re.S)
DIFF = re.compile(r"^```diff\n(?P<diff>.*?)^```$", re.M | re.S)
PROGRAM = re.compile(r"^```cpp\n(?P<code>.*?)^```$(?:\n+```text\n(?P<output>.*?)^```$)?", re.M | re.S)
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
WRAPPER = "#include <gcompile/gcompile.h>\n#include <iostream>\nnamespace gc = gcompile;\nint main() {\n%s}\n"


def difference(expected, found):
    return "".join(difflib.unified_diff(expected.splitlines(True), found.splitlines(True), "document", "now"))


def run_command(command, bin_folder):
    environment = os.environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"$ {command}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check_commands(bin_folder, update):
    """Complaints."""
    complaints, count = [], 0
    for document in DOCUMENTS:
        text = document.read_text()
        def current(block):
            nonlocal count
            count += 1
            printed = run_command(block["command"], bin_folder)
            begin, end = block.start("text") - block.start(), block.end("text") - block.start()
            return block[0][:begin] + printed + ("" if printed.endswith("\n") else "\n") + block[0][end:]

        if document.name == "ops.md":
            now = run_command("gcompile list ops --markdown", bin_folder)
            count += 1
        else:
            now = COMMAND.sub(current, text)
        for block in DIFF.finditer(text):
            applied = subprocess.run(["git", "apply", "--check", "-"], cwd=ROOT, input=block["diff"], text=True,
                                     capture_output=True)
            if applied.returncode:
                complaints.append(f"{document.name}: a diff does not apply:\n{applied.stderr}")
        if now != text:
            complaints.append(f"{document.name} is not current:\n{difference(text, now)}")
            if update:
                document.write_text(now)
    if count < 2:
        complaints.append("no command was found in the documents")
    print(f"{count} commands")
    return complaints


def same_line(expected, found):
    if NUMBER.sub("#", expected) != NUMBER.sub("#", found):
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(found))
    return all(abs(float(a) - float(b)) <= 2e-3 * max(1, abs(float(a))) for a, b in pairs)


def shows(expected, found):
    """Whether the lines expected, with gaps at `...`, are the lines found."""
    if not expected:
        return not found
    if expected[0] == "...":
        return any(shows(expected[1:], found[i:]) for i in range(len(found) + 1))
    return bool(found) and same_line(expected[0], found[0]) and shows(expected[1:], found[1:])


def check_program(name, code, output, compiler, folder):
    work = folder / name
    work.mkdir()
    (work / "data").symlink_to(ROOT / "data")
    source, binary = work / "model.cpp", work / "model"  # the name that locations show
    source.write_text(code if "int main(" in code else WRAPPER % code)
    built = subprocess.run([*compiler[:1], str(source), *compiler[1:], "-o", str(binary)], capture_output=True, text=True)
    if built.returncode or built.stderr:
        return f"{name} does not compile cleanly:\n{built.stderr}"
    done = subprocess.run([str(binary)], cwd=work, capture_output=True, text=True, timeout=120)
    if done.returncode:
        return f"{name} ends with exit code {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}"
    if output is not None and not shows(output.splitlines(), done.stdout.splitlines()):
        return f"{name} prints something else:\n{difference(output, done.stdout)[:4000]}"
    return None


def check_programs(compiler):
    sys.setrecursionlimit(10000)
    jobs = []
    for document in DOCUMENTS:
        for number, block in enumerate(PROGRAM.finditer(document.read_text()), 1):
            jobs.append((f"{document.stem}_{number}", block["code"], block["output"]))
    if not jobs:
        return ["no program was found in the documents"]
    print(f"{len(jobs)} programs")
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda job: check_program(*job, compiler, pathlib.Path(folder)), jobs)
        return [complaint for complaint in results if complaint]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["commands", "programs"])
    parser.add_argument("--bin", default=str(ROOT / "build" / "bin"), help="folder of the tool (default: build/bin)")
    parser.add_argument("--update", action="store_true", help="write what the commands print into the documents")
    parser.add_argument("compiler", nargs="*", help="for programs, after --: compiler, flags, libraries")
    options = parser.parse_args()
    if options.what == "commands":
        complaints = check_commands(options.bin, options.update)
    else:
        complaints = check_programs(options.compiler)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
