"""Signing in to the explorer, in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path

from sightline.graph.storage.tokens import create_token
from tests.api.browser import Browser
from tests.api.test_serve import service


def test_a_token_is_asked_for_once_and_kept_for_the_tab(
    page: Browser, folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "ws")
    text = create_token(copy, "me", ["ask"])[1]
    with service(copy) as (_, port):
        page.open(f"http://127.0.0.1:{port}/")
        page.waits_for("sightline token create")
        assert page.run("document.querySelectorAll('dialog').length") == 1
        page.type("sl_wrong")
        page.press("Enter")
        page.waits_for("This token is wrong")
        page.type(text)
        page.press("Enter")
        page.waits_for("13 entities")
        assert page.run("document.querySelector('dialog')") is None
        page.open(f"http://127.0.0.1:{port}/#/report")
        page.until("document.querySelector('main h1')")
        buttons = "[...document.querySelectorAll('main button')]"
        order = f"{buttons}.find(b => /^Order/.test(b.innerText))"
        page.until(order)
        page.run(f"{order}.click()")
        page.until("location.hash.startsWith('#/report/')")
        assert page.run("document.querySelector('dialog')") is None
        assert page.run("document.cookie + location.href").count(text) == 0
        # Who gives none is told so where the answer would be, and can still give one.
        page.run("sessionStorage.clear(); location.hash = '#/insights'")
        page.until("document.querySelector('dialog')")
        page.press("Escape")
        page.until("document.querySelector('.failed .button')?.innerText === 'Sign in'")
        page.run("document.querySelector('.failed .button').click()")
        page.until("document.querySelector('dialog input')?.matches(':focus')")
        page.type(text)
        page.press("Enter")
        page.until("document.querySelector('.v-insights li, .v-insights .state:not(.failed)')")
        page.wrong.clear()  # what the browser says of 401
