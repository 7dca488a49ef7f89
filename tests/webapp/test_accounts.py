"""Names, passwords and tokens."""

import hashlib

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from radzoo.errors import UnknownName, UserError
from radzoo.webapp import accounts, attempts
from radzoo.webapp.attempts import Who
from radzoo.webapp.database import Attempt, Database, Study, Token, User, now

PASSWORD = "a quiet room to read"
WHO = Who.of("secret", "reader-a", "192.0.2.1")


def made(database: Database, name: str = "reader-a", password: str = PASSWORD) -> User:
    with database.session() as session:
        return accounts.create(session, name, password)


def test_only_the_right_password_of_a_name_is_verified(database):
    made(database)
    with database.session() as session:
        assert accounts.verify(session, "reader-a", PASSWORD).name == "reader-a"
        assert accounts.verify(session, "reader-a", PASSWORD + "!") is None
        assert accounts.verify(session, "reader-b", PASSWORD) is None
        assert accounts.verify(session, "reader-a\0", PASSWORD) is None
        assert accounts.count(session) == 1


def test_passwords_are_kept_as_argon2_hashes_only(database):
    assert made(database).password.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("", PASSWORD, "1 to 80"),
        ("x" * 81, PASSWORD, "1 to 80"),
        ("reader\n-a", PASSWORD, "1 to 80"),
        (" reader-a", PASSWORD, "1 to 80"),
        ("reader-a", "eleven char", "12 to 1000"),
        ("reader-a", "x" * 1001, "12 to 1000"),
        ("the-same-name", "The-Same-Name", "must not be the user name"),
    ],
)
def test_unusable_names_and_passwords_are_refused(room, name, password, said):
    with pytest.raises(UserError, match=said):
        made(room, name, password)


def test_a_name_is_given_once(database):
    made(database)
    with pytest.raises(UserError, match="There is an account 'reader-a' already"):
        made(database)
    with database.session() as session:
        assert accounts.count(session) == 1


def test_one_letter_typed_in_two_ways_is_one_letter(room):
    made(room, "lectora-ñ", "contraseña larga")
    with room.session() as session:
        assert accounts.verify(session, "lectora-n\u0303", "contrasen\u0303a larga")


def test_unknown_names_cost_as_much_as_known_ones(room, monkeypatch):
    made(room)
    checked = []
    right = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda *given: checked.append(given[1]) or right(*given)
    )
    with room.session() as session:
        known = session.scalars(select(User.password)).one()
        for name in ("reader-a", "reader-b"):
            accounts.verify(session, name, "wrong")
    assert [hashed.split("$")[:4] for hashed in checked] == [known.split("$")[:4]] * 2


def test_a_hash_of_weaker_parameters_is_renewed_when_its_owner_comes(room):
    made(room)
    weak = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)
    with room.session() as session:
        accounts.named(session, "reader-a").password = weak
    with room.session() as session:
        assert accounts.verify(session, "reader-a", PASSWORD)
    with room.session() as session:
        kept = accounts.named(session, "reader-a").password
    assert kept != weak
    assert not PasswordHasher().check_needs_rehash(kept)


def test_a_new_password_ends_the_epoch_and_all_tokens(database):
    user = made(database)
    with database.session() as session:
        token = accounts.new_token(session, user, "worklist")
    with database.session() as session:
        accounts.change_password(session, user, "another quiet room")
    with database.session() as session:
        assert accounts.verify(session, "reader-a", PASSWORD) is None
        assert accounts.verify(session, "reader-a", "another quiet room").epoch == user.epoch + 1
        assert accounts.of_token(session, token) is None
        with pytest.raises(UserError, match="12 to 1000"):
            accounts.change_password(session, user, "short")


def test_of_a_token_only_the_digest_is_kept(database):
    user = made(database)
    with database.session() as session:
        token = accounts.new_token(session, user, "worklist")
        with pytest.raises(UserError, match="label"):
            accounts.new_token(session, user, "")
    with database.session() as session:
        (row,) = session.scalars(select(Token))
        assert row.digest == hashlib.sha256(token.encode()).hexdigest()
        assert accounts.of_token(session, token).id == user.id
        assert accounts.of_token(session, token[:-1]) is None
        assert accounts.of_token(session, row.digest) is None


def test_an_unknown_name_is_told_its_neighbours(room):
    made(room)
    with room.session() as session, pytest.raises(UnknownName, match="Did you mean 'reader-a'"):
        accounts.named(session, "reader-b")


def test_with_an_account_all_that_is_its_own_goes(database):
    user = made(database)
    with database.session() as session:
        accounts.new_token(session, user, "worklist")
        session.add(Study(owner_id=user.id, upload="u", film="f", name="film.png"))
    with database.session() as session:
        accounts.remove(session, user)
    with database.session() as session:
        for table in (User, Token, Study):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_person_of_single_sign_on_keeps_their_account_and_gets_a_free_name(database):
    made(database)
    with database.session() as session:
        first = accounts.of_subject(session, "provider 1", "reader-a")
        assert first.name == "reader-a-2"
        assert accounts.of_subject(session, "provider 1", "renamed").id == first.id
        assert accounts.of_subject(session, "provider 2", "reader-a").name == "reader-a-3"
        assert accounts.of_subject(session, "provider 3", "\n\0").name == "reader"
        assert accounts.verify(session, "reader-a-2", "") is None


def test_after_five_failures_waits_double_up_to_a_minute(database, clock):
    assert [attempts.begin(database, WHO, 5) for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(9):
        waits.append(attempts.begin(database, WHO, 5))
        clock(seconds=waits[-1])
        assert attempts.begin(database, WHO, 5) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_hour_later_or_after_a_success_all_is_forgotten(database, clock):
    for _ in range(6):
        attempts.begin(database, WHO, 5)
    assert attempts.begin(database, WHO, 5) > 0
    with database.session() as session:
        attempts.succeeded(session, WHO)
    assert [attempts.begin(database, WHO, 5) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    clock(hours=1, seconds=1)
    assert attempts.begin(database, WHO, 5) == 0
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


def test_an_address_that_tries_many_names_waits_too(database, clock):
    tried = [Who.of("secret", f"reader-{number}", "192.0.2.1") for number in range(22)]
    assert [attempts.begin(database, who, 5) for who in tried] == [0] * 20 + [1, 1]
    elsewhere = Who.of("secret", "reader-21", "192.0.2.2")
    assert attempts.begin(database, elsewhere, 5) == 0


def test_of_who_tries_no_name_and_no_address_is_kept():
    assert Who.of("another", "reader-a", "192.0.2.1") != WHO
    assert {len(WHO.name), len(WHO.address)} == {64}


@pytest.fixture
def clock(monkeypatch):
    """Moves the time on."""
    import datetime as dt

    ahead, start = dt.timedelta(0), now()
    monkeypatch.setattr(attempts, "now", lambda: start + ahead)

    def move(**by):
        nonlocal ahead
        ahead += dt.timedelta(**by)

    return move
