"""The part of Grafana's HTTP API that an upload asks, played on loopback.

After the documentation of Grafana's Dashboard and Folder HTTP API and the errors in its
sources (``pkg/services/dashboards/errors.go``); never compared with a running Grafana.
The token is an Editor's, the user is an administrator. Grafana 13 answers an Editor 403
where a folder is missing, and a second folder of the same uid 412 (block/proto-fleet
pull request 830, which tried it).
"""

import base64
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "glsa_correct-horse-battery"
USER, PASSWORD = "admin", "correct-horse:battery"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

Answer = tuple[int, Any]
Fault = Callable[["Handler"], None]
Tree = dict[str, Any]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    authorization: str | None
    body: Any = None


@dataclass
class Stored:
    tree: Tree
    folder: str
    version: int
    message: str = ""


@dataclass
class GrafanaApi:
    """What it holds, what it was asked, and where it misbehaves.

    Attributes:
        folders: Titles by uid, in the root.
        lower_folders: The same of folders inside others, which no list shows.
        faults: By method and path, what happens instead of an answer.
        newer_schema: Bring dashboards up to this schema, as newer releases do.
    """

    dashboards: dict[str, Stored] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    lower_folders: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    newer_schema: int | None = None
    sub_path: str = ""
    url: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def asked(self, method: str) -> list[Request]:
        return [one for one in self.requests if one.method == method]

    def hold(self, tree: Tree, folder: str = "", version: int = 7) -> None:
        """Hold a dashboard that somebody has saved before."""
        self.dashboards[tree["uid"]] = Stored(tree, folder, version)

    def answer(self, request: Request) -> Answer:
        if request.authorization not in (f"Bearer {TOKEN}", f"Basic {BASIC}"):
            return 401, {"message": "Invalid API key"}
        path, _, query = request.path.partition("?")
        match request.method, path.split("/")[1:]:
            case "GET", ["api", "dashboards", "uid", uid]:
                found = self._dashboard(uid)
            case "POST", ["api", "dashboards", "db"]:
                found = self._save(request.body)
            case "GET", ["api", "folders"]:
                found = self._list_folders(query)
            case "GET", ["api", "folders", uid]:
                found = self._folder(uid, request.authorization)
            case "POST", ["api", "folders"]:
                found = self._create_folder(request.body)
            case _:
                found = 404, {"message": "Not found"}
        return found

    def _dashboard(self, uid: str) -> Answer:
        stored = self.dashboards.get(uid)
        if stored is None:
            return 404, {"message": "Dashboard not found"}
        tree = {**stored.tree, "id": 11, "version": stored.version}
        if self.newer_schema is not None:
            tree |= {"schemaVersion": self.newer_schema, "preload": False}
        meta = {"folderUid": stored.folder, "url": f"{self.sub_path}/d/{uid}/x"}
        return 200, {"dashboard": tree, "meta": meta}

    def _save(self, body: Any) -> Answer:
        tree, folder = body["dashboard"], body["folderUid"]
        uid = tree["uid"]
        if folder and folder not in {**self.folders, **self.lower_folders}:
            return 400, {"message": "folder not found"}
        stored = self.dashboards.get(uid)
        version = stored.version if stored else 0
        if stored and tree.get("version", 0) != version and not body["overwrite"]:
            message = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": message}
        self.dashboards[uid] = Stored(tree, folder, version + 1, body["message"])
        return 200, {
            "id": 11,
            "uid": uid,
            "url": f"{self.sub_path}/d/{uid}/x",
            "status": "success",
            "version": version + 1,
            "slug": "x",
        }

    def _list_folders(self, query: str) -> Answer:
        asked = parse_qs(query)
        limit, page = int(asked["limit"][0]), int(asked["page"][0])
        found = [{"id": 1, "uid": uid, "title": t} for uid, t in self.folders.items()]
        return 200, found[limit * (page - 1) : limit * page]

    def _folder(self, uid: str, authorization: str | None) -> Answer:
        title = {**self.folders, **self.lower_folders}.get(uid)
        if title is not None:
            return 200, {"id": 1, "uid": uid, "title": title}
        if authorization == f"Bearer {TOKEN}":
            return 403, {"message": "Permissions needed: folders:read"}
        return 404, {"status": "not-found", "message": "folder not found"}

    def _create_folder(self, body: Any) -> Answer:
        if body["uid"] in self.folders:
            message = "a folder with the same uid already exists"
            return 412, {"message": message}
        self.folders[body["uid"]] = body["title"]
        return 200, {"id": 1, "version": 1, **body}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    api: GrafanaApi
    request_read: Request
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.loads(content))

    def _answer(self, body: Any) -> None:
        path = self.path.removeprefix(self.api.sub_path)
        authorization = self.headers["Authorization"]
        self.request_read = Request(self.command, path, authorization, body)
        self.api.requests.append(self.request_read)
        fault = self.api.faults.get((self.command, urlsplit(path).path))
        if not self.path.startswith(self.api.sub_path):
            fault = web_page(404)
        self.close_connection = fault is not None
        (fault or behaves)(self)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def behaves(handler: Handler) -> None:
    status, value = handler.api.answer(handler.request_read)
    handler.reply(status, json.dumps(value).encode())


def once(fault: Fault) -> Fault:
    """Misbehave at the first request, behave from the second on."""
    left = [fault]

    def act(handler: Handler) -> None:
        (left.pop() if left else behaves)(handler)

    return act


def says(status: int, message: str, **headers: str) -> Fault:
    body = json.dumps({"message": message}).encode()
    return lambda handler: handler.reply(status, body, **headers)


def web_page(status: int) -> Fault:
    return lambda handler: handler.reply(status, b"<!doctype html><h1>Welcome</h1>")


def sends(value: object) -> Fault:
    return lambda handler: handler.reply(200, json.dumps(value).encode())


def repeats_the_secrets(handler: Handler) -> None:
    authorization = handler.headers["Authorization"]
    message = f"cannot use {authorization} here, or {PASSWORD}"
    if authorization.startswith("Bearer "):
        message = f"cannot use {authorization} here"
    handler.reply(400, json.dumps({"message": message}).encode())


def hangs(handler: Handler) -> None:
    handler.api.ended.wait()


def trickles(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.api.ended.wait(0.01):
            handler.wfile.write(b" ")


def floods(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.api.ended.is_set():
            handler.wfile.write(b" " * 65_536)


def hangs_up(handler: Handler) -> None:
    del handler


def breaks_off(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"dashboard":')


@contextlib.contextmanager
def playing(
    *, sub_path: str = "", tls: ssl.SSLContext | None = None, **state: Any
) -> Iterator[GrafanaApi]:
    """Play Grafana on a free port of loopback."""
    api = GrafanaApi(sub_path=sub_path, **state)
    handler = type("BoundHandler", (Handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = False  # so that closing waits for all of them
        if tls is not None:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        api.url = f"{scheme}://127.0.0.1:{server.server_port}{sub_path}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield api
        finally:
            api.ended.set()
            server.shutdown()
            thread.join()
