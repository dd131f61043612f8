"""Where what subjects have in common lies."""

from __future__ import annotations

from pipeline.config.results import Results

TABLES = ("group", "group_subjects")


class GroupResults:
    """Paths of what is made over subjects; none of a run of one.

    Parameters
    ----------
    files : Results
        All other paths of the run.
    """

    def __init__(self, files: Results) -> None:
        self.files, self.several = files, len(files.subjects) > 1

    def tables(self) -> list[str]:
        """The table over subjects, and that of each of them."""
        return [self.files.of_run(f"{name}.tsv") for name in (TABLES if self.several else ())]

    def maps(self) -> list[str]:
        """What is there when the maps over subjects are; it says why, if these have no one space.

        Nothing where values have no places, or subjects masks of their own in native space.
        """
        mask = self.files.config["mask"]
        own = mask and mask["space"] == "native" and "{subject}" in mask["path"]
        placed = (mask and not own) or self.files.on_surface(self.files.subjects[0])
        return [self.files.of_run("group/group_maps.json")] if self.several and placed else []

    def all(self) -> list[str]:
        """Everything."""
        return [*self.tables(), *self.maps()]
