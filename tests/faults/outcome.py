"""What happened when something was broken."""

from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class Outcome:
    """One fault; `good` says that no table was wrong and the next run made the right one."""

    fault: str
    happened: str
    said: str
    next_run: str
    good: bool
    seconds: float

    @staticmethod
    def head():
        names = [field.name.replace("_", " ") for field in fields(Outcome)]
        return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"

    def row(self):
        *texts, good, seconds = astuple(self)
        cells = [str(text).replace("|", "/") for text in texts]
        return f"| {' | '.join(cells)} | {'yes' if good else 'NO'} | {seconds:.0f} |"
