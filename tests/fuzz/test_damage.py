"""Every kind of damage is answered with one clear error, a warning, or the right result."""

import pytest

from gim.errors import InputError
from pipeline.core.errors import ProblemError
from tests.fuzz.registry import DAMAGES
from tests.fuzz.specimens import same
from tests.fuzz.table import PAGE, page


@pytest.fixture(scope="session")
def sound(originals):
    """What is read of the sound inputs, each read once."""
    read = {}

    def value(specimen):
        key = specimen.read
        if key not in read:
            values, warnings = specimen.read(originals[specimen.write])
            assert not warnings
            read[key] = values
        return read[key]

    return value


@pytest.mark.parametrize("kind", DAMAGES, ids=lambda kind: kind.name)
def test_damage(kind, specimen_folder, sound):
    root = specimen_folder(kind.specimen)
    path = kind.specimen.path(root)
    kind.make(path)
    if kind.refused is not None:
        with pytest.raises(InputError) as caught:
            kind.specimen.read(root)
        said = str(caught.value)
        assert kind.refused in said
        assert (kind.names or path.name) in said
        if isinstance(caught.value, ProblemError):
            assert all(problem.remedy for problem in caught.value.problems)
        return
    values, warnings = kind.specimen.read(root)
    if kind.warned is not None:
        assert any(kind.warned in warning and path.name in warning for warning in warnings)
    else:
        assert not warnings
        assert same(values, sound(kind.specimen))


def test_the_page_is_current():
    """Else run `python -m tests.fuzz.table`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_no_damage_is_without_a_name_or_an_answer():
    told = {(kind.specimen.name, kind.description) for kind in DAMAGES}
    assert len(told) == len(DAMAGES)
    assert all(kind.refused != "" and kind.warned != "" for kind in DAMAGES)
