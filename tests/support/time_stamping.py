"""A time-stamp authority of the tests: ``openssl ts`` behind HTTP on 127.0.0.1."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_CONFIGURATION = """\
[tsa]
dir = .
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""
_EXTENSIONS = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
"""


def make_authority(folder: Path) -> Path:
    """Keys and certificates; returns the root certificate. The reply leaves the CA out."""
    folder.mkdir()
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=folder))
    (folder / "tsa.ext").write_text(_EXTENSIONS)
    root, key = folder / "root.pem", folder / "root.key"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        *("req", "-x509", *new_key, "-keyout", key, "-out", root, "-days", "30"),
        *("-subj", "/CN=Test root", "-addext", "keyUsage=critical,keyCertSign"),
    )
    request = folder / "tsa.csr"
    _openssl(
        "req", *new_key, "-keyout", folder / "tsa.key", "-out", request, "-subj", "/CN=Test TSA"
    )
    _openssl(
        *("x509", "-req", "-in", request, "-CA", root, "-CAkey", key, "-CAcreateserial"),
        *("-out", folder / "tsa.pem", "-days", "30", "-extfile", folder / "tsa.ext"),
    )
    return root


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The authority's URL while it runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = folder / "query.tsq"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            reply = _openssl(
                *("ts", "-reply", "-config", folder / "tsa.cnf", "-section", "tsa"),
                *("-queryfile", query),
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def verified_by_openssl(token: Path, note: Path, root: Path) -> bool:
    """Whether ``openssl ts`` accepts a token for a file."""
    command = ["openssl", "ts", "-verify", "-in", token, "-data", note, "-CAfile", root]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def _openssl(*arguments: object) -> bytes:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
