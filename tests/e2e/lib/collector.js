// An OpenTelemetry collector that keeps what it gets: spans with their attributes as plain objects.

import http from 'node:http';
import { Changes } from './deadline.js';

const plain = (value) =>
  value.stringValue ?? value.doubleValue ?? (value.intValue === undefined ? undefined : Number(value.intValue));
const plainAll = (attributes) => Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));

// options.answer(request, response, n): instead of 200, to the n-th POST, counted from 1.
export async function collector(rig, options = {}) {
  const posts = []; // { path, type, body }
  const changes = new Changes();
  const server = http.createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece) => (text += piece));
    request.on('end', () => {
      const body = JSON.parse(text);
      posts.push({ path: request.url, type: request.headers['content-type'], body });
      if (options.answer) options.answer(request, response, posts.length);
      else response.end('{}');
      changes.touch();
    });
  });
  await new Promise((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  rig.defer(() => server.close());
  rig.defer(() => server.closeAllConnections());
  const spans = () =>
    posts.flatMap(({ body }) =>
      body.resourceSpans.flatMap((resource) =>
        resource.scopeSpans.flatMap((scope) =>
          scope.spans.map((span) => ({
            ...span,
            attributes: plainAll(span.attributes),
            events: span.events.map((event) => ({ ...event, attributes: plainAll(event.attributes) })),
            resource: plainAll(resource.resource.attributes),
          })),
        ),
      ),
    );
  return {
    port: server.address().port,
    endpoint: `http://127.0.0.1:${server.address().port}/v1/traces`,
    posts,
    spans,
    until: (predicate, what, ms) => changes.until(() => predicate(spans()), what, ms),
  };
}
