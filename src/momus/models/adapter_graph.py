"""Low-rank adapters beside the weights of a graph: y + (x A') B', with A and B as inputs of any rank.

So one compiled graph serves every adapter of its base, and none: switching sets inputs and compiles nothing.
"""

from __future__ import annotations

from typing import Any

from momus.models.openvino_package import openvino


def linears(model: Any) -> dict[tuple[int, str], Any]:
    """The products with weights by layer and projection, found by what is made of them."""
    found: dict[tuple[int, str], Any] = {}
    named = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
    attention = [node for node in model.get_ordered_ops() if node.get_type_name() == "ScaledDotProductAttention"]
    for layer, node in enumerate(attention):
        for place, projection in enumerate(("q_proj", "k_proj", "v_proj")):
            found[layer, projection] = _behind(node.input(place))
        after = f"model.layers.self_attn.{{}}.layer{layer}"
        found[layer, "o_proj"] = _behind(named[after.format("add0")].input(1))
        found[layer, "down_proj"] = _behind(named[after.format("add1")].input(1))
        for port in named[after.format("mlp.mul")].inputs():
            gated = port.get_source_output().get_node().get_type_name() == "Swish"
            found[layer, "gate_proj" if gated else "up_proj"] = _behind(port)
    return found


def _behind(port: Any) -> Any:
    """The nearest product with weights behind a port."""
    waiting, seen = [port.get_source_output().get_node()], set()
    while waiting:
        node = waiting.pop(0)
        if node.get_type_name() == "MatMul" and node.input(1).get_partial_shape().is_static:
            return node
        for source in node.inputs():
            behind = source.get_source_output().get_node()
            if behind.get_friendly_name() not in seen:
                seen.add(behind.get_friendly_name())
                waiting.append(behind)
    raise ValueError("a projection has no weights")


def sizes(model: Any) -> dict[tuple[int, str], tuple[int, int]]:
    """(in, out) of each projection."""
    shapes = {key: node.input(1).get_partial_shape().to_shape() for key, node in linears(model).items()}
    return {key: (int(shape[1]), int(shape[0])) for key, shape in shapes.items()}


def make_room(model: Any, half: bool) -> None:
    """Add the inputs `LAYER.PROJECTION.a` [rank, in] and `.b` [out, rank] for every projection; float16 with `half`."""
    ov = openvino()
    op = ov.opset13
    kind = ov.Type.f16 if half else ov.Type.f32
    parameters = []
    for (layer, projection), node in linears(model).items():
        out, width = node.input(1).get_partial_shape().to_shape()
        readers, x = list(node.output(0).get_target_inputs()), node.input(0).get_source_output()
        a = op.parameter([-1, width], kind, name=f"{layer}.{projection}.a")
        b = op.parameter([out, -1], kind, name=f"{layer}.{projection}.b")
        for parameter in (a, b):
            parameter.output(0).set_names({parameter.get_friendly_name()})
            parameters.append(parameter)
        low, wide = (op.convert(p, ov.Type.f32) if half else p for p in (a, b))
        total = op.add(node, op.matmul(op.matmul(x, low, False, True), wide, False, True))
        for reader in readers:
            reader.replace_source_output(total.output(0))
    model.add_parameters(parameters)
    model.validate_nodes_and_infer_types()
