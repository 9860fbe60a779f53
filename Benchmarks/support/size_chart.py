"""Draws the CSV of size.sh as SVG.

    size_chart.py CSV SVG BUDGET MEMORY        (bytes of --max-size and --memory)"""

import csv
import sys

WIDTH, LEFT, RIGHT, HEIGHT, GAP, TOP = 900, 70, 20, 150, 56, 30
INK, FAINT, LIMIT = "#333333", "#dddddd", "#c0392b"
MIB = 2**20


def ceiling(value):
    """The next round number, so that the scale has three or four lines."""
    step = 10.0 ** max(-3, len(str(int(max(value, 1)))) - 2)
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        if step * factor * 4 >= value:
            return step * factor * 4
    return value


class Chart:
    def __init__(self, minutes):
        self.minutes = minutes
        self.parts = []
        self.panels = 0

    def x(self, minute):
        return LEFT + (WIDTH - LEFT - RIGHT) * minute / (self.minutes[-1] or 1)

    def text(self, x, y, words, anchor="start", colour=INK, weight="normal"):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
            f' font-weight="{weight}">{words}</text>'
        )

    def line(self, x1, y1, x2, y2, colour, more=""):
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>'
        )

    def panel(self, title, series, limit=None):
        """`series`: (name, colour, values); `limit`: (name, value)."""
        top = TOP + self.panels * (HEIGHT + GAP)
        self.panels += 1
        bottom = top + HEIGHT
        most = max(max(values) for _, _, values in series)
        scale = ceiling(max(most, limit[1] if limit else 0))

        def y(value):
            return bottom - HEIGHT * value / scale

        self.text(LEFT, top - 9, title, weight="bold")
        for part in range(5):
            value = scale * part / 4
            self.line(LEFT, y(value), WIDTH - RIGHT, y(value), FAINT)
            self.text(LEFT - 6, y(value) + 4, f"{value:g}", "end")
        for name, colour, values in series:
            points = " ".join(
                f"{self.x(m):.1f},{y(value):.1f}" for m, value in zip(self.minutes, values)
            )
            self.parts.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
            )
        if limit:
            self.line(
                LEFT, y(limit[1]), WIDTH - RIGHT, y(limit[1]), LIMIT, 'stroke-dasharray="5 4"'
            )
        # The legend, right to left, beside the title.
        x = WIDTH - RIGHT
        legend = [(name, colour) for name, colour, _ in series]
        for name, colour in reversed(legend + ([(limit[0], LIMIT)] if limit else [])):
            self.text(x, top - 9, name, "end", colour)
            x -= 7 * len(name) + 16
        self.axis(bottom)

    def axis(self, bottom):
        last = self.minutes[-1]
        step = next(s for s in (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 1e9) if last / s <= 10)
        minute = 0.0
        while minute <= last + 1e-9:
            self.line(self.x(minute), bottom, self.x(minute), bottom + 4, INK)
            self.text(self.x(minute), bottom + 17, f"{minute:g}", "middle")
            minute += step
        self.text(WIDTH - RIGHT, bottom + 31, "minutes", "end")

    def svg(self):
        height = TOP + self.panels * (HEIGHT + GAP)
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
                ' font-family="sans-serif" font-size="12">',
                f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
                *self.parts,
                "</svg>\n",
            ]
        )


def main(source, target, budget, memory):
    with open(source, encoding="ascii") as file:
        rows = list(csv.DictReader(file))

    def column(name, divisor=1.0):
        return [float(row[name]) / divisor for row in rows]

    chart = Chart(column("seconds", 60))
    chart.panel(
        "size, MiB",
        [
            ("file", "#1f77b4", column("file_bytes", MIB)),
            ("write-ahead log", "#ff7f0e", column("log_bytes", MIB)),
        ],
        ("--max-size", int(budget) / MIB),
    )
    chart.panel(
        "memory, MiB",
        [("RSS", "#1f77b4", column("rss_kib", 1024))],
        ("--memory and 100 MiB", int(memory) / MIB + 100),
    )
    chart.panel(
        "requests/s",
        [
            ("all", "#1f77b4", column("requests_per_s")),
            ("hits", "#2ca02c", column("hits_per_s")),
            ("failed in 2 s", "#9467bd", column("failures")),
        ],
    )
    chart.panel(
        "latency, ms",
        [("p99", "#1f77b4", column("p99_ms")), ("p50", "#2ca02c", column("p50_ms"))],
    )
    with open(target, "w", encoding="ascii") as file:
        file.write(chart.svg())


main(*sys.argv[1:])
