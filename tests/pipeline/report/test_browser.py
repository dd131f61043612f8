"""The report in a real browser: nothing fails, nothing is fetched, and every control works."""

import h5py
import pytest

from tests.helpers.server import Server

PHONE = {"width": 390, "height": 844}
PATIENCE = 60_000  # ms: the machine may be busy


@pytest.fixture
def visit(browser):
    """Open a report; at the end, complain of errors and of anything fetched."""
    faults, fetched, visited = [], [], set()

    def open_page(made, **options):
        page = browser.new_page(**options)
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: fetched.append(r.url))
        visited.add(made.html.as_uri())
        page.goto(made.html.as_uri())
        return page

    yield open_page
    assert not faults
    assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []
    assert {url for url in fetched if url.startswith("file:")} == visited


def shown_map(page):
    return page.locator(".map img:visible")


def test_the_map_switch_shows_one_picture_of_what_is_chosen(mapped, visit):
    page = visit(mapped)
    assert shown_map(page).count() == 1
    page.select_option("[data-key=model]", "ngram")
    page.select_option("[data-key=show]", "difference to eng1000")
    page.select_option("[data-key=kind]", "glass")
    assert shown_map(page).count() == 1
    assert shown_map(page).get_attribute("alt") == "S1, ngram, rdiff (glass brain)"
    page.select_option("[data-key=model]", "eng1000")  # has no difference to itself
    assert shown_map(page).get_attribute("alt") == "S1, eng1000, r (glass brain)"
    assert page.input_value("[data-key=show]") == "test correlation"


def test_views_that_are_linked_are_of_the_map_that_is_shown(mapped, visit):
    page = visit(mapped)

    def linked():
        return page.locator(".views a:visible").evaluate_all("all => all.map(a => a.pathname)")

    page.select_option("[data-key=model]", "ngram")
    page.select_option("[data-key=show]", "difference to eng1000")
    names = [f"ngram_{kind}_rdiff.html" for kind in ("view", "surfview")]
    assert [path.rsplit("/", 1)[1] for path in linked()] == names
    page.select_option("[data-key=model]", "random")  # has none
    assert linked() == [] and not page.locator(".views").is_visible()


def test_the_explorer_opens_on_the_matcher_and_keeps_what_is_chosen(unmapped, visit):
    page = visit(unmapped)
    listed = page.locator("#explore-model option").evaluate_all("all => all.map(o => o.value)")
    assert listed == ["eng1000", "random", "ngram"]
    assert page.input_value("#explore-model") == "ngram"
    group = page.locator("#explore-unit").evaluate("s => s.selectedOptions[0].parentNode.label")
    assert group == "Gain most from ngram over ngramlag"
    page.select_option("#explore-model", "random")
    page.select_option("#explore-subject", "S2")
    assert page.input_value("#explore-model") == "random"


def test_a_click_on_a_word_shows_its_match(mapped, visit):
    page = visit(mapped)
    page.click("#tr30")
    moment = page.inner_text("#moment")
    assert "TR 30, 1:10 into the story" in moment  # 10 s, then 2 s a TR
    assert "TR 18, 0:46" in moment
    assert "12 TR (24 s)" in moment
    assert "3 (\N{LEFT DOUBLE QUOTATION MARK}words of 30" in moment
    assert "to TR 31\N{EN DASH}36" in moment
    assert page.inner_text("#story .now") == "x30a x30b"
    assert page.inner_text("#story .match") == "x18a x18b"
    assert [s.inner_text() for s in page.query_selector_all("#story .after")] == [
        f"x{t}a x{t}b" for t in (19, 20, 21)
    ]
    page.click("#moment button")
    assert page.inner_text("#story .now") == "x18a x18b"


def test_the_explorer_by_keyboard_alone(mapped, visit):
    page = visit(mapped)
    page.select_option("#explore-model", "ngram")
    page.click("#tr30")
    page.focus("#story")
    for key, row in [
        ("ArrowRight", 31),
        ("Enter", 19),
        ("Backspace", 31),
        ("ArrowLeft", 30),
        ("Home", 0),
    ]:
        page.keyboard.press(key)
        assert page.get_attribute("#story", "aria-activedescendant") == f"tr{row}"
    assert "no match" in page.inner_text("#moment")
    page.keyboard.press("End")
    assert page.get_attribute("#story .now", "data-t") == "49"


def test_the_time_line_is_that_of_the_fit(mapped, visit):
    """Also after choosing another story, model and response; a click chooses a moment."""
    page = visit(mapped)
    page.select_option("#explore-story", "y")
    page.select_option("#explore-model", "random")
    page.select_option("#explore-unit", index=1)
    label = page.locator("#explore-unit option").nth(1).inner_text()
    voxel = int(label.split()[1])
    with h5py.File(mapped.run.fits["S1", "random"]) as file:
        r = float(file["r_test"][1, voxel])
    assert f"r = {r:.3f}".replace("-", "\N{MINUS SIGN}") in page.inner_text("#timeline figcaption")
    assert page.locator("#timeline path").count() == 3
    page.select_option("#explore-model", "eng1000")
    assert page.locator("#timeline path").count() == 2  # no matches, nothing to leave out
    chart = page.locator("#timeline svg.chart")
    width = chart.bounding_box()["width"]
    chart.click(position={"x": width - 9, "y": 50})
    assert page.get_attribute("#story .now", "data-t") == "45"


def test_a_click_on_the_map_shows_what_excites_the_voxel(mapped, visit):
    """Its words, timing, passages and the match of one; from there to the match explorer."""
    page = visit(mapped)
    assert page.inner_text("#place-says h3") == "all predicted voxels"
    assert "Mean of 20 predicted voxels" in page.inner_text("#place-says")
    box = page.locator("#place-map").bounding_box()
    at = {"x": 12.9 * box["width"] / 20, "y": 3.2 * box["height"] / 10}  # a pixel off
    page.click("#place-map", position=at)
    said = page.inner_text("#place-says")
    assert page.inner_text("#place-says h3") == "voxel 1"
    assert page.locator(".words .firm").all_inner_texts() == ["w4", "w6", "w7"]
    assert page.locator(".words .loose").all_inner_texts() == ["w1"]
    assert "92 % of these words" in said
    assert "answers 4.5 s after the words, 3.3 s wide" in said
    assert page.locator("#place-says svg.chart path").count() == 1
    first = page.locator(".heard li").first.inner_text()
    assert "x, 1:10: predicted +2.50, measured \N{MINUS SIGN}1.25" in first
    assert "x26a x26b x27a x27b x28a x28b x29a x29b" in first
    assert "ngram adds +0.50: 1:04 is like 0:40 \N{HORIZONTAL ELLIPSIS} x13a" in first
    page.click(".heard .because button")
    assert page.inner_text("#story .now") == "x27a x27b"
    assert page.input_value("#explore-model") == "eng1000"
    page.click(".heard li:nth-child(2) button")
    assert page.input_value("#explore-story") == "y"
    page.click("#place-says button:has-text('all of A')")
    assert page.inner_text("#place-says h3") == "A (truth)"
    assert page.locator("#place-marks .member").count() == 2
    assert "</script><b>" in page.inner_text(".words")
    page.select_option("#place-band", label="ngram")
    assert "In ngram words have no place" in page.inner_text("#place-says")


def test_places_by_keyboard_alone(mapped, visit):
    page = visit(mapped)
    page.select_option("#place", label="voxel 0")
    page.focus("#place-map")
    for key, label in [
        ("ArrowRight", "voxel 1"),
        ("ArrowRight", "voxel 1"),
        ("ArrowLeft", "voxel 0"),
        ("ArrowDown", "voxel 2"),
    ]:
        page.keyboard.press(key)
        assert page.inner_text("#place-says h3") == label
    assert page.locator("#place-marks .single").count() == 1


def test_words_and_numbers_of_a_place_are_seen_without_scrolling_aside(mapped, visit):
    page = visit(mapped)
    table = page.locator("#tuning table.prose")
    edge = table.evaluate("t => t.parentNode.scrollWidth - t.parentNode.clientWidth")
    assert edge <= 0
    page = visit(mapped, viewport=PHONE)
    says = page.locator("#place-says").bounding_box()
    assert says["x"] + says["width"] <= PHONE["width"]
    box = page.locator("#place-map").bounding_box()
    page.click("#place-map", position={"x": box["width"] * 0.22, "y": box["height"] * 0.75})
    assert page.inner_text("#place-says h3") == "voxel 2"


def test_features_that_are_zero_are_told_above_the_answer(silent, visit):
    """Without a click, and before anything that the run says."""
    page = visit(silent)
    first = page.locator(".warning:visible").first
    assert "eng1000.h5 [a, b, c, x, y]: the features are zero in every row" in first.inner_text()
    answer = page.locator("#answer h1").bounding_box()
    assert first.bounding_box()["y"] < answer["y"]
    assert first.bounding_box()["y"] < page.viewport_size["height"] / 2
    assert page.locator("#warnings .warning:visible").count() == 3
    page.click("#warnings summary")
    told = page.locator("#warnings .warning:visible").all_inner_texts()
    assert len(told) == len(silent.run.config["features"]) + 2
    assert told[-2:] == ["a story is short", "a mask is small"]


def test_every_link_of_the_menu_leads_somewhere(mapped, visit):
    page = visit(mapped)
    targets = page.eval_on_selector_all("nav a, .skip", "links => links.map(l => l.hash)")
    assert len(targets) > 6
    assert all(page.locator(target).count() == 1 for target in targets)


def test_words_of_the_story_are_text_not_markup(mapped, visit):
    page = visit(mapped)
    assert "</script><b>" in page.inner_text("#story")
    assert page.locator("#story b").count() == 0


@pytest.mark.parametrize("which", ["mapped", "unmapped", "silent"])
def test_a_phone_scrolls_down_only(which, visit, request):
    page = visit(request.getfixturevalue(which), viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.tap("#tr30") if page.evaluate("'ontouchstart' in window") else page.click("#tr30")
    assert page.locator("#story .now").is_visible()


def test_a_phone_shows_r_beside_the_models(mapped, visit):
    page = visit(mapped, viewport=PHONE)
    cell = page.locator("#models td[data-value]").first
    box = cell.bounding_box()
    assert box["x"] + box["width"] <= PHONE["width"]


def test_without_maps_the_report_still_answers(unmapped, visit):
    page = visit(unmapped)
    answer = page.inner_text("#answer")
    assert "Yes" in answer
    assert "Matches found by ngram add to the prediction" in answer
    assert page.locator("#maps").count() == 0
    assert "Maps: the configuration names no mask" in page.inner_text("#provenance")
    page.select_option("#explore-subject", "S2")
    page.click("#tr20")
    assert page.locator("#moment svg.chart").count() == 1


def test_printing_opens_what_is_folded(mapped, visit):
    page = visit(mapped)
    assert page.locator("details:not([open])").count() > 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 1  # the configuration
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0
    assert len(page.pdf()) > 10_000


INJECTED = """<script>window.ran = true</script><img src="x" onerror="window.ran = true">
<svg onload="window.ran = true"></svg><a id="trap" href="javascript:window.ran = true">x</a>
<style>#answer { display: none }</style><link rel="stylesheet" href="ADDRESS/a.css">
<script src="ADDRESS/a.js"></script><img src="ADDRESS/a.png"><iframe src="ADDRESS/a.html"></iframe>
<object data="ADDRESS/a.svg"></object><form id="send" action="ADDRESS/form"></form>"""


def test_what_gets_into_the_page_neither_runs_nor_asks_for_anything(mapped, browser, tmp_path):
    server = Server()
    html = mapped.html.read_text().replace("</main>", INJECTED.replace("ADDRESS", server.url))
    (tmp_path / "report.html").write_text(html)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((tmp_path / "report.html").as_uri())
    page.click("#trap")
    page.select_option("#explore-story", "y")
    assert page.inner_text("#story .now")
    assert page.evaluate("window.ran") is None
    assert page.locator("#answer").is_visible()
    page.evaluate("document.getElementById('send').submit()")
    page.wait_for_timeout(200)
    assert not server.asked
    page.close()
    server.shutdown()
    server.server_close()


def test_the_figures_and_colours_of_the_page_are_there(mapped, visit):
    page = visit(mapped)
    sizes = page.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
    assert min(sizes) > 0
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    heat = page.locator(".heat td[data-value]")
    colours = heat.evaluate_all("all => all.map(c => getComputedStyle(c).backgroundColor)")
    assert len(set(colours)) > 3
    strength = page.locator("#story .matched").first.evaluate(
        "s => s.style.getPropertyValue('--strength')"
    )
    assert strength
