#include "proxy/net/resolver.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "conf/names.h"
#include "proxy/net/dns_channel.h"
#include "proxy/wire/dns_answer.h"

namespace fairlead::net {
namespace {

using Answer = Resolver::Answer;
using Reply = DnsChannel::Reply;

std::int64_t system_written() {
  struct stat file {};

  if (stat("/etc/resolv.conf", &file) != 0) return 0;
  return std::int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
}

bool is_localhost(const std::string& name) {
  constexpr std::string_view kSuffix = ".localhost";
  return name == "localhost" ||
         (name.size() > kSuffix.size() &&
          name.compare(name.size() - kSuffix.size(), kSuffix.size(), kSuffix) == 0);
}

std::optional<std::uint32_t> shorter(std::optional<std::uint32_t> a,
                                     std::optional<std::uint32_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// Nothing with `out` set where the reply has no records of use.
std::optional<wire::DnsAnswer> records_of(const Reply& reply, wire::DnsType type, Answer& out) {
  if (reply.kind != Reply::Kind::answered) {
    const bool absent = reply.kind == Reply::Kind::absent;
    out.kind = absent ? Answer::Kind::absent : Answer::Kind::failed;
    out.why = reply.why;
    return std::nullopt;
  }
  auto records = wire::read_dns_answer(reply.message, type);
  if (!records) out.why = "the name server's answer cannot be read";
  if (records && records->addresses.empty() && records->services.empty()) {
    out.kind = Answer::Kind::absent;
    out.why = "the name has no such records";
    return std::nullopt;
  }
  return records;
}

// What A and AAAA say together.
Answer both(Answer v4, Answer v6) {
  using Kind = Answer::Kind;
  const Resolver::Unanswered unanswered{v4.kind == Kind::failed, v6.kind == Kind::failed};
  if (v4.kind == Kind::found || v6.kind == Kind::found) {
    Answer& more = v4.kind == Kind::found ? v4 : v6;
    const Answer& other = v4.kind == Kind::found ? v6 : v4;
    more.places.insert(more.places.end(), other.places.begin(), other.places.end());
    more.ttl = shorter(more.ttl, other.ttl);
    more.unanswered = unanswered;
    more.why = other.why;
    return std::move(more);
  }
  Answer& one = unanswered.ipv4 || !unanswered.ipv6 ? v4 : v6;
  one.unanswered = unanswered;
  return std::move(one);
}

}  // namespace

// One host: its names by the search list until one exists.
struct Resolver::HostQuestion : std::enable_shared_from_this<HostQuestion> {
  HostQuestion(Resolver& owner, std::vector<std::string> to_ask, Done to_tell)
      : resolver(owner), names(std::move(to_ask)), done(std::move(to_tell)) {}

  void begin() {
    using Family = conf::Dns::Family;
    const Family family = resolver.settings_.family;
    // Where there is no IPv6 at all, nobody has to wait for its answer.
    const bool reached = resolver.families_.ipv6 || resolver.families_.ipv6_loopback;
    const bool ipv4 = family != Family::ipv6;
    const bool ipv6 = family == Family::ipv6 || (family == Family::any && reached);
    left = (ipv4 ? 1U : 0U) + (ipv6 ? 1U : 0U);
    v4 = v6 = {};
    if (!ipv4) v4.kind = Answer::Kind::absent;
    if (!ipv6) v6.kind = Answer::Kind::absent;
    if (ipv4) ask(wire::DnsType::a, &HostQuestion::v4);
    if (ipv6) ask(wire::DnsType::aaaa, &HostQuestion::v6);
  }

  void ask(wire::DnsType type, Answer HostQuestion::*into) {
    resolver.channel_->query(names[asked], type,
                             [self = shared_from_this(), type, into](const Reply& reply) {
                               self->take(reply, type, into);
                             });
  }

  void take(const Reply& reply, wire::DnsType type, Answer HostQuestion::*into) {
    Answer answer;
    if (const auto records = records_of(reply, type, answer)) {
      answer = resolver.found(records->addresses, AddressSource::name_server);
      answer.ttl = records->ttl;
    }
    this->*into = std::move(answer);
    if (--left != 0) return;
    Answer all = both(std::move(v4), std::move(v6));
    // One that could not be asked for may exist: another one's addresses would be the wrong ones.
    if (all.kind == Answer::Kind::absent && ++asked < names.size()) return begin();
    done(std::move(all));
  }

  Resolver& resolver;
  std::vector<std::string> names;
  std::size_t asked = 0;
  Done done;
  unsigned left = 0;
  Answer v4;
  Answer v6;
};

// One service: its SRV records, then each target once.
struct Resolver::ServiceQuestion : std::enable_shared_from_this<ServiceQuestion> {
  ServiceQuestion(Resolver& owner, Done to_tell) : resolver(owner), done(std::move(to_tell)) {}

  void take(const Reply& reply) {
    Answer answer;
    auto records = records_of(reply, wire::DnsType::srv, answer);
    if (!records) return done(std::move(answer));
    ttl = records->ttl;
    services = std::move(records->services);
    for (const wire::DnsService& service : services) {
      if (conf::is_host_name(service.target) && targets.size() < conf::bounds::kNameAddresses)
        targets[service.target];
    }
    const bool none = services.size() == 1 && services.front().target.empty();
    if (none) answer.kind = Answer::Kind::found;
    if (none) answer.ttl = ttl;
    if (targets.empty()) return done(std::move(answer));
    left = targets.size();
    for (auto& [name, into] : targets) ask(name, into);
  }

  void ask(const std::string& name, Answer& into) {
    resolver.ask_host(name, false, [self = shared_from_this(), &into](Answer answer) {
      into = std::move(answer);
      if (--self->left == 0) self->finish();
    });
  }

  void finish() {
    Answer all;
    all.kind = Answer::Kind::absent;
    all.ttl = ttl;
    for (const auto& [name, target] : targets) {
      all.unanswered.ipv4 = all.unanswered.ipv4 || target.unanswered.ipv4;
      all.unanswered.ipv6 = all.unanswered.ipv6 || target.unanswered.ipv6;
      if (target.kind != Answer::Kind::found) all.why = name + ": " + target.why;
      all.ttl = shorter(all.ttl, target.ttl);
    }
    for (const wire::DnsService& service : services) {
      const auto target = targets.find(service.target);
      if (target == targets.end() || service.port == 0) continue;
      for (const Place& place : target->second.places)
        all.places.push_back({place.ip, service.port, service.priority, service.weight});
    }
    if (!all.places.empty()) all.kind = Answer::Kind::found;
    if (all.places.empty() && all.unanswered.any()) all.kind = Answer::Kind::failed;
    done(std::move(all));
  }

  Resolver& resolver;
  Done done;
  std::uint32_t ttl = 0;
  std::vector<wire::DnsService> services;
  std::map<std::string, Answer> targets;
  std::size_t left = 0;
};

Resolver::Resolver(Loop& loop, conf::Dns settings)
    : loop_(loop), settings_(std::move(settings)), system_changed_(system_written()) {
  channel_ = std::make_unique<DnsChannel>(loop_, settings_);
}

Resolver::~Resolver() = default;

void Resolver::ask(const std::string& name, bool service, Done done) {
  reopen_if_changed();
  // What the machine once had is not given up when an interface goes down for a moment.
  const Families now = Families::of_this_machine();
  families_.ipv6 = families_.ipv6 || now.ipv6;
  families_.ipv6_loopback = families_.ipv6_loopback || now.ipv6_loopback;
  if (service) return ask_service(name, std::move(done));
  ask_host(name, true, std::move(done));
}

// c-ares reads resolv.conf at its beginning alone. What there is goes on until there is something
// to take its place: a file that is not there while it is written anew changes nothing.
void Resolver::reopen_if_changed() {
  const std::int64_t written = system_written();
  if (written == 0 || written == system_changed_ || channel_->under_way() != 0) return;
  auto made = std::make_unique<DnsChannel>(loop_, settings_);
  if (!made->usable()) return;
  system_changed_ = written;
  channel_ = std::move(made);
}

Answer Resolver::found(const std::vector<conf::Ip>& ips, AddressSource source) const {
  Answer answer;
  for (const conf::Ip& ip : ips) {
    if (may_serve(ip, source, settings_, families_)) answer.places.push_back({ip});
  }
  answer.kind = answer.places.empty() ? Answer::Kind::absent : Answer::Kind::found;
  if (answer.places.empty() && !ips.empty())
    answer.why = "no server can be at " + ips.front().text() + ": see \"Servers by name\"";
  return answer;
}

// `written`: the name stands in the configuration; a name server gave the others.
std::optional<Answer> Resolver::without_dns(const std::string& name, bool written) const {
  const bool local = is_localhost(name);
  const AddressSource source =
      written || !local ? AddressSource::machine : AddressSource::name_server;
  if (const auto ip = conf::Ip::parse(name)) return found({*ip}, source);
  if (const auto text = read_hosts_file()) {
    const auto ips = addresses_in_hosts(*text, name);
    if (!ips.empty()) return found(ips, source);
  }
  if (!local) return std::nullopt;
  return found({conf::Ip::v4(0x7f000001), *conf::Ip::parse("::1")}, source);  // RFC 6761 6.3
}

void Resolver::ask_host(const std::string& given, bool written, Done done) {
  const std::string name(conf::without_final_dot(given));
  if (auto known = without_dns(name, written)) return done(std::move(*known));
  std::vector<std::string> names{name};
  // An absolute name is no beginning of another.
  if (written && name.size() == given.size())
    names = search_names(name, channel_->search_domains(), channel_->ndots());
  std::make_shared<HostQuestion>(*this, std::move(names), std::move(done))->begin();
}

void Resolver::ask_service(const std::string& name, Done done) {
  auto question = std::make_shared<ServiceQuestion>(*this, std::move(done));
  channel_->query(std::string(conf::without_final_dot(name)), wire::DnsType::srv,
                  [question](const Reply& reply) { question->take(reply); });
}

}  // namespace fairlead::net
