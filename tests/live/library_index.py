"""A small index for pip and a registry for npm, served on this host: tests decide what they have, and how they fail."""

from __future__ import annotations

import json
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class LibraryIndex:
    """The index and the registry; they are served while the block runs."""

    def __init__(self, python: Mapping[str, str], npm: Mapping[str, str]) -> None:
        """Describe an index that has each package in one version."""
        self.fault: tuple[int, str] | None = None  # what every request is answered with
        pages = {f"/simple/{name}/": _page(name, version) for name, version in python.items()}
        self.pages = {**pages, **{f"/npm/{name}": _packument(name, version) for name, version in npm.items()}}

    def __enter__(self) -> Self:
        """Serve."""
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, page = index.pages.get(unquote(self.path), ("text/plain", ""))
                code, text = index.fault or (200 if page else 404, page)
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def settings(self) -> dict[str, str]:
        """The variables by which pip and npm ask it, and nothing else."""
        top = f"http://127.0.0.1:{self.server.server_port}"
        pip = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": f"{top}/simple"}
        return {**pip, "PIP_NO_CACHE_DIR": "1", "npm_config_registry": f"{top}/npm/", "npm_config_fetch_retries": "0"}


def _page(name: str, version: str) -> tuple[str, str]:
    file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    return "text/html", f'<!DOCTYPE html><html><body><a href="{file}">{file}</a></body></html>'


def _packument(name: str, version: str) -> tuple[str, str]:
    about = {"name": name, "version": version, "dist": {"tarball": "http://127.0.0.1:9/x.tgz"}}
    return "application/json", json.dumps(
        {"name": name, "dist-tags": {"latest": version}, "versions": {version: about}}
    )


def write_wheel(folder: Path, name: str, version: str) -> Path:
    """Write a wheel that pip can install; return its path."""
    module = name.replace("-", "_")
    path, info = folder / f"{module}-{version}-py3-none-any.whl", f"{module}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{module}.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def write_package(folder: Path, name: str, version: str) -> None:
    """Write an npm package into a node_modules folder."""
    (folder / name).mkdir(parents=True)
    (folder / name / "package.json").write_text(json.dumps({"name": name, "version": version}))
