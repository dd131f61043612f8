"""A teacher's last states, kept on disk: it is run once, students learn as often as they like.

States (float16) and the output embedding give all distributions again. Keeping the largest entries
of every distribution instead takes less for wide teachers, but distances of distributions live on
their small entries: of SmolLM2's nearest positions, the 256 largest find four in five.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gim.errors import InputError
from gim.files import atomic_file, file_digest, write_json
from gim.progress import progress_bar
from gim.training.settings import Data
from gim.training.teacher import Head, Line, Teacher
from gim.training.tokens import TokenFile

GROUPS = 32  # groups of sequences in a file
FLOAT16 = 65_504.0  # a single number of an inner layer can be larger
HEAD, BIAS = "head.npy", "bias.npy"


class KeptTeacher:
    """A teacher's states over a share of a token file, in groups of consecutive sequences.

    Attributes
    ----------
    folder : Path
    starts : int array of shape (n_groups,)
        The groups' first tokens in the token file.
    """

    def __init__(
        self, folder: Path, tokens: TokenFile, data: Data, starts: NDArray, dtype: torch.dtype
    ) -> None:
        self.folder, self.tokens, self.data, self.starts = folder, tokens, data, starts
        self.head = _load_head(folder, dtype)
        self._parts = [_open_part(folder, number) for number in range(-(-len(starts) // GROUPS))]

    def draw(self, number: int, batch: int, seed: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Sequences of batch ``number``, shape (batch, length + 1), and the states there.

        Returns
        -------
        ids : int array
        records : structured array
            "row" in the batch, "column" of the student's token, "state" of the teacher, and
            "inner" where it was asked for an inner layer's.
        """
        together, length = self.data.together, self.data.length
        rng = np.random.default_rng([seed, number])
        groups = rng.choice(len(self.starts), -(-batch // together))
        ids, found = [], []
        for at, group in enumerate(groups.tolist()):
            begin = int(self.starts[group])
            piece = self.tokens.ids[begin : begin + together * length + 1].astype(np.int64)
            ids += [piece[i * length : (i + 1) * length + 1] for i in range(together)]
            part, bounds = self._parts[group // GROUPS]
            own = part[bounds[group % GROUPS] : bounds[group % GROUPS + 1]].copy()
            own["row"] += at * together
            found.append(own)
        records = np.concatenate(found)
        return np.stack(ids[:batch]), records[records["row"] < batch]


def group_starts(n_tokens: int, data: Data, wanted: int) -> NDArray[np.int64]:
    """First tokens of groups of sequences, spread evenly over a token file.

    Parameters
    ----------
    n_tokens : int
        Tokens of the file.
    wanted : int
        Tokens to be read in all, or as many as there are.
    """
    size = data.length * data.together
    most = max(1, (n_tokens - 1) // size)
    n_groups = min(most, max(1, wanted // size))
    return (np.arange(n_groups) * ((n_tokens - 1 - size) / max(1, n_groups - 1))).astype(np.int64)


def keep_states(
    folder: Path,
    ask: Callable[[], Teacher],
    tokens: TokenFile,
    data: Data,
    wanted: int,
    first: int,
    dtype: torch.dtype,
    label: str,
) -> KeptTeacher:
    """Have a teacher read a share of a token file, or go on where an earlier call stopped.

    Parameters
    ----------
    folder : path
        Its name must tell teacher, tokens and settings: what lies there is taken as it is.
    ask : callable
        Loads the teacher; not called when all has been read.
    wanted : int
        Student's tokens to be read.
    first : int
        Positions of a sequence before this one have too little context and are not kept.
    dtype : torch.dtype
        Number format of the teacher's weights.
    label : str
        Name for the progress.

    Raises
    ------
    InputError
        For a file that is not as it was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    starts = group_starts(len(tokens.ids), data, wanted)
    parts = range(-(-len(starts) // GROUPS))
    missing = [number for number in parts if not _digest_file(folder, number).is_file()]
    if missing:
        teacher = ask()
        _save_head(folder, teacher.head)
        for number in progress_bar(missing, desc=label, unit="part"):
            own = starts[number * GROUPS : (number + 1) * GROUPS]
            _keep_part(folder, number, teacher, _pieces(tokens, own, data), first)
    return KeptTeacher(folder, tokens, data, starts, dtype)


def _pieces(
    tokens: TokenFile, starts: NDArray[np.int64], data: Data
) -> Iterator[list[NDArray[np.int64]]]:
    """The sequences of each group."""
    for start in starts.tolist():
        begins = start + data.length * np.arange(data.together)
        yield [tokens.ids[b : b + data.length].astype(np.int64) for b in begins.tolist()]


def _keep_part(
    folder: Path,
    number: int,
    teacher: Teacher,
    groups: Iterator[list[NDArray[np.int64]]],
    first: int,
) -> None:
    """Write one file of records, and what it must be when it is read again."""
    found = [_records(teacher, [teacher.line(ids) for ids in group], first) for group in groups]
    path = _part_file(folder, number)
    with atomic_file(path) as temporary:
        np.save(temporary, np.concatenate(found))
    about = {"counts": [len(records) for records in found], "sha256": file_digest(path)}
    write_json(_digest_file(folder, number), about)


def _records(teacher: Teacher, lines: list[Line], first: int) -> NDArray[Any]:
    """The teacher's states at all places of some lines."""
    columns = np.concatenate([line.columns for line in lines])
    rows = np.repeat(np.arange(len(lines)), [len(line.columns) for line in lines])
    rows, columns = rows[columns >= first], columns[columns >= first]
    states = teacher.states(lines, rows, columns)
    found = {"state": states.last} | ({} if states.inner is None else {"inner": states.inner})
    sizes = [(name, "f2", (values.shape[1],)) for name, values in found.items()]
    records = np.empty(len(rows), [("row", "u2"), ("column", "u2"), *sizes])
    records["row"], records["column"] = rows, columns
    for name, values in found.items():
        records[name] = values.float().clamp(-FLOAT16, FLOAT16).cpu().numpy()
    return records


def _save_head(folder: Path, head: Head) -> None:
    for name, values in ((HEAD, head.weight), (BIAS, head.bias)):
        if values is not None:
            with atomic_file(folder / name) as temporary:
                np.save(temporary, values.detach().half().cpu().numpy())


def _load_head(folder: Path, dtype: torch.dtype) -> Head:
    def load(name: str) -> torch.Tensor:
        return torch.from_numpy(np.load(folder / name)).to(dtype)

    return Head(load(HEAD), load(BIAS) if (folder / BIAS).is_file() else None)


def _part_file(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05d}.npy"


def _digest_file(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05d}.json"


def _open_part(folder: Path, number: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Records of a file as a memory map, and where each of its groups begins."""
    path = _part_file(folder, number)
    about = json.loads(_digest_file(folder, number).read_text(encoding="utf-8"))
    try:
        found = file_digest(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {_again(folder)}") from error
    if found != about["sha256"]:
        raise InputError(f"{path}: not as it was written (its checksum differs); {_again(folder)}")
    return np.load(path, mmap_mode="r"), np.cumsum([0, *about["counts"]])


def _again(folder: Path) -> str:
    return f"remove {folder}, and the teacher reads again"
