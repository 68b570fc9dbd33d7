"""The proxies that are compared: an adapter a file, found by being here."""
from __future__ import annotations

import importlib
import pkgutil

from peers.base import Peer, Tools


def all_peers(tools: Tools) -> list[Peer]:
    """Every peer of every adapter, installed or not; fairlead and the raw relay first."""
    peers: list[Peer] = []
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base":
            peers += importlib.import_module(f"peers.{module.name}").peers(tools)
    return sorted(peers, key=lambda peer: (peer.family.value, peer.order, peer.name))
