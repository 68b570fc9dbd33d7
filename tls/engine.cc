#include "tls/engine.h"

#include <openssl/err.h>

#include <algorithm>
#include <climits>
#include <new>

#include "tls/errors.h"
#include "tls/handle.h"
#include "tls/record_layer.h"
#include "tls/take_over.h"

namespace fairlead::tls {

// What nearly no connection ever has, in one allocation made when it is needed.
struct Engine::Rare {
  std::string error;
  std::string kept;       // ciphertext that a `to` had no room for
  std::uint8_t idle = 0;  // key updates since the last data
};

// A connection that has left OpenSSL.
struct Engine::Compact {
  RecordLayer records;
  std::unique_ptr<std::string> sni;  // null for none
  bool resumed = false;
};

namespace {

// Both ends of the BIO. It lives on the stack of one call; between calls the BIO points at nothing.
struct Wire {
  std::span<const char> kept;  // comes before `in`
  std::span<const char>& in;
  std::string& out;
  std::uint8_t idle = 0;          // key updates since the last data
  const char* refused = nullptr;  // why OpenSSL gets no more input: it would answer all of it

  void count_update() {
    if (++idle > RecordLayer::kMaxIdle) refused = "too many key updates without data";
  }

  std::size_t take(std::span<char> to) {
    if (refused != nullptr) return 0;
    std::span<const char>& from = kept.empty() ? in : kept;
    const std::size_t size = std::min(to.size(), from.size());
    std::copy_n(from.data(), size, to.data());
    from = from.subspan(size);
    return size;
  }
};

int wire_read(BIO* bio, char* to, int size) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  const std::size_t got = wire == nullptr ? 0 : wire->take({to, static_cast<std::size_t>(size)});
  if (got > 0) return static_cast<int>(got);
  BIO_set_retry_read(bio);
  return -1;
}

int wire_write(BIO* bio, const char* from, int size) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (wire == nullptr || size < 0) return -1;
  try {  // no exception may pass through OpenSSL
    wire->out.append(from, static_cast<std::size_t>(size));
  } catch (const std::bad_alloc&) {
    return -1;
  }
  return size;
}

long wire_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int wire_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

// Made once, and kept till the process ends.
const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    if (method != nullptr) {
      BIO_meth_set_read(method, wire_read);
      BIO_meth_set_write(method, wire_write);
      BIO_meth_set_ctrl(method, wire_control);
      BIO_meth_set_create(method, wire_create);
    }
    return method;
  }();
  return kMethod;
}

// OpenSSL answers a ClientHello within a TLS 1.2 connection with a warning and goes on, and each
// KeyUpdate that asks for one with its own. It tells of both here, within a call of the engine.
void watch_messages(const SSL* ssl, int where, int value) {
  BIO* bio = SSL_get_rbio(ssl);
  auto* wire = bio == nullptr ? nullptr : static_cast<Wire*>(BIO_get_data(bio));
  if (wire == nullptr) return;
  if (where == SSL_CB_WRITE_ALERT && (value & 0xff) == SSL_AD_NO_RENEGOTIATION)
    wire->refused = "the peer wants to renegotiate";
  if ((where & SSL_CB_LOOP) == 0) return;
  // The state is left once for each message.
  const OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
  if (state == TLS_ST_SR_KEY_UPDATE || state == TLS_ST_CR_KEY_UPDATE) wire->count_update();
}

SSL_CTX* make_client_context(bool compact) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (compact) watch_secrets(context);
  return context;
}

// Each made once, and kept till the process ends.
SSL_CTX* client_context(bool compact) {
  if (compact) {
    static SSL_CTX* const kCompact = make_client_context(true);
    return kCompact;
  }
  static SSL_CTX* const kContext = make_client_context(false);
  return kContext;
}

// RFC 6066 3: an address is no server name.
bool is_address(const std::string& name) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

// What SSL_set_tlsext_host_name is, without its C cast. OpenSSL copies the name; one too long for
// it is left out.
void set_server_name(SSL* ssl, std::string name) {
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  ERR_clear_error();
}

// SSL_is_init_finished would say no again while a message after the handshake (a ticket, a key
// update) is half read.
bool handshake_done(const SSL* ssl) {
  char nothing = 0;
  return SSL_get_finished(ssl, &nothing, 0) > 0 && SSL_get_peer_finished(ssl, &nothing, 0) > 0;
}

}  // namespace

// Points the BIO at the caller's buffers for as long as it lives.
class Engine::Call {
 public:
  Call(Engine& engine, std::span<const char>& in, std::string& out)
      : engine_(engine), bio_(SSL_get_rbio(engine.ssl_)), wire_{{}, in, out} {
    if (engine.rare_) {
      wire_.kept = engine.rare_->kept;
      wire_.idle = engine.rare_->idle;
    }
    BIO_set_data(bio_, &wire_);
  }

  ~Call() {
    BIO_set_data(bio_, nullptr);
    if (!engine_.rare_) return;
    std::string& kept = engine_.rare_->kept;
    kept.erase(0, kept.size() - wire_.kept.size());
    engine_.rare_->idle = wire_.idle;
    if (kept.empty() && wire_.idle == 0 && !engine_.failed()) engine_.rare_.reset();
  }

  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool has_input() const { return !wire_.in.empty() || !wire_.kept.empty(); }

  void data_came() { wire_.idle = 0; }

  std::uint8_t idle() const { return wire_.idle; }

  const char* refused() const { return wire_.refused; }

 private:
  Engine& engine_;
  BIO* bio_;
  Wire wire_;
};

std::unique_ptr<Engine> Engine::make(ssl_ctx_st* context) {
  static_assert(sizeof(Engine) <= 3 * sizeof(void*), "every idle connection pays for it");
  if (context == nullptr || wire_method() == nullptr) return nullptr;
  std::unique_ptr<Engine> engine(new Engine);
  engine->ssl_ = SSL_new(context);
  BIO* bio = engine->ssl_ == nullptr ? nullptr : BIO_new(wire_method());
  if (bio == nullptr) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_bio(engine->ssl_, bio, bio);
  SSL_set_info_callback(engine->ssl_, watch_messages);
  return engine;
}

std::unique_ptr<Engine> Engine::server(const ServerContext& context) {
  std::unique_ptr<Engine> engine = make(context.get());
  if (engine) SSL_set_accept_state(engine->ssl_);
  return engine;
}

std::unique_ptr<Engine> Engine::insecure_client(const std::string& server_name, bool compact) {
  std::unique_ptr<Engine> engine = make(client_context(compact));
  if (!engine) return nullptr;
  SSL_set_connect_state(engine->ssl_);
  if (!server_name.empty() && !is_address(server_name)) set_server_name(engine->ssl_, server_name);
  return engine;
}

Engine::Engine() = default;

Engine::~Engine() {
  SSL_free(ssl_);
}

// What a call of OpenSSL that returned `result` means.
Engine::Status Engine::failure(int result) {
  const int why = SSL_get_error(ssl_, result);
  if (why == SSL_ERROR_WANT_READ) return Status::want_input;
  if (why == SSL_ERROR_ZERO_RETURN) return Status::closed;
  std::string line = take_errors();
  return fail(line.empty() ? "TLS failed without a reason" : std::move(line));
}

Engine::Status Engine::fail(std::string line) {
  if (!rare_) rare_ = std::make_unique<Rare>();
  if (rare_->error.empty()) rare_->error = std::move(line);
  return Status::error;
}

Engine::Status Engine::handshake(std::span<const char>& in, std::string& out) {
  if (failed()) return Status::error;
  if (compact_) return Status::ok;
  {
    const Call call(*this, in, out);
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result != 1) return failure(result);
  }
  // Nothing is signed after the handshake: the certificates' share of it can go.
  SSL_certs_clear(ssl_);
  try_compact();
  return Status::ok;
}

// With read-ahead off OpenSSL took no byte behind the handshake's last record: what is left of the
// input is the new owner's, and nothing else is lost with the SSL object.
void Engine::try_compact() {
  if (const RecordLayer::Start* start = take_over(ssl_)) {
    auto compact = std::make_unique<Compact>();
    if (compact->records.start(*start)) {
      if (const std::string_view name = sni(); !name.empty()) {
        compact->sni = std::make_unique<std::string>(name);
      }
      compact->resumed = resumed();
      // Not a connection that broke off: its session may be resumed.
      SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
      SSL_free(ssl_);
      ssl_ = nullptr;
      compact_ = std::move(compact);
      return;
    }
  }
  forget_secrets(ssl_);
}

Engine::Status Engine::judge(Status status) {
  return status == Status::error ? fail(compact_->records.error()) : status;
}

Engine::Status Engine::read(std::span<const char>& in, std::span<char> to, std::size_t& n,
                            std::string& out) {
  n = 0;
  if (failed()) return Status::error;
  if (compact_) return judge(compact_->records.read(in, to, n, out));
  const bool keeps_rest = to.size() >= in.size();
  Status status = Status::ok;
  const char* refused = nullptr;
  std::uint8_t idle = 0;
  {
    Call call(*this, in, out);
    // With read-ahead off OpenSSL holds no record it has not begun: once the input is used up,
    // asking again would only make it allocate a buffer to find nothing.
    while (n < to.size() && status == Status::ok &&
           (n == 0 || call.has_input() || SSL_pending(ssl_) > 0)) {
      std::size_t got = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(ssl_, to.data() + n, to.size() - n, &got);
      n += got;
      if (got > 0) call.data_came();
      if (result != 1) status = failure(result);
    }
    refused = call.refused();
    idle = call.idle();
  }
  if (refused != nullptr) return fail(refused);
  note_idle(idle);
  if (status == Status::want_input && n > 0) status = Status::ok;
  if (status == Status::closed) {  // RFC 8446 6.1: what follows a close_notify is ignored
    in = {};
    rare_.reset();
  }
  if (status == Status::ok && keeps_rest && !in.empty()) keep_rest(in);
  return status;
}

// Few connections ever get one: it has no place in those that do not.
void Engine::note_idle(std::uint8_t idle) {
  if (idle == 0) return;
  if (!rare_) rare_ = std::make_unique<Rare>();
  rare_->idle = idle;
}

// A record begun in an earlier call can fill `to` before `in` is used up. What is kept is no more
// than that record: each call that fills `to` took out at least what it was given.
void Engine::keep_rest(std::span<const char>& in) {
  if (!rare_) rare_ = std::make_unique<Rare>();
  rare_->kept.append(in.data(), in.size());
  in = {};
}

Engine::Status Engine::write(std::span<const char> plain, std::string& out) {
  if (failed()) return Status::error;
  if (compact_) return judge(compact_->records.write(plain, out));
  std::span<const char> nothing;
  const Call call(*this, nothing, out);
  while (!plain.empty()) {
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_, plain.data(), plain.size(), &written);
    if (result != 1) {
      // Before the handshake's end, or in the middle of the peer's own message after it.
      const Status status = failure(result);
      return status == Status::error ? status : fail("TLS cannot write now");
    }
    plain = plain.subspan(written);
  }
  return Status::ok;
}

void Engine::close_notify(std::string& out) {
  if (failed()) return;
  if (compact_) return compact_->records.close_notify(out);
  if (!handshake_done(ssl_)) return;
  if ((SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN) != 0) return;
  std::span<const char> nothing;
  const Call call(*this, nothing, out);
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool Engine::failed() const {
  return rare_ && !rare_->error.empty();
}

bool Engine::has_pending() const {
  if (compact_) return !failed() && compact_->records.has_pending();
  // Not SSL_has_pending: it counts an incomplete record too.
  return !failed() && (SSL_pending(ssl_) > 0 || (rare_ && !rare_->kept.empty()));
}

bool Engine::begun() const {
  return compact_ || SSL_in_before(ssl_) == 0;
}

std::string_view Engine::version() const {
  if (compact_) return "TLSv1.3";
  return handshake_done(ssl_) ? SSL_get_version(ssl_) : std::string_view();
}

std::string_view Engine::sni() const {
  if (compact_) return compact_->sni ? *compact_->sni : std::string_view();
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

bool Engine::resumed() const {
  return compact_ ? compact_->resumed : SSL_session_reused(ssl_) == 1;
}

const std::string& Engine::last_error() const {
  static const std::string kNone;
  return rare_ ? rare_->error : kNone;
}

}  // namespace fairlead::tls
