# Text tests: each file says in its RUN lines how the tool is called, and in its CHECK lines what must come out.
import os

import lit.formats

config.name = "gcompile"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".gir", ".kir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)

root = os.path.dirname(os.path.dirname(config.test_source_root))
bin_dir = lit_config.params.get("bin", os.path.join(root, "build", "bin"))
llvm_dir = lit_config.params.get("llvm", "/usr/lib/llvm-19/bin")
config.test_exec_root = lit_config.params.get("exec_root", os.path.join(root, "build", "tests", "ir"))

config.environment["PATH"] = os.pathsep.join([bin_dir, llvm_dir, os.environ.get("PATH", "")])
for name in ("GCOMPILE_TARGET", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.environment["GCOMPILE_CACHE"] = os.environ.get("GCOMPILE_CACHE", "off")  # what is tested is the compiler

# FileCheck under both its names, and %data and %examples for files of the repository.
config.substitutions.append((r"\bFileCheck(-19)?\b", os.path.join(llvm_dir, "FileCheck")))
config.substitutions.append(("%data", os.path.join(root, "data")))
config.substitutions.append(("%examples", os.path.join(root, "examples")))
