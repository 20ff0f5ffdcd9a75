"""A process of its own that has openvino-genai read a GGUF: `python -m momus.models.graph_child FILE`.

Of its own, because the reader takes as much memory as the model and prints what it likes; both end with it, and so does
a fault in it. The graph comes to lie beside the file, as `openvino_model.xml` and `.bin`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from momus.models.openvino_package import openvino

GRAPH = "openvino_model.xml"
_NO_DEVICE = "NONE"


def main() -> int:
    """Read the file named on the command line; 0 where its graph was written."""
    openvino()  # before openvino_genai imports it
    import openvino_genai

    file = Path(sys.argv[1])
    try:
        # The reader writes the graph before it compiles it for a device. There is none of this name: compiling takes
        # as long again and twice the memory, for a pipeline that nobody asks anything.
        openvino_genai.LLMPipeline(str(file), _NO_DEVICE, enable_save_ov_model=True)
    except RuntimeError as error:
        if f'"{_NO_DEVICE}"' not in str(error) or not file.with_name(GRAPH).is_file():
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
