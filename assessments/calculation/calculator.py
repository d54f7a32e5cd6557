"""Calculate in a separate process with limits on CPU time and memory, because a patient waits for the result.

`python -m assessments.calculation.calculator` reads one job per line. The kernel kills it at the CPU limit of a job.
From then on, the web process skips the expression that was running. The limit is on CPU time, so that a busy machine
loses no score; elapsed time has only the longer limit WAIT_SECONDS.
"""

import json
import logging
import os
import resource as limits
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from threading import Lock, Timer

from assessments.questionnaire.expressions import evaluate

# CPU time. The trial answers every question, so an expression that passes it should not reach the limit later.
TRIAL_SECONDS, RUN_SECONDS = 0.5, 1
WAIT_SECONDS = 6  # elapsed time, in case the machine is so busy that the process hardly runs
MOST_MEMORY = 512 * 2**20  # bytes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calculation:
    """An `expression` to calculate for the item `link_id`, with `levels` as in `expressions.evaluate`."""

    link_id: str
    expression: str
    levels: dict[str, dict] = field(default_factory=dict, hash=False)


class CalculationFailed(Exception):
    """The process ended while it ran `culprit`, at a limit if `is_limit`. `values` are the results before it."""

    def __init__(self, culprit: Calculation, values: list, is_limit: bool) -> None:
        super().__init__(culprit.link_id)
        self.culprit, self.values, self.is_limit = culprit, values, is_limit


class Calculator:
    """The child process. It starts at the first calculation, and ends at `close`, at a failure or with this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.child: subprocess.Popen[str] | None = None

    def calculate(self, calculations: list[Calculation], resource: dict, seconds: float) -> list:
        """Evaluate each of `calculations`, with `seconds` of CPU time for all of them. Raises CalculationFailed."""
        job = {
            "seconds": seconds,
            "resource": resource,
            "expressions": [[one.expression, one.levels] for one in calculations],
        }
        values: list = []
        with self.lock:
            child = self._running()
            assert child.stdin is not None and child.stdout is not None
            timer = Timer(WAIT_SECONDS, child.kill)
            timer.start()
            try:
                with suppress(BrokenPipeError):
                    child.stdin.write(json.dumps(job) + "\n")
                    child.stdin.flush()
                while len(values) < len(calculations) and (line := child.stdout.readline()):
                    values.append(json.loads(line, parse_float=Decimal))
            finally:
                timer.cancel()
                if len(values) < len(calculations):
                    with suppress(subprocess.TimeoutExpired):
                        child.wait(1)  # sets child.returncode
                    self.close()
        if len(values) < len(calculations):
            raise CalculationFailed(
                calculations[len(values)], values, child.returncode in (-signal.SIGPROF, -signal.SIGKILL)
            )
        return values

    def close(self) -> None:
        """Kill the process."""
        if self.child is not None:
            self.child.kill()
            self.child.communicate()
            self.child = None

    def _running(self) -> subprocess.Popen[str]:
        if self.child is None or self.child.poll() is not None:
            command = [sys.executable, "-m", "assessments.calculation.calculator"]
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=Path(__file__).parent.parent.parent,
            )
        return self.child


class _ProcessCalculator:
    """The calculator of this process, and the expressions that have reached a limit before."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calculator = Calculator()
        self.given_up: set[str] = set()


_process_calculator = _ProcessCalculator()
os.register_at_fork(after_in_child=_process_calculator.reset)  # a forked child must not use the pipes of its parent


def calculate(calculations: list[Calculation], resource: dict) -> list:
    """Return the value of each of `calculations` over `resource`.

    A value is None if its expression fails, does not have exactly one value, reaches a limit or has reached one before.
    If the process ends, the values after that expression are None, too.
    """
    possible = [one for one in calculations if one.expression not in _process_calculator.given_up]
    try:
        values = _process_calculator.calculator.calculate(possible, resource, RUN_SECONDS) if possible else []
    except CalculationFailed as error:
        if error.is_limit:
            _process_calculator.given_up.add(error.culprit.expression)
        logger.error("The answer %s cannot be calculated.", error.culprit.link_id)
        values = error.values + [None] * (len(possible) - len(error.values))
    found = dict(zip(map(id, possible), values, strict=True))
    return [found.get(id(one)) for one in calculations]


def try_expressions(calculations: list[Calculation], resource: dict) -> str:
    """Run all of `calculations` over `resource` in a fresh process. Return an error text if that fails, or ""."""
    trial = Calculator()
    try:
        trial.calculate(calculations, resource, TRIAL_SECONDS)
    except CalculationFailed as error:
        return f"its calculations take longer than {TRIAL_SECONDS} seconds, at {error.culprit.link_id}"
    finally:
        trial.close()
    return ""


def serve() -> None:
    """Read jobs from the standard input, and write the value of each expression on a line as soon as it is known."""
    with suppress(ValueError, OSError):  # not every system limits memory
        limits.setrlimit(limits.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for line in sys.stdin:
        job = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, job["seconds"])  # its signal has no handler, so it kills the process
        for expression, levels in job["expressions"]:
            value = evaluate(expression, job["resource"], levels)
            sys.stdout.write(f"{value if isinstance(value, Decimal) else json.dumps(value)}\n")
            sys.stdout.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    serve()
