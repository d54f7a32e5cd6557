"""Child processes, stopped phase by phase, in reverse order, when the run ends.

Each has its own process group, unless it shares the terminal. On Linux the kernel also signals a child when its parent
dies (PR_SET_PDEATHSIG), so that `kill -9` of this process leaves no child either.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Self

from clinic.local.processes.refusal import CannotStart

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # loaded here, since loading is not safe between fork and exec

GRACE_S = 8  # seconds a child has to end before SIGKILL


class Phase(IntEnum):
    """The order of starting. Phases stop in reverse order, and the children of one phase stop together."""

    SERVERS = 0
    MAIL = 1
    SITE = 2
    COMMAND = 3  # the command that this process waits for


class StopRequested(Exception):
    """SIGINT (Ctrl-C), SIGTERM or SIGHUP was received."""


@dataclass
class Child:
    name: str
    process: subprocess.Popen[bytes]
    phase: Phase
    stop_signal: signal.Signals
    shares_terminal: bool
    log: str

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    @property
    def ending(self) -> str:
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"{self.name} {how}" + (f"; the end of its output is in {self.log}" if self.log else "")

    def kill(self) -> None:
        """Kill the process, and its group unless it shares the terminal. Waits until the process has ended."""
        if self.shares_terminal:
            self.process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class ChildEnded(CannotStart):
    """A child ended unexpectedly."""

    def __init__(self, child: Child):
        super().__init__(f"{child.ending}.")
        self.child = child


def die_with_parent(number: int, parent: int) -> None:
    """Have the kernel send `number` to this process when `parent`, which started it, dies. No-op except on Linux."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # the parent died before prctl
            os.kill(os.getpid(), number)


class Children:
    """Context manager for the processes of one run. Leaving it stops them all.

    Every wait raises StopRequested after a signal to stop this process, and ChildEnded when a child has ended.
    """

    def __init__(self, *, lock_fd: int):
        self._children: list[Child] = []
        self._lock_fd = lock_fd
        self._signals: list[int] = []
        self._asked_at = 0.0
        self._is_impatient = False

    def __enter__(self) -> Self:
        self._wake_read, wake_write = os.pipe()
        self._wake_write = wake_write
        for fd in (self._wake_read, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        handlers: dict[signal.Signals, Callable[[int, object], None]] = {}
        handlers[signal.SIGCHLD] = lambda *_: None  # only wakes the pipe
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # keep SIG_IGN, as set by nohup
                handlers[number] = self._note_signal
        self._handlers_before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        phase: Phase,
        stop_signal: signal.Signals = signal.SIGTERM,
        before_exec: Callable[[], None] = lambda: None,
        shares_terminal: bool = False,
        log: str = "",
        pass_fds: tuple[int, ...] = (),
        **options: Any,
    ) -> Child:
        """Start `argv`. `log` is the file for its output, by default that of this process."""
        parent = os.getpid()

        def prepare() -> None:
            before_exec()  # first: entering another namespace clears the death signal
            die_with_parent(stop_signal, parent)

        with open(log, "ab") if log else contextlib.nullcontext() as output:
            process = subprocess.Popen(
                [os.fspath(part) for part in argv],
                stdout=output,
                stderr=output,
                process_group=None if shares_terminal else 0,
                preexec_fn=prepare,
                pass_fds=(*pass_fds, self._lock_fd),
                **{"stdin": None if shares_terminal else subprocess.DEVNULL, **options},
            )
        child = Child(name, process, phase, stop_signal, shares_terminal, log)
        self._children.append(child)
        return child

    def run(self, name: str, argv: Sequence[str | Path], *, seconds: float | None = None, **options: Any) -> int:
        """Run `argv` and return its exit code. Raises CannotStart if it takes longer than `seconds`."""
        child = self.start(name, argv, phase=Phase.COMMAND, **options)
        deadline = None if seconds is None else time.monotonic() + seconds
        while child.is_alive:
            self.wait(deadline and max(0, deadline - time.monotonic()), except_for=child)
            if deadline and child.is_alive and time.monotonic() >= deadline:
                raise CannotStart(f"{name} did not end within {seconds:g} s.")
        self._children.remove(child)
        return child.process.returncode

    def kill(self, child: Child) -> None:
        """Kill `child` as `Child.kill` does, and stop watching it."""
        child.kill()
        self._children.remove(child)

    def wait(self, seconds: float | None = None, *, except_for: Child | None = None) -> None:
        """Sleep until a signal or the end of a child, `seconds` at most. The end of `except_for` raises nothing."""
        self._check(except_for)
        self._sleep(seconds)
        self._check(except_for)

    def wait_until(self, is_ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Poll `is_ready` until it is true. Raises CannotStart after `seconds`."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if time.monotonic() > deadline:
                raise CannotStart(f"{what} did not answer within {seconds:.0f} s.")
            self.wait(0.03)

    def _check(self, except_for: Child | None) -> None:
        if self._signals:
            raise StopRequested
        for child in self._children:
            if child is not except_for and not child.is_alive:
                raise ChildEnded(child)

    def _sleep(self, seconds: float | None) -> None:
        if select.select([self._wake_read], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)

    def _note_signal(self, number: int, _: object) -> None:
        # One Ctrl-C can arrive twice, from the terminal and from make. A later one means to stop without waiting.
        now = time.monotonic()
        self._is_impatient = bool(self._signals) and number == signal.SIGINT and now - self._asked_at > 0.5
        self._asked_at = self._asked_at if self._signals else now
        self._signals.append(number)

    def _stop_all(self) -> None:
        while self._children:
            phase = max(child.phase for child in self._children)
            group = [child for child in reversed(self._children) if child.phase == phase]
            self._ask_to_end(group)
            deadline = time.monotonic() + GRACE_S
            while any(child.is_alive for child in group) and time.monotonic() < deadline:
                if self._is_impatient:
                    break
                self._sleep(0.1)
            for child in group:
                child.kill()
                self._children.remove(child)

    def _ask_to_end(self, group: list[Child]) -> None:
        for child in group:
            has_been_told = child.shares_terminal and self._signals[-1:] == [signal.SIGINT]  # by the terminal
            if child.is_alive and not has_been_told:
                child.process.send_signal(child.stop_signal)
