"""nginx, with its default buffers, with buffers of 64 KiB, with its access log on."""
from __future__ import annotations

import os

from peers.base import Peer, Site, Tools, find_program, first_version

CONFIG = """daemon off; {user} worker_processes {workers}; pid {folder}/nginx.pid;
error_log {folder}/nginx.log; worker_rlimit_nofile 20000;
events {{ worker_connections 19900; }}
http {{
  access_log {access_log};
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
  upstream echo {{ server 127.0.0.1:{backend}; keepalive 128; }}
  server {{
    listen 127.0.0.1:{plain} backlog=16384;
    listen 127.0.0.1:{tls} ssl backlog=16384;
    ssl_certificate {cert}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    location / {{
      proxy_pass http://echo; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 1h; proxy_send_timeout 1h; {buffers}
    }}
  }}
}}
"""


class Nginx(Peer):
    name = "nginx"
    order = 0
    buffers = ""
    access_log = "off"

    def binary(self) -> str | None:
        return find_program("nginx")

    def version(self) -> str:
        return first_version([self.binary() or "", "-v"])

    def prepare(self, site: Site) -> list[str]:
        user = "user root;" if os.geteuid() == 0 else ""
        text = CONFIG.format(**vars(site), buffers=self.buffers, user=user,
                             access_log=self.access_log.format(**vars(site)))
        return [self.binary() or "", "-e", f"{site.folder}/nginx.log", "-c",
                site.write("nginx.conf", text)]


class BigBuffers(Nginx):
    name = "nginx-64k"
    order = 1
    only = ("S4", "S5")
    buffers = "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;"


class Logging(Nginx):
    """With the log that Fairlead writes too: one line a request or session, unbuffered as it comes."""

    name = "nginx-log"
    order = 1
    only = ("S7", "S9")
    access_log = "{folder}/access.log"


def peers(tools: Tools) -> list[Peer]:
    del tools
    return [Nginx(), BigBuffers(), Logging()]
