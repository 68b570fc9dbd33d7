// Plain requests, and a backend that answers them.

export const get = (path = '/', lines = [], method = 'GET') =>
  `${[`${method} ${path} HTTP/1.1`, 'Host: chat.example.com', ...lines].join('\r\n')}\r\n\r\n`;

// A backend that answers each plain request with its target, or what `answers` says for it.
export const http = (rig, answers = {}) =>
  rig.backend({
    onPeer: async (peer) => {
      const request = await peer.readHead().catch(() => null);
      if (!request) return;
      const body = request.target;
      peer.send(
        answers[request.target] ??
          `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      peer.end();
    },
  });
