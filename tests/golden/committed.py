"""Shared by the scripts of plain values: writes a JSON file, or with `--check` compares it to what was computed."""

import json
import sys


def differences(computed, committed, path=""):
    """Paths at which two trees differ, numbers by more than 1e-9."""
    if isinstance(computed, dict) and isinstance(committed, dict):
        for key in computed.keys() | committed.keys():
            yield from differences(computed.get(key), committed.get(key), f"{path}.{key}")
    elif isinstance(computed, list) and isinstance(committed, list) and len(computed) == len(committed):
        for index, pair in enumerate(zip(computed, committed)):
            yield from differences(*pair, f"{path}[{index}]")
    elif isinstance(computed, float) and isinstance(committed, (float, int)):
        if abs(computed - committed) > 1e-9:
            yield f"{path}: {committed}, computed {computed}"
    elif computed != committed:
        yield f"{path}: {committed}, computed {computed}"


def write_or_check(file, computed):
    """`made_with` may differ: the values must not."""
    computed = json.loads(json.dumps(computed))  # Tuples become lists.
    if "--check" not in sys.argv:
        file.write_text(json.dumps(computed, separators=(",", ":")) + "\n")
        print(f"{file.stat().st_size:>8} {file.name}")
        return
    committed = json.loads(file.read_text())
    computed.pop("made_with", None), committed.pop("made_with", None)
    wrong = list(differences(computed, committed))
    if wrong:
        raise SystemExit("differ: " + ", ".join(wrong))
