#include "proxy/edge/tap_desk.h"

#include <algorithm>
#include <utility>

#include "proxy/edge/tunnel.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

using observe::Outcome;

constexpr const char* kOff = "looking into sessions is off: tap = true in [admin]";

}  // namespace

// A looker's end. Main thread.
class TapView {
 public:
  TapView(std::vector<std::string> patterns, bool with_bytes)
      : redaction_(std::move(patterns)), with_bytes_(with_bytes) {}

  void redact(std::vector<std::string> patterns) {
    redaction_ = observe::Redaction(std::move(patterns));
  }

  void start(std::shared_ptr<observe::EventStream> stream, const std::string& opening) {
    stream_ = std::move(stream);
    stream_->send(observe::event_text("open", opening));
  }

  // False: nobody looks.
  bool show(const TapBatch& batch) {
    if (!stream_) return false;
    bool there = true;
    if (batch.dropped != 0)
      there = stream_->send(observe::event_text("dropped", std::to_string(batch.dropped)));
    for (const observe::TapFrame& frame : batch.frames) {
      if (!there) return false;
      const std::string text = observe::tap_json(frame, with_bytes_, redaction_);
      there = stream_->send(observe::event_text("frame", text));
    }
    if (batch.ended.empty()) return there;
    end(batch.ended);
    return false;
  }

  // Nothing is shown any more.
  void end(std::string_view reason) {
    if (!stream_) return;
    stream_->send(observe::event_text("end", "{\"reason\":\"" + std::string(reason) + "\"}"));
    stream_->end();
    stream_.reset();
  }

 private:
  observe::Redaction redaction_;
  const bool with_bytes_;
  std::shared_ptr<observe::EventStream> stream_;
};

namespace {

// In the session's thread. "" with the session's opening line, or why not.
Outcome attach(Home& home, std::uint64_t conn_id, const std::shared_ptr<TapLink>& link,
               std::string& opening) {
  Tunnel* found = nullptr;
  home.links.for_each([&](Link& one) {
    Tunnel* session = one.session();
    if (session != nullptr && !session->dead() && session->id() == conn_id) found = session;
  });
  if (found == nullptr) return {Outcome::Kind::not_found, "there is no such session", {}};
  if (!found->watch(std::make_unique<SessionTap>(home.loop, link)))
    return {Outcome::Kind::refused, "somebody looks at this session already", {}};
  opening = found->opening_line();
  return {};
}

}  // namespace

void TapDesk::open(const conf::Admin& settings, const observe::TapRequest& request,
                   observe::TapReply reply) {
  if (!settings.tap) return reply({Outcome::Kind::refused, kOff, {}}, nullptr);
  const std::size_t number = ConnIds::worker_of(request.conn_id);
  if (number >= shared_.workers.size())
    return reply({Outcome::Kind::not_found, "there is no such session", {}}, nullptr);
  auto link = std::make_shared<TapLink>();
  link->bytes = std::min(request.bytes, observe::kTapBytes);
  auto view = std::make_shared<TapView>(settings.tap_redact, link->bytes != 0);
  const std::weak_ptr<TapLink> weak = link;
  std::erase_if(looks_, [](const Look& one) { return one.link.expired(); });
  looks_.push_back({link, view});
  link->deliver = [this, weak, view](TapBatch batch) {
    auto packed = std::make_shared<TapBatch>(std::move(batch));
    mailbox_.post([weak, view, packed] {
      const bool there = view->show(*packed);
      const auto held = weak.lock();
      if (!held) return;
      held->under_way.fetch_sub(1, std::memory_order_relaxed);
      if (!there) held->wanted.store(false, std::memory_order_relaxed);
    });
  };
  shared_.workers[number]->post([this, link, view, id = request.conn_id, reply](Home& home) {
    std::string opening;
    Outcome outcome = attach(home, id, link, opening);
    mailbox_.post([link, view, id, reply, opening, outcome] {
      if (outcome.kind != Outcome::Kind::done) return reply(outcome, nullptr);
      if (!link->wanted.load(std::memory_order_relaxed))  // a reload came in between
        return reply({Outcome::Kind::refused, kOff, {}}, nullptr);
      observe::log_info("admin: session {:016x} is looked into", id);
      bool begun = false;
      reply(outcome, [&](std::shared_ptr<observe::EventStream> stream) {
        begun = true;
        stream->on_end([link] { link->wanted.store(false, std::memory_order_relaxed); });
        view->start(std::move(stream), opening);
      });
      if (!begun) link->wanted.store(false, std::memory_order_relaxed);
    });
  });
}

void TapDesk::redact(const std::vector<std::string>& patterns) {
  for (const Look& one : looks_) {
    if (const auto view = one.view.lock()) view->redact(patterns);
  }
}

void TapDesk::end_all(std::string_view reason) {
  for (const Look& one : std::exchange(looks_, {})) {
    if (const auto link = one.link.lock()) link->wanted.store(false, std::memory_order_relaxed);
    if (const auto view = one.view.lock()) view->end(reason);
  }
}

}  // namespace fairlead::edge
