"""The REST API of a room that is open: what it says, and to whom."""

import csv
import io
import json
import zipfile

import cv2
import numpy as np
import pytest
import requests
from rooms import film

from radzoo.webapp import audit_log, opening


@pytest.fixture(scope="module")
def reader(room):
    return room.enter("reader-a")


@pytest.fixture(scope="module")
def studied(reader):
    """A film that was loaded, with its row."""
    content = film(1, bright=True)
    return content, reader.load("film one.png", content)


def test_a_film_gets_what_explain_says_of_it(place, room, reader, studied):
    content, row = studied
    (place.path / "same.png").write_bytes(content)
    done = place.run("explain", room.run, "same.png", "--out", "maps")
    assert done.returncode == 0, done.stderr
    detail = reader.get(f"/api/v1/studies/{row['id']}")
    with np.load(place.path / "maps" / "001-same.npz") as told:
        assert detail["found"]["probabilities"] == pytest.approx(told["probabilities"], abs=1e-6)
        for label in (0, 1):
            answer = reader.ask("GET", f"/api/v1/studies/{row['id']}/maps/{label}")
            shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
            np.testing.assert_allclose(shown / 255, told["maps"][label], atol=0.5 / 255 + 1e-6)
    assert row["probability"] == detail["found"]["probabilities"][1]


def test_pixels_are_those_of_the_file(reader, studied):
    content, row = studied
    facts = reader.get(f"/api/v1/studies/{row['id']}")["facts"]
    answer = reader.ask("GET", f"/api/v1/studies/{row['id']}/pixels")
    size = facts["shown_rows"], facts["shown_columns"]
    shown = np.frombuffer(answer.content, np.uint8).reshape(size)
    expected = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(shown, expected)


def test_similar_scores_are_counted_among_the_validation_images(room, reader, studied):
    found = reader.get(f"/api/v1/studies/{studied[1]['id']}")["found"]
    with (room.run / "predictions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "validation"]
    score, like = found["probabilities"][1], found["like"]
    away = sorted((abs(float(row["probability"]) - score), row["label"]) for row in rows)
    near = [label for distance, label in away if distance <= max(0.05, away[19][0])]
    assert (like["films"], like["positive"]) == (len(near), near.count("malignant"))


def test_the_calibrated_probability_is_the_score_at_the_fitted_temperature(room, reader, studied):
    found = reader.get(f"/api/v1/studies/{studied[1]['id']}")["found"]
    temperature = json.loads((room.run / "metrics.json").read_text())["calibration"]["temperature"]
    score = found["probabilities"][1]
    odds = np.log(score / (1 - score)) / temperature["value"]
    assert found["calibrated"] == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-6)


def test_the_same_file_is_one_study(reader, studied):
    content, row = studied
    answer = reader.ask("POST", "/api/v1/studies", files={"file": ("another name.png", content)})
    assert (answer.status_code, answer.json()["id"]) == (200, row["id"])


@pytest.mark.parametrize(
    ("name", "content", "language", "says"),
    [
        ("empty.png", b"", "en", "empty"),
        ("leeg.png", b"", "es", "vacío"),
        ("report.png", b"%PDF-1.7 " + b"x" * 400, "en", "PDF"),
        ("program.dcm", b"MZ" + bytes(600), "es", "imagen"),
        ("cut.png", film(7)[:600], "en", "cut short"),
    ],
)
def test_a_bad_file_gets_a_reason_in_the_readers_language(room, name, content, language, says):
    reader = room.enter("reader-bad", language)
    row = reader.load(name, content)
    assert row["state"] == "refused"
    assert row["probability"] is None
    assert says in row["refusal"]


def test_a_file_beyond_the_limit_is_refused_and_nothing_is_kept(room):
    reader = room.enter("reader-large")
    answer = reader.ask("POST", "/api/v1/studies", files={"file": ("large.png", bytes(64_500_000))})
    assert answer.status_code in (413, 422)
    assert answer.json()["error"]["message"]
    assert reader.get("/api/v1/studies")["studies"] == []


def paths(room, study, method="GET"):
    """Every route of the API as its description tells, for one study."""
    described = requests.get(f"{room.url}/api/v1/openapi.json", timeout=30).json()
    values = {"study": study, "label": "1", "place": "0", "key": "none"}
    for path, methods in described["paths"].items():
        for verb in methods:
            yield verb.upper(), path.format(**values)


def test_a_stranger_gets_nothing(room, studied):
    for method, path in paths(room, studied[1]["id"]):
        if not path.endswith("openapi.json"):
            answer = requests.request(method, room.url + path, timeout=30)
            assert answer.status_code == 401, (method, path, answer.status_code)


def test_another_user_is_told_that_there_is_no_such_study(room, studied):
    other, study = room.enter("reader-b"), studied[1]["id"]
    for method, path in paths(room, study):
        if study in path:
            answer = other.ask(method, path, json={"verdict": "finding"})
            assert answer.status_code == 404, (method, path, answer.text)
    assert other.get("/api/v1/studies")["studies"] == []
    assert study not in other.ask("GET", "/api/v1/worklist.csv").text


def test_what_is_to_be_read_first_is_withheld_everywhere(room):
    reader = room.enter("reader-first")
    reader.ask("PUT", "/api/v1/settings", json={"read_first": True})
    rows = [reader.load(f"{n}.png", film(20 + n, bright=n == 2)) for n in range(3)]
    study = rows[0]["id"]
    listed = reader.get("/api/v1/studies")["studies"]
    assert [row["id"] for row in listed] == [row["id"] for row in rows]  # as they came
    assert {(row["probability"], row["withheld"], row["unlike"]) for row in listed} == {
        (None, True, False)
    }
    detail = reader.get(f"/api/v1/studies/{study}")
    assert detail["found"] is None
    for path in "maps/1", "heatmap/1.png", "report.pdf", "dicom.zip":
        assert reader.ask("GET", f"/api/v1/studies/{study}/{path}").status_code == 409
    table = list(
        csv.DictReader(
            io.StringIO(reader.ask("GET", "/api/v1/worklist.csv").content.decode("utf-8-sig"))
        )
    )
    assert {row["probability"] for row in table} == {""}

    given = reader.give(study, "uncertain", "n")
    assert given.json() == {"verdict": "uncertain", "note": "n", "blind": True}
    found = reader.get(f"/api/v1/studies/{study}")["found"]
    assert found["probabilities"]
    # of the other two, still to be read, nothing is told by their likeness either
    assert not [case for case in found["similar"] if "study" in case]
    assert reader.ask("GET", f"/api/v1/studies/{study}/report.pdf").content[:5] == b"%PDF-"


def test_a_reading_after_the_model_was_shown_is_not_called_blind(room):
    reader = room.enter("reader-late")
    row = reader.load("late.png", film(30))
    reader.ask("PUT", "/api/v1/settings", json={"read_first": True})
    given = reader.give(row["id"], "finding")
    assert given.json()["blind"] is False


def test_a_threshold_belongs_to_a_user_and_a_model(room, reader, studied):
    (model,) = reader.get("/api/v1/models")["models"]
    ask = {"threshold": 0.33, "model": model["key"]}
    assert reader.ask("PUT", "/api/v1/settings", json=ask).status_code == 204
    table = reader.table()
    assert {float(row["threshold"]) for row in table} == {0.33}
    other = room.enter("reader-threshold")
    other.load("film.png", film(3))
    table = other.table()
    assert 0.33 not in {float(row["threshold"]) for row in table}
    for wrong in (0, 1, -1, "none"):
        answer = reader.ask("PUT", "/api/v1/settings", json={**ask, "threshold": wrong})
        assert answer.status_code == 400, wrong
    assert reader.ask("PUT", "/api/v1/settings", json={**ask, "model": "f" * 64}).status_code == 404


def test_exports_are_what_they_are_called(reader, studied):
    study = studied[1]["id"]
    assert reader.ask("GET", f"/api/v1/studies/{study}/report.pdf").content[:5] == b"%PDF-"
    assert reader.ask("GET", f"/api/v1/studies/{study}/heatmap/0.png").content[:4] == b"\x89PNG"
    archive = reader.ask("GET", f"/api/v1/studies/{study}/dicom.zip")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert any(name.endswith(".dcm") for name in files.namelist())
    assert "attachment" in archive.headers["Content-Disposition"]
    assert archive.headers["Cache-Control"] == "no-store"


def test_a_verdict_that_is_none_is_refused(reader, studied):
    answer = reader.give(studied[1]["id"], "perhaps")
    assert answer.status_code == 400


def test_a_deleted_study_leaves_no_file(room, reader):
    row = reader.load("gone.png", film(40))
    folder = room.home / "films"
    before = len(list(folder.glob("*/*")))
    assert reader.ask("DELETE", f"/api/v1/studies/{row['id']}").status_code == 204
    assert reader.ask("GET", f"/api/v1/studies/{row['id']}").status_code == 404
    assert len(list(folder.glob("*/*"))) == before - 1


def test_a_film_of_two_users_stays_for_the_other(room):
    one, two, content = room.enter("reader-c"), room.enter("reader-d"), film(50)
    first, second = one.load("a.png", content), two.load("b.png", content)
    assert first["id"] != second["id"]
    assert first["probability"] == second["probability"]
    one.ask("DELETE", f"/api/v1/studies/{first['id']}")
    assert two.ask("GET", f"/api/v1/studies/{second['id']}/thumbnail").status_code == 200


def test_a_token_opens_the_api_alone(room):
    key = {"Authorization": f"Bearer {room.token('reader-token')}"}
    files = {"file": ("film.png", film(60))}
    answer = requests.post(f"{room.url}/api/v1/studies", headers=key, files=files, timeout=60)
    assert answer.status_code == 201
    study = answer.json()["id"]
    told = requests.get(f"{room.url}/api/v1/studies/{study}", headers=key, timeout=30).json()
    assert told["found"]["probabilities"][1] == answer.json()["probability"]
    assert requests.get(f"{room.url}/_dash-layout", headers=key, timeout=30).status_code == 401


def test_every_view_and_export_is_in_the_audit_log_and_its_chain_is_whole(room, reader, studied):
    study = studied[1]["id"]
    reader.get(f"/api/v1/studies/{study}")
    reader.ask("GET", f"/api/v1/studies/{study}/report.pdf")

    def look(session):
        lines = session.query(audit_log.AuditLine).filter_by(study=study).all()
        return {line.action for line in lines}, audit_log.check(session)

    actions, broken = opening.in_database(room.home, None, look)
    assert {"uploaded", "viewed", "exported_pdf"} <= actions
    assert broken == []


def test_examples_are_offered_by_a_synthetic_model(room):
    reader = room.enter("reader-new")
    made = reader.ask("POST", "/api/v1/examples", json={}).json()["ids"]
    assert len(made) == 8
    assert {row["state"] for row in reader.get("/api/v1/studies")["studies"]} == {"done"}


def test_names_are_labels_and_never_paths(room):
    reader = room.enter("reader-names")
    hostile = ["../../etc/passwd", '"><script>alert(1)</script>.png', "a" * 300 + ".png"]
    for number, name in enumerate(hostile):
        row = reader.load(name, film(70 + number))
        assert "/" not in row["name"]
        assert len(row["name"]) <= 120
        assert row["state"] == "done"


def test_the_api_describes_itself(room):
    told = requests.get(f"{room.url}/api/v1/openapi.json", timeout=30).json()
    assert told["openapi"] == "3.1.0"
    assert {"get", "post"} == set(told["paths"]["/api/v1/studies"])
    for methods in told["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
