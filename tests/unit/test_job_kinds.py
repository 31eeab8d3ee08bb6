"""Every kind of job can be done: its payload is a class, a worker has its task, and a person is told its name (S4)."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from core.i18n import LANGUAGES, t
from core.i18n.catalogue import has
from core.jobs.kinds import KINDS, QUEUES, JobKind
from workers import registry


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_has_its_payload_its_queue_its_task_and_its_name(kind: JobKind) -> None:
    registry.load_tasks()
    assert issubclass(kind.payload_class(), BaseModel)
    assert kind.queue in QUEUES
    assert callable(registry.task_of(kind.name))
    assert has(kind.title_key)
    assert all(t(kind.title_key, lang) != kind.title_key for lang in LANGUAGES)
