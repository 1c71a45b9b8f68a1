"""The independent network: PyTorch `transformers` BERT, fed with weights in our layout.

In float64 on the CPU with eager attention, so that the numbers do not depend on the machine. Changes of the
configuration are allowed so that the golden files can be shown to catch the usual mistakes.
"""

import numpy as np
import torch
import transformers

import layout

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()


def network(values, dimensions, **changes):
    """BertForSequenceClassification where there is a classifier, BertForMaskedLM where a vocabulary, else BertModel; strict about names."""
    config = transformers.BertConfig(
        vocab_size=dimensions["vocabulary"],
        hidden_size=dimensions["hidden"],
        num_hidden_layers=dimensions["layers"],
        num_attention_heads=dimensions["heads"],
        intermediate_size=dimensions["feed_forward"],
        max_position_embeddings=dimensions["positions"],
        type_vocab_size=dimensions["segments"],
        num_labels=max(dimensions["labels"], 1),
        **{"hidden_act": "gelu", "layer_norm_eps": dimensions["layer_norm_epsilon"], **changes},
    )
    config._attn_implementation = "eager"
    state = {name: torch.from_numpy(value.astype(np.float64)) for name, value in layout.to_transformers(values).items()}
    if dimensions["labels"]:
        model = transformers.BertForSequenceClassification(config).double()
    elif "vocabulary.bias" in values:
        model = transformers.BertForMaskedLM(config).double()
        # Tied: the same matrix and bias under a second name.
        state["cls.predictions.decoder.weight"] = state["bert.embeddings.word_embeddings.weight"]
        state["cls.predictions.decoder.bias"] = state["cls.predictions.bias"]
    else:
        model = transformers.BertModel(config, add_pooling_layer=False).double()
        state = {name.removeprefix("bert."): value for name, value in state.items()}
    missing, unused = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("position_ids")]
    if missing or unused:
        raise SystemExit(f"weights do not fit: missing {missing}, unused {unused}")
    return model.eval()


def tensors(encodings):
    """Encodings (ids, segments) of one batch -> padded tensors with a mask; padding id and segment are 0."""
    longest = max(len(e["ids"]) for e in encodings)
    pad = lambda key: torch.tensor([e[key] + [0] * (longest - len(e[key])) for e in encodings])
    mask = torch.tensor([[1] * len(e["ids"]) + [0] * (longest - len(e["ids"])) for e in encodings])
    return {"input_ids": pad("ids"), "token_type_ids": pad("segments"), "attention_mask": mask}


def logits(model, encodings):
    """One raw logit an encoding, all in one batch."""
    with torch.no_grad():
        return model(**tensors(encodings)).logits[:, 0].tolist()


def hidden_states(model, encoding):
    """Hidden states [s, h] after the embeddings (first) and after every layer, unpadded."""
    with torch.no_grad():
        out = model(**tensors([encoding]), output_hidden_states=True)
    return [state[0].tolist() for state in out.hidden_states]


def vectors(model, encodings, pooling="mean"):
    """One L2-normalised vector an encoding; the mean is over unmasked tokens."""
    batch = tensors(encodings)
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    if pooling == "mean":
        mask = batch["attention_mask"].unsqueeze(-1).double()
        pooled = (hidden * mask).sum(1) / mask.sum(1)
    else:
        pooled = hidden[:, 0]
    return torch.nn.functional.normalize(pooled, dim=-1).tolist()


def token_vectors(model, encoding):
    """The L2-normalised vector of every token [s, h]."""
    with torch.no_grad():
        hidden = model(**tensors([encoding])).last_hidden_state[0]
    return torch.nn.functional.normalize(hidden, dim=-1).tolist()


def weights(model, encoding):
    """log(1 + relu) of the largest logit over tokens, for every word piece [v]."""
    with torch.no_grad():
        logits = model(**tensors([encoding])).logits[0]
    return torch.log1p(torch.relu(logits)).max(dim=0).values.tolist()


def versions():
    """What made the numbers."""
    return {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "numpy": np.__version__}
