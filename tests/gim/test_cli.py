"""Commands refuse what is wrong before they work, and replace nothing that is not theirs."""

import json

import pytest

from gim.cli import main
from gim.cli.options import text_of
from gim.decoding import speculate
from gim.decoding.costs import Costs
from gim.decoding.drafts import CopyDraft
from gim.encoder.encoder import Encoder
from gim.induction.model import GIM
from gim.weighing.weights import load_tau
from tests.helpers.random_models import SIZE, letters, model

TEXT = "The cat sat on the mat, and the cat sat on the mat again. "


@pytest.fixture
def given(tmp_path):
    """A folder with a text, a corpus and a file that is no folder."""
    (tmp_path / "text.txt").write_text(TEXT)
    line = json.dumps({"text": 20 * TEXT})
    (tmp_path / "corpus.jsonl").write_text(f"{line}\n" * 6)
    (tmp_path / "file").write_text("mine")
    return tmp_path


def run(given, monkeypatch, *arguments):
    """What a command returned, or ended with, in the folder."""
    monkeypatch.chdir(given)
    try:
        return main(arguments)
    except SystemExit as ended:
        return ended.code


OUTPUTS = [
    ("read", "text.txt", "--html", "text.txt"),
    ("read", "text.txt", "--html", "."),
    ("read", "text.txt", "--html", "file/page.html"),
    ("explain", "@text.txt", "--html", "text.txt"),
    ("explain", "@text.txt", "--html", "file/page.html"),
    ("tune", "corpus.jsonl", "--out", "corpus.jsonl", "--no-index"),
    ("tune", "corpus.jsonl", "--out", "tau.tsv", "--weights", "corpus.jsonl", "--no-index"),
    ("tune", "corpus.jsonl", "--out", ".", "--no-index"),
    ("eval", "corpus.jsonl", "--out", "file"),
    ("eval", "corpus.jsonl", "--out", "file/sub"),
    ("heads", "no-such-model", "--out", "file"),
]


@pytest.mark.parametrize("arguments", OUTPUTS, ids=" ".join)
def test_outputs_are_looked_at_before_the_work(given, monkeypatch, capsys, arguments):
    monkeypatch.setattr(Encoder, "from_pretrained", None)  # nothing is loaded, or this fails
    before = {path.name: path.read_bytes() for path in given.iterdir()}
    assert run(given, monkeypatch, *arguments) == 2
    said = capsys.readouterr().err
    assert "name a" in said and len(said.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in given.iterdir()} == before


@pytest.mark.parametrize("name", ["summary.tsv", "eval.png"])
def test_an_evaluation_replaces_its_own_tables_alone(given, monkeypatch, capsys, name):
    (given / "out").mkdir()
    (given / "out" / name).write_text("mine")
    arguments = ("eval", "corpus.jsonl", "--encoder", "none", "--context", "32", "--out", "out")
    assert run(given, monkeypatch, *arguments) == 2
    assert name in capsys.readouterr().err and (given / "out" / name).read_text() == "mine"
    (given / "out" / name).unlink()
    assert run(given, monkeypatch, *arguments) == run(given, monkeypatch, *arguments) == 0


NUMBERS = [
    ("read", "text.txt", "--context", "0"),
    ("read", "text.txt", "--evidence", "-1"),
    ("explain", "text", "--context", "-2"),
    ("explain", "text", "--tau", "0"),
    ("eval", "corpus.jsonl", "--out", "o", "--seed", "-1"),
    ("eval", "corpus.jsonl", "--out", "o", "--rounds", "0"),
    ("eval", "corpus.jsonl", "--out", "o", "--documents", "-1"),
    ("eval", "corpus.jsonl", "--out", "o", "--other-taus", "0"),
    *(("eval", "x", "--out", "o", "--temperature", t) for t in ("0", "-1", "nan", "inf", "warm")),
    ("tune", "corpus.jsonl", "--out", "o", "--positions", "0"),
    ("index", "corpus.jsonl", "--out", "o", "--memory", "0"),
    ("index", "corpus.jsonl", "--out", "o", "--hold-out", "-3"),
    ("heads", "m", "--out", "o", "--sequences", "0"),
    ("heads", "m", "--out", "o", "--text", "text.txt", "--ablate", "0"),
    ("heads", "m", "--out", "o", "--text", "text.txt", "--ablate", "4", "--length", "100"),
    ("speculate", "m", "text", "--tokens", "0"),
    ("speculate", "m", "text", "--temperature", "nan"),
    ("read", "text.txt", "--device", "nowhere"),
]


@pytest.mark.parametrize("arguments", NUMBERS, ids=" ".join)
def test_numbers_that_cannot_be_are_refused(given, monkeypatch, capsys, arguments):
    assert run(given, monkeypatch, *arguments) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"gim {arguments[0]}: ")
    assert not (given / "o").exists()


def test_a_mark_of_byte_order_is_no_text(given):
    (given / "marked.txt").write_text(TEXT, encoding="utf-8-sig")
    assert text_of(f"@{given / 'marked.txt'}") == TEXT


def test_without_an_encoder_no_tau_is_chosen(given, monkeypatch, capsys):
    lines = [json.dumps({"text": f"{n} {20 * TEXT}"}) + "\n" for n in range(6)]
    (given / "corpus.jsonl").write_text("".join(lines))
    options = ("--every", "2", "--context", "32", "--stride", "4", "--positions", "64")
    out = ("--out", "tau.tsv", "--weights", "weights.json")
    tune = ("tune", "corpus.jsonl", "--no-index", "--encoder", "none", *options, *out)
    assert run(given, monkeypatch, *tune) == 0
    assert "none is chosen" in capsys.readouterr().out
    assert load_tau(given / "weights.json") is None


def test_a_draft_is_compiled_before_anything_is_timed(rng, monkeypatch):
    """What a draft compiles when it is first asked takes seconds, which no row may hold."""
    seen, propose, generate = [], CopyDraft.propose, speculate.speculate

    def proposing(*args):
        seen.append("asked")
        return propose(*args)

    def generating(large, draft, ids, n_tokens, **options):
        seen.append(n_tokens)
        return generate(large, draft, ids, n_tokens, **options)

    monkeypatch.setattr(CopyDraft, "propose", proposing)
    monkeypatch.setattr(speculate, "speculate", generating)
    gim, ids = GIM(letters(), window=64), rng.integers(0, SIZE, 20)
    speculate.compare(model("llama"), gim, ids, 10, costs=Costs.linear(0.05))
    assert seen.index("asked") < seen.index(10)
