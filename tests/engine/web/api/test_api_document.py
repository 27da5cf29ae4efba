"""The OpenAPI document is sound and names every operation."""
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def spec(flask: Flask) -> dict[str, Any]:
    answer = flask.test_client().get("/api/openapi.json")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            assert method in METHODS, (path, method)
            yield path, method, operation


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from nodes(item)


def test_it_names_every_route_below_api(flask: Flask, spec: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in flask.url_map.iter_rules() if rule.rule.startswith("/api")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(spec)} == routes


def test_the_head_is_complete(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.1.0" and {"title", "version", "description"} <= set(spec["info"])
    assert spec["servers"][0]["url"].startswith("http")
    assert spec["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_operation_is_described_in_chinese(spec: dict[str, Any]) -> None:
    tags, ids = {tag["name"] for tag in spec["tags"]}, set()
    for path, method, operation in operations(spec):
        where = f"{method} {path}"
        assert re.search(r"[\u4e00-\u9fff]", operation["summary"]), where
        assert set(operation["tags"]) <= tags and len(operation["tags"]) == 1, where
        assert operation["operationId"] not in ids, where
        ids.add(operation["operationId"])
        assert operation["security"] == ([] if path == "/api/openapi.json" else [{"token": []}]), where
        assert any(code.startswith("2") for code in operation["responses"]), where
        for code, answer in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", code) and re.search(r"[\u4e00-\u9fff]", answer["description"]), where


def test_parameters_fit_the_addresses(spec: dict[str, Any]) -> None:
    for path, method, operation in operations(spec):
        given = operation.get("parameters", [])
        in_path = {one["name"] for one in given if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), path
        assert len({(one["in"], one["name"]) for one in given}) == len(given), path
        for one in given:
            assert one["in"] in ("path", "query", "header") and "schema" in one and one.get("description"), (path, one)
            assert one["in"] != "path" or one["required"] is True
        acts = method == "post" and path not in ("/api/attachments", "/api/notices/read", "/api/cases/{case_id}/reveal")
        assert ("Idempotency-Key" in {one["name"] for one in given if one["required"]}) == acts, path


def test_every_reference_leads_somewhere_and_every_schema_is_one(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    for node in nodes(spec):
        if isinstance(node.get("$ref"), str):
            prefix, name = node["$ref"].rsplit("/", 1)
            assert prefix == "#/components/schemas" and name in schemas, node
    for name, schema in schemas.items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        assert schema.get("properties") is None or set(schema.get("required", [])) <= set(schema["properties"]), name


def test_every_field_that_is_sent_says_what_it_is(spec: dict[str, Any]) -> None:
    sent = {
        media["schema"]["$ref"].rsplit("/", 1)[1]
        for _, _, operation in operations(spec) for media in operation.get("requestBody", {}).get("content", {}).values()
    }
    assert len(sent) >= 7
    for name in sent:
        for field, schema in spec["components"]["schemas"][name].get("properties", {}).items():
            assert schema.get("description"), (name, field)


def test_errors_have_the_one_shape_in_the_document_too(spec: dict[str, Any]) -> None:
    for path, _, operation in operations(spec):
        for code, answer in operation["responses"].items():
            if code >= "400":
                assert answer["content"]["application/problem+json"]["schema"]["$ref"].endswith("/ErrorAnswer"), (path, code)


def test_the_examples_are_valid(spec: dict[str, Any]) -> None:
    shown = 0
    for _, _, operation in operations(spec):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in media:
                name = media["schema"]["$ref"].rsplit("/", 1)[1]
                whole = {"$defs": spec["components"]["schemas"], **spec["components"]["schemas"][name]}
                text = jsonschema_rs.Draft202012Validator(_local(whole))
                assert text.is_valid(media["example"]), name
                shown += 1
    assert shown >= 3


def _local(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item.replace("#/components/schemas/", "#/$defs/") if key == "$ref" else _local(item) for key, item in value.items()}
    return [_local(item) for item in value] if isinstance(value, list) else value


def test_answers_fit_their_schemas(spec: dict[str, Any], caller: Any, started: dict[str, Any]) -> None:
    officer = caller("officer")
    (task,) = officer.get("/tasks")["items"]
    for path, rule in (
        ("/me", "/api/me"), ("/tasks", "/api/tasks"), (f"/tasks/{task['task_id']}", "/api/tasks/{task_id}"), ("/starts", "/api/starts"),
        (f"/cases/{started['case_id']}", "/api/cases/{case_id}"), (f"/cases/{started['case_id']}/history", "/api/cases/{case_id}/history"),
        ("/cases", "/api/cases"), ("/processes", "/api/processes"), ("/notices", "/api/notices"), ("/units", "/api/units"),
    ):
        schema = spec["paths"][rule]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        name = schema["$ref"].rsplit("/", 1)[1]
        whole = _local({"$defs": spec["components"]["schemas"], **spec["components"]["schemas"][name]})
        jsonschema_rs.Draft202012Validator(whole).validate(officer.get(path))
