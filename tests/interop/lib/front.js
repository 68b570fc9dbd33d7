// Fairlead as its users run it: TLS in front, the test's servers behind.

// The certificates of these tests are made for the moment: every client here takes them. Whether Fairlead presents the
// right one is what tests/e2e looks at.
const warn = process.emitWarning;
process.emitWarning = (text, ...rest) =>
  String(text).includes('NODE_TLS_REJECT_UNAUTHORIZED') || warn.call(process, text, ...rest);
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

// settings: see config() of tests/e2e. `at(path)` and `ws(path)` are the URLs of a path; `allUsed()` waits until each server
// has its line in the access log.
export async function front(rig, servers, settings = {}) {
  const fairlead = await rig.run({ servers, tls: rig.certificate().toml, ...settings });
  const { port } = fairlead;
  return {
    fairlead,
    port,
    origin: `https://127.0.0.1:${port}`,
    at: (path = '/') => `https://127.0.0.1:${port}${path}`,
    ws: (path = '/') => `wss://127.0.0.1:${port}${path}`,
    allUsed: () =>
      fairlead.until(
        () => servers.every((server) => fairlead.log.some((entry) => entry.server === server)),
        'every server is used',
      ),
  };
}
