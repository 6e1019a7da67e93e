"""The members of the teacher, in the order in which they are trained. Add one here."""

from __future__ import annotations

from operator import attrgetter

from sightline.models.members import network
from sightline.models.members.member import Member
from sightline.models.members.path import trainer as path

MEMBERS: tuple[Member, ...] = (
    Member("network", attrgetter("network"), network.build, network.train),
    Member("partner", attrgetter("partner"), network.build, network.train),
    Member("path", attrgetter("path"), path.build, path.train),
)
