"""The page of `gim read`: what it says adds up; in a browser it opens, and keys and clicks work."""

import json
import re

import numpy as np
import pytest

from gim.evaluation.page import read_text, summary, to_page
from gim.text.tokenizer import load_tokenizer
from gim.weighing.model import WeightedGIM
from gim.weighing.weights import SOURCES

TEXT = 'She said "<b>no</b> & go" to the cat, and the cat said "<b>no</b> & go" to her. </script>'


@pytest.fixture(scope="module")
def steps():
    return read_text(WeightedGIM(load_tokenizer()), TEXT)


def test_what_is_shown_of_a_token_adds_up(steps):
    assert "".join(step.token for step in steps) == TEXT
    for step in steps:
        weights = [found["weight"] for found in step.passages]
        total = sum(weights) + sum(step.remainder.values())
        assert total == pytest.approx(step.probability) == pytest.approx(sum(step.sources.values()))
    again = steps[TEXT.index(" & go", 40) // 3 :]
    assert any(found["vote"] == step.token for step in again for found in step.passages)
    found = summary(steps)
    assert sum(found[source] for source in SOURCES) == pytest.approx(1)
    nats = -np.log([step.probability for step in steps]).sum()
    assert found["bits_per_byte"] == pytest.approx(nats / np.log(2) / len(TEXT))


def test_bytes_are_those_of_the_text():
    """Also where a character is spelt by several tokens, none of them whole."""
    text = "caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{HUGGING FACE} again"
    model = WeightedGIM(load_tokenizer())
    steps = read_text(model, text)
    assert len("".join(step.token for step in steps).encode()) > len(text.encode())
    nats = -np.log([step.probability for step in steps]).sum()
    assert summary(steps)["bits_per_byte"] == pytest.approx(nats / np.log(2) / len(text.encode()))


def test_a_text_cannot_end_the_script_that_holds_it(steps):
    page = to_page(steps)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert data is not None
    assert "".join(step["token"] for step in json.loads(data.group(1))) == TEXT


def test_in_a_browser(steps, tmp_path, browser):
    faults, fetched = [], []
    path = tmp_path / "page.html"
    path.write_text(to_page(steps))
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(path.as_uri())
    tokens = page.locator(".token")
    assert tokens.count() == len(steps)
    assert "".join(tokens.evaluate_all("all => all.map(b => b.textContent)")) == TEXT
    tokens.nth(3).click()
    assert json.dumps(steps[3].token) in page.locator("#panel").inner_text()
    page.keyboard.press("ArrowRight")
    shown = page.locator("#panel").inner_text()
    assert json.dumps(steps[4].token) in shown and "Remainder: " in shown
    assert page.locator("[aria-pressed=true]").count() == 1
    page.keyboard.press("End")
    assert json.dumps(steps[-1].token) in page.locator("#panel").inner_text()
    page.keyboard.press("ArrowRight")  # nothing after the last one
    assert page.locator(".bar span").count() >= 1
    page.close()
    assert not faults and len(fetched) == 1
