"""Golden numbers of the tiny networks: tiny-cross-encoder.json and tiny-bi-encoder.json.

Token ids in, logits, vectors and one mid-layer tensor out. Also measures what each usual mistake would
change, so that a reader can see the golden tests would catch it. `--check` recomputes and compares.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

import layout
import reference

HERE = Path(__file__).parent
MODELS = HERE.parent.parent / "models"
CLS, SEP, FIRST = 6, 7, 9
# Tokens of query and document: odd lengths, the shortest there is, an empty document, the full 128.
LENGTHS = [(5, 17), (1, 1), (7, 0), (3, 31), (13, 64), (40, 85), (2, 9), (29, 3)]


def dimensions(name):
    return json.loads((MODELS / name / "model.json").read_text())["dimensions"]


def pairs(vocabulary):
    random = np.random.default_rng(7)
    made = []
    for query, document in LENGTHS:
        words = random.integers(FIRST, vocabulary, query + document).tolist()
        ids = [CLS, *words[:query], SEP, *words[query:], SEP]
        made.append({"ids": ids, "segments": [0] * (query + 2) + [1] * (document + 1)})
    return made


def short(value):
    """Nine significant digits: enough to restore a float32 exactly."""
    return [short(item) for item in value] if isinstance(value, list) else float(f"{value:.9g}")


def batch(encodings):
    names = {"input_ids": "ids", "token_type_ids": "segments", "attention_mask": "mask"}
    return {names[key]: value.tolist() for key, value in reference.tensors(encodings).items()}


def padded(encodings, length):
    """The mistake of a forgotten mask: padding becomes tokens."""
    return [{key: e[key] + [0] * (length - len(e[key])) for key in ("ids", "segments")} for e in encodings]


def mistakes(compute, values, shape, encodings):
    """Largest change of an output by each mistake; compute(model, encodings) -> one number or vector each."""
    right = reference.network(values, shape)
    true = np.array([compute(right, [e]) for e in encodings])
    difference = lambda model, changed: float(
        f"{np.abs(np.array([compute(model, [e]) for e in changed]) - true).max():.2g}"
    )
    return {
        "segments swapped": difference(right, [{**e, "segments": [1 - s for s in e["segments"]]} for e in encodings]),
        "epsilon 1e-5": difference(reference.network(values, shape, layer_norm_eps=1e-5), encodings),
        "tanh GELU": difference(reference.network(values, shape, hidden_act="gelu_pytorch_tanh"), encodings),
        "padding attended to": difference(right, padded(encodings, 128)),
    }


def cross():
    name = "tiny-cross-encoder"
    shape = dimensions(name)
    encodings = pairs(shape["vocabulary"])
    files = {
        "logit": MODELS / name / "model.safetensors",
        "logit_f16": HERE / f"{name}.f16.safetensors",
        "logit_int8": HERE / f"{name}.int8.safetensors",
    }
    cases = [dict(e) for e in encodings]
    for key, path in files.items():
        model = reference.network(layout.read(path), shape)
        for case, e in zip(cases, encodings):
            case[key] = short(reference.logits(model, [e])[0])
    values = layout.read(files["logit"])
    model = reference.network(values, shape)
    return {
        "model": name,
        "made_with": reference.versions(),
        "cases": cases,
        "batch": {**batch(encodings), "logits": short(reference.logits(model, encodings))},
        "layer_0": {"case": 0, "hidden": short(reference.hidden_states(model, encodings[0])[1])},
        "mistakes": mistakes(lambda m, e: reference.logits(m, e)[0], values, shape, encodings),
    }


def tokens(model, encoding):
    """Vectors of all tokens, of the short cases only."""
    return {"tokens": short(reference.token_vectors(model, encoding))} if len(encoding["ids"]) < 30 else {}


def bi():
    name = "tiny-bi-encoder"
    shape = dimensions(name)
    random = np.random.default_rng(8)
    encodings = []
    for length in (4, 1, 0, 23, 9, 126):
        ids = [CLS, *random.integers(FIRST, shape["vocabulary"], length).tolist(), SEP]
        encodings.append({"ids": ids, "segments": [0] * len(ids)})
    values = layout.read(MODELS / name / "model.safetensors")
    model = reference.network(values, shape)
    alone = [reference.vectors(model, [e])[0] for e in encodings]
    first = [reference.vectors(model, [e], "first_token")[0] for e in encodings]
    return {
        "model": name,
        "made_with": reference.versions(),
        "cases": [
            {**e, "vector": short(v), "vector_first_token": short(f), **tokens(model, e)}
            for e, v, f in zip(encodings, alone, first)
        ],
        "batch": {**batch(encodings), "vectors": short(reference.vectors(model, encodings))},
        "mistakes": mistakes(lambda m, e: reference.vectors(m, e)[0], values, shape, encodings),
    }


def same(found, expected, at=""):
    """Paths where two JSON values differ by more than 1e-6 (floats) or at all (the rest)."""
    if isinstance(expected, dict) and isinstance(found, dict) and found.keys() == expected.keys():
        return [d for key in expected for d in same(found[key], expected[key], f"{at}/{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        return [d for i, (f, e) in enumerate(zip(found, expected)) for d in same(f, e, f"{at}/{i}")]
    if isinstance(expected, float) and isinstance(found, float):
        return [] if math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-6) else [f"{at}: {found} is not {expected}"]
    return [] if found == expected else [f"{at}: {found} is not {expected}"]


def main():
    differences = []
    for golden in (cross(), bi()):
        print(golden["model"], golden["mistakes"])
        weak = {key: value for key, value in golden["mistakes"].items() if value <= 1e-4}
        if weak:
            differences.append(f"{golden['model']}: the golden would not catch {weak}")
        path = HERE / f"{golden['model']}.json"
        if "--check" in sys.argv:
            differences += same({**golden, "made_with": 0}, {**json.loads(path.read_text()), "made_with": 0}, path.name)
        else:
            path.write_text(json.dumps(golden, ensure_ascii=False) + "\n")
    if differences:
        raise SystemExit("\n".join(differences[:20]))


if __name__ == "__main__":
    main()
