"""Loaded into every Python process of a function, before its code. Connections
to hosts that match STAGEDOOR_REDIRECT_HOSTS go to STAGEDOOR_REDIRECT_ADDRESS:
only the address that a name resolves to changes, so the TLS server name, the
Host header and the check of the certificate stay the caller's."""

import fnmatch
import importlib.machinery
import importlib.util
import os
import socket
import sys


def redirect(address, patterns):
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    resolve = socket.getaddrinfo

    def getaddrinfo(name, service, *args, **kwargs):
        text = name.decode("ascii", "ignore") if isinstance(name, bytes) else name
        if isinstance(text, str):
            text = text.rstrip(".").lower()
            if any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns):
                return resolve(host, int(port), *args, **kwargs)
        return resolve(name, service, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def chain():
    """Runs the sitecustomize that this one hides, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    others = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("STAGEDOOR_REDIRECT_ADDRESS"):
    redirect(
        os.environ["STAGEDOOR_REDIRECT_ADDRESS"],
        [pattern.lower() for pattern in os.environ.get("STAGEDOOR_REDIRECT_HOSTS", "").split(",") if pattern],
    )
chain()
