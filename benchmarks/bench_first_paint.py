"""How soon the first page of the explorer shows something, in headless Chromium without a cache.

    python benchmarks/bench_first_paint.py WORKSPACE [--runs 5]

Serves the workspace and opens its first page that many times. Prints, as minimum, median and
maximum: the milliseconds from the address to the first paint with content (headline, search) and to
the moment the questions and the drawing of types stand there; what of the latter is processor time
of the page, which a busy machine does not change; and the kilobytes that came over the wire.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.api.browser import Browser, find_browser  # noqa: E402
from tests.api.test_serve import service  # noqa: E402

#: Notes when the questions and the map of types have come, as soon as they have.
WATCH = """new MutationObserver((_, watch) => {
  if (!document.querySelector('.questions') || !document.querySelector('.atlas')) return;
  watch.disconnect();
  requestAnimationFrame(() => { window.usefulAt = performance.now(); });
}).observe(document, { childList: true, subtree: true });"""
SEEN = """[performance.getEntriesByName('first-contentful-paint')[0]?.startTime, window.usefulAt,
  performance.getEntries().reduce((sum, one) => sum + (one.transferSize ?? 0), 0) / 1024]"""
SAID = (
    "first paint with content, ms",
    "questions and types shown, ms",
    "over the wire, kB",
    "processor time of the page, ms",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    program = find_browser()
    if program is None:
        sys.exit("no chromium on this machine; `apt-get install chromium` gives this benchmark one")
    rows = []
    with tempfile.TemporaryDirectory() as profile, service(asked.workspace) as (_, port):
        browser = Browser(program, Path(profile))
        try:
            browser.resize(1440, 900)
            browser.send("Network.enable")
            browser.send("Performance.enable", timeDomain="threadTicks")
            browser.send("Network.setCacheDisabled", cacheDisabled=True)
            browser.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            for _ in range(asked.runs + 1):
                browser.open(f"http://127.0.0.1:{port}/")
                browser.until("window.usefulAt")
                metrics = browser.send("Performance.getMetrics")["metrics"]
                work = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
                rows.append([*browser.run(SEEN), 1000 * work])
        finally:
            browser.close()
    # The first one waits for what the service computes once for a snapshot.
    for name, values in zip(SAID, zip(*rows[1:], strict=True), strict=True):
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name}: {low:.0f} / {middle:.0f} / {high:.0f}")


if __name__ == "__main__":
    main()
