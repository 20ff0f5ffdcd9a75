"""A converted model as two graphs: the layers, whose keys and values are state, and the head.

The reader's graph gives logits of every position: for 700 positions of a vocabulary of 152k they are 425 MB, and a
sixth of the work. So the graph is cut before the head, which runs where logits are read, and what is made of them
(log-softmax, the wanted tokens, the likeliest) is part of the head's graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from momus.errors import MomusError
from momus.models.openvino_package import openvino

INPUTS = ("input_ids", "attention_mask", "position_ids", "beam_idx")


def read(xml: Path) -> Any:
    """The graph of a converted model, its weights mapped from the file. Raises MomusError on anything else."""
    try:
        model = openvino().Core().read_model(xml)
        names = {name for port in model.inputs for name in port.get_names()}
        if not names.issuperset(INPUTS):
            raise ValueError("inputs are missing")
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1][:200]
        raise MomusError(f"{xml} is no converted model ({reason}); remove it, and it is converted again") from error
    return model


def layers_of(model: Any, hidden: Sequence[int] = ()) -> Any:
    """The graph up to the head: `states` [rows, tokens, width] out, and `hidden.N` after each chosen layer (0-based).

    Takes the model apart, which is of no use afterwards. Raises MomusError on a layer that it does not have.
    """
    ov = openvino()
    op = ov.opset13
    _mask(model)
    head = _head(model)
    states = op.result(head.input(0).get_source_output())
    states.output(0).set_names({"states"})
    results = [states]
    after = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
    for layer in hidden:
        node = after.get(f"model.layers.self_attn.add1.layer{layer}")
        if node is None:
            raise MomusError(f"the model has no layer {layer}; they are counted from 0")
        result = op.result(node.output(0))
        result.output(0).set_names({f"hidden.{layer}"})
        results.append(result)
    return ov.Model(results, model.get_sinks(), model.get_parameters(), "layers")


def head_of(model: Any) -> Any:
    """The head's graph: `states` [n, width], `wanted` [n, 1], a token of each row, and the number `top` in.

    Out: `logprobs` [n, vocabulary], `chosen` [n, 1], `top_logprobs` and `top_ids` [n, top], best first. Takes the
    model apart.
    """
    ov = openvino()
    op = ov.opset13
    head = _head(model)
    width = head.input(0).get_partial_shape()[2].get_length()
    states = op.parameter([-1, width], ov.Type.f32, name="states")
    wanted = op.parameter([-1, 1], ov.Type.i64, name="wanted")
    top = op.parameter([], ov.Type.i64, name="top")
    for parameter in (states, wanted, top):
        parameter.output(0).set_names({parameter.get_friendly_name()})
    attributes = head.get_attributes()
    logits = op.matmul(states, head.input(1).get_source_output(), False, attributes["transpose_b"])
    logprobs = op.log_softmax(logits, 1)
    likeliest = op.topk(logprobs, top, 1, "max", "value", index_element_type="i32")
    outputs = {
        "logprobs": logprobs.output(0),
        "chosen": op.gather_elements(logprobs, wanted, 1).output(0),
        "top_logprobs": likeliest.output(0),
        "top_ids": likeliest.output(1),
    }
    results = []
    for name, port in outputs.items():
        result = op.result(port)
        result.output(0).set_names({name})
        results.append(result)
    return ov.Model(results, [states, wanted, top], "head")


def _head(model: Any) -> Any:
    """The product that makes logits of states."""
    node = model.output("logits").get_node().input(0).get_source_output().get_node()
    while node.get_type_name() != "MatMul":
        node = node.input(0).get_source_output().get_node()
    return node


def _mask(model: Any) -> None:
    """Say in a few nodes who attends to whom: a token to those up to itself that `attention_mask` leaves in sight.

    The reader's own way makes several arrays of tokens x tokens in 64 bits, 128 MB each for 4,000 tokens.
    """
    ov = openvino()
    op = ov.opset13
    readers = [node for node in model.get_ordered_ops() if node.get_type_name() == "ScaledDotProductAttention"]
    seen, ids = model.input("attention_mask"), model.input("input_ids")
    zero, one, axis = (op.constant(np.array(n, dtype=np.int64)) for n in (0, 1, 1))
    columns, new = (op.gather(op.shape_of(port, "i64"), axis, zero) for port in (seen, ids))
    column = op.range(zero, columns, one, "i64")
    row = op.unsqueeze(op.range(op.subtract(columns, new), columns, one, "i64"), one)
    before = op.less_equal(column, row)  # [new, columns]
    visible = op.unsqueeze(
        op.not_equal(seen, zero), op.constant(np.array([1, 2], dtype=np.int64))
    )  # [rows, 1, 1, columns]
    allowed = op.logical_and(visible, before)
    nothing = op.constant(np.array(np.finfo(np.float32).min, dtype=np.float32))
    bias = op.select(allowed, op.constant(np.array(0, dtype=np.float32)), nothing)
    for node in readers:
        node.input(3).replace_source_output(bias.output(0))
