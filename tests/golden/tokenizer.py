"""Golden encodings of nasty texts by the Python `tokenizers` package.

nasty.json is the input. tokenizer.json holds the tiny tokenizer's answer, tokenizer-real.json the 30,522-word
one's (its tokenizer.json is read from the model cache, or from `--real FILE`). Offsets are bytes of the
UTF-8 text. `--check` recomputes and compares.
"""

import json
import os
import sys
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer

HERE = Path(__file__).parent
TINY = HERE.parent.parent / "models/tiny-cross-encoder/tokenizer.json"


def real_path():
    """Where `foliorank models` leaves the real tokenizer."""
    if "--real" in sys.argv:
        return Path(sys.argv[sys.argv.index("--real") + 1])
    base = os.environ.get("FOLIORANK_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base) / "foliorank/models/ms-marco-minilm-l12-v2/tokenizer.json"
    if not path.exists():
        raise SystemExit(f"{path} is not there; `foliorank models ms-marco-minilm-l12-v2` fetches it")
    return path


def byte_offsets(text, offsets):
    """Character offsets -> byte offsets, flattened: start, end, start, end..."""
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode()))
    return [at[edge] for pair in offsets for edge in pair]


def encodings(path):
    """Every text alone, and pairs of a text with one further down the list."""
    texts = json.loads((HERE / "nasty.json").read_text())
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    singles = []
    for text in texts:
        found = tokenizer.encode(text)
        singles.append({"ids": found.ids, "offsets": byte_offsets(text, found.offsets)})
    pairs = []
    for query in range(len(texts)):
        document = (query * 7 + 3) % len(texts)
        found = tokenizer.encode(texts[query], texts[document])
        pairs.append({"query": query, "document": document, "ids": found.ids, "segments": found.type_ids})
    return {"made_with": {"tokenizers": tokenizers.__version__}, "texts": singles, "pairs": pairs}


def main():
    wrong = []
    for name, path in (("tokenizer.json", TINY), ("tokenizer-real.json", real_path())):
        golden, file = encodings(path), HERE / name
        if "--check" in sys.argv:
            committed = json.loads(file.read_text())
            for part in ("texts", "pairs"):
                wrong += [f"{name} {part}[{i}]" for i, (a, b) in enumerate(zip(golden[part], committed[part])) if a != b]
                if len(golden[part]) != len(committed[part]):
                    wrong.append(f"{name} {part}: {len(golden[part])} is not {len(committed[part])}")
        else:
            file.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
            print(f"{file.stat().st_size:>8} {name}")
    if wrong:
        raise SystemExit("differ: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
