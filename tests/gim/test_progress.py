from gim.progress import progress_bar


def test_a_log_gets_lines(capsys):
    """A bar redraws itself with carriage returns, of which a log would keep every one."""
    assert list(progress_bar(range(3), desc="counting")) == [0, 1, 2]
    written = capsys.readouterr().err
    assert "\r" not in written
    assert written.splitlines()[-1].startswith("counting: 100%")
    assert len(written.splitlines()) < 3


def test_nothing_is_shown_unless_asked_for(capsys):
    assert list(progress_bar(range(3), disable=True)) == [0, 1, 2]
    assert capsys.readouterr().err == ""
