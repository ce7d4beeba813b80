"""Prints the table of scripts/calibrate from a folder of what `highway --json model calibrate` says, one file a model.

Ends with code 1 if an honest run is accused, or if there are too few comparisons to say that none is.
"""

import json
import pathlib
import sys

# In the order of the docs.
MODELS = {"magika": "Magika", "silero-vad": "Silero VAD", "minilm": "MiniLM", "pp-ocr": "PP-OCR, recognition"}
CHEATS = ("zeros", "constant", "previous output", "int8 copy")
LEAST_COMPARISONS = 10_000


def short(value):
    """Two digits; what is no number in JSON was not finite, and a sketch is text."""
    return "not finite" if value is None else f"{float(f'{float(value):.1e}'):g}".replace("e-0", "e-")


def count(number):
    return f"{number:,}".replace(",", " ")


def row(name, found):
    honest = found["honest"]
    outputs = None if honest["integersDiffer"] else honest["absolute"]
    cheats = {cheat["cheat"]: cheat for cheat in found["cheats"]}
    cells = [name, f"{short(outputs)}, {short(honest['sketch'])}"]
    for kind in CHEATS:
        cheat = cheats[kind]
        least = f"{short(cheat['leastAbsolute'])}, {short(cheat['leastSketch'])}"
        cells.append(least if cheat["audits"] > 0 else "not tried")
    cells += [
        count(found["comparisons"]),
        count(found["accusations"]),
        f"{float(found['detection'].rstrip('%')):.1f} %",
        "yes" if found["sharesRuns"] else "no",
    ]
    return cells


def main():
    folder, as_json = pathlib.Path(sys.argv[1]), "--json" in sys.argv[2:]
    found = {}
    for model in MODELS:
        path = folder / f"{model}.json"
        if path.is_file():
            found[model] = json.loads(path.read_text())
            if found[model]["comparisons"] is None:
                sys.exit(f"error: {model} has too few inputs to try terms on any that they were not found with")
    comparisons = sum(measured["comparisons"] for measured in found.values())
    accusations = sum(measured["accusations"] for measured in found.values())
    if as_json:
        print(json.dumps({"models": found, "comparisons": comparisons, "accusations": accusations}))
    else:
        head = ["model", "honest, at most", *(f"{cheat}, at least" for cheat in CHEATS)]
        head += ["comparisons", "accusations", "d", "runs shared"]
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * len(head))
        for model, measured in found.items():
            print("| " + " | ".join(row(MODELS[model], measured)) + " |")
        print(f"\n{comparisons} comparisons, {accusations} accusations")
    return 1 if accusations or comparisons < LEAST_COMPARISONS else 0


sys.exit(main())
