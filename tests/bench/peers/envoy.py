"""Envoy, where its binary is on PATH. Not in Debian: this adapter is untested."""
from __future__ import annotations

import json
from typing import Any

from peers.base import Peer, Site, Tools, first_version

TYPE = "type.googleapis.com/envoy.extensions."


def address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def manager() -> dict[str, Any]:
    router = {"name": "router", "typed_config": {"@type": TYPE + "filters.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "echo", "timeout": "0s"}}
    return {"name": "http", "typed_config": {
        "@type": TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in", "codec_type": "HTTP1", "upgrade_configs": [{"upgrade_type":
                                                                        "websocket"}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [router]}}


def tls(site: Site) -> dict[str, Any]:
    pair = {"certificate_chain": {"filename": str(site.cert)},
            "private_key": {"filename": str(site.key)}}
    return {"name": "tls", "typed_config": {
        "@type": TYPE + "transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"tls_certificates": [pair], "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3"}}}}


class Envoy(Peer):
    name = "envoy"
    order = 7
    tested = False

    def version(self) -> str:
        return first_version([self.binary() or "", "--version"])

    def prepare(self, site: Site) -> list[str]:
        chain = {"filters": [manager()]}
        sealed = {**chain, "transport_socket": tls(site)}
        endpoint = {"endpoint": {"address": address(site.backend)}}
        cluster = {"name": "echo", "connect_timeout": "5s", "type": "STATIC", "load_assignment": {
            "cluster_name": "echo", "endpoints": [{"lb_endpoints": [endpoint]}]}}
        config = {"static_resources": {"clusters": [cluster], "listeners": [
            {"address": address(site.plain), "filter_chains": [chain]},
            {"address": address(site.tls), "filter_chains": [sealed]}]}}
        return [self.binary() or "", "-c", site.write("envoy.json", json.dumps(config)),
                "--concurrency", str(site.workers), "--log-level", "error", "--use-dynamic-base-id"]


def peers(tools: Tools) -> list[Peer]:
    del tools
    return [Envoy()]
