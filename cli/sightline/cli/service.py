"""Commands that serve: `serve`, `work`, `mcp`, and `token`: who may ask."""

from __future__ import annotations

import atexit
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sightline.cli.options import JsonOption, WorkspaceOption
from sightline.graph.storage.workspace import Workspace

if TYPE_CHECKING:
    from sightline.graph.storage.tokens import Token


def _from_settings(context: typer.Context, workspace: Path) -> Path:
    """Let [serve] of the workspace's settings be the defaults of the other options."""
    named = {"open": "open_"}
    given = Workspace(workspace).settings.serve
    context.default_map = {named.get(name, name): value for name, value in given.items()}
    return workspace


ServedOption = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        metavar="WS",
        envvar="SIGHTLINE_WORKSPACE",
        is_eager=True,
        callback=_from_settings,
        help="The workspace folder.",
    ),
]

HostOption = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]


def serve(
    workspace: ServedOption,
    host: Annotated[
        str, typer.Option(envvar="SIGHTLINE_HOST", help="Address to listen on; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="SIGHTLINE_PORT", min=0, max=65535, help="Port to listen on.")
    ] = 8000,
    workers: Annotated[
        int,
        typer.Option(envvar="SIGHTLINE_WORKERS", min=1, max=64, help="Processes that answer."),
    ] = 1,
    worker: Annotated[
        bool,
        typer.Option(
            "--worker/--no-worker",
            envvar="SIGHTLINE_WORKER",
            help="Also do the jobs asked for: reports, ingest, training.",
        ),
    ] = True,
    allow_host: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            envvar="SIGHTLINE_ALLOW_HOST",
            help="Also answer under this name, such as that of a proxy; may be repeated.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    allow_origin: Annotated[
        list[str],
        typer.Option(
            metavar="ORIGIN",
            envvar="SIGHTLINE_ALLOW_ORIGIN",
            help="Let pages of this origin, such as https://app.example.org, use the service from "
            "a browser; may be repeated.",
        ),
    ] = [],  # noqa: B006
    open_: Annotated[
        bool,
        typer.Option(
            "--open",
            envvar="SIGHTLINE_OPEN",
            help="Answer everybody who reaches --host, as long as no token exists.",
        ),
    ] = False,
    budget: Annotated[
        float,
        typer.Option(
            min=0,
            max=3600,
            envvar="SIGHTLINE_BUDGET",
            help="Seconds of work that one token, or one address other than this machine, may ask "
            "for in a minute, 0 to 3600; 0: any.",
        ),
    ] = 60.0,
    report_room: Annotated[
        float,
        typer.Option(
            metavar="GB",
            min=0,
            max=1e6,
            envvar="SIGHTLINE_REPORT_ROOM",
            help="Gigabytes of the disk that reports may take, 0 to 1000000.",
        ),
    ] = 10.0,
    access_log: Annotated[
        bool,
        typer.Option(
            "--access-log/--no-access-log",
            envvar="SIGHTLINE_ACCESS_LOG",
            help="Write a line for every request.",
        ),
    ] = False,
) -> None:
    """Serve the HTTP API, its documentation at /docs and the explorer page at /.

    Answers under addresses, localhost, the name of --host and those of --allow-host: under any
    other name, a page elsewhere could read what a browser here may see. On this machine everybody
    may ask until there is a token (`sightline token create`); elsewhere nobody may, without one.

    Options may come from variables such as SIGHTLINE_PORT, and from [serve] in sightline.toml.
    """
    from sightline.api.server.process import serve as serve_forever
    from sightline.api.terms import Terms

    jobs, factory = worker_of(workspace) if worker else (), f"{__name__}:application"
    terms = Terms(
        allow_host, allow_origin, open_, budget or None, access_log, int(report_room * 1e9)
    )
    serve_forever(workspace, host, port, workers, jobs, terms, factory)


def worker_of(workspace: Path) -> list[str]:
    """The command that does the jobs of a workspace."""
    code = "from sightline.cli.main import main; main()"
    # Not from where it was started: a file there could take the place of a module.
    return [sys.executable, "-P", "-c", code, "work", "-w", str(workspace)]


def application() -> object:
    """The application of a process that answers; it reads raw files, too, and says on the way why
    it takes long to be ready where nothing is compiled yet."""
    from sightline.api.server.process import application as make
    from sightline.cli.compiling import SERVING, counting

    told = ExitStack()
    told.enter_context(counting(lambda: print(SERVING, file=sys.stderr, flush=True)))
    atexit.register(told.close)
    return make(read_row)


def read_row(workspace: Path, load: str, at: str) -> object:
    """The raw record at a row of a load."""
    from sightline.ingest.raw import source_record

    return source_record(Workspace.open(workspace), load, at)


def work(workspace: WorkspaceOption) -> None:
    """Do the jobs that were asked for over HTTP, until stopped: reports, ingest, training.

    `sightline serve` runs one of these itself, unless told --no-worker. Each job is done in a
    process of its own. Without the extra `train` it leaves training to a worker that has it.
    """
    from sightline.api.jobs.worker import work as work_forever
    from sightline.cli.jobs import unable

    command = [sys.executable, "-P", "-m", "sightline.cli.jobs", str(workspace)]
    work_forever(workspace, command, unable())


def token(
    action: Annotated[
        Literal["create", "list", "revoke"], typer.Argument(help="What to do with the tokens.")
    ],
    workspace: WorkspaceOption,
    name: Annotated[
        str | None, typer.Argument(help="Of the one to create or, or its id, to revoke.")
    ] = None,
    role: Annotated[
        list[str],
        typer.Option(
            metavar="ROLE",
            help="What it may do. read: ask what the graph holds; ask: also predictions and "
            "reports; ingest: add data, and nothing else; admin: all. May be repeated.",
        ),
    ] = ["ask"],  # noqa: B006 - typer copies it
    days: Annotated[
        float | None,
        typer.Option(min=0.001, max=36500, help="Days until it expires, 0.001 to 36500."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say who may ask the service. Only a hash is stored: a token is shown once, when it is made.

    It is sent as the header `Authorization: Bearer TOKEN`; the explorer asks for it. A service that
    runs takes up a change within a second.

    Example: sightline token create notebook --role ask --days 90 -w world
    """
    from sightline.cli import terminal
    from sightline.graph.errors import UsageError
    from sightline.graph.storage import tokens as stored

    folder = Workspace.open(workspace).path
    if (action == "list") != (name is None):
        how = "names none" if action == "list" else "names the token"
        raise UsageError(f"token {action} {how}: sightline token create NAME, sightline token list")
    if action == "create":
        made, text = stored.create_token(folder, name or "", role, days)
        # The token alone goes to the standard output, so that a script can take it.
        terminal.print_json({"token": text, **_shown(made)}) if json else print(text)
        print(f"this is shown once; the id of the token is {made.id}", file=sys.stderr)
        return
    if action == "revoke":
        gone = stored.revoke_token(folder, name or "")
        print(f"revoked {gone.name} ({gone.id})", file=sys.stderr)
    left = [_shown(one) for one in stored.tokens(folder)]
    if json:
        terminal.print_json({"tokens": left})
    elif left:
        rows = [tuple("never" if v is None else v for v in one.values()) for one in left]
        terminal.table("Tokens", tuple(left[0]), rows)
    else:
        terminal.say("there is no token: on this machine everybody may ask, elsewhere nobody")


def _shown(token: Token) -> dict[str, object]:
    """What may be seen of a token."""

    def moment(seconds: float | None) -> str | None:
        if seconds is None:
            return None
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

    return {
        "id": token.id,
        "name": token.name,
        "roles": " ".join(token.roles),
        "created": moment(token.created),
        "expires": moment(token.expires),
        "expired": token.expired,
    }


def mcp(workspace: WorkspaceOption) -> None:
    """Give agents the questions as tools of the Model Context Protocol.

    Over standard input and output, for a program that starts this command. A service that runs
    (`sightline serve`) answers agents over HTTP, at /mcp. Reports that are ordered are made by a
    worker, which this starts beside.

    Example: sightline mcp -w world
    """
    from sightline.api.mcp.route import require_mcp

    require_mcp()
    from sightline.api.mcp.server import serve_stdio

    serve_stdio(workspace, read_row, worker_of(workspace))


COMMANDS = (serve, work, mcp, token)
