"""Questions to a Sightline service, or to a workspace without one.

from sightline.client import Client, Local

with Client("http://127.0.0.1:8000") as graph:
    graph.related("Kenya", k=20).to_pandas()
"""

from sightline.client.errors import Problem
from sightline.client.interface import Sightline, Solutions, Term, async_pages, pages
from sightline.client.local import Local
from sightline.client.remote import AsyncClient, Client

__all__ = [
    "AsyncClient",
    "Client",
    "Local",
    "Problem",
    "Sightline",
    "Solutions",
    "Term",
    "async_pages",
    "pages",
]
