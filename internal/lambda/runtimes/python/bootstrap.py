"""Runs a Python function: loads its handler and carries invocations from the
gateway to it. What functions can see of it is as in AWS."""

import os
import sys

# The folder of this file is not the function's business.
sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
sys.path.insert(1, os.environ["LAMBDA_RUNTIME_DIR"] + os.sep + "support")
from stagedoor_runtime import main  # noqa: E402

del sys.path[1]

if __name__ == "__main__":
    main(sys.argv.pop(1))
