#!/usr/bin/env python3
"""op_names.py TOOL: no pass, no check and nothing at run time asks an op for its name where its record could say what
it wants to know. Looks for names of ops as string literals in passes/, codegen/ and runtime/; a literal that makes a node
or an instruction, or is the key of an attribute, asks nothing. Each of the others needs a reason below, and each reason
a literal: what is no longer there has to go."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["passes", "codegen", "runtime"]

# Names that may stand anywhere: the leaves that are the IR's own, and the node that fuse makes and lower reads.
CORE = {"input", "state", "constant", "fusion"}

# (file, names, reason)
ALLOWED = [
    ("passes/contiguous_view.cpp", {"slice"}, "whether it takes whole rows follows from its attributes"),
    ("passes/contract.cpp", {"add", "sub", "mul", "fma"}, "the pass is the rule a * b + c -> fma"),
    ("passes/estimate_units.cpp", {"fma", "mul", "add", "sub", "div", "sqrt", "min", "max", "neg"},
     "which unit of a processor executes an instruction"),
    ("passes/expand_math.cpp", {"div", "sqrt"}, "instructions that have a rate of their own"),
    ("passes/fold.cpp", {"iota"}, "a leaf that is known before the run"),
    ("passes/layout_groups.cpp", {"transpose"}, "whether it swaps the axes of a matrix follows from its attributes"),
    ("passes/lower_module.cpp", {"fma"}, "made by contract; refused for a target that lacks the instruction"),
    ("passes/element.cpp", {"add"}, "products are added up"),
    ("passes/nest_sums.cpp", {"add"}, "products are added up"),
    ("passes/work.cpp", {"add", "sub", "mul", "div", "fma", "sqrt", "min", "max"},
     "which instructions count as operations on floats"),
    ("codegen/target.cpp", {"fma"}, "the name of a feature of processors"),
    ("codegen/llvm_emit_ops.cpp", None, "the table of what is emitted for the ops that kernels are made of"),
]

# What may stand directly before a name that asks nothing: a maker of nodes or instructions, or of an attribute's key. A
# record that is looked up is asked for, unless it is handed on at once.
MAKES = re.compile(r"(?<!ir::)\b(make|op|unary|binary|compare|reduce|has|ints|dims|find|set|stack|get<[^>]*>)\($"
                   r"|\bir::(unary|binary|compare|reduce)\($"
                   r"|[(,] ?ir::op\($")


def op_names(tool):
    listing = subprocess.run([tool, "list", "ops"], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"^(\w+)", listing, re.M)) | {"bitcast"}


def literals(path):
    """(line number, text before, literal) of a file, comments left out."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        code = re.sub(r'^((?:[^"/]|"(?:[^"\\]|\\.)*"|/(?!/))*)//.*', r"\1", line)
        for match in re.finditer(r'"((?:[^"\\]|\\.)*)"', code):
            yield number, code[:match.start()], match.group(1)


def main():
    names = op_names(sys.argv[1])
    if len(names) < 60:
        sys.exit(f"op_names: the tool lists {len(names)} ops only")
    used, faults = set(), []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".cpp", ".h"):
                continue
            file = path.relative_to(ROOT)
            reasons = [(i, allowed) for i, (pattern, allowed, _) in enumerate(ALLOWED) if file.match(pattern)]
            for number, before, literal in literals(path):
                if literal not in names or literal in CORE or MAKES.search(before):
                    continue
                fitting = [i for i, allowed in reasons if allowed is None or literal in allowed]
                used.update((i, literal) for i in fitting)
                if not fitting:
                    faults.append(f'{file}:{number}: asks for the op "{literal}" by its name; let its record say what is '
                                  "asked (ir/op.h), or give a reason in tests/op_names.py")
    for i, (pattern, allowed, _) in enumerate(ALLOWED):
        left = [name for name in sorted(allowed or {"any"}) if not any(
            u == i and (allowed is None or literal == name) for u, literal in used)]
        faults += [f"tests/op_names.py: the reason for {name} in {pattern} is for nothing" for name in left]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
