"""Whatever the OpenAPI document allows is answered, and answered as it says; what it does not allow
is refused as it says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi.checks import RejectedPositiveData
from starlette.testclient import TestClient

from sightline.api import access
from sightline.api.app import create_app
from sightline.cli.service import read_row
from sightline.graph.storage.tokens import create_token

#: Failures are found again, and no example is written down.
BOUNDED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def api(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("api") / "ws")
    text = create_token(copy, "all", ["admin"])[1]
    app = create_app(copy, read_row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "GUESSES", 1e9)  # that a wrong token is refused is tried, too
        with TestClient(app):
            # What is refused for its length alone is refused, too.
            refused = {"expected-statuses": ["4xx", "5xx"]}
            config = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": refused}})
            made = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
            yield made, {"Authorization": f"Bearer {text}"}


def failures(api: Any, sent: dict[str, str], examples: int) -> list[str]:
    """What is not as declared: no 5xx, status and body as documented, JSON of its schema."""
    found: dict[str, str] = {}

    def look(operation: Any, mode: GenerationMode) -> None:
        @settings(BOUNDED, max_examples=examples)
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            if "events" in operation.path:
                return  # endless by design; an id that exists is followed elsewhere
            response = case.call(headers=sent)
            try:
                case.validate_response(response, headers=sent)
            except FailureGroup as error:
                for one in error.exceptions:
                    # A schema cannot say what excludes what; the header is set here.
                    if isinstance(one, RejectedPositiveData) or "/Authorization" in str(one):
                        continue
                    # A parameter too many whose value is an empty list is not sent at all.
                    if "violates `additionalProperties`" in str(one) and known(operation, response):
                        continue
                    key = f"{operation.label} {type(one).__name__}"
                    found.setdefault(key, f"{key}: {one} {case.as_curl_command()}"[:600])

        with suppress(Unsatisfiable):  # nothing can be wrong about it
            ask()

    for result in api.get_all_operations():
        for mode in MODES:
            look(result.ok(), mode)
    return list(found.values())


def known(operation: Any, response: Any) -> bool:
    """Whether no parameter was sent that the operation does not take."""
    sent = parse_qs(urlsplit(response.request.url).query, keep_blank_values=True)
    return set(sent) <= {parameter.name for parameter in operation.query}


def test_every_answer_is_as_declared(api: Any) -> None:
    wrong = failures(*api, 2)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.slow
def test_every_answer_is_as_declared_in_many_tries(api: Any) -> None:
    wrong = failures(*api, 100)
    assert not wrong, "\n\n".join(wrong)
