#pragma once
// The configuration as plain values, defaults inline: this header is the option reference.
// Load fills it (conf/load.h); nothing here knows TOML, sockets or the proxy.
//
// Durations are milliseconds, sizes bytes, rates tokens per second. An absent optional is "off".

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/ip.h"
#include "conf/origin_pattern.h"

namespace fairlead::conf {

using Millis = std::chrono::milliseconds;

// The bounds of every buffer and queue the network can fill; not settable.
namespace bounds {
constexpr std::size_t kHeadBytes = 16 * 1024;      // a request's or an answer's head
constexpr std::size_t kHeadFields = 100;           // header fields in a head
constexpr std::size_t kRelayBuffer = 64 * 1024;    // one read; what a slow peer can make us hold
constexpr std::size_t kLaneMemory = 256 * 1024;    // everything one direction of a session may hold
constexpr std::size_t kProxyHeader = 536;          // PROXY v1: 107, v2: 16 + 520
constexpr std::size_t kIpTableEntries = 1 << 20;   // addresses with a rate or a count
constexpr std::size_t kSidTableEntries = 1 << 18;  // Engine.IO sessions a backend remembers
constexpr std::size_t kAccessLogQueue = 2048;      // batches of lines waiting for the disk
constexpr std::size_t kHealthBytes = 64 * 1024;    // what a server may say in one health check
constexpr std::size_t kSpanBytes = 8 * 1024 * 1024;  // spans waiting for the collector
constexpr std::size_t kSpanPostBytes = 1024 * 1024;  // ... of them in one POST
constexpr std::size_t kIdlePerServer = 256;  // open connections without a request, per worker
constexpr std::size_t kTicketKeys = 16;      // in a ticket_key_file
constexpr Millis kIdleKeep{4000};            // how long each, unless the server says
constexpr Millis kIdleKeepMost{60'000};      // ... whatever it says
constexpr std::size_t kNameAddresses = 256;  // servers one name may stand for
constexpr Millis kCloseWait{5000};           // after a Close: how long for the answer and TCP's end
}  // namespace bounds

struct Rate {
  double per_second = 0;
  double burst = 0;  // tokens a full bucket holds; one second's worth unless given
  bool operator==(const Rate&) const = default;
};

struct Drain {
  Millis deadline{30'000};   // after TERM: how long until what is left is cut off
  std::optional<Rate> rate;  // sessions closed per second; absent: all at once
};

struct Server {
  unsigned workers = 0;                     // event-loop threads; 0: one per CPU
  std::uint32_t max_connections = 100'000;  // of clients, in all; more are answered 503
  Drain drain;
  std::string user;  // dropped to once the sockets are bound; empty: stay
};

// Settable in [timeouts], and again in a listener.
struct ListenerTimeouts {
  Millis tls_handshake{10'000};  // from accept to the end of the TLS handshake
  Millis request_head{10'000};   // from its first byte (or the start) to the end of the head
  Millis keepalive{75'000};      // between two requests of a connection
};

// Settable in [timeouts], and again in a route.
struct RouteTimeouts {
  Millis connect{5'000};         // to one server
  Millis response_head{60'000};  // from the request sent to the end of the answer's head
  Millis write_stall{30'000};    // a peer that takes no byte for so long is given up
  // Bytes a second below which a request's body is too slow (408), and an answer's reader; judged
  // after 20 s of waiting for the client.
  std::optional<Rate> min_body_rate = Rate{500, 500};
  std::optional<Rate> min_send_rate;
};

// Of the sockets of both sides; the kernel looks after them.
struct TcpTimeouts {
  std::optional<Millis> keepalive = Millis{60'000};      // silence before the first probe
  std::optional<Millis> user_timeout = Millis{120'000};  // sent bytes not acknowledged for so long
};

struct Timeouts {
  ListenerTimeouts listener;
  RouteTimeouts route;
  TcpTimeouts tcp;
};

struct Log {
  enum class Level { trace, debug, info, warn, error };
  enum class Format { text, json };

  Level level = Level::info;
  Format format = Format::text;
  std::string file = "stderr";            // "stderr" or a path
  std::string access = "stdout";          // "stdout", a path, or "off"
  std::optional<Millis> access_interval;  // a session's lines in between; absent: none
};

struct Admin {
  std::optional<Address> listen;        // absent: no admin endpoint
  std::string token;                    // read from token_file; empty: there is none
  std::string read_token;               // read from read_token_file: may look, may not act
  bool tap = false;                     // who has the token may look into sessions
  std::vector<std::string> tap_redact;  // what is hidden there; see observe/redaction.h
};

// Where spans go, OTLP/HTTP in JSON.
struct Collector {
  Address address;
  std::string host;  // as written: the Host header
  std::string path;
  bool operator==(const Collector&) const = default;
};

struct Tracing {
  enum class Parents { any, trusted };

  std::optional<Collector> endpoint;  // absent: off
  double sample = 0.01;               // of the traces that begin here, 0 to 1
  Parents parents = Parents::any;     // whose traceparent is followed
  std::string service_name = "fairlead";
  std::uint32_t batch = 512;   // spans in one POST, at most
  Millis interval{5'000};      // how long a span waits for others
  Millis timeout{10'000};      // for a POST and its answer
  std::uint32_t queue = 2048;  // spans waiting, at most; more are dropped
};

// How the names of servers are resolved.
struct Dns {
  enum class Family { any, ipv4, ipv6 };

  std::vector<Address> resolver;  // name servers; empty: the system's, /etc/resolv.conf
  Family family = Family::any;    // which addresses are asked for
  bool allow_loopback = false;    // a name server may say that a server is on this machine
  Millis min_ttl{1'000};          // a name is asked for again when its answer's TTL is over,
  Millis max_ttl{300'000};        // ... no sooner and no later than these
  Millis timeout{2'000};          // for the first try; the second has twice as long
  bool operator==(const Dns&) const = default;
};

struct Certificate {
  std::string cert;  // PEM file: the certificate and its chain
  std::string key;   // PEM file: the private key
};

struct ListenerTls {
  enum class Version { tls12, tls13 };

  std::vector<Certificate> certificates;  // exactly one for now
  Version min_version = Version::tls12;
  std::string ticket_keys;  // read from ticket_key_file; empty: Fairlead makes some at start
  bool compact = false;     // TLS 1.3: idle sessions in a fraction of OpenSSL's memory
};

struct Listener {
  Address address;
  bool proxy_protocol = false;  // a PROXY v1 or v2 header comes first, from trusted_proxies only
  std::vector<Cidr> trusted_proxies;  // whose X-Forwarded-* and PROXY header is believed
  bool redirect_to_https = false;     // answer every request with 308 to https
  std::optional<ListenerTls> tls;
  ListenerTimeouts timeouts;
};

struct WebSocket {
  // Payload bytes of a client's message, its fragments added up.
  std::optional<std::uint64_t> max_message = 1024 * 1024;
  std::optional<std::uint64_t> max_message_from_backend;
  std::optional<std::uint64_t> max_frame;  // payload bytes of one frame, either direction
  std::optional<Millis> ping_interval = Millis{20'000};  // silence after which a peer is pinged
  Millis ping_timeout{10'000};                           // more silence after which it is dead
  bool ping_backend = true;                              // ping servers too
  std::optional<Millis> idle_timeout;                    // without a data frame in either direction
  std::optional<Millis> max_lifetime;
  bool strict = true;  // protocol violations close with 1002
};

struct Limits {
  enum class OnExcess { throttle, close };

  std::optional<Rate> handshakes_per_ip;            // WebSocket handshakes; IPv6 counts by /64
  std::optional<std::uint32_t> connections_per_ip;  // open sessions
  std::optional<Rate> messages;  // data messages a second, client to backend, per session
  std::optional<Rate> bytes;     // bytes of frames a second, client to backend, per session
  // Pings, Pongs and empty continuations a second, client to backend, per session.
  std::optional<Rate> control_frames = Rate{100, 100};
  OnExcess on_excess = OnExcess::throttle;
};

struct Route {
  enum class Kind { any, websocket, http };
  // What becomes of sessions whose route, or whose server, is removed by a reload or by DNS.
  enum class OnRemoval { keep, drain, close };
  // ... when their server is lost or has to be left.
  enum class OnBackendLoss { close, reattach };

  struct Reattach {
    Millis deadline{10'000};     // how long a client is held for another server
    std::uint32_t attempts = 3;  // handshakes, over all servers
  };

  std::string name;                // for logs and metrics; default: the backend's name
  std::vector<std::string> hosts;  // lower case, "*.example.org" for any subdomain; empty: any
  std::string path = "/";          // the longest prefix that ends at a segment boundary wins
  std::vector<std::string> subprotocols;  // only handshakes that offer one of them; empty: any
  Kind kind = Kind::any;
  std::string backend;
  std::vector<OriginPattern> origins{OriginPattern{}};  // default: same-origin
  bool require_origin = false;                          // refuse a handshake without an Origin
  bool strip_prefix = false;                            // the backend sees the path without `path`
  OnRemoval on_removal = OnRemoval::drain;
  OnBackendLoss on_backend_loss = OnBackendLoss::close;
  Reattach reattach;
  WebSocket websocket;
  Limits limits;
  RouteTimeouts timeouts;
};

struct BackendServer {
  Address address;
  std::uint32_t weight = 1;                   // 1 ... 1000
  std::optional<std::uint32_t> max_sessions;  // open sessions and exchanges, of all workers
  bool backup = false;                        // only while no other can take a session
  std::string from;  // not the file's: the name it was resolved from, as written; empty: none
  bool operator==(const BackendServer&) const = default;
};

// How Fairlead asks a server whether it works.
struct Health {
  enum class Type { tcp, http, websocket };

  // HTTP statuses from and to, both included.
  struct Statuses {
    std::uint32_t first = 200;
    std::uint32_t last = 399;
    bool operator==(const Statuses&) const = default;
  };

  Type type = Type::tcp;
  std::string path = "/";   // http, websocket: what is asked for
  std::string host;         // ... the Host header; empty: the server's address
  Statuses status;          // http: what counts as good
  std::string subprotocol;  // websocket: offered, and has to be agreed to; empty: none
  Millis interval{5'000};   // from one check's start to the next one's, +-10 %
  Millis timeout{2'000};    // for a whole check
  std::uint32_t rise = 2;   // good checks in a row that bring a server up
  std::uint32_t fall = 3;   // failed ones that bring it down

  bool operator==(const Health&) const = default;
};

struct Sticky {
  enum class SameSite { lax, strict, none };

  std::string cookie = "fairlead";
  std::string secret;             // read from secret_file; empty: Fairlead makes one at start
  std::optional<Millis> max_age;  // absent: a session cookie
  SameSite same_site = SameSite::lax;
  bool engine_io = false;  // an Engine.IO session's sid leads to its server too, before the cookie
};

// What balance = "hash" goes by.
struct HashKey {
  enum class Kind { client_ip, header, cookie, query, path };

  Kind kind = Kind::client_ip;
  std::string name;  // of the header, cookie or query parameter
  bool operator==(const HashKey&) const = default;
};

// Sessions of servers that have too many are moved to others.
struct Rebalance {
  std::uint32_t skew = 20;  // per cent above its share that a server may have
  Rate rate{10, 10};        // sessions moved per second, of the backend
  Millis min_age{300'000};  // younger sessions stay
  bool operator==(const Rebalance&) const = default;
};

struct Backend {
  enum class Balance { least_connections, round_robin, random_two, hash };

  std::string name;
  std::vector<BackendServer> servers;
  Balance balance = Balance::least_connections;
  HashKey hash_key;  // with Balance::hash alone
  std::optional<Sticky> sticky;
  std::optional<Health> health;  // absent: servers are not checked
  // Open sessions up to which a server that came up gets its share of the new ones and no more.
  std::optional<std::uint32_t> slow_start;
  std::optional<Rebalance> rebalance;
};

struct Config {
  Server server;
  Timeouts timeouts;
  Log log;
  Admin admin;
  Dns dns;
  Tracing tracing;
  std::vector<Listener> listeners;
  std::vector<Route> routes;
  std::vector<Backend> backends;
};

}  // namespace fairlead::conf
