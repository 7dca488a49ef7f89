"""The command line: `python cli.py ...` in a checkout, `radzoo ...` once installed."""

import signal
import sys

import typer

from radzoo.commands import (
    backends,
    bench,
    cases,
    compare,
    data,
    evaluate,
    explain,
    models,
    output,
    report,
    rerun,
    runs,
    serve,
    sweeps,
)
from radzoo.errors import RadZooError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: Rich would take half of the time it takes to show
    help="A Keras model zoo and workbench for lung imaging. Research use only.",
)
for _command in (
    runs.run,
    runs.validate,
    rerun.rerun,
    sweeps.sweep,
    sweeps.run_trial,
    compare.compare,
    evaluate.evaluate,
    cases.cases,
    report.report,
    bench.bench,
    serve.serve,
):
    app.command()(_command)
for _group in (models, data, backends, explain, serve):
    app.add_typer(_group.app, name=_group.app.info.name)


def main() -> None:
    """Run the command line; an error that the user can mend is a message, not a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: checkpoint and end
    try:
        app()
    except RadZooError as error:
        output.show_error(error, json="--json" in sys.argv)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
