"""Plans: a matrix of models by benchmarks by settings, measured cell by cell on several devices.

Each cell is an ordinary job of kind `profile`; the plan only decides which is started next, and
where. So a cell that somebody started by hand is not measured twice, and a plan that was killed is
found again by its cells.
"""
