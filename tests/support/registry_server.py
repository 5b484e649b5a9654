"""A program: the few endpoints of a schema registry, over HTTP on 127.0.0.1, with a state of its own.

``python registry_server.py PORT STATE_FILE``. As Confluent's registry it gives one id to one
schema whatever its subject, keeps the schema and not its white space, and refuses a version with
which the latest one's data cannot be read (BACKWARD, its default). The state outlives the process.
It writes each request and its status to standard error.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote


class Refusal(NamedTuple):
    status: int
    error_code: int
    message: str


class Registry:
    """Schemas by id, and the ids of each subject's versions in their order."""

    def __init__(self, file: Path) -> None:
        self._file = file
        state = json.loads(file.read_text()) if file.exists() else {"schemas": [], "subjects": {}}
        self.schemas: list[str] = state["schemas"]
        self.subjects: dict[str, list[int]] = state["subjects"]

    def register(self, subject: str, text: str) -> dict[str, Any] | Refusal:
        schema_id = self._id_of(text)
        versions = self.subjects.get(subject, [])
        if schema_id not in versions:
            if versions and not can_read(reader=text, writer=self.schemas[versions[-1] - 1]):
                return Refusal(409, 409, f"incompatible with an earlier schema of {subject}")
            if schema_id is None:
                self.schemas.append(text)
                schema_id = len(self.schemas)
            self.subjects[subject] = [*versions, schema_id]
            state = {"schemas": self.schemas, "subjects": self.subjects}
            self._file.write_text(json.dumps(state))
        return {"id": schema_id}

    def find(self, subject: str, text: str) -> dict[str, Any] | Refusal:
        if subject not in self.subjects:
            return Refusal(404, 40401, f"Subject '{subject}' not found.")
        schema_id, versions = self._id_of(text), self.subjects[subject]
        if schema_id is None or schema_id not in versions:
            return Refusal(404, 40403, "Schema not found")
        version = versions.index(schema_id) + 1
        return {"subject": subject, "id": schema_id, "version": version, "schema": text}

    def schema(self, schema_id: int) -> dict[str, Any] | Refusal:
        if not 0 < schema_id <= len(self.schemas):
            return Refusal(404, 40403, f"Schema {schema_id} not found")
        return {"schema": self.schemas[schema_id - 1]}

    def _id_of(self, text: str) -> int | None:
        return self.schemas.index(text) + 1 if text in self.schemas else None


def can_read(reader: str, writer: str) -> bool:
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
    from avro.schema import parse

    result = ReaderWriterCompatibilityChecker().get_compatibility(parse(reader), parse(writer))
    return result.compatibility is SchemaCompatibilityType.compatible


class Handler(BaseHTTPRequestHandler):
    registry: Registry

    def do_GET(self) -> None:
        match self._path():
            case ["schemas", "ids", schema_id] if schema_id.isdecimal():
                self._answer(self.registry.schema(int(schema_id)))
            case _:
                self._answer(Refusal(404, 404, "HTTP 404 Not Found"))

    def do_POST(self) -> None:
        try:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = json.dumps(json.loads(given["schema"]), separators=(",", ":"))
        except (ValueError, KeyError):
            self._answer(Refusal(422, 42201, "Invalid schema"))
            return
        match self._path():
            case ["subjects", subject, "versions"]:
                self._answer(self.registry.register(subject, text))
            case ["subjects", subject]:
                self._answer(self.registry.find(subject, text))
            case _:
                self._answer(Refusal(404, 404, "HTTP 404 Not Found"))

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing but what :meth:`_answer` writes."""

    def _path(self) -> list[str]:
        return [unquote(part) for part in self.path.strip("/").split("/")]

    def _answer(self, answer: dict[str, Any] | Refusal) -> None:
        status, content = 200, answer
        if isinstance(answer, Refusal):
            status = answer.status
            content = {"error_code": answer.error_code, "message": answer.message}
        body = json.dumps(content).encode()
        print(self.command, self.path, status, file=sys.stderr, flush=True)
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Handler.registry = Registry(Path(sys.argv[2]))
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
