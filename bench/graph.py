"""The BERT cross-encoder as an ONNX graph, from our tensors, for the runtimes we are measured against.

In onnxruntime's own operators (Attention, SkipLayerNormalization, BiasGelu), which is what its transformer optimiser makes of an
exporter's graph: spelled out the same network was slower, most of all on WebGPU. `precision` is "f32", or "int8": activations
quantised as they come times our int8 rows, with our scale for each row (DynamicQuantizeLinear, MatMulInteger, QAttention).
Does not read or write files; that is export_onnx.py. Operators: onnx.ai/onnx/operators opset 17, onnxruntime ContribOperators.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8
MICROSOFT = "com.microsoft"


class Builder:
    """Nodes and initialisers under construction; every value has a name."""

    def __init__(self):
        self.nodes, self.initialisers, self.count = [], [], 0

    def fresh(self, stem):
        self.count += 1
        return f"{stem}_{self.count}"

    def constant(self, value, name=None):
        name = name or self.fresh("constant")
        # Not ascontiguousarray: it makes a vector of a scalar.
        self.initialisers.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def many(self, op, inputs, outputs, domain="", **attributes):
        names = [self.fresh(op) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"node_{names[0]}", domain=domain, **attributes))
        return names

    def __call__(self, op, *inputs, domain="", **attributes):
        return self.many(op, list(inputs), 1, domain, **attributes)[0]


class Network:
    """Emits the network layer by layer. `tensors`: our names, int8 matrices with a companion NAME.scale."""

    def __init__(self, tensors, dimensions, precision):
        self.b, self.t, self.d, self.int8 = Builder(), tensors, dimensions, precision == "int8"

    def dequantised(self, name):
        value = self.t[name].astype(np.float32)
        return value * self.t[name + ".scale"][:, None] if name + ".scale" in self.t else value

    def vector(self, name):
        return self.b.constant(self.t[name], name)

    def weight(self, name):
        """The initialisers of a linear layer [in, out]: the f32 weight, or int8 levels, a scale and a zero for each column."""
        if not self.int8:
            return [self.b.constant(self.dequantised(name + ".weight").T, name + ".weight")]
        levels, scales = self.t[name + ".weight"], self.t[name + ".weight.scale"]
        zeros = np.zeros(len(levels), np.int8)
        return [self.b.constant(levels.T, name + ".weight"), self.b.constant(scales, name + ".scale"), self.b.constant(zeros, name + ".zero")]

    def product(self, x, name):
        """x [.., in] times a weight, without its bias."""
        b = self.b
        if not self.int8:
            return b("MatMul", x, *self.weight(name))
        levels, scale, zero = b.many("DynamicQuantizeLinear", [x], 3)
        weight, scales, zeros = self.weight(name)
        whole = b("MatMulInteger", levels, weight, zero, zeros)
        return b("Mul", b("Cast", whole, to=TensorProto.FLOAT), b("Mul", scale, scales))

    def linear(self, x, name):
        return self.b("Add", self.product(x, name), self.vector(name + ".bias"))

    def table(self, name, ids):
        """Rows of an embedding table; an int8 table is looked up first and scaled after."""
        b = self.b
        if not self.int8:
            return b("Gather", b.constant(self.dequantised(name), name), ids)
        levels = b("Gather", b.constant(self.t[name], name), ids)
        scales = b("Gather", b.constant(self.t[name + ".scale"][:, None], name + ".scale"), ids)
        return b("Mul", b("Cast", levels, to=TensorProto.FLOAT), scales)

    def norm(self, op, name, *inputs, **attributes):
        parameters = self.vector(name + ".weight"), self.vector(name + ".bias")
        return self.b(op, *inputs, *parameters, epsilon=self.d["layer_norm_epsilon"], **attributes)

    def attention(self, x, name, mask):
        b, bias, heads = self.b, self.vector(name + ".bias"), self.d["heads"]
        if not self.int8:
            return b("Attention", x, *self.weight(name), bias, mask, domain=MICROSOFT, num_heads=heads)
        levels, scale, zero = b.many("DynamicQuantizeLinear", [x], 3)
        weight, scales, zeros = self.weight(name)
        return b("QAttention", levels, weight, bias, scale, scales, mask, zero, zeros, domain=MICROSOFT, num_heads=heads)

    def layer(self, x, name, mask):
        attended = self.linear(self.attention(x, name + "attention.qkv", mask), name + "attention.output")
        x = self.norm("SkipLayerNormalization", name + "attention_norm", attended, x, domain=MICROSOFT)
        up = self.product(x, name + "feed_forward.up")
        up = self.b("BiasGelu", up, self.vector(name + "feed_forward.up.bias"), domain=MICROSOFT)
        down = self.linear(up, name + "feed_forward.down")
        return self.norm("SkipLayerNormalization", name + "feed_forward_norm", down, x, domain=MICROSOFT)

    def embeddings(self):
        b, one = self.b, lambda value: self.b.constant(np.array([value], np.int64))
        width = b("Slice", b("Shape", "input_ids"), one(1), one(2))
        positions = b("Slice", b.constant(np.arange(self.d["positions"])[None]), one(0), width, one(1))
        x = b("Add", self.table("embeddings.word.weight", "input_ids"), self.table("embeddings.segment.weight", "token_type_ids"))
        x = b("Add", x, self.table("embeddings.position.weight", positions))
        return self.norm("LayerNormalization", "embeddings.norm", x, axis=-1)

    def nodes(self):
        b, x = self.b, self.embeddings()
        mask = b("Cast", "attention_mask", to=TensorProto.INT32)
        for layer in range(self.d["layers"]):
            x = self.layer(x, f"layers.{layer}.", mask)
        first = b("Gather", x, b.constant(np.array(0, np.int64)), axis=1)
        logits = self.linear(b("Tanh", self.linear(first, "pooler")), "classifier")
        b.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
        return b.nodes


def build(tensors, dimensions, precision):
    """An onnx.ModelProto with inputs input_ids, attention_mask, token_type_ids [b, s] and output logits [b, labels]."""
    network = Network(tensors, dimensions, precision)
    nodes = network.nodes()
    ids = lambda name: helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", dimensions["labels"]])
    inputs = [ids(name) for name in ("input_ids", "attention_mask", "token_type_ids")]
    graph = helper.make_graph(nodes, "bert-cross-encoder", inputs, [logits], network.b.initialisers)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
