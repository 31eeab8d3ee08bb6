"""What a video is made of, and what that asks of whoever publishes it (I4): licences, credits, the AI mark.

A result carries its sources' licences as text, joined by "; ". The lineage is walked as well, because a part keeps its
own name and licence there: credits can then say what is by whom. Creative Commons elements are read from SPDX
identifiers (CC-BY-NC-4.0) and from the words people write (non-commercial, attribution).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models.assets import Asset, AssetLink

OWN = "own"
_CREATIVE_COMMONS = re.compile(r"\bcc[- ]by(?P<rest>(?:[- ](?:nc|sa|nd))*)", re.IGNORECASE)
_FREE_OF = re.compile(r"\bcc0\b|public domain", re.IGNORECASE)
_NOT_ASKED = re.compile(r"\b(?:no|without) attribution\b", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """Something a video contains, and the licence it came under."""

    name: str
    licence: str


@dataclass(frozen=True)
class Provenance:
    """All parts of a video and whether one of them is made by AI."""

    parts: tuple[Part, ...]
    ai_generated: bool

    @property
    def non_commercial(self) -> tuple[Part, ...]:
        return self._where(forbids_earning)

    @property
    def share_alike(self) -> tuple[Part, ...]:
        return self._where(asks_same_licence)

    @property
    def no_derivatives(self) -> tuple[Part, ...]:
        return self._where(forbids_changes)

    @property
    def attribution(self) -> tuple[Part, ...]:
        return self._where(asks_credit)

    def credits(self, heading: str = "Credits") -> str:
        """The lines that name the parts whose licence asks for it; empty when none does. Without ``<`` and ``>``,
        which YouTube refuses."""
        lines = [f"“{part.name}” ({part.licence})" for part in self.attribution]
        text = "\n".join([f"{heading}:", *lines]) if lines else ""
        return text.replace("<", "‹").replace(">", "›")

    def _where(self, asks: Callable[[str], bool]) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if asks(part.licence))


def _elements(licence: str) -> set[str]:
    found: set[str] = set()
    for match in _CREATIVE_COMMONS.finditer(licence):
        found |= {"by", *re.split(r"[- ]", match["rest"].lower().strip("- "))}
    return found - {""}


def forbids_earning(licence: str) -> bool:
    """Non-commercial: CC BY-NC and whatever says so in words."""
    words = licence.lower().replace("-", "").replace(" ", "")
    return "nc" in _elements(licence) or "noncommercial" in words


def asks_same_licence(licence: str) -> bool:
    """Share-alike."""
    return "sa" in _elements(licence) or "sharealike" in licence.lower().replace("-", "").replace(" ", "")


def forbids_changes(licence: str) -> bool:
    """No derivatives: a cut or a bed of music under a voice is one."""
    return "nd" in _elements(licence) or "noderiv" in licence.lower().replace("-", "").replace(" ", "")


def asks_credit(licence: str) -> bool:
    """Attribution wherever the work is shown: every CC licence but CC0. Software licences (MIT, Apache) ask for their
    notice with copies of the software, not with what was made with it."""
    if _elements(licence):
        return True
    text = licence.lower()
    return "attribution" in text and not _FREE_OF.search(text) and not _NOT_ASKED.search(text)


@dataclass(frozen=True)
class Source:
    """One file of a lineage; ``parents`` are the keys of what it was made from."""

    name: str
    licence: str
    ai_generated: bool
    parents: frozenset[UUID] = frozenset()


def of_lineage(sources: dict[UUID, Source]) -> Provenance:
    """From a video and everything it was made from. A licence that a parent carries too is the parent's."""
    parts: list[Part] = []
    for source in sources.values():
        inherited = {each for key in source.parents if key in sources for each in _split(sources[key].licence)}
        parts += [Part(source.name, each) for each in _split(source.licence) if each not in inherited]
    return Provenance(
        tuple(dict.fromkeys(part for part in parts if part.licence != OWN)),
        any(source.ai_generated for source in sources.values()),
    )


def _split(licence: str) -> list[str]:
    return [each.strip() for each in licence.split(";") if each.strip()]


def of_asset(session: Session, asset: Asset | None) -> Provenance:
    """The asset and its whole lineage upwards."""
    if asset is None:
        return Provenance((), False)
    assets: dict[UUID, Asset] = {asset.id: asset}
    parents: dict[UUID, set[UUID]] = {}
    edge = {asset.id}
    while edge:
        rows = session.execute(
            select(AssetLink.child_id, Asset)
            .join(Asset, AssetLink.parent_id == Asset.id)
            .where(AssetLink.child_id.in_(edge))
            .order_by(Asset.created_at, Asset.id)
        ).all()
        for child_id, parent in rows:
            parents.setdefault(child_id, set()).add(parent.id)
        edge = {parent.id for _, parent in rows} - set(assets)
        assets |= {parent.id: parent for _, parent in rows}
    return of_lineage(
        {
            key: Source(row.name, row.licence, row.ai_generated, frozenset(parents.get(key, ())))
            for key, row in assets.items()
        }
    )
