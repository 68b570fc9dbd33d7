#include "proxy/edge/connection.h"

#include <algorithm>
#include <cassert>

#include "proxy/edge/departures.h"
#include "proxy/edge/tracer.h"
#include "proxy/observe/log.h"
#include "proxy/wire/proxy_protocol.h"

namespace fairlead::edge {
namespace {

using rules::Cause;

constexpr wire::HeadLimits kLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};
// What is read ahead of a client while its request is under way: the next head, and no more.
constexpr std::size_t kMaxAhead = conf::bounds::kHeadBytes;

bool is_trusted(const conf::Listener& listener, const net::PeerAddress& peer) {
  if (peer.unix_socket) return !listener.trusted_proxies.empty();
  return rules::is_trusted(listener.trusted_proxies, peer.ip);
}

Cause cause_of(wire::HeadError error) {
  switch (error) {
    case wire::HeadError::too_large:
      return Cause::head_too_large;
    case wire::HeadError::too_many_fields:
      return Cause::too_many_headers;
    case wire::HeadError::unsupported_version:
      return Cause::unsupported_http_version;
    case wire::HeadError::unsupported_transfer_coding:
      return Cause::unsupported_transfer_coding;
    case wire::HeadError::unsupported_method:
      return Cause::unsupported_method;
    case wire::HeadError::none:
    case wire::HeadError::malformed:
      break;
  }
  return Cause::malformed_request;
}

}  // namespace

Connection::Connection(Home& home, Arrival arrival)
    : Link(home.links),
      home_(home),
      runtime_(std::move(arrival.runtime)),
      listener_(arrival.listener),
      place_(std::move(arrival.place)),
      conn_id_(home.conn_ids.next()),
      welcome_(arrival.welcome),
      timer_(home.loop.timers(), *this),
      began_(home.loop.now()),
      scanner_(kLimits) {
  peer_.ip = arrival.peer.ip;
  peer_.unix_socket = arrival.peer.unix_socket;
  peer_.trusted = is_trusted(*listener().settings, arrival.peer);
  peer_.secure = listener().tls != nullptr;
  peer_.local_port = listener().port;
  client_ = std::make_unique<net::Stream>(home_.loop, arrival.fd.release());
  if (place_) ++*listener().connections;
}

// A session takes the place with it.
Connection::~Connection() {
  give_place_back();
}

void Connection::start() {
  if (welcome_ != Welcome::served) return turn_away();
  home_.waiting.enter(*this, false, began_);
  if (listener().settings->proxy_protocol) {
    phase_ = Phase::proxy_header;
    timer_.arm(began_ + listener().settings->timeouts.request_head);
    client_->set_handler(*this);
    client_->want_read(true);
    return;
  }
  begin_tls_or_head();
}

void Connection::begin_tls_or_head() {
  if (listener().tls) {
    auto engine = tls::Engine::server(*listener().tls);
    if (!engine) return vanish();
    auto plain = std::move(client_);
    client_ = std::make_unique<net::TlsStream>(home_.loop, plain->release_fd(), std::move(engine));
    phase_ = Phase::tls;
    timer_.arm(began_ + listener().settings->timeouts.tls_handshake);
  }
  client_->set_handler(*this);
  if (phase_ != Phase::tls) wait_for_head();
  client_->want_read(true);
}

void Connection::wait_for_head() {
  phase_ = Phase::head;
  const conf::ListenerTimeouts& timeouts = listener().settings->timeouts;
  bool idle = !first_request_ && in_.empty();
  home_.waiting.enter(*this, !first_request_, home_.loop.now());
  timer_.arm(home_.loop.now() + (idle ? timeouts.keepalive : timeouts.request_head));
}

void Connection::read_proxy_header(std::string_view bytes) {
  if (!peer_.trusted) {  // told once it says something: a check of the port says nothing
    log_http(Cause::untrusted_proxy, 0, 0, nullptr);
    return vanish();
  }
  in_.append(bytes);
  wire::ProxyHeader header = wire::parse_proxy_header(in_.view());
  if (header.state == wire::ProxyHeader::State::more && in_.size() < conf::bounds::kProxyHeader)
    return;
  if (header.state != wire::ProxyHeader::State::complete) {
    log_http(Cause::bad_proxy_header, 0, 0, nullptr);
    return vanish();
  }
  rules::take_proxy_header(header, listener().settings->trusted_proxies, peer_);
  const std::string rest(in_.view().substr(header.size));
  in_.clear();
  phase_ = Phase::head;
  begin_tls_or_head();
  if (dead() || rest.empty()) return;
  client_->unread(rest);
  on_readable(*client_);
}

void Connection::on_readable(net::Stream& stream) {
  assert(home_.loop.in_thread());
  const std::size_t room = read_room();
  if (room == 0) return stream.want_read(false);  // until the next request
  std::span<char> buffer = home_.loop.relay_buffer();
  net::ReadResult got = stream.read(buffer, room);
  take(buffer.first(got.n));
  if (!dead() && got.status != net::IoStatus::ok) client_ended(got.status == net::IoStatus::eof);
}

// How much may be read at once, so that behind the request under way, its body included, no more
// than kMaxAhead is ever kept. (Of TLS, a record more.)
std::size_t Connection::read_room() const {
  const std::size_t ahead = kMaxAhead - std::min(in_.size(), kMaxAhead);
  switch (phase_) {
    case Phase::proxy_header:
      return conf::bounds::kProxyHeader - in_.size();
    case Phase::tls:
    case Phase::head:
      return conf::bounds::kHeadBytes;
    case Phase::exchange:
      return ahead + static_cast<std::size_t>(std::min<std::uint64_t>(exchange_->body_to_come(),
                                                                      conf::bounds::kRelayBuffer));
    case Phase::between:
      return ahead;
    case Phase::closing:
      break;
  }
  return conf::bounds::kRelayBuffer;  // dropped
}

void Connection::take(std::span<char> bytes) {
  if (phase_ == Phase::tls && client_->ready()) {
    count_tls();
    wait_for_head();
  }
  if (bytes.empty()) return;
  std::string_view text(bytes.data(), bytes.size());
  switch (phase_) {
    case Phase::proxy_header:
      return read_proxy_header(text);
    case Phase::tls:
    case Phase::head:
      return read_head(text);
    case Phase::exchange:
      text.remove_prefix(exchange_->take_body(bytes));
      if (phase_ != Phase::exchange || dead()) return;
      in_.append(text);
      return update_reading();
    case Phase::between:
      in_.append(text);
      return;
    case Phase::closing:
      return;  // dropped
  }
}

void Connection::update_reading() {
  if (half_closed_ && in_.empty()) exchange_->request().keep_alive = false;
  client_->want_read(!half_closed_ && !exchange_->holds_body() && in_.size() < kMaxAhead);
  exchange_->watch_client();
}

// A head that comes with one read, as nearly all do, is never kept in in_: an idle connection holds
// no buffer.
void Connection::read_head(std::string_view bytes) {
  bool idle = in_.empty() && scanned_ == 0 && !first_request_;
  wire::HeadScanner::State state = scanner_.feed(bytes);
  scanned_ += bytes.size();
  if (state == wire::HeadScanner::State::error) return answer(cause_of(scanner_.error()), nullptr);
  if (state == wire::HeadScanner::State::more) {
    in_.append(bytes);
    if (idle) {  // from now on it is the head that is waited for
      home_.waiting.leave(*this);
      wait_for_head();
    }
    return;
  }
  if (in_.empty()) {
    std::string_view rest = bytes.substr(scanner_.size());
    std::string head(bytes.substr(0, scanner_.size()));
    in_.append(rest);
    return take_head(std::move(head));
  }
  in_.append(bytes);
  read_kept_head();
}

// The scanner has found the end of the head that in_ begins with.
void Connection::read_kept_head() {
  std::string head(in_.view().substr(0, scanner_.size()));
  in_.consume(head.size());
  take_head(std::move(head));
}

void Connection::take_head(std::string bytes) {
  scanner_ = wire::HeadScanner(kLimits);
  scanned_ = 0;
  first_request_ = false;
  on_head(std::move(bytes));
}

// Between two requests nothing refers to the snapshot: the newest takes its place, so that what a
// reload brought holds for connections that live long, too. False: it has no place for this one,
// which is to end with this answer.
bool Connection::catch_up() {
  assert(!exchange_);
  if (!home_.runtime || home_.runtime == runtime_) return true;
  const ListenerRuntime* next = home_.runtime->successor_of(listener());
  if (next == nullptr) return false;
  runtime_ = home_.runtime;
  listener_ = static_cast<std::size_t>(next - runtime_->listeners().data());
  return true;
}

void Connection::on_head(std::string bytes) {
  timer_.disarm();
  home_.waiting.leave(*this);
  const bool current = catch_up();
  auto request = std::make_unique<Request>();
  request->bytes = std::move(bytes);
  request->peer = peer_;
  request->began = home_.loop.now();
  wire::HeadError error = wire::parse_request(request->bytes, request->head);
  if (error != wire::HeadError::none) return answer(cause_of(error), nullptr);
  request->client = rules::find_client(request->head, peer_, listener().settings->trusted_proxies);
  request->request_id = rules::kept_request_id(request->head);
  if (request->request_id.empty()) request->request_id = new_request_id();
  if (home_.tracer != nullptr) home_.tracer->begin(home_, *request, runtime_->config().tracing);
  request->body = wire::request_framing(request->head);
  request->keep_alive = current && request->head.minor_version == 1 && !home_.keeps_none() &&
                        !(half_closed_ && in_.empty()) &&
                        !listener().gate->closed.load(std::memory_order_relaxed) &&
                        !request->head.fields.has_token("Connection", "close");
  if (!check_listener(*request)) return;
  admit(std::move(request));
}

// redirect_to_https answers every request by itself. False: it has.
bool Connection::check_listener(Request& request) {
  if (!listener().settings->redirect_to_https) return true;
  std::string_view host = request.head.host;
  std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  if (host.empty()) {
    answer(Cause::malformed_request, &request);
    return false;
  }
  std::string location = "https://" + std::string(host);
  for (const ListenerRuntime& other : runtime_->listeners()) {
    if (!other.tls) continue;
    if (other.port != 443 && other.port != 0) location += ":" + std::to_string(other.port);
    break;
  }
  location += request.head.path;
  location += request.head.query;
  answer(Cause::redirected, &request, {}, location);
  return false;
}

void Connection::admit(std::unique_ptr<Request> request) {
  rules::Admission admission =
      rules::admit(request->head, request->client,
                   {runtime_->config().routes, runtime_->router(), runtime_->limits(), home_.hop},
                   home_.refuses_new(), home_.loop.now());
  if (admission.route != rules::Router::kNone)
    request->route = &runtime_->routes()[admission.route];
  if (admission.counted) request->ip_hold = IpHold(*request->route->limits, request->client.ip);
  request->websocket = admission.websocket;
  if (admission.refused) return answer(*admission.refused, request.get(), admission.retry_after);
  if (request->websocket && is_drained(*request))
    return answer(Cause::draining, request.get(), rules::kRetryUnavailable);
  phase_ = Phase::exchange;
  exchange_ = std::make_unique<Exchange>(home_, *this, std::move(request));
  exchange_->start();
}

// Its listener or its route takes no new sessions.
bool Connection::is_drained(const Request& request) const {
  return listener().gate->closed.load(std::memory_order_relaxed) ||
         request.route->gate->closed.load(std::memory_order_relaxed);
}

void Connection::exchange_refused(Cause cause) {
  answer(cause, &exchange_->request(), std::chrono::seconds(1));
}

void Connection::exchange_done(Cause cause) {
  timer_.disarm();
  log_exchange(cause);
  if (cause != Cause::done) {
    // The answer was cut off: only TCP can say so now, and it has to be told from a good end (RFC
    // 9112 8).
    client_->close();
    return die();
  }
  if (!may_keep(&exchange_->request())) return close_gently();
  phase_ = Phase::between;
  resume_later();
}

// The exchange's handlers have returned.
void Connection::resume() {
  if (phase_ == Phase::between) next_request();
  if (phase_ != Phase::closing) return;
  exchange_.reset();
  pinned_.drop();
}

// A client that asks on and takes no answer is not read any further.
void Connection::next_request() {
  if (client_->blocked()) {
    client_->want_read(false);
    timer_.arm(client_->next_look(write_stall()));
    return;
  }
  exchange_.reset();
  if (half_closed_ && in_.empty()) return close_gently();
  client_->want_read(!half_closed_);
  wait_for_head();
  if (in_.empty()) return;
  const wire::HeadScanner::State state = scanner_.feed(in_.view());
  scanned_ = in_.size();
  if (state == wire::HeadScanner::State::error) return answer(cause_of(scanner_.error()), nullptr);
  if (state == wire::HeadScanner::State::complete) return read_kept_head();
  if (half_closed_) client_ended(false);  // the rest will not come
}

void Connection::exchange_switched() {
  Request& request = exchange_->request();
  TunnelParts parts;
  parts.identity = make_identity(&request, &exchange_->agreed());
  parts.client = std::move(client_);
  parts.client->want_read(false);
  parts.backend = exchange_->take_backend();
  parts.runtime = runtime_;
  parts.route = request.route;
  parts.lease = exchange_->take_lease();
  parts.handshake = exchange_->take_handshake();
  parts.place = std::move(place_);
  parts.ip_hold = std::move(request.ip_hold);
  parts.extensions = {exchange_->agreed().deflate, exchange_->agreed().unknown_extension};
  parts.handshake_ms =
      std::chrono::duration<double, std::milli>(home_.loop.now() - request.began).count();
  parts.span = std::move(request.span);
  if (parts.span) parts.span->switched = home_.loop.now();
  auto tunnel = std::make_unique<Tunnel>(home_, std::move(parts));
  Tunnel& begun = *tunnel;
  home_.links.adopt(std::move(tunnel));
  begun.start(in_.view(), exchange_->early_bytes());
  if (home_.draining && !home_.handed_over) {
    begun.drain(home_.drain_deadline);
  } else if (home_.departures != nullptr) {
    home_.departures->on_session(begun);
  }
  timer_.disarm();
  die();
}

void Connection::on_drained(net::Stream&) {
  if (client_->error() != 0) return client_ended(false);
  if (phase_ == Phase::exchange) exchange_->on_client_drained();
  if (phase_ == Phase::between) resume_later();
  if (phase_ != Phase::closing) return;
  if (half_closed_) return vanish();
  closing_since_ = home_.loop.now();
  timer_.arm(linger_until());
}

void Connection::on_timer(net::Timer&) {
  switch (phase_) {
    case Phase::proxy_header:
      if (!in_.empty()) log_http(Cause::bad_proxy_header, 0, 0, nullptr);
      return vanish();
    case Phase::tls:
      if (client_->tls()->begun()) log_http(Cause::tls_handshake_timeout, 0, 0, nullptr);
      return vanish();
    case Phase::head:
      if (in_.empty()) return vanish();  // nothing was asked: nothing to answer
      return answer(Cause::head_timeout, nullptr);
    case Phase::exchange:  // it has ended its direction (half_close())
      if (client_->hung_up()) return client_ended(false);
      return half_close();
    case Phase::between:  // a client that takes nothing
    case Phase::closing:
      return linger();
  }
}

}  // namespace fairlead::edge
