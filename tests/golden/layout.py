"""foliorank's weight files as Python sees them: write, read, quantise, and rename to what transformers expects.

Written apart from the Rust code on purpose: both must give the same bytes and the same values.
Does not run a network; that is reference.py.
"""

import json
import struct

import numpy as np

DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "I8": np.dtype("i1")}


def write(tensors, metadata):
    """Bytes of a safetensors file: widest dtype first, then by name; metadata sorted; header padded to 8."""
    tag = {dtype: name for name, dtype in DTYPES.items()}
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header, data = {"__metadata__": dict(sorted(metadata.items()))}, b""
    for name in order:
        raw = np.ascontiguousarray(tensors[name]).tobytes()
        header[name] = {
            "dtype": tag[tensors[name].dtype],
            "shape": list(tensors[name].shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def read(path):
    """Tensors of a weight file as float32, int8 rows multiplied by their scales."""
    raw = open(path, "rb").read()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    header.pop("__metadata__", None)
    stored = {}
    for name, info in header.items():
        start, end = info["data_offsets"]
        flat = np.frombuffer(raw[8 + size + start : 8 + size + end], DTYPES[info["dtype"]])
        stored[name] = flat.reshape(info["shape"])
    values = {}
    for name, value in stored.items():
        if name.endswith(".scale"):
            continue
        value = value.astype(np.float32)
        if name + ".scale" in stored:
            value = value * stored[name + ".scale"][:, None]
        values[name] = value
    return values


def exact_row(row):
    """(int8, scale) with int8 * scale == row exactly, the smallest such int8; None where there is none."""
    largest = np.abs(row).max()
    if largest == 0:
        return np.zeros(len(row), np.int8), np.float32(1)
    for k in range(1, 129):
        middle = np.float32(largest / np.float32(k))
        for scale in (middle, np.nextafter(middle, np.float32(0)), np.nextafter(middle, np.float32(np.inf))):
            levels = np.rint(row / scale)
            if levels.min() >= -128 and levels.max() <= 127 and (levels.astype(np.float32) * scale == row).all():
                return levels.astype(np.int8), scale
    return None


def quantise_row(row):
    """Symmetric int8 of one float32 row; a second quantisation of the result changes nothing."""
    found = exact_row(row)
    if found is None:
        scale = np.float32(np.abs(row).max() / np.float32(127))
        levels = np.clip(np.rint(row / scale), -127, 127).astype(np.float32)
        found = exact_row(levels * scale)
    return found


def quantise(values):
    """Every matrix as int8 rows with a companion of scales; vectors stay float32."""
    out = {}
    for name, value in values.items():
        if value.ndim == 1:
            out[name] = value
            continue
        rows = [quantise_row(row) for row in value]
        out[name] = np.stack([levels for levels, _ in rows])
        out[name + ".scale"] = np.array([scale for _, scale in rows], np.float32)
    return out


def to_transformers(values):
    """Our names -> the names of transformers' BertModel, with pooler, classifier and vocabulary where they are."""
    out = {}
    plain = {
        "embeddings.word.weight": "bert.embeddings.word_embeddings.weight",
        "embeddings.position.weight": "bert.embeddings.position_embeddings.weight",
        "embeddings.segment.weight": "bert.embeddings.token_type_embeddings.weight",
        "embeddings.norm.": "bert.embeddings.LayerNorm.",
        "pooler.": "bert.pooler.dense.",
        "classifier.": "classifier.",
        "vocabulary.transform.": "cls.predictions.transform.dense.",
        "vocabulary.norm.": "cls.predictions.transform.LayerNorm.",
        "vocabulary.bias": "cls.predictions.bias",
        "attention.output.": "attention.output.dense.",
        "attention_norm.": "attention.output.LayerNorm.",
        "feed_forward.up.": "intermediate.dense.",
        "feed_forward.down.": "output.dense.",
        "feed_forward_norm.": "output.LayerNorm.",
    }
    for name, value in values.items():
        prefix, rest = "", name
        if name.startswith("layers."):
            _, layer, rest = name.split(".", 2)
            prefix = f"bert.encoder.layer.{layer}."
        if rest.startswith("attention.qkv."):
            for part, rows in zip(("query", "key", "value"), np.split(value, 3)):
                out[f"{prefix}attention.self.{part}.{rest.split('.')[-1]}"] = rows
            continue
        (ours,) = [key for key in plain if rest.startswith(key)]
        out[prefix + rest.replace(ours, plain[ours], 1)] = value
    return out
