"""All routes of a room, and requests as no browser makes them: of an exact path and headers."""

import http.client
import json
import re
from typing import Any, NamedTuple

from rooms import Room

STUDY = "/api/v1/studies/<study>"
NAME, NOTE = "Lastname^Firstname.png", "a note on this patient alone"
READING = {"verdict": "finding", "note": NOTE}

# How to ask each route: of one study, of who is signed in, and what is open to all. A route that is
# new must be put into one of them; what it gets is then tried as all others.
OF_A_STUDY: dict[tuple[str, str], Any] = {
    ("GET", STUDY): None,
    ("GET", f"{STUDY}/pixels"): None,
    ("GET", f"{STUDY}/thumbnail"): None,
    ("GET", f"{STUDY}/maps/<int:label>"): None,
    ("GET", f"{STUDY}/heatmap/<int:label>.png"): None,
    ("GET", f"{STUDY}/report.pdf"): None,
    ("GET", f"{STUDY}/dicom.zip"): None,
    ("POST", f"{STUDY}/reading"): READING,
    ("DELETE", STUDY): None,
}
OF_THE_SIGNED_IN: dict[tuple[str, str], Any] = {
    ("GET", "/"): None,
    ("GET", "/<path:path>"): None,
    ("GET", "/static/<path:filename>"): None,
    ("GET", "/_dash-layout"): None,
    ("GET", "/_dash-dependencies"): None,
    ("GET", "/_reload-hash"): None,
    ("POST", "/_dash-update-component"): {"output": "none.none"},
    ("GET", "/account/password"): None,
    ("POST", "/account/password"): {},
    ("GET", "/api/v1/studies"): None,
    ("POST", "/api/v1/studies"): {},
    ("POST", "/api/v1/examples"): {},
    ("GET", "/api/v1/worklist.csv"): None,
    ("GET", "/api/v1/models"): None,
    ("GET", "/api/v1/models/<key>"): None,
    ("GET", "/api/v1/models/<key>/cases/<int:place>"): None,
    ("PUT", "/api/v1/settings"): {"threshold": 0.4},
    ("GET", "/api/v1/version"): None,
}
OPEN = {
    ("GET", "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"),
    ("GET", "/assets/<path:filename>"),
    ("GET", "/_favicon.ico"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/language/<code>"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("GET", "/welcome"),
    ("POST", "/welcome"),
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
MUTATIONS = {  # of a path that must not open what the path itself does not
    "as it is": str,
    "upper case": str.upper,
    "a slash at the end": lambda path: f"{path}/",
    "two slashes": lambda path: f"/{path}",
    "an encoded slash": lambda path: path[:8] + path[8:].replace("/", "%2F"),
    "an open folder before": lambda path: f"/assets/..{path}",
    "an encoded one": lambda path: f"/assets/%2e%2e{path}",
    "a semicolon": lambda path: f"{path};.css",
    "a question": lambda path: f"{path}?next=/assets/",
}
HEADERS = {
    "none": {},
    "a page is wanted": {"Accept": "text/html"},
    "a part": {"Range": "bytes=0-9"},
    "what is known already": {"If-None-Match": "*"},
    "not since": {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    "another method": {"X-HTTP-Method-Override": "GET", "X-Method-Override": "GET"},
    "another path": {"X-Original-URL": "/login", "X-Rewrite-URL": "/login"},
    "another host": {"Host": "elsewhere.example"},
    "from here": {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "reader-a"},
}


class Answer(NamedTuple):
    """What the server said, but for when."""

    status: int
    headers: dict[str, str]
    body: bytes


class Person(NamedTuple):
    """Someone who asks, by what their requests carry."""

    room: Room
    carries: dict[str, str]

    def ask(self, method: str, path: str, given: Any = None, **headers: str) -> Answer:
        """Ask for exactly this path, which clients would mend."""
        sent = {**self.carries, **{name.replace("_", "-"): text for name, text in headers.items()}}
        body = None if given is None else json.dumps(given)
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.room.port, timeout=60)
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        told = Answer(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        told.headers.pop("Date", None)
        return told

    def secrets(self) -> list[str]:
        """What of these would let another in."""
        cookies = self.carries.get("Cookie", "").split("; ")
        token = self.carries.get("Authorization", "").removeprefix("Bearer ")
        kept = [cookie.partition("=")[2] for cookie in cookies if not cookie.startswith("language")]
        return [text for text in (*kept, token) if text]


def by_session(room: Room, name: str) -> Person:
    visitor = room.enter(name)
    cookies = visitor.session.cookies.get_dict()
    return Person(
        room,
        {
            "Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items()),
            "X-CSRFToken": cookies["_csrf_token"],
            "User-Agent": str(visitor.session.headers["User-Agent"]),
            "Accept-Language": "en",
        },
    )


def by_token(room: Room, name: str) -> Person:
    carries = {"Authorization": f"Bearer {room.token(name)}", "Accept-Language": "en"}
    return Person(room, carries)


class Scene(NamedTuple):
    """A room with two users who each have a study, and all who ask."""

    room: Room
    routes: set[tuple[str, str]]
    stranger: Person
    owners: tuple[Person, Person]
    others: tuple[Person, Person]
    study: str
    elsewhere: str
    marks: tuple[str, ...]

    def path(self, rule: str, study: str | None = None) -> str:
        """Of a route, with its variables filled in."""
        values = {"study": study or self.study, "key": "f" * 64, "code": "en"}
        return re.sub(
            r"<(?:(int|path|string):)?(\w+)>",
            lambda found: "0" if found[1] == "int" else values.get(found[2], "x"),
            rule,
        )
