"""The `ubusc` command: its commands by name, and what happens when something goes wrong.

Exit status: 0 all is well; 1 the file is wrong, or what it expects does not hold; 2 the command line is wrong, a
question on it too; 70 the compiler is wrong, or there is too little memory; 74 reading or writing failed;
130 interrupted, 143 terminated; 141 nobody reads the output any more.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from unifiedbus_dsl.cli.collection import rare_collections
from unifiedbus_dsl.cli.commands import COMMANDS
from unifiedbus_dsl.cli.signals import end_as_interrupted, interrupted_status, interrupted_word
from unifiedbus_dsl.cli.terminal import discard_output, prepare_streams, say
from unifiedbus_dsl.version import VERSION

WRONG_USAGE, INTERNAL, IO_ERROR, BROKEN_PIPE = 2, 70, 74, 141


def _load(name: str) -> click.Command:
    """Return a command, whose module is imported only now."""
    match name:
        case "compile":
            from unifiedbus_dsl.cli.compile import command as compile_

            return compile_
        case "check":
            from unifiedbus_dsl.cli.check import command as check

            return check
        case "analyze":
            from unifiedbus_dsl.cli.analyze import command as analyze

            return analyze
        case "survey":
            from unifiedbus_dsl.cli.survey import command as survey

            return survey
        case "explore":
            from unifiedbus_dsl.cli.explore import command as explore

            return explore
        case "render":
            from unifiedbus_dsl.cli.render import command as render

            return render
        case "export":
            from unifiedbus_dsl.cli.export import command as export

            return export
        case "import":
            from unifiedbus_dsl.cli.import_ import command as import_

            return import_
        case "diff":
            from unifiedbus_dsl.cli.diff import command as diff

            return diff
        case "fmt":
            from unifiedbus_dsl.cli.fmt import command as fmt

            return fmt
        case "explain":
            from unifiedbus_dsl.cli.explain import command as explain

            return explain
    return _load_tool(name)


def _load_tool(name: str) -> click.Command:
    """Return a command that is about the language or the command line, not about a machine."""
    match name:
        case "help":
            from unifiedbus_dsl.cli.help import command as help_

            return help_
        case "watch":
            from unifiedbus_dsl.cli.watch import command as watch

            return watch
        case "lsp":
            from unifiedbus_dsl.cli.lsp import command as lsp

            return lsp
        case "completion":
            from unifiedbus_dsl.cli.completion import command as completion

            return completion
        case "man":
            from unifiedbus_dsl.cli.man import command as man

            return man
    raise KeyError(name)


class LazyGroup(click.Group):
    """Loads the module of a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return _load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command, or with `compile` where a file was given in its place."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(_unknown_command(name))
        return super().resolve_command(ctx, args)


def _unknown_command(name: str) -> str:
    from unifiedbus_dsl.diagnostics.suggest import did_you_mean

    if name.endswith(".ubus"):
        return f"`{name}` is a file; which command? `ubusc compile {name}` or `ubusc check {name}`"
    meant = did_you_mean(name, COMMANDS)
    return f"no command `{name}`" + (f"; did you mean `{meant}`?" if meant else f"; there are {', '.join(COMMANDS)}")


# `color` keeps click from taking colours out again: whether there are any is decided where they are made.
@click.command(
    cls=LazyGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "color": True},
    epilog="Exit status: 0 all is well; 1 the file is wrong, or what it expects does not hold; 2 the command line is "
    "wrong, a question on it too; 70 the compiler is wrong, or memory ran out; 74 reading or writing failed; "
    "130 interrupted, 143 terminated; 141 nobody reads the output. `ubusc COMMAND --help` tells more of a command.",
)
@click.version_option(VERSION, prog_name="ubusc", message="%(prog)s %(version)s")
def group() -> None:
    """Compile descriptions of AI supercomputers.

    A .ubus file is a whole machine on two pages: parts, cables, systems, and the questions to ask of it.

    \b
    Examples:
      ubusc compile machine.ubus -o out    check it, draw it, write what others read
      ubusc check machine.ubus             is it right?
      ubusc analyze machine.ubus           bandwidth, latency, what a failure costs
      ubusc survey machine.ubus --of switch    what each failure costs
      ubusc render machine.ubus --html     a page to explore it in
      ubusc check --fix machine.ubus       mend what a machine can mend
      ubusc fmt machine.ubus               lay it out the one way
      ubusc explain UB0501                 what an error means and what to do
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ubusc` with these arguments, by default those of the process; gives the exit status."""
    prepare_streams()
    try:
        with end_as_interrupted(), rare_collections():
            status = _run(list(sys.argv[1:] if arguments is None else arguments))
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BaseException as error:
        return _status_of(error)
    return status


def _run(arguments: list[str]) -> int:
    if "_UBUSC_COMPLETE" in os.environ:
        from unifiedbus_dsl.cli.complete import answer_shell

        return answer_shell(group, os.environ["_UBUSC_COMPLETE"])
    with group.make_context("ubusc", arguments) as context:
        group.invoke(context)
    return 0


def _status_of(error: BaseException) -> int:
    """Say what went wrong in a line or two, and give the exit status for it."""
    status = INTERNAL
    match error:
        case click.exceptions.Exit():
            status = _finish(error.exit_code)
        case SystemExit():
            status = error.code if isinstance(error.code, int) else 1
        case click.ClickException():
            _tell(_shown(error))
            status = error.exit_code
        case KeyboardInterrupt() | click.Abort():
            _tell(f"\n{interrupted_word()}")
            status = interrupted_status()
        case BrokenPipeError():
            discard_output()
            status = BROKEN_PIPE
        case OSError():
            _tell(f"error: {_reason(error)}")
            discard_output()
            status = IO_ERROR
        case MemoryError():
            _tell("error: there is not enough memory for this machine")
        case _:
            _internal_error(error)
    return status


def _finish(status: int) -> int:
    """`--help` and `--version` end by an exception; their text may still have to be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        return _status_of(error)
    return status


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    reason = reason[:1].lower() + reason[1:]
    return f"`{error.filename}`: {reason}" if error.filename else reason


def _internal_error(error: BaseException) -> None:
    if os.environ.get("UBUSC_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
        return
    place = ""
    trace = error.__traceback__
    while trace is not None:
        place = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
        trace = trace.tb_next
    _tell(
        f"internal error in ubusc {VERSION}: {_fault(error, place)}\n"
        "This is a fault of the compiler, not of your file. Please report it together with the file;\n"
        "UBUSC_TRACEBACK=1 in the environment shows the whole traceback."
    )


def _shown(error: click.ClickException) -> str:
    text = io.StringIO()
    error.show(file=text)
    return text.getvalue().removesuffix("\n")


def _fault(error: BaseException, place: str) -> str:
    """Return what is wrong with the compiler, and where; of an answer that failed its verification which one."""
    from unifiedbus_dsl.verify import VerificationError

    if isinstance(error, VerificationError):
        return str(error)
    return f"{type(error).__name__}{place}: {str(error)[:200]}"


def _tell(text: str) -> None:
    _say(lambda: say(text, err=True))


def _say(show: object) -> None:
    """Write to standard error, even if nobody reads it."""
    try:
        assert callable(show)
        show()
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        discard_output()
