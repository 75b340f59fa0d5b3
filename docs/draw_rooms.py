"""Draws the rooms and their imports into docs/architecture.md: `python docs/draw_rooms.py [--check]`.

An arrow from A to B: A imports B. What follows from other arrows is left out: the order of the rooms stays.
"""

from __future__ import annotations

import sys
from pathlib import Path

import grimp

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- rooms: written by make docs -->\n", "<!-- end of rooms -->"
PACKAGES = ("digits", "server", "workers", "spark_jobs", "rest_bridge", "cli", "deploy")
CORE = "core"
GENERATED = ("digits.v1", "digits.inference")

Arrows = set[tuple[str, str]]


def arrows() -> Arrows:
    """Which room imports which, without the contract's generated code."""
    graph = grimp.build_graph(*PACKAGES)
    rooms = {name for name in graph.modules if name.startswith("digits.") and graph.find_children(name)}
    found: Arrows = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = (_room(module, rooms), _room(imported, rooms))
            if pair[0] != pair[1] and not set(pair) & set(GENERATED):
                found.add(pair)
    return found


def _room(module: str, rooms: set[str]) -> str:
    first, _, rest = module.partition(".")
    if first != "digits":
        return first
    room = f"digits.{rest.partition('.')[0]}"
    return room if room in rooms or room == "digits.bootstrap" else CORE


def reduced(found: Arrows) -> Arrows:
    """The arrows that no way of two or more arrows stands for."""
    return {arrow for arrow in found if not _has_detour(arrow, found)}


def _has_detour(arrow: tuple[str, str], found: Arrows) -> bool:
    start, end = arrow
    between = {middle for begin, middle in found if begin == start} - {end}
    return any(end in _reached(middle, found) for middle in between)


def _reached(start: str, found: Arrows) -> set[str]:
    seen, ahead = set[str](), [start]
    while ahead:
        here = ahead.pop()
        new = {end for begin, end in found if begin == here} - seen
        seen |= new
        ahead.extend(new)
    return seen


def drawn() -> str:
    """The page as it should be."""
    lines = [f"  {_node(start)} --> {_node(end)}" for start, end in sorted(reduced(arrows()))]
    picture = "\n".join(["```mermaid", "graph TD", *lines, "```"])
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{picture}\n{END}{rest.partition(END)[2]}"


def _node(room: str) -> str:
    label = "ports, errors, settings, …" if room == CORE else room.replace("digits.", "digits/")
    return f'{room.replace(".", "_")}["{label}"]'


if __name__ == "__main__":
    page = drawn()
    if "--check" not in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
    elif page != PAGE.read_text(encoding="utf-8"):
        sys.exit("docs/architecture.md shows other imports than the code has; run: make docs")
