"""Java options of a small server on a machine that has other work to do."""

from __future__ import annotations

from pathlib import Path

from deploy.native.servers import java

# What a server says goes to its process's log file, by its standard output.
LOG4J2_CONSOLE = """\
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %-5p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
"""


def small_server(heap_megabytes: int, folder: Path) -> tuple[str, ...]:
    """The command up to the class path: serial collector and C1 only, which start in half the time.

    Temporary files go to `folder`/tmp, which is made; nothing is written elsewhere. Raises CannotStart.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return (
        java.find_java(),
        f"-Xmx{heap_megabytes}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={temporary}",
    )


def once(marker: Path, first: tuple[str, ...], then: tuple[str, ...]) -> tuple[str, ...]:
    """A command that becomes `then`, once `first` has succeeded; the file `marker` remembers that."""
    script = '[ -e "$0" ] || { "${@:2:$1}" && touch "$0"; } && shift "$(($1 + 1))" && exec "$@"'
    return ("bash", "-c", script, str(marker), str(len(first)), *first, *then)


def log4j2_to_console(folder: Path) -> str:
    """Writes Log4j 2's configuration below `folder` and returns the option that names it."""
    path = folder / "log4j2.properties"
    path.write_text(LOG4J2_CONSOLE, encoding="utf-8")
    return f"-Dlog4j2.configurationFile={path}"
