"""The GPU's script on the processor, at toy size: only the device is untried."""

from benchmarks import gpu


def test_every_part_runs_and_what_there_is_no_time_for_is_named():
    found = gpu.measure(gpu.TOY, "cpu:0", minutes=5)
    assert found.pop("left_out") == []
    assert found.keys() == gpu.PARTS.keys()
    assert found["equality"]["largest_difference_in_r"] <= gpu.EQUAL
    assert found["subject"]["projected_minutes_whole_subject"] > 0
    for part, figure in [("states", "states"), ("positions", "positions"), ("training", "steps")]:
        assert found[part][f"{figure}_a_second"] > 0
    assert gpu.measure(gpu.TOY, "cpu:0", minutes=-1) == {"left_out": list(gpu.PARTS)}
