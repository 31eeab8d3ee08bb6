"""A running studio to measure: the real app in a process of its own, on a free port, with a fresh data folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class RunningStudio:
    """``client`` carries the owner's token; ``started_seconds`` is from the command to the first page's HTML."""

    process: subprocess.Popen[bytes]
    folder: Path
    client: httpx.Client
    started_seconds: float

    @property
    def url(self) -> str:
        return str(self.client.base_url)

    def memory_bytes(self) -> int:
        """Resident memory of the app's process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def cpu_seconds(self) -> float:
        """User and system time of the app's process."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_page(self, name: str = "") -> list[str]:
        """Open a page as a browser does, the web socket included; the text elements of it once its script has ended.

        Raises:
            RuntimeError: the page shows an error.
        """
        page = httpx.get(f"{self.url}/{name}", headers={"Accept": "text/html"}, timeout=60).raise_for_status()
        cookie = "; ".join(f"{key}={value}" for key, value in page.cookies.items())
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        headers = {"Cookie": cookie, "Origin": self.url}
        order = BackMsg()
        order.rerun_script.page_name = name
        shown: list[str] = []
        with connect(address, subprotocols=["streamlit"], additional_headers=headers, max_size=None) as socket:  # type: ignore[list-item]
            socket.send(order.SerializeToString())
            while True:
                message = ForwardMsg.FromString(bytes(socket.recv(timeout=60)))
                kind = message.WhichOneof("type")
                if kind == "delta":
                    element = message.delta.new_element
                    if element.WhichOneof("type") == "exception":
                        raise RuntimeError(f"page {name!r}: {element.exception.message}")
                    shown.append(element.heading.body or element.html.body or element.markdown.body)
                elif kind == "script_finished":
                    return [text for text in shown if text]

    def wait_for(self, job_id: str, seconds: float = 1800) -> dict[str, object]:
        """Poll a job until it has ended; raises when it did not succeed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job: dict[str, object] = self.client.get(f"/api/jobs/{job_id}").raise_for_status().json()
            if job["status"] == "succeeded":
                return job
            if job["status"] in ("failed", "cancelled"):
                raise RuntimeError(f"job {job['kind']} {job['status']}: {job['error']}")
            time.sleep(0.2)
        raise TimeoutError(job_id)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_studio(
    folder: Path | None = None, *, options: Sequence[str] = (), **environment: str
) -> Iterator[RunningStudio]:
    """Start ``python app.py``, wait for the first page, and end it afterwards. A given folder is kept; ``options`` are
    the interpreter's."""
    own = folder is None
    folder = folder or Path(tempfile.mkdtemp(prefix="studio-bench-", dir="/tmp"))
    port = free_port()
    removed = ("DATABASE_URL", "REDIS_URL")
    inherited = {key: value for key, value in os.environ.items() if key not in removed}
    started = time.monotonic()
    with (folder / "app.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *options, "app.py"],
            cwd=ROOT,
            env={**inherited, "STUDIO_DATA": str(folder), "STUDIO_PORT": str(port), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
    try:
        while True:
            try:
                if client.get("/", headers={"Accept": "text/html"}).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if process.poll() is not None or time.monotonic() - started > 180:
                raise RuntimeError(f"the studio did not start: {(folder / 'app.log').read_text()[-3000:]}")
            time.sleep(0.02)
        seconds = time.monotonic() - started
        client.headers["Authorization"] = f"Bearer {(folder / 'api-token').read_text().strip()}"
        client.cookies.clear()
        yield RunningStudio(process, folder, client, seconds)
    finally:
        client.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if own:
            shutil.rmtree(folder, ignore_errors=True)
