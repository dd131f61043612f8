"""What a student is shown: places that two tokenizers share, and states kept on disk."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gim.errors import InputError
from gim.text.tokenizer import load_tokenizer
from gim.training.distill import distill
from gim.training.kept import KeptTeacher, group_starts
from gim.training.lessons import LiveLessons, load_teacher, make_lessons
from gim.training.pretrain import make_model
from gim.training.settings import Data, Distillation, Shape
from gim.training.teacher import Teacher, distances, shared_line
from gim.training.tokens import token_files
from tests.helpers.training import distillation, settings_of

TEXT = "The key 7 opens Door 9. Don't -- “stop”,\n  she said  twice; naïve añejo keys re-opened."


@given(st.text(alphabet="ab e.7\n'é", max_size=40))
@settings(max_examples=60, deadline=None)
def test_shared_places_are_where_the_prefix_has_the_same_tokens(small, text):
    student = load_tokenizer()
    ids = student.encode(text + TEXT)
    line = shared_line(ids, student, small)
    assert len(line.columns) > 10  # a dozen words end in the text
    for column, place in zip(line.columns.tolist(), line.places.tolist(), strict=True):
        prefix = student.decode(ids[: column + 1])
        assert small.encode(prefix).tolist() == line.ids[: place + 1].tolist()


def test_a_sentencepiece_text_begins_with_a_space_of_its_own(small):
    own = load_tokenizer()
    shifted = type(small)("space", lambda text: small.encode(" " + text).tolist(), small.table)
    line = shared_line(own.encode("keys open doors"), own, shifted)
    assert [shifted.decode(line.ids[: p + 1]) for p in line.places] == [
        " keys",
        " keys open",
        " keys open doors",
    ]


def _teacher(small, context: int = 128) -> Teacher:
    shape = Shape(width=16, layers=1, heads=2, context=context)
    return Teacher(make_model(shape, small.vocab_size, 1), small, load_tokenizer())


def test_one_reading_gives_the_states_of_every_prefix_read_anew(small):
    """States are those of the model on the re-tokenised prefix, never on the student's ids."""
    wrapped = _teacher(small)
    texts = [TEXT, TEXT[:30] + TEXT]
    ids = [wrapped.student.encode(text) for text in texts]
    lines = [wrapped.line(own) for own in ids]
    rows = np.array([1, 0, 1, 0])
    columns = np.array([lines[row].columns[at] for row, at in zip(rows, [2, 5, 9, 0], strict=True)])
    found = wrapped.states(lines, rows, columns).last
    for state, row, column in zip(found, rows, columns, strict=True):
        prefix = torch.tensor(small.encode(wrapped.student.decode(ids[row][: column + 1])))
        wanted = wrapped.model.base_model(prefix[None]).last_hidden_state[0, -1]
        torch.testing.assert_close(state, wanted, atol=1e-5, rtol=1e-5)


def test_places_beyond_the_models_positions_are_left_out(small):
    line = _teacher(small, context=16).line(load_tokenizer().encode(TEXT))
    assert len(line.ids) == 16 and line.places.max() < 16


@pytest.mark.parametrize("n_tokens, wanted", [(1000, 10**9), (1000, 200), (81, 40), (1000, 0)])
def test_groups_lie_within_the_file_and_do_not_overlap(n_tokens, wanted):
    data = Data(corpora=["x"], length=20, together=2)
    starts = group_starts(n_tokens, data, wanted)
    assert len(starts) == max(1, min(wanted, n_tokens - 1) // 40)
    assert starts[0] == 0 and starts[-1] + 41 <= n_tokens
    assert (np.diff(starts) >= 40).all()


@pytest.fixture
def kept(folder, teacher, small):
    """Settings of a distillation whose teacher's states are kept, and the token files."""
    values = distillation(folder, teacher, tokenizer="default", candidates=20)
    values["keep"] = {"tokens": 3000, "cache": str(Path(folder["out"]).with_name("states"))}
    read = settings_of(values, Distillation)
    return read, token_files(read.data, load_tokenizer(), read.seed)


def _ask(read: Distillation, asked: list | None = None):
    def ask() -> Teacher:
        if asked is not None:
            asked.append(1)
        return load_teacher(read, load_tokenizer(), "cpu")

    return ask


def test_kept_states_give_the_distances_of_the_live_teacher(kept):
    read, files = kept
    lesson = make_lessons(read, load_tokenizer(), _ask(read), files)["train"].draw(3, 6, 8, 20)
    assert len(lesson.rows) == 28 and lesson.queries == 8
    live = _ask(read)()
    lines = [live.line(ids) for ids in lesson.ids.numpy()]
    states = live.states(lines, lesson.rows, lesson.columns).last
    wanted = distances(live.head, states[:8], states[8:], "symmetric_kl")
    found = distances(lesson.head, lesson.states.last[:8], lesson.states.last[8:], "symmetric_kl")
    assert wanted.std() > 1e-3  # the positions differ
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0.01)
    assert torch.equal(lesson.following[:, :-1], lesson.ids[:, 1:])


def test_live_lessons_ask_at_ends_of_words_only(kept):
    read, files = kept
    lesson = LiveLessons(read, _ask(read)(), files["train"]).draw(0, 4, 8, 20)
    tokenizer = load_tokenizer()
    for row, column in zip(lesson.rows, lesson.columns, strict=True):
        after = tokenizer.decode(lesson.ids[row, column + 1 : column + 2].tolist())
        assert after[:1] in ("", " ")


def test_a_teacher_reads_what_is_missing_and_no_more(kept):
    read, files = kept
    asked: list[int] = []
    first = make_lessons(read, load_tokenizer(), _ask(read, asked), files)
    assert len(asked) == 2  # training and validation text
    again = make_lessons(read, load_tokenizer(), _ask(read, asked), files)
    assert len(asked) == 2
    one, two = (lessons["train"].draw(1, 4, 8, 20) for lessons in (first, again))
    assert torch.equal(one.states.last, two.states.last)
    part = sorted(Path(read.keep.cache).glob("*/train/part-*.json"))[0]
    part.unlink()  # as if the run had stopped before it
    make_lessons(read, load_tokenizer(), _ask(read, asked), files)
    assert len(asked) == 3 and part.is_file()


def test_damaged_states_are_one_clear_error(kept):
    read, files = kept
    make_lessons(read, load_tokenizer(), _ask(read), files)
    part = sorted(Path(read.keep.cache).glob("*/train/part-*.npy"))[0]
    whole = part.read_bytes()
    part.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match=r"part-00000.npy: not as it was written.*reads again"):
        make_lessons(read, load_tokenizer(), _ask(read), files)


def test_another_teacher_or_share_is_kept_apart(kept, folder):
    read, files = kept
    make_lessons(read, load_tokenizer(), _ask(read), files)
    config = Path(read.teacher) / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"note": 1}))
    asked: list[int] = []
    make_lessons(read, load_tokenizer(), _ask(read, asked), files)
    assert len(asked) == 2


def test_distillation_from_kept_states_of_another_tokenizer(kept):
    read, _ = kept
    figures = distill(read)
    assert 0 < figures["validation_nearest"] < 20 and np.isfinite(list(figures.values())).all()
    about = json.loads((Path(read.out) / "training.json").read_text())
    assert about["keep"]["tokens"] == 3000


def test_too_few_shared_places_are_one_clear_error(kept, monkeypatch):
    read, files = kept
    monkeypatch.setattr(KeptTeacher, "draw", lambda *_: (np.zeros((1, 71)), np.empty(0, "u2")))
    lessons = make_lessons(read, load_tokenizer(), _ask(read), files)
    with pytest.raises(InputError, match="no two positions"):
        lessons["train"].draw(0, 4, 8, 20)


def test_inner_states_are_known_at_all_places_the_last_ones_where_they_are_compared(kept):
    live, files = kept
    read = replace(live, teacher_layer=1)
    ask = _ask(read)
    for lessons in (
        make_lessons(read, load_tokenizer(), ask, files)["train"],
        LiveLessons(read, ask(), files["train"]),
    ):
        lesson = lessons.draw(3, 6, 8, 20)
        assert len(lesson.states.last) == 28
        assert len(lesson.states.inner) == len(lesson.rows) > 100
        lines = [ask().line(ids) for ids in lesson.ids.numpy()]
        wanted = ask().states(lines, lesson.rows, lesson.columns).inner
        torch.testing.assert_close(lesson.states.inner, wanted, atol=2e-3, rtol=2e-3)
