"""What a service that answers lacks, in words.

Knows where each part of it may be missing; knows no route.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from sightline.api.jobs.queue import Jobs
from sightline.api.service import Service
from sightline.api.terms import HEADROOM
from sightline.graph.errors import SightlineError
from sightline.graph.rdf.index import index_of
from sightline.graph.storage.errors import DiskFull
from sightline.graph.storage.tokens import check_tokens

#: Seconds that a job may wait beside no other before nobody seems to take it.
UNTAKEN = 60.0


def missing(service: Service) -> tuple[str, ...]:
    """What is missing, one plain sentence each; none where nothing is.

    Raises:
        SightlineError: nothing can be served; it says why.
    """
    sight, said = service.served.sight, []

    @contextmanager
    def telling() -> Iterator[None]:
        try:
            yield
        except SightlineError as error:
            said.append(error.public)

    if sight.no_model is not None:
        said.append(sight.no_model.public)
    with telling():
        index_of(sight.snapshot.folder)
    with telling():
        check_tokens(service.folder)
    with telling():
        waiting, why = Jobs(service.folder).untaken(UNTAKEN)
        if waiting:
            said.append(
                f"jobs that have waited for more than {UNTAKEN:g} seconds while none is being "
                f"done: {waiting} ({why or 'no worker runs'}); `sightline work` is a worker, "
                "and so is `sightline serve` without --no-worker"
            )
    with telling():
        if shutil.disk_usage(service.folder).free < HEADROOM:
            raise DiskFull(service.folder, HEADROOM)
    if not service.checked:
        said.append("the checksums of what is served are still being compared; wait, or go on")
    return tuple(said)
