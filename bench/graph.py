"""The BERT cross-encoder as an ONNX graph, from our tensors, for the runtimes we are measured against.

`form` is "exported" (the nodes a PyTorch exporter writes: LayerNormalization, erf GELU, attention spelled out) or "fused"
(onnxruntime's own operators, what its transformer optimiser makes of the first). `precision` is "f32", or "int8":
dynamically quantised activations times our int8 rows with our scale for each row (DynamicQuantizeLinear, MatMulInteger).
Does not read or write files; that is export_onnx.py. Operators: onnx.ai/onnx/operators, opset 17.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
MICROSOFT = "com.microsoft"


class Builder:
    """Nodes and initialisers under construction; every value has a name."""

    def __init__(self):
        self.nodes, self.initialisers, self.count = [], [], 0

    def constant(self, value, name=None):
        name = name or self.fresh("c")
        self.initialisers.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def fresh(self, stem):
        self.count += 1
        return f"{stem}_{self.count}"

    def many(self, op, inputs, outputs, domain="", **attributes):
        names = [self.fresh(op) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"n_{names[0]}", domain=domain, **attributes))
        return names

    def __call__(self, op, *inputs, domain="", **attributes):
        return self.many(op, list(inputs), 1, domain, **attributes)[0]


class Network:
    """Emits the network layer by layer. `tensors`: our names, int8 matrices with a companion NAME.scale."""

    def __init__(self, tensors, dimensions, form, precision):
        self.b, self.t, self.d = Builder(), tensors, dimensions
        self.fused, self.int8 = form == "fused", precision == "int8"

    def dense_f32(self, name):
        value = self.t[name].astype(np.float32)
        return value * self.t[name + ".scale"][:, None] if name + ".scale" in self.t else value

    def vector(self, name):
        return self.b.constant(self.t[name], name)

    def quantised(self, x):
        """An activation as the input of linear layers: itself, or int8 with its scale and zero point."""
        return self.b.many("DynamicQuantizeLinear", [x], 3) if self.int8 else [x]

    def linear(self, x, name, rows=None, bias=True):
        """x [.., in] times the rows of a weight [out, in]; `x` comes from quantised()."""
        rows = rows or slice(None)
        stem = name if rows == slice(None) else f"{name}.{rows.start}"
        if self.int8:
            levels, scale, zero = x
            weight = self.b.constant(self.t[name + ".weight"][rows].T, stem + ".weight")
            width = self.t[name + ".weight"][rows].shape[0]
            zeros = self.b.constant(np.zeros(width, np.int8), stem + ".zero")
            scales = self.b.constant(self.t[name + ".weight.scale"][rows], stem + ".scale")
            product = self.b("MatMulInteger", levels, weight, zero, zeros)
            product = self.b("Mul", self.b("Cast", product, to=TensorProto.FLOAT), self.b("Mul", scale, scales))
        else:
            product = self.b("MatMul", x[0], self.b.constant(self.dense_f32(name + ".weight")[rows].T, stem + ".weight"))
        return self.b("Add", product, self.b.constant(self.t[name + ".bias"][rows], stem + ".bias")) if bias else product

    def table(self, name, ids):
        """Rows of an embedding table; an int8 table is looked up first and scaled after."""
        if not self.int8:
            return self.b("Gather", self.b.constant(self.dense_f32(name), name), ids)
        levels = self.b("Gather", self.b.constant(self.t[name], name), ids)
        scales = self.b("Gather", self.b.constant(self.t[name + ".scale"][:, None], name + ".scale"), ids)
        return self.b("Mul", self.b("Cast", levels, to=TensorProto.FLOAT), scales)

    def norm(self, x, name, residual=None):
        weight, bias = self.vector(name + ".weight"), self.vector(name + ".bias")
        epsilon = self.d["layer_norm_epsilon"]
        if self.fused and residual:
            return self.b("SkipLayerNormalization", x, residual, weight, bias, domain=MICROSOFT, epsilon=epsilon)
        x = self.b("Add", x, residual) if residual else x
        return self.b("LayerNormalization", x, weight, bias, axis=-1, epsilon=epsilon)

    def gelu(self, x, bias):
        if self.fused:
            return self.b("BiasGelu", x, self.vector(bias), domain=MICROSOFT)
        x = self.b("Add", x, self.vector(bias))
        half, one = self.b.constant(np.float32(0.5)), self.b.constant(np.float32(1))
        erf = self.b("Erf", self.b("Div", x, self.b.constant(np.float32(np.sqrt(2)))))
        return self.b("Mul", self.b("Mul", x, self.b("Add", erf, one)), half)

    def attention(self, x, layer, mask, shape):
        b, h, heads = self.b, self.d["hidden"], self.d["heads"]
        name = f"layers.{layer}.attention.qkv"
        source = self.quantised(x)
        if self.fused and self.int8:
            (levels, scale, zero), weight = source, b.constant(self.t[name + ".weight"].T, name + ".weight")
            scales = b.constant(self.t[name + ".weight.scale"], name + ".scale")
            zeros = b.constant(np.zeros(3 * h, np.int8), name + ".zero")
            inputs = (levels, weight, self.vector(name + ".bias"), scale, scales, mask, zero, zeros)
            return b("QAttention", *inputs, domain=MICROSOFT, num_heads=heads)
        if self.fused:
            weight = b.constant(self.dense_f32(name + ".weight").T, name + ".weight")
            return b("Attention", x, weight, self.vector(name + ".bias"), mask, domain=MICROSOFT, num_heads=heads)
        q, k, v = (self.linear(source, name, slice(part * h, part * h + h)) for part in range(3))
        split = lambda value, order: b("Transpose", b("Reshape", value, shape["split"]), perm=order)
        scores = b("MatMul", split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1]))
        scores = b("Div", scores, b.constant(np.float32(np.sqrt(h / heads))))
        weights = b("Softmax", b("Add", scores, mask), axis=-1)
        joined = b("Transpose", b("MatMul", weights, split(v, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        return b("Reshape", joined, shape["join"])

    def layer(self, x, layer, mask, shape):
        name = f"layers.{layer}."
        attended = self.attention(x, layer, mask, shape)
        attended = self.linear(self.quantised(attended), name + "attention.output")
        x = self.norm(attended, name + "attention_norm", x)
        up = self.linear(self.quantised(x), name + "feed_forward.up", bias=False)
        down = self.linear(self.quantised(self.gelu(up, name + "feed_forward.up.bias")), name + "feed_forward.down")
        return self.norm(down, name + "feed_forward_norm", x)

    def model(self, layers):
        b, h, heads = self.b, self.d["hidden"], self.d["heads"]
        shape = {
            "split": b.constant(np.array([0, 0, heads, h // heads], np.int64)),
            "join": b.constant(np.array([0, 0, h], np.int64)),
        }
        width = b("Slice", b("Shape", "input_ids"), *(b.constant(np.array([v], np.int64)) for v in (1, 2)))
        positions = b("Slice", b.constant(np.arange(self.d["positions"])[None]), b.constant(np.array([0])), width, b.constant(np.array([1])))
        x = b("Add", self.table("embeddings.word.weight", "input_ids"), self.table("embeddings.segment.weight", "token_type_ids"))
        x = self.norm(b("Add", x, self.table("embeddings.position.weight", positions)), "embeddings.norm")
        mask = b("Cast", "attention_mask", to=TensorProto.INT32) if self.fused else self.additive("attention_mask")
        for layer in range(layers):
            x = self.layer(x, layer, mask, shape)
        first = b("Gather", x, b.constant(np.array(0, np.int64)), axis=1)
        pooled = b("Tanh", self.linear(self.quantised(first), "pooler"))
        self.b.nodes.append(helper.make_node("Identity", [self.linear(self.quantised(pooled), "classifier")], ["logits"]))
        return self.finish()

    def additive(self, mask):
        """[b, s] of 1 and 0 -> [b, 1, 1, s] of 0 and a very negative number."""
        b = self.b
        wide = b("Cast", b("Unsqueeze", mask, b.constant(np.array([1, 2], np.int64))), to=TensorProto.FLOAT)
        missing = b("Sub", b.constant(np.float32(1)), wide)
        return b("Mul", missing, b.constant(np.float32(np.finfo(np.float32).min)))

    def finish(self):
        ids = lambda name: helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", self.d["labels"]])
        inputs = [ids(name) for name in ("input_ids", "attention_mask", "token_type_ids")]
        graph = helper.make_graph(self.b.nodes, "bert-cross-encoder", inputs, [logits], self.b.initialisers)
        opsets = [helper.make_opsetid("", OPSET)] + ([helper.make_opsetid(MICROSOFT, 1)] if self.fused else [])
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def build(tensors, dimensions, precision, form="exported"):
    """An onnx.ModelProto with inputs input_ids, attention_mask, token_type_ids [b, s] and output logits [b, labels]."""
    return Network(tensors, dimensions, form, precision).model(dimensions["layers"])
