#pragma once
// `fairlead status | backends | sessions | close | reload | upgrade | drain`: what each asks a
// running Fairlead, and what it prints. Each returns the exit code: 0 done; 1 nothing answers, or
// it refuses; 2 wrong usage.

#include <optional>
#include <string>
#include <string_view>

#include "conf/ip.h"

namespace fairlead::remote {

struct Target {
  conf::Address address;
  std::string token;  // "": none
  bool json = false;  // print the answer as it is
};

int status(const Target& target);
int backends(const Target& target);
int reload(const Target& target);
// Waits until the new process serves, or does not.
int upgrade(const Target& target);

// What `fairlead drain` was given; of the first three one at most, none: the process.
struct DrainWish {
  std::string server;  // "BACKEND/SERVER"
  std::string listener;
  std::string route;
  std::string rate;  // "": as server.drain.rate has it
  bool undo = false;
  bool wait = false;  // until it is done, with its progress printed
};

int drain(const Target& target, const DrainWish& wish);

// What `sessions` and `close` were given; empty: not.
struct SessionArguments {
  std::string id{};
  std::string route{};
  std::string backend{};
  std::string server{};
  std::string client{};
  std::string sort{};
  std::string limit{};
  std::string offset{};
};

int sessions(const Target& target, const SessionArguments& arguments);
int close(const Target& target, const SessionArguments& arguments);

// The API's path and query for them.
std::string sessions_path(const SessionArguments& arguments);

// "9180", ":9180", "127.0.0.1:9180", "localhost:9180", "http://HOST:PORT", "unix:/PATH". Nothing
// with `error` set (one line).
std::optional<conf::Address> parse_target(std::string_view text, std::string& error);

// The API's path of "chat/10.0.0.11:8080"; "" where that is no BACKEND/SERVER.
std::string server_path(std::string_view name);

}  // namespace fairlead::remote
