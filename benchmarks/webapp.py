"""How fast an open reading room answers, alone and with 20 users, and whether its memory grows.

python cli.py serve --run RUN --home HOME            # in another terminal; make an account
python cli.py users token NAME --home HOME
python benchmarks/webapp.py --token TOKEN --pid PID_OF_SERVE [--url http://127.0.0.1:8050]

Films are drawn: noise that makes PNG files of about 1 MB. An upload counts until its result and
both heatmaps are here.
"""

import argparse
import io
import statistics
import threading
import time

import numpy as np
import psutil
import requests
from PIL import Image

SIDE = 1024  # pixels; noise of 8 bits does not shrink, so that the file has 1 MB


def main() -> None:
    """Print a row a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8050")
    parser.add_argument("--token", required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--films", type=int, default=60)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    server = psutil.Process(given.pid)
    alone = [_one(given, seed) for seed in range(-5, given.films)][5:]  # five to warm up
    print(f"alone, {len(alone)} films: {_told(alone)}; memory {_memory(server)} MB", flush=True)
    times, errors = _crowd(given)
    print(f"{given.users} users, {given.seconds:.0f} s: {len(times)} films, {len(errors)} errors")
    print(f"  {_told(times)}; memory {_memory(server)} MB")
    for error in errors[:3]:
        print(f"  {error}")


def _one(given: argparse.Namespace, seed: int) -> float:
    """Upload a film and fetch all of its result; gives the seconds that took."""
    content = _film(seed)
    key = {"Authorization": f"Bearer {given.token}"}
    began = time.perf_counter()
    files = {"file": (f"film{seed}.png", content)}
    path = f"{given.url}/api/v1/studies"
    while (row := requests.post(path, headers=key, files=files, timeout=60)).status_code == 429:
        time.sleep(int(row.headers["Retry-After"]))
    _checked(row)
    assert row.json()["state"] == "done", row.text
    study = f"{given.url}/api/v1/studies/{row.json()['id']}"
    for path in ("", "/maps/0", "/maps/1"):
        _checked(requests.get(study + path, headers=key, timeout=60))
    return time.perf_counter() - began


def _checked(answer: requests.Response) -> requests.Response:
    answer.raise_for_status()
    return answer


def _film(seed: int) -> bytes:
    draw = np.random.default_rng([seed + 1000, time.time_ns()])
    made = io.BytesIO()
    grey = draw.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    Image.fromarray(grey).save(made, "PNG", compress_level=1)
    return made.getvalue()


def _crowd(given: argparse.Namespace) -> tuple[list[float], list[str]]:
    times: list[float] = []
    errors: list[str] = []
    end = time.monotonic() + given.seconds

    def visit(user: int) -> None:
        seed = 1000 * (user + 1)
        while time.monotonic() < end:
            try:
                times.append(_one(given, seed))
            except (requests.RequestException, AssertionError) as error:
                errors.append(str(error))
            seed += 1

    crowd = [threading.Thread(target=visit, args=(user,)) for user in range(given.users)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    return times, errors


def _told(times: list[float]) -> str:
    p95 = sorted(times)[max(0, round(0.95 * len(times)) - 1)]
    return f"median {statistics.median(times):.3f} s, p95 {p95:.3f} s"


def _memory(server: psutil.Process) -> int:
    whole = [server, *server.children(recursive=True)]
    return round(sum(one.memory_info().rss for one in whole) / 1e6)


if __name__ == "__main__":
    main()
