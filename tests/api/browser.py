"""A real browser, driven over a pipe.

Knows Chromium's debugging protocol as far as these tests need it: open a page, type, press keys,
look, and hear of everything that went wrong inside.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"),
    *("--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage"),
    "--remote-debugging-pipe",
)
KEYS = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "Tab": 9}


def find_browser() -> str | None:
    """The browser of this machine, if it has one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page of a browser process.

    Attributes:
        wrong: what the page logged as an error, threw, or opened as a dialogue.
    """

    def __init__(self, program: str, profile: Path) -> None:
        down, self._down = os.pipe()
        self._up, up = os.pipe()
        # It reads commands from descriptor 3 and writes answers to 4.
        command = f'exec "$@" 3<&{down} 4>&{up}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "_", program, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(down, up),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(down)
        os.close(up)
        self._numbers = itertools.count(1)
        self._unread = b""
        self._session: str | None = None
        self.wrong: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._down)
        os.close(self._up)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command and wait for its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._notice(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            more = os.read(self._up, 1 << 16)
            assert more, "the browser has ended"
            self._unread += more
        text, self._unread = self._unread.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        return message

    def _notice(self, event: dict[str, Any]) -> None:
        kind, said = event.get("method"), event.get("params", {})
        if kind == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.wrong.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        if kind in ("Runtime.exceptionThrown", "Page.javascriptDialogOpening"):
            self.wrong.append(json.dumps(said)[:500])

    def open(self, url: str) -> None:
        """Load an address anew, even if only what follows # differs."""
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=url)

    def run(self, script: str, wait: bool = False) -> Any:
        """The value of a piece of JavaScript; with ``wait`` what its promise brings."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=wait
        )
        return found["result"].get("value")

    def until(self, script: str, seconds: float = 20) -> None:
        """Wait until a piece of JavaScript is true."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({script})"):
            assert time.monotonic() < end, f"never true: {script}\n{self.text()}"
            time.sleep(0.05)

    def text(self) -> str:
        """What a person reads."""
        return str(self.run("document.body.innerText"))

    def waits_for(self, text: str) -> None:
        """Wait until a text is to be read."""
        self.until(f"document.body.innerText.includes({json.dumps(text)})")

    def click(self, text: str) -> None:
        """Follow the link that a text begins, where facts and buttons are."""
        links = "[...document.querySelectorAll('main a')]"
        self.run(f"{links}.find(a => a.innerText.startsWith({json.dumps(text)})).click()")

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS.get(key, ord(key[0]))}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    def resize(self, width: int, height: int) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def touch(self, on: bool) -> None:
        self.send("Emulation.setTouchEmulationEnabled", enabled=on)

    def dark(self, on: bool) -> None:
        value = "dark" if on else "light"
        features = [{"name": "prefers-color-scheme", "value": value}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path) -> None:
        data = self.send("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))
