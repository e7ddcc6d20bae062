"""PyTorch's training steps with torch.compile, which needs a C++ compiler."""

import torch_steps
from torch_peer import start, versions

CASES = torch_steps.cases(is_compiled=True)
