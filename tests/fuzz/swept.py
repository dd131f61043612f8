"""Damaged tables of other runs, which `report.sweep` names."""

import json

from tests.fuzz.formats import GAINS, PROVENANCE
from tests.fuzz.registry import common, cut, damage, edit, recode

for _specimen in (PROVENANCE, GAINS):
    common(
        _specimen,
        missing="does not exist",
        empty="the file is empty",
        folder="a folder, not a file",
        unreadable="cannot be read",
    )


@damage(PROVENANCE, refused="not JSON")
def provenance_cut_short(path):
    """The end of the file is missing."""
    cut(path)


@damage(PROVENANCE, refused="not JSON")
def provenance_utf16(path):
    """UTF-16."""
    recode(path, "utf-16")


@damage(PROVENANCE, refused="not JSON")
def provenance_nested(path):
    """A hundred thousand brackets."""
    path.write_text("[" * 100_000)


@damage(PROVENANCE, refused="no configuration of a run")
def provenance_in_a_list(path):
    """A list, not an object."""
    path.write_text("[1]")


@damage(PROVENANCE, refused="no configuration of a run")
def configuration_lost(path):
    """The configuration is missing."""
    path.write_text(json.dumps({"versions": {}}))


@damage(PROVENANCE, refused="no configuration of a run")
def features_lost(path):
    """The configuration has no bands."""
    path.write_text(json.dumps({"config": {"horizon": 8}}))


@damage(PROVENANCE, refused="unknown band 'ngram'", names="gains.tsv")
def provenance_of_another_run(path):
    """The configuration is another run's, without the band of the table."""
    edit(path, "ngram", "drift")


@damage(GAINS, refused="no column")
def gains_column_lost(path):
    """A column has another name."""
    edit(path, "gain_lo", "low")


@damage(GAINS, refused="no row")
def gains_header_only(path):
    """The header alone is there."""
    path.write_text(path.read_text().partition("\n")[0] + "\n")


@damage(GAINS, refused="no numbers")
def gains_not_a_number(path):
    """A gain is a word."""
    edit(path, "0.01", "high")


@damage(GAINS, refused="line 2")
def gains_cut_short(path):
    """The end of the file is missing."""
    cut(path, 0.8)


@damage(GAINS, refused="not decodable")
def gains_utf16(path):
    """UTF-16."""
    recode(path, "utf-16")
