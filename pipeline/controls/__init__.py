"""Further looks at finished fits that are made when `controls` of a configuration asks for them.

It uses what is below it in `pipeline`. Begin with `run`, which reads a run's files; the mathematics
is in `pipeline.statistics` (`chunks`, `intersubject`, `presentations`), the tables are in
`pipeline.tables`.
"""
