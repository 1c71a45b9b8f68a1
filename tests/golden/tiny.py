"""Makes the two tiny random models that the tests run on: models/tiny-cross-encoder, models/tiny-bi-encoder.

Random weights of a fixed seed, scaled so that attention, segments, positions, the epsilon and the GELU
form all show in the scores. They rank nothing. `--check` compares with the committed files.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import layout
import reference

HERE = Path(__file__).parent
MODELS = HERE.parent.parent / "models"
SPECIAL = ["[PAD]", "[unused0]", "[unused1]", "[unused2]", "[unused3]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«»“”‘’–—…•·¿¡、。「」"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ßæøıłđ"
OTHER = "東京都人口日本語中国文字のカαβγабвאבגםשاببةمकखगनมกขค한글€£°²½ﬁ😀👩💻🇩🇪✨"
WORDS = """the of and to in is a for on that with as it was by be are from at this or an which not have has can
how many what who when where why does do did people person live lives living life city cities town country
berlin paris london museum museums population registered inhabitant area square million thousand hundred
river water stone paper page document query score rank word words text name number year day time world work
war king law state school science cell cells protein gene disease drug effect test result model data
un re pre inter micro nano over under known well new old first last long short high low large small great
open close read write run make made take give find found use used see say think know good bad best more most
house street market table field road bridge north south east west summer winter red green blue white black
one two three four five six seven eight nine ten""".split()
SUFFIXES = "s es ed er ers est ing ings ly ment ness tion tions al able ful less ist ism ity ive ous ant ent ants ants".split()
DIMENSIONS = {
    "hidden": 32,
    "layers": 2,
    "heads": 4,
    "feed_forward": 64,
    "positions": 128,
    "segments": 2,
}


def vocabulary():
    """Word pieces in order of their ids."""
    pieces = SPECIAL + list(PUNCTUATION) + list(LETTERS) + list(OTHER) + WORDS
    pieces += ["##" + piece for piece in list(LETTERS) + list("京都語のβубבםبةाนกᅡᆫᅳᆯ̇‍") + SUFFIXES]
    return list(dict.fromkeys(pieces))


def tokenizer_json(pieces):
    """A Hugging Face tokenizer.json of the BERT kind, without padding and truncation."""
    ids = {piece: index for index, piece in enumerate(pieces)}
    special = [piece for piece in SPECIAL if not piece.startswith("[unused")]
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    token = lambda name, segment: {"SpecialToken": {"id": name, "type_id": segment}}
    text = lambda name, segment: {"Sequence": {"id": name, "type_id": segment}}
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": ids[piece], "content": piece, **added} for piece in special],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token("[CLS]", 0), text("A", 0), token("[SEP]", 0)],
            "pair": [token("[CLS]", 0), text("A", 0), token("[SEP]", 0), text("B", 1), token("[SEP]", 1)],
            "special_tokens": {
                name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids,
        },
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def weights(seed, dimensions):
    """Random float32 tensors under our names. Small embeddings make the epsilon of the first norm count."""
    random = np.random.default_rng(seed)
    h, f = dimensions["hidden"], dimensions["feed_forward"]
    out = {}

    def add(name, shape, deviation, mean=0.0):
        out[name] = (mean + deviation * random.standard_normal(shape)).astype(np.float32)

    def norm(name):
        add(name + ".weight", h, 0.2, 1.0)
        add(name + ".bias", h, 0.1)

    def linear(name, rows, columns, deviation):
        add(name + ".weight", (rows, columns), deviation)
        add(name + ".bias", rows, 0.2)

    add("embeddings.word.weight", (dimensions["vocabulary"], h), 0.02)
    add("embeddings.position.weight", (dimensions["positions"], h), 0.012)
    add("embeddings.segment.weight", (dimensions["segments"], h), 0.012)
    norm("embeddings.norm")
    for layer in range(dimensions["layers"]):
        at = f"layers.{layer}."
        linear(at + "attention.qkv", 3 * h, h, 0.3)
        linear(at + "attention.output", h, h, 0.3)
        norm(at + "attention_norm")
        linear(at + "feed_forward.up", f, h, 0.3)
        linear(at + "feed_forward.down", h, f, 0.6)
        norm(at + "feed_forward_norm")
    if dimensions["labels"]:
        linear("pooler", h, h, 0.2)
        linear("classifier", dimensions["labels"], h, 1.0)
        out["classifier.bias"] -= np.float32(1.5)
    return out


def manifest(kind, dimensions, tokenizer, stored, cases):
    """model.json of a tiny model."""
    cross = kind == "cross"
    file = lambda path, raw: {"path": path, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    content = {
        "format": 1,
        "name": f"tiny-{kind}-encoder",
        "title": f"tiny random {kind}-encoder for tests",
        "licence": "MIT OR Apache-2.0",
        "attribution": "foliorank, random weights",
        "architecture": f"bert-{kind}-encoder",
        "dimensions": dimensions,
        "pooling": "first_token" if cross else "mean",
        "max_length": 128,
        "score": "logit" if cross else "cosine",
        "files": {
            "tokenizer": file("tokenizer.json", tokenizer),
            "weights": {**file("model.safetensors", stored), "dtype": "f32"},
        },
        # Wide enough for weights in f16, which WebGPU adapters with shader-f16 keep.
        "self_test": {"tolerance": 1e-2, "cases": cases},
        "sources": [],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


PAIRS = [
    ("How many people live in Berlin?", "Berlin has a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers."),
    ("How many people live in Berlin?", "Berlin is well known for its museums."),
    ("good bridge", "The old stone bridge over the river was made in a long winter."),
]


def files():
    """Path below the project's root -> bytes, for everything this script makes."""
    pieces = vocabulary()
    tokenizer = tokenizer_json(pieces)
    encode = Tokenizer.from_str(tokenizer.decode())
    made = {}
    for kind, seed in (("cross", 20), ("bi", 21)):
        labels = 1 if kind == "cross" else 0
        dimensions = {"vocabulary": len(pieces), **DIMENSIONS, "labels": labels, "layer_norm_epsilon": 1e-12}
        values = weights(seed, dimensions)
        about = {"name": f"tiny-{kind}-encoder", "licence": "MIT OR Apache-2.0", "attribution": "foliorank, random weights"}
        stored = layout.write(values, about)
        model = reference.network(values, dimensions)
        cases = []
        for query, document in PAIRS:
            if kind == "cross":
                encoding = encode.encode(query, document)
                (score,) = reference.logits(model, [{"ids": encoding.ids, "segments": encoding.type_ids}])
            else:
                both = [encode.encode(text) for text in (query, document)]
                a, b = reference.vectors(model, [{"ids": e.ids, "segments": e.type_ids} for e in both])
                score = float(np.dot(a, b))
            cases.append({"query": query, "document": document, "score": round(score, 5)})
        folder = f"models/tiny-{kind}-encoder"
        made[f"{folder}/tokenizer.json"] = tokenizer
        made[f"{folder}/model.safetensors"] = stored
        made[f"{folder}/model.json"] = manifest(kind, dimensions, tokenizer, stored, cases)
        if kind == "cross":
            half = {name: value.astype(np.float16) for name, value in values.items()}
            made["tests/golden/tiny-cross-encoder.f16.safetensors"] = layout.write(half, about)
            made["tests/golden/tiny-cross-encoder.int8.safetensors"] = layout.write(layout.quantise(values), about)
    return made


def main():
    root, wrong = MODELS.parent, []
    for path, raw in files().items():
        path = root / path
        if "--check" in sys.argv:
            if not path.exists() or path.read_bytes() != raw:
                wrong.append(str(path.relative_to(root)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
            print(f"{len(raw):>8} {path.relative_to(root)}")
    if wrong:
        raise SystemExit(f"differ from what this script makes: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
