"""Writes the properties that variables name, as in HDFS-SITE.XML_dfs.replication, into a folder's files."""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from pathlib import Path
from xml.sax.saxutils import escape

files: defaultdict[str, list[str]] = defaultdict(list)
for variable, value in os.environ.items():
    if found := re.fullmatch(r"([A-Z-]+\.XML)_(.+)", variable):
        pair = f"<name>{escape(found[2])}</name><value>{escape(value)}</value>"
        files[found[1].lower()].append(f"<property>{pair}</property>")
for name, properties in files.items():
    lines = ["<configuration>", *properties, "</configuration>", ""]
    Path(sys.argv[1], name).write_text("\n".join(lines), encoding="utf-8")
