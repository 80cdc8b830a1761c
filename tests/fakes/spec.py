"""Holds requests and answers against the providers' own API descriptions.

The descriptions are not part of this repository: ``ORCHESTRATOR_SHARED`` names the folder that holds
``provider-specs``. Without it nothing is checked, and :func:`load` says so by returning None.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from openapi_schema_validator import OAS30Validator, OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4, DRAFT202012

FILES = {
    "sendgrid": "sendgrid_mail.json",
    "twilio": "twilio_messages.json",
    "conversations": "twilio_conversations.json",
}
_URI = "urn:spec"
_ROOT = Path(__file__).resolve().parents[2]


def folder() -> Path | None:
    """Where the descriptions are, if they are anywhere."""
    found = Path(os.environ.get("ORCHESTRATOR_SHARED") or _ROOT.parent / "shared") / "provider-specs"
    return found if found.is_dir() else None


@cache
def load(service: str) -> Spec | None:
    where = folder()
    if where is None or not (where / FILES[service]).is_file():
        return None
    return Spec(json.loads((where / FILES[service]).read_text("utf-8")))


class Spec:
    """One API description."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        new = str(document["openapi"]).startswith("3.1")
        self._validator: Any = OAS31Validator if new else OAS30Validator
        resource = (DRAFT202012 if new else DRAFT4).create_resource(document)
        self._registry: Any = Registry().with_resource(_URI, resource)
        self._paths = [(_pattern(path), path) for path in document["paths"]]
        self._validators: dict[str, Any] = {}

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        form: Sequence[tuple[str, str]] | None = None,
        body: Any = None,
    ) -> list[str]:
        """What is wrong with a request; empty when nothing is."""
        found = self._operation(method, path)
        if found is None:
            return [f"no such operation: {method} {path}"]
        template, values = found
        operation = self._document["paths"][template][method.lower()]
        wrong = self._parameters(operation, values, query, headers or {})
        content, pointer = self._body(operation, template, method)
        if form is not None:
            kind = "application/x-www-form-urlencoded"
            if kind not in content:
                return wrong if not form else [*wrong, "the operation takes no form"]
            schema = self._resolved(content[kind]["schema"])
            fields, unread = _decode(form, {n: self._resolved(s) for n, s in schema["properties"].items()})
            wrong += unread
            wrong += self._check(f"{pointer}/{_escape(kind)}/schema", fields)
        elif "application/json" in content:
            wrong += self._check(f"{pointer}/{_escape('application/json')}/schema", body)
            schema = self._resolved(content["application/json"]["schema"])
            unknown = set(body if isinstance(body, dict) else ()) - set(schema.get("properties", {}))
            wrong += [f"unknown property {name!r}" for name in sorted(unknown)]
        return wrong

    def answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer of the fake itself."""
        found = self._operation(method, path)
        if found is None:
            return []
        template, _ = found
        responses = self._document["paths"][template][method.lower()]["responses"]
        response = responses.get(str(status))
        if response is None:
            return [f"answer {status} is not described"]
        pointer = f"/paths/{_escape(template)}/{method.lower()}/responses/{status}"
        if "$ref" in response:
            pointer = response["$ref"].removeprefix("#")
            response = self._resolved(response)
        if "application/json" not in response.get("content", {}):
            return []
        return self._check(f"{pointer}/content/{_escape('application/json')}/schema", body, prefix="answer ")

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        for pattern, template in self._paths:
            match = pattern.fullmatch(path)
            if match and method.lower() in self._document["paths"][template]:
                return template, {name[1:]: unquote(value) for name, value in match.groupdict().items()}
        return None

    def _parameters(
        self,
        operation: Mapping[str, Any],
        path_values: Mapping[str, str],
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
    ) -> list[str]:
        wrong: list[str] = []
        lower = {name.lower(): value for name, value in headers.items()}
        described = [self._resolved(one) for one in operation.get("parameters", [])]
        for one in described:
            given = {"path": path_values, "query": dict(query), "header": lower}[one["in"]]
            name = one["name"].lower() if one["in"] == "header" else one["name"]
            if name in given:
                schema = self._resolved(one["schema"])
                value, ok = _typed(given[name], schema)
                problems = [] if ok else [f"not a {schema['type']}"]
                problems += [error.message for error in self._schema(schema).iter_errors(value)] if ok else []
                wrong += [f"{one['in']} {one['name']}: {words}" for words in problems]
            elif one.get("required"):
                wrong.append(f"{one['in']} {one['name']} is missing")
        known = {one["name"] for one in described if one["in"] == "query"}
        return wrong + [f"unknown query parameter {name!r}" for name, _ in query if name not in known]

    def _body(self, operation: Mapping[str, Any], template: str, method: str) -> tuple[dict[str, Any], str]:
        body = operation.get("requestBody", {})
        pointer = f"/paths/{_escape(template)}/{method.lower()}/requestBody"
        if "$ref" in body:
            pointer = body["$ref"].removeprefix("#")
            body = self._resolved(body)
        return body.get("content", {}), f"{pointer}/content"

    def _check(self, pointer: str, value: Any, *, prefix: str = "") -> list[str]:
        if pointer not in self._validators:
            self._validators[pointer] = self._schema({"$ref": f"{_URI}#{pointer}"})
        errors = self._validators[pointer].iter_errors(value)
        return [
            f"{prefix}{'.'.join(map(str, error.path)) or 'body'}: {error.message[:300]}" for error in errors
        ]

    def _schema(self, schema: Mapping[str, Any]) -> Any:
        checker = self._validator.FORMAT_CHECKER
        return self._validator(schema, registry=self._registry, format_checker=checker)

    def _resolved(self, part: Any) -> Any:
        while isinstance(part, dict) and "$ref" in part:
            target: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                target = target[name.replace("~1", "/").replace("~0", "~")]
            part = target
        return part


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(f"(?P<_{part}>[^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    # "Messages/{Sid}.json": the suffix is not part of the value.
    return re.compile(text.replace("[^/]+)\\.json", "[^/.]+)\\.json"))


def _decode(
    form: Sequence[tuple[str, str]], properties: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    fields: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in form:
        schema = properties.get(name)
        if schema is None:
            wrong.append(f"unknown field {name!r}")
        elif schema.get("type") == "array":
            fields.setdefault(name, []).append(value)
        elif name in fields:
            wrong.append(f"field {name!r} stands twice")
        else:
            fields[name], ok = _typed(value, schema)
            if not ok:
                wrong.append(f"{name}: expected {schema['type']}")
    return fields, wrong


def _typed(value: str, schema: Mapping[str, Any]) -> tuple[Any, bool]:
    kind = schema.get("type")
    try:
        if kind == "integer":
            return int(value), True
        if kind == "number":
            return float(value), True
    except ValueError:
        return value, False
    if kind == "boolean":
        return value.lower() == "true", value.lower() in ("true", "false")
    return value, True
