"""Damaged configurations, of the workflow and of training."""

from tests.fuzz.registry import common, damage, edit, recode
from tests.fuzz.specimens import CONFIGURATION, TRAINING

for _specimen, _none in ((CONFIGURATION, "no such configuration"), (TRAINING, "cannot be read")):
    common(
        _specimen,
        missing=_none,
        folder=_none,
        unreadable="cannot be read",
        empty={CONFIGURATION: "is not of type 'object'", TRAINING: "hold keys and values"}[
            _specimen
        ],
    )

    @damage(_specimen)
    def byte_order_mark(path):
        """UTF-8 with a byte-order mark."""
        recode(path, "utf-8-sig")

    @damage(_specimen)
    def windows_lines(path):
        """Lines end as on Windows (CR LF)."""
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    @damage(_specimen, refused="YAML")
    def utf16(path):
        """UTF-16."""
        recode(path, "utf-16")

    @damage(_specimen, refused="YAML")
    def latin1(path):
        """A comment in Latin-1."""
        path.write_bytes(b"# caf\xe9\n" + path.read_bytes())

    @damage(_specimen, refused="YAML")
    def zero_bytes(path):
        """Zeros in the middle of the file."""
        raw = path.read_bytes()
        path.write_bytes(raw[:100] + bytes(8) + raw[100:])

    @damage(_specimen, refused="YAML")
    def tabs(path):
        """Lines are indented with tabs."""
        path.write_text(path.read_text() + "extra:\n\tkey: 1\n")

    @damage(_specimen, refused="YAML")
    def unclosed_bracket(path):
        """A bracket is not closed."""
        path.write_text(path.read_text() + "\nextra: [1, 2\n")

    @damage(_specimen, refused="YAML")
    def nested(path):
        """A thousand brackets."""
        path.write_text("a: " + "[" * 1000)

    @damage(_specimen, refused="YAML")
    def code(path):
        """A tag that asks for Python code."""
        path.write_text("a: !!python/object/apply:os.getcwd []\n" + path.read_text())

    @damage(_specimen, refused="given twice")
    def key_twice(path):
        """A key is given twice."""
        line = next(
            line for line in path.read_text().splitlines() if line.startswith(("name", "out"))
        )
        path.write_text(path.read_text() + f"\n{line}2\n")

    @damage(_specimen, refused="type")
    def a_list(path):
        """The file is a list."""
        path.write_text("- a\n- b\n")


@damage(CONFIGURATION, refused="required property")
def cut_short(path):
    """The end of the file is missing."""
    path.write_text(path.read_text().partition("features:")[0])


@damage(CONFIGURATION, refused="was unexpected")
def misspelt_key(path):
    """A key is misspelt."""
    edit(path, "voxels_per_block", "voxel_per_block")


@damage(CONFIGURATION, refused="is not a name")
def numbered_subject(path):
    """A subject is called 01 without quotation marks, which is a number."""
    edit(path, "  SIM01: {}", "  01: {}")


@damage(CONFIGURATION, refused="is not a name")
def switch_for_a_key(path):
    """A band is called 'on' without quotation marks, which is a truth value."""
    edit(path, "  drift: {}", "  on: {}")


@damage(CONFIGURATION, refused="is not of type 'string'")
def switch_for_a_story(path):
    """A story is called 'no' without quotation marks, which is a truth value."""
    edit(path, "  - train01", "  - no")


@damage(CONFIGURATION, refused="without slashes, braces")
def folder_for_a_story(path):
    """A story is called '..'."""
    edit(path, "  - train01", "  - '..'")


@damage(CONFIGURATION, refused="without slashes, braces")
def braces_for_a_story(path):
    """A story is called '{}'."""
    edit(path, "  - train01", "  - '{}'")


@damage(CONFIGURATION, refused="without slashes, braces")
def line_after_a_story(path):
    """A line's end follows the name of a story."""
    edit(path, "  - train01", '  - "train01\\n"')


@damage(CONFIGURATION, refused="without slashes, braces")
def nothing_for_a_story(path):
    """A story has an empty name."""
    edit(path, "  - train01", "  - ''")


@damage(CONFIGURATION, refused="letters, digits, _, . and -")
def slash_in_the_runs_name(path):
    """The run is called 'a/b'."""
    edit(path, "name: tiny", "name: a/b")


@damage(CONFIGURATION, refused="letters and digits only")
def line_after_a_subject(path):
    """A line's end follows the name of a subject."""
    edit(path, "  SIM01: {}", '  "SIM01\\n": {}')


@damage(CONFIGURATION, refused="is not of type 'number'")
def repetition_time_not_a_number(path):
    """The repetition time is NaN."""
    path.write_text(path.read_text() + "timing: {tr: .nan}\n")


@damage(CONFIGURATION, refused="is not of type 'number'")
def repetition_time_infinite(path):
    """The repetition time is infinite."""
    path.write_text(path.read_text() + "timing: {tr: .inf}\n")


@damage(CONFIGURATION, refused="give seconds, not milliseconds")
def repetition_time_zero(path):
    """The repetition time is 0."""
    path.write_text(path.read_text() + "timing: {tr: 0}\n")


@damage(CONFIGURATION, refused="is not of type 'integer'")
def fraction_for_a_count(path):
    """A count has a decimal point."""
    edit(path, "n_folds: 3", "n_folds: 3.0")


@damage(CONFIGURATION, refused="is less than the minimum")
def negative_trim(path):
    """Volumes to cut are negative."""
    path.write_text(path.read_text() + "timing: {trim: [-1, 5]}\n")


@damage(CONFIGURATION, refused="write {story} in the path")
def one_transcript_for_all(path):
    """`transcripts.path` has no {story}."""
    path.write_text(path.read_text() + "transcripts: {path: words.csv}\n")


@damage(CONFIGURATION, refused="fewer than the")
def too_many_folds(path):
    """There are more folds than stories."""
    edit(path, "n_folds: 3", f"n_folds: {10**30}")


@damage(CONFIGURATION, refused="non-unique")
def story_twice(path):
    """A story is listed twice."""
    edit(path, "  - train02", "  - train01")


@damage(CONFIGURATION, refused="both a training and a test story")
def test_story_in_training(path):
    """The test story is a training story as well."""
    edit(path, "  - train02", "  - test01")


@damage(CONFIGURATION, refused="unknown band")
def unknown_band(path):
    """A model names a band that does not exist."""
    edit(path, "  - ngram\n", "  - engram\n")


@damage(CONFIGURATION, refused="'engram' is no model of this run")
def only_an_unknown_model(path):
    """`only` names a model that does not exist."""
    path.write_text(path.read_text() + "only: [eng1000, engram]\n")


@damage(CONFIGURATION, refused="'eng1000' is no model of this run")
def only_without_the_baseline(path):
    """`only` leaves the baseline out."""
    path.write_text(path.read_text() + "only: [ngram]\n")


@damage(CONFIGURATION, refused="should be non-empty")
def only_nothing(path):
    """`only` is an empty list."""
    path.write_text(path.read_text() + "only: []\n")


@damage(CONFIGURATION, refused="is not of type 'array'")
def only_one_name(path):
    """`only` is a name, not a list."""
    path.write_text(path.read_text() + "only: eng1000\n")


@damage(CONFIGURATION, refused="required property")
def an_overlay_alone(path):
    """The file is an overlay, which changes a few keys of another one."""
    path.write_text("only: [eng1000]\n")


@damage(CONFIGURATION, refused="contains itself")
def contains_itself(path):
    """A list contains itself."""
    path.write_text(path.read_text() + "delays: &loop [1, *loop]\n")


@damage(CONFIGURATION, refused="is a program")
def a_program(path):
    """Snakemake is asked to evaluate the file (`__use_yte__`)."""
    path.write_text("__use_yte__: true\n" + path.read_text())


FETCH = "fetch: {{files: '{}', pointers: 'https://a.org'}}\n"


@damage(CONFIGURATION, refused="no address that begins with https://")
def fetched_without_encryption(path):
    """Files are fetched from an http:// address."""
    path.write_text(path.read_text() + FETCH.format("http://a.org"))


@damage(CONFIGURATION, refused="what the variables in '$HOME/{story}.hf5' stand for")
def a_variable_in_an_address(path):
    """What is fetched has the value of a variable in its address."""
    responses = "responses: {path: '$HOME/{story}.hf5'}\n"
    edit(path, "data_root: ", "data_root: /  # ")
    path.write_text(path.read_text() + FETCH.format("https://a.org") + responses)


@damage(TRAINING, refused="is missing")
def no_teacher(path):
    """The teacher is not named."""
    edit(path, "teacher: results/teacher\n", "")


@damage(TRAINING, refused="unknown key")
def misspelt_setting(path):
    """A key is misspelt."""
    edit(path, "candidates:", "candidate:")


@damage(TRAINING, refused="must be at least")
def zero_steps(path):
    """Training takes no step."""
    edit(path, "steps: 4500", "steps: 0")


@damage(TRAINING, refused="must be at least")
def nothing_held_out(path):
    """Every 0th document is held out."""
    edit(path, "  length: 96", "  hold_out: 0\n  length: 96")


@damage(TRAINING, refused="must be at least")
def negative_length(path):
    """Sequences have a negative length."""
    edit(path, "length: 96", "length: -96")


@damage(TRAINING, refused="finite")
def rate_not_a_number(path):
    """The learning rate is NaN."""
    edit(path, "rate: 1.5e-3", "rate: .nan")


@damage(TRAINING, refused="finite")
def rate_infinite(path):
    """The learning rate is infinite."""
    edit(path, "rate: 1.5e-3", "rate: .inf")


@damage(TRAINING, refused="must be of type float")
def rate_as_text(path):
    """The learning rate is '15e-4', which YAML takes for text."""
    edit(path, "rate: 1.5e-3", "rate: 15e-4")


@damage(TRAINING, refused="must be at most")
def share_above_one(path):
    """A share is above 1."""
    edit(path, "plain: 0.5", "plain: 50.0")


@damage(TRAINING, refused="must be of type str")
def corpus_of_a_number(path):
    """A corpus is called 2020 without quotation marks, which is a number."""
    edit(path, "corpora: [", "corpora: [2020, ")


@damage(TRAINING, refused="must be at least 1")
def no_corpora(path):
    """The list of corpora is empty."""
    text = path.read_text()
    start = text.index("corpora: [")
    path.write_text(text[:start] + "corpora: []" + text[text.index("]", start) + 1 :])
