#!/usr/bin/env python3
"""Writes diabetes.csv and iris.csv beside this file, from the examples of Debian's package weka.

usage: make_data.py [weka.deb | folder with diabetes.arff and iris.arff]

Without an argument the package is fetched by `apt-get download weka`; it is unpacked, not installed. What is done to
the values is described in README.md. The output depends on the package's content alone.
"""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

DIABETES_COLUMNS = ["pregnancies", "glucose", "blood_pressure", "skin_thickness", "insulin", "body_mass_index",
                    "pedigree", "age", "diabetes"]
DIABETES_CLASSES = {"tested_negative": "0", "tested_positive": "1"}
IRIS_COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]


def read_arff(path):
    """The data rows of an ARFF file, as lists of strings."""
    rows, in_data = [], False
    for line in path.read_text(encoding="ascii").splitlines():
        line = line.strip()
        if line.lower() == "@data":
            in_data = True
        elif in_data and line and not line.startswith("%"):
            rows.append([field.strip() for field in line.split(",")])
    return rows


def text(value):
    """Up to six decimals, without trailing zeros and without a minus before zero."""
    digits = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def scaled(column):
    """Maps a column linearly so that its least value becomes -1 and its greatest 1."""
    low, high = min(column), max(column)
    return [2 * (value - low) / (high - low) - 1 for value in column]


def check(name, rows, count, width):
    if len(rows) != count or any(len(row) != width for row in rows):
        sys.exit(f"make_data.py: {name}: expected {count} rows of {width} fields; is this the right file?")


def write(name, header, rows):
    lines = [",".join(fields) for fields in [header, *rows]]
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")
    print(f"{HERE / name}: {len(rows)} rows")


def make_diabetes(folder):
    rows = read_arff(folder / "diabetes.arff")
    check("diabetes.arff", rows, 768, 9)
    columns = [scaled([float(row[i]) for row in rows]) for i in range(8)]
    labels = [DIABETES_CLASSES[row[8]] for row in rows]
    write("diabetes.csv", DIABETES_COLUMNS,
          [[*(text(column[n]) for column in columns), label] for n, label in enumerate(labels)])


def make_iris(folder):
    rows = read_arff(folder / "iris.arff")
    check("iris.arff", rows, 150, 5)
    write("iris.csv", IRIS_COLUMNS, rows)


def make_all(folder):
    make_diabetes(folder)
    make_iris(folder)


def unpack(package, folder):
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
    found = sorted(folder.rglob("diabetes.arff"))
    if not found:
        sys.exit(f"make_data.py: {package} holds no diabetes.arff")
    return found[0].parent


def main(arguments):
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    if arguments and pathlib.Path(arguments[0]).is_dir():
        make_all(pathlib.Path(arguments[0]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if arguments:
            package = pathlib.Path(arguments[0])
        else:
            subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", "weka"], cwd=folder, check=True)
            package = next(folder.glob("weka_*.deb"))
        make_all(unpack(package, folder / "unpacked"))


main(sys.argv[1:])
