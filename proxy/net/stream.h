#pragma once
// A non-blocking byte stream, plain or TLS. Reads go into the caller's buffer, one recv each;
// writes leave at once, one send each, and only what the peer does not take is copied and sent
// later. So a stream that keeps up owns no buffer.
//
// No call of a stream runs a handler: handlers run from the loop only.

#include <event2/event_struct.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/net/loop.h"
#include "proxy/net/progress.h"
#include "tls/engine.h"

namespace fairlead::net {

enum class IoStatus : std::uint8_t { ok, eof, error };

struct ReadResult {
  std::size_t n = 0;               // bytes read; valid whatever the status
  IoStatus status = IoStatus::ok;  // what stands behind them; ok with n == 0: nothing was there
};

class Stream {
 public:
  class Handler {
   public:
    virtual void on_readable(Stream& stream) = 0;
    // Nothing is held back any more: all has been sent, or the stream broke (see error()).
    virtual void on_drained(Stream& stream) = 0;

   protected:
    ~Handler() = default;
  };

  // Owns `fd`. Nothing is watched until want_read(true).
  Stream(Loop& loop, int fd);
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void set_handler(Handler& handler) { handler_ = &handler; }

  // Reads once into `into`, which is Loop::relay_buffer() or as large, so that TLS can be used up.
  // Takes no more than `most` bytes, 1 or more, off the socket; of TLS, a record that began in an
  // earlier read comes out on top of them.
  virtual ReadResult read(std::span<char> into, std::size_t most = SIZE_MAX);
  // Copies what the next read of a plain stream would begin with; returns how much.
  std::size_t peek(std::span<char> into);
  // Sends, or keeps what was not taken. False: the stream is broken (see error()).
  virtual bool write(std::span<const char> data);

  // Moves up to `n` bytes of `from`'s socket to this one's without a copy, and at least `least`
  // (which the caller has seen with peek()) or none. n and status of the result tell what left
  // `from`, as read() does; what this peer does not take is held back in a pipe, and error() tells
  // if this stream broke. Nothing: it cannot be done now, read() and write().
  std::optional<ReadResult> splice_from(Stream& from, std::size_t n, std::size_t least);
  // Both are plain, and nothing stands in between.
  bool can_splice(const Stream& from) const;
  // What one call may move, so that a bulk transfer never keeps its neighbours waiting for long;
  // and what may stand in a pipe: below conf::bounds::kLaneMemory, with the relay buffer.
  static constexpr std::size_t kSpliceMost = 240 * 1024;
  static_assert(kSpliceMost < conf::bounds::kLaneMemory);

  // TLS: sends close_notify, once. Nothing can be written afterwards.
  virtual void notify() {}

  // Ends our direction once everything has been sent: close_notify and FIN. (Closing does so too.)
  void finish();
  // Closes now. Nothing is sent, no handler runs any more.
  void close();

  // Pause and resume. Does nothing when it is so already. A pause costs nothing unless something
  // comes meanwhile.
  void want_read(bool on);

  bool reading() const { return reading_; }

  // Something is held back; the source of what is written should be paused.
  bool blocked() const { return pending_ != nullptr; }

  std::size_t held_bytes() const;

  // What is held back and what the kernel holds because the peer's machine has not acknowledged it.
  // Zero: it has all. A system call; on a unix socket no number of bytes, but a measure.
  std::size_t undelivered() const;
  // The same in bytes, as well as can be known, with what was dropped when the stream broke.
  std::size_t undelivered_bytes() const;

  // So many more were meant for the peer, and it will not get them.
  void count_lost(std::size_t n) { seldom().lost += n; }

  // Whether the peer has taken nothing of that for `limit`. To be asked while there is something,
  // at next_look() or later: the first call begins the watch. Asks the kernel when a look is due.
  bool stalled(conf::Millis limit);
  TimePoint next_look(conf::Millis limit) const;

  // When it took something last, as far as is known. Only after stalled().
  TimePoint took_last() const { return seldom_->progress->since(); }

  // Before and after a write whose arrival matters. False: nothing stands in front of it.
  bool watch_delivery();
  void mark_written();
  // The peer has all up to there. A system call.
  bool took_marked();

  // The peer has said something that was not read yet. A system call.
  bool has_unread() const;
  // The connection was reset, or the peer did not answer the kernel's own probes: what a stream
  // that is not read would not learn. The peer's orderly end is not this. A system call.
  bool broken() const;

  bool is_open() const { return fd_ >= 0; }

  // Whether the peer has given up both directions, as far as TCP knows: a reset, or the end of a
  // unix socket. One that has only ended its own direction has not.
  bool hung_up() const;

  int error() const { return error_; }  // errno of what broke it, 0 for none

  // It broke, and what was given to write() was not all sent.
  bool dropped() const { return dropped_; }

  // Bytes that were read from the socket before this stream was made come first out of read().
  void unread(std::string_view bytes);
  int release_fd();  // gives the socket away; the stream is closed then

  // The TLS engine, null for a plain stream.
  virtual const tls::Engine* tls() const { return nullptr; }

  // TLS: whether the handshake is over. Plain streams are ready at once.
  virtual bool ready() const { return true; }

  // Why TLS failed, one line.
  virtual std::string failure_text() const;

 protected:
  // Raw socket access for the TLS stream.
  ReadResult receive(std::span<char> into);
  bool send_all(std::span<const char> data);
  void shut_down();
  void hold_back(std::span<const char> data);
  std::string take_held();

  // What reading made this stream say by itself waits for room: nothing is read until it has left,
  // so that a peer cannot make it grow.
  void read_after_drain() { answers_wait_ = blocked(); }

  Loop& loop_;

 private:
  struct Pending;

  // What few streams need, and no idle one.
  struct Seldom {
    std::string early;  // comes first out of read()
    std::optional<Progress> progress;
    std::size_t lost = 0;  // bytes that were held back when the stream broke or was closed
  };

  static void on_readable(int fd, short what, void* self);
  static void on_writable(int fd, short what, void* self);
  void unwatch();
  void flush();
  bool send_held();
  bool send_pipe(Pipe& pipe);
  Pending& hold();
  Seldom& seldom();

  bool has_early() const { return seldom_ && !seldom_->early.empty(); }

  void wrote(std::size_t n);
  void drop_held();
  void forget_progress();
  void tidy();
  std::size_t unacknowledged() const;
  bool fail(int error_number);

  Handler* handler_ = nullptr;
  int fd_;
  int error_ = 0;
  std::unique_ptr<Pending> pending_;
  std::unique_ptr<Seldom> seldom_;
  bool reading_ = false;
  bool watched_ = false;    // the event is added; while paused until it fires once
  bool finishing_ = false;  // FIN after the last pending byte
  bool shut_ = false;
  bool dropped_ = false;
  bool answers_wait_ = false;  // see read_after_drain()
  event readable_;
};

class TlsStream final : public Stream {
 public:
  TlsStream(Loop& loop, int fd, std::unique_ptr<tls::Engine> engine);

  ReadResult read(std::span<char> into, std::size_t most = SIZE_MAX) override;
  bool write(std::span<const char> data) override;
  using Stream::write;
  void notify() override;

  const tls::Engine* tls() const override { return engine_.get(); }

  bool ready() const override { return ready_; }

  std::string failure_text() const override;

 private:
  bool send_output();

  std::unique_ptr<tls::Engine> engine_;
  bool ready_ = false;
  bool notified_ = false;
};

}  // namespace fairlead::net
