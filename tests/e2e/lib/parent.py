# The parent of a service, as systemd is one.
#   parent.py start KIND... -- PROGRAM ARGUMENT...
#       becomes the program, with the sockets as LISTEN_FDS: tcp, udp, unix:PATH. ${PORT0}, ${PORT1} ... are their
#       ports in its environment.
#   parent.py notify ADDRESS
#       a line of JSON for each datagram at NOTIFY_SOCKET's address.

import fcntl
import json
import os
import socket
import sys


def listening(kind):
    if kind.startswith('unix:'):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(kind[5:])
    else:
        made = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM
        )
        made.bind(('127.0.0.1', 0))
    if kind != 'udp':
        made.listen(16)
    return made


def start(kinds, command):
    made = [listening(kind) for kind in kinds]
    for number, one in enumerate(made):
        if one.family == socket.AF_INET:
            os.environ[f'PORT{number}'] = str(one.getsockname()[1])
    # First out of the way of each other.
    high = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 100) for one in made]
    for number, one in enumerate(high):
        os.dup2(one, 3 + number, inheritable=True)
        os.close(one)
    os.environ['LISTEN_FDS'] = str(len(made))
    os.environ['LISTEN_PID'] = str(os.getpid())
    os.environ['LISTEN_FDNAMES'] = ':'.join(kind.split(':')[0] for kind in kinds)
    os.execv(command[0], command)


def notify(address):
    where = '\0' + address[1:] if address.startswith('@') else address
    inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    inbox.bind(where)
    print('bound', flush=True)
    while True:
        print(json.dumps(inbox.recv(65536).decode()), flush=True)


if sys.argv[1] == 'notify':
    notify(sys.argv[2])
else:
    at = sys.argv.index('--')
    start(sys.argv[2:at], sys.argv[at + 1 :])
