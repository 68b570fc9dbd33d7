#include "proxy/edge/idle_pool.h"

#include <algorithm>

#include "proxy/wire/framing.h"

namespace fairlead::edge {

// The connections to one server. It keeps it alive: another must not come to stand at its address.
// A closed stream is destroyed later, outside of its handler.
class IdlePool::Shelf final : net::Stream::Handler, net::Timer::Handler {
 public:
  Shelf(IdlePool& owner, std::shared_ptr<balance::PoolServer> server)
      : owner_(owner), server_(std::move(server)), timer_(owner.loop_.timers(), *this) {}

  ~Shelf() { owner_.kept_ -= idle_.size(); }

  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  std::unique_ptr<net::Stream> take(bool probe) {
    while (!idle_.empty()) {
      Idle last = std::move(idle_.back());
      idle_.pop_back();
      --owner_.kept_;
      if (!last.stream->is_open() || last.until <= owner_.loop_.now()) continue;
      if (probe && !is_quiet(*last.stream)) continue;
      return std::move(last.stream);
    }
    return nullptr;
  }

  bool put(std::unique_ptr<net::Stream>& stream, net::TimePoint until) {
    if (is_full()) sweep();
    if (is_full()) return false;
    stream->set_handler(*this);
    idle_.push_back({std::move(stream), until});
    ++owner_.kept_;
    timer_.arm_by(until);
    return true;
  }

  std::size_t size() const {
    return static_cast<std::size_t>(std::count_if(
        idle_.begin(), idle_.end(), [](const Idle& idle) { return idle.stream->is_open(); }));
  }

 private:
  struct Idle {
    std::unique_ptr<net::Stream> stream;
    net::TimePoint until;
  };

  void on_readable(net::Stream& stream) override { stream.close(); }

  void on_drained(net::Stream& stream) override { stream.close(); }

  void on_timer(net::Timer&) override {
    sweep();
    if (idle_.empty()) {
      owner_.shelves_.erase(server_.get());  // destroys this
      return;
    }
    auto first = std::min_element(idle_.begin(), idle_.end(),
                                  [](const Idle& a, const Idle& b) { return a.until < b.until; });
    timer_.arm(first->until);
  }

  bool is_full() const {
    return idle_.size() >= conf::bounds::kIdlePerServer || owner_.kept_ >= owner_.most_;
  }

  void sweep() {
    owner_.kept_ -= std::erase_if(idle_, [now = owner_.loop_.now()](const Idle& idle) {
      return !idle.stream->is_open() || idle.until <= now;
    });
  }

  bool is_quiet(net::Stream& stream) const {
    net::ReadResult got = stream.read(owner_.loop_.relay_buffer());
    return got.n == 0 && got.status == net::IoStatus::ok;
  }

  IdlePool& owner_;
  std::shared_ptr<balance::PoolServer> server_;
  net::Timer timer_;
  std::vector<Idle> idle_;
};

IdlePool::IdlePool(net::Loop& loop, std::size_t most) : loop_(loop), most_(most) {}

IdlePool::~IdlePool() = default;

std::unique_ptr<net::Stream> IdlePool::take(const balance::PoolServer& server, bool probe) {
  auto found = shelves_.find(&server);
  return found == shelves_.end() ? nullptr : found->second->take(probe);
}

bool IdlePool::put(const std::shared_ptr<balance::PoolServer>& server,
                   std::unique_ptr<net::Stream>& stream, conf::Millis keep) {
  if (keep <= conf::Millis::zero()) return false;
  auto& shelf = shelves_[server.get()];
  if (!shelf) shelf = std::make_unique<Shelf>(*this, server);
  return shelf->put(stream, loop_.now() + keep);
}

void IdlePool::clear() {
  shelves_.clear();
}

std::size_t IdlePool::size() const {
  std::size_t sum = 0;
  for (const auto& [key, shelf] : shelves_) sum += shelf->size();
  return sum;
}

conf::Millis idle_time(std::string_view keep_alive) {
  constexpr std::string_view kTimeout = "timeout=";
  conf::Millis keep = conf::bounds::kIdleKeep;
  wire::for_each_item(keep_alive, [&](std::string_view item) {
    if (!wire::iequals(item.substr(0, kTimeout.size()), kTimeout)) return true;
    const auto seconds = wire::parse_length(item.substr(kTimeout.size()));
    if (!seconds) return true;
    // Our next request is on its way while the server's time runs out.
    const auto most = static_cast<std::uint64_t>(conf::bounds::kIdleKeepMost.count()) / 1000;
    keep = std::chrono::seconds(std::min(*seconds, most + 1)) - std::chrono::seconds(*seconds != 0);
    return false;
  });
  return keep;
}

}  // namespace fairlead::edge
