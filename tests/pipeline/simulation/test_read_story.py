"""`gim read` on a story of the simulated subject, in a browser: a click shows what was copied."""

import json
import re

import numpy as np
import pytest

from gim.cli import main
from pipeline.simulation.settings import Settings
from pipeline.simulation.story import tell

SHORT = Settings(n_train=1, n_test=1, rows=(60, 60))


@pytest.fixture(scope="module")
def told():
    """A story, and one of its events that is told again in the same words."""
    story = tell("story", np.random.default_rng(3), SHORT)
    again = [o for o in story.occurrences if o.kind == "verbatim" and len(o.words) > 4]
    return " ".join(word for _, _, word in story.words), again[-1]


def test_a_click_shows_where_the_event_was_told_before(told, tmp_path, capsys, browser):
    text, event = told
    (tmp_path / "story.txt").write_text(text)
    page_file, faults = tmp_path / "story.html", []
    assert main(["read", str(tmp_path / "story.txt"), "--html", str(page_file)]) == 0
    printed = capsys.readouterr().out
    bits = float(re.search(r"bits_per_byte +([\d.]+)", printed).group(1))
    page = browser.new_page(viewport={"width": 1100, "height": 800})
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(page_file.as_uri())
    tokens = page.locator(".token").evaluate_all("all => all.map(b => b.textContent)")
    assert "".join(tokens) == text
    titles = page.locator(".token").evaluate_all("all => all.map(b => parseFloat(b.title))")
    assert sum(titles) / len(text) == pytest.approx(bits, abs=0.01)
    # The last word of the event's second telling: it was told before.
    end = text.rindex(" ".join(event.words)) + len(" ".join(event.words))
    ends = np.cumsum([len(token) for token in tokens])
    last = int(np.searchsorted(ends, end))
    page.locator(".token").nth(last).click()
    panel = page.locator("#panel")
    assert json.dumps(tokens[last]) in panel.inner_text()
    votes = panel.locator(".vote").all_inner_texts()
    assert votes and {vote.strip() for vote in votes} == {tokens[last].strip()}
    before = " ".join(event.words)[: -len(tokens[last])]
    matches = panel.locator(".match").all_inner_texts()
    assert any(match.endswith(before[-12:]) for match in matches)
    colours = page.locator(".token").evaluate_all(
        "all => all.map(b => getComputedStyle(b).backgroundColor)"
    )
    assert len(set(colours)) > 10
    chosen, below = page.locator("[aria-pressed=true]").bounding_box(), panel.bounding_box()
    assert 0 <= chosen["y"] <= below["y"] - chosen["height"]
    page.close()
    assert not faults
