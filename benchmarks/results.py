"""Tables of results, each with the machine, the versions and the date in its first line."""

import csv
import os
import platform
from datetime import date
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parent / "results"
LIBRARIES = ["numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "gensim", "lda", "tomotopy"]


def write(name, columns, rows):
    """Write rows of values as results/`name`.csv."""
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        file.write(f"# {circumstances()}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(
            [f"{value:.6g}" if isinstance(value, float) else value for value in row] for row in rows
        )


def circumstances():
    """When and on what this was measured."""
    versions = [f"{library} {version(library)}" for library in LIBRARIES if version(library)]
    machine = f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{date.today()}, {machine}, {', '.join(versions)}"


def processor():
    """Name of the processor where Linux says it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def version(library):
    """Installed version, or None."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
