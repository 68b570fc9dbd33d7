#include "proxy/balance/endpoints.h"

#include <algorithm>
#include <tuple>

namespace fairlead::balance {
namespace {

constexpr std::uint32_t kWeightMost = 1000;
constexpr conf::Millis kHostsFile{30'000};  // how long what it says is taken for true
constexpr conf::Millis kRetryMost{30'000};

auto order(const Endpoint& one) {
  return std::make_tuple(!one.ip.is_v4(), one.ip, one.port);
}

bool same_place(const Endpoint& a, const Endpoint& b) {
  return a.ip == b.ip && a.port == b.port;
}

// Of two with one place the first stays.
Endpoints tidy(Endpoints endpoints) {
  std::stable_sort(endpoints.begin(), endpoints.end(),
                   [](const Endpoint& a, const Endpoint& b) { return order(a) < order(b); });
  endpoints.erase(std::unique(endpoints.begin(), endpoints.end(), same_place), endpoints.end());
  if (endpoints.size() > conf::bounds::kNameAddresses)
    endpoints.resize(conf::bounds::kNameAddresses);
  return endpoints;
}

}  // namespace

Endpoints from_hosts(const std::vector<conf::Ip>& ips) {
  Endpoints endpoints;
  for (const conf::Ip& ip : ips) endpoints.push_back({ip});
  return tidy(std::move(endpoints));
}

Endpoints from_services(std::vector<Service> services) {
  std::stable_sort(services.begin(), services.end(), [](const Service& a, const Service& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.weight > b.weight;
  });
  std::uint32_t most = kWeightMost;
  for (const Service& service : services) most = std::max<std::uint32_t>(most, service.weight);
  Endpoints endpoints;
  for (const Service& service : services) {
    const std::uint32_t weight = service.weight * kWeightMost / most;
    endpoints.push_back({service.ip, service.port, std::max<std::uint32_t>(weight, 1),
                         service.priority != services.front().priority});
  }
  // What is cut off must not be the ones that do the work.
  std::stable_partition(endpoints.begin(), endpoints.end(),
                        [](const Endpoint& one) { return !one.backup; });
  if (endpoints.size() > conf::bounds::kNameAddresses)
    endpoints.resize(conf::bounds::kNameAddresses);
  return tidy(std::move(endpoints));
}

Endpoints joined(const Endpoints& answered, const Endpoints& known, Unanswered unanswered) {
  Endpoints all = answered;
  for (const Endpoint& one : known) {
    if (one.ip.is_v4() ? unanswered.ipv4 : unanswered.ipv6) all.push_back(one);
  }
  return tidy(std::move(all));
}

std::vector<conf::BackendServer> expand(const std::vector<conf::BackendServer>& servers,
                                        const Lookup& lookup) {
  std::vector<conf::BackendServer> result;
  const auto add = [&result](const conf::BackendServer& server) {
    const bool there = std::any_of(result.begin(), result.end(),
                                   [&](const auto& one) { return one.address == server.address; });
    if (!there) result.push_back(server);
  };
  for (const conf::BackendServer& server : servers) {
    if (!server.address.is_named()) {
      add(server);
      continue;
    }
    const Endpoints* known = lookup ? lookup(server.address) : nullptr;
    if (known == nullptr) continue;
    for (const Endpoint& endpoint : *known) {
      conf::BackendServer one = server;
      one.from = server.address.text();
      one.address = {};
      one.address.ip = endpoint.ip;
      one.address.port = endpoint.port != 0 ? endpoint.port : server.address.port;
      one.weight = std::min(server.weight * endpoint.weight, kWeightMost);
      one.backup = server.backup || endpoint.backup;
      add(one);
    }
  }
  return result;
}

std::vector<conf::Address> names_in(const std::vector<conf::Backend>& backends) {
  std::vector<conf::Address> names;
  for (const conf::Backend& backend : backends) {
    for (const conf::BackendServer& server : backend.servers) {
      if (server.address.is_named()) names.push_back(server.address);
    }
  }
  return names;
}

conf::Millis ask_again_in(std::optional<std::uint32_t> ttl, const conf::Dns& settings) {
  const conf::Millis wanted = ttl ? conf::Millis(std::int64_t{*ttl} * 1000) : kHostsFile;
  return std::clamp(wanted, settings.min_ttl, std::max(settings.min_ttl, settings.max_ttl));
}

conf::Millis retry_in(unsigned failures, const conf::Dns& settings) {
  const unsigned doublings = std::min(failures > 0 ? failures - 1 : 0, 20U);
  return std::min(settings.min_ttl * (std::int64_t{1} << doublings),
                  std::max(kRetryMost, settings.min_ttl));
}

}  // namespace fairlead::balance
