#include "proxy/net/dns_channel.h"

#include <ares.h>
#include <event2/event.h>

#include <memory>

namespace fairlead::net {
namespace {

constexpr int kInternet = 1;       // the class IN
constexpr int kTries = 2;          // of each server; the second may take twice as long
constexpr int kPayload = 1232;     // EDNS: what passes unfragmented everywhere (DNS flag day 2020)
constexpr int kSearchDomains = 6;  // more are not searched, as in resolv.conf(5)

std::string servers_text(const std::vector<conf::Address>& servers) {
  std::string text;
  for (const conf::Address& server : servers) text += (text.empty() ? "" : ",") + server.text();
  return text;
}

std::string words_for(int status) {
  if (status == ARES_ENOTFOUND) return "there is no such name";
  if (status == ARES_ENODATA) return "the name has no such records";
  if (status == ARES_ETIMEOUT) return "no name server answered in time";
  if (status == ARES_ECONNREFUSED) return "no name server answers";
  if (status == ARES_ESERVFAIL) return "the name server failed (SERVFAIL)";
  if (status == ARES_EREFUSED) return "the name server refused";
  return ares_strerror(status);
}

}  // namespace

struct DnsChannel::Question {
  DnsChannel& channel;
  Done done;

  static void on_answer(void* self, int status, int, unsigned char* bytes, int size) {
    const std::unique_ptr<Question> question(static_cast<Question*>(self));
    --question->channel.under_way_;
    if (status == ARES_EDESTRUCTION) return;
    Reply reply;
    if (status == ARES_SUCCESS) {
      reply.kind = Reply::Kind::answered;
      reply.message.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    } else {
      const bool absent = status == ARES_ENOTFOUND || status == ARES_ENODATA;
      reply.kind = absent ? Reply::Kind::absent : Reply::Kind::failed;
      reply.why = words_for(status);
    }
    question->done(std::move(reply));
  }
};

DnsChannel::DnsChannel(Loop& loop, const conf::Dns& settings)
    : loop_(loop), timer_(loop.timers(), *this) {
  ares_options options{};
  options.flags = ARES_FLAG_EDNS;
  options.ednspsz = kPayload;
  options.timeout = static_cast<int>(settings.timeout.count());
  options.tries = kTries;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<DnsChannel*>(self)->watch(fd, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = this;
  int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status == ARES_SUCCESS) {
    status = ares_init_options(&channel_, &options,
                               ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
                                   ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  }
  if (status == ARES_SUCCESS && !settings.resolver.empty()) {
    status = ares_set_servers_ports_csv(channel_, servers_text(settings.resolver).c_str());
  }
  if (status != ARES_SUCCESS) {
    broken_ = std::string("the resolver could not begin: ") + ares_strerror(status);
    return;
  }
  read_search_list();
}

DnsChannel::~DnsChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);
  for (const auto& [fd, event] : watched_) event_free(event);
  ares_library_cleanup();
}

void DnsChannel::read_search_list() {
  ares_options options{};
  int mask = 0;
  if (ares_save_options(channel_, &options, &mask) != ARES_SUCCESS) return;
  if (options.ndots > 0) ndots_ = static_cast<unsigned>(options.ndots);
  for (int i = 0; i < options.ndomains && i < kSearchDomains; ++i) {
    domains_.emplace_back(options.domains[i]);
  }
  ares_destroy_options(&options);
}

void DnsChannel::query(const std::string& name, wire::DnsType type, Done done) {
  if (!broken_.empty()) return done({Reply::Kind::failed, "", broken_});
  auto question = std::make_unique<Question>(Question{*this, std::move(done)});
  ++under_way_;
  ares_query(channel_, name.c_str(), kInternet, static_cast<int>(type), &Question::on_answer,
             question.release());
  arm();
}

void DnsChannel::watch(int fd, bool readable, bool writable) {
  if (const auto found = watched_.find(fd); found != watched_.end()) {
    event_free(found->second);
    watched_.erase(found);
  }
  if (!readable && !writable) return;
  const int what = EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0);
  event* made = event_new(
      loop_.base(), fd, static_cast<short>(what),
      [](evutil_socket_t ready, short how, void* self) {
        static_cast<DnsChannel*>(self)->process((how & EV_READ) != 0 ? ready : -1,
                                                (how & EV_WRITE) != 0 ? ready : -1);
      },
      this);
  event_add(made, nullptr);
  watched_[fd] = made;
}

void DnsChannel::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  arm();
}

void DnsChannel::arm() {
  timeval wait{};
  if (ares_timeout(channel_, nullptr, &wait) == nullptr) return timer_.disarm();
  timer_.arm(loop_.now() + std::chrono::seconds(wait.tv_sec) +
             std::chrono::microseconds(wait.tv_usec));
}

void DnsChannel::on_timer(Timer&) {
  process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

}  // namespace fairlead::net
