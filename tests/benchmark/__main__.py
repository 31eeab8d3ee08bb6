"""``make bench``: measures the figures, prints them and writes docs/benchmarks.md.

    python -m tests.benchmark                 all of them
    python -m tests.benchmark start render    these only; the other sections of the document stay
    python -m tests.benchmark --quick         small inputs, to see that everything runs; the document is not written

Every module ``bench_<name>.py`` has ``TITLE`` and ``run(quick) -> str``, a Markdown text of its figures with the
medians and ratios. What is compared runs in turn within the same run.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
NAMES = ("start", "jobs", "upload", "render", "speech", "shorts", "music", "rhythms", "tabs", "stems")
SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.DOTALL)


def machine() -> str:
    """What the figures were measured on, in one line."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = re.findall(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Python {platform.python_version()}"


def sections(text: str) -> dict[str, str]:
    """Sections of an existing document by name."""
    return dict(SECTION.findall(text))


def document(found: dict[str, str]) -> str:
    """The whole document, sections in the fixed order."""
    parts = [
        "# Benchmarks\n\n"
        "Written by `make bench` (one section alone: `.venv/bin/python -m tests.benchmark NAME`). What is compared "
        "runs in turn within one run; figures are medians, CPU is user plus system seconds of all processes. The "
        "machine is shared: read ratios before absolute times.\n\n"
    ]
    parts += [f"<!-- {name} -->\n{found[name]}<!-- /{name} -->\n\n" for name in NAMES if name in found]
    return "".join(parts).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    found = sections(DOCUMENT.read_text()) if DOCUMENT.exists() else {}
    failed = []
    for name in chosen.names or NAMES:
        began = time.monotonic()
        try:
            module = import_module(f"tests.benchmark.bench_{name}")
            body = module.run(chosen.quick)
        except Exception:  # noqa: BLE001 - the other figures are measured all the same; the exit status tells
            traceback.print_exc()
            failed.append(name)
            continue
        today = datetime.date.today().isoformat()
        found[name] = f"## {module.TITLE}\n\n{body.strip()}\n\nMeasured {today} on {machine()}.\n"
        sys.stdout.write(f"{found[name]}\n({name} took {(time.monotonic() - began) / 60:.1f} minutes)\n\n")
        sys.stdout.flush()
        if not chosen.quick:
            DOCUMENT.write_text(document(found))
    if failed:
        sys.stderr.write(f"No new figures of: {', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
