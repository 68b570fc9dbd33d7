// TLS over a Stream: ciphertext of a wake-up comes in with one recv, what is to be sent leaves with
// one send.

#include <algorithm>
#include <cassert>

#include "proxy/net/stream.h"

namespace fairlead::net {

TlsStream::TlsStream(Loop& loop, int fd, std::unique_ptr<tls::Engine> engine)
    : Stream(loop, fd), engine_(std::move(engine)) {}

bool TlsStream::send_output() {
  std::string& out = loop_.cipher_out();
  if (out.empty()) return true;
  bool sent = send_all(out);
  out.clear();
  return sent;
}

ReadResult TlsStream::read(std::span<char> into, std::size_t most) {
  // So nothing decrypted is ever left inside OpenSSL, where no event of the socket would tell of
  // it.
  assert(into.size() >= loop_.cipher_buffer().size() + Loop::kRecordRoom);
  const std::span<char> buffer = loop_.cipher_buffer();
  ReadResult raw = receive(buffer.first(std::min(most, buffer.size())));
  if (raw.n == 0) return raw;
  std::span<const char> in = buffer.first(raw.n);
  std::string& out = loop_.cipher_out();
  ReadResult result;
  auto status = tls::Engine::Status::ok;
  if (!ready_) {
    status = engine_->handshake(in, out);
    ready_ = status == tls::Engine::Status::ok;
  }
  if (ready_) status = engine_->read(in, into, result.n, out);
  const bool answered = !out.empty();  // handshake flights, alerts, answers to key updates
  bool sent = send_output();
  if (answered) read_after_drain();
  if (status == tls::Engine::Status::error || !sent) {
    result.status = IoStatus::error;
  } else if (status == tls::Engine::Status::closed) {
    result.status = IoStatus::eof;
  }
  return result;
}

bool TlsStream::write(std::span<const char> data) {
  if (!is_open() || error() != 0 || !ready_ || notified_) return false;
  if (engine_->write(data, loop_.cipher_out()) != tls::Engine::Status::ok) {
    loop_.cipher_out().clear();
    return false;
  }
  return send_output();
}

void TlsStream::notify() {
  if (!ready_ || notified_ || !is_open() || error() != 0) return;
  notified_ = true;
  engine_->close_notify(loop_.cipher_out());
  send_output();
}

std::string TlsStream::failure_text() const {
  return engine_->last_error().empty() ? Stream::failure_text() : engine_->last_error();
}

}  // namespace fairlead::net
