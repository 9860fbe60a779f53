"""What the tables read and print: the rounds of a run, a line each, and how far they spread."""

from statistics import median


def read(path):
    """The numbers of each round, by the first word (case, method, size) and the server."""
    rounds = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            case, server, *numbers = line.split()
            rounds.setdefault(case, {}).setdefault(server, []).append([float(n) for n in numbers])
    return rounds


def spread(values, digits=0):
    """The median, with the least and the most."""
    low, middle, high = (f"{v:.{digits}f}" for v in (min(values), median(values), max(values)))
    return f"{middle} ({low}-{high})"
