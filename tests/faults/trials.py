"""Run scenarios under faults: each in a forked process, which the fault ends or disturbs.

``python trials.py REQUEST`` reads a request in JSON and prints one JSON line per trial.
A process is forked for each trial, because loading PyTorch takes seconds.
"""

import faulthandler
import json
import os
import pickle
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from scenarios import SCENARIOS

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_HANGS = 300  # seconds after which a process tells where it waits, and ends
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"}


class Writes:
    """Counts what changes files in a folder; at the n-th, calls ``act`` before it happens."""

    def __init__(self, folder, at=None, act=None):
        self.folder, self.at, self.act, self.n = str(folder), at, act, 0
        fsync = os.fsync

        def counted(file):
            self.count()
            fsync(file)

        os.fsync = counted
        sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if event == "open":
            path, _, flags = arguments
            if not flags & _WRITES or not isinstance(path, str | bytes | Path):
                return
        elif event not in _CHANGES:
            return
        path = arguments[0]
        if not isinstance(path, int) and not os.fsdecode(path).startswith(self.folder):
            return
        self.count()

    def count(self):
        self.n += 1
        if self.n == self.at:
            self.act()


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def prepare(fault, folder):
    """Let a fault happen later in this process."""
    kind, at = fault
    if kind == "event":
        return Writes(folder, at, kill)
    if kind == "interrupt":
        return Writes(folder, at, interrupt)
    if kind == "time":
        signal.setitimer(signal.ITIMER_REAL, at)  # whose signal kills, also inside of C
    elif kind in ("bytes", "full"):
        if kind == "bytes":  # the kernel kills in the middle of a write
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (at, hard))
    return None


def forked(work, log):
    """Do work in a forked process; return the exit status (negative: the signal)."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            with open(log, "ab", buffering=0) as file:
                os.dup2(file.fileno(), 2)
                os.dup2(file.fileno(), 1)
            faulthandler.dump_traceback_later(_HANGS, exit=True, file=2)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 (the process ends here)
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


class Trials:
    """The trials of one scenario in a folder of its own."""

    def __init__(self, name, place, parts):
        self.scenario = SCENARIOS[name]()
        self.place, self.template = place, place / "template"
        self.template.mkdir(parents=True)
        self.scenario.make(self.template, parts)
        if self.scenario.warm:
            self.scenario.run(self.fresh(), lambda text: None)
        self.result, self.notes, self.log = (
            place / name for name in ("result", "notes", "log")
        )

    def fresh(self):
        folder = self.place / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.template, folder)
        return folder

    def run(self, folder, fault=None):
        """Run once in this process, under a fault."""
        self.notes.write_text("")
        file = os.open(self.notes, os.O_WRONLY | os.O_APPEND)

        def note(text):
            if fault is None or fault[0] not in ("bytes", "full"):
                os.write(file, text.encode() + b"\n")

        counted = prepare(fault, folder) if fault else Writes(folder)
        started = time.perf_counter()
        try:
            found = self.scenario.run(folder, note)
        except KeyboardInterrupt:
            if not fault or fault[0] != "interrupt":
                raise
            found = self.scenario.run(folder, lambda text: None)
        except Exception as error:
            if not fault or fault[0] != "full":
                raise
            told = f"{type(error).__name__}: {error}"
            found = told if self.is_clear(error, folder) else f"UNCLEAR {told}"
            resource.setrlimit(
                resource.RLIMIT_FSIZE,
                (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2,
            )
        else:
            if fault and fault[0] == "full":
                resource.setrlimit(
                    resource.RLIMIT_FSIZE,
                    (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2,
                )
        about = (counted.n if counted else 0, time.perf_counter() - started)
        self.result.write_bytes(pickle.dumps((found, about)))

    @staticmethod
    def is_clear(error, folder):
        """Return whether an error names the file, or where else it could not be written."""
        told = str(error)
        return isinstance(error, OSError) and (
            str(folder) in told or ("into " in told and "Free some space" in told)
        )

    def outcome(self, folder, fault=None):
        self.result.unlink(missing_ok=True)
        status = forked(lambda: self.run(folder, fault), self.log)
        found = pickle.loads(self.result.read_bytes()) if status == 0 else (None, None)
        return status, *found, self.notes.read_text().splitlines()

    def reference(self):
        folder = self.fresh()
        status, self.expected, (self.n_events, self.seconds), _ = self.outcome(folder)
        assert status == 0
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        self.largest = max(sizes, default=1)

    def fault(self, kind, rng):
        """Return a fault at a random stage."""
        if kind in ("event", "interrupt"):
            return kind, int(rng.integers(1, max(2, self.n_events)))
        if kind == "time":
            return kind, float(rng.uniform(0.001, self.seconds))
        return kind, int(np.exp(rng.uniform(4, np.log(self.largest + 100))))

    def trial(self, kind, rng):
        """Return what happened under a fault, and whether the next run is as without."""
        folder, fault = self.fresh(), self.fault(kind, rng)
        status, found, _, before = self.outcome(folder, fault)
        told = {"fault": fault, "status": status}
        if status == 0 and kind == "full" and found != self.expected:
            told["error"] = found
            assert not str(found).startswith("UNCLEAR"), found
        elif status == 0:
            assert found == self.expected, "another result under the fault"
        else:
            wanted = {"event": 9, "time": 14, "bytes": 25}
            assert status == -wanted.get(kind, 0), f"ended with {status}"
        if hasattr(self.scenario, "between") and kind not in ("bytes", "full"):
            self.scenario.between(folder, before, self.expected)
        status, found, _, after = self.outcome(folder)
        assert status == 0, "the next run failed"
        assert found == self.expected, "the next run gave another result"
        if kind in ("event", "time", "interrupt"):
            self.scenario.check(folder, before, after)
        return told


def main(request):
    place, parts = Path(request["place"]), Path(request["parts"])
    for name in request["scenarios"]:
        trials = Trials(name, place / name.replace(" ", "-"), parts)
        trials.reference()
        rng = np.random.default_rng(request["seed"])
        for i in range(request["n_trials"]):
            kind = request["kinds"][i % len(request["kinds"])]
            trials.log.write_text("")
            told = {"scenario": name, "kind": kind}
            try:
                told |= trials.trial(kind, rng)
            except Exception as error:  # noqa: BLE001 (reported in the test)
                told |= {"failed": repr(error), "log": trials.log.read_text()[-3000:]}
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork")
    main(json.loads(sys.argv[1]))
