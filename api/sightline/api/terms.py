"""On which terms a workspace is served: what whoever runs the service decides, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Bytes of the disk that reports and files that are sent leave free.
HEADROOM = 256 << 20


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a service.

    Attributes:
        hosts: names under which it may be asked, besides addresses and localhost; None: any.
        origins: further pages that may use it from a browser, as `https://app.example.org`.
        open: answer everybody while no token exists.
        budget: seconds of work that a token, or an address elsewhere, may ask for in a minute;
            None: any.
        access_log: write a line for every request.
        report_room: bytes that reports may take.
    """

    hosts: Sequence[str] | None = None
    origins: Sequence[str] = ()
    open: bool = True
    budget: float | None = None
    access_log: bool = False
    report_room: int = 10_000_000_000


#: Everybody may ask anything: an application that nothing but tests and this process reaches.
NONE = Terms()
#: What `serve` begins with.
STRICT = Terms(hosts=(), open=False)
