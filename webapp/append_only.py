"""What the database itself does so that no line of the audit log is changed or deleted."""

from sqlalchemy import Connection, MetaData, inspect

FIRST = "0" * 64  # what the first line of the log follows

_SQLITE = tuple(
    f"""CREATE TRIGGER audit_log_no_{order} BEFORE {order} ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"""
    for order in ("UPDATE", "DELETE")
)
_POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION audit_log_append_only() RETURNS trigger AS $$
    BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION audit_log_append_only()""",
)


def make_tables(connection: Connection, tables: MetaData) -> None:
    """Make the tables that are not there, and see to it that the log only grows.

    Several processes of a room may start at once, and others be at work already.
    """
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(
        "BEGIN IMMEDIATE" if sqlite else "SELECT pg_advisory_xact_lock(7231)"
    )
    fresh = not inspect(connection).has_table("audit_tail")
    tables.create_all(connection)
    if fresh:  # later, to make the trigger again could lock writers out for good
        for order in _SQLITE if sqlite else _POSTGRESQL:
            connection.exec_driver_sql(order)
        first = f"INSERT INTO audit_tail (id, digest) VALUES (1, '{FIRST}')"  # noqa: S608
        connection.exec_driver_sql(first)
