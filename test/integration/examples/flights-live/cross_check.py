"""What examples/flights-live must give, worked out by Polars: the golden files beside this script.

    python3 -m venv venv && venv/bin/pip install polars==1.35.2
    venv/bin/python test/integration/examples/flights-live/cross_check.py --check

Without --check it writes the files. It shares nothing with the example: lateness is a running maximum over the reports, windows
are groups of numbers, and sessions are where the gap to the flight before is large enough.
"""

import argparse
import json
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
DATA = HERE / "../../../../node_modules/vega-datasets/data/flights-3m.parquet"

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIRST, LAST = "2001-01-01", "2001-01-08"
OUT_OF_ORDERNESS = 4 * HOUR
DAY_STARTS_AT = 3 * HOUR
SIZE, SLIDE = 3 * HOUR, HOUR
DISRUPTED_MINUTES = 60
GAP = 2 * HOUR


def reports(path: Path) -> pl.DataFrame:
    """Flights in the order in which they are reported: when they have arrived. Those of one minute in the order of the file."""
    departure = pl.col("date").dt.epoch("ms")
    # Half an hour on the ground and 8 miles a minute in the air; whole minutes.
    minutes = 30 + pl.col("distance") // 8 + pl.col("delay")
    return (
        pl.read_parquet(path)
        .filter(pl.col("date").is_between(pl.lit(FIRST).str.to_datetime(), pl.lit(LAST).str.to_datetime(), closed="left"))
        .select("origin", "destination", "delay", departure.alias("departure"), (departure + minutes * MINUTE).alias("reported"))
        .sort("reported", maintain_order=True)
        # How far event time has come when a report is read: the greatest departure before it, less the disorder that is allowed for.
        .with_columns((pl.col("departure").cum_max().shift(1) - OUT_OF_ORDERNESS).fill_null(-(2**53)).alias("watermark"))
    )


def windows(flights: pl.DataFrame, size: int, slide: int, offset: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each flight once for each of its windows that is open when it is reported, and the flights for which all are closed."""
    last = (pl.col("departure") - offset) // slide * slide + offset
    each = (
        flights.with_row_index("report")
        .with_columns(pl.concat_list([last - n * slide for n in range(size // slide)]).alias("start"))
        .explode("start")
        .with_columns((pl.col("start") + size).alias("end"))
    )
    kept = each.filter(pl.col("watermark") < pl.col("end"))
    late = flights.with_row_index("report").join(kept.select("report").unique(), on="report", how="anti").sort("report")
    return kept, late


def results(path: Path) -> dict[str, pl.DataFrame]:
    flights = reports(path)
    report = ["origin", "destination", "delay", "departure", "reported"]

    days, late_for_days = windows(flights, DAY, DAY, DAY_STARTS_AT)
    daily = days.group_by("origin", "start").agg(pl.len().alias("flights"), pl.col("delay").sum().alias("minutes")).sort("origin", "start")

    hours, late_for_hours = windows(flights, SIZE, SLIDE, 0)
    sliding = hours.group_by("start").agg(pl.len().alias("flights"), pl.col("delay").sum().alias("minutes")).sort("start")

    # Sessions wait for all reports, so that only the departures count.
    begins = (pl.col("departure") - pl.col("departure").shift(1).over("origin") >= GAP).fill_null(True)
    sessions = (
        flights.filter(pl.col("delay") >= DISRUPTED_MINUTES)
        .sort("origin", "departure")
        .with_columns(begins.alias("begins"))
        .with_columns(pl.col("begins").cum_sum().over("origin").alias("session"))
        .group_by("origin", "session")
        .agg(pl.col("departure").min().alias("start"), (pl.col("departure").max() + GAP).alias("end"), pl.len().alias("flights"), pl.col("delay").max().alias("worst"))
        .drop("session")
        .sort("origin", "start")
    )
    return {
        "days": daily,
        "hours": sliding,
        "disruptions": sessions,
        "late-for-days": late_for_days.select(report).sort(report),
        "late-for-hours": late_for_hours.select(report).sort(report),
    }


def text(frame: pl.DataFrame) -> str:
    """CSV of whole numbers and codes of airports: no tool writes them in another way."""
    return frame.write_csv()


def main() -> None:
    arguments = argparse.ArgumentParser(description="Golden files of examples/flights-live")
    arguments.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    arguments.add_argument("--data", type=Path, default=DATA, help="flights-3m.parquet of the npm package vega-datasets")
    chosen = arguments.parse_args()
    for name, frame in results(chosen.data).items():
        file = HERE / f"{name}.csv"
        if not chosen.check:
            file.write_text(text(frame))
        elif file.read_text() != text(frame):
            raise SystemExit(f"{file.name} is not what Polars gives")
        print(json.dumps({"file": file.name, "rows": frame.height}))


if __name__ == "__main__":
    main()
