"""Golden weights of whole texts: the Python `tokenizers` package, then PyTorch `transformers`, for splade-tiny (fetched).

sparse.json has the texts, each of its first 510 tokens between the two special ones, and the word pieces that weigh anything.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer

import committed
import layout
import real
import reference

HERE = Path(__file__).parent
NAME = "splade-tiny"
TEXTS = [
    "How many people live in Berlin?",
    "",
    "The old stone bridge over the river was made in a long winter.",
    # Longer than the tokens whose logits the plain path holds at a time.
    "Berlin has a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers. " * 6,
]


def main():
    manifest = json.loads((real.MODELS / NAME / "model.json").read_text())
    folder = real.cache() / NAME
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = reference.network(layout.read(folder / "model.safetensors"), manifest["dimensions"])
    cases = []
    for text in TEXTS:
        encoded = tokenizer.encode(text)
        assert len(encoded.ids) <= manifest["max_length"]
        weights = reference.weights(model, {"ids": encoded.ids, "segments": encoded.type_ids})
        found = [(piece, weight) for piece, weight in enumerate(weights) if weight > 0]
        cases.append({"text": text, "pieces": [piece for piece, _ in found], "weights": [float(f"{weight:.7g}") for _, weight in found]})
        print(len(encoded.ids), "tokens,", len(found), "word pieces")
    committed.write_or_check(HERE / "sparse.json", {"made_with": reference.versions(), "cases": cases})


if __name__ == "__main__":
    main()
