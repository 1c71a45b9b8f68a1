"""Golden vectors of whole texts: the Python `tokenizers` package, then PyTorch `transformers`, for the tiny bi-encoder.

embed.json has the texts, each of its first 126 tokens between the two special ones, and their vectors. The last text is longer.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer

import committed
import layout
import reference

HERE = Path(__file__).parent
MODEL = HERE.parent.parent / "models/tiny-bi-encoder"
TEXTS = [
    "How many people live in Berlin?",
    "",
    "The old stone bridge over the river was made in a long winter.",
    "  Stra\u00dfe, caf\u00e9 \u57ce\u5e02 \U0001f600!  ",
    "river bridge winter stone " * 60,
]


def main():
    manifest = json.loads((MODEL / "model.json").read_text())
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(manifest["max_length"])
    values = layout.read(MODEL / "model.safetensors")
    model = reference.network(values, manifest["dimensions"])
    encodings = [{"ids": found.ids, "segments": found.type_ids} for found in map(tokenizer.encode, TEXTS)]
    assert len(encodings[-1]["ids"]) == manifest["max_length"]
    vectors = [reference.vectors(model, [encoding])[0] for encoding in encodings]
    cases = [{"text": text, "vector": [float(f"{number:.9g}") for number in vector]} for text, vector in zip(TEXTS, vectors)]
    committed.write_or_check(HERE / "embed.json", {"made_with": reference.versions(), "cases": cases})


if __name__ == "__main__":
    main()
