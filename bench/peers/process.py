"""A peer of gcompile-bench as compare.py sees it: a process that is asked for figures, one at a time."""
import json
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
               "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}


class Peer:
    """A process that times what it is asked to."""

    def __init__(self, arguments, python, cpu):
        self.command = [python, os.path.join(HERE, arguments[0]), *arguments[1:]]
        self.cpu = cpu
        self.process = self.start(self.command)
        self.version = self.answer(self.process)["version"]

    def start(self, command, **environment):
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | ENVIRONMENT | environment, preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}))

    @staticmethod
    def answer(process):
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("it ended early")
        return json.loads(line)

    def first_step(self):
        """A new process, from its start to its answer; nothing that was compiled before is used."""
        begin = time.perf_counter()
        with self.start([*self.command, "--first-step"], TORCHINDUCTOR_FORCE_DISABLE_CACHES="1") as process:
            answer = self.answer(process)
            return answer | {"us": 1e6 * (time.perf_counter() - begin)}

    def measure(self, row, seconds):
        """The figure of the row, or None where this framework has no such thing."""
        if row.ask == "--first-step":
            answer = self.first_step()
        else:
            self.process.stdin.write(f"{row.ask} {seconds}\n")
            self.process.stdin.flush()
            answer = self.answer(self.process)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return None if "absent" in answer else answer[row.reply] * row.scale

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def installed(module, python):
    probe = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"
    return subprocess.run([python, "-c", probe], check=False).returncode == 0
