import os

os.environ["FROM_SITE"] = "it ran"
