"""The OpenAPI document: what a program's author reads is true, whole and in our words."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from api.application import api
from api.examples import EXAMPLES

SCHEMA = api.openapi()


@pytest.mark.parametrize("model", EXAMPLES, ids=lambda model: model.__name__)
def test_every_example_is_accepted(model: type[BaseModel]) -> None:
    model.model_validate(EXAMPLES[model])
    assert SCHEMA["components"]["schemas"][model.__name__]["examples"] == [EXAMPLES[model]]


def test_every_operation_says_what_it_does() -> None:
    for path, item in SCHEMA["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_no_reading_takes_a_body() -> None:
    for path, item in SCHEMA["paths"].items():
        for method in ("get", "head", "delete"):
            assert "requestBody" not in item.get(method, {}), (method, path)


def test_every_reference_is_there() -> None:
    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            here = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return here.union(*(references(value) for value in node.values()))
        return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()

    known = {f"#/components/schemas/{name}" for name in SCHEMA["components"]["schemas"]}
    assert references(SCHEMA) <= known


def test_uploads_are_one_resource() -> None:
    paths = {path: set(item) for path, item in SCHEMA["paths"].items() if path.startswith("/uploads")}
    assert paths == {
        "/uploads": {"get", "post", "options"},
        "/uploads/{upload_id}": {"head", "patch", "delete"},
        "/uploads/{upload_id}/asset": {"get"},
    }
