"""Script time per frame of the explorer's drawing, in headless Chromium without a GPU.

    python benchmarks/bench_canvas.py [--nodes 5000] [--edges 10000] [--frames 60]

Draws a synthetic graph with the page's own modules, pans and zooms it, and prints milliseconds of
script per frame as Chromium counts them (``ScriptDuration``), and frames per second. Frames per
second without a GPU say little: WebGL is then computed by the CPU.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.api.browser import Browser, find_browser  # noqa: E402

STATIC = ROOT / "api" / "sightline" / "api" / "static"
#: Draws the graph.
MAKE = Path(__file__).with_name("canvas.js")
#: Moves once per frame; the number of milliseconds that it took.
MOVE = """new Promise((done) => {
  const start = performance.now();
  let left = FRAMES;
  const tick = () => {
    if (!left--) return done(performance.now() - start);
    STEP;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})"""
STEPS = {
    "pan (layers shifted)": "stage.pan(left % 40 < 20 ? 6 : -6, 2)",
    "zoom (WebGL drawn, labels hidden)": "stage.zoomBy(left % 20 < 10 ? 1.05 : 1 / 1.05)",
    "rest (everything painted)": "stage.now()",
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def script_seconds(browser: Browser) -> float:
    metrics = browser.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "ScriptDuration"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name, default in (("nodes", 5000), ("edges", 10_000), ("frames", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    program = find_browser()
    if program is None:
        sys.exit("no chromium on this machine; `apt-get install chromium` gives this benchmark one")
    handler = functools.partial(Quiet, directory=str(STATIC))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(program, Path(profile))
        try:
            browser.resize(1440, 900)
            browser.open(f"http://127.0.0.1:{server.server_port}/vendor/sigma.LICENSE.txt")
            browser.until("document.body")
            browser.send("Performance.enable")
            size = f"{{ nodes: {asked.nodes}, edges: {asked.edges} }}"
            large = browser.run(f"{MAKE.read_text(encoding='utf-8')}({size})", wait=True)
            print(f"{asked.nodes:,} nodes, {asked.edges:,} edges, WebGL: {large}")
            for name, step in STEPS.items():
                before = script_seconds(browser)
                moves = MOVE.replace("FRAMES", str(asked.frames)).replace("STEP", step)
                took = browser.run(moves, wait=True)
                script = 1000 * (script_seconds(browser) - before) / asked.frames
                rate = 1000 * asked.frames / took
                print(f"{name}: {script:.1f} ms of script a frame, {rate:.1f} frames a second")
        finally:
            browser.close()
            server.shutdown()


if __name__ == "__main__":
    main()
