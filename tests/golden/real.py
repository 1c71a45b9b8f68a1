"""Known answers of the public models: the self_test scores in models/*/model.json.

Computed from the converted weights in the model cache (`foliorank models` puts them there) with the
independent network and tokenizer. Writes the scores into the manifests; `--check` compares to 1e-3.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import layout
import reference

MODELS = Path(__file__).parent.parent.parent / "models"
NAMES = ["ms-marco-minilm-l12-v2", "all-minilm-l6-v2", "bge-small-en-v1.5", "answerai-colbert-small-v1", "splade-tiny"]


def cache():
    base = os.environ.get("FOLIORANK_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "foliorank/models"


def scores(folder, manifest):
    """Raw scores of the manifest's self-test pairs."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = reference.network(layout.read(folder / "model.safetensors"), manifest["dimensions"])
    encode = lambda *text: {"ids": (e := tokenizer.encode(*text)).ids, "segments": e.type_ids}
    for case in manifest["self_test"]["cases"]:
        if manifest["score"] == "logit":
            yield reference.logits(model, [encode(case["query"], case["document"])])[0]
            continue
        both = {"query": encode(manifest.get("query_prefix", "") + case["query"]), "document": encode(case["document"])}
        for kind, marker in manifest.get("markers", {}).items():
            both[kind] = {"ids": both[kind]["ids"][:1] + [marker] + both[kind]["ids"][1:], "segments": both[kind]["segments"] + [0]}
        if manifest["pooling"] == "none":
            query, document = (np.array(reference.token_vectors(model, both[kind])) for kind in ("query", "document"))
            yield float((query @ document.T).max(axis=1).mean())
        elif manifest["pooling"] == "max":
            yield float(np.dot(*(reference.weights(model, both[kind]) for kind in ("query", "document"))))
        else:
            yield float(np.dot(*reference.vectors(model, list(both.values()), manifest["pooling"])))


def main():
    wrong = []
    for name in NAMES:
        path = MODELS / name / "model.json"
        manifest = json.loads(path.read_text())
        for case, score in zip(manifest["self_test"]["cases"], scores(cache() / name, manifest)):
            print(f"{name}: {score:.4f} ({case['document'][:40]})")
            if abs(score - case["score"]) > 1e-3:
                wrong.append(f"{name}: {case['document']!r} has {case['score']}, computed {score:.4f}")
            case["score"] = round(score, 4)
        if "--check" not in sys.argv:
            path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    if wrong and "--check" in sys.argv:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
