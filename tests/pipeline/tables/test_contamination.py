import pandas as pd

from pipeline.tables.contamination import COLUMNS, by_source, known_training_stories

TABLE = pd.DataFrame(
    [
        ("a.jsonl", "eng1000", "one", "train", 0.97),
        ("a.jsonl", "eng1000", "two", "train", 0.19),
        ("a.jsonl", "eng1000", "three", "train", 0.001),
        ("a.jsonl", "eng1000", "four", "test", 0.5),
        ("index", "infinigram", "one", "train", 0.2),
        ("index", "infinigram", "two", "train", 0.0),
        ("some/model", "llm", None, None, None),
    ],
    columns=COLUMNS,
).astype({"share": float})


def test_known_are_training_stories_with_a_fifth_or_more_in_some_text():
    assert known_training_stories(TABLE) == ["one"]
    assert known_training_stories(TABLE.iloc[:0]) == []


def test_a_record_for_each_text(tmp_path):
    """Also as read back from the file."""
    TABLE.to_csv(tmp_path / "t.tsv", sep="\t", index=False, na_rep="n/a")
    for table in (TABLE, pd.read_csv(tmp_path / "t.tsv", sep="\t")):
        corpus, index, model = by_source(table)
        assert [t["story"] for t in corpus["told"]] == ["one", "four", "two"]
        assert (corpus["n"], corpus["most"]) == (4, 0.97)
        assert (index["n"], [t["story"] for t in index["told"]]) == (2, ["one"])
        assert (model["source"], model["n"], model["told"]) == ("some/model", 0, [])
    assert by_source(TABLE.iloc[:0]) == []
