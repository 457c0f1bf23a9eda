"""`python -m loadtest.run`: a server on a churning cluster, Locust against it, a verdict, and a report.

Exit code 0 when every threshold held, 1 when one did not, 2 when the test could not be run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from loadtest.summary import summary
from loadtest.verdict import THRESHOLDS, VIEWED, judge, read


def _number(least: float, most: float, kind: type[float] | type[int] = float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:  # nan is in no range
            raise argparse.ArgumentTypeError(f"{text}: give a number from {least:g} to {most:g}")
        return value

    return number


def main() -> int:
    parser = argparse.ArgumentParser(prog="make loadtest", description=__doc__)
    parser.add_argument("--users", type=_number(1, 100_000, int), default=200)
    parser.add_argument(
        "--viewers", type=_number(0, 10_000, int), default=20, help="of the users, who rewind"
    )
    parser.add_argument("--seconds", type=_number(1, 86_400), default=60.0)
    parser.add_argument("--shape", choices=["ramp", "spike", "soak"], default="ramp")
    parser.add_argument("--scenario", default="calm-day")
    parser.add_argument("--pods", type=_number(0, 200_000, int), default=1000)
    parser.add_argument("--churn", type=_number(0, 10_000), default=200.0, help="events a second")
    parser.add_argument(
        "--fault", action="append", default=[], help="of the server's sockets: drop:after=10 and others"
    )
    parser.add_argument("--keep-for", help="how long the server keeps history: 20s")
    parser.add_argument("--report", type=Path, default=Path("report"))
    parser.add_argument("--url", help="a server that is running, instead of one that is started here")
    options = parser.parse_args()
    options.report.mkdir(parents=True, exist_ok=True)
    figures = options.report / "loadtest_stats.csv"
    figures.unlink(missing_ok=True)
    server: subprocess.Popen[str] | None = None
    try:
        url = options.url
        if url is None:
            server, url = _serve(options)
        code = _attack(options, url)
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(20)
    if code not in (0, 1) or not figures.exists():
        sys.stderr.write(f"Locust ended with code {code}; see what it printed above\n")
        return 2
    rows = read(figures)
    for text in summary(rows):
        sys.stdout.write(f"      {text}\n")
    lines = judge(rows, THRESHOLDS + VIEWED if options.viewers else THRESHOLDS)
    for line in lines:
        sys.stdout.write(f"{'pass' if line.good else 'MISS'}  {line.text}\n")
    good = all(line.good for line in lines)
    sys.stdout.write(f"{'PASS' if good else 'FAIL'}: see {options.report / 'loadtest.html'}\n")
    return 0 if good else 1


def _serve(options: argparse.Namespace) -> tuple[subprocess.Popen[str], str]:
    command = [str(Path(sys.executable).with_name("kstream")), "simulate", "--scenario", options.scenario]
    command += ["--pods", str(options.pods), "--churn", str(options.churn)]
    command += ["--start", "now", "--port", "0", "-o", "json"]
    command += [word for fault in options.fault for word in ("--fault", fault)]
    command += ["--keep-for", options.keep_for] if options.keep_for else []
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line:
        raise SystemExit(f"The server did not start: {' '.join(command)} ended with {server.wait()}")
    return server, str(json.loads(line)["page"]).rstrip("/")


def _attack(options: argparse.Namespace, url: str) -> int:
    settings = {
        "KSTREAM_SHAPE": options.shape,
        "KSTREAM_USERS": str(options.users),
        "KSTREAM_SECONDS": str(options.seconds),
        "KSTREAM_VIEWERS": str(min(options.viewers, options.users - 1)),
    }
    if options.fault:
        settings["KSTREAM_FAULTY"] = "1"
    locustfile = Path(__file__).with_name("locustfile.py")
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--host", url]
    command += ["--only-summary", "--csv", str(options.report / "loadtest")]
    command += ["--html", str(options.report / "loadtest.html")]
    return subprocess.run(command, env=os.environ | settings, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
