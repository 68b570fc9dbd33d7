// Values that name a place: hosts, addresses, networks, origins, files.

#include <algorithm>

#include "conf/values.h"

namespace fairlead::conf {
namespace {

constexpr std::size_t kUnixPathBytes = 107;
constexpr std::size_t kSecretLeast = 16;
constexpr std::size_t kSecretMost = 64 * 1024;

std::optional<std::string> read_text(const Node& node, const Scope& scope) {
  if (node.kind == Node::Kind::string) return node.text;
  scope.wrong_kind(node, "a string");
  return std::nullopt;
}

// An address with its unix socket's path resolved.
std::optional<Address> read_service(const Node& node, const Scope& scope) {
  const auto given = read_text(node, scope);
  if (!given) return std::nullopt;
  auto address = Address::parse_service(*given);
  if (!address) {
    scope.problem(node, in_quotes(*given) +
                            " is not a service such as \"srv:_ws._tcp.example.com\": no port, no "
                            "path");
  }
  return address;
}

std::optional<Address> read_address(const Node& node, const Scope& scope,
                                    const std::string& examples) {
  const auto given = read_text(node, scope);
  if (!given) return std::nullopt;
  auto address = Address::parse(*given);
  if (!address) {
    scope.problem(node, in_quotes(*given) + " is not an address such as " + examples);
    return std::nullopt;
  }
  if (address->kind != Address::Kind::unix_path) return address;
  address->host = scope.source().resolve(address->host);
  if (address->host.size() <= kUnixPathBytes) return address;
  scope.problem(node,
                "the socket's path is longer than " + std::to_string(kUnixPathBytes) + " bytes");
  return std::nullopt;
}

std::string show_address(const Address& address) {
  return "\"" + address.text() + "\"";
}

bool is_host(std::string_view given) {
  if (given.substr(0, 2) == "*.") return is_host_name(given.substr(2));
  if (is_host_name(given)) return true;
  const bool bracketed = given.size() > 2 && given.front() == '[' && given.back() == ']';
  const std::string_view bare = bracketed ? given.substr(1, given.size() - 2) : given;
  return (bare.find(':') != std::string_view::npos) == bracketed && Ip::parse(bare).has_value();
}

std::string host_complaint(std::string_view given) {
  if (given == "*") return "\"*\" is not needed: without `hosts` a route takes any host";
  if (given.find("://") != std::string_view::npos) {
    return in_quotes(given) + " is not a host name: leave the scheme out";
  }
  if (given.find('*') != std::string_view::npos) {
    return in_quotes(given) + " is not a host name: \"*.\" may only stand in front";
  }
  const auto address = Address::parse(given);
  if (address && address->kind != Address::Kind::unix_path) {
    return in_quotes(given) + " is not a host name: leave the port out";
  }
  return in_quotes(given) + " is not a host name such as \"chat.example.com\" or \"*.example.com\"";
}

std::string origin_complaint(const std::string& given) {
  const std::string start = in_quotes(given) + " is not an origin";
  const std::size_t scheme = given.find("://");
  if (scheme == std::string::npos && is_host(given)) {
    return start + ": it needs its scheme, \"https://" + given + "\"";
  }
  if (scheme != std::string::npos && given.find('/', scheme + 3) != std::string::npos) {
    return start + ": no path, not even \"/\", may follow the host";
  }
  if (lower(given).rfind("wss://", 0) == 0 || lower(given).rfind("ws://", 0) == 0) {
    return start + ": it is the page's, \"https://\" or \"http://\"";
  }
  return start +
         " such as \"https://app.example.com\", \"https://*.example.com\", \"same-origin\", "
         "\"null\" or \"any\"";
}

std::string origin_text(const OriginPattern& pattern) {
  switch (pattern.kind) {
    case OriginPattern::Kind::same_origin:
      return "\"same-origin\"";
    case OriginPattern::Kind::any:
      return "\"any\"";
    case OriginPattern::Kind::null:
      return "\"null\"";
    case OriginPattern::Kind::exact:
    case OriginPattern::Kind::wildcard:
      break;
  }
  const bool wildcard = pattern.kind == OriginPattern::Kind::wildcard;
  const std::string port = pattern.port != 0 ? ":" + std::to_string(pattern.port) : "";
  return "\"" + pattern.scheme + "://" + (wildcard ? "*." : "") + pattern.host + port + "\"";
}

std::string same(const std::string& value) {
  return "\"" + value + "\"";
}

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

Codec<std::string> host() {
  return {"host name",
          [](const Node& node, const Scope& scope) -> std::optional<std::string> {
            const auto given = read_text(node, scope);
            if (!given) return std::nullopt;
            if (is_host(without_final_dot(*given))) return lower(without_final_dot(*given));
            scope.problem(node, host_complaint(*given));
            return std::nullopt;
          },
          same};
}

Codec<std::string> readable_file() {
  return {"file",
          [](const Node& node, const Scope& scope) -> std::optional<std::string> {
            const auto given = read_text(node, scope);
            if (!given) return std::nullopt;
            const std::string path = scope.source().resolve(*given);
            const std::string error = scope.files().unreadable(path);
            if (error.empty()) {
              scope.names_file(node, path);
              return path;
            }
            scope.problem(node, "cannot read " + in_quotes(path) + ": " + error);
            return std::nullopt;
          },
          same};
}

Codec<std::string> private_file() {
  constexpr std::size_t kMost = 1024 * 1024;
  return {"file",
          [](const Node& node, const Scope& scope) -> std::optional<std::string> {
            if (!read_secret_file(node, scope, kMost)) return std::nullopt;
            return scope.source().resolve(node.text);
          },
          same};
}

std::optional<std::string> read_secret_file(const Node& node, const Scope& scope,
                                            std::size_t most) {
  const auto given = read_text(node, scope);
  if (!given) return std::nullopt;
  const std::string path = scope.source().resolve(*given);
  Files::Content content = scope.files().read(path, most);
  if (!content.bytes) {
    scope.problem(node, "cannot read " + in_quotes(path) + ": " + content.error);
    return std::nullopt;
  }
  scope.names_file(node, path);
  if (content.world_readable)
    scope.hint(node, in_quotes(path) + " can be read by everyone on this machine");
  return std::move(content.bytes);
}

std::optional<std::string> read_secret(const Node& node, const Scope& scope) {
  auto secret = read_secret_file(node, scope, kSecretMost);
  if (!secret) return std::nullopt;
  while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) secret->pop_back();
  if (secret->size() >= kSecretLeast) return secret;
  scope.problem(node, in_quotes(scope.source().resolve(node.text)) +
                          " holds less than 16 bytes: too easy to guess");
  return std::nullopt;
}

Codec<std::string> log_target(std::vector<std::string> words, std::vector<std::string> refused) {
  const std::string type = one_of(words) + " or a file";
  return {type,
          [=](const Node& node, const Scope& scope) -> std::optional<std::string> {
            const auto given = read_text(node, scope);
            if (!given) return std::nullopt;
            if (holds(words, *given)) return given;
            if (!given->empty() && !holds(refused, *given)) return scope.source().resolve(*given);
            scope.problem(node, "must be " + type + ", not " + in_quotes(*given));
            return std::nullopt;
          },
          same};
}

Codec<Address> listener_address() {
  return {
      "address",
      [](const Node& node, const Scope& scope) -> std::optional<Address> {
        auto address =
            read_address(node, scope, R"("0.0.0.0:443", "[::]:443" or "unix:/run/fairlead.sock")");
        if (!address || address->kind != Address::Kind::name) return address;
        scope.problem(node, in_quotes(node.text) + " is a name: a listener needs an IP address, " +
                                "such as \"127.0.0.1:" + std::to_string(address->port) + "\"");
        return std::nullopt;
      },
      show_address};
}

Codec<Address> server_address() {
  return {
      "address",
      [](const Node& node, const Scope& scope) -> std::optional<Address> {
        const bool service = node.kind == Node::Kind::string && node.text.rfind("srv:", 0) == 0;
        if (service) return read_service(node, scope);
        auto address = read_address(
            node, scope,
            R"("10.0.0.1:8080", "[fd00::1]:8080", "app.internal:8080" or "unix:/run/app.sock")");
        const bool unix_path = address && address->kind == Address::Kind::unix_path;
        if (!address || unix_path || address->port != 0) return address;
        scope.problem(node, in_quotes(node.text) + " needs a port other than 0");
        return std::nullopt;
      },
      show_address};
}

Codec<Cidr> network() {
  return {"network",
          [](const Node& node, const Scope& scope) -> std::optional<Cidr> {
            const auto given = read_text(node, scope);
            if (!given) return std::nullopt;
            const auto cidr = Cidr::parse(*given);
            if (cidr) return cidr;
            scope.problem(node, in_quotes(*given) +
                                    " is not a network such as \"10.0.0.0/8\" or \"fd00::/8\"");
            return std::nullopt;
          },
          [](const Cidr& cidr) {
            return "\"" + cidr.base.text() + "/" + std::to_string(cidr.prefix) + "\"";
          }};
}

Codec<OriginPattern> origin() {
  return {"origin",
          [](const Node& node, const Scope& scope) -> std::optional<OriginPattern> {
            const auto given = read_text(node, scope);
            if (!given) return std::nullopt;
            auto pattern = OriginPattern::parse(*given);
            if (!pattern) scope.problem(node, origin_complaint(*given));
            return pattern;
          },
          origin_text};
}

}  // namespace fairlead::conf
