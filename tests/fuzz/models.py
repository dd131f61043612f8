"""Damaged tokenizers, encoders and indexes."""

import json
import zlib

import numpy as np
from safetensors.numpy import load_file, save_file

from gim.infinigram.index import PARTS
from tests.fuzz.registry import common, cut, damage, edit, recode
from tests.fuzz.specimens import ENCODER, INDEX, TOKENIZER

common(
    TOKENIZER,
    empty="not a tokenizer.json",
    unreadable="cannot be read",
    lfs_pointer="not fetched yet",
    dangling="not fetched yet",
)


@damage(TOKENIZER, refused="not a tokenizer.json")
def tokenizer_cut_short(path):
    """The end of the file is missing."""
    cut(path)


@damage(TOKENIZER, refused="not a tokenizer.json")
def tokenizer_utf16(path):
    """UTF-16."""
    recode(path, "utf-16")


@damage(TOKENIZER, refused="not a tokenizer.json")
def tokenizer_of_another_kind(path):
    """A JSON object that is no tokenizer."""
    path.write_text('{"vocab": {"a": 0}}')


@damage(TOKENIZER, refused="out of range")
def tokenizer_id_out_of_range(path):
    """A token has the id four billion."""
    content = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    vocabulary["rare"] = 4_000_000_000
    path.write_text(json.dumps(content), encoding="utf-8")


@damage(TOKENIZER)
def tokenizer_that_cuts(path):
    """Truncation is on, at 8 tokens."""
    _describe(path.parent, path.name, truncation=TRUNCATION)


@damage(TOKENIZER)
def tokenizer_that_pads(path):
    """Padding is on, to 512 tokens."""
    _describe(path.parent, path.name, padding=PADDING)


TRUNCATION = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
PADDING = {
    "strategy": {"Fixed": 512},
    "direction": "Right",
    "pad_to_multiple_of": None,
    "pad_id": 0,
    "pad_type_id": 0,
    "pad_token": "!",
}


def _describe(folder, name, **changes):
    """Change a JSON file in a folder."""
    path = folder / name
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | changes))


def _weights(folder, change):
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


@damage(ENCODER, refused="config.json: missing")
def encoder_without_config(path):
    """config.json is missing."""
    (path / "config.json").unlink()


@damage(ENCODER, refused="damaged encoder")
def encoder_config_in_a_list(path):
    """config.json holds a list."""
    (path / "config.json").write_text("[1]")


@damage(ENCODER, refused="damaged encoder")
def encoder_config_unreadable(path):
    """config.json cannot be read."""
    (path / "config.json").unlink()
    (path / "config.json").symlink_to("/proc/self/mem")


@damage(ENCODER, refused="not of type gim-encoder")
def encoder_of_another_kind(path):
    """config.json is another model's."""
    _describe(path, "config.json", model_type="bert")


@damage(ENCODER, refused="must be a whole number of at least 1")
def encoder_without_heads(path):
    """config.json has 0 attention heads."""
    _describe(path, "config.json", heads=0)


@damage(ENCODER, refused="must be a whole number of at least 1")
def encoder_of_negative_width(path):
    """config.json has a negative width."""
    _describe(path, "config.json", width=-16)


@damage(ENCODER, refused="must be above 0")
def encoder_temperature_zero(path):
    """config.json has a temperature of 0."""
    _describe(path, "config.json", temperature=0)


@damage(ENCODER, refused="must be above 0")
def encoder_temperature_not_a_number(path):
    """config.json has a temperature of NaN."""
    _describe(path, "config.json", temperature=float("nan"))


@damage(ENCODER, refused="damaged encoder")
def encoder_of_another_vocabulary(path):
    """config.json has one id more than the weights."""
    _describe(path, "config.json", vocab_size=16_385)


@damage(ENCODER, refused="embed.weight has the shape")
def encoder_of_an_enormous_vocabulary(path):
    """config.json announces 8 million ids."""
    _describe(path, "config.json", vocab_size=8_000_000)


@damage(ENCODER, refused="ids, the encoder")
def encoder_vocabulary_too_small(path):
    """config.json has fewer ids than the tokenizer."""
    _describe(path, "config.json", vocab_size=100)


@damage(ENCODER, refused="damaged encoder")
def encoder_weights_cut_short(path):
    """The end of model.safetensors is missing."""
    cut(path / "model.safetensors")


@damage(ENCODER, refused="damaged encoder")
def encoder_without_a_tensor(path):
    """A tensor is missing."""
    _weights(path, lambda weights: weights.pop("project.weight"))


@damage(ENCODER, refused="damaged encoder")
def encoder_tensor_of_another_shape(path):
    """A tensor has lost a row."""
    _weights(path, lambda w: w.update({"project.weight": w["project.weight"][1:].copy()}))


@damage(ENCODER, refused="not finite")
def encoder_weight_not_a_number(path):
    """A weight is NaN."""

    def spoil(weights):
        weights["project.weight"][0, 0] = np.nan

    _weights(path, spoil)


@damage(ENCODER, refused="not a tokenizer.json")
def encoder_tokenizer_cut_short(path):
    """The end of tokenizer.json is missing."""
    cut(path / "tokenizer.json")


for _part in ("tokenized.0", "offset.0", "table.0"):

    @damage(INDEX, refused=f"{_part}: ")
    def index_file_cut_short(path, part=_part):
        cut(path / part)

    index_file_cut_short.__doc__ = f"The end of {_part} is missing"

    @damage(INDEX, refused=f"{_part}: ")
    def index_file_lost(path, part=_part):
        (path / part).unlink()

    index_file_lost.__doc__ = f"{_part} is missing"


@damage(INDEX, refused="gim.json is missing")
def index_without_description(path):
    """gim.json is missing."""
    (path / "gim.json").unlink()


@damage(INDEX, refused="gim.json: damaged")
def index_description_in_a_list(path):
    """gim.json holds a list."""
    (path / "gim.json").write_text("[]")


@damage(INDEX, refused="gim.json: damaged")
def index_description_unreadable(path):
    """gim.json cannot be read."""
    (path / "gim.json").unlink()
    (path / "gim.json").symlink_to("/proc/self/mem")


@damage(INDEX, refused="gim.json: damaged")
def index_sizes_in_a_list(path):
    """gim.json lists the sizes without names."""
    _describe(path, "gim.json", bytes=[1, 2, 3])


@damage(INDEX, refused="gim.json: damaged")
def index_of_no_tokens(path):
    """gim.json says that there are no tokens."""
    _describe(path, "gim.json", tokens=0, documents=0)


@damage(INDEX, refused="gim.json: damaged")
def index_without_vocabulary_size(path):
    """gim.json does not give the size of the vocabulary."""
    edit(path / "gim.json", '"vocab_size"', '"vocabulary"')


@damage(INDEX, refused="gim.json: damaged")
def index_without_fingerprint(path):
    """gim.json does not say of which vocabulary."""
    edit(path / "gim.json", '"fingerprint"', '"print"')


@damage(INDEX, refused="of another token width")
def index_of_another_width(path):
    """gim.json gives another width of tokens."""
    _describe(path, "gim.json", token_dtype="u32")


@damage(INDEX, refused="built with tokenizer")
def index_of_another_tokenizer(path):
    """The vocabulary is another one's."""
    _describe(path, "gim.json", fingerprint="0" * 16)


@damage(INDEX, refused="wrong size of the vocabulary")
def index_of_a_smaller_vocabulary(path):
    """gim.json gives fewer ids than there are."""
    _describe(path, "gim.json", vocab_size=100)


def _vouch(path):
    """Let the checksums in gim.json be those of the files, as whoever means harm would."""
    sums = {name: zlib.crc32((path / name).read_bytes()) for name in PARTS}
    _describe(path, "gim.json", crc32=sums)


@damage(INDEX, refused="gim.json: damaged")
def index_of_an_enormous_vocabulary(path):
    """gim.json gives ten trillion ids."""
    _describe(path, "gim.json", vocab_size=10**13)


@damage(INDEX, refused="is out of order")
def index_that_leads_astray(path):
    """The suffix table leads beyond the text, and its checksum says so."""
    table = (path / "table.0").read_bytes()
    (path / "table.0").write_bytes(b"\xff" * len(table))
    _vouch(path)


@damage(INDEX, refused="ids beyond the vocabulary")
def index_of_unknown_tokens(path):
    """A token has an id beyond the vocabulary, and the checksum says so."""
    text = np.fromfile(path / "tokenized.0", "<u2")
    text[1] = 65_000
    text.tofile(path / "tokenized.0")
    _vouch(path)


@damage(INDEX, refused="does not point to the documents")
def index_of_documents_beyond_the_end(path):
    """A document begins beyond the text, and the checksum says so."""
    offsets = np.fromfile(path / "offset.0", "<u8")
    offsets[-1] = 2**60
    offsets.tofile(path / "offset.0")
    _vouch(path)


def _change(path, where):
    """Change four bytes in the middle of a file."""
    raw = bytearray(path.read_bytes())
    where = int(where * len(raw))
    raw[where : where + 4] = b"\xfe\xca\xfe\xca"
    path.write_bytes(raw)


@damage(INDEX, refused="table.0: not what was built")
def index_table_changed(path):
    """Bytes of the suffix table are others."""
    _change(path / "table.0", 0.5)


@damage(INDEX, refused="tokenized.0: not what was built")
def index_tokens_changed(path):
    """Bytes of the tokens are others: ids out of range."""
    _change(path / "tokenized.0", 0.5)


@damage(INDEX, refused="offset.0: not what was built")
def index_offsets_changed(path):
    """Bytes of the documents' places are others."""
    _change(path / "offset.0", 0.5)
