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

// A request's head and its decoded body; null at the connection's end.
export async function readRequest(peer) {
  const head = await peer.readHead().catch(() => null);
  if (!head) return null;
  const framed = head.get('transfer-encoding') ?? head.get('content-length');
  const body = framed === undefined ? Buffer.alloc(0) : await peer.readBody(head);
  return { head, body };
}

// A backend that keeps its connections: answers each request with what `answer(request, peer)` returns
// (the bytes; undefined: nothing), default its body or target. `requests` are what it saw.
export const keeping = async (rig, answer = () => null) => {
  const requests = [];
  const backend = await rig.backend({
    onPeer: async (peer) => {
      for (;;) {
        const request = await readRequest(peer).catch(() => null);
        if (!request) return;
        requests.push(request);
        const text = request.body.length ? request.body.toString('latin1') : request.head.target;
        const bytes = await answer(request, peer);
        if (bytes !== undefined) peer.send(bytes ?? ok(text));
      }
    },
  });
  backend.requests = requests;
  return backend;
};

export const ok = (body, lines = []) =>
  `${['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...lines].join('\r\n')}\r\n\r\n${body}`;

// A request with a body of known length, or in the given chunks.
export const post = (path, body, lines = []) =>
  get(path, [...lines, `Content-Length: ${body.length}`], 'POST') + body;

export const chunked = (path, chunks, lines = [], trailers = '') =>
  get(path, [...lines, 'Transfer-Encoding: chunked'], 'POST') +
  chunks.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('') +
  `0\r\n${trailers}\r\n`;
